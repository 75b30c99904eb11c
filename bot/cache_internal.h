/* What cache.c (events) and cache_query.c (questions) share. */
#ifndef BOT_CACHE_INTERNAL_H
#define BOT_CACHE_INTERNAL_H

#include "base/hash.h"

#include "cache.h"

struct member_entry {
	struct cached_member m;
	UT_hash_handle hh;
};

struct role_entry {
	struct cached_role r;
	UT_hash_handle hh;
};

struct channel_entry {
	struct cached_channel c;
	UT_hash_handle hh;
};

/* Who left while a member list was on its way. */
struct gone_entry {
	snowflake id;
	UT_hash_handle hh;
};

struct cache {
	snowflake guild_id, owner_id;
	char *name;
	bool has_guild; /* known and available */
	bool listing;   /* a member list is on its way */
	uint8_t generation;
	struct member_entry *members;
	struct role_entry *roles;
	struct channel_entry *channels;
	struct gone_entry *gone;
	struct arena arena; /* scratch while an event is applied */
};

#endif
