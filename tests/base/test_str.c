/* base/str.h. */
#include "test.h"

#include "base/str.h"

static void begins_empty(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	char *detached cleanup(freep) = NULL;
	size_t len = 7;

	(void)state;
	assert_string_equal(text.buf, "");
	str_add(&text, NULL, 0);
	str_adds(&text, "");
	str_clear(&text);
	str_truncate(&text, 5);
	str_remove(&text, 0, 5);
	assert_int_equal(text.cap, 0);
	assert_string_equal(str_empty, "");
	detached = str_detach(&text, &len);
	assert_string_equal(detached, "");
	assert_int_equal(len, 0);
}

static void appends(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	str_adds(&text, "ab");
	str_addc(&text, 'c');
	str_add(&text, "d\0e", 3);
	assert_int_equal(text.len, 6);
	assert_memory_equal(text.buf, "abcd\0e", 7);
	str_clear(&text);
	str_addu64(&text, 0);
	str_addc(&text, ' ');
	str_addu64(&text, UINT64_MAX);
	str_addc(&text, ' ');
	str_addi64(&text, INT64_MIN);
	str_addc(&text, ' ');
	str_addi64(&text, -7);
	assert_string_equal(text.buf, "0 18446744073709551615 -9223372036854775808 -7");
}

static void grows(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		str_addc(&text, (char)('a' + i % 26));
	assert_int_equal(text.len, 100000);
	assert_int_equal(strlen(text.buf), 100000);
	assert_true(text.cap < 300000);
	for (int i = 0; i < 100000; i++)
		if (text.buf[i] != 'a' + i % 26)
			fail_msg("byte %d is wrong", i);
}

static void reserves(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	const char *before;

	(void)state;
	str_reserve(&text, 100);
	before = text.buf;
	for (int i = 0; i < 100; i++)
		str_addc(&text, 'x');
	assert_ptr_equal(text.buf, before);
}

static void formats(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	char filler[501];

	(void)state;
	memset(filler, 'y', 500);
	filler[500] = '\0';
	str_printf(&text, "%d|", 42);
	str_printf(&text, "%s", "");
	/* Longer than any room that is there, exactly filling it, and one more. */
	str_printf(&text, "%s|", filler);
	assert_int_equal(text.len, 504);
	for (int len = 0; len < 200; len++) {
		struct str other cleanup(str_finish) = STR_INIT;

		str_printf(&other, "%.*s", len, filler);
		assert_int_equal(other.len, len);
		assert_int_equal(strlen(other.buf), len);
	}
}

static void cuts(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	str_adds(&text, "0123456789");
	str_remove(&text, 2, 3);
	assert_string_equal(text.buf, "0156789");
	str_remove(&text, 5, SIZE_MAX);
	assert_string_equal(text.buf, "01567");
	str_remove(&text, 5, 1);
	str_truncate(&text, 2);
	assert_string_equal(text.buf, "01");
	str_truncate(&text, 3);
	assert_int_equal(text.len, 2);
}

static void detaches(void **state)
{
	struct str text = STR_INIT;
	char *detached;

	(void)state;
	str_adds(&text, "mine");
	detached = str_detach(&text, NULL);
	assert_string_equal(detached, "mine");
	assert_int_equal(text.len, 0);
	assert_int_equal(text.cap, 0);
	free(detached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_empty),
		cmocka_unit_test(appends),
		cmocka_unit_test(grows),
		cmocka_unit_test(reserves),
		cmocka_unit_test(formats),
		cmocka_unit_test(cuts),
		cmocka_unit_test(detaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
