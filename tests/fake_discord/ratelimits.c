/* REST rate limits: see ratelimits.h. */
#include "ratelimits.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#define BUCKETS_MAX 4096 /* then all are forgotten */

struct bucket {
	char *key;
	usec ends; /* of the current window, monotonic */
	int used;
	UT_hash_handle hh;
};

struct rate_limits {
	struct fake *fake;
	struct bucket *buckets;
	bool off;
	usec global_ends;
	int global_used;
	char *alternating; /* the template whose bucket changes its name */
	unsigned flips;
};

struct rate_limits *limits_create(struct fake *fake)
{
	struct rate_limits *limits = xcalloc(1, sizeof(*limits));

	limits->fake = fake;
	limits->off = fake->options.no_rate_limits;
	return limits;
}

static void forget_all(struct rate_limits *limits)
{
	struct bucket *bucket, *next;

	HASH_ITER (hh, limits->buckets, bucket, next) {
		HASH_DEL(limits->buckets, bucket); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		free(bucket->key);
		free(bucket);
	}
	limits->global_ends = 0;
	limits->global_used = 0;
}

void limits_destroy(struct rate_limits *limits)
{
	if (!limits)
		return;
	forget_all(limits);
	free(limits->alternating);
	free(limits);
}

/* What X-RateLimit-Bucket says: the same for one route, whatever its major parameter (FNV-1a, twice). */
static void bucket_name(const char *key, unsigned flip, char *out, size_t size)
{
	uint64_t a = 0xcbf29ce484222325ULL + flip, b;

	for (const char *p = key; *p; p++)
		a = (a ^ (unsigned char)*p) * 0x100000001b3ULL;
	b = a * 0x9e3779b97f4a7c15ULL;
	snprintf(out, size, "%016llx%016llx", (unsigned long long)a, (unsigned long long)b);
}

static struct bucket *find_bucket(struct rate_limits *limits, const char *name, const char *major)
{
	char *key = xasprintf("%s:%s", name, major);
	struct bucket *bucket;

	HASH_FIND_STR(limits->buckets, key, bucket);
	if (bucket) {
		free(key);
		return bucket;
	}
	if (HASH_COUNT(limits->buckets) >= BUCKETS_MAX)
		forget_all(limits);
	bucket = xcalloc(1, sizeof(*bucket));
	bucket->key = key;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): others were freed */
	HASH_ADD_KEYPTR(hh, limits->buckets, bucket->key, strlen(bucket->key), bucket);
	return bucket;
}

/* Whether one more request fits into this second. */
static bool global_allows(struct rate_limits *limits, usec now, double *ret_wait)
{
	if (now >= limits->global_ends) {
		limits->global_ends = now + SECOND;
		limits->global_used = 0;
	}
	if (limits->global_used < GLOBAL_LIMIT) {
		limits->global_used++;
		return true;
	}
	*ret_wait = (double)(limits->global_ends - now) / SECOND;
	return false;
}

struct limit_answer limits_take(
	struct rate_limits *limits, const char *key, const char *major, int limit, usec window, bool global)
{
	struct limit_answer answer = { .allowed = true, .limit = limit };
	usec now = fake_now(limits->fake);
	struct bucket *bucket;
	unsigned flip = 0;

	if (global && !limits->off && !global_allows(limits, now, &answer.retry_after)) {
		answer.allowed = false;
		answer.global = true;
		return answer;
	}
	if (!limit || !window)
		return answer;
	if (limits->alternating && strstr(key, limits->alternating))
		flip = limits->flips++ & 1;
	window = (usec)((double)window * limits->fake->options.rate_scale);
	bucket_name(key, flip, answer.bucket, sizeof(answer.bucket));
	bucket = find_bucket(limits, answer.bucket, major);
	if (now >= bucket->ends) {
		bucket->ends = now + window;
		bucket->used = 0;
	}
	if (bucket->used < limit)
		bucket->used++;
	else if (!limits->off)
		answer.allowed = false;
	answer.remaining = limit - bucket->used;
	answer.reset_after = (double)(bucket->ends - now) / SECOND;
	answer.reset = (double)fake_time(limits->fake) / SECOND + answer.reset_after;
	if (!answer.allowed)
		answer.retry_after = answer.reset_after;
	return answer;
}

/* ---- the public functions ---- */

void fake_reset_rate_limits(struct fake *fake)
{
	forget_all(fake->limits);
}

void fake_set_rate_limits(struct fake *fake, bool on)
{
	fake->limits->off = !on;
}

void fake_alternate_buckets(struct fake *fake, const char *template)
{
	replace_text(&fake->limits->alternating, template);
}
