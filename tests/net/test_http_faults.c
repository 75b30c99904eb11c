/* shared/net/http.c: what goes wrong, and what must not (certificates, HTTP/2). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/random.h"
#include "http_world.h"
#include "names.h"
#include "peer.h"
#include "tls_server.h"

/* === what goes wrong === */

static void test_refused_port(void **state)
{
	struct result r;

	(void)state;
	world_get(world_url(peer_free_port(), "/"), &r);
	assert_int_equal(r.answer.error, -ECONNREFUSED);
	assert_false(r.answer.sent);
	assert_int_equal(r.answer.status, 0);
	str_finish(&r.body);
}

static void test_name_that_does_not_exist(void **state)
{
	struct result r;

	(void)state;
	world_get("http://name.invalid/", &r);
	assert_int_equal(r.answer.error, -EHOSTUNREACH);
	assert_false(r.answer.sent);
	str_finish(&r.body);
}

static void test_drop_and_timeout(void **state)
{
	struct http_request request = {
		.method = "GET", .url = world_url(httpd_port(httpd), "/hold"), .timeout = 100 * MILLISECOND
	};
	struct result r;
	usec start = loop_now(&loop);

	(void)state;
	world_perform(&request, &r);
	assert_int_equal(r.answer.error, -ETIMEDOUT);
	assert_true(r.answer.sent);
	assert_true(loop_now(&loop) - start >= 90 * MILLISECOND);
	str_finish(&r.body);
	request = (struct http_request){ .method = "POST", .url = world_url(httpd_port(httpd), "/drop") };
	world_perform(&request, &r);
	assert_int_equal(r.answer.error, -ECONNRESET);
	assert_true(r.answer.sent);
	str_finish(&r.body);
}

static void test_calls_in_the_queue_time_out_too(void **state)
{
	struct http *single;
	struct http_request slow = {
		.method = "GET", .url = world_url(httpd_port(httpd), "/hold"), .timeout = 10 * SECOND
	};
	struct http_request queued = { .method = "GET", .url = slow.url, .timeout = 150 * MILLISECOND };
	struct result a = { .body = STR_INIT }, b = { .body = STR_INIT };

	(void)state;
	assert_int_equal(http_create(&loop, "test/1", 1, &single), 0);
	assert_int_equal(http_send(single, &slow, world_on_done, &a, NULL), 0);
	assert_int_equal(loop_run_until(&loop, world_holds_one, NULL, 5 * SECOND), 0);
	assert_int_equal(http_send(single, &queued, world_on_done, &b, NULL), 0);
	assert_int_equal(loop_run_until(&loop, world_is_done, &b, 5 * SECOND), 0);
	assert_int_equal(b.answer.error, -ETIMEDOUT);
	assert_false(b.answer.sent);
	assert_int_equal(held_count, 1);
	assert_int_equal(a.count, 0);
	http_destroy(single);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.answer.error, -ECANCELED);
	assert_true(a.answer.sent);
}

static void test_cancel(void **state)
{
	struct http_request request = { .method = "GET", .url = world_url(httpd_port(httpd), "/hold") };
	struct result early = { .body = STR_INIT }, late = { .body = STR_INIT };
	struct http_call *call;

	(void)state;
	assert_int_equal(http_send(http, &request, world_on_done, &early, &call), 0);
	http_cancel(call);
	assert_int_equal(early.count, 1);
	assert_int_equal(early.answer.error, -ECANCELED);
	assert_false(early.answer.sent);

	assert_int_equal(http_send(http, &request, world_on_done, &late, &call), 0);
	assert_int_equal(loop_run_until(&loop, world_holds_one, NULL, 5 * SECOND), 0);
	http_cancel(call);
	assert_int_equal(late.count, 1);
	assert_int_equal(late.answer.error, -ECANCELED);
	assert_true(late.answer.sent);
}

struct destroyer {
	struct http *http;
	int count;
};

static void destroys(void *arg, const struct http_answer *answer)
{
	struct destroyer *d = arg;

	(void)answer;
	d->count++;
	http_destroy(d->http);
}

static bool destroyed(void *arg)
{
	return ((struct destroyer *)arg)->count > 0;
}

static void test_destroying_in_the_callback_with_others_pending(void **state)
{
	struct destroyer d = { 0 };
	char *echo_url cleanup(freep) = xstrdup(world_url(httpd_port(httpd), "/echo"));
	char *hold_url cleanup(freep) = xstrdup(world_url(httpd_port(httpd), "/hold"));
	struct http_request answered = { .method = "GET", .url = echo_url },
			    never = { .method = "GET", .url = hold_url };
	struct result pending[3];

	(void)state;
	assert_int_equal(http_create(&loop, "test/1", 8, &d.http), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
		pending[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(http_send(d.http, &never, world_on_done, &pending[i], NULL), 0);
	}
	assert_int_equal(http_send(d.http, &answered, destroys, &d, NULL), 0);
	assert_int_equal(loop_run_until(&loop, destroyed, &d, 5 * SECOND), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
		assert_int_equal(pending[i].count, 1);
		assert_int_equal(pending[i].answer.error, -ECANCELED);
	}
}

/* === a storm === */

#define STORM         2000
#define STORM_AT_ONCE 16

struct storm_call {
	struct http_call *call;
	struct storm *storm;
	bool done;
};

struct storm {
	struct random random;
	int started, ended, counts[3]; /* good, refused or broken, cancelled */
	int refused_port;
	struct storm_call calls[STORM];
};

static void storm_next(struct storm *storm);

static void storm_done(void *arg, const struct http_answer *answer)
{
	struct storm_call *c = arg;
	struct storm *storm = c->storm;

	assert_false(c->done);
	c->done = true;
	storm->ended++;
	storm->counts[answer->error == 0 ? 0 : answer->error == -ECANCELED ? 2 : 1]++;
	/* now and then somebody else's call is cancelled from inside this callback */
	if (random_below(&storm->random, 10) == 0) {
		struct storm_call *other =
			&storm->calls[storm->started - 1 - (int)random_below(&storm->random, STORM_AT_ONCE)];

		if (!other->done)
			http_cancel(other->call);
	}
	storm_next(storm);
}

static void storm_next(struct storm *storm)
{
	static const char *const paths[] = { "/echo", "/echo", "/echo", "/drop", "/hold", "/zip", "/none" };
	struct http_request request = { .method = "POST", .timeout = SECOND / 20, .body = "hello", .body_len = 5 };
	uint64_t kind = random_below(&storm->random, ARRAY_SIZE(paths) + 2);
	struct storm_call *c = &storm->calls[storm->started];

	if (storm->started == STORM)
		return;
	storm->started++;
	c->storm = storm;
	request.url = kind < ARRAY_SIZE(paths) ? world_url(httpd_port(httpd), paths[kind])
					       : world_url(storm->refused_port, "/");
	if (kind < ARRAY_SIZE(paths) && !streq(paths[kind], "/hold"))
		request.timeout = 10 * SECOND;
	assert_int_equal(http_send(http, &request, storm_done, c, &c->call), 0);
}

static bool storm_over(void *arg)
{
	return ((struct storm *)arg)->ended == STORM;
}

static void test_storm(void **state)
{
	struct storm *storm = xcalloc(1, sizeof(*storm));

	(void)state;
	random_init(&storm->random, 1);
	storm->refused_port = peer_free_port();
	for (int i = 0; i < STORM_AT_ONCE; i++)
		storm_next(storm);
	assert_int_equal(loop_run_until(&loop, storm_over, storm, 60 * SECOND), 0);
	assert_true(storm->counts[0] > STORM / 4 && storm->counts[1] > STORM / 10 && storm->counts[2] > STORM / 50);
	free(storm);
}

/* === peers that misbehave === */

enum fault { RESETS, SHORT_BODY, GARBAGE, HUGE_LENGTH, ENDLESS_HEADER, MANY_HEADERS, STALLS_IN_BODY, INTERIM_ANSWER };

static int faulty(int fd, int connection, void *arg)
{
	enum fault fault = *(enum fault *)arg;
	static const char many[] = "X-Filler: 0123456789\r\n";
	char buffer[4096];

	(void)connection;
	if (!peer_read_header(fd, buffer, sizeof(buffer)))
		return 0;
	switch (fault) {
	case RESETS: return peer_reset(fd);
	case SHORT_BODY: peer_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 46); return 0;
	case GARBAGE: peer_write(fd, "\x16\x03\x01 not HTTP at all\r\n\r\n", 24); return 0;
	case HUGE_LENGTH:
		peer_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 48);
		peer_read_end(fd);
		return 0;
	case ENDLESS_HEADER:
	case MANY_HEADERS:
		peer_write(fd, "HTTP/1.1 200 OK\r\n", 17);
		if (fault == ENDLESS_HEADER)
			peer_write(fd, "X-Long: ", 8);
		while (peer_write(
			fd, fault == ENDLESS_HEADER ? "aaaaaaaaaaaaaaaaaaaaa" : many, 21 + (fault == MANY_HEADERS)))
			;
		return 0;
	case STALLS_IN_BODY:
		peer_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 46);
		peer_read_end(fd);
		return 0;
	case INTERIM_ANSWER:
		peer_write(fd, "HTTP/1.1 100 Continue\r\nX-Answer: interim\r\n\r\n", 44);
		peer_write(fd, "HTTP/1.1 200 OK\r\nX-Answer: final\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
			77);
		return 0;
	}
	return 0;
}

static void test_faulty_servers(void **state)
{
	static const struct {
		enum fault fault;
		int error;
	} cases[] = {
		{ RESETS, -ECONNRESET },
		{ SHORT_BODY, -ECONNRESET },
		{ GARBAGE, -EIO },
		{ HUGE_LENGTH, -EMSGSIZE },
		{ ENDLESS_HEADER, -EIO },
		{ MANY_HEADERS, -EMSGSIZE },
		{ STALLS_IN_BODY, -ETIMEDOUT },
		{ INTERIM_ANSWER, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum fault fault = cases[i].fault;
		struct result r;
		struct peer peer;
		struct http_request request = { .method = "POST", .timeout = fault == STALLS_IN_BODY ? SECOND / 4 : 0 };

		assert_int_equal(peer_start(&peer, faulty, &fault), 0);
		request.url = world_url(peer.port, "/");
		world_perform(&request, &r);
		assert_true(r.answer.sent);
		if (r.answer.error != cases[i].error)
			fail_msg("case %zu: %d", i, r.answer.error);
		if (fault == INTERIM_ANSWER)
			assert_string_equal(r.header, "final");
		str_finish(&r.body);
		peer_stop(&peer);
	}
}

/* Answers one request and keeps the connection; takes the next request on it and hangs up without an answer. */
static int hangs_up_on_the_second(int fd, int connection, void *arg)
{
	char buffer[4096];
	int *requests = arg;

	(void)connection;
	for (int i = 0; peer_read_header(fd, buffer, sizeof(buffer)); i++) {
		++*requests;
		if (i == 1)
			return 0;
		peer_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 40);
	}
	return 0;
}

static void test_lost_post_is_not_repeated_behind_our_back(void **state)
{
	struct peer peer;
	struct result r;
	int requests = 0;

	(void)state;
	assert_int_equal(peer_start(&peer, hangs_up_on_the_second, &requests), 0);
	world_get(world_url(peer.port, "/"), &r);
	assert_int_equal(r.answer.status, 200);
	str_finish(&r.body);
	world_perform(&(struct http_request){ .method = "POST", .url = world_url(peer.port, "/") }, &r);
	assert_int_equal(r.answer.error, -ECONNRESET);
	assert_true(r.answer.sent);
	str_finish(&r.body);
	peer_stop(&peer);
	assert_int_equal(requests, 2);
}

static void test_lost_get_is_repeated(void **state)
{
	struct peer peer;
	struct result r;
	int requests = 0;

	(void)state;
	assert_int_equal(peer_start(&peer, hangs_up_on_the_second, &requests), 0);
	for (int i = 0; i < 2; i++) {
		world_get(world_url(peer.port, "/"), &r);
		assert_int_equal(r.answer.status, 200);
		str_finish(&r.body);
	}
	http_destroy(http); /* the peer waits for the end of the connection */
	http = NULL;
	peer_stop(&peer);
	assert_int_equal(requests, 3);
}

/* === a resolver that says nothing === */

static void test_silent_resolver_does_not_hold_the_loop(void **state)
{
	struct http_request request = { .method = "GET", .url = "http://slow.invalid/", .timeout = 100 * MILLISECOND };
	struct result timed_out, cancelled = { .body = STR_INIT };
	struct http_call *call;
	usec start = loop_now(&loop);

	(void)state;
	world_perform(&request, &timed_out);
	assert_int_equal(timed_out.answer.error, -ETIMEDOUT);
	assert_false(timed_out.answer.sent);
	str_finish(&timed_out.body);
	request.timeout = 10 * SECOND;
	assert_int_equal(http_send(http, &request, world_on_done, &cancelled, &call), 0);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	http_cancel(call);
	assert_int_equal(cancelled.answer.error, -ECANCELED);
	assert_true(loop_now(&loop) - start < 900 * MILLISECOND);
	names_wait(); /* a leak checker would find the memory of curl's detached threads */
}

/* === TLS === */

static void test_certificates(void **state)
{
	static const struct {
		const char *certificate;
		int error;
	} cases[] = {
		{ "localhost", 0 },
		{ "elsewhere.test", -EKEYREJECTED },
		{ "self", -EKEYREJECTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char url[64];
		int port;
		pid_t pid = tls_server_start(cases[i].certificate, &port);
		struct result r;

		assert_true(pid > 0);
		snprintf(url, sizeof(url), "https://localhost:%d/x", port);
		world_get(url, &r);
		assert_int_equal(r.answer.error, cases[i].error);
		assert_int_equal(r.answer.sent, cases[i].error == 0);
		assert_string_equal(r.body.buf, cases[i].error == 0 ? "h2 GET /x 0" : "");
		str_finish(&r.body);
		tls_server_stop(pid);
	}
}

static void test_http2_carries_many_calls_at_once(void **state)
{
	struct result r[20];
	struct http *single;
	static char body[50000];
	char url[64];
	int port;
	pid_t pid = tls_server_start("localhost", &port);
	usec start;

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(http_create(&loop, "test/1", 1, &single), 0);
	/* the first call finds out that the server speaks HTTP/2 */
	snprintf(url, sizeof(url), "https://localhost:%d/slow", port);
	r[0] = (struct result){ .body = STR_INIT };
	assert_int_equal(
		http_send(single, &(struct http_request){ .method = "GET", .url = url }, world_on_done, &r[0], NULL),
		0);
	assert_int_equal(loop_run_until(&loop, world_is_done, &r[0], 10 * SECOND), 0);
	assert_string_equal(r[0].body.buf, "h2 GET /slow 0");
	str_finish(&r[0].body);

	start = loop_now(&loop);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		r[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(http_send(single, &(struct http_request){ .method = "GET", .url = url }, world_on_done,
					 &r[i], NULL),
			0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(loop_run_until(&loop, world_is_done, &r[i], 10 * SECOND), 0);
		assert_int_equal(r[i].answer.error, 0);
		assert_string_equal(r[i].body.buf, "h2 GET /slow 0");
		str_finish(&r[i].body);
	}
	/* one connection, and still not one after the other: that would take six seconds */
	assert_true(loop_now(&loop) - start < 4 * SECOND);

	memset(body, 'b', sizeof(body));
	snprintf(url, sizeof(url), "https://localhost:%d/post", port);
	r[0] = (struct result){ .body = STR_INIT };
	assert_int_equal(
		http_send(single,
			&(struct http_request){ .method = "POST", .url = url, .body = body, .body_len = sizeof(body) },
			world_on_done, &r[0], NULL),
		0);
	assert_int_equal(loop_run_until(&loop, world_is_done, &r[0], 10 * SECOND), 0);
	assert_string_equal(r[0].body.buf, "h2 POST /post 50000");
	str_finish(&r[0].body);

	/* a server that dies with requests under way */
	snprintf(url, sizeof(url), "https://localhost:%d/slow", port);
	r[0] = (struct result){ .body = STR_INIT };
	assert_int_equal(
		http_send(single, &(struct http_request){ .method = "DELETE", .url = url }, world_on_done, &r[0], NULL),
		0);
	for (start = loop_now(&loop); loop_now(&loop) - start < 100 * MILLISECOND;)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	tls_server_stop(pid);
	assert_int_equal(loop_run_until(&loop, world_is_done, &r[0], 10 * SECOND), 0);
	assert_true(r[0].answer.error < 0);
	assert_true(r[0].answer.sent);
	str_finish(&r[0].body);
	http_destroy(single);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_refused_port),
		TEST(test_name_that_does_not_exist),
		TEST(test_drop_and_timeout),
		TEST(test_calls_in_the_queue_time_out_too),
		TEST(test_cancel),
		TEST(test_destroying_in_the_callback_with_others_pending),
		TEST(test_storm),
		TEST(test_faulty_servers),
		TEST(test_lost_post_is_not_repeated_behind_our_back),
		TEST(test_lost_get_is_repeated),
		TEST(test_silent_resolver_does_not_hold_the_loop),
		TEST(test_certificates),
		TEST(test_http2_carries_many_calls_at_once),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
