/* The decisions of a reconciliation (reconcile.h). Each attempt in vain doubles the patience, so that a slow Discord
 * gets the time that it needs. A full list may be asked for once in 30 s per guild; Discord answers
 * RATE_LIMITED otherwise, and says when to come back (Discord's change log, August 2025). */
#include "reconcile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Without any piece for so long, the list is lost. */
#define PATIENCE_FIRST (5 * SECOND)
#define PATIENCE_LAST  (2 * MINUTE)
/* Between two complete lists. */
#define PERIOD DAY
/* Between attempts that could not even be sent. */
#define UNSENT_PAUSE SECOND
/* Added to what RATE_LIMITED says, and the bounds of what we believe. */
#define RATE_MARGIN (100 * MILLISECOND)
#define RATE_MAX    (5 * MINUTE)

static usec patience(const struct reconcile *reconcile)
{
	usec patience = PATIENCE_FIRST << MIN(reconcile->attempts, 10u);

	return MIN(patience, PATIENCE_LAST);
}

static void enter_wanted(struct reconcile *reconcile, usec due)
{
	reconcile->state = RECONCILE_WANTED;
	reconcile->due = due;
	reconcile->touched_count = 0;
}

void reconcile_finish(struct reconcile *reconcile)
{
	free(reconcile->touched);
	*reconcile = (struct reconcile){ 0 };
}

void reconcile_want(struct reconcile *reconcile, usec now, usec delay)
{
	if (!reconcile->wanted_since)
		reconcile->wanted_since = now;
	reconcile->attempts = 0;
	enter_wanted(reconcile, now + delay);
}

void reconcile_forget(struct reconcile *reconcile)
{
	reconcile->state = RECONCILE_IDLE;
	reconcile->due = 0;
	reconcile->wanted_since = 0;
	reconcile->touched_count = 0;
}

bool reconcile_tick(struct reconcile *reconcile, usec now)
{
	if (reconcile->state == RECONCILE_IDLE && reconcile->due && now >= reconcile->due)
		reconcile_want(reconcile, now, 0);
	if (reconcile->state == RECONCILE_RECEIVING && now >= reconcile->due) {
		reconcile->attempts++;
		enter_wanted(reconcile, now);
	}
	return reconcile->state == RECONCILE_WANTED && now >= reconcile->due;
}

usec reconcile_due(const struct reconcile *reconcile)
{
	return reconcile->state == RECONCILE_IDLE && !reconcile->due ? RECONCILE_NEVER : reconcile->due;
}

const char *reconcile_next_nonce(struct reconcile *reconcile)
{
	snprintf(reconcile->nonce, sizeof(reconcile->nonce), "r%" PRIu64, ++reconcile->number);
	return reconcile->nonce;
}

void reconcile_requested(struct reconcile *reconcile, usec now)
{
	reconcile->state = RECONCILE_RECEIVING;
	reconcile->due = now + patience(reconcile);
	reconcile->chunk_count = reconcile->chunks_received = 0;
	memset(reconcile->received, 0, sizeof(reconcile->received));
	reconcile->saw_self = false;
	reconcile->touched_count = 0;
}

void reconcile_refused(struct reconcile *reconcile, usec now)
{
	enter_wanted(reconcile, now + UNSENT_PAUSE);
}

bool reconcile_rate_limited(struct reconcile *reconcile, const char *nonce, usec retry_after, usec now)
{
	if (reconcile->state != RECONCILE_RECEIVING || !nonce || !streq(nonce, reconcile->nonce))
		return false;
	retry_after = MAX(0, MIN(retry_after, RATE_MAX));
	enter_wanted(reconcile, now + retry_after + RATE_MARGIN);
	return true;
}

/* The position of the id, or where it belongs. */
static size_t find_touched(const struct reconcile *reconcile, uint64_t user_id)
{
	size_t low = 0, high = reconcile->touched_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reconcile->touched[middle] < user_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool reconcile_is_touched(const struct reconcile *reconcile, uint64_t user_id)
{
	size_t at = find_touched(reconcile, user_id);

	return at < reconcile->touched_count && reconcile->touched[at] == user_id;
}

void reconcile_touch(struct reconcile *reconcile, uint64_t user_id)
{
	size_t at;

	if (reconcile->state != RECONCILE_RECEIVING || reconcile_is_touched(reconcile, user_id))
		return;
	if (reconcile->touched_count == reconcile->touched_room) {
		reconcile->touched_room = MAX(64, 2 * reconcile->touched_room);
		reconcile->touched =
			xrealloc(reconcile->touched, reconcile->touched_room * sizeof(*reconcile->touched));
	}
	at = find_touched(reconcile, user_id);
	memmove(reconcile->touched + at + 1, reconcile->touched + at,
		(reconcile->touched_count - at) * sizeof(*reconcile->touched));
	reconcile->touched[at] = user_id;
	reconcile->touched_count++;
}

bool reconcile_chunk(struct reconcile *reconcile, const char *nonce, int64_t index, int64_t count, usec now)
{
	uint8_t bit;

	if (reconcile->state != RECONCILE_RECEIVING || !nonce || !streq(nonce, reconcile->nonce))
		return false;
	if (count < 1 || count > RECONCILE_CHUNKS_MAX || index < 0 || index >= count)
		return false;
	if (reconcile->chunk_count && reconcile->chunk_count != (unsigned)count)
		return false;
	bit = (uint8_t)(1u << (index % 8));
	if (reconcile->received[index / 8] & bit)
		return false;
	reconcile->received[index / 8] |= bit;
	reconcile->chunk_count = (unsigned)count;
	reconcile->chunks_received++;
	reconcile->due = now + patience(reconcile);
	return true;
}

bool reconcile_all_here(const struct reconcile *reconcile)
{
	return reconcile->state == RECONCILE_RECEIVING && reconcile->chunk_count &&
	       reconcile->chunks_received == reconcile->chunk_count;
}

void reconcile_complete(struct reconcile *reconcile, usec now)
{
	reconcile->state = RECONCILE_IDLE;
	reconcile->due = now + PERIOD;
	reconcile->wanted_since = 0;
	reconcile->attempts = 0;
	reconcile->touched_count = 0;
}

void reconcile_incomplete(struct reconcile *reconcile, usec now)
{
	usec due = now + patience(reconcile);

	reconcile->attempts++;
	enter_wanted(reconcile, due);
}
