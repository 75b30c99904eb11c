/* What people get wrong: they are told, and it vanishes; what is no command is left alone. */
#include "expiry_helpers.h"

static void what_is_no_command_is_ignored(struct harness *h)
{
	static const char *const texts[] = { "...", ".", ". rank", ".no_such_command", "rank", ".rank!", "!rank",
		".,;" };
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	harness_start(h, PROGRAM_BOT);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_true(fake_say(h->fake, alice, general, texts[i]) != 0);
	ask(h, alice, general, ".echo first answer", "first answer");
	assert_int_equal(fake_count_calls(h->fake, "POST", MESSAGES, NULL), 1);
}

static void mistakes_are_named_and_vanish_with_their_message(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot = harness_start(h, PROGRAM_BOT);
	struct fake_message_view view;

	harness_wait_log(bot, "all members are known", SOON);
	ask(h, alice, general, ".rank \"open", "not closed");
	ask(h, alice, general, ".level_messages maybe", "one of: on, off");
	ask(h, alice, general, ".leaderboard x", "whole number");
	view = ask(h, alice, general, ".rank nobody at all", "no such member");
	assert_contains(embed_text(h, &view), ".rank [member]");
	assert_int_equal(life_of(h, view.id), 20 * SECOND);
	harness_stop(bot);
	end_life(h, view.id);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_deleted(h->fake, general, view.id, SOON), 0);
	assert_int_equal(fake_wait_deleted(h->fake, general, view.reply_to, SOON), 0);
}

static void nobody_is_pinged_by_what_one_says(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general, ".echo @everyone <@&1> hello", "hello");
	for (size_t i = 0; i < fake_calls(h->fake); i++) {
		const struct fake_call *call = fake_call(h->fake, i);

		if (call->body && streq(call->method, "POST") && streq(call->template, MESSAGES))
			assert_contains(call->body, "\"parse\":[]");
	}
}

static void cooldowns_are_told(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general, ".echo one", "one");
	ask(h, alice, general, ".echo two", "Not so fast");
	ask(h, fake_member(h->fake, "erin"), general, ".echo three", "three");
}

static void direct_messages_get_one_pointer_an_hour(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), dm = fake_dm(h->fake, alice);

	harness_start(h, PROGRAM_BOT);
	ask(h, alice, dm, ".rank", "Hello!");
	fake_say(h->fake, alice, dm, "again");
	ask(h, alice, fake_channel(h->fake, "general"), ".echo here", "here");
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(fake_message_count(h->fake, dm), 3);
}

/* A message that was written so long ago and arrives now. */
static void arrives_late(struct harness *h, const char *username, const char *content, usec age)
{
	const uint64_t discord_epoch_ms = 1420070400000ULL;
	uint64_t id = ((uint64_t)((clock_realtime() - age) / MILLISECOND) - discord_epoch_ms) << 22;
	uint64_t user = fake_member(h->fake, username);

	fake_dispatch(h->fake, "MESSAGE_CREATE",
		arena_printf(&h->arena,
			"{\"id\":\"%llu\",\"type\":0,\"channel_id\":\"%llu\",\"guild_id\":\"%llu\",\"content\":\"%s\","
			"\"author\":{\"id\":\"%llu\",\"username\":\"%s\"},\"member\":{\"roles\":[]},\"mentions\":[]}",
			(unsigned long long)id, (unsigned long long)fake_channel(h->fake, "general"),
			(unsigned long long)fake_guild(h->fake), content, (unsigned long long)user, username));
}

static void old_commands_are_not_answered_after_an_outage(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general");

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	arrives_late(h, "alice", ".echo too late", 16 * MINUTE);
	arrives_late(h, "erin", ".echo in time", 10 * MINUTE);
	ask(h, fake_member(h->fake, "frank"), general, ".echo now", "now");
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(count_messages(h, MESSAGES, "in time"), 1);
	assert_int_equal(count_messages(h, MESSAGES, "too late"), 0);
	/* it still counts */
	assert_int_equal(xp_of(h, fake_member(h->fake, "alice")).message_count, 1);
	/* but not what is older than the ledger */
	arrives_late(h, "grace", "yesterday", 25 * HOUR);
	ask(h, fake_member(h->fake, "heidi"), general, ".echo end", "end");
	assert_int_equal(xp_of(h, fake_member(h->fake, "grace")).message_count, 0);
}

/* Their number must not keep others' commands from running. */
static void a_flood_of_commands_is_bounded(struct harness *h)
{
	const struct fake_rest_fault slow = { .kind = FAKE_REST_SLOW,
		.method = "POST",
		.path = "/channels/*/messages",
		.delay = 2 * SECOND,
		.count = -1 };
	uint64_t general = fake_channel(h->fake, "general"), random = fake_channel(h->fake, "random");
	uint64_t alice = fake_member(h->fake, "alice"), bob = fake_member(h->fake, "bob");
	struct process *bot = harness_start(h, PROGRAM_BOT);
	usec deadline;

	assert_int_equal(fake_rest_fault(h->fake, &slow), 0);
	for (int i = 0; i < 40; i++)
		assert_true(fake_say(h->fake, alice, general, ".help") != 0);
	deadline = loop_now(&h->loop) + SOON;
	while (harness_metric(bot, "walle_flows") < 4 && loop_now(&h->loop) < deadline)
		harness_idle(h, 50 * MILLISECOND);
	harness_idle(h, 500 * MILLISECOND);
	assert_in_range(harness_metric(bot, "walle_flows"), 4, 10);
	fake_rest_clear_faults(h->fake);
	ask(h, bob, random, ".echo my turn", "my turn");
	assert_true(count_messages(h, MESSAGES, "still running") <= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(what_is_no_command_is_ignored),
		HARNESS_TEST(mistakes_are_named_and_vanish_with_their_message),
		HARNESS_TEST(nobody_is_pinged_by_what_one_says),
		HARNESS_TEST(cooldowns_are_told),
		HARNESS_TEST(direct_messages_get_one_pointer_an_hour),
		HARNESS_TEST(old_commands_are_not_answered_after_an_outage),
		HARNESS_TEST(a_flood_of_commands_is_bounded),
	};

	return harness_run("bot_errors", tests, ARRAY_SIZE(tests));
}
