/* zlib-stream: one deflate stream over the whole connection, cut into messages by a sync flush (00 00 FF FF).
 * Messages may come in pieces. */
#ifndef DISCORD_INFLATE_H
#define DISCORD_INFLATE_H

#include "base/str.h"

struct inflater;

/* `limit`: bytes that one message may have when inflated. */
struct inflater *inflater_create(size_t limit);
void inflater_destroy(struct inflater *inflater);
/* Takes the next piece. 1: a message is complete, `ret_text` (NUL-terminated, valid until the next call) and
 * `ret_len` are set; 0: more must come; -EBADMSG: no such stream; -E2BIG: over the limit. After an error the stream
 * is dead and every call fails in the same way. */
int inflater_push(
	struct inflater *inflater, const void *data, size_t len, const char **ret_text, size_t *ret_len) warn_unused;

#endif
