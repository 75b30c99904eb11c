/* The commands of the features that are switched on, by name and alias. */
#ifndef BOT_COMMANDS_H
#define BOT_COMMANDS_H

#include "cmd.h"

struct commands;
struct feature;

struct command_entry {
	const struct command *command;
	const struct feature *feature;
};

/* `features` ends with NULL. A name that is taken already is reported in the log and left out. */
struct commands *commands_create(const struct feature *const *features);
void commands_destroy(struct commands *commands);
/* By name, for text also by alias; ASCII letters without regard to case. NULL: there is none of this kind. */
const struct command_entry *commands_find(const struct commands *commands, enum command_kind kind, const char *name);
/* In the order of the features' tables; NULL behind the last. */
const struct command_entry *commands_at(const struct commands *commands, size_t index);

#endif
