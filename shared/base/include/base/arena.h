/* Memory with one lifetime: everything that a command or request allocates goes at once when the arena is finished. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/util.h"

struct arena {
	struct arena_block *blocks;
	size_t total; /* bytes handed out, for limits */
};

/* clang-format off */
#define ARENA_INIT { 0 }
/* clang-format on */

void arena_finish(struct arena *arena);
/* Frees everything but keeps one block for reuse. */
void arena_reset(struct arena *arena);
/* Aligned for any type; zeroed. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size) warn_unused;
/* The same for `count` elements; a product that overflows aborts as any request that cannot be met. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size) warn_unused;
void *arena_copy(struct arena *arena, const void *data, size_t size) warn_unused;
/* NULL stays NULL. */
char *arena_strdup(struct arena *arena, const char *text) warn_unused;
char *arena_strndup(struct arena *arena, const char *text, size_t len) warn_unused;
char *arena_printf(struct arena *arena, const char *format, ...) printf_like(2, 3) warn_unused;

#define arena_new(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
