/* Memory in pages of 2 MiB: who jumps about in a hundred megabytes spends more time on finding small pages than on reading them. */
#ifndef LEVELING_API_BIG_MEMORY_H
#define LEVELING_API_BIG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/util.h"

/* Never NULL; for free(). `huge`: it is going to be filled, so that big pages waste nothing. */
void *big_memory_allocate(size_t size, bool huge) warn_unused;
/* Like realloc(); from some megabytes on in big pages. `used` bytes are kept. */
void *big_memory_grow(void *old, size_t used, size_t size) warn_unused;

#endif
