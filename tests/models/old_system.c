/* See old_system.h. */
#include "support.h"

#include "old_system.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/json.h"

/* Column types as SQLite sees them matter little; what matters is which columns there are. */
static const char schema[] =
	"CREATE TABLE django_migrations (id integer PRIMARY KEY, app varchar(255), name varchar(255), applied"
	" datetime);"
	"INSERT INTO django_migrations VALUES (1, 'wall_e_models', '0032_reactrole', '2025-01-01 00:00:00');"
	"CREATE TABLE wall_e_models_level (id integer PRIMARY KEY, number bigint, total_points_required bigint,"
	" xp_needed_to_level_up_to_next_level bigint, role_id bigint, role_name varchar(500));"
	"CREATE TABLE wall_e_models_userpoint (id integer PRIMARY KEY, user_id bigint, points bigint,"
	" level_up_specific_points bigint, message_count bigint, latest_time_xp_was_earned_epoch bigint, level_number"
	" bigint,"
	" hidden bool, leveling_update_attempt integer, avatar_url varchar(1000), avatar_url_message_id bigint,"
	" leveling_message_avatar_url varchar(1000), name varchar(500), nickname varchar(500), bucket_number integer,"
	" discord_avatar_link_expiry_date datetime, deleted_date datetime, last_updated_date datetime,"
	" being_processed bool,"
	" outsized_profile_pic bool, concurrent_attempts bigint);"
	"CREATE TABLE wall_e_models_reminder (id integer PRIMARY KEY, reminder_date_epoch bigint, message"
	" varchar(2000),"
	" author_id bigint);"
	"CREATE TABLE wall_e_models_ban_records (id integer PRIMARY KEY, username varchar(37), user_id bigint, mod"
	" varchar(37),"
	" mod_id bigint, reason varchar(512), ban_date datetime, unban_date datetime);"
	"CREATE TABLE wall_e_models_react_roles (react_role_id integer PRIMARY KEY, channel_id bigint, message_id"
	" bigint,"
	" emoji_roles_json text);"
	"CREATE TABLE wall_e_models_commandstat (epoch_time integer PRIMARY KEY, year integer, month integer, day"
	" integer,"
	" hour integer, channel_name varchar(2000), command varchar(2000), invoked_with varchar(2000),"
	" invoked_subcommand varchar(2000));"
	"CREATE TABLE wall_e_models_helpmessage (id integer PRIMARY KEY, message_id bigint, channel_name varchar(500),"
	" channel_id bigint, help_message_expiration_date bigint, time_created bigint);"
	"CREATE TABLE wall_e_models_embedavatar (id integer PRIMARY KEY, avatar_discord_url varchar(5000),"
	" avatar_discord_permanent_url varchar(5000));"
	"CREATE TABLE wall_e_models_updateduser (id integer PRIMARY KEY, user_point_id integer);"
	"CREATE TABLE wall_e_models_profilebucketinprogress (id integer PRIMARY KEY, bucket_number_completed integer);";

/* A row each of the small tables. 1700000000 is 2023-11-14 22:13:20 UTC. */
static const char small_tables[] =
	"INSERT INTO wall_e_models_reminder VALUES (3, 1700000000, 'take a walk', 42),"
	" (9, 1900000000, 'naïve ☕', 43);"
	"INSERT INTO wall_e_models_ban_records VALUES"
	" (1, 'eve', 700, 'mod', 800, 'spam', '2023-11-14 22:13:20.123', '2024-01-01 00:00:00'),"
	" (2, 'eve', 700, NULL, NULL, 'spam again', NULL, NULL), (5, 'mallory', 701, 'mod', 800, 'x', '2024-07-01"
	" 12:00:00', NULL);"
	"INSERT INTO wall_e_models_react_roles VALUES (4, 60, 61, '{\"\\ud83d\\ude00\": 228761314644852737,"
	" \"313248902021120000\": 9007199254740993}'), (5, 60, 62, '{}');"
	"INSERT INTO wall_e_models_commandstat VALUES (1700000000, 2023, 11, 14, 22, 'general', 'rank', 'rank', NULL),"
	" (1700000001, 2023, 11, 14, 22, 'general', 'help', 'h', 'sub');"
	"INSERT INTO wall_e_models_helpmessage VALUES (1, 90, 'general', 91, 1700000060, 1700000000);"
	"INSERT INTO wall_e_models_embedavatar VALUES (1, 'https://cdn.example/a?size=64', 'https://cdn.example/b');"
	"INSERT INTO wall_e_models_updateduser VALUES (1, 1), (2, 1), (3, 2);"
	"INSERT INTO wall_e_models_profilebucketinprogress VALUES (1, 17);";

void old_system_create(const char *path)
{
	run_sql(path, schema);
}

/* The odd ones come first. NULL is NULL. */
static const struct odd_member {
	const char *name, *nick, *avatar, *points, *more; /* more: further columns to set */
} odd_members[] = {
	{ "plain", NULL, NULL, "1500", NULL },
	{ "empty_nick", "", "", "1502", "last_updated_date = '2025-01-01 00:00:00.001'" },
	{ NULL, NULL, NULL, "1503", "last_updated_date = '2024-12-31 23:59:59.999'" },
	{ NULL, "nick without name", "https://cdn.example/11?ex=65f0&a=1&b=%20%3C", "1504", NULL },
	{ "quote\"back\\slash", "tab\tnewline\n\x01\x7f</script> \u2028", NULL, "1506", NULL },
	{ "emoji", "😀👩‍👩‍👧‍👦🏳️‍🌈 𝔘𝔫𝔦", NULL, "1509", NULL },
	{ "max_bigint", NULL, NULL, "9223372036854775807", "message_count = 9223372036854775807" },
	{ "two_53_plus_1", NULL, NULL, "9007199254740993", NULL },
	{ "level_lags", NULL, NULL, "50000", "level_number = 3, level_up_specific_points = 49999" },
	{ "level_leads", NULL, NULL, "90", "level_number = 42, level_up_specific_points = 0" },
	{ "hidden_top", "HIDDEN", NULL, "4611686018427387904", "hidden = 1" },
	{ "epoch_0", NULL, NULL, "1521", "last_updated_date = '1970-01-01 00:00:00'" },
	{ "before_epoch_0", NULL, NULL, "1521", "last_updated_date = '1969-12-31 23:59:59.500'" },
	{ "year_2099", NULL, NULL, "1521", "last_updated_date = '2099-12-31 23:59:59'" },
	{ "being_processed", NULL, NULL, "1523",
		"being_processed = 1, concurrent_attempts = 3, leveling_update_attempt = 5, bucket_number = 7" },
	{ "left_the_guild", NULL, NULL, "1523", "deleted_date = '2023-11-14 22:13:20.250'" },
	{ "oversized", NULL, NULL, "1523", "outsized_profile_pic = 1, avatar_url = 'https://cdn.example/x'" },
	{ "never_earned", NULL, NULL, "0", "latest_time_xp_was_earned_epoch = 0, message_count = 0" },
};

static void add_text(struct str *sql, const char *text)
{
	char *quoted = text ? sqlite3_mprintf("%Q", text) : NULL;

	str_adds(sql, quoted ? quoted : "NULL");
	sqlite3_free(quoted);
}

static void add_member(struct str *sql, int id)
{
	const struct odd_member *odd = (size_t)id <= ARRAY_SIZE(odd_members) ? &odd_members[id - 1] : NULL;
	char *name cleanup(freep) = xasprintf("member%d", id);
	char *points cleanup(freep) = xasprintf("%d", id * 37 % 5000);

	str_printf(sql,
		"INSERT INTO wall_e_models_userpoint (id, user_id, points, level_up_specific_points, message_count,"
		" latest_time_xp_was_earned_epoch, level_number, hidden, leveling_update_attempt, being_processed,"
		" outsized_profile_pic, concurrent_attempts, name, nickname, leveling_message_avatar_url) VALUES (%d,"
		" %" PRId64 ", %s, %d, %d, %d, %d, 0, 0, 0, 0, 0, ",
		id, INT64_C(100000000000000000) + id * INT64_C(7919000003), odd ? odd->points : points, id, id,
		1700000000 + id, id % 10);
	add_text(sql, odd ? odd->name : name);
	str_adds(sql, ", ");
	add_text(sql, odd ? odd->nick : NULL);
	str_adds(sql, ", ");
	add_text(sql, odd ? odd->avatar : NULL);
	str_adds(sql, ");");
	if (odd && odd->more)
		str_printf(sql, "UPDATE wall_e_models_userpoint SET %s WHERE id = %d;", odd->more, id);
}

void old_system_seed(const char *path, int members)
{
	struct str sql cleanup(str_finish) = STR_INIT;
	int64_t total = 0;

	str_adds(&sql, "BEGIN;");
	for (int64_t n = 0; n <= 100; n++) {
		int64_t step = 5 * n * n + 50 * n + 100;

		str_printf(&sql,
			"INSERT INTO wall_e_models_level VALUES (%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", ",
			n + 11, n, total, step);
		if (n % 10 == 0)
			str_printf(&sql, "%" PRId64 ", 'Röle \"%" PRId64 "\"');", INT64_C(1200000000000000000) + n, n);
		else
			str_adds(&sql, "NULL, NULL);");
		total += step;
	}
	for (int id = 1; id <= members; id++)
		add_member(&sql, id);
	str_adds(&sql, small_tables);
	str_adds(&sql, "COMMIT;");
	run_sql(path, sql.buf);
}

/* "2025-01-01 00:00:00.001" as Django's JSON has it. */
static void write_date(struct json_writer *writer, const char *text)
{
	char *date cleanup(freep) = xstrndup(text, 23);
	char *json cleanup(freep) = NULL;

	date[10] = 'T';
	/* The old fields hand out Pacific time; in this hour of the day the date stays the same. */
	if (strncmp(date, "2024-07-01T12:00:00", 19) == 0)
		json = xstrdup("2024-07-01T05:00:00-07:00");
	else
		json = xasprintf("%sZ", date);
	json_write_string(writer, json);
}

static void write_field(struct json_writer *writer, sqlite3_stmt *statement, int i, const char *type)
{
	if (sqlite3_column_type(statement, i) == SQLITE_NULL)
		json_write_null(writer);
	else if (strcmp(type, "bool") == 0)
		json_write_bool(writer, sqlite3_column_int(statement, i) != 0);
	else if (strcmp(type, "datetime") == 0)
		write_date(writer, (const char *)sqlite3_column_text(statement, i));
	else if (sqlite3_column_type(statement, i) == SQLITE_INTEGER)
		json_write_int(writer, sqlite3_column_int64(statement, i));
	else
		json_write_string(writer, (const char *)sqlite3_column_text(statement, i));
}

static void dump_table(sqlite3 *sqlite, struct json_writer *writer, const char *table, const char *model)
{
	char *sql cleanup(freep) = xasprintf("SELECT * FROM %s ORDER BY 1", table);
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL), SQLITE_OK);
	while (sqlite3_step(statement) == SQLITE_ROW) {
		json_begin_object(writer);
		json_put_string(writer, "model", model);
		json_put_int(writer, "pk", sqlite3_column_int64(statement, 0));
		json_key(writer, "fields");
		json_begin_object(writer);
		for (int i = 1; i < sqlite3_column_count(statement); i++) {
			const char *name = sqlite3_column_name(statement, i);

			json_key(writer, strcmp(name, "user_point_id") == 0 ? "user_point" : name);
			write_field(writer, statement, i, sqlite3_column_decltype(statement, i));
		}
		json_end_object(writer);
		json_end_object(writer);
	}
	sqlite3_finalize(statement);
}

void old_system_dump(const char *path, const char *json_path)
{
	/* In the order of the models' definition, which is not the order in which the import reads tables. */
	static const char *const tables[][2] = {
		{ "wall_e_models_react_roles", "wall_e_models.reactrole" },
		{ "wall_e_models_ban_records", "wall_e_models.banrecord" },
		{ "wall_e_models_commandstat", "wall_e_models.commandstat" },
		{ "wall_e_models_profilebucketinprogress", "wall_e_models.profilebucketinprogress" },
		{ "wall_e_models_userpoint", "wall_e_models.userpoint" },
		{ "wall_e_models_updateduser", "wall_e_models.updateduser" },
		{ "wall_e_models_level", "wall_e_models.level" },
		{ "wall_e_models_reminder", "wall_e_models.reminder" },
		{ "wall_e_models_helpmessage", "wall_e_models.helpmessage" },
		{ "wall_e_models_embedavatar", "wall_e_models.embedavatar" },
	};
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer writer = JSON_WRITER(&text);
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	json_begin_array(&writer);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		dump_table(sqlite, &writer, tables[i][0], tables[i][1]);
	json_end_array(&writer);
	sqlite3_close(sqlite);
	write_file(json_path, text.buf, text.len);
}
