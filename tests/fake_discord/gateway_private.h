/* Shared by the gateway's files: gateway.c (connections and what they send), gateway_dispatch.c (what they are told), gateway_faults.c (what goes
 * wrong on demand), gateway_members.c (op 8). */
#ifndef FAKE_GATEWAY_PRIVATE_H
#define FAKE_GATEWAY_PRIVATE_H

#include <zlib.h>

#include "gateway.h"
#include "session.h"
#include "ws.h"

/* Sends per connection and minute, and bytes of one payload (events/gateway, "Rate Limiting", "Sending Events"). */
#define SENDS_MAX   120
#define SENDS_TIME  (60 * SECOND)
#define PAYLOAD_MAX 4096
/* Sessions that wait for a resume; then the oldest is forgotten. */
#define DETACHED_MAX 64
/* Payloads that wait for their time (faults that delay). */
#define DELAYED_MAX 4096

enum gateway_op {
	GATEWAY_DISPATCH = 0,
	GATEWAY_HEARTBEAT = 1,
	GATEWAY_IDENTIFY = 2,
	GATEWAY_PRESENCE = 3,
	GATEWAY_VOICE_STATE = 4,
	GATEWAY_RESUME = 6,
	GATEWAY_RECONNECT = 7,
	GATEWAY_MEMBERS = 8,
	GATEWAY_INVALID_SESSION = 9,
	GATEWAY_HELLO = 10,
	GATEWAY_ACK = 11,
	GATEWAY_SOUNDBOARD = 31,
};

struct connection {
	struct connection *prev, *next; /* in order of opening */
	struct gateway *gateway;
	struct ws *ws;
	struct session *session; /* NULL until identified or resumed */
	z_stream *deflate;       /* compress=zlib-stream */
	struct timer patience;   /* no heartbeat for too long */
	struct timer ready;      /* READY comes later: dispatch_delay */
	usec sends[SENDS_MAX];   /* ring of the times of what it sent */
	unsigned next_send;
};

/* A payload that is sent later, to a session that may be gone by then. */
struct delayed {
	struct delayed *prev, *next;
	struct gateway *gateway;
	struct timer timer;
	char session[33];
	char *event;
	struct str data;
};

struct gateway {
	struct fake *fake;
	struct ws_server *server;
	struct connection *connections;
	struct session *sessions;
	size_t delayed_count;
	struct delayed *delayed;
	bool forgetful; /* events are not kept for a resume */
	struct fake_gateway_faults faults;
	struct fake_gateway_stats stats;
	usec last_identify; /* monotonic; 0: never */
	usec day_start;     /* of the daily count */
	int identifies_today;
	usec full_request_at; /* when all members were asked for last, by any session; 0: never */
	void (*drained)(void *arg);
	void *drained_arg;
};

void connection_send(struct connection *connection, const char *text, size_t len);
/* A payload that is no dispatch; `data` is JSON. */
void connection_send_op(struct connection *connection, int op, const char *data);
void connection_close(struct connection *connection, int code, const char *reason);
/* Sends READY and GUILD_CREATE. */
void connection_ready(struct connection *connection);
/* Sends what the session missed, and RESUMED. */
void connection_replay(struct connection *connection, int64_t seq);
/* Sends op 9. */
void connection_invalidate(struct connection *connection, bool resumable);
/* `session` is gone for good; its connection stays open without one. */
void gateway_forget_session(struct gateway *gateway, struct session *session);
/* The session is told later (or now, when `delay` is 0). */
void session_dispatch_later(
	struct gateway *gateway, struct session *session, usec delay, const char *event, const struct str *data);
void gateway_cancel_delayed(struct gateway *gateway);
/* The page hears of sessions that come and go. */
void gateway_tell_page(struct gateway *gateway, const char *what);
size_t gateway_live_sessions(const struct gateway *gateway);

#endif
