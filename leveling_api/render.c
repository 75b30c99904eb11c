/* See render.h. */
#include "render.h"

#include "base/json.h"

#define LITERAL(out, text) str_add(out, text, sizeof(text) - 1)

static void write_text(struct str *out, const char *text, size_t len, bool plain)
{
	struct json_writer w = JSON_WRITER(out);

	if (!plain) {
		json_write_string_len(&w, text, len);
		return;
	}
	str_reserve(out, len + 2);
	str_addc(out, '"');
	str_add(out, text, len);
	str_addc(out, '"');
}

static void write_name(struct str *out, const struct members *members, const struct member *member)
{
	size_t len;
	const char *name = members_name(members, member, &len);

	if (name)
		write_text(out, name, len, member->plain_name);
	else
		LITERAL(out, "null");
}

static void write_avatar(struct str *out, const struct members *members, const struct member *member)
{
	if (!member->has_avatar) {
		LITERAL(out, "null");
	} else if (member->plain_avatar) {
		str_addc(out, '"');
		members_avatar(members, member, out);
		str_addc(out, '"');
	} else {
		struct str avatar cleanup(str_finish) = STR_INIT;

		members_avatar(members, member, &avatar);
		write_text(out, avatar.buf, avatar.len, false);
	}
}

static void two_digits(char *at, int value)
{
	at[0] = (char)('0' + value / 10);
	at[1] = (char)('0' + value % 10);
}

void render_date(struct str *out, usec time)
{
	char text[] = "0000-00-00T00:00:00.000000Z";
	int64_t seconds = time / SECOND, fraction = time % SECOND;
	struct civil civil;

	if (fraction < 0) {
		fraction += SECOND;
		seconds--;
	}
	civil_from_seconds(seconds, &civil);
	two_digits(text, civil.year / 100 % 100);
	two_digits(text + 2, civil.year % 100);
	two_digits(text + 5, civil.month);
	two_digits(text + 8, civil.day);
	two_digits(text + 11, civil.hour);
	two_digits(text + 14, civil.minute);
	two_digits(text + 17, civil.second);
	two_digits(text + 20, (int)(fraction / 10000));
	two_digits(text + 22, (int)(fraction / 100 % 100));
	two_digits(text + 24, (int)(fraction % 100));
	if (fraction == 0)
		text[19] = 'Z';
	str_add(out, text, fraction == 0 ? 20 : 27);
}

/* From this level to the next, by the member's points and not by the level that is stored with him. */
static int64_t points_to_next(const struct members *members, int64_t points)
{
	const struct level *level = members_level_for(members, points);

	return level ? level->points_to_next : level_points_to_next(level_for_points(points));
}

void render_member(struct str *out, const struct members *members, const struct member *member)
{
	str_reserve(out, 512);
	LITERAL(out, "{\"name\":");
	write_name(out, members, member);
	LITERAL(out, ",\"avatar\":");
	write_avatar(out, members, member);
	LITERAL(out, ",\"points\":");
	str_addi64(out, member->points);
	LITERAL(out, ",\"level_number\":");
	str_addi64(out, member->level_number);
	LITERAL(out, ",\"message_count\":");
	str_addi64(out, member->message_count);
	LITERAL(out, ",\"level_up_specific_points\":");
	str_addi64(out, member->level_points);
	LITERAL(out, ",\"points_needed_to_level_up\":");
	str_addi64(out, points_to_next(members, member->points));
	LITERAL(out, ",\"last_updated_date\":");
	if (member->updated_at == PROFILE_NEVER) {
		LITERAL(out, "null}");
	} else {
		str_addc(out, '"');
		render_date(out, member->updated_at);
		LITERAL(out, "\"}");
	}
}

void render_ranked(struct str *out, const struct members *members, const struct member *member, uint64_t rank)
{
	str_reserve(out, 512);
	LITERAL(out, "{\"rank\":");
	str_addu64(out, rank);
	LITERAL(out, ",\"user_id\":\"");
	str_addu64(out, member->user_id);
	LITERAL(out, "\",\"name\":");
	write_name(out, members, member);
	LITERAL(out, ",\"avatar\":");
	write_avatar(out, members, member);
	LITERAL(out, ",\"points\":");
	str_addi64(out, member->points);
	LITERAL(out, ",\"level\":");
	str_addi64(out, member->level_number);
	LITERAL(out, ",\"progress\":{\"points\":");
	str_addi64(out, member->level_points);
	LITERAL(out, ",\"needed\":");
	str_addi64(out, points_to_next(members, member->points));
	LITERAL(out, "},\"messages\":");
	str_addi64(out, member->message_count);
	str_addc(out, '}');
}
