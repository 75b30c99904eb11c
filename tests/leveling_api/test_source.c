/* leveling_api/source.c: without a usable database the reason is told, and it goes on by itself when there is one. */
#include "support.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Waits until the source has data, or (ready false) gives a reason that holds this text. */
static void wait_until(struct source *source, bool ready, const char *reason)
{
	usec deadline = clock_monotonic() + 15 * SECOND;
	struct source_status status;

	do {
		usleep(10000);
		source_tick(source, clock_monotonic());
		(void)!source_refresh(source, clock_monotonic());
		status = source_status(source);
		if (ready ? status.state == SOURCE_READY
			  : status.state == SOURCE_WAITING && strstr(status.reason, reason))
			return;
	} while (clock_monotonic() < deadline);
	fail_msg("still: %s", status.reason);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void test_a_database_appears(void **state)
{
	struct fixture *fixture = *state;

	assert_contains(fetch(fixture, "/user_points/", 503), "There is no database yet");
	assert_contains(fetch(fixture, "/v1/stats", 503), "There is no database yet");
	assert_true(fixture->answer.retry);
	assert_contains(fetch(fixture, "/healthz", 503), "\"status\":\"unavailable\"");
	assert_contains(fetch(fixture, "/", 200), "user_points");
	fixture_create_database(fixture);
	put_member(fixture, 1, 5, "a", NULL);
	wait_until(fixture->api.source, true, NULL);
	assert_contains(fetch(fixture, "/user_points/", 200), "\"count\":1,");
	assert_contains(fetch(fixture, "/healthz", 200), "\"members\":1}");
}

static void test_not_a_database(void **state)
{
	struct fixture *fixture = *state;

	write_file(fixture->path,
		"This is not a database, though it is long enough to be looked at as one. .......................");
	assert_contains(fetch(fixture, "/levels/", 503), "The database is damaged");
	assert_int_equal(source_status(fixture->api.source).error, -EBADMSG);
	unlink(fixture->path);
	fixture_create_database(fixture);
	wait_until(fixture->api.source, true, NULL);
	fetch(fixture, "/levels/", 200);
}

static sqlite3 *open_directly(const struct fixture *fixture)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(fixture->path, &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	return sqlite;
}

static void run(sqlite3 *sqlite, const char *sql)
{
	assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Another program brings the database to another version while we serve, and (here) back again. */
static void test_other_versions_while_serving(void **state)
{
	static const struct {
		const char *sql, *reason;
		int error;
	} cases[] = {
		{ "PRAGMA user_version = 9999", "newer version than this program", -EPROTO },
		{ "PRAGMA user_version = 0", "being brought up to date", -ESTALE },
	};
	struct fixture *fixture = *state;
	sqlite3 *sqlite = open_directly(fixture);
	char back[64] = "PRAGMA user_version = ";
	sqlite3_stmt *statement;

	assert_int_equal(sqlite3_prepare_v2(sqlite, "PRAGMA user_version", -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	snprintf(back + strlen(back), 16, "%d", sqlite3_column_int(statement, 0));
	sqlite3_finalize(statement);
	fetch(fixture, "/levels/", 200);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		run(sqlite, cases[i].sql);
		assert_contains(fetch(fixture, "/levels/", 503), cases[i].reason);
		assert_int_equal(source_status(fixture->api.source).error, cases[i].error);
		run(sqlite, back);
		wait_until(fixture->api.source, true, NULL);
		fetch(fixture, "/levels/", 200);
	}
	sqlite3_close(sqlite);
}

/* Whoever holds the whole database keeps us out; when he lets go we are in. */
static void test_locked(void **state)
{
	struct fixture *fixture = *state;
	sqlite3 *sqlite;

	db_close(fixture->db);
	fixture->db = NULL;
	sqlite = open_directly(fixture);
	run(sqlite, "PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; CREATE TABLE held (x); COMMIT");
	fixture->api.source = source_create(fixture->path);
	wait_until(fixture->api.source, false, "locked by another program");
	assert_contains(fetch(fixture, "/levels/", 503), "locked by another program");
	sqlite3_close(sqlite);
	wait_until(fixture->api.source, true, NULL);
	fetch(fixture, "/levels/", 200);
}

static void test_a_restored_backup_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	static const char *const endings[] = { "-wal", "-shm" };
	char *backup = xasprintf("%s/backup.sqlite3", fixture->directory);

	put_member(fixture, 1, 5, "before", NULL);
	assert_int_equal(db_backup(fixture->db, backup, NULL), 0);
	put_member(fixture, 1, 5, "after", NULL);
	assert_contains(fetch(fixture, "/user_points/", 200), "after");
	/* As 'walle-db restore' leaves it: without the old file's log. */
	db_close(fixture->db);
	fixture->db = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char *name = xasprintf("%s%s", fixture->path, endings[i]);

		(void)!unlink(name);
		free(name);
	}
	assert_int_equal(rename(backup, fixture->path), 0);
	free(backup);
	/* The look at the file comes once a second. */
	for (usec deadline = clock_monotonic() + 10 * SECOND; clock_monotonic() < deadline;) {
		usleep(20000);
		source_tick(fixture->api.source, clock_monotonic());
		if (source_refresh(fixture->api.source, clock_monotonic()) == 0 &&
			strstr(fetch(fixture, "/user_points/", 200), "before"))
			return;
	}
	fail_msg("the old file is still read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_database_appears, fixture_setup_empty, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_not_a_database, fixture_setup_empty, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_other_versions_while_serving, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_locked, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_restored_backup_is_noticed, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
