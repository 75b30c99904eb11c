/* base/json.h: what is refused, what cJSON then reads, and the writer. */
#include "test.h"

#include <errno.h>
#include <math.h>

#include "base/json.h"
#include "base/random.h"

/* The text stands at the end of its allocation, so that AddressSanitizer sees a read of one byte too many. */
static int parse(const char *text, size_t len, cJSON **ret_json)
{
	char *exact = xmalloc(len);
	int r;

	memcpy(exact, text, len);
	r = json_parse(exact, len, ret_json);
	free(exact);
	return r;
}

static const char *const good[] = {
	"{}",
	"[]",
	"null",
	"true",
	"false",
	"0",
	"-0",
	"-1.5e+10",
	"1E5",
	"0.25",
	"1e308",
	"1e-400",
	"123456789012345678901234567890123456789012345678901234567890123",
	"\"\"",
	"\"a\"",
	"\"exactly8\"",
	"\"more than sixteen bytes\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
	"\"é€😀\"",
	"\"\x7f\"",
	" \t\r\n{ \"a\" : [ 1 , { \"b\" : null } , [ ] , { } ] , \"\" : false } \n",
	"[[[[[[]]]]]]",
	"{\"a\":1,\"a\":2}",
};

static const char *const bad[] = {
	"",
	" ",
	"{",
	"}",
	"[",
	"]",
	"[1",
	"[1,",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[1}",
	"{\"a\":1]",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{\"a\" 1}",
	"{a:1}",
	"{1:1}",
	"{,}",
	"{\"a\":1 \"b\":2}",
	"nul",
	"nulll",
	"True",
	"truefalse",
	"NaN",
	"Infinity",
	"-",
	"+1",
	"01",
	"-01",
	".5",
	"1.",
	"1.e5",
	"1e",
	"1e+",
	"1e400",
	"-1e400",
	"0x10",
	"1234567890123456789012345678901234567890123456789012345678901234",
	"1 2",
	"{} {}",
	"{}x",
	"\"",
	"\"a",
	"\"exactly8",
	"\"more than eight bytes",
	"\"\\\"",
	"\"\\",
	"\"\\x41\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"\\u000\"",
	"\"\\u0000\"",
	"\"a\\u0000b\"",
	"\"\\ud800\"",
	"\"\\ud800x\"",
	"\"\\ud800\\n\"",
	"\"\\ud800\\ud800\"",
	"\"\\ud800\\u0041\"",
	"\"\\udc00\"",
	"\"\\udc00\\ud800\"",
	"\"a\nb\"",
	"\"a\tb\"",
	"\"padding..\x01padding\"",
	"\"\x1f\"",
	"\"\xff\"",
	"\"\xc0\x80\"",
	"\"\xed\xa0\x80\"",
	"\"\xe2\x82\"",
	"\"padding..\xf4\x90\x80\x80\"",
	"\xff",
	"\xef\xbb\xbf{}",
	"\x0b{}",
	"\xc2\xa0{}",
	"/* */ {}",
	"'a'",
};

static void accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cJSON *json cleanup(json_freep) = NULL;

		if (parse(good[i], strlen(good[i]), &json) != 0)
			fail_msg("refused: %s", good[i]);
		assert_non_null(json);
	}
}

static void refuses(void **state)
{
	cJSON *json = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], strlen(bad[i]), &json) != -EBADMSG)
			fail_msg("not refused: %s", bad[i]);
		assert_null(json);
	}
	assert_int_equal(parse("{}\0", 3, &json), -EBADMSG);
	assert_int_equal(parse("\"\0\"", 3, &json), -EBADMSG);
	assert_int_equal(parse("\"12345678\0\"", 11, &json), -EBADMSG);
}

/* Every beginning of a good text that is no number is bad. */
static void refuses_cut_texts(void **state)
{
	const char *text = "{\"a\":[1,-2.5e3,true,false,null,\"x\\u00e9\\ud83d\\ude00é\"],\"b\":{\"c\":[]}}";

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		cJSON *json = NULL;

		assert_int_equal(parse(text, len, &json), -EBADMSG);
	}
}

static void limits_depth(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	cJSON *json cleanup(json_freep) = NULL;
	cJSON *none = NULL;

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++)
		str_adds(&text, i % 2 ? "[" : "{\"k\":");
	for (int i = JSON_DEPTH_MAX - 1; i >= 0; i--)
		str_adds(&text, i % 2 ? "]" : "}");
	assert_int_equal(parse(text.buf, text.len, &json), 0);
	str_clear(&text);
	for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
		str_addc(&text, '[');
	for (int i = 0; i < JSON_DEPTH_MAX + 1; i++)
		str_addc(&text, ']');
	assert_int_equal(parse(text.buf, text.len, &none), -E2BIG);
	str_clear(&text);
	for (int i = 0; i < 1000000; i++)
		str_addc(&text, '[');
	assert_int_equal(parse(text.buf, text.len, &none), -E2BIG);
}

/* Random damage to a real event: whatever passes must be what cJSON reads, without a sanitizer's complaint. */
static void survives_damage(void **state)
{
	static const char event[] =
		"{\"t\":\"MESSAGE_CREATE\",\"s\":12,\"op\":0,\"d\":{\"id\":\"1442109288373223424\",\"content\":"
		"\"h\\u00e9llo \xc3\xa9 \\ud83d\\ude00\",\"mentions\":[],\"tts\":false,\"flags\":-1.5e2}}";
	static const char alphabet[] = "{}[],:\"\\u0dDe1.-tfn \n\xff\xc3\x80";
	struct random random;
	int passed = 0;

	(void)state;
	random_init(&random, 77);
	for (int i = 0; i < 50000; i++) {
		char text[sizeof(event) - 1];
		cJSON *json cleanup(json_freep) = NULL;
		uint64_t changes = 1 + random_below(&random, 3);

		memcpy(text, event, sizeof(text));
		while (changes--)
			text[random_below(&random, sizeof(text))] =
				alphabet[random_below(&random, sizeof(alphabet) - 1)];
		if (parse(text, sizeof(text), &json) == 0)
			passed++;
	}
	assert_true(passed > 100);
}

static void looks_up(void **state)
{
	static const char text[] =
		"{\"s\":\"text\",\"S\":\"other\",\"n\":null,\"i\":-42,\"half\":1.5,\"max\":9007199254740991,"
		"\"beyond\":9007199254740992,\"far\":1e300,\"t\":true,\"f\":false,\"o\":{\"x\":1},\"a\":[\"7\",8],"
		"\"id\":\"1388801234567890123\",\"big\":\"9223372036854775808\",\"neg\":\"-1\",\"word\":\"12a\",\"empty\":\"\","
		"\"idnum\":1388801234567890123}";
	cJSON *json cleanup(json_freep) = NULL;
	uint64_t ids[2] = { 0 };
	size_t count = 0;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &json), 0);
	assert_string_equal(json_string(json, "s"), "text");
	assert_string_equal(json_string(json, "S"), "other");
	assert_null(json_string(json, "n"));
	assert_null(json_string(json, "i"));
	assert_null(json_string(json, "missing"));
	assert_null(json_string(NULL, "s"));
	assert_null(json_get(json_get(json, "s"), "s"));
	assert_null(json_get(json_get(json, "a"), "0"));
	assert_int_equal(json_int(json, "i", 7), -42);
	assert_int_equal(json_int(json, "half", 7), 7);
	assert_int_equal(json_int(json, "max", 7), INT64_C(9007199254740991));
	assert_int_equal(json_int(json, "beyond", 7), 7);
	assert_int_equal(json_int(json, "far", 7), 7);
	assert_int_equal(json_int(json, "s", 7), 7);
	assert_int_equal(json_int(json, "missing", 7), 7);
	assert_true(json_double(json, "half", 0) == 1.5);
	assert_true(json_double(json, "s", 2.5) == 2.5);
	assert_true(json_bool(json, "t", false));
	assert_false(json_bool(json, "f", true));
	assert_true(json_bool(json, "i", true));
	assert_true(json_bool(json, "missing", true));
	assert_int_equal(json_int(json_object(json, "o"), "x", 0), 1);
	assert_null(json_object(json, "a"));
	assert_null(json_array(json, "o"));
	assert_true(json_snowflake(json, "id") == UINT64_C(1388801234567890123));
	assert_int_equal(json_snowflake(json, "big"), 0);
	assert_int_equal(json_snowflake(json, "neg"), 0);
	assert_int_equal(json_snowflake(json, "word"), 0);
	assert_int_equal(json_snowflake(json, "empty"), 0);
	assert_int_equal(json_snowflake(json, "idnum"), 0);
	assert_int_equal(json_snowflake(json, "n"), 0);
	json_array_each (item, json_array(json, "a"))
		ids[count++] = json_snowflake_value(item);
	assert_int_equal(count, 2);
	assert_int_equal(ids[0], 7);
	assert_int_equal(ids[1], 0);
	json_array_each (item, json_array(json, "missing"))
		fail_msg("an item of nothing: %p", (const void *)item);
}

static void writes(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	(void)state;
	json_begin_object(&w);
	json_put_string(&w, "s", "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f é😀\xe2\x80\xa8\xe2\x80\xa9<>&'");
	json_put_string(&w, "none", NULL);
	json_put_int(&w, "min", INT64_MIN);
	json_put_uint(&w, "max", UINT64_MAX);
	json_put_bool(&w, "yes", true);
	json_put_null(&w, "null");
	json_put_snowflake(&w, "id", UINT64_C(1388801234567890123));
	json_put_snowflake(&w, "noid", 0);
	json_key(&w, "list");
	json_begin_array(&w);
	json_begin_array(&w);
	json_end_array(&w);
	json_begin_object(&w);
	json_end_object(&w);
	json_write_double(&w, 0.1);
	json_write_double(&w, -1e300);
	json_write_double(&w, 3);
	json_write_double(&w, 1.0 / 3);
	json_write_raw(&w, "{\"raw\":1}", 9);
	json_write_string_len(&w, "a\0b", 3);
	json_write_string(&w, "bad \xff\xed\xa0\x80 bytes");
	json_end_array(&w);
	json_end_object(&w);
	assert_string_equal(text.buf,
		"{\"s\":\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f é😀\\u2028\\u2029<>&'\",\"none\":null,"
		"\"min\":-9223372036854775808,\"max\":18446744073709551615,\"yes\":true,\"null\":null,"
		"\"id\":\"1388801234567890123\",\"noid\":null,"
		"\"list\":[[],{},0.1,-1e+300,3,0.3333333333333333,{\"raw\":1},\"a\\u0000b\","
		"\"bad \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd bytes\"]}");
}

static void writes_trees(void **state)
{
	static const char text[] =
		"{\"a b\":[1,-2.5,true,false,null,\"x\\n\",[],{}],\"n\":{\"k\\\"\":9007199254740991,\"big\":1e+300}}";
	cJSON *json cleanup(json_freep) = NULL;
	struct str again cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&again);

	(void)state;
	assert_int_equal(parse(text, strlen(text), &json), 0);
	json_begin_array(&w);
	json_write_tree(&w, json);
	json_write_tree(&w, NULL);
	json_end_array(&w);
	str_remove(&again, 0, 1);
	str_truncate(&again, again.len - 6);
	assert_string_equal(again.buf, text);
}

/* Any bytes that are written as a string can be read again. */
static void strings_survive(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 3);
	for (int i = 0; i < 20000; i++) {
		struct str text cleanup(str_finish) = STR_INIT;
		struct json_writer w = JSON_WRITER(&text);
		cJSON *json cleanup(json_freep) = NULL;
		char bytes[40];
		size_t len = random_below(&random, sizeof(bytes));

		for (size_t j = 0; j < len; j++)
			bytes[j] = (char)(1 + random_below(&random, i % 2 ? 127 : 255));
		json_write_string_len(&w, bytes, len);
		assert_int_equal(parse(text.buf, text.len, &json), 0);
		if (i % 2) {
			assert_int_equal(strlen(json->valuestring), len);
			assert_memory_equal(json->valuestring, bytes, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_cut_texts),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(looks_up),
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_trees),
		cmocka_unit_test(strings_survive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
