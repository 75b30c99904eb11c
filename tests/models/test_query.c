/* Statements: parameters, reuse, nesting, refusals. */
#include "support.h"

#include <errno.h>

#include "query.h"

/* "$2" is a name to SQLite, and names are numbered as they appear. */
static void test_parameters_go_by_their_numbers(void **state)
{
	struct fixture *f = *state;
	struct query *query;

	assert_ok(query_row(
		f->db, &query, "SELECT $2, $1, $2 || 'x', $3", BIND_TEXT("one"), BIND_TEXT("two"), BIND_TEXT(NULL)));
	assert_string_equal(query_text(query, 0), "two");
	assert_string_equal(query_text(query, 1), "one");
	assert_string_equal(query_text(query, 2), "twox");
	assert_true(query_is_null(query, 3));
	assert_null(query_text(query, 3));
	query_close(query);
	query_close(NULL);
}

static void test_whole_numbers_are_exact(void **state)
{
	struct fixture *f = *state;
	struct query *query;

	assert_ok(query_row(f->db, &query, "SELECT $1, $2, $3, $4", BIND_INT(INT64_MAX), BIND_INT(INT64_MIN),
		BIND_ID(UINT64_C(9007199254740993)), BIND_ID_OR_NULL(0)));
	assert_true(query_int(query, 0) == INT64_MAX);
	assert_true(query_int(query, 1) == INT64_MIN);
	assert_true(query_id(query, 2) == UINT64_C(9007199254740993));
	assert_true(query_is_null(query, 3));
	query_close(query);
}

static void test_a_wrong_number_of_values_is_refused(void **state)
{
	struct fixture *f = *state;
	struct query *query;

	assert_int_equal(query_open(f->db, &query, "SELECT $1, $2", BIND_INT(1)), -EINVAL);
	assert_null(query);
	assert_int_equal(query_open(f->db, &query, "SELECT 1", BIND_INT(1)), -EINVAL);
	assert_int_equal(query_open(f->db, &query, "SELECT $2", BIND_INT(1)), -EINVAL);
	assert_int_equal(query_open(f->db, &query, "no SQL at all"), -EIO);
	assert_null(query);
	assert_int_equal(query_row(f->db, &query, "SELECT 1 WHERE 1 = 0"), -ENOENT);
	assert_null(query);
}

static int64_t count_below(struct db *db, int64_t limit)
{
	struct query *query;
	int64_t count = 0;
	int r;

	r = query_open(db, &query, "SELECT message_id FROM seen_message WHERE message_id < $1 ORDER BY message_id",
		BIND_INT(limit));
	while (r >= 0 && (r = query_next(query)) > 0) {
		/* The same SQL while it is in use. */
		if (query_int(query, 0) == 3)
			count += 100 * count_below(db, 3);
		count++;
	}
	assert_ok(r);
	query_close(query);
	return count;
}

static void test_a_statement_can_be_nested_in_itself(void **state)
{
	struct fixture *f = *state;

	for (int64_t id = 1; id <= 5; id++)
		assert_ok(query_run(f->db, "INSERT INTO seen_message (message_id) VALUES ($1)", BIND_INT(id)));
	assert_int_equal(count_below(f->db, 100), 205);
	assert_int_equal(count_below(f->db, 100), 205);
}

static void test_writing_rows_needs_a_transaction(void **state)
{
	struct fixture *f = *state;
	struct query *query;

	assert_int_equal(query_row(f->db, &query, "INSERT INTO seen_message VALUES (1) RETURNING message_id"), -EINVAL);
	assert_ok(db_begin(f->db));
	assert_ok(query_row(f->db, &query, "INSERT INTO seen_message VALUES (1) RETURNING message_id"));
	query_close(query);
	assert_ok(db_commit(f->db));
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM seen_message"), 1);
	assert_int_equal(query_run(f->db, "INSERT INTO seen_message VALUES (1)"), -EEXIST);
	assert_false(db_in_transaction(f->db));
	/* The words outlive the rollback. */
	assert_non_null(strstr(db_error(f->db), "seen_message.message_id"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parameters_go_by_their_numbers, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_whole_numbers_are_exact, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_wrong_number_of_values_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_statement_can_be_nested_in_itself, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_writing_rows_needs_a_transaction, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
