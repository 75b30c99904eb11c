/* Slash commands: registered from the rows, answered in time, ephemeral when denied or wrong. */
#include "bot_helpers.h"

static void they_are_registered_once(struct harness *h)
{
	struct process *bot = harness_start(h, PROGRAM_BOT);

	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	harness_wait_log(bot, "slash commands registered", SOON);
	harness_stop(bot);
	fake_forget_calls(h->fake);
	bot = harness_start(h, PROGRAM_BOT);
	harness_wait_log(bot, "slash commands are registered as they are", SOON);
	assert_int_equal(
		fake_count_calls(h->fake, "PUT", "/applications/{application_id}/guilds/{guild_id}/commands", NULL), 0);
}

static void a_switched_off_extension_has_no_commands(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot = harness_start(h, PROGRAM_BOT);

	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	harness_wait_log(bot, "slash commands registered", SOON);
	harness_stop(bot);
	harness_set(h, "extensions__leveling", "0");
	bot = harness_start(h, PROGRAM_BOT);
	harness_wait_log(bot, "slash commands registered", SOON);
	assert_int_equal(fake_slash(h->fake, alice, general, "rank", NULL), 0);
	assert_true(fake_slash(h->fake, alice, general, "help", NULL) != 0);
	assert_true(fake_say(h->fake, alice, general, ".rank") != 0);
	ask(h, alice, general, ".echo still here", "still here");
	assert_int_equal(xp_of(h, alice).points, 0);
}

static void rank_and_its_options(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t bob = fake_member(h->fake, "bob");
	const struct fake_option member[] = { { "member", arena_printf(&h->arena, "%llu", (unsigned long long)bob) },
		{ 0 } };
	struct fake_interaction_view view;

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_say(h->fake, bob, general, "one");
	wait_messages_counted(h, bob, 1);
	view = ask_slash(h, alice, general, "rank", member);
	assert_false(view.ephemeral);
	assert_contains(answer_text(h, &view), "Stat Card");
	assert_contains(answer_text(h, &view), "10 / 100 XP");
	view = ask_slash(h, alice, general, "rank", NULL);
	assert_contains(answer_text(h, &view), "no XP yet");
}

static void denied_and_wrong_ones_are_answered_for_the_caller_only(struct harness *h)
{
	static const struct fake_option wrong[] = { { "level", "5" }, { "role_name", "No such role at all" }, { 0 } };
	static const struct fake_option remark[] = { { "level", "-1" }, { 0 } };
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t bob = fake_member(h->fake, "bob");
	struct fake_interaction_view view;

	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	view = ask_slash(h, alice, general, "levels", NULL);
	assert_true(view.ephemeral);
	assert_contains(answer_text(h, &view), "INCIDENT REPORT");
	view = ask_slash(h, bob, general, "remove_level_name", remark);
	assert_true(view.ephemeral);
	assert_contains(answer_text(h, &view), "from 0 to");
	/* level 5 has a role in the demo guild, so a name that no role has renames it */
	view = ask_slash(h, bob, general, "set_level_name", wrong);
	assert_contains(answer_text(h, &view), "No such role at all");
	assert_int_equal(fake_role(h->fake, "Missing Semicolon"), 0);
	assert_true(fake_role(h->fake, "No such role at all") != 0);
}

static void wrong_options_show_how_it_is_used(struct harness *h)
{
	static const struct fake_option word[] = { { "level", "five" }, { 0 } }, far[] = { { "page", "9" }, { 0 } };
	static const struct fake_option off[] = { { "state", "off" }, { 0 } };
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct fake_interaction_view view;

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_say(h->fake, bob, general, "one");
	wait_messages_counted(h, bob, 1);
	view = ask_slash(h, bob, general, "remove_level_name", word);
	assert_contains(answer_text(h, &view), "Usage: `/remove_level_name <level>`");
	view = ask_slash(h, bob, general, "leaderboard", far);
	assert_contains(answer_text(h, &view), "only 1 page.");
	view = ask_slash(h, bob, general, "level_messages", off);
	assert_contains(answer_text(h, &view), "no longer announced");
	view = ask_slash(h, bob, general, "level_messages", off);
	assert_contains(answer_text(h, &view), "not announced anyway");
}

static const char *choices_of(
	struct harness *h, uint64_t user, const char *command, const struct fake_option *options, const char *focused)
{
	struct fake_interaction_view view;
	uint64_t id = fake_autocomplete(h->fake, user, fake_channel(h->fake, "general"), command, options, focused);
	char *text cleanup(freep) = NULL;

	assert_true(id != 0);
	assert_int_equal(fake_wait_interaction(h->fake, id, true, SOON, &view), 0);
	assert_non_null(view.data);
	text = cJSON_PrintUnformatted(view.data);
	return arena_strdup(&h->arena, text);
}

static void autocomplete_offers_what_fits(struct harness *h)
{
	static const struct fake_option typed[] = { { "level", "semi" }, { 0 } },
					nothing[] = { { "level", "zzz" }, { 0 } };
	uint64_t bob = fake_member(h->fake, "bob"), alice = fake_member(h->fake, "alice");
	const char *choices;

	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	choices = choices_of(h, bob, "remove_level_name", typed, "level");
	assert_contains(choices, "5 - Missing Semicolon");
	assert_null(strstr(choices, "Hello World"));
	choices = choices_of(h, bob, "remove_level_name", nothing, "level");
	assert_contains(choices, "\"-1\"");
	/* what one may not run, one cannot look into */
	choices = choices_of(h, alice, "remove_level_name", typed, "level");
	assert_null(strstr(choices, "Missing Semicolon"));
}

static void a_slow_command_is_deferred(struct harness *h)
{
	static const struct fake_option rename[] = { { "level", "10" }, { "role_name", "Slow Tester" }, { 0 } };
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct fake_interaction_view view;
	uint64_t id;

	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_rest_fault(h->fake,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_SLOW, .method = "PATCH", .path = "/guilds/*/roles/*", .delay = 2 * SECOND });
	id = fake_slash(h->fake, bob, general, "set_level_name", rename);
	assert_true(id != 0);
	assert_int_equal(fake_wait_interaction(h->fake, id, false, 2 * SECOND, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_DEFERRED);
	assert_int_equal(fake_wait_interaction(h->fake, id, true, SOON, &view), 0);
	assert_contains(answer_text(h, &view), "Slow Tester");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(they_are_registered_once),
		HARNESS_TEST(a_switched_off_extension_has_no_commands),
		HARNESS_TEST(rank_and_its_options),
		HARNESS_TEST(denied_and_wrong_ones_are_answered_for_the_caller_only),
		HARNESS_TEST(wrong_options_show_how_it_is_used),
		HARNESS_TEST(autocomplete_offers_what_fits),
		HARNESS_TEST(a_slow_command_is_deferred),
	};

	return harness_run("bot_slash", tests, ARRAY_SIZE(tests));
}
