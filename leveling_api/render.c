/* See render.h. Rows are written through a pointer into memory that was reserved for the longest row. */
#include "render.h"

#include "base/json.h"
#include "digits.h"

/* Everything in a row but the two texts: keys, brackets, seven numbers of up to 20 digits, a date. */
#define ROW_FIXED_MAX 512

#define LITERAL(p, text) ((char *)memcpy(p, text, sizeof(text) - 1) + sizeof(text) - 1)

static char *put_number(char *p, int64_t value)
{
	if (value < 0)
		*p++ = '-';
	return digits_put(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* From here on the row is written at the returned pointer, until row_leave(); there is room for `more` bytes of text beside the rest. */
static char *row_enter(struct str *out, size_t more)
{
	str_reserve(out, ROW_FIXED_MAX + more);
	return out->buf + out->len;
}

static void row_leave(struct str *out, char *p)
{
	*p = '\0';
	out->len = (size_t)(p - out->buf);
}

static char *put_text(struct str *out, char *p, const char *text, size_t len)
{
	struct json_writer w = JSON_WRITER(out);

	row_leave(out, p);
	json_write_string_len(&w, text, len);
	return row_enter(out, 0);
}

static char *put_name(struct str *out, char *p, const struct members *members, const struct member *member)
{
	size_t len;
	const char *name = members_name(members, member, &len);

	if (!name)
		return LITERAL(p, "null");
	if (!member->plain_name)
		return put_text(out, p, name, len);
	row_leave(out, p);
	p = row_enter(out, len);
	*p++ = '"';
	p = (char *)memcpy(p, name, len) + len;
	*p++ = '"';
	return p;
}

static char *put_avatar(struct str *out, char *p, const struct members *members, const struct member *member)
{
	struct str avatar cleanup(str_finish) = STR_INIT;

	if (!member->has_avatar)
		return LITERAL(p, "null");
	if (!member->plain_avatar) {
		members_avatar(members, member, &avatar);
		return put_text(out, p, avatar.buf, avatar.len);
	}
	*p++ = '"';
	row_leave(out, p);
	members_avatar(members, member, out);
	p = row_enter(out, 0);
	*p++ = '"';
	return p;
}

static void two_digits(char *at, int value)
{
	memcpy(at, digits_pairs + value * 2, 2);
}

static char *put_date(char *p, usec time)
{
	static const char pattern[] = "0000-00-00T00:00:00.000000Z";
	int64_t seconds = time / SECOND, fraction = time % SECOND;
	struct civil civil;

	if (fraction < 0) {
		fraction += SECOND;
		seconds--;
	}
	civil_from_seconds(seconds, &civil);
	civil.year = MAX(civil.year, 0); /* none of ours is before, but a database can hold any number */
	memcpy(p, pattern, sizeof(pattern) - 1);
	two_digits(p, civil.year / 100 % 100);
	two_digits(p + 2, civil.year % 100);
	two_digits(p + 5, civil.month);
	two_digits(p + 8, civil.day);
	two_digits(p + 11, civil.hour);
	two_digits(p + 14, civil.minute);
	two_digits(p + 17, civil.second);
	two_digits(p + 20, (int)(fraction / 10000));
	two_digits(p + 22, (int)(fraction / 100 % 100));
	two_digits(p + 24, (int)(fraction % 100));
	if (fraction != 0)
		return p + 27;
	p[19] = 'Z';
	return p + 20;
}

/* From this level to the next, by the member's points and not by the level that is stored with him. */
static int64_t points_to_next(const struct members *members, int64_t points)
{
	const struct level *level = members_level_for(members, points);

	return level ? level->points_to_next : level_points_to_next(level_for_points(points));
}

void render_member(struct str *out, const struct members *members, const struct member *member)
{
	char *p = row_enter(out, 0);

	p = put_name(out, LITERAL(p, "{\"name\":"), members, member);
	p = put_avatar(out, LITERAL(p, ",\"avatar\":"), members, member);
	p = put_number(LITERAL(p, ",\"points\":"), member->points);
	p = put_number(LITERAL(p, ",\"level_number\":"), member->level_number);
	p = put_number(LITERAL(p, ",\"message_count\":"), member->message_count);
	p = put_number(LITERAL(p, ",\"level_up_specific_points\":"), member->level_points);
	p = put_number(LITERAL(p, ",\"points_needed_to_level_up\":"), points_to_next(members, member->points));
	p = LITERAL(p, ",\"last_updated_date\":");
	if (member->updated_at == PROFILE_NEVER)
		p = LITERAL(p, "null}");
	else
		p = LITERAL(put_date(LITERAL(p, "\""), member->updated_at), "\"}");
	row_leave(out, p);
}

void render_ranked(struct str *out, const struct members *members, const struct member *member, uint64_t rank)
{
	char *p = row_enter(out, 0);

	p = digits_put(LITERAL(p, "{\"rank\":"), rank);
	p = digits_put(LITERAL(p, ",\"user_id\":\""), member->user_id);
	p = put_name(out, LITERAL(p, "\",\"name\":"), members, member);
	p = put_avatar(out, LITERAL(p, ",\"avatar\":"), members, member);
	p = put_number(LITERAL(p, ",\"points\":"), member->points);
	p = put_number(LITERAL(p, ",\"level\":"), member->level_number);
	p = put_number(LITERAL(p, ",\"progress\":{\"points\":"), member->level_points);
	p = put_number(LITERAL(p, ",\"needed\":"), points_to_next(members, member->points));
	p = put_number(LITERAL(p, "},\"messages\":"), member->message_count);
	row_leave(out, LITERAL(p, "}"));
}
