/* Migrations: applied in order, once each, all or nothing each. */
#include "support.h"

#include <errno.h>

#include "db_internal.h"
#include "migrations.h"

#define FIRST_ONE                                                                 \
	{                                                                         \
		1, "0001_initial", "SELECT 'applied when the fixture was opened'" \
	}
#define SECOND_ONE                                                                                            \
	{                                                                                                     \
		2, "0002_colour",                                                                             \
			"CREATE TABLE colour (id INTEGER PRIMARY KEY) STRICT; INSERT INTO colour VALUES (7);" \
	}
#define THIRD                                                                                              \
	{                                                                                                  \
		3, "0003_name", "ALTER TABLE colour ADD COLUMN name TEXT; UPDATE colour SET name = 'red';" \
	}
#define BROKEN                                                                                           \
	{                                                                                                \
		3, "0003_broken", "INSERT INTO colour VALUES (8); INSERT INTO no_such_table VALUES (1);" \
	}

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

static void test_missing_ones_are_applied_once(void **state)
{
	static const struct migration list[] = { FIRST_ONE, SECOND_ONE, THIRD };
	struct fixture *f = *state;
	struct str message cleanup(str_finish) = STR_INIT;

	if (migration_count > 1)
		skip();
	for (int i = 0; i < 2; i++)
		assert_ok(migrate_apply(f->db, list, ARRAY_SIZE(list), &message));
	assert_int_equal(sql_number(f->path, "PRAGMA user_version"), 3);
	assert_int_equal(sql_number(f->path, "PRAGMA application_id"), 0x57616c6c);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM schema_migration"), 3);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM colour WHERE name = 'red'"), 1);
	/* An older program finds a newer schema now. */
	assert_int_equal(migrate_apply(f->db, list, 2, &message), -EPROTO);
	assert_non_null(strstr(message.buf, "update the program"));
}

static void test_a_failing_one_changes_nothing(void **state)
{
	static const struct migration list[] = { FIRST_ONE, SECOND_ONE, BROKEN };
	struct fixture *f = *state;
	struct str message cleanup(str_finish) = STR_INIT;

	if (migration_count > 1)
		skip();
	assert_int_equal(migrate_apply(f->db, list, ARRAY_SIZE(list), &message), -EIO);
	assert_non_null(strstr(message.buf, "0003_broken"));
	assert_non_null(strstr(message.buf, "no_such_table"));
	assert_false(db_in_transaction(f->db));
	/* The ones before it stay. */
	assert_int_equal(sql_number(f->path, "PRAGMA user_version"), 2);
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM colour"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_embedded_list_is_in_order),
		cmocka_unit_test_setup_teardown(test_missing_ones_are_applied_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_failing_one_changes_nothing, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
