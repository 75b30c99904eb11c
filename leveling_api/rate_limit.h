/* So many requests a minute for each client address. Buckets of tokens in a table of fixed size: an attacker with many addresses makes old
 * ones be forgotten, not memory grow. */
#ifndef LEVELING_API_RATE_LIMIT_H
#define LEVELING_API_RATE_LIMIT_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/util.h"

struct rate_limit;

struct rate_limit_result {
	bool allowed;
	int64_t limit, remaining;
	int64_t reset; /* seconds until the bucket is full again; when refused, until the next request is allowed */
};

struct rate_limit *rate_limit_create(int64_t per_minute) warn_unused;
void rate_limit_destroy(struct rate_limit *limit);
/* `address` as text: IPv4 counts as it is (also as "::ffff:192.0.2.7"), of IPv6 the first 64 bits, because that is what one customer gets. */
struct rate_limit_result rate_limit_take(struct rate_limit *limit, const char *address, usec now);

#endif
