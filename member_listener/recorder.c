/* One member to one row (recorder.h).
 *
 * A member without a picture of his own gets the address of the default picture that Discord shows for him: it is as
 * stable as the others, and the website need not know how it is chosen. To store more about a member: a column and a
 * field in models/profile, then fill it in here.
 */
#include "recorder.h"

#include <errno.h>

#include "models/profile.h"

/* Discord renames the accounts of people who leave Discord to this and a number. */
#define DELETED_PREFIX "deleted_user_"

bool recorder_is_deleted_name(const char *username)
{
	return username && strncmp(username, DELETED_PREFIX, strlen(DELETED_PREFIX)) == 0;
}

/* When the account was seen to be deleted: the first time counts. 0: it is not. */
static int deletion_time(const struct recorder *recorder, const struct user *user, usec now, usec *ret_deleted_at)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile stored;
	int r;

	*ret_deleted_at = 0;
	if (!recorder_is_deleted_name(user->username))
		return 0;
	r = profile_get(recorder->db, user->id, &arena, &stored);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_deleted_at = r == 0 && stored.deleted_at ? stored.deleted_at : now;
	return 0;
}

int recorder_put(const struct recorder *recorder, const struct member *member, usec now, bool *ret_changed)
{
	struct str avatar cleanup(str_finish) = STR_INIT;
	struct profile profile = {
		.user_id = member->user.id,
		.name = member->user.username,
		.nick = member->nick,
		.present = true,
	};
	int r;

	if (ret_changed)
		*ret_changed = false;
	if (member->user.bot || member->user.system)
		return 0;
	avatar_url(&avatar, recorder->cdn_url, recorder->guild_id, &member->user, member);
	profile.avatar_url = avatar.buf;
	r = deletion_time(recorder, &member->user, now, &profile.deleted_at);
	if (r < 0)
		return r;
	return profile_put(recorder->db, &profile, now, ret_changed);
}

int recorder_remove(const struct recorder *recorder, const struct user *user, usec now, bool *ret_changed)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile profile;
	int r;

	if (ret_changed)
		*ret_changed = false;
	if (!recorder_is_deleted_name(user->username))
		return profile_set_absent(recorder->db, user->id, now, ret_changed);

	/* He left because his account is gone: the last that we hear of it. */
	r = profile_get(recorder->db, user->id, &arena, &profile);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	profile.name = user->username;
	profile.present = false;
	if (!profile.deleted_at)
		profile.deleted_at = now;
	return profile_put(recorder->db, &profile, now, ret_changed);
}
