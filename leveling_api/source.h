/* Where the data come from: opens the database, keeps the members fresh, and says why when it cannot.
 *
 * Opening and the first reading can take seconds (locks, a million members): they run in a thread of their own, meanwhile requests are
 * answered with 503 and the reason. Whatever goes wrong later, the source tries again by itself. */
#ifndef LEVELING_API_SOURCE_H
#define LEVELING_API_SOURCE_H

#include "base/clock.h"
#include "members.h"

struct source;

enum source_state {
	SOURCE_OPENING, /* a thread is opening the database and reading it */
	SOURCE_READY,   /* members are there and fresh */
	SOURCE_WAITING, /* the last attempt failed; the next one starts when its time comes */
};

struct source_status {
	enum source_state state;
	int error;          /* WAITING: -errno as models/db.h has it */
	const char *reason; /* one sentence for people; "" when READY */
};

struct source *source_create(const char *path) warn_unused;
void source_destroy(struct source *source);
/* Readable when a thread has finished; then call source_tick(). */
int source_fd(const struct source *source);
/* Takes over what a thread has finished, starts the next attempt when it is time, looks whether the file was replaced. Call it when
 * source_fd() is readable and about once a second. */
void source_tick(struct source *source, usec now);
/* Before every answer from the data: reads what was committed since. -EAGAIN when there are no data now: see source_status(). */
int source_refresh(struct source *source, usec now) warn_unused;
/* The same for the levels, after source_refresh(): what shows more of them than thresholds calls this first. */
int source_refresh_levels(struct source *source, usec now) warn_unused;
/* Between these two, one look at the database is enough for all requests that were there when the first of them was answered: the event loop
 * calls them around each round, in which it answers what had arrived before. */
void source_begin_round(struct source *source);
void source_end_round(struct source *source);
/* After source_refresh() has returned 0, until it is called again. */
struct members *source_members(const struct source *source);
struct source_status source_status(const struct source *source);
/* Differs whenever an answer may differ: across refreshes, reopened databases and states. */
uint64_t source_version(const struct source *source);

#endif
