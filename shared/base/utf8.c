/* UTF-8: a strict validator and counters of our own, utf8proc for folding.
 *
 * Most text is ASCII, so the loops take eight bytes at a time while no high bit is set. */
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <utf8proc.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t load8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_next(const char *text, size_t len, uint32_t *ret_code_point)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code_point, smallest;
	size_t length;

	if (len == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code_point = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2, code_point = p[0] & 0x1f, smallest = 0x80;
	else if ((p[0] & 0xf0) == 0xe0)
		length = 3, code_point = p[0] & 0x0f, smallest = 0x800;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4, code_point = p[0] & 0x07, smallest = 0x10000;
	else
		return 0;
	if (len < length)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(text[i]))
			return 0;
		code_point = code_point << 6 | (p[i] & 0x3f);
	}
	/* Overlong forms, surrogates, and what lies beyond Unicode. */
	if (code_point < smallest || (code_point >= 0xd800 && code_point <= 0xdfff) || code_point > 0x10ffff)
		return 0;
	*ret_code_point = code_point;
	return length;
}

bool utf8_valid(const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t code_point;

	while (text < end) {
		size_t step;

		while (end - text >= 8 && !(load8(text) & HIGH_BITS))
			text += 8;
		if (text == end)
			break;
		step = utf8_next(text, (size_t)(end - text), &code_point);
		if (step == 0)
			return false;
		text += step;
	}
	return true;
}

size_t utf8_count(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += !is_continuation(text[i]);
	return count;
}

size_t utf8_prefix(const char *text, size_t len, size_t count)
{
	for (size_t i = 0; i < len; i++)
		if (!is_continuation(text[i]) && count-- == 0)
			return i;
	return len;
}

void utf8_append(struct str *str, uint32_t code_point)
{
	utf8proc_uint8_t bytes[4];
	utf8proc_ssize_t len = utf8proc_encode_char((utf8proc_int32_t)code_point, bytes);

	str_add(str, bytes, len > 0 ? (size_t)len : 0);
}

void utf8_append_shortened(struct str *str, const char *text, size_t count)
{
	size_t len = strlen(text);
	size_t prefix = utf8_prefix(text, len, count);

	if (prefix == len) {
		str_add(str, text, len);
	} else if (count > 0) {
		str_add(str, text, utf8_prefix(text, prefix, count - 1));
		str_adds(str, "…");
	}
}

/* Folding ASCII needs no tables and nearly all names that are compared are ASCII. */
static bool fold_ascii(struct str *str, const char *text, size_t len)
{
	char *out;

	for (size_t i = 0; i < len; i++)
		if (text[i] & 0x80)
			return false;
	str_reserve(str, len);
	out = str->buf + str->len;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);
	out[len] = '\0';
	str->len += len;
	return true;
}

int utf8_fold(struct str *str, const char *text)
{
	size_t len = strlen(text);
	utf8proc_uint8_t *folded;
	utf8proc_ssize_t folded_len;

	if (fold_ascii(str, text, len))
		return 0;
	if (!utf8_valid(text, len))
		return -EINVAL;
	/* NFKC_Casefold, Unicode 3.13: compatibility forms and default-ignorable characters go too. */
	folded_len = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &folded,
		UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
	if (folded_len < 0)
		return -EINVAL;
	str_add(str, folded, (size_t)folded_len);
	free(folded);
	return 0;
}

bool utf8_contains_folded(const char *text, const char *part)
{
	struct str a cleanup(str_finish) = STR_INIT;
	struct str b cleanup(str_finish) = STR_INIT;

	if (!*part)
		return true;
	if (utf8_fold(&a, text) < 0 || utf8_fold(&b, part) < 0)
		return false;
	return memmem(a.buf, a.len, b.buf, b.len) != NULL;
}

bool utf8_equal_folded(const char *a, const char *b)
{
	struct str folded_a cleanup(str_finish) = STR_INIT;
	struct str folded_b cleanup(str_finish) = STR_INIT;

	if (utf8_fold(&folded_a, a) < 0 || utf8_fold(&folded_b, b) < 0)
		return false;
	return folded_a.len == folded_b.len && memcmp(folded_a.buf, folded_b.buf, folded_a.len) == 0;
}
