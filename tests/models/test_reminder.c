/* Reminders: from being set to being sent, with crashes in between. */
#include "support.h"

#include <errno.h>

#include "models/reminder.h"

#define NOW (1700000000 * SECOND)

static int64_t add(struct db *db, uint64_t author, usec due)
{
	struct reminder reminder = {
		.author_id = author, .guild_id = 5, .channel_id = 6, .text = "stretch", .due_at = due, .created_at = NOW
	};

	assert_ok(reminder_add(db, &reminder, 100));
	return reminder.id;
}

static size_t claim(struct db *db, usec now, struct arena *arena, struct reminder **ret_reminders)
{
	size_t count;

	assert_ok(reminder_claim_due(db, now, MINUTE, 3, 10, arena, ret_reminders, &count));
	return count;
}

static void test_listed_soonest_first_and_deleted_by_their_author(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reminder *list, got;
	size_t count;
	int64_t late = add(f->db, 1, NOW + HOUR), soon = add(f->db, 1, NOW + MINUTE), other = add(f->db, 2, NOW);

	assert_ok(reminder_list(f->db, 1, &arena, &list, &count));
	assert_int_equal(count, 2);
	assert_int_equal(list[0].id, soon);
	assert_int_equal(list[1].id, late);
	assert_string_equal(list[0].text, "stretch");
	assert_int_equal(list[0].channel_id, 6);
	assert_int_equal(reminder_delete(f->db, other, 1), -EPERM);
	assert_int_equal(reminder_delete(f->db, 999, 1), -ENOENT);
	assert_ok(reminder_delete(f->db, soon, 1));
	assert_int_equal(reminder_get(f->db, soon, &arena, &got), -ENOENT);
	assert_ok(reminder_get(f->db, late, &arena, &got));
	assert_int_equal(got.state, REMINDER_PENDING);
	assert_int_equal(got.created_at, NOW);
	/* Ids are shown to people: one that was deleted does not come back as another reminder. */
	assert_ok(reminder_delete(f->db, other, 2));
	assert_true(add(f->db, 2, NOW) > other);
}

static void test_an_author_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct reminder reminder = { .author_id = 1, .text = "x", .due_at = NOW };

	assert_ok(reminder_add(f->db, &reminder, 2));
	assert_ok(reminder_add(f->db, &reminder, 2));
	assert_int_equal(reminder_add(f->db, &reminder, 2), -EDQUOT);
	reminder.author_id = 2;
	assert_ok(reminder_add(f->db, &reminder, 2));
}

static void test_claimed_sent_and_pruned(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reminder *due, got;
	usec next = 0;
	int64_t id, deleted;

	assert_int_equal(reminder_next_due(f->db, &next), -ENOENT);
	id = add(f->db, 1, NOW);
	add(f->db, 1, NOW + HOUR);
	assert_ok(reminder_next_due(f->db, &next));
	assert_int_equal(next, NOW);
	assert_int_equal(claim(f->db, NOW - 1, &arena, &due), 0);
	assert_int_equal(claim(f->db, NOW, &arena, &due), 1);
	assert_int_equal(due[0].id, id);
	assert_int_equal(due[0].attempts, 1);
	assert_int_equal(due[0].claimed_at, NOW);
	assert_int_equal(due[0].lease_at, NOW + MINUTE);
	/* Nobody else gets it while the lease runs. */
	assert_int_equal(claim(f->db, NOW + SECOND, &arena, &due), 0);
	assert_ok(reminder_next_due(f->db, &next));
	assert_int_equal(next, NOW + MINUTE);
	assert_ok(reminder_sent(f->db, id, 555));
	assert_ok(reminder_get(f->db, id, &arena, &got));
	assert_int_equal(got.state, REMINDER_SENT);
	assert_int_equal(got.sent_message_id, 555);
	assert_int_equal(claim(f->db, NOW + 2 * MINUTE, &arena, &due), 0);
	assert_int_equal(reminder_delete(f->db, id, 1), -ENOENT);
	assert_ok(reminder_prune(f->db, NOW + DAY, 10, &deleted));
	assert_int_equal(deleted, 1);
	assert_ok(reminder_next_due(f->db, &next));
	assert_int_equal(next, NOW + HOUR);
}

static void test_an_expired_lease_is_claimed_again_until_given_up(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reminder *due, got;
	int64_t id = add(f->db, 1, NOW);
	usec next;

	assert_int_equal(claim(f->db, NOW, &arena, &due), 1);
	assert_int_equal(claim(f->db, NOW + MINUTE, &arena, &due), 1);
	assert_int_equal(due[0].attempts, 2);
	/* The first claim's time tells whether the nonce is still remembered. */
	assert_int_equal(due[0].claimed_at, NOW);
	assert_int_equal(claim(f->db, NOW + 2 * MINUTE, &arena, &due), 1);
	assert_int_equal(claim(f->db, NOW + 3 * MINUTE, &arena, &due), 0);
	assert_ok(reminder_get(f->db, id, &arena, &got));
	assert_int_equal(got.state, REMINDER_GIVEN_UP);
	assert_int_equal(reminder_next_due(f->db, &next), -ENOENT);
}

static void test_released_and_deleted_while_being_sent(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reminder *due, got;
	int64_t a = add(f->db, 1, NOW), b = add(f->db, 1, NOW), c = add(f->db, 1, NOW);

	assert_int_equal(claim(f->db, NOW, &arena, &due), 3);
	assert_ok(reminder_release(f->db, a, NOW + HOUR));
	assert_ok(reminder_give_up(f->db, b));
	assert_ok(reminder_delete(f->db, c, 1));
	assert_ok(reminder_sent(f->db, c, 9));
	assert_int_equal(claim(f->db, NOW + HOUR, &arena, &due), 1);
	assert_int_equal(due[0].id, a);
	assert_int_equal(due[0].attempts, 2);
	assert_int_equal(due[0].claimed_at, NOW + HOUR);
	assert_ok(reminder_get(f->db, b, &arena, &got));
	assert_int_equal(got.state, REMINDER_GIVEN_UP);
	assert_int_equal(reminder_get(f->db, c, &arena, &got), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_listed_soonest_first_and_deleted_by_their_author, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_an_author_has_a_limit, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_claimed_sent_and_pruned, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_an_expired_lease_is_claimed_again_until_given_up, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_released_and_deleted_while_being_sent, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
