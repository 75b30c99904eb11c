/* Runs the real programs against a fake Discord that lives in the test's own process, on the test's loop.
 *
 *	static void renames_are_seen(struct harness *h)
 *	{
 *		struct process *listener = harness_start(h, PROGRAM_LISTENER);
 *		...
 *		fake_nick(h->fake, alice, "Al");
 *		harness_wait(h, has_nick, h, SOON);
 *		harness_stop(listener);
 *	}
 *
 *	int main(void)
 *	{
 *		const struct CMUnitTest tests[] = { HARNESS_TEST(renames_are_seen) };
 *
 *		return harness_run("listener_rename", tests, ARRAY_SIZE(tests));
 *	}
 *
 * Each test gets a fake guild, an empty directory for the database and free ports of its own. All functions that
 * wait run the loop and fail the test when their patience is over. When a test fails, the logs of its programs are
 * printed. In any case the teardown fails when a log holds the token or a sanitizer's report. The calls that the
 * programs made go to PROJECT_BINARY_DIR/rest-journal/NAME.jsonl, where './walle test' checks them against Discord's
 * rules.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/util.h"
#include "fake_discord/fake_discord.h"
#include "models/profile.h"
#include "net/loop.h"

/* The patience for what comes at once, unless the machine is busy: it only decides how late a failure is noticed. Where a
 * shorter time is promised to people, the test names that time instead. */
#define SOON (20 * SECOND)
/* The second within which a change is promised to show. Sanitizers slow the programs down: there only that it shows. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PROMISED SOON
#else
#define PROMISED SECOND
#endif

enum harness_program { PROGRAM_BOT, PROGRAM_LISTENER, PROGRAM_API };

struct harness {
	struct loop loop;
	struct fake *fake;
	char directory[64]; /* temporary */
	char database[96];  /* in it; does not exist before a program made it */
	struct arena arena; /* for what a test reads; freed with the test */
	struct harness_private *private;
};

struct process;

struct harness_test {
	void (*run)(struct harness *h);
	/* Of the fake; NULL: its defaults. Unless rate_scale is set, the windows of Discord's REST limits are shortened, so
	 * that five answers in one channel are not followed by a pause of five seconds. */
	const struct fake_options *options;
};
int harness_set_up(void **state);
void harness_call(void **state);
int harness_tear_down(void **state);

/* Entries of main()'s table of tests, which must not be static. */
#define HARNESS_TEST(function) HARNESS_TEST_WITH(function, NULL)
#define HARNESS_TEST_WITH(function, fake_options)                                                        \
	{                                                                                                \
		.name = #function, .test_func = harness_call, .setup_func = harness_set_up,              \
		.teardown_func = harness_tear_down,                                                      \
		.initial_state = &(struct harness_test){ .run = (function), .options = (fake_options) }, \
	}
/* Runs the tests and returns main()'s result. `name` is the file's name without .c */
int harness_run(const char *name, const struct CMUnitTest *tests, size_t count);

/* Sets a variable of the environment (section__KEY) for programs that are started from now on; NULL removes it. What
 * the harness itself sets (token, addresses, ports, database) can be changed too. */
void harness_set(struct harness *h, const char *variable, const char *value);
/* A free port that no program of this test uses. */
int harness_free_port(struct harness *h);

/* Starts a program (under the command in WALLE_TEST_WRAPPER, if that is set: README.md); `arguments` (ends with
 * NULL) may be NULL. */
struct process *harness_spawn(struct harness *h, enum harness_program program, const char *const *arguments);
/* The same, and waits until it is healthy (20 s at most: an identify may have to wait for its turn). */
struct process *harness_start(struct harness *h, enum harness_program program);
void harness_wait_healthy(struct process *process, usec patience);
/* Waits until health answers 503 and the reason contains `text`. */
void harness_wait_unhealthy(struct process *process, const char *text, usec patience);
void harness_signal(struct process *process, int signal);
/* SIGTERM; it must end with status 0 within 5 s. */
void harness_stop(struct process *process);
/* SIGKILL, and waits for its end. */
void harness_kill(struct process *process);
/* Waits for its end by itself: the exit status, or 128 + signal. */
int harness_wait_exit(struct process *process, usec patience);
/* For tests that start many: frees one that has ended, after a look through its log for what must not be there. */
void harness_forget(struct process *process);
bool harness_running(const struct process *process);
int harness_pid(const struct process *process);
/* What it has written so far to standard output and standard error. */
const char *harness_log(const struct process *process);
size_t harness_log_lines(const struct process *process, const char *containing_or_null);
void harness_wait_log(struct process *process, const char *text, usec patience);

/* The loop runs until `done` says true. */
void harness_wait(struct harness *h, bool (*done)(void *arg), void *arg, usec patience);
/* Runs the loop for so long, for what must not happen. */
void harness_idle(struct harness *h, usec duration);
/* GET: the status (0: no connection); `ret_body` (may be NULL) gets the body, in the test's arena. */
int harness_get(struct harness *h, const char *url, const char **ret_body);
/* http://127.0.0.1:PORT/path of a program: the API's own port, the others' health port. In the test's arena. */
const char *harness_url(const struct process *process, const char *path);
/* A value of GET /metrics; -1: not there. `name` with its labels, if any. */
int64_t harness_metric(const struct process *process, const char *name);
/* A connection that only reads; opened at the first call, when the database exists (waits for it). The teardown
 * closes it. */
struct db *harness_db(struct harness *h);

/* The stored profile; false: there is none. Texts in the test's arena. */
bool harness_profile(struct harness *h, uint64_t user_id, struct profile *ret_profile);
/* Waits until the profile is there, present, and has this name and nickname (NULL: none). */
void harness_wait_profile(struct harness *h, uint64_t user_id, const char *name, const char *nick, usec patience);
/* Waits until the profile is there and (not) present. */
void harness_wait_present(struct harness *h, uint64_t user_id, bool present, usec patience);
/* Gateway totals of the fake. */
struct fake_gateway_stats harness_gateway(struct harness *h);

#endif
