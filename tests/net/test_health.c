/* shared/net/health.c, asked over its own port. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/metrics.h"
#include "net/health.h"

static struct loop loop;
static struct http *http;
static struct health *health;
static const char *reason = "";

static void check(void *arg, struct str *out)
{
	str_adds(out, *(const char **)arg);
}

static int setup(void **state)
{
	(void)state;
	if (loop_init(&loop) < 0 || http_create(&loop, "test/1", 2, &http) < 0)
		return -1;
	return health_create(&loop, "bot", NULL, 0, check, &reason, &health);
}

static int teardown(void **state)
{
	(void)state;
	http_destroy(http);
	health_destroy(health);
	health_destroy(NULL);
	return loop_finish(&loop);
}

struct result {
	int status;
	struct str body;
	char type[64], allow[32];
};

static void on_done(void *arg, const struct http_answer *answer)
{
	struct result *r = arg;
	const char *type = http_answer_header(answer, "content-type"), *allow = http_answer_header(answer, "allow");

	assert_int_equal(answer->error, 0);
	r->status = answer->status;
	str_add(&r->body, answer->body, answer->body_len);
	snprintf(r->type, sizeof(r->type), "%s", type != NULL ? type : "");
	snprintf(r->allow, sizeof(r->allow), "%s", allow != NULL ? allow : "");
}

static bool is_done(void *arg)
{
	return ((struct result *)arg)->status != 0;
}

static struct result ask(const char *method, const char *path)
{
	struct result r = { .body = STR_INIT };
	char url[64];
	struct http_request request = { .method = method, .url = url };

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", health_port(health), path);
	assert_int_equal(http_send(http, &request, on_done, &r, NULL), 0);
	assert_int_equal(loop_run_until(&loop, is_done, &r, 10 * SECOND), 0);
	return r;
}

static void test_healthy(void **state)
{
	struct result r = ask("GET", "/healthz");

	(void)state;
	assert_int_equal(r.status, 200);
	assert_string_equal(r.type, "application/json");
	assert_string_equal(r.body.buf, "{\"service\":\"bot\",\"status\":\"ok\"}");
	str_finish(&r.body);
	r = ask("HEAD", "/healthz");
	assert_int_equal(r.status, 200);
	assert_int_equal(r.body.len, 0);
	str_finish(&r.body);
}

static void test_unhealthy(void **state)
{
	cJSON *json;
	struct result r;

	(void)state;
	reason = "the gateway is \"down\"";
	r = ask("GET", "/healthz?x=1");
	reason = "";
	assert_int_equal(r.status, 503);
	assert_int_equal(json_parse(r.body.buf, r.body.len, &json), 0);
	assert_string_equal(json_string(json, "status"), "unhealthy");
	assert_string_equal(json_string(json, "reason"), "the gateway is \"down\"");
	cJSON_Delete(json);
	str_finish(&r.body);
}

static void test_metrics(void **state)
{
	static struct metric metric = METRIC_COUNTER("walle_test_total", "A test");
	struct result r;

	(void)state;
	metrics_register(&metric);
	metric_add(&metric, 41);
	r = ask("GET", "/metrics");
	assert_int_equal(r.status, 200);
	assert_memory_equal(r.type, "text/plain; version=0.0.4", 25);
	assert_non_null(strstr(r.body.buf, "\nwalle_test_total 41\n"));
	str_finish(&r.body);
}

static void test_other_paths_and_methods(void **state)
{
	struct result r = ask("GET", "/");

	(void)state;
	assert_int_equal(r.status, 404);
	str_finish(&r.body);
	r = ask("POST", "/healthz");
	assert_int_equal(r.status, 405);
	assert_string_equal(r.allow, "GET, HEAD");
	str_finish(&r.body);
}

static void test_port_in_use(void **state)
{
	struct health *second = NULL;

	(void)state;
	assert_int_equal(health_create(&loop, "bot", NULL, health_port(health), NULL, NULL, &second), -EADDRINUSE);
	assert_null(second);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_healthy),
		TEST(test_unhealthy),
		TEST(test_metrics),
		TEST(test_other_paths_and_methods),
		TEST(test_port_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
