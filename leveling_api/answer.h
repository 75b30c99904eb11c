/* What a handler makes: status, body and the few headers that differ between answers. The headers that all answers carry, the ETag, 304 and
 * compression are added in one place, reply.c. */
#ifndef LEVELING_API_ANSWER_H
#define LEVELING_API_ANSWER_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "request.h"

struct answer {
	int status;
	const char *type; /* Content-Type */
	struct str body;
	const char *location;      /* or NULL */
	const char *allow;         /* or NULL */
	const char *cache_control; /* NULL: "no-cache", that is: keep it, but ask whether it is still the same */
	const char *csp;           /* Content-Security-Policy; NULL: nothing is allowed */
	bool volatile_body;        /* differs from request to request: neither ETag nor cache */
	bool no_cors;              /* the Origin is not looked at */
	bool retry;                /* with Retry-After: 1 */
};

#define ANSWER_INIT                                                         \
	{                                                                   \
		.status = 200, .type = "application/json", .body = STR_INIT \
	}

#define ALLOW_READ "GET, HEAD, OPTIONS"

void answer_finish(struct answer *answer);
/* Replaces the body by {"detail":"..."}. */
void answer_error(struct answer *answer, int status, const char *detail);
/* 405 with the Allow header. */
void answer_method_not_allowed(struct answer *answer, const struct request *request);

#endif
