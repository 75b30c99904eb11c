/* Cool-downs (cooldown.h): the last use by person and command, in a hash table that forgets what is over and is
 * bounded. */
#include "cooldown.h"

#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

/* So many people would have to use slow commands within one cool-down. The oldest are forgiven. */
#define ENTRIES_MAX 4096

struct use {
	const struct command *command;
	snowflake user;
};

struct entry {
	struct use use;
	usec free_at;
	UT_hash_handle hh;
};

struct cooldowns {
	struct entry *entries; /* in the order of their first use */
};

struct cooldowns *cooldowns_create(void)
{
	return xcalloc(1, sizeof(struct cooldowns));
}

static void forget(struct cooldowns *cooldowns, struct entry *entry)
{
	HASH_DEL(cooldowns->entries, entry);
	free(entry);
}

void cooldowns_destroy(struct cooldowns *cooldowns)
{
	if (!cooldowns)
		return;
	while (cooldowns->entries)
		forget(cooldowns, cooldowns->entries);
	free(cooldowns);
}

static void make_room(struct cooldowns *cooldowns, usec now)
{
	struct entry *entry, *next;

	if (HASH_COUNT(cooldowns->entries) < ENTRIES_MAX)
		return;
	for (entry = cooldowns->entries; entry; entry = next) {
		next = entry->hh.next;
		if (entry->free_at <= now)
			forget(cooldowns, entry);
	}
	if (HASH_COUNT(cooldowns->entries) >= ENTRIES_MAX)
		forget(cooldowns, cooldowns->entries);
}

usec cooldown_take(struct cooldowns *cooldowns, const struct command *command, snowflake user, usec now)
{
	struct entry *entry = NULL;
	struct use use;

	if (command->cooldown <= 0)
		return 0;
	memset(&use, 0, sizeof(use));
	use.command = command;
	use.user = user;
	HASH_FIND(hh, cooldowns->entries, &use, sizeof(use), entry);
	if (entry && entry->free_at > now)
		return entry->free_at - now;
	if (!entry) {
		make_room(cooldowns, now);
		entry = xcalloc(1, sizeof(*entry));
		entry->use = use;
		HASH_ADD(hh, cooldowns->entries, use, sizeof(entry->use), entry);
	}
	entry->free_at = now + command->cooldown;
	return 0;
}
