/* Growing text. `buf` is never NULL and always ends in a NUL, so it can be handed to any C function; it may hold NULs
 * before that, so binary data fits too. A zeroed struct is not valid: start with STR_INIT or str_init().
 *
 *	struct str text cleanup(str_finish) = STR_INIT;
 *	str_printf(&text, "%d members", n);
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stddef.h>

#include "base/util.h"

struct str {
	char *buf;
	size_t len;
	size_t cap; /* bytes allocated, 0 while buf is the shared empty string */
};

extern char str_empty[1];
/* clang-format off */
#define STR_INIT { .buf = str_empty }
/* clang-format on */

void str_init(struct str *str);
void str_finish(struct str *str);
/* Keeps the memory. */
void str_clear(struct str *str);
/* Room for `more` bytes beyond len, and the NUL. */
void str_reserve(struct str *str, size_t more);
void str_add(struct str *str, const void *data, size_t len);
void str_adds(struct str *str, const char *text);
void str_addc(struct str *str, char c);
void str_addu64(struct str *str, uint64_t value);
void str_addi64(struct str *str, int64_t value);
/* Appends. */
void str_printf(struct str *str, const char *format, ...) printf_like(2, 3);
void str_vprintf(struct str *str, const char *format, va_list args) printf_like(2, 0);
/* Cuts to at most len bytes. */
void str_truncate(struct str *str, size_t len);
/* Removes `len` bytes at `offset`. */
void str_remove(struct str *str, size_t offset, size_t len);
/* The text becomes the caller's (free()); the str is empty afterwards. */
char *str_detach(struct str *str, size_t *ret_len) warn_unused;

#endif
