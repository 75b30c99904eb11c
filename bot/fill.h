/* Fetching the whole member list over the gateway (op 8): asks, counts the chunks, asks again when some are lost or
 * Discord says that it is too early.
 *
 * The decisions are pure (fill_step), the timer and the sending are around them.
 */
#ifndef BOT_FILL_H
#define BOT_FILL_H

#include "bot.h"

enum fill_state {
	FILL_IDLE,    /* nothing is wanted, or all is here */
	FILL_WAITING, /* will ask at `due` */
	FILL_ASKED,   /* chunks are coming; `due` is when we stop believing in them */
};

enum fill_input { FILL_WANT, FILL_CHUNK, FILL_LIMITED, FILL_TIMER };

struct fill_event {
	enum fill_input input;
	/* FILL_CHUNK */
	int64_t index, count;
	/* FILL_LIMITED */
	usec retry_after;
};

enum fill_action { FILL_NOTHING, FILL_ASK, FILL_COMPLETE };

struct fill_machine {
	enum fill_state state;
	usec due, asked_at; /* asked_at 0: never */
	uint32_t request;   /* number of the request, its nonce */
	int64_t count;      /* chunks that were announced */
	int64_t received;
	uint64_t seen[64]; /* which ones: Discord sends at most 1000 members a chunk, so this is room for 4 million */
	unsigned attempts;
};

enum fill_action fill_step(struct fill_machine *machine, const struct fill_event *event, usec now);

struct fill;
/* `complete` is called when all chunks have been applied. */
struct fill *fill_create(struct bot *bot, void (*complete)(struct bot *bot));
void fill_destroy(struct fill *fill);
/* The list is wanted (again): after READY's GUILD_CREATE, or after a resume with an empty cache. */
void fill_want(struct fill *fill);
/* Hears of every event, after the cache has applied it. */
void fill_event(struct fill *fill, const char *event, const cJSON *d);

#endif
