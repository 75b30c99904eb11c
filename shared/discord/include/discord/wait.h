/* Waiting for people: subscriptions that queue matching events from the moment they are opened. Open one before
 * inviting the answer, so that nothing is lost between the invitation and the wait. Every wait has a deadline; the
 * queue is bounded (the oldest falls out).
 */
#ifndef DISCORD_WAIT_H
#define DISCORD_WAIT_H

#include "discord/types.h"
#include "net/loop.h"

struct waits; /* all open subscriptions of a program */
struct wait;

struct waits *waits_create(void);
void waits_destroy(struct waits *waits); /* all subscriptions must be closed */
size_t waits_count(const struct waits *waits);

/* What a subscription lets through; zero fields match everything. */
struct wait_filter {
	const char *event;    /* "MESSAGE_CREATE", "MESSAGE_REACTION_ADD", "INTERACTION_CREATE" (components) */
	snowflake message_id; /* the message reacted to, or whose button was pressed */
	snowflake channel_id;
	snowflake user_id; /* who may answer */
	bool bots;         /* bots' events too */
	/* INTERACTION_CREATE: how the button's custom id begins, so that one can wait before the message's id is
	 * known. Copied. */
	const char *custom_id_prefix;
};
int wait_open(struct waits *waits, const struct wait_filter *filter, struct wait **ret_wait) warn_unused;
void wait_close(struct wait *wait);
void wait_closep(struct wait **wait);
/* Inside a flow: the next matching event's `d`, the caller's until the next call or wait_close(). -ETIMEDOUT,
 * -ECANCELED. */
int wait_next(struct wait *wait, usec patience, const cJSON **ret_event) warn_unused;

/* From the dispatcher: offers an event to all subscriptions. Returns whether one took it. */
bool waits_offer(struct waits *waits, const char *event, const cJSON *d);

#endif
