/* The guild cache (cache.h). Every entry is one block of memory with its strings and arrays behind it, in a hash
 * table by id; an update replaces the block. Applying an event twice, or one that is older than a snapshot and will
 * be followed by the newer one, ends in the same state, so replays need no special care.
 *
 * A new event is a row of `handlers`.
 */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/util.h"
#include "cache_internal.h"

/* ---- one block per entry ---- */

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static const char *pack(char **end, const char *text)
{
	const char *start = *end;
	size_t size = size_of(text);

	if (!text)
		return NULL;
	memcpy(*end, text, size);
	*end += size;
	return start;
}

static struct member_entry *member_entry_create(const struct cached_member *member)
{
	size_t roles = member->role_count * sizeof(snowflake);
	struct member_entry *entry =
		xmalloc(sizeof(*entry) + roles + size_of(member->username) + size_of(member->global_name) +
			size_of(member->nick) + size_of(member->avatar) + size_of(member->guild_avatar));
	char *end = (char *)(entry + 1);

	entry->m = *member;
	if (roles)
		memcpy(end, member->roles, roles);
	entry->m.roles = (const snowflake *)(void *)end;
	end += roles;
	entry->m.username = pack(&end, member->username);
	entry->m.global_name = pack(&end, member->global_name);
	entry->m.nick = pack(&end, member->nick);
	entry->m.avatar = pack(&end, member->avatar);
	entry->m.guild_avatar = pack(&end, member->guild_avatar);
	return entry;
}

static void put_member(struct cache *cache, const struct cached_member *member)
{
	struct member_entry *entry = member_entry_create(member), *old = NULL;

	HASH_REPLACE(hh, cache->members, m.id, sizeof(snowflake), entry, old);
	free(old);
}

static void remove_member(struct cache *cache, struct member_entry *entry)
{
	HASH_DEL(cache->members, entry);
	free(entry);
}

static struct member_entry *find_member(const struct cache *cache, snowflake id)
{
	struct member_entry *entry = NULL;

	HASH_FIND(hh, cache->members, &id, sizeof(id), entry);
	return entry;
}

static void put_role(struct cache *cache, const struct role *role)
{
	const char *name = role->name ? role->name : "";
	struct role_entry *entry = xmalloc(sizeof(*entry) + size_of(name)), *old = NULL;
	char *end = (char *)(entry + 1);

	entry->r = (struct cached_role){ .id = role->id,
		.color = role->color,
		.position = role->position,
		.permissions = role->permissions,
		.managed = role->managed,
		.mentionable = role->mentionable };
	entry->r.name = pack(&end, name);
	HASH_REPLACE(hh, cache->roles, r.id, sizeof(snowflake), entry, old);
	free(old);
}

static void remove_role(struct cache *cache, snowflake id)
{
	struct role_entry *entry = NULL;

	HASH_FIND(hh, cache->roles, &id, sizeof(id), entry);
	if (!entry)
		return;
	HASH_DEL(cache->roles, entry);
	free(entry);
}

static void put_channel(struct cache *cache, const struct channel *channel)
{
	const char *name = channel->name ? channel->name : "";
	size_t overwrites = channel->overwrite_count * sizeof(struct overwrite);
	struct channel_entry *entry = xmalloc(sizeof(*entry) + overwrites + size_of(name)), *old = NULL;
	char *end = (char *)(entry + 1);

	entry->c = (struct cached_channel){ .id = channel->id,
		.parent_id = channel->parent_id,
		.type = channel->type,
		.position = channel->position,
		.overwrite_count = channel->overwrite_count };
	if (overwrites)
		memcpy(end, channel->overwrites, overwrites);
	entry->c.overwrites = (const struct overwrite *)(void *)end;
	end += overwrites;
	entry->c.name = pack(&end, name);
	HASH_REPLACE(hh, cache->channels, c.id, sizeof(snowflake), entry, old);
	free(old);
}

static void remove_channel(struct cache *cache, snowflake id)
{
	struct channel_entry *entry = NULL;

	HASH_FIND(hh, cache->channels, &id, sizeof(id), entry);
	if (!entry)
		return;
	HASH_DEL(cache->channels, entry);
	free(entry);
}

/* ---- life ---- */

struct cache *cache_create(snowflake guild_id)
{
	struct cache *cache = xcalloc(1, sizeof(*cache));

	cache->guild_id = guild_id;
	cache->name = xstrdup("");
	return cache;
}

static void clear_roles(struct cache *cache)
{
	struct role_entry *entry;

	while ((entry = cache->roles)) {
		HASH_DEL(cache->roles, entry);
		free(entry);
	}
}

static void clear_channels(struct cache *cache)
{
	struct channel_entry *entry;

	while ((entry = cache->channels)) {
		HASH_DEL(cache->channels, entry);
		free(entry);
	}
}

static void clear_gone(struct cache *cache)
{
	struct gone_entry *entry;

	while ((entry = cache->gone)) {
		HASH_DEL(cache->gone, entry);
		free(entry);
	}
}

void cache_destroy(struct cache *cache)
{
	if (!cache)
		return;
	while (cache->members)
		remove_member(cache, cache->members);
	clear_roles(cache);
	clear_channels(cache);
	clear_gone(cache);
	arena_finish(&cache->arena);
	free(cache->name);
	free(cache);
}

/* ---- members ---- */

static void take_member(struct cache *cache, const struct user *user, const struct member *member)
{
	struct cached_member cached = {
		.id = user->id,
		.username = user->username ? user->username : "",
		.global_name = user->global_name,
		.nick = member->nick,
		.avatar = user->avatar,
		.guild_avatar = member->avatar,
		.roles = member->roles,
		.bot = user->bot,
		.generation = cache->generation,
	};

	/* Discord allows 250 roles in a guild. */
	cached.role_count = (uint16_t)MIN(member->role_count, (size_t)UINT16_MAX);
	put_member(cache, &cached);
}

static void member_json(struct cache *cache, const cJSON *json)
{
	struct member member;

	if (member_parse(json, &cache->arena, &member) < 0 || !member.user.id)
		return;
	take_member(cache, &member.user, &member);
}

static void on_member_add(struct cache *cache, const cJSON *d)
{
	snowflake id = json_snowflake(json_object(d, "user"), "id");
	struct gone_entry *gone = NULL;

	HASH_FIND(hh, cache->gone, &id, sizeof(id), gone);
	if (gone) {
		HASH_DEL(cache->gone, gone);
		free(gone);
	}
	member_json(cache, d);
}

static void on_member_remove(struct cache *cache, const cJSON *d)
{
	snowflake id = json_snowflake(json_object(d, "user"), "id");
	struct member_entry *entry = find_member(cache, id);
	struct gone_entry *gone = NULL;

	if (entry)
		remove_member(cache, entry);
	if (!cache->listing || !id)
		return;
	/* A chunk that was put together before he left may still be on its way. */
	HASH_FIND(hh, cache->gone, &id, sizeof(id), gone);
	if (gone)
		return;
	gone = xcalloc(1, sizeof(*gone));
	gone->id = id;
	HASH_ADD(hh, cache->gone, id, sizeof(gone->id), gone);
}

static void on_members_chunk(struct cache *cache, const cJSON *d)
{
	json_array_each (item, json_array(d, "members")) {
		snowflake id = json_snowflake(json_object(item, "user"), "id");
		struct gone_entry *gone = NULL;

		HASH_FIND(hh, cache->gone, &id, sizeof(id), gone);
		if (!gone)
			member_json(cache, item);
	}
}

void cache_members_begin(struct cache *cache)
{
	clear_gone(cache);
	cache->generation++;
	cache->listing = true;
}

void cache_members_end(struct cache *cache)
{
	struct member_entry *entry, *next;

	if (!cache->listing)
		return;
	for (entry = cache->members; entry; entry = next) {
		next = entry->hh.next;
		if (entry->m.generation != cache->generation)
			remove_member(cache, entry);
	}
	clear_gone(cache);
	cache->listing = false;
}

void cache_learn_member(struct cache *cache, const struct user *user, const struct member *member)
{
	if (user->id && user->username && !find_member(cache, user->id))
		take_member(cache, user, member);
}

/* ---- guild, roles, channels ---- */

static void role_json(struct cache *cache, const cJSON *json)
{
	struct role role;

	if (role_parse(json, &role) == 0)
		put_role(cache, &role);
}

static void channel_json(struct cache *cache, const cJSON *json)
{
	struct channel channel;

	if (channel_parse(json, &cache->arena, &channel) == 0)
		put_channel(cache, &channel);
}

static void set_guild_fields(struct cache *cache, const cJSON *guild)
{
	const char *name = json_string(guild, "name");

	if (name) {
		free(cache->name);
		cache->name = xstrdup(name);
	}
	if (json_snowflake(guild, "owner_id"))
		cache->owner_id = json_snowflake(guild, "owner_id");
}

void cache_set_guild(struct cache *cache, const cJSON *guild, const cJSON *channels, const cJSON *threads)
{
	set_guild_fields(cache, guild);
	clear_roles(cache);
	json_array_each (role, json_array(guild, "roles"))
		role_json(cache, role);
	clear_channels(cache);
	json_array_each (channel, channels ? channels : json_array(guild, "channels"))
		channel_json(cache, channel);
	json_array_each (thread, json_array(threads ? threads : guild, "threads"))
		channel_json(cache, thread);
	json_array_each (member, json_array(guild, "members"))
		member_json(cache, member);
	cache->has_guild = true;
	arena_reset(&cache->arena);
}

static void on_guild_create(struct cache *cache, const cJSON *d)
{
	if (!json_bool(d, "unavailable", false))
		cache_set_guild(cache, d, NULL, NULL);
}

static void on_guild_update(struct cache *cache, const cJSON *d)
{
	set_guild_fields(cache, d);
}

static void on_guild_delete(struct cache *cache, const cJSON *d)
{
	/* An outage, or we were removed: what we know stays, GUILD_CREATE replaces it. */
	(void)d;
	cache->has_guild = false;
}

static void on_role_put(struct cache *cache, const cJSON *d)
{
	role_json(cache, json_object(d, "role"));
}

static void on_role_delete(struct cache *cache, const cJSON *d)
{
	remove_role(cache, json_snowflake(d, "role_id"));
}

static void on_channel_delete(struct cache *cache, const cJSON *d)
{
	remove_channel(cache, json_snowflake(d, "id"));
}

static void on_threads(struct cache *cache, const cJSON *d)
{
	json_array_each (thread, json_array(d, "threads"))
		channel_json(cache, thread);
}

static const struct handler {
	const char *event;
	const char *guild_key; /* where the event names its guild */
	void (*run)(struct cache *cache, const cJSON *d);
} handlers[] = {
	{ "GUILD_CREATE", "id", on_guild_create },
	{ "GUILD_UPDATE", "id", on_guild_update },
	{ "GUILD_DELETE", "id", on_guild_delete },
	{ "GUILD_ROLE_CREATE", "guild_id", on_role_put },
	{ "GUILD_ROLE_UPDATE", "guild_id", on_role_put },
	{ "GUILD_ROLE_DELETE", "guild_id", on_role_delete },
	{ "CHANNEL_CREATE", "guild_id", channel_json },
	{ "CHANNEL_UPDATE", "guild_id", channel_json },
	{ "CHANNEL_DELETE", "guild_id", on_channel_delete },
	{ "THREAD_CREATE", "guild_id", channel_json },
	{ "THREAD_UPDATE", "guild_id", channel_json },
	{ "THREAD_DELETE", "guild_id", on_channel_delete },
	{ "THREAD_LIST_SYNC", "guild_id", on_threads },
	{ "GUILD_MEMBER_ADD", "guild_id", on_member_add },
	{ "GUILD_MEMBER_UPDATE", "guild_id", member_json },
	{ "GUILD_MEMBER_REMOVE", "guild_id", on_member_remove },
	{ "GUILD_MEMBERS_CHUNK", "guild_id", on_members_chunk },
};

void cache_event(struct cache *cache, const char *event, const cJSON *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		if (!streq(handlers[i].event, event))
			continue;
		if (json_snowflake(d, handlers[i].guild_key) != cache->guild_id)
			return;
		handlers[i].run(cache, d);
		arena_reset(&cache->arena);
		return;
	}
}
