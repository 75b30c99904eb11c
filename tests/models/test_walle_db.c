/* The program walle-db: its subcommands, messages and exit statuses. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "models/member_xp.h"
#include "old_system.h"

/* Runs "walle-db ARGUMENTS" on the fixture's database; both outputs go to `out`. Returns the exit status. */
static int run(struct fixture *f, const char *arguments, struct str *out)
{
	char *command cleanup(freep) =
		xasprintf("cd '%s' && env -u WALLE_CONFIG database_config__PATH=walle.sqlite3 '%s' %s 2>&1",
			f->directory, WALLE_DB, arguments);
	FILE *pipe = popen(command, "r");
	char buffer[4096];
	size_t len;
	int status;

	assert_non_null(pipe);
	str_clear(out);
	while ((len = fread(buffer, 1, sizeof(buffer), pipe)) > 0)
		str_add(out, buffer, len);
	status = pclose(pipe);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(struct fixture *f, const char *arguments, int status, const char *words)
{
	struct str out cleanup(str_finish) = STR_INIT;
	int got = run(f, arguments, &out);

	if (got != status || !strstr(out.buf, words))
		fail_msg("walle-db %s: status %d, output:\n%s", arguments, got, out.buf);
}

static ino_t inode_of(const char *path)
{
	struct stat status;

	assert_ok(stat(path, &status));
	return status.st_ino;
}

static void test_from_the_old_system_to_a_restored_backup(void **state)
{
	struct fixture *f = *state;
	char *old cleanup(freep) = in_directory(f, "old.sqlite3");
	struct str before cleanup(str_finish) = STR_INIT;
	struct str after cleanup(str_finish) = STR_INIT;

	old_system_create(old);
	old_system_seed(old, 137);
	expect(f, "migrate", EXIT_CLEAN, "up to date");
	expect(f, "import old.sqlite3", EXIT_CLEAN, "userpoint                       137        137          0");
	expect(f, "import old.sqlite3", EXIT_UNEXPECTED, "--merge");
	expect(f, "import --merge old.sqlite3", EXIT_CLEAN,
		"userpoint                       137          0        137");
	expect(f, "check", EXIT_CLEAN, "no problem found");
	expect(f, "check", EXIT_CLEAN, "member_xp                       137");
	assert_int_equal(run(f, "export", &before), EXIT_CLEAN);
	expect(f, "backup saved", EXIT_CLEAN, "checked copy");
	run_sql(f->path, "DELETE FROM member_xp");
	expect(f, "restore saved", EXIT_CLEAN, "what was there before");
	assert_int_equal(run(f, "export", &after), EXIT_CLEAN);
	assert_string_equal(before.buf, after.buf);
}

static void test_one_clear_line_and_the_right_status(void **state)
{
	struct fixture *f = *state;

	expect(f, "", EXIT_USAGE, "a command is missing");
	expect(f, "destroy", EXIT_USAGE, "no such command: destroy");
	expect(f, "import", EXIT_USAGE, "one FILE");
	expect(f, "backup a b", EXIT_USAGE, "one FILE");
	expect(f, "backup --merge", EXIT_USAGE, "one FILE");
	expect(f, "check x", EXIT_USAGE, "no arguments");
	expect(f, "--help", EXIT_CLEAN, "restore FILE");
	expect(f, "check", EXIT_DATABASE, "walle-db migrate");
	expect(f, "export", EXIT_DATABASE, "walle-db migrate");
	expect(f, "backup saved", EXIT_DATABASE, "walle-db migrate");
	expect(f, "restore saved", EXIT_UNEXPECTED, "saved: there is no such backup");
	expect(f, "import missing", EXIT_UNEXPECTED, "missing: No such file");
	expect(f, "backup no/such/directory", EXIT_UNEXPECTED, "no/such/directory: cannot be written: No such file");
	run_sql(f->path, "PRAGMA user_version = 9999");
	expect(f, "check", EXIT_DATABASE, "update the program");
	expect(f, "migrate", EXIT_DATABASE, "update the program");
	write_file(f->path, "no database at all", 18);
	expect(f, "check", EXIT_DATABASE, "restore a backup");
}

static void test_restore_waits_for_nobody(void **state)
{
	struct fixture *f = *state;

	expect(f, "backup saved", EXIT_CLEAN, "checked copy");
	expect(f, "restore saved", EXIT_UNEXPECTED, "stop the services");
}

/* A file that got the database's name would leave the services writing to one without a name. */
static void test_a_backup_never_takes_the_databases_place(void **state)
{
	struct fixture *f = *state;
	char *link cleanup(freep) = in_directory(f, "link");
	ino_t inode = inode_of(f->path);

	assert_ok(symlink("walle.sqlite3", link));
	expect(f, "backup walle.sqlite3", EXIT_UNEXPECTED, "walle.sqlite3: is the database itself");
	expect(f, "backup link", EXIT_UNEXPECTED, "link: is the database itself");
	expect(f, "restore walle.sqlite3", EXIT_UNEXPECTED, "walle.sqlite3: is the database itself");
	assert_true(inode_of(f->path) == inode);
}

static void test_only_files_are_backups(void **state)
{
	struct fixture *f = *state;
	char *pipe cleanup(freep) = in_directory(f, "pipe");
	char *folder cleanup(freep) = in_directory(f, "folder");

	assert_ok(mkfifo(pipe, 0600));
	assert_ok(mkdir(folder, 0700));
	expect(f, "backup pipe", EXIT_UNEXPECTED, "pipe: is not a regular file");
	expect(f, "backup folder", EXIT_UNEXPECTED, "folder: is not a regular file");
	expect(f, "restore pipe", EXIT_UNEXPECTED, "pipe: is not a regular file");
	expect(f, "restore folder", EXIT_UNEXPECTED, "folder: is not a regular file");
}

/* An operator restores as root what services open as somebody else. */
static void test_a_restored_database_keeps_its_owner(void **state)
{
	struct fixture *f = *state;
	struct stat status;

	if (geteuid() != 0)
		skip();
	expect(f, "migrate", EXIT_CLEAN, "up to date");
	expect(f, "backup saved", EXIT_CLEAN, "checked copy");
	assert_ok(chown(f->path, 12345, 12346));
	assert_ok(chmod(f->path, 0640));
	expect(f, "restore saved", EXIT_CLEAN, "restored");
	assert_ok(stat(f->path, &status));
	assert_int_equal(status.st_uid, 12345);
	assert_int_equal(status.st_gid, 12346);
	assert_int_equal(status.st_mode & 0777, 0640);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_from_the_old_system_to_a_restored_backup, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_one_clear_line_and_the_right_status, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_restore_waits_for_nobody, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_backup_never_takes_the_databases_place, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_only_files_are_backups, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_restored_database_keeps_its_owner, fixture_setup_without_db, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
