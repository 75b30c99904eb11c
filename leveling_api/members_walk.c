/* Walking through the ranking as it stood earlier, before the last so many changes. The journal remembers what each changed member was before; all others
 * stand in the ranking of now where they stood then. A page is merged from both. */
#include "members_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define JOURNAL_MAX 32768

void members_journal_init(struct members *members)
{
	/* More than any earlier number, also of an earlier run, since nobody makes a change every microsecond: a cursor from before is then
	 * older than all that is remembered. */
	members->change = (uint64_t)clock_realtime();
}

void members_journal_clear(struct members *members)
{
	members->journal_start = 0;
	members->journal_count = 0;
	members->change++;
}

void members_journal_add(struct members *members, uint32_t slot, const struct member *before)
{
	size_t at;

	if (!members->journal)
		members->journal = xmalloc(JOURNAL_MAX * sizeof(members->journal[0]));
	if (members->journal_count == JOURNAL_MAX) {
		members->journal_start = (members->journal_start + 1) % JOURNAL_MAX;
		members->journal_count--;
	}
	at = (members->journal_start + members->journal_count++) % JOURNAL_MAX;
	members->journal[at] = (struct journal_entry){ .change = ++members->change,
		.points = before->points,
		.id = before->id,
		.slot = slot,
		.present = member_is_present(before) };
}

static bool key_before(struct members_key a, struct members_key b)
{
	return a.points != b.points ? a.points > b.points : a.id < b.id;
}

static int compare_slots(const void *a, const void *b)
{
	const struct journal_entry *left = a, *right = b;

	if (left->slot != right->slot)
		return left->slot < right->slot ? -1 : 1;
	return (left->change > right->change) - (left->change < right->change);
}

/* Every member whom one of the last `count` changes concerns, once, as he was before; by slot. The caller frees. */
static struct journal_entry *changed_in(const struct members *members, size_t count, size_t *ret_count)
{
	struct journal_entry *changed = xmalloc((count + 1) * sizeof(*changed));
	size_t first = members->journal_start + members->journal_count - count, kept = 0;

	for (size_t i = 0; i < count; i++)
		changed[i] = members->journal[(first + i) % JOURNAL_MAX];
	qsort(changed, count, sizeof(*changed), compare_slots);
	for (size_t i = 0; i < count; i++) {
		/* Of several changes the first tells what he was. */
		if (kept == 0 || changed[kept - 1].slot != changed[i].slot)
			changed[kept++] = changed[i];
	}
	*ret_count = kept;
	return changed;
}

static bool has_changed(const struct journal_entry *changed, size_t count, uint32_t slot)
{
	const struct journal_entry wanted = { .slot = slot };
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (changed[middle].slot < wanted.slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && changed[low].slot == slot;
}

static int compare_keys(const void *a, const void *b)
{
	const struct journal_entry *left = a, *right = b;
	struct members_key l = { left->points, left->id }, r = { right->points, right->id };

	if (key_before(l, r))
		return -1;
	return key_before(r, l) ? 1 : 0;
}

struct probe {
	const struct members *members;
	struct members_key key;
	bool inclusive;
};

/* Whether the slot stands after the key (or on it, when inclusive). */
static bool stands_after(const void *arg, uint32_t slot)
{
	const struct probe *probe = arg;
	struct members_key own = { probe->members->list[slot].points, probe->members->list[slot].id };

	return probe->inclusive ? !key_before(own, probe->key) : key_before(probe->key, own);
}

size_t members_place(const struct members *members, struct members_key key, bool inclusive)
{
	struct probe probe = { members, key, inclusive };

	return ranking_count_before(members->present, stands_after, &probe);
}

/* The unchanged neighbours of the key, nearest first. */
static size_t unchanged(const struct members *members, const struct journal_entry *changed, size_t changed_count,
	struct members_key key, bool forward, size_t max, uint32_t *ret_slots)
{
	size_t position = members_place(members, key, !forward), count = 0;
	uint32_t chunk[64];

	while (count < max) {
		size_t start = forward ? position : position - MIN(position, ARRAY_SIZE(chunk));
		size_t want = forward ? ARRAY_SIZE(chunk) : position - start;
		size_t n = ranking_read(members->present, start, want, chunk);

		if (n == 0)
			break;
		for (size_t i = 0; i < n && count < max; i++) {
			uint32_t slot = chunk[forward ? i : n - 1 - i];

			if (!has_changed(changed, changed_count, slot))
				ret_slots[count++] = slot;
		}
		position = forward ? start + n : start;
	}
	return count;
}

int members_walk(const struct members *members, uint64_t order, struct members_key key, bool forward, size_t max,
	uint32_t *ret_slots, struct members_key *ret_keys, size_t *ret_count)
{
	struct journal_entry *changed;
	size_t changed_count, still_count, old = 0, still = 0, count = 0;
	uint32_t *slots;

	if (order > members->change || members->change - order > members->journal_count)
		return -ESTALE;
	changed = changed_in(members, members->change - order, &changed_count);
	slots = xmalloc((max + 1) * sizeof(*slots));
	still_count = unchanged(members, changed, changed_count, key, forward, max, slots);
	qsort(changed, changed_count, sizeof(*changed), compare_keys);

	while (count < max) {
		struct journal_entry *candidate = NULL;
		struct members_key from_old = { 0 }, from_still = { 0 };

		/* The next of the changed ones beyond the key who was shown then and may be shown now. */
		for (; old < changed_count; old++) {
			candidate = &changed[forward ? old : changed_count - 1 - old];
			from_old = (struct members_key){ candidate->points, candidate->id };
			if (candidate->present && member_is_present(&members->list[candidate->slot]) &&
				(forward ? key_before(key, from_old) : key_before(from_old, key)))
				break;
			candidate = NULL;
		}
		if (still < still_count)
			from_still = (struct members_key){ members->list[slots[still]].points,
				members->list[slots[still]].id };
		else if (!candidate)
			break;
		if (candidate && (still >= still_count || (forward ? key_before(from_old, from_still)
								   : key_before(from_still, from_old)))) {
			ret_slots[count] = candidate->slot;
			ret_keys[count++] = from_old;
			old++;
		} else {
			ret_slots[count] = slots[still++];
			ret_keys[count++] = from_still;
		}
	}
	free(slots);
	free(changed);
	*ret_count = count;
	return 0;
}
