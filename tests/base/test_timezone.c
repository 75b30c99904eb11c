/* base/timezone.h: on zones of our own (data/zones.zi), on damaged files, and against glibc where tzdata is
 * installed. */
#include "test.h"

#include <errno.h>
#include <time.h>

#include "base/random.h"
#include "base/timezone.h"

#define ZONES "tests/base/data/zoneinfo"

static struct timezone_rules *load(const char *name)
{
	struct timezone_rules *zone = NULL;

	assert_int_equal(timezone_load(ZONES, name, &zone), 0);
	return zone;
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	return civil_to_seconds(
		&(struct civil){ .year = year, .month = month, .day = day, .hour = hour, .minute = minute });
}

static int64_t from_local(const struct timezone_rules *zone, int year, int month, int day, int hour, int minute)
{
	return timezone_from_civil(
		zone, &(struct civil){ .year = year, .month = month, .day = day, .hour = hour, .minute = minute });
}

static void knows_offsets(void **state)
{
	static const struct {
		const char *zone;
		int year, month, day, hour, minute; /* UTC */
		int32_t offset;
		bool daylight;
		const char *name;
	} rows[] = {
		{ "Test/West", 1850, 1, 1, 0, 0, -29548, false, "LMT" },
		{ "Test/West", 2000, 7, 1, 0, 0, -28800, false, "WST" },
		{ "Test/West", 2026, 3, 8, 9, 59, -28800, false, "WST" },
		{ "Test/West", 2026, 3, 8, 10, 0, -25200, true, "WDT" },
		{ "Test/West", 2026, 11, 1, 8, 59, -25200, true, "WDT" },
		{ "Test/West", 2026, 11, 1, 9, 0, -28800, false, "WST" },
		{ "Test/West", 2400, 7, 1, 0, 0, -25200, true, "WDT" },
		{ "Test/West", 2027, 1, 1, 7, 59, -28800, false, "WST" },
		{ "Test/Fat", 2026, 3, 8, 10, 0, -25200, true, "WDT" },
		{ "Test/Fat", 2037, 7, 1, 0, 0, -25200, true, "WDT" },
		{ "Test/Fat", 2038, 7, 1, 0, 0, -25200, true, "WDT" },
		{ "Test/Stays", 2025, 12, 1, 0, 0, -28800, false, "WST" },
		{ "Test/Stays", 2026, 12, 1, 0, 0, -25200, false, "WMT" },
		{ "Test/South", 2026, 12, 31, 23, 59, 39600, true, "SDT" },
		{ "Test/South", 2027, 1, 1, 0, 0, 39600, true, "SDT" },
		{ "Test/South", 2026, 7, 1, 0, 0, 36000, false, "SST" },
		{ "Test/Negative", 2030, 1, 1, 0, 0, 0, true, "GMT" },
		{ "Test/Negative", 2030, 7, 1, 0, 0, 3600, false, "IST" },
		{ "Test/Skip", 2011, 12, 30, 9, 59, -36000, false, "-10" },
		{ "Test/Skip", 2011, 12, 30, 10, 0, 50400, false, "+14" },
		{ "Test/Half", 2030, 1, 1, 0, 0, 39600, true, "+11" },
		{ "Test/Half", 2030, 7, 1, 0, 0, 37800, false, "+1030" },
		{ "Test/Fixed", 1950, 1, 1, 0, 0, 20700, false, "+0545" },
		{ "Test/Fixed", 2950, 1, 1, 0, 0, 20700, false, "+0545" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct timezone_rules *zone = load(rows[i].zone);
		struct timezone_offset offset =
			timezone_at(zone, utc(rows[i].year, rows[i].month, rows[i].day, rows[i].hour, rows[i].minute));

		if (offset.seconds != rows[i].offset || offset.daylight != rows[i].daylight ||
			!streq(offset.name, rows[i].name))
			fail_msg("row %zu: %d %d %s", i, offset.seconds, offset.daylight, offset.name);
		timezone_destroy(zone);
	}
}

static void gaps_move_forward(void **state)
{
	struct timezone_rules *zone = load("Test/West");
	struct civil civil;

	(void)state;
	/* 02:30 does not exist on that day and means 03:30. */
	assert_int_equal(from_local(zone, 2026, 3, 8, 2, 30), utc(2026, 3, 8, 10, 30));
	timezone_to_civil(zone, utc(2026, 3, 8, 10, 30), &civil);
	assert_int_equal(civil.hour, 3);
	assert_int_equal(civil.minute, 30);
	assert_int_equal(civil.weekday, 0);
	assert_int_equal(from_local(zone, 2026, 3, 8, 2, 0), utc(2026, 3, 8, 10, 0));
	assert_int_equal(from_local(zone, 2026, 3, 8, 1, 59), utc(2026, 3, 8, 9, 59));
	assert_int_equal(from_local(zone, 2026, 3, 8, 3, 0), utc(2026, 3, 8, 10, 0));
	timezone_destroy(zone);

	zone = load("Test/Half");
	assert_int_equal(from_local(zone, 2026, 10, 4, 2, 15), utc(2026, 10, 3, 15, 45));
	timezone_destroy(zone);

	/* A whole day. */
	zone = load("Test/Skip");
	assert_int_equal(from_local(zone, 2011, 12, 30, 12, 0), utc(2011, 12, 30, 22, 0));
	timezone_to_civil(zone, utc(2011, 12, 30, 22, 0), &civil);
	assert_int_equal(civil.day, 31);
	assert_int_equal(civil.hour, 12);
	timezone_destroy(zone);
}

static void overlaps_mean_the_first(void **state)
{
	static const char *const names[] = { "Test/West", "Test/Fat" };
	struct timezone_rules *zone;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		zone = load(names[i]);
		assert_int_equal(from_local(zone, 2026, 11, 1, 1, 30), utc(2026, 11, 1, 8, 30));
		assert_int_equal(from_local(zone, 2026, 11, 1, 0, 59), utc(2026, 11, 1, 7, 59));
		assert_int_equal(from_local(zone, 2026, 11, 1, 2, 0), utc(2026, 11, 1, 10, 0));
		timezone_destroy(zone);
	}
	zone = load("Test/Negative");
	assert_int_equal(from_local(zone, 2030, 10, 27, 1, 30), utc(2030, 10, 27, 0, 30));
	timezone_destroy(zone);
}

/* To civil time and back is the same instant, or, of a time that comes twice, the first one. */
static void check_round_trip(const struct timezone_rules *zone, int64_t instant)
{
	struct civil civil, again;
	int64_t back;

	timezone_to_civil(zone, instant, &civil);
	back = timezone_from_civil(zone, &civil);
	if (back == instant)
		return;
	timezone_to_civil(zone, back, &again);
	if (back > instant || memcmp(&civil, &again, sizeof(civil)) != 0)
		fail_msg("%lld came back as %lld", (long long)instant, (long long)back);
}

static void round_trips(void **state)
{
	static const char *const names[] = { "West", "Fat", "Stays", "South", "Negative", "Skip", "Half", "Fixed" };
	struct random random;

	(void)state;
	random_init(&random, 11);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *name cleanup(freep) = xasprintf("Test/%s", names[i]);
		struct timezone_rules *zone = load(name);

		for (int j = 0; j < 20000; j++)
			check_round_trip(
				zone, (int64_t)random_below(&random, INT64_C(8000000000)) - INT64_C(2500000000));
		/* Around a change every minute counts. */
		for (int64_t t = utc(2026, 10, 31, 0, 0); t < utc(2026, 11, 2, 0, 0); t += 60)
			check_round_trip(zone, t);
		timezone_destroy(zone);
	}
}

static void checks_names(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "../zoneinfo/Test/West", "Test/../Test/West",
		"Test//West", "Test/West/", "Test/We st", "zones.zi", "Test/Wést", "Test/West\n",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct timezone_rules *zone = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(timezone_load(ZONES, bad[i], &zone), -EINVAL);
	assert_int_equal(timezone_load(ZONES, "Test/Nowhere", &zone), -ENOENT);
	assert_int_equal(timezone_load(ZONES, "Test", &zone), -ENOENT);
	assert_int_equal(timezone_load(ZONES, "Test/West/More", &zone), -ENOENT);
	assert_int_equal(timezone_load("/dev", "null", &zone), -EBADMSG);
	assert_null(zone);
	timezone_destroy(NULL);
}

/* A file without listed changes: one type, and the rule. */
static void make_file(struct str *file, const char *rule)
{
	static const char header[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* 20 bytes */
				     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4";
	static const char type[] = "\0\0\0\0\0\0UTC";

	str_clear(file);
	for (int i = 0; i < 2; i++) {
		str_add(file, header, 44);
		str_add(file, type, 10);
	}
	str_printf(file, "\n%s\n", rule);
}

static void parses_rules(void **state)
{
	static const struct {
		const char *rule;
		int64_t instant;
		int32_t offset;
	} good[] = {
		{ "", 0, 0 },
		{ "UTC0", 0, 0 },
		{ "ABC-3:30:15", 0, 12615 },
		{ "<-03>3", 0, -10800 },
		{ "<+0545>-5:45", 0, 20700 },
		{ "AAA24", 0, -86400 },
		/* Without an offset daylight saving is one hour ahead, changes are at 2:00. */
		{ "EST5EDT,M3.2.0,M11.1.0", 1772953199, -18000 },
		{ "EST5EDT,M3.2.0,M11.1.0", 1772953200, -14400 },
		{ "EST5EDT4,M3.2.0/2,M11.1.0/2:00:00", 1772953200, -14400 },
		/* Day 60 is 1 March in leap years too; day 59 counted from zero is 29 February 2028 or 1 March 2026. */
		{ "AAA0BBB,J60/0,J300", 1835395199, 0 },
		{ "AAA0BBB,J60/0,J300", 1835481600, 3600 },
		{ "AAA0BBB,59/0,300", 1835395199, 0 },
		{ "AAA0BBB,59/0,300", 1835395200, 3600 },
		/* The whole year daylight saving, in both ways that are written. */
		{ "XXX3EDT4,0/0,J365/23", 1767236399, -14400 },
		{ "EST5EDT,0/0,J365/25", 1767243599, -14400 },
		{ "EST5EDT,0/0,J365/25", 1767243600, -14400 },
		/* Version 3: Greenland's rule, whose hours are negative. */
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774745999, -7200 },
		{ "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774746000, -3600 },
		{ "AAA0BBB,M1.1.0/167,M12.5.6/-167", 1782864000, 3600 },
	};
	static const char *const bad[] = { "X", "XX3", "ABC", "ABC25", "ABC3:60", "ABC3:", "ABC3YY", "ABC3YYY",
		"XXX3YYY,", "XXX3YYY,M3.2.0", "XXX3YYY,M3.2.0,", "XXX3YYY,M3.2.0,M11.1.0,", "XXX3YYY,M0.2.0,M11.1.0",
		"XXX3YYY,M13.2.0,M11.1.0", "XXX3YYY,M3.0.0,M11.1.0", "XXX3YYY,M3.6.0,M11.1.0", "XXX3YYY,M3.2.7,M11.1.0",
		"XXX3YYY,J0,J10", "XXX3YYY,J366,J10", "XXX3YYY,366,10", "XXX3YYY,M3.2.0/168,M11.1.0", "<XXX3", "<>3",
		"XXX3 ", "ABCDEFGHIJKLMNOP3", "XXX99999999999999999999", "XXX3YYY,M3.2,M11.1.0", "XXX3YYY,x,y" };
	struct str file cleanup(str_finish) = STR_INIT;
	struct timezone_rules *zone = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		make_file(&file, good[i].rule);
		if (timezone_parse(file.buf, file.len, &zone) != 0)
			fail_msg("refused: %s", good[i].rule);
		if (timezone_at(zone, good[i].instant).seconds != good[i].offset)
			fail_msg("row %zu %s: %d", i, good[i].rule, timezone_at(zone, good[i].instant).seconds);
		for (int64_t t = 1767225600; t < 1767225600 + 400 * 86400; t += 3571)
			check_round_trip(zone, t);
		timezone_destroy(zone);
		zone = NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		make_file(&file, bad[i]);
		if (timezone_parse(file.buf, file.len, &zone) != -EBADMSG)
			fail_msg("not refused: %s", bad[i]);
	}
}

static void refuses_damage(void **state)
{
	struct str file cleanup(str_finish) = STR_INIT;
	struct timezone_rules *zone = NULL;
	struct random random;
	int parsed = 0;

	(void)state;
	random_init(&random, 4);
	test_read_file(ZONES "/Test/Stays", &file);
	for (size_t len = 0; len < file.len; len++) {
		char *exact cleanup(freep) = xmalloc(len);

		memcpy(exact, file.buf, len);
		assert_int_equal(timezone_parse(exact, len, &zone), -EBADMSG);
	}
	for (int i = 0; i < 20000; i++) {
		char *copy cleanup(freep) = xmalloc(file.len);
		uint64_t changes = 1 + random_below(&random, 4);

		memcpy(copy, file.buf, file.len);
		while (changes--)
			copy[random_below(&random, file.len)] = (char)random_u64(&random);
		if (timezone_parse(copy, file.len, &zone) != 0)
			continue;
		/* Whatever a damaged file says, every question has an answer. */
		parsed++;
		for (int j = 0; j < 20; j++) {
			int64_t instant = (int64_t)random_u64(&random) >> random_below(&random, 64);
			struct civil civil;

			timezone_to_civil(zone, instant, &civil);
			(void)timezone_from_civil(zone, &civil);
		}
		timezone_destroy(zone);
		zone = NULL;
	}
	assert_true(parsed > 100);
	make_file(&file, "UTC0");
	file.buf[4] = '1';
	file.buf[58] = '1';
	assert_int_equal(timezone_parse(file.buf, file.len, &zone), -EBADMSG);
}

static void survives_extremes(void **state)
{
	struct timezone_rules *zone = load("Test/South");
	struct civil civil = { .year = INT32_MAX, .month = INT32_MAX, .day = INT32_MAX };

	(void)state;
	timezone_to_civil(zone, INT64_MAX, &civil);
	timezone_to_civil(zone, INT64_MIN, &civil);
	civil = (struct civil){ .year = INT32_MAX, .month = INT32_MAX, .day = INT32_MAX };
	assert_true(timezone_from_civil(zone, &civil) > 0);
	civil = (struct civil){ .year = INT32_MIN, .month = INT32_MIN, .day = INT32_MIN };
	assert_true(timezone_from_civil(zone, &civil) < 0);
	timezone_destroy(zone);
}

static void compare_with_libc(const char *name, struct random *random)
{
	struct timezone_rules *zone = NULL;
	char *variable cleanup(freep) = xasprintf(":%s", name);

	if (timezone_load(NULL, name, &zone) != 0)
		fail_msg("cannot load %s", name);
	setenv("TZ", variable, 1);
	tzset();
	for (int i = 0; i < 200; i++) {
		/* 1960 to 2200 */
		int64_t instant = (int64_t)random_below(random, INT64_C(7573564800)) - INT64_C(315619200);
		struct timezone_offset offset = timezone_at(zone, instant);
		time_t t = instant;
		struct civil civil;
		struct tm tm;

		assert_non_null(localtime_r(&t, &tm));
		timezone_to_civil(zone, instant, &civil);
		if (tm.tm_gmtoff != offset.seconds || (tm.tm_isdst > 0) != offset.daylight ||
			!streq(tm.tm_zone, offset.name) || tm.tm_hour != civil.hour || tm.tm_mday != civil.day ||
			tm.tm_wday != civil.weekday)
			fail_msg("%s at %lld: %d %d %s", name, (long long)instant, offset.seconds, offset.daylight,
				offset.name);
		check_round_trip(zone, instant);
	}
	timezone_destroy(zone);
}

static void agrees_with_libc(void **state)
{
	FILE *list = fopen("/usr/share/zoneinfo/tzdata.zi", "re");
	char line[200], target[100], name[100];
	struct random random;
	int zones = 0;

	(void)state;
	if (!list)
		skip();
	random_init(&random, 2026);
	/* "Z NAME ..." begins a zone, "L TARGET NAME" is another name for one. */
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "Z %99s", name) != 1 && sscanf(line, "L %99s %99s", target, name) != 2)
			continue;
		compare_with_libc(name, &random);
		zones++;
	}
	fclose(list);
	unsetenv("TZ");
	assert_true(zones > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_offsets),
		cmocka_unit_test(gaps_move_forward),
		cmocka_unit_test(overlaps_mean_the_first),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(checks_names),
		cmocka_unit_test(parses_rules),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(survives_extremes),
		cmocka_unit_test(agrees_with_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
