/* A message earns XP once, and .rank tells about it. */
#include "bot_helpers.h"

#include "models/command_usage.h"

static void a_message_earns_and_rank_shows_it(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot;
	struct fake_message_view view;
	const char *text;

	harness_set(h, "leveling__XP_MIN", "17");
	harness_set(h, "leveling__XP_MAX", "17");
	bot = harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, general, "hello everybody") != 0);
	wait_messages_counted(h, alice, 1);
	view = ask(h, alice, general, ".rank", "Stat Card");
	text = embed_text(h, &view);
	assert_contains(text, "17 / 100 XP");
	assert_contains(text, "Total Messages: 1");
	assert_contains(text, "Rank # 1");
	assert_contains(text, "Level # 0");
	assert_true(view.author == fake_bot(h->fake));
	/* the command came within the cool-down */
	assert_int_equal(xp_of(h, alice).message_count, 1);
	assert_int_equal(xp_of(h, alice).points, 17);
	harness_stop(bot);
}

static void ranks_are_ordered_and_hidden_members_have_none(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t bob = fake_member(h->fake, "bob"), erin = fake_member(h->fake, "erin");
	struct fake_message_view view;

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	for (int i = 0; i < 3; i++)
		fake_say(h->fake, alice, general, "one");
	for (int i = 0; i < 8; i++)
		fake_say(h->fake, bob, general, "two");
	wait_messages_counted(h, alice, 3);
	wait_messages_counted(h, bob, 8);

	view = ask(h, alice, general, arena_printf(&h->arena, ".rank <@%llu>", (unsigned long long)bob), "Stat Card");
	assert_contains(embed_text(h, &view), "Rank # 1");
	view = ask(h, alice, general, ".rank", "Stat Card");
	assert_contains(embed_text(h, &view), "Rank # 2");
	ask(h, erin, general, ".rank grace", "no XP yet");

	ask(h, bob, general, ".hide_xp", "now hidden");
	ask(h, bob, general, ".hide_xp", "already hidden");
	ask(h, alice, general, ".rank bob", "hidden");
	view = ask(h, bob, general, ".rank", "Stat Card");
	assert_contains(embed_text(h, &view), "Rank hidden");
	view = ask(h, alice, general, ".rank", "Stat Card");
	assert_contains(embed_text(h, &view), "Rank # 1");
	ask(h, bob, general, ".show_xp", "now shown");
}

static void only_moderators_hide_others(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t erin = fake_member(h->fake, "erin"), carol = fake_member(h->fake, "carol");

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	fake_say(h->fake, alice, general, "one");
	wait_messages_counted(h, alice, 1);
	ask(h, erin, general, ".hide_xp alice", "Only Minions and Moderators");
	assert_false(xp_of(h, alice).hidden);
	ask(h, carol, general, ".hide_xp alice", "now hidden");
	assert_true(xp_of(h, alice).hidden);
}

static void bots_webhooks_and_direct_messages_earn_nothing(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t robot = fake_join(h->fake, "robot", NULL, true);
	struct process *bot;

	every_message_earns(h, "10");
	bot = harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, robot, general, "beep") != 0);
	assert_true(fake_post(h->fake, alice, general,
			    &(struct fake_message_options){ .content = "hook", .webhook = true }) != 0);
	assert_true(fake_say(h->fake, alice, fake_dm(h->fake, alice), "psst") != 0);
	assert_true(fake_say(h->fake, alice, general, "counts") != 0);
	wait_messages_counted(h, alice, 1);
	assert_int_equal(xp_of(h, alice).points, 10);
	assert_int_equal(xp_of(h, robot).points, 0);
	assert_int_equal(harness_metric(bot, "walle_bot_awards_total"), 1);
}

/* More rows than the bot reads in many turns of its loop, as an import beside it makes them. */
static void many_others_have_points(struct harness *h)
{
	struct db *db;

	assert_int_equal(db_open(h->database, DB_WRITE, &db, NULL), 0);
	assert_int_equal(db_begin(db), 0);
	for (uint64_t i = 1; i <= 30000; i++)
		assert_int_equal(member_xp_put(db, &(struct member_xp){ .user_id = i, .points = 5 }), 0);
	assert_int_equal(db_commit(db), 0);
	db_close(db);
}

/* What the cache said about him died with the wait for the ranking. */
static void somebody_leaves_while_the_ranking_is_read(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;
	struct process *bot;

	every_message_earns(h, "10");
	bot = harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, general, "one") != 0);
	wait_messages_counted(h, alice, 1);
	many_others_have_points(h);
	assert_true(fake_say(h->fake, alice, general, ".rank") != 0);
	wait_messages_counted(h, alice, 2);
	assert_int_equal(fake_leave(h->fake, alice), 0);
	assert_int_equal(fake_wait_message(h->fake, general, "Stat Card", SOON, &view), 0);
	assert_contains(embed_text(h, &view), "Rank # 1");
	assert_contains(embed_text(h, &view), "somebody who left");
	harness_stop(bot);
}

static int64_t uses_of(struct harness *h, const char *command)
{
	struct command_usage_count *counts;
	size_t count;

	assert_int_equal(command_usage_count(harness_db(h), COMMAND_USAGE_BY_COMMAND, 0, INT64_MAX, 100, &h->arena,
				 &counts, &count),
		0);
	for (size_t i = 0; i < count; i++)
		if (streq(counts[i].name, command))
			return counts[i].uses;
	return 0;
}

static bool rank_was_used_thrice(void *arg)
{
	return uses_of(arg, "rank") == 3;
}

/* D-19: also several in one second. */
static void uses_are_recorded(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct process *bot = harness_start(h, PROGRAM_BOT);

	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	ask(h, alice, general, ".rank", "Stat Card");
	ask(h, alice, general, ".rank", "Stat Card");
	ask_slash(h, alice, general, "rank", NULL);
	assert_true(fake_say(h->fake, alice, general, ".levels") != 0);
	harness_wait(h, rank_was_used_thrice, h, SOON);
	assert_int_equal(fake_wait_quiet(h->fake, 200 * MILLISECOND, SOON), 0);
	/* what one may not run is no use of it */
	assert_int_equal(uses_of(h, "levels"), 0);
	harness_stop(bot);
	harness_set(h, "frequency__ENABLED", "0");
	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general, ".rank", "Stat Card");
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(uses_of(h, "rank"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(a_message_earns_and_rank_shows_it),
		HARNESS_TEST(ranks_are_ordered_and_hidden_members_have_none),
		HARNESS_TEST(only_moderators_hide_others),
		HARNESS_TEST(bots_webhooks_and_direct_messages_earn_nothing),
		HARNESS_TEST(somebody_leaves_while_the_ranking_is_read),
		HARNESS_TEST(uses_are_recorded),
	};

	return harness_run("bot_rank", tests, ARRAY_SIZE(tests));
}
