/* Members as JSON. These rows are nearly all of what the API sends, so they are written without the general writer. */
#ifndef LEVELING_API_RENDER_H
#define LEVELING_API_RENDER_H

#include "members.h"

/* Appends the object that /user_points/ lists. */
void render_member(struct str *out, const struct members *members, const struct member *member);
/* Appends the object that /v1/ lists. `rank` counts from 1. */
void render_ranked(struct str *out, const struct members *members, const struct member *member, uint64_t rank);

#endif
