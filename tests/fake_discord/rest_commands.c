/* Application commands, of the guild and global ones (interactions/application-commands). */
#include <stdlib.h>

#include "command_form.h"
#include "feed.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

/* The application and (unless the route is the global one) the guild of the path; false: answered. */
static bool check_place(struct call *call, bool global)
{
	if (call->ids[0] != call->fake->state.bot)
		return call_fail(call, 404, 10002, "Unknown Application");
	if (!global && (call->ids[1] != call->fake->state.guild || call->fake->bot_gone))
		return call_fail(call, 403, 50001, "Missing Access");
	return true;
}

static void tell_page(struct fake *fake)
{
	struct str data cleanup(str_finish) = STR_INIT;

	str_printf(&data, "{\"count\":%zu}", fake->state.command_count);
	feed_add(fake->feed, "COMMANDS_UPDATE", data.buf, data.len);
}

/* What is kept of a registration: what Discord knows, with its defaults. */
static cJSON *clean(const cJSON *command)
{
	static const char *const kept[] = { "name", "description", "options", "default_member_permissions", "nsfw",
		"type", "dm_permission", "name_localizations", "description_localizations", "contexts",
		"integration_types" };
	cJSON *copy = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const cJSON *value = json_get(command, kept[i]);

		if (value)
			cJSON_AddItemToObject(copy, kept[i], cJSON_Duplicate(value, 1));
	}
	if (!json_get(copy, "type"))
		cJSON_AddNumberToObject(copy, "type", 1);
	if (!json_get(copy, "description"))
		cJSON_AddStringToObject(copy, "description", "");
	if (!json_get(copy, "default_member_permissions"))
		cJSON_AddNullToObject(copy, "default_member_permissions");
	if (!json_get(copy, "nsfw"))
		cJSON_AddFalseToObject(copy, "nsfw");
	return copy;
}

static struct command *find_named(struct state *state, const char *name, int64_t type, bool global)
{
	for (size_t i = 0; i < state->command_count; i++) {
		struct command *command = &state->commands[i];

		if (command->global == global && streq(json_string(command->body, "name"), name) &&
			json_int(command->body, "type", 1) == type)
			return command;
	}
	return NULL;
}

static struct command *add_command(struct call *call, const cJSON *body, bool global, uint64_t id)
{
	struct state *state = &call->fake->state;
	uint64_t fresh = state_id(state, fake_time(call->fake));
	struct command *command;

	state->commands = xrealloc(state->commands, (state->command_count + 1) * sizeof(*state->commands));
	command = &state->commands[state->command_count++];
	*command = (struct command){ .id = id ? id : fresh, .version = fresh, .body = clean(body), .global = global };
	return command;
}

static size_t count_commands(const struct state *state, bool global)
{
	size_t count = 0;

	for (size_t i = 0; i < state->command_count; i++)
		count += state->commands[i].global == global;
	return count;
}

static void list(struct call *call, bool global)
{
	const struct state *state = &call->fake->state;

	if (!check_place(call, global))
		return;
	json_begin_array(&call->w);
	for (size_t i = 0; i < state->command_count; i++)
		if (state->commands[i].global == global)
			write_command(&call->w, state, &state->commands[i]);
	json_end_array(&call->w);
}

static void check_unique(struct call *call, const cJSON *commands)
{
	json_array_each (command, commands) {
		for (const cJSON *other = command->next; other; other = other->next) {
			const char *a = json_string(command, "name"), *b = json_string(other, "name");

			if (a && b && streq(a, b) && json_int(command, "type", 1) == json_int(other, "type", 1))
				form_error(&call->form, "", "APPLICATION_COMMANDS_DUPLICATE_NAME",
					"Application command names must be unique");
		}
	}
}

/* Replaces all; a command that keeps its name keeps its id. */
static void overwrite(struct call *call, bool global)
{
	struct state *state = &call->fake->state;
	size_t count = (size_t)cJSON_GetArraySize(call->body), index = 0;
	uint64_t *ids cleanup(freep) = xcalloc(count + 1, sizeof(*ids));

	if (!check_place(call, global))
		return;
	json_array_each (command, call->body) {
		struct str path cleanup(str_finish) = STR_INIT;

		str_printf(&path, "%zu", index++);
		command_form_check(&call->form, path.buf, command);
	}
	check_unique(call, call->body);
	if (!call_form(call))
		return;
	if (count > COMMANDS_MAX) {
		call_fail(call, 400, 30032, "Maximum number of application commands reached (100)");
		return;
	}
	index = 0;
	json_array_each (command, call->body) {
		const struct command *old =
			find_named(state, json_string(command, "name"), json_int(command, "type", 1), global);

		ids[index++] = old ? old->id : 0;
	}
	state_remove_commands(state, global);
	index = 0;
	json_array_each (command, call->body)
		add_command(call, command, global, ids[index++]);
	tell_page(call->fake);
	list(call, global);
}

/* A new one, or a new version of the one with this name. */
static void create(struct call *call, bool global)
{
	struct state *state = &call->fake->state;
	struct command *command;
	bool existed;

	if (!check_place(call, global))
		return;
	command_form_check(&call->form, "", call->body);
	if (!call_form(call))
		return;
	command = find_named(state, json_string(call->body, "name"), json_int(call->body, "type", 1), global);
	existed = command;
	if (!command && count_commands(state, global) >= COMMANDS_MAX) {
		call_fail(call, 400, 30032, "Maximum number of application commands reached (100)");
		return;
	}
	if (command) {
		cJSON_Delete(command->body);
		command->body = clean(call->body);
		command->version = state_id(state, fake_time(call->fake));
	} else {
		command = add_command(call, call->body, global, 0);
	}
	call->status = existed ? 200 : 201;
	write_command(&call->w, state, command);
	tell_page(call->fake);
}

/* The command that the last parameter names; NULL: answered. */
static struct command *find(struct call *call, bool global)
{
	struct command *command;

	if (!check_place(call, global))
		return NULL;
	command = state_command(&call->fake->state, call->ids[call->parameters - 1]);
	if (command && command->global == global)
		return command;
	call_fail(call, 404, 10063, "Unknown application command");
	return NULL;
}

static void get_one(struct call *call, bool global)
{
	const struct command *command = find(call, global);

	if (command)
		write_command(&call->w, &call->fake->state, command);
}

static void patch_one(struct call *call, bool global)
{
	struct command *command = find(call, global);
	cJSON *merged cleanup(json_freep) = NULL;

	if (!command)
		return;
	merged = cJSON_Duplicate(command->body, 1);
	json_array_each (field, call->body) {
		cJSON_DeleteItemFromObjectCaseSensitive(merged, field->string);
		cJSON_AddItemToObject(merged, field->string, cJSON_Duplicate(field, 1));
	}
	command_form_check(&call->form, "", merged);
	if (!call_form(call))
		return;
	cJSON_Delete(command->body);
	command->body = clean(merged);
	command->version = state_id(&call->fake->state, fake_time(call->fake));
	write_command(&call->w, &call->fake->state, command);
	tell_page(call->fake);
}

static void delete_one(struct call *call, bool global)
{
	struct state *state = &call->fake->state;
	struct command *command = find(call, global);
	size_t index;

	if (!command)
		return;
	index = (size_t)(command - state->commands);
	cJSON_Delete(command->body);
	state->command_count--;
	memmove(command, command + 1, (state->command_count - index) * sizeof(*command));
	tell_page(call->fake);
	call_done(call);
}

/* One function per row: the guild's and the global one of each. */
#define BOTH(function)                                   \
	static void guild_##function(struct call *call)  \
	{                                                \
		function(call, false);                   \
	}                                                \
	static void global_##function(struct call *call) \
	{                                                \
		function(call, true);                    \
	}
BOTH(list)
BOTH(overwrite)
BOTH(create)
BOTH(get_one)
BOTH(patch_one)
BOTH(delete_one)

#define GLOBAL "/applications/{application_id}/commands"
#define GUILD  "/applications/{application_id}/guilds/{guild_id}/commands"

const struct route rest_command_routes[] = {
	{ "GET", GUILD, guild_list, 5, 5000, 0 },
	{ "PUT", GUILD, guild_overwrite, 2, 5000, ROUTE_LIST_BODY },
	{ "POST", GUILD, guild_create, 5, 20000, ROUTE_BODY },
	{ "GET", GUILD "/{command_id}", guild_get_one, 5, 5000, 0 },
	{ "PATCH", GUILD "/{command_id}", guild_patch_one, 5, 20000, ROUTE_BODY },
	{ "DELETE", GUILD "/{command_id}", guild_delete_one, 5, 20000, 0 },
	{ "GET", GLOBAL, global_list, 5, 5000, 0 },
	{ "PUT", GLOBAL, global_overwrite, 2, 5000, ROUTE_LIST_BODY },
	{ "POST", GLOBAL, global_create, 5, 20000, ROUTE_BODY },
	{ "GET", GLOBAL "/{command_id}", global_get_one, 5, 5000, 0 },
	{ "PATCH", GLOBAL "/{command_id}", global_patch_one, 5, 20000, ROUTE_BODY },
	{ "DELETE", GLOBAL "/{command_id}", global_delete_one, 5, 20000, 0 },
	{ 0 },
};
