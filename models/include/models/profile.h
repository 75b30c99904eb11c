/* Who a member is: name, nickname, avatar, whether he is here. Written by member_listener (and the import) only. */
#ifndef MODELS_PROFILE_H
#define MODELS_PROFILE_H

#include "base/arena.h"
#include "models/db.h"

/* updated_at of a profile that never changed. Not 0: the old system's data hold dates of 1970. */
#define PROFILE_NEVER INT64_MIN

struct profile {
	uint64_t user_id;
	const char *name;       /* the account's name; NULL: not known */
	const char *nick;       /* in the guild; NULL: none. Imported rows may hold "", which shows the name too */
	const char *avatar_url; /* stable address; NULL: none known. Imported rows may hold "" */
	bool present;           /* is a member of the guild now */
	usec deleted_at;        /* when the account was seen to be deleted (deleted_user_...); 0: not deleted */
	usec updated_at;        /* last change of any column above, PROFILE_NEVER; ignored by profile_put() */
};

/* Writes the row if it differs from what is stored, then sets updated_at to `now` and a new revision.
 * `ret_changed` may be NULL. */
int profile_put(struct db *db, const struct profile *profile, usec now, bool *ret_changed) warn_unused;
/* Left the guild: present becomes false. Unknown members are ignored. */
int profile_set_absent(struct db *db, uint64_t user_id, usec now, bool *ret_changed) warn_unused;
/* The strings are copied into `arena`. -ENOENT. */
int profile_get(struct db *db, uint64_t user_id, struct arena *arena, struct profile *ret_profile) warn_unused;
/* Calls `each` for every present member in the order of user ids; a non-zero result ends the walk and is returned. */
int profile_each_present(struct db *db, int (*each)(void *arg, uint64_t user_id), void *arg) warn_unused;

/* Calls `each` for every row whose revision is above `revision` (0: all rows), in no particular order. `ret_last` is
 * the revision to ask with the next time. The profile is borrowed for the call. A non-zero result of `each` ends the
 * walk and is returned; ret_last is then not set. */
int profile_each_since(struct db *db, int64_t revision, int (*each)(void *arg, const struct profile *profile),
	void *arg, int64_t *ret_last) warn_unused;
/* The same for the first `limit` rows only, by their revisions: for who must not be held up. */
int profile_some_since(struct db *db, int64_t revision, size_t limit,
	int (*each)(void *arg, const struct profile *profile), void *arg, int64_t *ret_last) warn_unused;

/* Reconciliation with a complete member list: begin, mark everybody who is in the list, then finish turns `present`
 * off for all that were present and not marked. The marks are kept in the connection's memory (8 bytes each), not in
 * the database: several transactions may lie between, and one that is rolled back loses no mark, which would turn a
 * present member into a departed one. Finishing without having begun is -EINVAL; `ret_left` (may be NULL) counts the
 * members that left. */
int profile_reconcile_begin(struct db *db) warn_unused;
int profile_reconcile_mark(struct db *db, uint64_t user_id) warn_unused;
int profile_reconcile_finish(struct db *db, usec now, int64_t *ret_left) warn_unused;

#endif
