/* The disk is full for a while: nobody ends, health says it, nothing is lost when there is space again.
 *
 * The first way works for everybody: a limit of the running program's file sizes, under which the kernel refuses writes
 * in the same places. The second is a real small filesystem and needs to be allowed to mount one.
 */
#include "bot_helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/db.h"
#include "models/level.h"

#define WORDS    300
#define PATIENCE (30 * SECOND)

static const struct fake_options options = {
	.member_request_interval = 10 * MILLISECOND, .heartbeat = SECOND, .no_rate_limits = true
};

static void talk(struct harness *h, int words)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	for (int i = 0; i < words; i++) {
		assert_true(fake_say(h->fake, alice, general, "word") != 0);
		if (i % 10 == 9)
			harness_idle(h, 5 * MILLISECOND);
	}
}

static void check_count(struct harness *h, int64_t words)
{
	uint64_t alice = fake_member(h->fake, "alice");

	wait_messages_counted(h, alice, words);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(xp_of(h, alice).message_count, words);
	assert_int_equal(xp_of(h, alice).points, words);
}

static void limit_files(const struct process *process, rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(prlimit(harness_pid(process), RLIMIT_FSIZE, NULL, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(prlimit(harness_pid(process), RLIMIT_FSIZE, &limit, NULL), 0);
}

static void check_database(const char *path)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct db *db;

	assert_int_equal(db_open(path, DB_READ_ONLY, &db, NULL), 0);
	if (db_check(db, false, &report) < 0)
		fail_msg("the database is damaged: %s", report.buf);
	db_close(db);
}

static void the_bot_waits_for_space(struct harness *h)
{
	struct process *bot;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, WORDS);
	check_count(h, WORDS);

	limit_files(bot, 4096);
	talk(h, WORDS);
	harness_wait_unhealthy(bot, "database", PATIENCE);
	harness_idle(h, 2 * SECOND);
	assert_true(harness_running(bot));
	assert_int_equal(xp_of(h, fake_member(h->fake, "alice")).message_count, WORDS);
	/* It does not hammer Discord while it waits. */
	assert_true(harness_gateway(h).connected < 12);

	limit_files(bot, RLIM_INFINITY);
	check_count(h, 2 * WORDS);
	harness_wait_healthy(bot, PATIENCE);
	talk(h, 10);
	check_count(h, 2 * WORDS + 10);
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(bot);
	check_database(h->database);
}

static bool level_45_is_renamed(void *arg)
{
	struct harness *h = arg;
	struct level *levels;
	size_t count;

	assert_int_equal(level_list(harness_db(h), &h->arena, &levels, &count), 0);
	return levels[45].role_name && streq(levels[45].role_name, "Emacs User");
}

/* What the bot remembers of the level table must not hide that its transaction was lost. */
static void a_renamed_role_waits_for_space(struct harness *h)
{
	struct process *bot = harness_start(h, PROGRAM_BOT);

	talk(h, 1);
	wait_messages_counted(h, fake_member(h->fake, "alice"), 1);
	limit_files(bot, 4096);
	assert_int_equal(fake_role_rename(h->fake, fake_role(h->fake, "Vim User"), "Emacs User"), 0);
	harness_wait_unhealthy(bot, "database", PATIENCE);
	limit_files(bot, RLIM_INFINITY);
	harness_wait(h, level_45_is_renamed, h, PATIENCE);
	harness_stop(bot);
}

static void the_listener_waits_for_space(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	harness_wait_profile(h, alice, "alice", NULL, PATIENCE);
	limit_files(listener, 4096);
	assert_int_equal(fake_nick(h->fake, alice, "Al"), 0);
	harness_wait_unhealthy(listener, "database", PATIENCE);
	assert_true(harness_running(listener));
	limit_files(listener, RLIM_INFINITY);
	harness_wait_profile(h, alice, "alice", "Al", PATIENCE);
	harness_wait_healthy(listener, PATIENCE);
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
	check_database(h->database);
}

/* Takes all space that is left; the file's name is in the test's arena. */
static const char *fill(struct harness *h, const char *directory)
{
	const char *name = arena_printf(&h->arena, "%s/ballast", directory);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char zeros[4096] = { 0 };

	assert_true(fd >= 0);
	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
	return name;
}

static void a_real_full_disk(struct harness *h)
{
	const char *directory = arena_printf(&h->arena, "%s/disk", h->directory), *ballast;
	struct process *bot, *listener;

	assert_int_equal(mkdir(directory, 0700), 0);
	if (mount("walle-test", directory, "tmpfs", 0, "size=2m,mode=0700") < 0) {
		print_message("skipped: no filesystem may be mounted here: %s\n", strerror(errno));
		skip();
	}
	snprintf(h->database, sizeof(h->database), "%s/walle.sqlite3", directory);
	harness_set(h, "database_config__PATH", h->database);
	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	listener = harness_start(h, PROGRAM_LISTENER);
	talk(h, WORDS);
	check_count(h, WORDS);

	ballast = fill(h, directory);
	talk(h, WORDS);
	harness_wait_unhealthy(bot, "database", PATIENCE);
	harness_idle(h, SECOND);
	assert_true(harness_running(bot) && harness_running(listener));

	assert_int_equal(unlink(ballast), 0);
	check_count(h, 2 * WORDS);
	harness_wait_healthy(bot, PATIENCE);
	harness_wait_healthy(listener, PATIENCE);
	harness_stop(bot);
	harness_stop(listener);
	check_database(h->database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(the_bot_waits_for_space, &options),
		HARNESS_TEST_WITH(a_renamed_role_waits_for_space, &options),
		HARNESS_TEST_WITH(the_listener_waits_for_space, &options),
		HARNESS_TEST_WITH(a_real_full_disk, &options),
	};

	/* What is mounted here ends with this process, however it ends. Where that is not allowed, mounting is not
	 * either. */
	if (unshare(CLONE_NEWNS) == 0)
		(void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return harness_run("disk_full", tests, ARRAY_SIZE(tests));
}
