/* Time zones by IANA name, read from the system's TZif files (RFC 8536, version 2 and 3 with the POSIX footer).
 *
 * A civil time that a clock change skips is moved forward by the gap; one that happens twice means the
 * first. */
#ifndef BASE_TIMEZONE_H
#define BASE_TIMEZONE_H

#include <stdint.h>

#include "base/clock.h"
#include "base/util.h"

struct timezone_rules;

/* "Canada/Pacific". Names are checked (letters, digits, _ + - and /, no "..") before a file is touched. `directory`
 * NULL means the system's. -ENOENT: no such zone; -EINVAL: bad name; -EBADMSG: bad file. */
int timezone_load(const char *directory, const char *name, struct timezone_rules **ret_zone) warn_unused;
/* From a file's bytes. */
int timezone_parse(const void *data, size_t len, struct timezone_rules **ret_zone) warn_unused;
void timezone_destroy(struct timezone_rules *zone);

struct timezone_offset {
	int32_t seconds; /* east of UTC */
	bool daylight;
	char name[16]; /* "PDT" */
};
/* The offset in force at an instant (seconds since 1970 UTC). */
struct timezone_offset timezone_at(const struct timezone_rules *zone, int64_t utc_seconds);
void timezone_to_civil(const struct timezone_rules *zone, int64_t utc_seconds, struct civil *ret_civil);
int64_t timezone_from_civil(const struct timezone_rules *zone, const struct civil *civil);

#endif
