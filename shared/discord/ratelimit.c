/* The rate limiter's model: lanes (where requests queue), buckets (what Discord counts) and what stands above all of
 * them (the global share, pauses, the breaker).
 *
 * Nothing can get stuck: a bucket without a request in flight never blocks longer than until its reset, and a lane
 * whose bucket is unknown lets one request through at a time, whose answer or failure frees the next.
 */
#include "discord/ratelimit.h"

#include <errno.h>
#include <stdlib.h>
/* the default hash falls through switch labels in a way that clang warns of */
#define HASH_FUNCTION(key, length, value) HASH_FNV(key, length, value)
#include <uthash.h>
#include <utlist.h>

#define NEVER           INT64_MAX
#define PRUNE_INTERVAL  (5 * MINUTE)
#define BUCKET_NAME_MAX 64
#define QUEUE_MAX       1000
#define LANE_MAX        200
#define RETRY_DEFAULT   SECOND /* a 429 that names no time */
/* Resets that lie closer together are the same window, seen through two answers. */
#define SAME_WINDOW (250 * MILLISECOND)

/* What Discord counts: a bucket's name together with the major parameter. Before its name is known a lane has a
 * bucket of its own without one. */
struct bucket_key {
	uint64_t major;
	char name[BUCKET_NAME_MAX];
};

struct ratelimit_bucket {
	struct bucket_key key;
	bool named; /* in the table */
	bool known; /* limit, remaining and reset_at were told */
	int64_t limit, remaining;
	usec reset_at;
	bool refreshed;     /* the window that began at reset_at is counted from `limit`, not from an answer */
	usec blocked_until; /* after a 429 */
	unsigned in_flight, lanes;
	UT_hash_handle hh;
};

struct lane_key {
	const char *route;
	uint64_t major;
};

struct ratelimit_lane {
	struct lane_key key;
	struct ratelimit_bucket *bucket; /* what the next request draws on */
	struct ratelimit_request *queue;
	size_t queued;
	unsigned in_flight;
	usec blocked_until; /* after a 429 of a limit below the bucket's */
	usec used_at;
	UT_hash_handle hh;
	struct ratelimit_lane *prev, *next; /* lanes with queued requests */
};

/* The bucket's name that a route had last: where a lane with another major parameter begins. */
struct route {
	const char *route;
	char name[BUCKET_NAME_MAX];
	UT_hash_handle hh;
};

struct ratelimit {
	struct ratelimit_options options;
	struct ratelimit_lane *lanes, *waiting;
	struct ratelimit_bucket *buckets;
	struct route *routes;
	size_t queued;
	uint64_t tickets;
	usec paused_until;        /* everything */
	usec global_paused_until; /* everything but interactions */
	usec *sent;               /* times of the last per_second requests under the global limit: a ring */
	size_t sent_next;
	usec invalid[RATELIMIT_INVALID_MAX]; /* times of invalid answers: a ring */
	size_t invalid_next, invalid_count;
	usec pruned_at;
};

struct ratelimit *ratelimit_create(const struct ratelimit_options *options)
{
	struct ratelimit *l = xcalloc(1, sizeof(*l));

	l->options = *options;
	if (l->options.per_second < 1)
		l->options.per_second = 1;
	if (l->options.queue_max == 0)
		l->options.queue_max = QUEUE_MAX;
	if (l->options.lane_max == 0)
		l->options.lane_max = LANE_MAX;
	l->sent = xcalloc((size_t)l->options.per_second, sizeof(*l->sent));
	for (int i = 0; i < l->options.per_second; i++)
		l->sent[i] = INT64_MIN / 2;
	l->pruned_at = INT64_MIN / 2;
	return l;
}

/* ---- buckets and lanes ---- */

static void bucket_release(struct ratelimit_bucket *bucket)
{
	if (!bucket->named && bucket->lanes == 0 && bucket->in_flight == 0)
		free(bucket);
}

static struct ratelimit_bucket *bucket_get(struct ratelimit *l, const char *name, uint64_t major)
{
	struct bucket_key key;
	struct ratelimit_bucket *bucket;

	memset(&key, 0, sizeof(key)); /* all bytes are hashed */
	key.major = major;
	memcpy(key.name, name, strlen(name));
	HASH_FIND(hh, l->buckets, &key, sizeof(key), bucket);
	if (bucket)
		return bucket;
	bucket = xcalloc(1, sizeof(*bucket));
	bucket->key = key;
	bucket->named = true;
	HASH_ADD(hh, l->buckets, key, sizeof(bucket->key), bucket);
	return bucket;
}

static void lane_set_bucket(struct ratelimit_lane *lane, struct ratelimit_bucket *bucket)
{
	struct ratelimit_bucket *old = lane->bucket;

	if (old == bucket)
		return;
	lane->bucket = bucket;
	bucket->lanes++;
	if (!old)
		return;
	old->lanes--;
	bucket_release(old);
}

static struct ratelimit_lane *lane_get(struct ratelimit *l, const char *route, uint64_t major)
{
	struct lane_key key;
	struct ratelimit_lane *lane;
	struct route *known;

	memset(&key, 0, sizeof(key));
	key.route = route;
	key.major = major;
	HASH_FIND(hh, l->lanes, &key, sizeof(key), lane);
	if (lane)
		return lane;
	lane = xcalloc(1, sizeof(*lane));
	lane->key = key;
	HASH_ADD(hh, l->lanes, key, sizeof(lane->key), lane);
	HASH_FIND_PTR(l->routes, &route, known);
	lane_set_bucket(lane, known ? bucket_get(l, known->name, major) : xcalloc(1, sizeof(struct ratelimit_bucket)));
	return lane;
}

static void route_learn(struct ratelimit *l, const char *route, const char *name)
{
	struct route *known;

	HASH_FIND_PTR(l->routes, &route, known);
	if (!known) {
		known = xcalloc(1, sizeof(*known));
		known->route = route;
		HASH_ADD_PTR(l->routes, route, known);
	}
	memcpy(known->name, name, strlen(name) + 1);
}

static void lane_free(struct ratelimit *l, struct ratelimit_lane *lane)
{
	HASH_DEL(l->lanes, lane); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
	lane->bucket->lanes--;
	bucket_release(lane->bucket);
	free(lane);
}

/* Forgets lanes that were not used for a while, then buckets that nobody draws on and that hold nothing back. */
static void prune(struct ratelimit *l, usec now)
{
	if (now - l->pruned_at < PRUNE_INTERVAL)
		return;
	l->pruned_at = now;
	for (struct ratelimit_lane *lane = l->lanes, *next; lane; lane = next) {
		next = lane->hh.next;
		if (lane->queued == 0 && lane->in_flight == 0 && now >= lane->blocked_until &&
			now - lane->used_at >= PRUNE_INTERVAL)
			lane_free(l, lane);
	}
	for (struct ratelimit_bucket *bucket = l->buckets, *next; bucket; bucket = next) {
		next = bucket->hh.next;
		if (bucket->lanes > 0 || bucket->in_flight > 0 || now < bucket->reset_at || now < bucket->blocked_until)
			continue;
		HASH_DEL(l->buckets, bucket); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		free(bucket);
	}
}

void ratelimit_destroy(struct ratelimit *l)
{
	if (!l)
		return;
	for (struct ratelimit_lane *lane = l->lanes, *next; lane; lane = next) {
		next = lane->hh.next;
		lane_free(l, lane);
	}
	for (struct ratelimit_bucket *bucket = l->buckets, *next; bucket; bucket = next) {
		next = bucket->hh.next;
		HASH_DEL(l->buckets, bucket); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		free(bucket);
	}
	for (struct route *route = l->routes, *next; route; route = next) {
		next = route->hh.next;
		HASH_DEL(l->routes, route); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		free(route);
	}
	free(l->sent);
	free(l);
}

/* ---- the breaker ---- */

static void invalid_count(struct ratelimit *l, usec now)
{
	l->invalid[l->invalid_next] = now;
	l->invalid_next = (l->invalid_next + 1) % RATELIMIT_INVALID_MAX;
	l->invalid_count = MIN(l->invalid_count + 1, RATELIMIT_INVALID_MAX);
}

/* Until when the breaker is open; INT64_MIN: it is closed. */
static usec breaker_until(const struct ratelimit *l)
{
	if (l->invalid_count < RATELIMIT_INVALID_MAX)
		return INT64_MIN;
	return l->invalid[l->invalid_next] + RATELIMIT_INVALID_WINDOW;
}

bool ratelimit_breaker_open(const struct ratelimit *l, usec now)
{
	return now < breaker_until(l);
}

/* ---- what may go when ---- */

/* When the bucket lets one more request through; NEVER: not before an answer comes. */
static usec bucket_ready_at(const struct ratelimit_bucket *bucket)
{
	if (!bucket->known)
		return bucket->in_flight > 0 ? NEVER : bucket->blocked_until;
	if (bucket->remaining > 0)
		return bucket->blocked_until;
	if (bucket->refreshed && bucket->in_flight > 0)
		return NEVER;
	return MAX(bucket->reset_at, bucket->blocked_until);
}

static usec global_ready_at(const struct ratelimit *l)
{
	return MAX(l->global_paused_until, l->sent[l->sent_next] + SECOND);
}

static usec request_ready_at(const struct ratelimit *l, const struct ratelimit_request *request)
{
	usec at = MAX(request->lane->blocked_until, bucket_ready_at(request->lane->bucket));

	at = MAX(at, MAX(l->paused_until, breaker_until(l)));
	return request->interaction ? at : MAX(at, global_ready_at(l));
}

static void bucket_take(struct ratelimit_bucket *bucket, usec now)
{
	if (bucket->known) {
		/* the window is over: a new one begins with this request */
		if (bucket->remaining <= 0 || (now >= bucket->reset_at && !bucket->refreshed)) {
			bucket->remaining = MAX(bucket->limit - (int64_t)bucket->in_flight, 1);
			bucket->refreshed = true;
		}
		bucket->remaining--;
	}
	bucket->in_flight++;
}

/* ---- the queue ---- */

static int ticket_order(const struct ratelimit_request *a, const struct ratelimit_request *b)
{
	return a->ticket < b->ticket ? -1 : a->ticket > b->ticket;
}

static void enqueue(struct ratelimit *l, struct ratelimit_lane *lane, struct ratelimit_request *request)
{
	struct ratelimit_request *queue = lane->queue;

	if (lane->queued == 0)
		DL_APPEND(l->waiting, lane);
	/* the usual case is the end of the queue; only what is repeated goes before others */
	if (queue && ticket_order(request, queue->prev) < 0)
		DL_INSERT_INORDER(queue, request, ticket_order);
	else
		DL_APPEND(queue, request);
	lane->queue = queue;
	lane->queued++;
	l->queued++;
	request->lane = lane;
	request->queued = true;
}

static void dequeue(struct ratelimit *l, struct ratelimit_request *request)
{
	struct ratelimit_lane *lane = request->lane;

	DL_DELETE(lane->queue, request);
	lane->queued--;
	l->queued--;
	if (lane->queued == 0)
		DL_DELETE(l->waiting, lane);
	request->queued = false;
}

int ratelimit_submit(struct ratelimit *l, struct ratelimit_request *request, usec now)
{
	struct ratelimit_lane *lane;

	prune(l, now);
	if (ratelimit_breaker_open(l, now) || l->queued >= l->options.queue_max)
		return -EBUSY;
	lane = lane_get(l, request->route, request->major);
	lane->used_at = now;
	if (lane->queued >= l->options.lane_max)
		return -EBUSY;
	if (request->ticket == 0)
		request->ticket = ++l->tickets;
	enqueue(l, lane, request);
	return 0;
}

struct ratelimit_request *ratelimit_next(struct ratelimit *l, usec now)
{
	struct ratelimit_request *best = NULL;
	struct ratelimit_lane *lane;

	for (lane = l->waiting; lane; lane = lane->next) {
		struct ratelimit_request *head = lane->queue;

		if ((!best || head->ticket < best->ticket) && now >= request_ready_at(l, head))
			best = head;
	}
	if (!best)
		return NULL;
	lane = best->lane;
	dequeue(l, best);
	best->bucket = lane->bucket;
	best->in_flight = true;
	bucket_take(lane->bucket, now);
	lane->in_flight++;
	lane->used_at = now;
	if (!best->interaction) {
		l->sent[l->sent_next] = now;
		l->sent_next = (l->sent_next + 1) % (size_t)l->options.per_second;
	}
	return best;
}

usec ratelimit_wake_at(const struct ratelimit *l, usec now)
{
	usec at = NEVER;

	for (struct ratelimit_lane *lane = l->waiting; lane; lane = lane->next)
		at = MIN(at, request_ready_at(l, lane->queue));
	return MAX(at, now);
}

usec ratelimit_earliest(const struct ratelimit *l, const struct ratelimit_request *request, usec now)
{
	usec at = request_ready_at(l, request);

	return at == NEVER ? now : at; /* an answer that is under way will tell */
}

/* ---- answers ---- */

static void bucket_update(struct ratelimit_bucket *bucket, const struct ratelimit_answer *answer, usec now)
{
	usec reset_at = now + MIN(answer->reset_after, RATELIMIT_WAIT_MAX);
	bool same = bucket->known && !bucket->refreshed && reset_at - bucket->reset_at < SAME_WINDOW &&
		    bucket->reset_at - reset_at < SAME_WINDOW;

	/* in the window that is being counted our own count knows of the requests that are still under way */
	bucket->remaining = same ? MIN(bucket->remaining, answer->remaining)
				 : MAX(answer->remaining - (int64_t)bucket->in_flight, 0);
	bucket->limit = answer->limit;
	bucket->reset_at = reset_at;
	bucket->refreshed = false;
	bucket->known = true;
}

/* A route that names no limit has none of its own. */
static void bucket_unlimited(struct ratelimit_bucket *bucket)
{
	bucket->limit = bucket->remaining = INT64_MAX / 2;
	bucket->reset_at = INT64_MIN / 2;
	bucket->refreshed = true;
	bucket->known = true;
}

static void learn(
	struct ratelimit *l, const struct ratelimit_request *request, const struct ratelimit_answer *answer, usec now)
{
	struct ratelimit_lane *lane = request->lane;
	bool named = answer->bucket && answer->bucket[0] != '\0' && strlen(answer->bucket) < BUCKET_NAME_MAX;

	if (named) {
		route_learn(l, lane->key.route, answer->bucket);
		lane_set_bucket(lane, bucket_get(l, answer->bucket, lane->key.major));
	}
	if (answer->limit > 0 && answer->remaining >= 0 && answer->reset_after >= 0)
		bucket_update(lane->bucket, answer, now);
	else if (!named && !lane->bucket->named && answer->status >= 200 && answer->status < 300)
		bucket_unlimited(lane->bucket);
}

static void too_many(
	struct ratelimit *l, const struct ratelimit_request *request, const struct ratelimit_answer *answer, usec now)
{
	struct ratelimit_lane *lane = request->lane;
	usec wait = answer->retry_after < 0 ? RETRY_DEFAULT : MIN(answer->retry_after, RATELIMIT_WAIT_MAX);
	usec until = now + wait;

	if (answer->edge) {
		l->paused_until = MAX(l->paused_until, now + MAX(wait, RATELIMIT_CLOUDFLARE_PAUSE));
	} else if (answer->global && !request->interaction) {
		l->global_paused_until = MAX(l->global_paused_until, until);
	} else if (answer->remaining > 0) {
		/* the bucket has room: a limit below it, of this route or of what it changes */
		lane->blocked_until = MAX(lane->blocked_until, until);
	} else {
		lane->bucket->blocked_until = MAX(lane->bucket->blocked_until, until);
		lane->bucket->remaining = MIN(lane->bucket->remaining, 0);
		lane->bucket->reset_at = MAX(lane->bucket->reset_at, until);
		lane->bucket->refreshed = false;
	}
}

void ratelimit_answered(
	struct ratelimit *l, struct ratelimit_request *request, const struct ratelimit_answer *answer, usec now)
{
	struct ratelimit_lane *lane = request->lane;
	struct ratelimit_bucket *bucket = request->bucket;

	lane->in_flight--;
	lane->used_at = now;
	bucket->in_flight--;
	request->in_flight = false;
	request->bucket = NULL;
	bucket->lanes++; /* must outlive the change of the lane's bucket, if there is one */
	learn(l, request, answer, now);
	bucket->lanes--;
	bucket_release(bucket);
	if (answer->status == 429 || answer->edge)
		too_many(l, request, answer, now);
	if (answer->status == 401 || answer->status == 403 || (answer->status == 429 && !answer->shared))
		invalid_count(l, now);
}

void ratelimit_cancel(struct ratelimit *l, struct ratelimit_request *request, usec now)
{
	static const struct ratelimit_answer none = {
		.limit = -1, .remaining = -1, .reset_after = -1, .retry_after = -1
	};

	if (request->queued)
		dequeue(l, request);
	else if (request->in_flight)
		ratelimit_answered(l, request, &none, now);
}

/* ---- figures ---- */

size_t ratelimit_queued(const struct ratelimit *l)
{
	return l->queued;
}

size_t ratelimit_lanes(const struct ratelimit *l)
{
	return HASH_COUNT(l->lanes);
}

size_t ratelimit_buckets(const struct ratelimit *l)
{
	return HASH_COUNT(l->buckets);
}
