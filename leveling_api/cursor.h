/* Where a reader of /v1/leaderboard is. The text is opaque to clients; here it is five numbers with points between them. */
#ifndef LEVELING_API_CURSOR_H
#define LEVELING_API_CURSOR_H

#include "base/str.h"
#include "members.h"

struct cursor {
	uint32_t instance; /* the run of the program that made it */
	uint64_t version;  /* of the members: the order that the reader sees */
	struct members_key key;
	uint64_t rank; /* of the member with this key, counted from 1 */
};

void cursor_write(struct str *out, const struct cursor *cursor);
int cursor_parse(const char *text, struct cursor *ret_cursor) warn_unused;

#endif
