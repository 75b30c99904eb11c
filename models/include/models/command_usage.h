/* Which commands are used: a row per invocation. */
#ifndef MODELS_COMMAND_USAGE_H
#define MODELS_COMMAND_USAGE_H

#include "base/arena.h"
#include "models/db.h"

struct command_usage {
	usec used_at;
	const char *channel_name;
	const char *command;
	const char *invoked_as; /* the alias that was typed */
	const char *subcommand; /* NULL: none */
};

int command_usage_add(struct db *db, const struct command_usage *usage) warn_unused;

enum command_usage_group { COMMAND_USAGE_BY_COMMAND, COMMAND_USAGE_BY_CHANNEL };

struct command_usage_count {
	const char *name;
	int64_t uses;
};

/* Uses from `from` until before `until`, most used first, ties by name; at most `limit` rows. Copied into `arena`. */
int command_usage_count(struct db *db, enum command_usage_group group, usec from, usec until, int64_t limit,
	struct arena *arena, struct command_usage_count **ret_counts, size_t *ret_count) warn_unused;

#endif
