/* UTF-8: what Discord, the website and people send us is checked once at the door and counted in code points. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_valid(const char *text, size_t len) warn_unused;
/* Code points of valid UTF-8: Discord's unit for every length limit. */
size_t utf8_count(const char *text, size_t len);
/* Bytes of the first `count` code points (all bytes when there are fewer). */
size_t utf8_prefix(const char *text, size_t len, size_t count);
/* Decodes the code point at `text`; returns its length in bytes, 0 at the end or when it is invalid. */
size_t utf8_next(const char *text, size_t len, uint32_t *ret_code_point);
void utf8_append(struct str *str, uint32_t code_point);
/* Appends `text` cut to `count` code points, the last one "…" when something was cut. */
void utf8_append_shortened(struct str *str, const char *text, size_t count);
/* Appends the text folded for comparison without regard to case (NFKC casefold); 0 or -EINVAL for invalid UTF-8. */
int utf8_fold(struct str *str, const char *text) warn_unused;
/* Whether `part` occurs in `text`, without regard to case. Invalid UTF-8 never matches; an empty part always does. */
bool utf8_contains_folded(const char *text, const char *part);
bool utf8_equal_folded(const char *a, const char *b);

#endif
