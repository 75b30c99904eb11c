/* The inside of the gateway's state machine, for gateway.c (what happens when) and gateway_wire.c (what is written,
 * what close codes mean). */
#ifndef DISCORD_GATEWAY_PRIVATE_H
#define DISCORD_GATEWAY_PRIVATE_H

#include "discord/gateway.h"

struct gateway {
	const char *token, *gateway_url;
	uint32_t intents;
	bool compress;

	enum gateway_state state;
	usec wake_at; /* the state's deadline */

	/* session */
	char *session_id, *resume_url;
	int64_t received, committed;
	int failed_resumes; /* in a row */
	int unreachable;    /* failed connections in a row */

	/* connection */
	bool resume_meant;  /* made in order to resume */
	bool owner_dropped; /* the owner's wish ended it: says nothing about Discord */
	usec interval, beat_at, beat_sent_at;
	bool heard, beaten; /* since the last heartbeat; whether there was one */
	usec latency;
	usec sent[GATEWAY_SEND_LIMIT]; /* times of what was sent: a ring */
	size_t sent_next, sent_count;

	/* reconnecting */
	unsigned attempts;       /* since READY or RESUMED */
	unsigned owner_failures; /* drops by the owner since something was committed */
	usec delay;              /* at least so long before the next attempt */
	bool up, stopping, refused;
	char reason[200];

	uint64_t zombies, duplicates;
};

struct gateway_close_code {
	int code;
	enum gateway_close_class class;
	const char *text; /* for people; of the fatal ones it says what to do */
};
/* NULL: none that Discord documents. */
const struct gateway_close_code *gateway_close_code(int code);

#endif
