/* Gateway sessions: see session.h. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

struct session *session_create(uint32_t intents, size_t replay, uint64_t random_a, uint64_t random_b)
{
	struct session *session = xcalloc(1, sizeof(*session));

	snprintf(session->id, sizeof(session->id), "%016llx%016llx", (unsigned long long)random_a,
		(unsigned long long)random_b);
	session->intents = intents;
	session->cap = replay;
	session->events = xcalloc(replay, sizeof(*session->events));
	return session;
}

static void drop_oldest(struct session *session)
{
	struct session_event *event = &session->events[session->first];

	session->bytes -= event->len;
	free(event->payload);
	session->first = (session->first + 1) % session->cap;
	session->count--;
}

void session_forget_events(struct session *session)
{
	while (session->count)
		drop_oldest(session);
}

void session_destroy(struct session *session)
{
	session_forget_events(session);
	free(session->events);
	free(session);
}

void session_keep(struct session *session, int64_t seq, char *payload, size_t len)
{
	while (session->count == session->cap || (session->count && session->bytes + len > REPLAY_MAX_BYTES))
		drop_oldest(session);
	session->events[(session->first + session->count++) % session->cap] =
		(struct session_event){ .seq = seq, .payload = payload, .len = len };
	session->bytes += len;
}

const struct session_event *session_event(const struct session *session, size_t i)
{
	return &session->events[(session->first + i) % session->cap];
}

bool session_can_replay(const struct session *session, int64_t seq)
{
	return seq >= session->seq || (session->count && session_event(session, 0)->seq <= seq + 1);
}
