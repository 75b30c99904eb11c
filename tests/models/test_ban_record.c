/* The ban list and its history. */
#include "support.h"

#include <errno.h>

#include "models/ban_record.h"

#define NOW (1700000000 * SECOND)

static int64_t ban(struct db *db, uint64_t user, usec when)
{
	struct ban_record record = { .user_id = user,
		.user_name = "eve",
		.moderator_id = 9,
		.moderator_name = "mod",
		.reason = "spam",
		.banned_at = when };

	assert_ok(ban_record_add(db, &record));
	return record.id;
}

static void test_one_active_ban_per_user(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct ban_record record = { .user_id = 1, .user_name = "eve", .reason = "again" }, *history;
	size_t count;
	int64_t active, first = ban(f->db, 1, NOW);

	assert_int_equal(ban_record_add(f->db, &record), -EEXIST);
	assert_int_equal(ban_record_unban(f->db, 2, 9, NOW), -ENOENT);
	assert_ok(ban_record_unban(f->db, 1, 10, NOW + HOUR));
	assert_int_equal(ban_record_unban(f->db, 1, 10, NOW + HOUR), -ENOENT);
	assert_int_equal(ban_record_get_active(f->db, 1, &arena, &record), -ENOENT);
	record = (struct ban_record){ .user_id = 1, .user_name = "eve", .reason = "again" };
	assert_ok(ban_record_add(f->db, &record));
	assert_ok(ban_record_count_active(f->db, &active));
	assert_int_equal(active, 1);
	assert_ok(ban_record_history(f->db, 1, &arena, &history, &count));
	assert_int_equal(count, 2);
	assert_string_equal(history[0].reason, "again");
	assert_int_equal(history[0].banned_at, 0);
	assert_null(history[0].moderator_name);
	assert_int_equal(history[1].id, first);
	assert_int_equal(history[1].unbanned_at, NOW + HOUR);
	assert_int_equal(history[1].unbanned_by, 10);
	assert_string_equal(history[1].moderator_name, "mod");
	assert_ok(ban_record_get_active(f->db, 1, &arena, &record));
	assert_string_equal(record.reason, "again");
	assert_ok(ban_record_delete(f->db, record.id));
	assert_int_equal(ban_record_delete(f->db, record.id), -ENOENT);
}

static void test_newest_first_undated_last(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct ban_record *list;
	size_t count;

	ban(f->db, 1, 0);
	ban(f->db, 2, NOW);
	ban(f->db, 3, NOW + HOUR);
	ban(f->db, 4, NOW);
	ban(f->db, 5, NOW);
	assert_ok(ban_record_unban(f->db, 5, 0, NOW));
	assert_ok(ban_record_list_active(f->db, 0, 3, &arena, &list, &count));
	assert_int_equal(count, 3);
	assert_int_equal(list[0].user_id, 3);
	assert_int_equal(list[1].user_id, 4);
	assert_int_equal(list[2].user_id, 2);
	assert_ok(ban_record_list_active(f->db, 3, 3, &arena, &list, &count));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].user_id, 1);
	assert_ok(ban_record_list_active(f->db, 4, 3, &arena, &list, &count));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_active_ban_per_user, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_newest_first_undated_last, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
