/* Questions to the guild cache: looking up by id and name, and permissions. */
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"
#include "cache_internal.h"

bool cache_has_guild(const struct cache *cache)
{
	return cache->has_guild;
}

const char *cache_guild_name(const struct cache *cache)
{
	return cache->name;
}

snowflake cache_guild_id(const struct cache *cache)
{
	return cache->guild_id;
}

snowflake cache_owner_id(const struct cache *cache)
{
	return cache->owner_id;
}

size_t cache_member_count(const struct cache *cache)
{
	return HASH_COUNT(cache->members);
}

const struct cached_member *cache_member(const struct cache *cache, snowflake id)
{
	struct member_entry *entry = NULL;

	HASH_FIND(hh, cache->members, &id, sizeof(id), entry);
	return entry ? &entry->m : NULL;
}

const struct cached_member *cache_next_member(const struct cache *cache, const struct cached_member *previous)
{
	struct member_entry *entry = cache->members;

	if (previous)
		entry = CONTAINER_OF(previous, struct member_entry, m)->hh.next;
	return entry ? &entry->m : NULL;
}

const struct cached_role *cache_role(const struct cache *cache, snowflake id)
{
	struct role_entry *entry = NULL;

	HASH_FIND(hh, cache->roles, &id, sizeof(id), entry);
	return entry ? &entry->r : NULL;
}

const struct cached_role *cache_next_role(const struct cache *cache, const struct cached_role *previous)
{
	struct role_entry *entry = cache->roles;

	if (previous)
		entry = CONTAINER_OF(previous, struct role_entry, r)->hh.next;
	return entry ? &entry->r : NULL;
}

const struct cached_channel *cache_channel(const struct cache *cache, snowflake id)
{
	struct channel_entry *entry = NULL;

	HASH_FIND(hh, cache->channels, &id, sizeof(id), entry);
	return entry ? &entry->c : NULL;
}

bool cached_channel_is_thread(const struct cached_channel *channel)
{
	return channel->type >= CHANNEL_ANNOUNCEMENT_THREAD && channel->type <= CHANNEL_PRIVATE_THREAD;
}

const char *cached_member_name(const struct cached_member *member)
{
	if (member->nick && *member->nick)
		return member->nick;
	return member->global_name && *member->global_name ? member->global_name : member->username;
}

bool cached_member_has_role(const struct cached_member *member, snowflake role)
{
	for (size_t i = 0; i < member->role_count; i++)
		if (member->roles[i] == role)
			return true;
	return false;
}

void cached_member_avatar(
	struct str *out, const struct cache *cache, const char *cdn_url, const struct cached_member *member)
{
	struct user user = {
		.id = member->id, .username = member->username, .avatar = member->avatar, .discriminator = "0"
	};
	struct member with = { .avatar = member->guild_avatar };

	avatar_url(out, cdn_url, cache->guild_id, &user, &with);
}

/* ---- by name ---- */

/* Collects candidates: a better kind of match beats a worse one, two of the same kind are ambiguous. What is wanted is
 * folded once and not for each name, of which a guild has thousands. */
struct search {
	const char *wanted;
	struct str folded, name; /* of what is wanted, and of the candidate at hand */
	const void *found;
	int quality;
	bool ambiguous;
};

static void search_begin(struct search *search, const char *wanted, char mark)
{
	*search = (struct search){
		.wanted = *wanted == mark ? wanted + 1 : wanted, .folded = STR_INIT, .name = STR_INIT
	};
	/* What is no UTF-8 is found exactly or not at all. */
	if (utf8_fold(&search->folded, search->wanted) < 0)
		str_clear(&search->folded);
}

static void consider(struct search *search, const void *candidate, int quality)
{
	if (quality < search->quality || quality == 0)
		return;
	search->ambiguous = quality == search->quality && search->found != candidate;
	search->found = candidate;
	search->quality = quality;
}

static const void *search_end(struct search *search, bool *ret_ambiguous)
{
	str_finish(&search->folded);
	str_finish(&search->name);
	*ret_ambiguous = search->ambiguous;
	return search->ambiguous ? NULL : search->found;
}

static int name_quality(struct search *search, const char *name)
{
	if (!name)
		return 0;
	if (streq(name, search->wanted))
		return 2;
	str_clear(&search->name);
	return utf8_fold(&search->name, name) == 0 && search->folded.len && search->name.len == search->folded.len &&
	       memcmp(search->name.buf, search->folded.buf, search->folded.len) == 0;
}

const struct cached_member *cache_find_member(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search;

	search_begin(&search, name, '@');
	/* Account names are unique, so they win over shown names; a name that a nickname hides comes last. */
	for (const struct member_entry *entry = cache->members; entry; entry = entry->hh.next) {
		int account = name_quality(&search, entry->m.username);
		int shown = name_quality(&search, cached_member_name(&entry->m));
		int hidden = name_quality(&search, entry->m.global_name);

		consider(&search, &entry->m, account ? account + 4 : shown ? shown + 2 : hidden);
	}
	return search_end(&search, ret_ambiguous);
}

const struct cached_role *cache_find_role(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search;

	search_begin(&search, name, '@');
	for (const struct role_entry *entry = cache->roles; entry; entry = entry->hh.next)
		if (entry->r.id != cache->guild_id)
			consider(&search, &entry->r, name_quality(&search, entry->r.name));
	return search_end(&search, ret_ambiguous);
}

const struct cached_channel *cache_find_channel(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search;

	search_begin(&search, name, '#');
	for (const struct channel_entry *entry = cache->channels; entry; entry = entry->hh.next)
		if (entry->c.type != CHANNEL_GUILD_CATEGORY && !cached_channel_is_thread(&entry->c))
			consider(&search, &entry->c, name_quality(&search, entry->c.name));
	return search_end(&search, ret_ambiguous);
}

/* ---- permissions ---- */

static uint64_t base_permissions(const struct cache *cache, const struct cached_member *member)
{
	const struct cached_role *everyone = cache_role(cache, cache->guild_id);
	uint64_t permissions = everyone ? everyone->permissions : 0;

	if (member->id == cache->owner_id)
		return UINT64_MAX;
	for (size_t i = 0; i < member->role_count; i++) {
		const struct cached_role *role = cache_role(cache, member->roles[i]);

		permissions |= role ? role->permissions : 0;
	}
	return permissions & PERMISSION_ADMINISTRATOR ? UINT64_MAX : permissions;
}

uint64_t cache_permissions(const struct cache *cache, const struct cached_member *member, snowflake channel_id)
{
	uint64_t permissions = base_permissions(cache, member), allow = 0, deny = 0;
	const struct cached_channel *channel;

	if (!channel_id || permissions == UINT64_MAX)
		return permissions;
	channel = cache_channel(cache, channel_id);
	if (channel && cached_channel_is_thread(channel))
		channel = cache_channel(cache, channel->parent_id);
	if (!channel)
		return 0;

	for (size_t i = 0; i < channel->overwrite_count; i++)
		if (channel->overwrites[i].id == cache->guild_id)
			permissions = (permissions & ~channel->overwrites[i].deny) | channel->overwrites[i].allow;
	for (size_t i = 0; i < channel->overwrite_count; i++) {
		const struct overwrite *overwrite = &channel->overwrites[i];

		if (overwrite->type == OVERWRITE_ROLE && overwrite->id != cache->guild_id &&
			cached_member_has_role(member, overwrite->id)) {
			allow |= overwrite->allow;
			deny |= overwrite->deny;
		}
	}
	permissions = (permissions & ~deny) | allow;
	for (size_t i = 0; i < channel->overwrite_count; i++)
		if (channel->overwrites[i].type == OVERWRITE_MEMBER && channel->overwrites[i].id == member->id)
			permissions = (permissions & ~channel->overwrites[i].deny) | channel->overwrites[i].allow;
	/* Who cannot see a channel can do nothing there. */
	return permissions & PERMISSION_VIEW_CHANNEL ? permissions : 0;
}
