/* Profiles, and their reconciliation with a complete member list. */
#include "models/profile.h"

#include <errno.h>
#include <stdlib.h>

#include "db_internal.h"
#include "query.h"

#define COLUMNS "user_id, name, nick, avatar_url, present, deleted_at, updated_at, revision"

/* Texts are borrowed from the query. */
static struct profile read_row(struct query *query)
{
	return (struct profile){
		.user_id = query_id(query, 0),
		.name = query_text(query, 1),
		.nick = query_text(query, 2),
		.avatar_url = query_text(query, 3),
		.present = query_bool(query, 4),
		.deleted_at = query_int(query, 5),
		.updated_at = query_is_null(query, 6) ? PROFILE_NEVER : query_int(query, 6),
	};
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static bool same(const struct profile *a, const struct profile *b)
{
	return same_text(a->name, b->name) && same_text(a->nick, b->nick) && same_text(a->avatar_url, b->avatar_url) &&
	       a->present == b->present && a->deleted_at == b->deleted_at;
}

/* 0: stored as it is; 1: stored and different; -ENOENT */
static int compare(struct db *db, const struct profile *profile)
{
	struct query *query;
	struct profile stored;
	int r;

	r = query_row(db, &query, "SELECT " COLUMNS " FROM profile WHERE user_id = $1", BIND_ID(profile->user_id));
	if (r < 0)
		return r;
	stored = read_row(query);
	r = same(&stored, profile) ? 0 : 1;
	query_close(query);
	return r;
}

static int write_row(struct db *db, const struct profile *profile, usec now)
{
	int64_t revision;
	int r;

	r = db_next_revision(db, DB_REVISION_PROFILE, &revision);
	if (r < 0)
		return r;
	return query_run(db,
		"INSERT INTO profile (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		" ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, nick = excluded.nick, avatar_url ="
		" excluded.avatar_url,"
		" present = excluded.present, deleted_at = excluded.deleted_at, updated_at = excluded.updated_at,"
		" revision = excluded.revision",
		BIND_ID(profile->user_id), BIND_TEXT(profile->name), BIND_TEXT(profile->nick),
		BIND_TEXT(profile->avatar_url), BIND_INT(profile->present),
		BIND_INT_UNLESS(profile->deleted_at == 0, profile->deleted_at), BIND_INT(now), BIND_INT(revision));
}

int profile_put(struct db *db, const struct profile *profile, usec now, bool *ret_changed)
{
	bool changed, own;
	int r;

	/* Most members say something far more often than they change: outside of a transaction look first, lock only
	 * to write. */
	if (!db_in_transaction(db) && compare(db, profile) == 0) {
		if (ret_changed)
			*ret_changed = false;
		return 0;
	}
	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = compare(db, profile);
	changed = r == 1 || r == -ENOENT;
	if (changed)
		r = write_row(db, profile, now);
	r = query_end_joined(db, own, r);
	if (r >= 0 && ret_changed)
		*ret_changed = changed;
	return r;
}

int profile_set_absent(struct db *db, uint64_t user_id, usec now, bool *ret_changed)
{
	int64_t revision;
	bool changed = false, own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = db_next_revision(db, DB_REVISION_PROFILE, &revision);
	if (r >= 0)
		r = query_run(db,
			"UPDATE profile SET present = 0, updated_at = $2, revision = $3 WHERE user_id = $1 AND"
			" present = 1",
			BIND_ID(user_id), BIND_INT(now), BIND_INT(revision));
	if (r >= 0)
		changed = query_changes(db) > 0;
	r = query_end_joined(db, own, r);
	if (r >= 0 && ret_changed)
		*ret_changed = changed;
	return r;
}

int profile_get(struct db *db, uint64_t user_id, struct arena *arena, struct profile *ret_profile)
{
	struct query *query;
	struct profile profile;
	int r;

	r = query_row(db, &query, "SELECT " COLUMNS " FROM profile WHERE user_id = $1", BIND_ID(user_id));
	if (r < 0)
		return r;
	profile = read_row(query);
	profile.name = arena_strdup(arena, profile.name);
	profile.nick = arena_strdup(arena, profile.nick);
	profile.avatar_url = arena_strdup(arena, profile.avatar_url);
	query_close(query);
	*ret_profile = profile;
	return 0;
}

int profile_each_present(struct db *db, int (*each)(void *arg, uint64_t user_id), void *arg)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	r = query_open(db, &query, "SELECT user_id FROM profile WHERE present = 1 ORDER BY user_id");
	while (r >= 0 && (r = query_next(query)) > 0) {
		r = each(arg, query_id(query, 0));
		if (r != 0)
			return r;
	}
	return r;
}

/* Up to the first row at which `each` says stop. */
static int walk(struct query *query, int (*each)(void *arg, const struct profile *profile), void *arg, int64_t revision,
	int64_t *ret_last)
{
	int64_t last = revision;
	int r;

	while ((r = query_next(query)) > 0) {
		struct profile profile = read_row(query);

		last = MAX(last, query_int(query, 7));
		r = each(arg, &profile);
		if (r != 0)
			return r;
	}
	if (r >= 0)
		*ret_last = last;
	return r;
}

int profile_each_since(struct db *db, int64_t revision, int (*each)(void *arg, const struct profile *profile),
	void *arg, int64_t *ret_last)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	if (revision == 0)
		r = query_open(db, &query, "SELECT " COLUMNS " FROM profile");
	else
		r = query_open(db, &query, "SELECT " COLUMNS " FROM profile WHERE revision > $1", BIND_INT(revision));
	return r < 0 ? r : walk(query, each, arg, revision, ret_last);
}

int profile_some_since(struct db *db, int64_t revision, size_t limit,
	int (*each)(void *arg, const struct profile *profile), void *arg, int64_t *ret_last)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	r = query_open(db, &query, "SELECT " COLUMNS " FROM profile WHERE revision > $1 ORDER BY revision LIMIT $2",
		BIND_INT(revision), BIND_INT((int64_t)limit));
	return r < 0 ? r : walk(query, each, arg, revision, ret_last);
}

int profile_reconcile_begin(struct db *db)
{
	db->marking = true;
	db->mark_count = 0;
	return 0;
}

int profile_reconcile_mark(struct db *db, uint64_t user_id)
{
	if (!db->marking)
		return -EINVAL;
	query_grow(db->marks, db->mark_count, db->mark_room);
	db->marks[db->mark_count++] = user_id;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

struct departed {
	const struct db *db;
	uint64_t *ids;
	size_t count, room, mark;
};

/* Both the rows and the marks come in the order of ids. */
static int find_departed(void *arg, uint64_t user_id)
{
	struct departed *departed = arg;

	while (departed->mark < departed->db->mark_count && departed->db->marks[departed->mark] < user_id)
		departed->mark++;
	if (departed->mark < departed->db->mark_count && departed->db->marks[departed->mark] == user_id)
		return 0;
	query_grow(departed->ids, departed->count, departed->room);
	departed->ids[departed->count++] = user_id;
	return 0;
}

int profile_reconcile_finish(struct db *db, usec now, int64_t *ret_left)
{
	struct departed departed = { .db = db };
	int64_t left = 0;
	bool own;
	int r;

	if (!db->marking)
		return -EINVAL;
	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	qsort(db->marks, db->mark_count, sizeof(*db->marks), by_id);
	r = profile_each_present(db, find_departed, &departed);
	for (size_t i = 0; i < departed.count && r >= 0; i++) {
		bool changed;

		r = profile_set_absent(db, departed.ids[i], now, &changed);
		if (r >= 0 && changed)
			left++;
	}
	free(departed.ids);
	r = query_end_joined(db, own, r);
	if (r < 0)
		return r;
	db->marking = false;
	free(db->marks);
	db->marks = NULL;
	db->mark_count = db->mark_room = 0;
	if (ret_left)
		*ret_left = left;
	return 0;
}
