/* Fetching the member list (fill.h). Discord answers one full request per guild in 30 s; a second one earlier is
 * refused by a RATE_LIMITED event (Discord's change log of August 2025). Every wait ends: by the last chunk, by
 * RATE_LIMITED, or by time.
 */
#include "fill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "cache.h"

/* So long after the last chunk nothing more is expected. */
#define CHUNK_PATIENCE (10 * SECOND)
/* Between full requests. */
#define SPACING   (31 * SECOND)
#define RETRY_MAX (5 * MINUTE)

static enum fill_action ask(struct fill_machine *machine, usec now)
{
	machine->state = FILL_ASKED;
	machine->asked_at = now;
	machine->due = now + CHUNK_PATIENCE;
	machine->request++;
	machine->count = machine->received = 0;
	memset(machine->seen, 0, sizeof(machine->seen));
	machine->attempts++;
	return FILL_ASK;
}

static enum fill_action wait_until(struct fill_machine *machine, usec due)
{
	machine->state = FILL_WAITING;
	machine->due = due;
	return FILL_NOTHING;
}

static enum fill_action take_chunk(struct fill_machine *machine, const struct fill_event *event, usec now)
{
	const int64_t room = (int64_t)sizeof(machine->seen) * 8;

	if (event->count <= 0 || event->index < 0 || event->index >= event->count || event->index >= room)
		return FILL_NOTHING;
	if (!(machine->seen[event->index / 64] & (1ULL << (event->index % 64)))) {
		machine->seen[event->index / 64] |= 1ULL << (event->index % 64);
		machine->received++;
	}
	machine->count = event->count;
	machine->due = now + CHUNK_PATIENCE;
	if (machine->received < machine->count)
		return FILL_NOTHING;
	machine->state = FILL_IDLE;
	machine->attempts = 0;
	return FILL_COMPLETE;
}

enum fill_action fill_step(struct fill_machine *machine, const struct fill_event *event, usec now)
{
	usec free_at = machine->asked_at ? machine->asked_at + SPACING : now;

	switch (event->input) {
	case FILL_WANT: machine->attempts = 0; return free_at <= now ? ask(machine, now) : wait_until(machine, free_at);
	case FILL_CHUNK: return machine->state == FILL_ASKED ? take_chunk(machine, event, now) : FILL_NOTHING;
	case FILL_LIMITED:
		if (machine->state != FILL_ASKED)
			return FILL_NOTHING;
		return wait_until(machine, now + MIN(MAX(event->retry_after, 1 * SECOND), RETRY_MAX));
	case FILL_TIMER:
		if (machine->state == FILL_IDLE || now < machine->due)
			return FILL_NOTHING;
		if (machine->state == FILL_WAITING)
			return ask(machine, now);
		/* Chunks were lost: once more, ever more slowly. */
		return wait_until(
			machine, MAX(now, machine->asked_at + MIN(SPACING * MIN(machine->attempts, 10u), RETRY_MAX)));
	}
	return FILL_NOTHING;
}

/* ---- around it ---- */

struct fill {
	struct bot *bot;
	void (*complete)(struct bot *bot);
	struct fill_machine machine;
	struct timer timer;
};

static void nonce_of(const struct fill *fill, char nonce[static 24])
{
	snprintf(nonce, 24, "members-%u", fill->machine.request);
}

static void act(struct fill *fill, const struct fill_event *event)
{
	struct service *service = fill->bot->service;
	usec now = loop_now(&service->loop);
	char nonce[24];
	int r;

	switch (fill_step(&fill->machine, event, now)) {
	case FILL_NOTHING: break;
	case FILL_ASK:
		nonce_of(fill, nonce);
		cache_members_begin(fill->bot->cache);
		r = gateway_client_request_members(service->gateway, service->guild_id, nonce, NULL, 0);
		/* Asked again when the patience with the chunks is over. */
		if (r < 0)
			log_warn("the member list could not be asked for", LOG_ERRNO(r));
		break;
	case FILL_COMPLETE:
		cache_members_end(fill->bot->cache);
		log_info("all members are known", LOG_INT("members", (int64_t)cache_member_count(fill->bot->cache)));
		fill->complete(fill->bot);
		break;
	}
	if (fill->machine.state == FILL_IDLE)
		timer_stop(&fill->timer);
	else
		timer_start(&fill->timer, MAX(fill->machine.due - now, (usec)0));
}

static void on_timer(void *arg)
{
	act(arg, &(struct fill_event){ .input = FILL_TIMER });
}

struct fill *fill_create(struct bot *bot, void (*complete)(struct bot *bot))
{
	struct fill *fill = xcalloc(1, sizeof(*fill));

	fill->bot = bot;
	fill->complete = complete;
	timer_init(&fill->timer, &bot->service->loop, on_timer, fill);
	return fill;
}

void fill_destroy(struct fill *fill)
{
	if (!fill)
		return;
	timer_finish(&fill->timer);
	free(fill);
}

void fill_want(struct fill *fill)
{
	act(fill, &(struct fill_event){ .input = FILL_WANT });
}

void fill_event(struct fill *fill, const char *event, const cJSON *d)
{
	char nonce[24];
	const char *has;

	nonce_of(fill, nonce);
	if (streq(event, "GUILD_MEMBERS_CHUNK")) {
		has = json_string(d, "nonce");
		if (has && streq(has, nonce))
			act(fill, &(struct fill_event){ .input = FILL_CHUNK,
					  .index = json_int(d, "chunk_index", -1),
					  .count = json_int(d, "chunk_count", 0) });
	} else if (streq(event, "RATE_LIMITED")) {
		has = json_string(json_object(d, "meta"), "nonce");
		if (has && streq(has, nonce))
			act(fill, &(struct fill_event){ .input = FILL_LIMITED,
					  .retry_after = (usec)(json_double(d, "retry_after", 30) * 1e6) });
	}
}
