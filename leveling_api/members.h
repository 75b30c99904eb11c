/* What the API answers from: every member with XP, and the levels, as the database had them at the last refresh. One thread uses it.
 *
 * Two rankings over the same members, highest points first, ties by lowest row id: `listed` are those who are not hidden (the contract's
 * /user_points/ lists departed members as it always did), `present` leaves out the departed too (everything under /v1/).
 * 64 bytes a member for the numbers, half as much for name and picture, 40 for the orders, the dates, searching and the look-up. */
#ifndef LEVELING_API_MEMBERS_H
#define LEVELING_API_MEMBERS_H

#include "base/str.h"
#include "models/db.h"
#include "models/level.h"
#include "models/profile.h"
#include "models/ranking.h"

struct members;

struct member {
	uint64_t user_id;
	int64_t id, points, level_number, level_points, message_count;
	usec updated_at; /* PROFILE_NEVER: no date */
	uint32_t text;   /* members_name(), members_avatar() */
	uint32_t text_len : 16;
	bool hidden : 1, departed : 1;
	bool has_name : 1, has_avatar : 1;
	bool plain_name : 1, plain_avatar : 1; /* nothing in it needs an escape in JSON */
};

/* A place in the ranking, whether anybody stands there or not. */
struct members_key {
	int64_t points, id;
};

struct members *members_create(void) warn_unused;
void members_destroy(struct members *members);
/* Reads what has changed, everything at first. The caller holds a read transaction. On failure the members are of no use any more. */
int members_refresh(struct members *members, struct db *db) warn_unused;
/* The levels change once a year, and cannot say so by a revision: they are read again only for those who show them, before they do. */
int members_refresh_levels(struct members *members, struct db *db) warn_unused;
/* Grows with every refresh. */
uint64_t members_version(const struct members *members);

struct ranking *members_listed(const struct members *members);
struct ranking *members_present(const struct members *members);
const struct member *members_at(const struct members *members, uint32_t slot);
/* Asks the processor to fetch these members and their texts, all at once instead of one after the other: among a million each is a wait. */
void members_prefetch(const struct members *members, const uint32_t *slots, size_t count);
/* -ENOENT unless the member is present and not hidden. */
int members_find(const struct members *members, uint64_t user_id, uint32_t *ret_slot) warn_unused;

/* The name that is shown: the nickname, else the account's. Borrowed until the next refresh; not ending in NUL. */
const char *members_name(const struct members *members, const struct member *member, size_t *ret_len);
/* Appends the address of the picture. */
void members_avatar(const struct members *members, const struct member *member, struct str *out);

/* All levels, lowest first. */
const struct level *members_levels(const struct members *members, size_t *ret_count);
/* The level that these points reach by the level table; NULL while the table is empty. */
const struct level *members_level_for(const struct members *members, int64_t points);

struct members_totals {
	uint64_t count;
	uint64_t points;                  /* saturates */
	uint64_t by_level[LEVEL_MAX + 1]; /* how many members are on each level; above the last counts as the last */
};
/* Of the present ones. */
const struct members_totals *members_totals(const struct members *members);

/* The order of the present members as it is now, for members_walk(). It changes with their points and with who is present, and with
 * nothing else: what hidden and departed members do does not show in it. */
uint64_t members_order(const struct members *members);
/* How many of the present members stand before the key; with the one that stands on it unless `inclusive`. */
size_t members_place(const struct members *members, struct members_key key, bool inclusive);
/* Walks through the present members in an earlier order, so that a reader who comes back for page after page meets everybody once
 * although points change meanwhile. Starts at the member after (forward) or before (backward) `key`, and returns up to `max` slots in the
 * walk's order with the keys that they had; who is not present any more is left out.
 * -ESTALE when that order cannot be told any more: too much has changed since, or it is that of another run or another database. */
int members_walk(const struct members *members, uint64_t order, struct members_key key, bool forward, size_t max,
	uint32_t *ret_slots, struct members_key *ret_keys, size_t *ret_count) warn_unused;

/* Present members whose name holds the text without regard to case, at most `max`: whole names before those that begin with it before the
 * others, and the highest rank first among each. */
size_t members_search(const struct members *members, const char *text, size_t max, uint32_t *ret_slots);

#endif
