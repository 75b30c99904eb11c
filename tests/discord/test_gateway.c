/* discord/gateway.h: every event in every state, from a table. What takes several steps is in
 * test_gateway_sessions.c. */
#include "gateway_world.h"

/* Brings a new machine into the state. */
static void reach(struct world *w, enum gateway_state state)
{
	world_open(w, state == GATEWAY_RESUMING);
	switch (state) {
	case GATEWAY_IDLE: break;
	case GATEWAY_CONNECTING: step(w, GATEWAY_START); break;
	case GATEWAY_OFFLINE:
		step(w, GATEWAY_START);
		closed(w, 0);
		break;
	case GATEWAY_GREETING:
		step(w, GATEWAY_START);
		step(w, GATEWAY_OPENED);
		break;
	case GATEWAY_CLAIMING:
	case GATEWAY_RESUMING: world_greet(w); break;
	case GATEWAY_IDENTIFYING:
		world_greet(w);
		step(w, GATEWAY_CLAIMED);
		break;
	case GATEWAY_LIVE:
	case GATEWAY_CLOSING:
		world_greet(w);
		step(w, GATEWAY_CLAIMED);
		ready(w);
		if (state == GATEWAY_CLOSING)
			step(w, GATEWAY_RECONNECT);
		break;
	default: step(w, GATEWAY_STOP); break;
	}
	assert_string_equal(gateway_state_name(gateway_state(w->gateway)), gateway_state_name(state));
}

static const struct happening {
	const char *text;
	enum gateway_event_kind kind;
	int op_or_code;
	const char *name, *d;
	usec later; /* time that passes before it */
} happenings[] = {
	{ "start", GATEWAY_START, 0, NULL, NULL, 0 },
	{ "opened", GATEWAY_OPENED, 0, NULL, NULL, 0 },
	{ "closed", GATEWAY_CLOSED, 0, NULL, NULL, 0 },
	{ "closed 4000", GATEWAY_CLOSED, 4000, NULL, NULL, 0 },
	{ "closed 4004", GATEWAY_CLOSED, 4004, NULL, NULL, 0 },
	{ "closed 4009", GATEWAY_CLOSED, 4009, NULL, NULL, 0 },
	{ "timer early", GATEWAY_TIMER, 0, NULL, NULL, 0 },
	{ "timer due", GATEWAY_TIMER, 0, NULL, NULL, 3 * MINUTE },
	{ "claimed", GATEWAY_CLAIMED, 0, NULL, NULL, 0 },
	{ "claim wait", GATEWAY_CLAIM_WAIT, 0, NULL, NULL, 0 },
	{ "reconnect", GATEWAY_RECONNECT, 0, NULL, NULL, 0 },
	{ "stop", GATEWAY_STOP, 0, NULL, NULL, 0 },
	{ "broken", GATEWAY_BROKEN, 0, NULL, NULL, 0 },
	{ "op 0 READY", GATEWAY_FRAME, 0, "READY", "{'session_id':'x','resume_gateway_url':'wss://x.example'}", 0 },
	{ "op 0 RESUMED", GATEWAY_FRAME, 0, "RESUMED", "{}", 0 },
	{ "op 0 other", GATEWAY_FRAME, 0, "MESSAGE_CREATE", "{}", 0 },
	{ "op 0 nameless", GATEWAY_FRAME, 0, NULL, "{}", 0 },
	{ "op 1", GATEWAY_FRAME, 1, NULL, "null", 0 },
	{ "op 7", GATEWAY_FRAME, 7, NULL, "null", 0 },
	{ "op 9 false", GATEWAY_FRAME, 9, NULL, "false", 0 },
	{ "op 9 true", GATEWAY_FRAME, 9, NULL, "true", 0 },
	{ "op 10", GATEWAY_FRAME, 10, NULL, "{'heartbeat_interval':41250}", 0 },
	{ "op 10 empty", GATEWAY_FRAME, 10, NULL, "{}", 0 },
	{ "op 11", GATEWAY_FRAME, 11, NULL, "null", 0 },
	{ "op 99", GATEWAY_FRAME, 99, NULL, "null", 0 },
};

#define IN(state) (1u << GATEWAY_##state)
#define CONNECTED (IN(GREETING) | IN(CLAIMING) | IN(IDENTIFYING) | IN(RESUMING) | IN(LIVE))
#define SAME      GATEWAY_STATE_COUNT

/* What follows. An event in a state that no row names is ignored: no action, the same state. */
static const struct transition {
	const char *happening;
	unsigned states;
	const char *actions;
	enum gateway_state next;
} transitions[] = {
	{ "start", IN(IDLE), "connect", GATEWAY_CONNECTING },
	{ "opened", IN(CONNECTING), "", GATEWAY_GREETING },
	{ "closed", CONNECTED | IN(CONNECTING) | IN(CLOSING), "down", GATEWAY_OFFLINE },
	{ "closed 4000", CONNECTED | IN(CONNECTING) | IN(CLOSING), "down", GATEWAY_OFFLINE },
	{ "closed 4004", CONNECTED | IN(CONNECTING) | IN(CLOSING), "down finish", GATEWAY_DONE },
	{ "closed 4009", IN(CONNECTING) | IN(GREETING) | IN(CLAIMING) | IN(IDENTIFYING), "down", GATEWAY_OFFLINE },
	{ "closed 4009", IN(RESUMING) | IN(LIVE) | IN(CLOSING), "down session", GATEWAY_OFFLINE },
	{ "timer due", IN(OFFLINE), "connect", GATEWAY_CONNECTING },
	{ "timer due", IN(GREETING), "drop", GATEWAY_CLOSING },
	{ "timer due", IN(CLAIMING) | IN(LIVE), "heartbeat", SAME },
	{ "timer due", IN(IDENTIFYING) | IN(RESUMING), "heartbeat drop", GATEWAY_CLOSING },
	{ "claimed", IN(CLAIMING), "identify", GATEWAY_IDENTIFYING },
	{ "reconnect", CONNECTED, "drop", GATEWAY_CLOSING },
	{ "stop", IN(IDLE) | IN(OFFLINE), "finish", GATEWAY_DONE },
	{ "stop", CONNECTED | IN(CONNECTING), "drop", GATEWAY_CLOSING },
	{ "broken", CONNECTED, "drop", GATEWAY_CLOSING },
	{ "op 0 READY", IN(IDENTIFYING), "session up dispatch", GATEWAY_LIVE },
	{ "op 0 READY", IN(RESUMING), "replayed", SAME },
	{ "op 0 READY", IN(LIVE), "dispatch", SAME },
	{ "op 0 RESUMED", IN(RESUMING), "up dispatch", GATEWAY_LIVE },
	{ "op 0 RESUMED", IN(LIVE), "dispatch", SAME },
	{ "op 0 other", IN(RESUMING), "replayed", SAME },
	{ "op 0 other", IN(LIVE), "dispatch", SAME },
	{ "op 1", CONNECTED, "heartbeat", SAME },
	{ "op 7", CONNECTED, "drop", GATEWAY_CLOSING },
	{ "op 9 false", IN(GREETING) | IN(CLAIMING) | IN(IDENTIFYING), "drop", GATEWAY_CLOSING },
	{ "op 9 false", IN(RESUMING) | IN(LIVE), "session drop", GATEWAY_CLOSING },
	{ "op 9 true", CONNECTED, "drop", GATEWAY_CLOSING },
	{ "op 10", IN(GREETING), "claim", GATEWAY_CLAIMING },
	{ "op 10 empty", IN(GREETING), "drop", GATEWAY_CLOSING },
};

static const struct transition *transition_find(const char *happening, enum gateway_state state)
{
	for (size_t i = 0; i < ARRAY_SIZE(transitions); i++)
		if (streq(transitions[i].happening, happening) && (transitions[i].states & 1u << state))
			return &transitions[i];
	return NULL;
}

static void check(const struct happening *happening, enum gateway_state state)
{
	const struct transition *expected = transition_find(happening->text, state);
	enum gateway_state next = expected && expected->next != SAME ? expected->next : state;
	cJSON *d = happening->d ? test_json(happening->d) : NULL;
	struct world w;

	reach(&w, state);
	w.now += happening->later;
	step_event(&w, &(struct gateway_event){
			       .kind = happening->kind,
			       .op = happening->op_or_code,
			       .code = happening->op_or_code,
			       .name = happening->name,
			       .d = d,
			       .sequence = happening->name ? 1000 : 0,
			       .wait = SECOND,
		       });
	if (!streq(w.actions, expected ? expected->actions : "") || gateway_state(w.gateway) != next)
		fail_msg("%s in %s: \"%s\", %s", happening->text, gateway_state_name(state), w.actions,
			gateway_state_name(gateway_state(w.gateway)));
	cJSON_Delete(d);
	world_close(&w);
}

static void every_event_in_every_state(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(happenings); i++)
		for (enum gateway_state from = 0; from < GATEWAY_STATE_COUNT; from++)
			check(&happenings[i], from);
}

static void close_codes_have_their_class(void **state)
{
	static const struct {
		int code;
		enum gateway_close_class class;
	} codes[] = {
		{ 0, GATEWAY_CLOSE_RESUME },
		{ 1000, GATEWAY_CLOSE_RESUME },
		{ 1001, GATEWAY_CLOSE_RESUME },
		{ 1006, GATEWAY_CLOSE_RESUME },
		{ 4000, GATEWAY_CLOSE_RESUME },
		{ 4001, GATEWAY_CLOSE_RESUME },
		{ 4002, GATEWAY_CLOSE_RESUME },
		{ 4003, GATEWAY_CLOSE_RESUME },
		{ 4004, GATEWAY_CLOSE_FATAL },
		{ 4005, GATEWAY_CLOSE_RESUME },
		{ 4006, GATEWAY_CLOSE_RESUME },
		{ 4007, GATEWAY_CLOSE_NEW_SESSION },
		{ 4008, GATEWAY_CLOSE_RESUME },
		{ 4009, GATEWAY_CLOSE_NEW_SESSION },
		{ 4010, GATEWAY_CLOSE_FATAL },
		{ 4011, GATEWAY_CLOSE_FATAL },
		{ 4012, GATEWAY_CLOSE_FATAL },
		{ 4013, GATEWAY_CLOSE_FATAL },
		{ 4014, GATEWAY_CLOSE_FATAL },
		{ 4015, GATEWAY_CLOSE_RESUME },
		{ 4999, GATEWAY_CLOSE_RESUME },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		assert_int_equal(gateway_close_class(codes[i].code), codes[i].class);
}

/* Each class does what it says to a live session. */
static void close_codes_decide_the_next_session(void **state)
{
	(void)state;
	for (int code = 4000; code <= 4020; code++) {
		enum gateway_close_class class = gateway_close_class(code);
		struct world w;

		world_live(&w);
		closed(&w, code);
		if (class == GATEWAY_CLOSE_FATAL) {
			assert_string_equal(w.actions, "down finish");
			assert_true(gateway_refused(w.gateway));
			assert_int_equal(strtol(gateway_reason(w.gateway), NULL, 10), code);
			assert_int_equal(gateway_deadline(w.gateway), INT64_MAX);
		} else {
			world_reconnect(&w);
			assert_string_equal(w.actions, class == GATEWAY_CLOSE_RESUME ? "resume" : "claim");
		}
		world_close(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_event_in_every_state),
		cmocka_unit_test(close_codes_have_their_class),
		cmocka_unit_test(close_codes_decide_the_next_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
