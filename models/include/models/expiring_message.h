/* Messages of the bot that delete themselves (help replies and the like), so that a restart forgets none. */
#ifndef MODELS_EXPIRING_MESSAGE_H
#define MODELS_EXPIRING_MESSAGE_H

#include "models/db.h"

struct expiring_message {
	uint64_t message_id, channel_id;
	/* The message that asked for it and goes with it; 0: none, or not known (imported). */
	uint64_t request_message_id;
	usec expires_at;
	usec created_at; /* 0: not known */
};

/* Replaces an earlier row of the same message. */
int expiring_message_add(struct db *db, const struct expiring_message *message) warn_unused;
/* When the next one expires; -ENOENT: there is none. */
int expiring_message_next(struct db *db, usec *ret_expires) warn_unused;
/* Those that have expired, soonest first, at most `limit`. They stay until expiring_message_done(). */
int expiring_message_due(
	struct db *db, usec now, struct expiring_message *ret_list, size_t limit, size_t *ret_count) warn_unused;
/* Deleted from Discord, or gone, or not ours to delete. Unknown ones are ignored. */
int expiring_message_done(struct db *db, uint64_t message_id) warn_unused;
/* Could not be deleted now: asked for again at `expires_at`. */
int expiring_message_postpone(struct db *db, uint64_t message_id, usec expires_at) warn_unused;

#endif
