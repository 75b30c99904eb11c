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
	size_t count;
};

/* The key of a slot, from the owner's array. */
typedef uint64_t slot_map_key_fn(const void *arg, uint32_t slot);

void slot_map_finish(struct slot_map *map);
bool slot_map_get(
	const struct slot_map *map, uint64_t key, slot_map_key_fn *key_of, const void *arg, uint32_t *ret_slot);
/* The key must not be there yet, and key_of() must know the slot's key. */
void slot_map_add(struct slot_map *map, uint32_t slot, slot_map_key_fn *key_of, const void *arg);

#endif
