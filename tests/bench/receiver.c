/* The baseline of the gateway's benchmark: a client that receives the same frames as the bot and does nothing with them.
 *
 *	bench-receiver GATEWAY_URL TOKEN INTENTS COUNT
 *
 * Same WebSocket library, zlib-stream, JSON check and tree as in the services, and no more: nothing is looked at but op, t and s, nothing stored.
 * When it has READY it writes "ready", after COUNT messages "CPU-MICROSECONDS WALL-MICROSECONDS BYTES" from the first message to the last.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "base/json.h"
#include "inflate.h"
#include "net/websocket.h"

#define PATIENCE (10 * MINUTE)

struct receiver {
	struct loop loop;
	struct websocket *websocket;
	struct inflater *inflater;
	const char *token, *intents;
	uint64_t wanted, got, bytes;
	usec cpu, wall; /* when the first message came */
	bool finished;
	int status;
};

static usec cpu_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (usec)now.tv_sec * SECOND + now.tv_nsec / 1000;
}

static void say(struct receiver *receiver, const char *text, size_t len)
{
	if (websocket_send(receiver->websocket, text, len) < 0)
		receiver->status = 1;
}

static void identify(struct receiver *receiver)
{
	struct str text cleanup(str_finish) = STR_INIT;

	str_printf(&text,
		"{\"op\":2,\"d\":{\"token\":\"%s\",\"intents\":%s,\"properties\":{\"os\":\"linux\",\"browser\":\"bench\",\"device\":\"bench\"}}}",
		receiver->token, receiver->intents);
	say(receiver, text.buf, text.len);
}

static void on_event(struct receiver *receiver, const char *name)
{
	if (streq(name, "READY")) {
		puts("ready");
		fflush(stdout);
	}
	if (!streq(name, "MESSAGE_CREATE"))
		return;
	if (receiver->got == 0) {
		receiver->cpu = cpu_now();
		receiver->wall = clock_monotonic();
		receiver->bytes = 0;
	}
	if (++receiver->got < receiver->wanted)
		return;
	printf("%lld %lld %llu\n", (long long)(cpu_now() - receiver->cpu),
		(long long)(clock_monotonic() - receiver->wall), (unsigned long long)receiver->bytes);
	fflush(stdout);
	receiver->finished = true;
}

static void on_message(void *arg, const char *data, size_t len, bool binary)
{
	struct receiver *receiver = arg;
	cJSON *json cleanup(json_freep) = NULL;
	const char *name;

	if (binary && inflater_push(receiver->inflater, data, len, &data, &len) <= 0)
		return;
	receiver->bytes += len;
	if (json_parse(data, len, &json) < 0) {
		receiver->status = 1;
		receiver->finished = true;
		return;
	}
	if (json_int(json, "op", -1) == 10)
		identify(receiver);
	else if (json_int(json, "op", -1) == 1)
		say(receiver, "{\"op\":1,\"d\":null}", 17);
	name = json_string(json, "t");
	if (name && json_int(json, "s", 0) > 0)
		on_event(receiver, name);
}

static void on_closed(void *arg, int code, const char *reason, int error)
{
	struct receiver *receiver = arg;

	(void)reason;
	receiver->websocket = NULL;
	if (!receiver->finished) {
		fprintf(stderr, "bench-receiver: the connection ended: %d, %d\n", code, error);
		receiver->status = 1;
	}
	receiver->finished = true;
}

static bool is_finished(void *arg)
{
	return ((const struct receiver *)arg)->finished;
}

int main(int argc, char **argv)
{
	static const struct websocket_callbacks callbacks = { .message = on_message, .closed = on_closed };
	struct receiver receiver = { .inflater = inflater_create(WEBSOCKET_MESSAGE_MAX) };
	struct websockets *websockets;
	struct str url cleanup(str_finish) = STR_INIT;

	if (argc != 5 || parse_u64(argv[4], &receiver.wanted) < 0 || receiver.wanted == 0) {
		fputs("usage: bench-receiver GATEWAY_URL TOKEN INTENTS COUNT\n", stderr);
		return 2;
	}
	receiver.token = argv[2];
	receiver.intents = argv[3];
	str_printf(&url, "%s/?v=10&encoding=json&compress=zlib-stream", argv[1]);
	if (loop_init(&receiver.loop) < 0 || websockets_create(&receiver.loop, &websockets) < 0 ||
		websocket_connect(websockets, url.buf, 10 * SECOND, &callbacks, &receiver, &receiver.websocket) < 0) {
		fputs("bench-receiver: cannot begin\n", stderr);
		return 1;
	}
	if (loop_run_until(&receiver.loop, is_finished, &receiver, PATIENCE) < 0)
		receiver.status = 1;
	receiver.finished = true;
	websockets_destroy(websockets);
	if (loop_finish(&receiver.loop) < 0)
		receiver.status = 1;
	inflater_destroy(receiver.inflater);
	return receiver.status;
}
