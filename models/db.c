/* The connection: opening, transactions, savepoints, revisions, maintenance. What is particular to SQLite is in
 * engine_sqlite.c. */
#include "models/db.h"

#include <errno.h>
#include <stdlib.h>

#include "db_internal.h"
#include "query.h"

static void destroy(struct db *db)
{
	query_drop_all(db);
	db->engine->close(db->connection);
	free(db->marks);
	free(db->path);
	free(db);
}

static int connect_to(const char *path, enum engine_mode mode, struct db **ret_db, struct str *reterr_message)
{
	struct db *db;
	int r;

	db = xcalloc(1, sizeof(*db));
	db->engine = &engine_sqlite;
	db->read_only = mode != ENGINE_WRITE;
	db->path = xstrdup(path);
	r = db->engine->open(path, mode, &db->connection, reterr_message);
	if (r < 0) {
		free(db->path);
		free(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

int db_open_foreign(const char *path, struct db **ret_db, struct str *reterr_message)
{
	return connect_to(path, ENGINE_FOREIGN, ret_db, reterr_message);
}

/* A reader waits for nobody: what it cannot use yet is reported, and its caller asks again later. */
static int check_version(struct db *db, struct str *reterr_message)
{
	int version, r;

	r = db->engine->version(db->connection, &version);
	if (r < 0) {
		str_printf(reterr_message, "%s: cannot be read: %s", db->path, db_error(db));
		return r;
	}
	if (version < migrate_latest()) {
		str_printf(reterr_message,
			"%s: schema version %d is older than this program's %d; start the bot or run 'walle-db"
			" migrate'",
			db->path, version, migrate_latest());
		return -ESTALE;
	}
	if (version > migrate_latest()) {
		str_printf(reterr_message, "%s: schema version %d is newer than this program's %d; update the program",
			db->path, version, migrate_latest());
		return -EPROTO;
	}
	return 0;
}

int db_open(const char *path, enum db_mode mode, struct db **ret_db, struct str *reterr_message)
{
	struct str ignored cleanup(str_finish) = STR_INIT;
	struct str *message = reterr_message ? reterr_message : &ignored;
	struct db *db;
	int r;

	r = connect_to(path, mode == DB_WRITE ? ENGINE_WRITE : ENGINE_READ, &db, message);
	if (r < 0)
		return r;
	if (mode == DB_WRITE) {
		r = migrate_run(db, message);
		db->engine->unlock_schema(db->connection);
	} else {
		r = check_version(db, message);
	}
	if (r < 0) {
		destroy(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	db_rollback(db);
	destroy(db);
}

const char *db_error(const struct db *db)
{
	return db->engine->error(db->connection);
}

int db_note(struct db *db, int r)
{
	/* A full disk ends the transaction even where the engine would let it go on: half of the effects must never
	 * be committed. */
	if (r < 0 && db->state == DB_WRITING && (r == -ENOSPC || !db->engine->in_transaction(db->connection))) {
		db->engine->rollback(db->connection);
		db->state = DB_FAILED;
		db->failure = r;
	}
	return r;
}

int db_begin(struct db *db)
{
	int r;

	if (db->read_only)
		return -EROFS;
	if (db->state != DB_IDLE)
		return -EINVAL;
	r = db->engine->begin(db->connection, true);
	if (r < 0)
		return r;
	db->state = DB_WRITING;
	for (size_t i = 0; i < DB_REVISION_COUNT; i++)
		db->revision[i] = 0;
	return 0;
}

int db_commit(struct db *db)
{
	int r;

	db->savepoint = false;
	if (db->state == DB_FAILED) {
		db->state = DB_IDLE;
		return db->failure;
	}
	if (db->state != DB_WRITING)
		return -EINVAL;
	r = db->engine->commit(db->connection);
	db->state = DB_IDLE;
	return r;
}

void db_rollback(struct db *db)
{
	if (db->state == DB_READING || db->state == DB_WRITING)
		db->engine->rollback(db->connection);
	db->state = DB_IDLE;
	db->savepoint = false;
}

bool db_in_transaction(const struct db *db)
{
	return db->state == DB_WRITING || db->state == DB_FAILED;
}

int db_savepoint(struct db *db)
{
	int r;

	if (db->state == DB_IDLE || db->state == DB_READING || db->savepoint)
		return -EINVAL;
	r = query_run(db, "SAVEPOINT event");
	if (r >= 0)
		db->savepoint = true;
	return r;
}

int db_release(struct db *db)
{
	if (db->state != DB_FAILED && !db->savepoint)
		return -EINVAL;
	db->savepoint = false;
	return query_run(db, "RELEASE event");
}

void db_rollback_to_savepoint(struct db *db)
{
	if (!db->savepoint)
		return;
	db->savepoint = false;
	if (query_run(db, "ROLLBACK TO event") < 0 || query_run(db, "RELEASE event") < 0) {
		/* Without the savepoint the neighbours' effects cannot be told from this one's: all of them go. */
		if (db->state == DB_WRITING) {
			db->engine->rollback(db->connection);
			db->state = DB_FAILED;
			db->failure = -EIO;
		}
	}
}

int db_begin_read(struct db *db)
{
	int r;

	if (db->state != DB_IDLE)
		return -EINVAL;
	r = db->engine->begin(db->connection, false);
	if (r >= 0)
		db->state = DB_READING;
	return r;
}

void db_end_read(struct db *db)
{
	if (db->state == DB_READING)
		db_rollback(db);
}

/* Writers are alone, so the highest number is looked up once in a transaction and counted up in memory afterwards.
 * Rows of these tables are never deleted: the highest number never falls, and whoever has read up to it misses
 * nothing. */
int db_next_revision(struct db *db, enum db_revision table, int64_t *ret_revision)
{
	struct query *query;
	int r;

	if (db->state == DB_FAILED)
		return db->failure;
	if (db->state != DB_WRITING)
		return -EINVAL;
	if (db->revision[table] == 0) {
		if (table == DB_REVISION_MEMBER_XP)
			r = query_row(db, &query, "SELECT coalesce(max(revision), 0) FROM member_xp");
		else
			r = query_row(db, &query, "SELECT coalesce(max(revision), 0) FROM profile");
		if (r < 0)
			return r;
		db->revision[table] = query_int(query, 0);
		query_close(query);
	}
	*ret_revision = ++db->revision[table];
	return 0;
}

int db_data_version(struct db *db, uint64_t *ret_version)
{
	return db->engine->data_version(db->connection, ret_version);
}

int db_schema(struct db *db)
{
	struct str message cleanup(str_finish) = STR_INIT;

	return check_version(db, &message);
}

int db_checkpoint(struct db *db, usec patience)
{
	if (db->read_only)
		return -EROFS;
	if (db->state != DB_IDLE)
		return -EINVAL;
	return db->engine->checkpoint(db->connection, patience);
}

int db_wal_size(struct db *db, int64_t *ret_bytes)
{
	return db->engine->log_size(db->connection, ret_bytes);
}

int db_check(struct db *db, bool quick, struct str *report)
{
	int r;

	r = db->engine->check(db->connection, quick, report);
	if (r == -EBADMSG && report->len == 0)
		str_printf(report, "%s\n", db_error(db));
	return r;
}

int db_backup(struct db *db, const char *file, struct str *reterr_message)
{
	struct str ignored cleanup(str_finish) = STR_INIT;

	if (db->state != DB_IDLE)
		return -EINVAL;
	return db->engine->backup(db->connection, file, reterr_message ? reterr_message : &ignored);
}

int db_restore(const char *path, const char *file, struct str *ret_kept, struct str *reterr_message)
{
	return engine_sqlite.restore(path, file, migrate_latest(), ret_kept, reterr_message);
}
