/* models/leaderboard.c over a database. */
#include "support.h"

#include <errno.h>

#include "models/leaderboard.h"
#include "models/member_xp.h"
#include "models/profile.h"

static void award(struct db *db, uint64_t user, int64_t points)
{
	struct member_xp xp = { .user_id = user, .points = points, .announce = true };
	struct member_xp stored;

	if (member_xp_get(db, user, &stored) == 0) {
		xp.id = stored.id;
		xp.hidden = stored.hidden;
	}
	assert_ok(member_xp_put(db, &xp));
}

static void put_profile(struct db *db, uint64_t user, bool present)
{
	assert_ok(profile_put(
		db, &(struct profile){ .user_id = user, .name = "somebody", .present = present }, SECOND, NULL));
}

static void assert_order(const struct leaderboard *board, const uint64_t *users, size_t count)
{
	assert_int_equal(leaderboard_count(board), count);
	for (size_t i = 0; i < count; i++) {
		struct leaderboard_entry entry;
		size_t position;

		assert_true(leaderboard_at(board, i, &entry));
		assert_int_equal(entry.user_id, users[i]);
		assert_ok(leaderboard_position(board, users[i], &position));
		assert_int_equal(position, i);
	}
	assert_false(leaderboard_at(board, count, &(struct leaderboard_entry){ 0 }));
}

#define ASSERT_ORDER(board, ...)                               \
	assert_order(board, (const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

static void test_order_and_visibility(void **state)
{
	struct fixture *fixture = *state;
	struct leaderboard *board = leaderboard_create();
	size_t position;

	assert_ok(leaderboard_refresh(board, fixture->db));
	assert_int_equal(leaderboard_count(board), 0);
	award(fixture->db, 11, 100);
	award(fixture->db, 12, 300);
	award(fixture->db, 13, 100);
	award(fixture->db, 14, 0);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 12, 11, 13, 14);

	assert_ok(member_xp_set_hidden(fixture->db, 12, true, NULL));
	award(fixture->db, 14, 101);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 14, 11, 13);
	assert_int_equal(leaderboard_position(board, 12, &position), -ENOENT);
	assert_int_equal(leaderboard_position(board, 99, &position), -ENOENT);

	assert_ok(member_xp_set_hidden(fixture->db, 12, false, NULL));
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 12, 14, 11, 13);
	leaderboard_destroy(board);
}

static void test_departed_members_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct leaderboard *board = leaderboard_create();

	award(fixture->db, 11, 1);
	put_profile(fixture->db, 11, false);
	put_profile(fixture->db, 12, false); /* before he has points */
	award(fixture->db, 13, 2);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 13);
	award(fixture->db, 12, 5);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 13);
	put_profile(fixture->db, 11, true);
	put_profile(fixture->db, 12, true);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 12, 13, 11);
	leaderboard_destroy(board);
}

static void test_other_connections_commits_show(void **state)
{
	struct fixture *fixture = *state;
	struct leaderboard *board = leaderboard_create();
	struct db *other = open_db(fixture->path);

	award(fixture->db, 11, 1);
	assert_ok(leaderboard_refresh(board, fixture->db));
	award(other, 12, 2);
	assert_ok(leaderboard_refresh(board, fixture->db));
	ASSERT_ORDER(board, 12, 11);
	db_close(other);
	leaderboard_destroy(board);
}

/* What it wrote may yet be rolled back. */
static void test_a_transaction_must_have_ended(void **state)
{
	struct fixture *fixture = *state;
	struct leaderboard *board = leaderboard_create();

	assert_ok(db_begin(fixture->db));
	award(fixture->db, 12, 2);
	assert_int_equal(leaderboard_refresh(board, fixture->db), -EINVAL);
	db_rollback(fixture->db);
	assert_ok(leaderboard_refresh(board, fixture->db));
	assert_int_equal(leaderboard_count(board), 0);
	leaderboard_destroy(board);
}

/* Awards, newcomers and leavers between the steps end in the same order as if all had been read at once. */
static void test_it_can_be_read_in_steps(void **state)
{
	struct fixture *fixture = *state;
	struct leaderboard *board = leaderboard_create();
	bool more = true;

	for (uint64_t user = 11; user <= 15; user++) {
		award(fixture->db, user, (int64_t)user);
		put_profile(fixture->db, user, user != 14);
	}
	assert_ok(leaderboard_refresh_some(board, fixture->db, 2, &more));
	assert_true(more);
	assert_int_equal(leaderboard_count(board), 2);
	award(fixture->db, 11, 100);
	put_profile(fixture->db, 12, false);
	put_profile(fixture->db, 16, false); /* before he has points */
	award(fixture->db, 16, 1000);
	for (int steps = 0; more; steps++) {
		assert_true(steps < 10);
		assert_ok(leaderboard_refresh_some(board, fixture->db, 2, &more));
	}
	ASSERT_ORDER(board, 11, 15, 13);
	put_profile(fixture->db, 17, false);
	award(fixture->db, 17, 2000);
	assert_ok(leaderboard_refresh_some(board, fixture->db, 2, &more));
	assert_false(more);
	ASSERT_ORDER(board, 11, 15, 13);
	leaderboard_destroy(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_and_visibility, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_departed_members_are_left_out, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_other_connections_commits_show, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_transaction_must_have_ended, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_it_can_be_read_in_steps, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
