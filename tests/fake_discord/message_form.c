/* What a message may be: see message_form.h (documentation: resources/message, components/reference, reference "Signed Attachment CDN URLs"). */
#include "message_form.h"

#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"
#include "state.h"

static const struct form_rule footer_rules[] = {
	{ "text", FORM_TEXT, 0, 2048, FORM_REQUIRED, NULL },
	{ "icon_url", FORM_URL, 0, 2048, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule media_rules[] = {
	{ "url", FORM_URL, 0, 2048, FORM_REQUIRED, NULL },
	{ 0 },
};
static const struct form_rule author_rules[] = {
	{ "name", FORM_NAME, 1, 256, FORM_REQUIRED, NULL },
	{ "url", FORM_URL, 0, 2048, FORM_NULL, NULL },
	{ "icon_url", FORM_URL, 0, 2048, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule field_rules[] = {
	{ "name", FORM_NAME, 1, 256, FORM_REQUIRED, NULL },
	{ "value", FORM_NAME, 1, 1024, FORM_REQUIRED, NULL },
	{ "inline", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule embed_rules[] = {
	{ "title", FORM_TEXT, 0, 256, FORM_NULL, NULL },
	{ "description", FORM_TEXT, 0, 4096, FORM_NULL, NULL },
	{ "url", FORM_URL, 0, 2048, FORM_NULL, NULL },
	{ "timestamp", FORM_TIME, 0, 0, FORM_NULL, NULL },
	{ "color", FORM_INTEGER, 0, 0xffffff, FORM_NULL, NULL },
	{ "footer", FORM_OBJECT, 0, 0, FORM_NULL, footer_rules },
	{ "image", FORM_OBJECT, 0, 0, FORM_NULL, media_rules },
	{ "thumbnail", FORM_OBJECT, 0, 0, FORM_NULL, media_rules },
	{ "author", FORM_OBJECT, 0, 0, FORM_NULL, author_rules },
	{ "fields", FORM_LIST, 0, 25, FORM_NULL, field_rules },
	{ 0 },
};
static const struct form_rule mention_rules[] = {
	{ "parse", FORM_TEXTS, 0, 3, FORM_NULL, NULL },
	{ "users", FORM_SNOWFLAKES, 0, 100, FORM_NULL, NULL },
	{ "roles", FORM_SNOWFLAKES, 0, 100, FORM_NULL, NULL },
	{ "replied_user", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule reference_rules[] = {
	{ "message_id", FORM_SNOWFLAKE, 0, 0, FORM_REQUIRED, NULL },
	{ "channel_id", FORM_SNOWFLAKE, 0, 0, FORM_NULL, NULL },
	{ "guild_id", FORM_SNOWFLAKE, 0, 0, FORM_NULL, NULL },
	{ "fail_if_not_exists", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule attachment_rules[] = {
	{ "id", FORM_ANY, 0, 0, FORM_REQUIRED, NULL },
	{ "filename", FORM_TEXT, 0, 1024, FORM_NULL, NULL },
	{ "description", FORM_TEXT, 0, 1024, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule message_rules[] = {
	{ "content", FORM_TEXT, 0, CONTENT_MAX, FORM_NULL, NULL },
	{ "tts", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ "embeds", FORM_LIST, 0, EMBEDS_MAX, FORM_NULL, embed_rules },
	{ "allowed_mentions", FORM_OBJECT, 0, 0, FORM_NULL, mention_rules },
	{ "message_reference", FORM_OBJECT, 0, 0, FORM_NULL, reference_rules },
	{ "components", FORM_LIST, 0, 40, FORM_NULL, NULL },
	{ "attachments", FORM_LIST, 0, ATTACHMENTS_MAX, FORM_NULL, attachment_rules },
	{ "flags", FORM_INTEGER, 0, INT32_MAX, FORM_NULL, NULL },
	{ "nonce", FORM_TEXT, 0, NONCE_LENGTH_MAX, FORM_NULL, NULL },
	{ "enforce_nonce", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};

/* ---- embeds ---- */

static size_t length_of(const cJSON *object, const char *key)
{
	const char *text = json_string(object, key);

	return text ? utf8_count(text, strlen(text)) : 0;
}

static size_t embed_length(const cJSON *embed)
{
	size_t total = length_of(embed, "title") + length_of(embed, "description") +
		       length_of(json_object(embed, "footer"), "text") +
		       length_of(json_object(embed, "author"), "name");

	json_array_each (field, json_array(embed, "fields"))
		total += length_of(field, "name") + length_of(field, "value");
	return total;
}

static void check_embed_total(struct form *form, const char *path, const cJSON *embeds)
{
	size_t total = 0;

	json_array_each (embed, embeds)
		total += embed_length(embed);
	if (total > EMBED_TOTAL_MAX)
		form_error(form, path, "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of %d",
			EMBED_TOTAL_MAX);
}

/* ---- allowed_mentions ---- */

static void check_mentions(struct form *form, const char *path, const cJSON *mentions)
{
	static const char *const kinds[] = { "users", "roles", "everyone" };
	size_t index = 0;

	json_array_each (item, json_array(mentions, "parse")) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(kinds) && cJSON_IsString(item); i++)
			known |= streq(item->valuestring, kinds[i]);
		if (!known) {
			struct str inner cleanup(str_finish) = STR_INIT;

			str_printf(&inner, "%s.parse.%zu", path, index);
			form_error(form, inner.buf, "BASE_TYPE_CHOICES",
				"Value must be one of ('users', 'everyone', 'roles').");
		} else if (json_array(mentions, item->valuestring)) {
			form_error(form, path, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
				"parse:[\"%s\"] and %s: [ids...] are mutually exclusive.", item->valuestring,
				item->valuestring);
		}
		index++;
	}
}

/* ---- components ---- */

enum component_type {
	COMPONENT_ROW = 1,
	COMPONENT_BUTTON = 2,
	COMPONENT_TEXT_SELECT = 3,
	COMPONENT_TEXT_INPUT = 4,
	COMPONENT_USER_SELECT = 5,
	COMPONENT_CHANNEL_SELECT = 8,
	COMPONENT_SECTION = 9,
	COMPONENT_TEXT = 10,
	COMPONENT_SEPARATOR = 14,
	COMPONENT_CONTAINER = 17,
	COMPONENT_LABEL = 18,
	COMPONENT_LAST = 23,
};

#define BUTTON_LINK    5
#define BUTTON_PREMIUM 6

static const struct form_rule button_rules[] = {
	{ "style", FORM_INTEGER, 1, 6, FORM_REQUIRED, NULL },
	{ "label", FORM_TEXT, 0, 80, FORM_NULL, NULL },
	{ "custom_id", FORM_TEXT, 1, 100, FORM_NULL, NULL },
	{ "url", FORM_URL, 0, 512, FORM_NULL, NULL },
	{ "disabled", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule select_option_rules[] = {
	{ "label", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "value", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "description", FORM_TEXT, 0, 100, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule text_select_rules[] = {
	{ "custom_id", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "placeholder", FORM_TEXT, 0, 150, FORM_NULL, NULL },
	{ "min_values", FORM_INTEGER, 0, 25, FORM_NULL, NULL },
	{ "max_values", FORM_INTEGER, 1, 25, FORM_NULL, NULL },
	{ "options", FORM_LIST, 1, 25, FORM_REQUIRED, select_option_rules },
	{ 0 },
};
static const struct form_rule other_select_rules[] = {
	{ "custom_id", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "placeholder", FORM_TEXT, 0, 150, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule text_input_rules[] = {
	{ "custom_id", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
	{ "style", FORM_INTEGER, 1, 2, FORM_REQUIRED, NULL },
	{ "label", FORM_TEXT, 1, 45, FORM_NULL, NULL },
	{ "min_length", FORM_INTEGER, 0, 4000, FORM_NULL, NULL },
	{ "max_length", FORM_INTEGER, 1, 4000, FORM_NULL, NULL },
	{ "value", FORM_TEXT, 0, 4000, FORM_NULL, NULL },
	{ "placeholder", FORM_TEXT, 0, 100, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule text_rules[] = {
	{ "content", FORM_TEXT, 1, 4000, FORM_REQUIRED, NULL },
	{ 0 },
};

struct component_check {
	struct form *form;
	const cJSON *seen[40]; /* components with a custom_id */
	size_t seen_count, total;
	bool modal, v2;
};

static void check_component(struct component_check *check, const char *path, const cJSON *component, bool top);

static void check_button(struct component_check *check, const char *path, const cJSON *button)
{
	int64_t style = json_int(button, "style", 0);
	bool has_id = json_get(button, "custom_id"), has_url = json_get(button, "url");

	form_check(check->form, path, button, button_rules);
	if (style == BUTTON_LINK && (!has_url || has_id))
		form_error(check->form, path, "BUTTON_COMPONENT_URL_REQUIRED", "A url is required");
	if (style >= 1 && style < BUTTON_LINK && (!has_id || has_url))
		form_error(check->form, path, "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", "A custom id required");
	if (style != BUTTON_PREMIUM && !json_string(button, "label") && !json_object(button, "emoji"))
		form_error(check->form, path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
			"A button must have a label or an emoji");
}

static void check_custom_id(struct component_check *check, const char *path, const cJSON *component)
{
	const char *id = json_string(component, "custom_id");

	if (!id)
		return;
	for (size_t i = 0; i < check->seen_count; i++) {
		if (streq(json_string(check->seen[i], "custom_id"), id)) {
			form_error(check->form, path, "COMPONENT_CUSTOM_ID_DUPLICATED",
				"Component custom id cannot be duplicated");
			return;
		}
	}
	if (check->seen_count < ARRAY_SIZE(check->seen))
		check->seen[check->seen_count++] = component;
}

/* A row holds one to five buttons, or one select (or, in a modal, one text input). */
static void check_row(struct component_check *check, const char *path, const cJSON *row)
{
	const cJSON *children = json_array(row, "components");
	int count = children ? cJSON_GetArraySize(children) : 0, width = 0, index = 0;
	struct str list cleanup(str_finish) = STR_INIT;

	form_path(&list, path, "components");
	if (count < 1 || count > 5) {
		form_error(check->form, list.buf, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
		return;
	}
	json_array_each (child, children) {
		struct str inner cleanup(str_finish) = STR_INIT;

		width += json_int(child, "type", 0) == COMPONENT_BUTTON ? 1 : 5;
		str_printf(&inner, "%s.%d", list.buf, index++);
		check_component(check, inner.buf, child, false);
	}
	if (width > 5)
		form_error(check->form, path, "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
			"Action rows can have at most five buttons or one select");
}

static void check_children(struct component_check *check, const char *path, const cJSON *component)
{
	struct str inner cleanup(str_finish) = STR_INIT;
	const cJSON *one = json_object(component, "component");
	const cJSON *accessory = json_object(component, "accessory");
	int index = 0;

	json_array_each (child, json_array(component, "components")) {
		str_clear(&inner);
		str_printf(&inner, "%s.components.%d", path, index++);
		check_component(check, inner.buf, child, true);
	}
	str_clear(&inner);
	form_path(&inner, path, one ? "component" : "accessory");
	if (one || accessory)
		check_component(check, inner.buf, one ? one : accessory, false);
}

static void check_component(struct component_check *check, const char *path, const cJSON *component, bool top)
{
	int64_t type = json_int(component, "type", 0);
	struct str inner cleanup(str_finish) = STR_INIT;

	form_path(&inner, path, "type");
	if (!cJSON_IsObject(component)) {
		form_error(check->form, path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
		return;
	}
	if (type < COMPONENT_ROW || type > COMPONENT_LAST ||
		(top && !check->v2 && !check->modal && type != COMPONENT_ROW) ||
		(type >= COMPONENT_SECTION && !check->v2 && !check->modal)) {
		form_error(check->form, inner.buf, "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (%s).",
			top ? "1," : "2, 3, 5, 6, 7, 8");
		return;
	}
	if (++check->total > 40)
		return; /* the list's own bound was reported */
	check_custom_id(check, path, component);
	switch (type) {
	case COMPONENT_ROW: check_row(check, path, component); break;
	case COMPONENT_BUTTON: check_button(check, path, component); break;
	case COMPONENT_TEXT_SELECT: form_check(check->form, path, component, text_select_rules); break;
	case COMPONENT_TEXT_INPUT:
		if (!check->modal)
			form_error(check->form, inner.buf, "UNION_TYPE_CHOICES",
				"Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).");
		form_check(check->form, path, component, text_input_rules);
		break;
	case COMPONENT_TEXT: form_check(check->form, path, component, text_rules); break;
	default:
		if (type >= COMPONENT_USER_SELECT && type <= COMPONENT_CHANNEL_SELECT)
			form_check(check->form, path, component, other_select_rules);
		else
			check_children(check, path, component);
	}
}

static void check_components(struct form *form, const char *path, const cJSON *components, bool modal, bool v2)
{
	struct component_check check = { .form = form, .modal = modal, .v2 = v2 };
	int index = 0;

	if (!v2 && cJSON_GetArraySize(components) > 5) {
		form_error(form, path, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
		return;
	}
	json_array_each (component, components) {
		struct str inner cleanup(str_finish) = STR_INIT;

		str_printf(&inner, "%s.%d", path, index++);
		check_component(&check, inner.buf, component, true);
	}
}

/* ---- the whole ---- */

void message_form_check(struct form *form, const char *path, const cJSON *body)
{
	struct str inner cleanup(str_finish) = STR_INIT;
	bool v2 = json_int(body, "flags", 0) & MESSAGE_COMPONENTS_V2;

	form_check(form, path, body, message_rules);
	form_path(&inner, path, "embeds");
	check_embed_total(form, inner.buf, json_array(body, "embeds"));
	str_clear(&inner);
	form_path(&inner, path, "allowed_mentions");
	check_mentions(form, inner.buf, json_object(body, "allowed_mentions"));
	str_clear(&inner);
	form_path(&inner, path, "components");
	if (json_array(body, "components"))
		check_components(form, inner.buf, json_array(body, "components"), false, v2);
	if (v2 && (json_string(body, "content") || json_array(body, "embeds")))
		form_error(form, *path ? path : "flags", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
			"The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2");
}

void modal_form_check(struct form *form, const char *path, const cJSON *body)
{
	static const struct form_rule rules[] = {
		{ "custom_id", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
		{ "title", FORM_TEXT, 1, 45, FORM_REQUIRED, NULL },
		{ "components", FORM_LIST, 1, 5, FORM_REQUIRED, NULL },
		{ 0 },
	};
	struct str inner cleanup(str_finish) = STR_INIT;

	form_check(form, path, body, rules);
	form_path(&inner, path, "components");
	if (json_array(body, "components"))
		check_components(form, inner.buf, json_array(body, "components"), true, false);
}

void choices_form_check(struct form *form, const char *path, const cJSON *body)
{
	static const struct form_rule choice_rules[] = {
		{ "name", FORM_TEXT, 1, 100, FORM_REQUIRED, NULL },
		{ "value", FORM_TEXT, 0, 100, FORM_REQUIRED, NULL },
		{ 0 },
	};
	static const struct form_rule rules[] = {
		{ "choices", FORM_LIST, 0, CHOICES_MAX, FORM_REQUIRED, choice_rules },
		{ 0 },
	};

	form_check(form, path, body, rules);
}

bool message_is_empty(const cJSON *body, size_t files)
{
	const char *content = json_string(body, "content");

	if (files || (content && content[strspn(content, " \t\r\n")]))
		return false;
	return cJSON_GetArraySize(json_array(body, "embeds")) == 0 &&
	       cJSON_GetArraySize(json_array(body, "components")) == 0 &&
	       cJSON_GetArraySize(json_array(body, "sticker_ids")) == 0 && !json_object(body, "poll");
}

static bool walk(const cJSON *component, bool (*each)(void *arg, const cJSON *component), void *arg)
{
	const cJSON *accessory = json_object(component, "accessory"), *one = json_object(component, "component");

	if (!each(arg, component) || (accessory && !each(arg, accessory)) || (one && !each(arg, one)))
		return false;
	json_array_each (child, json_array(component, "components"))
		if (!walk(child, each, arg))
			return false;
	return true;
}

void components_walk(const cJSON *components, bool (*each)(void *arg, const cJSON *component), void *arg)
{
	json_array_each (component, components)
		if (!walk(component, each, arg))
			return;
}
