/* The inside of struct members, for members.c, members_walk.c and members_search.c. */
#ifndef LEVELING_API_MEMBERS_INTERNAL_H
#define LEVELING_API_MEMBERS_INTERNAL_H

#include "base/arena.h"
#include "members.h"
#include "models/member_xp.h"
#include "models/slot_map.h"
#include "packed_url.h"
#include "text_heap.h"

/* One change that a walk has to see through: what a member was before it. */
struct journal_entry {
	uint64_t earlier; /* the number of this member's change before; 0: none is remembered */
	struct members_key key;
	uint32_t slot;
	bool present;
};

struct members {
	struct member *list;
	uint64_t *signatures; /* by slot: which characters and pairs of them the folded name holds */
	size_t count, room;
	struct slot_map by_user;
	struct ranking *listed, *present;
	struct text_heap texts;
	struct url_shapes *shapes;
	struct str scratch;

	struct arena level_arena;
	const struct level *levels;
	size_t level_count;
	uint64_t level_version; /* of the members when the levels were read */

	struct members_totals totals;
	unsigned __int128 total_points;

	uint64_t version;
	int64_t xp_revision, profile_revision;
	size_t rows_read;    /* in this refresh */
	uint32_t last_found; /* slot of the row before */
	bool bulk;

	struct journal_entry *journal; /* ring of the last changes, each at its number */
	size_t journal_count;
	uint64_t change;       /* the number of the last one */
	uint16_t *last_change; /* by slot: where in the ring the member's last change stood */
	size_t last_change_room;
};

bool member_is_present(const struct member *member);
bool members_before(const void *members, uint32_t a, uint32_t b);
/* The numbering of changes begins. */
void members_journal_init(struct members *members);
void members_journal_finish(struct members *members);
/* The member in this slot has changed from what he was before. */
void members_journal_add(struct members *members, uint32_t slot, const struct member *before);
void members_journal_clear(struct members *members);
uint64_t members_signature(const char *name, size_t len);

#endif
