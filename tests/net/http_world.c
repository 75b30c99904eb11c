/* See http_world.h. */
#include "http_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

struct loop loop;
struct http *http;
struct httpd *httpd;
int requests_seen;

/* === the server === */

/* Requests that the server keeps without an answer. */
static struct httpd_request *held[64];
size_t held_count;

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

static void hold(struct httpd_request *request)
{
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		if (held[i] != NULL)
			continue;
		held[i] = request;
		held_count++;
		httpd_set_user(request, &held[i], on_gone);
		return;
	}
	httpd_drop(request);
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
		hold(request);
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

void world_on_done(void *arg, const struct http_answer *answer)
{
	struct result *result = arg;
	const char *value = http_answer_header(answer, "x-answer");

	result->count++;
	result->answer = *answer;
	str_clear(&result->body);
	str_add(&result->body, answer->body, answer->body_len);
	snprintf(result->header, sizeof(result->header), "%s", value != NULL ? value : "(none)");
}

bool world_is_done(void *arg)
{
	return ((struct result *)arg)->count > 0;
}

char *world_url(int port, const char *path)
{
	static char url[256];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	return url;
}

void world_perform(const struct http_request *request, struct result *result)
{
	*result = (struct result){ .body = STR_INIT };
	assert_int_equal(http_send(http, request, world_on_done, result, NULL), 0);
	assert_int_equal(result->count, 0);
	assert_int_equal(loop_run_until(&loop, world_is_done, result, 20 * SECOND), 0);
	assert_int_equal(result->count, 1);
}

void world_get(const char *url, struct result *result)
{
	world_perform(&(struct http_request){ .method = "GET", .url = url, .timeout = 10 * SECOND }, result);
}

int world_setup(void **state)
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

int world_teardown(void **state)
{
	(void)state;
	http_destroy(http);
	httpd_destroy(httpd);
	return loop_finish(&loop);
}

bool world_holds_one(void *arg)
{
	(void)arg;
	return held_count > 0;
}
