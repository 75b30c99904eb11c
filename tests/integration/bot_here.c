/* .here lists who sees the channel, by roles and overwrites. */
#include "bot_helpers.h"

#define VIEW (1ULL << 10)

static const struct fake_options many = { .members = 60 };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(overwrites_decide),
		HARNESS_TEST_WITH(filters_choose_and_a_crowd_is_counted, &many),
	};

	return harness_run("bot_here", tests, ARRAY_SIZE(tests));
}
