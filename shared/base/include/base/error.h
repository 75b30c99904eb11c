/* Errors are negative errno values everywhere; libuv and libc agree on them. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Exit statuses of all programs (part of the outside interface). */
enum exit_status {
	EXIT_CLEAN = 0,
	EXIT_UNEXPECTED = 1,
	EXIT_USAGE = 2,    /* command line or configuration */
	EXIT_REFUSED = 3,  /* Discord refuses for good: wrong token, intents not allowed; a restart cannot help */
	EXIT_DATABASE = 4, /* the database cannot be used: newer version, corrupt, not a database, not accessible */
};

/* The text of a negative errno (a positive one is accepted too). The string is static or per thread. */
const char *error_text(int error);

#endif
