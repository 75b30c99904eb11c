/* A line per answered request, in the log's format. No personal data beyond the address: the route's template instead of the path, no query.
 * Bounded: under load only so many lines a second are written and the rest is counted, so that neither a flood of requests nor a busy day
 * costs more than the requests themselves. */
#ifndef LEVELING_API_ACCESS_LOG_H
#define LEVELING_API_ACCESS_LOG_H

#include "connections.h"

struct access_log {
	usec second; /* the one that is being counted */
	int64_t written, left_out;
};

void access_log_add(struct access_log *log, const struct connection *connection, usec now, usec finished);
/* Says how many lines the past second was spared. */
void access_log_tick(struct access_log *log, usec now);

#endif
