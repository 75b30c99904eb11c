/* The streaming JSON reader: exact numbers, strict grammar. */
#include "support.h"

#include <errno.h>
#include <stdio.h>

#include "json_reader.h"

/* All tokens of a text, written back in a short form; or the error. */
static int read_tokens(const char *text, size_t len, struct str *out)
{
	FILE *file = fmemopen((char *)text, len, "r");
	struct json_reader reader;
	enum json_token token = JSON_TOKEN_NULL;
	int r = 0;

	assert_non_null(file);
	json_reader_init(&reader, file);
	while (r == 0 && (r = json_reader_next(&reader, &token)) == 0 && token != JSON_TOKEN_END) {
		switch (token) {
		case JSON_TOKEN_BEGIN_OBJECT: str_addc(out, '{'); break;
		case JSON_TOKEN_END_OBJECT: str_addc(out, '}'); break;
		case JSON_TOKEN_BEGIN_ARRAY: str_addc(out, '['); break;
		case JSON_TOKEN_END_ARRAY: str_addc(out, ']'); break;
		case JSON_TOKEN_KEY: str_printf(out, "%s:", reader.text.buf); break;
		case JSON_TOKEN_STRING: str_printf(out, "'%s' ", reader.text.buf); break;
		case JSON_TOKEN_INT: str_addi64(out, reader.integer), str_addc(out, ' '); break;
		case JSON_TOKEN_NUMBER: str_printf(out, "~%s ", reader.text.buf); break;
		case JSON_TOKEN_TRUE: str_adds(out, "T "); break;
		case JSON_TOKEN_FALSE: str_adds(out, "F "); break;
		case JSON_TOKEN_NULL: str_adds(out, "N "); break;
		case JSON_TOKEN_END: break;
		}
	}
	json_reader_finish(&reader);
	fclose(file);
	return r;
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *tokens;
	} cases[] = {
		{ " {\"a\": [1, -2,\n3], \"b\" : {}, \"c\":[]}\r\n", "{a:[1 -2 3 ]b:{}c:[]}" },
		{ "[true,false,null,\"\"]", "[T F N '' ]" },
		{ "9223372036854775807", "9223372036854775807 " },
		{ "-9223372036854775808", "-9223372036854775808 " },
		{ "9007199254740993", "9007199254740993 " },
		{ "9223372036854775808", "~9223372036854775808 " },
		{ "1.5", "~1.5 " },
		{ "1e3", "~1e3 " },
		{ "-0.5E+7", "~-0.5e+7 " },
		{ "0", "0 " },
		{ "-0", "0 " },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00\\u00e9\"", "'\"\\/\b\f\n\r\tA😀é' " },
		{ "\"é😀\"", "'é😀' " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str out cleanup(str_finish) = STR_INIT;

		assert_ok(read_tokens(cases[i].text, strlen(cases[i].text), &out));
		assert_string_equal(out.buf, cases[i].tokens);
	}
}

static void test_what_is_no_json(void **state)
{
	static const char *const cases[] = { " ", "{", "[", "]", "{]", "[}", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
		"{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "tru", "nul", "True", "01", "-01", "00", "-",
		"1.", ".5", "1e", "1e+", "+1", "\"a", "\"\\x\"", "\"\\u12g4\"", "\"\\ud83d\"", "\"\\ud83d\\u0041\"",
		"\"\\ude00\"", "\"\x01\"", "\"\xff\"", "\"\xc0\x80\"", "1 2", "{} []", "\xef\xbb\xbf{}", "\"a\nb\"",
		"NaN", "'a'", "[1}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str out cleanup(str_finish) = STR_INIT;

		if (read_tokens(cases[i], strlen(cases[i]), &out) != -EBADMSG)
			fail_msg("accepted: %s", cases[i]);
	}
}

static void test_limits(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct str out cleanup(str_finish) = STR_INIT;

	(void)state;
	for (int i = 0; i < JSON_READER_DEPTH_MAX; i++)
		str_addc(&text, '[');
	for (int i = 0; i < JSON_READER_DEPTH_MAX; i++)
		str_addc(&text, ']');
	assert_ok(read_tokens(text.buf, text.len, &out));
	str_clear(&text);
	for (int i = 0; i <= JSON_READER_DEPTH_MAX; i++)
		str_addc(&text, '[');
	assert_int_equal(read_tokens(text.buf, text.len, &out), -E2BIG);
	str_clear(&text);
	str_addc(&text, '"');
	for (int i = 0; i <= JSON_READER_STRING_MAX; i++)
		str_addc(&text, 'a');
	str_addc(&text, '"');
	assert_int_equal(read_tokens(text.buf, text.len, &out), -E2BIG);
}

static void test_skip(void **state)
{
	static const char text[] = "[{\"a\":[1,{\"b\":[]}],\"c\":\"]\"}, 5]";
	FILE *file = fmemopen((char *)text, sizeof(text) - 1, "r");
	struct json_reader reader;
	enum json_token token;

	(void)state;
	json_reader_init(&reader, file);
	assert_ok(json_reader_next(&reader, &token));
	assert_ok(json_reader_next(&reader, &token));
	assert_int_equal(token, JSON_TOKEN_BEGIN_OBJECT);
	assert_ok(json_reader_skip(&reader));
	assert_ok(json_reader_next(&reader, &token));
	assert_int_equal(token, JSON_TOKEN_INT);
	assert_int_equal(reader.integer, 5);
	json_reader_finish(&reader);
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_no_json),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_skip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
