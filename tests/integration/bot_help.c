/* Help shows what its reader may run, and vanishes. */
#include "expiry_helpers.h"

static void the_overview_shows_what_one_may_run(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"),
		 bob = fake_member(h->fake, "bob");
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	view = ask(h, alice, general, ".help", "Bot Text Commands");
	assert_contains(embed_text(h, &view), "`.rank`");
	assert_contains(embed_text(h, &view), "Health checks");
	assert_null(strstr(embed_text(h, &view), "set_level_name"));
	assert_null(strstr(embed_text(h, &view), "`.ping`"));
	view = ask(h, bob, general, ".help", "Bot Text Commands");
	assert_contains(embed_text(h, &view), "set_level_name");
}

static void commands_and_extensions_have_pages(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"),
		 bob = fake_member(h->fake, "bob");
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	view = ask(h, bob, general, ".help set_level_name", ".set_level_name <level> <role_name...> usage");
	assert_contains(embed_text(h, &view), "Minions or Moderator");
	view = ask(h, alice, general, ".help LEVELING", "Leveling Commands");
	assert_contains(embed_text(h, &view), "`.leaderboard`");
	ask(h, alice, general, ".help set_level_name", "ERROR");
	ask(h, alice, general, ".help nonsense", "ERROR");
}

static void slash_help_is_for_the_caller_only(struct harness *h)
{
	static const struct fake_option rank[] = { { "topic", "rank" }, { 0 } };
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_interaction_view view;

	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	view = ask_slash(h, alice, general, "help", NULL);
	assert_true(view.ephemeral);
	assert_contains(answer_text(h, &view), "`/rank`");
	view = ask_slash(h, alice, general, "help", rank);
	assert_contains(answer_text(h, &view), "/rank [member] usage");
}

/* B-05: after a minute, also when the bot was away when it was due. */
static void it_vanishes_after_a_minute_across_restarts(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot = harness_start(h, PROGRAM_BOT);
	struct fake_message_view first, second;

	first = ask(h, alice, general, ".help", "Bot Text Commands");
	assert_true(first.reply_to != 0);
	second = ask(h, alice, general, ".help rank", ".rank [member] usage");
	assert_int_equal(life_of(h, first.id), MINUTE);
	assert_int_equal(life_of(h, second.id), MINUTE);
	harness_kill(bot);
	end_life(h, first.id);
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_deleted(h->fake, general, first.id, SOON), 0);
	assert_int_equal(fake_wait_deleted(h->fake, general, first.reply_to, SOON), 0);
	/* the other one still has its time */
	assert_int_equal(fake_message(h->fake, general, second.id, &second), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(the_overview_shows_what_one_may_run),
		HARNESS_TEST(commands_and_extensions_have_pages),
		HARNESS_TEST(slash_help_is_for_the_caller_only),
		HARNESS_TEST(it_vanishes_after_a_minute_across_restarts),
	};

	return harness_run("bot_help", tests, ARRAY_SIZE(tests));
}
