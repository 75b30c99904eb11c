/* What a message may be: content, embeds, components, mentions, attachments, with Discord's limits. */
#ifndef FAKE_MESSAGE_FORM_H
#define FAKE_MESSAGE_FORM_H

#include "form.h"

enum {
	CONTENT_MAX = 2000,
	EMBEDS_MAX = 10,
	EMBED_TOTAL_MAX = 6000,
	ATTACHMENTS_MAX = 10,
	FILE_MAX_BYTES = 10 << 20,
	UPLOAD_MAX_BYTES = 25 << 20,
	NONCE_LENGTH_MAX = 25,
	CHOICES_MAX = 25,
};

/* Checks a message's body; `path` is "" or "data" (of an interaction's answer). */
void message_form_check(struct form *form, const char *path, const cJSON *body);
/* A modal's components and texts. */
void modal_form_check(struct form *form, const char *path, const cJSON *body);
/* The choices of an autocomplete answer. */
void choices_form_check(struct form *form, const char *path, const cJSON *body);
/* Nothing to see in it: 50006. `files`: how many come with it. */
bool message_is_empty(const cJSON *body, size_t files);
/* Calls `each` for all components, those in containers too; false ends the walk. */
void components_walk(const cJSON *components, bool (*each)(void *arg, const cJSON *component), void *arg);

#endif
