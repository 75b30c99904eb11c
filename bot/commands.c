/* Finding commands (commands.h): the rows of the tables, and a hash table of their names and aliases. */
#include "commands.h"

#include "base/hash.h"
#include <stdlib.h>

#include "base/log.h"
#include "feature.h"

#define NAME_MAX_BYTES 32

struct name_entry {
	char name[NAME_MAX_BYTES + 1];
	size_t index;
	UT_hash_handle hh;
};

struct commands {
	struct command_entry *entries;
	size_t count;
	struct name_entry *names;
};

/* Lower case; false when it is too long to be a command's name. */
static bool fold(char folded[static NAME_MAX_BYTES + 1], const char *name)
{
	size_t len = strlen(name);

	if (len > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i <= len; i++)
		folded[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
	return true;
}

static void add_name(struct commands *commands, const char *name, size_t index)
{
	struct name_entry *entry = xcalloc(1, sizeof(*entry)), *old = NULL;

	if (fold(entry->name, name))
		HASH_FIND_STR(commands->names, entry->name, old);
	if (!*entry->name || old) {
		log_error(
			"two commands have one name, or it is too long: the second is left out", LOG_STR("name", name));
		free(entry);
		return;
	}
	entry->index = index;
	HASH_ADD_STR(commands->names, name, entry);
}

struct commands *commands_create(const struct feature *const *list)
{
	struct commands *commands = xcalloc(1, sizeof(*commands));

	for (size_t f = 0; list[f]; f++) {
		for (const struct command *command = list[f]->commands; command && command->name; command++) {
			commands->entries =
				xrealloc(commands->entries, (commands->count + 1) * sizeof(*commands->entries));
			commands->entries[commands->count] = (struct command_entry){ command, list[f] };
			add_name(commands, command->name, commands->count);
			for (size_t a = 0; command->aliases && command->aliases[a]; a++)
				add_name(commands, command->aliases[a], commands->count);
			commands->count++;
		}
	}
	return commands;
}

void commands_destroy(struct commands *commands)
{
	struct name_entry *entry;

	if (!commands)
		return;
	while ((entry = commands->names)) {
		HASH_DEL(commands->names, entry);
		free(entry);
	}
	free(commands->entries);
	free(commands);
}

const struct command_entry *commands_find(const struct commands *commands, enum command_kind kind, const char *name)
{
	char folded[NAME_MAX_BYTES + 1];
	struct name_entry *entry = NULL;

	if (!fold(folded, name))
		return NULL;
	HASH_FIND_STR(commands->names, folded, entry);
	if (!entry || !(commands->entries[entry->index].command->kinds & kind))
		return NULL;
	return &commands->entries[entry->index];
}

const struct command_entry *commands_at(const struct commands *commands, size_t index)
{
	return index < commands->count ? &commands->entries[index] : NULL;
}
