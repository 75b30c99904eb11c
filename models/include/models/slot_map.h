/* From a snowflake to the slot (position in an array) where its owner keeps what belongs to it: 4 bytes an entry at half load, because
 * the key itself is looked up in the owner's array. Entries are never removed. */
#ifndef MODELS_SLOT_MAP_H
#define MODELS_SLOT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

struct slot_map {
	uint32_t *table; /* slot + 1; 0: free */
	size_t size;     /* a power of two, or 0 */
	size_t count;    /* of the slots that are in: all below it */
};

/* The key of a slot, from the owner's array. */
typedef uint64_t slot_map_key_fn(const void *arg, uint32_t slot);

void slot_map_finish(struct slot_map *map);
bool slot_map_get(
	const struct slot_map *map, uint64_t key, slot_map_key_fn *key_of, const void *arg, uint32_t *ret_slot);
/* Takes in the slots from map->count to count - 1, whose keys must not be there yet. Many at once cost less than one by one. */
void slot_map_extend(struct slot_map *map, size_t count, slot_map_key_fn *key_of, const void *arg);

#endif
