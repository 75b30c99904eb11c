/* leveling_api/params.c */
#include "support.h"

#include <errno.h>

#include "params.h"

static void test_fields(void **state)
{
	struct arena arena = ARENA_INIT;
	struct params params;

	(void)state;
	assert_int_equal(params_parse("a=1&b=%41+x&a=2&&c&d=%zz%4&=v&e=%00z", &arena, &params), 0);
	assert_int_equal(params.count, 7);
	assert_string_equal(params_text(&params, "a", NULL), "2");
	assert_string_equal(params_text(&params, "b", NULL), "A x");
	assert_string_equal(params_text(&params, "c", NULL), "");
	assert_string_equal(params_text(&params, "d", NULL), "%zz%4");
	assert_string_equal(params_text(&params, "", NULL), "v");
	assert_int_equal(params_get(&params, "e")->value_len, 2);
	assert_memory_equal(params_get(&params, "e")->value, "\0z", 3);
	assert_string_equal(params_text(&params, "missing", "other"), "other");
	assert_int_equal(params_parse(NULL, &arena, &params), 0);
	assert_int_equal(params.count, 0);
	arena_finish(&arena);
}

static void test_too_many_fields(void **state)
{
	struct arena arena = ARENA_INIT;
	struct str query cleanup(str_finish) = STR_INIT;
	struct params params;

	(void)state;
	for (int i = 0; i < PARAMS_MAX - 1; i++)
		str_adds(&query, "a&");
	str_adds(&query, "a");
	assert_int_equal(params_parse(query.buf, &arena, &params), 0);
	str_adds(&query, "&a");
	assert_int_equal(params_parse(query.buf, &arena, &params), -E2BIG);
	arena_finish(&arena);
}

static void test_broken_utf8_is_replaced(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "v=%C3%A9", "\xc3\xa9" },
		{ "v=%C3", "\xef\xbf\xbd" },
		{ "v=%C3x", "\xef\xbf\xbdx" },
		{ "v=%E0%80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "v=%F0%9F%98", "\xef\xbf\xbd" },
		{ "v=%ED%A0%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "v=%F4%90%80%80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "v=%FF%41", "\xef\xbf\xbd"
			      "A" },
		/* What was sent as it is and what was encoded are read apart; a query that is not UTF-8 is ISO 8859-1. */
		{ "v=\xc3\xa9%A9", "\xc3\xa9\xef\xbf\xbd" },
		{ "v=\xe9", "\xc3\xa9" },
		{ "v=%d9\xa1", "\xef\xbf\xbd\xc2\xa1" },
		{ "v=\xc3\xa9&x=\xe9", "\xc3\x83\xc2\xa9" },
	};
	struct arena arena = ARENA_INIT;
	struct params params;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(params_parse(cases[i].raw, &arena, &params), 0);
		assert_string_equal(params_text(&params, "v", NULL), cases[i].text);
	}
	arena_finish(&arena);
}

static void assert_relink(const char *raw, const char *value, const char *expected)
{
	struct str out cleanup(str_finish) = STR_INIT;
	struct arena arena = ARENA_INIT;
	struct params params;

	assert_int_equal(params_parse(raw, &arena, &params), 0);
	params_relink(&out, raw, &params, &arena, "page", value);
	assert_string_equal(out.buf, expected);
	arena_finish(&arena);
}

static void test_links(void **state)
{
	(void)state;
	assert_relink(NULL, "2", "?page=2");
	assert_relink("", NULL, "");
	assert_relink("page=1", NULL, "");
	assert_relink("page=last&page=3&z=1&a=2&z=0", "4", "?a=2&page=4&z=1&z=0");
	assert_relink("page_size=5%20&format=json", "2", "?format=json&page=2&page_size=5+");
	assert_relink("x=%2B1&b=", NULL, "?b=&x=%2B1");
	assert_relink("q=~-._%2a/", NULL, "?q=~-._%2A%2F");
	assert_relink("%7A=1&Z=2&%C3%A9=3", NULL, "?Z=2&z=1&%C3%A9=3");
	/* Bytes above 127 that were not encoded came back as ISO 8859-1. */
	assert_relink("q=\xc3\xa9", NULL, "?q=%C3%83%C2%A9");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} cases[] = {
		{ "1", 0, 1 },
		{ "01", 0, 1 },
		{ "+1", 0, 1 },
		{ "-1", 0, -1 },
		{ " 1", 0, 1 },
		{ "1 ", 0, 1 },
		{ "\t1\n", 0, 1 },
		{ "0_1", 0, 1 },
		{ "1_0", 0, 10 },
		{ "\xd9\xa1", 0, 1 },
		{ "\xef\xbc\x91", 0, 1 },
		{ "1\xe2\x80\xa8", 0, 1 },
		{ "\xf0\x9d\x9f\x99", 0, 1 },
		{ "-0", 0, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ " ", -EINVAL, 0 },
		{ "_1", -EINVAL, 0 },
		{ "1_", -EINVAL, 0 },
		{ "1__0", -EINVAL, 0 },
		{ "+_1", -EINVAL, 0 },
		{ "+ 1", -EINVAL, 0 },
		{ "1 0", -EINVAL, 0 },
		{ "--1", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 },
		{ "1e0", -EINVAL, 0 },
		{ "0x1", -EINVAL, 0 },
		{ "\xc2\xb9", -EINVAL, 0 },
		{ "\x1c"
		  "1",
			-EINVAL, 0 },
		{ "NaN", -EINVAL, 0 },
	};
	struct str digits cleanup(str_finish) = STR_INIT;
	bool negative;
	int64_t value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = params_int(cases[i].text, strlen(cases[i].text), &value, &negative);

		if (r != cases[i].result || (r == 0 && value != cases[i].value))
			fail_msg("'%s': %d, %lld", cases[i].text, r, (long long)value);
	}
	assert_int_equal(params_int("1\0", 2, &value, &negative), -EINVAL);
	for (int i = 0; i < 4300; i++)
		str_addc(&digits, '1');
	assert_int_equal(params_int(digits.buf, digits.len, &value, &negative), -ERANGE);
	str_addc(&digits, '1');
	assert_int_equal(params_int(digits.buf, digits.len, &value, &negative), -EINVAL);
	assert_true(params_is_digits("12\xd9\xa1", 4));
	assert_false(params_is_digits("", 0));
	assert_false(params_is_digits("1 ", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_too_many_fields),
		cmocka_unit_test(test_broken_utf8_is_replaced),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
