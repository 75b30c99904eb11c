/* The start that all programs share: command line, process-wide protections, settings, log. */
#include "base/program.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/healthcheck.h"
#include "base/log.h"
#include "base/util.h"

#ifdef __has_feature
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) || \
	HAS_FEATURE(thread_sanitizer) || HAS_FEATURE(memory_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum option_id { OPTION_CONFIG = 1, OPTION_CHECK_CONFIG, OPTION_HEALTHCHECK, OPTION_VERSION, OPTION_HELP };

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK_CONFIG },
	{ "healthcheck", no_argument, NULL, OPTION_HEALTHCHECK },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static void print_help(const struct program *program)
{
	printf("Usage: %s [OPTIONS]%s%s\n"
	       "%s\n"
	       "\n"
	       "  --config FILE   read this configuration (else the file that WALLE_CONFIG names, else built-in defaults)\n"
	       "  --check-config  check the configuration and leave\n"
	       "%s"
	       "  --version       print the version and leave\n"
	       "  --help          print this and leave\n"
	       "\n"
	       "Each key of the configuration can be set by the environment variable section__KEY, a secret also by\n"
	       "section__KEY_FILE, which names a file.\n",
		program->name, program->usage ? " " : "", program->usage ? program->usage : "", program->summary,
		program->health_address
			? "  --healthcheck   ask the running service whether it is healthy: status 0 or 1\n"
			: "");
}

static void protect_process(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* A write beyond a limit of file sizes is to fail as on a full disk, which is survived. */
	signal(SIGXFSZ, SIG_IGN);
	umask(077);
	/* A core dump would hold the token, and so would what another process of this user can read of our memory.
	 * The leak checker of the sanitizers needs to look into the process itself. */
	if (!SANITIZED) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
}

static int complain(const struct program *program, const char *message)
{
	fprintf(stderr, "%s: %s\n", program->name, message);
	return EXIT_USAGE;
}

static int unknown_option(const struct program *program, char **argv)
{
	fprintf(stderr, "%s: unknown option '%s' (see %s --help)\n", program->name, argv[optind - 1], program->name);
	return EXIT_USAGE;
}

/* What the command line asks for. */
struct request {
	const char *file;
	bool check_config, healthcheck;
};

/* -1 to go on, else an exit status. */
static int parse_options(const struct program *program, int argc, char **argv, struct request *request)
{
	int id;

	opterr = 0;
	optind = 1;
	/* '+': options end at the first argument, what follows belongs to the program. */
	while ((id = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		switch (id) {
		case OPTION_CONFIG: request->file = optarg; break;
		case OPTION_CHECK_CONFIG: request->check_config = true; break;
		case OPTION_HEALTHCHECK:
			if (program->health_address) {
				request->healthcheck = true;
				break;
			}
			return unknown_option(program, argv);
		case OPTION_VERSION: printf("%s %s\n", program->name, WALLE_VERSION); return EXIT_CLEAN;
		case OPTION_HELP: print_help(program); return EXIT_CLEAN;
		case ':':
			fprintf(stderr, "%s: option '%s' needs a value (see %s --help)\n", program->name,
				argv[optind - 1], program->name);
			return EXIT_USAGE;
		default: return unknown_option(program, argv);
		}
	}
	if (!program->usage && optind < argc) {
		fprintf(stderr, "%s: unexpected argument '%s' (see %s --help)\n", program->name, argv[optind],
			program->name);
		return EXIT_USAGE;
	}
	return -1;
}

static int open_log(const struct program *program, const struct settings *settings)
{
	int r = log_init(&(struct log_options){
		.service = program->service,
		.level = (enum log_level)settings->log_level,
		.json = settings->log_format == 1,
		.directory = settings->log_directory,
	});

	if (r < 0) {
		fprintf(stderr, "%s: [log] DIR: cannot write to '%s': %s\n", program->name, settings->log_directory,
			error_text(r));
		return EXIT_USAGE;
	}
	return -1;
}

static int check_health(const struct program *program, const struct settings *settings)
{
	struct str message cleanup(str_finish) = STR_INIT;
	const char *bind;
	int port = (int)program->health_address(settings, &bind);

	if (healthcheck_ask(bind, port, &message) == 0)
		return EXIT_CLEAN;
	fprintf(stderr, "%s: %s\n", program->name, message.buf);
	return EXIT_UNEXPECTED;
}

int program_start(const struct program *program, int argc, char **argv, struct settings *settings, int *ret_first)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct request request = { 0 };
	int status;

	*settings = (struct settings){ 0 };
	protect_process();
	status = parse_options(program, argc, argv, &request);
	if (status >= 0)
		return status;

	if (settings_load(settings, request.file, &message) < 0)
		status = complain(program, message.buf);
	else if (request.healthcheck)
		status = check_health(program, settings);
	else if (program->needs_token && !*settings->token)
		status = complain(program,
			"the bot's token is missing: set basic_config__TOKEN, or basic_config__TOKEN_FILE to "
			"the path of a file that holds it");
	else
		status = open_log(program, settings);
	if (status < 0 && request.check_config) {
		puts("configuration ok");
		status = EXIT_CLEAN;
	}
	if (status >= 0) {
		program_finish(settings);
		return status;
	}
	*ret_first = optind;
	return -1;
}

void program_finish(struct settings *settings)
{
	settings_finish(settings);
	log_finish();
}
