/* XP rows, their revisions, the ledger and the outbox of level-ups. */
#include "support.h"

#include <errno.h>

#include "models/member_xp.h"

static const struct member_xp sample = {
	.user_id = 111,
	.points = 1500,
	.level_points = 350,
	.level_number = 5,
	.message_count = 75,
	.last_award_at = 1700000000 * SECOND,
	.announce = true,
};

static void assert_same(const struct member_xp *a, const struct member_xp *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->user_id, b->user_id);
	assert_int_equal(a->points, b->points);
	assert_int_equal(a->level_points, b->level_points);
	assert_int_equal(a->level_number, b->level_number);
	assert_int_equal(a->message_count, b->message_count);
	assert_int_equal(a->last_award_at, b->last_award_at);
	assert_int_equal(a->hidden, b->hidden);
	assert_int_equal(a->announce, b->announce);
}

static void test_put_inserts_then_replaces(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = sample, got;

	assert_int_equal(member_xp_get(f->db, 111, &got), -ENOENT);
	assert_ok(member_xp_put(f->db, &xp));
	assert_int_equal(xp.id, 1);
	assert_ok(member_xp_get(f->db, 111, &got));
	assert_same(&got, &xp);

	xp.points = INT64_MAX;
	xp.hidden = true;
	xp.announce = false;
	xp.last_award_at = 0;
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(member_xp_get(f->db, 111, &got));
	assert_same(&got, &xp);

	/* A replacement does not move the row's id, an insertion may choose it. */
	xp.id = 77;
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(member_xp_get(f->db, 111, &got));
	assert_int_equal(got.id, 1);
	xp.user_id = 112;
	assert_ok(member_xp_put(f->db, &xp));
	xp.user_id = 113;
	xp.id = 0;
	assert_ok(member_xp_put(f->db, &xp));
	assert_int_equal(xp.id, 78);
}

static void test_negative_points_are_refused(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = sample;

	xp.points = -1;
	assert_int_equal(member_xp_put(f->db, &xp), -EINVAL);
	assert_int_equal(member_xp_get(f->db, 111, &xp), -ENOENT);
}

struct seen {
	size_t count;
	uint64_t ids[8];
};

static int collect(void *arg, const struct member_xp *xp)
{
	struct seen *seen = arg;

	assert_true(seen->count < ARRAY_SIZE(seen->ids));
	seen->ids[seen->count++] = xp->user_id;
	return 0;
}

static int stop_at_once(void *arg, const struct member_xp *xp)
{
	(void)arg;
	(void)xp;
	return -ECANCELED;
}

static void test_each_since_gives_only_what_changed(void **state)
{
	struct fixture *f = *state;
	struct seen all = { 0 }, none = { 0 }, some = { 0 }, first = { 0 };
	int64_t last = 0;

	for (uint64_t user = 1; user <= 5; user++) {
		struct member_xp xp = sample;

		xp.user_id = user;
		assert_ok(member_xp_put(f->db, &xp));
	}
	assert_ok(member_xp_each_since(f->db, 0, collect, &all, &last));
	assert_int_equal(all.count, 5);
	assert_ok(member_xp_each_since(f->db, last, collect, &none, &last));
	assert_int_equal(none.count, 0);
	assert_ok(member_xp_some_since(f->db, 0, 3, collect, &first, &last));
	assert_int_equal(first.count, 3);
	assert_ok(member_xp_some_since(f->db, last, 3, collect, &first, &last));
	assert_int_equal(first.count, 5);

	assert_ok(member_xp_set_hidden(f->db, 4, true, NULL));
	assert_ok(db_begin(f->db));
	for (int i = 0; i < 3; i++) {
		struct member_xp xp;

		assert_ok(member_xp_get(f->db, 2, &xp));
		xp.points++;
		assert_ok(member_xp_put(f->db, &xp));
	}
	assert_ok(db_commit(f->db));
	assert_ok(member_xp_each_since(f->db, last, collect, &some, &last));
	assert_int_equal(some.count, 2);
	assert_int_equal(some.ids[0] + some.ids[1], 6);

	last = -7;
	assert_int_equal(member_xp_each_since(f->db, 0, stop_at_once, NULL, &last), -ECANCELED);
	assert_int_equal(last, -7);
}

/* A rolled back revision number may be given out again, but never two numbers in an order that hides a row from a
 * reader. */
static void test_revisions_survive_rollbacks(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { 0 };
	struct member_xp xp = sample;
	int64_t last = 0;

	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(member_xp_each_since(f->db, 0, collect, &seen, &last));
	assert_ok(db_begin(f->db));
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(db_savepoint(f->db));
	assert_ok(member_xp_put(f->db, &xp));
	db_rollback_to_savepoint(f->db);
	db_rollback(f->db);
	seen.count = 0;
	assert_ok(member_xp_each_since(f->db, last, collect, &seen, &last));
	assert_int_equal(seen.count, 0);
	xp.user_id = 5;
	xp.id = 0;
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(member_xp_each_since(f->db, last, collect, &seen, &last));
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.ids[0], 5);
}

static void test_switches_report_a_change(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = sample;
	bool changed = true;

	assert_int_equal(member_xp_set_hidden(f->db, 111, true, &changed), -ENOENT);
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(member_xp_set_hidden(f->db, 111, true, &changed));
	assert_true(changed);
	assert_ok(member_xp_set_hidden(f->db, 111, true, &changed));
	assert_false(changed);
	assert_ok(member_xp_set_announce(f->db, 111, false, &changed));
	assert_true(changed);
	assert_ok(member_xp_get(f->db, 111, &xp));
	assert_true(xp.hidden);
	assert_false(xp.announce);
	assert_int_equal(xp.points, sample.points);
}

static void test_a_message_counts_once(void **state)
{
	struct fixture *f = *state;
	int64_t deleted = 0;

	assert_ok(seen_message_claim(f->db, 1000));
	assert_int_equal(seen_message_claim(f->db, 1000), -EALREADY);
	assert_ok(db_begin(f->db));
	assert_ok(seen_message_claim(f->db, 1001));
	db_rollback(f->db);
	assert_ok(seen_message_claim(f->db, 1001));
	for (uint64_t id = 2000; id < 2010; id++)
		assert_ok(seen_message_claim(f->db, id));
	assert_ok(seen_message_prune(f->db, 2005, 4, &deleted));
	assert_int_equal(deleted, 4);
	assert_ok(seen_message_prune(f->db, 2005, 100, &deleted));
	assert_int_equal(deleted, 3);
	assert_int_equal(seen_message_claim(f->db, 2005), -EALREADY);
}

static void test_level_ups_wait_until_done(void **state)
{
	struct fixture *f = *state;
	struct level_up list[4];
	size_t count = 9;

	assert_ok(level_up_list(f->db, list, 4, &count));
	assert_int_equal(count, 0);
	for (uint64_t id = 5; id >= 1; id--)
		assert_ok(level_up_add(f->db, &(struct level_up){ id, 100 + id, 200, 3 }));
	assert_ok(level_up_add(f->db, &(struct level_up){ 5, 105, 200, 3 }));
	assert_ok(level_up_list(f->db, list, 4, &count));
	assert_int_equal(count, 4);
	assert_int_equal(list[0].message_id, 1);
	assert_int_equal(list[3].user_id, 104);
	for (uint64_t id = 1; id <= 4; id++)
		assert_ok(level_up_done(f->db, id));
	assert_ok(level_up_list(f->db, list, 4, &count));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].message_id, 5);
	assert_int_equal(list[0].level_number, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_inserts_then_replaces, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_negative_points_are_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_each_since_gives_only_what_changed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_revisions_survive_rollbacks, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_switches_report_a_change, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_message_counts_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_level_ups_wait_until_done, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
