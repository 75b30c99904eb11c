/* JSON. Reading goes through cJSON, behind the checks that it leaves out; writing goes straight into a struct str.
 *
 * Snowflakes are strings in JSON and uint64_t here. A number beyond 2^53 is never read as a double by accident:
 * json_int() refuses it (and 2^53 itself, to which 2^53 + 1 is rounded).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Nesting beyond this is refused. */
#define JSON_DEPTH_MAX 64

/* Checks UTF-8, depth and that nothing follows the value; `text` need not end in NUL. On success the tree is the
 * caller's (cJSON_Delete(), or cleanup(json_freep)). -EBADMSG when it is not JSON, -E2BIG when it nests too deep. */
int json_parse(const char *text, size_t len, cJSON **ret_json) warn_unused;
void json_freep(cJSON **json);

/* Looking a key up (case-sensitive). `object` may be NULL or no object: then NULL. */
const cJSON *json_get(const cJSON *object, const char *key);
const cJSON *json_object(const cJSON *object, const char *key); /* NULL unless it is an object */
const cJSON *json_array(const cJSON *object, const char *key);  /* NULL unless it is an array */
/* The string, or NULL when it is missing, null or no string. Borrowed from the tree. */
const char *json_string(const cJSON *object, const char *key);
/* The value, or `fallback` when it is missing, of another type, not whole or beyond 2^53 - 1. */
int64_t json_int(const cJSON *object, const char *key, int64_t fallback);
double json_double(const cJSON *object, const char *key, double fallback);
bool json_bool(const cJSON *object, const char *key, bool fallback);
/* A snowflake string as a number; 0 when it is missing, null, malformed or above INT64_MAX. */
uint64_t json_snowflake(const cJSON *object, const char *key);
/* The same for an element: array items, or a value already looked up. */
uint64_t json_snowflake_value(const cJSON *item);

/* NOLINTNEXTLINE(bugprone-macro-parentheses): `item` is declared here */
#define json_array_each(item, array) for (const cJSON *item = (array) ? (array)->child : NULL; item; item = item->next)

/* Writing: commas and nesting are kept by the writer, the caller pairs begin and end.
 *
 *	struct json_writer w = JSON_WRITER(&text);
 *	json_begin_object(&w);
 *	json_key(&w, "content"), json_write_string(&w, content);
 *	json_end_object(&w);
 */
struct json_writer {
	struct str *out;
	bool comma; /* a value precedes on this level */
};
/* clang-format off */
#define JSON_WRITER(str_pointer) { .out = (str_pointer) }
/* clang-format on */

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
/* The key is written as it is: a C identifier or other text that needs no escape. */
void json_key(struct json_writer *w, const char *key);
/* Escapes control characters, '"', '\', U+2028 and U+2029 only, as the levelling API's contract wants it. NULL: null */
void json_write_string(struct json_writer *w, const char *text);
void json_write_string_len(struct json_writer *w, const char *text, size_t len);
void json_write_int(struct json_writer *w, int64_t value);
void json_write_uint(struct json_writer *w, uint64_t value);
void json_write_double(struct json_writer *w, double value); /* finite */
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
/* As a string; 0 becomes null. */
void json_write_snowflake(struct json_writer *w, uint64_t id);
/* Finished JSON, copied as it is. */
void json_write_raw(struct json_writer *w, const char *json, size_t len);
/* A parsed tree again. Numbers beyond 2^53 do not survive cJSON; none of ours are. */
void json_write_tree(struct json_writer *w, const cJSON *json);

/* key and value in one */
void json_put_string(struct json_writer *w, const char *key, const char *value);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_uint(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_snowflake(struct json_writer *w, const char *key, uint64_t id);

#endif
