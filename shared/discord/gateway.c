/* The gateway's state machine. gateway_step() finds the handler of the event in a table; handlers decide, enter()
 * alone changes the state.
 *
 * Two timers run inside: `beat_at` (heartbeats, from HELLO on) and `wake_at` (what the state waits for). A connection
 * always ends through GATEWAY_CLOSED, whether the peer or we ended it: drop() notes what is to happen and closed()
 * does it.
 */
#include "gateway_private.h"

#include <stdio.h>
#include <stdlib.h>

#define NEVER INT64_MAX
/* A timer that comes this late tells of a blocked process, not of a dead peer: its answers are still in the socket. */
#define LATE (2 * SECOND)
/* What a hostile or broken HELLO may ask for. */
#define INTERVAL_MIN (50 * MILLISECOND)
#define INTERVAL_MAX (10 * MINUTE)
/* Waits after op 9, as Discord's staff advise. */
#define INVALID_WAIT_MIN (1 * SECOND)
#define INVALID_WAIT_MAX (5 * SECOND)
#define SESSION_TEXT_MAX 512

static const char *const state_names[GATEWAY_STATE_COUNT] = {
	[GATEWAY_IDLE] = "idle",
	[GATEWAY_OFFLINE] = "offline",
	[GATEWAY_CONNECTING] = "connecting",
	[GATEWAY_GREETING] = "greeting",
	[GATEWAY_CLAIMING] = "claiming",
	[GATEWAY_IDENTIFYING] = "identifying",
	[GATEWAY_RESUMING] = "resuming",
	[GATEWAY_LIVE] = "live",
	[GATEWAY_CLOSING] = "closing",
	[GATEWAY_DONE] = "done",
};

const char *gateway_state_name(enum gateway_state state)
{
	return state_names[state];
}

/* ---- small parts ---- */

static void act(struct gateway_actions *actions, enum gateway_action action)
{
	actions->list[actions->count++] = action;
}

/* The only place where the state changes. */
static void enter(struct gateway *g, enum gateway_state state, usec wake_at)
{
	g->state = state;
	g->wake_at = wake_at;
}

static bool connected(const struct gateway *g)
{
	return g->state >= GATEWAY_GREETING && g->state <= GATEWAY_LIVE;
}

static void set_reason(struct gateway *g, const char *reason)
{
	snprintf(g->reason, sizeof(g->reason), "%s", reason ? reason : "");
}

static usec between(struct random *random, usec from, usec to)
{
	return from + (usec)(random_unit(random) * (double)(to - from));
}

/* Exponential, and spread over the upper half so that clients which fell together do not return together. */
static usec backoff(unsigned attempts, struct random *random)
{
	usec full = GATEWAY_BACKOFF_MAX;

	if (attempts < 8)
		full = MIN(GATEWAY_BACKOFF_FIRST << attempts, GATEWAY_BACKOFF_MAX);
	return between(random, full / 2, full);
}

static void session_forget(struct gateway *g, struct gateway_actions *actions)
{
	g->received = g->committed = 0;
	g->failed_resumes = 0;
	if (!g->session_id)
		return;
	free(g->session_id);
	free(g->resume_url);
	g->session_id = g->resume_url = NULL;
	act(actions, GATEWAY_DO_SESSION);
}

static bool has_scheme(const char *url, const char *scheme)
{
	return strncmp(url, scheme, strlen(scheme)) == 0;
}

/* The token goes to the resume address: it must be as well protected as the general one. */
static bool resume_url_usable(const struct gateway *g, const char *url)
{
	if (!url || strlen(url) > SESSION_TEXT_MAX)
		return false;
	return has_scheme(url, "wss://") || (has_scheme(url, "ws://") && has_scheme(g->gateway_url, "ws://"));
}

static void session_set(struct gateway *g, const char *session_id, const char *resume_url)
{
	free(g->session_id);
	free(g->resume_url);
	g->session_id = xstrdup(session_id);
	g->resume_url = xstrdup(resume_url_usable(g, resume_url) ? resume_url : g->gateway_url);
}

struct gateway *gateway_create(const struct gateway_options *options)
{
	struct gateway *g = xcalloc(1, sizeof(*g));

	g->token = options->token;
	g->gateway_url = options->gateway_url;
	g->intents = options->intents;
	g->compress = options->compress;
	g->wake_at = g->beat_at = NEVER;
	if (options->session_id && options->session_id[0] != '\0' && options->sequence > 0) {
		session_set(g, options->session_id, options->resume_url);
		g->received = g->committed = options->sequence;
	}
	return g;
}

void gateway_destroy(struct gateway *g)
{
	if (!g)
		return;
	free(g->session_id);
	free(g->resume_url);
	free(g);
}

/* ---- the send limit ---- */

static size_t sends_in_window(const struct gateway *g, usec now)
{
	size_t n = 0;

	for (size_t i = 1; i <= g->sent_count; i++) {
		if (now - g->sent[(g->sent_next + GATEWAY_SEND_LIMIT - i) % GATEWAY_SEND_LIMIT] >= GATEWAY_SEND_WINDOW)
			break;
		n++;
	}
	return n;
}

/* Heartbeats of one window, two answers to op 1 and a resume; half of the limit at most, should the interval be very
 * short. */
static size_t send_reserve(const struct gateway *g)
{
	size_t beats = g->interval > 0 ? (size_t)(GATEWAY_SEND_WINDOW / g->interval) + 1 : 2;

	return MIN(beats + 3, GATEWAY_SEND_LIMIT / 2);
}

usec gateway_send_wait(const struct gateway *g, usec now)
{
	size_t allowed = GATEWAY_SEND_LIMIT - send_reserve(g);
	size_t oldest;

	if (sends_in_window(g, now) < allowed)
		return 0;
	/* the send that must leave the window before one more may go */
	oldest = (g->sent_next + GATEWAY_SEND_LIMIT - allowed) % GATEWAY_SEND_LIMIT;
	return g->sent[oldest] + GATEWAY_SEND_WINDOW - now;
}

void gateway_sent(struct gateway *g, usec now)
{
	g->sent[g->sent_next] = now;
	g->sent_next = (g->sent_next + 1) % GATEWAY_SEND_LIMIT;
	g->sent_count = MIN(g->sent_count + 1, GATEWAY_SEND_LIMIT);
}

/* ---- beginning and ending connections ---- */

static void connect_now(struct gateway *g, struct gateway_actions *actions)
{
	g->resume_meant = g->session_id != NULL;
	g->owner_dropped = false;
	g->interval = 0;
	g->beat_at = NEVER;
	g->heard = g->beaten = false;
	g->sent_count = g->sent_next = 0;
	g->delay = 0;
	enter(g, GATEWAY_CONNECTING, NEVER);
	act(actions, GATEWAY_DO_CONNECT);
}

/* We end the connection; the next attempt comes after `delay` at the earliest. */
static void drop(struct gateway *g, const char *reason, usec delay, struct gateway_actions *actions)
{
	set_reason(g, reason);
	g->delay = delay;
	g->beat_at = NEVER;
	enter(g, GATEWAY_CLOSING, NEVER);
	act(actions, GATEWAY_DO_DROP);
}

static void finish(struct gateway *g, bool refused, struct gateway_actions *actions)
{
	g->refused = refused;
	g->beat_at = NEVER;
	enter(g, GATEWAY_DONE, NEVER);
	act(actions, GATEWAY_DO_FINISH);
}

static void on_start(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)event, (void)now, (void)random;
	if (g->state == GATEWAY_IDLE)
		connect_now(g, actions);
}

static void on_opened(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)event, (void)random, (void)actions;
	if (g->state != GATEWAY_CONNECTING)
		return;
	g->unreachable = 0;
	enter(g, GATEWAY_GREETING, now + GATEWAY_HELLO_TIMEOUT);
}

/* What a lost connection says about the session. `opened`: there was one; `resumed`: events flowed on it. */
static void session_judge(struct gateway *g, int code, bool opened, bool resumed, struct gateway_actions *actions)
{
	bool over = gateway_close_class(code) == GATEWAY_CLOSE_NEW_SESSION;

	if (!over && !opened)
		g->unreachable++;
	else if (!over && g->resume_meant && !resumed && !g->owner_dropped)
		over = ++g->failed_resumes >= GATEWAY_FAILED_RESUMES;
	if (over)
		session_forget(g, actions);
}

/* Discord's own words come first, then why we dropped the connection, then what else is known. */
static void closed_reason(struct gateway *g, const struct gateway_event *event, const struct gateway_close_code *row)
{
	if (row)
		snprintf(g->reason, sizeof(g->reason), "%d: %s", row->code, row->text);
	else if (g->state == GATEWAY_CLOSING)
		return;
	else if (event->code != 0)
		snprintf(g->reason, sizeof(g->reason), "closed with code %d", event->code);
	else
		set_reason(g, event->reason ? event->reason : "connection lost");
}

static void on_closed(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	const struct gateway_close_code *row = gateway_close_code(event->code);
	bool opened = g->state != GATEWAY_CONNECTING;
	unsigned attempts = MAX(g->attempts, g->owner_failures);
	usec delay;

	if (!connected(g) && g->state != GATEWAY_CONNECTING && g->state != GATEWAY_CLOSING)
		return;
	closed_reason(g, event, row);
	g->beat_at = NEVER;
	act(actions, GATEWAY_DO_DOWN);
	if (g->stopping || (row && row->class == GATEWAY_CLOSE_FATAL)) {
		finish(g, !g->stopping, actions);
		return;
	}
	session_judge(g, event->code, opened, g->up, actions);
	g->up = false;
	delay = MAX(backoff(attempts, random), g->delay);
	g->attempts++;
	enter(g, GATEWAY_OFFLINE, now + delay);
}

static void on_reconnect(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)now, (void)random;
	if (!connected(g))
		return;
	g->owner_dropped = true;
	g->owner_failures++;
	drop(g, event->reason, 0, actions);
}

static void on_broken(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)now, (void)random;
	if (connected(g))
		drop(g, event->reason, 0, actions);
}

static void on_stop(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)event, (void)now, (void)random;
	switch (g->state) {
	case GATEWAY_IDLE:
	case GATEWAY_OFFLINE:
		set_reason(g, "stopped");
		finish(g, false, actions);
		break;
	case GATEWAY_CLOSING: g->stopping = true; break;
	case GATEWAY_DONE: break;
	default:
		g->stopping = true;
		drop(g, "stopped", 0, actions);
		break;
	}
}

/* ---- time ---- */

static void heartbeat(struct gateway *g, usec now, struct gateway_actions *actions)
{
	if (sends_in_window(g, now) >= GATEWAY_SEND_LIMIT)
		return;
	g->beat_sent_at = now;
	gateway_sent(g, now);
	act(actions, GATEWAY_DO_HEARTBEAT);
}

static void on_beat(struct gateway *g, usec now, struct gateway_actions *actions)
{
	bool late = now - g->beat_at > LATE;

	if (g->beaten && !g->heard && !late) {
		g->zombies++;
		drop(g, "nothing was heard between two heartbeats", 0, actions);
		return;
	}
	heartbeat(g, now, actions);
	g->beaten = true;
	g->heard = false;
	g->beat_at = now + g->interval;
}

static void on_timer(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)event, (void)random;
	if (now >= g->beat_at)
		on_beat(g, now, actions);
	if (now < g->wake_at)
		return;
	switch (g->state) {
	case GATEWAY_OFFLINE: connect_now(g, actions); break;
	case GATEWAY_CLAIMING:
		g->wake_at = NEVER;
		act(actions, GATEWAY_DO_CLAIM);
		break;
	case GATEWAY_GREETING: drop(g, "no HELLO", 0, actions); break;
	case GATEWAY_IDENTIFYING: drop(g, "no READY", 0, actions); break;
	default: /* GATEWAY_RESUMING: the others have no deadline */ drop(g, "no RESUMED", 0, actions); break;
	}
}

usec gateway_deadline(const struct gateway *g)
{
	return MIN(g->wake_at, g->beat_at);
}

/* ---- identify ---- */

static void on_claimed(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	(void)event, (void)random;
	if (g->state != GATEWAY_CLAIMING)
		return;
	gateway_sent(g, now);
	enter(g, GATEWAY_IDENTIFYING, now + GATEWAY_SESSION_TIMEOUT);
	act(actions, GATEWAY_DO_IDENTIFY);
}

static void on_claim_wait(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	usec wait = MAX(event->wait, 100 * MILLISECOND);

	if (g->state != GATEWAY_CLAIMING)
		return;
	wait = between(
		random, wait, wait + wait / 8); /* whoever waits for the same slot does not ask at the same instant */
	if (wait <= GATEWAY_CLAIM_WAIT_MAX)
		enter(g, GATEWAY_CLAIMING, now + wait);
	else
		drop(g, "waiting for the right to identify", wait, actions);
}

/* ---- frames ---- */

static void on_hello(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	int64_t milliseconds = json_int(event->d, "heartbeat_interval", 0);

	if (g->state != GATEWAY_GREETING)
		return;
	if (milliseconds <= 0) {
		drop(g, "HELLO without a heartbeat interval", 0, actions);
		return;
	}
	milliseconds = MIN(milliseconds, INTERVAL_MAX / MILLISECOND);
	g->interval = MAX(milliseconds * MILLISECOND, INTERVAL_MIN);
	g->beat_at = now + (usec)(random_unit(random) * (double)g->interval);
	if (g->session_id) {
		gateway_sent(g, now);
		enter(g, GATEWAY_RESUMING, now + GATEWAY_SESSION_TIMEOUT);
		act(actions, GATEWAY_DO_RESUME);
	} else {
		enter(g, GATEWAY_CLAIMING, NEVER);
		act(actions, GATEWAY_DO_CLAIM);
	}
}

static void live(struct gateway *g, struct gateway_actions *actions)
{
	g->up = true;
	g->attempts = 0;
	g->failed_resumes = 0;
	g->reason[0] = '\0';
	enter(g, GATEWAY_LIVE, NEVER);
	act(actions, GATEWAY_DO_UP);
	act(actions, GATEWAY_DO_DISPATCH);
}

static void on_ready(struct gateway *g, const struct gateway_event *event, struct gateway_actions *actions)
{
	const char *session_id = json_string(event->d, "session_id");

	if (!session_id || session_id[0] == '\0' || strlen(session_id) > SESSION_TEXT_MAX) {
		drop(g, "READY without a session", 0, actions);
		return;
	}
	session_set(g, session_id, json_string(event->d, "resume_gateway_url"));
	g->received = event->sequence;
	g->committed = 0;
	act(actions, GATEWAY_DO_SESSION);
	live(g, actions);
}

static void on_dispatch(struct gateway *g, const struct gateway_event *event, usec now, struct gateway_actions *actions)
{
	if (!event->name)
		return;
	if (g->state == GATEWAY_IDENTIFYING) {
		if (streq(event->name, "READY"))
			on_ready(g, event, actions);
		return;
	}
	if (g->state != GATEWAY_LIVE && g->state != GATEWAY_RESUMING)
		return;
	if (event->sequence > 0 && event->sequence <= g->received) {
		g->duplicates++;
		return;
	}
	if (event->sequence > 0)
		g->received = event->sequence;
	if (g->state == GATEWAY_LIVE) {
		act(actions, GATEWAY_DO_DISPATCH);
	} else if (streq(event->name, "RESUMED")) {
		live(g, actions);
	} else {
		g->wake_at = now + GATEWAY_SESSION_TIMEOUT;
		act(actions, GATEWAY_DO_DISPATCH_REPLAYED);
	}
}

static void on_invalid_session(
	struct gateway *g, const struct gateway_event *event, struct random *random, struct gateway_actions *actions)
{
	bool resumable = cJSON_IsTrue(event->d);
	usec wait = between(random, INVALID_WAIT_MIN, INVALID_WAIT_MAX);

	if (!resumable)
		session_forget(g, actions);
	drop(g, resumable ? "session to be resumed again" : "session no longer valid", wait, actions);
	if (!resumable)
		g->resume_meant = false;
}

static void on_frame(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *actions)
{
	if (!connected(g))
		return;
	g->heard = true;
	switch (event->op) {
	case GATEWAY_OP_DISPATCH: on_dispatch(g, event, now, actions); break;
	case GATEWAY_OP_HEARTBEAT: heartbeat(g, now, actions); break;
	case GATEWAY_OP_RECONNECT: drop(g, "Discord asked to reconnect", 0, actions); break;
	case GATEWAY_OP_INVALID_SESSION: on_invalid_session(g, event, random, actions); break;
	case GATEWAY_OP_HELLO: on_hello(g, event, now, random, actions); break;
	case GATEWAY_OP_HEARTBEAT_ACK:
		if (g->beat_sent_at > 0)
			g->latency = MAX(now - g->beat_sent_at, 1);
		g->beat_sent_at = 0;
		break;
	default: /* opcodes to come */ break;
	}
}

void gateway_step(struct gateway *g, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *ret_actions)
{
	static void (*const handlers[GATEWAY_EVENT_COUNT])(
		struct gateway *, const struct gateway_event *, usec, struct random *, struct gateway_actions *) = {
		[GATEWAY_START] = on_start,
		[GATEWAY_OPENED] = on_opened,
		[GATEWAY_FRAME] = on_frame,
		[GATEWAY_BROKEN] = on_broken,
		[GATEWAY_CLOSED] = on_closed,
		[GATEWAY_TIMER] = on_timer,
		[GATEWAY_CLAIMED] = on_claimed,
		[GATEWAY_CLAIM_WAIT] = on_claim_wait,
		[GATEWAY_RECONNECT] = on_reconnect,
		[GATEWAY_STOP] = on_stop,
	};

	ret_actions->count = 0;
	handlers[event->kind](g, event, now, random, ret_actions);
}

void gateway_committed(struct gateway *g, int64_t sequence)
{
	sequence = MIN(sequence, g->received);
	if (sequence <= g->committed)
		return;
	g->committed = sequence;
	g->owner_failures = 0;
}

/* ---- what the owner may know ---- */

enum gateway_state gateway_state(const struct gateway *g)
{
	return g->state;
}

const char *gateway_session_id(const struct gateway *g)
{
	return g->session_id;
}

const char *gateway_resume_url(const struct gateway *g)
{
	return g->resume_url;
}

int64_t gateway_sequence(const struct gateway *g)
{
	return g->received;
}

bool gateway_refused(const struct gateway *g)
{
	return g->refused;
}

const char *gateway_reason(const struct gateway *g)
{
	return g->reason;
}

usec gateway_latency(const struct gateway *g)
{
	return g->latency;
}

uint64_t gateway_zombies(const struct gateway *g)
{
	return g->zombies;
}

uint64_t gateway_duplicates(const struct gateway *g)
{
	return g->duplicates;
}
