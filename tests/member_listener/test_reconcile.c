/* member_listener/reconcile.c: decisions, with a clock of the test's own. */
#include "support.h"

#include "reconcile.h"

#define START (100 * SECOND)

/* Wanted, requested. */
static struct reconcile receiving(usec now)
{
	struct reconcile reconcile = { 0 };

	reconcile_want(&reconcile, now, 0);
	assert_true(reconcile_tick(&reconcile, now));
	assert_string_equal(reconcile_next_nonce(&reconcile), "r1");
	reconcile_requested(&reconcile, now);
	return reconcile;
}

static void nothing_happens_unless_wanted(void **state)
{
	struct reconcile reconcile = { 0 };

	(void)state;
	assert_false(reconcile_tick(&reconcile, START));
	assert_true(reconcile_due(&reconcile) == RECONCILE_NEVER);
	assert_false(reconcile_all_here(&reconcile));
	reconcile_touch(&reconcile, 7);
	assert_false(reconcile_is_touched(&reconcile, 7));
	reconcile_finish(&reconcile);
}

static void a_list_in_order_completes(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_false(reconcile_all_here(&reconcile));
		assert_true(reconcile_chunk(&reconcile, "r1", i, 3, START + i));
	}
	assert_true(reconcile_all_here(&reconcile));
	assert_true(reconcile.wanted_since == START);
	reconcile_complete(&reconcile, START + 3);
	assert_int_equal(reconcile.state, RECONCILE_IDLE);
	assert_true(reconcile.wanted_since == 0);

	/* The next one is wanted in a day. */
	assert_false(reconcile_tick(&reconcile, START + DAY));
	assert_true(reconcile_due(&reconcile) == START + 3 + DAY);
	assert_true(reconcile_tick(&reconcile, START + 3 + DAY));
	reconcile_finish(&reconcile);
}

static void pieces_may_come_in_any_order_but_only_once(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	assert_true(reconcile_chunk(&reconcile, "r1", 1, 2, START));
	assert_false(reconcile_chunk(&reconcile, "r1", 1, 2, START));
	assert_false(reconcile_all_here(&reconcile));
	assert_true(reconcile_chunk(&reconcile, "r1", 0, 2, START));
	assert_true(reconcile_all_here(&reconcile));
	reconcile_finish(&reconcile);
}

static void foreign_and_senseless_pieces_are_left_alone(void **state)
{
	static const struct {
		const char *nonce;
		int64_t index, count;
	} rows[] = {
		{ "r2", 0, 1 },
		{ NULL, 0, 1 },
		{ "r1", -1, 1 },
		{ "r1", 1, 1 },
		{ "r1", 0, 0 },
		{ "r1", 0, -5 },
		{ "r1", 0, RECONCILE_CHUNKS_MAX + 1 },
		{ "r1", RECONCILE_CHUNKS_MAX, RECONCILE_CHUNKS_MAX },
	};
	struct reconcile reconcile = receiving(START);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_false(reconcile_chunk(&reconcile, rows[i].nonce, rows[i].index, rows[i].count, START));
	assert_true(reconcile_chunk(&reconcile, "r1", 0, 3, START));
	assert_false(reconcile_chunk(&reconcile, "r1", 1, 2, START));
	assert_true(reconcile_chunk(&reconcile, "r1", 1, 3, START));
	reconcile_finish(&reconcile);
}

static void a_missing_piece_leads_to_another_request(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	assert_true(reconcile_chunk(&reconcile, "r1", 0, 3, START));
	assert_true(reconcile_chunk(&reconcile, "r1", 2, 3, START + SECOND));
	assert_false(reconcile_all_here(&reconcile));
	assert_false(reconcile_tick(&reconcile, START + 5 * SECOND));
	assert_true(reconcile_tick(&reconcile, START + 6 * SECOND));
	assert_string_equal(reconcile_next_nonce(&reconcile), "r2");
	reconcile_requested(&reconcile, START + 6 * SECOND);
	/* What was late belongs to nothing any more, and the patience has grown. */
	assert_false(reconcile_chunk(&reconcile, "r1", 1, 3, START + 7 * SECOND));
	assert_false(reconcile_tick(&reconcile, START + 15 * SECOND));
	assert_true(reconcile_tick(&reconcile, START + 16 * SECOND));
	assert_true(reconcile.wanted_since == START);
	reconcile_finish(&reconcile);
}

static void patience_is_bounded(void **state)
{
	struct reconcile reconcile = receiving(START);
	usec now = START;

	(void)state;
	for (int i = 0; i < 40; i++) {
		usec due = reconcile_due(&reconcile);

		assert_in_range(due - now, 5 * SECOND, 2 * MINUTE);
		now = due;
		assert_true(reconcile_tick(&reconcile, now));
		reconcile_next_nonce(&reconcile);
		reconcile_requested(&reconcile, now);
	}
	reconcile_finish(&reconcile);
}

static void rate_limits_are_obeyed(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	assert_false(reconcile_rate_limited(&reconcile, "r9", 10 * SECOND, START));
	assert_false(reconcile_rate_limited(&reconcile, NULL, 10 * SECOND, START));
	assert_true(reconcile_rate_limited(&reconcile, "r1", 28 * SECOND, START));
	assert_false(reconcile_tick(&reconcile, START + 28 * SECOND));
	assert_true(reconcile_tick(&reconcile, START + 29 * SECOND));
	reconcile_next_nonce(&reconcile);
	reconcile_requested(&reconcile, START + 29 * SECOND);
	/* Nonsense is bounded. */
	assert_true(reconcile_rate_limited(&reconcile, "r2", 40 * DAY, START + 30 * SECOND));
	assert_true(reconcile_due(&reconcile) < START + 10 * MINUTE);
	reconcile_finish(&reconcile);
}

static void what_cannot_be_sent_is_tried_again(void **state)
{
	struct reconcile reconcile = { 0 };

	(void)state;
	reconcile_want(&reconcile, START, 0);
	assert_true(reconcile_tick(&reconcile, START));
	reconcile_refused(&reconcile, START);
	assert_false(reconcile_tick(&reconcile, START + SECOND / 2));
	assert_true(reconcile_tick(&reconcile, START + SECOND));
	reconcile_finish(&reconcile);
}

static void live_events_win_only_within_their_request(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	reconcile_touch(&reconcile, 9);
	reconcile_touch(&reconcile, 3);
	reconcile_touch(&reconcile, 5);
	reconcile_touch(&reconcile, 3);
	assert_int_equal(reconcile.touched_count, 3);
	assert_true(reconcile_is_touched(&reconcile, 3));
	assert_true(reconcile_is_touched(&reconcile, 5));
	assert_true(reconcile_is_touched(&reconcile, 9));
	assert_false(reconcile_is_touched(&reconcile, 4));
	assert_false(reconcile_is_touched(&reconcile, 10));

	/* The next list is taken after those events. */
	reconcile_want(&reconcile, START + SECOND, 0);
	assert_false(reconcile_is_touched(&reconcile, 3));
	reconcile_finish(&reconcile);
}

static void many_are_touched(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	for (uint64_t i = 0; i < 3000; i++)
		reconcile_touch(&reconcile, (i * 7919) % 3001 + 1);
	assert_int_equal(reconcile.touched_count, 3000);
	for (size_t i = 1; i < reconcile.touched_count; i++)
		assert_true(reconcile.touched[i - 1] < reconcile.touched[i]);
	reconcile_finish(&reconcile);
}

static void wanting_again_drops_what_was_under_way(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	assert_true(reconcile_chunk(&reconcile, "r1", 0, 2, START));
	reconcile_want(&reconcile, START + SECOND, 10 * SECOND);
	assert_false(reconcile_chunk(&reconcile, "r1", 1, 2, START + SECOND));
	assert_false(reconcile_tick(&reconcile, START + 10 * SECOND));
	assert_true(reconcile_tick(&reconcile, START + 11 * SECOND));
	assert_true(reconcile.wanted_since == START);
	reconcile_forget(&reconcile);
	assert_true(reconcile_due(&reconcile) == RECONCILE_NEVER);
	assert_true(reconcile.wanted_since == 0);
	reconcile_finish(&reconcile);
}

static void a_list_that_is_not_believed_is_asked_for_later(void **state)
{
	struct reconcile reconcile = receiving(START);

	(void)state;
	assert_true(reconcile_chunk(&reconcile, "r1", 0, 1, START));
	assert_true(reconcile_all_here(&reconcile));
	reconcile_incomplete(&reconcile, START);
	assert_false(reconcile_all_here(&reconcile));
	assert_false(reconcile_tick(&reconcile, START + SECOND));
	assert_true(reconcile_tick(&reconcile, START + 5 * SECOND));
	reconcile_finish(&reconcile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happens_unless_wanted),
		cmocka_unit_test(a_list_in_order_completes),
		cmocka_unit_test(pieces_may_come_in_any_order_but_only_once),
		cmocka_unit_test(foreign_and_senseless_pieces_are_left_alone),
		cmocka_unit_test(a_missing_piece_leads_to_another_request),
		cmocka_unit_test(patience_is_bounded),
		cmocka_unit_test(rate_limits_are_obeyed),
		cmocka_unit_test(what_cannot_be_sent_is_tried_again),
		cmocka_unit_test(live_events_win_only_within_their_request),
		cmocka_unit_test(many_are_touched),
		cmocka_unit_test(wanting_again_drops_what_was_under_way),
		cmocka_unit_test(a_list_that_is_not_believed_is_asked_for_later),
	};

	return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
