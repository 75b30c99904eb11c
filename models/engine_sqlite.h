/* Between the two halves of the SQLite engine: engine_sqlite.c talks to SQLite, engine_sqlite_files.c handles whole files. */
#ifndef MODELS_ENGINE_SQLITE_H
#define MODELS_ENGINE_SQLITE_H

#include "engine.h"

/* Writes a compact copy into a new file. Interrupted, it leaves a file that may be damaged. */
int engine_sqlite_copy(struct engine_connection *connection, const char *file);

/* The file of the database. */
const char *engine_sqlite_path(const struct engine_connection *connection);

int engine_sqlite_backup(struct engine_connection *connection, const char *file, struct str *reterr_message);
int engine_sqlite_restore(
	const char *path, const char *file, int newest_version, struct str *ret_kept, struct str *reterr_message);

#endif
