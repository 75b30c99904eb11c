/* leveling_api/request.c and client.c: what is refused, and how the rest is understood. */
#include "support.h"

#include "client.h"
#include "request.h"

static struct arena arena;

static int parse(const char *method, const char *target, const char *version, const struct raw_header *headers,
	size_t count, struct request *request)
{
	const struct raw_request raw = { method, target, version, headers, count, 500, true };
	const char *reason = NULL;
	int status;

	arena_reset(&arena);
	status = request_parse(&raw, &arena, request, &reason);
	assert_true((status == 0) == (reason == NULL));
	return status;
}

#define PARSE(method, target, version, request, ...)                               \
	parse(method, target, version, (const struct raw_header[]){ __VA_ARGS__ }, \
		sizeof((const struct raw_header[]){ __VA_ARGS__ }) / sizeof(struct raw_header), request)
#define HOST                   \
	{                      \
		"Host", "test" \
	}

static void test_understood(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(
		PARSE("GET", "/a%20b%00?x=1&y", "HTTP/1.1", &request, HOST, { "accept", "a" }, { "ACCEPT", "b" }), 0);
	assert_int_equal(request.method, METHOD_GET);
	assert_int_equal(request.path_len, 5);
	assert_memory_equal(request.path, "/a b\0", 6);
	assert_string_equal(request.query, "x=1&y");
	assert_string_equal(request.raw_path, "/a%20b%00");
	assert_string_equal(request.accept, "a, b");
	assert_int_equal(PARSE("HEAD", "http://other:81/p", "HTTP/1.1", &request, HOST), 0);
	assert_string_equal(request.host, "other:81");
	assert_string_equal(request.path, "/p");
	assert_int_equal(PARSE("GET", "http://other?q", "HTTP/1.1", &request, HOST), 0);
	assert_string_equal(request.path, "/");
	assert_string_equal(request.query, "q");
	/* Several slashes at the front count as one, as they did. */
	assert_int_equal(PARSE("GET", "///a//b?//", "HTTP/1.1", &request, HOST), 0);
	assert_string_equal(request.path, "/a//b");
	assert_string_equal(request.raw_path, "/a//b");
	assert_string_equal(request.query, "//");
	/* Blanks after a value do not belong to it. */
	assert_int_equal(
		PARSE("GET", "/", "HTTP/1.1", &request, { "Host", "test \t" }, { "Origin", "https://a.org " }), 0);
	assert_string_equal(request.host, "test");
	assert_string_equal(request.origin, "https://a.org");
	assert_int_equal(PARSE("OPTIONS", "*", "HTTP/1.1", &request, HOST), 0);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.0", &request, { "Accept", "x" }), 0);
	assert_null(request.host);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "000" }), 0);
	assert_int_equal(PARSE("FOO", "/", "HTTP/1.1", &request, HOST), 0);
	assert_int_equal(request.method, METHOD_OTHER);
}

static void test_refused(void **state)
{
	struct request request;

	(void)state;
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, { "Accept", "x" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, HOST), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, { "Host", "a b" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, { "Host", "" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, { "Host", "x/../y" }), 400);
	assert_int_equal(
		PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "1" }, { "content-length", "1" }),
		400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "1" },
				 { "Transfer-Encoding", "chunked" }),
		400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "-1" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST,
				 { "X", "a\x01"
					"b" }),
		400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "X", "a\x7f" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "X ", "a" }), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Origin", "a" }, { "Origin", "b" }), 400);
	assert_int_equal(PARSE("G\tT", "/", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "/a b", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "/a\x01", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "/a#b", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "a", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "*", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "http:///x", "HTTP/1.1", &request, HOST), 400);
	assert_int_equal(PARSE("GET", "/", "HTTP/2.0", &request, HOST), 505);
	assert_int_equal(PARSE("GET", "/", "", &request, HOST), 505);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "5" }), 413);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST, { "Transfer-Encoding", "chunked" }), 413);
	/* What would write is refused by its method, whatever it brings along. */
	assert_int_equal(PARSE("POST", "/", "HTTP/1.1", &request, HOST, { "Content-Length", "5" }), 0);
}

static void test_too_long_and_unclean(void **state)
{
	const struct raw_header host = HOST;
	struct raw_request raw = { "GET", "/", "HTTP/1.1", &host, 1, REQUEST_HEAD_MAX + 1, true };
	struct request request;
	const char *reason;

	(void)state;
	assert_int_equal(request_parse(&raw, &arena, &request, &reason), 431);
	raw.head_bytes = REQUEST_HEAD_MAX;
	assert_int_equal(request_parse(&raw, &arena, &request, &reason), 0);
	raw.clean_lines = false;
	assert_int_equal(request_parse(&raw, &arena, &request, &reason), 400);
}

static void test_hosts(void **state)
{
	static const char *const good[] = { "a", "a.b-c:80", "127.0.0.1:1", "[::1]", "[2001:db8::1]:65535",
		"EXAMPLE.org", "leveling_api:8000" };
	static const char *const bad[] = { "", ":80", "a:", "a:123456", "a:b", "[::1", "[]", "[::1]x", "a/b", "a@b",
		"[g]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(request_host_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(request_host_valid(bad[i]));
	assert_true(request_host_listed("a.org, b.org", "B.org:81"));
	assert_true(request_host_listed("a.org b.org", "a.org"));
	assert_false(request_host_listed("a.org b.org", "c.org"));
	assert_true(request_host_listed(".a.org", "x.a.org"));
	assert_true(request_host_listed(".a.org", "a.org"));
	assert_false(request_host_listed(".a.org", "xa.org"));
	assert_true(request_host_listed("*", "anything"));
	assert_true(request_host_listed("[::1]", "[::1]:8000"));
}

/* As the old server compared: the scheme in any case, the authority to the letter, whatever follows. */
static void test_origins(void **state)
{
	static const char list[] = "https://a.org, https://b.org:8443 null";
	static const char *const good[] = { "https://a.org", "HTTPS://a.org", "https://a.org/", "https://a.org/p?q#f",
		"https://a.org?", "https://b.org:8443", "null" };
	static const char *const bad[] = { "", "http://a.org", "https://A.org", "https://a.org:443", "https://a.org.",
		"https://b.org", "https://x.a.org", "https://a.org.evil", "https://u@a.org", "https:///a.org", "a.org",
		"//a.org", "https:a.org", "https://a.org https://b.org:8443", "https://a.org;x", "https://", "NULL" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(request_origin_listed(list, good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(request_origin_listed(list, bad[i]));
}

static void test_negotiation(void **state)
{
	static const struct {
		const char *format, *accept;
		enum request_format expected;
	} cases[] = {
		{ NULL, NULL, REQUEST_JSON },
		{ NULL, "*/*", REQUEST_JSON },
		{ NULL, "application/json", REQUEST_JSON },
		{ NULL, "application/json, text/plain, */*", REQUEST_JSON },
		{ NULL, "application/*", REQUEST_JSON },
		{ NULL, "Application/JSON; indent=4", REQUEST_JSON },
		{ NULL, "text/html", REQUEST_HTML },
		{ NULL, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", REQUEST_HTML },
		{ NULL, "text/html, application/json;q=0.1", REQUEST_JSON },
		{ NULL, "text/*", REQUEST_HTML },
		/* A parameter makes an entry more specific when it has a value and is not the quality. */
		{ NULL, "application/json, text/html;level=1", REQUEST_HTML },
		{ NULL, "application/json, text/html;level", REQUEST_JSON },
		{ NULL, "application/json, text/html;", REQUEST_JSON },
		{ NULL, "application/json, text/html; q=0.5;", REQUEST_JSON },
		{ NULL, "application/json, text/html; Q =0.5; q=1", REQUEST_JSON },
		{ NULL, "application/json, text/html; q=0.5; x=", REQUEST_HTML },
		{ NULL, "application/xml", REQUEST_NOT_ACCEPTABLE },
		{ NULL, "image/*, text/plain", REQUEST_NOT_ACCEPTABLE },
		{ NULL, "", REQUEST_NOT_ACCEPTABLE },
		{ "", "text/html", REQUEST_HTML },
		{ "json", "text/html,*/*;q=0.8", REQUEST_JSON },
		{ "json", "text/html", REQUEST_NOT_ACCEPTABLE },
		{ "api", "*/*", REQUEST_HTML },
		{ "xml", "*/*", REQUEST_NO_FORMAT },
		{ "JSON", "*/*", REQUEST_NO_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (request_negotiate(cases[i].format, cases[i].accept) != cases[i].expected)
			fail_msg("case %zu: %s", i, cases[i].accept);
	}
	assert_true(request_accepts_coding("gzip", "gzip"));
	assert_true(request_accepts_coding("br, GZIP;q=0.5", "gzip"));
	assert_true(request_accepts_coding("*", "gzip"));
	assert_false(request_accepts_coding("gzip;q=0", "gzip"));
	assert_false(request_accepts_coding("gzip; q=0.000, *", "gzip"));
	assert_false(request_accepts_coding("identity", "gzip"));
	assert_false(request_accepts_coding(NULL, "gzip"));
}

static void test_clients(void **state)
{
	char trusted[] = "leveling_api__TRUSTED_PROXIES=10.0.0.1 10.0.0.2";
	char *environment[] = { trusted, NULL };
	struct str message cleanup(str_finish) = STR_INIT;
	struct settings settings = { 0 };
	struct request request;

	(void)state;
	assert_int_equal(settings_load_from(&settings, NULL, environment, &message), 0);
	assert_int_equal(PARSE("GET", "/", "HTTP/1.1", &request, HOST,
				 { "X-Forwarded-For", "203.0.113.9, 198.51.100.1, 10.0.0.2" },
				 { "X-Forwarded-Proto", "https" }, { "X-Forwarded-Host", "walle.example" }),
		0);
	client_resolve(&settings, "10.0.0.1", "fallback:1", &request);
	assert_string_equal(request.address, "198.51.100.1");
	assert_string_equal(request.base, "https://walle.example");
	/* Nobody else's word is taken. */
	request.host = "test";
	client_resolve(&settings, "10.0.0.3", "fallback:1", &request);
	assert_string_equal(request.address, "10.0.0.3");
	assert_string_equal(request.base, "http://test");
	assert_int_equal(PARSE("GET", "/", "HTTP/1.0", &request, { "X-Forwarded-For", "spoofed" }), 0);
	client_resolve(&settings, "10.0.0.1", "fallback:1", &request);
	assert_string_equal(request.address, "10.0.0.1");
	assert_string_equal(request.base, "http://fallback:1");
	settings_finish(&settings);
}

static int finish(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_understood),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long_and_unclean),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_negotiation),
		cmocka_unit_test(test_clients),
	};

	return cmocka_run_group_tests(tests, NULL, finish);
}
