/* Level roles are given back to those who come back, and differences from the points are corrected. */
#include "bot_helpers.h"

/* The member list may be asked for again soon after a restart. */
static const struct fake_options often = { .member_request_interval = SECOND };

static void level_10(struct harness *h, uint64_t user)
{
	assert_true(fake_say(h->fake, user, fake_channel(h->fake, "general"), "hello") != 0);
	assert_int_equal(fake_wait_role(h->fake, user, fake_role(h->fake, "Manual Tester"), true, SOON), 0);
}

static void who_comes_back_gets_them_again(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");

	every_message_earns(h, "4675");
	harness_start(h, PROGRAM_BOT);
	level_10(h, alice);
	assert_int_equal(fake_leave(h->fake, alice), 0);
	assert_false(fake_has_role(h->fake, alice, fake_role(h->fake, "Manual Tester")));
	assert_true(fake_join(h->fake, "alice", NULL, false) == alice);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Hello World"), true, SOON), 0);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Missing Semicolon"), true, SOON), 0);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Manual Tester"), true, SOON), 0);
	assert_int_equal(count_messages(h, MESSAGES, "is now **level"), 1);
}

static void also_when_the_bot_was_away(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *bot;

	every_message_earns(h, "4675");
	bot = harness_start(h, PROGRAM_BOT);
	level_10(h, alice);
	harness_stop(bot);
	assert_int_equal(fake_leave(h->fake, alice), 0);
	assert_true(fake_join(h->fake, "alice", NULL, false) == alice);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Manual Tester"), true, 2 * SOON), 0);
}

static void differences_are_corrected_at_the_start(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), erin = fake_member(h->fake, "erin");
	struct process *bot;

	every_message_earns(h, "4675");
	bot = harness_start(h, PROGRAM_BOT);
	level_10(h, alice);
	harness_stop(bot);
	/* a role taken from one who has earned it, one given to somebody who has not, one that is too high */
	assert_int_equal(fake_role_remove(h->fake, alice, fake_role(h->fake, "Missing Semicolon")), 0);
	assert_int_equal(fake_role_add(h->fake, erin, fake_role(h->fake, "Vim User")), 0);
	assert_int_equal(fake_role_add(h->fake, alice, fake_role(h->fake, "Kernel")), 0);
	/* a session that cannot be resumed: nothing of this comes as an event */
	fake_forget_sessions(h->fake);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Missing Semicolon"), true, 3 * SOON), 0);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Kernel"), false, 3 * SOON), 0);
	assert_int_equal(fake_wait_role(h->fake, erin, fake_role(h->fake, "Vim User"), false, 3 * SOON), 0);
	/* staff roles are none of its business */
	assert_true(fake_has_role(h->fake, erin, fake_role(h->fake, "Execs")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(who_comes_back_gets_them_again),
		HARNESS_TEST_WITH(also_when_the_bot_was_away, &often),
		HARNESS_TEST_WITH(differences_are_corrected_at_the_start, &often),
	};

	return harness_run("bot_rejoin_roles", tests, ARRAY_SIZE(tests));
}
