/* The query string, read as the server that ours replaced read it, and the links that repeat it.
 *
 * Rules that clients can see: fields are separated by '&' only; '+' is a blank; broken percent signs stay as they are; encoded bytes that
 * are not UTF-8 become U+FFFD; a query whose bytes as they were sent are not UTF-8 is ISO 8859-1; of a repeated field the last one counts,
 * but links repeat all of them; numbers may have blanks around them, a sign, single underscores between digits and the digits of any
 * script. */
#ifndef LEVELING_API_PARAMS_H
#define LEVELING_API_PARAMS_H

#include "base/arena.h"
#include "base/str.h"

/* More fields than this are refused (-E2BIG). */
#define PARAMS_MAX 1000

struct param {
	const char *name, *value; /* decoded, valid UTF-8, ending in NUL; may hold NULs before that */
	size_t name_len, value_len;
};

struct params {
	struct param *list;
	size_t count;
};

/* `raw` is what follows the '?', or NULL. Memory from the arena. */
int params_parse(const char *raw, struct arena *arena, struct params *ret_params) warn_unused;
/* The last field of this name, or NULL. */
const struct param *params_get(const struct params *params, const char *name);
/* The value as text without NULs inside; `fallback` when the field is missing. A value with a NUL inside matches nothing: "\1". */
const char *params_text(const struct params *params, const char *name, const char *fallback);

/* Appends `raw` again with its names sorted and every part encoded anew, `name` set to `value` (NULL: left out). Without any field
 * nothing is appended, else it begins with '?'. `parsed` is what params_parse() made of `raw`. */
void params_relink(struct str *out, const char *raw, const struct params *parsed, struct arena *arena, const char *name,
	const char *value);

/* A number as Python's int() reads it. -EINVAL: no number; -ERANGE: beyond 64 bits, `ret_negative` says on which side. */
int params_int(const char *text, size_t len, int64_t *ret_value, bool *ret_negative) warn_unused;
/* Whether the text is one or more decimal digits of any script and nothing else. */
bool params_is_digits(const char *text, size_t len);

/* Whether the text is this word (of small ASCII letters), without regard to case. */
bool params_is_word(const char *text, const char *word);

/* Appends `text` with everything but letters, digits, "_.-~" and what is in `kept` percent-encoded. */
void params_quote(struct str *out, const char *text, size_t len, const char *kept);
/* The same for a part of a query: nothing is kept, and a blank becomes '+'. */
void params_encode(struct str *out, const char *text, size_t len);
/* Whether a query has more fields than are read. */
bool params_too_many(const char *raw);
/* Percent-decodes the text where it is, without regard to UTF-8, and ends it with a NUL; the new length. */
size_t params_decode_in_place(char *text, size_t len);
/* Appends `bytes` with every ill-formed part replaced by U+FFFD, as Unicode chapter 3.9 recommends. */
void params_append_utf8(struct str *out, const char *bytes, size_t len);

#endif
