/* For the tests of models: a directory of its own for each test, and databases in it. Include after <cmocka.h>. */
#ifndef TESTS_MODELS_SUPPORT_H
#define TESTS_MODELS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "models/db.h"

struct fixture {
	char *directory;
	char *path; /* of the database in it */
	struct db *db;
};

/* cmocka's setup and teardown: *state is a struct fixture with an open database; without_db leaves db NULL and
 * creates no file. */
int fixture_setup(void **state);
int fixture_setup_without_db(void **state);
int fixture_teardown(void **state);

struct db *open_db(const char *path);
/* Adds the fixture's directory in front; the caller frees. */
char *in_directory(struct fixture *fixture, const char *name);
/* Runs SQL on any file by a connection of SQLite's own, to build or break databases. */
void run_sql(const char *path, const char *sql);
/* The first column of the first row: as text, which the caller frees, and as a number. */
char *sql_text(const char *path, const char *sql);
int64_t sql_number(const char *path, const char *sql);
void write_file(const char *path, const char *text, size_t len);
/* The whole file; the caller frees. */
char *read_file(const char *path, size_t *ret_len);

#define assert_ok(expression) assert_int_equal((expression), 0)

#endif
