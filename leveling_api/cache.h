/* Finished responses, to be sent again while nothing has changed: a page that many ask for is rendered once per change of the data. Of fixed
 * size; a new response takes the place of whatever shares its slot. */
#ifndef LEVELING_API_CACHE_H
#define LEVELING_API_CACHE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct cache;

struct cached {
	unsigned status;
	struct MHD_Response *response; /* the cache's */
	size_t bytes;                  /* of its body */
	const char *route;
};

struct cache *cache_create(void) warn_unused;
void cache_destroy(struct cache *cache);
/* Whether the response for this key was made at this version of the data. */
bool cache_find(struct cache *cache, const struct str *key, uint64_t version, struct cached *ret_cached);
/* Takes the caller's reference to the response and returns true, unless it is too big to be kept or asked for the
 * first time. */
bool cache_keep(struct cache *cache, const struct str *key, uint64_t version, const struct cached *cached);

#endif
