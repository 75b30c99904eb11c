/* The level table and the guild's roles follow each other. */
#include "bot_helpers.h"

#include "models/level.h"

/* The member list may be asked for again soon after a restart. */
static const struct fake_options often = { .member_request_interval = SECOND };

static const struct level *level(struct harness *h, int64_t number)
{
	struct level *levels;
	size_t count;

	assert_int_equal(level_list(harness_db(h), &h->arena, &levels, &count), 0);
	assert_int_equal(count, LEVEL_MAX + 1);
	return &levels[number];
}

struct level_wait {
	struct harness *h;
	int64_t number;
	const char *name;
	bool linked;
};

static bool level_is(void *arg)
{
	const struct level_wait *wait = arg;
	const struct level *now = level(wait->h, wait->number);

	return (now->role_id != 0) == wait->linked && now->role_name && streq(now->role_name, wait->name);
}

static void wait_level(struct harness *h, int64_t number, const char *name, bool linked)
{
	struct level_wait wait = { .h = h, .number = number, .name = name, .linked = linked };

	harness_wait(h, level_is, &wait, SOON);
}

/* D-15 */
static void seeded_names_are_linked_to_the_guilds_roles(struct harness *h)
{
	harness_start(h, PROGRAM_BOT);
	wait_level(h, 0, "Hello World", true);
	wait_level(h, 95, "THE 95", true);
	assert_true(level(h, 45)->role_id == fake_role(h->fake, "Vim User"));
	assert_null(level(h, 1)->role_name);
}

static void renamed_deleted_and_made_again(struct harness *h)
{
	uint64_t council = fake_channel(h->fake, "council"), role = fake_role(h->fake, "Vim User");
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	wait_level(h, 45, "Vim User", true);
	assert_int_equal(fake_role_rename(h->fake, role, "Emacs User"), 0);
	wait_level(h, 45, "Emacs User", true);
	assert_int_equal(fake_role_delete(h->fake, role), 0);
	wait_level(h, 45, "Emacs User", false);
	assert_int_equal(fake_wait_message(h->fake, council, "Emacs User", SOON, &view), 0);
	role = fake_role_create(h->fake, "Emacs User", 0, 1);
	wait_level(h, 45, "Emacs User", true);
	assert_true(level(h, 45)->role_id == role);
}

static void moderators_link_and_unlink(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");

	harness_start(h, PROGRAM_BOT);
	wait_level(h, 95, "THE 95", true);
	ask(h, bob, general, ".set_level_name 7 \"Vim User\"", "Level 45 has that role");
	ask(h, bob, general, ".set_level_name 7 Nobody Has It", "no role of that name");
	ask(h, bob, general, ".set_level_name 101 x", "no such level");
	ask(h, bob, general, ".set_level_name 2000 x", "These levels have no role yet: 1, 2, 3");
	ask(h, bob, general, ".set_level_name -1 x", "no such level");
	ask(h, bob, general, ".set_level_name", "is missing");
	ask(h, bob, general, ".set_level_name seven x", "whole number");
	fake_role_create(h->fake, "Lucky *Seven*", 0, 1);
	ask(h, bob, general, ".set_level_name 7 \"Lucky *Seven*\"", "Level 7 now has");
	wait_level(h, 7, "Lucky *Seven*", true);
	/* the same again is no mistake: it links anew */
	ask(h, bob, general, ".set_level_name 7 Lucky *Seven*", "Level 7 now has");
	ask(h, bob, general, ".set_level_name 7 Unlucky Seven", "now called **Unlucky Seven**");
	assert_true(fake_role(h->fake, "Unlucky Seven") != 0);
	wait_level(h, 7, "Unlucky Seven", true);
	ask(h, bob, general, ".remove_level_name 7", "no longer has the role");
	assert_null(level(h, 7)->role_name);
	ask(h, bob, general, ".remove_level_name 7", "has no role");
	assert_true(fake_role(h->fake, "Unlucky Seven") != 0);
}

/* Whoever may edit the level table must not be able to hand out, or take away, rights with it. */
static void roles_with_power_are_no_level_roles(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), carol = fake_member(h->fake, "carol");
	uint64_t alice = fake_member(h->fake, "alice"), role;
	struct fake_message_view view;
	struct process *bot;

	every_message_earns(h, "1150");
	harness_set(h, "roles__EXECS", "Ghosts");
	bot = harness_start(h, PROGRAM_BOT);
	wait_level(h, 95, "THE 95", true);
	ask(h, carol, general, ".set_level_name 1 Minions", "rights");
	ask(h, carol, general, ".set_level_name 1 Muted", "rights");
	fake_role_create(h->fake, "Deputies", 1ULL << 28, 1);
	ask(h, carol, general, ".set_level_name 1 Deputies", "rights");
	/* no role is called that yet; at the next start it would be taken for the configured one */
	ask(h, carol, general, ".set_level_name 45 ghosts", "rights");
	assert_true(fake_role(h->fake, "Vim User") != 0);
	/* nor by its name alone */
	assert_int_equal(fake_role_delete(h->fake, fake_role(h->fake, "Missing Semicolon")), 0);
	wait_level(h, 5, "Missing Semicolon", false);
	role = fake_role_create(h->fake, "Missing Semicolon", 1ULL << 3, 1);
	harness_wait_log(bot, "role with rights", SOON);
	assert_int_equal(
		fake_wait_message(h->fake, fake_channel(h->fake, "council"), "comes with rights", SOON, &view), 0);
	fake_say(h->fake, alice, general, "enough for level 5");
	wait_messages_counted(h, alice, 1);
	harness_idle(h, SECOND);
	assert_false(fake_has_role(h->fake, alice, role));
	assert_null(level(h, 1)->role_name);
	assert_int_equal(level(h, 5)->role_id, 0);
}

static void link_in_the_database(struct harness *h, int64_t number, const char *role)
{
	struct db *db;

	assert_int_equal(db_open(h->database, DB_WRITE, &db, NULL), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(level_set_role(db, number, fake_role(h->fake, role), role), 0);
	assert_int_equal(db_commit(db), 0);
	db_close(db);
}

/* Who earns a role while his others are put right, a second apart, keeps it. */
static void what_is_earned_during_the_check_is_kept(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t first = fake_role(h->fake, "Hello World"), earned = fake_role(h->fake, "Missing Semicolon"),
		 last = fake_role(h->fake, "Vim User");

	every_message_earns(h, "1150");
	assert_int_equal(fake_role_add(h->fake, alice, first), 0);
	assert_int_equal(fake_role_add(h->fake, alice, last), 0);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_role(h->fake, alice, first, false, SOON), 0);
	ask(h, alice, general, "enough for level 5", "is now **level 5**");
	assert_int_equal(fake_wait_role(h->fake, alice, last, false, SOON), 0);
	assert_true(fake_has_role(h->fake, alice, earned));
}

/* Links that no command made: imported, or from before a role got its rights. Nobody gets such a role by points, and
 * nobody loses it for want of them. */
static void powerful_roles_that_are_linked_are_neither_given_nor_taken(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), council = fake_channel(h->fake, "council"),
		 alice = fake_member(h->fake, "alice"), bob = fake_member(h->fake, "bob"),
		 minions = fake_role(h->fake, "Minions"), moderator = fake_role(h->fake, "Moderator");
	struct fake_message_view view;
	struct process *bot;

	every_message_earns(h, "4675");
	bot = harness_start(h, PROGRAM_BOT);
	wait_level(h, 95, "THE 95", true);
	harness_stop(bot);
	link_in_the_database(h, 10, "Moderator");
	link_in_the_database(h, 5, "Minions");
	fake_forget_sessions(h->fake);
	bot = harness_start(h, PROGRAM_BOT);
	harness_wait_log(bot, "all members are known", SOON);
	assert_int_equal(
		fake_wait_message(h->fake, council, "**Minions** of level 5 comes with rights", SOON, &view), 0);
	assert_int_equal(fake_wait_message(h->fake, council, "**Moderator** of level 10", SOON, &view), 0);
	ask(h, fake_member(h->fake, "carol"), general, ".set_level_name 5 Powerless", "rights");
	assert_true(fake_role(h->fake, "Minions") == minions);
	ask(h, alice, general, "enough for level 10", "is now **level 10**");
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Hello World"), true, SOON), 0);
	assert_int_equal(fake_leave(h->fake, alice), 0);
	assert_true(fake_join(h->fake, "alice", NULL, false) == alice);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Hello World"), true, SOON), 0);
	/* a difference that the check after the restart corrects: by then it is through with the others */
	harness_stop(bot);
	assert_int_equal(fake_role_add(h->fake, bob, fake_role(h->fake, "Vim User")), 0);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_role(h->fake, bob, fake_role(h->fake, "Vim User"), false, 3 * SOON), 0);
	assert_true(fake_has_role(h->fake, bob, minions));
	assert_false(fake_has_role(h->fake, alice, minions));
	assert_false(fake_has_role(h->fake, alice, moderator));
	assert_true(fake_has_role(h->fake, fake_member(h->fake, "carol"), moderator));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(seeded_names_are_linked_to_the_guilds_roles),
		HARNESS_TEST(renamed_deleted_and_made_again),
		HARNESS_TEST(moderators_link_and_unlink),
		HARNESS_TEST(roles_with_power_are_no_level_roles),
		HARNESS_TEST(what_is_earned_during_the_check_is_kept),
		HARNESS_TEST_WITH(powerful_roles_that_are_linked_are_neither_given_nor_taken, &often),
	};

	return harness_run("bot_level_roles", tests, ARRAY_SIZE(tests));
}
