/* When to ask for the member list, what to do with its pieces, when to ask again: decisions without clock, network
 * or database.
 *
 * A reconciliation compares the complete member list with what is stored. Live events go on meanwhile, and the list
 * is a picture of the moment at which Discord took it, at the earliest when it was asked. A live event that arrives
 * after our request is therefore at least as new as any piece of the list, whichever of them comes first: whoever
 * was touched by one keeps what the event said.
 */
#ifndef RECONCILE_H
#define RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/util.h"

#define RECONCILE_NEVER INT64_MAX
/* Pieces of one list: enough for four million members. */
#define RECONCILE_CHUNKS_MAX 4096

enum reconcile_state {
	RECONCILE_IDLE,      /* the list is complete (the next one is wanted at `due`), or none can be had (`due` 0) */
	RECONCILE_WANTED,    /* ask at `due` */
	RECONCILE_RECEIVING, /* pieces arrive; at `due` the list counts as lost */
};

struct reconcile {
	enum reconcile_state state;
	usec due;
	usec wanted_since; /* when the list was first wanted and not complete since; 0: it is complete */
	unsigned attempts; /* in vain, in a row */
	uint64_t number;   /* of requests: makes the nonce */
	char nonce[24];
	unsigned chunk_count, chunks_received; /* 0: not known yet */
	uint8_t received[RECONCILE_CHUNKS_MAX / 8];
	bool saw_self;     /* the bot was in the list: it is a real one */
	uint64_t *touched; /* by live events since the request; sorted */
	size_t touched_count, touched_room;
};

/* A zeroed struct is idle. */
void reconcile_finish(struct reconcile *reconcile);
/* A new list is needed: the session is new, the guild came back, or the last list was cut off. It is asked for after
 * `delay`. Starts again if one is under way. */
void reconcile_want(struct reconcile *reconcile, usec now, usec delay);
/* No list can be had until reconcile_want(): we are not in the guild any more. */
void reconcile_forget(struct reconcile *reconcile);
/* Whether the request is to be sent now. Then call reconcile_requested() or reconcile_refused(). */
bool reconcile_tick(struct reconcile *reconcile, usec now);
/* When reconcile_tick() has something to decide; RECONCILE_NEVER. */
usec reconcile_due(const struct reconcile *reconcile);
/* The nonce of the request that is to be sent next. */
const char *reconcile_next_nonce(struct reconcile *reconcile);
/* The request was sent. */
void reconcile_requested(struct reconcile *reconcile, usec now);
/* It could not be sent (no connection): again in a while, or with the next session. */
void reconcile_refused(struct reconcile *reconcile, usec now);
/* Discord wants us to wait. False: it speaks of another request. */
bool reconcile_rate_limited(struct reconcile *reconcile, const char *nonce, usec retry_after, usec now);
/* A live event said something about this user. */
void reconcile_touch(struct reconcile *reconcile, uint64_t user_id);
bool reconcile_is_touched(const struct reconcile *reconcile, uint64_t user_id);
/* A piece has arrived. False: it is no part of the list that we wait for, or came twice; leave it alone. */
bool reconcile_chunk(struct reconcile *reconcile, const char *nonce, int64_t index, int64_t count, usec now);
/* Whether all pieces are here. Ask after each; when true, either finish the work and call reconcile_complete(), or
 * reconcile_incomplete(). */
bool reconcile_all_here(const struct reconcile *reconcile);
/* All effects of the list are committed. The next one is wanted in a day, because Discord says that events may get
 * lost. */
void reconcile_complete(struct reconcile *reconcile, usec now);
/* The list cannot be used or stored: ask for another one later. */
void reconcile_incomplete(struct reconcile *reconcile, usec now);

#endif
