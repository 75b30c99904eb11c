/* Prepared statements, kept with the connection. The key is the address of the SQL literal: finding one costs a few
 * nanoseconds, and the hot path (a ledger row, an upsert) is nothing but bind, step and reset. A statement that is in
 * use when it is asked for again (a callback that reads the same table) is prepared a second time and dropped after
 * use.
 */
#include "query.h"

#include <errno.h>
#include <stdlib.h>

#include "db_internal.h"

struct query {
	struct db *db;
	struct engine_statement *statement;
	const char *sql;
	bool kept, busy, writes;
	int parameters;
};

static size_t slot_of(const char *sql)
{
	return (size_t)(((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (DB_STATEMENTS - 1);
}

static int prepare(struct db *db, const char *sql, struct query **ret_query)
{
	struct engine_statement *statement;
	struct query *query;
	int r;

	r = db->engine->prepare(db->connection, sql, &statement);
	if (r < 0)
		return r;
	query = xcalloc(1, sizeof(*query));
	query->db = db;
	query->statement = statement;
	query->sql = sql;
	query->writes = db->engine->writes(statement);
	query->parameters = db->engine->parameters(statement);
	*ret_query = query;
	return 0;
}

static int find_or_prepare(struct db *db, const char *sql, bool keep, struct query **ret_query)
{
	size_t slot = slot_of(sql);
	bool known = false;
	int r;

	while (keep && db->statements[slot]) {
		if (db->statements[slot]->sql == sql) {
			known = true;
			if (db->statements[slot]->busy)
				break;
			*ret_query = db->statements[slot];
			return 0;
		}
		slot = (slot + 1) & (DB_STATEMENTS - 1);
	}
	r = prepare(db, sql, ret_query);
	if (r < 0)
		return r;
	if (keep && !known && db->statement_count < DB_STATEMENTS / 2) {
		db->statements[slot] = *ret_query;
		db->statement_count++;
		(*ret_query)->kept = true;
	}
	return 0;
}

static void destroy(struct query *query)
{
	query->db->engine->finalize(query->statement);
	free(query);
}

void query_drop_all(struct db *db)
{
	for (size_t i = 0; i < DB_STATEMENTS; i++) {
		if (db->statements[i])
			destroy(db->statements[i]);
		db->statements[i] = NULL;
	}
	db->statement_count = 0;
}

void query_close(struct query *query)
{
	if (!query)
		return;
	query->db->engine->reset(query->statement);
	query->busy = false;
	if (!query->kept)
		destroy(query);
}

void query_closep(struct query **query)
{
	query_close(*query);
}

static int start(struct db *db, const char *sql, bool keep, const struct engine_value *values, size_t count,
	struct query **ret_query)
{
	struct query *query;
	int r;

	*ret_query = NULL;
	if (db->state == DB_FAILED)
		return db->failure < 0 ? db->failure : -EIO;
	r = find_or_prepare(db, sql, keep, &query);
	if (r < 0) {
		db_note(db, r);
		return r;
	}
	query->busy = true;
	r = query->parameters == (int)count ? 0 : -EINVAL;
	for (size_t i = 0; i < count && r >= 0; i++)
		r = db->engine->bind(query->statement, (int)i + 1, &values[i]);
	if (r < 0) {
		query_close(query);
		return r;
	}
	*ret_query = query;
	return 0;
}

int query_open_values(
	struct db *db, struct query **ret_query, const char *sql, const struct engine_value *values, size_t count)
{
	int r;

	r = start(db, sql, true, values, count, ret_query);
	if (r >= 0 && (*ret_query)->writes && db->state != DB_WRITING) {
		query_close(*ret_query);
		*ret_query = NULL;
		return db->read_only ? -EROFS : -EINVAL;
	}
	return r;
}

int query_open_composed(struct db *db, struct query **ret_query, const char *sql)
{
	return start(db, sql, false, NULL, 0, ret_query);
}

int query_row_values(
	struct db *db, struct query **ret_query, const char *sql, const struct engine_value *values, size_t count)
{
	int r;

	r = query_open_values(db, ret_query, sql, values, count);
	if (r < 0)
		return r;
	r = query_next(*ret_query);
	if (r > 0)
		return 0;
	query_close(*ret_query);
	*ret_query = NULL;
	return r < 0 ? r : -ENOENT;
}

int query_next(struct query *query)
{
	return db_note(query->db, query->db->engine->step(query->statement));
}

int query_run_values(struct db *db, const char *sql, const struct engine_value *values, size_t count)
{
	struct query *query;
	bool own = false;
	int r;

	r = start(db, sql, true, values, count, &query);
	if (r < 0)
		return r;
	if (query->writes && db->state == DB_IDLE) {
		r = db_begin(db);
		if (r < 0) {
			query_close(query);
			return r;
		}
		own = true;
	}
	r = query_next(query);
	query_close(query);
	return query_end_joined(db, own, r < 0 ? r : 0);
}

int64_t query_int(struct query *query, int column)
{
	struct engine_value value;

	query->db->engine->column(query->statement, column, &value);
	return value.i;
}

uint64_t query_id(struct query *query, int column)
{
	return (uint64_t)query_int(query, column);
}

bool query_bool(struct query *query, int column)
{
	return query_int(query, column) != 0;
}

bool query_is_null(struct query *query, int column)
{
	struct engine_value value;

	query->db->engine->column(query->statement, column, &value);
	return value.type == ENGINE_NULL;
}

const char *query_text(struct query *query, int column)
{
	struct engine_value value;

	query->db->engine->column(query->statement, column, &value);
	return value.text;
}

char *query_text_copy(struct query *query, int column, struct arena *arena)
{
	return arena_strdup(arena, query_text(query, column));
}

void query_value(struct query *query, int column, struct engine_value *ret_value)
{
	query->db->engine->column(query->statement, column, ret_value);
}

int64_t query_changes(struct db *db)
{
	return db->engine->changes(db->connection);
}

int query_begin_joined(struct db *db, bool *ret_own)
{
	int r;

	*ret_own = false;
	if (db->state == DB_WRITING)
		return 0;
	if (db->state == DB_FAILED)
		return db->failure;
	r = db_begin(db);
	if (r >= 0)
		*ret_own = true;
	return r;
}

int query_end_joined(struct db *db, bool own, int r)
{
	if (!own)
		return r;
	if (r >= 0)
		return db_commit(db);
	db_rollback(db);
	return r;
}
