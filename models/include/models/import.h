/* Brings the data of the old system (Django) into an empty database of ours: its SQLite file at the latest migration,
 * or the JSON of "manage.py dumpdata wall_e_models", which is how the data leaves PostgreSQL.
 *
 * All or nothing: one transaction. Every row that is read is counted as converted or as skipped with a reason. Dates
 * in a dump have milliseconds (Django cuts them), in the SQLite file microseconds; apart from that both ways give the
 * same database.
 */
#ifndef MODELS_IMPORT_H
#define MODELS_IMPORT_H

#include "models/db.h"

struct import_options {
	/* Add to a database that holds data already. What is there stays as it is; only what is missing is added,
	 * under a new row id where the old one is taken. */
	bool merge;
};

/* Appends to `report` a table of what was read, converted and skipped, and why. On failure nothing is changed and one
 * line is appended to `reterr_message`. -ENOENT: no such file; -EBADMSG: neither of the two kinds, or damaged;
 * -ESTALE: an older schema; -ENOTEMPTY: the database holds data and `merge` is off; otherwise as models/db.h says. */
int import_file(struct db *db, const char *file, const struct import_options *options, struct str *report,
	struct str *reterr_message) warn_unused;

#endif
