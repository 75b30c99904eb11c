/* The listener alone: what changes in the guild is in the database within a second. */
#include "harness.h"

#define HASH  "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

static const char *avatar_of(struct harness *h, uint64_t user)
{
	struct profile profile;

	assert_true(harness_profile(h, user, &profile));
	return profile.avatar_url ? profile.avatar_url : "";
}

struct avatar_wait {
	struct harness *h;
	uint64_t user;
	const char *part;
};

static bool avatar_has(void *arg)
{
	const struct avatar_wait *wait = arg;

	return strstr(avatar_of(wait->h, wait->user), wait->part) != NULL;
}

static void wait_avatar(struct harness *h, uint64_t user, const char *part)
{
	struct avatar_wait wait = { .h = h, .user = user, .part = part };

	harness_wait(h, avatar_has, &wait, PROMISED);
}

static void everybody_is_recorded_at_the_start(struct harness *h)
{
	static const char *const names[] = { "alice", "bob", "heidi", "niaj" };
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct profile profile;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		uint64_t user = fake_member(h->fake, names[i]);

		harness_wait_present(h, user, true, SOON);
		assert_true(harness_profile(h, user, &profile));
		assert_string_equal(profile.name, names[i]);
		assert_non_null(strstr(profile.avatar_url, fake_cdn_url(h->fake)));
	}
	assert_false(harness_profile(h, fake_bot(h->fake), &profile));
	assert_int_equal(harness_gateway(h).last_intents, 1u << 0 | 1u << 1);
	harness_stop(listener);
}

static void names_nicknames_and_avatars(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), bob = fake_member(h->fake, "bob");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct profile before, after;

	harness_wait_profile(h, alice, "alice", NULL, SOON);
	assert_true(harness_profile(h, bob, &before));

	assert_int_equal(fake_nick(h->fake, alice, "Al ☆"), 0);
	harness_wait_profile(h, alice, "alice", "Al ☆", PROMISED);
	assert_int_equal(fake_rename(h->fake, alice, "alicia", "Alicia"), 0);
	harness_wait_profile(h, alice, "alicia", "Al ☆", PROMISED);
	assert_int_equal(fake_nick(h->fake, alice, NULL), 0);
	harness_wait_profile(h, alice, "alicia", NULL, PROMISED);

	assert_int_equal(fake_avatar(h->fake, alice, HASH, false), 0);
	wait_avatar(h, alice, HASH);
	assert_int_equal(fake_avatar(h->fake, alice, OTHER, true), 0);
	wait_avatar(h, alice, OTHER);
	assert_non_null(strstr(avatar_of(h, alice), "/guilds/"));
	assert_int_equal(fake_avatar(h->fake, alice, NULL, true), 0);
	wait_avatar(h, alice, HASH);
	assert_int_equal(fake_avatar(h->fake, alice, NULL, false), 0);
	wait_avatar(h, alice, "/embed/avatars/");

	/* Whoever did not change was not written. */
	assert_true(harness_profile(h, bob, &after));
	assert_true(before.updated_at == after.updated_at);
	harness_stop(listener);
}

static void roles_and_messages_write_nothing(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct profile before, after;

	harness_wait_profile(h, alice, "alice", NULL, SOON);
	assert_true(harness_profile(h, alice, &before));
	assert_int_equal(fake_role_add(h->fake, alice, fake_role(h->fake, "Minions")), 0);
	assert_int_equal(fake_say(h->fake, alice, fake_channel(h->fake, "general"), "hello") != 0, 1);
	assert_int_equal(fake_nick(h->fake, fake_member(h->fake, "bob"), "Bobby"), 0);
	harness_wait_profile(h, fake_member(h->fake, "bob"), "bob", "Bobby", PROMISED);
	assert_true(harness_profile(h, alice, &after));
	assert_true(before.updated_at == after.updated_at);
	harness_stop(listener);
}

static void joining_and_leaving(struct harness *h)
{
	uint64_t carol = fake_member(h->fake, "carol"), peggy, robot;
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct profile profile;

	harness_wait_present(h, carol, true, SOON);
	peggy = fake_join(h->fake, "peggy", "Peggy", false);
	robot = fake_join(h->fake, "robot", "Robot", true);
	assert_true(peggy && robot);
	harness_wait_profile(h, peggy, "peggy", NULL, PROMISED);
	assert_int_equal(fake_leave(h->fake, carol), 0);
	harness_wait_present(h, carol, false, PROMISED);
	assert_int_equal(fake_kick(h->fake, fake_owner(h->fake), peggy, "test"), 0);
	harness_wait_present(h, peggy, false, PROMISED);
	assert_true(harness_profile(h, peggy, &profile));
	assert_string_equal(profile.name, "peggy");
	assert_true(fake_join(h->fake, "carol", "Carol", false) == carol);
	harness_wait_present(h, carol, true, PROMISED);
	assert_false(harness_profile(h, robot, &profile));
	harness_stop(listener);
}

struct deletion_wait {
	struct harness *h;
	uint64_t user;
	bool deleted;
};

static bool deletion_is(void *arg)
{
	const struct deletion_wait *wait = arg;
	struct profile profile;

	return harness_profile(wait->h, wait->user, &profile) && (profile.deleted_at != 0) == wait->deleted;
}

static void deleted_accounts(struct harness *h)
{
	uint64_t judy = fake_member(h->fake, "judy");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct deletion_wait wait = { .h = h, .user = judy, .deleted = true };

	harness_wait_present(h, judy, true, SOON);
	assert_int_equal(fake_rename(h->fake, judy, "deleted_user_3fa1", NULL), 0);
	harness_wait(h, deletion_is, &wait, PROMISED);
	assert_int_equal(fake_rename(h->fake, judy, "judy", "Judy"), 0);
	wait.deleted = false;
	harness_wait(h, deletion_is, &wait, PROMISED);
	harness_stop(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(everybody_is_recorded_at_the_start),
		HARNESS_TEST(names_nicknames_and_avatars),
		HARNESS_TEST(roles_and_messages_write_nothing),
		HARNESS_TEST(joining_and_leaving),
		HARNESS_TEST(deleted_accounts),
	};

	return harness_run("listener_rename", tests, ARRAY_SIZE(tests));
}
