/* A gateway connection that stays up: websocket, timers, compression and the state machine of discord/gateway.h
 * together.
 *
 * Effects and sequence belong together, so the client never acknowledges what its owner has not committed: it asks
 * `committed_sequence()` before each heartbeat and for each resume.
 */
#ifndef DISCORD_GATEWAY_CLIENT_H
#define DISCORD_GATEWAY_CLIENT_H

#include "base/random.h"
#include "discord/types.h"
#include "net/websocket.h"

struct gateway_client;

enum gateway_stop { GATEWAY_STOPPED, GATEWAY_REFUSED }; /* by us; by Discord for good (4004, 4010..4014) */

struct gateway_callbacks {
	/* A dispatch, in order. `event` and `d` are borrowed. `replayed` is true between a resume and RESUMED. READY
	 * and RESUMED are dispatched too, after the client has taken what it needs. Non-zero: the effects could not
	 * be stored; the client drops the connection and resumes from the committed sequence after a back-off. */
	int (*dispatch)(void *arg, const char *event, const cJSON *d, int64_t sequence, bool replayed);
	/* Commit what is pending and say up to where: called before a heartbeat and before resuming. Negative:
	 * -errno, what was pending is lost; the client drops the connection and resumes, as above. */
	int64_t (*committed_sequence)(void *arg);
	/* A new session began (READY) or ended for good (session_id NULL): to be stored with the next commit. */
	void (*session)(void *arg, const char *session_id, const char *resume_url);
	/* May an identify be sent now? 0 yes (the claim is recorded), -EAGAIN and the time to wait otherwise. */
	int (*claim_identify)(void *arg, usec *ret_wait);
	/* Connection up (after READY or RESUMED) or down, for health. `reason` is a short text. */
	void (*state)(void *arg, bool up, const char *reason);
	/* The end; comes once. With GATEWAY_REFUSED the reason says what to do ("4004: the token is wrong ..."). */
	void (*stopped)(void *arg, enum gateway_stop why, const char *reason);
};

struct gateway_client_options {
	const char *token;
	uint32_t intents;
	const char *gateway_url; /* as asked of the API, or configured */
	bool compress;           /* zlib-stream */
	/* A session to resume, session_id NULL: none */
	const char *session_id, *resume_url;
	int64_t sequence;
};

int gateway_client_create(struct loop *loop, struct websockets *websockets, struct random *random,
	const struct gateway_client_options *options, const struct gateway_callbacks *callbacks, void *arg,
	struct gateway_client **ret_client) warn_unused;
/* Leaves without a close frame, so that the session stays resumable; `stopped` comes from the top of the loop. */
void gateway_client_stop(struct gateway_client *client);
/* After `stopped`. */
void gateway_client_destroy(struct gateway_client *client);
/* Drops the connection and resumes from the committed sequence (the owner could not commit). */
void gateway_client_reconnect(struct gateway_client *client, const char *reason);

/* Op 8. `nonce` at most 32 bytes; the answer comes as GUILD_MEMBERS_CHUNK dispatches (or RATE_LIMITED). user_ids
 * NULL: the whole list (query ""). Within the send limit; queued when it is used up. -ENOBUFS, -ENOTCONN. */
int gateway_client_request_members(struct gateway_client *client, snowflake guild, const char *nonce,
	const snowflake *user_ids, size_t count) warn_unused;

struct gateway_statistics {
	uint64_t events, connects, resumes, identifies, zombies, bytes;
	usec latency; /* of the last heartbeat; 0: none yet */
};
void gateway_client_statistics(const struct gateway_client *client, struct gateway_statistics *ret_statistics);
/* State for SIGUSR1. */
void gateway_client_dump(const struct gateway_client *client, struct str *out);

#endif
