/* What every program does first: --config FILE, --check-config, --healthcheck, --version, --help, the settings and the
 * log. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/settings.h"

struct program {
	const char *name;    /* "walle-bot" */
	const char *service; /* "bot": as the log calls it */
	const char *summary; /* one sentence for --help */
	const char *usage;   /* what follows the options, or NULL when no arguments are taken */
	bool needs_token;    /* a missing [basic_config] TOKEN is an error */
	/* Where the running service answers GET /healthz: the address it binds to and the port. NULL: it has no such
	 * thing, nor --healthcheck. */
	int64_t (*health_address)(const struct settings *settings, const char **ret_bind);
};

/* Parses the command line, loads the settings and opens the log. Returns -1 to go on, otherwise the exit status to
 * leave with (after --help, --version, --check-config, --healthcheck or an error, which it has printed as one line;
 * nothing is left to finish). `ret_first` is the index of the first argument that is no option. Also sets what each
 * program wants: SIGPIPE and SIGXFSZ ignored, no core dumps, umask 077. */
int program_start(const struct program *program, int argc, char **argv, struct settings *settings, int *ret_first);
void program_finish(struct settings *settings);

#endif
