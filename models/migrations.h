/* The files of migrations/, made into C by migrations/embed.cmake. */
#ifndef MODELS_MIGRATIONS_H
#define MODELS_MIGRATIONS_H

#include <stddef.h>

struct migration {
	int number;
	const char *name; /* the file's name without ".sql" */
	const char *sql;
};

/* Lowest number first; numbers are 1, 2, 3 ... without a gap. */
extern const struct migration migrations[];
extern const size_t migration_count;

#endif
