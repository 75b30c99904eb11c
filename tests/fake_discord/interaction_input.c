/* A person's input to the bot: slash commands with typed options, autocomplete, buttons, select menus, modals. What Discord's client would not let
 * a person send is refused with a reason. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "fake.h"
#include "interactions.h"
#include "message_form.h"
#include "permissions.h"
#include "write.h"

enum option_type {
	OPTION_SUBCOMMAND = 1,
	OPTION_GROUP = 2,
	OPTION_STRING = 3,
	OPTION_INTEGER = 4,
	OPTION_BOOLEAN = 5,
	OPTION_USER = 6,
	OPTION_CHANNEL = 7,
	OPTION_ROLE = 8,
	OPTION_MENTIONABLE = 9,
	OPTION_NUMBER = 10,
};

#define INTEGER_MAX 9007199254740991LL /* 2^53 - 1 */

struct input {
	struct fake *fake;
	uint64_t user;
	struct channel *channel;
	const struct fake_option *options; /* may be NULL */
	const char *focused;               /* autocomplete: this option's name */
	cJSON *resolved;
};

/* ---- options ---- */

static const char *given(const struct input *input, const char *name)
{
	for (const struct fake_option *option = input->options; option && option->name; option++)
		if (streq(option->name, name))
			return option->value;
	return NULL;
}

static cJSON *section(struct input *input, const char *name)
{
	cJSON *object = cJSON_GetObjectItemCaseSensitive(input->resolved, name);

	if (!object) {
		object = cJSON_CreateObject();
		cJSON_AddItemToObject(input->resolved, name, object);
	}
	return object;
}

static void add_written(cJSON *object, const char *id, const struct str *json)
{
	cJSON *tree = cJSON_ParseWithLength(json->buf, json->len);

	cJSON_DeleteItemFromObjectCaseSensitive(object, id);
	cJSON_AddItemToObject(object, id, tree);
}

static void resolve_user(struct input *input, const struct user *user, const char *id)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	write_user(&w, user);
	add_written(section(input, "users"), id, &text);
	if (!user->member)
		return;
	str_clear(&text);
	w = (struct json_writer)JSON_WRITER(&text);
	json_begin_object(&w);
	write_member_fields(&w, &input->fake->state, user);
	put_bits(&w, "permissions", permissions_in(&input->fake->state, user->id, input->channel));
	json_end_object(&w);
	add_written(section(input, "members"), id, &text);
}

static void resolve_other(struct input *input, const struct role *role, const struct channel *channel, const char *id)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	if (role) {
		write_role(&w, role);
	} else {
		json_begin_object(&w);
		write_channel_fields(&w, &input->fake->state, channel);
		put_bits(&w, "permissions", permissions_in(&input->fake->state, input->user, channel));
		json_end_object(&w);
	}
	add_written(section(input, role ? "roles" : "channels"), id, &text);
}

/* The thing that a value names, by id or by name, as the text of its id; false: refused. */
static bool resolve(struct input *input, enum option_type type, const char *value, char id[24])
{
	const struct state *state = &input->fake->state;
	const struct user *user = NULL;
	const struct role *role = NULL;
	const struct channel *channel = NULL;
	uint64_t number = 0;
	bool digits = parse_u64(value, &number) == 0;

	if (type == OPTION_USER || type == OPTION_MENTIONABLE)
		user = digits ? state_user(state, number) : state_user_by_name(state, value);
	if (type == OPTION_ROLE || (type == OPTION_MENTIONABLE && !user))
		role = digits ? state_role(state, number) : state_role_by_name(state, value);
	if (type == OPTION_CHANNEL)
		channel = digits ? state_channel(state, number) : state_channel_by_name(state, value);
	if (!user && !role && !channel) {
		fake_refuse(input->fake, "'%s' is no %s here", value,
			type == OPTION_USER      ? "person"
			: type == OPTION_ROLE    ? "role"
			: type == OPTION_CHANNEL ? "channel"
						 : "person or role");
		return false;
	}
	snprintf(id, 24, "%llu", (unsigned long long)(user ? user->id : role ? role->id : channel->id));
	if (user)
		resolve_user(input, user, id);
	else
		resolve_other(input, role, channel, id);
	return true;
}

static bool is_choice(const cJSON *option, const char *value)
{
	const cJSON *choices = json_array(option, "choices");

	if (!choices || !choices->child)
		return true;
	json_array_each (choice, choices) {
		const cJSON *item = json_get(choice, "value");
		char number[32];

		if (cJSON_IsNumber(item))
			snprintf(number, sizeof(number), "%.17g", item->valuedouble);
		if (streq(cJSON_IsString(item) ? item->valuestring : cJSON_IsNumber(item) ? number : "", value))
			return true;
	}
	return false;
}

static cJSON *number_value(struct input *input, const cJSON *option, const char *name, const char *value, bool whole)
{
	char *end;
	double number = strtod(value, &end);
	double low = json_double(option, "min_value", -(double)INTEGER_MAX);
	double high = json_double(option, "max_value", (double)INTEGER_MAX);
	int64_t integer;

	if (!*value || *end || !(number >= -(double)INTEGER_MAX && number <= (double)INTEGER_MAX) ||
		(whole && parse_i64(value, &integer) < 0)) {
		fake_refuse(input->fake, "%s: '%s' is no %s", name, value, whole ? "whole number" : "number");
		return NULL;
	}
	if (number < low || number > high) {
		fake_refuse(input->fake, "%s: must be from %.15g to %.15g", name, low, high);
		return NULL;
	}
	return cJSON_CreateNumber(number);
}

/* The option's value in its type; NULL: refused. */
static cJSON *option_value(struct input *input, const cJSON *option, const char *name, const char *value)
{
	int64_t type = json_int(option, "type", 0);
	size_t length = utf8_count(value, strlen(value));
	char id[24];

	if (!is_choice(option, value)) {
		fake_refuse(input->fake, "%s: '%s' is none of the choices", name, value);
		return NULL;
	}
	switch (type) {
	case OPTION_STRING:
		if (utf8_valid(value, strlen(value)) && (int64_t)length >= json_int(option, "min_length", 0) &&
			(int64_t)length <= json_int(option, "max_length", 6000))
			return cJSON_CreateString(value);
		fake_refuse(input->fake, "%s: the text is too short or too long", name);
		return NULL;
	case OPTION_INTEGER:
	case OPTION_NUMBER: return number_value(input, option, name, value, type == OPTION_INTEGER);
	case OPTION_BOOLEAN:
		if (streq(value, "true") || streq(value, "false"))
			return cJSON_CreateBool(streq(value, "true"));
		fake_refuse(input->fake, "%s: must be true or false", name);
		return NULL;
	case OPTION_USER:
	case OPTION_CHANNEL:
	case OPTION_ROLE:
	case OPTION_MENTIONABLE:
		return resolve(input, (enum option_type)type, value, id) ? cJSON_CreateString(id) : NULL;
	default:
		fake_refuse(input->fake, "%s: options of type %lld do not exist here", name, (long long)type);
		return NULL;
	}
}

static bool is_known(const cJSON *options, const char *name)
{
	json_array_each (option, options)
		if (streq(json_string(option, "name"), name))
			return true;
	return false;
}

/* The list of what was given, in the order of the registration; NULL: refused. */
static cJSON *build_options(struct input *input, const cJSON *options)
{
	cJSON *list = cJSON_CreateArray();

	for (const struct fake_option *option = input->options; option && option->name; option++) {
		if (!is_known(options, option->name)) {
			fake_refuse(input->fake, "the command has no option '%s'", option->name);
			goto refused;
		}
	}
	json_array_each (option, options) {
		const char *name = json_string(option, "name"), *value = given(input, name);
		bool focused = input->focused && streq(input->focused, name);
		cJSON *entry, *typed;

		if (focused && !json_bool(option, "autocomplete", false)) {
			fake_refuse(input->fake, "%s has no suggestions", name);
			goto refused;
		}
		if (!value && !focused) {
			if (!json_bool(option, "required", false) || input->focused)
				continue;
			fake_refuse(input->fake, "%s is required", name);
			goto refused;
		}
		/* What is being typed is text, whatever the option's type. */
		typed = focused ? cJSON_CreateString(value ? value : "") : option_value(input, option, name, value);
		if (!typed && input->focused)
			continue;
		if (!typed)
			goto refused;
		entry = cJSON_CreateObject();
		cJSON_AddStringToObject(entry, "name", name);
		cJSON_AddNumberToObject(entry, "type", (double)json_int(option, "type", 0));
		cJSON_AddItemToObject(entry, "value", typed);
		if (focused)
			cJSON_AddTrueToObject(entry, "focused");
		cJSON_AddItemToArray(list, entry);
	}
	return list;
refused:
	cJSON_Delete(list);
	return NULL;
}

static const cJSON *named(const cJSON *options, const char *name, size_t len)
{
	json_array_each (option, options) {
		const char *text = json_string(option, "name");

		if (text && strlen(text) == len && memcmp(text, name, len) == 0)
			return option;
	}
	return NULL;
}

/* Goes down subcommands by the words of `rest`, and wraps the innermost options as Discord does; NULL: refused. */
static cJSON *build_path(struct input *input, const cJSON *options, const char *rest)
{
	const cJSON *first = options ? options->child : NULL;
	bool nested = first && json_int(first, "type", 0) <= OPTION_GROUP;
	size_t len;
	const cJSON *sub;
	cJSON *inner, *entry, *list;

	rest += strspn(rest, " ");
	if (!nested && !*rest)
		return build_options(input, options);
	len = strcspn(rest, " ");
	sub = nested ? named(options, rest, len) : NULL;
	if (!sub) {
		fake_refuse(input->fake, nested ? "name one of the subcommands" : "the command has no subcommand '%s'",
			rest);
		return NULL;
	}
	inner = build_path(input, json_array(sub, "options"), rest + len);
	if (!inner)
		return NULL;
	entry = cJSON_CreateObject();
	cJSON_AddStringToObject(entry, "name", json_string(sub, "name"));
	cJSON_AddNumberToObject(entry, "type", (double)json_int(sub, "type", 0));
	cJSON_AddItemToObject(entry, "options", inner);
	list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, entry);
	return list;
}

/* ---- commands ---- */

bool interaction_may_use(
	const struct fake *fake, uint64_t user, const struct channel *channel, const struct command *command)
{
	const char *bits = json_string(command->body, "default_member_permissions");
	uint64_t wanted = 0, permissions = permissions_in(&fake->state, user, channel);

	if (channel_is_direct(channel))
		return command->global && json_bool(command->body, "dm_permission", true);
	if (!permitted(permissions, PERMISSION_VIEW_CHANNEL | PERMISSION_USE_COMMANDS))
		return false;
	if (!bits || permitted(permissions, PERMISSION_ADMINISTRATOR))
		return true;
	/* "0" is for administrators only. */
	return parse_u64(bits, &wanted) == 0 && wanted && permitted(permissions, wanted);
}

static const struct command *find_command(const struct state *state, const char *text)
{
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < state->command_count; i++) {
		const char *name = json_string(state->commands[i].body, "name");

		if (strlen(name) == len && memcmp(name, text, len) == 0)
			return &state->commands[i];
	}
	return NULL;
}

static struct channel *enter(struct fake *fake, uint64_t user, uint64_t channel_id)
{
	struct channel *channel = state_channel(&fake->state, channel_id);

	str_clear(&fake->refusal);
	fake->mark = fake->state.changes;
	if (!channel || !state_user(&fake->state, user) || channel->type == CHANNEL_CATEGORY) {
		fake_refuse(fake, "there is no such %s", channel ? "person" : "channel");
		return NULL;
	}
	if (!permitted(permissions_in(&fake->state, user, channel), PERMISSION_VIEW_CHANNEL)) {
		fake_refuse(fake, "%s does not see this channel", state_user(&fake->state, user)->name);
		return NULL;
	}
	return channel;
}

static uint64_t run_command(struct fake *fake, uint64_t user, uint64_t channel_id, const char *text,
	const struct fake_option *options, const char *focused)
{
	struct input input = { .fake = fake, .user = user, .options = options, .focused = focused };
	const struct command *command;
	cJSON *data, *list;
	char id[24];

	input.channel = enter(fake, user, channel_id);
	if (!input.channel)
		return 0;
	command = find_command(&fake->state, text);
	if (!command) {
		fake_refuse(fake, "there is no command '%s'", text);
		return 0;
	}
	if (!interaction_may_use(fake, user, input.channel, command)) {
		fake_refuse(fake, "%s may not use this command here", state_user(&fake->state, user)->name);
		return 0;
	}
	input.resolved = cJSON_CreateObject();
	list = build_path(&input, json_array(command->body, "options"), text + strcspn(text, " "));
	if (!list) {
		cJSON_Delete(input.resolved);
		return 0;
	}
	data = cJSON_CreateObject();
	snprintf(id, sizeof(id), "%llu", (unsigned long long)command->id);
	cJSON_AddStringToObject(data, "id", id);
	cJSON_AddStringToObject(data, "name", json_string(command->body, "name"));
	cJSON_AddNumberToObject(data, "type", 1);
	if (!command->global) {
		snprintf(id, sizeof(id), "%llu", (unsigned long long)fake->state.guild);
		cJSON_AddStringToObject(data, "guild_id", id);
	}
	if (list->child)
		cJSON_AddItemToObject(data, "options", list);
	else
		cJSON_Delete(list);
	if (input.resolved->child)
		cJSON_AddItemToObject(data, "resolved", input.resolved);
	else
		cJSON_Delete(input.resolved);
	return interactions_start(
		fake, focused ? INTERACTION_AUTOCOMPLETE : INTERACTION_COMMAND, user, channel_id, 0, text, data);
}

uint64_t fake_slash(
	struct fake *fake, uint64_t user, uint64_t channel, const char *command, const struct fake_option *options)
{
	return run_command(fake, user, channel, command, options, NULL);
}

uint64_t fake_autocomplete(struct fake *fake, uint64_t user, uint64_t channel, const char *command,
	const struct fake_option *options, const char *focused)
{
	return run_command(fake, user, channel, command, options, focused);
}

/* ---- components ---- */

struct search {
	const char *custom_id;
	const cJSON *found;
};

static bool search_component(void *arg, const cJSON *component)
{
	struct search *search = arg;
	const char *id = json_string(component, "custom_id");

	if (id && streq(id, search->custom_id))
		search->found = component;
	return !search->found;
}

/* The component with this id on a message that the person sees; NULL: refused. */
static const cJSON *find_component(
	struct fake *fake, uint64_t user, struct channel *channel, uint64_t message_id, const char *custom_id)
{
	const struct message *message = channel_message(channel, message_id);
	struct search search = { .custom_id = custom_id };

	if (!message || (message->ephemeral_for && message->ephemeral_for != user)) {
		fake_refuse(fake, "there is no such message in this channel");
		return NULL;
	}
	components_walk(message->components, search_component, &search);
	if (!search.found)
		fake_refuse(fake, "the message has no component '%s'", custom_id);
	else if (json_bool(search.found, "disabled", false))
		fake_refuse(fake, "the component is disabled");
	else
		return search.found;
	return NULL;
}

static bool offers(const cJSON *component, const char *value)
{
	json_array_each (option, json_array(component, "options"))
		if (streq(json_string(option, "value"), value))
			return true;
	return json_int(component, "type", 0) != 3; /* other menus offer people, roles or channels */
}

static uint64_t use_component(struct fake *fake, uint64_t user, uint64_t channel_id, uint64_t message,
	const char *custom_id, const char *const *values)
{
	struct channel *channel = enter(fake, user, channel_id);
	const cJSON *component = channel ? find_component(fake, user, channel, message, custom_id) : NULL;
	int64_t type = json_int(component, "type", 0), count = 0;
	cJSON *data, *list;

	if (!component)
		return 0;
	if ((type == 2) != !values) {
		fake_refuse(fake, "the component is %s", type == 2 ? "a button" : "a menu");
		return 0;
	}
	for (; values && values[count]; count++) {
		if (!offers(component, values[count])) {
			fake_refuse(fake, "the menu does not offer '%s'", values[count]);
			return 0;
		}
	}
	if (values && (count < json_int(component, "min_values", 1) || count > json_int(component, "max_values", 1))) {
		fake_refuse(fake, "choose %lld to %lld", (long long)json_int(component, "min_values", 1),
			(long long)json_int(component, "max_values", 1));
		return 0;
	}
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "custom_id", custom_id);
	cJSON_AddNumberToObject(data, "component_type", (double)type);
	cJSON_AddNumberToObject(data, "id", (double)json_int(component, "id", 1));
	if (values) {
		list = cJSON_AddArrayToObject(data, "values");
		for (int64_t i = 0; i < count; i++)
			cJSON_AddItemToArray(list, cJSON_CreateString(values[i]));
	}
	return interactions_start(fake, INTERACTION_COMPONENT, user, channel_id, message, NULL, data);
}

uint64_t fake_click(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *custom_id)
{
	return use_component(fake, user, channel, message, custom_id, NULL);
}

uint64_t fake_select(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *custom_id,
	const char *const *values)
{
	return use_component(fake, user, channel, message, custom_id, values);
}

/* ---- modals ---- */

struct modal_fill {
	const struct fake_option *values;
	cJSON *rows;
};

static bool fill_input(void *arg, const cJSON *component)
{
	struct modal_fill *fill = arg;
	const char *id = json_string(component, "custom_id"), *text = "";
	cJSON *row, *list, *entry;

	if (!id)
		return true;
	for (const struct fake_option *value = fill->values; value && value->name; value++)
		if (streq(value->name, id))
			text = value->value;
	row = cJSON_CreateObject();
	entry = cJSON_CreateObject();
	cJSON_AddNumberToObject(entry, "type", (double)json_int(component, "type", 4));
	cJSON_AddStringToObject(entry, "custom_id", id);
	cJSON_AddStringToObject(entry, "value", text);
	cJSON_AddNumberToObject(row, "type", 1);
	list = cJSON_AddArrayToObject(row, "components");
	cJSON_AddItemToArray(list, entry);
	cJSON_AddItemToArray(fill->rows, row);
	return true;
}

uint64_t fake_modal_submit(struct fake *fake, uint64_t id, const struct fake_option *values)
{
	struct interaction *interaction = interactions_find(fake->interactions, id);
	struct modal_fill fill = { .values = values };
	cJSON *data;

	str_clear(&fake->refusal);
	fake->mark = fake->state.changes;
	if (!interaction || interaction->callback != CALLBACK_MODAL) {
		fake_refuse(fake, "there is no open modal of this interaction");
		return 0;
	}
	data = cJSON_CreateObject();
	cJSON_AddStringToObject(data, "custom_id", json_string(interaction->answer, "custom_id"));
	fill.rows = cJSON_AddArrayToObject(data, "components");
	components_walk(json_array(interaction->answer, "components"), fill_input, &fill);
	return interactions_start(fake, INTERACTION_MODAL, interaction->user, interaction->channel,
		interaction->message, interaction->command, data);
}
