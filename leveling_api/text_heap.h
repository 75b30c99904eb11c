/* Millions of short texts that come and go: 4 bytes for a reference, rounding up to 8 bytes as the only overhead. */
#ifndef LEVELING_API_TEXT_HEAP_H
#define LEVELING_API_TEXT_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

#define TEXT_HEAP_ITEM_MAX 32768

struct text_heap {
	unsigned char **chunks;
	size_t chunk_count, chunk_room;
	size_t used;                                     /* units of the last chunk */
	uint32_t free_lists[TEXT_HEAP_ITEM_MAX / 8 + 1]; /* by size in units; 0: none */
};

void text_heap_finish(struct text_heap *heap);
/* Never 0. `len` is 1..TEXT_HEAP_ITEM_MAX. */
uint32_t text_heap_add(struct text_heap *heap, const void *data, size_t len);
/* The same `len` as when it was added. */
void text_heap_free(struct text_heap *heap, uint32_t reference, size_t len);
const unsigned char *text_heap_get(const struct text_heap *heap, uint32_t reference);

#endif
