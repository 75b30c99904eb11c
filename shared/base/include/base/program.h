/* What every program does first: --config FILE, --check-config, --version, --help, the settings and the log. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/settings.h"

struct program {
	const char *name;    /* "walle-bot" */
	const char *service; /* "bot": as the log calls it */
	const char *summary; /* one sentence for --help */
	const char *usage;   /* what follows the options, or NULL when no arguments are taken */
	bool needs_token;    /* a missing [basic_config] TOKEN is an error */
};

/* Parses the command line, loads the settings and opens the log. Returns -1 to go on, otherwise the exit status to leave with
 * (after --help, --version, --check-config or an error, which it has printed as one line; nothing is left to finish). `ret_first` is the index of the first
 * argument that is no option. Also sets what each program wants: SIGPIPE ignored, no core dumps, umask 077. */
int program_start(const struct program *program, int argc, char **argv, struct settings *settings, int *ret_first);
void program_finish(struct settings *settings);

#endif
