/* Questions to the guild cache: looking up by id and name, and permissions. */
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

/* Collects candidates: a better kind of match beats a worse one, two of the same kind are ambiguous. */
struct search {
	const void *found;
	int quality;
	bool ambiguous;
};

static void consider(struct search *search, const void *candidate, int quality)
{
	if (quality < search->quality || quality == 0)
		return;
	search->ambiguous = quality == search->quality && search->found != candidate;
	search->found = candidate;
	search->quality = quality;
}

static const void *conclude(const struct search *search, bool *ret_ambiguous)
{
	*ret_ambiguous = search->ambiguous;
	return search->ambiguous ? NULL : search->found;
}

static int name_quality(const char *name, const char *wanted)
{
	if (!name)
		return 0;
	if (streq(name, wanted))
		return 2;
	return utf8_equal_folded(name, wanted) ? 1 : 0;
}

const struct cached_member *cache_find_member(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search = { 0 };

	if (*name == '@')
		name++;
	/* Account names are unique, so they win over shown names; a name that a nickname hides comes last. */
	for (const struct member_entry *entry = cache->members; entry; entry = entry->hh.next) {
		int account = name_quality(entry->m.username, name);
		int shown = name_quality(cached_member_name(&entry->m), name);

		int hidden = name_quality(entry->m.global_name, name);

		consider(&search, &entry->m, account ? account + 4 : shown ? shown + 2 : hidden);
	}
	return conclude(&search, ret_ambiguous);
}

const struct cached_role *cache_find_role(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search = { 0 };

	if (*name == '@')
		name++;
	for (const struct role_entry *entry = cache->roles; entry; entry = entry->hh.next)
		consider(&search, &entry->r, entry->r.id == cache->guild_id ? 0 : name_quality(entry->r.name, name));
	return conclude(&search, ret_ambiguous);
}

const struct cached_channel *cache_find_channel(const struct cache *cache, const char *name, bool *ret_ambiguous)
{
	struct search search = { 0 };

	if (*name == '#')
		name++;
	for (const struct channel_entry *entry = cache->channels; entry; entry = entry->hh.next)
		if (entry->c.type != CHANNEL_GUILD_CATEGORY)
			consider(&search, &entry->c, name_quality(entry->c.name, name));
	return conclude(&search, ret_ambiguous);
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
