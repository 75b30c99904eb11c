/* base/clock.h: the calendar, against libc's for many instants and against known dates. */
#include "test.h"

#include <time.h>

#include "base/clock.h"
#include "base/random.h"

static void clocks_advance(void **state)
{
	usec a = clock_monotonic(), b = clock_monotonic();

	(void)state;
	assert_true(b >= a);
	assert_true(llabs((long long)(clock_realtime() / SECOND - time(NULL))) <= 1);
}

static void knows_dates(void **state)
{
	static const struct {
		int64_t seconds;
		struct civil civil;
	} rows[] = {
		{ 0, { 1970, 1, 1, 0, 0, 0, 4 } },
		{ -1, { 1969, 12, 31, 23, 59, 59, 3 } },
		{ 951782400, { 2000, 2, 29, 0, 0, 0, 2 } },
		{ 1795355577, { 2026, 11, 22, 13, 52, 57, 0 } },
		{ 4107542400, { 2100, 3, 1, 0, 0, 0, 1 } },
		{ INT64_C(253402300799), { 9999, 12, 31, 23, 59, 59, 5 } },
		{ INT64_C(-62135596800), { 1, 1, 1, 0, 0, 0, 1 } },
		{ INT64_C(-62135596801), { 0, 12, 31, 23, 59, 59, 0 } },
		{ INT64_C(-377705116800), { -9999, 1, 1, 0, 0, 0, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct civil civil;

		civil_from_seconds(rows[i].seconds, &civil);
		assert_memory_equal(&civil, &rows[i].civil, sizeof(civil));
		assert_true(civil_to_seconds(&civil) == rows[i].seconds);
	}
}

static void agrees_with_libc(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1);
	for (int i = 0; i < 100000; i++) {
		/* years -9999 to 9999 */
		int64_t seconds = (int64_t)random_below(&random, INT64_C(631107417600)) - INT64_C(377705116800);
		time_t t = seconds;
		struct civil civil;
		struct tm tm;

		civil_from_seconds(seconds, &civil);
		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(civil.year, tm.tm_year + 1900);
		assert_int_equal(civil.month, tm.tm_mon + 1);
		assert_int_equal(civil.day, tm.tm_mday);
		assert_int_equal(civil.hour, tm.tm_hour);
		assert_int_equal(civil.minute, tm.tm_min);
		assert_int_equal(civil.second, tm.tm_sec);
		assert_int_equal(civil.weekday, tm.tm_wday);
		assert_true(civil_to_seconds(&civil) == seconds);
	}
}

static void carries_fields_over(void **state)
{
	struct civil civil = { .year = 2026, .month = 14, .day = 31, .hour = 25, .minute = -1 };
	struct civil normal;

	(void)state;
	civil_from_seconds(civil_to_seconds(&civil), &normal);
	assert_int_equal(normal.year, 2027);
	assert_int_equal(normal.month, 3);
	assert_int_equal(normal.day, 4);
	assert_int_equal(normal.hour, 0);
	assert_int_equal(normal.minute, 59);
	civil = (struct civil){ .year = 2026, .month = 0, .day = 0 };
	civil_from_seconds(civil_to_seconds(&civil), &normal);
	assert_int_equal(normal.year, 2025);
	assert_int_equal(normal.month, 11);
	assert_int_equal(normal.day, 30);
}

static void survives_extremes(void **state)
{
	struct civil civil;

	(void)state;
	civil_from_seconds(INT64_MAX, &civil);
	assert_int_equal(civil.year, 9999);
	civil_from_seconds(INT64_MIN, &civil);
	assert_int_equal(civil.year, -9999);
	civil = (struct civil){ INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 0 };
	assert_true(civil_to_seconds(&civil) > 0);
	civil = (struct civil){ INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN, 0 };
	assert_true(civil_to_seconds(&civil) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clocks_advance),
		cmocka_unit_test(knows_dates),
		cmocka_unit_test(agrees_with_libc),
		cmocka_unit_test(carries_fields_over),
		cmocka_unit_test(survives_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
