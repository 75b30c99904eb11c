/* base/util.h and base/error.h. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>

#include "base/error.h"
#include "base/util.h"

static void parses_unsigned(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "99999999999999999999999x", -EINVAL, 0 },
		{ "\xd9\xa3", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 42;

		assert_int_equal(parse_u64(rows[i].text, &value), rows[i].result);
		/* Results are set only on success. */
		assert_int_equal(value, rows[i].result ? 42 : rows[i].value);
	}
}

static void parses_signed(void **state)
{
	int64_t value = 42;

	(void)state;
	assert_int_equal(parse_i64("-9223372036854775808", &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775807", &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(parse_i64("9223372036854775808", &value), -ERANGE);
	assert_int_equal(parse_i64("-9223372036854775809", &value), -ERANGE);
	assert_int_equal(parse_i64("-", &value), -EINVAL);
	assert_int_equal(parse_i64("--1", &value), -EINVAL);
	assert_true(value == INT64_MAX);
	assert_int_equal(parse_i64("-0", &value), 0);
	assert_int_equal(value, 0);
}

static void allocates(void **state)
{
	char *text cleanup(freep) = xasprintf("%s-%d", "a", 7);
	char *part cleanup(freep) = xstrndup("abc", 2);
	char *whole cleanup(freep) = xstrndup("abc", 10);
	void *nothing cleanup(freep) = xmalloc(0);
	unsigned char *zeros cleanup(freep) = xcalloc(3, 2);
	int *none cleanup(freep) = xcalloc(0, sizeof(int));

	(void)state;
	assert_string_equal(text, "a-7");
	assert_string_equal(part, "ab");
	assert_string_equal(whole, "abc");
	assert_non_null(nothing);
	assert_non_null(none);
	for (int i = 0; i < 6; i++)
		assert_int_equal(zeros[i], 0);
}

static void closes_descriptors(void **state)
{
	int kept;

	(void)state;
	{
		int fd cleanup(closep) = open("/dev/null", O_RDONLY | O_CLOEXEC);
		int none cleanup(closep) = -1;

		kept = fd;
		assert_true(fd >= 0 && none == -1);
	}
	assert_int_equal(fcntl(kept, F_GETFD), -1);
}

static void explains_errors(void **state)
{
	(void)state;
	assert_string_equal(error_text(-ENOENT), "No such file or directory");
	assert_string_equal(error_text(ENOENT), "No such file or directory");
	assert_string_equal(error_text(-3008), "Unknown host name");
	assert_string_equal(error_text(-4095), "End of file");
	assert_string_equal(error_text(-123456), "Unknown error 123456");
	assert_non_null(error_text(INT32_MIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_unsigned),
		cmocka_unit_test(parses_signed),
		cmocka_unit_test(allocates),
		cmocka_unit_test(closes_descriptors),
		cmocka_unit_test(explains_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
