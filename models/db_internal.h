/* The connection's inside, for db.c, query.c and migrate.c. */
#ifndef MODELS_DB_INTERNAL_H
#define MODELS_DB_INTERNAL_H

#include "engine.h"
#include "models/db.h"

enum db_state {
	DB_IDLE,    /* every statement is its own transaction */
	DB_READING, /* between db_begin_read() and db_end_read() */
	DB_WRITING, /* between db_begin() and db_commit() or db_rollback() */
	/* The engine gave the write transaction up: all calls fail until db_commit() or db_rollback() ends it. */
	DB_FAILED,
};

/* Tables whose changes are numbered, so that readers fetch only what is new. */
enum db_revision {
	DB_REVISION_MEMBER_XP,
	DB_REVISION_PROFILE,
	DB_REVISION_COUNT,
};

#define DB_STATEMENTS 256 /* slots; a power of two, well above the number of SQL literals in the library */

struct db {
	const struct engine *engine;
	struct engine_connection *connection;
	char *path;
	bool read_only;
	enum db_state state;
	int failure; /* DB_FAILED: why */
	bool savepoint;
	int64_t revision[DB_REVISION_COUNT]; /* last given out in this write transaction; 0: not looked up yet */
	struct query *statements[DB_STATEMENTS];
	size_t statement_count;
	/* profile_reconcile_*() */
	uint64_t *marks;
	size_t mark_count, mark_room;
	bool marking;
};

/* The number for a row that changes now; only in a write transaction. */
int db_next_revision(struct db *db, enum db_revision table, int64_t *ret_revision) warn_unused;
/* A database that is not ours (the old system's) or not ours to trust (a backup), for reading. */
int db_open_foreign(const char *path, struct db **ret_db, struct str *reterr_message) warn_unused;
/* After an engine call returned r: notices that the engine has dropped the transaction. Returns r. */
int db_note(struct db *db, int r);

/* query.c */
void query_drop_all(struct db *db);

/* migrate.c: applies what is missing. The schema lock is held. */
int migrate_run(struct db *db, struct str *reterr_message) warn_unused;
/* The same with another list, for tests. */
struct migration;
int migrate_apply(struct db *db, const struct migration *list, size_t count, struct str *reterr_message) warn_unused;
/* The version that this program was made for. */
int migrate_latest(void);

#endif
