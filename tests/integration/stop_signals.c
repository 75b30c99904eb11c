/* SIGTERM, SIGINT and SIGUSR1 in every state: clean end within 5 s, the session stays resumable; the state in the
 * log on demand. */
#include "harness.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

static const enum harness_program all[] = { PROGRAM_BOT, PROGRAM_LISTENER, PROGRAM_API };

static void programs_end_cleanly(struct harness *h)
{
	static const int signals[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		for (size_t s = 0; s < ARRAY_SIZE(signals); s++) {
			struct process *process = harness_start(h, all[i]);

			harness_signal(process, signals[s]);
			assert_int_equal(harness_wait_exit(process, 5 * SECOND), 0);
			/* No close frame: Discord keeps the session for a while. */
			assert_int_equal(harness_gateway(h).last_client_close, 0);
		}
	}
	assert_int_equal(harness_gateway(h).identified, 2);
	assert_int_equal(harness_gateway(h).resumed, 2);
}

static void the_state_goes_to_the_log(struct harness *h)
{
	static const enum harness_program clients[] = { PROGRAM_BOT, PROGRAM_LISTENER };

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		struct process *process = harness_start(h, clients[i]);

		harness_signal(process, SIGUSR1);
		harness_wait_log(process, "line=\"gateway", SOON);
		harness_wait_log(process, "line=\"batch", SOON);
		harness_wait_healthy(process, SOON);
		harness_stop(process);
	}
}

/* Another program migrates the database, say, and the loop does not run yet. */
static void a_start_that_waits_for_the_database_can_be_stopped(struct harness *h)
{
	static const enum harness_program clients[] = { PROGRAM_BOT, PROGRAM_LISTENER };
	static const int signals[] = { SIGTERM, SIGINT };
	const char *path = arena_printf(&h->arena, "%s.migrate.lock", h->database);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(lock >= 0);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		for (size_t s = 0; s < ARRAY_SIZE(signals); s++) {
			struct process *process = harness_spawn(h, clients[i], NULL);

			harness_wait_log(process, "starting", SOON);
			/* asking for the state ends nobody */
			harness_signal(process, SIGUSR1);
			harness_idle(h, 100 * MILLISECOND);
			assert_true(harness_running(process));
			harness_signal(process, signals[s]);
			assert_int_equal(harness_wait_exit(process, 5 * SECOND), 0);
		}
	}
	close(lock);
}

static void a_start_that_waits_for_discord_can_be_stopped(struct harness *h)
{
	const struct fake_rest_fault away = { .kind = FAKE_REST_STATUS, .status = 503, .count = -1 };
	const struct fake_rest_fault slow = { .kind = FAKE_REST_SLOW, .delay = 20 * SECOND, .count = -1 };
	struct process *process;

	assert_int_equal(fake_rest_fault(h->fake, &away), 0);
	process = harness_spawn(h, PROGRAM_LISTENER, NULL);
	harness_wait_unhealthy(process, "starting", SOON);
	harness_stop(process);

	fake_rest_clear_faults(h->fake);
	assert_int_equal(fake_rest_fault(h->fake, &slow), 0);
	process = harness_spawn(h, PROGRAM_BOT, NULL);
	harness_wait_unhealthy(process, "starting", SOON);
	harness_stop(process);
}

static void a_wait_for_the_gateway_can_be_stopped(struct harness *h)
{
	struct process *process;

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .silent = true });
	process = harness_spawn(h, PROGRAM_LISTENER, NULL);
	harness_wait_unhealthy(process, "gateway", SOON);
	harness_stop(process);
}

int main(void)
{
	static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(programs_end_cleanly, &options),
		HARNESS_TEST_WITH(the_state_goes_to_the_log, &options),
		HARNESS_TEST_WITH(a_start_that_waits_for_the_database_can_be_stopped, &options),
		HARNESS_TEST_WITH(a_start_that_waits_for_discord_can_be_stopped, &options),
		HARNESS_TEST_WITH(a_wait_for_the_gateway_can_be_stopped, &options),
	};

	return harness_run("stop_signals", tests, ARRAY_SIZE(tests));
}
