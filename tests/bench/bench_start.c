/* How long a start takes: from exec until the first command is answered, on an empty database, and from SIGTERM to the running bot until its successor
 * has resumed the session. With 10,000 members; the baseline is the same with the demo guild's dozen.
 *
 * A member who may writes .ping as soon as the gateway has a session to send it to; answered means that the message is there. A killed bot (SIGKILL)
 * is measured too.
 */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

#define ROUNDS_MAX 10
#define PATIENCE   (30 * SECOND)

struct figures {
	usec answer[ROUNDS_MAX], complete[ROUNDS_MAX], restart[ROUNDS_MAX], revival[ROUNDS_MAX];
	size_t rounds;
};
static struct figures few, many;

static const struct fake_options few_options = {
	.identify_interval = -1, .member_request_interval = 10 * MILLISECOND, .no_journal = true
};
static const struct fake_options many_options = {
	.members = 10000, .identify_interval = -1, .member_request_interval = 10 * MILLISECOND, .no_journal = true
};

struct wait {
	struct harness *h;
	uint64_t identified, resumed;
};

static bool is_identified(void *arg)
{
	const struct wait *wait = arg;

	return harness_gateway(wait->h).identified > wait->identified;
}

static bool is_resumed(void *arg)
{
	const struct wait *wait = arg;

	return harness_gateway(wait->h).resumed > wait->resumed;
}

/* Without harness_wait()'s steps of 10 ms. */
static void wait_for(struct harness *h, bool (*done)(void *arg), struct wait *wait)
{
	if (loop_run_until(&h->loop, done, wait, PATIENCE) < 0)
		fail_msg("the bot does not come up");
}

static void expect_answer(struct harness *h)
{
	uint64_t channel = fake_channel(h->fake, "general");
	struct fake_message_view view;

	assert_true(fake_say(h->fake, fake_member(h->fake, "dave"), channel, ".ping") != 0);
	if (fake_wait_message(h->fake, channel, NULL, PATIENCE, &view) < 0)
		fail_msg(".ping is not answered");
	assert_true(view.author == fake_bot(h->fake));
}

/* What a start leaves to do is done, and its rate limits are over: programs are not restarted several times within seconds. */
static void rest(struct harness *h)
{
	if (fake_wait_quiet(h->fake, 300 * MILLISECOND, PATIENCE) < 0)
		fail_msg("the bot does not come to rest");
	fake_reset_rate_limits(h->fake);
}

static void one_round(struct harness *h, struct figures *figures, unsigned members)
{
	struct wait wait = { .h = h, .identified = harness_gateway(h).identified };
	size_t i = figures->rounds++;
	struct process *bot;
	usec began;

	harness_set(h, "database_config__PATH",
		arena_printf(&h->arena, "%s/round-%zu.sqlite3", h->directory, figures->rounds));
	began = clock_monotonic();
	bot = harness_spawn(h, PROGRAM_BOT, NULL);
	wait_for(h, is_identified, &wait);
	expect_answer(h);
	figures->answer[i] = clock_monotonic() - began;
	while (harness_metric(bot, "walle_bot_members") < members) {
		if (clock_monotonic() - began > PATIENCE)
			fail_msg("the bot does not get its members");
		harness_idle(h, MILLISECOND);
	}
	figures->complete[i] = clock_monotonic() - began;

	rest(h);
	wait.resumed = harness_gateway(h).resumed;
	began = clock_monotonic();
	harness_stop(bot);
	bot = harness_spawn(h, PROGRAM_BOT, NULL);
	wait_for(h, is_resumed, &wait);
	figures->restart[i] = clock_monotonic() - began;
	expect_answer(h);

	rest(h);
	wait.resumed = harness_gateway(h).resumed;
	began = clock_monotonic();
	harness_kill(bot);
	bot = harness_spawn(h, PROGRAM_BOT, NULL);
	wait_for(h, is_resumed, &wait);
	figures->revival[i] = clock_monotonic() - began;
	expect_answer(h);
	rest(h);
	harness_stop(bot);
	fake_forget_sessions(h->fake);
}

static void run(struct harness *h, struct figures *figures, unsigned members)
{
	harness_set(h, "log__LEVEL", "info");
	for (unsigned long i = report_work(ROUNDS_MAX); i > 0; i--)
		one_round(h, figures, members);
}

static void start_with_few(struct harness *h)
{
	run(h, &few, 12);
}

static void start_with_many(struct harness *h)
{
	run(h, &many, 10000);
}

static int compare(const void *a, const void *b)
{
	const usec *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static double median(usec *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return (double)times[count / 2] / MILLISECOND;
}

static void row(const char *what, usec *times, usec *baseline, double target)
{
	report_row(&(struct report_row){ .what = what,
		.unit = "ms",
		.figure = median(times, many.rounds),
		.baseline = median(baseline, few.rounds),
		.baseline_is = "the same with 12 members",
		.target = target,
		.kind = target > 0 ? REPORT_AT_MOST : REPORT_ONLY });
	report_note(
		"%s: the slowest of %zu took %.0f ms", what, many.rounds, (double)times[many.rounds - 1] / MILLISECOND);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(start_with_few, &few_options),
		HARNESS_TEST_WITH(start_with_many, &many_options) };

	report_begin(argc, argv, "start", "start and restart of the bot in a guild of 10,000 members");
	if (harness_run("bench_start", tests, ARRAY_SIZE(tests)) != 0)
		return 1;
	row("exec to first command answered", many.answer, few.answer, 1000);
	row("exec to all members known", many.complete, few.complete, 0);
	row("restart: SIGTERM to RESUMED", many.restart, few.restart, 1000);
	row("crash: SIGKILL to RESUMED", many.revival, few.revival, 1000);
	return report_end();
}
