/* The ban list. */
#include "models/ban_record.h"

#include <errno.h>
#include <stdlib.h>

#include "query.h"

#define COLUMNS "id, user_id, user_name, moderator_id, moderator_name, reason, banned_at, unbanned_at, unbanned_by"

static struct ban_record read_row(struct query *query, struct arena *arena)
{
	return (struct ban_record){
		.id = query_int(query, 0),
		.user_id = query_id(query, 1),
		.user_name = query_text_copy(query, 2, arena),
		.moderator_id = query_id(query, 3),
		.moderator_name = query_text_copy(query, 4, arena),
		.reason = query_text_copy(query, 5, arena),
		.banned_at = query_int(query, 6),
		.unbanned_at = query_int(query, 7),
		.unbanned_by = query_id(query, 8),
	};
}

/* Reads and closes `query`, whose opening returned `r`. */
static int read_all(struct query *query, int r, struct arena *arena, struct ban_record **ret_records, size_t *ret_count)
{
	struct ban_record *records cleanup(freep) = NULL;
	size_t count = 0, room = 0;

	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(records, count, room);
		records[count++] = read_row(query, arena);
	}
	query_close(query);
	if (r < 0)
		return r;
	*ret_records = count > 0 ? arena_copy(arena, records, count * sizeof(*records)) : NULL;
	*ret_count = count;
	return 0;
}

static int insert(struct db *db, struct ban_record *record)
{
	struct query *query;
	int r;

	r = query_row(db, &query,
		"INSERT INTO ban_record (user_id, user_name, moderator_id, moderator_name, reason, banned_at)"
		" VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		BIND_ID(record->user_id), BIND_TEXT(record->user_name), BIND_ID_OR_NULL(record->moderator_id),
		BIND_TEXT(record->moderator_name), BIND_TEXT(record->reason),
		BIND_INT_UNLESS(record->banned_at == 0, record->banned_at));
	if (r < 0)
		return r;
	record->id = query_int(query, 0);
	query_close(query);
	return 0;
}

int ban_record_add(struct db *db, struct ban_record *record)
{
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	return query_end_joined(db, own, insert(db, record));
}

int ban_record_unban(struct db *db, uint64_t user_id, uint64_t moderator_id, usec now)
{
	int r;

	r = query_run(db,
		"UPDATE ban_record SET unbanned_at = $2, unbanned_by = $3 WHERE user_id = $1 AND unbanned_at IS NULL",
		BIND_ID(user_id), BIND_INT(now), BIND_ID_OR_NULL(moderator_id));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -ENOENT;
}

int ban_record_delete(struct db *db, int64_t id)
{
	int r;

	r = query_run(db, "DELETE FROM ban_record WHERE id = $1", BIND_INT(id));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -ENOENT;
}

int ban_record_get_active(struct db *db, uint64_t user_id, struct arena *arena, struct ban_record *ret_record)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT " COLUMNS " FROM ban_record WHERE user_id = $1 AND unbanned_at IS NULL",
		BIND_ID(user_id));
	if (r < 0)
		return r;
	*ret_record = read_row(query, arena);
	query_close(query);
	return 0;
}

int ban_record_count_active(struct db *db, int64_t *ret_count)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT count(*) FROM ban_record WHERE unbanned_at IS NULL");
	if (r < 0)
		return r;
	*ret_count = query_int(query, 0);
	query_close(query);
	return 0;
}

int ban_record_list_active(struct db *db, int64_t offset, int64_t limit, struct arena *arena,
	struct ban_record **ret_records, size_t *ret_count)
{
	struct query *query;
	int r;

	r = query_open(db, &query,
		"SELECT " COLUMNS " FROM ban_record WHERE unbanned_at IS NULL"
		" ORDER BY coalesce(banned_at, 0) DESC, id DESC LIMIT $1 OFFSET $2",
		BIND_INT(limit), BIND_INT(offset));
	return read_all(query, r, arena, ret_records, ret_count);
}

int ban_record_history(
	struct db *db, uint64_t user_id, struct arena *arena, struct ban_record **ret_records, size_t *ret_count)
{
	struct query *query;
	int r;

	r = query_open(
		db, &query, "SELECT " COLUMNS " FROM ban_record WHERE user_id = $1 ORDER BY id DESC", BIND_ID(user_id));
	return read_all(query, r, arena, ret_records, ret_count);
}
