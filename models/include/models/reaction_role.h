/* Messages under which a reaction gives a role. */
#ifndef MODELS_REACTION_ROLE_H
#define MODELS_REACTION_ROLE_H

#include "base/arena.h"
#include "models/db.h"

struct reaction_role {
	const char *emoji; /* a custom emoji's id in digits, or the Unicode characters */
	uint64_t role_id;
};

struct reaction_role_message {
	uint64_t message_id, channel_id;
	const char *title;           /* NULL: not known (imported) */
	struct reaction_role *roles; /* in the order in which they are shown */
	size_t count;
};

/* Inserts or replaces the message and all of its roles. -EEXIST: an emoji occurs twice. */
int reaction_role_put(struct db *db, const struct reaction_role_message *message) warn_unused;
/* -ENOENT. Copied into `arena`, here and below. */
int reaction_role_get(
	struct db *db, uint64_t message_id, struct arena *arena, struct reaction_role_message *ret_message) warn_unused;
/* What one reaction means; -ENOENT: nothing. For every reaction in the guild, so it is one lookup by key. */
int reaction_role_find(struct db *db, uint64_t message_id, const char *emoji, uint64_t *ret_role_id) warn_unused;
/* All messages, oldest first. */
int reaction_role_list(
	struct db *db, struct arena *arena, struct reaction_role_message **ret_messages, size_t *ret_count) warn_unused;
/* With its roles. -ENOENT */
int reaction_role_delete(struct db *db, uint64_t message_id) warn_unused;

#endif
