/* Wall-E's own ban list: who may not come back, and the history. Discord's bans are lifted again, because they go by
 * address and hit people who share a network. */
#ifndef MODELS_BAN_RECORD_H
#define MODELS_BAN_RECORD_H

#include "base/arena.h"
#include "models/db.h"

struct ban_record {
	int64_t id;
	uint64_t user_id;
	const char *user_name;
	uint64_t moderator_id;      /* 0: not known */
	const char *moderator_name; /* NULL: not known */
	const char *reason;
	usec banned_at;   /* 0: not known */
	usec unbanned_at; /* 0: the ban is active */
	uint64_t unbanned_by;
};

/* Inserts an active ban and fills in the id. -EEXIST: the user is on the list already. */
int ban_record_add(struct db *db, struct ban_record *record) warn_unused;
/* Ends the user's active ban; the record stays. -ENOENT: there is none. */
int ban_record_unban(struct db *db, uint64_t user_id, uint64_t moderator_id, usec now) warn_unused;
/* Takes a record back whose ban did not happen. -ENOENT */
int ban_record_delete(struct db *db, int64_t id) warn_unused;
/* The active ban. -ENOENT. Texts are copied into `arena`, here and below. */
int ban_record_get_active(
	struct db *db, uint64_t user_id, struct arena *arena, struct ban_record *ret_record) warn_unused;
int ban_record_count_active(struct db *db, int64_t *ret_count) warn_unused;
/* Active bans, newest first, undated ones last. */
int ban_record_list_active(struct db *db, int64_t offset, int64_t limit, struct arena *arena,
	struct ban_record **ret_records, size_t *ret_count) warn_unused;
/* All records of one user, newest first. */
int ban_record_history(struct db *db, uint64_t user_id, struct arena *arena, struct ban_record **ret_records,
	size_t *ret_count) warn_unused;

#endif
