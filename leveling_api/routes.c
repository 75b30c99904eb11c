/* See routes.h. */
#include "routes.h"

const struct route routes[] = {
	{ "/v1/leaderboard", v1_leaderboard, ROUTE_NEEDS_MEMBERS },
	{ "/v1/leaderboard/around/{user_id}", v1_around, ROUTE_NEEDS_MEMBERS },
	{ "/v1/members/{user_id}", v1_member, ROUTE_NEEDS_LEVELS },
	{ "/v1/search", v1_search, ROUTE_NEEDS_MEMBERS },
	{ "/v1/levels", v1_levels, ROUTE_NEEDS_LEVELS },
	{ "/v1/stats", v1_stats, ROUTE_NEEDS_MEMBERS },
	{ "/openapi.json", site_openapi, ROUTE_NEEDS_NOTHING },
	{ "/docs/", site_docs, ROUTE_NEEDS_NOTHING },
	{ "/docs", site_redirect, ROUTE_NEEDS_NOTHING },
	{ "/leaderboard/", site_page, ROUTE_NEEDS_NOTHING },
	{ "/leaderboard", site_redirect, ROUTE_NEEDS_NOTHING },
	{ "/leaderboard/{file}", site_file, ROUTE_NEEDS_NOTHING },
	{ "/robots.txt", site_robots, ROUTE_NEEDS_NOTHING },
	{ "/healthz", site_health, ROUTE_NEEDS_NOTHING },
	{ "/metrics", site_metrics, ROUTE_NEEDS_NOTHING },
};
const size_t route_count = ARRAY_SIZE(routes);

static bool matches(const struct route *route, const struct request *request)
{
	size_t fixed = strcspn(route->path, "{");

	if (route->path[fixed] == '\0')
		return request->path_len == fixed && memcmp(request->path, route->path, fixed) == 0;
	return request->path_len > fixed && memcmp(request->path, route->path, fixed) == 0 &&
	       strlen(request->path) == request->path_len && !strchr(request->path + fixed, '/');
}

const char *route_segment(const struct request *request)
{
	return strrchr(request->path, '/') + 1;
}

bool api_refresh(struct api *api, bool levels, usec now, struct answer *answer)
{
	if (source_refresh(api->source, now) == 0 && (!levels || source_refresh_levels(api->source, now) == 0))
		return true;
	answer_error(answer, 503, source_status(api->source).reason);
	answer->retry = true;
	return false;
}

static void run_route(
	struct api *api, const struct route *route, const struct request *request, usec now, struct answer *answer)
{
	if (request->method == METHOD_OTHER) {
		answer_method_not_allowed(answer, request);
		return;
	}
	answer->allow = ALLOW_READ;
	if (request->method == METHOD_OPTIONS) {
		answer->status = 204;
		return;
	}
	if (route->needs == ROUTE_NEEDS_NOTHING)
		route->run(api, NULL, request, answer);
	else if (api_refresh(api, route->needs == ROUTE_NEEDS_LEVELS, now, answer))
		route->run(api, source_members(api->source), request, answer);
}

void routes_answer(struct api *api, struct request *request, usec now, struct answer *answer, const char **ret_route)
{
	*ret_route = "none";
	if (params_parse(request->query, request->arena, &request->params) < 0) {
		answer_error(answer, 400, "There are more than 1000 parameters.");
		return;
	}
	if (request->method == METHOD_OPTIONS && streq(request->raw_path, "*")) {
		answer->status = 204;
		answer->allow = ALLOW_READ;
		return;
	}
	if (contract_answer(api, request, now, answer, ret_route))
		return;
	for (size_t i = 0; i < route_count; i++) {
		if (matches(&routes[i], request)) {
			*ret_route = routes[i].path;
			run_route(api, &routes[i], request, now, answer);
			return;
		}
	}
	answer_error(answer, 404, "Not found.");
}
