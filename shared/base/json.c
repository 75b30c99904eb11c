/* JSON in two halves: reading through cJSON behind a validator of our own, and a writer.
 *
 * cJSON takes invalid UTF-8, raw control characters, "01", 1e400 (as infinity), \u0000 (cutting the string) and
 * trailing garbage. So the text is checked first, in one pass without memory, against the whole grammar of RFC 8259;
 * cJSON, and any fault in it, only ever sees JSON that is well formed. */
#include "base/json.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

/* cJSON copies a number into a buffer of this size, less the NUL, and misreads the rest. */
#define NUMBER_LEN_MAX 63
/* The largest integer whose neighbours are doubles too, so that nothing was rounded to it. */
#define SAFE_INTEGER_MAX ((INT64_C(1) << 53) - 1)

#define EVERY_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Eight bytes, the first one lowest. */
static uint64_t load8(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* The high bit of each zero byte, and perhaps of bytes above one. */
static uint64_t zero_bytes(uint64_t word)
{
	return (word - EVERY_BYTE(0x01)) & ~word;
}

/* Where what can stand in a string as it is ends: at the first byte that is not printable ASCII or is '"' or '\', at
 * the latest at `end`. */
static const char *skip_plain(const char *p, const char *end)
{
	while (end - p >= 8) {
		uint64_t word = load8(p);
		uint64_t special = word | (word - EVERY_BYTE(0x20)) | zero_bytes(word ^ EVERY_BYTE('"')) |
				   zero_bytes(word ^ EVERY_BYTE('\\'));

		special &= EVERY_BYTE(0x80);
		/* A subtraction disturbs only bytes above one that is special itself, so the lowest bit is right. */
		if (special)
			return p + __builtin_ctzll(special) / 8;
		p += 8;
	}
	while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static int hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char lower = (char)(p[i] | 0x20);

		if (p[i] >= '0' && p[i] <= '9')
			value = value * 16 + (p[i] - '0');
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* The scan_*() functions return where the element ends, or NULL when it is malformed. */

/* `p` is behind the backslash. */
static const char *scan_escape(const char *p, const char *end)
{
	static const char letters[] = { '"', '\\', '/', 'b', 'f', 'n', 'r', 't' };
	int unit, low;

	if (p == end)
		return NULL;
	if (*p != 'u')
		return memchr(letters, *p, sizeof(letters)) ? p + 1 : NULL;
	unit = hex4(p + 1, end);
	p += 5;
	if (unit <= 0 || (unit >= 0xdc00 && unit <= 0xdfff))
		return NULL;
	if (unit < 0xd800 || unit > 0xdbff)
		return p;
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return NULL;
	low = hex4(p + 2, end);
	return low >= 0xdc00 && low <= 0xdfff ? p + 6 : NULL;
}

/* `p` is behind the opening quote. */
static const char *scan_string(const char *p, const char *end)
{
	while (p < end) {
		uint32_t code_point;
		size_t step;

		p = skip_plain(p, end);
		if (p == end)
			return NULL;
		if (*p == '"')
			return p + 1;
		if (*p == '\\') {
			p = scan_escape(p + 1, end);
			if (!p)
				return NULL;
			continue;
		}
		if ((unsigned char)*p < 0x20)
			return NULL;
		step = utf8_next(p, (size_t)(end - p), &code_point);
		if (step == 0)
			return NULL;
		p += step;
	}
	return NULL;
}

static const char *scan_digits(const char *p, const char *end)
{
	const char *begin = p;

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p > begin ? p : NULL;
}

static const char *scan_number(const char *p, const char *end)
{
	const char *begin = p;
	char copy[NUMBER_LEN_MAX + 1];
	bool exponent;

	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = scan_digits(p, end);
	if (p && p < end && *p == '.')
		p = scan_digits(p + 1, end);
	exponent = p && p < end && (*p | 0x20) == 'e';
	if (exponent) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = scan_digits(p, end);
	}
	if (!p || p - begin > NUMBER_LEN_MAX)
		return NULL;
	if (exponent) {
		memcpy(copy, begin, (size_t)(p - begin));
		copy[p - begin] = '\0';
		if (!isfinite(strtod(copy, NULL)))
			return NULL;
	}
	return p;
}

static const char *scan_literal(const char *p, const char *end)
{
	/* Lengths that the compiler knows make a comparison one instruction. */
	if (end - p >= 4 && (memcmp(p, "null", 4) == 0 || memcmp(p, "true", 4) == 0))
		return p + 4;
	return end - p >= 5 && memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

enum scan_state {
	SCAN_VALUE,        /* a value must come */
	SCAN_FIRST_VALUE,  /* behind '[': a value or ']' */
	SCAN_KEY,          /* a key must come */
	SCAN_FIRST_KEY,    /* behind '{': a key or '}' */
	SCAN_BEHIND_VALUE, /* ',' or the closing bracket, on the outermost level the end */
};

/* 0, -EBADMSG or -E2BIG. */
static int scan(const char *p, const char *end)
{
	enum scan_state state = SCAN_VALUE;
	uint64_t objects = 0; /* one bit per open bracket, the innermost lowest: is it an object? */
	unsigned int depth = 0;

	for (;;) {
		p = skip_blanks(p, end);
		if (p == end)
			return state == SCAN_BEHIND_VALUE && depth == 0 ? 0 : -EBADMSG;
		switch (state) {
		case SCAN_FIRST_VALUE:
		case SCAN_FIRST_KEY:
			if (*p == (state == SCAN_FIRST_KEY ? '}' : ']')) {
				state = SCAN_BEHIND_VALUE;
				break; /* where the bracket is closed */
			}
			state = state == SCAN_FIRST_KEY ? SCAN_KEY : SCAN_VALUE;
			break;
		case SCAN_KEY:
			p = *p == '"' ? scan_string(p + 1, end) : NULL;
			if (p)
				p = skip_blanks(p, end);
			if (!p || p == end || *p != ':')
				return -EBADMSG;
			p++;
			state = SCAN_VALUE;
			break;
		case SCAN_VALUE:
			if (*p == '{' || *p == '[') {
				if (++depth > JSON_DEPTH_MAX)
					return -E2BIG;
				objects = objects << 1 | (*p == '{');
				state = *p == '{' ? SCAN_FIRST_KEY : SCAN_FIRST_VALUE;
				p++;
				break;
			}
			if (*p == '"')
				p = scan_string(p + 1, end);
			else if (*p == '-' || (*p >= '0' && *p <= '9'))
				p = scan_number(p, end);
			else
				p = scan_literal(p, end);
			if (!p)
				return -EBADMSG;
			state = SCAN_BEHIND_VALUE;
			break;
		case SCAN_BEHIND_VALUE:
			if (depth == 0)
				return -EBADMSG;
			if (*p == ',') {
				state = objects & 1 ? SCAN_KEY : SCAN_VALUE;
			} else if (*p == (objects & 1 ? '}' : ']')) {
				objects >>= 1;
				depth--;
			} else {
				return -EBADMSG;
			}
			p++;
			break;
		}
	}
}

int json_parse(const char *text, size_t len, cJSON **ret_json)
{
	cJSON *json;
	int r;

	r = scan(text, text + len);
	if (r < 0)
		return r;
	/* That nothing follows the value is known; cJSON's own check for it would want a NUL behind the text. */
	json = cJSON_ParseWithLengthOpts(text, len, NULL, false);
	if (!json)
		return -EBADMSG;
	*ret_json = json;
	return 0;
}

void json_freep(cJSON **json)
{
	cJSON_Delete(*json);
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const cJSON *json_object(const cJSON *object, const char *key)
{
	const cJSON *item = json_get(object, key);

	return cJSON_IsObject(item) ? item : NULL;
}

const cJSON *json_array(const cJSON *object, const char *key)
{
	const cJSON *item = json_get(object, key);

	return cJSON_IsArray(item) ? item : NULL;
}

const char *json_string(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(json_get(object, key));
}

int64_t json_int(const cJSON *object, const char *key, int64_t fallback)
{
	const cJSON *item = json_get(object, key);
	double value;

	if (!cJSON_IsNumber(item))
		return fallback;
	value = item->valuedouble;
	if (!(fabs(value) <= (double)SAFE_INTEGER_MAX) || value != trunc(value))
		return fallback;
	return (int64_t)value;
}

double json_double(const cJSON *object, const char *key, double fallback)
{
	const cJSON *item = json_get(object, key);

	return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool json_bool(const cJSON *object, const char *key, bool fallback)
{
	const cJSON *item = json_get(object, key);

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

uint64_t json_snowflake(const cJSON *object, const char *key)
{
	return json_snowflake_value(json_get(object, key));
}

uint64_t json_snowflake_value(const cJSON *item)
{
	const char *text = cJSON_GetStringValue(item);
	uint64_t id;

	/* SQLite's integers are signed, so more than INT64_MAX cannot be stored. */
	if (!text || parse_u64(text, &id) < 0 || id > INT64_MAX)
		return 0;
	return id;
}

static void begin_value(struct json_writer *w)
{
	if (w->comma)
		str_addc(w->out, ',');
	w->comma = true;
}

static void begin_nested(struct json_writer *w, char bracket)
{
	begin_value(w);
	str_addc(w->out, bracket);
	w->comma = false;
}

static void end_nested(struct json_writer *w, char bracket)
{
	str_addc(w->out, bracket);
	w->comma = true;
}

void json_begin_object(struct json_writer *w)
{
	begin_nested(w, '{');
}

void json_end_object(struct json_writer *w)
{
	end_nested(w, '}');
}

void json_begin_array(struct json_writer *w)
{
	begin_nested(w, '[');
}

void json_end_array(struct json_writer *w)
{
	end_nested(w, ']');
}

void json_key(struct json_writer *w, const char *key)
{
	begin_value(w);
	str_addc(w->out, '"');
	str_adds(w->out, key);
	str_add(w->out, "\":", 2);
	w->comma = false;
}

/* What has an escape of one letter, by its code. */
static const char short_escapes[0x20] = {
	['\b'] = 'b',
	['\t'] = 't',
	['\n'] = 'n',
	['\f'] = 'f',
	['\r'] = 'r',
};

static void add_quoted(struct str *out, const char *text, size_t len)
{
	const char *end = text + len;

	str_addc(out, '"');
	while (text < end) {
		const char *plain = text;
		uint32_t code_point;
		size_t step;

		text = skip_plain(text, end);
		str_add(out, plain, (size_t)(text - plain));
		if (text == end)
			break;
		step = utf8_next(text, (size_t)(end - text), &code_point);
		if (step == 0) {
			/* Whatever happens, our output is valid: a stray byte becomes the replacement character. */
			str_adds(out, "\xef\xbf\xbd");
			step = 1;
		} else if (code_point == '"' || code_point == '\\') {
			str_addc(out, '\\');
			str_addc(out, (char)code_point);
		} else if (code_point < 0x20 && short_escapes[code_point]) {
			str_addc(out, '\\');
			str_addc(out, short_escapes[code_point]);
		} else if (code_point < 0x20 || code_point == 0x2028 || code_point == 0x2029) {
			str_printf(out, "\\u%04x", (unsigned int)code_point);
		} else {
			str_add(out, text, step);
		}
		text += step;
	}
	str_addc(out, '"');
}

void json_write_string(struct json_writer *w, const char *text)
{
	if (text)
		json_write_string_len(w, text, strlen(text));
	else
		json_write_null(w);
}

void json_write_string_len(struct json_writer *w, const char *text, size_t len)
{
	begin_value(w);
	add_quoted(w->out, text, len);
}

void json_write_int(struct json_writer *w, int64_t value)
{
	begin_value(w);
	str_addi64(w->out, value);
}

void json_write_uint(struct json_writer *w, uint64_t value)
{
	begin_value(w);
	str_addu64(w->out, value);
}

void json_write_double(struct json_writer *w, double value)
{
	char text[40];

	begin_value(w);
	/* The fewest digits that read back as the same number: 0.1 and not 0.10000000000000001. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	str_adds(w->out, isfinite(value) ? text : "null");
}

void json_write_bool(struct json_writer *w, bool value)
{
	begin_value(w);
	str_adds(w->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
	begin_value(w);
	str_adds(w->out, "null");
}

void json_write_snowflake(struct json_writer *w, uint64_t id)
{
	begin_value(w);
	if (!id) {
		str_adds(w->out, "null");
		return;
	}
	str_addc(w->out, '"');
	str_addu64(w->out, id);
	str_addc(w->out, '"');
}

void json_write_raw(struct json_writer *w, const char *json, size_t len)
{
	begin_value(w);
	str_add(w->out, json, len);
}

void json_write_tree(struct json_writer *w, const cJSON *json)
{
	if (cJSON_IsObject(json) || cJSON_IsArray(json)) {
		bool object = cJSON_IsObject(json);

		begin_nested(w, object ? '{' : '[');
		json_array_each (item, json) {
			if (object) {
				json_write_string(w, item->string);
				str_addc(w->out, ':');
				w->comma = false;
			}
			json_write_tree(w, item);
		}
		end_nested(w, object ? '}' : ']');
	} else if (cJSON_IsString(json)) {
		json_write_string(w, json->valuestring);
	} else if (cJSON_IsNumber(json)) {
		if (fabs(json->valuedouble) <= (double)SAFE_INTEGER_MAX &&
			json->valuedouble == trunc(json->valuedouble))
			json_write_int(w, (int64_t)json->valuedouble);
		else
			json_write_double(w, json->valuedouble);
	} else if (cJSON_IsBool(json)) {
		json_write_bool(w, cJSON_IsTrue(json));
	} else {
		json_write_null(w);
	}
}

void json_put_string(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_write_string(w, value);
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_write_int(w, value);
}

void json_put_uint(struct json_writer *w, const char *key, uint64_t value)
{
	json_key(w, key);
	json_write_uint(w, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_key(w, key);
	json_write_bool(w, value);
}

void json_put_null(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_write_null(w);
}

void json_put_snowflake(struct json_writer *w, const char *key, uint64_t id)
{
	json_key(w, key);
	json_write_snowflake(w, id);
}
