/* Reading the two clocks, and the civil calendar as plain arithmetic (no libc time zone is ever involved). */
#include "base/clock.h"

#include <time.h>

#include "base/util.h"

#define SECONDS_PER_DAY 86400

static usec read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (usec)ts.tv_sec * SECOND + ts.tv_nsec / 1000;
}

usec clock_realtime(void)
{
	return read_clock(CLOCK_REALTIME);
}

usec clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01. Years are counted from 1 March, so that the leap day is the last of its year and a month's
 * first day is a linear function of the month; 400 years have 146097 days. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2;
	era = floor_div(year, 400);
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year + day - 1 - 719468;
}

int64_t civil_to_seconds(const struct civil *civil)
{
	/* Fields out of their range carry over, so that "day + 40" is simply written. */
	int64_t months = (int64_t)civil->month - 1;
	int64_t year = civil->year + floor_div(months, 12);
	int64_t days = days_from_date(year, months - floor_div(months, 12) * 12 + 1, civil->day);

	return days * SECONDS_PER_DAY + (int64_t)civil->hour * 3600 + (int64_t)civil->minute * 60 + civil->second;
}

void civil_from_seconds(int64_t seconds, struct civil *ret_civil)
{
	int64_t days, rest, era, day_of_era, year_of_era, day_of_year, month_from_march;

	/* -9999-01-01 to 9999-12-31: beyond, the nearest that we can say. */
	seconds = MIN(MAX(seconds, INT64_C(-377705116800)), INT64_C(253402300799));
	days = floor_div(seconds, SECONDS_PER_DAY);
	rest = seconds - days * SECONDS_PER_DAY;

	/* The inverse of days_from_date(): the divisors are the days of 4, 100 and 400 years, less the last day. */
	era = floor_div(days + 719468, 146097);
	day_of_era = days + 719468 - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month_from_march = (5 * day_of_year + 2) / 153;

	*ret_civil = (struct civil){
		.month = (int)(month_from_march + (month_from_march < 10 ? 3 : -9)),
		.day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
		.hour = (int)(rest / 3600),
		.minute = (int)(rest / 60 % 60),
		.second = (int)(rest % 60),
		/* 1970-01-01 was a Thursday. */
		.weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7),
	};
	ret_civil->year = (int)(year_of_era + era * 400 + (ret_civil->month <= 2));
}
