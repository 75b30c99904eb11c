/* REST rate limits as Discord has them: a bucket per route and major parameter, and 50 requests a second in all (topics/rate-limits). */
#ifndef FAKE_RATELIMITS_H
#define FAKE_RATELIMITS_H

#include "fake.h"

#define GLOBAL_LIMIT 50 /* in a second */

struct limit_answer {
	bool allowed, global;
	double retry_after; /* seconds, when not allowed */
	char bucket[33];    /* "" when the route has no limit */
	int limit, remaining;
	double reset, reset_after; /* Unix time, and seconds from now */
};

struct rate_limits *limits_create(struct fake *fake);
void limits_destroy(struct rate_limits *limits);
/* Counts a call. `key`: method and template; `major`: the channel, guild or webhook; `global`: whether it counts for the global limit. */
struct limit_answer limits_take(
	struct rate_limits *limits, const char *key, const char *major, int limit, usec window, bool global);

#endif
