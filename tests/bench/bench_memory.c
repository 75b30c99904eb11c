/* How much memory the three services keep in a guild of 10,000 members, and whether that grows: a million messages are streamed to the bot, while
 * members change their nicknames (for the listener) and the API is asked for pages.
 *
 * The baseline of the sizes is the same program in the demo guild of a dozen members. Growth is that of the second half: until then caches fill
 * (SQLite's pages, the allocator's arenas); the sizes after each tenth are noted.
 */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "models/gateway_session.h"
#include "proc.h"
#include "report.h"

#define MEMBERS  10000
#define MESSAGES 1000000
#define PATIENCE (10 * MINUTE)
#define STEP     (20 * MILLISECOND) /* between two changes of nicknames and pages */
#define NICKS    20                 /* at once */
#define SERVICES 3
#define MIB      (1024.0 * 1024.0)

static const struct {
	const char *name;
	double target;
} services[SERVICES] = {
	[PROGRAM_BOT] = { "bot", 64 },
	[PROGRAM_LISTENER] = { "listener", 48 },
	[PROGRAM_API] = { "API", 32 },
};

static const struct fake_options few_options = {
	.identify_interval = -1, .member_request_interval = 10 * MILLISECOND, .no_journal = true
};
static const struct fake_options many_options = {
	.members = MEMBERS, .identify_interval = -1, .member_request_interval = 10 * MILLISECOND, .no_journal = true
};

static struct sizes {
	double bytes[SERVICES];
} few, started, tenths[10];
static double highest[SERVICES];
static uint64_t nicks, pages;

struct load {
	struct harness *h;
	struct process *processes[SERVICES];
	uint64_t streamed;
};

static void take(const struct load *load, struct sizes *sizes)
{
	for (size_t i = 0; i < SERVICES; i++)
		sizes->bytes[i] = (double)proc_resident(harness_pid(load->processes[i]));
}

static void start(struct load *load, struct harness *h, int members)
{
	load->h = h;
	harness_set(h, "log__LEVEL", "info");
	harness_set(h, "leveling__COOLDOWN_SECONDS", "0");
	harness_set(h, "leveling_api__RATE_LIMIT", "0");
	for (size_t i = 0; i < SERVICES; i++)
		load->processes[i] = harness_start(h, (enum harness_program)i);
	while (harness_metric(load->processes[PROGRAM_BOT], "walle_bot_members") < members)
		harness_idle(h, 10 * MILLISECOND);
	if (fake_wait_quiet(h->fake, SECOND, 30 * SECOND) < 0)
		fail_msg("the services do not come to rest");
}

static void stop(struct load *load)
{
	for (size_t i = 0; i < SERVICES; i++)
		harness_stop(load->processes[i]);
}

static bool is_committed(const struct load *load)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session;
	bool done;

	fake_stream_progress(load->h->fake, &done);
	/* The listener's session does not get messages; the bot's is the one that is further. */
	return done && gateway_session_get(harness_db(load->h), "bot", &arena, &session) == 0 &&
	       session.sequence >= (int64_t)load->streamed;
}

static void disturb(struct load *load)
{
	struct harness *h = load->h;
	char name[32], nick[32];

	for (unsigned i = 0; i < NICKS; i++, nicks++) {
		snprintf(name, sizeof(name), "user_%u", (unsigned)(1 + nicks % MEMBERS));
		snprintf(nick, sizeof(nick), "nick %" PRIu64, nicks);
		assert_int_equal(fake_nick(h->fake, fake_member(h->fake, name), nick), 0);
	}
	snprintf(name, sizeof(name), "/user_points/?page_size=%u", (unsigned)(1 + pages++ % 100));
	assert_int_equal(harness_get(h, harness_url(load->processes[PROGRAM_API], name), NULL), 200);
}

/* Streams so many, and waits until all are in the database. */
static void stream(struct load *load, uint64_t count)
{
	const struct fake_stream plan = { .channel = fake_channel(load->h->fake, "general"),
		.count = count,
		.members = MEMBERS,
		.step = 30,
		.content = "A message of ordinary length, as people write them all day long :)",
		.no_replay = true };
	usec deadline = clock_monotonic() + PATIENCE;

	assert_int_equal(fake_stream_start(load->h->fake, &plan), 0);
	load->streamed += count;
	while (!is_committed(load)) {
		if (clock_monotonic() > deadline)
			fail_msg("the bot does not count the messages");
		disturb(load);
		harness_idle(load->h, STEP);
	}
}

static void small_guild(struct harness *h)
{
	struct load load = { 0 };

	start(&load, h, 12);
	take(&load, &few);
	stop(&load);
}

static void large_guild(struct harness *h)
{
	uint64_t messages = report_work(MESSAGES);
	struct load load = { 0 };

	start(&load, h, MEMBERS);
	take(&load, &started);
	for (size_t i = 0; i < ARRAY_SIZE(tenths); i++) {
		stream(&load, messages / ARRAY_SIZE(tenths));
		take(&load, &tenths[i]);
	}
	for (size_t i = 0; i < SERVICES; i++)
		highest[i] = (double)proc_resident_max(harness_pid(load.processes[i]));
	stop(&load);
}

static void note_sizes(size_t service)
{
	struct str text cleanup(str_finish) = STR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(tenths); i++)
		str_printf(&text, " %.1f", tenths[i].bytes[service] / MIB);
	report_note("%s: %.1f MiB after its start with 10,000 members, after each tenth%s, at most %.1f ever",
		services[service].name, started.bytes[service] / MIB, text.buf, highest[service] / MIB);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(small_guild, &few_options),
		HARNESS_TEST_WITH(large_guild, &many_options) };
	char what[64];

	report_begin(argc, argv, "memory", "resident memory in a guild of 10,000 members");
	if (harness_run("bench_memory", tests, ARRAY_SIZE(tests)) != 0)
		return 1;
	for (size_t i = 0; i < SERVICES; i++) {
		snprintf(what, sizeof(what), "%s, after all messages", services[i].name);
		report_row(&(struct report_row){ .what = what,
			.unit = "MiB",
			.figure = tenths[9].bytes[i] / MIB,
			.baseline = few.bytes[i] / MIB,
			.baseline_is = "the same program just after its start with 12 members",
			.target = services[i].target,
			.kind = REPORT_AT_MOST });
	}
	for (size_t i = 0; i < SERVICES; i++) {
		snprintf(what, sizeof(what), "%s, growth in the second half", services[i].name);
		report_row(&(struct report_row){ .what = what,
			.unit = "MiB",
			.figure = tenths[9].bytes[i] / MIB,
			.baseline = tenths[4].bytes[i] / MIB,
			.baseline_is = "the same process after half of the messages",
			.target = 1.05,
			.kind = REPORT_RATIO_AT_MOST });
	}
	for (size_t i = 0; i < SERVICES; i++)
		note_sizes(i);
	report_note("%lu messages; meanwhile %" PRIu64 " changes of nicknames and %" PRIu64 " pages of the API",
		report_work(MESSAGES), nicks, pages);
	return report_end();
}
