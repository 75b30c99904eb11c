/* The listener is stopped or killed, the guild goes on, the listener comes back: nothing that happened meanwhile is
 * missed. */
#include "harness.h"

#include <signal.h>

struct people {
	uint64_t alice, bob, peggy;
};

static struct process *start(struct harness *h, struct people *people)
{
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	people->alice = fake_member(h->fake, "alice");
	people->bob = fake_member(h->fake, "bob");
	harness_wait_profile(h, people->alice, "alice", NULL, SOON);
	harness_wait_present(h, people->bob, true, SOON);
	harness_wait_log(listener, "the member list is compared", SOON);
	return listener;
}

static void life_goes_on(struct harness *h, struct people *people)
{
	assert_int_equal(fake_rename(h->fake, people->alice, "alicia", "Alicia"), 0);
	assert_int_equal(fake_nick(h->fake, people->alice, "Al"), 0);
	assert_int_equal(fake_leave(h->fake, people->bob), 0);
	people->peggy = fake_join(h->fake, "peggy", "Peggy", false);
	assert_true(people->peggy);
}

static void all_is_known(struct harness *h, const struct people *people)
{
	harness_wait_profile(h, people->alice, "alicia", "Al", SOON);
	harness_wait_present(h, people->bob, false, SOON);
	harness_wait_profile(h, people->peggy, "peggy", NULL, SOON);
}

static void a_planned_restart_resumes(struct harness *h)
{
	struct people people;
	struct process *listener = start(h, &people);

	harness_stop(listener);
	assert_int_equal(harness_gateway(h).last_client_close, 0);
	life_goes_on(h, &people);
	listener = harness_start(h, PROGRAM_LISTENER);
	all_is_known(h, &people);
	assert_int_equal(harness_gateway(h).identified, 1);
	assert_int_equal(harness_gateway(h).resumed, 1);
	harness_stop(listener);
}

static void a_killed_listener_resumes(struct harness *h)
{
	struct people people;
	struct process *listener = start(h, &people);

	harness_kill(listener);
	life_goes_on(h, &people);
	listener = harness_start(h, PROGRAM_LISTENER);
	all_is_known(h, &people);
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

/* Discord has forgotten the session: the events are lost, the member list tells what is. */
static void a_lost_session_is_made_up_for_by_the_list(struct harness *h)
{
	struct people people;
	struct process *listener = start(h, &people);

	harness_stop(listener);
	fake_forget_sessions(h->fake);
	life_goes_on(h, &people);
	listener = harness_spawn(h, PROGRAM_LISTENER, NULL);
	harness_wait_healthy(listener, SOON);
	all_is_known(h, &people);
	assert_int_equal(harness_gateway(h).identified, 2);
	harness_stop(listener);
}

static void many_restarts_cost_no_identify(struct harness *h)
{
	struct people people;
	struct process *listener = start(h, &people);

	for (int i = 0; i < 5; i++) {
		char nick[16];

		harness_signal(listener, i % 2 ? SIGKILL : SIGTERM);
		harness_wait_exit(listener, 5 * SECOND);
		snprintf(nick, sizeof(nick), "Al %d", i);
		assert_int_equal(fake_nick(h->fake, people.alice, nick), 0);
		listener = harness_start(h, PROGRAM_LISTENER);
		harness_wait_profile(h, people.alice, "alice", nick, SOON);
	}
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

int main(void)
{
	static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(a_planned_restart_resumes, &options),
		HARNESS_TEST_WITH(a_killed_listener_resumes, &options),
		HARNESS_TEST_WITH(a_lost_session_is_made_up_for_by_the_list, &options),
		HARNESS_TEST_WITH(many_restarts_cost_no_identify, &options),
	};

	return harness_run("listener_down_rename", tests, ARRAY_SIZE(tests));
}
