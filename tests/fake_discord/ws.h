/* A WebSocket server (RFC 6455) on our loop, with every byte in our hands: fragments, pings between them, a few bytes at a time, a bare end, a
 * TCP reset, any close code at any moment. A library's server hides just these, which is why it is not one.
 *
 * What is sent is gathered and written once per turn of the loop, so that a flood of small frames costs few system calls.
 */
#ifndef FAKE_WS_H
#define FAKE_WS_H

#include "base/str.h"
#include "net/loop.h"

struct ws_server;
struct ws;

/* A client's message beyond this ends the connection; the gateway's own limit is lower. */
#define WS_RECEIVE_MAX ((size_t)64 << 10)
/* A client that takes nothing while this much waits for it is dropped. */
#define WS_SEND_MAX        ((size_t)256 << 20)
#define WS_CONNECTIONS_MAX 256

struct ws_callbacks {
	/* The request for an upgrade is there; false drops the connection. `target` is path and query. */
	bool (*accept)(void *arg, const char *target);
	void (*opened)(void *arg, struct ws *ws, const char *target);
	void (*message)(void *arg, struct ws *ws, const char *data, size_t len, bool binary);
	/* All that was queued is with the kernel. */
	void (*drained)(void *arg, struct ws *ws);
	/* Last, once for every opened one. code: of the client's close frame, 0 when there was none; -1: we closed first. */
	void (*closed)(void *arg, struct ws *ws, int code);
};

int ws_server_create(struct loop *loop, const char *bind, int port, const struct ws_callbacks *callbacks, void *arg,
	struct ws_server **ret_server) warn_unused;
/* Drops all connections, without callbacks. */
void ws_server_destroy(struct ws_server *server);
int ws_server_port(const struct ws_server *server);
/* For all connections from now on; 0 switches off. Fragments have a ping between them. */
void ws_server_set_shape(struct ws_server *server, size_t fragment, size_t dribble);

void ws_set_user(struct ws *ws, void *user);
void *ws_user(const struct ws *ws);
void ws_send(struct ws *ws, const void *data, size_t len, bool binary);
/* Appends the frame to `out` as ws_send() would write it, for ready-made frames... */
void ws_frame(struct str *out, const void *data, size_t len, bool binary);
/* ...that go out together. */
void ws_send_frames(struct ws *ws, const void *frames, size_t len);
/* Bytes that wait. */
size_t ws_queued(const struct ws *ws);
/* Sends a close frame behind what is queued, and closes when the client has answered, at the latest after a second. */
void ws_close(struct ws *ws, int code, const char *reason);
/* At once; `reset`: with a TCP RST. The closed callback comes before this returns. */
void ws_drop(struct ws *ws, bool reset);

#endif
