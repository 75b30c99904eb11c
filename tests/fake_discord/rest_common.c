/* What many endpoints need: the things that a path names, checked for existence and permission, and the files of an upload. */
#include <stdio.h>
#include <stdlib.h>

#include "message_form.h"
#include "messages.h"
#include "net/httpd.h"
#include "permissions.h"
#include "rest.h"

const char *call_argument(struct call *call, const char *name)
{
	return httpd_argument(call->request, name);
}

int64_t call_number(struct call *call, const char *name, int64_t min, int64_t max, int64_t fallback)
{
	const char *text = call_argument(call, name);
	int64_t value;

	if (!text)
		return fallback;
	if (parse_i64(text, &value) < 0)
		form_error(&call->form, name, "NUMBER_TYPE_COERCE", "Value \"%s\" is not int.", text);
	else if (value < min)
		form_error(&call->form, name, "NUMBER_TYPE_MIN", "int value should be greater than or equal to %lld.",
			(long long)min);
	else if (value > max)
		form_error(&call->form, name, "NUMBER_TYPE_MAX", "int value should be less than or equal to %lld.",
			(long long)max);
	else
		return value;
	return fallback;
}

struct channel *call_channel(struct call *call, uint64_t wanted)
{
	struct state *state = &call->fake->state;
	struct channel *channel = state_channel(state, call->ids[0]);
	uint64_t permissions;

	if (!channel || (!channel_is_direct(channel) && call->fake->bot_gone)) {
		call_fail(call, 404, 10003, "Unknown Channel");
		return NULL;
	}
	permissions = permissions_in(state, state->bot, channel);
	if (!permitted(permissions, PERMISSION_VIEW_CHANNEL)) {
		call_fail(call, 403, 50001, "Missing Access");
		return NULL;
	}
	if (!permitted(permissions, wanted)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return NULL;
	}
	return channel;
}

struct message *call_message(struct call *call, struct channel *channel, size_t parameter)
{
	struct message *message = channel_message(channel, call->ids[parameter]);

	if (message && !message->ephemeral_for) /* those are reached by their interaction only */
		return message;
	call_fail(call, 404, 10008, "Unknown Message");
	return NULL;
}

bool call_guild(struct call *call, uint64_t wanted)
{
	struct state *state = &call->fake->state;

	if (call->ids[0] != state->guild)
		return call_fail(call, 404, 10004, "Unknown Guild");
	if (call->fake->bot_gone)
		return call_fail(call, 403, 50001, "Missing Access");
	if (!permitted(permissions_of(state, state->bot), wanted))
		return call_fail(call, 403, 50013, "Missing Permissions");
	return true;
}

struct user *call_member(struct call *call, size_t parameter)
{
	struct user *user = state_user(&call->fake->state, call->ids[parameter]);

	if (user && user->member)
		return user;
	if (user || call->ids[parameter])
		call_fail(call, 404, user ? 10007 : 10013, user ? "Unknown Member" : "Unknown User");
	else {
		form_error(&call->form, "user_id", "NUMBER_TYPE_COERCE", "Value \"%s\" is not snowflake.",
			call->texts[parameter]);
		call_form(call);
	}
	return NULL;
}

struct role *call_role(struct call *call, size_t parameter)
{
	struct role *role = state_role(&call->fake->state, call->ids[parameter]);

	if (!role)
		call_fail(call, 404, 10011, "Unknown Role");
	return role;
}

/* ---- uploads ---- */

static const cJSON *find_by_id(const cJSON *list, const char *id)
{
	json_array_each (item, list) {
		const cJSON *value = json_get(item, "id");

		if (cJSON_IsString(value) && streq(value->valuestring, id))
			return item;
		if (cJSON_IsNumber(value)) {
			char text[24];

			snprintf(text, sizeof(text), "%d", value->valueint);
			if (streq(text, id))
				return item;
		}
	}
	return NULL;
}

static void add_file(struct call *call, uint64_t channel, const cJSON *body, const struct multipart_part *part,
	const char *path, cJSON *list)
{
	const cJSON *about;
	char id[32];
	struct str inner cleanup(str_finish) = STR_INIT;

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(part->name + 6, "]"), part->name + 6);
	about = find_by_id(json_array(body, "attachments"), id);
	if (json_array(body, "attachments") && !about)
		return; /* a file that the list does not name is not attached (reference, "Editing Message Attachments") */
	form_path(&inner, path, "files");
	if (part->len > FILE_MAX_BYTES) {
		call_fail(call, 413, 40005, "Request entity too large");
		return;
	}
	cJSON_AddItemToArray(
		list, attachment_create(call->fake, channel,
			      json_string(about, "filename") ? json_string(about, "filename") : part->file_name,
			      part->type, json_string(about, "description"), part->data, part->len));
}

cJSON *call_attachments(struct call *call, uint64_t channel, const cJSON *body, const cJSON *kept, const char *path)
{
	const cJSON *named = json_array(body, "attachments");
	cJSON *list;
	size_t index = 0;

	if (!named && call_files(call) == 0)
		return NULL;
	list = cJSON_CreateArray();
	json_array_each (item, named) {
		const char *id = json_string(item, "id");
		const cJSON *old = id ? find_by_id(kept, id) : NULL;
		char number[24], file[40];

		snprintf(number, sizeof(number), "%s", id ? id : "");
		if (!id)
			snprintf(number, sizeof(number), "%lld", (long long)json_int(item, "id", -1));
		snprintf(file, sizeof(file), "files[%s]", number);
		if (old)
			cJSON_AddItemToArray(list, cJSON_Duplicate(old, 1));
		else if (!multipart_find(&call->files, file)) {
			struct str inner cleanup(str_finish) = STR_INIT;

			str_printf(&inner, "%s%sattachments.%zu", path, *path ? "." : "", index);
			form_error(&call->form, inner.buf, "ATTACHMENT_NOT_FOUND", "Attachment data not found");
		}
		index++;
	}
	for (size_t i = 0; i < call->files.count; i++)
		if (strncmp(call->files.parts[i].name, "files[", 6) == 0)
			add_file(call, channel, body, &call->files.parts[i], path, list);
	if (cJSON_GetArraySize(list) > ATTACHMENTS_MAX)
		call_fail(call, 400, 30015, "Maximum number of attachments in a message reached (10)");
	return list;
}
