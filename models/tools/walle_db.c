/* walle-db: what operators do with the database. A new subcommand is a function and a row in `commands`. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/program.h"
#include "models/db.h"
#include "models/export.h"
#include "models/import.h"

struct job {
	const char *path; /* of the database */
	const char *file; /* the argument, where the command takes one */
	bool merge;
};

/* Prints one line; returns the exit status. */
static int failed(const char *line, enum exit_status status)
{
	fprintf(stderr, "walle-db: %s\n", line);
	return status;
}

static int failed_on(const char *path, int r, const struct db *db)
{
	struct str line cleanup(str_finish) = STR_INIT;

	str_printf(&line, "%s: %s", path, r == -EIO || r == -EBADMSG ? db_error(db) : error_text(r));
	return failed(line.buf, EXIT_UNEXPECTED);
}

/* NULL after having printed why; the exit status is then in `ret_status`. */
static struct db *open_database(const struct job *job, enum db_mode mode, int *ret_status)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *db = NULL;
	int r;

	r = db_open(job->path, mode, &db, &message);
	if (r < 0)
		*ret_status = failed(message.buf, EXIT_DATABASE);
	return r < 0 ? NULL : db;
}

static int run_migrate(const struct job *job)
{
	int status = EXIT_DATABASE;
	struct db *db = open_database(job, DB_WRITE, &status);

	if (!db)
		return status;
	printf("%s: the schema is up to date\n", job->path);
	db_close(db);
	return EXIT_CLEAN;
}

static int print_count(void *arg, const char *table, int64_t rows)
{
	(void)arg;
	printf("%-24s %10" PRId64 "\n", table, rows);
	return 0;
}

static int run_check(const struct job *job)
{
	struct str report cleanup(str_finish) = STR_INIT;
	int status = EXIT_DATABASE;
	struct db *db = open_database(job, DB_READ_ONLY, &status);
	int r;

	if (!db)
		return status;
	r = db_check(db, false, &report);
	if (r >= 0)
		r = export_counts(db, print_count, NULL);
	if (report.len > 0)
		fputs(report.buf, stderr);
	if (r == -EBADMSG)
		status =
			failed("damaged; stop the services, keep the file and restore a backup with 'walle-db restore'",
				EXIT_DATABASE);
	else if (r < 0)
		status = failed_on(job->path, r, db);
	else
		status = EXIT_CLEAN;
	if (r >= 0)
		printf("%s: no problem found\n", job->path);
	db_close(db);
	return status;
}

static int run_backup(const struct job *job)
{
	struct str message cleanup(str_finish) = STR_INIT;
	int status = EXIT_DATABASE;
	struct db *db = open_database(job, DB_READ_ONLY, &status);
	int r;

	if (!db)
		return status;
	r = db_backup(db, job->file, &message);
	db_close(db);
	if (r < 0)
		return failed(message.buf, EXIT_UNEXPECTED);
	printf("%s: checked copy of %s\n", job->file, job->path);
	return EXIT_CLEAN;
}

static int run_restore(const struct job *job)
{
	struct str kept cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	int r;

	r = db_restore(job->path, job->file, &kept, &message);
	if (r < 0)
		return failed(message.buf, EXIT_UNEXPECTED);
	printf("%s: restored from %s\n", job->path, job->file);
	if (kept.len > 0)
		printf("%s: what was there before\n", kept.buf);
	return EXIT_CLEAN;
}

static int run_import(const struct job *job)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct str message cleanup(str_finish) = STR_INIT;
	struct import_options options = { .merge = job->merge };
	int status = EXIT_DATABASE;
	struct db *db = open_database(job, DB_WRITE, &status);
	int r;

	if (!db)
		return status;
	r = import_file(db, job->file, &options, &report, &message);
	db_close(db);
	if (r < 0)
		return failed(message.buf, EXIT_UNEXPECTED);
	fputs(report.buf, stdout);
	return EXIT_CLEAN;
}

static int print_line(void *arg, const char *line, size_t len)
{
	return fwrite(line, 1, len, arg) == len ? 0 : -EIO;
}

static int run_export(const struct job *job)
{
	int status = EXIT_CLEAN;
	struct db *db = open_database(job, DB_READ_ONLY, &status);
	int r;

	if (!db)
		return status;
	r = export_rows(db, print_line, stdout);
	if (r >= 0 && fflush(stdout) != 0)
		r = -EIO;
	if (r < 0)
		status = ferror(stdout) ? failed("cannot write to the standard output", EXIT_UNEXPECTED)
					: failed_on(job->path, r, db);
	db_close(db);
	return status;
}

static const struct command {
	const char *name;
	int (*run)(const struct job *job);
	bool takes_file, takes_merge;
} commands[] = {
	{ "migrate", run_migrate, false, false },
	{ "check", run_check, false, false },
	{ "backup", run_backup, true, false },
	{ "restore", run_restore, true, false },
	{ "import", run_import, true, true },
	{ "export", run_export, false, false },
};

static const struct program program = {
	.name = "walle-db",
	.service = "db",
	.summary = "Looks after Wall-E's database.",
	.usage = "COMMAND\n"
		 "  migrate         create the database or bring its schema up to date\n"
		 "  check           integrity and number of rows\n"
		 "  backup FILE     a checked copy; services may run\n"
		 "  restore FILE    put a backup in the database's place; services must be stopped. What was\n"
		 "                  there is kept beside it\n"
		 "  import FILE [--merge]\n"
		 "                  the old system's data: its SQLite database, or the JSON of\n"
		 "                  'manage.py dumpdata wall_e_models'. The database must be empty; with --merge what\n"
		 "                  exists stays and only what is missing is added\n"
		 "  export          all rows as JSON lines to the standard output",
};

/* "import FILE --merge": the words after the options. Returns the command, or NULL after having said what is wrong. */
static const struct command *parse(int argc, char **argv, struct job *job)
{
	const struct command *command = NULL;
	int words = 0;

	for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(commands); i++) {
		if (streq(commands[i].name, argv[0]))
			command = &commands[i];
	}
	if (!command) {
		fprintf(stderr, "walle-db: %s%s; see 'walle-db --help'\n",
			argc > 0 ? "no such command: " : "a command is missing", argc > 0 ? argv[0] : "");
		return NULL;
	}
	for (int i = 1; i < argc; i++) {
		if (command->takes_merge && streq(argv[i], "--merge")) {
			job->merge = true;
		} else {
			job->file = argv[i];
			words++;
		}
	}
	if (words != (command->takes_file ? 1 : 0) || (job->file && job->file[0] == '-')) {
		fprintf(stderr, "walle-db: %s takes %s; see 'walle-db --help'\n", command->name,
			command->takes_file ? "one FILE" : "no arguments");
		return NULL;
	}
	return command;
}

int main(int argc, char **argv)
{
	struct settings settings = { 0 };
	const struct command *command;
	struct job job = { 0 };
	int first = 0, status;

	status = program_start(&program, argc, argv, &settings, &first);
	if (status >= 0)
		return status;
	job.path = settings.database_path;
	command = parse(argc - first, argv + first, &job);
	status = command ? command->run(&job) : EXIT_USAGE;
	program_finish(&settings);
	return status;
}
