/* Level-ups: one announcement that pings only its member, the roles, and the switch to have silence. */
#include "bot_helpers.h"

static const char *announcement(struct harness *h, uint64_t user, int level)
{
	return arena_printf(&h->arena, "<@%llu> is now **level %d**!", (unsigned long long)user, level);
}

static void a_level_is_announced_once(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	const struct fake_call *call = NULL;
	struct fake_message_view view;

	every_message_earns(h, "100");
	harness_start(h, PROGRAM_BOT);
	view = ask(h, alice, general, "hello", announcement(h, alice, 1));
	assert_true(view.author == fake_bot(h->fake));
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(count_messages(h, MESSAGES, "is now **level"), 1);
	for (size_t i = 0; i < fake_calls(h->fake); i++)
		if (fake_call(h->fake, i)->body && strstr(fake_call(h->fake, i)->body, "is now **level"))
			call = fake_call(h->fake, i);
	assert_non_null(call);
	if (!call)
		return;
	assert_contains(call->body, "\"enforce_nonce\":true");
	assert_contains(call->body, arena_printf(&h->arena, "\"users\":[\"%llu\"]", (unsigned long long)alice));
}

static void all_roles_up_to_the_level_are_given(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	static const char *const earned[] = { "Hello World", "Missing Semicolon", "Manual Tester" };

	/* level 10 at once */
	every_message_earns(h, "4675");
	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general, "hello", announcement(h, alice, 10));
	for (size_t i = 0; i < ARRAY_SIZE(earned); i++)
		assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, earned[i]), true, SOON), 0);
	assert_false(fake_has_role(h->fake, alice, fake_role(h->fake, "Javascript Programmer")));
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(count_messages(h, MESSAGES, "is now **level"), 1);
}

/* D-14 */
static void a_newcomer_gets_the_role_of_level_0_in_silence(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	every_message_earns(h, "10");
	harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, general, "hello") != 0);
	assert_int_equal(fake_wait_role(h->fake, alice, fake_role(h->fake, "Hello World"), true, SOON), 0);
	assert_int_equal(count_messages(h, MESSAGES, "is now **level"), 0);
}

static void a_member_may_switch_them_off(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	every_message_earns(h, "30");
	harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, general, "hello") != 0);
	wait_messages_counted(h, alice, 1);
	ask(h, alice, general, ".level_messages off", "no longer announced");
	ask(h, alice, general, ".level_messages off", "not announced anyway");
	/* 360 points: level 2 */
	for (int i = 0; i < 9; i++)
		assert_true(fake_say(h->fake, alice, general, "more") != 0);
	wait_messages_counted(h, alice, 12);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(xp_of(h, alice).level_number, 2);
	assert_int_equal(count_messages(h, MESSAGES, "is now **level"), 0);
	ask(h, alice, general, ".level_messages on", "are now announced");
	for (int i = 0; i < 2; i++)
		assert_true(fake_say(h->fake, alice, general, "more") != 0);
	ask(h, alice, general, "more", announcement(h, alice, 3));
}

static void a_missing_role_is_told_once(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), council = fake_channel(h->fake, "council");
	uint64_t alice = fake_member(h->fake, "alice"), erin = fake_member(h->fake, "erin");
	struct fake_message_view view;

	assert_int_equal(fake_role_delete(h->fake, fake_role(h->fake, "Missing Semicolon")), 0);
	every_message_earns(h, "1150");
	harness_start(h, PROGRAM_BOT);
	ask(h, alice, general, "hello", announcement(h, alice, 5));
	assert_int_equal(fake_last_message(h->fake, council, &view), 0);
	assert_contains(view.content, "Missing Semicolon");
	ask(h, erin, general, "hello", announcement(h, erin, 5));
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(fake_message_count(h->fake, council), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(a_level_is_announced_once),
		HARNESS_TEST(all_roles_up_to_the_level_are_given),
		HARNESS_TEST(a_newcomer_gets_the_role_of_level_0_in_silence),
		HARNESS_TEST(a_member_may_switch_them_off),
		HARNESS_TEST(a_missing_role_is_told_once),
	};

	return harness_run("bot_levelup", tests, ARRAY_SIZE(tests));
}
