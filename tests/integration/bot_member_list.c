/* The guild cache under bad circumstances: lost chunks, outages, a guild with many members, leaving with work under way. */
#include "bot_helpers.h"

static const struct fake_options many = { .members = 3500, .member_request_interval = SECOND };
static const struct fake_options often = { .member_request_interval = SECOND };

static void thousands_of_members_come_in_chunks(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct process *bot = harness_start(h, PROGRAM_BOT);

	harness_wait_log(bot, "all members are known", 2 * SOON);
	assert_int_equal(harness_metric(bot, "walle_bot_members"), 3513);
	ask(h, bob, general, ".rank user_3499", "no XP yet");
}

/* Asked again after Discord's 30 s. */
static void a_lost_chunk_is_asked_for_again(struct harness *h)
{
	const struct fake_gateway_faults faults = { .missing_chunks = 1 };
	struct process *bot;

	fake_gateway_set_faults(h->fake, &faults);
	bot = harness_start(h, PROGRAM_BOT);
	/* commands work meanwhile */
	ask(h, fake_member(h->fake, "bob"), fake_channel(h->fake, "general"), ".levels", "Missing Semicolon");
	assert_int_equal(harness_log_lines(bot, "all members are known"), 0);
	harness_wait_log(bot, "all members are known", 45 * SECOND);
	assert_int_equal(harness_metric(bot, "walle_bot_members"), 13);
}

/* Whom one mentions comes with the message; of others nobody is said not to be there. */
static void members_are_found_before_the_list_is_here(struct harness *h)
{
	const struct fake_gateway_faults faults = { .missing_chunks = 1 };
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	fake_gateway_set_faults(h->fake, &faults);
	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general,
		arena_printf(&h->arena, ".rank <@%llu>", (unsigned long long)fake_member(h->fake, "bob")), "no XP yet");
	ask(h, alice, general, ".rank carol", "still learning");
}

static void an_outage_is_told_and_survived(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	ask(h, bob, general, ".levels", "Missing Semicolon");
	fake_outage(h->fake, true);
	harness_wait_unhealthy(bot, "guild", SOON);
	fake_outage(h->fake, false);
	harness_wait_healthy(bot, SOON);
	ask(h, fake_member(h->fake, "carol"), general, ".levels", "Missing Semicolon");
	assert_int_equal(xp_of(h, bob).message_count, 1);
}

/* SIGTERM with an open pager and an unfinished deferral: gone within 5 s, with status 0. */
static void it_leaves_with_commands_under_way(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_say(h->fake, alice, general, "hello");
	wait_messages_counted(h, alice, 1);
	ask(h, alice, general, ".leaderboard", "1/1");
	ask_slash(h, alice, general, "leaderboard", NULL);
	harness_stop(bot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(thousands_of_members_come_in_chunks, &many),
		HARNESS_TEST_WITH(a_lost_chunk_is_asked_for_again, &often),
		HARNESS_TEST(members_are_found_before_the_list_is_here),
		HARNESS_TEST_WITH(an_outage_is_told_and_survived, &often),
		HARNESS_TEST(it_leaves_with_commands_under_way),
	};

	return harness_run("bot_member_list", tests, ARRAY_SIZE(tests));
}
