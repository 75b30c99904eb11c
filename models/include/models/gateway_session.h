/* What a gateway client must know to resume after a restart, one row per service, and the identifies that both
 * services share. */
#ifndef MODELS_GATEWAY_SESSION_H
#define MODELS_GATEWAY_SESSION_H

#include "base/arena.h"
#include "models/db.h"

struct gateway_session {
	const char *session_id, *resume_url; /* NULL: no session */
	int64_t sequence;                    /* of the last event whose effects are committed */
};

/* Without a row: 0, no session, sequence 0. */
int gateway_session_get(
	struct db *db, const char *service, struct arena *arena, struct gateway_session *ret_session) warn_unused;
/* Replaces the row. session_id NULL forgets the session. */
int gateway_session_put(
	struct db *db, const char *service, const struct gateway_session *session, usec now) warn_unused;
/* Only the sequence: once per transaction of events. */
int gateway_session_set_sequence(struct db *db, const char *service, int64_t sequence) warn_unused;

/* Claims the right to identify: 0 and the claim is recorded; -EAGAIN and `ret_wait` (how long to wait before asking
 * again) when the last identify of any service is less than `spacing` ago or `limit` were used in the past 24 hours.
 * `identity` keeps applications apart: a hash of the token's public part. */
int identify_claim(struct db *db, const char *identity, const char *service, usec now, usec spacing, int64_t limit,
	usec *ret_wait) warn_unused;

#endif
