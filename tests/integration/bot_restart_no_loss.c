/* The bot is killed while messages come in; what it received is counted exactly once, and what was to follow follows.
 */
#include "bot_helpers.h"

#define MEMBERS 5
#define ROUNDS  60

static const char *const names[MEMBERS] = { "alice", "bob", "erin", "frank", "grace" };

static void talk(struct harness *h, int rounds)
{
	uint64_t general = fake_channel(h->fake, "general");

	for (int i = 0; i < rounds; i++) {
		for (int m = 0; m < MEMBERS; m++)
			assert_true(fake_say(h->fake, fake_member(h->fake, names[m]), general, "word") != 0);
		harness_idle(h, 5 * MILLISECOND);
	}
}

static void check_sum(struct harness *h, int64_t each)
{
	for (int m = 0; m < MEMBERS; m++) {
		uint64_t user = fake_member(h->fake, names[m]);

		wait_messages_counted(h, user, each);
		assert_int_equal(xp_of(h, user).message_count, each);
		assert_int_equal(xp_of(h, user).points, each);
	}
}

static void kill_in_the_middle_loses_nothing(struct harness *h)
{
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, ROUNDS);
	harness_kill(bot);
	/* nobody listens */
	talk(h, ROUNDS);
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, ROUNDS);
	harness_kill(bot);
	bot = harness_start(h, PROGRAM_BOT);
	check_sum(h, 3 * ROUNDS);
	harness_idle(h, 300 * MILLISECOND);
	check_sum(h, 3 * ROUNDS);
	/* one identify: the other starts resumed */
	assert_int_equal(harness_gateway(h).identified, 1);
	assert_int_equal(harness_gateway(h).resumed, 2);
	harness_stop(bot);
}

static void a_clean_restart_loses_nothing(struct harness *h)
{
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, ROUNDS);
	harness_stop(bot);
	talk(h, ROUNDS);
	harness_start(h, PROGRAM_BOT);
	check_sum(h, 2 * ROUNDS);
	assert_int_equal(harness_gateway(h).identified, 1);
}

static void a_resumed_bot_knows_the_guild(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct process *bot;
	struct fake_message_view view;
	uint64_t newcomer;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	ask(h, bob, general, ".levels", "Missing Semicolon");
	harness_kill(bot);
	/* changes that it has to catch up with */
	assert_int_equal(fake_role_rename(h->fake, fake_role(h->fake, "Missing Semicolon"), "Found Semicolon"), 0);
	newcomer = fake_join(h->fake, "newcomer", "New Comer", false);
	assert_int_equal(fake_nick(h->fake, fake_member(h->fake, "alice"), "Renamed"), 0);
	harness_start(h, PROGRAM_BOT);
	ask(h, bob, general, ".levels", "Found Semicolon");
	fake_say(h->fake, newcomer, general, "hi");
	wait_messages_counted(h, newcomer, 1);
	view = ask(h, bob, general, ".rank New Comer", "Stat Card");
	assert_contains(embed_text(h, &view), "New Comer");
	fake_say(h->fake, fake_member(h->fake, "alice"), general, "hi");
	wait_messages_counted(h, fake_member(h->fake, "alice"), 1);
	view = ask(h, bob, general, ".rank Renamed", "Stat Card");
	assert_int_equal(harness_gateway(h).resumed, 1);
}

/* The level-up is committed, the bot dies before it is told. */
/* More than the five tries of one call. */
static void a_start_that_resumes_outlasts_discords_errors(struct harness *h)
{
	const struct fake_rest_fault down = {
		.kind = FAKE_REST_STATUS, .method = "GET", .path = "/guilds/*", .status = 503, .count = 6
	};
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, 1);
	check_sum(h, 1);
	harness_stop(bot);
	talk(h, 1);
	assert_int_equal(fake_rest_fault(h->fake, &down), 0);
	bot = harness_spawn(h, PROGRAM_BOT, NULL);
	harness_wait_healthy(bot, 30 * SECOND);
	check_sum(h, 2);
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(bot);
}

static void a_level_up_is_carried_out_after_the_crash(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;
	struct process *bot;

	every_message_earns(h, "1150");
	bot = harness_start(h, PROGRAM_BOT);
	fake_rest_fault(h->fake,
		&(struct fake_rest_fault){ .kind = FAKE_REST_STATUS, .method = "PUT", .status = 503, .count = -1 });
	fake_rest_fault(h->fake,
		&(struct fake_rest_fault){ .kind = FAKE_REST_STATUS, .method = "POST", .status = 503, .count = -1 });
	assert_true(fake_say(h->fake, alice, general, "hello") != 0);
	wait_messages_counted(h, alice, 1);
	harness_kill(bot);
	fake_rest_clear_faults(h->fake);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_message(h->fake, general, "is now **level 5**", SOON, &view), 0);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Missing Semicolon"), true, SOON), 0);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(fake_message_count(h->fake, general), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(kill_in_the_middle_loses_nothing),
		HARNESS_TEST(a_clean_restart_loses_nothing),
		HARNESS_TEST(a_resumed_bot_knows_the_guild),
		HARNESS_TEST(a_start_that_resumes_outlasts_discords_errors),
		HARNESS_TEST(a_level_up_is_carried_out_after_the_crash),
	};

	return harness_run("bot_restart_no_loss", tests, ARRAY_SIZE(tests));
}
