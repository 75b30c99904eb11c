/* What the library asks of a database engine. Everything above this line of the design (db.c, query.c, the tables) is
 * the same for every engine; engine_sqlite.c is the only file that knows SQLite. Another engine is one more file with
 * one more struct engine, and its own dialect of the migrations; db.c chooses by the configured type.
 *
 * The SQL that passes through here is the dialect that SQLite and PostgreSQL share: $1..$n, ON CONFLICT ... DO
 * UPDATE, RETURNING. All functions return 0 (step: 1 for a row) or -errno as models/db.h lists them.
 */
#ifndef MODELS_ENGINE_H
#define MODELS_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/str.h"

struct engine_connection;
struct engine_statement;

enum engine_type {
	ENGINE_NULL,
	ENGINE_INT,
	ENGINE_TEXT,
	ENGINE_OTHER, /* never in our tables; the import meets it in damaged foreign data */
};

struct engine_value {
	enum engine_type type;
	int64_t i;
	const char *text; /* binding: copied by bind; reading: borrowed until the next step or reset */
	size_t len;
};

enum engine_mode {
	ENGINE_WRITE,   /* creates the file; returns holding the lock under which the schema may change */
	ENGINE_READ,    /* cannot write, never creates the database */
	ENGINE_LOCKED,  /* ENGINE_WRITE for restore(), which holds all locks already */
	ENGINE_FOREIGN, /* like ENGINE_READ, for a database that is not ours: the old system's, a backup */
};

struct engine {
	const char *name;

	/* `reterr_message` is never NULL and gets one line that says what to do when opening fails. */
	int (*open)(const char *path, enum engine_mode mode, struct engine_connection **ret_connection,
		struct str *reterr_message);
	void (*close)(struct engine_connection *connection);
	const char *(*error)(const struct engine_connection *connection);

	int (*prepare)(struct engine_connection *connection, const char *sql, struct engine_statement **ret_statement);
	void (*finalize)(struct engine_statement *statement);
	/* Parameters count from 1. */
	int (*bind)(struct engine_statement *statement, int parameter, const struct engine_value *value);
	int (*step)(struct engine_statement *statement);
	void (*column)(struct engine_statement *statement, int column, struct engine_value *ret_value);
	void (*reset)(struct engine_statement *statement);
	int (*parameters)(const struct engine_statement *statement);
	bool (*writes)(const struct engine_statement *statement);
	/* Rows that the last finished write changed. */
	int64_t (*changes)(const struct engine_connection *connection);

	int (*begin)(struct engine_connection *connection, bool write);
	int (*commit)(struct engine_connection *connection);
	void (*rollback)(struct engine_connection *connection);
	/* False when the engine has rolled the transaction back by itself (disk full, I/O error). */
	bool (*in_transaction)(const struct engine_connection *connection);

	/* The schema: which numbered migration was applied last (0: none), whose database it is, and running a
	 * migration. set_version and script run inside a write transaction. unlock_schema ends what
	 * open(ENGINE_WRITE) began. */
	int (*version)(struct engine_connection *connection, int *ret_version);
	int (*set_version)(struct engine_connection *connection, int version);
	int (*script)(struct engine_connection *connection, const char *sql);
	void (*unlock_schema)(struct engine_connection *connection);

	int (*data_version)(struct engine_connection *connection, uint64_t *ret_version);
	int (*checkpoint)(struct engine_connection *connection, usec patience);
	int (*log_size)(struct engine_connection *connection, int64_t *ret_bytes);
	int (*check)(struct engine_connection *connection, bool quick, struct str *report);
	int (*backup)(struct engine_connection *connection, const char *file, struct str *reterr_message);
	/* Without a connection. See db_restore(). */
	int (*restore)(const char *path, const char *file, int newest_version, struct str *ret_kept,
		struct str *reterr_message);
};

extern const struct engine engine_sqlite;

#endif
