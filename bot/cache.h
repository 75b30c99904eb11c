/* The guild as the gateway tells it: its channels with overwrites, roles and members, compact (about 250 bytes a
 * member). Built by GUILD_CREATE and member chunks, or after a resume by REST and member chunks; kept by events,
 * which may come twice or again.
 *
 * Pointers that are handed out are valid until the next event: copy what must survive a wait.
 */
#ifndef BOT_CACHE_H
#define BOT_CACHE_H

#include "base/arena.h"
#include "discord/types.h"

struct cache;

struct cached_member {
	snowflake id;
	const char *username;              /* never NULL */
	const char *global_name, *nick;    /* NULL: none */
	const char *avatar, *guild_avatar; /* hashes; NULL: none */
	const snowflake *roles;
	uint16_t role_count;
	bool bot;
	uint8_t generation; /* of the member list that he was last seen in */
};

struct cached_channel {
	snowflake id, parent_id;
	enum channel_type type;
	int position;
	const char *name; /* never NULL */
	const struct overwrite *overwrites;
	size_t overwrite_count;
};

struct cached_role {
	snowflake id;
	const char *name; /* never NULL */
	uint32_t color;
	int position;
	uint64_t permissions;
	bool managed, mentionable;
};

struct cache *cache_create(snowflake guild_id);
void cache_destroy(struct cache *cache);

/* Applies a gateway event; events that say nothing about the guild are ignored, malformed parts too. */
void cache_event(struct cache *cache, const char *event, const cJSON *d);
/* The guild object (GUILD_CREATE, or from REST with `channels` and the object of its active `threads` beside it):
 * replaces channels and roles, keeps the members that are known. */
void cache_set_guild(struct cache *cache, const cJSON *guild, const cJSON *channels, const cJSON *threads);

/* The guild is known (name, roles, channels), and available. */
bool cache_has_guild(const struct cache *cache);
const char *cache_guild_name(const struct cache *cache);
snowflake cache_guild_id(const struct cache *cache);
snowflake cache_owner_id(const struct cache *cache);
/* A complete member list begins: chunks follow. At its end those who were not in it are forgotten, unless they joined
 * or changed meanwhile. */
void cache_members_begin(struct cache *cache);
void cache_members_end(struct cache *cache);
/* Takes a person in from an event that carries the member object, when he is not known yet (the list is still on its
 * way). */
void cache_learn_member(struct cache *cache, const struct user *user, const struct member *member);

size_t cache_member_count(const struct cache *cache);
const struct cached_member *cache_member(const struct cache *cache, snowflake id);
/* In no particular order; NULL begins. No event may come in between. */
const struct cached_member *cache_next_member(const struct cache *cache, const struct cached_member *previous);
/* By account name, else by shown name, without regard to case; a leading @ is skipped. NULL and `ret_ambiguous` when
 * several have that name. */
const struct cached_member *cache_find_member(const struct cache *cache, const char *name, bool *ret_ambiguous);
const char *cached_member_name(const struct cached_member *member); /* as shown */
bool cached_member_has_role(const struct cached_member *member, snowflake role);
/* Appends the avatar's address. */
void cached_member_avatar(
	struct str *out, const struct cache *cache, const char *cdn_url, const struct cached_member *member);

const struct cached_role *cache_role(const struct cache *cache, snowflake id);
/* By name, exactly if possible, else without regard to case. */
const struct cached_role *cache_find_role(const struct cache *cache, const char *name, bool *ret_ambiguous);
const struct cached_role *cache_next_role(const struct cache *cache, const struct cached_role *previous);
const struct cached_channel *cache_channel(const struct cache *cache, snowflake id);
bool cached_channel_is_thread(const struct cached_channel *channel);
/* By name; a leading # is skipped. Categories are not found, nor threads: any member may give one a channel's name. */
const struct cached_channel *cache_find_channel(const struct cache *cache, const char *name, bool *ret_ambiguous);

/* Discord's documentation, topics/permissions: base permissions of the roles, then the channel's overwrites (a thread
 * has its parent's). channel 0: in the guild. An unknown channel gives none. */
uint64_t cache_permissions(const struct cache *cache, const struct cached_member *member, snowflake channel);

#endif
