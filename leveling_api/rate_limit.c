/* See rate_limit.h. */
#include "rate_limit.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define SETS 2048
#define WAYS 4

struct bucket {
	uint64_t key;   /* 0: free */
	int64_t tokens; /* in microseconds' worth: one request costs `cost` */
	usec filled;
};

struct rate_limit {
	int64_t per_minute;
	usec cost, full;
	struct bucket buckets[SETS][WAYS];
};

struct rate_limit *rate_limit_create(int64_t per_minute)
{
	struct rate_limit *limit = xcalloc(1, sizeof(*limit));

	limit->per_minute = per_minute;
	limit->cost = MAX(MINUTE / per_minute, (usec)1);
	limit->full = limit->cost * per_minute;
	return limit;
}

void rate_limit_destroy(struct rate_limit *limit)
{
	free(limit);
}

static uint64_t key_of(const char *address)
{
	uint64_t key = UINT64_C(1) << 63;
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, address, &v4) == 1)
		return key | v4.s_addr;
	if (inet_pton(AF_INET6, address, &v6) != 1)
		return key;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		memcpy(&v4, v6.s6_addr + 12, sizeof(v4));
		return key | v4.s_addr;
	}
	memcpy(&key, v6.s6_addr, sizeof(key));
	return key ? key : 1;
}

static struct bucket *find(struct rate_limit *limit, uint64_t key, usec now)
{
	struct bucket *set = limit->buckets[(key * UINT64_C(0x9E3779B97F4A7C15)) >> 53], *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].filled < oldest->filled)
			oldest = &set[i];
	}
	*oldest = (struct bucket){ .key = key, .tokens = limit->full, .filled = now };
	return oldest;
}

struct rate_limit_result rate_limit_take(struct rate_limit *limit, const char *address, usec now)
{
	struct bucket *bucket = find(limit, key_of(address), now);
	struct rate_limit_result result = { .limit = limit->per_minute };

	bucket->tokens = MIN(limit->full, bucket->tokens + (now - bucket->filled));
	bucket->filled = now;
	result.allowed = bucket->tokens >= limit->cost;
	if (result.allowed)
		bucket->tokens -= limit->cost;
	result.remaining = bucket->tokens / limit->cost;
	result.reset = ((result.allowed ? limit->full : limit->cost) - bucket->tokens + SECOND - 1) / SECOND;
	return result;
}
