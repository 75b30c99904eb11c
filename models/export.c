/* Export: a table of tables, one generic loop. A new table or column gets a line here. */
#include "models/export.h"

#include "base/json.h"
#include "query.h"

enum export_kind { EXPORT_INT, EXPORT_ID, EXPORT_BOOL, EXPORT_TEXT };

struct export_column {
	const char *name; /* NULL ends the list */
	enum export_kind kind;
};

struct export_table {
	const char *name;
	const char *order; /* NULL: counted only */
	struct export_column columns[16];
};

#define INT(column)                  \
	{                            \
		(column), EXPORT_INT \
	}
#define ID(column)                  \
	{                           \
		(column), EXPORT_ID \
	}
#define BOOL(column)                  \
	{                             \
		(column), EXPORT_BOOL \
	}
#define TEXT(column)                  \
	{                             \
		(column), EXPORT_TEXT \
	}

static const struct export_table export_tables[] = {
	{ "level", "number",
		{ INT("id"), INT("number"), INT("total_points"), INT("points_to_next"), ID("role_id"),
			TEXT("role_name") } },
	{ "member_xp", "id",
		{ INT("id"), ID("user_id"), INT("points"), INT("level_points"), INT("level_number"),
			INT("message_count"), INT("last_award_at"), BOOL("hidden"), BOOL("announce") } },
	{ "seen_message", "message_id", { ID("message_id") } },
	{ "level_up", "message_id", { ID("message_id"), ID("user_id"), ID("channel_id"), INT("level_number") } },
	{ "profile", "user_id",
		{ ID("user_id"), TEXT("name"), TEXT("nick"), TEXT("avatar_url"), BOOL("present"), INT("deleted_at"),
			INT("updated_at") } },
	{ "reminder", "id",
		{ INT("id"), ID("author_id"), ID("guild_id"), ID("channel_id"), TEXT("text"), INT("due_at"),
			INT("created_at"), INT("state"), INT("claimed_at"), INT("lease_at"), INT("attempts"),
			ID("sent_message_id") } },
	{ "ban_record", "id",
		{ INT("id"), ID("user_id"), TEXT("user_name"), ID("moderator_id"), TEXT("moderator_name"),
			TEXT("reason"), INT("banned_at"), INT("unbanned_at"), ID("unbanned_by") } },
	{ "reaction_role_message", "message_id", { ID("message_id"), ID("channel_id"), TEXT("title") } },
	{ "reaction_role", "message_id, position",
		{ ID("message_id"), TEXT("emoji"), ID("role_id"), INT("position") } },
	{ "command_usage", "id",
		{ INT("id"), INT("used_at"), TEXT("channel_name"), TEXT("command"), TEXT("invoked_as"),
			TEXT("subcommand") } },
	{ "expiring_message", "message_id",
		{ ID("message_id"), ID("channel_id"), ID("request_message_id"), INT("expires_at"),
			INT("created_at") } },
	{ "embed_avatar", "source_url", { TEXT("source_url"), TEXT("permanent_url") } },
	{ "gateway_session", NULL, { { 0 } } },
	{ "identify", NULL, { { 0 } } },
};

static void write_column(struct json_writer *writer, struct query *query, int i, const struct export_column *column)
{
	json_key(writer, column->name);
	if (query_is_null(query, i))
		json_write_null(writer);
	else if (column->kind == EXPORT_INT)
		json_write_int(writer, query_int(query, i));
	else if (column->kind == EXPORT_ID)
		json_write_snowflake(writer, query_id(query, i));
	else if (column->kind == EXPORT_BOOL)
		json_write_bool(writer, query_bool(query, i));
	else
		json_write_string(writer, query_text(query, i));
}

static int export_table(struct db *db, const struct export_table *table,
	int (*write)(void *arg, const char *line, size_t len), void *arg)
{
	struct query *query cleanup(query_closep) = NULL;
	struct str text cleanup(str_finish) = STR_INIT;
	int r;

	str_adds(&text, "SELECT ");
	for (size_t i = 0; table->columns[i].name; i++)
		str_printf(&text, "%s%s", i > 0 ? ", " : "", table->columns[i].name);
	str_printf(&text, " FROM %s ORDER BY %s", table->name, table->order);
	r = query_open_composed(db, &query, text.buf);
	while (r >= 0 && (r = query_next(query)) > 0) {
		struct json_writer writer = JSON_WRITER(&text);

		str_clear(&text);
		json_begin_object(&writer);
		json_put_string(&writer, "table", table->name);
		for (size_t i = 0; table->columns[i].name; i++)
			write_column(&writer, query, (int)i, &table->columns[i]);
		json_end_object(&writer);
		str_addc(&text, '\n');
		r = write(arg, text.buf, text.len);
		if (r != 0)
			return r;
	}
	return r;
}

int export_rows(struct db *db, int (*write)(void *arg, const char *line, size_t len), void *arg)
{
	int r;

	r = db_begin_read(db);
	for (size_t i = 0; i < ARRAY_SIZE(export_tables) && r == 0; i++) {
		if (export_tables[i].order)
			r = export_table(db, &export_tables[i], write, arg);
	}
	db_end_read(db);
	return r;
}

int export_counts(struct db *db, int (*each)(void *arg, const char *table, int64_t rows), void *arg)
{
	int r;

	r = db_begin_read(db);
	for (size_t i = 0; i < ARRAY_SIZE(export_tables) && r == 0; i++) {
		struct str sql cleanup(str_finish) = STR_INIT;
		struct query *query cleanup(query_closep) = NULL;

		str_printf(&sql, "SELECT count(*) FROM %s", export_tables[i].name);
		r = query_open_composed(db, &query, sql.buf);
		if (r >= 0)
			r = query_next(query);
		if (r > 0)
			r = each(arg, export_tables[i].name, query_int(query, 0));
	}
	db_end_read(db);
	return r;
}
