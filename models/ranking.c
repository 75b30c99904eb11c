/* See models/ranking.h. Why blocks and no tree of nodes: a page is a run of neighbours, which here lie side by side, and an insertion moves
 * at most 2 KiB. Blocks stand in groups of at most 64, so that whoever looks for a position, or counts values, passes by thousands of elements
 * at a time: among a million he looks at some fifty groups, then at some fifty blocks.
 *
 * A group that has been asked for values keeps them sorted, and beside each slot its value's rank among them: values from one to another
 * are ranks from one to another, and of these a line of the cache holds 32. */
#include "models/ranking.h"

#include <assert.h>
#include <stdlib.h>

#define BLOCK_MAX   512
#define BLOCK_FILL  448 /* elements of a block that is built; room to grow */
#define BLOCK_MERGE 96  /* a block below this joins its neighbour, if both fit into BLOCK_FILL */
#define GROUP_MAX   64
#define GROUP_FILL  48 /* blocks of a group that is built */

#define SIGN (UINT64_C(1) << 63)

struct group {
	size_t count; /* of elements */
	size_t block_count;
	uint16_t counts[GROUP_MAX];   /* of each block's elements */
	uint32_t *blocks[GROUP_MAX];  /* the elements: BLOCK_MAX slots each */
	uint16_t (*ranks)[BLOCK_MAX]; /* beside them, the ranks of their values; room for GROUP_MAX blocks */
	int64_t *sorted;              /* all values, with room for full blocks; both are NULL while nobody has asked */
	/* What ranking_count_in_range() found last, for the reading that follows: how many ranks from which on. */
	size_t first, in_range;
	size_t below; /* of search_groups() */
};

struct ranking {
	struct ranking_order order;
	struct group **groups;
	size_t group_count, group_room;
	size_t count;
	int64_t range_low, range_high; /* to which the groups' in_range belong */
	bool range_valid;
};

/* Where an element stands or belongs. */
struct place {
	size_t group, block;
	uint32_t at;
};

struct ranking *ranking_create(const struct ranking_order *order)
{
	struct ranking *ranking = xcalloc(1, sizeof(*ranking));

	ranking->order = *order;
	return ranking;
}

static void values_drop(struct group *group)
{
	free(group->ranks);
	free(group->sorted);
	group->ranks = NULL;
	group->sorted = NULL;
}

static void clear(struct ranking *ranking)
{
	ranking->range_valid = false;
	for (size_t g = 0; g < ranking->group_count; g++) {
		struct group *group = ranking->groups[g];

		values_drop(group);
		for (size_t i = 0; i < group->block_count; i++)
			free(group->blocks[i]);
		free(group);
	}
	ranking->group_count = 0;
	ranking->count = 0;
}

void ranking_destroy(struct ranking *ranking)
{
	if (!ranking)
		return;
	clear(ranking);
	free(ranking->groups);
	free(ranking);
}

/* ---- groups and blocks ---- */

/* An empty group at this index. */
static struct group *group_open(struct ranking *ranking, size_t index)
{
	if (ranking->group_count == ranking->group_room) {
		ranking->group_room = MAX(ranking->group_room * 2, (size_t)16);
		ranking->groups = xrealloc(ranking->groups, ranking->group_room * sizeof(struct group *));
	}
	memmove(ranking->groups + index + 1, ranking->groups + index,
		(ranking->group_count - index) * sizeof(struct group *));
	ranking->group_count++;
	return ranking->groups[index] = xcalloc(1, sizeof(struct group));
}

/* The group is empty. */
static void group_close(struct ranking *ranking, size_t index)
{
	values_drop(ranking->groups[index]);
	free(ranking->groups[index]);
	ranking->group_count--;
	memmove(ranking->groups + index, ranking->groups + index + 1,
		(ranking->group_count - index) * sizeof(struct group *));
}

/* Moves the blocks from one index on to another: the parallel arrays of a group. */
static void blocks_move(struct group *group, size_t from, size_t to)
{
	size_t count = group->block_count - from;

	memmove(group->blocks + to, group->blocks + from, count * sizeof(uint32_t *));
	memmove(group->counts + to, group->counts + from, count * sizeof(group->counts[0]));
	if (group->ranks)
		memmove(group->ranks + to, group->ranks + from, count * sizeof(group->ranks[0]));
}

/* An empty block at this index; there is room for it. Returns its slots. */
static uint32_t *block_open(struct group *group, size_t index)
{
	assert(group->block_count < GROUP_MAX);
	blocks_move(group, index, index + 1);
	group->blocks[index] = xmalloc(BLOCK_MAX * sizeof(uint32_t));
	group->counts[index] = 0;
	group->block_count++;
	return group->blocks[index];
}

static void block_close(struct group *group, size_t index)
{
	free(group->blocks[index]);
	blocks_move(group, index + 1, index);
	group->block_count--;
}

/* Moves the last `count` elements of a block, with their ranks, behind those of another. */
static void elements_move(struct group *group, size_t from, size_t to, uint16_t count)
{
	uint16_t first = (uint16_t)(group->counts[from] - count), end = group->counts[to];

	memcpy(group->blocks[to] + end, group->blocks[from] + first, count * sizeof(uint32_t));
	if (group->ranks)
		memcpy(group->ranks[to] + end, group->ranks[from] + first, count * sizeof(uint16_t));
	group->counts[from] -= count;
	group->counts[to] += count;
}

/* Both halves lose their values, to be collected when they are asked for. */
static void split_group(struct ranking *ranking, size_t index)
{
	struct group *left = ranking->groups[index], *right = group_open(ranking, index + 1);
	size_t half = left->block_count / 2;

	values_drop(left);
	left->block_count -= half;
	right->block_count = half;
	memcpy(right->blocks, left->blocks + left->block_count, half * sizeof(uint32_t *));
	memcpy(right->counts, left->counts + left->block_count, half * sizeof(right->counts[0]));
	for (size_t i = 0; i < half; i++)
		right->count += right->counts[i];
	left->count -= right->count;
}

static void split_block(struct group *group, size_t index)
{
	block_open(group, index + 1);
	elements_move(group, index, index + 1, group->counts[index] / 2);
}

/* Drops a block that became empty, and its group with the last one; joins a block that became small to its right neighbour. */
static void shrink(struct ranking *ranking, size_t index, size_t b)
{
	struct group *group = ranking->groups[index];

	if (group->counts[b] == 0) {
		block_close(group, b);
		if (group->block_count == 0)
			group_close(ranking, index);
	} else if (group->counts[b] < BLOCK_MERGE && b + 1 < group->block_count &&
		   group->counts[b] + group->counts[b + 1] <= BLOCK_FILL) {
		elements_move(group, b + 1, b, group->counts[b + 1]);
		block_close(group, b + 1);
	}
}

/* ---- order ---- */

static bool before(const struct ranking *ranking, uint32_t a, uint32_t b)
{
	return ranking->order.before(ranking->order.arg, a, b);
}

/* Merge sort: stable times for any input, and the order's context needs no global variable. */
static void sort_slots(const struct ranking *ranking, uint32_t *slots, size_t count, uint32_t *scratch)
{
	if (count <= 16) {
		for (size_t i = 1; i < count; i++) {
			uint32_t slot = slots[i];
			size_t at = i;

			for (; at > 0 && before(ranking, slot, slots[at - 1]); at--)
				slots[at] = slots[at - 1];
			slots[at] = slot;
		}
		return;
	}

	size_t half = count / 2, left = 0, right = half, out = 0;

	sort_slots(ranking, slots, half, scratch);
	sort_slots(ranking, slots + half, count - half, scratch);
	if (before(ranking, slots[half - 1], slots[half]))
		return;
	memcpy(scratch, slots, half * sizeof(*slots));
	while (left < half)
		slots[out++] = right < count && before(ranking, slots[right], scratch[left]) ? slots[right++]
											     : scratch[left++];
}

void ranking_build(struct ranking *ranking, uint32_t *slots, size_t count)
{
	uint32_t *scratch = xmalloc((count / 2 + 1) * sizeof(*scratch));
	struct group *group = NULL;

	sort_slots(ranking, slots, count, scratch);
	free(scratch);
	clear(ranking);
	for (size_t at = 0; at < count; at += BLOCK_FILL) {
		size_t n = MIN(count - at, (size_t)BLOCK_FILL);

		if (!group || group->block_count == GROUP_FILL)
			group = group_open(ranking, ranking->group_count);
		memcpy(block_open(group, group->block_count), slots + at, n * sizeof(*slots));
		group->counts[group->block_count - 1] = (uint16_t)n;
		group->count += n;
	}
	ranking->count = count;
}

typedef bool after_key_fn(const void *key, uint32_t slot);

/* Behind all elements that stand before the key: in the last group and the last block that begin before it, or in the first ones. */
static struct place find(const struct ranking *ranking, after_key_fn *after_key, const void *key)
{
	struct place place = { 0 };
	size_t groups = ranking->group_count, blocks;
	const struct group *group;
	uint32_t elements;

	while (groups - place.group > 1) {
		size_t middle = place.group + (groups - place.group) / 2;

		if (after_key(key, ranking->groups[middle]->blocks[0][0]))
			groups = middle;
		else
			place.group = middle;
	}
	group = ranking->groups[place.group];
	blocks = group->block_count;
	while (blocks - place.block > 1) {
		size_t middle = place.block + (blocks - place.block) / 2;

		if (after_key(key, group->blocks[middle][0]))
			blocks = middle;
		else
			place.block = middle;
	}
	elements = group->counts[place.block];
	while (place.at < elements) {
		uint32_t middle = (place.at + elements) / 2;

		if (after_key(key, group->blocks[place.block][middle]))
			elements = middle;
		else
			place.at = middle + 1;
	}
	return place;
}

struct element {
	const struct ranking *ranking;
	uint32_t slot;
};

static bool after_element(const void *key, uint32_t slot)
{
	const struct element *element = key;

	return !before(element->ranking, slot, element->slot);
}

static struct place find_place_for(const struct ranking *ranking, uint32_t slot)
{
	return find(ranking, after_element, &(struct element){ ranking, slot });
}

static struct place find_element(const struct ranking *ranking, uint32_t slot)
{
	struct place place = find_place_for(ranking, slot);
	const struct group *group = ranking->groups[place.group];

	if (place.at < group->counts[place.block])
		return place;
	if (place.block + 1 < group->block_count)
		return (struct place){ place.group, place.block + 1, 0 };
	return (struct place){ place.group + 1, 0, 0 };
}

/* ---- values ---- */

static int64_t value_of(const struct ranking *ranking, uint32_t slot)
{
	return ranking->order.value(ranking->order.arg, slot);
}

/* How many of the sorted values are below `bound`. */
static size_t values_below(const int64_t *values, size_t count, int64_t bound)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (values[middle] < bound)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void shift_ranks(struct group *group, size_t from, int delta)
{
	for (size_t i = 0; i < group->block_count; i++) {
		uint16_t *ranks = group->ranks[i];

		for (uint32_t at = 0; at < group->counts[i]; at++)
			ranks[at] = (uint16_t)(ranks[at] + (ranks[at] >= from ? delta : 0));
	}
}

/* Returns the value's rank. group->count does not include it yet. */
static uint16_t sorted_insert(struct group *group, int64_t value)
{
	size_t rank = values_below(group->sorted, group->count, value);

	memmove(group->sorted + rank + 1, group->sorted + rank, (group->count - rank) * sizeof(value));
	group->sorted[rank] = value;
	shift_ranks(group, rank, 1);
	return (uint16_t)rank;
}

/* group->count does not include the value any more. */
static void sorted_remove(struct group *group, uint16_t rank)
{
	memmove(group->sorted + rank, group->sorted + rank + 1, (group->count - rank) * sizeof(group->sorted[0]));
	shift_ranks(group, rank + 1u, -1);
}

struct ranked {
	uint64_t key;   /* the value, shifted so that all are positive */
	uint16_t *rank; /* where to note it */
};

/* Radix sort, the lowest byte first; a byte in which all agree is passed over. Returns where the result is: in either of the two. */
static struct ranked *sort_ranked(struct ranked *list, struct ranked *scratch, size_t count)
{
	for (int shift = 0; shift < 64; shift += 8) {
		size_t starts[257] = { 0 };
		struct ranked *sorted = scratch;

		for (size_t i = 0; i < count; i++)
			starts[(list[i].key >> shift & 0xff) + 1]++;
		if (starts[(list[0].key >> shift & 0xff) + 1] == count)
			continue;
		for (int byte = 0; byte < 256; byte++)
			starts[byte + 1] += starts[byte];
		for (size_t i = 0; i < count; i++)
			sorted[starts[list[i].key >> shift & 0xff]++] = list[i];
		scratch = list;
		list = sorted;
	}
	return list;
}

static void collect_values(const struct ranking *ranking, struct group *group)
{
	struct ranked *list, *sorted;
	size_t count = 0;

	if (group->sorted)
		return;
	group->ranks = xmalloc(GROUP_MAX * sizeof(group->ranks[0]));
	list = xmalloc(2 * group->count * sizeof(*list));
	for (size_t i = 0; i < group->block_count; i++) {
		for (uint32_t at = 0; at < group->counts[i]; at++)
			list[count++] = (struct ranked){ (uint64_t)value_of(ranking, group->blocks[i][at]) ^ SIGN,
				&group->ranks[i][at] };
	}
	sorted = sort_ranked(list, list + count, count);
	group->sorted = xmalloc((size_t)GROUP_MAX * BLOCK_MAX * sizeof(group->sorted[0]));
	for (size_t rank = 0; rank < count; rank++) {
		group->sorted[rank] = (int64_t)(sorted[rank].key ^ SIGN);
		*sorted[rank].rank = (uint16_t)rank;
	}
	free(list);
}

/* ---- changes ---- */

void ranking_insert(struct ranking *ranking, uint32_t slot)
{
	struct place place;
	struct group *group;
	uint32_t *slots, after;

	if (ranking->group_count == 0)
		block_open(group_open(ranking, 0), 0);
	place = find_place_for(ranking, slot);
	if (ranking->groups[place.group]->counts[place.block] == BLOCK_MAX) {
		if (ranking->groups[place.group]->block_count == GROUP_MAX) {
			split_group(ranking, place.group);
			place = find_place_for(ranking, slot);
		}
		split_block(ranking->groups[place.group], place.block);
		place = find_place_for(ranking, slot);
	}
	group = ranking->groups[place.group];
	slots = group->blocks[place.block] + place.at;
	after = group->counts[place.block] - place.at;
	memmove(slots + 1, slots, after * sizeof(*slots));
	*slots = slot;
	if (group->ranks) {
		uint16_t rank = sorted_insert(group, value_of(ranking, slot));
		uint16_t *ranks = group->ranks[place.block] + place.at;

		memmove(ranks + 1, ranks, after * sizeof(*ranks));
		*ranks = rank;
	}
	group->counts[place.block]++;
	group->count++;
	ranking->count++;
	ranking->range_valid = false;
}

void ranking_remove(struct ranking *ranking, uint32_t slot)
{
	struct place place = find_element(ranking, slot);
	struct group *group = ranking->groups[place.group];
	uint32_t *slots = group->blocks[place.block] + place.at, after;

	assert(place.at < group->counts[place.block] && *slots == slot);
	after = --group->counts[place.block] - place.at;
	group->count--;
	memmove(slots, slots + 1, after * sizeof(*slots));
	if (group->ranks) {
		uint16_t *ranks = group->ranks[place.block] + place.at, rank = *ranks;

		memmove(ranks, ranks + 1, after * sizeof(*ranks));
		sorted_remove(group, rank);
	}
	ranking->count--;
	ranking->range_valid = false;
	shrink(ranking, place.group, place.block);
}

void ranking_value_changed(struct ranking *ranking, uint32_t slot)
{
	struct place place = find_element(ranking, slot);
	struct group *group = ranking->groups[place.group];
	uint16_t *rank;

	if (!group->ranks)
		return;
	rank = &group->ranks[place.block][place.at];
	group->count--;
	sorted_remove(group, *rank);
	*rank = sorted_insert(group, value_of(ranking, slot));
	group->count++;
	ranking->range_valid = false;
}

/* ---- questions ---- */

size_t ranking_count(const struct ranking *ranking)
{
	return ranking->count;
}

/* How many elements stand before this place. */
static size_t position_of(const struct ranking *ranking, struct place place)
{
	size_t position = place.at;

	for (size_t g = 0; g < place.group; g++)
		position += ranking->groups[g]->count;
	for (size_t b = 0; b < place.block; b++)
		position += ranking->groups[place.group]->counts[b];
	return position;
}

size_t ranking_position(const struct ranking *ranking, uint32_t slot)
{
	return position_of(ranking, find_element(ranking, slot));
}

size_t ranking_count_before(const struct ranking *ranking, after_key_fn *after_key, const void *key)
{
	return ranking->count > 0 ? position_of(ranking, find(ranking, after_key, key)) : 0;
}

size_t ranking_read(const struct ranking *ranking, size_t position, size_t max, uint32_t *ret_slots)
{
	size_t read = 0;

	for (size_t g = 0; g < ranking->group_count && read < max; g++) {
		const struct group *group = ranking->groups[g];

		if (position >= group->count) {
			position -= group->count;
			continue;
		}
		for (size_t b = 0; b < group->block_count && read < max; b++) {
			size_t n;

			if (position >= group->counts[b]) {
				position -= group->counts[b];
				continue;
			}
			n = MIN(max - read, group->counts[b] - position);
			memcpy(ret_slots + read, group->blocks[b] + position, n * sizeof(*ret_slots));
			read += n;
			position = 0;
		}
	}
	return read;
}

/* How many values in each group are below `bound`: a binary search in all groups at once, one step in each before the next. So the processor
 * waits for fifty answers of the memory together instead of for one after the other. */
static void search_groups(struct ranking *ranking, int64_t bound)
{
	for (size_t g = 0; g < ranking->group_count; g++)
		ranking->groups[g]->below = 0;
	for (size_t step = (size_t)GROUP_MAX * BLOCK_MAX; step > 0; step /= 2) {
		for (size_t g = 0; g < ranking->group_count; g++) {
			struct group *group = ranking->groups[g];
			size_t next = group->below + step;
			size_t below = group->sorted[MIN(next, group->count) - 1] < bound;

			/* Not a branch, which could not be foreseen. */
			group->below += step * (below & (next <= group->count));
		}
	}
}

size_t ranking_count_in_range(struct ranking *ranking, int64_t low, int64_t high)
{
	size_t count = 0;

	for (size_t g = 0; g < ranking->group_count; g++)
		collect_values(ranking, ranking->groups[g]);
	search_groups(ranking, low);
	for (size_t g = 0; g < ranking->group_count; g++)
		ranking->groups[g]->first = ranking->groups[g]->below;
	if (high < INT64_MAX)
		search_groups(ranking, high + 1);
	for (size_t g = 0; g < ranking->group_count; g++) {
		struct group *group = ranking->groups[g];
		size_t end = high < INT64_MAX ? group->below : group->count;

		group->in_range = end - MIN(end, group->first);
		count += group->in_range;
	}
	ranking->range_low = low;
	ranking->range_high = high;
	ranking->range_valid = true;
	return count;
}

static bool in_range(uint16_t rank, uint16_t first, uint16_t count)
{
	return (uint16_t)(rank - first) < count;
}

/* The block's slots in the group's range, after the first `*position` of them, which is counted down. */
static size_t block_read_in_range(
	const struct group *group, size_t index, size_t *position, size_t max, uint32_t *ret_slots)
{
	const uint16_t *ranks = group->ranks[index];
	uint16_t first = (uint16_t)group->first, count = (uint16_t)group->in_range, here = 0;
	size_t read = 0;

	for (uint32_t at = 0; at < group->counts[index]; at++)
		here += in_range(ranks[at], first, count);
	if (*position >= here) {
		*position -= here;
		return 0;
	}
	for (uint32_t at = 0; at < group->counts[index] && read < max; at++) {
		if (!in_range(ranks[at], first, count))
			continue;
		if (*position > 0)
			--*position;
		else
			ret_slots[read++] = group->blocks[index][at];
	}
	return read;
}

size_t ranking_read_in_range(
	struct ranking *ranking, int64_t low, int64_t high, size_t position, size_t max, uint32_t *ret_slots)
{
	size_t read = 0;

	if (!ranking->range_valid || ranking->range_low != low || ranking->range_high != high)
		ranking_count_in_range(ranking, low, high);
	for (size_t g = 0; g < ranking->group_count && read < max; g++) {
		const struct group *group = ranking->groups[g];

		if (position >= group->in_range) {
			position -= group->in_range;
			continue;
		}
		for (size_t b = 0; b < group->block_count && read < max; b++)
			read += block_read_in_range(group, b, &position, max - read, ret_slots + read);
	}
	return read;
}
