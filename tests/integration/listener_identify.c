/* Identifies are scarce: 1000 a day for all programs together, and Discord resets the token of who uses them up. */
#include "harness.h"

#define COMPARED "the member list is compared"

static void the_last_ones_are_kept(struct harness *h)
{
	struct process *listener = harness_spawn(h, PROGRAM_LISTENER, NULL);

	harness_wait_unhealthy(listener, "identifies", SOON);
	harness_idle(h, 500 * MILLISECOND);
	assert_int_equal(harness_gateway(h).connected, 0);
	assert_int_equal(harness_log_lines(listener, "few of today's identifies"), 1);
	harness_stop(listener);
}

/* Killed as soon as it runs, and at every moment before: what was stored is resumed, what was not keeps its
 * distance. */
static void a_crash_loop_uses_few(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener;

	for (int i = 0; i < 20; i++) {
		listener = harness_spawn(h, PROGRAM_LISTENER, NULL);
		harness_idle(h, (20 + 15 * i) * MILLISECOND);
		harness_kill(listener);
	}
	assert_true(harness_gateway(h).identified <= 2);
	assert_int_equal(fake_nick(h->fake, alice, "after all"), 0);
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_wait_profile(h, alice, "alice", "after all", SOON);
	assert_true(harness_gateway(h).identified <= 3);
	harness_stop(listener);
}

static void a_configured_gateway_is_not_asked_for(struct harness *h)
{
	struct process *listener;

	harness_set(h, "discord__GATEWAY_URL", fake_gateway_url(h->fake));
	listener = harness_start(h, PROGRAM_LISTENER);
	assert_int_equal(fake_count_calls(h->fake, "GET", "/gateway/bot", NULL), 0);
	harness_stop(listener);
}

/* Discord answers an identify that comes too early, or whenever it likes, with an invalid session. */
static void refused_identifies_are_repeated_in_time(struct harness *h)
{
	struct process *listener;

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .refuse_identifies = 1 });
	listener = harness_spawn(h, PROGRAM_LISTENER, NULL);
	harness_wait_healthy(listener, SOON);
	harness_wait_log(listener, COMPARED, SOON);
	harness_stop(listener);
}

int main(void)
{
	static const struct fake_options few = { .identify_limit = 40 };
	static const struct fake_options plain = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(the_last_ones_are_kept, &few),
		HARNESS_TEST_WITH(a_crash_loop_uses_few, &plain),
		HARNESS_TEST_WITH(a_configured_gateway_is_not_asked_for, &plain),
		HARNESS_TEST_WITH(refused_identifies_are_repeated_in_time, &plain),
	};

	return harness_run("listener_identify", tests, ARRAY_SIZE(tests));
}
