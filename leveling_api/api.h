/* What the handlers share: the configuration that shows in answers, and the data. */
#ifndef LEVELING_API_API_H
#define LEVELING_API_API_H

#include "answer.h"
#include "base/timezone.h"
#include "source.h"

struct api {
	const struct settings *settings;
	struct source *source;
	struct timezone_rules *pacific; /* the old server's zone, for one of its messages; NULL: UTC instead */
	const char *page_csp;           /* of the pages for people */
};

/* A handler fills the answer, which begins as ANSWER_INIT. `members` are fresh; NULL for routes that need no data. */
typedef void api_handler(
	struct api *api, const struct members *members, const struct request *request, struct answer *answer);

/* Finds the route and runs it. `ret_route` is its template for log and metrics ("/v1/members/{user_id}"), a literal. */
void routes_answer(struct api *api, struct request *request, usec now, struct answer *answer, const char **ret_route);

/* contract.c: whether the path is one of the contract's; then the answer is made, 404 and 405 included. */
bool contract_answer(
	struct api *api, const struct request *request, usec now, struct answer *answer, const char **ret_route);

/* Whether the path is one of the contract's without its slash: it is redirected, whatever is asked. */
bool contract_redirects(const struct request *request);

/* Asks the source for fresh data, of the levels too when they are shown. False: the answer is a 503 with the reason. */
bool api_refresh(struct api *api, bool levels, usec now, struct answer *answer);

#endif
