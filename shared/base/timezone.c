/* Time zones from TZif files (RFC 8536): the 64-bit block of version 2 and later, then the POSIX rule in the footer for
 * everything after the last listed change.
 *
 * Both sources are seen through one function, find_span(): the stretch of time around an instant in which one offset is
 * in force. All else is built on it. Files are taken for hostile: each count is checked against the file's length. */
#include "base/timezone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_DIRECTORY "/usr/share/zoneinfo"
#define NAME_LEN_MAX     64
/* The largest real file has 3.5 kB. */
#define FILE_LEN_MAX ((size_t)256 << 10)
#define HEADER_LEN   44
/* RFC 8536 section 3.2: local time is at most this far from UTC. */
#define OFFSET_MIN (-89999)
#define OFFSET_MAX 93599
/* The years that struct civil can say; instants beyond are taken for the nearest of them. */
#define INSTANT_MIN INT64_C(-377705116800)
#define INSTANT_MAX INT64_C(253402300799)
#define DAY_SECONDS 86400

/* One date of the POSIX rule: when, each year, daylight saving begins or ends. */
struct rule_date {
	enum { RULE_JULIAN, RULE_DAY, RULE_MONTH } kind; /* Jn: 1..365 without 29 February; n: 0..365; Mm.w.d */
	int day, month, week;
	int32_t time; /* seconds after midnight, local time */
};

struct timezone_rules {
	size_t change_count, type_count;
	int64_t *changes;     /* ascending instants */
	uint8_t *change_type; /* in force from the change on */
	struct timezone_offset *types;

	bool has_rule;     /* else the last change's type goes on for ever */
	bool has_daylight; /* else `standard` goes on for ever */
	struct timezone_offset standard, daylight;
	struct rule_date start, end; /* of daylight saving */
};

struct span {
	int64_t begin, end; /* [begin, end) */
	const struct timezone_offset *offset;
};

static uint32_t big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big64(const uint8_t *p)
{
	return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4));
}

/* The rule's parsers return what follows the element, or NULL. */

static const char *parse_number(const char *p, int max, int *ret_value)
{
	int value = 0;

	if (!p || *p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		value = value * 10 + (*p - '0');
		if (value > max)
			return NULL;
	}
	*ret_value = value;
	return p;
}

/* [+-]hh[:mm[:ss]] */
static const char *parse_time(const char *p, int hour_max, int32_t *ret_seconds)
{
	int hours, minutes = 0, seconds = 0;
	bool negative;

	if (!p)
		return NULL;
	negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	p = parse_number(p, hour_max, &hours);
	if (p && *p == ':')
		p = parse_number(p + 1, 59, &minutes);
	if (p && *p == ':')
		p = parse_number(p + 1, 59, &seconds);
	if (p)
		*ret_seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
	return p;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "PST", or "<-03>" where it is not only letters */
static const char *parse_abbreviation(const char *p, char *name, size_t size)
{
	size_t len = 0;
	bool quoted;

	if (!p)
		return NULL;
	quoted = *p == '<';
	if (quoted)
		p++;
	while (is_letter(p[len]) || (quoted && ((p[len] >= '0' && p[len] <= '9') || p[len] == '+' || p[len] == '-')))
		len++;
	if (len < 3 || len >= size || (quoted && p[len] != '>'))
		return NULL;
	memcpy(name, p, len);
	name[len] = '\0';
	return p + len + (quoted ? 1 : 0);
}

static const char *parse_offset(const char *p, int32_t *ret_seconds)
{
	int32_t west;

	p = parse_time(p, 24, &west);
	if (p)
		*ret_seconds = -west;
	return p;
}

/* ",M3.2.0/2" */
static const char *parse_date(const char *p, struct rule_date *date)
{
	*date = (struct rule_date){ .time = 2 * 3600 };
	if (!p || *p != ',')
		return NULL;
	p++;
	if (*p == 'M') {
		date->kind = RULE_MONTH;
		p = parse_number(p + 1, 12, &date->month);
		p = p && *p == '.' ? parse_number(p + 1, 5, &date->week) : NULL;
		p = p && *p == '.' ? parse_number(p + 1, 6, &date->day) : NULL;
		if (date->month < 1 || date->week < 1)
			return NULL;
	} else if (*p == 'J') {
		date->kind = RULE_JULIAN;
		p = parse_number(p + 1, 365, &date->day);
		if (date->day < 1)
			return NULL;
	} else {
		date->kind = RULE_DAY;
		p = parse_number(p, 365, &date->day);
	}
	/* Version 3 of the format lets the time leave the day by up to a week. */
	if (p && *p == '/')
		p = parse_time(p + 1, 167, &date->time);
	return p;
}

static int parse_rule(const char *text, struct timezone_rules *zone)
{
	const char *p;

	if (!*text)
		return 0;
	p = parse_abbreviation(text, zone->standard.name, sizeof(zone->standard.name));
	p = parse_offset(p, &zone->standard.seconds);
	if (p && *p) {
		zone->has_daylight = true;
		zone->daylight.daylight = true;
		zone->daylight.seconds = zone->standard.seconds + 3600;
		p = parse_abbreviation(p, zone->daylight.name, sizeof(zone->daylight.name));
		if (p && *p != ',')
			p = parse_offset(p, &zone->daylight.seconds);
		p = parse_date(p, &zone->start);
		p = parse_date(p, &zone->end);
	}
	if (!p || *p)
		return -EBADMSG;
	zone->has_rule = true;
	return 0;
}

struct header {
	uint8_t version;
	size_t utc_flags, standard_flags, leaps, changes, types, chars;
	size_t data_len; /* of the block behind this header */
};

static int parse_header(const uint8_t *data, size_t len, size_t time_size, struct header *ret_header)
{
	struct header h;

	if (len < HEADER_LEN || memcmp(data, "TZif", 4) != 0)
		return -EBADMSG;
	h.version = data[4];
	h.utc_flags = big32(data + 20);
	h.standard_flags = big32(data + 24);
	h.leaps = big32(data + 28);
	h.changes = big32(data + 32);
	h.types = big32(data + 36);
	h.chars = big32(data + 40);
	/* No count can be larger than the file, which also keeps the sum far from overflowing. */
	if (h.utc_flags > len || h.standard_flags > len || h.leaps > len || h.changes > len || h.types > len ||
		h.chars > len)
		return -EBADMSG;
	h.data_len = h.changes * (time_size + 1) + h.types * 6 + h.chars + h.leaps * (time_size + 4) +
		     h.standard_flags + h.utc_flags;
	if (h.data_len > len - HEADER_LEN)
		return -EBADMSG;
	*ret_header = h;
	return 0;
}

static int parse_types(const uint8_t *p, const struct header *h, struct timezone_rules *zone)
{
	const char *names = (const char *)p + h->types * 6;

	for (size_t i = 0; i < h->types; i++, p += 6) {
		struct timezone_offset *type = &zone->types[i];
		size_t name_len;

		type->seconds = (int32_t)big32(p);
		if (type->seconds < OFFSET_MIN || type->seconds > OFFSET_MAX || p[4] > 1 || p[5] >= h->chars)
			return -EBADMSG;
		type->daylight = p[4];
		name_len = strnlen(names + p[5], h->chars - p[5]);
		if (name_len == h->chars - p[5] || name_len >= sizeof(type->name))
			return -EBADMSG;
		memcpy(type->name, names + p[5], name_len);
	}
	return 0;
}

static int parse_changes(const uint8_t *p, const struct header *h, struct timezone_rules *zone)
{
	for (size_t i = 0; i < h->changes; i++) {
		zone->changes[i] = big64(p + i * 8);
		zone->change_type[i] = p[h->changes * 8 + i];
		if ((i > 0 && zone->changes[i] <= zone->changes[i - 1]) || zone->change_type[i] >= h->types)
			return -EBADMSG;
	}
	return 0;
}

static int parse_footer(const uint8_t *p, size_t len, struct timezone_rules *zone)
{
	const uint8_t *newline;
	char *text cleanup(freep) = NULL;

	if (len < 2 || p[0] != '\n')
		return -EBADMSG;
	newline = memchr(p + 1, '\n', len - 1);
	if (!newline || memchr(p, '\0', (size_t)(newline - p)))
		return -EBADMSG;
	text = xstrndup((const char *)p + 1, (size_t)(newline - p) - 1);
	return parse_rule(text, zone);
}

static void timezone_destroyp(struct timezone_rules **zone)
{
	timezone_destroy(*zone);
}

int timezone_parse(const void *data, size_t len, struct timezone_rules **ret_zone)
{
	struct timezone_rules *zone cleanup(timezone_destroyp) = NULL;
	const uint8_t *p = data;
	struct header h;
	int r;

	if (len > FILE_LEN_MAX)
		return -EBADMSG;
	/* The first block has 32-bit times, for readers older than ours. */
	r = parse_header(p, len, 4, &h);
	if (r < 0)
		return r;
	if (h.version < '2')
		return -EBADMSG;
	p += HEADER_LEN + h.data_len;
	len -= HEADER_LEN + h.data_len;
	r = parse_header(p, len, 8, &h);
	if (r < 0)
		return r;
	/* Files with leap seconds ("right/...") count another time than Unix time. */
	if (h.types == 0 || h.chars == 0 || h.leaps != 0)
		return -EBADMSG;

	zone = xcalloc(1, sizeof(*zone));
	zone->change_count = h.changes;
	zone->type_count = h.types;
	zone->changes = xcalloc(h.changes, sizeof(*zone->changes));
	zone->change_type = xcalloc(h.changes, sizeof(*zone->change_type));
	zone->types = xcalloc(h.types, sizeof(*zone->types));
	p += HEADER_LEN;
	r = parse_changes(p, &h, zone);
	if (r == 0)
		r = parse_types(p + h.changes * 9, &h, zone);
	if (r == 0)
		r = parse_footer(p + h.data_len, len - HEADER_LEN - h.data_len, zone);
	if (r < 0)
		return r;
	*ret_zone = zone;
	zone = NULL;
	return 0;
}

void timezone_destroy(struct timezone_rules *zone)
{
	if (!zone)
		return;
	free(zone->changes);
	free(zone->change_type);
	free(zone->types);
	free(zone);
}

/* Letters, digits, _ + - in parts divided by single slashes. There is no dot, so there is no way up and no
 * "tzdata.zi". */
static bool is_zone_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_LEN_MAX && name[0] != '/' && name[len - 1] != '/' && !strstr(name, "//") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == len;
}

int timezone_load(const char *directory, const char *name, struct timezone_rules **ret_zone)
{
	char *path cleanup(freep) = NULL, *data cleanup(freep) = NULL;
	int fd cleanup(closep) = -1;
	struct stat st;
	size_t size, len = 0;

	if (!is_zone_name(name))
		return -EINVAL;
	path = xasprintf("%s/%s", directory ? directory : SYSTEM_DIRECTORY, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	/* "America" is a directory, not a zone. */
	if (S_ISDIR(st.st_mode))
		return -ENOENT;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_LEN_MAX)
		return -EBADMSG;
	size = (size_t)st.st_size;
	data = xmalloc(size);
	while (len < size) {
		ssize_t got = read(fd, data + len, size - len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return timezone_parse(data, len, ret_zone);
}

static bool is_leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The instant at which the rule's date happens in `year`, while `offset` is in force. */
static int64_t rule_instant(const struct rule_date *date, int year, int32_t offset)
{
	struct civil civil = { .year = year, .month = 1, .day = 1 };
	int64_t midnight;

	if (date->kind == RULE_MONTH) {
		struct civil first, next_month = { .year = year, .month = date->month + 1, .day = 1 };

		civil.month = date->month;
		midnight = civil_to_seconds(&civil);
		civil_from_seconds(midnight, &first);
		midnight += (int64_t)((date->day - first.weekday + 7) % 7 + (date->week - 1) * 7) * DAY_SECONDS;
		/* Week 5 is the last one, which may be the fourth. */
		if (midnight >= civil_to_seconds(&next_month))
			midnight -= (int64_t)7 * DAY_SECONDS;
	} else {
		/* J60 is 1 March in every year; without the J days are counted as they come, from 0. */
		if (date->kind == RULE_JULIAN)
			civil.day = date->day + (date->day >= 60 && is_leap_year(year));
		else
			civil.day = date->day + 1;
		midnight = civil_to_seconds(&civil);
	}
	return midnight + date->time - offset;
}

/* The span by the footer's rule; `from` is where the rule begins to count. */
static struct span find_rule_span(const struct timezone_rules *zone, int64_t utc, int64_t from)
{
	struct span span = { .begin = from, .end = INT64_MAX, .offset = &zone->standard };
	struct civil civil;
	int64_t latest = INT64_MIN;

	if (!zone->has_daylight)
		return span;
	civil_from_seconds(utc + zone->standard.seconds, &civil);
	/* The year before knows what was in force on 1 January, the year after when it ends. Of an end and a start at
	 * the same instant the start counts: so are zones written that have daylight saving the whole year. */
	for (int year = civil.year - 1; year <= civil.year + 1; year++) {
		const struct {
			int64_t at;
			const struct timezone_offset *offset;
		} turns[] = {
			{ rule_instant(&zone->end, year, zone->daylight.seconds), &zone->standard },
			{ rule_instant(&zone->start, year, zone->standard.seconds), &zone->daylight },
		};

		for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
			if (turns[i].at > utc) {
				span.end = MIN(span.end, turns[i].at);
			} else if (turns[i].at > latest ||
				   (turns[i].at == latest && turns[i].offset == &zone->daylight)) {
				latest = turns[i].at;
				span.offset = turns[i].offset;
			}
		}
	}
	span.begin = MAX(from, latest);
	return span;
}

static struct span find_span(const struct timezone_rules *zone, int64_t utc)
{
	size_t low = 0, high = zone->change_count;

	/* The number of changes at or before the instant. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->changes[middle] <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == zone->change_count && zone->has_rule)
		return find_rule_span(zone, utc, low > 0 ? zone->changes[low - 1] : INT64_MIN);
	return (struct span){
		.begin = low > 0 ? zone->changes[low - 1] : INT64_MIN,
		.end = low < zone->change_count ? zone->changes[low] : INT64_MAX,
		/* RFC 8536 section 3.2: type 0 before the first change. */
		.offset = &zone->types[low > 0 ? zone->change_type[low - 1] : 0],
	};
}

struct timezone_offset timezone_at(const struct timezone_rules *zone, int64_t utc_seconds)
{
	return *find_span(zone, MIN(MAX(utc_seconds, INSTANT_MIN), INSTANT_MAX)).offset;
}

void timezone_to_civil(const struct timezone_rules *zone, int64_t utc_seconds, struct civil *ret_civil)
{
	utc_seconds = MIN(MAX(utc_seconds, INSTANT_MIN), INSTANT_MAX);
	civil_from_seconds(utc_seconds + timezone_at(zone, utc_seconds).seconds, ret_civil);
}

int64_t timezone_from_civil(const struct timezone_rules *zone, const struct civil *civil)
{
	int64_t local = MIN(MAX(civil_to_seconds(civil), INSTANT_MIN), INSTANT_MAX);
	/* Earlier than any offset can put it. */
	struct span span = find_span(zone, local - OFFSET_MAX - 1);

	/* Walk on to the first span that reaches behind this local time. If the local time lies before the span's
	 * begin, it fell into the gap between two spans; the offset of the one before moves it forward by the gap. */
	for (;;) {
		int64_t instant = local - span.offset->seconds;

		if (instant < span.end)
			break;
		int32_t before = span.offset->seconds;

		span = find_span(zone, span.end);
		if (local - span.offset->seconds < span.begin)
			return local - before;
	}
	return local - span.offset->seconds;
}
