/* Walking through the ranking as it stood earlier, before the last so many changes. The journal remembers what each changed member was
 * before; all others stand in the ranking of now where they stood then. A page is merged from both. */
#include "members_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define JOURNAL_MAX 32768 /* positions in it fit into 16 bits */

void members_journal_init(struct members *members)
{
	/* More than any earlier number, also of an earlier run, since nobody makes a change every microsecond: a cursor from before is then
	 * older than all that is remembered. */
	members->change = (uint64_t)clock_realtime();
}

void members_journal_finish(struct members *members)
{
	free(members->journal);
	free(members->last_change);
}

void members_journal_clear(struct members *members)
{
	members->journal_count = 0;
	members->change++;
}

static struct journal_entry *entry_of(const struct members *members, uint64_t change)
{
	return &members->journal[change % JOURNAL_MAX];
}

/* The number of this member's last change; 0: none is remembered. */
static uint64_t last_change_of(const struct members *members, uint32_t slot)
{
	uint64_t age;

	if (slot >= members->last_change_room)
		return 0;
	age = (members->change - members->last_change[slot]) % JOURNAL_MAX;
	/* Somebody else's entry may have taken the place of his. */
	if (age >= members->journal_count || entry_of(members, members->change - age)->slot != slot)
		return 0;
	return members->change - age;
}

void members_journal_add(struct members *members, uint32_t slot, const struct member *before)
{
	uint64_t earlier = last_change_of(members, slot);

	if (!members->journal)
		members->journal = xmalloc(JOURNAL_MAX * sizeof(members->journal[0]));
	if (slot >= members->last_change_room) {
		size_t room = members->last_change_room;

		members->last_change_room = members->room;
		members->last_change = xrealloc(members->last_change, members->room * sizeof(members->last_change[0]));
		memset(members->last_change + room, 0, (members->room - room) * sizeof(members->last_change[0]));
	}
	members->change++;
	members->journal_count = MIN(members->journal_count + 1, (size_t)JOURNAL_MAX);
	members->last_change[slot] = (uint16_t)(members->change % JOURNAL_MAX);
	*entry_of(members, members->change) = (struct journal_entry){ .earlier = earlier,
		.key = { before->points, before->id },
		.slot = slot,
		.present = member_is_present(before) };
}

static bool key_before(struct members_key a, struct members_key b)
{
	return a.points != b.points ? a.points > b.points : a.id < b.id;
}

struct probe {
	const struct members *members;
	struct members_key key;
	bool inclusive;
};

static struct members_key key_of(const struct members *members, uint32_t slot)
{
	return (struct members_key){ members->list[slot].points, members->list[slot].id };
}

/* Whether the slot stands after the key (or on it, when inclusive). */
static bool stands_after(const void *arg, uint32_t slot)
{
	const struct probe *probe = arg;
	struct members_key own = key_of(probe->members, slot);

	return probe->inclusive ? !key_before(own, probe->key) : key_before(probe->key, own);
}

size_t members_place(const struct members *members, struct members_key key, bool inclusive)
{
	struct probe probe = { members, key, inclusive };

	return ranking_count_before(members->present, stands_after, &probe);
}

/* A walk from a key on, in the order before the changes after number `order`. */
struct walk {
	const struct members *members;
	uint64_t order;
	struct members_key key;
	bool forward;
};

struct stand {
	uint32_t slot;
	struct members_key key; /* then */
};

/* Whether the walk comes to key a before it comes to key b. */
static bool comes_before(const struct walk *walk, struct members_key a, struct members_key b)
{
	return walk->forward ? key_before(a, b) : key_before(b, a);
}

/* The next of those who have changed and were shown then and may be shown now, where they stood then, in the walk's order. */
static size_t read_changed(const struct walk *walk, size_t max, struct stand *stands)
{
	const struct members *members = walk->members;
	size_t count = 0;

	for (uint64_t change = walk->order + 1; change <= members->change; change++) {
		const struct journal_entry *entry = entry_of(members, change);
		size_t at = count;

		/* Of several changes the first tells what he was. */
		if (entry->earlier > walk->order || !entry->present ||
			!member_is_present(&members->list[entry->slot]) || !comes_before(walk, walk->key, entry->key) ||
			(count == max && !comes_before(walk, entry->key, stands[max - 1].key)))
			continue;
		if (count == max)
			at--;
		else
			count++;
		for (; at > 0 && comes_before(walk, entry->key, stands[at - 1].key); at--)
			stands[at] = stands[at - 1];
		stands[at] = (struct stand){ entry->slot, entry->key };
	}
	return count;
}

/* The next of those who have not changed. */
static size_t read_unchanged(const struct walk *walk, size_t max, struct stand *stands)
{
	const struct members *members = walk->members;
	size_t position = members_place(members, walk->key, !walk->forward), count = 0;
	uint32_t chunk[64];

	while (count < max) {
		size_t start = walk->forward ? position : position - MIN(position, ARRAY_SIZE(chunk));
		size_t want = walk->forward ? ARRAY_SIZE(chunk) : position - start;
		size_t n = ranking_read(members->present, start, want, chunk);

		if (n == 0)
			break;
		for (size_t i = 0; i < n && count < max; i++) {
			uint32_t slot = chunk[walk->forward ? i : n - 1 - i];

			if (last_change_of(members, slot) <= walk->order)
				stands[count++] = (struct stand){ slot, key_of(members, slot) };
		}
		position = walk->forward ? start + n : start;
	}
	return count;
}

int members_walk(const struct members *members, uint64_t order, struct members_key key, bool forward, size_t max,
	uint32_t *ret_slots, struct members_key *ret_keys, size_t *ret_count)
{
	struct walk walk = { members, order, key, forward };
	size_t changed_count, unchanged_count, c = 0, u = 0, count = 0;
	struct stand *changed, *unchanged;

	if (order > members->change || members->change - order > members->journal_count)
		return -ESTALE;
	changed = xmalloc(2 * max * sizeof(*changed));
	unchanged = changed + max;
	changed_count = read_changed(&walk, max, changed);
	unchanged_count = read_unchanged(&walk, max, unchanged);
	while (count < max && (c < changed_count || u < unchanged_count)) {
		bool from_changed = u == unchanged_count ||
				    (c < changed_count && comes_before(&walk, changed[c].key, unchanged[u].key));
		struct stand next = from_changed ? changed[c++] : unchanged[u++];

		ret_slots[count] = next.slot;
		ret_keys[count++] = next.key;
	}
	free(changed);
	*ret_count = count;
	return 0;
}
