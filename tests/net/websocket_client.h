/* What the tests of shared/net/websocket.c share: a client that notes what happens to it, and checks that no callback
 * comes inside another or after the end.
 */
#ifndef TESTS_NET_WEBSOCKET_CLIENT_H
#define TESTS_NET_WEBSOCKET_CLIENT_H

#include "base/str.h"
#include "net/websocket.h"

extern struct loop loop;
extern struct websockets *websockets;

struct client {
	struct websocket *websocket;
	struct str first, last;
	size_t messages, bytes;
	bool binary;
	int opened, closed, code, error;
	char reason[128];
	bool in_callback;
	/* what it does */
	int close_when_opened, close_at_message;
	bool kill_when_opened, kill_at_message, send_when_opened;
};

extern const struct websocket_callbacks client_callbacks;

/* For each test. */
int client_setup(void **state);
int client_teardown(void **state);

void client_connect(struct client *c, const char *url, usec timeout);
/* To 127.0.0.1, without TLS. */
void client_connect_port(struct client *c, int port);
/* For loop_run_until(). */
bool client_is_opened(void *arg);
bool client_is_closed(void *arg);
bool client_has_message(void *arg);
void client_wait_closed(struct client *c);
void client_finish(struct client *c);

#endif
