/* Putting a backup in the place of a database. */
#include "support.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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

static void refuse(const char *path, const char *file, int expected, const char *words)
{
	struct str kept cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;

	assert_int_equal(db_restore(path, file, &kept, &message), expected);
	if (!strstr(message.buf, words))
		fail_msg("'%s' is not in: %s", words, message.buf);
	assert_null(strchr(message.buf, '\n'));
	assert_int_equal(kept.len, 0);
}

static void test_the_replaced_database_is_kept(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	struct str kept cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *old;

	put_member(f->db, 1, 10);
	assert_ok(db_backup(f->db, file, NULL));
	put_member(f->db, 1, 20);
	db_close(f->db);
	f->db = NULL;
	if (db_restore(f->path, file, &kept, &message) < 0)
		fail_msg("%s", message.buf);
	f->db = open_db(f->path);
	assert_int_equal(points_of(f->db, 1), 10);
	put_member(f->db, 1, 11);
	/* What was there is whole, its newest commits included, and the backup is still a backup. */
	old = open_db(kept.buf);
	assert_int_equal(points_of(old, 1), 20);
	db_close(old);
	db_close(f->db);
	f->db = NULL;
	char *first cleanup(freep) = str_detach(&kept, NULL);
	if (db_restore(f->path, file, &kept, &message) < 0)
		fail_msg("%s", message.buf);
	assert_string_not_equal(kept.buf, first);
	f->db = open_db(f->path);
	assert_int_equal(points_of(f->db, 1), 10);
}

static void test_restored_where_nothing_is(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	char *path cleanup(freep) = in_directory(f, "new.sqlite3");
	struct str kept cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *db;

	put_member(f->db, 1, 10);
	assert_ok(db_backup(f->db, file, NULL));
	assert_ok(db_restore(path, file, &kept, &message));
	assert_int_equal(kept.len, 0);
	db = open_db(path);
	assert_int_equal(points_of(db, 1), 10);
	db_close(db);
}

static void test_refused_while_anybody_has_it_open(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	struct db *reader;

	put_member(f->db, 1, 10);
	assert_ok(db_backup(f->db, file, NULL));
	refuse(f->path, file, -EBUSY, "stop the services");
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	db_close(f->db);
	f->db = NULL;
	refuse(f->path, file, -EBUSY, "stop the services");
	assert_int_equal(points_of(reader, 1), 10);
	db_close(reader);
}

/* A damaged database is what people restore over: it must not be in the way. */
static void test_a_damaged_database_can_be_replaced(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	struct str kept cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	char *content;
	size_t len;

	put_member(f->db, 1, 10);
	assert_ok(db_backup(f->db, file, NULL));
	/* With pages left in the log SQLite would rebuild the file from them. */
	assert_ok(db_checkpoint(f->db, SECOND));
	db_close(f->db);
	f->db = NULL;
	write_file(f->path, "garbage, no database", 20);
	if (db_restore(f->path, file, &kept, &message) < 0)
		fail_msg("%s", message.buf);
	content = read_file(kept.buf, &len);
	assert_string_equal(content, "garbage, no database");
	free(content);
	f->db = open_db(f->path);
	assert_int_equal(points_of(f->db, 1), 10);
}

static void test_a_bad_backup_is_refused(void **state)
{
	struct fixture *f = *state;
	char *file cleanup(freep) = in_directory(f, "backup");
	char *path cleanup(freep) = in_directory(f, "target.sqlite3");
	char *content;
	size_t len;

	refuse(path, file, -ENOENT, "backup");
	write_file(file, "", 0);
	refuse(path, file, -EBADMSG, "empty");
	write_file(file, "no database, but a text", 23);
	refuse(path, file, -EBADMSG, "no backup of this database");
	unlink(file);
	run_sql(file, "CREATE TABLE t (x)");
	refuse(path, file, -EBADMSG, "no backup of this database");
	unlink(file);

	for (uint64_t id = 1; id <= 5000; id++)
		assert_ok(db_in_transaction(f->db) ? seen_message_claim(f->db, id) : db_begin(f->db));
	assert_ok(db_commit(f->db));
	assert_ok(db_backup(f->db, file, NULL));
	content = read_file(file, &len);
	memset(content + len / 2, 0x5a, 8192);
	write_file(file, content, len);
	free(content);
	refuse(path, file, -EBADMSG, "damaged");
	assert_ok(db_backup(f->db, file, NULL));
	run_sql(file, "PRAGMA user_version = 9999");
	refuse(path, file, -EPROTO, "update the program");
	assert_int_equal(access(path, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_replaced_database_is_kept, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_restored_where_nothing_is, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_refused_while_anybody_has_it_open, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_damaged_database_can_be_replaced, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_bad_backup_is_refused, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
