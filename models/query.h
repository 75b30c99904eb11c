/* Statements for the table files. The SQL is a literal; its prepared form is kept with the connection, found by the
 * literal's address.
 *
 *	r = query_run(db, "DELETE FROM reminder WHERE id = $1", BIND_INT(id));
 *
 *	r = query_open(db, &query, "SELECT id, text FROM reminder WHERE author_id = $1", BIND_ID(author));
 *	while (r >= 0 && (r = query_next(query)) > 0)
 *		... query_int(query, 0), query_text(query, 1) ...
 *	query_close(query);
 */
#ifndef MODELS_QUERY_H
#define MODELS_QUERY_H

#include "base/arena.h"
#include "engine.h"
#include "models/db.h"

struct query;

#define BIND_INT(value)  ((struct engine_value){ .type = ENGINE_INT, .i = (value) })
#define BIND_ID(value)   ((struct engine_value){ .type = ENGINE_INT, .i = (int64_t)(value) })
#define BIND_TEXT(value) query_bind_text(value) /* NULL becomes NULL */
/* The value or NULL when `absent` holds. */
#define BIND_INT_UNLESS(absent, value) \
	((struct engine_value){ .type = (absent) ? ENGINE_NULL : ENGINE_INT, .i = (int64_t)(value) })
/* 0 becomes NULL. */
#define BIND_ID_OR_NULL(value) BIND_INT_UNLESS((value) == 0, value)

static inline struct engine_value query_bind_text(const char *text)
{
	return (struct engine_value){
		.type = text ? ENGINE_TEXT : ENGINE_NULL, .text = text, .len = text ? strlen(text) : 0
	};
}

/* An empty first element makes a list without values legal C; "" around the SQL lets nothing but a literal compile. */
#define QUERY_VALUES_(...) (const struct engine_value[]){ { 0 }, ##__VA_ARGS__ } + 1
#define QUERY_COUNT_(...) \
	(sizeof((const struct engine_value[]){ { 0 }, ##__VA_ARGS__ }) / sizeof(struct engine_value) - 1)

/* Runs a statement that returns no rows. Outside of a transaction a writing statement gets one of its own. */
#define query_run(db, sql, ...) query_run_values(db, "" sql "", QUERY_VALUES_(__VA_ARGS__), QUERY_COUNT_(__VA_ARGS__))
/* Starts a statement that returns rows. Always pair with query_close(), which takes NULL; `*ret_query` is set to NULL
 * on failure. A writing statement (RETURNING) needs a transaction. */
#define query_open(db, ret_query, sql, ...) \
	query_open_values(db, ret_query, "" sql "", QUERY_VALUES_(__VA_ARGS__), QUERY_COUNT_(__VA_ARGS__))
/* The first row: 0 and an open query, or -ENOENT. */
#define query_row(db, ret_query, sql, ...) \
	query_row_values(db, ret_query, "" sql "", QUERY_VALUES_(__VA_ARGS__), QUERY_COUNT_(__VA_ARGS__))

int query_run_values(struct db *db, const char *sql, const struct engine_value *values, size_t count) warn_unused;
int query_open_values(struct db *db, struct query **ret_query, const char *sql, const struct engine_value *values,
	size_t count) warn_unused;
int query_row_values(struct db *db, struct query **ret_query, const char *sql, const struct engine_value *values,
	size_t count) warn_unused;
/* The same for SQL that is composed at run time: prepared, used once and forgotten. No values. */
int query_open_composed(struct db *db, struct query **ret_query, const char *sql) warn_unused;

/* 1: a row; 0: no more; -errno */
int query_next(struct query *query) warn_unused;
void query_close(struct query *query);
void query_closep(struct query **query);

/* Columns of the current row, counted from 0. NULL reads as 0, false, NULL. */
int64_t query_int(struct query *query, int column);
uint64_t query_id(struct query *query, int column);
bool query_bool(struct query *query, int column);
bool query_is_null(struct query *query, int column);
const char *query_text(struct query *query, int column); /* borrowed until the next row */
char *query_text_copy(struct query *query, int column, struct arena *arena);
void query_value(struct query *query, int column, struct engine_value *ret_value);

/* Room for one more item in a growing array of lists of unknown length; free() it, or copy it to an arena when
 * complete. */
#define query_grow(items, count, room)                                          \
	do {                                                                    \
		if ((count) == (room)) {                                        \
			(room) = (room) ? 2 * (room) : 16;                      \
			(items) = xrealloc((items), (room) * sizeof(*(items))); \
		}                                                               \
	} while (0)

/* Rows changed by the last query_run(). */
int64_t query_changes(struct db *db);

/* A transaction around several statements that joins the caller's when there is one:
 *
 *	r = query_begin_joined(db, &own);
 *	if (r < 0)
 *		return r;
 *	r = ...;
 *	return query_end_joined(db, own, r);      commits, or rolls back when r < 0
 */
int query_begin_joined(struct db *db, bool *ret_own) warn_unused;
int query_end_joined(struct db *db, bool own, int r) warn_unused;

#endif
