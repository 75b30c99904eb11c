/* Whatever happens to the connection, each message is counted once and each command answered once. */
#include "bot_helpers.h"

#define WORDS 40

static void say(struct harness *h, int count)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	for (int i = 0; i < count; i++)
		assert_true(fake_say(h->fake, alice, general, "word") != 0);
}

static void check(struct harness *h, int64_t count)
{
	uint64_t alice = fake_member(h->fake, "alice");

	wait_messages_counted(h, alice, count);
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(xp_of(h, alice).message_count, count);
}

static void start(struct harness *h)
{
	every_message_earns(h, "1");
	harness_start(h, PROGRAM_BOT);
}

static void op_7(struct harness *h)
{
	start(h);
	say(h, WORDS);
	fake_gateway_reconnect(h->fake, FAKE_ALL);
	say(h, WORDS);
	check(h, 2 * WORDS);
	assert_int_equal(harness_gateway(h).identified, 1);
}

static void drops_and_resets(struct harness *h)
{
	start(h);
	say(h, WORDS);
	fake_gateway_drop(h->fake, FAKE_ALL);
	say(h, WORDS);
	check(h, 2 * WORDS);
	fake_gateway_reset(h->fake, FAKE_ALL);
	say(h, WORDS);
	check(h, 3 * WORDS);
	assert_int_equal(harness_gateway(h).identified, 1);
}

static void close_codes_that_allow_a_resume(struct harness *h)
{
	static const int codes[] = { 4000, 4008, 1001 };

	start(h);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		say(h, WORDS);
		fake_gateway_close(h->fake, FAKE_ALL, codes[i]);
		say(h, WORDS);
		check(h, 2 * WORDS * (int64_t)(i + 1));
	}
	assert_int_equal(harness_gateway(h).identified, 1);
}

/* The session is gone and with it what was said meanwhile; what comes afterwards counts, nothing counts twice. */
static void an_invalid_session(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");

	start(h);
	say(h, WORDS);
	check(h, WORDS);
	fake_gateway_invalidate(h->fake, FAKE_ALL, false);
	assert_int_equal(fake_wait_sessions(h->fake, 1, 30 * SECOND), 0);
	say(h, WORDS);
	check(h, 2 * WORDS);
	assert_int_equal(harness_gateway(h).identified, 2);
	/* the guild is known again */
	ask(h, bob, general, ".levels", "Missing Semicolon");
}

static void duplicated_dispatches(struct harness *h)
{
	struct fake_gateway_faults faults = { .duplicate = 1000 };
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	start(h);
	fake_gateway_set_faults(h->fake, &faults);
	say(h, WORDS);
	check(h, WORDS);
	ask(h, alice, general, ".echo once only", "once only");
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(fake_count_calls(h->fake, "POST", MESSAGES, "once only"), 1);
}

static void a_command_is_answered_once_when_the_connection_drops(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;

	start(h);
	fake_gateway_drop(h->fake, FAKE_ALL);
	assert_true(fake_say(h->fake, alice, general, ".echo after the drop") != 0);
	assert_int_equal(fake_wait_message(h->fake, general, "after the drop", 2 * SOON, &view), 0);
	fake_gateway_drop(h->fake, FAKE_ALL);
	assert_int_equal(fake_wait_sessions(h->fake, 1, 2 * SOON), 0);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(fake_count_calls(h->fake, "POST", MESSAGES, "after the drop"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(op_7),
		HARNESS_TEST(drops_and_resets),
		HARNESS_TEST(close_codes_that_allow_a_resume),
		HARNESS_TEST(an_invalid_session),
		HARNESS_TEST(duplicated_dispatches),
		HARNESS_TEST(a_command_is_answered_once_when_the_connection_drops),
	};

	return harness_run("bot_reconnect_no_duplicates", tests, ARRAY_SIZE(tests));
}
