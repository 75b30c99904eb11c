/* A plain client of the fake Discord: see client.h. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>

#define AGENT "DiscordBot (https://example.org, 1.0)"

static void on_opened(void *arg)
{
	((struct client *)arg)->opened = true;
}

static void on_message(void *arg, const char *data, size_t len, bool binary)
{
	struct client *client = arg;
	cJSON *payload;

	if (binary) {
		str_clear(&client->binary);
		str_add(&client->binary, data, len);
		return;
	}
	if (json_parse(data, len, &payload) < 0)
		payload = cJSON_CreateString("garbage");
	if (cJSON_IsNumber(json_get(payload, "s")))
		client->seq = json_int(payload, "s", 0);
	cJSON_AddItemToArray(client->received, payload);
}

static void on_closed(void *arg, int code, const char *reason, int error)
{
	struct client *client = arg;

	(void)reason;
	(void)error;
	client->closed = true;
	client->close_code = code;
	client->websocket = NULL;
}

void client_start(struct client *client, const struct fake_options *options)
{
	*client = (struct client){ 0 };
	client->loop = &client->own_loop;
	assert_int_equal(loop_init(client->loop), 0);
	assert_int_equal(fake_create(client->loop, options, &client->fake), 0);
	assert_int_equal(http_create(client->loop, AGENT, 8, &client->http), 0);
	assert_int_equal(websockets_create(client->loop, &client->websockets), 0);
	client->received = cJSON_CreateArray();
	str_init(&client->binary);
}

static bool is_closed(void *arg)
{
	return ((struct client *)arg)->closed;
}

void client_stop(struct client *client)
{
	client_disconnect(client);
	http_destroy(client->http);
	websockets_destroy(client->websockets);
	fake_destroy(client->fake);
	cJSON_Delete(client->received);
	cJSON_Delete(client->answer);
	free(client->text);
	str_finish(&client->binary);
	assert_int_equal(loop_finish(client->loop), 0);
}

/* ---- gateway ---- */

static bool is_open(void *arg)
{
	const struct client *client = arg;

	return client->opened || client->closed;
}

void client_connect(struct client *client, const char *query)
{
	static const struct websocket_callbacks callbacks = {
		.opened = on_opened, .message = on_message, .closed = on_closed
	};
	char url[256];

	client->opened = client->closed = false;
	client->close_code = 0;
	cJSON_Delete(client->received);
	client->received = cJSON_CreateArray();
	snprintf(url, sizeof(url), "%s/%s", fake_gateway_url(client->fake), query);
	assert_int_equal(
		websocket_connect(client->websockets, url, PATIENCE, &callbacks, client, &client->websocket), 0);
	assert_int_equal(loop_run_until(client->loop, is_open, client, PATIENCE), 0);
}

void client_disconnect(struct client *client)
{
	if (!client->websocket)
		return;
	websocket_kill(client->websocket);
	assert_int_equal(loop_run_until(client->loop, is_closed, client, PATIENCE), 0);
}

void client_send(struct client *client, const char *format, ...)
{
	struct str text = STR_INIT;
	va_list args;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	assert_int_equal(websocket_send(client->websocket, text.buf, text.len), 0);
	str_finish(&text);
}

struct wanted {
	struct client *client;
	int op;
	const char *event;
	cJSON *found;
};

static bool is_there(void *arg)
{
	struct wanted *wanted = arg;
	cJSON *received = wanted->client->received;

	/* The loop may ask again after it was told. */
	while (!wanted->found && received->child) {
		cJSON *payload = cJSON_DetachItemFromArray(received, 0);
		const char *event = json_string(payload, "t");

		if (json_int(payload, "op", -1) == wanted->op &&
			(!wanted->event || (event && streq(event, wanted->event)))) {
			wanted->found = payload;
			return true;
		}
		cJSON_Delete(payload);
	}
	return wanted->found || wanted->client->closed;
}

static cJSON *next_within(struct client *client, int op, const char *event, usec patience)
{
	struct wanted wanted = { .client = client, .op = op, .event = event };

	(void)!loop_run_until(client->loop, is_there, &wanted, patience);
	return wanted.found;
}

cJSON *client_next(struct client *client, int op, const char *event)
{
	return next_within(client, op, event, PATIENCE);
}

cJSON *client_expect(struct client *client, int op, const char *event)
{
	cJSON *payload = client_next(client, op, event);

	if (!payload)
		fail_msg("op %d %s did not come (closed: %d, code %d)", op, event ? event : "", client->closed,
			client->close_code);
	return payload;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void client_expect_none(struct client *client, const char *event)
{
	/* Whatever was sent so far is there once the answer to a heartbeat is. */
	client_send(client, "{\"op\":1,\"d\":null}");
	struct wanted wanted = { .client = client, .op = 11 };

	while (!wanted.found) {
		cJSON *payload = client->received->child ? cJSON_DetachItemFromArray(client->received, 0) : NULL;

		if (!payload) {
			(void)!loop_run_until(client->loop, never, NULL, MILLISECOND);
			continue;
		}
		if (json_string(payload, "t") && streq(json_string(payload, "t"), event))
			fail_msg("%s came", event);
		if (json_int(payload, "op", 0) == 11)
			wanted.found = payload;
		else
			cJSON_Delete(payload);
	}
	cJSON_Delete(wanted.found);
}

int client_wait_closed(struct client *client)
{
	assert_int_equal(loop_run_until(client->loop, is_closed, client, PATIENCE), 0);
	return client->close_code;
}

void client_identify(struct client *client, uint32_t intents)
{
	cJSON *payload;

	client_connect(client, "?v=10&encoding=json");
	cJSON_Delete(client_expect(client, 10, NULL));
	client_send(client,
		"{\"op\":2,\"d\":{\"token\":\"%s\",\"intents\":%u,\"properties\":{\"os\":\"linux\",\"browser\":\"t\",\"device\":\"t\"}}}",
		fake_token(client->fake), intents);
	payload = client_expect(client, 0, "READY");
	snprintf(client->session, sizeof(client->session), "%s", json_string(json_get(payload, "d"), "session_id"));
	cJSON_Delete(payload);
	if (intents & 1)
		cJSON_Delete(client_expect(client, 0, "GUILD_CREATE"));
}

void client_resume(struct client *client, const char *session, int64_t seq)
{
	client_connect(client, "?v=10&encoding=json");
	cJSON_Delete(client_expect(client, 10, NULL));
	client_send(client, "{\"op\":6,\"d\":{\"token\":\"%s\",\"session_id\":\"%s\",\"seq\":%lld}}",
		fake_token(client->fake), session, (long long)seq);
}

/* ---- REST ---- */

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct client *client = arg;
	const char *header;

	client->done = true;
	client->error = answer->error;
	client->status = answer->error ? 0 : answer->status;
	client->text = xstrndup(answer->body ? answer->body : "", answer->body_len);
	if (answer->error || json_parse(answer->body, answer->body_len, &client->answer) < 0)
		client->answer = NULL;
	header = answer->error ? NULL : http_answer_header(answer, "x-ratelimit-bucket");
	snprintf(client->bucket, sizeof(client->bucket), "%s", header ? header : "");
	header = answer->error ? NULL : http_answer_header(answer, "x-ratelimit-scope");
	snprintf(client->scope, sizeof(client->scope), "%s", header ? header : "");
	header = answer->error ? NULL : http_answer_header(answer, "x-ratelimit-remaining");
	client->remaining = header ? (int)strtol(header, NULL, 10) : -1;
}

static bool is_done(void *arg)
{
	return ((struct client *)arg)->done;
}

int client_call_raw(struct client *client, const struct http_request *request)
{
	struct http_call *call;

	cJSON_Delete(client->answer);
	client->answer = NULL;
	free(client->text);
	client->text = NULL;
	client->done = false;
	assert_int_equal(http_send(client->http, request, on_answer, client, &call), 0);
	assert_int_equal(loop_run_until(client->loop, is_done, client, 5 * SECOND), 0);
	return client->status;
}

int client_call(struct client *client, const char *method, const char *path, const char *body)
{
	char *url = xasprintf("%s%s", fake_api_url(client->fake), path);
	char *authorization = xasprintf("Bot %s", fake_token(client->fake));
	const struct http_header headers[] = { { "Authorization", authorization }, { 0 } };
	int status = client_call_raw(client, &(struct http_request){ .method = method,
						     .url = url,
						     .headers = headers,
						     .body = body,
						     .body_len = body ? strlen(body) : 0,
						     .content_type = body ? "application/json" : NULL });

	free(url);
	free(authorization);
	return status;
}

int client_code(const struct client *client)
{
	return (int)json_int(client->answer, "code", -1);
}
