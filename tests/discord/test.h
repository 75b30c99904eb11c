/* What every test of this directory includes first: cmocka with the headers that it wants, and JSON for short. */
#ifndef TESTS_DISCORD_TEST_H
#define TESTS_DISCORD_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* Single quotes stand for double ones, so that JSON is readable in C. The tree is the caller's. */
static inline cJSON *test_json(const char *text)
{
	char *copy = xstrdup(text);
	cJSON *json = NULL;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_parse(copy, strlen(copy), &json) < 0)
		fail_msg("this is no JSON: %s", copy);
	free(copy);
	return json;
}

#endif
