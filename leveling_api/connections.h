/* Every open connection with its deadline, because libmicrohttpd's own timeout starts anew with each byte: who sends a byte a second would
 * stay for ever. A connection waits (for the first request, for the rest of one, for the next one) or is being answered; in each state it
 * may stay for a fixed time. When there are too many, those who have waited longest go first, after them the slowest readers. */
#ifndef LEVELING_API_CONNECTIONS_H
#define LEVELING_API_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/str.h"

#define CONNECTION_WAITS   (15 * SECOND) /* until a request's headers are complete */
#define CONNECTION_ANSWERS (30 * SECOND) /* until the client has taken the answer */

enum connection_state { CONNECTION_WAITING, CONNECTION_ANSWERING };

struct connection {
	int fd;
	enum connection_state state;
	usec since;
	struct connection *previous, *next; /* in its state's list, oldest first */
	char address[48];                   /* of the other end: perhaps a proxy, whose requests are many clients' */
	/* The request at work, for the log. */
	struct str target;
	bool called;    /* by the library, once for this request */
	uint64_t round; /* of the event loop, in which it was accepted */
	char client[48];
	const char *method, *route;
	unsigned status;
	size_t bytes; /* of the body, as sent */
	size_t held;  /* connections_hold() */
	usec started;
};

struct connections {
	struct {
		struct connection *first, *last;
	} lists[2];
	size_t count, limit;
	size_t held; /* by all */
};

struct connection *connections_add(struct connections *connections, int fd, const char *address, usec now);
void connections_remove(struct connections *connections, struct connection *connection);
void connections_set_state(
	struct connections *connections, struct connection *connection, enum connection_state state, usec now);
/* So many bytes are kept for this connection until it has taken its answer; 0: none any more. */
void connections_hold(struct connections *connections, struct connection *connection, size_t bytes);
/* Shuts down what has overstayed, and the longest waiting above the limit. The library notices and closes. Returns how many. */
size_t connections_sweep(struct connections *connections, usec now);
/* When the next one overstays, or INT64_MAX. */
usec connections_next_deadline(const struct connections *connections);

#endif
