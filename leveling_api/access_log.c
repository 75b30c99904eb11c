/* See access_log.h. */
#include "access_log.h"

#include "base/log.h"

#define LINES_A_SECOND 50

void access_log_tick(struct access_log *log, usec now)
{
	if (now - log->second < SECOND)
		return;
	if (log->left_out > 0)
		log_info("more requests than are logged", LOG_INT("left_out", log->left_out));
	log->second = now;
	log->written = log->left_out = 0;
}

void access_log_add(struct access_log *log, const struct connection *connection, usec now, usec finished)
{
	access_log_tick(log, now);
	if (log->written >= LINES_A_SECOND) {
		log->left_out++;
		return;
	}
	log->written++;
	log_info("request", LOG_STR("address", connection->client), LOG_STR("method", connection->method),
		LOG_STR("route", connection->route), LOG_INT("status", (int64_t)connection->status),
		LOG_INT("bytes", (int64_t)connection->bytes), LOG_INT("us", finished - connection->started));
}
