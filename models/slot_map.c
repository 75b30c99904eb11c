/* Open addressing with linear probing; see models/slot_map.h. */
#include "models/slot_map.h"

#include <stdlib.h>

/* Snowflakes count time in their upper bits; a multiplication (Fibonacci hashing) spreads them over the table. */
static size_t bucket(const struct slot_map *map, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->size - 1);
}

void slot_map_finish(struct slot_map *map)
{
	free(map->table);
	*map = (struct slot_map){ 0 };
}

bool slot_map_get(
	const struct slot_map *map, uint64_t key, slot_map_key_fn *key_of, const void *arg, uint32_t *ret_slot)
{
	if (map->size == 0)
		return false;
	for (size_t i = bucket(map, key); map->table[i] != 0; i = (i + 1) & (map->size - 1)) {
		if (key_of(arg, map->table[i] - 1) == key) {
			*ret_slot = map->table[i] - 1;
			return true;
		}
	}
	return false;
}

static void place(struct slot_map *map, uint32_t slot, uint64_t key)
{
	size_t i = bucket(map, key);

	while (map->table[i] != 0)
		i = (i + 1) & (map->size - 1);
	map->table[i] = slot + 1;
}

void slot_map_extend(struct slot_map *map, size_t count, slot_map_key_fn *key_of, const void *arg)
{
	/* At most two thirds full. */
	if (count * 3 > map->size * 2) {
		size_t size = MAX(map->size, (size_t)64);

		while (count * 3 > size * 2)
			size *= 2;
		slot_map_finish(map);
		map->table = xcalloc(size, sizeof(map->table[0]));
		map->size = size;
	}
	for (; map->count < count; map->count++)
		place(map, (uint32_t)map->count, key_of(arg, (uint32_t)map->count));
}
