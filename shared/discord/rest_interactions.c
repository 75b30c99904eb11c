/* Answers to interactions (Discord's documentation, interactions/receiving-and-responding). The address carries the
 * interaction's token, which is all the authority that is needed: these calls go without the bot's token and outside
 * its global limit. The first answer must arrive within three seconds, so it is given little time; whoever needs
 * longer defers first.
 */
#include <errno.h>

#include "rest_internal.h"

#define TIMEOUT_CALLBACK  (2 * SECOND)
#define PATIENCE_CALLBACK (2800 * MILLISECOND)
#define FLAG_EPHEMERAL    (1 << 6)
#define CHOICES_MAX       25

enum callback {
	CALLBACK_MESSAGE = 4,
	CALLBACK_DEFER = 5,
	CALLBACK_DEFER_UPDATE = 6,
	CALLBACK_UPDATE = 7,
	CALLBACK_AUTOCOMPLETE = 8,
};

static void callback_begin(
	struct rest_call *call, const struct interaction *interaction, enum callback type, struct json_writer *w)
{
	REST_BEGIN(call, "POST /interactions/{interaction.id}/{interaction.token}/callback", REST_ID(interaction->id),
		REST_TEXT(interaction->token));
	call->interaction = interaction;
	call->major = interaction->id;
	call->timeout = TIMEOUT_CALLBACK;
	call->patience = PATIENCE_CALLBACK;
	*w = (struct json_writer)JSON_WRITER(&call->body);
	json_begin_object(w);
	json_put_int(w, "type", type);
}

static int callback_send(struct rest *rest, struct rest_call *call, struct json_writer *w)
{
	json_end_object(w);
	return rest_finish(rest, call, NULL);
}

static int callback_message(struct rest *rest, const struct interaction *interaction, enum callback type,
	const struct message_create *message)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	struct rest_call call;
	struct json_writer w;
	int r;

	callback_begin(&call, interaction, type, &w);
	call.files = message->files;
	call.file_count = message->file_count;
	json_key(&w, "data");
	r = rest_message_write(&w, message, REST_MESSAGE_INTERACTION, NULL, &reason);
	if (r < 0) {
		rest_call_finish(&call);
		return rest_refuse(rest, r, reason.buf);
	}
	return callback_send(rest, &call, &w);
}

int rest_interaction_reply(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message)
{
	return callback_message(rest, interaction, CALLBACK_MESSAGE, message);
}

int rest_interaction_update(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message)
{
	return callback_message(rest, interaction, CALLBACK_UPDATE, message);
}

int rest_interaction_defer(struct rest *rest, const struct interaction *interaction, bool ephemeral)
{
	struct rest_call call;
	struct json_writer w;

	callback_begin(&call, interaction, CALLBACK_DEFER, &w);
	if (ephemeral) {
		json_key(&w, "data");
		json_begin_object(&w);
		json_put_int(&w, "flags", FLAG_EPHEMERAL);
		json_end_object(&w);
	}
	return callback_send(rest, &call, &w);
}

int rest_interaction_defer_update(struct rest *rest, const struct interaction *interaction)
{
	struct rest_call call;
	struct json_writer w;

	callback_begin(&call, interaction, CALLBACK_DEFER_UPDATE, &w);
	return callback_send(rest, &call, &w);
}

int rest_interaction_autocomplete(
	struct rest *rest, const struct interaction *interaction, const struct choice *choices, size_t count)
{
	struct rest_call call;
	struct json_writer w;

	callback_begin(&call, interaction, CALLBACK_AUTOCOMPLETE, &w);
	json_key(&w, "data");
	json_begin_object(&w);
	json_key(&w, "choices");
	json_begin_array(&w);
	for (size_t i = 0; i < MIN(count, CHOICES_MAX); i++) {
		json_begin_object(&w);
		json_put_string(&w, "name", choices[i].name);
		json_put_string(&w, "value", choices[i].value);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
	return callback_send(rest, &call, &w);
}

/* Later answers go to the interaction's webhook, for 15 minutes. */
static void webhook_begin(struct rest_call *call, const char *route, const struct interaction *interaction)
{
	REST_BEGIN(call, route, REST_ID(interaction->application_id), REST_TEXT(interaction->token));
	call->interaction = interaction;
	call->major = interaction->id;
}

static int webhook_message(
	struct rest *rest, struct rest_call *call, const struct message_create *message, cJSON **ret_json)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&call->body);
	int r;

	call->files = message->files;
	call->file_count = message->file_count;
	r = rest_message_write(&w, message, REST_MESSAGE_INTERACTION, NULL, &reason);
	if (r < 0) {
		rest_call_finish(call);
		return rest_refuse(rest, r, reason.buf);
	}
	return rest_finish(rest, call, ret_json);
}

#define ROUTE_ORIGINAL "/webhooks/{application.id}/{interaction.token}/messages/@original"

int rest_interaction_edit_original(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message)
{
	struct message_create edit = *message;
	struct rest_call call;

	edit.ephemeral = false; /* cannot be changed any more */
	webhook_begin(&call, "PATCH " ROUTE_ORIGINAL, interaction);
	return webhook_message(rest, &call, &edit, NULL);
}

int rest_interaction_get_original(struct rest *rest, const struct interaction *interaction, snowflake *ret_message)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	snowflake id;
	int r;

	webhook_begin(&call, "GET " ROUTE_ORIGINAL, interaction);
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	id = json_snowflake(json, "id");
	if (id == 0)
		return -EBADMSG;
	*ret_message = id;
	return 0;
}

int rest_interaction_delete_original(struct rest *rest, const struct interaction *interaction)
{
	struct rest_call call;

	webhook_begin(&call, "DELETE " ROUTE_ORIGINAL, interaction);
	return rest_finish(rest, &call, NULL);
}

int rest_interaction_follow_up(struct rest *rest, const struct interaction *interaction,
	const struct message_create *message, snowflake *ret_id)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	int r;

	webhook_begin(&call, "POST /webhooks/{application.id}/{interaction.token}", interaction);
	r = webhook_message(rest, &call, message, &json);
	if (r == 0 && ret_id)
		*ret_id = json_snowflake(json, "id");
	return r;
}
