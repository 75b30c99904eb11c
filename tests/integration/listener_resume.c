/* Every way in which the gateway can fail: the listener comes back, and what was renamed meanwhile is known. */
#include "harness.h"

#define COMPARED "the member list is compared"

static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND,
	.heartbeat = 300 * MILLISECOND };

static struct process *start(struct harness *h)
{
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	harness_wait_log(listener, COMPARED, SOON);
	return listener;
}

/* After the fault: a rename must get through, and the listener must be the same process, healthy. */
static void is_back(struct harness *h, struct process *listener, const char *nick)
{
	uint64_t alice = fake_member(h->fake, "alice");

	assert_int_equal(fake_nick(h->fake, alice, nick), 0);
	harness_wait_profile(h, alice, "alice", nick, SOON);
	harness_wait_healthy(listener, SOON);
}

static void lost_connections_are_resumed(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_drop(h->fake, FAKE_ALL);
	is_back(h, listener, "drop");
	fake_gateway_reset(h->fake, FAKE_ALL);
	is_back(h, listener, "reset");
	fake_gateway_reconnect(h->fake, FAKE_ALL);
	is_back(h, listener, "op 7");
	fake_gateway_invalidate(h->fake, FAKE_ALL, true);
	is_back(h, listener, "op 9 true");
	assert_int_equal(harness_gateway(h).identified, 1);
	assert_int_equal(harness_gateway(h).resumed, 4);
	harness_stop(listener);
}

static void close_codes_that_resume(struct harness *h)
{
	static const int codes[] = { 4000, 4001, 4002, 4005, 4008, 4999 };
	struct process *listener = start(h);

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char nick[16];

		snprintf(nick, sizeof(nick), "code %d", codes[i]);
		fake_gateway_close(h->fake, FAKE_ALL, codes[i]);
		is_back(h, listener, nick);
	}
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

/* Whether the session survives these is Discord's business; we come back either way. */
static void close_codes_that_may_end_the_session(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_close(h->fake, FAKE_ALL, 4003);
	is_back(h, listener, "4003");
	fake_gateway_close(h->fake, FAKE_ALL, 1000);
	is_back(h, listener, "1000");
	harness_stop(listener);
}

static void invalid_sessions_are_replaced(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_invalidate(h->fake, FAKE_ALL, false);
	is_back(h, listener, "op 9 false");
	assert_int_equal(harness_gateway(h).identified, 2);
	fake_gateway_close(h->fake, FAKE_ALL, 4009);
	is_back(h, listener, "4009");
	assert_int_equal(harness_gateway(h).identified, 3);
	harness_stop(listener);
}

static void a_dead_connection_is_noticed(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .no_ack = true });
	harness_wait_log(listener, "not connected to the gateway", SOON);
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ 0 });
	is_back(h, listener, "zombie");
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

static void resumes_that_fail_end_in_a_new_session(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .drop_resumes = 3 });
	fake_gateway_drop(h->fake, FAKE_ALL);
	is_back(h, listener, "third time");
	assert_int_equal(harness_gateway(h).identified, 2);
	harness_stop(listener);
}

static void a_refused_resume_ends_in_a_new_session(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .refuse_resumes = 1 });
	fake_gateway_drop(h->fake, FAKE_ALL);
	is_back(h, listener, "refused");
	assert_int_equal(harness_gateway(h).identified, 2);
	harness_stop(listener);
}

static void odd_deliveries_change_nothing(struct harness *h)
{
	struct process *listener;

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .fragment = 7 });
	listener = start(h);
	is_back(h, listener, "fragments");
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .duplicate = 5 });
	is_back(h, listener, "twice");
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .reconnect_before_hello = true });
	fake_gateway_drop(h->fake, FAKE_ALL);
	harness_idle(h, 500 * MILLISECOND);
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ 0 });
	is_back(h, listener, "op 7 first");
	fake_gateway_send(h->fake, FAKE_ALL, "no json", 7);
	is_back(h, listener, "garbage");
	fake_gateway_ask_heartbeat(h->fake, FAKE_ALL);
	is_back(h, listener, "op 1");
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

/* The question where the gateway is may be limited for a day (discord-api-docs, issue 8570); a session is resumed at an
 * address of its own. */
static void a_stored_session_needs_no_answer_about_the_gateway(struct harness *h)
{
	const struct fake_rest_fault limited = {
		.kind = FAKE_REST_LIMIT_USER, .path = "/gateway/bot", .delay = HOUR, .count = -1
	};
	struct process *listener = start(h);

	harness_stop(listener);
	assert_int_equal(fake_rest_fault(h->fake, &limited), 0);
	listener = harness_start(h, PROGRAM_LISTENER);
	is_back(h, listener, "limited");
	assert_int_equal(harness_gateway(h).identified, 1);
	assert_int_equal(harness_gateway(h).resumed, 1);
	harness_stop(listener);
}

static void an_unreachable_gateway_is_waited_for(struct harness *h)
{
	struct process *listener = start(h);

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .refuse_connections = 3 });
	fake_gateway_drop(h->fake, FAKE_ALL);
	harness_wait_unhealthy(listener, "gateway", SOON);
	is_back(h, listener, "patience");
	harness_stop(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(lost_connections_are_resumed, &options),
		HARNESS_TEST_WITH(close_codes_that_resume, &options),
		HARNESS_TEST_WITH(close_codes_that_may_end_the_session, &options),
		HARNESS_TEST_WITH(invalid_sessions_are_replaced, &options),
		HARNESS_TEST_WITH(a_dead_connection_is_noticed, &options),
		HARNESS_TEST_WITH(resumes_that_fail_end_in_a_new_session, &options),
		HARNESS_TEST_WITH(a_refused_resume_ends_in_a_new_session, &options),
		HARNESS_TEST_WITH(odd_deliveries_change_nothing, &options),
		HARNESS_TEST_WITH(a_stored_session_needs_no_answer_about_the_gateway, &options),
		HARNESS_TEST_WITH(an_unreachable_gateway_is_waited_for, &options),
	};

	return harness_run("listener_resume", tests, ARRAY_SIZE(tests));
}
