/* See support.h. */
#include "support.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int fixture_setup_without_db(void **state)
{
	const char *base = getenv("TMPDIR");
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->directory = xasprintf("%s/walle-models-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(fixture->directory))
		return -1;
	fixture->path = xasprintf("%s/walle.sqlite3", fixture->directory);
	*state = fixture;
	return 0;
}

int fixture_setup(void **state)
{
	if (fixture_setup_without_db(state) < 0)
		return -1;
	((struct fixture *)*state)->db = open_db(((struct fixture *)*state)->path);
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	struct dirent *entry;
	DIR *directory;

	db_close(fixture->db);
	chmod(fixture->directory, 0700);
	directory = opendir(fixture->directory);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
	rmdir(fixture->directory);
	free(fixture->directory);
	free(fixture->path);
	free(fixture);
	return 0;
}

struct db *open_db(const char *path)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *db = NULL;
	int r;

	r = db_open(path, DB_WRITE, &db, &message);
	if (r < 0)
		fail_msg("%s", message.buf);
	return db;
}

char *in_directory(struct fixture *fixture, const char *name)
{
	return xasprintf("%s/%s", fixture->directory, name);
}

static sqlite3 *open_sqlite(const char *path)
{
	sqlite3 *sqlite;

	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	sqlite3_busy_timeout(sqlite, 5000);
	return sqlite;
}

void run_sql(const char *path, const char *sql)
{
	sqlite3 *sqlite = open_sqlite(path);
	char *words = NULL;

	if (sqlite3_exec(sqlite, sql, NULL, NULL, &words) != SQLITE_OK)
		fail_msg("%s: %s", words, sql);
	sqlite3_close(sqlite);
}

char *sql_text(const char *path, const char *sql)
{
	sqlite3 *sqlite = open_sqlite(path);
	sqlite3_stmt *statement;
	char *text;

	assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	text = xstrdup((const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
	return text;
}

int64_t sql_number(const char *path, const char *sql)
{
	char *text cleanup(freep) = sql_text(path, sql);
	int64_t value = 0;

	assert_ok(parse_i64(text, &value));
	return value;
}

void write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "rb");
	char *text;
	long len;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	len = ftell(file);
	assert_true(len >= 0);
	rewind(file);
	text = xmalloc((size_t)len + 1);
	assert_int_equal(fread(text, 1, (size_t)len, file), len);
	text[len] = '\0';
	fclose(file);
	if (ret_len)
		*ret_len = (size_t)len;
	return text;
}
