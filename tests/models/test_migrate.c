/* Migrations: applied in order, once each, all or nothing each. */
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db_internal.h"
#include "migrations.h"

#define COLOUR "CREATE TABLE colour (id INTEGER PRIMARY KEY) STRICT; INSERT INTO colour VALUES (7);"
#define NAME   "ALTER TABLE colour ADD COLUMN name TEXT; UPDATE colour SET name = 'red';"
#define BROKEN "INSERT INTO colour VALUES (8); INSERT INTO no_such_table VALUES (1);"

static void test_the_embedded_list_is_in_order(void **state)
{
	(void)state;
	assert_true(migration_count > 0);
	for (size_t i = 0; i < migration_count; i++) {
		assert_int_equal(migrations[i].number, i + 1);
		assert_true(strlen(migrations[i].sql) > 0);
	}
	assert_int_equal(migrate_latest(), migration_count);
}

/* The next two releases, whatever the last one was. */
static void test_missing_ones_are_applied_once(void **state)
{
	const int latest = migrate_latest();
	const struct migration list[] = { { latest + 1, "colour", COLOUR }, { latest + 2, "name", NAME } };
	struct fixture *f = *state;
	struct str message cleanup(str_finish) = STR_INIT;

	for (int i = 0; i < 2; i++)
		assert_ok(migrate_apply(f->db, list, ARRAY_SIZE(list), &message));
	assert_int_equal(sql_number(f->path, "PRAGMA user_version"), latest + 2);
	assert_int_equal(sql_number(f->path, "PRAGMA application_id"), 0x57616c6c);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM schema_migration"), latest + 2);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM colour WHERE name = 'red'"), 1);
	/* An older program finds a newer schema now. */
	assert_int_equal(migrate_apply(f->db, list, 1, &message), -EPROTO);
	assert_non_null(strstr(message.buf, "update the program"));
}

static void test_a_failing_one_changes_nothing(void **state)
{
	const int latest = migrate_latest();
	const struct migration list[] = { { latest + 1, "colour", COLOUR }, { latest + 2, "broken", BROKEN } };
	struct fixture *f = *state;
	struct str message cleanup(str_finish) = STR_INIT;

	assert_int_equal(migrate_apply(f->db, list, ARRAY_SIZE(list), &message), -EIO);
	assert_non_null(strstr(message.buf, "migration broken failed"));
	assert_non_null(strstr(message.buf, "no_such_table"));
	assert_false(db_in_transaction(f->db));
	/* The ones before it stay. */
	assert_int_equal(sql_number(f->path, "PRAGMA user_version"), latest + 1);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM colour"), 1);
}

/* Whoever dies in the middle leaves what was before, and the next one begins anew. */
static void test_a_killed_one_is_repeated(void **state)
{
	const int latest = migrate_latest();
	const struct migration list[] = { { latest + 1, "colour", COLOUR } };
	struct fixture *f = *state;
	struct str message cleanup(str_finish) = STR_INIT;
	int status;
	pid_t pid;

	db_close(f->db);
	f->db = NULL;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct db *db = open_db(f->path);

		if (db_begin(db) < 0 || db->engine->script(db->connection, COLOUR) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	f->db = open_db(f->path);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'colour'"), 0);
	assert_ok(migrate_apply(f->db, list, ARRAY_SIZE(list), &message));
	assert_int_equal(sql_number(f->path, "PRAGMA user_version"), latest + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_embedded_list_is_in_order),
		cmocka_unit_test_setup_teardown(test_missing_ones_are_applied_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_failing_one_changes_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_killed_one_is_repeated, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
