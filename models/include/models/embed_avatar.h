/* Avatars that were posted to a channel of ours, so that embeds outlive a change of picture. */
#ifndef MODELS_EMBED_AVATAR_H
#define MODELS_EMBED_AVATAR_H

#include "base/arena.h"
#include "models/db.h"

/* The address under which `source_url` was posted again, copied into `arena`. -ENOENT: it was not. */
int embed_avatar_get(
	struct db *db, const char *source_url, struct arena *arena, const char **ret_permanent_url) warn_unused;
/* Inserts or replaces. */
int embed_avatar_put(struct db *db, const char *source_url, const char *permanent_url) warn_unused;

#endif
