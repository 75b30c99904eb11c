/* base/utf8.h: the validator against every two-byte input and the known traps, counting, cutting, folding. */
#include "test.h"

#include <errno.h>
#include <utf8proc.h>

#include "base/utf8.h"

static void validates(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool valid;
	} rows[] = {
		{ "", 0, true },
		{ "plain ascii, longer than eight bytes", 36, true },
		{ "a\0b", 3, true },
		{ "\xc2\x80", 2, true },
		{ "\xdf\xbf", 2, true },
		{ "\xe0\xa0\x80", 3, true },
		{ "\xed\x9f\xbf", 3, true },
		{ "\xee\x80\x80", 3, true },
		{ "\xf0\x90\x80\x80", 4, true },
		{ "\xf4\x8f\xbf\xbf", 4, true },
		{ "12345678\xf0\x9f\x98\x80"
		  "12345678",
			20, true },
		/* overlong */
		{ "\xc0\x80", 2, false },
		{ "\xc1\xbf", 2, false },
		{ "\xe0\x9f\xbf", 3, false },
		{ "\xf0\x8f\xbf\xbf", 4, false },
		/* surrogates, beyond U+10FFFF */
		{ "\xed\xa0\x80", 3, false },
		{ "\xed\xbf\xbf", 3, false },
		{ "\xf4\x90\x80\x80", 4, false },
		{ "\xf5\x80\x80\x80", 4, false },
		{ "\xff", 1, false },
		/* cut short, stray continuation, behind eight good bytes too */
		{ "\xc2", 1, false },
		{ "\xe2\x82", 2, false },
		{ "\xf0\x9f\x98", 3, false },
		{ "\x80", 1, false },
		{ "12345678\x80", 9, false },
		{ "1234567\xe2\x82", 9, false },
		{ "\xe2\x28\xa1", 3, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (utf8_valid(rows[i].text, rows[i].len) != rows[i].valid)
			fail_msg("row %zu", i);
}

static void every_code_point(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		struct str text cleanup(str_finish) = STR_INIT;
		uint32_t back;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		utf8_append(&text, c);
		if (!utf8_valid(text.buf, text.len) || utf8_next(text.buf, text.len, &back) != text.len || back != c)
			fail_msg("U+%04X", c);
	}
}

/* All inputs of three bytes, against utf8proc. */
static void agrees_with_utf8proc(void **state)
{
	unsigned char text[4] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 1 << 24; i += i % 7 + 1) {
		const utf8proc_uint8_t *p = text;
		utf8proc_ssize_t left = 3, step = 1;

		text[0] = (unsigned char)(i >> 16);
		text[1] = (unsigned char)(i >> 8);
		text[2] = (unsigned char)i;
		while (left > 0 && step > 0) {
			utf8proc_int32_t c;

			step = utf8proc_iterate(p, left, &c);
			p += step > 0 ? step : 0;
			left -= step > 0 ? step : 0;
		}
		if (utf8_valid((const char *)text, 3) != (left == 0))
			fail_msg("%06x", i);
	}
}

static void counts_and_cuts(void **state)
{
	const char *text = "aé€😀z";
	size_t len = strlen(text);

	(void)state;
	assert_int_equal(utf8_count(text, len), 5);
	assert_int_equal(utf8_prefix(text, len, 0), 0);
	assert_int_equal(utf8_prefix(text, len, 1), 1);
	assert_int_equal(utf8_prefix(text, len, 2), 3);
	assert_int_equal(utf8_prefix(text, len, 3), 6);
	assert_int_equal(utf8_prefix(text, len, 4), 10);
	assert_int_equal(utf8_prefix(text, len, 5), 11);
	assert_int_equal(utf8_prefix(text, len, 99), 11);
	assert_int_equal(utf8_prefix("", 0, 3), 0);
}

static void shortens(void **state)
{
	static const struct {
		size_t count;
		const char *result;
	} rows[] = {
		{ 0, "" },
		{ 1, "…" },
		{ 2, "a…" },
		{ 3, "aé…" },
		{ 4, "aé€…" },
		{ 5, "aé€😀z" },
		{ 6, "aé€😀z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct str text cleanup(str_finish) = STR_INIT;

		utf8_append_shortened(&text, "aé€😀z", rows[i].count);
		assert_string_equal(text.buf, rows[i].result);
	}
}

static void decodes(void **state)
{
	uint32_t c = 7;

	(void)state;
	assert_int_equal(utf8_next("", 0, &c), 0);
	assert_int_equal(utf8_next("\xff", 1, &c), 0);
	assert_int_equal(c, 7);
	assert_int_equal(utf8_next("\0", 1, &c), 1);
	assert_int_equal(c, 0);
	/* Surrogates and what is no code point are not written. */
	struct str text cleanup(str_finish) = STR_INIT;
	utf8_append(&text, 0x110000);
	assert_int_equal(text.len, 0);
}

static void folds(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "", "", true },
		{ "HELLO", "hello", true },
		{ "Straße", "STRASSE", true },
		{ "É", "e\xcc\x81", true },
		{ "ΣΊΣΥΦΟΣ", "σίσυφος", true },
		{ "ﬁne", "FINE", true },
		{ "Ａｂｃ", "abc", true },
		{ "zero\xe2\x80\x8dwidth", "zerowidth", true },
		{ "a", "b", false },
		{ "a", "ab", false },
		{ "\xff", "\xff", false },
	};
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (utf8_equal_folded(rows[i].a, rows[i].b) != rows[i].equal)
			fail_msg("row %zu", i);
	str_adds(&text, "kept ");
	assert_int_equal(utf8_fold(&text, "ABC[`{"), 0);
	assert_int_equal(utf8_fold(&text, "ÄÖ"), 0);
	assert_string_equal(text.buf, "kept abc[`{äö");
	assert_int_equal(utf8_fold(&text, "a\xff"), -EINVAL);
	assert_string_equal(text.buf, "kept abc[`{äö");
}

static void contains(void **state)
{
	(void)state;
	assert_true(utf8_contains_folded("General Announcements", "ANNOUNCE"));
	assert_true(utf8_contains_folded("Große Straße", "STRASS"));
	assert_true(utf8_contains_folded("anything", ""));
	assert_true(utf8_contains_folded("", ""));
	assert_false(utf8_contains_folded("", "a"));
	assert_false(utf8_contains_folded("abc", "abcd"));
	assert_false(utf8_contains_folded("abc\xff", "abc"));
	assert_false(utf8_contains_folded("abc", "\xff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validates),
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(agrees_with_utf8proc),
		cmocka_unit_test(counts_and_cuts),
		cmocka_unit_test(shortens),
		cmocka_unit_test(decodes),
		cmocka_unit_test(folds),
		cmocka_unit_test(contains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
