/* The table of all routes but the contract's. To add an endpoint: a row in routes.c, a handler, and its description in
 * web/openapi.json (a test compares the two). */
#ifndef LEVELING_API_ROUTES_H
#define LEVELING_API_ROUTES_H

#include "api.h"

struct route {
	const char *path; /* "{...}" at the end stands for one segment */
	api_handler *run;
	enum route_needs { ROUTE_NEEDS_NOTHING, ROUTE_NEEDS_MEMBERS, ROUTE_NEEDS_LEVELS } needs;
};

extern const struct route routes[];
extern const size_t route_count;

/* The last segment of the path, for a route that ends in "{...}". */
const char *route_segment(const struct request *request);

/* v1.c */
void v1_leaderboard(
	struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void v1_around(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void v1_member(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void v1_search(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void v1_levels(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void v1_stats(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
/* site.c */
void site_file(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_openapi(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_docs(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_page(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_redirect(
	struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_robots(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_health(struct api *api, const struct members *members, const struct request *request, struct answer *answer);
void site_metrics(struct api *api, const struct members *members, const struct request *request, struct answer *answer);

#endif
