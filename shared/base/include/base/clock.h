/* Time is an integer: microseconds. Wall-clock time counts from 1970-01-01 UTC, monotonic time from an arbitrary start.
 *
 * Nothing that decides by time reads a clock itself: it is given `now`, so that a test can play any day in an instant.
 * Only programs and the event loop call the two functions below.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

typedef int64_t usec;

#define MILLISECOND ((usec)1000)
#define SECOND      ((usec)1000000)
#define MINUTE      (60 * SECOND)
#define HOUR        (60 * MINUTE)
#define DAY         (24 * HOUR)

usec clock_realtime(void);
usec clock_monotonic(void);

/* Civil time without a zone (proleptic Gregorian). month 1..12, day 1..31, weekday 0 = Sunday. */
struct civil {
	int year;
	int month, day, hour, minute, second;
	int weekday;
};

/* Seconds since 1970 of a civil time read as UTC, and back. Years -9999..9999. */
int64_t civil_to_seconds(const struct civil *civil);
void civil_from_seconds(int64_t seconds, struct civil *ret_civil);

#endif
