/* A REST client and a server in one process. The server gives the scripted replies in their order (then the last one
 * again) and keeps what it was asked; world_run() runs one function as a flow until it ends.
 */
#ifndef TESTS_DISCORD_REST_WORLD_H
#define TESTS_DISCORD_REST_WORLD_H

#include "test.h"

#include "discord/rest.h"
#include "net/flow.h"
#include "net/httpd.h"

#define TOKEN "test-token"

struct reply {
	int status; /* 0: the connection is dropped without an answer; -1: no answer ever */
	const char *body;
	struct http_header headers[8];
};

struct asked {
	char *method, *path, *query, *body, *authorization, *reason, *user_agent, *content_type;
	size_t body_len;
	usec at;
};

struct world {
	struct loop loop;
	struct httpd *httpd;
	struct http *http;
	struct flows *flows;
	struct rest *rest;
	const struct reply *script;
	size_t script_len;
	struct asked asked[80];
	size_t count;
	int unauthorized;
};

static inline char *copy_or_null(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static inline void on_request(void *arg, struct httpd_request *request)
{
	struct world *w = arg;
	struct asked *asked = &w->asked[w->count];
	const struct reply *reply = &w->script[MIN(w->count, w->script_len - 1)];
	const char *body = httpd_body(request, &asked->body_len);

	assert_true(w->count < ARRAY_SIZE(w->asked));
	w->count++;
	asked->method = xstrdup(httpd_method(request));
	asked->path = xstrdup(httpd_path(request));
	asked->query = xstrdup(httpd_query(request));
	asked->body = xcalloc(1, asked->body_len + 1);
	if (asked->body_len > 0)
		memcpy(asked->body, body, asked->body_len);
	asked->authorization = copy_or_null(httpd_header(request, "authorization"));
	asked->reason = copy_or_null(httpd_header(request, "x-audit-log-reason"));
	asked->user_agent = copy_or_null(httpd_header(request, "user-agent"));
	asked->content_type = copy_or_null(httpd_header(request, "content-type"));
	asked->at = loop_now(&w->loop);
	if (reply->status > 0)
		httpd_respond(request, reply->status,
			reply->headers[0].name && streq(reply->headers[0].name, "Content-Type") ? NULL
												: "application/json",
			reply->headers, reply->body ? reply->body : "", reply->body ? strlen(reply->body) : 0);
	else if (reply->status == 0)
		httpd_drop(request);
}

static inline void on_unauthorized(void *arg)
{
	((struct world *)arg)->unauthorized++;
}

static inline void world_open(struct world *w, const struct reply *script, size_t script_len)
{
	char *url;

	memset(w, 0, sizeof(*w));
	w->script = script;
	w->script_len = script_len;
	assert_int_equal(loop_init(&w->loop), 0);
	assert_int_equal(
		httpd_create(&w->loop, &(struct httpd_options){ .body_limit = 1 << 20 }, on_request, w, &w->httpd), 0);
	assert_int_equal(http_create(&w->loop, REST_USER_AGENT, 8, &w->http), 0);
	w->flows = flows_create(&w->loop, (struct flow_limits){ .total = 64, .per_owner = 64 });
	url = xasprintf("http://127.0.0.1:%d/api/v10", httpd_port(w->httpd));
	assert_int_equal(rest_create(&w->loop, w->http,
				 &(struct rest_options){
					 .api_url = url,
					 .token = TOKEN,
					 .requests_per_second = 100,
					 .on_unauthorized = on_unauthorized,
					 .arg = w,
				 },
				 &w->rest),
		0);
	free(url);
}

static inline bool flows_over(void *arg)
{
	return flows_count(((struct world *)arg)->flows) == 0;
}

static inline void world_close(struct world *w)
{
	rest_destroy(w->rest);
	flows_cancel(w->flows, NULL);
	assert_int_equal(loop_run_until(&w->loop, flows_over, w, 5 * SECOND), 0);
	flows_destroy(w->flows);
	http_destroy(w->http);
	httpd_destroy(w->httpd);
	assert_int_equal(loop_finish(&w->loop), 0);
	for (size_t i = 0; i < w->count; i++) {
		struct asked *asked = &w->asked[i];

		free(asked->method);
		free(asked->path);
		free(asked->query);
		free(asked->body);
		free(asked->authorization);
		free(asked->reason);
		free(asked->user_agent);
		free(asked->content_type);
	}
}

/* What runs in a flow: a function that makes calls and returns their result, and what it needs. */
struct work {
	struct world *world;
	int (*run)(struct rest *rest, void *arg);
	void *arg;
	int result;
	struct rest_error error;
	bool done;
};

static inline void work_run(void *arg)
{
	struct work *work = arg;

	work->result = work->run(work->world->rest, work->arg);
	if (work->result < 0 && work->result != -ECANCELED)
		work->error = *rest_error(work->world->rest);
	work->done = true;
}

static inline void work_start(struct work *work)
{
	assert_int_equal(flow_start(work->world->flows, &(struct flow_options){ .name = "test" }, work_run, work), 0);
}

static inline bool work_over(void *arg)
{
	return ((struct work *)arg)->done;
}

/* Runs it to its end; the result. */
static inline int world_run(
	struct world *w, int (*run)(struct rest *rest, void *arg), void *arg, struct rest_error *ret_error)
{
	struct work work = { .world = w, .run = run, .arg = arg };

	work_start(&work);
	assert_int_equal(loop_run_until(&w->loop, work_over, &work, 40 * SECOND), 0);
	if (ret_error)
		*ret_error = work.error;
	return work.result;
}

#endif
