/* See members.h. Here: the rows and how they are kept fresh. Walking at a version is in members_walk.c, searching in members_search.c. */
#include "members_internal.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "big_memory.h"

/* From so many changed rows in one refresh on, the rankings are built anew instead of corrected row by row. */
#define BULK_ROWS 20000

/* Longer texts than any that Discord or the old system can have stored are cut, so that a row's size is bounded. */
#define NAME_BYTES_MAX   8192
#define AVATAR_BYTES_MAX 8192

static uint64_t key_of(const void *arg, uint32_t slot)
{
	return ((const struct members *)arg)->list[slot].user_id;
}

bool members_before(const void *arg, uint32_t a, uint32_t b)
{
	const struct member *left = &((const struct members *)arg)->list[a],
			    *right = &((const struct members *)arg)->list[b];

	return left->points != right->points ? left->points > right->points : left->id < right->id;
}

/* A member without a date stands behind all dates. */
static int64_t date_of(const void *arg, uint32_t slot)
{
	const struct member *member = &((const struct members *)arg)->list[slot];

	return member->updated_at == PROFILE_NEVER ? INT64_MAX : member->updated_at;
}

struct members *members_create(void)
{
	struct members *members = xcalloc(1, sizeof(*members));

	members->listed = ranking_create(&(struct ranking_order){ members_before, date_of, members });
	members->present = ranking_create(&(struct ranking_order){ members_before, NULL, members });
	members->shapes = url_shapes_create();
	str_init(&members->scratch);
	members_journal_init(members);
	return members;
}

void members_destroy(struct members *members)
{
	if (!members)
		return;
	ranking_destroy(members->listed);
	ranking_destroy(members->present);
	url_shapes_destroy(members->shapes);
	text_heap_finish(&members->texts);
	slot_map_finish(&members->by_user);
	arena_finish(&members->level_arena);
	str_finish(&members->scratch);
	members_journal_finish(members);
	free(members->signatures);
	free(members->list);
	free(members);
}

bool member_is_present(const struct member *member)
{
	return !member->hidden && !member->departed;
}

static void count_totals(struct members *members, const struct member *member, bool add)
{
	struct members_totals *totals = &members->totals;
	int64_t level = MIN(MAX(member->level_number, 0), LEVEL_MAX);

	if (add) {
		totals->count++;
		totals->by_level[level]++;
		members->total_points += (unsigned __int128)member->points;
	} else {
		totals->count--;
		totals->by_level[level]--;
		members->total_points -= (unsigned __int128)member->points;
	}
	totals->points = members->total_points > UINT64_MAX ? UINT64_MAX : (uint64_t)members->total_points;
}

/* Around every change of a row: out of the orders and sums before, into them after. What nobody could see and can see now is not noted. */
static void leave(struct members *members, uint32_t slot)
{
	const struct member *member = &members->list[slot];

	if (member_is_present(member))
		count_totals(members, member, false);
	if (members->bulk)
		return;
	if (!member->hidden)
		ranking_remove(members->listed, slot);
	if (member_is_present(member))
		ranking_remove(members->present, slot);
}

static void enter(struct members *members, uint32_t slot, const struct member *before)
{
	const struct member *member = &members->list[slot];

	if (member_is_present(member))
		count_totals(members, member, true);
	if (members->bulk)
		return;
	if (member_is_present(before) || member_is_present(member))
		members_journal_add(members, slot, before);
	if (!member->hidden)
		ranking_insert(members->listed, slot);
	if (member_is_present(member))
		ranking_insert(members->present, slot);
}

/* Both tables are read in the order of their keys at first: after one member comes the next, and his slot needs no search. */
static bool find_member(struct members *members, uint64_t user_id, uint32_t *ret_slot)
{
	uint32_t next = members->last_found + 1;

	if (next < members->count && members->list[next].user_id == user_id)
		*ret_slot = next;
	else if (!slot_map_get(&members->by_user, user_id, key_of, members, ret_slot))
		return false;
	members->last_found = *ret_slot;
	return true;
}

static uint32_t add_member(struct members *members, uint64_t user_id)
{
	uint32_t slot = (uint32_t)members->count;

	if (members->count == members->room) {
		members->room = MAX(members->room * 2, (size_t)256);
		members->list = big_memory_grow(members->list, members->count * sizeof(members->list[0]),
			members->room * sizeof(members->list[0]));
		members->signatures = xrealloc(members->signatures, members->room * sizeof(members->signatures[0]));
	}
	members->count++;
	members->list[slot] = (struct member){ .user_id = user_id, .hidden = true, .updated_at = PROFILE_NEVER };
	members->signatures[slot] = 0;
	return slot;
}

/* Many rows at once: the orders are made anew when all are read. What a walk remembers is void then. */
static void notice_bulk(struct members *members)
{
	if (++members->rows_read > BULK_ROWS && !members->bulk) {
		members->bulk = true;
		members_journal_clear(members);
	}
}

static int store_xp(void *arg, const struct member_xp *xp)
{
	struct members *members = arg;
	struct member *member, before;
	uint32_t slot;

	notice_bulk(members);
	/* The first time every row is another member's. */
	if (members->version == 1 || !find_member(members, xp->user_id, &slot))
		slot = add_member(members, xp->user_id);
	leave(members, slot);
	member = &members->list[slot];
	before = *member;
	member->id = xp->id;
	member->points = xp->points;
	member->level_number = xp->level_number;
	member->level_points = xp->level_points;
	member->message_count = xp->message_count;
	member->hidden = xp->hidden;
	enter(members, slot, &before);
	return 0;
}

static bool needs_escape(const char *text, size_t len)
{
	/* 0xe2 begins U+2028 and U+2029, among others */
	static const bool escaped[256] = { [0 ... 0x1f] = true, ['"'] = true, ['\\'] = true, [0xe2] = true };

	for (size_t i = 0; i < len; i++) {
		if (escaped[(unsigned char)text[i]])
			return true;
	}
	return false;
}

/* Text of a member: two bytes for the name's length, the name, the packed address of the picture. */
static void store_text(struct members *members, uint32_t slot, const char *name, const char *avatar)
{
	struct member *member = &members->list[slot];
	struct str *text = &members->scratch;
	size_t name_len = name ? strlen(name) : 0, avatar_len = avatar ? strlen(avatar) : 0;

	if (name_len > NAME_BYTES_MAX)
		name_len = utf8_prefix(name, NAME_BYTES_MAX - 4, NAME_BYTES_MAX / 4);
	if (avatar_len > AVATAR_BYTES_MAX)
		avatar = NULL;
	if (member->text_len > 0)
		text_heap_free(&members->texts, member->text, member->text_len);
	member->text_len = 0;
	member->has_name = name != NULL;
	member->has_avatar = avatar != NULL;
	member->plain_name = !needs_escape(name, name_len);
	member->plain_avatar = !avatar || !needs_escape(avatar, avatar_len);
	members->signatures[slot] = members_signature(name, name_len);
	if (!name && !avatar)
		return;
	str_clear(text);
	str_addc(text, (char)(name_len & 0xff));
	str_addc(text, (char)(name_len >> 8));
	str_add(text, name, name_len);
	if (avatar)
		packed_url_add(text, members->shapes, member->user_id, avatar, avatar_len);
	member->text = text_heap_add(&members->texts, text->buf, text->len);
	member->text_len = (uint16_t)text->len;
}

static void store_profile_at(struct members *members, uint32_t slot, const struct profile *profile)
{
	struct member *member = &members->list[slot];

	if (member->departed == profile->present) {
		const struct member before = *member;

		leave(members, slot);
		member->departed = !profile->present;
		enter(members, slot, &before);
	}
	if (member->updated_at != profile->updated_at) {
		member->updated_at = profile->updated_at;
		if (!member->hidden && !members->bulk)
			ranking_value_changed(members->listed, slot);
	}
	store_text(members, slot, profile->nick ? profile->nick : profile->name, profile->avatar_url);
}

static int store_profile(void *arg, const struct profile *profile)
{
	struct members *members = arg;
	uint32_t slot;

	notice_bulk(members);
	if (find_member(members, profile->user_id, &slot))
		store_profile_at(members, slot, profile);
	return 0;
}

/* Members who earned their first points now: their profile may be older than what has been read of the profiles. */
static int complete_new_members(struct members *members, struct db *db, size_t first)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;

	for (size_t slot = first; slot < members->count; slot++) {
		struct profile profile;
		int r;

		r = profile_get(db, members->list[slot].user_id, &arena, &profile);
		if (r >= 0)
			store_profile_at(members, (uint32_t)slot, &profile);
		else if (r != -ENOENT)
			return r;
		arena_reset(&arena);
	}
	return 0;
}

/* Ordering a million members takes as long as reading half of their profiles, which do not matter to the order: both are done at once. */
struct sorting {
	struct members *members;
	uint32_t *slots;
	size_t count;
	pthread_t thread;
	bool started;
};

static void *sort_run(void *arg)
{
	struct sorting *sorting = arg;

	ranking_build(sorting->members->listed, sorting->slots, sorting->count);
	return NULL;
}

/* Who is hidden is known by now, and neither points nor row ids change until sort_finish(). */
static void sort_begin(struct sorting *sorting, struct members *members)
{
	*sorting = (struct sorting){ .members = members };
	sorting->slots = xmalloc(MAX(members->count, (size_t)1) * sizeof(*sorting->slots));
	for (size_t slot = 0; slot < members->count; slot++) {
		if (!members->list[slot].hidden)
			sorting->slots[sorting->count++] = (uint32_t)slot;
	}
	sorting->started = pthread_create(&sorting->thread, NULL, sort_run, sorting) == 0;
}

/* The present ones stand in the order of the listed ones: sorting them costs one pass. */
static void sort_finish(struct sorting *sorting)
{
	struct members *members = sorting->members;
	size_t kept = 0;

	if (sorting->started)
		pthread_join(sorting->thread, NULL);
	else
		sort_run(sorting);
	for (size_t i = 0; i < sorting->count; i++) {
		if (!members->list[sorting->slots[i]].departed)
			sorting->slots[kept++] = sorting->slots[i];
	}
	ranking_build(members->present, sorting->slots, kept);
	free(sorting->slots);
	/* All dates are sorted when they are asked about first. That is now, so that no request waits for it. */
	(void)ranking_count_in_range(members->listed, INT64_MIN, INT64_MAX);
	/* What all this took in between goes back to the system: 5 MiB of a million members. */
	malloc_trim(0);
}

int members_refresh_levels(struct members *members, struct db *db)
{
	struct arena arena = ARENA_INIT;
	struct level *levels;
	size_t count;
	int r;

	if (members->level_version == members->version)
		return 0;
	r = level_list(db, &arena, &levels, &count);
	if (r < 0) {
		arena_finish(&arena);
		return r;
	}
	arena_finish(&members->level_arena);
	members->level_arena = arena;
	members->levels = levels;
	members->level_count = count;
	members->level_version = members->version;
	return 0;
}

int members_refresh(struct members *members, struct db *db)
{
	bool first = members->version == 0;
	struct sorting sorting = { 0 };
	size_t known = members->count;
	int r;

	members->version++;
	members->rows_read = 0;
	members->bulk = first;
	r = member_xp_each_since(db, members->xp_revision, store_xp, members, &members->xp_revision);
	/* The new ones; none of them had a second row. */
	slot_map_extend(&members->by_user, members->count, key_of, members);
	if (r >= 0 && first)
		sort_begin(&sorting, members);
	if (r >= 0)
		r = profile_each_since(
			db, members->profile_revision, store_profile, members, &members->profile_revision);
	if (r >= 0 && !first)
		r = complete_new_members(members, db, known);
	if (r >= 0 && first)
		r = members_refresh_levels(members, db);
	if (!first && members->bulk)
		sort_begin(&sorting, members);
	if (sorting.members)
		sort_finish(&sorting);
	members->bulk = false;
	return r;
}

uint64_t members_version(const struct members *members)
{
	return members->version;
}

uint64_t members_order(const struct members *members)
{
	return members->change;
}

struct ranking *members_listed(const struct members *members)
{
	return members->listed;
}

struct ranking *members_present(const struct members *members)
{
	return members->present;
}

const struct member *members_at(const struct members *members, uint32_t slot)
{
	return &members->list[slot];
}

void members_prefetch(const struct members *members, const uint32_t *slots, size_t count)
{
	/* Without this the compiler sees a function without effects and leaves out every call of it. */
	__asm__ volatile("");
	for (size_t i = 0; i < count; i++)
		__builtin_prefetch(&members->list[slots[i]]);
	for (size_t i = 0; i < count; i++) {
		const struct member *member = &members->list[slots[i]];

		if (member->text_len > 0) {
			const unsigned char *text = text_heap_get(&members->texts, member->text);

			__builtin_prefetch(text);
			__builtin_prefetch(text + member->text_len - 1);
		}
	}
}

int members_find(const struct members *members, uint64_t user_id, uint32_t *ret_slot)
{
	uint32_t slot;

	if (!slot_map_get(&members->by_user, user_id, key_of, members, &slot) ||
		!member_is_present(&members->list[slot]))
		return -ENOENT;
	*ret_slot = slot;
	return 0;
}

const char *members_name(const struct members *members, const struct member *member, size_t *ret_len)
{
	const unsigned char *text;

	if (!member->has_name) {
		*ret_len = 0;
		return NULL;
	}
	text = text_heap_get(&members->texts, member->text);
	*ret_len = text[0] | (size_t)text[1] << 8;
	return (const char *)text + 2;
}

void members_avatar(const struct members *members, const struct member *member, struct str *out)
{
	const unsigned char *text;
	size_t skip;

	if (!member->has_avatar)
		return;
	text = text_heap_get(&members->texts, member->text);
	skip = 2 + (text[0] | (size_t)text[1] << 8);
	packed_url_read(out, members->shapes, member->user_id, text + skip, member->text_len - skip);
}

const struct level *members_levels(const struct members *members, size_t *ret_count)
{
	*ret_count = members->level_count;
	return members->levels;
}

const struct level *members_level_for(const struct members *members, int64_t points)
{
	size_t low = 0, high = members->level_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (members->levels[middle].total_points <= points)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &members->levels[low - 1] : NULL;
}

const struct members_totals *members_totals(const struct members *members)
{
	return &members->totals;
}
