/* XP: points, level, counted messages. Written by the bot (and the import) only. */
#ifndef MODELS_MEMBER_XP_H
#define MODELS_MEMBER_XP_H

#include "models/db.h"

struct member_xp {
	int64_t id; /* row id: breaks ties in the ranking, kept by the import */
	uint64_t user_id;
	int64_t points;
	int64_t level_points; /* points gained within the current level (level_up_specific_points) */
	int64_t level_number;
	int64_t message_count; /* messages that earned XP */
	usec last_award_at;    /* time of the message that earned XP last; 0: never */
	bool hidden;           /* does not show on leaderboards */
	bool announce;         /* level-up messages wanted */
};

/* -ENOENT when the member has never earned anything. */
int member_xp_get(struct db *db, uint64_t user_id, struct member_xp *ret_xp) warn_unused;
/* Inserts (id 0: the next one) or replaces all columns by user id; used by the award, whose arithmetic is in
 * bot/features/leveling. A new revision is set. `xp->id` is filled in on insertion. */
int member_xp_put(struct db *db, struct member_xp *xp) warn_unused;
/* Calls `each` for every row whose revision is above `revision` (0: all rows), hidden ones too, in no particular
 * order. `ret_last` is the revision to ask with the next time. A non-zero result of `each` ends the walk and is
 * returned; ret_last is then not set. */
int member_xp_each_since(struct db *db, int64_t revision, int (*each)(void *arg, const struct member_xp *xp), void *arg,
	int64_t *ret_last) warn_unused;
/* The same for the first `limit` rows only, by their revisions: for who must not be held up. */
int member_xp_some_since(struct db *db, int64_t revision, size_t limit,
	int (*each)(void *arg, const struct member_xp *xp), void *arg, int64_t *ret_last) warn_unused;
/* -ENOENT when the member has no row. `ret_changed` may be NULL. */
int member_xp_set_hidden(struct db *db, uint64_t user_id, bool hidden, bool *ret_changed) warn_unused;
int member_xp_set_announce(struct db *db, uint64_t user_id, bool announce, bool *ret_changed) warn_unused;

/* The ledger of messages whose effects are committed. 0: this message is new and is now in the ledger; -EALREADY:
 * counted before. */
int seen_message_claim(struct db *db, uint64_t message_id) warn_unused;
/* Forgets messages below this id, at most `limit` rows a call. `ret_deleted` may be NULL. */
int seen_message_prune(struct db *db, uint64_t below_message_id, int limit, int64_t *ret_deleted) warn_unused;

/* Level-ups that are committed but not yet carried out (role, announcement): the row is written with the award and
 * deleted when done, so a crash between the two loses nothing. */
struct level_up {
	uint64_t message_id; /* the message that caused it; primary key, and nonce of the announcement */
	uint64_t user_id, channel_id;
	int64_t level_number;
};
int level_up_add(struct db *db, const struct level_up *level_up) warn_unused;
int level_up_done(struct db *db, uint64_t message_id) warn_unused;
/* Oldest first, at most `limit`. */
int level_up_list(struct db *db, struct level_up *ret_list, size_t limit, size_t *ret_count) warn_unused;

#endif
