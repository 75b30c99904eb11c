/* WebSocket client over libwebsockets on our loop: whole messages, bounded, names resolved off the loop, TLS with
 * certificate check.
 *
 * If websocket_connect() fails, no callback comes; otherwise `closed` comes exactly once, last, from the top of the
 * loop.
 */
#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include "net/loop.h"

struct websockets; /* the library's context, one per program */
struct websocket;

/* The largest message that is put together, as with Discord's largest payloads. */
#define WEBSOCKET_MESSAGE_MAX ((size_t)16 << 20)

struct websocket_callbacks {
	void (*opened)(void *arg);
	/* A whole message; text is checked UTF-8. Borrowed. Do not destroy the context in it; websocket_kill() and
	 * _close() are fine. */
	void (*message)(void *arg, const char *data, size_t len, bool binary);
	/* code: the peer's close code (1005: its close frame had none; lws turns 1012 to 1014 into 1002), 0 when
	 * there was no close frame (connection lost, refused, timed out, killed by us). error: 0 after a close
	 * frame, else -EHOSTUNREACH (name), -ECONNREFUSED, -EKEYREJECTED (certificate, or another failure of TLS),
	 * -EPROTO (no upgrade), -ETIMEDOUT, -ECONNRESET (lost), -EMSGSIZE, -EILSEQ (text is not UTF-8), -ECANCELED
	 * (killed). The websocket is gone afterwards. */
	void (*closed)(void *arg, int code, const char *reason, int error);
};

/* Certificates are checked as in net/http.h. -ENOSYS: the package libwebsockets-evlib-uv is missing. */
int websockets_create(struct loop *loop, struct websockets **ret_websockets) warn_unused;
/* Kills what is still connected; those `closed` come before this returns. Not to be called in a callback of a
 * websocket. The library's handles close in the next turns of the loop. */
void websockets_destroy(struct websockets *websockets);

/* ws:// or wss:// with host, optional port, path and query. Connected and upgraded within `timeout` or closed with
 * -ETIMEDOUT. */
int websocket_connect(struct websockets *websockets, const char *url, usec timeout,
	const struct websocket_callbacks *callbacks, void *arg, struct websocket **ret_websocket) warn_unused;
/* Queues a text message. -ENOBUFS when 64 messages or 1 MiB wait; -ENOTCONN before `opened` and after the end. */
int websocket_send(struct websocket *websocket, const char *text, size_t len) warn_unused;
/* Sends a close frame with this code (Discord ends the session on 1000 and 1001) and closes within a second
 * whatever the peer does. */
void websocket_close(struct websocket *websocket, int code);
/* Drops the connection at once without a close frame: the peer keeps the session. */
void websocket_kill(struct websocket *websocket);
/* Bytes received so far on this connection. */
uint64_t websocket_received(const struct websocket *websocket);

#endif
