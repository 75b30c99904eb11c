/* Embeds: Discord's limits as a table of parts, and the JSON. A further part of an embed is a field of struct embed,
 * a row in embed_check() and a line in embed_write().
 */
#include "discord/embed.h"

#include <errno.h>

#include "base/str.h"
#include "base/utf8.h"

static size_t text_count(const char *text)
{
	return text ? utf8_count(text, strlen(text)) : 0;
}

size_t embed_length(const struct embed *embed)
{
	size_t total = text_count(embed->title) + text_count(embed->description) + text_count(embed->footer) +
		       text_count(embed->author_name);

	for (size_t i = 0; i < embed->field_count; i++)
		total += text_count(embed->fields[i].name) + text_count(embed->fields[i].value);
	return total;
}

static int part_check(const char *part, const char *text, size_t limit, struct str *reterr_reason)
{
	size_t count = text_count(text);

	if (count > limit) {
		str_printf(reterr_reason, "The embed's %s has %zu characters, at most %zu are allowed.", part, count,
			limit);
		return -E2BIG;
	}
	return 0;
}

/* Source: Discord's documentation, resources/message, "Embed limits". The counts are of Unicode code points; names
 * and values of fields, title, description, footer and author share one total. */
int embed_check(const struct embed *embed, struct str *reterr_reason)
{
	const struct {
		const char *name, *text;
		size_t limit;
	} parts[] = {
		{ "title", embed->title, EMBED_TITLE_MAX },
		{ "description", embed->description, EMBED_DESCRIPTION_MAX },
		{ "footer", embed->footer, EMBED_FOOTER_MAX },
		{ "author", embed->author_name, EMBED_AUTHOR_MAX },
	};
	size_t total = embed_length(embed);
	int r;

	if (embed->field_count > EMBED_FIELDS_MAX) {
		str_printf(reterr_reason, "The embed has %zu fields, at most %d are allowed.", embed->field_count,
			EMBED_FIELDS_MAX);
		return -E2BIG;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		r = part_check(parts[i].name, parts[i].text, parts[i].limit, reterr_reason);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < embed->field_count; i++) {
		r = part_check("field name", embed->fields[i].name, EMBED_FIELD_NAME_MAX, reterr_reason);
		if (r < 0)
			return r;
		r = part_check("field value", embed->fields[i].value, EMBED_FIELD_VALUE_MAX, reterr_reason);
		if (r < 0)
			return r;
	}
	if (total > EMBED_TOTAL_MAX) {
		str_printf(reterr_reason, "The embed has %zu characters in all, at most %d are allowed.", total,
			EMBED_TOTAL_MAX);
		return -E2BIG;
	}
	return 0;
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_put_string(w, key, text);
}

static void put_image(struct json_writer *w, const char *key, const char *url)
{
	if (!url)
		return;
	json_key(w, key);
	json_begin_object(w);
	json_put_string(w, "url", url);
	json_end_object(w);
}

/* A text and its small picture: author ("name") and footer ("text"). */
static void put_line(
	struct json_writer *w, const char *key, const char *text_key, const char *text, const char *icon_url)
{
	if (!text)
		return;
	json_key(w, key);
	json_begin_object(w);
	json_put_string(w, text_key, text);
	put_text(w, "icon_url", icon_url);
	json_end_object(w);
}

static void put_timestamp(struct json_writer *w, usec timestamp)
{
	struct str text cleanup(str_finish) = STR_INIT;
	usec seconds = timestamp / SECOND, rest = timestamp % SECOND;
	struct civil civil;

	if (timestamp == 0)
		return;
	if (rest < 0) {
		rest += SECOND;
		seconds--;
	}
	civil_from_seconds(seconds, &civil);
	str_printf(&text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", civil.year, civil.month, civil.day, civil.hour,
		civil.minute, civil.second, (int)(rest / MILLISECOND));
	json_put_string(w, "timestamp", text.buf);
}

void embed_write(struct json_writer *w, const struct embed *embed)
{
	json_begin_object(w);
	put_text(w, "title", embed->title);
	put_text(w, "description", embed->description);
	put_text(w, "url", embed->url);
	json_put_int(w, "color", embed->color ? embed->color : EMBED_INFO);
	put_line(w, "author", "name", embed->author_name, embed->author_icon_url);
	put_image(w, "thumbnail", embed->thumbnail_url);
	put_image(w, "image", embed->image_url);
	put_line(w, "footer", "text", embed->footer, embed->footer_icon_url);
	put_timestamp(w, embed->timestamp);
	if (embed->field_count > 0) {
		json_key(w, "fields");
		json_begin_array(w);
		for (size_t i = 0; i < embed->field_count; i++) {
			json_begin_object(w);
			json_put_string(w, "name", embed->fields[i].name);
			json_put_string(w, "value", embed->fields[i].value);
			json_put_bool(w, "inline", !embed->fields[i].block);
			json_end_object(w);
		}
		json_end_array(w);
	}
	json_end_object(w);
}
