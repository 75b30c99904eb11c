/* bot/features/leveling.h: when the daily check of the level roles is due, across clock changes. */
#include "test.h"

#include "features/leveling.h"

static struct timezone_rules *zone;

static int64_t at(int year, int month, int day, int hour, int minute)
{
	const struct civil civil = { .year = year, .month = month, .day = day, .hour = hour, .minute = minute };

	return timezone_from_civil(zone, &civil);
}

static int set_up(void **state)
{
	(void)state;
	return timezone_load(NULL, "Canada/Pacific", &zone);
}

static int tear_down(void **state)
{
	(void)state;
	timezone_destroy(zone);
	return 0;
}

static void the_next_five_o_clock(void **state)
{
	(void)state;
	assert_true(leveling_until_daily(zone, at(2026, 11, 22, 4, 0)) == HOUR);
	assert_true(leveling_until_daily(zone, at(2026, 11, 22, 5, 0)) == DAY);
	assert_true(leveling_until_daily(zone, at(2026, 11, 22, 5, 1)) == DAY - MINUTE);
	assert_true(leveling_until_daily(zone, at(2026, 11, 22, 23, 59)) == 5 * HOUR + MINUTE);
	assert_true(leveling_until_daily(zone, at(2026, 12, 31, 12, 0)) == 17 * HOUR);
	assert_true(leveling_until_daily(zone, at(2028, 2, 28, 12, 0)) == 17 * HOUR);
}

/* In 2025 clocks went forward on 9 March and back on 2 November, both at two in the morning. */
static void clock_changes_make_longer_and_shorter_days(void **state)
{
	(void)state;
	assert_true(leveling_until_daily(zone, at(2025, 3, 8, 5, 0)) == 23 * HOUR);
	assert_true(leveling_until_daily(zone, at(2025, 11, 1, 5, 0)) == 25 * HOUR);
	assert_true(leveling_until_daily(zone, at(2025, 3, 9, 0, 0)) == 4 * HOUR);
	assert_true(leveling_until_daily(zone, at(2025, 11, 2, 0, 0)) == 6 * HOUR);
}

static void without_a_zone_once_a_day(void **state)
{
	(void)state;
	assert_true(leveling_until_daily(NULL, 12345) == DAY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_five_o_clock),
		TEST(clock_changes_make_longer_and_shorter_days),
		TEST(without_a_zone_once_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
