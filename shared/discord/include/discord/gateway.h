/* The gateway protocol as a pure state machine: (state, event, now, random) -> actions. It opens no socket, reads no
 * clock and starts no timer; gateway_client.c does that for it, and a test plays any hour in an instant.
 *
 * The owner feeds events to gateway_step() and performs the actions that come back, in their order. It calls again
 * with GATEWAY_TIMER when gateway_deadline() has come. Sources: Discord's documentation, events/gateway and
 * topics/opcodes-and-status-codes.
 */
#ifndef DISCORD_GATEWAY_H
#define DISCORD_GATEWAY_H

#include "base/random.h"
#include "base/str.h"
#include "discord/types.h"

enum gateway_opcode {
	GATEWAY_OP_DISPATCH = 0,
	GATEWAY_OP_HEARTBEAT = 1,
	GATEWAY_OP_IDENTIFY = 2,
	GATEWAY_OP_RESUME = 6,
	GATEWAY_OP_RECONNECT = 7,
	GATEWAY_OP_REQUEST_GUILD_MEMBERS = 8,
	GATEWAY_OP_INVALID_SESSION = 9,
	GATEWAY_OP_HELLO = 10,
	GATEWAY_OP_HEARTBEAT_ACK = 11,
};

enum gateway_state {
	GATEWAY_IDLE,        /* made, not started */
	GATEWAY_OFFLINE,     /* no connection; the next attempt comes at the deadline */
	GATEWAY_CONNECTING,  /* a connection is being made: `opened` or `closed` follows */
	GATEWAY_GREETING,    /* connected; HELLO must come before the deadline */
	GATEWAY_CLAIMING,    /* greeted without a session; waits for the right to identify, heartbeats run */
	GATEWAY_IDENTIFYING, /* op 2 is sent; READY must come before the deadline */
	GATEWAY_RESUMING,    /* op 6 is sent; missed events come, RESUMED must follow; each event moves the deadline */
	GATEWAY_LIVE,        /* events flow */
	GATEWAY_CLOSING,     /* we dropped the connection; `closed` follows */
	GATEWAY_DONE,        /* stopped by us or refused by Discord; nothing follows */
	GATEWAY_STATE_COUNT,
};
const char *gateway_state_name(enum gateway_state state);

/* How a close code is to be answered. */
enum gateway_close_class {
	GATEWAY_CLOSE_RESUME,      /* reconnect and resume; also every unknown code and none at all */
	GATEWAY_CLOSE_NEW_SESSION, /* reconnect and identify */
	GATEWAY_CLOSE_FATAL,       /* a reconnect cannot help */
};
enum gateway_close_class gateway_close_class(int code);

/* Timing. Where Discord names no figure it is our choice. */
#define GATEWAY_CONNECT_TIMEOUT (15 * SECOND)
#define GATEWAY_HELLO_TIMEOUT   (15 * SECOND)
#define GATEWAY_SESSION_TIMEOUT (30 * SECOND) /* READY after identify; the next event of a replay */
#define GATEWAY_BACKOFF_FIRST   (500 * MILLISECOND)
#define GATEWAY_BACKOFF_MAX     (60 * SECOND)
#define GATEWAY_FAILED_RESUMES  3 /* then a new session */
#define GATEWAY_UNREACHABLE     2 /* failed connections to the resume address, then the general one is tried */
#define GATEWAY_CLAIM_WAIT_MAX  (10 * SECOND) /* longer waits for an identify are spent without a connection */
#define GATEWAY_SEND_LIMIT      120           /* per connection and GATEWAY_SEND_WINDOW */
#define GATEWAY_SEND_WINDOW     (60 * SECOND)
#define GATEWAY_PAYLOAD_MAX     4096 /* bytes; more closes with 4002 */

struct gateway_options {
	const char *token;       /* borrowed for the life of the machine, as are all of these */
	const char *gateway_url; /* "wss://gateway.discord.gg" */
	uint32_t intents;
	bool compress;                       /* zlib-stream */
	const char *session_id, *resume_url; /* to resume; session_id NULL: none */
	int64_t sequence;
};

enum gateway_event_kind {
	GATEWAY_START,
	GATEWAY_OPENED, /* the connection that was asked for is there */
	GATEWAY_FRAME,  /* one parsed payload */
	GATEWAY_BROKEN, /* a message that is no payload (compression, JSON) */
	GATEWAY_CLOSED, /* the connection is gone or could not be made; code 0: no close code */
	GATEWAY_TIMER,
	GATEWAY_CLAIMED,    /* answer to GATEWAY_DO_CLAIM: identify now */
	GATEWAY_CLAIM_WAIT, /* answer to GATEWAY_DO_CLAIM: not before `wait` */
	GATEWAY_RECONNECT,  /* the owner wants the connection dropped and resumed from what is committed */
	GATEWAY_STOP,       /* the owner leaves; the session stays resumable */
	GATEWAY_EVENT_COUNT,
};

struct gateway_event {
	enum gateway_event_kind kind;
	/* GATEWAY_FRAME */
	int64_t op;
	int64_t sequence; /* 0: none */
	const char *name; /* "READY"; NULL for other ops than 0 */
	const cJSON *d;
	/* GATEWAY_CLOSED */
	int code;
	/* GATEWAY_CLAIM_WAIT */
	usec wait;
	/* GATEWAY_RECONNECT, GATEWAY_BROKEN, GATEWAY_CLOSED: a short text, may be NULL */
	const char *reason;
};

enum gateway_action {
	GATEWAY_DO_CONNECT,   /* to gateway_address() */
	GATEWAY_DO_DROP,      /* the connection, without a close frame */
	GATEWAY_DO_HEARTBEAT, /* tell gateway_committed(), then send gateway_write_heartbeat() */
	GATEWAY_DO_CLAIM,     /* ask for the right to identify, answer with GATEWAY_CLAIMED or GATEWAY_CLAIM_WAIT */
	GATEWAY_DO_IDENTIFY,  /* send gateway_write_identify() */
	GATEWAY_DO_RESUME,    /* tell gateway_committed(), then send gateway_write_resume() */
	GATEWAY_DO_SESSION,   /* store gateway_session_id() and gateway_resume_url(), NULL: there is none any more */
	GATEWAY_DO_UP,        /* events flow */
	GATEWAY_DO_DOWN,      /* they do not; gateway_reason() */
	GATEWAY_DO_DISPATCH,  /* hand the frame to the owner */
	GATEWAY_DO_DISPATCH_REPLAYED, /* the same, within a resume */
	GATEWAY_DO_FINISH,            /* the end: gateway_refused(), gateway_reason() */
};

#define GATEWAY_ACTIONS_MAX 6
struct gateway_actions {
	enum gateway_action list[GATEWAY_ACTIONS_MAX];
	size_t count;
};

struct gateway;

/* Copies nothing but the session. */
struct gateway *gateway_create(const struct gateway_options *options);
void gateway_destroy(struct gateway *gateway);

/* Every event is allowed in every state; one that means nothing there is ignored. `ret_actions` is overwritten. */
void gateway_step(struct gateway *gateway, const struct gateway_event *event, usec now, struct random *random,
	struct gateway_actions *ret_actions);
/* When the machine wants GATEWAY_TIMER; INT64_MAX: not at all. */
usec gateway_deadline(const struct gateway *gateway);
/* Up to where the owner's effects are committed in this session. What was not received cannot be committed: larger
 * values are cut. */
void gateway_committed(struct gateway *gateway, int64_t sequence);

enum gateway_state gateway_state(const struct gateway *gateway);
const char *gateway_session_id(const struct gateway *gateway);
const char *gateway_resume_url(const struct gateway *gateway);
int64_t gateway_sequence(const struct gateway *gateway); /* received last in this session */
bool gateway_refused(const struct gateway *gateway);
const char *gateway_reason(const struct gateway *gateway); /* of the last disconnection or the end; "" */
usec gateway_latency(const struct gateway *gateway);       /* of the last acknowledged heartbeat; 0: none yet */
uint64_t gateway_zombies(const struct gateway *gateway);
uint64_t gateway_duplicates(const struct gateway *gateway); /* dispatches whose sequence had come before */

/* Where to connect: the resume address or the general one, with version, encoding and compression. */
void gateway_address(const struct gateway *gateway, struct str *out);
void gateway_write_heartbeat(const struct gateway *gateway, struct str *out);
void gateway_write_identify(const struct gateway *gateway, struct str *out);
/* From the committed sequence; what comes after it counts as new again. */
void gateway_write_resume(struct gateway *gateway, struct str *out);
/* Op 8. user_ids NULL: everybody. -EINVAL: more than 100 ids or a nonce over 32 bytes, so that GATEWAY_PAYLOAD_MAX is
 * kept. */
int gateway_write_request_members(
	snowflake guild, const char *nonce, const snowflake *user_ids, size_t count, struct str *out) warn_unused;

/* For what the owner sends beside the machine (op 8): how long to wait before one more payload may go, 0: now. Keeps
 * back what the heartbeats of the window need. gateway_sent() counts it. */
usec gateway_send_wait(const struct gateway *gateway, usec now);
void gateway_sent(struct gateway *gateway, usec now);

#endif
