/* The JSON of a message: content, embeds, buttons, attachments, and who may be mentioned. All ways of sending a
 * message share it. */
#include <errno.h>

#include "base/utf8.h"
#include "rest_internal.h"

#define CONTENT_MAX      2000
#define BUTTONS_MAX      5
#define FILES_MAX        10
#define MENTIONS_MAX     100
#define FLAG_EPHEMERAL   (1 << 6)
#define COMPONENT_ROW    1
#define COMPONENT_BUTTON 2

static int limit_check(size_t count, size_t limit, const char *what, struct str *reterr_reason)
{
	if (count <= limit)
		return 0;
	str_printf(reterr_reason, "The message has %zu %s, at most %zu are allowed.", count, what, limit);
	return -E2BIG;
}

/* Names and types stand in the headers of a multipart body: nothing may begin a line of its own there. */
static bool one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

static int files_check(const struct message_create *message, struct str *reterr_reason)
{
	for (size_t i = 0; i < message->file_count; i++) {
		const struct file *file = &message->files[i];

		if (file->name && one_line(file->name) && (!file->content_type || one_line(file->content_type)))
			continue;
		str_adds(reterr_reason, "A file has no name, or its name or type has control characters.");
		return -EINVAL;
	}
	return 0;
}

static int message_check(const struct message_create *message, struct str *reterr_reason)
{
	size_t characters = message->content ? utf8_count(message->content, strlen(message->content)) : 0;
	size_t in_embeds = 0;
	int r;

	r = limit_check(characters, CONTENT_MAX, "characters", reterr_reason);
	if (r == 0)
		r = limit_check(message->embed_count, EMBEDS_PER_MESSAGE, "embeds", reterr_reason);
	if (r == 0)
		r = limit_check(message->button_count, BUTTONS_MAX, "buttons", reterr_reason);
	if (r == 0)
		r = limit_check(message->file_count, FILES_MAX, "files", reterr_reason);
	if (r == 0)
		r = files_check(message, reterr_reason);
	if (r == 0)
		r = limit_check(message->mention_user_count, MENTIONS_MAX, "mentioned members", reterr_reason);
	if (r == 0)
		r = limit_check(message->mention_role_count, MENTIONS_MAX, "mentioned roles", reterr_reason);
	for (size_t i = 0; r == 0 && i < message->embed_count; i++) {
		in_embeds += embed_length(&message->embeds[i]);
		r = embed_check(&message->embeds[i], reterr_reason);
	}
	return r < 0 ? r : limit_check(in_embeds, EMBED_TOTAL_MAX, "characters in its embeds", reterr_reason);
}

static bool listed_before(const snowflake *ids, size_t count, snowflake id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* Each id once: Discord refuses repetitions. */
static void put_ids(struct json_writer *w, const char *key, const snowflake *ids, size_t count)
{
	if (count == 0)
		return;
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < count; i++)
		if (!listed_before(ids, i, ids[i]))
			json_write_snowflake(w, ids[i]);
	json_end_array(w);
}

/* Always there: without it Discord would ping whatever looks like a mention. */
static void put_allowed_mentions(struct json_writer *w, const struct message_create *message)
{
	json_key(w, "allowed_mentions");
	json_begin_object(w);
	json_key(w, "parse");
	json_begin_array(w);
	json_end_array(w);
	put_ids(w, "users", message->mention_users, message->mention_user_count);
	put_ids(w, "roles", message->mention_roles, message->mention_role_count);
	json_put_bool(w, "replied_user", message->mention_reply);
	json_end_object(w);
}

static void put_reference(struct json_writer *w, snowflake message)
{
	json_key(w, "message_reference");
	json_begin_object(w);
	json_put_snowflake(w, "message_id", message);
	json_put_bool(w, "fail_if_not_exists", false);
	json_end_object(w);
}

static void put_button(struct json_writer *w, const struct button *button)
{
	json_begin_object(w);
	json_put_int(w, "type", COMPONENT_BUTTON);
	json_put_int(w, "style", button->style);
	json_put_string(w, "custom_id", button->custom_id);
	if (button->label)
		json_put_string(w, "label", button->label);
	if (button->emoji) {
		json_key(w, "emoji");
		json_begin_object(w);
		json_put_string(w, "name", button->emoji);
		json_end_object(w);
	}
	if (button->disabled)
		json_put_bool(w, "disabled", true);
	json_end_object(w);
}

static void put_components(struct json_writer *w, const struct message_create *message)
{
	json_key(w, "components");
	json_begin_array(w);
	if (message->button_count > 0) {
		json_begin_object(w);
		json_put_int(w, "type", COMPONENT_ROW);
		json_key(w, "components");
		json_begin_array(w);
		for (size_t i = 0; i < message->button_count; i++)
			put_button(w, &message->buttons[i]);
		json_end_array(w);
		json_end_object(w);
	}
	json_end_array(w);
}

static void put_embeds(struct json_writer *w, const struct message_create *message)
{
	json_key(w, "embeds");
	json_begin_array(w);
	for (size_t i = 0; i < message->embed_count; i++)
		embed_write(w, &message->embeds[i]);
	json_end_array(w);
}

static void put_attachments(struct json_writer *w, const struct message_create *message)
{
	json_key(w, "attachments");
	json_begin_array(w);
	for (size_t i = 0; i < message->file_count; i++) {
		json_begin_object(w);
		json_put_uint(w, "id", i);
		json_put_string(w, "filename", message->files[i].name);
		json_end_object(w);
	}
	json_end_array(w);
}

int rest_message_write(struct json_writer *w, const struct message_create *message, enum rest_message_kind kind,
	const char *nonce, struct str *reterr_reason)
{
	int r;

	r = message_check(message, reterr_reason);
	if (r < 0)
		return r;
	json_begin_object(w);
	if (message->content)
		json_put_string(w, "content", message->content);
	if (message->embed_count > 0)
		put_embeds(w, message);
	if (message->button_count > 0 || (message->clear_buttons && kind != REST_MESSAGE_CREATE))
		put_components(w, message);
	if (message->file_count > 0)
		put_attachments(w, message);
	put_allowed_mentions(w, message);
	if (kind == REST_MESSAGE_CREATE && message->reply_to)
		put_reference(w, message->reply_to);
	if (kind == REST_MESSAGE_INTERACTION && message->ephemeral)
		json_put_int(w, "flags", FLAG_EPHEMERAL);
	if (nonce) {
		json_put_string(w, "nonce", nonce);
		json_put_bool(w, "enforce_nonce", true);
	}
	json_end_object(w);
	return 0;
}
