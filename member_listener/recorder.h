/* Turns what Discord says about one member into his profile's row. */
#ifndef RECORDER_H
#define RECORDER_H

#include "discord/types.h"
#include "models/db.h"

struct recorder {
	struct db *db;
	const char *cdn_url;
	snowflake guild_id;
};

/* The member is here and looks like this. Bots are left out: they earn no XP and stand on no leaderboard.
 * `ret_changed` may be NULL; it is set when the row is new or any column differs. Part of the open transaction. */
int recorder_put(const struct recorder *recorder, const struct member *member, usec now, bool *ret_changed) warn_unused;
/* The member has left; `user` as the event has it. Who was never recorded is ignored. */
int recorder_remove(const struct recorder *recorder, const struct user *user, usec now, bool *ret_changed) warn_unused;
/* Whether this is the name that Discord gives to a deleted account. */
bool recorder_is_deleted_name(const char *username);

#endif
