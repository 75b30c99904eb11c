/* What is served beside the data: the leaderboard page, the documentation, health and metrics. */
#include "base/metrics.h"
#include "base/settings.h"
#include "html.h"
#include "routes.h"
#include "web_files.h"

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ ".json", "application/json" },
};

static const struct web_file *find_file(const char *name)
{
	for (size_t i = 0; i < web_file_count; i++) {
		if (streq(web_files[i].name, name))
			return &web_files[i];
	}
	return NULL;
}

static void send_file(const struct api *api, const char *name, struct answer *answer)
{
	const struct web_file *file = find_file(name);
	size_t len = strlen(name);

	if (!file) {
		answer_error(answer, 404, "Not found.");
		return;
	}
	str_add(&answer->body, file->data, file->len);
	answer->type = "application/octet-stream";
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t ending = strlen(types[i].ending);

		if (len > ending && streq(name + len - ending, types[i].ending))
			answer->type = types[i].type;
	}
	answer->csp = api->page_csp;
}

void site_file(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	const char *name = route_segment(request);

	(void)members;
	/* The pages have addresses of their own. */
	if (strstr(name, ".html") || streq(name, "openapi.json"))
		answer_error(answer, 404, "Not found.");
	else
		send_file(api, name, answer);
}

void site_page(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)members;
	(void)request;
	send_file(api, "leaderboard.html", answer);
}

void site_docs(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)members;
	(void)request;
	send_file(api, "docs.html", answer);
}

void site_openapi(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)members;
	(void)request;
	send_file(api, "openapi.json", answer);
}

void site_redirect(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)api;
	(void)members;
	answer->status = 301;
	answer->type = "text/html; charset=utf-8";
	answer->location = arena_printf(request->arena, "%s/", request->path);
}

void site_robots(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)api;
	(void)members;
	(void)request;
	answer->type = "text/plain; charset=utf-8";
	str_adds(&answer->body, "User-agent: *\nDisallow: /\n");
}

void site_health(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	struct json_writer w = JSON_WRITER(&answer->body);
	struct source_status status;
	bool ready;

	(void)members;
	(void)request;
	ready = source_refresh(api->source, clock_monotonic()) == 0;
	status = source_status(api->source);
	answer->status = ready ? 200 : 503;
	answer->cache_control = "no-store";
	answer->volatile_body = true;
	json_begin_object(&w);
	json_put_string(&w, "status", ready ? "ok" : "unavailable");
	json_put_string(&w, "service", "leveling_api");
	json_put_string(&w, "reason", ready ? NULL : status.reason);
	if (ready)
		json_put_uint(&w, "members", ranking_count(members_listed(source_members(api->source))));
	json_end_object(&w);
}

void site_metrics(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	(void)api;
	(void)members;
	(void)request;
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	answer->cache_control = "no-store";
	answer->volatile_body = true;
	metrics_write(&answer->body);
}
