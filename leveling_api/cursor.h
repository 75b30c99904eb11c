/* Where a reader of /v1/leaderboard is. The text is opaque to clients; here it is four numbers with points between them. */
#ifndef LEVELING_API_CURSOR_H
#define LEVELING_API_CURSOR_H

#include "base/str.h"
#include "members.h"

struct cursor {
	uint64_t order; /* in which the reader began: members_order() */
	struct members_key key;
	uint64_t rank; /* of the member with this key, counted from 1 */
};

void cursor_write(struct str *out, const struct cursor *cursor);
int cursor_parse(const char *text, struct cursor *ret_cursor) warn_unused;

#endif
