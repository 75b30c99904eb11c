/* Eight programs start at the same moment where there is no database yet: one makes it, none fails, and those that talk
 * to Discord take turns. */
#include "harness.h"

#include <inttypes.h>
#include <stdio.h>

#include "models/db.h"

#define PATIENCE (60 * SECOND)

static const enum harness_program programs[] = { PROGRAM_BOT, PROGRAM_LISTENER, PROGRAM_API, PROGRAM_LISTENER,
	PROGRAM_BOT, PROGRAM_API, PROGRAM_LISTENER, PROGRAM_API };
#define PROGRAMS ARRAY_SIZE(programs)

static bool answers(struct harness *h, const struct process *process)
{
	const char *body;

	return harness_get(h, harness_url(process, "/healthz"), &body) != 0;
}

static void eight_programs_on_an_empty_volume(struct harness *h)
{
	static const char *const ports[] = {
		[PROGRAM_BOT] = "health__BOT_PORT",
		[PROGRAM_LISTENER] = "health__LISTENER_PORT",
		[PROGRAM_API] = "leveling_api__PORT",
	};
	struct str report cleanup(str_finish) = STR_INIT;
	struct process *processes[PROGRAMS];
	struct db *db;

	for (size_t i = 0; i < PROGRAMS; i++) {
		char port[16];

		snprintf(port, sizeof(port), "%d", harness_free_port(h));
		harness_set(h, ports[programs[i]], port);
		processes[i] = harness_spawn(h, programs[i], NULL);
	}
	for (size_t i = 0; i < PROGRAMS; i++) {
		usec deadline = loop_now(&h->loop) + PATIENCE;

		while (!answers(h, processes[i])) {
			if (!harness_running(processes[i]) || loop_now(&h->loop) > deadline)
				fail_msg("number %zu did not come up", i);
			harness_idle(h, 20 * MILLISECOND);
		}
	}
	harness_wait_healthy(processes[2], PATIENCE);
	harness_idle(h, SECOND);
	for (size_t i = 0; i < PROGRAMS; i++)
		assert_true(harness_running(processes[i]));
	/* Discord never had to refuse one that came too early. */
	assert_int_equal(harness_gateway(h).invalidated, 0);
	assert_int_equal(db_open(h->database, DB_READ_ONLY, &db, NULL), 0);
	assert_int_equal(db_check(db, false, &report), 0);
	db_close(db);
	for (size_t i = 0; i < PROGRAMS; i++)
		harness_stop(processes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST(eight_programs_on_an_empty_volume) };

	return harness_run("services_empty_volume", tests, ARRAY_SIZE(tests));
}
