/* Gateway sessions: sequence numbers, the bounded list of events for a resume. A session outlives its connection. */
#ifndef FAKE_SESSION_H
#define FAKE_SESSION_H

#include "base/clock.h"
#include "base/str.h"

struct connection;

/* Of all events that are kept for one session. */
#define REPLAY_MAX_BYTES ((size_t)64 << 20)

struct session_event {
	int64_t seq;
	char *payload; /* what was sent */
	size_t len;
};

struct session {
	struct session *prev, *next;
	char id[33];
	uint32_t intents;
	int64_t seq;
	bool ready;                    /* READY was sent; dispatches follow */
	struct connection *connection; /* NULL: dropped */
	usec dropped_at;               /* monotonic */
	struct session_event *events;  /* ring */
	size_t cap, first, count, bytes;
};

struct session *session_create(uint32_t intents, size_t replay, uint64_t random_a, uint64_t random_b);
void session_destroy(struct session *session);
/* Keeps what was sent for a resume; the oldest go. Takes the payload. */
void session_keep(struct session *session, int64_t seq, char *payload, size_t len);
/* Forgets what was kept: no resume from before now. */
void session_forget_events(struct session *session);
/* Whether everything after `seq` is still there. */
bool session_can_replay(const struct session *session, int64_t seq);
/* The i-th kept event, from the oldest. */
const struct session_event *session_event(const struct session *session, size_t i);

#endif
