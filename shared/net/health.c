/* The health endpoint of a service: GET /healthz for the supervisor, GET /metrics for Prometheus.
 *
 * To add an endpoint, add a row to `endpoints`. Requests are few; everything is written anew for each.
 */
#include "net/health.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/metrics.h"

struct health {
	struct httpd *httpd;
	const char *service;
	health_check_fn *check;
	void *arg;
};

/* Appends the answer to `out` and returns the status. */
static int healthz(struct health *health, struct str *out)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(out);

	if (health->check != NULL)
		health->check(health->arg, &reason);
	json_begin_object(&w);
	json_put_string(&w, "service", health->service);
	json_put_string(&w, "status", reason.len == 0 ? "ok" : "unhealthy");
	if (reason.len > 0)
		json_put_string(&w, "reason", reason.buf);
	json_end_object(&w);
	return reason.len == 0 ? 200 : 503;
}

static int metrics(struct health *health, struct str *out)
{
	(void)health;
	metrics_write(out);
	return 200;
}

static const struct {
	const char *path, *content_type;
	int (*write)(struct health *health, struct str *out);
} endpoints[] = {
	{ "/healthz", "application/json", healthz },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics },
};

static void on_request(void *arg, struct httpd_request *request)
{
	static const struct http_header allow[] = { { "Allow", "GET, HEAD" }, { 0 } };
	static const struct http_header fresh[] = { { "Cache-Control", "no-store" }, { 0 } };
	struct str out cleanup(str_finish) = STR_INIT;
	const char *method = httpd_method(request);

	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		int status;

		if (!streq(httpd_path(request), endpoints[i].path))
			continue;
		if (!streq(method, "GET") && !streq(method, "HEAD")) {
			httpd_respond(request, 405, NULL, allow, "", 0);
			return;
		}
		status = endpoints[i].write(arg, &out);
		httpd_respond(request, status, endpoints[i].content_type, fresh, out.buf, out.len);
		return;
	}
	httpd_respond(request, 404, NULL, NULL, "", 0);
}

int health_create(struct loop *loop, const char *service, const char *bind, int port, health_check_fn *check, void *arg,
	struct health **ret_health)
{
	struct httpd_options options = { .bind = bind, .port = port, .body_limit = 1024, .connections = 32 };
	struct health *health = xcalloc(1, sizeof(*health));
	int r;

	health->service = service;
	health->check = check;
	health->arg = arg;
	r = httpd_create(loop, &options, on_request, health, &health->httpd);
	if (r < 0) {
		free(health);
		return r;
	}
	*ret_health = health;
	return 0;
}

void health_destroy(struct health *health)
{
	if (health == NULL)
		return;
	httpd_destroy(health->httpd);
	free(health);
}

int health_port(const struct health *health)
{
	return httpd_port(health->httpd);
}
