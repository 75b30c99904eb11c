/* How fast messages are counted: the fake Discord streams messages of 7,000 members to the real bot (cool-down off, synchronous=FULL, database on
 * the disk) as fast as it takes them. The clock stops when the last one's sequence is committed.
 *
 * The baseline is bench-receiver on the same stream: same libraries, frames and compression, but nothing is done with an event.
 * The fake runs in this process, so that on two processors client and server have one each.
 *
 * Then a second bot gets 1,000 events/s, and the longest delay of its event loop is looked for in two ways: its own metric (how late a timer of
 * 100 ms was, since its start), and how long it takes to answer a request every few milliseconds. The loop waits for the disk at each commit, so
 * the baseline is the disk: the slowest of plain small writes with fdatasync(), made at the bot's pace in the same time.
 */
#include "harness.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "discord/types.h"
#include "models/gateway_session.h"
#include "models/member_xp.h"
#include "proc.h"
#include "report.h"

#define MEMBERS  7000
#define MESSAGES 200000
#define RATE     1000
#define CALM     20000 /* messages at this rate */
#define PATIENCE (3 * MINUTE)
/* As the bot's: see bot_definition. */
#define INTENTS                                                                                  \
	(INTENT_GUILDS | INTENT_GUILD_MEMBERS | INTENT_GUILD_MESSAGES | INTENT_MESSAGE_CONTENT | \
		INTENT_GUILD_MESSAGE_REACTIONS | INTENT_DIRECT_MESSAGES)

static const struct fake_options options = {
	.members = MEMBERS, .identify_interval = -1, .member_request_interval = 10 * MILLISECOND, .no_journal = true
};

/* ---- the stream ---- */

static void stream(struct harness *h, uint64_t count, uint64_t rate)
{
	const struct fake_stream plan = { .channel = fake_channel(h->fake, "general"),
		.count = count,
		.members = MEMBERS,
		.step = 30,
		.content = "A message of ordinary length, as people write them all day long :)",
		.rate = rate,
		.no_replay = true };

	assert_int_equal(fake_stream_start(h->fake, &plan), 0);
}

static bool is_streamed(void *arg)
{
	struct harness *h = arg;
	bool done = false;

	fake_stream_progress(h->fake, &done);
	return done;
}

/* ---- the baseline ---- */

struct receiver {
	uv_process_t process;
	uv_pipe_t pipe;
	struct str output;
	char buffer[256];
	bool running, open;
	long long cpu, wall, bytes;
};

static void on_pipe_closed(uv_handle_t *handle)
{
	((struct receiver *)handle->data)->open = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct receiver *receiver = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(receiver->buffer, sizeof(receiver->buffer));
}

static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct receiver *receiver = stream->data;

	if (count > 0)
		str_add(&receiver->output, buffer->base, (size_t)count);
	else if (count < 0)
		uv_close((uv_handle_t *)stream, on_pipe_closed);
}

static void on_process_closed(uv_handle_t *handle)
{
	((struct receiver *)handle->data)->running = false;
}

static void on_exit_of_receiver(uv_process_t *process, int64_t status, int signal)
{
	assert_int_equal(status, 0);
	assert_int_equal(signal, 0);
	uv_close((uv_handle_t *)process, on_process_closed);
}

static bool is_ready(void *arg)
{
	const struct receiver *receiver = arg;

	return strstr(receiver->output.buf, "ready") != NULL;
}

static bool has_ended(void *arg)
{
	const struct receiver *receiver = arg;

	return !receiver->running && !receiver->open;
}

static void start_receiver(struct harness *h, struct receiver *receiver, uint64_t count)
{
	char *arguments[] = { (char *)BENCH_PROGRAMS "/bench-receiver", (char *)fake_gateway_url(h->fake),
		(char *)fake_token(h->fake), arena_printf(&h->arena, "%u", (unsigned)INTENTS),
		arena_printf(&h->arena, "%" PRIu64, count), NULL };
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&receiver->pipe },
		{ .flags = UV_INHERIT_FD, .data.fd = 2 } };
	uv_process_options_t spawn = { .file = arguments[0],
		.args = arguments,
		.stdio = stdio,
		.stdio_count = ARRAY_SIZE(stdio),
		.exit_cb = on_exit_of_receiver };

	receiver->pipe.data = receiver->process.data = receiver;
	receiver->running = receiver->open = true;
	str_init(&receiver->output);
	uv_pipe_init(&h->loop.uv, &receiver->pipe, 0);
	assert_int_equal(uv_spawn(&h->loop.uv, &receiver->process, &spawn), 0);
	uv_read_start((uv_stream_t *)&receiver->pipe, on_alloc, on_output);
}

static void run_receiver(struct harness *h, struct receiver *receiver, uint64_t count)
{
	start_receiver(h, receiver, count);
	harness_wait(h, is_ready, receiver, 10 * SECOND);
	stream(h, count, 0);
	harness_wait(h, has_ended, receiver, PATIENCE);
	if (sscanf(strchr(receiver->output.buf, '\n'), "%lld %lld %lld", &receiver->cpu, &receiver->wall,
		    &receiver->bytes) != 3)
		fail_msg("the receiver says: %s", receiver->output.buf);
	str_finish(&receiver->output);
	/* Nobody will resume it. */
	fake_forget_sessions(h->fake);
}

/* ---- the bot ---- */

static bool is_committed(void *arg)
{
	struct harness *h = arg;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session;

	return is_streamed(h) && gateway_session_get(harness_db(h), "bot", &arena, &session) == 0 &&
	       session.sequence >= harness_gateway(h).last_sequence;
}

static int add_up(void *arg, const struct member_xp *xp)
{
	*(int64_t *)arg += xp->message_count;
	return 0;
}

static void check_sum(struct harness *h, uint64_t expected)
{
	int64_t sum = 0, last;

	assert_int_equal(member_xp_each_since(harness_db(h), 0, add_up, &sum, &last), 0);
	assert_int_equal(sum, expected);
}

static struct process *start_bot(struct harness *h)
{
	struct process *bot = harness_start(h, PROGRAM_BOT);

	for (int i = 0; harness_metric(bot, "walle_bot_members") < MEMBERS; i++) {
		if (i == 1000)
			fail_msg("the bot does not get its members");
		harness_idle(h, 10 * MILLISECOND);
	}
	return bot;
}

/* ---- the disk ---- */

struct disk {
	char path[128];
	uv_thread_t thread;
	atomic_bool stop;
	usec slowest;
	bool failed;
};

static void write_all_the_time(void *arg)
{
	static const char page[4096];
	struct disk *disk = arg;
	int fd = open(disk->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	disk->failed = fd < 0;
	while (!disk->failed && !atomic_load(&disk->stop)) {
		usec began = clock_monotonic();

		disk->failed = write(fd, page, sizeof(page)) != sizeof(page) || fdatasync(fd) < 0;
		disk->slowest = MAX(disk->slowest, clock_monotonic() - began);
		usleep(20 * MILLISECOND);
	}
	if (fd >= 0)
		close(fd);
}

static void disk_start(struct harness *h, struct disk *disk)
{
	snprintf(disk->path, sizeof(disk->path), "%s/plain", h->directory);
	assert_int_equal(uv_thread_create(&disk->thread, write_all_the_time, disk), 0);
}

static double disk_stop(struct disk *disk)
{
	atomic_store(&disk->stop, true);
	uv_thread_join(&disk->thread);
	assert_false(disk->failed);
	return (double)disk->slowest / MILLISECOND;
}

/* Asks all the time, until the stream is committed. The longest time to an answer. */
static usec probe(struct harness *h, struct process *bot)
{
	const char *url = harness_url(bot, "/healthz");
	usec worst = 0, end = clock_monotonic() + PATIENCE;

	while (!is_committed(h)) {
		usec began = clock_monotonic();

		assert_int_equal(harness_get(h, url, NULL), 200);
		worst = MAX(worst, clock_monotonic() - began);
		assert_true(began < end);
		harness_idle(h, 5 * MILLISECOND);
	}
	return worst;
}

static void run(struct harness *h)
{
	uint64_t count = report_work(MESSAGES), calm = report_work(CALM);
	struct receiver receiver = { 0 };
	struct process *bot;
	usec cpu, wall;
	struct disk disk = { 0 };
	double slowest_write;
	int64_t gap;
	usec answered, longest;

	harness_set(h, "log__LEVEL", "info");
	harness_set(h, "leveling__COOLDOWN_SECONDS", "0");
	run_receiver(h, &receiver, count);

	bot = start_bot(h);
	cpu = proc_cpu(harness_pid(bot));
	wall = clock_monotonic();
	stream(h, count, 0);
	harness_wait(h, is_committed, h, PATIENCE);
	wall = clock_monotonic() - wall;
	cpu = proc_cpu(harness_pid(bot)) - cpu;
	check_sum(h, count);
	report_row(&(struct report_row){ .what = "messages counted",
		.unit = "events/s",
		.figure = (double)count * SECOND / (double)wall,
		.baseline = (double)count * SECOND / (double)receiver.wall,
		.baseline_is = "bench-receiver takes and parses the same frames",
		.target = 30000,
		.kind = REPORT_AT_LEAST });
	report_row(&(struct report_row){ .what = "processor time of the bot",
		.unit = "us/event",
		.figure = (double)cpu / (double)count,
		.baseline = (double)receiver.cpu / (double)count,
		.baseline_is = "bench-receiver, the same frames",
		.target = 4,
		.kind = REPORT_RATIO_AT_MOST });
	report_note("%" PRIu64
		    " messages of %lld bytes on average; the sum of counted messages in the database is right",
		count, receiver.bytes / (long long)count);
	report_note("%lld transactions of at most %lld events, the slowest commit took %lld us; %lld level-ups",
		(long long)harness_metric(bot, "walle_batch_commits_total"),
		(long long)harness_metric(bot, "walle_batch_largest_events"),
		(long long)harness_metric(bot, "walle_batch_commit_max_microseconds"),
		(long long)harness_metric(bot, "walle_bot_level_ups_total"));
	report_note("the longest delay of the event loop in the flood was %lld us",
		(long long)harness_metric(bot, "walle_loop_gap_max_microseconds"));
	harness_stop(bot);

	bot = start_bot(h);
	cpu = proc_cpu(harness_pid(bot));
	disk_start(h, &disk);
	stream(h, calm, RATE);
	answered = probe(h, bot);
	slowest_write = disk_stop(&disk);
	cpu = proc_cpu(harness_pid(bot)) - cpu;
	harness_idle(h, 200 * MILLISECOND);
	check_sum(h, count + calm);
	gap = harness_metric(bot, "walle_loop_gap_max_microseconds");
	longest = MAX(gap, answered);
	report_row(&(struct report_row){ .what = "longest delay of the loop, 1,000 events/s",
		.unit = "ms",
		.figure = (double)longest / MILLISECOND,
		.baseline = slowest_write,
		.baseline_is = "the slowest plain write of 4 KiB with fdatasync() meanwhile",
		.target = 100,
		.kind = REPORT_AT_MOST });
	report_note("at 1,000 events/s its own metric says %.1f ms, the slowest answer to a request took %.1f ms",
		(double)gap / MILLISECOND, (double)answered / MILLISECOND);
	report_note("there the slowest commit took %.1f ms; %lld checkpoints",
		(double)harness_metric(bot, "walle_batch_commit_max_microseconds") / MILLISECOND,
		(long long)harness_metric(bot, "walle_checkpoints_total"));
	report_note("at 1,000 events/s the bot uses %.0f us of processor time per event, with those answers",
		(double)cpu / (double)calm);
	harness_stop(bot);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(run, &options) };

	report_begin(argc, argv, "gateway", "messages from the gateway, counted and committed");
	if (harness_run("bench_gateway", tests, ARRAY_SIZE(tests)) != 0)
		return 1;
	return report_end();
}
