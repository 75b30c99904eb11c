/* When may a request be sent? A pure model of Discord's rate limits: it is told what is asked for and what was
 * answered, with the time, and says what may go now. It waits for nothing and sends nothing; rest.c does, and a test
 * plays it with a clock of its own.
 *
 * Requests queue in lanes (method, route and major parameter: channel, guild or interaction). A lane draws on a
 * bucket, which the answers' headers name; several lanes may share one, and a lane may change its bucket with any
 * answer (Discord alternates), which moves no queue. Source: Discord's documentation, topics/rate-limits.
 */
#ifndef DISCORD_RATELIMIT_H
#define DISCORD_RATELIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/util.h"

#define RATELIMIT_CLOUDFLARE_PAUSE (60 * SECOND) /* everything rests at least so long after a ban at the edge */
#define RATELIMIT_WAIT_MAX         DAY           /* longer waits are not believed */
#define RATELIMIT_INVALID_WINDOW   (10 * MINUTE)
#define RATELIMIT_INVALID_MAX \
	500 /* 401, 403 and 429 in that window, then the breaker is open; Discord bans at 10,000 */

struct ratelimit;
struct ratelimit_lane;
struct ratelimit_bucket;

struct ratelimit_options {
	int per_second;   /* this service's share of the global limit */
	size_t queue_max; /* requests that may wait in all; 0: 1000 */
	size_t lane_max;  /* and in one lane; 0: 200 */
};

/* A request as the limiter sees it: the caller's memory, zeroed before the first use. It stays where it is until it
 * was answered or cancelled. */
struct ratelimit_request {
	const char *route; /* "POST /channels/{channel.id}/messages"; static text */
	uint64_t major;    /* the id of the channel, guild or interaction; 0: none */
	bool interaction;  /* exempt from the global limit */
	/* private */
	struct ratelimit_lane *lane;
	struct ratelimit_bucket *bucket;
	struct ratelimit_request *prev, *next;
	uint64_t ticket;
	bool queued, in_flight;
};

/* What came back. Times in microseconds, negative: not given. */
struct ratelimit_answer {
	int status;               /* 0: no answer (network) */
	const char *bucket;       /* X-RateLimit-Bucket, NULL: none */
	int64_t limit, remaining; /* -1: not given */
	usec reset_after;
	usec retry_after; /* of the body, else of the header */
	bool global;      /* header or body or scope says so */
	bool shared;      /* X-RateLimit-Scope: shared */
	bool edge;        /* Cloudflare's word, not the API's: code 40333, or a 429 without JSON or without a time */
};

struct ratelimit *ratelimit_create(const struct ratelimit_options *options);
/* Nothing may be queued or in flight. */
void ratelimit_destroy(struct ratelimit *limiter);

/* Queues. -EBUSY: too many wait, or the breaker is open. */
int ratelimit_submit(struct ratelimit *limiter, struct ratelimit_request *request, usec now) warn_unused;
/* The next request that may be sent now; it is in flight from here on. NULL: none. First come, first served among
 * those that may go. */
struct ratelimit_request *ratelimit_next(struct ratelimit *limiter, usec now);
/* When ratelimit_next() may have one again without further answers; INT64_MAX: never. */
usec ratelimit_wake_at(const struct ratelimit *limiter, usec now);
/* The request was answered (or failed: status 0). It may be submitted again, and then keeps its place before later
 * ones. */
void ratelimit_answered(
	struct ratelimit *limiter, struct ratelimit_request *request, const struct ratelimit_answer *answer, usec now);
/* Takes a request out, wherever it is; fine when it is nowhere. */
void ratelimit_cancel(struct ratelimit *limiter, struct ratelimit_request *request, usec now);

/* The earliest time at which a queued request could go, as far as pauses and exhausted buckets say; `now` or before:
 * perhaps at once. */
usec ratelimit_earliest(const struct ratelimit *limiter, const struct ratelimit_request *request, usec now);
bool ratelimit_breaker_open(const struct ratelimit *limiter, usec now);
size_t ratelimit_queued(const struct ratelimit *limiter);
size_t ratelimit_lanes(const struct ratelimit *limiter);
size_t ratelimit_buckets(const struct ratelimit *limiter);

#endif
