/* Reads JSON of any size token by token and keeps whole numbers exact. cJSON (base/json.h) reads every number as a
 * double, which rounds snowflakes and large points; and it wants the whole text in memory, which a dump of all tables
 * need not fit.
 *
 * The grammar is checked here: the caller sees a value, a key or an end only where JSON allows one.
 */
#ifndef MODELS_JSON_READER_H
#define MODELS_JSON_READER_H

#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

#define JSON_READER_DEPTH_MAX  64
#define JSON_READER_STRING_MAX (1 << 20) /* bytes of one string or number */

enum json_token {
	JSON_TOKEN_END, /* of the input, after exactly one value */
	JSON_TOKEN_BEGIN_OBJECT,
	JSON_TOKEN_END_OBJECT,
	JSON_TOKEN_BEGIN_ARRAY,
	JSON_TOKEN_END_ARRAY,
	JSON_TOKEN_KEY,    /* text */
	JSON_TOKEN_STRING, /* text */
	JSON_TOKEN_INT,    /* integer */
	JSON_TOKEN_NUMBER, /* with a fraction or exponent, or beyond 64 bits: text as written */
	JSON_TOKEN_TRUE,
	JSON_TOKEN_FALSE,
	JSON_TOKEN_NULL,
};

struct json_reader {
	FILE *file;
	struct str text;   /* of the newest key, string or number; UTF-8, may hold NULs */
	int64_t integer;   /* of the newest JSON_TOKEN_INT */
	int64_t line;      /* where reading stands, from 1 */
	const char *fault; /* why the last call returned -EBADMSG */
	/* private */
	int pushed; /* a character that was read too far, or EOF - 1 */
	enum {
		JSON_WANTS_VALUE,
		JSON_WANTS_VALUE_OR_END,
		JSON_WANTS_KEY,
		JSON_WANTS_KEY_OR_END,
		JSON_WANTS_COMMA,
		JSON_WANTS_NOTHING
	} wants;
	size_t depth;
	char nesting[JSON_READER_DEPTH_MAX]; /* '{' or '[' */
};

/* The file stays the caller's. */
void json_reader_init(struct json_reader *reader, FILE *file);
void json_reader_finish(struct json_reader *reader);
/* 0; -EBADMSG: no JSON, `fault` says why; -E2BIG: too deep or too long a string; -EIO */
int json_reader_next(struct json_reader *reader, enum json_token *ret_token) warn_unused;
/* Reads on to the end of the array or object that was just begun. */
int json_reader_skip(struct json_reader *reader) warn_unused;

#endif
