/* Performs what the state machine of gateway.c decides: websocket, timer, inflation and JSON, and the owner's
 * callbacks.
 *
 * Owners' callbacks may call back into the client (stop, reconnect, request members). While the machine's actions are
 * performed such wishes are noted and played afterwards, so that a step is never nested in another.
 */
#include "discord/gateway_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/metrics.h"
#include "discord/gateway.h"
#include "inflate.h"

#define QUEUE_MAX  64 /* member requests that wait for the send limit */
#define BURST_MAX  16 /* of them sent in one turn, so that heartbeats find room in the connection's queue */
#define BURST_WAIT (10 * MILLISECOND)

static struct metric metric_events = METRIC_COUNTER("walle_gateway_events_total", "Events received from the gateway");
static struct metric metric_connects =
	METRIC_COUNTER("walle_gateway_connects_total", "Connections to the gateway that were begun");
static struct metric metric_resumes =
	METRIC_COUNTER("walle_gateway_resumes_total", "Sessions that were asked to resume");
static struct metric metric_identifies =
	METRIC_COUNTER("walle_gateway_identifies_total", "New sessions that were asked for");
static struct metric metric_zombies =
	METRIC_COUNTER("walle_gateway_zombies_total", "Connections dropped because nothing was heard");
static struct metric metric_bytes =
	METRIC_COUNTER("walle_gateway_received_bytes_total", "Bytes of messages received from the gateway");
static struct metric metric_latency =
	METRIC_GAUGE("walle_gateway_latency_microseconds", "Time until the last heartbeat was acknowledged");
static struct metric metric_up = METRIC_GAUGE("walle_gateway_up", "Whether events flow (1) or not (0)");

struct queued {
	char *text;
	size_t len;
};

struct gateway_client {
	struct loop *loop;
	struct websockets *websockets;
	struct random *random;
	struct gateway_callbacks callbacks;
	void *arg;

	char *token, *gateway_url;
	bool compress;
	struct gateway *machine;
	struct websocket *websocket;
	struct inflater *inflater;
	struct timer timer, flush_timer;
	usec timer_at;
	struct loop_task start_task, end_task;

	bool busy;                        /* the machine's actions are being performed */
	bool wants_stop, wants_reconnect; /* wishes noted meanwhile */
	char wish_reason[100];
	bool connect_failed; /* no websocket was made: `closed` will not come */
	int connect_error;
	usec claim_wait;
	enum { CLAIM_NONE, CLAIM_GRANTED, CLAIM_LATER } claim;

	struct queued queue[QUEUE_MAX];
	size_t queue_head, queue_len;
	struct gateway_statistics statistics;
};

static void step(struct gateway_client *client, const struct gateway_event *event);

/* ---- sending ---- */

/* A message that cannot be queued is lost with its connection, which the missing answer brings down. */
static void send_text(struct gateway_client *client, const struct str *text)
{
	if (client->websocket && websocket_send(client->websocket, text->buf, text->len) < 0)
		gateway_client_reconnect(client, "the connection takes no more");
}

static void queue_clear(struct gateway_client *client)
{
	for (; client->queue_len > 0; client->queue_len--) {
		free(client->queue[client->queue_head].text);
		client->queue_head = (client->queue_head + 1) % QUEUE_MAX;
	}
	timer_stop(&client->flush_timer);
}

/* Sends the first that waits. 0, or how long to wait until it may be sent. */
static usec queue_send(struct gateway_client *client)
{
	struct queued *first = &client->queue[client->queue_head];
	usec now = loop_now(client->loop);
	usec wait = gateway_send_wait(client->machine, now);

	if (wait > 0)
		return wait;
	if (websocket_send(client->websocket, first->text, first->len) < 0)
		return SECOND;
	gateway_sent(client->machine, now);
	free(first->text);
	client->queue_head = (client->queue_head + 1) % QUEUE_MAX;
	client->queue_len--;
	return 0;
}

/* Sends what waits as far as the limit allows, the rest later. */
static void queue_flush(void *arg)
{
	struct gateway_client *client = arg;
	usec wait = 0;

	if (gateway_state(client->machine) != GATEWAY_LIVE || timer_active(&client->flush_timer))
		return;
	for (int i = 0; i < BURST_MAX && client->queue_len > 0 && wait == 0; i++)
		wait = queue_send(client);
	if (client->queue_len > 0)
		timer_start(&client->flush_timer, MAX(wait, BURST_WAIT));
}

int gateway_client_request_members(
	struct gateway_client *client, snowflake guild, const char *nonce, const snowflake *user_ids, size_t count)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct queued *last;
	int r;

	if (gateway_state(client->machine) != GATEWAY_LIVE)
		return -ENOTCONN;
	if (client->queue_len == QUEUE_MAX)
		return -ENOBUFS;
	r = gateway_write_request_members(guild, nonce, user_ids, count, &text);
	if (r < 0)
		return r;
	last = &client->queue[(client->queue_head + client->queue_len) % QUEUE_MAX];
	last->text = str_detach(&text, &last->len);
	client->queue_len++;
	if (!timer_active(&client->flush_timer))
		timer_start(&client->flush_timer, 0);
	return 0;
}

/* ---- receiving ---- */

static void on_opened(void *arg)
{
	struct gateway_client *client = arg;

	step(client, &(struct gateway_event){ .kind = GATEWAY_OPENED });
}

static void broken(struct gateway_client *client, const char *reason)
{
	step(client, &(struct gateway_event){ .kind = GATEWAY_BROKEN, .reason = reason });
}

static void on_message(void *arg, const char *data, size_t len, bool binary)
{
	struct gateway_client *client = arg;
	cJSON *json cleanup(json_freep) = NULL;
	struct gateway_event event = { .kind = GATEWAY_FRAME };
	int r;

	client->statistics.bytes += len;
	metric_add(&metric_bytes, (int64_t)len);
	if (binary && client->compress) {
		r = inflater_push(client->inflater, data, len, &data, &len);
		if (r < 0)
			broken(client, r == -E2BIG ? "a message was too large when unpacked"
						   : "a message could not be unpacked");
		if (r <= 0)
			return;
	}
	if (json_parse(data, len, &json) < 0 || !cJSON_IsObject(json)) {
		broken(client, "a message was no JSON object");
		return;
	}
	event.op = json_int(json, "op", -1);
	event.sequence = json_int(json, "s", 0);
	event.name = json_string(json, "t");
	event.d = json_get(json, "d");
	step(client, &event);
}

static void on_closed(void *arg, int code, const char *reason, int error)
{
	struct gateway_client *client = arg;

	(void)reason; /* the peer's text; the code says all that we act on */
	client->websocket = NULL;
	step(client, &(struct gateway_event){
			     .kind = GATEWAY_CLOSED, .code = code, .reason = error ? error_text(error) : NULL });
}

static void on_timer(void *arg)
{
	struct gateway_client *client = arg;

	client->timer_at = INT64_MAX;
	step(client, &(struct gateway_event){ .kind = GATEWAY_TIMER });
}

/* ---- performing ---- */

static void do_connect(struct gateway_client *client)
{
	static const struct websocket_callbacks callbacks = {
		.opened = on_opened, .message = on_message, .closed = on_closed
	};
	struct str url cleanup(str_finish) = STR_INIT;
	int r;

	client->statistics.connects++;
	metric_add(&metric_connects, 1);
	if (client->compress) {
		inflater_destroy(client->inflater);
		client->inflater = inflater_create(WEBSOCKET_MESSAGE_MAX);
	}
	gateway_address(client->machine, &url);
	r = websocket_connect(
		client->websockets, url.buf, GATEWAY_CONNECT_TIMEOUT, &callbacks, client, &client->websocket);
	if (r < 0) {
		client->websocket = NULL;
		client->connect_failed = true;
		client->connect_error = r;
	}
}

static void tell_committed(struct gateway_client *client)
{
	int64_t sequence = client->callbacks.committed_sequence(client->arg);

	/* What was received and is lost would never come again if the connection went on. */
	if (sequence >= 0)
		gateway_committed(client->machine, sequence);
	else
		gateway_client_reconnect(client, "events could not be committed");
}

static void do_drop(struct gateway_client *client)
{
	uint64_t zombies = gateway_zombies(client->machine);

	metric_add(&metric_zombies, (int64_t)(zombies - client->statistics.zombies));
	client->statistics.zombies = zombies;
	websocket_kill(client->websocket);
}

static void do_heartbeat(struct gateway_client *client)
{
	struct str text cleanup(str_finish) = STR_INIT;

	metric_set(&metric_latency, gateway_latency(client->machine));
	tell_committed(client);
	gateway_write_heartbeat(client->machine, &text);
	send_text(client, &text);
}

static void do_claim(struct gateway_client *client)
{
	int r;

	client->claim_wait = 0;
	r = client->callbacks.claim_identify(client->arg, &client->claim_wait);
	client->claim = r == 0 ? CLAIM_GRANTED : CLAIM_LATER;
	if (r < 0 && client->claim_wait <= 0) /* an error, or no time given */
		client->claim_wait = SECOND;
}

static void do_identify(struct gateway_client *client)
{
	struct str text cleanup(str_finish) = STR_INIT;

	client->statistics.identifies++;
	metric_add(&metric_identifies, 1);
	gateway_write_identify(client->machine, &text);
	send_text(client, &text);
}

static void do_resume(struct gateway_client *client)
{
	struct str text cleanup(str_finish) = STR_INIT;

	client->statistics.resumes++;
	metric_add(&metric_resumes, 1);
	tell_committed(client);
	gateway_write_resume(client->machine, &text);
	send_text(client, &text);
}

static void do_dispatch(struct gateway_client *client, const struct gateway_event *event, bool replayed)
{
	client->statistics.events++;
	metric_add(&metric_events, 1);
	if (client->callbacks.dispatch(
		    client->arg, event->name, event->d, gateway_sequence(client->machine), replayed) != 0)
		gateway_client_reconnect(client, "an event's effects could not be stored");
}

static void end_run(struct loop_task *task)
{
	struct gateway_client *client = CONTAINER_OF(task, struct gateway_client, end_task);

	/* the owner may destroy the client in this call */
	client->callbacks.stopped(client->arg, gateway_refused(client->machine) ? GATEWAY_REFUSED : GATEWAY_STOPPED,
		gateway_reason(client->machine));
}

static void set_up(struct gateway_client *client, bool up)
{
	metric_set(&metric_up, up);
	client->callbacks.state(client->arg, up, gateway_reason(client->machine));
}

static void perform(struct gateway_client *client, enum gateway_action action, const struct gateway_event *event)
{
	switch (action) {
	case GATEWAY_DO_CONNECT: do_connect(client); break;
	case GATEWAY_DO_DROP: do_drop(client); break;
	case GATEWAY_DO_HEARTBEAT: do_heartbeat(client); break;
	case GATEWAY_DO_CLAIM: do_claim(client); break;
	case GATEWAY_DO_IDENTIFY: do_identify(client); break;
	case GATEWAY_DO_RESUME: do_resume(client); break;
	case GATEWAY_DO_SESSION:
		queue_clear(client); /* requests of the old session; the owner asks anew */
		client->callbacks.session(
			client->arg, gateway_session_id(client->machine), gateway_resume_url(client->machine));
		break;
	case GATEWAY_DO_UP:
		set_up(client, true);
		queue_flush(client);
		break;
	case GATEWAY_DO_DOWN: set_up(client, false); break;
	case GATEWAY_DO_DISPATCH:
	case GATEWAY_DO_DISPATCH_REPLAYED: do_dispatch(client, event, action == GATEWAY_DO_DISPATCH_REPLAYED); break;
	case GATEWAY_DO_FINISH:
		queue_clear(client);
		loop_post(client->loop, &client->end_task);
		break;
	}
}

/* The next event that came up while actions were performed. */
static bool next_event(struct gateway_client *client, struct gateway_event *ret_event)
{
	if (client->connect_failed) {
		client->connect_failed = false;
		*ret_event =
			(struct gateway_event){ .kind = GATEWAY_CLOSED, .reason = error_text(client->connect_error) };
	} else if (client->claim != CLAIM_NONE) {
		*ret_event = (struct gateway_event){
			.kind = client->claim == CLAIM_GRANTED ? GATEWAY_CLAIMED : GATEWAY_CLAIM_WAIT,
			.wait = client->claim_wait,
		};
		client->claim = CLAIM_NONE;
	} else if (client->wants_stop) {
		client->wants_stop = false;
		*ret_event = (struct gateway_event){ .kind = GATEWAY_STOP };
	} else if (client->wants_reconnect) {
		client->wants_reconnect = false;
		*ret_event = (struct gateway_event){ .kind = GATEWAY_RECONNECT, .reason = client->wish_reason };
	} else {
		return false;
	}
	return true;
}

static void watch_deadline(struct gateway_client *client)
{
	usec at = gateway_deadline(client->machine);

	if (at == client->timer_at)
		return;
	client->timer_at = at;
	if (at == INT64_MAX)
		timer_stop(&client->timer);
	else
		timer_start(&client->timer, at - loop_now(client->loop));
}

static void one_step(struct gateway_client *client, const struct gateway_event *event)
{
	struct gateway_actions actions;

	gateway_step(client->machine, event, loop_now(client->loop), client->random, &actions);
	for (size_t i = 0; i < actions.count; i++)
		perform(client, actions.list[i], event);
}

static void play_wishes(struct gateway_client *client)
{
	struct gateway_event event;

	client->busy = true;
	while (next_event(client, &event))
		one_step(client, &event);
	client->busy = false;
	watch_deadline(client);
}

static void step(struct gateway_client *client, const struct gateway_event *event)
{
	client->busy = true;
	one_step(client, event);
	play_wishes(client);
}

/* ---- the owner's side ---- */

static void start_run(struct loop_task *task)
{
	step(CONTAINER_OF(task, struct gateway_client, start_task), &(struct gateway_event){ .kind = GATEWAY_START });
}

static void register_metrics(void)
{
	struct metric *const all[] = { &metric_events, &metric_connects, &metric_resumes, &metric_identifies,
		&metric_zombies, &metric_bytes, &metric_latency, &metric_up };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		metrics_register(all[i]);
}

int gateway_client_create(struct loop *loop, struct websockets *websockets, struct random *random,
	const struct gateway_client_options *options, const struct gateway_callbacks *callbacks, void *arg,
	struct gateway_client **ret_client)
{
	struct gateway_client *client;

	if (!options->token || !options->gateway_url)
		return -EINVAL;
	client = xcalloc(1, sizeof(*client));
	client->loop = loop;
	client->websockets = websockets;
	client->random = random;
	client->callbacks = *callbacks;
	client->arg = arg;
	client->token = xstrdup(options->token);
	client->gateway_url = xstrdup(options->gateway_url);
	client->compress = options->compress;
	client->machine = gateway_create(&(struct gateway_options){
		.token = client->token,
		.gateway_url = client->gateway_url,
		.intents = options->intents,
		.compress = options->compress,
		.session_id = options->session_id,
		.resume_url = options->resume_url,
		.sequence = options->sequence,
	});
	client->timer_at = INT64_MAX;
	client->start_task.run = start_run;
	client->end_task.run = end_run;
	timer_init(&client->timer, loop, on_timer, client);
	timer_init(&client->flush_timer, loop, queue_flush, client);
	register_metrics();
	loop_post(loop, &client->start_task);
	*ret_client = client;
	return 0;
}

void gateway_client_stop(struct gateway_client *client)
{
	client->wants_stop = true;
	if (!client->busy)
		play_wishes(client);
}

void gateway_client_reconnect(struct gateway_client *client, const char *reason)
{
	snprintf(client->wish_reason, sizeof(client->wish_reason), "%s", reason);
	client->wants_reconnect = true;
	if (!client->busy)
		play_wishes(client);
}

void gateway_client_destroy(struct gateway_client *client)
{
	if (!client)
		return;
	loop_cancel(client->loop, &client->start_task);
	loop_cancel(client->loop, &client->end_task);
	queue_clear(client);
	timer_finish(&client->timer);
	timer_finish(&client->flush_timer);
	inflater_destroy(client->inflater);
	gateway_destroy(client->machine);
	free(client->token);
	free(client->gateway_url);
	free(client);
}

void gateway_client_statistics(const struct gateway_client *client, struct gateway_statistics *ret_statistics)
{
	*ret_statistics = client->statistics;
	ret_statistics->latency = gateway_latency(client->machine);
}

void gateway_client_dump(const struct gateway_client *client, struct str *out)
{
	const char *reason = gateway_reason(client->machine);

	str_printf(out,
		"gateway %s, sequence %lld, %llu events, %llu connects, %llu resumes, %llu identifies, "
		"%zu requests wait",
		gateway_state_name(gateway_state(client->machine)), (long long)gateway_sequence(client->machine),
		(unsigned long long)client->statistics.events, (unsigned long long)client->statistics.connects,
		(unsigned long long)client->statistics.resumes, (unsigned long long)client->statistics.identifies,
		client->queue_len);
	if (reason[0] != '\0')
		str_printf(out, ", last lost because: %s", reason);
	str_addc(out, '\n');
}
