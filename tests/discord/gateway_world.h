/* A gateway state machine with a clock of its own, for test_gateway.c and test_gateway_sessions.c. Actions are
 * compared as text: "drop down". */
#ifndef TESTS_DISCORD_GATEWAY_WORLD_H
#define TESTS_DISCORD_GATEWAY_WORLD_H

#include "test.h"

#include "discord/gateway.h"

#define HELLO_INTERVAL (40 * SECOND)

struct world {
	struct gateway *gateway;
	struct random random;
	usec now;
	char actions[200]; /* of the last step */
};

static inline const char *action_name(enum gateway_action action)
{
	static const char *const names[] = {
		[GATEWAY_DO_CONNECT] = "connect",
		[GATEWAY_DO_DROP] = "drop",
		[GATEWAY_DO_HEARTBEAT] = "heartbeat",
		[GATEWAY_DO_CLAIM] = "claim",
		[GATEWAY_DO_IDENTIFY] = "identify",
		[GATEWAY_DO_RESUME] = "resume",
		[GATEWAY_DO_SESSION] = "session",
		[GATEWAY_DO_UP] = "up",
		[GATEWAY_DO_DOWN] = "down",
		[GATEWAY_DO_DISPATCH] = "dispatch",
		[GATEWAY_DO_DISPATCH_REPLAYED] = "replayed",
		[GATEWAY_DO_FINISH] = "finish",
	};

	return names[action];
}

static inline const char *step_event(struct world *w, const struct gateway_event *event)
{
	struct gateway_actions actions;

	gateway_step(w->gateway, event, w->now, &w->random, &actions);
	w->actions[0] = '\0';
	for (size_t i = 0, len = 0; i < actions.count; i++)
		len += (size_t)snprintf(w->actions + len, sizeof(w->actions) - len, "%s%s", i > 0 ? " " : "",
			action_name(actions.list[i]));
	return w->actions;
}

static inline const char *step(struct world *w, enum gateway_event_kind kind)
{
	return step_event(w, &(struct gateway_event){ .kind = kind });
}

static inline const char *closed(struct world *w, int code)
{
	return step_event(w, &(struct gateway_event){ .kind = GATEWAY_CLOSED, .code = code });
}

static inline const char *frame(struct world *w, int op, int64_t sequence, const char *name, const char *d)
{
	cJSON *json = test_json(d);
	const char *actions;

	actions =
		step_event(w, &(struct gateway_event){
				      .kind = GATEWAY_FRAME, .op = op, .sequence = sequence, .name = name, .d = json });
	cJSON_Delete(json);
	return actions;
}

static inline const char *dispatch(struct world *w, int64_t sequence, const char *name)
{
	return frame(w, GATEWAY_OP_DISPATCH, sequence, name, "{}");
}

static inline const char *hello(struct world *w)
{
	return frame(w, GATEWAY_OP_HELLO, 0, NULL, "{'heartbeat_interval':40000}");
}

static inline const char *ready(struct world *w)
{
	return frame(
		w, GATEWAY_OP_DISPATCH, 1, "READY", "{'session_id':'s1','resume_gateway_url':'wss://resume.example'}");
}

/* Lets the time pass until the machine wants its timer, and gives it. */
static inline const char *wait_timer(struct world *w)
{
	usec at = gateway_deadline(w->gateway);

	assert_true(at < INT64_MAX);
	w->now = MAX(w->now, at);
	return step(w, GATEWAY_TIMER);
}

static inline void world_open(struct world *w, bool with_session)
{
	memset(w, 0, sizeof(*w));
	w->now = 1000 * SECOND;
	random_init(&w->random, 7);
	w->gateway = gateway_create(&(struct gateway_options){
		.token = "the-token",
		.gateway_url = "wss://gateway.example",
		.intents = 513,
		.session_id = with_session ? "s0" : NULL,
		.resume_url = with_session ? "wss://old.example" : NULL,
		.sequence = with_session ? 100 : 0,
	});
}

static inline void world_close(struct world *w)
{
	gateway_destroy(w->gateway);
	w->gateway = NULL;
}

/* From IDLE to HELLO. */
static inline void world_greet(struct world *w)
{
	assert_string_equal(step(w, GATEWAY_START), "connect");
	assert_string_equal(step(w, GATEWAY_OPENED), "");
	hello(w);
}

/* A fresh session, events flow. */
static inline void world_live(struct world *w)
{
	world_open(w, false);
	world_greet(w);
	assert_string_equal(step(w, GATEWAY_CLAIMED), "identify");
	assert_string_equal(ready(w), "session up dispatch");
}

/* After a loss: the next connection, until it was greeted. */
static inline void world_reconnect(struct world *w)
{
	assert_string_equal(wait_timer(w), "connect");
	assert_string_equal(step(w, GATEWAY_OPENED), "");
	hello(w);
}

#endif
