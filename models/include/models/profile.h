/* Who a member is: name, nickname, avatar, whether he is here. Written by member_listener (and the import) only. */
#ifndef MODELS_PROFILE_H
#define MODELS_PROFILE_H

#include "base/arena.h"
#include "models/db.h"

struct profile {
	uint64_t user_id;
	const char *name;	  /* the account's name; NULL: not known */
	const char *nick;	  /* in the guild; NULL: none */
	const char *avatar_url;	  /* stable address; NULL: none known */
	bool present;		  /* is a member of the guild now */
	usec deleted_at;	  /* when the account was seen to be deleted (deleted_user_...); 0: not deleted */
	usec updated_at;	  /* last change of any column above; 0: never */
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

/* Reconciliation with a complete member list: begin, mark everybody who is in the list, then finish turns `present` off for all that were
 * present and not marked. Kept in a temporary table of this connection; several transactions may lie between. */
int profile_reconcile_begin(struct db *db) warn_unused;
int profile_reconcile_mark(struct db *db, uint64_t user_id) warn_unused;
int profile_reconcile_finish(struct db *db, usec now, int64_t *ret_left) warn_unused;

#endif
