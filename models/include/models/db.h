/* The database connection that every table's functions take. Engines (SQLite today, PostgreSQL for people who outgrow
 * one host) are behind models/engine.h, which only this library sees.
 *
 * A struct db belongs to one thread. All functions of this library that touch the database return 0 or -errno:
 *	-EAGAIN     locked longer than the deadline; nothing was changed, try again
 *	-ENOSPC     disk full; the transaction was rolled back
 *	-EBADMSG    corrupt, or not a database of ours
 *	-EPROTO     the schema is newer than this program
 *	-EROFS      opened for reading only
 *	-EIO        everything else; db_error() has the words
 */
#ifndef MODELS_DB_H
#define MODELS_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/util.h"

struct db;

enum db_mode {
	DB_WRITE,     /* a service: migrates when needed, then reads and writes */
	DB_READ_ONLY, /* the levelling API: no statement can write; never migrates; -ENOENT while there is no database,
		       * -ESTALE while its schema is older than ours (being migrated) */
};

/* Opens and, with DB_WRITE, creates and migrates. Takes at most about 10 s when other processes hold the locks.
 * `reterr_message` (may be NULL) gets one line that says what to do. */
int db_open(const char *path, enum db_mode mode, struct db **ret_db, struct str *reterr_message) warn_unused;
void db_close(struct db *db);
/* The engine's words for the last error on this connection; borrowed until the next call. */
const char *db_error(const struct db *db);

/* Write transaction: BEGIN IMMEDIATE. Not nested. db_commit() returns after the data are on the disk
 * (synchronous=FULL); when it fails the transaction has been rolled back. */
int db_begin(struct db *db) warn_unused;
int db_commit(struct db *db) warn_unused;
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);
/* Inside a transaction: undo one event's effects without losing its neighbours'. */
int db_savepoint(struct db *db) warn_unused;
int db_release(struct db *db) warn_unused;
void db_rollback_to_savepoint(struct db *db);
/* A read transaction: all reads until db_end_read() see one state. Keep it under a second. */
int db_begin_read(struct db *db) warn_unused;
void db_end_read(struct db *db);

/* Changes whenever another connection has committed (SQLite's data_version); cheap. */
int db_data_version(struct db *db, uint64_t *ret_version) warn_unused;

/* Whether the schema is still the one that this program was made for: 0, -ESTALE (older) or -EPROTO (another program
 * has migrated it). */
int db_schema(struct db *db) warn_unused;

/* Moves the write-ahead log into the database. For the one owner of checkpoints (the bot; the listener above 32 MB
 * while the bot is down), from a thread of its own with a connection of its own. Waits at most `patience`; -EAGAIN
 * when others did not let it. */
int db_checkpoint(struct db *db, usec patience) warn_unused;
/* Bytes in the write-ahead log. */
int db_wal_size(struct db *db, int64_t *ret_bytes) warn_unused;

/* Integrity and counts, for walle-db check and for the start of a service (`quick`). Problems are appended to
 * `report`, a line each; -EBADMSG when there are any. */
int db_check(struct db *db, bool quick, struct str *report) warn_unused;
/* VACUUM INTO a temporary file beside `file`, checked, synced, renamed. An older backup is replaced, a device, a
 * directory or the database itself is not: -EINVAL. `reterr_message` (may be NULL) as above. */
int db_backup(struct db *db, const char *file, struct str *reterr_message) warn_unused;
/* Puts a checked copy of the backup `file` in the place of the database `path`, which need not exist. What was there
 * is kept beside it, its name is appended to `ret_kept`; its owner and rights are the new one's too. -EBUSY: a
 * service has the database open; -EBADMSG: the backup is damaged or not ours; -EPROTO: made by a newer program. An
 * older one is accepted and migrated when a service opens it. */
int db_restore(const char *path, const char *file, struct str *ret_kept, struct str *reterr_message) warn_unused;

#endif
