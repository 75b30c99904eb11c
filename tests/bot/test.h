/* What all tests of the bot include: cmocka with what it needs, and a parser for the events that they hand in. */
#ifndef TESTS_BOT_TEST_H
#define TESTS_BOT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

/* JSON with ' for ", so that tests can be read. */
static inline cJSON *test_json(const char *text)
{
	char *copy cleanup(freep) = xstrdup(text);
	cJSON *json = NULL;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_int_equal(json_parse(copy, strlen(copy), &json), 0);
	return json;
}

#endif
