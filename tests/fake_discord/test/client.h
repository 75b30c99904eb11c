/* A plain client of the fake Discord for its tests: one gateway connection and REST calls, without anything of shared/discord. */
#ifndef TEST_CLIENT_H
#define TEST_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "fake_discord/fake_discord.h"
#include "net/http.h"
#include "net/websocket.h"

#define ALL_INTENTS (0x1ffffu & ~FAKE_INTENT_GUILD_PRESENCES)
#define PATIENCE    (2 * SECOND)

struct client {
	struct loop *loop; /* of the test; several clients may share it */
	struct loop own_loop;
	struct fake *fake;
	struct http *http;
	struct websockets *websockets;
	struct websocket *websocket; /* NULL: not connected */
	cJSON *received;             /* array of what came and was not taken yet */
	struct str binary;           /* the last binary message */
	bool opened, closed;
	int close_code;
	int64_t seq; /* of the last dispatch */
	char session[64];
	/* the last REST answer */
	int status;
	cJSON *answer; /* NULL: no JSON */
	char *text;
	char bucket[64], scope[16];
	int remaining;
	bool done;
	int error;
};

/* The fake and the client on one loop; `options` may be NULL. */
void client_start(struct client *client, const struct fake_options *options);
void client_stop(struct client *client);

/* ---- gateway ---- */
void client_connect(struct client *client, const char *query);
void client_disconnect(struct client *client); /* bare */
void client_send(struct client *client, const char *format, ...) printf_like(2, 3);
/* Takes the next payload with this op (t NULL) or dispatch of this name; what came before it is dropped. NULL: none came. The caller's. */
cJSON *client_next(struct client *client, int op, const char *event);
/* The same, and it must come; its `d` alone is looked at by most. */
cJSON *client_expect(struct client *client, int op, const char *event);
/* Nothing of this kind comes within a moment. */
void client_expect_none(struct client *client, const char *event);
int client_wait_closed(struct client *client);
/* Connect, hello, identify with these intents, READY and GUILD_CREATE. */
void client_identify(struct client *client, uint32_t intents);
void client_resume(struct client *client, const char *session, int64_t seq);

/* ---- REST ---- */
/* Path without /api/v10. Returns the status, 0 when there was no answer. */
int client_call(struct client *client, const char *method, const char *path, const char *body);
int client_call_raw(struct client *client, const struct http_request *request);
/* The code of Discord in the last answer. */
int client_code(const struct client *client);

#endif
