/* member_listener/recorder.c: what Discord says about a member, and the row that comes of it. */
#include "support.h"

#include <errno.h>

#include "models/profile.h"
#include "recorder.h"

#define CDN   "https://cdn.example"
#define GUILD 500
#define ALICE 77
#define HASH  "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"
#define NOON  (1700000000 * SECOND)

static struct recorder recorder_of(void **state)
{
	const struct fixture *fixture = *state;

	return (struct recorder){ .db = fixture->db, .cdn_url = CDN, .guild_id = GUILD };
}

static struct member alice(void)
{
	return (struct member){
		.user = { .id = ALICE, .username = "alice", .global_name = "Alice", .discriminator = "0" }
	};
}

static struct profile stored(void **state, struct arena *arena, uint64_t user_id)
{
	const struct fixture *fixture = *state;
	struct profile profile;

	assert_int_equal(profile_get(fixture->db, user_id, arena, &profile), 0);
	return profile;
}

static void put(void **state, const struct member *member, usec now, bool expected_change)
{
	struct recorder recorder = recorder_of(state);
	bool changed = !expected_change;

	assert_int_equal(recorder_put(&recorder, member, now, &changed), 0);
	assert_int_equal(changed, expected_change);
}

static void a_member_becomes_a_row(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct member member = alice();
	struct profile profile;

	member.nick = "Al";
	member.user.avatar = HASH;
	put(state, &member, NOON, true);
	profile = stored(state, &arena, ALICE);
	assert_string_equal(profile.name, "alice");
	assert_string_equal(profile.nick, "Al");
	assert_non_null(strstr(profile.avatar_url, CDN "/avatars/77/" HASH));
	assert_true(profile.present);
	assert_true(profile.deleted_at == 0);
	assert_true(profile.updated_at == NOON);
}

static void only_changes_move_the_date(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct member member = alice();

	put(state, &member, NOON, true);
	put(state, &member, NOON + HOUR, false);
	assert_true(stored(state, &arena, ALICE).updated_at == NOON);
	member.nick = "Al";
	put(state, &member, NOON + 2 * HOUR, true);
	assert_true(stored(state, &arena, ALICE).updated_at == NOON + 2 * HOUR);
	member.nick = NULL;
	put(state, &member, NOON + 3 * HOUR, true);
	assert_null(stored(state, &arena, ALICE).nick);
	member.user.username = "alicia";
	put(state, &member, NOON + 4 * HOUR, true);
	assert_string_equal(stored(state, &arena, ALICE).name, "alicia");
	/* The display name of the account is not what the leaderboard shows. */
	member.user.global_name = "Alicia the Great";
	put(state, &member, NOON + 5 * HOUR, false);
}

static void the_guilds_avatar_comes_first(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct member member = alice();

	member.user.avatar = HASH;
	member.avatar = OTHER;
	put(state, &member, NOON, true);
	assert_non_null(strstr(stored(state, &arena, ALICE).avatar_url, "/guilds/500/users/77/avatars/" OTHER));
	member.avatar = NULL;
	put(state, &member, NOON, true);
	assert_non_null(strstr(stored(state, &arena, ALICE).avatar_url, "/avatars/77/" HASH));
	member.user.avatar = NULL;
	put(state, &member, NOON, true);
	assert_non_null(strstr(stored(state, &arena, ALICE).avatar_url, CDN "/embed/avatars/"));
}

static void bots_are_left_out(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	const struct fixture *fixture = *state;
	struct member member = alice();
	struct profile profile;

	member.user.bot = true;
	put(state, &member, NOON, false);
	assert_int_equal(profile_get(fixture->db, ALICE, &arena, &profile), -ENOENT);
}

static void leaving_and_coming_back(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct recorder recorder = recorder_of(state);
	struct member member = alice();
	struct user stranger = { .id = 99, .username = "stranger" };
	bool changed;

	put(state, &member, NOON, true);
	assert_int_equal(recorder_remove(&recorder, &member.user, NOON + HOUR, &changed), 0);
	assert_true(changed);
	assert_false(stored(state, &arena, ALICE).present);
	assert_string_equal(stored(state, &arena, ALICE).name, "alice");
	assert_true(stored(state, &arena, ALICE).updated_at == NOON + HOUR);
	assert_int_equal(recorder_remove(&recorder, &member.user, NOON + 2 * HOUR, &changed), 0);
	assert_false(changed);
	put(state, &member, NOON + 3 * HOUR, true);
	assert_true(stored(state, &arena, ALICE).present);

	assert_int_equal(recorder_remove(&recorder, &stranger, NOON, &changed), 0);
	assert_false(changed);
}

static void a_deleted_account_is_dated_once_and_may_recover(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct member member = alice();

	put(state, &member, NOON, true);
	member.user.username = "deleted_user_5d3f";
	put(state, &member, NOON + HOUR, true);
	assert_true(stored(state, &arena, ALICE).deleted_at == NOON + HOUR);
	put(state, &member, NOON + 2 * HOUR, false);
	member.nick = "gone";
	put(state, &member, NOON + 3 * HOUR, true);
	assert_true(stored(state, &arena, ALICE).deleted_at == NOON + HOUR);
	member.user.username = "alice";
	put(state, &member, NOON + 4 * HOUR, true);
	assert_true(stored(state, &arena, ALICE).deleted_at == 0);
}

static void an_account_that_is_deleted_as_it_leaves(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct recorder recorder = recorder_of(state);
	struct member member = alice();
	struct user deleted = { .id = ALICE, .username = "deleted_user_5d3f" };
	struct user unknown = { .id = 99, .username = "deleted_user_9" };
	struct profile profile;
	bool changed;

	member.nick = "Al";
	put(state, &member, NOON, true);
	assert_int_equal(recorder_remove(&recorder, &deleted, NOON + HOUR, &changed), 0);
	assert_true(changed);
	profile = stored(state, &arena, ALICE);
	assert_string_equal(profile.name, "deleted_user_5d3f");
	assert_string_equal(profile.nick, "Al");
	assert_false(profile.present);
	assert_true(profile.deleted_at == NOON + HOUR);
	assert_int_equal(recorder_remove(&recorder, &unknown, NOON, &changed), 0);
	assert_false(changed);
}

static void names_of_deleted_accounts(void **state)
{
	(void)state;
	assert_true(recorder_is_deleted_name("deleted_user_0"));
	assert_true(recorder_is_deleted_name("deleted_user_8c1f"));
	assert_false(recorder_is_deleted_name("deleted_user"));
	assert_false(recorder_is_deleted_name("Deleted_User_1"));
	assert_false(recorder_is_deleted_name("undeleted_user_1"));
	assert_false(recorder_is_deleted_name(NULL));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_member_becomes_a_row),
		TEST(only_changes_move_the_date),
		TEST(the_guilds_avatar_comes_first),
		TEST(bots_are_left_out),
		TEST(leaving_and_coming_back),
		TEST(a_deleted_account_is_dated_once_and_may_recover),
		TEST(an_account_that_is_deleted_as_it_leaves),
		cmocka_unit_test(names_of_deleted_accounts),
	};

	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
