/* Migrations: numbered SQL files in migrations/, embedded when the library is built, applied in order, each in one
 * transaction together with its number. They are append-only: a file that was released is never changed, a change is
 * a new file. Old and new programs overlap during an update, so a migration first adds (columns with defaults,
 * tables), and a later release removes what nobody uses.
 *
 * The caller holds the schema lock, so that one process migrates and the others find the work done.
 */
#include <errno.h>

#include "db_internal.h"
#include "migrations.h"
#include "query.h"

int migrate_latest(void)
{
	return migrations[migration_count - 1].number;
}

static int apply(struct db *db, const struct migration *migration, struct str *reterr_message)
{
	int r;

	r = db_begin(db);
	if (r >= 0) {
		r = db_note(db, db->engine->script(db->connection, migration->sql));
		if (r >= 0)
			r = query_run(db,
				"INSERT INTO schema_migration (version, name, applied_at) VALUES ($1, $2, $3)",
				BIND_INT(migration->number), BIND_TEXT(migration->name), BIND_INT(clock_realtime()));
		if (r >= 0)
			r = db_note(db, db->engine->set_version(db->connection, migration->number));
		if (r >= 0)
			r = db_commit(db);
	}
	/* Before the rollback, which would replace the engine's words. */
	if (r < 0)
		str_printf(reterr_message, "%s: migration %s failed (%s); nothing was changed by it", db->path,
			migration->name, db_error(db));
	db_rollback(db);
	return r;
}

int migrate_apply(struct db *db, const struct migration *list, size_t count, struct str *reterr_message)
{
	int newest = list[count - 1].number, version, r;

	r = db->engine->version(db->connection, &version);
	if (r < 0) {
		str_printf(reterr_message, "%s: cannot be read: %s", db->path, db_error(db));
		return r;
	}
	if (version > newest) {
		str_printf(reterr_message, "%s: schema version %d is newer than this program's %d; update the program",
			db->path, version, newest);
		return -EPROTO;
	}
	for (size_t i = 0; i < count; i++) {
		if (list[i].number <= version)
			continue;
		r = apply(db, &list[i], reterr_message);
		if (r < 0)
			return r;
	}
	return 0;
}

int migrate_run(struct db *db, struct str *reterr_message)
{
	return migrate_apply(db, migrations, migration_count, reterr_message);
}
