/* Messages that delete themselves (expiry.h). One flow at a time takes what is due, deletes it and forgets the row;
 * what cannot be deleted because it is gone or not ours to delete is forgotten too, everything else is tried again
 * later, at most for a day.
 */
#include "expiry.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "models/expiring_message.h"

#define DUE_AT_ONCE 32
#define RETRY_AFTER (1 * MINUTE)
/* Sleeping longer than this gains nothing, and a changed system clock is noticed. */
#define SLEEP_MAX     (10 * MINUTE)
#define GIVE_UP_AFTER (1 * DAY)

struct expiry {
	struct bot *bot;
	struct timer timer;
	bool started, running;
};

static void sweep_flow(void *arg);

static void dropped(void *arg)
{
	struct expiry *expiry = arg;

	expiry->running = false;
	timer_start(&expiry->timer, RETRY_AFTER);
}

static void due(void *arg)
{
	struct expiry *expiry = arg;

	if (expiry->running || expiry->bot->stopping)
		return;
	expiry->running = true;
	bot_start_flow(expiry->bot, "expiry", sweep_flow, dropped, expiry);
}

/* Sets the timer to the next message that expires. */
static void arm(struct expiry *expiry)
{
	usec next;
	int r;

	if (!expiry->started || expiry->running)
		return;
	r = expiring_message_next(expiry->bot->service->db, &next);
	if (r == 0)
		timer_start(&expiry->timer, MIN(MAX(next - clock_realtime(), (usec)0), SLEEP_MAX));
	else if (r != -ENOENT)
		timer_start(&expiry->timer, RETRY_AFTER);
}

struct expiry *expiry_create(struct bot *bot)
{
	struct expiry *expiry = xcalloc(1, sizeof(*expiry));

	expiry->bot = bot;
	timer_init(&expiry->timer, &bot->service->loop, due, expiry);
	return expiry;
}

void expiry_destroy(struct expiry *expiry)
{
	if (!expiry)
		return;
	timer_finish(&expiry->timer);
	free(expiry);
}

void expiry_start(struct expiry *expiry)
{
	expiry->started = true;
	arm(expiry);
}

int expiry_add(struct expiry *expiry, snowflake channel, snowflake message, snowflake request, usec after)
{
	usec now = clock_realtime();
	const struct expiring_message row = { .message_id = message,
		.channel_id = channel,
		.request_message_id = request,
		.expires_at = now + after,
		.created_at = now };
	struct service *service = expiry->bot->service;
	int r;

	r = batch_begin(service->batch);
	if (r == 0)
		r = expiring_message_add(service->db, &row);
	if (r == 0)
		r = batch_flush(service->batch);
	if (r < 0)
		return r;
	arm(expiry);
	return 0;
}

int expiry_forget(struct expiry *expiry, snowflake message)
{
	struct service *service = expiry->bot->service;
	int r;

	if (!message)
		return 0;
	r = batch_begin(service->batch);
	if (r == 0)
		r = expiring_message_done(service->db, message);
	return r < 0 ? r : batch_flush(service->batch);
}

/* 0: it is gone, or we may not; else it has to be tried again. */
static int delete (struct expiry *expiry, snowflake channel, snowflake message)
{
	int r;

	if (!message)
		return 0;
	r = rest_delete_message(expiry->bot->service->rest, channel, message, NULL);
	if (r == -EACCES)
		log_info("a message that was to vanish stays: the bot may not delete it", LOG_ID("channel", channel),
			LOG_ID("message", message));
	return r == -ENOENT || r == -EACCES || r == -EINVAL ? 0 : r;
}

static int forget_or_postpone(struct expiry *expiry, const struct expiring_message *message, int result)
{
	struct service *service = expiry->bot->service;
	usec now = clock_realtime();
	int r;

	r = batch_begin(service->batch);
	if (r < 0)
		return r;
	if (result < 0 && now - message->created_at < GIVE_UP_AFTER)
		r = expiring_message_postpone(service->db, message->message_id, now + RETRY_AFTER);
	else
		r = expiring_message_done(service->db, message->message_id);
	return r < 0 ? r : batch_flush(service->batch);
}

static void sweep_flow(void *arg)
{
	struct expiry *expiry = arg;
	struct expiring_message list[DUE_AT_ONCE];
	size_t count = 0;
	int r;

	r = expiring_message_due(expiry->bot->service->db, clock_realtime(), list, DUE_AT_ONCE, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		int result = delete (expiry, list[i].channel_id, list[i].request_message_id);

		if (result == 0)
			result = delete (expiry, list[i].channel_id, list[i].message_id);
		if (result == -ECANCELED)
			r = result;
		else
			r = forget_or_postpone(expiry, &list[i], result);
	}
	expiry->running = false;
	if (r == -ECANCELED)
		return;
	if (r < 0) {
		log_warn("expired messages could not be handled, trying again in a minute", LOG_ERRNO(r));
		timer_start(&expiry->timer, RETRY_AFTER);
		return;
	}
	arm(expiry);
}
