/* A chain of blocks, the newest first; allocation moves a mark in the newest one. A request that would waste much of a
 * block gets one of its own, put behind the newest so that the newest goes on being filled. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_SIZE 4096

struct arena_block {
	struct arena_block *next;
	size_t size, used;
	alignas(max_align_t) char data[];
};

static struct arena_block *block_create(size_t size)
{
	struct arena_block *block = xmalloc(sizeof(*block) + size);

	block->next = NULL;
	block->size = size;
	block->used = 0;
	return block;
}

void arena_finish(struct arena *arena)
{
	struct arena_block *block = arena->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	*arena = (struct arena)ARENA_INIT;
}

void arena_reset(struct arena *arena)
{
	struct arena kept = ARENA_INIT;

	/* A block of the ordinary size is worth keeping; one that a large text asked for is not. */
	if (arena->blocks && arena->blocks->size == BLOCK_SIZE) {
		kept.blocks = arena->blocks;
		arena->blocks = kept.blocks->next;
		kept.blocks->next = NULL;
		kept.blocks->used = 0;
	}
	arena_finish(arena);
	*arena = kept;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	size_t rounded;
	void *memory;

	if (size > SIZE_MAX / 4)
		size = SIZE_MAX / 4; /* refused, with the abort of xmalloc() */
	rounded = MAX((size + align - 1) / align * align, align);
	if (!block || block->size - block->used < rounded) {
		struct arena_block *fresh = block_create(rounded > BLOCK_SIZE / 4 ? rounded : BLOCK_SIZE);

		if (block && fresh->size != BLOCK_SIZE) {
			fresh->next = block->next;
			block->next = fresh;
		} else {
			fresh->next = block;
			arena->blocks = fresh;
		}
		block = fresh;
	}
	memory = block->data + block->used;
	block->used += rounded;
	arena->total += rounded;
	return memset(memory, 0, rounded);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;

	return arena_alloc(arena, __builtin_mul_overflow(count, size, &total) ? SIZE_MAX : total);
}

void *arena_copy(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);

	return size ? memcpy(copy, data, size) : copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;

	if (!text)
		return NULL;
	len = strnlen(text, len);
	copy = arena_alloc(arena, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	/* Only an encoding error of a wide string or a text beyond INT_MAX can fail; neither is used. */
	text = arena_alloc(arena, (size_t)MAX(len, 0) + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)MAX(len, 0) + 1, format, args);
	va_end(args);
	return text;
}
