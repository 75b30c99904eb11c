/* A pull parser for JSON. See json_reader.h. */
#include "json_reader.h"

#include <errno.h>

#include "base/utf8.h"

#define NOTHING_PUSHED (EOF - 1)

void json_reader_init(struct json_reader *reader, FILE *file)
{
	*reader = (struct json_reader){
		.file = file, .text = STR_INIT, .line = 1, .pushed = NOTHING_PUSHED, .wants = JSON_WANTS_VALUE
	};
}

void json_reader_finish(struct json_reader *reader)
{
	str_finish(&reader->text);
}

static int get(struct json_reader *reader)
{
	int c = reader->pushed;

	if (c != NOTHING_PUSHED)
		reader->pushed = NOTHING_PUSHED;
	else
		c = getc_unlocked(reader->file);
	return c;
}

static int fault(struct json_reader *reader, const char *words)
{
	if (ferror(reader->file))
		return -EIO;
	reader->fault = words;
	return -EBADMSG;
}

static int get_after_blanks(struct json_reader *reader)
{
	int c;

	do {
		c = get(reader);
		if (c == '\n')
			reader->line++;
	} while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
	return c;
}

static int read_hex4(struct json_reader *reader, uint32_t *ret_unit)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		int c = get(reader);

		if (c >= '0' && c <= '9')
			unit = unit << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			unit = unit << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return fault(reader, "\\u without four hexadecimal digits");
	}
	*ret_unit = unit;
	return 0;
}

/* After "\u": a code point beyond U+FFFF is written as two units. */
static int read_unicode_escape(struct json_reader *reader)
{
	uint32_t unit, low;
	int r;

	r = read_hex4(reader, &unit);
	if (r < 0)
		return r;
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fault(reader, "half of a surrogate pair");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		int backslash = get(reader), letter = get(reader);

		if (backslash != '\\' || letter != 'u')
			return fault(reader, "half of a surrogate pair");
		r = read_hex4(reader, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return fault(reader, "half of a surrogate pair");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	utf8_append(&reader->text, unit);
	return 0;
}

static int read_escape(struct json_reader *reader)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	int c = get(reader);

	if (c == 'u')
		return read_unicode_escape(reader);
	name = c > 0 ? strchr(names, c) : NULL;
	if (!name)
		return fault(reader, "unknown escape in a string");
	str_addc(&reader->text, values[name - names]);
	return 0;
}

static int read_string(struct json_reader *reader)
{
	int c, r;

	str_clear(&reader->text);
	while ((c = get(reader)) != '"') {
		if (c == EOF)
			return fault(reader, "the text ends within a string");
		if (c < 0x20)
			return fault(reader, "a control character in a string");
		if (reader->text.len >= JSON_READER_STRING_MAX)
			return -E2BIG;
		if (c == '\\') {
			r = read_escape(reader);
			if (r < 0)
				return r;
		} else {
			str_addc(&reader->text, (char)c);
		}
	}
	return utf8_valid(reader->text.buf, reader->text.len) ? 0 : fault(reader, "a string is not UTF-8");
}

static bool add_digits(struct json_reader *reader, int *c)
{
	bool any = false;

	while (*c >= '0' && *c <= '9' && reader->text.len < JSON_READER_STRING_MAX) {
		str_addc(&reader->text, (char)*c);
		*c = get(reader);
		any = true;
	}
	return any;
}

static int read_number(struct json_reader *reader, int c, enum json_token *ret_token)
{
	bool whole = true, zero;

	str_clear(&reader->text);
	if (c == '-') {
		str_addc(&reader->text, '-');
		c = get(reader);
	}
	zero = c == '0';
	if (!add_digits(reader, &c))
		return fault(reader, "a number without digits");
	if (zero && reader->text.len > (size_t)(reader->text.buf[0] == '-') + 1)
		return fault(reader, "a number that begins with 0");
	if (c == '.') {
		whole = false;
		str_addc(&reader->text, '.');
		c = get(reader);
		if (!add_digits(reader, &c))
			return fault(reader, "a number without digits after the point");
	}
	if (c == 'e' || c == 'E') {
		whole = false;
		str_addc(&reader->text, 'e');
		c = get(reader);
		if (c == '+' || c == '-') {
			str_addc(&reader->text, (char)c);
			c = get(reader);
		}
		if (!add_digits(reader, &c))
			return fault(reader, "a number without digits in its exponent");
	}
	reader->pushed = c;
	*ret_token = whole && parse_i64(reader->text.buf, &reader->integer) == 0 ? JSON_TOKEN_INT : JSON_TOKEN_NUMBER;
	return 0;
}

static int read_word(struct json_reader *reader, const char *rest)
{
	for (; *rest; rest++) {
		if (get(reader) != *rest)
			return fault(reader, "no JSON value");
	}
	return 0;
}

static void after_value(struct json_reader *reader)
{
	reader->wants = reader->depth > 0 ? JSON_WANTS_COMMA : JSON_WANTS_NOTHING;
}

static int begin(struct json_reader *reader, char bracket, enum json_token *ret_token)
{
	if (reader->depth == JSON_READER_DEPTH_MAX)
		return -E2BIG;
	reader->nesting[reader->depth++] = bracket;
	reader->wants = bracket == '{' ? JSON_WANTS_KEY_OR_END : JSON_WANTS_VALUE_OR_END;
	*ret_token = bracket == '{' ? JSON_TOKEN_BEGIN_OBJECT : JSON_TOKEN_BEGIN_ARRAY;
	return 0;
}

static int end(struct json_reader *reader, int c, enum json_token *ret_token)
{
	if (reader->depth == 0 || reader->nesting[reader->depth - 1] != (c == '}' ? '{' : '['))
		return fault(reader, "a bracket that closes nothing");
	reader->depth--;
	after_value(reader);
	*ret_token = c == '}' ? JSON_TOKEN_END_OBJECT : JSON_TOKEN_END_ARRAY;
	return 0;
}

static int read_key(struct json_reader *reader, int c, enum json_token *ret_token)
{
	int r;

	if (c != '"')
		return fault(reader, "a key was expected");
	r = read_string(reader);
	if (r < 0)
		return r;
	if (get_after_blanks(reader) != ':')
		return fault(reader, "a colon was expected after a key");
	reader->wants = JSON_WANTS_VALUE;
	*ret_token = JSON_TOKEN_KEY;
	return 0;
}

static int read_value(struct json_reader *reader, int c, enum json_token *ret_token)
{
	int r;

	if (c == '{' || c == '[')
		return begin(reader, (char)c, ret_token);
	if (c == '"') {
		*ret_token = JSON_TOKEN_STRING;
		r = read_string(reader);
	} else if (c == '-' || (c >= '0' && c <= '9')) {
		r = read_number(reader, c, ret_token);
	} else if (c == 't') {
		*ret_token = JSON_TOKEN_TRUE;
		r = read_word(reader, "rue");
	} else if (c == 'f') {
		*ret_token = JSON_TOKEN_FALSE;
		r = read_word(reader, "alse");
	} else if (c == 'n') {
		*ret_token = JSON_TOKEN_NULL;
		r = read_word(reader, "ull");
	} else {
		r = fault(reader, c == EOF ? "the text ends too early" : "no JSON value");
	}
	if (r >= 0)
		after_value(reader);
	return r;
}

int json_reader_next(struct json_reader *reader, enum json_token *ret_token)
{
	int c = get_after_blanks(reader);

	if (reader->wants == JSON_WANTS_NOTHING) {
		if (c != EOF)
			return fault(reader, "something follows the JSON value");
		*ret_token = JSON_TOKEN_END;
		return ferror(reader->file) ? -EIO : 0;
	}
	if (reader->wants == JSON_WANTS_COMMA) {
		if (c == '}' || c == ']')
			return end(reader, c, ret_token);
		if (c != ',')
			return fault(reader, c == EOF ? "the text ends too early" : "a comma was expected");
		reader->wants = reader->nesting[reader->depth - 1] == '{' ? JSON_WANTS_KEY : JSON_WANTS_VALUE;
		c = get_after_blanks(reader);
	} else if ((reader->wants == JSON_WANTS_KEY_OR_END && c == '}') ||
		   (reader->wants == JSON_WANTS_VALUE_OR_END && c == ']')) {
		return end(reader, c, ret_token);
	}
	if (reader->wants == JSON_WANTS_KEY || reader->wants == JSON_WANTS_KEY_OR_END)
		return read_key(reader, c, ret_token);
	return read_value(reader, c, ret_token);
}

int json_reader_skip(struct json_reader *reader)
{
	size_t outside = reader->depth - 1;
	enum json_token token;
	int r = 0;

	while (r >= 0 && reader->depth > outside)
		r = json_reader_next(reader, &token);
	return r;
}
