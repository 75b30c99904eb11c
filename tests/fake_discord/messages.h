/* Posting, editing and deleting messages and reactions, for the bot (REST), its interactions and people alike: the state changes and everybody who
 * may know is told. Whether it is allowed was decided before. */
#ifndef FAKE_MESSAGES_H
#define FAKE_MESSAGES_H

#include "fake.h"

struct draft {
	uint64_t author, channel;
	const char *content;              /* NULL: none */
	const cJSON *embeds, *components; /* arrays, copied */
	cJSON *attachments;               /* array, taken */
	const cJSON *allowed_mentions;    /* NULL: everything is parsed */
	uint64_t reference;
	unsigned flags;
	const char *nonce;
	const char *webhook_name; /* posted by a webhook of this name */
	uint64_t webhook;
	uint64_t interaction, interaction_user, ephemeral_for;
	int interaction_type;
	const char *command;
	int type;
	usec at; /* 0: now */
};
/* Says it to everybody; `draft->attachments` is gone in every case. Never NULL. */
struct message *message_post(struct fake *fake, const struct draft *draft);
/* What is not NULL replaces what is there; `attachments` is taken. */
void message_edit(struct fake *fake, struct message *message, const char *content, const cJSON *embeds,
	const cJSON *components, cJSON *attachments, const cJSON *allowed_mentions);
/* Something of it changed: counts it and tells it. */
void message_changed(struct fake *fake, struct message *message);
void message_delete(struct fake *fake, struct channel *channel, uint64_t id);
/* Deletes what is there of the ids and tells it once. */
void message_delete_bulk(struct fake *fake, struct channel *channel, const uint64_t *ids, size_t count);
/* -ENOBUFS: too many different ones. Reacting twice is fine. */
int message_react(struct fake *fake, struct message *message, uint64_t user, const char *name, uint64_t id);
/* -ENOENT */
int message_unreact(struct fake *fake, struct message *message, uint64_t user, const char *name, uint64_t id);
/* All, or (name not NULL) those of one emoji. */
void message_clear_reactions(struct fake *fake, struct message *message, const char *name, uint64_t id);

/* Whether the text occurs in content, embeds or components; NULL is everywhere. */
bool message_contains(const struct message *message, const char *text);

/* "👍" or "name:id" (also "<:name:id>"). The name is the caller's (free()). -EINVAL. */
int emoji_parse(const char *text, char **ret_name, uint64_t *ret_id) warn_unused;
/* An attachment object, with its bytes in the state's file store. `data` is copied. */
cJSON *attachment_create(struct fake *fake, uint64_t channel, const char *name, const char *type,
	const char *description, const void *data, size_t len);

#endif
