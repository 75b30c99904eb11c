/* What the harness's own files share. */
#ifndef HARNESS_PRIVATE_H
#define HARNESS_PRIVATE_H

#include "harness.h"
#include "net/http.h"

#define HARNESS_POLL      (10 * MILLISECOND)
#define HARNESS_PROCESSES 64
#define HARNESS_VARIABLES 64

struct variable {
	char *name, *value;
};

struct harness_private {
	struct http *http;
	struct db *db;
	struct variable variables[HARNESS_VARIABLES];
	size_t variable_count;
	struct process *processes[HARNESS_PROCESSES];
	size_t process_count;
	const struct harness_test *test;
	bool passed;
};

/* NULL: not set */
const char *harness_variable(struct harness *h, const char *name);

/* harness_process.c: the variable that says where the program listens. */
const char *process_port_variable(enum harness_program program);
/* Kills what still runs. NULL, or a sentence about what must never be in a log. */
const char *process_end(struct process *process);
void process_print(const struct process *process);
void process_free(struct process *process);

#endif
