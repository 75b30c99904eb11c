/* XP, the ledger of counted messages and the outbox of level-ups: the bot's hot path. Every change of a row gives it
 * the table's next revision, by which the leaderboard and the API find what is new without reading the rest. */
#include "models/member_xp.h"

#include <errno.h>

#include "db_internal.h"
#include "query.h"

#define COLUMNS \
	"user_id, id, points, level_points, level_number, message_count, last_award_at, hidden, announce, revision"

static struct member_xp read_row(struct query *query)
{
	return (struct member_xp){
		.user_id = query_id(query, 0),
		.id = query_int(query, 1),
		.points = query_int(query, 2),
		.level_points = query_int(query, 3),
		.level_number = query_int(query, 4),
		.message_count = query_int(query, 5),
		.last_award_at = query_int(query, 6),
		.hidden = query_bool(query, 7),
		.announce = query_bool(query, 8),
	};
}

int member_xp_get(struct db *db, uint64_t user_id, struct member_xp *ret_xp)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT " COLUMNS " FROM member_xp WHERE user_id = $1", BIND_ID(user_id));
	if (r < 0)
		return r;
	*ret_xp = read_row(query);
	query_close(query);
	return 0;
}

static int update(struct db *db, const struct member_xp *xp, int64_t revision)
{
	int r;

	r = query_run(db,
		"UPDATE member_xp SET points = $2, level_points = $3, level_number = $4, message_count = $5,"
		" last_award_at = $6,"
		" hidden = $7, announce = $8, revision = $9 WHERE user_id = $1",
		BIND_ID(xp->user_id), BIND_INT(xp->points), BIND_INT(xp->level_points), BIND_INT(xp->level_number),
		BIND_INT(xp->message_count), BIND_INT_UNLESS(xp->last_award_at == 0, xp->last_award_at),
		BIND_INT(xp->hidden), BIND_INT(xp->announce), BIND_INT(revision));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -ENOENT;
}

static int insert(struct db *db, struct member_xp *xp, int64_t revision)
{
	struct query *query;
	int r;

	r = query_row(db, &query,
		"INSERT INTO member_xp (" COLUMNS ")"
		" VALUES ($1, coalesce($2, (SELECT coalesce(max(id), 0) + 1 FROM member_xp)), $3, $4, $5, $6, $7, $8,"
		" $9, $10)"
		" RETURNING id",
		BIND_ID(xp->user_id), BIND_ID_OR_NULL(xp->id), BIND_INT(xp->points), BIND_INT(xp->level_points),
		BIND_INT(xp->level_number), BIND_INT(xp->message_count),
		BIND_INT_UNLESS(xp->last_award_at == 0, xp->last_award_at), BIND_INT(xp->hidden),
		BIND_INT(xp->announce), BIND_INT(revision));
	if (r < 0)
		return r;
	xp->id = query_int(query, 0);
	query_close(query);
	return 0;
}

int member_xp_put(struct db *db, struct member_xp *xp)
{
	int64_t revision;
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = db_next_revision(db, DB_REVISION_MEMBER_XP, &revision);
	if (r >= 0)
		r = update(db, xp, revision);
	if (r == -ENOENT)
		r = insert(db, xp, revision);
	return query_end_joined(db, own, r);
}

/* Up to the first row at which `each` says stop. */
static int walk(struct query *query, int (*each)(void *arg, const struct member_xp *xp), void *arg, int64_t revision,
	int64_t *ret_last)
{
	int64_t last = revision;
	int r;

	while ((r = query_next(query)) > 0) {
		struct member_xp xp = read_row(query);

		last = MAX(last, query_int(query, 9));
		r = each(arg, &xp);
		if (r != 0)
			return r;
	}
	if (r >= 0)
		*ret_last = last;
	return r;
}

int member_xp_each_since(struct db *db, int64_t revision, int (*each)(void *arg, const struct member_xp *xp), void *arg,
	int64_t *ret_last)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	/* All rows are read in the order in which they are stored; through the index each would be a search of its
	 * own. */
	if (revision == 0)
		r = query_open(db, &query, "SELECT " COLUMNS " FROM member_xp");
	else
		r = query_open(db, &query, "SELECT " COLUMNS " FROM member_xp WHERE revision > $1", BIND_INT(revision));
	return r < 0 ? r : walk(query, each, arg, revision, ret_last);
}

int member_xp_some_since(struct db *db, int64_t revision, size_t limit,
	int (*each)(void *arg, const struct member_xp *xp), void *arg, int64_t *ret_last)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	r = query_open(db, &query, "SELECT " COLUMNS " FROM member_xp WHERE revision > $1 ORDER BY revision LIMIT $2",
		BIND_INT(revision), BIND_INT((int64_t)limit));
	return r < 0 ? r : walk(query, each, arg, revision, ret_last);
}

/* Which of the two switches is turned; each has its own statements, so that they stay literals. */
static int set_switch(struct db *db, uint64_t user_id, bool value, bool hidden, bool *ret_changed)
{
	struct member_xp xp = { 0 };
	bool *field = hidden ? &xp.hidden : &xp.announce;
	bool changed = false, own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = member_xp_get(db, user_id, &xp);
	if (r >= 0 && *field != value) {
		*field = value;
		changed = true;
		r = member_xp_put(db, &xp);
	}
	r = query_end_joined(db, own, r);
	if (r >= 0 && ret_changed)
		*ret_changed = changed;
	return r;
}

int member_xp_set_hidden(struct db *db, uint64_t user_id, bool hidden, bool *ret_changed)
{
	return set_switch(db, user_id, hidden, true, ret_changed);
}

int member_xp_set_announce(struct db *db, uint64_t user_id, bool announce, bool *ret_changed)
{
	return set_switch(db, user_id, announce, false, ret_changed);
}

int seen_message_claim(struct db *db, uint64_t message_id)
{
	int r;

	r = query_run(db, "INSERT INTO seen_message (message_id) VALUES ($1) ON CONFLICT (message_id) DO NOTHING",
		BIND_ID(message_id));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -EALREADY;
}

int seen_message_prune(struct db *db, uint64_t below_message_id, int limit, int64_t *ret_deleted)
{
	int r;

	r = query_run(db,
		"DELETE FROM seen_message WHERE message_id IN"
		" (SELECT message_id FROM seen_message WHERE message_id < $1 ORDER BY message_id LIMIT $2)",
		BIND_ID(below_message_id), BIND_INT(limit));
	if (r >= 0 && ret_deleted)
		*ret_deleted = query_changes(db);
	return r;
}

int level_up_add(struct db *db, const struct level_up *level_up)
{
	return query_run(db,
		"INSERT INTO level_up (message_id, user_id, channel_id, level_number) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT (message_id) DO NOTHING",
		BIND_ID(level_up->message_id), BIND_ID(level_up->user_id), BIND_ID(level_up->channel_id),
		BIND_INT(level_up->level_number));
}

int level_up_done(struct db *db, uint64_t message_id)
{
	return query_run(db, "DELETE FROM level_up WHERE message_id = $1", BIND_ID(message_id));
}

int level_up_list(struct db *db, struct level_up *ret_list, size_t limit, size_t *ret_count)
{
	struct query *query cleanup(query_closep) = NULL;
	size_t count = 0;
	int r;

	r = query_open(db, &query,
		"SELECT message_id, user_id, channel_id, level_number FROM level_up ORDER BY message_id LIMIT $1",
		BIND_INT((int64_t)limit));
	while (r >= 0 && count < limit && (r = query_next(query)) > 0)
		ret_list[count++] = (struct level_up){ query_id(query, 0), query_id(query, 1), query_id(query, 2),
			query_int(query, 3) };
	if (r < 0)
		return r;
	*ret_count = count;
	return 0;
}
