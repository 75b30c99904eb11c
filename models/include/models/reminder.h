/* Reminders. They are delivered at least once and, within the time in which Discord remembers a nonce, exactly once:
 *
 *	claim (committed) -> POST with the nonce made from the id -> reminder_sent()
 *
 * A service that dies in between leaves a claim whose lease runs out; the next claim sees attempts > 1 and
 * claimed_at, and either repeats the nonce (young claim) or looks in the channel for its own message first (old
 * claim).
 */
#ifndef MODELS_REMINDER_H
#define MODELS_REMINDER_H

#include "base/arena.h"
#include "models/db.h"

enum reminder_state {
	REMINDER_PENDING,  /* waits for due_at */
	REMINDER_CLAIMED,  /* somebody sends it, until lease_at */
	REMINDER_SENT,     /* as sent_message_id */
	REMINDER_GIVEN_UP, /* too many attempts, or Discord refuses for good */
};

struct reminder {
	int64_t id;
	uint64_t author_id;
	uint64_t guild_id, channel_id; /* where it was set; 0: not known (imported), the bot channel then */
	const char *text;
	usec due_at;
	usec created_at; /* 0: not known */
	enum reminder_state state;
	usec claimed_at, lease_at; /* of a claimed one */
	int64_t attempts;          /* claims so far */
	uint64_t sent_message_id;
};

/* Inserts as pending and fills in the id. -EDQUOT: the author has `limit` open reminders already. */
int reminder_add(struct db *db, struct reminder *reminder, int64_t limit) warn_unused;
/* -ENOENT. The text is copied into `arena`, here and below. */
int reminder_get(struct db *db, int64_t id, struct arena *arena, struct reminder *ret_reminder) warn_unused;
/* The author's open ones (pending, claimed), soonest first. */
int reminder_list(struct db *db, uint64_t author_id, struct arena *arena, struct reminder **ret_reminders,
	size_t *ret_count) warn_unused;
/* -ENOENT: no open reminder has this id; -EPERM: it is somebody else's. */
int reminder_delete(struct db *db, int64_t id, uint64_t author_id) warn_unused;

/* When reminder_claim_due() will find something next; -ENOENT: never. */
int reminder_next_due(struct db *db, usec *ret_due) warn_unused;
/* Claims at most `limit` reminders that are due, or whose lease has run out, until now + lease. Those that were
 * claimed `attempts_max` times before are given up instead. Commit before sending. */
int reminder_claim_due(struct db *db, usec now, usec lease, int64_t attempts_max, int64_t limit, struct arena *arena,
	struct reminder **ret_reminders, size_t *ret_count) warn_unused;
/* The ends of a claim. A reminder that was deleted meanwhile is ignored. Released ones are pending again, at
 * `due_at`. */
int reminder_sent(struct db *db, int64_t id, uint64_t message_id) warn_unused;
int reminder_release(struct db *db, int64_t id, usec due_at) warn_unused;
int reminder_give_up(struct db *db, int64_t id) warn_unused;
/* Forgets sent and given-up ones that were due before `before`, at most `limit` a call. `ret_deleted` may be NULL. */
int reminder_prune(struct db *db, usec before, int64_t limit, int64_t *ret_deleted) warn_unused;

#endif
