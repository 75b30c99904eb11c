/* See models/ranking.h. Why blocks and no tree: a page is a run of neighbours, which here lie side by side; an insertion moves at most
 * 2 KiB; and the only global work, when a block is split or dropped, happens once in hundreds of changes. */
#include "models/ranking.h"

#include <assert.h>
#include <stdlib.h>

#define BLOCK_MAX   512
#define BLOCK_FILL  384 /* elements of a block that is built or split off; room to grow */
#define BLOCK_MERGE 96  /* a block below this joins its neighbour, if both fit into BLOCK_FILL */

struct block {
	int64_t *values; /* sorted; NULL: to be collected again */
	uint32_t count;
	uint32_t slots[BLOCK_MAX];
};

struct ranking {
	struct ranking_order order;
	struct block **blocks;
	size_t *sizes; /* Fenwick tree over the blocks' counts, 1-based */
	size_t block_count, block_room;
	size_t count;
	/* What ranking_count_in_range() found last, for the reading that follows: how many of each block. */
	uint16_t *range_counts;
	size_t range_room;
	int64_t range_low, range_high;
	bool range_valid;
};

struct ranking *ranking_create(const struct ranking_order *order)
{
	struct ranking *ranking = xcalloc(1, sizeof(*ranking));

	ranking->order = *order;
	return ranking;
}

static void clear(struct ranking *ranking)
{
	ranking->range_valid = false;
	for (size_t i = 0; i < ranking->block_count; i++) {
		free(ranking->blocks[i]->values);
		free(ranking->blocks[i]);
	}
	ranking->block_count = 0;
	ranking->count = 0;
}

void ranking_destroy(struct ranking *ranking)
{
	if (!ranking)
		return;
	clear(ranking);
	free(ranking->blocks);
	free(ranking->sizes);
	free(ranking->range_counts);
	free(ranking);
}

static void sizes_rebuild(struct ranking *ranking)
{
	size_t n = ranking->block_count;

	for (size_t i = 1; i <= n; i++)
		ranking->sizes[i] = ranking->blocks[i - 1]->count;
	for (size_t i = 1; i <= n; i++) {
		size_t parent = i + (i & -i);

		if (parent <= n)
			ranking->sizes[parent] += ranking->sizes[i];
	}
}

static void sizes_add(struct ranking *ranking, size_t block, size_t delta)
{
	for (size_t i = block + 1; i <= ranking->block_count; i += i & -i)
		ranking->sizes[i] += delta; /* a negative delta wraps around, as it should */
}

/* Elements in the blocks before this one. */
static size_t sizes_before(const struct ranking *ranking, size_t block)
{
	size_t sum = 0;

	for (size_t i = block; i > 0; i -= i & -i)
		sum += ranking->sizes[i];
	return sum;
}

/* The block that holds a position, and the position in it. */
static size_t sizes_find(const struct ranking *ranking, size_t position, size_t *ret_offset)
{
	size_t block = 0, step = 1;

	while (step * 2 <= ranking->block_count)
		step *= 2;
	for (; step > 0; step /= 2) {
		if (block + step <= ranking->block_count && ranking->sizes[block + step] <= position) {
			block += step;
			position -= ranking->sizes[block];
		}
	}
	*ret_offset = position;
	return block;
}

static void block_changed(struct ranking *ranking, struct block *block)
{
	ranking->range_valid = false;
	free(block->values);
	block->values = NULL;
}

/* An empty block at this index; sizes_rebuild() is the caller's. */
static struct block *block_open(struct ranking *ranking, size_t index)
{
	struct block *block = xmalloc(sizeof(*block));

	block->values = NULL;
	block->count = 0;
	if (ranking->block_count == ranking->block_room) {
		ranking->block_room = MAX(ranking->block_room * 2, (size_t)16);
		ranking->blocks = xrealloc(ranking->blocks, ranking->block_room * sizeof(struct block *));
		ranking->sizes = xrealloc(ranking->sizes, (ranking->block_room + 1) * sizeof(ranking->sizes[0]));
	}
	memmove(ranking->blocks + index + 1, ranking->blocks + index,
		(ranking->block_count - index) * sizeof(struct block *));
	ranking->blocks[index] = block;
	ranking->block_count++;
	return block;
}

static void block_close(struct ranking *ranking, size_t index)
{
	free(ranking->blocks[index]->values);
	free(ranking->blocks[index]);
	ranking->block_count--;
	memmove(ranking->blocks + index, ranking->blocks + index + 1,
		(ranking->block_count - index) * sizeof(struct block *));
}

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

	sort_slots(ranking, slots, count, scratch);
	free(scratch);
	clear(ranking);
	for (size_t at = 0; at < count; at += BLOCK_FILL) {
		struct block *block = block_open(ranking, ranking->block_count);

		block->count = (uint32_t)MIN(count - at, (size_t)BLOCK_FILL);
		memcpy(block->slots, slots + at, block->count * sizeof(*slots));
	}
	ranking->count = count;
	sizes_rebuild(ranking);
}

/* The block in which the slot stands or belongs: the last one whose first element is not after it. */
static size_t find_block(const struct ranking *ranking, uint32_t slot)
{
	size_t low = 0, high = ranking->block_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (before(ranking, slot, ranking->blocks[middle]->slots[0]))
			high = middle;
		else
			low = middle;
	}
	return low;
}

/* How many of the block's elements stand before the slot. */
static uint32_t find_in_block(const struct ranking *ranking, const struct block *block, uint32_t slot)
{
	uint32_t low = 0, high = block->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (before(ranking, block->slots[middle], slot))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void split(struct ranking *ranking, size_t index)
{
	struct block *left = ranking->blocks[index], *right = block_open(ranking, index + 1);

	right->count = left->count / 2;
	left->count -= right->count;
	memcpy(right->slots, left->slots + left->count, right->count * sizeof(right->slots[0]));
	block_changed(ranking, left);
	sizes_rebuild(ranking);
}

void ranking_insert(struct ranking *ranking, uint32_t slot)
{
	struct block *block;
	size_t index;
	uint32_t at;

	if (ranking->block_count == 0) {
		block_open(ranking, 0);
		sizes_rebuild(ranking);
	}
	index = ranking->count ? find_block(ranking, slot) : 0;
	if (ranking->blocks[index]->count == BLOCK_MAX) {
		split(ranking, index);
		index = find_block(ranking, slot);
	}
	block = ranking->blocks[index];
	at = find_in_block(ranking, block, slot);
	memmove(block->slots + at + 1, block->slots + at, (block->count - at) * sizeof(block->slots[0]));
	block->slots[at] = slot;
	block->count++;
	block_changed(ranking, block);
	ranking->count++;
	sizes_add(ranking, index, 1);
}

/* Drops a block that became empty, joins one that became small to its right neighbour. */
static void shrink(struct ranking *ranking, size_t index)
{
	struct block *block = ranking->blocks[index], *next;

	if (block->count == 0) {
		block_close(ranking, index);
		sizes_rebuild(ranking);
		return;
	}
	if (block->count >= BLOCK_MERGE || index + 1 == ranking->block_count)
		return;
	next = ranking->blocks[index + 1];
	if (block->count + next->count > BLOCK_FILL)
		return;
	memcpy(block->slots + block->count, next->slots, next->count * sizeof(block->slots[0]));
	block->count += next->count;
	block_changed(ranking, block);
	block_close(ranking, index + 1);
	sizes_rebuild(ranking);
}

void ranking_remove(struct ranking *ranking, uint32_t slot)
{
	size_t index = find_block(ranking, slot);
	struct block *block = ranking->blocks[index];
	uint32_t at = find_in_block(ranking, block, slot);

	assert(at < block->count && block->slots[at] == slot);
	block->count--;
	memmove(block->slots + at, block->slots + at + 1, (block->count - at) * sizeof(block->slots[0]));
	block_changed(ranking, block);
	ranking->count--;
	sizes_add(ranking, index, (size_t)-1);
	shrink(ranking, index);
}

void ranking_value_changed(struct ranking *ranking, uint32_t slot)
{
	block_changed(ranking, ranking->blocks[find_block(ranking, slot)]);
}

size_t ranking_count(const struct ranking *ranking)
{
	return ranking->count;
}

size_t ranking_position(const struct ranking *ranking, uint32_t slot)
{
	size_t index = find_block(ranking, slot);

	return sizes_before(ranking, index) + find_in_block(ranking, ranking->blocks[index], slot);
}

size_t ranking_count_before(
	const struct ranking *ranking, bool (*after_key)(const void *key, uint32_t slot), const void *key)
{
	size_t low = 0, high = ranking->block_count;
	uint32_t in_low = 0, in_high;

	while (low < high) { /* the first block that begins at or after the key */
		size_t middle = low + (high - low) / 2;

		if (after_key(key, ranking->blocks[middle]->slots[0]))
			high = middle;
		else
			low = middle + 1;
	}
	if (low == 0)
		return 0;
	low--;
	in_high = ranking->blocks[low]->count;
	while (in_low < in_high) {
		uint32_t middle = (in_low + in_high) / 2;

		if (after_key(key, ranking->blocks[low]->slots[middle]))
			in_high = middle;
		else
			in_low = middle + 1;
	}
	return sizes_before(ranking, low) + in_low;
}

size_t ranking_read(const struct ranking *ranking, size_t position, size_t max, uint32_t *ret_slots)
{
	size_t read = 0, offset, index;

	if (position >= ranking->count)
		return 0;
	index = sizes_find(ranking, position, &offset);
	for (; read < max && index < ranking->block_count; index++, offset = 0) {
		const struct block *block = ranking->blocks[index];
		size_t n = MIN(max - read, block->count - offset);

		memcpy(ret_slots + read, block->slots + offset, n * sizeof(*ret_slots));
		read += n;
	}
	return read;
}

static int compare_values(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static const int64_t *block_values(const struct ranking *ranking, struct block *block)
{
	if (!block->values) {
		block->values = xmalloc(block->count * sizeof(block->values[0]));
		for (uint32_t i = 0; i < block->count; i++)
			block->values[i] = ranking->order.value(ranking->order.arg, block->slots[i]);
		qsort(block->values, block->count, sizeof(block->values[0]), compare_values);
	}
	return block->values;
}

/* How many of the sorted values are below `bound`. */
static uint32_t values_below(const int64_t *values, uint32_t count, int64_t bound)
{
	uint32_t low = 0, high = count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (values[middle] < bound)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t block_in_range(const struct ranking *ranking, struct block *block, int64_t low, int64_t high)
{
	const int64_t *values = block_values(ranking, block);
	uint32_t end = high == INT64_MAX ? block->count : values_below(values, block->count, high + 1);

	return end - MIN(end, values_below(values, block->count, low));
}

size_t ranking_count_in_range(struct ranking *ranking, int64_t low, int64_t high)
{
	size_t count = 0;

	if (ranking->block_count > ranking->range_room) {
		ranking->range_room = ranking->block_room;
		ranking->range_counts =
			xrealloc(ranking->range_counts, ranking->range_room * sizeof(ranking->range_counts[0]));
	}
	for (size_t i = 0; i < ranking->block_count; i++) {
		size_t here = block_in_range(ranking, ranking->blocks[i], low, high);

		ranking->range_counts[i] = (uint16_t)here;
		count += here;
	}
	ranking->range_low = low;
	ranking->range_high = high;
	ranking->range_valid = true;
	return count;
}

size_t ranking_read_in_range(
	struct ranking *ranking, int64_t low, int64_t high, size_t position, size_t max, uint32_t *ret_slots)
{
	size_t read = 0;

	if (!ranking->range_valid || ranking->range_low != low || ranking->range_high != high)
		ranking_count_in_range(ranking, low, high);
	for (size_t i = 0; i < ranking->block_count && read < max; i++) {
		const struct block *block = ranking->blocks[i];

		if (position >= ranking->range_counts[i]) {
			position -= ranking->range_counts[i];
			continue;
		}
		for (uint32_t at = 0; at < block->count && read < max; at++) {
			int64_t value = ranking->order.value(ranking->order.arg, block->slots[at]);

			if (value < low || value > high)
				continue;
			if (position > 0)
				position--;
			else
				ret_slots[read++] = block->slots[at];
		}
	}
	return read;
}
