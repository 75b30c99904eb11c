/* The old system's SQLite file, read through SQLite only and without a write lock. */
#include <errno.h>
#include <inttypes.h>

#include "db_internal.h"
#include "import_internal.h"
#include "query.h"

#define TOO_OLD                                                                                         \
	"%s: has no %s %s; it is older than the old system's last version (migration 0032_reactrole): " \
	"run its 'manage.py migrate' first"

/* Number of columns of a table; 0: there is no such table. */
static int count_columns(struct import *import, struct db *old, const struct import_table *spec, int64_t *ret_columns)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	*ret_columns = 0;
	r = query_open(old, &query, "SELECT name FROM pragma_table_info($1)", BIND_TEXT(spec->table));
	while (r >= 0 && (r = query_next(query)) > 0) {
		const char *name = query_text(query, 0);
		size_t i = 0;

		(*ret_columns)++;
		while (spec->columns[i].name && !streq(spec->columns[i].name, name))
			i++;
		if (!spec->columns[i].name)
			str_printf(&import->others, "not kept: column %s.%s, which this program does not know\n",
				spec->table, name);
	}
	return r;
}

static int has_column(struct db *old, const char *table, const char *column)
{
	struct query *query;
	int r;

	r = query_row(old, &query, "SELECT 1 FROM pragma_table_info($1) WHERE name = $2", BIND_TEXT(table),
		BIND_TEXT(column));
	query_close(query);
	return r;
}

static int check_schema(struct import *import, struct db *old)
{
	const char *missing_table = NULL;
	bool any = false;
	int64_t columns;
	int r;

	for (size_t i = 0; i < import_table_count; i++) {
		const struct import_table *spec = &import_tables[i];

		r = count_columns(import, old, spec, &columns);
		if (r < 0)
			return r;
		if (columns == 0) {
			missing_table = spec->table;
			continue;
		}
		any = true;
		for (size_t j = 0; spec->columns[j].name; j++) {
			r = has_column(old, spec->table, spec->columns[j].name);
			if (r == -ENOENT) {
				str_printf(
					import->reterr_message, TOO_OLD, import->file, "column", spec->columns[j].name);
				return -ESTALE;
			}
			if (r < 0)
				return r;
		}
	}
	if (!any) {
		str_printf(import->reterr_message, "%s: is an SQLite database, but not one of the old system",
			import->file);
		return -EBADMSG;
	}
	if (missing_table) {
		str_printf(import->reterr_message, TOO_OLD, import->file, "table", missing_table);
		return -ESTALE;
	}
	return 0;
}

static int read_table(struct import *import, struct db *old, size_t table)
{
	const struct import_table *spec = &import_tables[table];
	struct engine_value values[IMPORT_COLUMNS_MAX];
	struct query *query cleanup(query_closep) = NULL;
	struct str sql cleanup(str_finish) = STR_INIT;
	size_t count = 0;
	int r;

	str_adds(&sql, "SELECT ");
	for (; spec->columns[count].name; count++)
		str_printf(&sql, "%s\"%s\"", count > 0 ? ", " : "", spec->columns[count].name);
	str_printf(&sql, " FROM \"%s\" ORDER BY \"%s\"", spec->table, spec->columns[0].name);
	r = query_open_composed(old, &query, sql.buf);
	while (r >= 0 && (r = query_next(query)) > 0) {
		for (size_t i = 0; i < count; i++)
			query_value(query, (int)i, &values[i]);
		r = import_row(import, table, values);
	}
	return r;
}

static bool is_ours(const char *table)
{
	for (size_t i = 0; i < import_table_count; i++) {
		if (streq(import_tables[i].table, table))
			return true;
	}
	return false;
}

/* Django's own tables: counted, so that nothing in the file goes without mention. */
static int count_others(struct import *import, struct db *old)
{
	struct query *query cleanup(query_closep) = NULL;
	int r;

	r = query_open(old, &query,
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
	while (r >= 0 && (r = query_next(query)) > 0) {
		struct query *rows cleanup(query_closep) = NULL;
		struct str sql cleanup(str_finish) = STR_INIT;
		const char *name = query_text(query, 0);

		if (is_ours(name) || strchr(name, '"'))
			continue;
		str_printf(&sql, "SELECT count(*) FROM \"%s\"", name);
		r = query_open_composed(old, &rows, sql.buf);
		if (r >= 0)
			r = query_next(rows);
		if (r > 0 && query_int(rows, 0) > 0)
			str_printf(&import->others, "not Wall-E's: %" PRId64 " rows of %s\n", query_int(rows, 0), name);
	}
	return r;
}

static int read_all(struct import *import, struct db *old)
{
	int r;

	r = check_schema(import, old);
	for (size_t i = 0; i < import_table_count && r >= 0; i++)
		r = read_table(import, old, i);
	if (r >= 0)
		r = count_others(import, old);
	return r;
}

int import_sqlite(struct import *import)
{
	struct str words cleanup(str_finish) = STR_INIT;
	struct db *old;
	int r;

	import->source = "the old system's SQLite database";
	r = db_open_foreign(import->file, &old, &words);
	if (r >= 0) {
		r = db_begin_read(old);
		if (r >= 0)
			r = read_all(import, old);
		if (r < 0 && import->db->state == DB_WRITING)
			str_printf(&words, "%s: cannot be read: %s", import->file, db_error(old));
		db_close(old);
	}
	if (import->reterr_message->len == 0 && r == -EBADMSG)
		str_printf(import->reterr_message, "%s: damaged; copy it from the old system again", import->file);
	else if (import->reterr_message->len == 0 && r < 0)
		str_adds(import->reterr_message, words.buf);
	return r;
}
