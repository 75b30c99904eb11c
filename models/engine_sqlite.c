/* SQLite behind the engine interface: the only file that includes sqlite3.h.
 *
 * Rules that were learned by measuring, and where they are kept:
 *  - the database file is never opened, copied or hashed except through SQLite: closing any other descriptor of it
 *    would drop all the process's locks (sqlite.org/howtocorrupt.html, 2.2). access() and stat() open nothing;
 *  - journal_mode=WAL is set under the schema lock: eight processes that do it at once get "database is locked"
 *    whatever the time-out;
 *  - write transactions are BEGIN IMMEDIATE: a transaction that reads first and writes later fails at once when
 *    somebody wrote between;
 *  - waiting is done by a busy handler with short random sleeps: SQLite's own busy_timeout starves all but one of
 *    several writers;
 *  - nothing checkpoints but checkpoint(): not after a commit, not when the last connection closes (see interlock.c
 *    for why);
 *  - after SQLITE_FULL or an I/O error SQLite may have rolled back by itself: in_transaction() tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "engine_sqlite.h"
#include "interlock.h"

/* "Wall" in ASCII: which program the file belongs to, in the header of the database (PRAGMA application_id). */
#define APPLICATION_ID 0x57616c6c

/* How long a statement waits for other processes' locks. Write transactions take milliseconds; a slow disk's sync may
 * take a second. */
#define BUSY_PATIENCE (5 * SECOND)
/* How long opening waits for another process that migrates. */
#define SCHEMA_PATIENCE (10 * SECOND)

/* How long a checkpoint, which keeps writers out, waits for a reader that still needs the log before it lets them in
 * again and tries anew. */
#define CHECKPOINT_PATIENCE (20 * MILLISECOND)

#define PARAMETERS_MAX 32

enum { FIXED_BEGIN_READ, FIXED_BEGIN_WRITE, FIXED_COMMIT, FIXED_ROLLBACK, FIXED_DATA_VERSION, FIXED_COUNT };
static const char *const fixed_sql[FIXED_COUNT] = {
	[FIXED_BEGIN_READ] = "BEGIN",
	[FIXED_BEGIN_WRITE] = "BEGIN IMMEDIATE",
	[FIXED_COMMIT] = "COMMIT",
	[FIXED_ROLLBACK] = "ROLLBACK",
	[FIXED_DATA_VERSION] = "PRAGMA data_version",
};

struct engine_connection {
	sqlite3 *sqlite;
	char *path;
	struct interlock *interlock; /* NULL: this SQLite needs none, or the connection cannot write */
	bool writer_locked;          /* the interlock is held for a write transaction */
	int schema_lock;             /* descriptor, -1: not held */
	int open_lock;   /* descriptor: shared while the connection lives, so that restoring knows it is alone */
	usec patience;   /* of the busy handler */
	usec deadline;   /* of the wait in progress */
	char words[256]; /* SQLite's, about the last error */
	sqlite3_stmt *fixed[FIXED_COUNT];
};

struct engine_statement {
	struct engine_connection *connection;
	sqlite3_stmt *statement;
	int count;
	/* SQLite takes "$2" for a name and numbers names by their first appearance. */
	int index[PARAMETERS_MAX];
};

static int error_from_sqlite(sqlite3 *sqlite, int code)
{
	int system = sqlite ? sqlite3_system_errno(sqlite) : 0;

	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EAGAIN;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return -EBADMSG;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_TOOBIG: return -E2BIG;
	case SQLITE_CONSTRAINT:
		if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
			code == SQLITE_CONSTRAINT_ROWID)
			return -EEXIST;
		return code == SQLITE_CONSTRAINT_FOREIGNKEY ? -ENOENT : -EINVAL;
	case SQLITE_CANTOPEN: return system == EACCES || system == ENOENT || system == EROFS ? -system : -EIO;
	case SQLITE_IOERR:
		/* A quota or a file size limit is a full disk for everybody who has to act on it. */
		return system == ENOSPC || system == EDQUOT || system == EFBIG ? -ENOSPC : -EIO;
	default: return -EIO;
	}
}

static void say(struct engine_connection *connection, const char *words)
{
	snprintf(connection->words, sizeof(connection->words), "%s", words);
}

/* Also keeps SQLite's words, which the rollback that follows would replace by "not an error". */
static int last_error(struct engine_connection *connection)
{
	int code = sqlite3_extended_errcode(connection->sqlite);

	if (code != SQLITE_OK)
		say(connection, sqlite3_errmsg(connection->sqlite));
	return error_from_sqlite(connection->sqlite, code);
}

/* SQLite calls this again and again while somebody holds a lock that we need; `count` is 0 at the start of each wait.
 */
static int on_busy(void *arg, int count)
{
	struct engine_connection *connection = arg;
	usec now = clock_monotonic();

	if (count == 0)
		connection->deadline = now + connection->patience;
	if (now >= connection->deadline)
		return 0;
	interlock_pause();
	return 1;
}

static int execute(struct engine_connection *connection, const char *sql)
{
	return sqlite3_exec(connection->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : last_error(connection);
}

/* The first column of the first row, as text in `ret_text` or as a number. */
static int pragma_value(struct engine_connection *connection, const char *sql, struct str *ret_text, int64_t *ret_value)
{
	sqlite3_stmt *statement;
	int r = 0;

	if (sqlite3_prepare_v2(connection->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
		return last_error(connection);
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		if (ret_text)
			str_adds(ret_text, (const char *)sqlite3_column_text(statement, 0));
		if (ret_value)
			*ret_value = sqlite3_column_int64(statement, 0);
		break;
	case SQLITE_DONE: r = -EIO; break;
	default: r = last_error(connection);
	}
	sqlite3_finalize(statement);
	return r;
}

static int step_fixed(struct engine_connection *connection, int which, int64_t *ret_value)
{
	int code, r;

	if (!connection->fixed[which]) {
		code = sqlite3_prepare_v3(connection->sqlite, fixed_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
			&connection->fixed[which], NULL);
		if (code != SQLITE_OK)
			return last_error(connection);
	}
	code = sqlite3_step(connection->fixed[which]);
	if (code == SQLITE_ROW && ret_value)
		*ret_value = sqlite3_column_int64(connection->fixed[which], 0);
	r = code == SQLITE_ROW || code == SQLITE_DONE ? 0 : last_error(connection);
	sqlite3_reset(connection->fixed[which]);
	return r;
}

static void unlock_schema(struct engine_connection *connection)
{
	if (connection->schema_lock >= 0)
		close(connection->schema_lock);
	connection->schema_lock = -1;
}

static void sqlite_close(struct engine_connection *connection)
{
	if (!connection)
		return;
	for (int i = 0; i < FIXED_COUNT; i++)
		sqlite3_finalize(connection->fixed[i]);
	sqlite3_close(connection->sqlite);
	interlock_destroy(connection->interlock);
	unlock_schema(connection);
	if (connection->open_lock >= 0)
		close(connection->open_lock);
	free(connection->path);
	free(connection);
}

/* What -EBADMSG means besides damage: the path leads to something else. */
#define ANOTHER_PROGRAM "belongs to another program"
#define DIRECTORY       "is a directory"
#define NO_FILE         "is not a regular file"

/* What is said to people when opening fails. */
static void explain(struct str *message, const char *path, int r, const char *words)
{
	switch (r) {
	case -ENOENT:
		str_printf(message, "%s: there is no such database; start the bot or 'walle-db migrate' to create it",
			path);
		break;
	case -EACCES:
		str_printf(message,
			"%s: not accessible; let the user that runs the services own the file and its directory", path);
		break;
	case -EROFS: str_printf(message, "%s: not writable; mount its directory for writing", path); break;
	case -EAGAIN:
		str_printf(message,
			"%s: another process holds its lock (a long migration or restoration?); try again later", path);
		break;
	case -EBADMSG:
		if (streq(words, ANOTHER_PROGRAM) || streq(words, DIRECTORY) || streq(words, NO_FILE))
			str_printf(message, "%s: %s; name another file in [database_config] PATH", path, words);
		else
			str_printf(message,
				"%s: damaged, or no database (%s); keep the file and restore a backup with 'walle-db"
				" restore'",
				path, words);
		break;
	case -ENOSPC: str_printf(message, "%s: the disk is full; free some space and start again", path); break;
	default: str_printf(message, "%s: cannot be opened: %s", path, words);
	}
}

static int take_schema_locks(struct engine_connection *connection, struct str *reterr_message)
{
	char *directory cleanup(freep) = xstrdup(connection->path);
	char *slash = strrchr(directory, '/');
	int r;

	/* The default is var/walle.sqlite3, and on a fresh checkout there is no var. */
	if (slash && slash != directory) {
		*slash = '\0';
		if (mkdir(directory, 0700) < 0 && errno != EEXIST) {
			r = -errno;
			str_printf(reterr_message, "%s: the directory does not exist and cannot be created (%s)",
				directory, strerror(errno));
			return r;
		}
	}
	r = connection->schema_lock = interlock_open_file(connection->path, ".migrate.lock");
	if (r >= 0)
		r = connection->open_lock = interlock_open_file(connection->path, ".open.lock");
	if (r == -EROFS) {
		explain(reterr_message, connection->path, r, "");
		return r;
	}
	if (r < 0) {
		str_printf(reterr_message,
			"%s: no lock file can be created beside it (%s); let the user that runs the services own the"
			" directory",
			connection->path, strerror(-r));
		return r;
	}
	r = interlock_flock(connection->schema_lock, LOCK_EX, SCHEMA_PATIENCE);
	if (r >= 0)
		r = interlock_flock(connection->open_lock, LOCK_SH, SCHEMA_PATIENCE);
	if (r < 0)
		explain(reterr_message, connection->path, r, "locked");
	return r;
}

/* A reader creates nothing. Where the lock file is missing, no service has ever opened the database. */
static int take_open_lock(struct engine_connection *connection)
{
	char *name cleanup(freep) = xasprintf("%s.open.lock", connection->path);

	connection->open_lock = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (connection->open_lock < 0)
		return 0;
	return interlock_flock(connection->open_lock, LOCK_SH, SECOND);
}

/* 0 for an empty file or one of ours. */
static int check_owner(struct engine_connection *connection)
{
	int64_t application = 0, tables = 0;
	int r;

	r = pragma_value(connection, "PRAGMA application_id", NULL, &application);
	if (r < 0 || application == APPLICATION_ID)
		return r;
	r = pragma_value(connection, "SELECT count(*) FROM sqlite_schema", NULL, &tables);
	if (r < 0)
		return r;
	return application == 0 && tables == 0 ? 0 : -EBADMSG;
}

static int configure(struct engine_connection *connection, enum engine_mode mode)
{
	static const char settings[] =
		"PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
		"PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
		"PRAGMA wal_autocheckpoint = 0;";
	struct str text cleanup(str_finish) = STR_INIT;
	int r;

	sqlite3_extended_result_codes(connection->sqlite, 1);
	sqlite3_busy_handler(connection->sqlite, on_busy, connection);
	sqlite3_db_config(connection->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(connection->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(connection->sqlite, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(connection->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	r = execute(connection, settings);
	if (r < 0)
		return r;
	if (mode == ENGINE_FOREIGN)
		return execute(connection, "PRAGMA query_only = ON");
	r = check_owner(connection);
	if (r < 0) {
		if (r == -EBADMSG && sqlite3_errcode(connection->sqlite) == SQLITE_OK)
			say(connection, ANOTHER_PROGRAM);
		return r;
	}
	if (mode == ENGINE_READ)
		return execute(connection, "PRAGMA query_only = ON");
	r = pragma_value(connection, "PRAGMA journal_mode = WAL", &text, NULL);
	if (r < 0)
		return r;
	if (!streq(text.buf, "wal")) {
		say(connection, "its file system has no shared memory; use a local disk");
		return -EIO;
	}
	/* 8 MiB hold the rows of some 50,000 members. Readers keep their copies in memory and need less. */
	return execute(connection, "PRAGMA cache_size = -8192");
}

/* Of a directory SQLite would say "disk I/O error", and for a pipe it would wait. */
static int check_kind(struct engine_connection *connection, bool may_be_missing)
{
	struct stat status;

	if (stat(connection->path, &status) < 0)
		return may_be_missing ? 0 : -errno;
	if (S_ISREG(status.st_mode))
		return 0;
	say(connection, S_ISDIR(status.st_mode) ? DIRECTORY : NO_FILE);
	return -EBADMSG;
}

static int sqlite_open(
	const char *path, enum engine_mode mode, struct engine_connection **ret_connection, struct str *reterr_message)
{
	bool writes = mode == ENGINE_WRITE || mode == ENGINE_LOCKED;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	struct engine_connection *connection;
	int r;

	flags |= writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	connection = xcalloc(1, sizeof(*connection));
	connection->path = xstrdup(path);
	connection->schema_lock = connection->open_lock = -1;
	connection->patience = BUSY_PATIENCE;
	r = check_kind(connection, writes);
	if (r < 0)
		goto explained;
	if (mode == ENGINE_WRITE) {
		r = take_schema_locks(connection, reterr_message);
		if (r < 0)
			goto failed;
		if (interlock_needed(sqlite3_libversion_number())) {
			r = interlock_create(path, &connection->interlock);
			if (r < 0)
				goto explained;
		}
	} else if (mode == ENGINE_READ) {
		r = take_open_lock(connection);
		if (r < 0)
			goto explained;
	}
	r = error_from_sqlite(NULL, sqlite3_open_v2(path, &connection->sqlite, flags, NULL));
	if (r < 0 && connection->sqlite)
		r = last_error(connection);
	if (r >= 0)
		r = configure(connection, mode);
	/* The database is there; what a reader misses is the log's shared memory, which it may not create. */
	if (r == -ENOENT && !writes)
		r = -EROFS;
	if (r < 0)
		goto explained;
	*ret_connection = connection;
	return 0;

explained:
	explain(reterr_message, path, r, *connection->words ? connection->words : strerror(-r));
failed:
	sqlite_close(connection);
	return r;
}

const char *engine_sqlite_path(const struct engine_connection *connection)
{
	return connection->path;
}

static const char *sqlite_error(const struct engine_connection *connection)
{
	return connection->words;
}

static int sqlite_prepare(
	struct engine_connection *connection, const char *sql, struct engine_statement **ret_statement)
{
	struct engine_statement *statement;
	sqlite3_stmt *prepared;
	char name[16];

	if (sqlite3_prepare_v3(connection->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) != SQLITE_OK)
		return last_error(connection);
	statement = xcalloc(1, sizeof(*statement));
	statement->connection = connection;
	statement->statement = prepared;
	statement->count = sqlite3_bind_parameter_count(prepared);
	for (int i = 0; i < statement->count; i++) {
		snprintf(name, sizeof(name), "$%d", i + 1);
		if (i == PARAMETERS_MAX || (statement->index[i] = sqlite3_bind_parameter_index(prepared, name)) == 0) {
			sqlite3_finalize(prepared);
			free(statement);
			return -EINVAL;
		}
	}
	*ret_statement = statement;
	return 0;
}

static void sqlite_finalize(struct engine_statement *statement)
{
	sqlite3_finalize(statement->statement);
	free(statement);
}

static int sqlite_bind(struct engine_statement *statement, int parameter, const struct engine_value *value)
{
	int index, code;

	if (parameter < 1 || parameter > statement->count)
		return -EINVAL;
	index = statement->index[parameter - 1];
	switch (value->type) {
	case ENGINE_NULL: code = sqlite3_bind_null(statement->statement, index); break;
	case ENGINE_INT: code = sqlite3_bind_int64(statement->statement, index, value->i); break;
	case ENGINE_TEXT:
		code = sqlite3_bind_text64(
			statement->statement, index, value->text, value->len, SQLITE_TRANSIENT, SQLITE_UTF8);
		break;
	default: return -EINVAL;
	}
	return code == SQLITE_OK ? 0 : last_error(statement->connection);
}

static int sqlite_step(struct engine_statement *statement)
{
	switch (sqlite3_step(statement->statement)) {
	case SQLITE_ROW: return 1;
	case SQLITE_DONE: return 0;
	default: return last_error(statement->connection);
	}
}

static void sqlite_column(struct engine_statement *statement, int column, struct engine_value *ret_value)
{
	/* Found once, then asked directly. That is allowed where one thread at a time uses the connection, as here. */
	sqlite3_value *value = sqlite3_column_value(statement->statement, column);

	*ret_value = (struct engine_value){ .type = ENGINE_NULL };
	switch (sqlite3_value_type(value)) {
	case SQLITE_NULL: break;
	case SQLITE_INTEGER:
		ret_value->type = ENGINE_INT;
		ret_value->i = sqlite3_value_int64(value);
		break;
	case SQLITE_TEXT:
		ret_value->type = ENGINE_TEXT;
		ret_value->text = (const char *)sqlite3_value_text(value);
		ret_value->len = (size_t)sqlite3_value_bytes(value);
		break;
	default: ret_value->type = ENGINE_OTHER;
	}
}

static void sqlite_reset(struct engine_statement *statement)
{
	sqlite3_reset(statement->statement);
}

static int sqlite_parameters(const struct engine_statement *statement)
{
	return statement->count;
}

static bool sqlite_writes(const struct engine_statement *statement)
{
	return !sqlite3_stmt_readonly(statement->statement);
}

static int64_t sqlite_changes(const struct engine_connection *connection)
{
	return sqlite3_changes64(connection->sqlite);
}

static void leave_writer(struct engine_connection *connection)
{
	if (connection->writer_locked)
		interlock_leave_writer(connection->interlock);
	connection->writer_locked = false;
}

static int sqlite_begin(struct engine_connection *connection, bool write)
{
	int r;

	if (!write)
		return step_fixed(connection, FIXED_BEGIN_READ, NULL);
	if (connection->interlock) {
		r = interlock_enter_writer(connection->interlock, connection->patience);
		if (r < 0)
			return r;
		connection->writer_locked = true;
	}
	r = step_fixed(connection, FIXED_BEGIN_WRITE, NULL);
	if (r < 0)
		leave_writer(connection);
	return r;
}

static void sqlite_rollback(struct engine_connection *connection)
{
	if (!sqlite3_get_autocommit(connection->sqlite))
		(void)step_fixed(connection, FIXED_ROLLBACK, NULL);
	leave_writer(connection);
}

static int sqlite_commit(struct engine_connection *connection)
{
	int r;

	r = step_fixed(connection, FIXED_COMMIT, NULL);
	if (r < 0)
		sqlite_rollback(connection);
	else
		leave_writer(connection);
	return r;
}

static bool sqlite_in_transaction(const struct engine_connection *connection)
{
	return !sqlite3_get_autocommit(connection->sqlite);
}

static int sqlite_version(struct engine_connection *connection, int *ret_version)
{
	int64_t version = 0;
	int r;

	r = pragma_value(connection, "PRAGMA user_version", NULL, &version);
	if (r >= 0)
		*ret_version = (int)version;
	return r;
}

static int sqlite_set_version(struct engine_connection *connection, int version)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, version);
	return execute(connection, sql);
}

static int sqlite_data_version(struct engine_connection *connection, uint64_t *ret_version)
{
	int64_t version = 0;
	int r;

	r = step_fixed(connection, FIXED_DATA_VERSION, &version);
	if (r >= 0)
		*ret_version = (uint64_t)version;
	return r;
}

/* Writers are kept out meanwhile, by SQLite and by the interlock; so the wait for readers is short. */
static int checkpoint_once(struct engine_connection *connection, usec patience)
{
	int code, r;

	if (connection->interlock) {
		r = interlock_enter_checkpoint(connection->interlock, patience);
		if (r < 0)
			return r;
	}
	/* The first pass copies what it can without waiting; the second, which may wait, has little left to do. */
	code = sqlite3_wal_checkpoint_v2(connection->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code == SQLITE_OK) {
		connection->patience = MIN(patience, CHECKPOINT_PATIENCE);
		code = sqlite3_wal_checkpoint_v2(connection->sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		connection->patience = BUSY_PATIENCE;
	}
	r = code == SQLITE_OK ? 0 : last_error(connection);
	if (connection->interlock)
		interlock_leave_checkpoint(connection->interlock);
	return r;
}

static int sqlite_checkpoint(struct engine_connection *connection, usec patience)
{
	usec deadline = clock_monotonic() + patience;
	int r;

	while ((r = checkpoint_once(connection, MAX(deadline - clock_monotonic(), 0))) == -EAGAIN) {
		if (clock_monotonic() >= deadline)
			return r;
		/* Several pauses, in which whoever waited has his turn. */
		for (int i = 0; i < 10; i++)
			interlock_pause();
	}
	return r;
}

static int sqlite_log_size(struct engine_connection *connection, int64_t *ret_bytes)
{
	char *name cleanup(freep) = xasprintf("%s-wal", connection->path);
	struct stat status;

	if (stat(name, &status) < 0) {
		if (errno != ENOENT)
			return -errno;
		status.st_size = 0;
	}
	*ret_bytes = status.st_size;
	return 0;
}

/* One line per row that is not "ok". */
static int check_with(struct engine_connection *connection, const char *sql, const char *prefix, struct str *report)
{
	sqlite3_stmt *statement;
	bool problems = false;
	int code;

	if (sqlite3_prepare_v2(connection->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
		return last_error(connection);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(statement, 0);

		if (!line || streq(line, "ok"))
			continue;
		str_printf(report, "%s%s\n", prefix, line);
		problems = true;
	}
	sqlite3_finalize(statement);
	if (code != SQLITE_DONE)
		return last_error(connection);
	return problems ? -EBADMSG : 0;
}

static int sqlite_check(struct engine_connection *connection, bool quick, struct str *report)
{
	int r;

	r = check_with(connection, quick ? "PRAGMA quick_check(20)" : "PRAGMA integrity_check(100)", "", report);
	if (r < 0 || quick)
		return r;
	return check_with(
		connection, "PRAGMA foreign_key_check", "row without the row that it refers to in table ", report);
}

/* Writes nothing to the database itself, but query_only forbids it all the same. */
int engine_sqlite_copy(struct engine_connection *connection, const char *file)
{
	int64_t query_only = 0;
	sqlite3_stmt *statement;
	int r;

	r = pragma_value(connection, "PRAGMA query_only", NULL, &query_only);
	if (r >= 0)
		r = execute(connection, "PRAGMA query_only = OFF");
	if (r < 0)
		return r;
	if (sqlite3_prepare_v2(connection->sqlite, "VACUUM INTO $1", -1, &statement, NULL) == SQLITE_OK) {
		sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC);
		sqlite3_step(statement);
		sqlite3_finalize(statement);
	}
	r = last_error(connection);
	if (query_only && execute(connection, "PRAGMA query_only = ON") < 0)
		return -EIO;
	return r;
}

const struct engine engine_sqlite = {
	.name = "sqlite3",
	.open = sqlite_open,
	.close = sqlite_close,
	.error = sqlite_error,
	.prepare = sqlite_prepare,
	.finalize = sqlite_finalize,
	.bind = sqlite_bind,
	.step = sqlite_step,
	.column = sqlite_column,
	.reset = sqlite_reset,
	.parameters = sqlite_parameters,
	.writes = sqlite_writes,
	.changes = sqlite_changes,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.in_transaction = sqlite_in_transaction,
	.version = sqlite_version,
	.set_version = sqlite_set_version,
	.script = execute,
	.unlock_schema = unlock_schema,
	.data_version = sqlite_data_version,
	.checkpoint = sqlite_checkpoint,
	.log_size = sqlite_log_size,
	.check = sqlite_check,
	.backup = engine_sqlite_backup,
	.restore = engine_sqlite_restore,
};
