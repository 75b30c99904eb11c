/* Pagers: reactions for text, buttons for slash; only the caller turns pages. */
#include "bot_helpers.h"

#define BACK "\xe2\x8f\xaa"
#define ON   "\xe2\x8f\xa9"
#define DONE "\xe2\x9c\x85"

static const struct fake_options many = { .members = 30 };

/* 25 members with XP: three pages. */
static void fill_leaderboard(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general");
	uint64_t last = 0;

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	for (int i = 1; i <= 25; i++) {
		last = fake_member(h->fake, arena_printf(&h->arena, "user_%d", i));
		assert_true(fake_say(h->fake, last, general, "hello") != 0);
	}
	wait_messages_counted(h, last, 1);
}

static void wait_page(struct harness *h, uint64_t channel, uint64_t message, const char *page)
{
	struct fake_message_view view;

	if (fake_wait_edit(h->fake, channel, message, page, SOON, &view) < 0)
		fail_msg("page %s did not come", page);
}

struct reaction_wait {
	struct fake *fake;
	uint64_t user, channel, message;
};

static bool is_taken_back(void *arg)
{
	const struct reaction_wait *wait = arg;

	return !fake_reacted(wait->fake, wait->user, wait->channel, wait->message, ON);
}

/* The bot takes the person's reaction back, so that the next one counts. */
static void wait_taken_back(struct harness *h, uint64_t user, uint64_t channel, uint64_t message)
{
	struct reaction_wait wait = { .fake = h->fake, .user = user, .channel = channel, .message = message };

	harness_wait(h, is_taken_back, &wait, SOON);
}

static void reactions_turn_pages_for_the_caller(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob"),
		 erin = fake_member(h->fake, "erin");
	struct fake_message_view view;

	fill_leaderboard(h);
	view = ask(h, bob, general, ".leaderboard", "1/3");
	assert_int_equal(fake_wait_reaction(h->fake, fake_bot(h->fake), general, view.id, DONE, SOON), 0);
	assert_true(fake_reacted(h->fake, fake_bot(h->fake), general, view.id, BACK));

	/* somebody else's reaction does nothing (D-08) */
	assert_int_equal(fake_react(h->fake, erin, general, view.id, ON), 0);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(fake_message(h->fake, general, view.id, &view), 0);
	assert_contains(embed_text(h, &view), "1/3");

	assert_int_equal(fake_react(h->fake, bob, general, view.id, ON), 0);
	wait_page(h, general, view.id, "2/3");
	wait_taken_back(h, bob, general, view.id);
	assert_int_equal(fake_react(h->fake, bob, general, view.id, ON), 0);
	wait_page(h, general, view.id, "3/3");
	wait_taken_back(h, bob, general, view.id);
	assert_int_equal(fake_react(h->fake, bob, general, view.id, ON), 0);
	wait_page(h, general, view.id, "1/3");
	assert_int_equal(fake_react(h->fake, bob, general, view.id, BACK), 0);
	wait_page(h, general, view.id, "3/3");
	assert_int_equal(fake_react(h->fake, bob, general, view.id, DONE), 0);
	assert_int_equal(fake_wait_deleted(h->fake, general, view.id, SOON), 0);
}

static void it_begins_where_asked_and_refuses_what_is_not_there(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	uint64_t alice = fake_member(h->fake, "alice");
	struct fake_message_view view;

	fill_leaderboard(h);
	view = ask(h, bob, general, ".leaderboard 3", "3/3");
	assert_int_equal(fake_wait_reaction(h->fake, fake_bot(h->fake), general, view.id, DONE, SOON), 0);
	ask(h, alice, general, ".leaderboard 4", "only 3 pages");
}

static void one_page_has_only_the_check_mark(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	fake_say(h->fake, alice, general, "hello");
	wait_messages_counted(h, alice, 1);
	view = ask(h, alice, general, ".leaderboard", "1/1");
	assert_int_equal(fake_wait_reaction(h->fake, fake_bot(h->fake), general, view.id, DONE, SOON), 0);
	assert_false(fake_reacted(h->fake, fake_bot(h->fake), general, view.id, ON));
}

/* The custom id of the button that does this: "pager:<interaction>:on" */
static const char *button(struct harness *h, const struct fake_message_view *message, const char *name)
{
	char *text cleanup(freep) = cJSON_PrintUnformatted(message->components);
	const char *at = strstr(text, "pager:");

	assert_non_null(at);
	return arena_printf(&h->arena, "pager:%.*s:%s", (int)strspn(at + 6, "0123456789"), at + 6, name);
}

static void without_the_right_to_react_the_first_page_is_shown(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	const uint64_t react = 1ULL << 6;
	struct fake_message_view view;

	every_message_earns(h, "10");
	assert_int_equal(fake_channel_permit(h->fake, general, fake_bot(h->fake), 0, react), 0);
	harness_start(h, PROGRAM_BOT);
	fake_say(h->fake, alice, general, "hello");
	wait_messages_counted(h, alice, 1);
	view = ask(h, alice, general, ".leaderboard", "1/1");
	harness_idle(h, SECOND);
	assert_int_equal(fake_message(h->fake, general, view.id, &view), 0);
	assert_int_equal(count_messages(h, MESSAGES, "That failed"), 0);
}

static void buttons_turn_pages_for_the_caller(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob"),
		 erin = fake_member(h->fake, "erin");
	struct fake_interaction_view view, pressed;
	struct fake_message_view message;
	const char *back, *on, *done;
	uint64_t click;

	fill_leaderboard(h);
	view = ask_slash(h, bob, general, "leaderboard", NULL);
	assert_int_equal(fake_message(h->fake, general, view.message, &message), 0);
	assert_contains(embed_text(h, &message), "1/3");
	back = button(h, &message, "back");
	on = button(h, &message, "on");
	done = button(h, &message, "done");

	assert_true(fake_click(h->fake, bob, general, message.id, on) != 0);
	wait_page(h, general, message.id, "2/3");
	click = fake_click(h->fake, erin, general, message.id, on);
	assert_int_equal(fake_wait_interaction(h->fake, click, true, SOON, &pressed), 0);
	assert_true(pressed.ephemeral);
	assert_int_equal(fake_message(h->fake, general, view.message, &message), 0);
	assert_contains(embed_text(h, &message), "2/3");
	fake_click(h->fake, bob, general, message.id, back);
	wait_page(h, general, message.id, "1/3");
	fake_click(h->fake, bob, general, message.id, back);
	wait_page(h, general, message.id, "3/3");
	fake_click(h->fake, bob, general, message.id, done);
	assert_int_equal(fake_wait_deleted(h->fake, general, message.id, SOON), 0);
}

static void twenty_idle_seconds_end_it(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob"),
		 alice = fake_member(h->fake, "alice");
	struct fake_interaction_view view;
	struct fake_message_view message;
	usec start;

	fill_leaderboard(h);
	message = ask(h, bob, general, ".leaderboard", "1/3");
	start = loop_now(&h->loop);
	view = ask_slash(h, alice, general, "leaderboard", NULL);
	assert_int_equal(fake_wait_deleted(h->fake, general, message.id, 20 * SECOND + SOON), 0);
	assert_true(loop_now(&h->loop) - start > 19 * SECOND);
	assert_int_equal(fake_wait_deleted(h->fake, general, view.message, SOON), 0);
	assert_true(loop_now(&h->loop) - start > 19 * SECOND);
}

static void buttons_of_an_earlier_life_are_answered(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_interaction_view view, pressed;
	struct fake_message_view message;
	struct process *bot;
	const char *done;
	uint64_t click;

	every_message_earns(h, "10");
	bot = harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_say(h->fake, alice, general, "hello");
	wait_messages_counted(h, alice, 1);
	view = ask_slash(h, alice, general, "leaderboard", NULL);
	assert_int_equal(fake_message(h->fake, general, view.message, &message), 0);
	done = button(h, &message, "done");
	harness_kill(bot);
	harness_start(h, PROGRAM_BOT);
	click = fake_click(h->fake, alice, general, message.id, done);
	assert_true(click != 0);
	assert_int_equal(fake_wait_interaction(h->fake, click, true, SOON, &pressed), 0);
	assert_true(pressed.ephemeral);
	assert_contains(answer_text(h, &pressed), "no longer work");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(reactions_turn_pages_for_the_caller, &many),
		HARNESS_TEST_WITH(it_begins_where_asked_and_refuses_what_is_not_there, &many),
		HARNESS_TEST(one_page_has_only_the_check_mark),
		HARNESS_TEST(without_the_right_to_react_the_first_page_is_shown),
		HARNESS_TEST_WITH(buttons_turn_pages_for_the_caller, &many),
		HARNESS_TEST_WITH(twenty_idle_seconds_end_it, &many),
		HARNESS_TEST(buttons_of_an_earlier_life_are_answered),
	};

	return harness_run("bot_pager", tests, ARRAY_SIZE(tests));
}
