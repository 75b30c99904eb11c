/* Reaction roles. */
#include "support.h"

#include <errno.h>

#include "models/reaction_role.h"

static struct reaction_role pairs[] = { { "😀", 100 }, { "123456789012345678", 101 }, { "🏳️‍🌈", 102 } };

static void test_put_replaces_all_roles(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reaction_role_message message = { .message_id = 7,
		.channel_id = 8,
		.title = "Pick",
		.roles = pairs,
		.count = 3 },
				     got;
	uint64_t role;

	assert_int_equal(reaction_role_get(f->db, 7, &arena, &got), -ENOENT);
	assert_ok(reaction_role_put(f->db, &message));
	assert_ok(reaction_role_get(f->db, 7, &arena, &got));
	assert_int_equal(got.channel_id, 8);
	assert_string_equal(got.title, "Pick");
	assert_int_equal(got.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(got.roles[i].emoji, pairs[i].emoji);
		assert_int_equal(got.roles[i].role_id, pairs[i].role_id);
	}
	assert_ok(reaction_role_find(f->db, 7, "123456789012345678", &role));
	assert_int_equal(role, 101);
	assert_int_equal(reaction_role_find(f->db, 7, "🙃", &role), -ENOENT);
	assert_int_equal(reaction_role_find(f->db, 8, "😀", &role), -ENOENT);

	message.count = 1;
	message.title = NULL;
	assert_ok(reaction_role_put(f->db, &message));
	assert_ok(reaction_role_get(f->db, 7, &arena, &got));
	assert_int_equal(got.count, 1);
	assert_null(got.title);
	assert_int_equal(reaction_role_find(f->db, 7, "🏳️‍🌈", &role), -ENOENT);
}

static void test_an_emoji_gives_one_role(void **state)
{
	struct fixture *f = *state;
	struct reaction_role twice[] = { { "😀", 1 }, { "😀", 2 } };
	struct reaction_role_message message = { .message_id = 7, .channel_id = 8, .roles = twice, .count = 2 };

	assert_int_equal(reaction_role_put(f->db, &message), -EEXIST);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM reaction_role_message"), 0);
}

static void test_listed_and_deleted_with_their_roles(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct reaction_role_message message = { .channel_id = 8, .roles = pairs, .count = 3 }, *list;
	size_t count;

	for (uint64_t id = 3; id >= 1; id--) {
		message.message_id = id;
		message.count = id;
		assert_ok(reaction_role_put(f->db, &message));
	}
	assert_ok(reaction_role_list(f->db, &arena, &list, &count));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].message_id, i + 1);
		assert_int_equal(list[i].count, i + 1);
	}
	assert_ok(reaction_role_delete(f->db, 3));
	assert_int_equal(reaction_role_delete(f->db, 3), -ENOENT);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM reaction_role"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_replaces_all_roles, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_an_emoji_gives_one_role, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_listed_and_deleted_with_their_roles, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
