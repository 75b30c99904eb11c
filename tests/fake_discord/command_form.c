/* What an application command may be: see command_form.h. */
#include "command_form.h"

#include <math.h>

#include "base/json.h"
#include "base/utf8.h"

#define COMMAND_CHARACTERS_MAX 8000
#define OPTIONS_MAX            25

enum { SUBCOMMAND = 1, GROUP = 2, STRING = 3, INTEGER = 4, NUMBER = 10, ATTACHMENT = 11 };

static const struct form_rule choice_rules[] = {
	{ "name", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "value", FORM_ANY, 0, 0, FORM_REQUIRED, NULL },
	{ 0 },
};
static const struct form_rule option_rules[] = {
	{ "type", FORM_INTEGER, SUBCOMMAND, ATTACHMENT, FORM_REQUIRED, NULL },
	{ "name", FORM_TEXT, 1, 32, FORM_REQUIRED, NULL },
	{ "description", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "required", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ "autocomplete", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ "choices", FORM_LIST, 0, 25, FORM_NULL, choice_rules },
	{ "options", FORM_LIST, 0, OPTIONS_MAX, FORM_NULL, NULL },
	{ "min_length", FORM_INTEGER, 0, 6000, FORM_NULL, NULL },
	{ "max_length", FORM_INTEGER, 1, 6000, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule command_rules[] = {
	{ "name", FORM_TEXT, 1, 32, FORM_REQUIRED, NULL },
	{ "type", FORM_INTEGER, 1, 4, FORM_NULL, NULL },
	{ "description", FORM_TEXT, 0, 100, FORM_NULL, NULL },
	{ "options", FORM_LIST, 0, OPTIONS_MAX, FORM_NULL, NULL },
	{ "default_member_permissions", FORM_BITS, 0, 0, FORM_NULL, NULL },
	{ "nsfw", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};

/* Letters, digits, - _ ' and no capitals. */
static bool name_is_valid(const char *name)
{
	struct str folded cleanup(str_finish) = STR_INIT;
	size_t len = strlen(name), n;
	uint32_t code;

	for (const char *p = name; (n = utf8_next(p, len - (size_t)(p - name), &code)) > 0; p += n) {
		bool ascii = (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') || code == '-' ||
			     code == '_' || code == '\'';

		if (!ascii && code < 0xaa)
			return false;
		/* punctuation, symbols, spaces and emoji of the higher planes */
		if ((code >= 0x2000 && code < 0x2c00) || (code >= 0x3000 && code < 0x3005) || code >= 0x1f000)
			return false;
	}
	return utf8_fold(&folded, name) == 0;
}

struct check {
	struct form *form;
	size_t characters;
};

static void count(struct check *check, const char *text)
{
	check->characters += text ? utf8_count(text, strlen(text)) : 0;
}

static void check_name(
	struct check *check, const char *path, const cJSON *object, const char *code, const char *message)
{
	struct str inner cleanup(str_finish) = STR_INIT;
	const char *name = json_string(object, "name");

	form_path(&inner, path, "name");
	count(check, name);
	count(check, json_string(object, "description"));
	if (name && *name && !name_is_valid(name))
		form_error(check->form, inner.buf, code, "%s", message);
}

static void check_choices(struct check *check, const char *path, const cJSON *option, int64_t type)
{
	int index = 0;

	json_array_each (choice, json_array(option, "choices")) {
		const cJSON *value = json_get(choice, "value");
		const char *text = cJSON_IsString(value) ? value->valuestring : NULL;
		struct str inner cleanup(str_finish) = STR_INIT;

		str_printf(&inner, "%s.choices.%d.value", path, index++);
		count(check, json_string(choice, "name"));
		count(check, text);
		if (type == STRING && (!text || utf8_count(text, strlen(text)) > 100))
			form_error(
				check->form, inner.buf, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.");
		if ((type == INTEGER || type == NUMBER) &&
			(!cJSON_IsNumber(value) ||
				(type == INTEGER && value->valuedouble != floor(value->valuedouble))))
			form_error(check->form, inner.buf, "NUMBER_TYPE_COERCE", "Value is not %s.",
				type == INTEGER ? "int" : "float");
	}
	if (json_bool(option, "autocomplete", false) && cJSON_GetArraySize(json_array(option, "choices")) > 0)
		form_error(check->form, path, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES",
			"Options with autocomplete cannot have choices");
	if (json_bool(option, "autocomplete", false) && type != STRING && type != INTEGER && type != NUMBER)
		form_error(check->form, path, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_TYPE",
			"Only options of type STRING, INTEGER or NUMBER can have autocomplete");
}

static bool name_comes_again(const cJSON *option)
{
	const char *name = json_string(option, "name");

	for (const cJSON *next = option->next; next && name; next = next->next) {
		const char *other = json_string(next, "name");

		if (other && streq(other, name))
			return true;
	}
	return false;
}

/* depth: 0 in a command, 1 in a subcommand or group, 2 in a subcommand of a group */
static void check_options(struct check *check, const char *path, const cJSON *options, int depth, bool in_group)
{
	bool optional = false, nested = false, plain = false;
	int index = 0;

	json_array_each (option, options) {
		int64_t type = json_int(option, "type", 0);
		struct str inner cleanup(str_finish) = STR_INIT;
		struct str deeper cleanup(str_finish) = STR_INIT;

		str_printf(&inner, "%s.%d", path, index++);
		if (!cJSON_IsObject(option)) {
			form_error(check->form, inner.buf, "DICT_TYPE_CONVERT",
				"Only dictionaries may be used in a DictType");
			continue;
		}
		form_check(check->form, inner.buf, option, option_rules);
		check_name(check, inner.buf, option, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
		if (name_comes_again(option))
			form_error(check->form, inner.buf, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID",
				"Option name must be unique");
		if (json_bool(option, "required", false) && optional)
			form_error(check->form, inner.buf, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
				"Required options must be placed before non-required options");
		optional |= !json_bool(option, "required", false) && type > GROUP;
		nested |= type == SUBCOMMAND || type == GROUP;
		plain |= type > GROUP;
		check_choices(check, inner.buf, option, type);
		if ((type == GROUP && depth > 0) || (type == SUBCOMMAND && depth > 0 && !in_group) ||
			(in_group && type != SUBCOMMAND))
			form_error(check->form, inner.buf, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
				"Sub-commands cannot be nested like this");
		else if (type == SUBCOMMAND || type == GROUP) {
			str_printf(&deeper, "%s.options", inner.buf);
			check_options(check, deeper.buf, json_array(option, "options"), depth + 1, type == GROUP);
		}
	}
	if (nested && plain)
		form_error(check->form, path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
			"Sub-command and sub-command group option types are mutually exclusive to all other types");
}

void command_form_check(struct form *form, const char *path, const cJSON *command)
{
	struct check check = { .form = form };
	struct str inner cleanup(str_finish) = STR_INIT;

	if (!cJSON_IsObject(command)) {
		form_error(form, path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
		return;
	}
	form_check(form, path, command, command_rules);
	if (json_int(command, "type", 1) == 1) {
		const char *description = json_string(command, "description");

		form_path(&inner, path, "description");
		if (!description || !*description)
			form_error(form, inner.buf, "BASE_TYPE_REQUIRED", "This field is required");
		check_name(&check, path, command, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
	}
	str_clear(&inner);
	form_path(&inner, path, "options");
	check_options(&check, inner.buf, json_array(command, "options"), 0, false);
	if (check.characters > COMMAND_CHARACTERS_MAX)
		form_error(form, path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (%d)",
			COMMAND_CHARACTERS_MAX);
}
