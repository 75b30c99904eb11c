/* A million avatar addresses in the memory of a few hundred thousand. Addresses of one service differ only in numbers: each is kept as
 * the number of its shape (the address with the numbers taken out; all members share these) and the numbers in binary. What does not
 * follow such a pattern is kept as it is; unpacking always gives back the very same text. */
#ifndef LEVELING_API_PACKED_URL_H
#define LEVELING_API_PACKED_URL_H

#include "base/str.h"

struct url_shapes;

struct url_shapes *url_shapes_create(void) warn_unused;
void url_shapes_destroy(struct url_shapes *shapes);

/* Appends the packed form. `user_id` is the member's: addresses usually hold it, and then it costs nothing. */
void packed_url_add(struct str *out, struct url_shapes *shapes, uint64_t user_id, const char *url, size_t len);
/* Appends the address; `packed` is `len` bytes that packed_url_add() made with the same shapes and user. */
void packed_url_read(
	struct str *out, const struct url_shapes *shapes, uint64_t user_id, const void *packed, size_t len);

#endif
