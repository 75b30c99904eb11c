/* See connections.h. */
#include "connections.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SHUT_DOWN (-1) /* fd of a connection that was shut down and waits to be closed */

static const usec stay[] = { [CONNECTION_WAITING] = CONNECTION_WAITS, [CONNECTION_ANSWERING] = CONNECTION_ANSWERS };

static void append(struct connections *connections, struct connection *connection)
{
	connection->previous = connections->lists[connection->state].last;
	connection->next = NULL;
	if (connection->previous)
		connection->previous->next = connection;
	else
		connections->lists[connection->state].first = connection;
	connections->lists[connection->state].last = connection;
}

static void take_out(struct connections *connections, struct connection *connection)
{
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		connections->lists[connection->state].first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	else
		connections->lists[connection->state].last = connection->previous;
}

struct connection *connections_add(struct connections *connections, int fd, const char *address, usec now)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));

	connection->fd = fd;
	connection->since = now;
	connection->state = CONNECTION_WAITING;
	snprintf(connection->address, sizeof(connection->address), "%s", address);
	str_init(&connection->target);
	append(connections, connection);
	connections->count++;
	return connection;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
	take_out(connections, connection);
	connections_hold(connections, connection, 0);
	connections->count--;
	str_finish(&connection->target);
	free(connection);
}

void connections_hold(struct connections *connections, struct connection *connection, size_t bytes)
{
	connections->held += bytes - connection->held;
	connection->held = bytes;
}

void connections_set_state(
	struct connections *connections, struct connection *connection, enum connection_state state, usec now)
{
	take_out(connections, connection);
	connection->state = state;
	connection->since = now;
	append(connections, connection);
}

/* Out of the way of the next sweep: at the end of its list, with the descriptor forgotten (the number may be given out again). */
static void shut_down(struct connections *connections, struct connection *connection, usec now)
{
	if (connection->fd != SHUT_DOWN)
		shutdown(connection->fd, SHUT_RDWR);
	connection->fd = SHUT_DOWN;
	connections_set_state(connections, connection, connection->state, now);
}

size_t connections_sweep(struct connections *connections, usec now)
{
	size_t count = 0,
	       surplus = connections->count > connections->limit ? connections->count - connections->limit : 0;
	struct connection *first;

	for (enum connection_state state = CONNECTION_WAITING; state <= CONNECTION_ANSWERING; state++) {
		while ((first = connections->lists[state].first) && now - first->since >= stay[state]) {
			shut_down(connections, first, now);
			count++;
		}
	}
	for (enum connection_state state = CONNECTION_WAITING; state <= CONNECTION_ANSWERING; state++) {
		while (count < surplus && (first = connections->lists[state].first) && first->fd != SHUT_DOWN) {
			shut_down(connections, first, now);
			count++;
		}
	}
	return count;
}

usec connections_next_deadline(const struct connections *connections)
{
	usec next = INT64_MAX;

	for (enum connection_state state = CONNECTION_WAITING; state <= CONNECTION_ANSWERING; state++) {
		if (connections->lists[state].first)
			next = MIN(next, connections->lists[state].first->since + stay[state]);
	}
	return next;
}
