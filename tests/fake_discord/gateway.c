/* Gateway v10, the receiving side: connections, identify, resume, heartbeats, limits. A client's mistake is answered by the close code that the
 * documentation names for it (topics/opcodes-and-status-codes).
 *
 * To add an opcode: its number in gateway_private.h, a case in handle_payload().
 */
#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/json.h"
#include "feed.h"
#include "gateway_private.h"

#define DEFLATE_WINDOW 15
#define DAY_LENGTH     DAY

size_t gateway_live_sessions(const struct gateway *gateway)
{
	size_t count = 0;

	for (struct connection *c = gateway->connections; c; c = c->next)
		count += c->session && c->session->ready;
	return count;
}

void gateway_tell_page(struct gateway *gateway, const char *what)
{
	struct str data cleanup(str_finish) = STR_INIT;

	str_printf(&data, "{\"sessions\":%zu,\"what\":\"%s\"}", gateway_live_sessions(gateway), what);
	feed_add(gateway->fake->feed, "GATEWAY", data.buf, data.len);
}

void gateway_forget_session(struct gateway *gateway, struct session *session)
{
	if (session->connection)
		session->connection->session = NULL;
	DL_DELETE(gateway->sessions, session);
	session_destroy(session);
	gateway_tell_page(gateway, "gone");
}

/* Forgets sessions that nobody resumed in time, and the oldest beyond the bound. */
static void forget_old_sessions(struct gateway *gateway)
{
	usec now = fake_now(gateway->fake);
	struct session *session, *next;
	size_t detached = 0;

	DL_FOREACH (gateway->sessions, session)
		detached += !session->connection;
	for (session = gateway->sessions; session; session = next) {
		next = session->next;
		if (session->connection)
			continue;
		if (detached > DETACHED_MAX || now - session->dropped_at > gateway->fake->options.session_timeout) {
			gateway_forget_session(gateway, session);
			detached--;
		}
	}
}

void connection_close(struct connection *connection, int code, const char *reason)
{
	connection->gateway->stats.closed_by_us++;
	connection->gateway->stats.last_close = code;
	ws_close(connection->ws, code, reason);
}

/* ---- op 1, 2, 6 ---- */

static void on_no_heartbeat(void *arg)
{
	struct connection *connection = arg;

	if (connection->session)
		gateway_forget_session(connection->gateway, connection->session);
	connection_close(connection, 4009, "Session timed out.");
}

static void wait_for_heartbeat(struct connection *connection)
{
	timer_start(&connection->patience, 2 * connection->gateway->fake->options.heartbeat + SECOND);
}

static void got_heartbeat(struct connection *connection, const cJSON *data)
{
	struct gateway *gateway = connection->gateway;

	if (data && !cJSON_IsNull(data) && !cJSON_IsNumber(data)) {
		connection_close(connection, 4002, "Error while decoding payload.");
		return;
	}
	gateway->stats.heartbeats++;
	wait_for_heartbeat(connection);
	if (gateway->faults.no_ack)
		return;
	gateway->stats.acks++;
	connection_send_op(connection, GATEWAY_ACK, "null");
}

static bool token_is_wrong(const struct gateway *gateway, const char *token)
{
	if (strncmp(token, "Bot ", 4) == 0)
		token += 4;
	return gateway->fake->token_revoked || !streq(token, gateway->fake->token);
}

int gateway_identifies_left(const struct gateway *gateway, usec *ret_reset_after)
{
	usec since = fake_now(gateway->fake) - gateway->day_start;

	if (since >= DAY_LENGTH) {
		*ret_reset_after = 0;
		return gateway->fake->options.identify_limit;
	}
	*ret_reset_after = DAY_LENGTH - since;
	return gateway->fake->options.identify_limit - gateway->identifies_today;
}

/* Counts an identify. More than a day's limit ends all sessions and makes the token useless, as Discord does. */
static bool identify_allowed(struct gateway *gateway)
{
	usec now = fake_now(gateway->fake);

	if (now - gateway->day_start >= DAY_LENGTH) {
		gateway->day_start = now;
		gateway->identifies_today = 0;
	}
	if (++gateway->identifies_today <= gateway->fake->options.identify_limit)
		return true;
	fake_revoke_token(gateway->fake);
	return false;
}

/* The close code that this identify deserves, 0 when it is fine. */
static int check_identify(const struct gateway *gateway, const cJSON *data, uint32_t *ret_intents)
{
	const char *token = json_string(data, "token");
	const cJSON *properties = json_object(data, "properties");
	const cJSON *shard = json_get(data, "shard");
	int64_t intents = json_int(data, "intents", -1);
	int64_t threshold = json_int(data, "large_threshold", 50);

	if (!token || !properties || threshold < 50 || threshold > 250)
		return 4002;
	if (token_is_wrong(gateway, token))
		return 4004;
	if (shard) {
		const cJSON *number = cJSON_IsArray(shard) ? shard->child : NULL;
		const cJSON *count = number ? number->next : NULL;

		if (!number || !count || !cJSON_IsNumber(number) || !cJSON_IsNumber(count) || number->valueint < 0 ||
			number->valueint >= count->valueint)
			return 4010;
	}
	if (intents < 0 || intents & ~(int64_t)INTENTS_KNOWN)
		return 4013;
	if ((uint32_t)intents & gateway->fake->options.denied_intents)
		return 4014;
	*ret_intents = (uint32_t)intents;
	return 0;
}

static const char *close_reason(int code)
{
	switch (code) {
	case 4002: return "Error while decoding payload.";
	case 4003: return "Not authenticated.";
	case 4004: return "Authentication failed.";
	case 4005: return "Already authenticated.";
	case 4007: return "Invalid seq.";
	case 4010: return "Invalid shard.";
	case 4013: return "Invalid intent(s).";
	case 4014: return "Disallowed intent(s).";
	default: return "";
	}
}

static void on_ready(void *arg)
{
	connection_ready(arg);
}

static void got_identify(struct connection *connection, const cJSON *data)
{
	struct gateway *gateway = connection->gateway;
	struct fake *fake = gateway->fake;
	usec now = fake_now(fake);
	uint32_t intents = 0;
	int code = connection->session ? 4005 : check_identify(gateway, data, &intents);

	if (!code && gateway->faults.close_identifies)
		code = gateway->faults.close_identifies;
	if (code) {
		connection_close(connection, code, close_reason(code));
		return;
	}
	if (!identify_allowed(gateway)) {
		connection_close(connection, 4004, "Authentication failed.");
		return;
	}
	if (gateway->faults.refuse_identifies > 0) {
		gateway->faults.refuse_identifies--;
		connection_invalidate(connection, false);
		return;
	}
	if (fake->options.identify_interval > 0 && gateway->last_identify &&
		now - gateway->last_identify < fake->options.identify_interval) {
		connection_invalidate(connection, false);
		return;
	}
	gateway->last_identify = now;
	gateway->stats.identified++;
	gateway->stats.last_intents = intents;
	connection->session = session_create(
		intents, fake->options.replay, random_u64(&fake->state.random), random_u64(&fake->state.random));
	connection->session->connection = connection;
	DL_APPEND(gateway->sessions, connection->session);
	if (gateway->faults.dispatch_delay)
		timer_start(&connection->ready, gateway->faults.dispatch_delay);
	else
		connection_ready(connection);
}

static struct session *find_session(struct gateway *gateway, const char *id)
{
	struct session *session;

	forget_old_sessions(gateway);
	DL_FOREACH (gateway->sessions, session)
		if (streq(session->id, id))
			return session;
	return NULL;
}

static void got_resume(struct connection *connection, const cJSON *data)
{
	struct gateway *gateway = connection->gateway;
	const char *token = json_string(data, "token"), *id = json_string(data, "session_id");
	int64_t seq = json_int(data, "seq", -1);
	struct session *session;
	int code = 0;

	if (connection->session)
		code = 4005;
	else if (!token || !id || seq < 0)
		code = 4002;
	else if (token_is_wrong(gateway, token))
		code = 4004;
	if (code) {
		connection_close(connection, code, close_reason(code));
		return;
	}
	if (gateway->faults.drop_resumes > 0) {
		gateway->faults.drop_resumes--;
		ws_drop(connection->ws, false);
		return;
	}
	session = find_session(gateway, id);
	if (gateway->faults.refuse_resumes > 0 || !session || !session_can_replay(session, seq)) {
		gateway->faults.refuse_resumes -= gateway->faults.refuse_resumes > 0;
		if (session)
			gateway_forget_session(gateway, session);
		connection_invalidate(connection, false);
		return;
	}
	if (seq > session->seq) {
		gateway_forget_session(gateway, session);
		connection_close(connection, 4007, close_reason(4007));
		return;
	}
	if (session->connection) { /* the newer connection takes over */
		struct connection *older = session->connection;

		older->session = NULL;
		ws_drop(older->ws, false);
	}
	session->connection = connection;
	connection->session = session;
	gateway->stats.resumed++;
	connection_replay(connection, seq);
}

/* ---- everything that comes in ---- */

/* Whether this was one send too many within a minute. */
static bool sends_too_much(struct connection *connection)
{
	usec now = fake_now(connection->gateway->fake);
	usec oldest = connection->sends[connection->next_send];

	connection->sends[connection->next_send] = now;
	connection->next_send = (connection->next_send + 1) % SENDS_MAX;
	return oldest && now - oldest < SENDS_TIME;
}

/* Presences are checked and forgotten: nobody in the fake sees the bot's. */
static bool presence_is_valid(const cJSON *data)
{
	const char *status = json_string(data, "status");
	static const char *const known[] = { "online", "dnd", "idle", "invisible", "offline" };

	if (!json_array(data, "activities") || !status || !json_get(data, "afk"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (streq(status, known[i]))
			return true;
	return false;
}

static void handle_payload(struct connection *connection, const cJSON *payload)
{
	const cJSON *data = json_get(payload, "d");
	int64_t op = json_int(payload, "op", -1);

	if (op != GATEWAY_HEARTBEAT && op != GATEWAY_IDENTIFY && op != GATEWAY_RESUME && !connection->session) {
		connection_close(connection, 4003, close_reason(4003));
		return;
	}
	switch (op) {
	case GATEWAY_HEARTBEAT: got_heartbeat(connection, data); break;
	case GATEWAY_IDENTIFY: got_identify(connection, data); break;
	case GATEWAY_RESUME: got_resume(connection, data); break;
	case GATEWAY_MEMBERS:
		if (cJSON_IsObject(data))
			members_request(connection->gateway->fake, connection->session, data);
		else
			connection_close(connection, 4002, close_reason(4002));
		break;
	case GATEWAY_PRESENCE:
		if (!presence_is_valid(data))
			connection_close(connection, 4002, close_reason(4002));
		break;
	case GATEWAY_VOICE_STATE:
	case GATEWAY_SOUNDBOARD: break; /* allowed; nobody here talks or plays sounds */
	default: connection_close(connection, 4001, "Unknown opcode."); break;
	}
}

static void on_message(void *arg, struct ws *ws, const char *text, size_t len, bool binary)
{
	struct connection *connection = ws_user(ws);
	cJSON *payload cleanup(json_freep) = NULL;
	struct gateway *gateway = arg;

	if (gateway->faults.silent)
		return;
	if (sends_too_much(connection)) {
		connection_close(connection, 4008, "Rate limited.");
		return;
	}
	if (binary || len > PAYLOAD_MAX || json_parse(text, len, &payload) < 0 || !cJSON_IsObject(payload) ||
		!cJSON_IsNumber(json_get(payload, "op"))) {
		connection_close(connection, 4002, close_reason(4002));
		return;
	}
	handle_payload(connection, payload);
}

static bool on_accept(void *arg, const char *target)
{
	struct gateway *gateway = arg;

	if (gateway->faults.refuse_connections > 0) {
		gateway->faults.refuse_connections--;
		return false;
	}
	return target[0] == '/' && !strstr(target, "compress=zstd-stream"); /* not spoken here */
}

static void send_hello(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	struct str text cleanup(str_finish) = STR_INIT;

	if (gateway->faults.reconnect_before_hello)
		connection_send_op(connection, GATEWAY_RECONNECT, "null");
	str_printf(&text, "{\"heartbeat_interval\":%lld,\"_trace\":[\"[\\\"fake\\\",{}]\"]}",
		(long long)(gateway->fake->options.heartbeat / MILLISECOND));
	connection_send_op(connection, GATEWAY_HELLO, text.buf);
}

/* The value of `name` in the query is `value`. */
static bool query_has(const char *target, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);
	const char *at = strchr(target, '?');

	while (at) {
		at++;
		if (strncmp(at, name, n) == 0 && at[n] == '=' && strncmp(at + n + 1, value, m) == 0 &&
			strchr("&", at[n + 1 + m]) != NULL)
			return true;
		at = strchr(at, '&');
	}
	return false;
}

static void on_opened(void *arg, struct ws *ws, const char *target)
{
	struct gateway *gateway = arg;
	struct connection *connection = xcalloc(1, sizeof(*connection));

	connection->gateway = gateway;
	connection->ws = ws;
	ws_set_user(ws, connection);
	timer_init(&connection->patience, gateway->fake->loop, on_no_heartbeat, connection);
	timer_init(&connection->ready, gateway->fake->loop, on_ready, connection);
	DL_APPEND(gateway->connections, connection);
	gateway->stats.connected++;
	if (query_has(target, "compress", "zlib-stream")) {
		connection->deflate = xcalloc(1, sizeof(*connection->deflate));
		if (deflateInit2(connection->deflate, 6, Z_DEFLATED, DEFLATE_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
			free(connection->deflate);
			connection->deflate = NULL;
		}
	}
	if (gateway->faults.silent)
		return;
	if (!query_has(target, "v", "10")) {
		connection_close(connection, 4012, "Invalid API version.");
		return;
	}
	if (!query_has(target, "encoding", "json")) {
		connection_close(connection, 4002, close_reason(4002));
		return;
	}
	send_hello(connection);
	wait_for_heartbeat(connection);
}

static void on_drained(void *arg, struct ws *ws)
{
	struct gateway *gateway = arg;

	(void)ws;
	if (gateway->drained)
		gateway->drained(gateway->drained_arg);
}

static void connection_free(struct connection *connection)
{
	timer_finish(&connection->patience);
	timer_finish(&connection->ready);
	if (connection->deflate) {
		deflateEnd(connection->deflate);
		free(connection->deflate);
	}
	free(connection);
}

/* 1000 and 1001 from the client end the session, and so do the codes after which a resume is impossible; anything else, and a bare end, keeps it. */
static bool ends_session(const struct gateway *gateway, int code)
{
	static const int ours[] = { 4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014 };

	if (code == 1000 || code == 1001)
		return true;
	if (code != -1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (gateway->stats.last_close == ours[i])
			return true;
	return false;
}

static void on_closed(void *arg, struct ws *ws, int code)
{
	struct gateway *gateway = arg;
	struct connection *connection = ws_user(ws);
	struct session *session = connection->session;

	if (code >= 0)
		gateway->stats.last_client_close = code;
	DL_DELETE(gateway->connections, connection);
	if (session) {
		session->connection = NULL;
		session->dropped_at = fake_now(gateway->fake);
		if (!session->ready || ends_session(gateway, code))
			gateway_forget_session(gateway, session);
		else
			gateway_tell_page(gateway, "gone");
	}
	connection_free(connection);
	forget_old_sessions(gateway);
}

int gateway_open(struct fake *fake, struct gateway **ret_gateway)
{
	static const struct ws_callbacks callbacks = { .accept = on_accept,
		.opened = on_opened,
		.message = on_message,
		.drained = on_drained,
		.closed = on_closed };
	struct gateway *gateway = xcalloc(1, sizeof(*gateway));
	int r;

	gateway->fake = fake;
	gateway->day_start = fake_now(fake);
	r = ws_server_create(fake->loop, fake->bind, fake->options.gateway_port, &callbacks, gateway, &gateway->server);
	if (r < 0) {
		free(gateway);
		return r;
	}
	*ret_gateway = gateway;
	return 0;
}

void gateway_end(struct gateway *gateway)
{
	struct connection *connection, *next_connection;
	struct session *session, *next_session;

	if (!gateway)
		return;
	ws_server_destroy(gateway->server);
	gateway_cancel_delayed(gateway);
	DL_FOREACH_SAFE (gateway->connections, connection, next_connection)
		connection_free(connection);
	DL_FOREACH_SAFE (gateway->sessions, session, next_session)
		session_destroy(session);
	free(gateway);
}

int gateway_port(const struct gateway *gateway)
{
	return ws_server_port(gateway->server);
}
