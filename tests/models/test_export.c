/* Export: every table and column, exact numbers, one state. */
#include "support.h"

#include "base/json.h"
#include "models/export.h"
#include "models/member_xp.h"
#include "models/profile.h"

static int add_line(void *arg, const char *line, size_t len)
{
	str_add(arg, line, len);
	return 0;
}

static int stop(void *arg, const char *line, size_t len)
{
	(void)line;
	(void)len;
	(*(int *)arg)++;
	return -5;
}

static void test_numbers_and_texts(void **state)
{
	struct fixture *f = *state;
	struct str out cleanup(str_finish) = STR_INIT;
	struct member_xp xp = { .user_id = UINT64_C(228761314644852737), .points = INT64_MAX, .hidden = true };
	struct profile profile = { .user_id = 5, .name = "a\"b\n", .nick = "", .present = true };
	int calls = 0;

	assert_ok(export_rows(f->db, add_line, &out));
	assert_int_equal(out.len, 0);
	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(profile_put(f->db, &profile, 1234567, NULL));
	assert_ok(export_rows(f->db, add_line, &out));
	assert_string_equal(out.buf,
		"{\"table\":\"member_xp\",\"id\":1,\"user_id\":\"228761314644852737\",\"points\":9223372036854775807,"
		"\"level_points\":0,\"level_number\":0,\"message_count\":0,\"last_award_at\":null,\"hidden\":true,"
		"\"announce\":false}\n"
		"{\"table\":\"profile\",\"user_id\":\"5\",\"name\":\"a\\\"b\\n\",\"nick\":\"\",\"avatar_url\":null,"
		"\"present\":true,\"deleted_at\":null,\"updated_at\":1234567}\n");
	assert_int_equal(export_rows(f->db, stop, &calls), -5);
	assert_int_equal(calls, 1);
	assert_ok(db_begin_read(f->db));
	db_end_read(f->db);
}

/* A row with something in every column, whatever columns there are. */
static int insert_row(void *arg, const char *table, int64_t rows)
{
	struct fixture *f = arg;
	char *columns cleanup(freep) = xasprintf("SELECT group_concat(CASE type WHEN 'TEXT' THEN '''x''' ELSE '1' END)"
						 " FROM pragma_table_info('%s')",
		table);
	char *values cleanup(freep) = sql_text(f->path, columns);
	char *sql cleanup(freep) = xasprintf("INSERT INTO %s VALUES (%s)", table, values);

	(void)rows;
	run_sql(f->path, sql);
	return 0;
}

struct columns {
	const struct str *lines;
	const char *path;
};

static int has_all_columns(void *arg, const char *table, int64_t rows)
{
	static const char *const left_out[] = { "gateway_session", "identify" };
	const struct columns *columns = arg;
	char *sql cleanup(freep) = NULL;
	char *line cleanup(freep) = xasprintf("{\"table\":\"%s\",", table);
	const char *start, *c;
	int64_t keys = 0;

	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++) {
		if (streq(left_out[i], table))
			return 0;
	}
	assert_int_equal(rows, 1);
	start = strstr(columns->lines->buf, line);
	assert_non_null(start);
	for (c = start; *c != '\n'; c++)
		keys += *c == ':';
	/* Revisions stay behind. */
	sql = xasprintf("SELECT count(*) FROM pragma_table_info('%s') WHERE name <> 'revision'", table);
	if (keys - 1 != sql_number(columns->path, sql))
		fail_msg("a column of %s is not exported: add it in models/export.c", table);
	return 0;
}

/* A column or table that somebody adds and forgets here is noticed. */
static void test_every_table_with_every_column(void **state)
{
	struct fixture *f = *state;
	struct str out cleanup(str_finish) = STR_INIT;
	struct columns columns = { &out, f->path };

	assert_ok(export_counts(f->db, insert_row, f));
	assert_ok(export_rows(f->db, add_line, &out));
	assert_ok(export_counts(f->db, has_all_columns, &columns));
}

static int count_tables(void *arg, const char *table, int64_t rows)
{
	(void)table;
	(void)rows;
	(*(int64_t *)arg)++;
	return 0;
}

static void test_no_table_is_forgotten(void **state)
{
	struct fixture *f = *state;
	int64_t tables = 0;

	assert_ok(export_counts(f->db, count_tables, &tables));
	assert_int_equal(tables, sql_number(f->path, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND"
						     " name NOT LIKE 'sqlite_%' AND name <> 'schema_migration'"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers_and_texts, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_every_table_with_every_column, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_table_is_forgotten, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
