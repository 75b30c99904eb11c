/* Whole files of SQLite databases: making a backup, and putting one in the place of a database.
 *
 * A backup gets its name only when it is complete, checked and on the disk. Restoring makes such a copy of the backup
 * first and touches nothing before; the copy takes the place by one rename(). The old database keeps its content under
 * another name, log included. Nobody may have the database open meanwhile: every connection holds a shared lock on
 * <path>.open.lock for its life, and restoring takes it exclusively.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "engine_sqlite.h"
#include "interlock.h"

/* Long enough for a service that is just closing. */
#define PATIENCE (2 * SECOND)

static int sync_path(const char *path, int flags)
{
	int fd cleanup(closep) = open(path, flags | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* A new name in a directory survives a power cut only when the directory is on the disk too. */
static int sync_directory_of(const char *path)
{
	char *directory cleanup(freep) = xstrdup(path);
	char *slash = strrchr(directory, '/');

	if (slash)
		slash[slash == directory ? 1 : 0] = '\0';
	return sync_path(slash ? directory : ".", O_RDONLY | O_DIRECTORY);
}

static int check_copy(const char *file)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct engine_connection *copy;
	int r;

	r = engine_sqlite.open(file, ENGINE_FOREIGN, &copy, &report);
	if (r < 0)
		return r;
	r = engine_sqlite.check(copy, false, &report);
	engine_sqlite.close(copy);
	return r;
}

/* By device and inode: links count. */
static bool same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* What cannot be a backup, read or written. With a new file in the database's place its services would go on writing to
 * one without a name; a device would be replaced by a file. */
static int check_name(const char *path, const char *file, struct str *reterr_message)
{
	struct stat status;
	bool regular;

	if (stat(file, &status) < 0)
		return 0;
	regular = S_ISREG(status.st_mode);
	if (regular && !same_file(path, file))
		return 0;
	str_printf(reterr_message, "%s: is %s; name another file", file,
		regular ? "the database itself" : "not a regular file");
	return -EINVAL;
}

/* Copied beside its place, checked, on the disk. */
static int copy_to(struct engine_connection *connection, const char *temporary)
{
	int r;

	unlink(temporary);
	r = engine_sqlite_copy(connection, temporary);
	if (r >= 0)
		r = check_copy(temporary);
	if (r >= 0)
		r = sync_path(temporary, O_RDONLY);
	return r;
}

int engine_sqlite_backup(struct engine_connection *connection, const char *file, struct str *reterr_message)
{
	char *temporary cleanup(freep) = xasprintf("%s.%ld.tmp", file, (long)getpid());
	size_t said = reterr_message->len;
	int r;

	r = check_name(engine_sqlite_path(connection), file, reterr_message);
	if (r >= 0) {
		r = copy_to(connection, temporary);
		if (r >= 0 && rename(temporary, file) < 0)
			r = -errno;
		if (r >= 0)
			r = sync_directory_of(file);
		else
			unlink(temporary);
	}
	if (r < 0 && reterr_message->len == said)
		str_printf(reterr_message, "%s: cannot be written: %s", file,
			r == -EIO || r == -EBADMSG ? engine_sqlite.error(connection) : error_text(r));
	return r;
}

static int open_backup(const char *file, struct engine_connection **ret_backup, struct str *reterr_message)
{
	struct str words cleanup(str_finish) = STR_INIT;
	int r;

	r = engine_sqlite.open(file, ENGINE_READ, ret_backup, &words);
	if (r == -ENOENT)
		str_printf(reterr_message, "%s: there is no such backup", file);
	else if (r == -EBADMSG)
		str_printf(reterr_message, "%s: damaged, or no backup of this database; use another one", file);
	else if (r < 0)
		str_adds(reterr_message, words.buf);
	return r;
}

/* A checked copy of the backup, as <path>.restored. */
static int copy_backup(const char *file, const char *copy, int newest_version, struct str *reterr_message)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct engine_connection *backup;
	int version = 0, r;

	r = open_backup(file, &backup, reterr_message);
	if (r < 0)
		return r;
	r = engine_sqlite.version(backup, &version);
	if (r >= 0 && version == 0)
		r = -EBADMSG;
	if (r >= 0 && version > newest_version)
		r = -EPROTO;
	if (r >= 0)
		r = engine_sqlite.check(backup, false, &report);
	if (r == -EPROTO)
		str_printf(reterr_message, "%s: schema version %d is newer than this program's %d; update the program",
			file, version, newest_version);
	else if (r == -EBADMSG)
		str_printf(reterr_message, "%s: the backup is %s; use another one", file,
			version == 0 ? "empty" : "damaged");
	else if (r < 0)
		str_printf(reterr_message, "%s: cannot be read: %s", file, engine_sqlite.error(backup));
	else
		r = engine_sqlite.backup(backup, copy, reterr_message);
	engine_sqlite.close(backup);
	return r;
}

/* Moves what the log holds into the database. Where that fails the database is damaged, and its log is kept beside
 * it. */
static void empty_log(const char *path)
{
	struct str ignored cleanup(str_finish) = STR_INIT;
	struct engine_connection *old;

	if (engine_sqlite.open(path, ENGINE_LOCKED, &old, &ignored) < 0)
		return;
	(void)engine_sqlite.checkpoint(old, PATIENCE);
	engine_sqlite.close(old);
}

static int also_named(const char *path, const char *suffix, const char *kept)
{
	char *from cleanup(freep) = xasprintf("%s%s", path, suffix);
	char *to cleanup(freep) = xasprintf("%s%s", kept, suffix);

	/* Not every file system has links; there the database is away for the moment between two renames. */
	if (link(from, to) == 0 || errno == ENOENT || (errno != EEXIST && rename(from, to) == 0))
		return 0;
	return -errno;
}

static int keep_old(const char *path, struct str *ret_kept)
{
	struct str kept cleanup(str_finish) = STR_INIT;
	struct civil now;
	int r = -EEXIST;

	civil_from_seconds(clock_realtime() / SECOND, &now);
	for (int i = 0; i < 100 && r == -EEXIST; i++) {
		str_clear(&kept);
		str_printf(&kept, "%s.replaced-%04d%02d%02dT%02d%02d%02dZ", path, now.year, now.month, now.day,
			now.hour, now.minute, now.second);
		if (i > 0)
			str_printf(&kept, ".%d", i);
		r = also_named(path, "", kept.buf);
	}
	if (r >= 0)
		r = also_named(path, "-wal", kept.buf);
	if (r >= 0)
		str_add(ret_kept, kept.buf, kept.len);
	return r;
}

static void remove_beside(const char *path, const char *suffix)
{
	char *name cleanup(freep) = xasprintf("%s%s", path, suffix);

	unlink(name);
}

static int replace(const char *path, const char *copy, struct str *ret_kept)
{
	struct stat old;
	int r;

	if (stat(path, &old) == 0) {
		if (S_ISDIR(old.st_mode))
			return -EISDIR;
		/* An operator restores as root what services open as somebody else. */
		if (chown(copy, old.st_uid, old.st_gid) < 0 || chmod(copy, old.st_mode & 0777) < 0)
			return -errno;
		empty_log(path);
		r = keep_old(path, ret_kept);
		if (r < 0)
			return r;
	}
	/* Before the rename: the old log beside the new database would be taken for its own. */
	remove_beside(path, "-wal");
	remove_beside(path, "-shm");
	if (rename(copy, path) < 0)
		return -errno;
	return sync_directory_of(path);
}

int engine_sqlite_restore(
	const char *path, const char *file, int newest_version, struct str *ret_kept, struct str *reterr_message)
{
	char *copy cleanup(freep) = xasprintf("%s.restored", path);
	int schema_lock cleanup(closep) = -1;
	int open_lock cleanup(closep) = -1;
	int r;

	r = check_name(path, file, reterr_message);
	if (r < 0)
		return r;
	schema_lock = interlock_open_file(path, ".migrate.lock");
	if (schema_lock >= 0)
		open_lock = interlock_open_file(path, ".open.lock");
	if (schema_lock < 0 || open_lock < 0) {
		r = schema_lock < 0 ? schema_lock : open_lock;
		str_printf(reterr_message, "%s: no lock file can be created beside it: %s", path, error_text(r));
		return r;
	}
	r = interlock_flock(schema_lock, LOCK_EX, PATIENCE);
	if (r >= 0)
		r = interlock_flock(open_lock, LOCK_EX, PATIENCE);
	if (r == -EAGAIN) {
		str_printf(reterr_message, "%s: in use; stop the services first", path);
		return -EBUSY;
	}
	if (r >= 0) {
		r = copy_backup(file, copy, newest_version, reterr_message);
		if (r < 0)
			return r;
		r = replace(path, copy, ret_kept);
	}
	if (r < 0) {
		unlink(copy);
		str_printf(reterr_message, "%s: cannot be replaced: %s", path, error_text(r));
	}
	return r;
}
