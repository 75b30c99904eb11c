/* Opening, migrating, transactions, savepoints, reading, checks and backups. */
#include "support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db_internal.h"
#include "models/member_xp.h"

static void put_member(struct db *db, uint64_t user_id, int64_t points)
{
	struct member_xp xp = { .user_id = user_id, .points = points };

	assert_ok(member_xp_put(db, &xp));
}

static int64_t points_of(struct db *db, uint64_t user_id)
{
	struct member_xp xp;

	return member_xp_get(db, user_id, &xp) == 0 ? xp.points : -1;
}

static void test_opening_creates_a_database_of_ours(void **state)
{
	struct fixture *f = *state;
	char *path cleanup(freep) = in_directory(f, "new/walle.sqlite3");
	char *directory cleanup(freep) = in_directory(f, "new");
	struct db *db = open_db(path);

	db_close(db);
	assert_int_equal(sql_number(path, "PRAGMA application_id"), 0x57616c6c);
	assert_int_equal(sql_number(path, "PRAGMA user_version"), migrate_latest());
	assert_int_equal(sql_number(path, "SELECT count(*) FROM schema_migration"), migrate_latest());
	assert_int_equal(sql_number(path, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
	/* Opening again migrates nothing. */
	db = open_db(path);
	db_close(db);
	assert_int_equal(sql_number(path, "SELECT count(*) FROM schema_migration"), migrate_latest());
	char *command cleanup(freep) = xasprintf("rm -r '%s'", directory);
	assert_ok(system(command));
}

/* Opens and expects failure; the message must be one line that holds `words`. */
static void refuse(const char *path, enum db_mode mode, int expected, const char *words)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *db = NULL;

	assert_int_equal(db_open(path, mode, &db, &message), expected);
	assert_null(db);
	assert_non_null(strstr(message.buf, words));
	assert_null(strchr(message.buf, '\n'));
}

static void test_a_reader_never_creates_a_file(void **state)
{
	struct fixture *f = *state;

	refuse(f->path, DB_READ_ONLY, -ENOENT, "walle-db migrate");
	assert_int_equal(access(f->path, F_OK), -1);
	/* An empty file is a database that somebody is about to migrate. */
	write_file(f->path, "", 0);
	refuse(f->path, DB_READ_ONLY, -ESTALE, "older");
	f->db = open_db(f->path);
	run_sql(f->path, "PRAGMA user_version = 0");
	refuse(f->path, DB_READ_ONLY, -ESTALE, "older");
}

static void test_a_newer_schema_is_refused(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	f->db = NULL;
	run_sql(f->path, "PRAGMA user_version = 9999");
	refuse(f->path, DB_WRITE, -EPROTO, "update the program");
	refuse(f->path, DB_READ_ONLY, -EPROTO, "update the program");
}

static void test_what_is_no_database_of_ours_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char garbage[5000];

	memset(garbage, 'x', sizeof(garbage));
	write_file(f->path, garbage, sizeof(garbage));
	refuse(f->path, DB_WRITE, -EBADMSG, "walle-db restore");
	refuse(f->path, DB_READ_ONLY, -EBADMSG, "walle-db restore");
	unlink(f->path);
	run_sql(f->path, "CREATE TABLE something (x)");
	refuse(f->path, DB_WRITE, -EBADMSG, "another program");
	refuse(f->path, DB_READ_ONLY, -EBADMSG, "another program");
	assert_int_equal(sql_number(f->path, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void test_an_unusable_directory_is_named(void **state)
{
	struct fixture *f = *state;
	char *deep cleanup(freep) = in_directory(f, "a/b/walle.sqlite3");
	char *file cleanup(freep) = in_directory(f, "file");
	char *in_file cleanup(freep) = in_directory(f, "file/walle.sqlite3");

	refuse(deep, DB_WRITE, -ENOENT, "cannot be created");
	write_file(file, "", 0);
	refuse(in_file, DB_WRITE, -ENOTDIR, "lock file");
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Root may write everywhere; so the one who opens it is nobody. */
static void refuse_to_nobody(const char *path, enum db_mode mode, int error, const char *words)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(1);
		refuse(path, mode, error, words);
		_exit(0);
	}
	assert_ok(wait_for(pid));
}

static void test_a_directory_of_somebody_else_is_named(void **state)
{
	struct fixture *f = *state;

	assert_ok(chmod(f->directory, 0555));
	refuse_to_nobody(f->path, DB_WRITE, -EACCES, "own the directory");
}

/* A log cannot be read without its shared memory, which is a file too. */
static void test_a_reader_needs_a_directory_that_can_be_written(void **state)
{
	struct fixture *f = *state;
	char *memory cleanup(freep) = in_directory(f, "walle.sqlite3-shm");

	db_close(f->db);
	f->db = NULL;
	assert_ok(unlink(memory));
	assert_ok(chmod(f->path, 0644));
	assert_ok(chmod(f->directory, 0555));
	refuse_to_nobody(f->path, DB_READ_ONLY, -EROFS, "not writable");
}

static void test_a_reader_cannot_write(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = { .user_id = 1 };
	struct db *reader;
	uint64_t before, after;

	put_member(f->db, 7, 70);
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	assert_int_equal(points_of(reader, 7), 70);
	assert_int_equal(member_xp_put(reader, &xp), -EROFS);
	assert_int_equal(db_begin(reader), -EROFS);
	assert_int_equal(db_checkpoint(reader, 0), -EROFS);

	assert_ok(db_data_version(reader, &before));
	assert_ok(db_data_version(reader, &after));
	assert_int_equal(before, after);
	put_member(f->db, 7, 71);
	assert_ok(db_data_version(reader, &after));
	assert_int_not_equal(before, after);
	assert_int_equal(points_of(reader, 7), 71);
	db_close(reader);
}

static void test_a_read_transaction_sees_one_state(void **state)
{
	struct fixture *f = *state;
	struct db *reader;

	put_member(f->db, 7, 1);
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	assert_ok(db_begin_read(reader));
	assert_int_equal(points_of(reader, 7), 1);
	put_member(f->db, 7, 2);
	assert_int_equal(points_of(reader, 7), 1);
	assert_int_equal(db_begin_read(reader), -EINVAL);
	db_end_read(reader);
	assert_int_equal(points_of(reader, 7), 2);
	db_close(reader);
}

static void test_a_transaction_is_all_or_nothing(void **state)
{
	struct fixture *f = *state;

	assert_false(db_in_transaction(f->db));
	assert_ok(db_begin(f->db));
	assert_true(db_in_transaction(f->db));
	assert_int_equal(db_begin(f->db), -EINVAL);
	put_member(f->db, 1, 10);
	db_rollback(f->db);
	assert_int_equal(points_of(f->db, 1), -1);
	assert_int_equal(db_commit(f->db), -EINVAL);
	assert_ok(db_begin(f->db));
	put_member(f->db, 1, 10);
	assert_ok(db_commit(f->db));
	assert_int_equal(points_of(f->db, 1), 10);
	assert_false(db_in_transaction(f->db));
}

static void test_a_savepoint_undoes_one_event(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(db_savepoint(f->db), -EINVAL);
	assert_ok(db_begin(f->db));
	for (uint64_t user = 1; user <= 3; user++) {
		assert_ok(db_savepoint(f->db));
		assert_int_equal(db_savepoint(f->db), -EINVAL);
		put_member(f->db, user, 5);
		if (user == 2)
			db_rollback_to_savepoint(f->db);
		else
			assert_ok(db_release(f->db));
	}
	assert_int_equal(db_release(f->db), -EINVAL);
	assert_ok(db_commit(f->db));
	assert_int_equal(points_of(f->db, 1), 5);
	assert_int_equal(points_of(f->db, 2), -1);
	assert_int_equal(points_of(f->db, 3), 5);
}

/* A failing statement (a duplicate, a broken rule) must not take the transaction with it. */
static void test_a_refused_statement_leaves_the_transaction(void **state)
{
	struct fixture *f = *state;
	struct member_xp bad = { .user_id = 2, .points = -1 };

	assert_ok(db_begin(f->db));
	put_member(f->db, 1, 5);
	assert_int_equal(member_xp_put(f->db, &bad), -EINVAL);
	assert_ok(db_commit(f->db));
	assert_int_equal(points_of(f->db, 1), 5);
}

static void test_eight_processes_open_an_empty_volume(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 5; round++) {
		char *path cleanup(freep) = xasprintf("%s/%d.sqlite3", f->directory, round);
		int start[2];
		pid_t pids[8];

		assert_ok(pipe(start));
		for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0) {
				struct str message cleanup(str_finish) = STR_INIT;
				struct db *db;
				char c;
				int r;

				close(start[1]);
				/* Ends when the parent lets all of them go. */
				if (read(start[0], &c, 1) != 0)
					_exit(2);
				r = db_open(path, DB_WRITE, &db, &message);
				if (r < 0)
					fprintf(stderr, "%s\n", message.buf);
				else
					r = seen_message_claim(db, 1000 + i);
				if (r == 0)
					db_close(db);
				_exit(r == 0 ? 0 : 1);
			}
		}
		close(start[0]);
		close(start[1]);
		for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
			assert_ok(wait_for(pids[i]));
		assert_int_equal(sql_number(path, "SELECT count(*) FROM schema_migration"), migrate_latest());
		assert_int_equal(sql_number(path, "SELECT count(*) FROM seen_message"), 8);
	}
}

static void test_the_log_grows_and_a_checkpoint_empties_it(void **state)
{
	struct fixture *f = *state;
	int64_t bytes = -1;

	for (uint64_t user = 1; user <= 50; user++)
		put_member(f->db, user, 1);
	assert_ok(db_wal_size(f->db, &bytes));
	assert_true(bytes > 4096);
	assert_ok(db_begin(f->db));
	assert_int_equal(db_checkpoint(f->db, SECOND), -EINVAL);
	db_rollback(f->db);
	assert_ok(db_checkpoint(f->db, SECOND));
	assert_ok(db_wal_size(f->db, &bytes));
	assert_int_equal(bytes, 0);
	/* Closing the last connection leaves the log alone. */
	put_member(f->db, 1, 2);
	db_close(f->db);
	f->db = NULL;
	char *log cleanup(freep) = xasprintf("%s-wal", f->path);
	assert_ok(access(log, F_OK));
	f->db = open_db(f->path);
	assert_int_equal(points_of(f->db, 1), 2);
}

static void test_damage_is_found(void **state)
{
	struct fixture *f = *state;
	struct str report cleanup(str_finish) = STR_INIT;
	size_t len;
	char *file;

	assert_ok(db_check(f->db, true, &report));
	assert_ok(db_check(f->db, false, &report));
	assert_int_equal(report.len, 0);
	assert_ok(db_begin(f->db));
	for (uint64_t id = 1; id <= 20000; id++)
		assert_ok(seen_message_claim(f->db, id));
	assert_ok(db_commit(f->db));
	assert_ok(db_checkpoint(f->db, SECOND));
	db_close(f->db);
	f->db = NULL;

	file = read_file(f->path, &len);
	assert_true(len > 100000);
	memset(file + len / 2, 0x5a, 8192);
	write_file(f->path, file, len);
	free(file);
	f->db = open_db(f->path);
	assert_int_equal(db_check(f->db, true, &report), -EBADMSG);
	assert_true(report.len > 0);
}

static void test_a_backup_replaces_an_older_one(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	struct db *copy, *reader;

	put_member(f->db, 1, 11);
	assert_ok(db_backup(f->db, file, NULL));
	put_member(f->db, 1, 12);
	/* A read-only connection can make one too. */
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	assert_ok(db_backup(reader, file, NULL));
	db_close(reader);
	copy = open_db(file);
	assert_int_equal(points_of(copy, 1), 12);
	db_close(copy);
	char *nowhere cleanup(freep) = in_directory(f, "no/such/backup");
	assert_true(db_backup(f->db, nowhere, NULL) < 0);
	assert_ok(db_begin(f->db));
	assert_int_equal(db_backup(f->db, file, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_opening_creates_a_database_of_ours, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_reader_never_creates_a_file, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_newer_schema_is_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_no_database_of_ours_is_left_alone, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_an_unusable_directory_is_named, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_directory_of_somebody_else_is_named, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_reader_needs_a_directory_that_can_be_written, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_reader_cannot_write, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_read_transaction_sees_one_state, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_transaction_is_all_or_nothing, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_savepoint_undoes_one_event, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_refused_statement_leaves_the_transaction, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_eight_processes_open_an_empty_volume, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_the_log_grows_and_a_checkpoint_empties_it, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_found, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_backup_replaces_an_older_one, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
