/* See text_heap.h. A reference counts units of 8 bytes through chunks of 2 MiB; unit 0 is never given out. A freed item is kept for
 * the next one of its size. */
#include "text_heap.h"

#include <stdlib.h>
#include <string.h>

#include "big_memory.h"

#define UNIT        8
#define CHUNK_UNITS 262144

static size_t units(size_t len)
{
	return (len + UNIT - 1) / UNIT;
}

static unsigned char *at(const struct text_heap *heap, uint32_t reference)
{
	return heap->chunks[reference / CHUNK_UNITS] + (size_t)(reference % CHUNK_UNITS) * UNIT;
}

void text_heap_finish(struct text_heap *heap)
{
	for (size_t i = 0; i < heap->chunk_count; i++)
		free(heap->chunks[i]);
	free(heap->chunks);
	memset(heap, 0, sizeof(*heap));
}

static void add_chunk(struct text_heap *heap)
{
	if (heap->chunk_count == heap->chunk_room) {
		heap->chunk_room = MAX(heap->chunk_room * 2, (size_t)16);
		heap->chunks = xrealloc(heap->chunks, heap->chunk_room * sizeof(heap->chunks[0]));
	}
	heap->chunks[heap->chunk_count] = big_memory_allocate((size_t)CHUNK_UNITS * UNIT, heap->chunk_count > 0);
	heap->chunk_count++;
	heap->used = heap->chunk_count == 1 ? 1 : 0;
}

uint32_t text_heap_add(struct text_heap *heap, const void *data, size_t len)
{
	size_t n = units(len);
	uint32_t reference = heap->free_lists[n];

	if (reference) {
		memcpy(&heap->free_lists[n], at(heap, reference), sizeof(uint32_t));
	} else {
		if (heap->chunk_count == 0 || heap->used + n > CHUNK_UNITS)
			add_chunk(heap);
		reference = (uint32_t)((heap->chunk_count - 1) * CHUNK_UNITS + heap->used);
		heap->used += n;
	}
	memcpy(at(heap, reference), data, len);
	return reference;
}

void text_heap_free(struct text_heap *heap, uint32_t reference, size_t len)
{
	size_t n = units(len);

	memcpy(at(heap, reference), &heap->free_lists[n], sizeof(uint32_t));
	heap->free_lists[n] = reference;
}

const unsigned char *text_heap_get(const struct text_heap *heap, uint32_t reference)
{
	return at(heap, reference);
}
