/* Registering slash commands (register.h). Commands of features that are switched off are in no row, so they vanish
 * from Discord with the next comparison. A new type of argument is a row of `option_types`.
 */
#include "register.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "feature.h"

#define RETRY_FIRST (10 * SECOND)
#define RETRY_MAX   (10 * MINUTE)

/* Discord's option types. */
enum option_type { OPTION_STRING = 3, OPTION_INTEGER = 4, OPTION_USER = 6, OPTION_CHANNEL = 7, OPTION_ROLE = 8 };

static enum option_type option_type(const struct arg *arg)
{
	static const enum option_type option_types[] = {
		[ARG_STRING] = OPTION_STRING,
		[ARG_INTEGER] = OPTION_INTEGER,
		[ARG_MEMBER] = OPTION_USER,
		[ARG_ROLE] = OPTION_ROLE,
		[ARG_CHANNEL] = OPTION_CHANNEL,
		[ARG_CHOICE] = OPTION_STRING,
		[ARG_REST] = OPTION_STRING,
	};

	/* Candidates of an autocomplete have text values, and the remarks among them would be no numbers. */
	return arg->autocomplete ? OPTION_STRING : option_types[arg->type];
}

static void write_limits(struct json_writer *w, const struct arg *arg)
{
	enum option_type type = option_type(arg);

	if (!arg->min && !arg->max)
		return;
	if (type == OPTION_INTEGER) {
		json_put_int(w, "min_value", arg->min);
		json_put_int(w, "max_value", arg->max);
	} else if (type == OPTION_STRING && !arg->autocomplete && arg->type != ARG_CHOICE) {
		if (arg->min > 0)
			json_put_int(w, "min_length", arg->min);
		if (arg->max > 0)
			json_put_int(w, "max_length", arg->max);
	}
}

static void write_option(struct json_writer *w, const struct arg *arg)
{
	json_begin_object(w);
	json_put_int(w, "type", option_type(arg));
	json_put_string(w, "name", arg->name);
	json_put_string(w, "description", arg->description);
	if (arg->required)
		json_put_bool(w, "required", true);
	if (arg->type == ARG_CHOICE) {
		json_key(w, "choices");
		json_begin_array(w);
		for (size_t i = 0; arg->choices[i]; i++) {
			json_begin_object(w);
			json_put_string(w, "name", arg->choices[i]);
			json_put_string(w, "value", arg->choices[i]);
			json_end_object(w);
		}
		json_end_array(w);
	}
	if (arg->autocomplete)
		json_put_bool(w, "autocomplete", true);
	write_limits(w, arg);
	json_end_object(w);
}

void register_write(struct str *out, const struct commands *commands)
{
	struct json_writer w = JSON_WRITER(out);
	const struct command_entry *entry;

	json_begin_array(&w);
	for (size_t i = 0; (entry = commands_at(commands, i)); i++) {
		const struct command *command = entry->command;

		if (!(command->kinds & SLASH))
			continue;
		json_begin_object(&w);
		json_put_int(&w, "type", 1);
		json_put_string(&w, "name", command->name);
		json_put_string(&w, "description", command->brief);
		if (command->args && command->args[0].name) {
			json_key(&w, "options");
			json_begin_array(&w);
			for (const struct arg *arg = command->args; arg->name; arg++)
				write_option(&w, arg);
			json_end_array(&w);
		}
		json_end_object(&w);
	}
	json_end_array(&w);
}

/* ---- comparing: everything that we say must be there; what else Discord says must be a default ---- */

static bool same_value(const cJSON *ours, const cJSON *theirs);

static bool is_default(const cJSON *value)
{
	return !value || cJSON_IsNull(value) || cJSON_IsFalse(value) || (cJSON_IsArray(value) && !value->child);
}

static bool same_keys(const cJSON *ours, const cJSON *theirs)
{
	static const char *const keys[] = { "type", "name", "description", "required", "choices", "value",
		"autocomplete", "min_value", "max_value", "min_length", "max_length", "options" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const cJSON *a = json_get(ours, keys[i]), *b = json_get(theirs, keys[i]);

		if (is_default(a) ? !is_default(b) : !same_value(a, b))
			return false;
	}
	return true;
}

static bool same_value(const cJSON *ours, const cJSON *theirs)
{
	if (cJSON_IsArray(ours)) {
		const cJSON *b = cJSON_IsArray(theirs) ? theirs->child : NULL;

		json_array_each (a, ours) {
			if (!b || !same_keys(a, b))
				return false;
			b = b->next;
		}
		return !b;
	}
	return theirs && cJSON_Compare(ours, theirs, true);
}

static const cJSON *named(const cJSON *array, const char *name)
{
	json_array_each (item, array) {
		const char *has = json_string(item, "name");

		if (has && streq(has, name))
			return item;
	}
	return NULL;
}

bool register_same(const cJSON *ours, const cJSON *theirs)
{
	if (cJSON_GetArraySize(ours) != cJSON_GetArraySize(theirs))
		return false;
	json_array_each (command, ours) {
		const cJSON *other = named(theirs, json_string(command, "name"));

		if (!other || !same_keys(command, other))
			return false;
	}
	return true;
}

/* ---- sending ---- */

struct registration {
	struct bot *bot;
	struct timer timer;
	usec pause; /* before the next try */
};

static int compare_and_send(struct bot *bot)
{
	struct service *service = bot->service;
	struct str text cleanup(str_finish) = STR_INIT;
	cJSON *theirs cleanup(json_freep) = NULL, *ours cleanup(json_freep) = NULL;
	int r;

	register_write(&text, bot->commands);
	r = json_parse(text.buf, text.len, &ours);
	if (r < 0)
		return r;
	r = rest_get_guild_commands(service->rest, service->application_id, service->guild_id, &theirs);
	if (r < 0)
		return r;
	if (register_same(ours, theirs)) {
		log_info("slash commands are registered as they are");
		return 0;
	}
	r = rest_overwrite_guild_commands(
		service->rest, service->application_id, service->guild_id, text.buf, text.len);
	if (r == 0)
		log_info("slash commands registered", LOG_INT("count", cJSON_GetArraySize(ours)));
	return r;
}

static void register_flow(void *arg)
{
	struct registration *registration = arg;
	const struct rest_error *error;
	int r = compare_and_send(registration->bot);

	if (r == 0 || r == -ECANCELED)
		return;
	error = rest_error(registration->bot->service->rest);
	log_warn(r == -EACCES ? "slash commands could not be registered: invite the bot again with the scope "
				"applications.commands"
			      : "slash commands could not be registered, trying again",
		LOG_ERRNO(r), LOG_INT("discord_code", error ? error->code : 0),
		LOG_STR("discord_message", error ? error->message : ""));
	timer_start(&registration->timer, registration->pause);
	registration->pause = MIN(2 * registration->pause, RETRY_MAX);
}

static void retry_later(void *arg)
{
	struct registration *registration = arg;

	timer_start(&registration->timer, registration->pause);
}

static void begin(void *arg)
{
	struct registration *registration = arg;

	if (!registration->bot->stopping)
		bot_start_flow(registration->bot, "register", register_flow, retry_later, registration);
}

void register_start(struct bot *bot)
{
	struct registration *registration = xcalloc(1, sizeof(*registration));

	registration->bot = bot;
	registration->pause = RETRY_FIRST;
	bot->registration = registration;
	timer_init(&registration->timer, &bot->service->loop, begin, registration);
	timer_start(&registration->timer, 0);
}

void register_stop(struct bot *bot)
{
	if (!bot->registration)
		return;
	timer_finish(&bot->registration->timer);
	free(bot->registration);
	bot->registration = NULL;
}
