/* See big_memory.h. */
#include "big_memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PAGE ((size_t)2 << 20)

void *big_memory_allocate(size_t size, bool huge)
{
	void *memory;

	if (!huge || size < PAGE)
		return xmalloc(size);
	memory = aligned_alloc(PAGE, (size + PAGE - 1) / PAGE * PAGE);
	if (!memory)
		return xmalloc(size);
	/* Only advice: without big pages it is as slow as it would be anyway. */
	(void)!madvise(memory, (size + PAGE - 1) / PAGE * PAGE, MADV_HUGEPAGE);
	return memory;
}

void *big_memory_grow(void *old, size_t used, size_t size)
{
	void *memory;

	if (size < 2 * PAGE)
		return xrealloc(old, size);
	memory = big_memory_allocate(size, true);
	if (used > 0)
		memcpy(memory, old, used);
	free(old);
	return memory;
}
