/* Endpoints of messages, reactions and direct-message channels (Discord's documentation, resources/message and
 * resources/user). */
#include <errno.h>

#include "rest_internal.h"

#define NONCE_MAX 25

/* The id of the object that was made; 0 when an earlier try had made it and it is gone again. */
static snowflake created_id(const cJSON *json)
{
	return json_snowflake(json, "id");
}

static int message_body(struct rest *rest, struct rest_call *call, const struct message_create *message,
	enum rest_message_kind kind, const char *nonce)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&call->body);
	int r;

	call->files = message->files;
	call->file_count = message->file_count;
	r = rest_message_write(&w, message, kind, nonce, &reason);
	return r < 0 ? rest_refuse(rest, r, reason.buf) : 0;
}

int rest_create_message(struct rest *rest, snowflake channel, const struct message_create *message, snowflake *ret_id)
{
	struct str nonce cleanup(str_finish) = STR_INIT;
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	int r;

	if (message->nonce && strlen(message->nonce) > NONCE_MAX)
		return rest_refuse(rest, -EINVAL, "the nonce is too long");
	if (message->nonce)
		str_adds(&nonce, message->nonce);
	else
		rest_nonce(rest, &nonce);
	REST_BEGIN(&call, "POST /channels/{channel.id}/messages", REST_ID(channel));
	call.repeat = REST_REPEAT_NONCE;
	r = message_body(rest, &call, message, REST_MESSAGE_CREATE, nonce.buf);
	if (r == 0)
		r = rest_perform(rest, &call, &json);
	rest_call_finish(&call);
	if (r < 0)
		return r;
	if (ret_id)
		*ret_id = created_id(json);
	return 0;
}

int rest_edit_message(struct rest *rest, snowflake channel, snowflake message, const struct message_create *edit)
{
	struct rest_call call;
	int r;

	REST_BEGIN(&call, "PATCH /channels/{channel.id}/messages/{message.id}", REST_ID(channel), REST_ID(message));
	r = message_body(rest, &call, edit, REST_MESSAGE_EDIT, NULL);
	if (r == 0)
		r = rest_perform(rest, &call, NULL);
	rest_call_finish(&call);
	return r;
}

int rest_delete_message(struct rest *rest, snowflake channel, snowflake message, const char *reason)
{
	struct rest_call call;

	REST_BEGIN(&call, "DELETE /channels/{channel.id}/messages/{message.id}", REST_ID(channel), REST_ID(message));
	call.reason = reason;
	return rest_finish(rest, &call, NULL);
}

int rest_bulk_delete_messages(
	struct rest *rest, snowflake channel, const snowflake *ids, size_t count, const char *reason)
{
	struct rest_call call;
	struct json_writer w;

	if (count < 2 || count > 100)
		return rest_refuse(rest, -EINVAL, "between 2 and 100 messages can be deleted at once");
	REST_BEGIN(&call, "POST /channels/{channel.id}/messages/bulk-delete", REST_ID(channel));
	call.repeat = REST_REPEAT_SAFE; /* what is gone already does no harm */
	call.reason = reason;
	w = (struct json_writer)JSON_WRITER(&call.body);
	json_begin_object(&w);
	json_key(&w, "messages");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		json_write_snowflake(&w, ids[i]);
	json_end_array(&w);
	json_end_object(&w);
	return rest_finish(rest, &call, NULL);
}

int rest_get_message(
	struct rest *rest, snowflake channel, snowflake message, struct arena *arena, struct message *ret_message)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	int r;

	REST_BEGIN(&call, "GET /channels/{channel.id}/messages/{message.id}", REST_ID(channel), REST_ID(message));
	r = rest_finish(rest, &call, &json);
	return r < 0 ? r : message_parse(arena_json(arena, json), arena, ret_message);
}

int rest_get_messages(struct rest *rest, snowflake channel, snowflake before, snowflake after, int limit,
	struct arena *arena, struct message **ret_messages, size_t *ret_count)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct message *messages;
	struct rest_call call;
	const cJSON *list;
	size_t count = 0;
	int r;

	REST_BEGIN(&call, "GET /channels/{channel.id}/messages", REST_ID(channel));
	str_printf(&call.path, "?limit=%d", MAX(1, MIN(limit, 100)));
	if (before)
		str_printf(&call.path, "&before=%llu", (unsigned long long)before);
	if (after)
		str_printf(&call.path, "&after=%llu", (unsigned long long)after);
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	if (!cJSON_IsArray(json))
		return -EBADMSG;
	list = arena_json(arena, json);
	messages = arena_array(arena, struct message, (size_t)cJSON_GetArraySize(list));
	json_array_each (item, list) {
		r = message_parse(item, arena, &messages[count]);
		if (r < 0)
			return r;
		count++;
	}
	*ret_messages = messages;
	*ret_count = count;
	return 0;
}

/* "name:id" of a server's own emoji, or the glyph: Discord's documentation, resources/message, "Create Reaction". */
static void emoji_write(struct str *out, const struct emoji *emoji)
{
	if (emoji->id)
		str_printf(out, "%s:%llu", emoji->name ? emoji->name : "_", (unsigned long long)emoji->id);
	else
		str_adds(out, emoji->name ? emoji->name : "");
}

int rest_create_reaction(struct rest *rest, snowflake channel, snowflake message, const struct emoji *emoji)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct rest_call call;

	emoji_write(&text, emoji);
	REST_BEGIN(&call, "PUT /channels/{channel.id}/messages/{message.id}/reactions/{emoji}/@me", REST_ID(channel),
		REST_ID(message), REST_TEXT(text.buf));
	return rest_finish(rest, &call, NULL);
}

int rest_delete_reaction(
	struct rest *rest, snowflake channel, snowflake message, const struct emoji *emoji, snowflake user)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct rest_call call;

	emoji_write(&text, emoji);
	if (user)
		REST_BEGIN(&call, "DELETE /channels/{channel.id}/messages/{message.id}/reactions/{emoji}/{user.id}",
			REST_ID(channel), REST_ID(message), REST_TEXT(text.buf), REST_ID(user));
	else
		REST_BEGIN(&call, "DELETE /channels/{channel.id}/messages/{message.id}/reactions/{emoji}/@me",
			REST_ID(channel), REST_ID(message), REST_TEXT(text.buf));
	return rest_finish(rest, &call, NULL);
}

int rest_delete_all_reactions(struct rest *rest, snowflake channel, snowflake message)
{
	struct rest_call call;

	REST_BEGIN(&call, "DELETE /channels/{channel.id}/messages/{message.id}/reactions", REST_ID(channel),
		REST_ID(message));
	return rest_finish(rest, &call, NULL);
}

int rest_create_dm(struct rest *rest, snowflake user, snowflake *ret_channel)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	struct json_writer w;
	int r;

	REST_BEGIN(&call, "POST /users/@me/channels");
	call.repeat = REST_REPEAT_SAFE; /* there is one such channel, however often it is asked for */
	w = (struct json_writer)JSON_WRITER(&call.body);
	json_begin_object(&w);
	json_put_snowflake(&w, "recipient_id", user);
	json_end_object(&w);
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	if (created_id(json) == 0)
		return -EBADMSG;
	*ret_channel = created_id(json);
	return 0;
}
