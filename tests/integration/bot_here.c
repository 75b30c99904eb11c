/* .here lists who sees the channel, by roles and overwrites, or who has joined the thread. */
#include "bot_helpers.h"

#define VIEW (1ULL << 10)

static const struct fake_options many = { .members = 60 };
static const struct fake_options often = { .member_request_interval = SECOND };

static void overwrites_decide(struct harness *h)
{
	uint64_t room = fake_channel_create(h->fake, "minions-only", 0, 0), bob = fake_member(h->fake, "bob");
	struct fake_message_view view;
	const char *text;

	assert_true(room != 0);
	assert_int_equal(fake_channel_permit(h->fake, room, fake_guild(h->fake), 0, VIEW), 0);
	assert_int_equal(fake_channel_permit(h->fake, room, fake_role(h->fake, "Minions"), VIEW, 0), 0);
	assert_int_equal(fake_channel_permit(h->fake, room, fake_member(h->fake, "erin"), VIEW, 0), 0);
	assert_int_equal(
		fake_channel_permit(h->fake, room, fake_bot(h->fake), VIEW | 1 << 11 | 1 << 14 | 1 << 16, 0), 0);
	harness_wait_log(harness_start(h, PROGRAM_BOT), "all members are known", SOON);
	view = ask(h, bob, room, ".here", "Users in");
	text = embed_text(h, &view);
	assert_contains(text, "minions");
	assert_contains(text, "bob");
	assert_contains(text, "erin");
	assert_null(strstr(text, "alice"));
	assert_contains(text, "Channel Specific Roles");
	assert_contains(text, "Minions");
}

static void filters_choose_and_a_crowd_is_counted(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"),
		 bob = fake_member(h->fake, "bob");
	struct fake_message_view view;

	harness_wait_log(harness_start(h, PROGRAM_BOT), "all members are known", SOON);
	view = ask(h, alice, general, ".here", "too many to list");
	view = ask(h, bob, general, ".here ALI \"caro\"", "Users in");
	assert_contains(embed_text(h, &view), "alice");
	assert_contains(embed_text(h, &view), "carol");
	assert_null(strstr(embed_text(h, &view), "bob"));
	ask(h, fake_member(h->fake, "erin"), general, ".here zzzz", "Nobody here fits");
	/* D-29: 41 names and accounts do not fit one field */
	view = ask(h, fake_member(h->fake, "frank"), general, ".here user_1 user_2 user_3 user_4", "Users in");
	assert_contains(embed_text(h, &view), "user\\\\_49");
}

/* Its members, not everybody who could read it. */
static void a_thread_has_members(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"),
		 bob = fake_member(h->fake, "bob");
	uint64_t thread = fake_channel_create(h->fake, "side talk", 11, general);
	struct process *bot = harness_start(h, PROGRAM_BOT);
	struct fake_message_view view;

	assert_true(thread != 0);
	harness_wait_log(bot, "all members are known", SOON);
	assert_true(fake_say(h->fake, bob, thread, "hello") != 0);
	view = ask(h, alice, thread, ".here", "side talk");
	assert_contains(embed_text(h, &view), "alice");
	assert_contains(embed_text(h, &view), "bob");
	assert_null(strstr(embed_text(h, &view), "carol"));
	assert_null(strstr(embed_text(h, &view), "Channel Specific Roles"));

	/* a resumed session brings no threads: they are fetched */
	harness_idle(h, 200 * MILLISECOND);
	harness_stop(bot);
	bot = harness_start(h, PROGRAM_BOT);
	harness_wait_log(bot, "all members are known", SOON);
	view = ask(h, bob, thread, ".here ali", "1 member");
	assert_contains(embed_text(h, &view), "side talk");
}

static void a_private_thread_tells_its_members_only(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"),
		 thread = fake_channel_create(h->fake, "just us", 12, general);
	const uint64_t manage_threads = 1ULL << 34;
	struct fake_interaction_view interaction;
	struct fake_message_view view;

	assert_int_equal(fake_channel_permit(h->fake, general, fake_bot(h->fake), 0, manage_threads), 0);
	harness_wait_log(harness_start(h, PROGRAM_BOT), "all members are known", SOON);
	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	assert_int_equal(fake_thread_add(h->fake, thread, alice), 0);
	assert_true(fake_say(h->fake, fake_member(h->fake, "erin"), thread, "let me in") == 0);
	interaction = ask_slash(h, alice, thread, "here", NULL);
	assert_true(interaction.ephemeral);
	assert_contains(answer_text(h, &interaction), "mention me in it");

	assert_int_equal(fake_thread_add(h->fake, thread, fake_bot(h->fake)), 0);
	view = ask(h, fake_member(h->fake, "heidi"), thread, ".here", "just us");
	assert_contains(embed_text(h, &view), "alice");
	assert_null(strstr(embed_text(h, &view), "bob"));
	assert_null(strstr(embed_text(h, &view), "carol"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(overwrites_decide),
		HARNESS_TEST_WITH(filters_choose_and_a_crowd_is_counted, &many),
		HARNESS_TEST_WITH(a_thread_has_members, &often),
		HARNESS_TEST(a_private_thread_tells_its_members_only),
	};

	return harness_run("bot_here", tests, ARRAY_SIZE(tests));
}
