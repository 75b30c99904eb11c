/* shared/net/http.c: requests and answers, what is refused at once, and calls in flows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "http_world.h"
#include "net/flow.h"

/* === what goes well === */

static void test_get(void **state)
{
	struct result r;

	(void)state;
	world_get(world_url(httpd_port(httpd), "/echo?a=b%20c&d"), &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.answer.status, 200);
	assert_true(r.answer.sent);
	assert_string_equal(r.body.buf, "GET /echo?a=b%20c&d\nUser-Agent: test/1\n\n");
	assert_string_equal(r.header, "forty two");
	str_finish(&r.body);
	world_get(world_url(httpd_port(httpd), "/nowhere"), &r);
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

		world_perform(&(struct http_request){ .method = cases[i].method,
				      .url = world_url(httpd_port(httpd), "/echo"),
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
	world_perform(&(struct http_request){ .method = "POST",
			      .url = world_url(httpd_port(httpd), "/echo"),
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
	world_perform(
		&(struct http_request){
			.method = "PATCH", .url = world_url(httpd_port(httpd), "/echo"), .parts = parts },
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
	world_get(world_url(httpd_port(httpd), "/moved"), &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.answer.status, 302);
	assert_int_equal(requests_seen, 1);
	str_finish(&r.body);
	world_get(world_url(httpd_port(httpd), "/none"), &r);
	assert_int_equal(r.answer.status, 204);
	assert_int_equal(r.answer.body_len, 0);
	str_finish(&r.body);
}

static void test_compressed_answers_are_unpacked_and_bounded(void **state)
{
	struct result r;
	struct http_request request = {
		.method = "GET", .url = world_url(httpd_port(httpd), "/zip"), .limit = 1 << 20
	};

	(void)state;
	world_perform(&request, &r);
	assert_int_equal(r.answer.error, 0);
	assert_int_equal(r.body.len, 1 << 20);
	str_finish(&r.body);
	request.limit = (1 << 20) - 1;
	world_perform(&request, &r);
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
		struct http_request request = { .method = "GET", .url = world_url(httpd_port(httpd), "/echo") };

		r[i] = (struct result){ .body = STR_INIT };
		assert_int_equal(http_send(http, &request, world_on_done, &r[i], NULL), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(loop_run_until(&loop, world_is_done, &r[i], 20 * SECOND), 0);
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
		assert_int_equal(http_send(http, &requests[i], world_on_done, &r, &call), -EINVAL);
	assert_null(call);
	for (int i = 0; i < 3; i++)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(r.count, 0);
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
	char *echo_url cleanup(freep) = xstrdup(world_url(httpd_port(httpd), "/echo"));
	char *hold_url cleanup(freep) = xstrdup(world_url(httpd_port(httpd), "/hold"));
	struct flow_case good = { .url = echo_url }, late = { .url = hold_url, .timeout = SECOND / 10 };
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
	assert_int_equal(loop_run_until(&loop, world_holds_one, NULL, 5 * SECOND), 0);
	flows_cancel(flows, NULL);
	assert_int_equal(loop_run_until(&loop, flows_ended, NULL, 10 * SECOND), 0);
	assert_int_equal(cancelled.result, -ECANCELED);
	assert_true(cancelled.answer.sent);
	flows_destroy(flows);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_get),
		TEST(test_bodies_and_headers),
		TEST(test_large_body_there_and_back),
		TEST(test_multipart),
		TEST(test_redirects_are_answers),
		TEST(test_compressed_answers_are_unpacked_and_bounded),
		TEST(test_calls_at_once),
		TEST(test_refused_requests),
		TEST(test_perform_in_a_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
