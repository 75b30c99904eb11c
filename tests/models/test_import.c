/* The import of the old system's data, by its SQLite file and by a dump. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "import_internal.h"
#include "models/export.h"
#include "models/import.h"
#include "models/level.h"
#include "models/member_xp.h"
#include "models/profile.h"
#include "old_system.h"

struct old {
	struct fixture *f;
	char *file, *dump;
};

static int old_setup(void **state)
{
	struct old *old = xcalloc(1, sizeof(*old));

	if (fixture_setup((void **)&old->f) < 0)
		return -1;
	old->file = in_directory(old->f, "old.sqlite3");
	old->dump = in_directory(old->f, "dump.json");
	old_system_create(old->file);
	*state = old;
	return 0;
}

static int old_teardown(void **state)
{
	struct old *old = *state;
	void *fixture = old->f;

	free(old->file);
	free(old->dump);
	free(old);
	return fixture_teardown(&fixture);
}

static void import_ok(struct db *db, const char *file, bool merge, struct str *report)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct import_options options = { .merge = merge };

	str_clear(report);
	if (import_file(db, file, &options, report, &message) < 0)
		fail_msg("%s", message.buf);
}

/* The line of the report's table about one model, without its padding: "level 101 101 0". */
static void assert_counts(const struct str *report, const char *expected)
{
	char *name cleanup(freep) = xstrndup(expected, strcspn(expected, " "));
	char *start cleanup(freep) = xasprintf("\n%s ", name);
	struct str line cleanup(str_finish) = STR_INIT;
	const char *c = strstr(report->buf, start);

	assert_non_null(c);
	for (c++; *c != '\n'; c++) {
		if (*c != ' ' || c[1] != ' ')
			str_addc(&line, *c);
	}
	assert_string_equal(line.buf, expected);
}

static void assert_reports(const struct str *report, const char *words)
{
	if (!strstr(report->buf, words))
		fail_msg("'%s' is not in:\n%s", words, report->buf);
}

static int add_line(void *arg, const char *line, size_t len)
{
	str_add(arg, line, len);
	return 0;
}

static void test_every_row_is_accounted_for(void **state)
{
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;

	old_system_seed(old->file, 137);
	import_ok(old->f->db, old->file, false, &report);
	assert_counts(&report, "level 101 101 0");
	assert_counts(&report, "userpoint 137 137 0");
	assert_counts(&report, "reminder 2 2 0");
	assert_counts(&report, "banrecord 3 3 0");
	assert_counts(&report, "reactrole 2 2 0");
	assert_counts(&report, "commandstat 2 2 0");
	assert_counts(&report, "helpmessage 1 1 0");
	assert_counts(&report, "embedavatar 1 1 0");
	assert_counts(&report, "updateduser 3 0 3");
	assert_counts(&report, "profilebucketinprogress 1 0 1");
	assert_reports(&report, "member_listener writes profiles itself (rows 1, 2, 3)");
	assert_reports(&report, "not kept: 1 values of userpoint.bucket_number");
	assert_reports(&report, "not kept: 1 values of userpoint.outsized_profile_pic");
	assert_reports(&report, "not Wall-E's: 1 rows of django_migrations");
	assert_int_equal(sql_number(old->f->path, "SELECT count(*) FROM member_xp"), 137);
	assert_int_equal(sql_number(old->f->path, "SELECT count(*) FROM profile"), 137);
	assert_int_equal(sql_number(old->f->path, "SELECT count(*) FROM reaction_role"), 2);
	/* The old file was only read. */
	assert_int_equal(sql_number(old->file, "SELECT count(*) FROM wall_e_models_userpoint"), 137);
}

static void test_values_are_exact(void **state)
{
	struct old *old = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str report cleanup(str_finish) = STR_INIT;
	struct profile profile;
	struct member_xp xp;
	struct level *levels;
	size_t count;
	uint64_t first = UINT64_C(100000000000000000);

	old_system_seed(old->file, 30);
	import_ok(old->f->db, old->file, false, &report);
#define USER(n) (first + (n)*UINT64_C(7919000003))
	assert_ok(member_xp_get(old->f->db, USER(7), &xp));
	assert_true(xp.points == INT64_MAX && xp.message_count == INT64_MAX);
	assert_int_equal(xp.id, 7);
	assert_ok(member_xp_get(old->f->db, USER(8), &xp));
	assert_true(xp.points == INT64_C(9007199254740993));
	assert_ok(member_xp_get(old->f->db, USER(9), &xp));
	assert_int_equal(xp.level_number, 3);
	assert_int_equal(xp.level_points, 49999);
	assert_int_equal(xp.last_award_at, (1700000000 + 9) * SECOND);
	assert_false(xp.hidden);
	assert_true(xp.announce);
	assert_ok(member_xp_get(old->f->db, USER(11), &xp));
	assert_true(xp.hidden);
	assert_ok(member_xp_get(old->f->db, USER(18), &xp));
	assert_int_equal(xp.last_award_at, 0);

	assert_ok(profile_get(old->f->db, USER(1), &arena, &profile));
	assert_null(profile.nick);
	assert_null(profile.avatar_url);
	assert_true(profile.updated_at == PROFILE_NEVER);
	assert_ok(profile_get(old->f->db, USER(2), &arena, &profile));
	assert_string_equal(profile.nick, "");
	assert_string_equal(profile.avatar_url, "");
	assert_int_equal(profile.updated_at, 1735689600 * SECOND + 1000);
	assert_ok(profile_get(old->f->db, USER(3), &arena, &profile));
	assert_null(profile.name);
	assert_ok(profile_get(old->f->db, USER(5), &arena, &profile));
	assert_string_equal(profile.nick, "tab\tnewline\n\x01\x7f</script> \u2028");
	assert_ok(profile_get(old->f->db, USER(12), &arena, &profile));
	assert_int_equal(profile.updated_at, 0);
	assert_ok(profile_get(old->f->db, USER(13), &arena, &profile));
	assert_int_equal(profile.updated_at, -500000);
	assert_ok(profile_get(old->f->db, USER(16), &arena, &profile));
	assert_int_equal(profile.deleted_at, 1700000000 * SECOND + 250000);
	assert_false(profile.present);

	assert_ok(level_list(old->f->db, &arena, &levels, &count));
	assert_int_equal(count, 101);
	assert_int_equal(levels[0].id, 11);
	assert_int_equal(levels[10].role_id, 1200000000000000010);
	assert_int_equal(sql_number(old->f->path, "SELECT banned_at FROM ban_record WHERE id = 1"), 1700000000123000);
	assert_int_equal(
		sql_number(old->f->path, "SELECT role_id FROM reaction_role WHERE emoji = '😀'"), 228761314644852737);
	assert_int_equal(sql_number(old->f->path, "SELECT used_at FROM command_usage WHERE command = 'rank'"),
		1700000000 * SECOND);
	assert_int_equal(sql_number(old->f->path, "SELECT due_at FROM reminder WHERE id = 9"), 1900000000 * SECOND);
}

/* Both exports, and that they are the same. */
static void assert_same_data(struct db *a, struct db *b)
{
	struct str one cleanup(str_finish) = STR_INIT;
	struct str two cleanup(str_finish) = STR_INIT;

	assert_ok(export_rows(a, add_line, &one));
	assert_ok(export_rows(b, add_line, &two));
	assert_true(one.len > 0);
	assert_string_equal(one.buf, two.buf);
}

static void test_file_and_dump_give_the_same_database(void **state)
{
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;
	char *path cleanup(freep) = in_directory(old->f, "second.sqlite3");
	struct db *second = open_db(path);

	old_system_seed(old->file, 137);
	old_system_dump(old->file, old->dump);
	import_ok(old->f->db, old->file, false, &report);
	import_ok(second, old->dump, false, &report);
	assert_counts(&report, "userpoint 137 137 0");
	assert_counts(&report, "updateduser 3 0 3");
	assert_reports(&report, "milliseconds");
	assert_same_data(old->f->db, second);
	db_close(second);
}

static void test_a_bad_row_is_skipped_with_its_reason(void **state)
{
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;

	run_sql(old->file,
		"INSERT INTO wall_e_models_reminder VALUES (1, 1700000000, 'a', 0), (2, 'soon', 'b', 5),"
		" (3, 9223372036854775807, 'c', 5), (4, 1700000000, x'ff', 5), (5, 1700000000, NULL, 5),"
		" (6, 1700000000, 'good', 5), (7, 1.5, 'd', 5);"
		"INSERT INTO wall_e_models_react_roles VALUES (1, 2, 3, '[]'), (2, 2, 4, '{\"a\": 1.5}'),"
		" (3, 2, 5, '{\"a\": -1}'), (4, 2, 6, '{\"a\": 1} x'), (5, 2, 7, '{\"a\": \"8\"}'), (6, 2, 8, '');"
		"INSERT INTO wall_e_models_ban_records VALUES (1, 'a', 7, NULL, NULL, 'r', 'yesterday', NULL),"
		" (2, 'a', 7, NULL, 0, 'r', NULL, NULL), (3, 'a', 7, NULL, NULL, 'r', NULL, NULL);");
	import_ok(old->f->db, old->file, false, &report);
	assert_counts(&report, "reminder 7 1 6");
	assert_reports(&report, "skipped: 1 of reminder: author_id is not an id (rows 1)");
	assert_reports(&report, "skipped: 3 of reminder: reminder_date_epoch is not a time in seconds (rows 2, 3, 7)");
	assert_reports(&report, "skipped: 1 of reminder: message is not text in UTF-8 (rows 4)");
	assert_reports(&report, "skipped: 1 of reminder: message is missing (rows 5)");
	assert_counts(&report, "reactrole 6 1 5");
	assert_int_equal(sql_number(old->f->path, "SELECT count(*) FROM reaction_role_message"), 1);
	assert_int_equal(sql_number(old->f->path, "SELECT role_id FROM reaction_role"), 8);
	assert_counts(&report, "banrecord 3 1 2");
	assert_reports(&report, "ban_date is not a date");
	assert_reports(&report, "another active ban of the user");
}

/* Imports and expects failure with one line that holds `words`, and an untouched database. */
static void refuse(struct old *old, const char *file, int expected, const char *words)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	struct import_options options = { 0 };
	int64_t rows =
		sql_number(old->f->path, "SELECT (SELECT count(*) FROM member_xp) + (SELECT count(*) FROM level)");

	assert_int_equal(import_file(old->f->db, file, &options, &report, &message), expected);
	if (!strstr(message.buf, words))
		fail_msg("'%s' is not in: %s", words, message.buf);
	assert_null(strchr(message.buf, '\n'));
	assert_int_equal(report.len, 0);
	assert_false(db_in_transaction(old->f->db));
	assert_int_equal(
		sql_number(old->f->path, "SELECT (SELECT count(*) FROM member_xp) + (SELECT count(*) FROM level)"),
		rows);
}

static void test_an_older_schema_is_refused(void **state)
{
	struct old *old = *state;

	old_system_seed(old->file, 5);
	run_sql(old->file, "ALTER TABLE wall_e_models_userpoint DROP COLUMN concurrent_attempts");
	refuse(old, old->file, -ESTALE, "manage.py migrate");
	run_sql(old->file, "ALTER TABLE wall_e_models_userpoint ADD COLUMN concurrent_attempts bigint;"
			   "DROP TABLE wall_e_models_react_roles");
	refuse(old, old->file, -ESTALE, "wall_e_models_react_roles");
}

static void test_other_files_are_refused(void **state)
{
	static const struct {
		const char *text;
		int expected;
		const char *words;
	} cases[] = {
		{ "", -EBADMSG, "is empty" },
		{ "hello", -EBADMSG, "neither an SQLite database nor a dump" },
		{ "{}", -EBADMSG, "not an array" },
		{ "[1]", -EBADMSG, "not an object" },
		{ "[{}]", -EBADMSG, "without \"model\"" },
		{ "[{\"model\": 5}]", -EBADMSG, "not text" },
		{ "[{\"pk\": 1, \"fields\": {}}]", -EBADMSG, "\"fields\" before \"model\"" },
		{ "[{\"model\": \"wall_e_models.level\", \"pk\": 1, \"fields\": {}}]", -ESTALE, "without 'number'" },
		{ "[{\"model\": \"wall_e_models.level\", \"pk\": 1, \"fields\": {\"number\": 1", -EBADMSG,
			"ends too early" },
		{ "[{\"table\": \"level\"}]", -EBADMSG, "does not write" },
		{ "[]", -EBADMSG, "no rows of wall_e_models" },
		{ "[{\"model\": \"auth.user\", \"pk\": 1, \"fields\": {}}]", -EBADMSG, "no rows of wall_e_models" },
	};
	struct old *old = *state;
	char *other cleanup(freep) = in_directory(old->f, "other.sqlite3");
	char *missing cleanup(freep) = in_directory(old->f, "missing");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_file(old->dump, cases[i].text, strlen(cases[i].text));
		refuse(old, old->dump, cases[i].expected, cases[i].words);
	}
	refuse(old, missing, -ENOENT, "No such file");
	refuse(old, old->f->path, -EINVAL, "the database itself");
	run_sql(other, "CREATE TABLE t (x)");
	refuse(old, other, -EBADMSG, "not one of the old system");
	refuse(old, old->f->directory, -EINVAL, "not a regular file");
	unlink(old->dump);
	assert_ok(mkfifo(old->dump, 0600));
	refuse(old, old->dump, -EINVAL, "not a regular file");
	assert_ok(truncate(old->file, 4096));
	refuse(old, old->file, -EBADMSG, "damaged; copy it");
}

static void test_a_failure_half_way_changes_nothing(void **state)
{
	struct old *old = *state;
	size_t len;
	char *dump;

	old_system_seed(old->file, 50);
	old_system_dump(old->file, old->dump);
	dump = read_file(old->dump, &len);
	write_file(old->dump, dump, len - 10);
	free(dump);
	refuse(old, old->dump, -EBADMSG, "the text ends");
}

static void test_a_database_with_data_is_refused_unless_merging(void **state)
{
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;
	struct member_xp mine = { .user_id = UINT64_C(100000000000000000) + 2 * UINT64_C(7919000003),
		.points = 5,
		.id = 4 },
			 got;

	old_system_seed(old->file, 20);
	/* What the bot creates at its first start is no data. */
	assert_ok(level_seed(old->f->db));
	assert_ok(member_xp_put(old->f->db, &mine));
	refuse(old, old->file, -ENOTEMPTY, "--merge");
	import_ok(old->f->db, old->file, true, &report);
	/* The level rows that exist stay, and so does the member's row with its row id; the member whose id that was
	 * gets another. */
	assert_counts(&report, "level 101 0 101");
	assert_counts(&report, "userpoint 20 20 0");
	assert_ok(member_xp_get(old->f->db, mine.user_id, &got));
	assert_int_equal(got.points, 5);
	assert_int_equal(got.id, 4);
	assert_ok(member_xp_get(old->f->db, UINT64_C(100000000000000000) + 4 * UINT64_C(7919000003), &got));
	assert_int_equal(got.points, 1504);
	assert_int_not_equal(got.id, 4);
	assert_counts(&report, "reminder 2 2 0");

	/* Once more adds nothing. */
	import_ok(old->f->db, old->file, true, &report);
	assert_counts(&report, "userpoint 20 0 20");
	assert_counts(&report, "reminder 2 0 2");
	assert_counts(&report, "banrecord 3 0 3");
	assert_counts(&report, "reactrole 2 0 2");
	assert_counts(&report, "commandstat 2 0 2");
	assert_counts(&report, "helpmessage 1 0 1");
	assert_counts(&report, "embedavatar 1 0 1");
	/* Nor do the file's dates, whose microseconds a dump has not. */
	run_sql(old->file, "UPDATE wall_e_models_ban_records SET ban_date = substr(ban_date, 1, 23) || '456'");
	import_ok(old->f->db, old->file, true, &report);
	assert_counts(&report, "banrecord 3 0 3");
}

static void test_seeded_levels_make_room(void **state)
{
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;

	old_system_seed(old->file, 3);
	assert_ok(level_seed(old->f->db));
	import_ok(old->f->db, old->file, false, &report);
	assert_counts(&report, "level 101 101 0");
	assert_int_equal(sql_number(old->f->path, "SELECT id FROM level WHERE number = 0"), 11);
}

static void test_what_a_dump_has_besides(void **state)
{
	static const char dump[] =
		"[{\"model\": \"auth.user\", \"pk\": 1, \"fields\": {\"password\": [1, {\"a\": []}]}},"
		"{\"model\": \"wall_e_models.embedavatar\", \"pk\": 1, \"fields\": {\"avatar_discord_url\": \"a\","
		" \"future\": {\"x\": 1}, \"avatar_discord_permanent_url\": \"b\"}},"
		"{\"model\": \"wall_e_models.embedavatar\", \"pk\": 2, \"fields\": {\"avatar_discord_url\": [],"
		" \"avatar_discord_permanent_url\": \"b\"}}]";
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;

	write_file(old->dump, dump, sizeof(dump) - 1);
	import_ok(old->f->db, old->dump, false, &report);
	assert_counts(&report, "embedavatar 2 1 1");
	assert_reports(&report, "not Wall-E's: 1 of auth.user");
	assert_reports(&report, "1 of wall_e_models.embedavatar.future");
	assert_reports(&report, "avatar_discord_url is not text");
}

static void test_dates(void **state)
{
	static const struct {
		const char *text;
		usec time;
	} good[] = {
		{ "1970-01-01 00:00:00", 0 },
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1969-12-31T16:00:00-08:00", 0 },
		{ "2025-07-01 19:00:00.000001", 1751396400 * SECOND + 1 },
		{ "2025-07-01T12:00:00.123-07:00", 1751396400 * SECOND + 123000 },
		{ "2025-07-02T00:30:00.5+05:30", 1751396400 * SECOND + 500000 },
		{ "1883-11-18 12:00:00-08:12:28", -2717639252 * SECOND },
		{ "2024-02-29 00:00:00", 1709164800 * SECOND },
		{ "9999-12-31 23:59:59.999999", INT64_C(253402300799999999) },
	};
	static const char *const bad[] = { "", "2025-07-01", "2025-07-01 19:00", "2025-13-01 00:00:00",
		"2025-00-01 00:00:00", "2025-01-32 00:00:00", "2025-01-01 24:00:00", "2025-01-01 00:60:00",
		"2025-01-01 00:00:00.", "2025-01-01 00:00:00 Z", "2025-01-01x00:00:00", "2025-01-01 00:00:00+7",
		"2025-01-01 00:00:00+07:0", "2025/01/01 00:00:00", "-025-01-01 00:00:00", "2025-01-01 00:00:00+07:61",
		"2025-01-01 00:00:00Zx" };
	usec time;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_ok(import_parse_date(good[i].text, &time));
		assert_true(time == good[i].time);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (import_parse_date(bad[i], &time) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

/* The database with which the recorded answers of the old API were made, where that material lies beside the project.
 */
static void test_the_recorded_database(void **state)
{
	static const char schema[] = "../shared/api-contract/django-schema.sql",
			  seeder[] = "../shared/api-contract/seed_db.py";
	struct old *old = *state;
	struct str report cleanup(str_finish) = STR_INIT;
	char *path cleanup(freep) = NULL;
	char *command cleanup(freep) = NULL;
	char *sql cleanup(freep) = NULL;
	struct db *second;

	/* skip() does not come back to free anything. */
	if (access(schema, R_OK) < 0 || access(seeder, R_OK) < 0 ||
		system("python3 -c 'import sqlite3' 2> /dev/null") != 0)
		skip();
	path = in_directory(old->f, "second.sqlite3");
	unlink(old->file);
	sql = read_file(schema, NULL);
	run_sql(old->file, sql);
	command = xasprintf("python3 %s '%s' --users 137 > /dev/null", seeder, old->file);
	assert_ok(system(command));
	import_ok(old->f->db, old->file, false, &report);
	assert_counts(&report, "level 101 101 0");
	assert_counts(&report, "userpoint 137 137 0");
	assert_int_equal(sql_number(old->f->path, "SELECT count(*) FROM member_xp WHERE hidden = 0"), 128);

	/* A dump has milliseconds, so both ways agree on the dates cut to them. */
	run_sql(old->file, "UPDATE wall_e_models_userpoint SET last_updated_date = substr(last_updated_date, 1, 23)");
	old_system_dump(old->file, old->dump);
	second = open_db(path);
	import_ok(second, old->dump, false, &report);
	assert_counts(&report, "userpoint 137 137 0");
	run_sql(old->f->path,
		"UPDATE profile SET updated_at = updated_at - updated_at % 1000, deleted_at = deleted_at - deleted_at"
		" % 1000");
	assert_same_data(old->f->db, second);
	db_close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_row_is_accounted_for, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_values_are_exact, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_file_and_dump_give_the_same_database, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_a_bad_row_is_skipped_with_its_reason, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_an_older_schema_is_refused, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_other_files_are_refused, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_a_failure_half_way_changes_nothing, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_database_with_data_is_refused_unless_merging, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_seeded_levels_make_room, old_setup, old_teardown),
		cmocka_unit_test_setup_teardown(test_what_a_dump_has_besides, old_setup, old_teardown),
		cmocka_unit_test(test_dates),
		cmocka_unit_test_setup_teardown(test_the_recorded_database, old_setup, old_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
