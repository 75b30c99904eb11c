/* All data as JSON lines, and the number of rows in each table. */
#ifndef MODELS_EXPORT_H
#define MODELS_EXPORT_H

#include "models/db.h"

/* Calls `write` with one line for each row, {"table": ..., columns ...}, tables and rows always in the same order.
 * Ids of Discord's are strings, times whole microseconds, absent values null. Left out are revisions (they number
 * changes, and mean nothing elsewhere) and gateway sessions with their identifies (state of running services). A
 * non-zero result of `write` ends the walk and is returned. The whole export sees one state of the database. */
int export_rows(struct db *db, int (*write)(void *arg, const char *line, size_t len), void *arg) warn_unused;
/* Calls `each` for every table, also those that are not exported. */
int export_counts(struct db *db, int (*each)(void *arg, const char *table, int64_t rows), void *arg) warn_unused;

#endif
