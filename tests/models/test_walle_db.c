/* The program walle-db: its subcommands, messages and exit statuses. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	expect(f, "restore saved", EXIT_UNEXPECTED, "saved");
	expect(f, "import missing", EXIT_UNEXPECTED, "missing: No such file");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_from_the_old_system_to_a_restored_backup, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_one_clear_line_and_the_right_status, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_restore_waits_for_nobody, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
