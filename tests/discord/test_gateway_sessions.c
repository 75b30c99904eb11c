/* discord/gateway.h over several steps: heartbeats, sessions, back-off, limits and what is written. */
#include "gateway_world.h"

/* ---- heartbeats ---- */

static void first_heartbeat_is_spread_over_the_interval(void **state)
{
	usec least = INT64_MAX, most = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct world w;
		usec wait;

		world_open(&w, true);
		random_init(&w.random, seed);
		world_greet(&w);
		wait = gateway_deadline(w.gateway) - w.now;
		assert_true(wait >= 0 && wait < HELLO_INTERVAL);
		least = MIN(least, wait);
		most = MAX(most, wait);
		world_close(&w);
	}
	assert_true(least < HELLO_INTERVAL / 20);
	assert_true(most > GATEWAY_SESSION_TIMEOUT * 19 / 20); /* the deadline of the resume comes before later ones */
}

static void heartbeats_follow_the_interval(void **state)
{
	struct world w;
	usec last = 0;

	(void)state;
	world_live(&w);
	for (int i = 0; i < 50; i++) {
		assert_string_equal(wait_timer(&w), "heartbeat");
		if (last > 0)
			assert_int_equal(w.now - last, HELLO_INTERVAL);
		last = w.now;
		assert_string_equal(frame(&w, GATEWAY_OP_HEARTBEAT_ACK, 0, NULL, "null"), "");
	}
	assert_int_equal(gateway_zombies(w.gateway), 0);
	world_close(&w);
}

/* Case 1 of the failure list: no ACK. */
static void silence_between_two_heartbeats_is_a_zombie(void **state)
{
	struct world w;
	usec first;

	(void)state;
	world_live(&w);
	assert_string_equal(wait_timer(&w), "heartbeat");
	first = w.now;
	assert_string_equal(wait_timer(&w), "drop");
	assert_true(w.now - first <= 2 * HELLO_INTERVAL);
	assert_int_equal(gateway_zombies(w.gateway), 1);
	assert_string_equal(closed(&w, 0), "down");
	world_reconnect(&w);
	assert_string_equal(w.actions, "resume");
	world_close(&w);
}

static void any_frame_is_a_sign_of_life(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	for (int i = 0; i < 20; i++) {
		assert_string_equal(wait_timer(&w), "heartbeat");
		if (i % 2)
			dispatch(&w, 10 + i, "TYPING_START");
		else
			frame(&w, GATEWAY_OP_HEARTBEAT, 0, NULL, "null");
	}
	assert_int_equal(gateway_zombies(w.gateway), 0);
	world_close(&w);
}

/* The process slept (a stopped container, a slow disk): the answers wait in the socket. */
static void a_late_timer_proves_nothing(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	assert_string_equal(wait_timer(&w), "heartbeat");
	w.now += 10 * MINUTE;
	assert_string_equal(step(&w, GATEWAY_TIMER), "heartbeat");
	assert_string_equal(wait_timer(&w), "drop");
	world_close(&w);
}

static void latency_is_measured(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	assert_int_equal(gateway_latency(w.gateway), 0);
	frame(&w, GATEWAY_OP_HEARTBEAT_ACK, 0, NULL, "null"); /* nobody asked */
	assert_int_equal(gateway_latency(w.gateway), 0);
	wait_timer(&w);
	w.now += 83 * MILLISECOND;
	frame(&w, GATEWAY_OP_HEARTBEAT_ACK, 0, NULL, "null");
	assert_int_equal(gateway_latency(w.gateway), 83 * MILLISECOND);
	world_close(&w);
}

static void intervals_are_kept_within_reason(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	step(&w, GATEWAY_START);
	step(&w, GATEWAY_OPENED);
	frame(&w, GATEWAY_OP_HELLO, 0, NULL, "{'heartbeat_interval':9007199254740991}");
	step(&w, GATEWAY_CLAIMED);
	ready(&w);
	wait_timer(&w);
	assert_true(gateway_deadline(w.gateway) - w.now <= 10 * MINUTE);
	world_close(&w);
	world_open(&w, false);
	step(&w, GATEWAY_START);
	step(&w, GATEWAY_OPENED);
	frame(&w, GATEWAY_OP_HELLO, 0, NULL, "{'heartbeat_interval':1}");
	step(&w, GATEWAY_CLAIMED);
	ready(&w);
	wait_timer(&w);
	assert_true(gateway_deadline(w.gateway) - w.now >= 50 * MILLISECOND);
	world_close(&w);
}

/* ---- sequences ---- */

static void expect_heartbeat(const struct world *w, const char *d)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct str expected cleanup(str_finish) = STR_INIT;

	str_printf(&expected, "{\"op\":1,\"d\":%s}", d);
	gateway_write_heartbeat(w->gateway, &text);
	assert_string_equal(text.buf, expected.buf);
}

static void heartbeats_carry_what_is_committed(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	expect_heartbeat(&w, "null");
	dispatch(&w, 2, "A");
	dispatch(&w, 3, "B");
	assert_int_equal(gateway_sequence(w.gateway), 3);
	expect_heartbeat(&w, "null");
	gateway_committed(w.gateway, 2);
	expect_heartbeat(&w, "2");
	gateway_committed(w.gateway, 1); /* what is committed stays so */
	expect_heartbeat(&w, "2");
	gateway_committed(w.gateway, 5000); /* nobody can commit what did not come */
	expect_heartbeat(&w, "3");
	world_close(&w);
}

static void duplicates_are_not_dispatched(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	assert_string_equal(dispatch(&w, 2, "A"), "dispatch");
	assert_string_equal(dispatch(&w, 2, "A"), "");
	assert_string_equal(dispatch(&w, 1, "READY"), "");
	assert_string_equal(dispatch(&w, 3, "B"), "dispatch");
	assert_string_equal(dispatch(&w, 9, "C"), "dispatch"); /* gaps are Discord's affair */
	assert_int_equal(gateway_duplicates(w.gateway), 2);
	assert_string_equal(dispatch(&w, 0, "NO_SEQUENCE"), "dispatch");
	assert_int_equal(gateway_sequence(w.gateway), 9);
	world_close(&w);
}

/* What was received and not committed comes again after a resume, and is dispatched again. */
static void resume_begins_at_the_committed_sequence(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct world w;

	(void)state;
	world_live(&w);
	for (int i = 2; i <= 10; i++)
		dispatch(&w, i, "A");
	gateway_committed(w.gateway, 6);
	closed(&w, 0);
	world_reconnect(&w);
	assert_string_equal(w.actions, "resume");
	gateway_committed(w.gateway, 7); /* the owner committed one more meanwhile */
	gateway_write_resume(w.gateway, &text);
	assert_string_equal(text.buf, "{\"op\":6,\"d\":{\"token\":\"the-token\",\"session_id\":\"s1\",\"seq\":7}}");
	assert_string_equal(dispatch(&w, 7, "A"), "");
	assert_string_equal(dispatch(&w, 8, "A"), "replayed");
	assert_string_equal(dispatch(&w, 9, "A"), "replayed");
	assert_string_equal(dispatch(&w, 10, "A"), "replayed");
	assert_string_equal(dispatch(&w, 11, "RESUMED"), "up dispatch");
	assert_string_equal(dispatch(&w, 12, "A"), "dispatch");
	world_close(&w);
}

/* ---- identify ---- */

static void identify_waits_for_the_claim(void **state)
{
	struct world w;
	usec before;

	(void)state;
	world_open(&w, false);
	world_greet(&w);
	assert_string_equal(w.actions, "claim");
	before = w.now;
	assert_string_equal(
		step_event(&w, &(struct gateway_event){ .kind = GATEWAY_CLAIM_WAIT, .wait = 5 * SECOND }), "");
	while (!streq(wait_timer(&w), "claim"))
		assert_string_equal(w.actions, "heartbeat");
	assert_true(w.now - before >= 5 * SECOND && w.now - before < 6 * SECOND);
	assert_string_equal(step(&w, GATEWAY_CLAIMED), "identify");
	assert_string_equal(step(&w, GATEWAY_CLAIMED), "");
	world_close(&w);
}

static void a_long_wait_for_the_claim_is_spent_offline(void **state)
{
	struct world w;
	usec before;

	(void)state;
	world_open(&w, false);
	world_greet(&w);
	before = w.now;
	assert_string_equal(
		step_event(&w, &(struct gateway_event){ .kind = GATEWAY_CLAIM_WAIT, .wait = HOUR }), "drop");
	assert_string_equal(closed(&w, 0), "down");
	assert_string_equal(wait_timer(&w), "connect");
	assert_true(w.now - before >= HOUR);
	world_close(&w);
}

static void a_claim_wait_of_nothing_is_still_a_pause(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	world_greet(&w);
	step_event(&w, &(struct gateway_event){ .kind = GATEWAY_CLAIM_WAIT, .wait = -5 });
	assert_true(gateway_deadline(w.gateway) >= w.now);
	step(&w, GATEWAY_TIMER);
	assert_true(strstr(w.actions, "claim") == NULL);
	world_close(&w);
}

static void ready_without_a_session_is_refused(void **state)
{
	static const char *const bad[] = { "{}", "{'session_id':''}", "{'session_id':5}", NULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct world w;
		char *long_id = xcalloc(1, 1000);

		snprintf(long_id, 1000, "{'session_id':'%0900d'}", 1);
		world_open(&w, false);
		world_greet(&w);
		step(&w, GATEWAY_CLAIMED);
		assert_string_equal(frame(&w, 0, 1, "READY", bad[i] ? bad[i] : long_id), "drop");
		assert_null(gateway_session_id(w.gateway));
		free(long_id);
		world_close(&w);
	}
}

static void what_is_written_fits_discord(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	snowflake ids[101];
	struct world w;

	(void)state;
	world_open(&w, false);
	gateway_write_identify(w.gateway, &text);
	assert_string_equal(text.buf,
		"{\"op\":2,\"d\":{\"token\":\"the-token\",\"intents\":513,\"properties\":{\"os\":\"linux\",\"browser\":"
		"\"wall_e\",\"device\":\"wall_e\"}}}");
	str_clear(&text);
	assert_int_equal(gateway_write_request_members(42, "n1", NULL, 0, &text), 0);
	assert_string_equal(
		text.buf, "{\"op\":8,\"d\":{\"guild_id\":\"42\",\"query\":\"\",\"limit\":0,\"nonce\":\"n1\"}}");
	str_clear(&text);
	assert_int_equal(gateway_write_request_members(42, NULL, (const snowflake[]){ 1, 2 }, 2, &text), 0);
	assert_string_equal(text.buf, "{\"op\":8,\"d\":{\"guild_id\":\"42\",\"user_ids\":[\"1\",\"2\"],\"limit\":0}}");
	str_clear(&text);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		ids[i] = INT64_MAX;
	/* the worst nonce: every byte becomes six */
	assert_int_equal(gateway_write_request_members(INT64_MAX,
				 "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", ids, 100, &text),
		0);
	assert_true(text.len <= GATEWAY_PAYLOAD_MAX);
	assert_int_equal(gateway_write_request_members(42, NULL, ids, 101, &text), -EINVAL);
	assert_int_equal(
		gateway_write_request_members(42, "012345678901234567890123456789012", NULL, 0, &text), -EINVAL);
	world_close(&w);
}

/* ---- losing and finding a connection ---- */

static void backoff_grows_to_its_limit_and_is_reset_by_a_session_only(void **state)
{
	usec full = GATEWAY_BACKOFF_FIRST;
	struct world w;

	(void)state;
	world_open(&w, true);
	step(&w, GATEWAY_START);
	for (int i = 0; i < 20; i++) {
		usec wait;

		closed(&w, 0);
		wait = gateway_deadline(w.gateway) - w.now;
		assert_true(wait >= full / 2 && wait <= full);
		full = MIN(full * 2, GATEWAY_BACKOFF_MAX);
		assert_string_equal(wait_timer(&w), "connect");
	}
	/* an open socket and a HELLO are no success */
	step(&w, GATEWAY_OPENED);
	hello(&w);
	closed(&w, 0);
	assert_true(gateway_deadline(w.gateway) - w.now >= GATEWAY_BACKOFF_MAX / 2);
	world_reconnect(&w);
	dispatch(&w, 101, "RESUMED");
	closed(&w, 0);
	assert_true(gateway_deadline(w.gateway) - w.now <= GATEWAY_BACKOFF_FIRST);
	world_close(&w);
}

/* Case 3: op 7 before HELLO. */
static void reconnect_before_hello_keeps_the_session(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	closed(&w, 0);
	wait_timer(&w);
	step(&w, GATEWAY_OPENED);
	assert_string_equal(frame(&w, GATEWAY_OP_RECONNECT, 0, NULL, "null"), "drop");
	assert_string_equal(closed(&w, 0), "down");
	world_reconnect(&w);
	assert_string_equal(w.actions, "resume");
	world_close(&w);
}

/* Case 4: op 9. */
static void invalid_session_waits_one_to_five_seconds(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		for (int resumable = 0; resumable < 2; resumable++) {
			struct world w;
			usec wait;

			world_live(&w);
			random_init(&w.random, seed);
			frame(&w, GATEWAY_OP_INVALID_SESSION, 0, NULL, resumable ? "true" : "false");
			assert_string_equal(w.actions, resumable ? "drop" : "session drop");
			closed(&w, 0);
			wait = gateway_deadline(w.gateway) - w.now;
			assert_true(wait >= SECOND && wait <= 5 * SECOND);
			world_reconnect(&w);
			assert_string_equal(w.actions, resumable ? "resume" : "claim");
			world_close(&w);
		}
	}
}

/* Case 5: resumes that die. */
static void three_failed_resumes_end_the_session(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	closed(&w, 0);
	for (int i = 1; i <= 3; i++) {
		world_reconnect(&w);
		assert_string_equal(w.actions, "resume");
		assert_string_equal(closed(&w, 1006), i < 3 ? "down" : "down session");
	}
	assert_null(gateway_session_id(w.gateway));
	world_reconnect(&w);
	assert_string_equal(w.actions, "claim");
	/* failures to identify are no failed resumes */
	closed(&w, 1006);
	world_reconnect(&w);
	assert_string_equal(w.actions, "claim");
	world_close(&w);
}

static void failed_resumes_count_in_a_row_only(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	for (int round = 0; round < 5; round++) {
		closed(&w, 0);
		for (int i = 0; i < 2; i++) {
			world_reconnect(&w);
			closed(&w, 0);
		}
		world_reconnect(&w);
		assert_string_equal(w.actions, "resume");
		dispatch(&w, 10 + round, "RESUMED");
	}
	world_close(&w);
}

/* The disk is full: the owner drops every replay. Discord is not to blame, so the session is kept. */
static void drops_by_the_owner_do_not_cost_the_session(void **state)
{
	struct world w;
	usec wait = 0;

	(void)state;
	world_live(&w);
	for (int i = 0; i < 10; i++) {
		assert_string_equal(
			step_event(&w, &(struct gateway_event){ .kind = GATEWAY_RECONNECT, .reason = "disk full" }),
			"drop");
		assert_string_equal(closed(&w, 0), "down");
		assert_string_equal(gateway_reason(w.gateway), "disk full");
		wait = gateway_deadline(w.gateway) - w.now;
		world_reconnect(&w);
		assert_string_equal(w.actions, "resume");
		dispatch(&w, 100 + i, "RESUMED");
	}
	assert_true(wait > 10 * SECOND); /* a RESUMED alone does not reset this back-off */
	gateway_committed(w.gateway, 109);
	step(&w, GATEWAY_RECONNECT);
	closed(&w, 0);
	assert_true(gateway_deadline(w.gateway) - w.now <= SECOND);
	world_close(&w);
}

static void expect_address(const struct world *w, const char *expected)
{
	struct str text cleanup(str_finish) = STR_INIT;

	gateway_address(w->gateway, &text);
	assert_string_equal(text.buf, expected);
}

static void the_resume_address_takes_turns_when_it_is_dead(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	expect_address(&w, "wss://resume.example/?v=10&encoding=json");
	closed(&w, 0);
	for (int i = 0; i < 12; i++) {
		wait_timer(&w);
		expect_address(&w, i / GATEWAY_UNREACHABLE % 2 ? "wss://gateway.example/?v=10&encoding=json"
							       : "wss://resume.example/?v=10&encoding=json");
		closed(&w, 0);
	}
	assert_string_equal(gateway_session_id(w.gateway), "s1"); /* an outage is no lost session */
	wait_timer(&w);
	step(&w, GATEWAY_OPENED);
	expect_address(&w, "wss://resume.example/?v=10&encoding=json");
	world_close(&w);
}

static void addresses_get_their_query(void **state)
{
	static const struct {
		const char *url;
		bool compress;
		const char *expected;
	} cases[] = {
		{ "wss://g.example", false, "wss://g.example/?v=10&encoding=json" },
		{ "wss://g.example/", false, "wss://g.example/?v=10&encoding=json" },
		{ "wss://g.example:443/", true, "wss://g.example:443/?v=10&encoding=json&compress=zlib-stream" },
		{ "wss://g.example/?v=6&encoding=etf", false, "wss://g.example/?v=10&encoding=json" },
		{ "wss://g.example?v=6", false, "wss://g.example/?v=10&encoding=json" },
		{ "ws://127.0.0.1:8080/gateway#x", false, "ws://127.0.0.1:8080/gateway?v=10&encoding=json" },
		{ "g.example", false, "g.example?v=10&encoding=json" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w = { 0 };

		w.gateway = gateway_create(&(struct gateway_options){
			.token = "t", .gateway_url = cases[i].url, .compress = cases[i].compress });
		expect_address(&w, cases[i].expected);
		world_close(&w);
	}
}

/* The token goes there: not over an open line, unless the general address is one too. */
static void the_resume_address_must_be_as_safe_as_the_general_one(void **state)
{
	char *long_url = xasprintf("wss://%0600d", 1);
	const struct {
		const char *general, *resume, *expected;
	} cases[] = {
		{ "wss://g", "wss://r", "wss://r" },
		{ "wss://g", "ws://r", "wss://g" },
		{ "wss://g", "http://r", "wss://g" },
		{ "wss://g", NULL, "wss://g" },
		{ "wss://g", long_url, "wss://g" },
		{ "ws://g", "ws://r", "ws://r" },
		{ "ws://g", "wss://r", "wss://r" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gateway *gateway = gateway_create(&(struct gateway_options){
			.token = "t",
			.gateway_url = cases[i].general,
			.session_id = "s",
			.resume_url = cases[i].resume,
			.sequence = 1,
		});

		assert_string_equal(gateway_resume_url(gateway), cases[i].expected);
		gateway_destroy(gateway);
	}
	free(long_url);
}

static void a_stored_session_needs_an_id_and_a_sequence(void **state)
{
	const struct gateway_options useless[] = {
		{ .gateway_url = "wss://g", .session_id = NULL, .sequence = 5 },
		{ .gateway_url = "wss://g", .session_id = "", .sequence = 5 },
		{ .gateway_url = "wss://g", .session_id = "s", .sequence = 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(useless); i++) {
		struct gateway *gateway = gateway_create(&useless[i]);

		assert_null(gateway_session_id(gateway));
		gateway_destroy(gateway);
	}
	gateway_destroy(NULL);
}

static void deadlines_end_what_does_not_come(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	step(&w, GATEWAY_START);
	step(&w, GATEWAY_OPENED);
	assert_int_equal(gateway_deadline(w.gateway) - w.now, GATEWAY_HELLO_TIMEOUT);
	assert_string_equal(wait_timer(&w), "drop");
	assert_string_equal(gateway_reason(w.gateway), "no HELLO");
	closed(&w, 0);
	world_reconnect(&w);
	step(&w, GATEWAY_CLAIMED);
	while (streq(wait_timer(&w), "heartbeat"))
		frame(&w, GATEWAY_OP_HEARTBEAT_ACK, 0, NULL, "null");
	assert_string_equal(w.actions, "drop");
	assert_string_equal(gateway_reason(w.gateway), "no READY");
	world_close(&w);
}

static void a_long_replay_moves_its_deadline(void **state)
{
	struct world w;
	usec start;

	(void)state;
	world_open(&w, true);
	world_greet(&w);
	start = w.now;
	for (int i = 0; i < 20; i++) {
		w.now += 10 * SECOND;
		step(&w, GATEWAY_TIMER);
		assert_string_equal(dispatch(&w, 101 + i, "A"), "replayed");
	}
	assert_true(w.now - start > 3 * GATEWAY_SESSION_TIMEOUT);
	/* heartbeats are answered, but nothing is replayed any more */
	while (streq(wait_timer(&w), "heartbeat"))
		frame(&w, GATEWAY_OP_HEARTBEAT_ACK, 0, NULL, "null");
	assert_string_equal(w.actions, "drop");
	assert_string_equal(gateway_reason(w.gateway), "no RESUMED");
	world_close(&w);
}

/* ---- the end ---- */

static void stopping_keeps_the_session(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	assert_string_equal(step(&w, GATEWAY_STOP), "drop");
	assert_string_equal(step(&w, GATEWAY_STOP), "");
	assert_string_equal(closed(&w, 0), "down finish");
	assert_false(gateway_refused(w.gateway));
	assert_string_equal(gateway_session_id(w.gateway), "s1");
	world_close(&w);
}

static void stopping_wins_over_a_reconnect(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	assert_string_equal(frame(&w, GATEWAY_OP_RECONNECT, 0, NULL, "null"), "drop");
	assert_string_equal(step(&w, GATEWAY_STOP), "");
	assert_string_equal(closed(&w, 4004), "down finish");
	assert_false(gateway_refused(w.gateway));
	world_close(&w);
}

static void reasons_say_why(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	step_event(&w, &(struct gateway_event){ .kind = GATEWAY_CLOSED, .reason = "Connection reset by peer" });
	assert_string_equal(gateway_reason(w.gateway), "Connection reset by peer");
	wait_timer(&w);
	closed(&w, 0);
	assert_string_equal(gateway_reason(w.gateway), "connection lost");
	wait_timer(&w);
	closed(&w, 1006);
	assert_string_equal(gateway_reason(w.gateway), "closed with code 1006");
	wait_timer(&w);
	closed(&w, 4008);
	assert_string_equal(gateway_reason(w.gateway), "4008: too many payloads");
	world_reconnect(&w);
	step(&w, GATEWAY_BROKEN);
	closed(&w, 1002); /* our own reason is the better one */
	assert_string_equal(gateway_reason(w.gateway), "");
	world_close(&w);
}

/* ---- the send limit ---- */

static void sends_leave_room_for_heartbeats(void **state)
{
	struct world w;
	int sent = 0;
	usec wait;

	(void)state;
	world_live(&w);
	while (gateway_send_wait(w.gateway, w.now) == 0) {
		gateway_sent(w.gateway, w.now);
		sent++;
	}
	assert_in_range(sent, 100, 116);
	wait = gateway_send_wait(w.gateway, w.now);
	assert_true(wait > 0 && wait <= GATEWAY_SEND_WINDOW);
	/* heartbeats still go, until the very limit */
	for (int i = sent + 1; i < GATEWAY_SEND_LIMIT; i++)
		assert_string_equal(frame(&w, GATEWAY_OP_HEARTBEAT, 0, NULL, "null"), "heartbeat");
	assert_string_equal(frame(&w, GATEWAY_OP_HEARTBEAT, 0, NULL, "null"), "");
	w.now += GATEWAY_SEND_WINDOW;
	assert_int_equal(gateway_send_wait(w.gateway, w.now), 0);
	world_close(&w);
}

static void never_more_than_120_sends_in_any_minute(void **state)
{
	usec times[1000];
	struct world w;
	size_t n = 0;

	(void)state;
	world_live(&w);
	while (n < ARRAY_SIZE(times)) {
		usec wait = gateway_send_wait(w.gateway, w.now);

		if (wait == 0) {
			gateway_sent(w.gateway, w.now);
			times[n++] = w.now;
			w.now += (usec)random_below(&w.random, 300) * MILLISECOND;
		} else {
			w.now += wait;
		}
	}
	for (size_t i = GATEWAY_SEND_LIMIT; i < n; i++)
		assert_true(times[i] - times[i - GATEWAY_SEND_LIMIT] >= GATEWAY_SEND_WINDOW);
	world_close(&w);
}

static void a_new_connection_has_a_new_limit(void **state)
{
	struct world w;

	(void)state;
	world_live(&w);
	while (gateway_send_wait(w.gateway, w.now) == 0)
		gateway_sent(w.gateway, w.now);
	closed(&w, 0);
	world_reconnect(&w);
	assert_int_equal(gateway_send_wait(w.gateway, w.now), 0);
	world_close(&w);
}

static void before_hello_the_limit_is_the_usual_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	step(&w, GATEWAY_START);
	for (int i = 0; i < 115; i++) {
		assert_int_equal(gateway_send_wait(w.gateway, w.now), 0);
		gateway_sent(w.gateway, w.now);
	}
	assert_int_equal(gateway_send_wait(w.gateway, w.now), GATEWAY_SEND_WINDOW);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_heartbeat_is_spread_over_the_interval),
		cmocka_unit_test(heartbeats_follow_the_interval),
		cmocka_unit_test(silence_between_two_heartbeats_is_a_zombie),
		cmocka_unit_test(any_frame_is_a_sign_of_life),
		cmocka_unit_test(a_late_timer_proves_nothing),
		cmocka_unit_test(latency_is_measured),
		cmocka_unit_test(intervals_are_kept_within_reason),
		cmocka_unit_test(heartbeats_carry_what_is_committed),
		cmocka_unit_test(duplicates_are_not_dispatched),
		cmocka_unit_test(resume_begins_at_the_committed_sequence),
		cmocka_unit_test(identify_waits_for_the_claim),
		cmocka_unit_test(a_long_wait_for_the_claim_is_spent_offline),
		cmocka_unit_test(a_claim_wait_of_nothing_is_still_a_pause),
		cmocka_unit_test(ready_without_a_session_is_refused),
		cmocka_unit_test(what_is_written_fits_discord),
		cmocka_unit_test(backoff_grows_to_its_limit_and_is_reset_by_a_session_only),
		cmocka_unit_test(reconnect_before_hello_keeps_the_session),
		cmocka_unit_test(invalid_session_waits_one_to_five_seconds),
		cmocka_unit_test(three_failed_resumes_end_the_session),
		cmocka_unit_test(failed_resumes_count_in_a_row_only),
		cmocka_unit_test(drops_by_the_owner_do_not_cost_the_session),
		cmocka_unit_test(the_resume_address_takes_turns_when_it_is_dead),
		cmocka_unit_test(addresses_get_their_query),
		cmocka_unit_test(the_resume_address_must_be_as_safe_as_the_general_one),
		cmocka_unit_test(a_stored_session_needs_an_id_and_a_sequence),
		cmocka_unit_test(deadlines_end_what_does_not_come),
		cmocka_unit_test(a_long_replay_moves_its_deadline),
		cmocka_unit_test(stopping_keeps_the_session),
		cmocka_unit_test(stopping_wins_over_a_reconnect),
		cmocka_unit_test(reasons_say_why),
		cmocka_unit_test(sends_leave_room_for_heartbeats),
		cmocka_unit_test(never_more_than_120_sends_in_any_minute),
		cmocka_unit_test(a_new_connection_has_a_new_limit),
		cmocka_unit_test(before_hello_the_limit_is_the_usual_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
