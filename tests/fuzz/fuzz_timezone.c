/* base/timezone.h: a time-zone file. What is accepted answers any instant with a real civil time, and finds its way
 * back. */
#include "base/timezone.h"
#include "fuzz.h"

static const int64_t instants[] = { -62135596800, -2147483649, -1, 0, 951782400, 1700000000, 1772618399, 1772618400,
	2147483648, 4102444800, 32503680000, 253370764800 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct timezone_rules *zone;

	if (timezone_parse(data, size, &zone) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(instants); i++) {
		struct timezone_offset offset = timezone_at(zone, instants[i]);
		struct civil civil;
		int64_t back;

		REQUIRE(offset.seconds > -DAY / SECOND * 2 && offset.seconds < DAY / SECOND * 2);
		REQUIRE(memchr(offset.name, '\0', sizeof(offset.name)));
		timezone_to_civil(zone, instants[i], &civil);
		REQUIRE(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= 31);
		REQUIRE(civil.hour >= 0 && civil.hour < 24 && civil.minute >= 0 && civil.minute < 60);
		REQUIRE(civil_to_seconds(&civil) == instants[i] + offset.seconds);
		back = timezone_from_civil(zone, &civil);
		/* A civil time that comes twice means the first. */
		REQUIRE(back <= instants[i] + 4 * DAY / SECOND && back >= instants[i] - 4 * DAY / SECOND);
	}
	timezone_destroy(zone);
	return 0;
}
