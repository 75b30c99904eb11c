/* What can be done through the control interface (POST; CONTROL.md): the functions of the public header, with fields instead of arguments. */
#include <errno.h>
#include <stdlib.h>

#include "control_private.h"
#include "permissions.h"

#define OPTIONS_MAX 26
#define FILE_MAX    ((size_t)8 << 20)

/* ---- messages ---- */

/* Decodes base64 in place of a copy; NULL with a problem. The caller's (free()). */
static void *decode_base64(struct ask *ask, const char *text, size_t *ret_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(text), n = 0;
	unsigned char *out = xmalloc(len / 4 * 3 + 3);
	unsigned bits = 0;
	int have = 0;

	for (size_t i = 0; i < len && text[i] != '='; i++) {
		const char *digit = strchr(digits, text[i]);

		if (!digit || n > FILE_MAX) {
			ask_refuse(ask, 400, digit ? "the file is too large" : "the file is not base64");
			free(out);
			return NULL;
		}
		bits = bits << 6 | (unsigned)(digit - digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (unsigned char)(bits >> have);
		}
	}
	*ret_len = n;
	return out;
}

static void act_say(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user);
	const cJSON *file = json_object(ask->body, "file"), *embeds = json_array(ask->body, "embeds");
	char *embeds_text = embeds ? cJSON_PrintUnformatted(embeds) : NULL;
	struct fake_message_options options = { .content = ask_text(ask, "content"),
		.reply_to = ask_has(ask, "reply_to") && ask_text(ask, "reply_to") ? ask_id(ask, "reply_to") : 0,
		.embeds = embeds_text,
		.file_name = json_string(file, "name"),
		.file_type = json_string(file, "type"),
		.webhook = ask_bool(ask, "webhook", false) };
	void *data = NULL;

	if (file && json_string(file, "base64"))
		options.file = data = decode_base64(ask, json_string(file, "base64"), &options.file_len);
	if (ask_fine(ask))
		ask_made(ask, "id", fake_post(ask->fake, user, channel, &options));
	free(data);
	free(embeds_text);
}

static void act_edit(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), message = ask_id(ask, "message");
	const char *content = ask_needed(ask, "content");

	if (ask_fine(ask))
		ask_result(ask, fake_edit(ask->fake, user, channel, message, content));
}

static void act_delete(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), message = ask_id(ask, "message");

	if (ask_fine(ask))
		ask_result(ask, fake_delete(ask->fake, user, channel, message));
}

static void react(struct ask *ask, int (*function)(struct fake *, uint64_t, uint64_t, uint64_t, const char *))
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), message = ask_id(ask, "message");
	const char *emoji = ask_needed(ask, "emoji");

	if (ask_fine(ask))
		ask_result(ask, function(ask->fake, user, channel, message, emoji));
}

static void act_react(struct ask *ask)
{
	react(ask, fake_react);
}

static void act_unreact(struct ask *ask)
{
	react(ask, fake_unreact);
}

static void act_clear_reactions(struct ask *ask)
{
	uint64_t channel = ask_channel(ask, 0), message = ask_id(ask, "message");

	if (ask_fine(ask))
		ask_result(ask, fake_clear_reactions(ask->fake, channel, message));
}

static void act_typing(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user);

	if (ask_fine(ask))
		ask_result(ask, fake_typing(ask->fake, user, channel));
}

/* ---- interactions ---- */

/* An object as a list of options; values that are no text become some. The texts are in `arena`, which the caller deletes. */
static void read_options(struct ask *ask, const char *key, struct fake_option *options, cJSON *arena)
{
	size_t count = 0;

	json_array_each (item, json_object(ask->body, key)) {
		char *text = cJSON_IsString(item) ? xstrdup(item->valuestring) : cJSON_PrintUnformatted(item);
		cJSON *copy = cJSON_CreateString(text);

		free(text);
		cJSON_AddItemToArray(arena, copy);
		if (count == OPTIONS_MAX) {
			ask_refuse(ask, 400, "there are too many %s", key);
			break;
		}
		if (cJSON_IsNull(item))
			continue;
		options[count++] = (struct fake_option){ .name = item->string, .value = copy->valuestring };
	}
	options[count] = (struct fake_option){ 0 };
}

static void run_command(struct ask *ask, bool autocomplete)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), id;
	const char *command = ask_needed(ask, "command"), *focused = autocomplete ? ask_needed(ask, "focused") : NULL;
	cJSON *arena cleanup(json_freep) = cJSON_CreateArray();
	struct fake_option options[OPTIONS_MAX + 1];

	command += *command == '/';
	read_options(ask, "options", options, arena);
	if (!ask_fine(ask))
		return;
	if (!autocomplete) {
		ask_made(ask, "interaction", fake_slash(ask->fake, user, channel, command, options));
		return;
	}
	id = fake_autocomplete(ask->fake, user, channel, command, options, focused);
	if (id)
		control_wait_choices(ask, id);
	else
		ask_result(ask, -1);
}

static void act_slash(struct ask *ask)
{
	run_command(ask, false);
}

static void act_autocomplete(struct ask *ask)
{
	run_command(ask, true);
}

static void act_click(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), message = ask_id(ask, "message");
	const char *custom_id = ask_needed(ask, "custom_id");

	if (ask_fine(ask))
		ask_made(ask, "interaction", fake_click(ask->fake, user, channel, message, custom_id));
}

static void act_select(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), channel = ask_channel(ask, user), message = ask_id(ask, "message");
	const char *custom_id = ask_needed(ask, "custom_id"), *values[OPTIONS_MAX + 1];
	size_t count = 0;

	json_array_each (item, json_array(ask->body, "values"))
		if (cJSON_IsString(item) && count < OPTIONS_MAX)
			values[count++] = item->valuestring;
	values[count] = NULL;
	if (ask_fine(ask))
		ask_made(ask, "interaction", fake_select(ask->fake, user, channel, message, custom_id, values));
}

static void act_modal(struct ask *ask)
{
	uint64_t interaction = ask_id(ask, "interaction");
	cJSON *arena cleanup(json_freep) = cJSON_CreateArray();
	struct fake_option values[OPTIONS_MAX + 1];

	read_options(ask, "values", values, arena);
	if (ask_fine(ask))
		ask_made(ask, "interaction", fake_modal_submit(ask->fake, interaction, values));
}

/* ---- people, roles, channels ---- */

static void act_join(struct ask *ask)
{
	const char *name = ask_needed(ask, "username"), *global_name = ask_text(ask, "global_name");
	bool bot = ask_bool(ask, "bot", false);

	if (ask_fine(ask))
		ask_made(ask, "id", fake_join(ask->fake, name, global_name, bot));
}

static void act_leave(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user");

	if (ask_fine(ask))
		ask_result(ask, fake_leave(ask->fake, user));
}

static void act_rename(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user");
	const char *name = ask_needed(ask, "username"), *global_name = ask_text(ask, "global_name");

	if (ask_fine(ask))
		ask_result(ask, fake_rename(ask->fake, user, name, global_name));
}

static void act_nick(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user");
	const char *nick = ask_text(ask, "nick");

	if (ask_fine(ask))
		ask_result(ask, fake_nick(ask->fake, user, nick));
}

static void act_avatar(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user");
	const char *hash = ask_text(ask, "hash");
	bool guild = ask_bool(ask, "guild", false);

	if (ask_fine(ask))
		ask_result(ask, fake_avatar(ask->fake, user, hash, guild));
}

static void act_close_dms(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user");
	bool closed = ask_bool(ask, "closed", true);

	if (ask_fine(ask))
		ask_result(ask, fake_close_dms(ask->fake, user, closed));
}

static void act_role_add(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), role = ask_role(ask);

	if (ask_fine(ask))
		ask_result(ask, fake_role_add(ask->fake, user, role));
}

static void act_role_remove(struct ask *ask)
{
	uint64_t user = ask_user(ask, "user"), role = ask_role(ask);

	if (ask_fine(ask))
		ask_result(ask, fake_role_remove(ask->fake, user, role));
}

static void act_role_create(struct ask *ask)
{
	const char *name = ask_needed(ask, "name");
	int64_t permissions = ask_int(ask, "permissions", 0, (int64_t)PERMISSION_ALL, 0),
		position = ask_int(ask, "position", 1, ROLES_MAX, 1);

	if (ask_fine(ask))
		ask_made(ask, "id", fake_role_create(ask->fake, name, (uint64_t)permissions, (int)position));
}

static void act_role_delete(struct ask *ask)
{
	uint64_t role = ask_role(ask);

	if (ask_fine(ask))
		ask_result(ask, fake_role_delete(ask->fake, role));
}

static void act_role_rename(struct ask *ask)
{
	uint64_t role = ask_role(ask);
	const char *name = ask_needed(ask, "name");

	if (ask_fine(ask))
		ask_result(ask, fake_role_rename(ask->fake, role, name));
}

static void act_channel_create(struct ask *ask)
{
	const char *name = ask_needed(ask, "name");
	int64_t type = ask_int(ask, "type", 0, 20, 0);
	uint64_t parent = ask_text(ask, "parent") ? ask_channel_at(ask, "parent", 0) : 0;

	if (ask_fine(ask))
		ask_made(ask, "id", fake_channel_create(ask->fake, name, (int)type, parent));
}

static void act_channel_delete(struct ask *ask)
{
	uint64_t channel = ask_channel(ask, 0);

	if (ask_fine(ask))
		ask_result(ask, fake_channel_delete(ask->fake, channel));
}

static void act_thread_add(struct ask *ask)
{
	uint64_t thread = ask_channel(ask, 0);
	uint64_t user = ask_fine(ask) ? ask_user(ask, "user") : 0;

	if (ask_fine(ask))
		ask_result(ask, fake_thread_add(ask->fake, thread, user));
}

static void act_permit(struct ask *ask)
{
	uint64_t channel = ask_channel(ask, 0), target = 0;
	const char *text = ask_needed(ask, "target");
	const struct role *role = state_role_by_name(&ask->fake->state, text);
	int64_t allow = ask_int(ask, "allow", 0, (int64_t)PERMISSION_ALL, 0),
		deny = ask_int(ask, "deny", 0, (int64_t)PERMISSION_ALL, 0);

	if (role)
		target = role->id;
	else if (ask_fine(ask) && parse_u64(text, &target) < 0)
		target = ask_user(ask, "target");
	if (ask_fine(ask))
		ask_result(ask, fake_channel_permit(ask->fake, channel, target, (uint64_t)allow, (uint64_t)deny));
}

/* ---- moderation ---- */

static void act_ban(struct ask *ask)
{
	uint64_t moderator = ask_user(ask, "moderator"), user = ask_user(ask, "user");
	const char *reason = ask_text(ask, "reason");

	if (ask_fine(ask))
		ask_result(ask, fake_ban(ask->fake, moderator, user, reason));
}

static void act_unban(struct ask *ask)
{
	uint64_t moderator = ask_user(ask, "moderator"), user = ask_user(ask, "user");

	if (ask_fine(ask))
		ask_result(ask, fake_unban(ask->fake, moderator, user));
}

static void act_kick(struct ask *ask)
{
	uint64_t moderator = ask_user(ask, "moderator"), user = ask_user(ask, "user");
	const char *reason = ask_text(ask, "reason");

	if (ask_fine(ask))
		ask_result(ask, fake_kick(ask->fake, moderator, user, reason));
}

const struct ask_row control_acts[] = {
	{ "say", act_say },
	{ "edit", act_edit },
	{ "delete", act_delete },
	{ "react", act_react },
	{ "unreact", act_unreact },
	{ "clear_reactions", act_clear_reactions },
	{ "typing", act_typing },
	{ "slash", act_slash },
	{ "autocomplete", act_autocomplete },
	{ "click", act_click },
	{ "select", act_select },
	{ "modal", act_modal },
	{ "join", act_join },
	{ "leave", act_leave },
	{ "rename", act_rename },
	{ "nick", act_nick },
	{ "avatar", act_avatar },
	{ "close_dms", act_close_dms },
	{ "role_add", act_role_add },
	{ "role_remove", act_role_remove },
	{ "role_create", act_role_create },
	{ "role_delete", act_role_delete },
	{ "role_rename", act_role_rename },
	{ "channel_create", act_channel_create },
	{ "channel_delete", act_channel_delete },
	{ "thread_add", act_thread_add },
	{ "permit", act_permit },
	{ "ban", act_ban },
	{ "unban", act_unban },
	{ "kick", act_kick },
	{ 0 },
};
