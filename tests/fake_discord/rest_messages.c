/* Messages: fetching, posting, editing, deleting, pins, typing (resources/message). */
#include <stdio.h>
#include <stdlib.h>

#include "dispatch.h"
#include "message_form.h"
#include "messages.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

#define LIST_MAX   100
#define BULK_MIN   2
#define BULK_MAX   100
#define BULK_AGE   (14 * DAY)
#define NONCE_TIME (5 * MINUTE) /* "the past few minutes" */

static void put_message(struct call *call, const struct message *message, bool with_nonce)
{
	write_message(&call->w, &call->fake->state, message, (struct message_form){ .with_nonce = with_nonce });
}

/* ---- fetching ---- */

/* The newest `limit` of those below `before`, the oldest of those above `after`, or both halves around an id; newest first. */
static void get_messages(struct call *call)
{
	struct channel *channel = call_channel(call, 0);
	const char *around = call_argument(call, "around"), *before = call_argument(call, "before"),
		   *after = call_argument(call, "after");
	size_t limit = (size_t)call_number(call, "limit", 1, LIST_MAX, 50), from, to;
	uint64_t id = 0;

	if (!channel)
		return;
	if (around || before || after) {
		const char *text = around ? around : before ? before : after;

		if (parse_u64(text, &id) < 0)
			form_error(&call->form,
				around   ? "around"
				: before ? "before"
					 : "after",
				"NUMBER_TYPE_COERCE", "Value \"%s\" is not snowflake.", text);
	}
	if (!call_form(call))
		return;
	to = channel->message_count;
	if (around) {
		size_t middle = channel_message_index(channel, id);

		from = middle > limit / 2 ? middle - limit / 2 : 0;
		to = MIN(from + limit, channel->message_count);
	} else if (after && !before) {
		from = channel_message_index(channel, id + 1);
		to = MIN(from + limit, channel->message_count);
	} else {
		to = before ? channel_message_index(channel, id) : to;
		from = to > limit ? to - limit : 0;
	}
	json_begin_array(&call->w);
	/* Without the history permission Discord answers an empty list. */
	if (permitted(permissions_in(&call->fake->state, call->fake->state.bot, channel),
		    PERMISSION_READ_MESSAGE_HISTORY))
		for (size_t i = to; i > from; i--)
			if (!channel->messages[i - 1]->ephemeral_for)
				put_message(call, channel->messages[i - 1], false);
	json_end_array(&call->w);
}

static void get_message(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_READ_MESSAGE_HISTORY);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;

	if (message)
		put_message(call, message, false);
}

/* ---- posting ---- */

static bool may_post(struct call *call, const struct channel *channel)
{
	struct state *state = &call->fake->state;
	uint64_t permissions = permissions_in(state, state->bot, channel);

	if (channel->type == CHANNEL_CATEGORY)
		return call_fail(call, 400, 50008, "Cannot send messages in a non-text channel");
	if (channel_is_direct(channel)) {
		const struct user *user = state_user(state, channel->recipient);

		if (!user || user->dms_closed || user->bot || !user->member)
			return call_fail(call, 403, 50007, "Cannot send messages to this user");
		return true;
	}
	if (!permitted(permissions, PERMISSION_SEND_MESSAGES) ||
		(json_bool(call->body, "tts", false) && !permitted(permissions, PERMISSION_SEND_TTS_MESSAGES)) ||
		(call_files(call) && !permitted(permissions, PERMISSION_ATTACH_FILES)))
		return call_fail(call, 403, 50013, "Missing Permissions");
	return true;
}

/* Answers with the earlier message of this nonce, when the call asks for that: true. It may be gone again; its nonce is remembered longer than
 * the message (discord-api-docs, issue 6647). */
static bool answer_nonce(struct call *call, const struct channel *channel, const char *nonce)
{
	usec since = fake_time(call->fake) - NONCE_TIME;

	if (!nonce || !json_bool(call->body, "enforce_nonce", false))
		return false;
	for (size_t i = channel->message_count; i-- > 0 && channel->messages[i]->at >= since;) {
		const struct message *message = channel->messages[i];

		if (message->author != call->fake->state.bot || !message->nonce || !streq(message->nonce, nonce))
			continue;
		put_message(call, message, true);
		return true;
	}
	if (!channel_nonce_is_spent(channel, nonce, since))
		return false;
	call_fail(call, 404, 10008, "Unknown Message");
	return true;
}

/* The message that this one answers; false: answered. */
static bool find_reference(struct call *call, const struct channel *channel, uint64_t *ret_id)
{
	const cJSON *reference = json_object(call->body, "message_reference");
	uint64_t id = json_snowflake(reference, "message_id"), elsewhere = json_snowflake(reference, "channel_id");
	const struct message *message;

	if (!reference)
		return true;
	message = channel_message(channel, id);
	if (message && (!elsewhere || elsewhere == channel->id)) {
		if (!permitted(permissions_in(&call->fake->state, call->fake->state.bot, channel),
			    PERMISSION_READ_MESSAGE_HISTORY)) {
			form_error(&call->form, "message_reference", "REPLIES_CANNOT_REPLY_WITHOUT_PERMISSION",
				"Cannot reply without permission to read message history");
			return call_form(call);
		}
		*ret_id = id;
		return true;
	}
	if (!json_bool(reference, "fail_if_not_exists", true))
		return true;
	form_error(&call->form, "message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message");
	return call_form(call);
}

/* The body's embeds; who may not embed has them left out. */
static const cJSON *permitted_embeds(struct call *call, const struct channel *channel)
{
	const struct state *state = &call->fake->state;

	return permitted(permissions_in(state, state->bot, channel), PERMISSION_EMBED_LINKS)
		       ? json_array(call->body, "embeds")
		       : NULL;
}

/* The nonce as text: a number is as good. The caller's (free()). */
static char *nonce_text(const cJSON *body)
{
	const cJSON *nonce = json_get(body, "nonce");

	if (cJSON_IsString(nonce))
		return xstrdup(nonce->valuestring);
	return cJSON_IsNumber(nonce) ? xasprintf("%.0f", nonce->valuedouble) : NULL;
}

static void post_message(struct call *call)
{
	struct channel *channel = call_channel(call, 0);
	const cJSON *body = call->body, *embeds;
	char *nonce cleanup(freep) = NULL;
	struct draft draft;
	cJSON *attachments;
	uint64_t reference = 0;

	if (!channel || !may_post(call, channel))
		return;
	message_form_check(&call->form, "", body);
	if (!call_form(call))
		return;
	if (message_is_empty(body, call_files(call))) {
		call_fail(call, 400, 50006, "Cannot send an empty message");
		return;
	}
	embeds = permitted_embeds(call, channel);
	if (!embeds && !json_string(body, "content") && json_array(body, "embeds") && !call_files(call)) {
		call_fail(call, 403, 50013, "Missing Permissions"); /* discord-api-docs, issue 2601 */
		return;
	}
	nonce = nonce_text(body);
	if (answer_nonce(call, channel, nonce) || !find_reference(call, channel, &reference))
		return;
	attachments = call_attachments(call, channel->id, body, NULL, "");
	if (call->status || !call_form(call)) {
		cJSON_Delete(attachments);
		return;
	}
	draft = (struct draft){ .author = call->fake->state.bot,
		.channel = channel->id,
		.content = json_string(body, "content"),
		.embeds = embeds,
		.components = json_array(body, "components"),
		.attachments = attachments,
		.allowed_mentions = json_object(body, "allowed_mentions"),
		.reference = reference,
		.type = reference ? MESSAGE_REPLY : MESSAGE_DEFAULT,
		.flags = (unsigned)json_int(body, "flags", 0) &
			 (MESSAGE_SUPPRESS_EMBEDS | MESSAGE_SUPPRESS_NOTIFICATIONS | MESSAGE_COMPONENTS_V2),
		.nonce = nonce };
	put_message(call, message_post(call->fake, &draft), true);
}

/* Whether nothing would be left of the message. */
static bool edit_empties(const struct message *message, const cJSON *body, size_t files)
{
	const cJSON *content = json_get(body, "content");
	const char *text = content ? json_string(body, "content") : message->content;
	const cJSON *embeds = json_get(body, "embeds") ? json_array(body, "embeds") : message->embeds;
	const cJSON *components = json_get(body, "components") ? json_array(body, "components") : message->components;
	const cJSON *attachments =
		json_get(body, "attachments") ? json_array(body, "attachments") : message->attachments;

	return !files && !(text && text[strspn(text, " \t\r\n")]) && cJSON_GetArraySize(embeds) == 0 &&
	       cJSON_GetArraySize(components) == 0 && cJSON_GetArraySize(attachments) == 0;
}

static void patch_message(struct call *call)
{
	struct channel *channel = call_channel(call, 0);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	const cJSON *body = call->body, *content = json_get(body, "content");
	const cJSON *flags = json_get(body, "flags");
	cJSON *attachments;

	if (!message)
		return;
	if (message->author != call->fake->state.bot) {
		call_fail(call, 403, 50005, "Cannot edit a message authored by another user");
		return;
	}
	message_form_check(&call->form, "", body);
	if (!call_form(call))
		return;
	if (edit_empties(message, body, call_files(call))) {
		call_fail(call, 400, 50006, "Cannot send an empty message");
		return;
	}
	attachments = call_attachments(call, channel->id, body, message->attachments, "");
	if (call->status || !call_form(call)) {
		cJSON_Delete(attachments);
		return;
	}
	if (cJSON_IsNumber(flags))
		message->flags = (message->flags & ~(unsigned)MESSAGE_SUPPRESS_EMBEDS) |
				 ((unsigned)flags->valuedouble & MESSAGE_SUPPRESS_EMBEDS);
	message_edit(call->fake, message, cJSON_IsNull(content) ? "" : json_string(body, "content"),
		permitted_embeds(call, channel), json_array(body, "components"), attachments,
		json_object(body, "allowed_mentions"));
	put_message(call, message, false);
}

/* ---- deleting ---- */

/* The audit log tells of others' messages that were deleted; `target` is their author, or the channel when there were many. */
static void log_deletion(struct call *call, int action, const struct channel *channel, uint64_t target, size_t count)
{
	cJSON *options = cJSON_CreateObject();
	char text[24];

	snprintf(text, sizeof(text), "%zu", count);
	cJSON_AddStringToObject(options, "count", text);
	if (action == AUDIT_MESSAGE_DELETE) {
		snprintf(text, sizeof(text), "%llu", (unsigned long long)channel->id);
		cJSON_AddStringToObject(options, "channel_id", text);
	}
	dispatch_audit(call->fake, call->fake->state.bot, action, target, call->reason, NULL, options);
}

static void delete_message(struct call *call)
{
	struct channel *channel = call_channel(call, 0);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	struct state *state = &call->fake->state;
	uint64_t author;

	if (!message)
		return;
	if (message->author != state->bot) {
		if (channel_is_direct(channel)) {
			call_fail(call, 403, 50003, "Cannot execute action on a DM channel");
			return;
		}
		if (!permitted(permissions_in(state, state->bot, channel), PERMISSION_MANAGE_MESSAGES)) {
			call_fail(call, 403, 50013, "Missing Permissions");
			return;
		}
	}
	author = message->author;
	message_delete(call->fake, channel, message->id);
	if (author != state->bot)
		log_deletion(call, AUDIT_MESSAGE_DELETE, channel, author, 1);
	call_done(call);
}

static void bulk_delete(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_MESSAGES);
	static const struct form_rule rules[] = {
		{ "messages", FORM_SNOWFLAKES, 0, 1000, FORM_REQUIRED, NULL },
		{ 0 },
	};
	usec oldest = fake_time(call->fake) - BULK_AGE;
	uint64_t ids[BULK_MAX];
	size_t count = 0;

	if (!channel)
		return;
	if (channel_is_direct(channel)) {
		call_fail(call, 403, 50003, "Cannot execute action on a DM channel");
		return;
	}
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	json_array_each (item, json_array(call->body, "messages")) {
		uint64_t id = json_snowflake_value(item);

		if (state_id_time(id) < oldest) {
			call_fail(call, 400, 50034, "You can only bulk delete messages that are under 14 days old.");
			return;
		}
		if (count < BULK_MAX)
			ids[count] = id;
		count++;
	}
	if (count < BULK_MIN || count > BULK_MAX) {
		call_fail(call, 400, 50016,
			"Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete.");
		return;
	}
	message_delete_bulk(call->fake, channel, ids, count);
	log_deletion(call, AUDIT_MESSAGE_BULK_DELETE, channel, channel->id, count);
	call_done(call);
}

/* ---- pins and typing ---- */

static void set_pinned(struct call *call, bool pinned)
{
	struct channel *channel = call_channel(call, 0);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	uint64_t permissions = channel ? permissions_in(&call->fake->state, call->fake->state.bot, channel) : 0;
	size_t pins = 0;

	if (!message)
		return;
	/* Pinning has had a permission of its own since 2025; who may manage messages could do it before. */
	if (!(permissions & (PERMISSION_PIN_MESSAGES | PERMISSION_MANAGE_MESSAGES))) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	for (size_t i = 0; i < channel->message_count; i++)
		pins += channel->messages[i]->pinned;
	if (pinned && !message->pinned && pins >= PINS_MAX) {
		call_fail(call, 400, 30003, "Maximum number of pins reached for the channel (250)");
		return;
	}
	if (message->pinned != pinned) {
		message->pinned = pinned;
		message_changed(call->fake, message);
		dispatch_pins(call->fake, channel);
	}
	call_done(call);
}

static void put_pin(struct call *call)
{
	set_pinned(call, true);
}

static void delete_pin(struct call *call)
{
	set_pinned(call, false);
}

static void get_pins(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_READ_MESSAGE_HISTORY);

	if (!channel)
		return;
	json_begin_object(&call->w);
	json_key(&call->w, "items");
	json_begin_array(&call->w);
	for (size_t i = channel->message_count; i > 0; i--) {
		const struct message *message = channel->messages[i - 1];

		if (!message->pinned)
			continue;
		json_begin_object(&call->w);
		put_time(&call->w, "pinned_at", message->at);
		json_key(&call->w, "message");
		put_message(call, message, false);
		json_end_object(&call->w);
	}
	json_end_array(&call->w);
	json_put_bool(&call->w, "has_more", false);
	json_end_object(&call->w);
}

static void post_typing(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_SEND_MESSAGES);

	if (!channel)
		return;
	dispatch_typing(call->fake, state_user(&call->fake->state, call->fake->state.bot), channel);
	call_done(call);
}

#define MESSAGES "/channels/{channel_id}/messages"

const struct route rest_message_routes[] = {
	{ "GET", MESSAGES, get_messages, 5, 5000, 0 },
	{ "POST", MESSAGES, post_message, 5, 5000, ROUTE_BODY },
	{ "GET", MESSAGES "/{message_id}", get_message, 5, 5000, 0 },
	{ "PATCH", MESSAGES "/{message_id}", patch_message, 5, 5000, ROUTE_BODY },
	{ "DELETE", MESSAGES "/{message_id}", delete_message, 5, 1000, 0 },
	{ "POST", MESSAGES "/bulk-delete", bulk_delete, 1, 3000, ROUTE_BODY },
	{ "GET", MESSAGES "/pins", get_pins, 5, 5000, 0 },
	{ "PUT", MESSAGES "/pins/{message_id}", put_pin, 5, 4000, 0 },
	{ "DELETE", MESSAGES "/pins/{message_id}", delete_pin, 5, 4000, 0 },
	{ "POST", "/channels/{channel_id}/typing", post_typing, 5, 5000, 0 },
	{ 0 },
};
