/* discord/ratelimit.h with a clock of its own. Whatever happens, nothing may be sent that Discord forbade, and
 * nothing may get stuck. */
#include "test.h"

#include "base/random.h"
#include "discord/ratelimit.h"

#define POST_MESSAGE "POST /channels/{channel.id}/messages"
#define PUT_REACTION "PUT /channels/{channel.id}/messages/{message.id}/reactions/{emoji}/@me"
#define START        (1000 * SECOND)

static struct ratelimit *make(int per_second)
{
	return ratelimit_create(&(struct ratelimit_options){ .per_second = per_second });
}

static struct ratelimit_answer silence(void)
{
	return (struct ratelimit_answer){ .limit = -1, .remaining = -1, .reset_after = -1, .retry_after = -1 };
}

static struct ratelimit_answer told(const char *bucket, int limit, int remaining, usec reset_after)
{
	return (struct ratelimit_answer){
		.status = 200,
		.bucket = bucket,
		.limit = limit,
		.remaining = remaining,
		.reset_after = reset_after,
		.retry_after = -1,
	};
}

static struct ratelimit_answer refused(const char *bucket, int remaining, usec retry_after)
{
	struct ratelimit_answer answer = told(bucket, 5, remaining, retry_after);

	answer.status = 429;
	answer.retry_after = retry_after;
	return answer;
}

static void submit(struct ratelimit *l, struct ratelimit_request *request, usec now)
{
	assert_int_equal(ratelimit_submit(l, request, now), 0);
}

static void answer(struct ratelimit *l, struct ratelimit_request *request, struct ratelimit_answer what, usec now)
{
	ratelimit_answered(l, request, &what, now);
}

/* One request through to its answer, which must go at once. */
static void pass(struct ratelimit *l, const char *route, uint64_t major, struct ratelimit_answer what, usec now)
{
	struct ratelimit_request request = { .route = route, .major = major };

	submit(l, &request, now);
	assert_ptr_equal(ratelimit_next(l, now), &request);
	answer(l, &request, what, now);
}

static size_t drain(struct ratelimit *l, usec now)
{
	size_t n = 0;

	while (ratelimit_next(l, now))
		n++;
	return n;
}

static void finish(struct ratelimit *l, struct ratelimit_request *requests, size_t count, usec now)
{
	for (size_t i = 0; i < count; i++)
		ratelimit_cancel(l, &requests[i], now);
	assert_int_equal(ratelimit_queued(l), 0);
	ratelimit_destroy(l);
}

static void unknown_routes_go_one_at_a_time(void **state)
{
	struct ratelimit_request requests[4] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], START);
	}
	assert_ptr_equal(ratelimit_next(l, START), &requests[0]);
	assert_null(ratelimit_next(l, START));
	assert_int_equal(ratelimit_wake_at(l, START), INT64_MAX); /* only an answer can free the next */
	answer(l, &requests[0], told("abc", 5, 4, 5 * SECOND), START);
	assert_int_equal(drain(l, START), 3);
	assert_int_equal(ratelimit_buckets(l), 1);
	finish(l, requests, 4, START);
}

static void failures_free_the_next_of_an_unknown_route(void **state)
{
	struct ratelimit_request requests[3] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		requests[i].route = POST_MESSAGE;
		submit(l, &requests[i], START);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(ratelimit_next(l, START), &requests[i]);
		assert_null(ratelimit_next(l, START));
		answer(l, &requests[i], silence(), START);
	}
	finish(l, requests, 3, START);
}

static void an_exhausted_bucket_waits_for_its_reset(void **state)
{
	struct ratelimit_request requests[7] = { 0 };
	struct ratelimit *l = make(50);
	usec reset = START + 1250 * MILLISECOND;

	(void)state;
	pass(l, POST_MESSAGE, 1, told("abc", 5, 0, 1250 * MILLISECOND), START);
	for (size_t i = 0; i < 7; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], START);
	}
	assert_null(ratelimit_next(l, START));
	assert_int_equal(ratelimit_wake_at(l, START), reset);
	assert_int_equal(ratelimit_earliest(l, &requests[0], START), reset);
	assert_null(ratelimit_next(l, reset - 1));
	assert_int_equal(drain(l, reset), 5); /* a whole window, and no more before its answers */
	assert_int_equal(ratelimit_wake_at(l, reset), INT64_MAX);
	assert_int_equal(ratelimit_earliest(l, &requests[6], reset), reset);
	answer(l, &requests[0], told("abc", 5, 4, SECOND), reset);
	assert_int_equal(drain(l, reset), 0); /* four more are under way: they use up what is left */
	finish(l, requests, 7, reset);
}

static void majors_do_not_share_a_bucket(void **state)
{
	struct ratelimit_request other = { .route = POST_MESSAGE, .major = 2 },
				 same = { .route = POST_MESSAGE, .major = 1 };
	struct ratelimit *l = make(50);

	(void)state;
	pass(l, POST_MESSAGE, 1, told("abc", 5, 0, SECOND), START);
	submit(l, &same, START);
	submit(l, &other, START);
	assert_ptr_equal(ratelimit_next(l, START), &other);
	assert_null(ratelimit_next(l, START));
	ratelimit_cancel(l, &same, START);
	answer(l, &other, told("abc", 5, 4, SECOND), START);
	assert_int_equal(ratelimit_buckets(l), 2);
	ratelimit_destroy(l);
}

static void routes_with_one_hash_share_a_bucket(void **state)
{
	struct ratelimit_request request = { .route = PUT_REACTION, .major = 1 };
	struct ratelimit *l = make(50);

	(void)state;
	pass(l, PUT_REACTION, 1, told("same", 5, 4, SECOND), START);
	pass(l, POST_MESSAGE, 1, told("same", 5, 0, SECOND), START);
	submit(l, &request, START);
	assert_null(ratelimit_next(l, START));
	assert_ptr_equal(ratelimit_next(l, START + SECOND), &request);
	finish(l, &request, 1, START);
}

static void a_route_without_headers_has_no_limit_of_its_own(void **state)
{
	struct ratelimit_request requests[20] = { 0 };
	struct ratelimit_answer plain = silence();
	struct ratelimit *l = make(50);

	(void)state;
	plain.status = 204;
	pass(l, "GET /gateway/bot", 0, plain, START);
	for (size_t i = 0; i < 20; i++) {
		requests[i].route = "GET /gateway/bot";
		submit(l, &requests[i], START);
	}
	assert_int_equal(drain(l, START), 20);
	finish(l, requests, 20, START);
}

/* Case 13: Discord answers one route with two hashes in turn. */
static void alternating_hashes_leave_nothing_behind(void **state)
{
	struct ratelimit_request requests[60] = { 0 };
	struct ratelimit *l = make(1000);
	size_t sent = 0, answered = 0;
	usec now = START;

	(void)state;
	for (size_t i = 0; i < 60; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], now);
	}
	for (int turn = 0; turn < 1000 && answered < 60; turn++) {
		while (ratelimit_next(l, now))
			sent++;
		if (answered < sent) {
			answer(l, &requests[answered],
				told(answered % 2 ? "one" : "two", 3, (int)(answered % 3), 700 * MILLISECOND), now);
			answered++;
		} else {
			usec at = ratelimit_wake_at(l, now);

			assert_true(at != INT64_MAX && at > now);
			now = at;
		}
	}
	assert_int_equal(answered, 60);
	assert_true(now - START < 60 * SECOND);
	finish(l, requests, 60, now);
}

static void first_requests_in_parallel_lanes_settle(void **state)
{
	struct ratelimit_request requests[10] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	for (size_t i = 0; i < 10; i++) {
		requests[i].route = i % 2 ? POST_MESSAGE : PUT_REACTION;
		requests[i].major = 1 + i / 5;
		submit(l, &requests[i], START);
	}
	assert_int_equal(drain(l, START), 4); /* two routes, two channels */
	for (size_t i = 0; i < 10; i++)
		if (requests[i].in_flight)
			answer(l, &requests[i], told("shared", 10, 9, SECOND), START);
	assert_int_equal(drain(l, START), 6);
	finish(l, requests, 10, START);
}

/* ---- 429 ---- */

static void user_limit_holds_its_bucket(void **state)
{
	struct ratelimit_request again = { .route = POST_MESSAGE, .major = 1 },
				 other = { .route = PUT_REACTION, .major = 1 };
	struct ratelimit *l = make(50);
	usec free_at = START + 1337 * MILLISECOND;

	(void)state;
	submit(l, &again, START);
	assert_non_null(ratelimit_next(l, START));
	answer(l, &again, refused("abc", 0, 1337 * MILLISECOND), START);
	submit(l, &again, START);
	submit(l, &other, START);
	assert_ptr_equal(ratelimit_next(l, START), &other);
	assert_null(ratelimit_next(l, free_at - 1));
	assert_ptr_equal(ratelimit_next(l, free_at), &again);
	answer(l, &again, told("abc", 5, 4, SECOND), free_at);
	finish(l, &other, 1, free_at);
}

static void a_429_without_headers_still_waits(void **state)
{
	struct ratelimit_request request = { .route = POST_MESSAGE, .major = 1 };
	struct ratelimit_answer bare = silence();
	struct ratelimit *l = make(50);

	(void)state;
	submit(l, &request, START);
	assert_non_null(ratelimit_next(l, START));
	bare.status = 429;
	answer(l, &request, bare, START);
	submit(l, &request, START);
	assert_null(ratelimit_next(l, START + SECOND - 1));
	assert_non_null(ratelimit_next(l, START + SECOND));
	finish(l, &request, 1, START);
}

static void waits_beyond_reason_are_not_believed(void **state)
{
	struct ratelimit_request request = { .route = POST_MESSAGE, .major = 1 };
	struct ratelimit *l = make(50);

	(void)state;
	submit(l, &request, START);
	assert_non_null(ratelimit_next(l, START));
	answer(l, &request, refused("abc", 0, INT64_MAX / 4), START);
	submit(l, &request, START);
	assert_int_equal(ratelimit_wake_at(l, START), START + RATELIMIT_WAIT_MAX);
	finish(l, &request, 1, START);
}

static void global_limit_holds_all_but_interactions(void **state)
{
	struct ratelimit_request requests[3] = {
		{ .route = POST_MESSAGE, .major = 1 },
		{ .route = PUT_REACTION, .major = 2 },
		{ .route = "POST /interactions", .major = 3, .interaction = true },
	};
	struct ratelimit_answer global = refused(NULL, -1, 2 * SECOND);
	struct ratelimit *l = make(50);

	(void)state;
	submit(l, &requests[0], START);
	assert_non_null(ratelimit_next(l, START));
	global.limit = -1;
	global.global = true;
	answer(l, &requests[0], global, START);
	for (size_t i = 0; i < 3; i++)
		submit(l, &requests[i], START);
	assert_ptr_equal(ratelimit_next(l, START), &requests[2]);
	assert_null(ratelimit_next(l, START + 2 * SECOND - 1));
	assert_int_equal(drain(l, START + 2 * SECOND), 2);
	finish(l, requests, 3, START);
}

static void a_limit_below_the_bucket_holds_its_lane_only(void **state)
{
	struct ratelimit_request renamed = { .route = "PATCH /channels/{channel.id}", .major = 1 };
	struct ratelimit_request post = { .route = POST_MESSAGE, .major = 1 };
	struct ratelimit *l = make(50);

	(void)state;
	pass(l, POST_MESSAGE, 1, told("abc", 5, 4, SECOND), START);
	submit(l, &renamed, START);
	assert_non_null(ratelimit_next(l, START));
	answer(l, &renamed, refused("abc", 3, 10 * MINUTE), START);
	submit(l, &renamed, START);
	submit(l, &post, START);
	assert_ptr_equal(ratelimit_next(l, START), &post);
	assert_null(ratelimit_next(l, START + 10 * MINUTE - 1));
	assert_ptr_equal(ratelimit_next(l, START + 10 * MINUTE), &renamed);
	ratelimit_cancel(l, &post, START);
	finish(l, &renamed, 1, START);
}

static void ban_at_the_edge(int status)
{
	struct ratelimit_request request = { .route = POST_MESSAGE, .major = 1 };
	struct ratelimit_request interaction = { .route = "POST /interactions", .major = 2, .interaction = true };
	struct ratelimit_answer edge = silence();
	struct ratelimit *l = make(50);

	edge.status = status;
	edge.edge = true;
	edge.retry_after = 5 * SECOND;
	pass(l, POST_MESSAGE, 1, edge, START);
	submit(l, &request, START);
	submit(l, &interaction, START);
	assert_null(ratelimit_next(l, START + RATELIMIT_CLOUDFLARE_PAUSE - 1));
	assert_int_equal(drain(l, START + RATELIMIT_CLOUDFLARE_PAUSE), 2);
	edge.retry_after = HOUR; /* longer than our own pause: obeyed */
	answer(l, &request, edge, START);
	submit(l, &request, START);
	assert_null(ratelimit_next(l, START + HOUR - 1));
	assert_non_null(ratelimit_next(l, START + HOUR));
	ratelimit_cancel(l, &interaction, START);
	finish(l, &request, 1, START);
}

static void a_ban_at_the_edge_stops_everything(void **state)
{
	(void)state;
	ban_at_the_edge(429);
	ban_at_the_edge(403);
}

/* ---- the global share ---- */

static void never_more_than_the_share_in_any_second(void **state)
{
	struct ratelimit_request requests[120] = { 0 };
	struct ratelimit_options options = { .per_second = 35, .queue_max = 120, .lane_max = 120 };
	struct ratelimit *l = ratelimit_create(&options);
	struct ratelimit_answer plain = silence();
	usec times[120], now = START;
	size_t n = 0;

	(void)state;
	plain.status = 200;
	pass(l, POST_MESSAGE, 1, plain, now - 10 * SECOND);
	for (size_t i = 0; i < 120; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], now);
	}
	while (n < 120) {
		struct ratelimit_request *request = ratelimit_next(l, now);

		if (request) {
			times[n++] = now;
			answer(l, request, plain, now);
			now += 100;
		} else {
			now = ratelimit_wake_at(l, now);
		}
	}
	for (size_t i = 35; i < n; i++)
		assert_true(times[i] - times[i - 35] >= SECOND);
	assert_true(now - START < 4 * SECOND); /* and the share is used */
	ratelimit_destroy(l);
}

static void interactions_are_outside_the_share(void **state)
{
	struct ratelimit_request requests[20] = { 0 };
	struct ratelimit *l = make(2);

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		requests[i].route = "POST /interactions";
		requests[i].major = 100 + i;
		requests[i].interaction = true;
		submit(l, &requests[i], START);
	}
	assert_int_equal(drain(l, START), 20);
	finish(l, requests, 20, START);
}

/* ---- the breaker ---- */

static void too_many_refusals_open_the_breaker(void **state)
{
	struct ratelimit_request waiting = { .route = POST_MESSAGE, .major = 1 },
				 late = { .route = PUT_REACTION, .major = 2 };
	struct ratelimit_request last = { .route = PUT_REACTION, .major = 1 };
	struct ratelimit *l = make(1000);
	struct ratelimit_answer invalid = silence(), shared = silence();
	usec now = START;

	(void)state;
	shared.status = 429;
	shared.shared = true;
	shared.retry_after = 0;
	for (int i = 0; i < 1000; i++, now += 10 * MILLISECOND)
		pass(l, POST_MESSAGE, 1, shared, now);
	assert_false(ratelimit_breaker_open(l, now)); /* those of shared limits do not count */
	for (int i = 0; i < RATELIMIT_INVALID_MAX - 1; i++, now += 10 * MILLISECOND) {
		invalid.status = i % 2 ? 403 : 401;
		pass(l, PUT_REACTION, 1, invalid, now);
		assert_false(ratelimit_breaker_open(l, now));
	}
	submit(l, &last, now);
	assert_ptr_equal(ratelimit_next(l, now), &last);
	submit(l, &waiting, now);
	answer(l, &last, invalid, now);
	assert_true(ratelimit_breaker_open(l, now));
	assert_int_equal(ratelimit_submit(l, &late, now), -EBUSY);
	assert_null(ratelimit_next(l, now)); /* nor does anything go that waited already */
	now = ratelimit_wake_at(l, now);
	assert_true(now < INT64_MAX);
	assert_false(ratelimit_breaker_open(l, now));
	assert_ptr_equal(ratelimit_next(l, now), &waiting);
	submit(l, &late, now);
	ratelimit_cancel(l, &waiting, now);
	finish(l, &late, 1, now);
}

static void refusals_spread_over_time_do_not_open_it(void **state)
{
	struct ratelimit *l = make(50);
	struct ratelimit_answer invalid = silence();
	usec now = START;

	(void)state;
	invalid.status = 403;
	for (int i = 0; i < 3000; i++) {
		pass(l, POST_MESSAGE, 1, invalid, now);
		assert_false(ratelimit_breaker_open(l, now));
		now += RATELIMIT_INVALID_WINDOW / (RATELIMIT_INVALID_MAX - 1) + 1;
	}
	ratelimit_destroy(l);
}

/* ---- queues ---- */

static void queues_are_bounded(void **state)
{
	struct ratelimit_options options = { .per_second = 50, .queue_max = 5, .lane_max = 3 };
	struct ratelimit *l = ratelimit_create(&options);
	struct ratelimit_request requests[7] = { 0 };

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1 + i / 4;
	}
	for (size_t i = 0; i < 3; i++)
		submit(l, &requests[i], START);
	assert_int_equal(ratelimit_submit(l, &requests[3], START), -EBUSY);
	submit(l, &requests[4], START);
	submit(l, &requests[5], START);
	assert_int_equal(ratelimit_submit(l, &requests[6], START), -EBUSY);
	assert_int_equal(ratelimit_queued(l), 5);
	finish(l, requests, 7, START);
}

static void first_come_first_served_among_lanes(void **state)
{
	struct ratelimit_request requests[6] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	for (uint64_t major = 1; major <= 3; major++)
		pass(l, POST_MESSAGE, major, told("abc", 5, 5, SECOND), START);
	for (size_t i = 0; i < 6; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1 + (i * 2) % 3;
		submit(l, &requests[i], START);
	}
	for (size_t i = 0; i < 6; i++)
		assert_ptr_equal(ratelimit_next(l, START), &requests[i]);
	finish(l, requests, 6, START);
}

static void repeated_requests_keep_their_place(void **state)
{
	struct ratelimit_request requests[4] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	pass(l, POST_MESSAGE, 1, told("abc", 2, 2, SECOND), START);
	for (size_t i = 0; i < 4; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], START);
	}
	assert_int_equal(drain(l, START), 2);
	answer(l, &requests[1], refused("abc", 0, SECOND), START);
	submit(l, &requests[1], START);
	answer(l, &requests[0], refused("abc", 0, SECOND), START);
	submit(l, &requests[0], START);
	assert_ptr_equal(ratelimit_next(l, START + SECOND), &requests[0]);
	answer(l, &requests[0], told("abc", 2, 1, SECOND), START + SECOND);
	assert_ptr_equal(ratelimit_next(l, START + SECOND), &requests[1]);
	finish(l, requests, 4, START + SECOND);
}

static void cancelling_works_in_every_state(void **state)
{
	struct ratelimit_request requests[3] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		requests[i].route = POST_MESSAGE;
		submit(l, &requests[i], START);
	}
	assert_ptr_equal(ratelimit_next(l, START), &requests[0]);
	ratelimit_cancel(l, &requests[1], START); /* queued */
	ratelimit_cancel(l, &requests[0], START); /* in flight */
	ratelimit_cancel(l, &requests[0], START); /* nowhere */
	assert_ptr_equal(ratelimit_next(l, START), &requests[2]);
	finish(l, requests, 3, START);
	ratelimit_destroy(NULL);
}

static void old_lanes_and_buckets_are_forgotten(void **state)
{
	struct ratelimit *l = make(50);
	usec now = START;

	(void)state;
	for (uint64_t i = 0; i < 2000; i++) {
		pass(l, i % 2 ? POST_MESSAGE : "POST /interactions", i, told(i % 3 ? "abc" : NULL, 5, 4, SECOND), now);
		now += SECOND;
	}
	assert_true(ratelimit_lanes(l) < 700);
	assert_true(ratelimit_buckets(l) < 700);
	now += HOUR;
	pass(l, POST_MESSAGE, 1, told("abc", 5, 4, SECOND), now);
	assert_int_equal(ratelimit_lanes(l), 1);
	assert_int_equal(ratelimit_buckets(l), 1);
	ratelimit_destroy(l);
}

static void names_that_are_too_long_are_not_learned(void **state)
{
	char name[200];
	struct ratelimit *l = make(50);

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pass(l, POST_MESSAGE, 1, told(name, 5, 4, SECOND), START);
	pass(l, POST_MESSAGE, 1, told("", 5, 4, SECOND), START);
	assert_int_equal(ratelimit_buckets(l), 0);
	ratelimit_destroy(l);
}

/* Answers in any order, with numbers that may be nonsense: every request ends, and soon after the last answer. */
static void random_answers_never_stick(void **state)
{
	static const char *const names[] = { "a", "b", "c", NULL };

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct ratelimit_request requests[80] = { 0 };
		struct ratelimit *l = make(20);
		struct random random;
		usec now = START;
		size_t done = 0;

		random_init(&random, seed);
		for (size_t i = 0; i < 80; i++) {
			requests[i].route = random_below(&random, 2) ? POST_MESSAGE : PUT_REACTION;
			requests[i].major = random_below(&random, 3);
			requests[i].interaction = random_below(&random, 5) == 0;
			submit(l, &requests[i], now);
		}
		for (int turn = 0; turn < 20000 && done < 80; turn++) {
			struct ratelimit_request *request = &requests[random_below(&random, 80)];
			struct ratelimit_answer what;
			usec at;

			while (ratelimit_next(l, now))
				continue;
			if (!request->in_flight) {
				at = ratelimit_wake_at(l, now);
				assert_true(at >= now);
				now = MIN(at, now + (usec)random_below(&random, 200) * MILLISECOND);
				continue;
			}
			what = told(names[random_below(&random, 4)], (int)random_below(&random, 6) - 1,
				(int)random_below(&random, 6) - 1,
				(usec)random_below(&random, 2000) * MILLISECOND - MILLISECOND);
			what.status = random_below(&random, 4) ? 200 : (int)random_below(&random, 2) * 429;
			what.retry_after = (usec)random_below(&random, 1500) * MILLISECOND - MILLISECOND;
			what.global = random_below(&random, 8) == 0;
			answer(l, request, what, now);
			if (what.status == 429)
				submit(l, request, now);
			else
				done++;
		}
		assert_int_equal(done, 80);
		assert_int_equal(ratelimit_queued(l), 0);
		ratelimit_destroy(l);
	}
}

static void a_share_of_nothing_is_one(void **state)
{
	struct ratelimit_request requests[2] = { { .route = POST_MESSAGE }, { .route = PUT_REACTION } };
	struct ratelimit *l = make(0);

	(void)state;
	submit(l, &requests[0], START);
	submit(l, &requests[1], START);
	assert_int_equal(drain(l, START), 1);
	assert_int_equal(ratelimit_wake_at(l, START), START + SECOND);
	assert_int_equal(drain(l, START + SECOND), 1);
	finish(l, requests, 2, START);
}

/* Pruning forgets nothing that is queued, under way or still holds back. */
static void what_is_needed_is_not_forgotten(void **state)
{
	struct ratelimit_request queued = { .route = POST_MESSAGE, .major = 1 },
				 flying = { .route = POST_MESSAGE, .major = 2 };
	struct ratelimit_request held = { .route = POST_MESSAGE, .major = 3 },
				 lane = { .route = "PATCH /channels/{channel.id}", .major = 4 };
	struct ratelimit *l = make(50);
	usec later = START + HOUR;

	(void)state;
	pass(l, POST_MESSAGE, 1, refused("abc", 0, 2 * HOUR), START);
	submit(l, &queued, START);
	pass(l, POST_MESSAGE, 3, refused("abc", 0, 2 * HOUR), START);
	pass(l, lane.route, 4, refused("abc", 3, 2 * HOUR), START);
	submit(l, &flying, START);
	assert_ptr_equal(ratelimit_next(l, START), &flying);
	pass(l, PUT_REACTION, 5, told("def", 5, 4, SECOND), START);
	assert_int_equal(ratelimit_lanes(l), 5);
	submit(l, &held, later); /* prunes */
	submit(l, &lane, later);
	assert_int_equal(ratelimit_lanes(l), 4);
	assert_null(ratelimit_next(l, later));
	answer(l, &flying, told("abc", 5, 4, SECOND), later);
	assert_int_equal(drain(l, START + 2 * HOUR), 3);
	ratelimit_cancel(l, &queued, later);
	ratelimit_cancel(l, &lane, later);
	finish(l, &held, 1, later);
}

/* A lane may leave its bucket while requests that were counted there are under way. */
static void a_bucket_in_use_outlives_its_lanes(void **state)
{
	struct ratelimit_request requests[3] = { 0 };
	struct ratelimit *l = make(50);

	(void)state;
	pass(l, POST_MESSAGE, 1, told("one", 5, 5, SECOND), START);
	for (size_t i = 0; i < 3; i++) {
		requests[i].route = POST_MESSAGE;
		requests[i].major = 1;
		submit(l, &requests[i], START);
	}
	assert_int_equal(drain(l, START), 3);
	answer(l, &requests[0], told("two", 5, 4, SECOND), START);
	pass(l, PUT_REACTION, 9, told("x", 5, 4, SECOND), START + HOUR); /* prunes: "one" is still counted on */
	assert_int_equal(ratelimit_buckets(l), 3);
	pass(l, PUT_REACTION, 9, told("x", 5, 4, SECOND), START + 3 * HOUR);
	finish(l, requests, 3, START + 3 * HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_routes_go_one_at_a_time),
		cmocka_unit_test(failures_free_the_next_of_an_unknown_route),
		cmocka_unit_test(an_exhausted_bucket_waits_for_its_reset),
		cmocka_unit_test(majors_do_not_share_a_bucket),
		cmocka_unit_test(routes_with_one_hash_share_a_bucket),
		cmocka_unit_test(a_route_without_headers_has_no_limit_of_its_own),
		cmocka_unit_test(alternating_hashes_leave_nothing_behind),
		cmocka_unit_test(first_requests_in_parallel_lanes_settle),
		cmocka_unit_test(user_limit_holds_its_bucket),
		cmocka_unit_test(a_429_without_headers_still_waits),
		cmocka_unit_test(waits_beyond_reason_are_not_believed),
		cmocka_unit_test(global_limit_holds_all_but_interactions),
		cmocka_unit_test(a_limit_below_the_bucket_holds_its_lane_only),
		cmocka_unit_test(a_ban_at_the_edge_stops_everything),
		cmocka_unit_test(never_more_than_the_share_in_any_second),
		cmocka_unit_test(interactions_are_outside_the_share),
		cmocka_unit_test(too_many_refusals_open_the_breaker),
		cmocka_unit_test(refusals_spread_over_time_do_not_open_it),
		cmocka_unit_test(queues_are_bounded),
		cmocka_unit_test(first_come_first_served_among_lanes),
		cmocka_unit_test(repeated_requests_keep_their_place),
		cmocka_unit_test(cancelling_works_in_every_state),
		cmocka_unit_test(old_lanes_and_buckets_are_forgotten),
		cmocka_unit_test(names_that_are_too_long_are_not_learned),
		cmocka_unit_test(random_answers_never_stick),
		cmocka_unit_test(a_share_of_nothing_is_one),
		cmocka_unit_test(what_is_needed_is_not_forgotten),
		cmocka_unit_test(a_bucket_in_use_outlives_its_lanes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
