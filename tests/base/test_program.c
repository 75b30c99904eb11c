/* base/program.h: each case in a child process, whose output and status are checked. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/log.h"
#include "base/program.h"

/* What the child leaves with when program_start() told it to go on. */
#define WENT_ON 77

static const struct program bot = { .name = "walle-bot", .service = "bot", .summary = "The bot.", .needs_token = true };
static int64_t nowhere(const struct settings *settings, const char **ret_bind)
{
	(void)settings;
	*ret_bind = "example.invalid";
	return 1;
}

static const struct program checkable = {
	.name = "walle-bot", .service = "bot", .summary = "The bot.", .needs_token = true, .health_address = nowhere
};
static const struct program tool = { .name = "walle-db", .service = "db", .summary = "The tool.", .usage = "COMMAND" };

static struct str out = STR_INIT, err = STR_INIT;

static int tear_down(void **state)
{
	(void)state;
	str_finish(&out);
	str_finish(&err);
	return 0;
}

static int run_child(const struct program *program, char **argv, void (*inside)(void))
{
	struct settings settings;
	int argc = 0, first = -1, status;

	while (argv[argc])
		argc++;
	status = program_start(program, argc, argv, &settings, &first);
	if (status < 0) {
		/* What follows the options. */
		for (int i = first; i < argc; i++)
			printf("[%s]", argv[i]);
		if (inside)
			inside();
		log_info("started");
		program_finish(&settings);
		status = WENT_ON;
	}
	fflush(stdout);
	return status;
}

/* The exit status; `out` and `err` hold what was written. */
static int run(const struct program *program, const char *const *argv, void (*inside)(void))
{
	char *directory = test_make_directory();
	char *out_path = xasprintf("%s/out", directory), *err_path = xasprintf("%s/err", directory);
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int out_fd = open(out_path, O_WRONLY | O_CREAT, 0600),
		    err_fd = open(err_path, O_WRONLY | O_CREAT, 0600);

		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		_exit(run_child(program, (char **)argv, inside));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	test_read_file(out_path, &out);
	test_read_file(err_path, &err);
	free(out_path);
	free(err_path);
	test_remove_directory(directory);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

#define RUN(program, ...) run(program, (const char *const[]){ (program)->name, ##__VA_ARGS__, NULL }, NULL)

static void explains_itself(void **state)
{
	(void)state;
	assert_int_equal(RUN(&bot, "--help"), EXIT_CLEAN);
	assert_non_null(strstr(out.buf, "Usage: walle-bot [OPTIONS]\nThe bot.\n"));
	assert_non_null(strstr(out.buf, "--check-config"));
	assert_int_equal(err.len, 0);
	assert_int_equal(RUN(&tool, "--help"), EXIT_CLEAN);
	assert_non_null(strstr(out.buf, "Usage: walle-db [OPTIONS] COMMAND\n"));
	assert_int_equal(RUN(&bot, "--version"), EXIT_CLEAN);
	assert_string_equal(out.buf, "walle-bot " WALLE_VERSION "\n");
}

static void refuses_usage(void **state)
{
	(void)state;
	assert_int_equal(RUN(&bot, "--frobnicate"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: unknown option '--frobnicate' (see walle-bot --help)\n");
	assert_int_equal(RUN(&bot, "-x"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: unknown option '-x' (see walle-bot --help)\n");
	assert_int_equal(RUN(&bot, "--config"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: option '--config' needs a value (see walle-bot --help)\n");
	assert_int_equal(RUN(&bot, "--help=x"), EXIT_USAGE);
	assert_int_equal(RUN(&bot, "argument"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: unexpected argument 'argument' (see walle-bot --help)\n");
	assert_int_equal(RUN(&bot, "--config", "/nonexistent.ini"), EXIT_USAGE);
	assert_string_equal(
		err.buf, "walle-bot: /nonexistent.ini: cannot read the configuration: No such file or directory\n");
	assert_int_equal(out.len, 0);
}

static void wants_a_token(void **state)
{
	(void)state;
	unsetenv("basic_config__TOKEN");
	assert_int_equal(RUN(&bot, "--check-config"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: the bot's token is missing: set basic_config__TOKEN, or "
				     "basic_config__TOKEN_FILE to the path of a file that holds it\n");
	assert_int_equal(RUN(&tool, "--check-config"), EXIT_CLEAN);
	assert_string_equal(out.buf, "configuration ok\n");
	setenv("basic_config__TOKEN", "token-of-the-test", 1);
	assert_int_equal(RUN(&bot, "--check-config"), EXIT_CLEAN);
	assert_string_equal(out.buf, "configuration ok\n");
	setenv("log__LEVEL", "loud", 1);
	assert_int_equal(RUN(&bot), EXIT_USAGE);
	assert_string_equal(
		err.buf, "walle-bot: environment variable log__LEVEL must be one of: debug, info, warn, error\n");
	unsetenv("log__LEVEL");
	setenv("log__DIR", "/dev/null", 1);
	assert_int_equal(RUN(&bot), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: [log] DIR: cannot write to '/dev/null': Not a directory\n");
	unsetenv("log__DIR");
	unsetenv("basic_config__TOKEN");
}

static void asks_the_running_service(void **state)
{
	(void)state;
	assert_int_equal(RUN(&bot, "--healthcheck"), EXIT_USAGE);
	assert_string_equal(err.buf, "walle-bot: unknown option '--healthcheck' (see walle-bot --help)\n");
	assert_int_equal(RUN(&checkable, "--help"), EXIT_CLEAN);
	assert_non_null(strstr(out.buf, "--healthcheck"));
	/* It needs no token: the service that runs has one. */
	assert_int_equal(RUN(&checkable, "--healthcheck"), EXIT_UNEXPECTED);
	assert_non_null(strstr(err.buf, "walle-bot: no answer from example.invalid port 1: "));
	assert_int_equal(out.len, 0);
}

static void passes_arguments_on(void **state)
{
	(void)state;
	assert_int_equal(RUN(&tool, "import", "--merge", "file"), WENT_ON);
	assert_string_equal(out.buf, "[import][--merge][file]");
	assert_non_null(strstr(err.buf, "level=info service=db msg=\"started\"\n"));
	assert_int_equal(RUN(&tool, "--", "--odd"), WENT_ON);
	assert_string_equal(out.buf, "[--odd]");
	assert_int_equal(RUN(&tool), WENT_ON);
	assert_string_equal(out.buf, "");
}

static void print_protections(void)
{
	struct rlimit core = { 1, 1 };
	struct sigaction action;
	mode_t mask = umask(0);

	getrlimit(RLIMIT_CORE, &core);
	sigaction(SIGPIPE, NULL, &action);
	printf("mask %03o pipe %d token %s core %llu\n", (unsigned int)mask, action.sa_handler == SIG_IGN,
		getenv("basic_config__TOKEN") ? "shown" : "hidden", (unsigned long long)core.rlim_cur);
}

static void protects_the_process(void **state)
{
	const char *const argv[] = { "walle-bot", NULL };

	(void)state;
	setenv("basic_config__TOKEN", "token-of-the-test", 1);
	assert_int_equal(run(&bot, argv, print_protections), WENT_ON);
	assert_non_null(strstr(out.buf, "mask 077 pipe 1 token hidden"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
	assert_non_null(strstr(out.buf, "core 0\n"));
#endif
	unsetenv("basic_config__TOKEN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(explains_itself, tear_down),
		cmocka_unit_test_teardown(refuses_usage, tear_down),
		cmocka_unit_test_teardown(wants_a_token, tear_down),
		cmocka_unit_test_teardown(asks_the_running_service, tear_down),
		cmocka_unit_test_teardown(passes_arguments_on, tear_down),
		cmocka_unit_test_teardown(protects_the_process, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
