/* Checking request bodies the way Discord does: tables of rules, and errors as a tree that mirrors the body ("Invalid Form Body", code 50035;
 * reference, "Error Messages").
 *
 * To check another body: a table of struct form_rule and form_check(); what a table cannot say is code that calls form_error().
 */
#ifndef FAKE_FORM_H
#define FAKE_FORM_H

#include <cjson/cJSON.h>

#include "base/clock.h"
#include "base/str.h"

struct form {
	cJSON *errors; /* NULL: all is well */
};
void form_finish(struct form *form);
static inline bool form_ok(const struct form *form)
{
	return !form->errors;
}
/* `path` is dotted ("embeds.0.title"); "" is the body itself. */
void form_error(struct form *form, const char *path, const char *code, const char *format, ...) printf_like(4, 5);
/* The whole answer's body. */
void form_write(const struct form *form, struct str *out);

enum form_kind {
	FORM_TEXT,    /* min..max code points */
	FORM_NAME,    /* the same, and not blank */
	FORM_INTEGER, /* min..max; digits in a string are fine too, as with Discord */
	FORM_NUMBER,
	FORM_BOOLEAN,
	FORM_SNOWFLAKE,  /* a string of digits */
	FORM_BITS,       /* permissions: a string or number */
	FORM_URL,        /* http, https or attachment; max code points */
	FORM_TIME,       /* ISO 8601 */
	FORM_OBJECT,     /* by the rules in `sub` */
	FORM_LIST,       /* of objects by `sub`, at most max of them */
	FORM_SNOWFLAKES, /* a list, at most max */
	FORM_TEXTS,
	FORM_ANY,
};

enum form_flag { FORM_REQUIRED = 1, FORM_NULL = 2 /* null is as good as missing */ };

struct form_rule {
	const char *key; /* NULL ends the table */
	enum form_kind kind;
	int64_t min, max;
	int flags;
	const struct form_rule *sub;
};
/* Unknown keys are ignored, as Discord does. */
void form_check(struct form *form, const char *path, const cJSON *object, const struct form_rule *rules);
/* An ISO 8601 time, "2026-11-22" or "2026-11-22T14:05:01.5+01:00" (without a zone: UTC). -EINVAL. */
int form_parse_time(const char *text, usec *ret_at) warn_unused;
/* path + "." + key, or the key alone */
void form_path(struct str *out, const char *path, const char *key);

#endif
