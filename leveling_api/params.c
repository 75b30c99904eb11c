/* See params.h. To add a reading rule, add its test to tests/leveling_api/test_params.c first. */
#include "params.h"

#include <errno.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "base/utf8.h"

/* int() of the old server's Python refuses more digits than this. */
#define DIGITS_MAX 4300

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

size_t params_decode_in_place(char *text, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
			text[out++] = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
			i += 2;
		} else {
			text[out++] = text[i];
		}
	}
	text[out] = '\0';
	return out;
}

/* How many bytes at the front could begin a character but do not make one: they become one U+FFFD. At least 1. */
static size_t ill_formed(const unsigned char *p, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t need, i;

	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		need = 1;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		need = 2;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		need = 3;
	else
		return 1;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	for (i = 1; i <= need && i < len && p[i] >= low && p[i] <= high; i++) {
		low = 0x80;
		high = 0xbf;
	}
	return i;
}

void params_append_utf8(struct str *out, const char *bytes, size_t len)
{
	if (utf8_valid(bytes, len)) {
		str_add(out, bytes, len);
		return;
	}
	while (len > 0) {
		uint32_t code_point;
		size_t n = utf8_next(bytes, len, &code_point);

		if (n > 0) {
			str_add(out, bytes, n);
		} else {
			n = ill_formed((const unsigned char *)bytes, len);
			str_adds(out, "\xef\xbf\xbd");
		}
		bytes += n;
		len -= n;
	}
}

/* How many bytes at the front are ASCII. */
static size_t ascii_run(const char *text, size_t len)
{
	size_t run = 0;

	while (run < len && (unsigned char)text[run] < 0x80)
		run++;
	return run;
}

/* Undoes '+' and percent signs; `to` has room for len + 1 bytes. */
static size_t decode_run(char *to, const char *raw, size_t len)
{
	memcpy(to, raw, len);
	for (char *plus = to; (plus = memchr(plus, '+', (size_t)(to + len - plus)));)
		*plus = ' ';
	return params_decode_in_place(to, len);
}

/* One name or value, copied into the arena. Bytes above 127 that stand in the query as they are have nothing to do with encoded ones
 * beside them; `latin1`: they count as characters of ISO 8859-1. */
static const char *decode_part(const char *raw, size_t len, bool latin1, struct arena *arena, size_t *ret_len)
{
	struct str text cleanup(str_finish) = STR_INIT;
	char *bytes = arena_alloc(arena, len + 1);

	if (ascii_run(raw, len) == len) {
		*ret_len = decode_run(bytes, raw, len);
		if (utf8_valid(bytes, *ret_len))
			return bytes;
	}
	while (len > 0) {
		size_t run = ascii_run(raw, len);

		if (run > 0) {
			params_append_utf8(&text, bytes, decode_run(bytes, raw, run));
		} else {
			run = 1;
			if (latin1)
				utf8_append(&text, (unsigned char)*raw);
			else
				str_addc(&text, *raw);
		}
		raw += run;
		len -= run;
	}
	*ret_len = text.len;
	return arena_copy(arena, text.buf, text.len + 1);
}

bool params_too_many(const char *raw)
{
	size_t fields = 1;

	for (; raw && (raw = strchr(raw, '&')); raw++)
		fields++;
	return fields > PARAMS_MAX;
}

static int parse(const char *raw, bool latin1, struct arena *arena, struct params *ret_params)
{
	struct params params = { 0 };
	size_t fields = 1;

	if (!raw || !*raw) {
		*ret_params = params;
		return 0;
	}
	if (params_too_many(raw))
		return -E2BIG;
	for (const char *p = raw; (p = strchr(p, '&')); p++)
		fields++;
	params.list = arena_array(arena, struct param, fields);
	while (true) {
		size_t len = strcspn(raw, "&");
		const char *equals = memchr(raw, '=', len);
		size_t name_len = equals ? (size_t)(equals - raw) : len;

		if (len > 0) {
			struct param *param = &params.list[params.count++];

			param->name = decode_part(raw, name_len, latin1, arena, &param->name_len);
			param->value = decode_part(raw + name_len + (equals != NULL), len - name_len - (equals != NULL),
				latin1, arena, &param->value_len);
		}
		if (raw[len] == '\0')
			break;
		raw += len + 1;
	}
	*ret_params = params;
	return 0;
}

int params_parse(const char *raw, struct arena *arena, struct params *ret_params)
{
	return parse(raw, raw && !utf8_valid(raw, strlen(raw)), arena, ret_params);
}

const struct param *params_get(const struct params *params, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = params->count; i-- > 0;) {
		const struct param *param = &params->list[i];

		if (param->name_len == len && memcmp(param->name, name, len) == 0)
			return param;
	}
	return NULL;
}

const char *params_text(const struct params *params, const char *name, const char *fallback)
{
	const struct param *param = params_get(params, name);

	if (!param)
		return fallback;
	return strlen(param->value) == param->value_len ? param->value : "\1";
}

/* RFC 3986, section 2.3 */
static const bool unreserved[256] = {
	['-'] = true,
	['.'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['_'] = true,
	['a' ... 'z'] = true,
	['~'] = true,
};

void params_quote(struct str *out, const char *text, size_t len, const char *kept)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *end = text + len;

	while (text < end) {
		const char *run = text;

		while (text < end && (unreserved[(unsigned char)*text] || (*text && strchr(kept, *text))))
			text++;
		str_add(out, run, (size_t)(text - run));
		if (text < end) {
			unsigned char c = (unsigned char)*text++;

			str_addc(out, '%');
			str_addc(out, digits[c >> 4]);
			str_addc(out, digits[c & 15]);
		}
	}
}

void params_encode(struct str *out, const char *text, size_t len)
{
	for (const char *end = text + len, *blank; text < end; text = blank + 1) {
		blank = memchr(text, ' ', (size_t)(end - text));
		if (!blank) {
			params_quote(out, text, (size_t)(end - text), "");
			break;
		}
		params_quote(out, text, (size_t)(blank - text), "");
		str_addc(out, '+');
	}
}

struct sortable {
	const struct param *param;
	size_t index;
};

/* By name (UTF-8 sorts as its code points do); fields of one name keep their order. */
static int compare_names(const void *a, const void *b)
{
	const struct sortable *left = a, *right = b;
	int order = memcmp(left->param->name, right->param->name, MIN(left->param->name_len, right->param->name_len));

	if (order != 0)
		return order;
	if (left->param->name_len != right->param->name_len)
		return left->param->name_len < right->param->name_len ? -1 : 1;
	return left->index < right->index ? -1 : 1;
}

void params_relink(struct str *out, const char *raw, const struct params *parsed, struct arena *arena, const char *name,
	const char *value)
{
	struct params params = *parsed;
	struct param own = { name, value, strlen(name), value ? strlen(value) : 0 };
	struct sortable *sorted;
	size_t count = 0;
	char separator = '?';

	/* In links the old server repeated bytes above 127 as ISO 8859-1, even where it read them as UTF-8. */
	if (raw && ascii_run(raw, strlen(raw)) < strlen(raw) && parse(raw, true, arena, &params) < 0)
		return;
	sorted = arena_array(arena, struct sortable, params.count + 1);
	for (size_t i = 0; i < params.count; i++) {
		const struct param *param = &params.list[i];

		if (param->name_len != own.name_len || memcmp(param->name, name, own.name_len) != 0) {
			sorted[count] = (struct sortable){ param, count };
			count++;
		}
	}
	if (value) {
		sorted[count] = (struct sortable){ &own, count };
		count++;
	}
	qsort(sorted, count, sizeof(sorted[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		str_addc(out, separator);
		params_encode(out, sorted[i].param->name, sorted[i].param->name_len);
		str_addc(out, '=');
		params_encode(out, sorted[i].param->value, sorted[i].param->value_len);
		separator = '&';
	}
}

/* 0..9 for a decimal digit of any script (general category Nd), else -1. In Unicode these stand in runs of ten, zero first. */
static int decimal_digit(uint32_t code_point)
{
	uint32_t start = code_point;

	if (code_point < 0x80)
		return code_point >= '0' && code_point <= '9' ? (int)(code_point - '0') : -1;
	if (utf8proc_category((utf8proc_int32_t)code_point) != UTF8PROC_CATEGORY_ND)
		return -1;
	while (utf8proc_category((utf8proc_int32_t)(start - 1)) == UTF8PROC_CATEGORY_ND)
		start--;
	return (int)((code_point - start) % 10);
}

static bool is_blank(uint32_t c)
{
	return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool params_is_word(const char *text, const char *word)
{
	size_t len = strlen(text), n;
	uint32_t c;

	for (; *word; word++, text += n, len -= n) {
		n = utf8_next(text, len, &c);
		if (n == 0 || utf8proc_tolower((utf8proc_int32_t)c) != *word)
			return false;
	}
	return len == 0;
}

bool params_is_digits(const char *text, size_t len)
{
	bool any = false;
	uint32_t c;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = utf8_next(text, len, &c);
		if (n == 0 || decimal_digit(c) < 0)
			return false;
		any = true;
	}
	return any;
}

int params_int(const char *text, size_t len, int64_t *ret_value, bool *ret_negative)
{
	enum { BEFORE, SIGN, DIGIT, UNDERSCORE, AFTER } state = BEFORE;
	bool negative = false, overflow = false;
	uint64_t value = 0, limit;
	size_t digits = 0, n;
	uint32_t c;

	for (; len > 0; text += n, len -= n) {
		int digit;

		n = utf8_next(text, len, &c);
		if (n == 0)
			return -EINVAL;
		digit = decimal_digit(c);
		if (digit >= 0 && state != AFTER) {
			overflow = overflow || __builtin_mul_overflow(value, 10, &value) ||
				   __builtin_add_overflow(value, (uint64_t)digit, &value);
			digits++;
			state = DIGIT;
		} else if (is_blank(c) && (state == BEFORE || state == AFTER || state == DIGIT)) {
			state = state == BEFORE ? BEFORE : AFTER;
		} else if ((c == '+' || c == '-') && state == BEFORE) {
			negative = c == '-';
			state = SIGN;
		} else if (c == '_' && state == DIGIT) {
			state = UNDERSCORE;
		} else {
			return -EINVAL;
		}
	}
	if ((state != DIGIT && state != AFTER) || digits > DIGITS_MAX)
		return -EINVAL;
	limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	*ret_negative = negative;
	if (overflow || value > limit)
		return -ERANGE;
	*ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}
