/* Messages that delete themselves, without waiting for it: how long a message has is read in the database, and while
 * the bot is away its time is brought forward. */
#ifndef EXPIRY_HELPERS_H
#define EXPIRY_HELPERS_H

#include "bot_helpers.h"

#include "models/expiring_message.h"

struct expiry_wait {
	struct harness *h;
	uint64_t message;
	struct expiring_message row;
};

static inline bool expiry_is_stored(void *arg)
{
	struct expiry_wait *wait = arg;
	struct expiring_message rows[32];
	size_t count = 0;

	assert_int_equal(expiring_message_due(harness_db(wait->h), INT64_MAX, rows, ARRAY_SIZE(rows), &count), 0);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].message_id == wait->message) {
			wait->row = rows[i];
			return true;
		}
	}
	return false;
}

/* The message's life, once the bot has written it down. */
static inline usec life_of(struct harness *h, uint64_t message)
{
	struct expiry_wait wait = { .h = h, .message = message };

	harness_wait(h, expiry_is_stored, &wait, SOON);
	return wait.row.expires_at - wait.row.created_at;
}

/* While the bot does not run: the message's life ends now. */
static inline void end_life(struct harness *h, uint64_t message)
{
	struct db *db;

	assert_int_equal(db_open(h->database, DB_WRITE, &db, NULL), 0);
	assert_int_equal(db_begin(db), 0);
	assert_int_equal(expiring_message_postpone(db, message, clock_realtime()), 0);
	assert_int_equal(db_commit(db), 0);
	db_close(db);
}

#endif
