/* The bot's answers to interactions: the callback, the original answer, follow-ups (interactions/receiving-and-responding). The address holds the
 * interaction's token, so no other authorisation is asked for. */
#include <stdlib.h>

#include "gateway.h"
#include "interactions.h"
#include "message_form.h"
#include "messages.h"
#include "rest.h"
#include "write.h"

/* Which first answers an interaction of a type may get. */
static bool callback_fits(const struct interaction *interaction, int64_t type)
{
	switch (interaction->type) {
	case INTERACTION_COMMAND: return type == CALLBACK_MESSAGE || type == CALLBACK_DEFER || type == CALLBACK_MODAL;
	case INTERACTION_COMPONENT:
		return type >= CALLBACK_MESSAGE && type <= CALLBACK_MODAL && type != CALLBACK_CHOICES;
	case INTERACTION_AUTOCOMPLETE: return type == CALLBACK_CHOICES;
	case INTERACTION_MODAL:
		return type == CALLBACK_MESSAGE || type == CALLBACK_DEFER ||
		       (interaction->message && (type == CALLBACK_DEFER_UPDATE || type == CALLBACK_UPDATE));
	}
	return false;
}

static struct channel *channel_of(struct call *call, const struct interaction *interaction)
{
	return state_channel(&call->fake->state, interaction->channel);
}

static void fill_draft(struct call *call, const struct interaction *interaction, const cJSON *data, struct draft *draft)
{
	*draft = (struct draft){ .author = call->fake->state.bot,
		.webhook = call->fake->state.bot,
		.channel = interaction->channel,
		.content = json_string(data, "content"),
		.embeds = json_array(data, "embeds"),
		.components = json_array(data, "components"),
		.allowed_mentions = json_object(data, "allowed_mentions"),
		.flags = (unsigned)json_int(data, "flags", 0) &
			 (MESSAGE_SUPPRESS_EMBEDS | MESSAGE_EPHEMERAL | MESSAGE_SUPPRESS_NOTIFICATIONS |
				 MESSAGE_COMPONENTS_V2),
		.interaction = interaction->id,
		.interaction_user = interaction->user,
		.interaction_type = interaction->type,
		.command = interaction->command,
		.type = interaction->type == INTERACTION_COMMAND ? MESSAGE_COMMAND : MESSAGE_REPLY };
	if (interaction->type != INTERACTION_COMMAND && interaction->message)
		draft->reference = interaction->message;
	if (draft->flags & MESSAGE_EPHEMERAL)
		draft->ephemeral_for = interaction->user;
}

/* Checks a message of an answer; false: answered. */
static bool check_message(struct call *call, const char *path, const cJSON *data, bool may_be_empty)
{
	message_form_check(&call->form, path, data);
	if (!call_form(call))
		return false;
	if (!may_be_empty && message_is_empty(data, call_files(call)))
		return call_fail(call, 400, 50006, "Cannot send an empty message");
	return true;
}

/* false: answered. `ret_list` is the caller's. */
static bool take_files(struct call *call, const struct interaction *interaction, const cJSON *data, const cJSON *kept,
	const char *path, cJSON **ret_list)
{
	*ret_list = call_attachments(call, interaction->channel, data, kept, path);
	if (!call->status && call_form(call))
		return true;
	cJSON_Delete(*ret_list);
	*ret_list = NULL;
	return false;
}

/* ---- the callback ---- */

static bool answer_message(struct call *call, struct interaction *interaction, const cJSON *data, bool loading)
{
	struct draft draft;
	cJSON *files = NULL;

	if (!loading && (!check_message(call, "data", data, false) ||
				!take_files(call, interaction, data, NULL, "data", &files)))
		return false;
	fill_draft(call, interaction, data, &draft);
	draft.attachments = files;
	if (loading)
		draft.flags |= MESSAGE_LOADING;
	interaction->ephemeral = draft.ephemeral_for;
	interaction->original = message_post(call->fake, &draft)->id;
	return true;
}

static bool answer_update(struct call *call, struct interaction *interaction, const cJSON *data)
{
	struct channel *channel = channel_of(call, interaction);
	struct message *message = channel_message(channel, interaction->message);
	const cJSON *content = json_get(data, "content");
	cJSON *files;

	if (!check_message(call, "data", data, true))
		return false;
	if (!message)
		return call_fail(call, 404, 10008, "Unknown Message");
	if (!take_files(call, interaction, data, message->attachments, "data", &files))
		return false;
	message_edit(call->fake, message, cJSON_IsNull(content) ? "" : json_string(data, "content"),
		json_array(data, "embeds"), json_array(data, "components"), files,
		json_object(data, "allowed_mentions"));
	interaction->original = message->id;
	return true;
}

/* Does what the answer says; false: it was refused and the interaction waits on. */
static bool run_callback(struct call *call, struct interaction *interaction, int64_t type, const cJSON *data)
{
	switch (type) {
	case CALLBACK_MESSAGE: return answer_message(call, interaction, data, false);
	case CALLBACK_DEFER: return answer_message(call, interaction, data, true);
	case CALLBACK_DEFER_UPDATE: interaction->original = interaction->message; return true;
	case CALLBACK_UPDATE: return answer_update(call, interaction, data);
	case CALLBACK_CHOICES: choices_form_check(&call->form, "data", data); return call_form(call);
	default: modal_form_check(&call->form, "data", data); return call_form(call);
	}
}

static void put_callback(struct call *call, const struct interaction *interaction)
{
	struct channel *channel = channel_of(call, interaction);
	const struct message *message = interaction->original ? channel_message(channel, interaction->original) : NULL;
	struct json_writer *w = &call->w;

	json_begin_object(w);
	json_key(w, "interaction");
	json_begin_object(w);
	json_put_snowflake(w, "id", interaction->id);
	json_put_int(w, "type", interaction->type);
	if (message) {
		json_put_snowflake(w, "response_message_id", message->id);
		json_put_bool(w, "response_message_loading", message->flags & MESSAGE_LOADING);
		json_put_bool(w, "response_message_ephemeral", message->ephemeral_for);
	}
	json_end_object(w);
	json_key(w, "resource");
	json_begin_object(w);
	json_put_int(w, "type", interaction->callback);
	if (message) {
		json_key(w, "message");
		write_message(w, &call->fake->state, message, (struct message_form){ 0 });
	}
	json_end_object(w);
	json_end_object(w);
}

static void post_callback(struct call *call)
{
	struct interaction *interaction = interactions_find(call->fake->interactions, call->ids[0]);
	int64_t type = json_int(call->body, "type", 0);
	const cJSON *data = json_object(call->body, "data");
	const char *with_response = call_argument(call, "with_response");

	if (!interaction || !streq(interaction->token, call->texts[1]) ||
		(!interaction->callback && fake_now(call->fake) - interaction->created > INTERACTION_ANSWER_TIME)) {
		call_fail(call, 404, 10062, "Unknown interaction");
		return;
	}
	if (interaction->callback) {
		call_fail(call, 400, 40060, "Interaction has already been acknowledged.");
		return;
	}
	if (!callback_fits(interaction, type)) {
		form_error(&call->form, "type", "BASE_TYPE_CHOICES",
			"Value must be one of the callback types that fit an interaction of type %d.",
			interaction->type);
		call_form(call);
		return;
	}
	if (!data && (type == CALLBACK_MESSAGE || type == CALLBACK_UPDATE || type >= CALLBACK_CHOICES)) {
		form_error(&call->form, "data", "BASE_TYPE_REQUIRED", "This field is required");
		call_form(call);
		return;
	}
	if (!run_callback(call, interaction, type, data))
		return;
	interaction->callback = (int)type;
	if (data)
		interaction->answer = cJSON_Duplicate(data, 1);
	interaction_answered(call->fake, interaction,
		type == CALLBACK_DEFER || type == CALLBACK_DEFER_UPDATE ? FAKE_INTERACTION_DEFERRED
									: FAKE_INTERACTION_ANSWERED);
	if (with_response && streq(with_response, "true"))
		put_callback(call, interaction);
	else
		call_done(call);
}

/* ---- after the callback ---- */

/* The acknowledged interaction of the address; NULL: answered. */
static struct interaction *find_token(struct call *call)
{
	struct interaction *interaction = interactions_by_token(call->fake->interactions, call->texts[1]);

	if (call->ids[0] != call->fake->state.bot || !interaction || !interaction->callback ||
		interaction->type == INTERACTION_AUTOCOMPLETE) {
		call_fail(call, 404, 10015, "Unknown Webhook");
		return NULL;
	}
	if (fake_now(call->fake) - interaction->created > INTERACTION_TOKEN_TIME) {
		call_fail(call, 401, 50027, "Invalid Webhook Token");
		return NULL;
	}
	return interaction;
}

static void put_message(struct call *call, const struct message *message)
{
	write_message(&call->w, &call->fake->state, message, (struct message_form){ 0 });
}

/* A message of this interaction: the original, or a follow-up named in the path; NULL: answered. */
static struct message *find_message(struct call *call, const struct interaction *interaction, bool original)
{
	struct channel *channel = channel_of(call, interaction);
	uint64_t id = original ? interaction->original : call->ids[2];
	struct message *message = channel && id ? channel_message(channel, id) : NULL;

	if (message && (original || message->interaction == interaction->id))
		return message;
	call_fail(call, 404, 10008, "Unknown Message");
	return NULL;
}

static void edit_answer(struct call *call, struct interaction *interaction, struct message *message)
{
	const cJSON *content = json_get(call->body, "content");
	bool loading = message->flags & MESSAGE_LOADING;
	cJSON *files;

	if (!check_message(call, "", call->body, !loading) ||
		!take_files(call, interaction, call->body, message->attachments, "", &files))
		return;
	message_edit(call->fake, message, cJSON_IsNull(content) ? "" : json_string(call->body, "content"),
		json_array(call->body, "embeds"), json_array(call->body, "components"), files,
		json_object(call->body, "allowed_mentions"));
	if (interaction->state == FAKE_INTERACTION_DEFERRED)
		interaction_answered(call->fake, interaction, FAKE_INTERACTION_ANSWERED);
	put_message(call, message);
}

static void get_one(struct call *call, bool original)
{
	struct interaction *interaction = find_token(call);
	const struct message *message = interaction ? find_message(call, interaction, original) : NULL;

	if (message)
		put_message(call, message);
}

static void patch_one(struct call *call, bool original)
{
	struct interaction *interaction = find_token(call);
	struct message *message = interaction ? find_message(call, interaction, original) : NULL;

	if (message)
		edit_answer(call, interaction, message);
}

static void delete_one(struct call *call, bool original)
{
	struct interaction *interaction = find_token(call);
	const struct message *message = interaction ? find_message(call, interaction, original) : NULL;

	if (!message)
		return;
	message_delete(call->fake, channel_of(call, interaction), message->id);
	call_done(call);
}

static void get_original(struct call *call)
{
	get_one(call, true);
}

static void patch_original(struct call *call)
{
	patch_one(call, true);
}

static void delete_original(struct call *call)
{
	delete_one(call, true);
}

static void get_followup(struct call *call)
{
	get_one(call, false);
}

static void patch_followup(struct call *call)
{
	patch_one(call, false);
}

static void delete_followup(struct call *call)
{
	delete_one(call, false);
}

/* The first one after a deferred answer fills that answer in, and has its visibility. */
static void post_followup(struct call *call)
{
	struct interaction *interaction = find_token(call);
	struct channel *channel = interaction ? channel_of(call, interaction) : NULL;
	struct message *original;
	struct draft draft;
	cJSON *files;

	if (!interaction)
		return;
	original = channel && interaction->original ? channel_message(channel, interaction->original) : NULL;
	if (original && original->flags & MESSAGE_LOADING) {
		edit_answer(call, interaction, original);
		return;
	}
	if (!check_message(call, "", call->body, false) || !take_files(call, interaction, call->body, NULL, "", &files))
		return;
	fill_draft(call, interaction, call->body, &draft);
	draft.attachments = files;
	draft.type = MESSAGE_REPLY;
	draft.reference = original ? original->id : 0;
	interaction->followups++;
	if (interaction->state == FAKE_INTERACTION_DEFERRED)
		interaction_answered(call->fake, interaction, FAKE_INTERACTION_ANSWERED);
	put_message(call, message_post(call->fake, &draft));
}

#define WEBHOOK "/webhooks/{webhook_id}/{webhook_token}"

const struct route rest_interaction_routes[] = {
	{ "POST", "/interactions/{interaction_id}/{interaction_token}/callback", post_callback, 0, 0,
		ROUTE_NO_TOKEN | ROUTE_BODY },
	{ "POST", WEBHOOK, post_followup, 5, 2000, ROUTE_NO_TOKEN | ROUTE_BODY },
	{ "GET", WEBHOOK "/messages/@original", get_original, 5, 2000, ROUTE_NO_TOKEN },
	{ "PATCH", WEBHOOK "/messages/@original", patch_original, 5, 2000, ROUTE_NO_TOKEN | ROUTE_BODY },
	{ "DELETE", WEBHOOK "/messages/@original", delete_original, 5, 2000, ROUTE_NO_TOKEN },
	{ "GET", WEBHOOK "/messages/{message_id}", get_followup, 5, 2000, ROUTE_NO_TOKEN },
	{ "PATCH", WEBHOOK "/messages/{message_id}", patch_followup, 5, 2000, ROUTE_NO_TOKEN | ROUTE_BODY },
	{ "DELETE", WEBHOOK "/messages/{message_id}", delete_followup, 5, 2000, ROUTE_NO_TOKEN },
	{ 0 },
};
