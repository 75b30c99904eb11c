/* Bot, listener and levelling API at once on an empty database: one migrates, identifies keep their distance, each
 * can be stopped and started alone. */
#include "harness.h"

/* Discord: one identify in 5 s. */
#define SPACING (5 * SECOND)

struct sessions_wait {
	struct harness *h;
	uint64_t identified;
};

static bool has_identified(void *arg)
{
	const struct sessions_wait *wait = arg;

	return harness_gateway(wait->h).identified >= wait->identified;
}

static usec time_of_identify(struct harness *h, uint64_t number)
{
	struct sessions_wait wait = { .h = h, .identified = number };

	harness_wait(h, has_identified, &wait, SOON);
	return loop_now(&h->loop);
}

static void three_programs_on_an_empty_database(struct harness *h)
{
	struct process *api = harness_spawn(h, PROGRAM_API, NULL);
	struct process *bot = harness_spawn(h, PROGRAM_BOT, NULL);
	struct process *listener = harness_spawn(h, PROGRAM_LISTENER, NULL);
	usec first = time_of_identify(h, 1), second = time_of_identify(h, 2);

	assert_true(second - first >= SPACING);
	harness_wait_healthy(bot, SOON);
	harness_wait_healthy(listener, SOON);
	harness_wait_healthy(api, SOON);
	/* Discord has refused nothing. */
	assert_int_equal(harness_gateway(h).identified, 2);
	assert_int_equal(harness_gateway(h).invalidated, 0);
	assert_int_equal(fake_count_calls(h->fake, "GET", "/gateway/bot", NULL), 2);
	harness_stop(bot);
	harness_stop(listener);
	harness_stop(api);
}

/* The body of /user_points/ as text, once it contains `text`. */
struct points_wait {
	struct harness *h;
	struct process *api;
	const char *text, *body;
};

static bool points_have(struct points_wait *wait)
{
	return harness_get(wait->h, harness_url(wait->api, "/user_points/?format=json"), &wait->body) == 200 &&
	       wait->body && strstr(wait->body, wait->text);
}

static void wait_points(struct harness *h, struct process *api, const char *text, usec patience)
{
	struct points_wait wait = { .h = h, .api = api, .text = text };
	usec deadline = loop_now(&h->loop) + patience;

	while (!points_have(&wait)) {
		if (loop_now(&h->loop) >= deadline)
			fail_msg("the leaderboard has no %s: %s", text, wait.body);
		harness_idle(h, 20 * MILLISECOND);
	}
}

static void a_message_and_a_rename_reach_the_leaderboard(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), general = fake_channel(h->fake, "general");
	struct process *bot = harness_start(h, PROGRAM_BOT);
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct process *api = harness_start(h, PROGRAM_API);

	harness_wait_profile(h, alice, "alice", NULL, SOON);
	assert_true(fake_say(h->fake, alice, general, "hello everybody"));
	wait_points(h, api, "\"alice\"", SOON);
	assert_int_equal(fake_nick(h->fake, alice, "Al the First"), 0);
	wait_points(h, api, "\"Al the First\"", PROMISED);

	/* Each alone: the others go on. */
	harness_stop(listener);
	assert_int_equal(fake_nick(h->fake, alice, "Al the Second"), 0);
	harness_wait_healthy(bot, SOON);
	listener = harness_start(h, PROGRAM_LISTENER);
	wait_points(h, api, "\"Al the Second\"", SOON);

	harness_stop(bot);
	assert_int_equal(fake_nick(h->fake, alice, "Al the Third"), 0);
	wait_points(h, api, "\"Al the Third\"", PROMISED);
	assert_true(fake_say(h->fake, fake_member(h->fake, "bob"), general, "is the bot asleep?"));
	bot = harness_start(h, PROGRAM_BOT);
	wait_points(h, api, "\"Bob\"", SOON);

	harness_stop(api);
	api = harness_start(h, PROGRAM_API);
	wait_points(h, api, "\"Al the Third\"", SOON);
	assert_int_equal(harness_gateway(h).identified, 2);
	harness_stop(api);
	harness_stop(listener);
	harness_stop(bot);
}

int main(void)
{
	static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(three_programs_on_an_empty_database, &options),
		HARNESS_TEST_WITH(a_message_and_a_rename_reach_the_leaderboard, &options),
	};

	return harness_run("services_start_together", tests, ARRAY_SIZE(tests));
}
