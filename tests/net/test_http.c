/* shared/net/http.c against our own server and against peers that misbehave. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "net/flow.h"
#include "net/http.h"
#include "net/httpd.h"
#include "peer.h"
#include "tls_server.h"

static struct loop loop;
static struct http *http;
static struct httpd *httpd;
static int requests_seen;

/* === the server === */

/* Requests that the server keeps without an answer. */
static struct httpd_request *held[8];
static size_t held_count;

static void on_gone(void *user)
{
	*(struct httpd_request **)user = NULL;
}

static void echo(struct httpd_request *request)
{
	struct str out cleanup(str_finish) = STR_INIT;
	static const char *const names[] = { "Content-Type", "Content-Length", "User-Agent", "X-Test", "X-Empty",
		"Expect" };
	size_t len;
	const char *body = httpd_body(request, &len);

	str_printf(&out, "%s %s?%s\n", httpd_method(request), httpd_path(request), httpd_query(request));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = httpd_header(request, names[i]);

		if (value != NULL)
			str_printf(&out, "%s: %s\n", names[i], value);
	}
	str_adds(&out, "\n");
	str_add(&out, body, len);
	httpd_respond(request, 200, "text/plain",
		(const struct http_header[]){ { "X-Answer", "  forty two " }, { "X-ANSWER-2", "" }, { 0 } }, out.buf,
		out.len);
}

static void zipped(struct httpd_request *request)
{
	static char zeros[1 << 20], packed[1 << 16];
	z_stream z = { 0 };

	/* 1 MiB of zeros in a kilobyte */
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)zeros;
	z.avail_in = sizeof(zeros);
	z.next_out = (unsigned char *)packed;
	z.avail_out = sizeof(packed);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	httpd_respond(request, 200, "text/plain", (const struct http_header[]){ { "Content-Encoding", "gzip" }, { 0 } },
		packed, z.total_out);
	deflateEnd(&z);
}

static void on_request(void *arg, struct httpd_request *request)
{
	const char *path = httpd_path(request);
	static const struct http_header elsewhere[] = { { "Location", "/echo" }, { 0 } };

	(void)arg;
	requests_seen++;
	if (streq(path, "/echo")) {
		echo(request);
	} else if (streq(path, "/hold")) {
		assert_true(held_count < ARRAY_SIZE(held));
		held[held_count] = request;
		httpd_set_user(request, &held[held_count++], on_gone);
	} else if (streq(path, "/zip")) {
		zipped(request);
	} else if (streq(path, "/drop")) {
		httpd_drop(request);
	} else if (streq(path, "/moved")) {
		httpd_respond(request, 302, NULL, elsewhere, "", 0);
	} else if (streq(path, "/none")) {
		httpd_respond(request, 204, NULL, NULL, "", 0);
	} else {
		httpd_respond(request, 404, "text/plain", NULL, "no such page", 12);
	}
}

/* === a call === */

struct result {
	struct http_answer answer; /* pointers are dead */
	struct str body;
	char header[64];
	int count;
};

static void on_done(void *arg, const struct http_answer *answer)
{
	struct result *result = arg;
	const char *value = http_answer_header(answer, "x-answer");

	result->count++;
	result->answer = *answer;
	str_clear(&result->body);
	str_add(&result->body, answer->body, answer->body_len);
	snprintf(result->header, sizeof(result->header), "%s", value != NULL ? value : "(none)");
}

static bool is_done(void *arg)
{
	return ((struct result *)arg)->count > 0;
}

static char *url_of(int port, const char *path)
{
	static char url[256];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return url;
}

static void perform(const struct http_request *request, struct result *result)
{
	*result = (struct result){ .body = STR_INIT };
	assert_int_equal(http_send(http, request, on_done, result, NULL), 0);
	assert_int_equal(result->count, 0);
	assert_int_equal(loop_run_until(&loop, is_done, result, 20 * SECOND), 0);
	assert_int_equal(result->count, 1);
}

static void get(const char *url, struct result *result)
{
	perform(&(struct http_request){ .method = "GET", .url = url, .timeout = 10 * SECOND }, result);
}

static int setup(void **state)
{
	struct httpd_options options = { .body_limit = 8 << 20 };

	(void)state;
	requests_seen = 0;
	held_count = 0;
	memset(held, 0, sizeof(held));
	/* A proxy in the environment is no business of ours. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	if (loop_init(&loop) < 0 || http_create(&loop, "test/1", 4, &http) < 0)
		return -1;
	return httpd_create(&loop, &options, on_request, NULL, &httpd);
}

static int teardown(void **state)
{
	(void)state;
	http_destroy(http);
	httpd_destroy(httpd);
	return loop_finish(&loop);
}

/* === what goes well === */

static void test_get(void **state)
{
	struct result r;

	(void)state;
	get(url_of(httpd_port(httpd), "/echo?a=b%20c&d"), &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.answer.status, 200);
	assert_true(r.answer.sent);
	assert_string_equal(r.body.buf, "GET /echo?a=b%20c&d\nUser-Agent: test/1\n\n");
	assert_string_equal(r.header, "forty two");
	str_finish(&r.body);
	get(url_of(httpd_port(httpd), "/nowhere"), &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.answer.status, 404);
	str_finish(&r.body);
}

static void test_bodies_and_headers(void **state)
{
	static const struct {
		const char *method, *body, *content_type, *expect;
	} cases[] = {
		{ "POST", "{}", "application/json",
			"POST /echo?\nContent-Type: application/json\nContent-Length: 2\nUser-Agent: test/1\nX-Test: v w\n"
			"X-Empty: \n\n{}" },
		{ "POST", NULL, NULL,
			"POST /echo?\nContent-Length: 0\nUser-Agent: test/1\nX-Test: v w\nX-Empty: \n\n" },
		{ "PUT", NULL, "application/json",
			"PUT /echo?\nContent-Length: 0\nUser-Agent: test/1\nX-Test: v w\nX-Empty: \n\n" },
		{ "PATCH", "x", "text/plain",
			"PATCH /echo?\nContent-Type: text/plain\nContent-Length: 1\nUser-Agent: test/1\nX-Test: v w\nX-Empty: \n\nx" },
		{ "DELETE", NULL, NULL, "DELETE /echo?\nUser-Agent: test/1\nX-Test: v w\nX-Empty: \n\n" },
		{ "HEAD", NULL, NULL, "" },
	};
	static const struct http_header headers[] = { { "X-Test", "v w" }, { "X-Empty", "" }, { 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct result r;

		perform(&(struct http_request){ .method = cases[i].method,
				.url = url_of(httpd_port(httpd), "/echo"),
				.headers = headers,
				.body = cases[i].body,
				.body_len = cases[i].body != NULL ? strlen(cases[i].body) : 0,
				.content_type = cases[i].content_type },
			&r);
		assert_int_equal(r.answer.error, 0);
		assert_string_equal(r.body.buf, cases[i].expect);
		str_finish(&r.body);
	}
}

static void test_large_body_there_and_back(void **state)
{
	size_t len = 5 << 20;
	char *body = malloc(len);
	struct result r;
	const char *back;

	(void)state;
	for (size_t i = 0; i < len; i++)
		body[i] = (char)(i * 7 + (i >> 12));
	perform(&(struct http_request){ .method = "POST",
			.url = url_of(httpd_port(httpd), "/echo"),
			.body = body,
			.body_len = len,
			.content_type = "application/octet-stream" },
		&r);
	assert_int_equal(r.answer.error, 0);
	back = strstr(r.body.buf, "\n\n");
	assert_non_null(back);
	assert_null(strstr(r.body.buf, "Expect"));
	assert_int_equal(r.body.len - (size_t)(back + 2 - r.body.buf), len);
	assert_memory_equal(back + 2, body, len);
	str_finish(&r.body);
	free(body);
}

static void test_multipart(void **state)
{
	static const struct http_part parts[] = {
		{ .name = "payload_json", .content_type = "application/json", .data = "{\"a\":1}", .len = 7 },
		{ .name = "files[0]",
			.file_name = "a b.png",
			.content_type = "image/png",
			.data = "\x89P\0G",
			.len = 4 },
		{ 0 },
	};
	struct result r;
	const char *boundary;

	(void)state;
	perform(&(struct http_request){ .method = "PATCH", .url = url_of(httpd_port(httpd), "/echo"), .parts = parts },
		&r);
	assert_int_equal(r.answer.error, 0);
	assert_non_null(strstr(r.body.buf, "PATCH /echo?\nContent-Type: multipart/form-data; boundary="));
	boundary = strstr(r.body.buf, "\n\n--");
	assert_non_null(boundary);
	assert_non_null(strstr(boundary, "Content-Disposition: form-data; name=\"payload_json\"\r\n"
					 "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n"));
	assert_non_null(strstr(boundary, "Content-Disposition: form-data; name=\"files[0]\"; filename=\"a b.png\"\r\n"
					 "Content-Type: image/png\r\n\r\n"));
	assert_non_null(memmem(boundary, r.body.len - (size_t)(boundary - r.body.buf), "\x89P\0G\r\n--", 8));
	str_finish(&r.body);
}

static void test_redirects_are_answers(void **state)
{
	struct result r;

	(void)state;
	get(url_of(httpd_port(httpd), "/moved"), &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.answer.status, 302);
	assert_int_equal(requests_seen, 1);
	str_finish(&r.body);
	get(url_of(httpd_port(httpd), "/none"), &r);
	assert_int_equal(r.answer.status, 204);
	assert_int_equal(r.answer.body_len, 0);
	str_finish(&r.body);
}

static void test_compressed_answers_are_unpacked_and_bounded(void **state)
{
	struct result r;
	struct http_request request = { .method = "GET", .url = url_of(httpd_port(httpd), "/zip"), .limit = 1 << 20 };

	(void)state;
	perform(&request, &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.body.len, 1 << 20);
	str_finish(&r.body);
	request.limit = (1 << 20) - 1;
	perform(&request, &r);
	assert_int_equal(r.answer.error, -EMSGSIZE);
	assert_int_equal(r.answer.body_len, 0);
	assert_true(r.answer.sent);
	str_finish(&r.body);
}

static void test_calls_at_once(void **state)
{
	struct result r[60];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		struct http_request request = { .method = "GET", .url = url_of(httpd_port(httpd), "/echo") };

		r[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(http_send(http, &request, on_done, &r[i], NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(loop_run_until(&loop, is_done, &r[i], 20 * SECOND), 0);
		assert_int_equal(r[i].answer.status, 200);
		str_finish(&r[i].body);
	}
}

/* === what is refused at once === */

static void test_refused_requests(void **state)
{
	static const struct http_header broken_value[] = { { "X-A", "1\r\nX-B: 2" }, { 0 } };
	static const struct http_header broken_name[] = { { "X-A: 1\r\nX-B", "2" }, { 0 } };
	const struct http_request requests[] = {
		{ .method = "GET", .url = "" },
		{ .method = "GET", .url = "ftp://127.0.0.1/" },
		{ .method = "GET", .url = "file:///etc/passwd" },
		{ .method = "GET", .url = "http://" },
		{ .method = "GET / HTTP/1.0\r\n", .url = "http://127.0.0.1/" },
		{ .method = "", .url = "http://127.0.0.1/" },
		{ .method = "GET", .url = "http://127.0.0.1/", .headers = broken_value },
		{ .method = "GET", .url = "http://127.0.0.1/", .headers = broken_name },
		{ .method = "POST", .url = "http://127.0.0.1/", .body = "x", .body_len = 1, .content_type = "a\nb" },
	};
	struct result r = { .body = STR_INIT };
	struct http_call *call = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		assert_int_equal(http_send(http, &requests[i], on_done, &r, &call), -EINVAL);
	assert_null(call);
	for (int i = 0; i < 3; i++)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(r.count, 0);
}

/* === what goes wrong === */

static void test_refused_port(void **state)
{
	struct result r;

	(void)state;
	get(url_of(peer_free_port(), "/"), &r);
	assert_int_equal(r.answer.error, -ECONNREFUSED);
	assert_false(r.answer.sent);
	assert_int_equal(r.answer.status, 0);
	str_finish(&r.body);
}

static void test_name_that_does_not_exist(void **state)
{
	struct result r;

	(void)state;
	get("http://name.invalid/", &r);
	assert_int_equal(r.answer.error, -EHOSTUNREACH);
	assert_false(r.answer.sent);
	str_finish(&r.body);
}

static void test_drop_and_timeout(void **state)
{
	struct http_request request = {
		.method = "GET", .url = url_of(httpd_port(httpd), "/hold"), .timeout = 100 * MILLISECOND
	};
	struct result r;
	usec start = loop_now(&loop);

	(void)state;
	perform(&request, &r);
	assert_int_equal(r.answer.error, -ETIMEDOUT);
	assert_true(r.answer.sent);
	assert_true(loop_now(&loop) - start >= 90 * MILLISECOND);
	str_finish(&r.body);
	request = (struct http_request){ .method = "POST", .url = url_of(httpd_port(httpd), "/drop") };
	perform(&request, &r);
	assert_int_equal(r.answer.error, -ECONNRESET);
	assert_true(r.answer.sent);
	str_finish(&r.body);
}

static bool one_held(void *arg)
{
	(void)arg;
	return held_count > 0;
}

static void test_calls_in_the_queue_time_out_too(void **state)
{
	struct http *single;
	struct http_request slow = {
		.method = "GET", .url = url_of(httpd_port(httpd), "/hold"), .timeout = 10 * SECOND
	};
	struct http_request queued = { .method = "GET", .url = slow.url, .timeout = 150 * MILLISECOND };
	struct result a = { .body = STR_INIT }, b = { .body = STR_INIT };

	(void)state;
	assert_int_equal(http_create(&loop, "test/1", 1, &single), 0);
	assert_int_equal(http_send(single, &slow, on_done, &a, NULL), 0);
	assert_int_equal(loop_run_until(&loop, one_held, NULL, 5 * SECOND), 0);
	assert_int_equal(http_send(single, &queued, on_done, &b, NULL), 0);
	assert_int_equal(loop_run_until(&loop, is_done, &b, 5 * SECOND), 0);
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
	struct http_request request = { .method = "GET", .url = url_of(httpd_port(httpd), "/hold") };
	struct result early = { .body = STR_INIT }, late = { .body = STR_INIT };
	struct http_call *call;

	(void)state;
	assert_int_equal(http_send(http, &request, on_done, &early, &call), 0);
	http_cancel(call);
	assert_int_equal(early.count, 1);
	assert_int_equal(early.answer.error, -ECANCELED);
	assert_false(early.answer.sent);

	assert_int_equal(http_send(http, &request, on_done, &late, &call), 0);
	assert_int_equal(loop_run_until(&loop, one_held, NULL, 5 * SECOND), 0);
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
	struct http_request answered = { .method = "GET", .url = strdup(url_of(httpd_port(httpd), "/echo")) };
	struct http_request never = { .method = "GET", .url = strdup(url_of(httpd_port(httpd), "/hold")) };
	struct result pending[3];

	(void)state;
	assert_int_equal(http_create(&loop, "test/1", 8, &d.http), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
		pending[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(http_send(d.http, &never, on_done, &pending[i], NULL), 0);
	}
	assert_int_equal(http_send(d.http, &answered, destroys, &d, NULL), 0);
	assert_int_equal(loop_run_until(&loop, destroyed, &d, 5 * SECOND), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pending); i++) {
		assert_int_equal(pending[i].count, 1);
		assert_int_equal(pending[i].answer.error, -ECANCELED);
	}
	free((char *)(uintptr_t)answered.url);
	free((char *)(uintptr_t)never.url);
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
		request.url = url_of(peer.port, "/");
		perform(&request, &r);
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
	get(url_of(peer.port, "/"), &r);
	assert_int_equal(r.answer.status, 200);
	str_finish(&r.body);
	perform(&(struct http_request){ .method = "POST", .url = url_of(peer.port, "/") }, &r);
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
		get(url_of(peer.port, "/"), &r);
		assert_int_equal(r.answer.status, 200);
		str_finish(&r.body);
	}
	http_destroy(http); /* the peer waits for the end of the connection */
	http = NULL;
	peer_stop(&peer);
	assert_int_equal(requests, 3);
}

/* === a resolver that says nothing === */

/* Takes the place of libc's for the libraries too. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	(void)service;
	(void)hints;
	*result = NULL;
	if (node != NULL && strncmp(node, "slow", 4) == 0)
		usleep(1500 * 1000);
	if (node != NULL && streq(node, "localhost")) {
		struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in));
		struct sockaddr_in *name = (struct sockaddr_in *)(a + 1);

		name->sin_family = AF_INET;
		name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a->ai_family = AF_INET;
		a->ai_socktype = SOCK_STREAM;
		a->ai_addr = (struct sockaddr *)name;
		a->ai_addrlen = sizeof(*name);
		*result = a;
		return 0;
	}
	return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

static void test_silent_resolver_does_not_hold_the_loop(void **state)
{
	struct http_request request = { .method = "GET", .url = "http://slow.invalid/", .timeout = 100 * MILLISECOND };
	struct result timed_out, cancelled = { .body = STR_INIT };
	struct http_call *call;
	usec start = loop_now(&loop);

	(void)state;
	perform(&request, &timed_out);
	assert_int_equal(timed_out.answer.error, -ETIMEDOUT);
	assert_false(timed_out.answer.sent);
	str_finish(&timed_out.body);
	request.timeout = 10 * SECOND;
	assert_int_equal(http_send(http, &request, on_done, &cancelled, &call), 0);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	http_cancel(call);
	assert_int_equal(cancelled.answer.error, -ECANCELED);
	assert_true(loop_now(&loop) - start < 1200 * MILLISECOND);
	usleep(2000 * 1000); /* curl's detached threads end; a leak checker would find their memory */
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
		get(url, &r);
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
		http_send(single, &(struct http_request){ .method = "GET", .url = url }, on_done, &r[0], NULL), 0);
	assert_int_equal(loop_run_until(&loop, is_done, &r[0], 10 * SECOND), 0);
	assert_string_equal(r[0].body.buf, "h2 GET /slow 0");
	str_finish(&r[0].body);

	start = loop_now(&loop);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		r[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(
			http_send(single, &(struct http_request){ .method = "GET", .url = url }, on_done, &r[i], NULL),
			0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(loop_run_until(&loop, is_done, &r[i], 10 * SECOND), 0);
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
			on_done, &r[0], NULL),
		0);
	assert_int_equal(loop_run_until(&loop, is_done, &r[0], 10 * SECOND), 0);
	assert_string_equal(r[0].body.buf, "h2 POST /post 50000");
	str_finish(&r[0].body);

	/* a server that dies with requests under way */
	snprintf(url, sizeof(url), "https://localhost:%d/slow", port);
	r[0] = (struct result){ .body = STR_INIT };
	assert_int_equal(
		http_send(single, &(struct http_request){ .method = "DELETE", .url = url }, on_done, &r[0], NULL), 0);
	for (start = loop_now(&loop); loop_now(&loop) - start < 100 * MILLISECOND;)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	tls_server_stop(pid);
	assert_int_equal(loop_run_until(&loop, is_done, &r[0], 10 * SECOND), 0);
	assert_true(r[0].answer.error < 0);
	assert_true(r[0].answer.sent);
	str_finish(&r[0].body);
	http_destroy(single);
}

/* === in a flow === */

static struct flows *flows;

struct flow_case {
	const char *url;
	usec timeout;
	struct http_answer answer;
	char body[64];
	int result;
	bool ended;
};

static void performs(void *arg)
{
	struct flow_case *c = arg;
	struct arena arena = ARENA_INIT;
	struct http_request request = {
		.method = "POST", .url = c->url, .timeout = c->timeout, .body = "hi", .body_len = 2
	};

	c->result = http_perform(http, &request, &arena, &c->answer);
	snprintf(c->body, sizeof(c->body), "%s", c->answer.body);
	if (c->result == 0)
		assert_string_equal(http_answer_header(&c->answer, "x-answer"), "forty two");
	arena_finish(&arena);
	c->ended = true;
}

static bool flows_ended(void *arg)
{
	(void)arg;
	return flows_count(flows) == 0;
}

static void test_perform_in_a_flow(void **state)
{
	struct flow_options options = { .name = "test" };
	struct flow_case good = { .url = strdup(url_of(httpd_port(httpd), "/echo")) };
	struct flow_case late = { .url = strdup(url_of(httpd_port(httpd), "/hold")), .timeout = SECOND / 10 };
	struct flow_case bad = { .url = "gopher://x" }, cancelled = { .url = late.url };
	struct flow_case *all[] = { &good, &late, &bad, &cancelled };
	struct http_answer outside;
	struct arena arena = ARENA_INIT;
	struct http_request request = { .method = "GET", .url = good.url };

	(void)state;
	flows = flows_create(&loop, (struct flow_limits){ .total = 10 });
	assert_int_equal(http_perform(http, &request, &arena, &outside), -EINVAL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(flow_start(flows, &options, performs, all[i]), 0);
	assert_int_equal(loop_run_until(&loop, flows_ended, NULL, 10 * SECOND), 0);
	assert_int_equal(good.result, 0);
	assert_int_equal(good.answer.status, 200);
	assert_memory_equal(good.body, "POST /echo?", 11);
	assert_int_equal(late.result, -ETIMEDOUT);
	assert_true(late.answer.sent);
	assert_int_equal(bad.result, -EINVAL);
	assert_false(bad.answer.sent);
	assert_string_equal(bad.body, "");

	held_count = 0;
	assert_int_equal(flow_start(flows, &options, performs, &cancelled), 0);
	assert_int_equal(loop_run_until(&loop, one_held, NULL, 5 * SECOND), 0);
	flows_cancel(flows, NULL);
	assert_int_equal(loop_run_until(&loop, flows_ended, NULL, 10 * SECOND), 0);
	assert_int_equal(cancelled.result, -ECANCELED);
	assert_true(cancelled.answer.sent);
	flows_destroy(flows);
	free((char *)(uintptr_t)good.url);
	free((char *)(uintptr_t)late.url);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_bodies_and_headers),
		TEST(test_large_body_there_and_back),
		TEST(test_multipart),
		TEST(test_redirects_are_answers),
		TEST(test_compressed_answers_are_unpacked_and_bounded),
		TEST(test_calls_at_once),
		TEST(test_refused_requests),
		TEST(test_refused_port),
		TEST(test_name_that_does_not_exist),
		TEST(test_drop_and_timeout),
		TEST(test_calls_in_the_queue_time_out_too),
		TEST(test_cancel),
		TEST(test_destroying_in_the_callback_with_others_pending),
		TEST(test_faulty_servers),
		TEST(test_lost_post_is_not_repeated_behind_our_back),
		TEST(test_lost_get_is_repeated),
		TEST(test_silent_resolver_does_not_hold_the_loop),
		TEST(test_certificates),
		TEST(test_http2_carries_many_calls_at_once),
		TEST(test_perform_in_a_flow),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
