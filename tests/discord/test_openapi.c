/* Our constants against Discord's OpenAPI document, which lies beside the project where it is checked; elsewhere the
 * test is skipped. */
#include "test.h"

#include "discord/rest.h"

#define DOCUMENT "../shared/data/discord-openapi.json"

static cJSON *schemas;

static int load(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	FILE *file = fopen(DOCUMENT, "rb");
	char chunk[8192];
	size_t len;

	if (!file)
		return 0;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add(&text, chunk, len);
	fclose(file);
	assert_int_equal(json_parse(text.buf, text.len, &schemas), 0);
	*state = schemas;
	return 0;
}

static int unload(void **state)
{
	(void)state;
	cJSON_Delete(schemas);
	return 0;
}

/* The value of a name in a schema that lists its constants; -1: not there. */
static int64_t constant(const char *schema, const char *title)
{
	const cJSON *list =
		json_array(json_object(json_object(json_object(schemas, "components"), "schemas"), schema), "oneOf");

	json_array_each (item, list) {
		const char *name = json_string(item, "title");

		if (name && streq(name, title))
			return json_int(item, "const", -1);
	}
	return -1;
}

static void constants_are_discords(void **state)
{
	static const struct {
		const char *schema, *title;
		int64_t value;
	} constants[] = {
		{ "ChannelTypes", "GUILD_TEXT", CHANNEL_GUILD_TEXT },
		{ "ChannelTypes", "DM", CHANNEL_DM },
		{ "ChannelTypes", "GUILD_VOICE", CHANNEL_GUILD_VOICE },
		{ "ChannelTypes", "GUILD_CATEGORY", CHANNEL_GUILD_CATEGORY },
		{ "ChannelTypes", "GUILD_ANNOUNCEMENT", CHANNEL_GUILD_ANNOUNCEMENT },
		{ "ChannelTypes", "ANNOUNCEMENT_THREAD", CHANNEL_ANNOUNCEMENT_THREAD },
		{ "ChannelTypes", "PUBLIC_THREAD", CHANNEL_PUBLIC_THREAD },
		{ "ChannelTypes", "PRIVATE_THREAD", CHANNEL_PRIVATE_THREAD },
		{ "ChannelTypes", "GUILD_STAGE_VOICE", CHANNEL_GUILD_STAGE_VOICE },
		{ "ChannelTypes", "GUILD_FORUM", CHANNEL_GUILD_FORUM },
		{ "InteractionTypes", "PING", INTERACTION_PING },
		{ "InteractionTypes", "APPLICATION_COMMAND", INTERACTION_APPLICATION_COMMAND },
		{ "InteractionTypes", "MESSAGE_COMPONENT", INTERACTION_MESSAGE_COMPONENT },
		{ "InteractionTypes", "APPLICATION_COMMAND_AUTOCOMPLETE",
			INTERACTION_APPLICATION_COMMAND_AUTOCOMPLETE },
		{ "InteractionTypes", "MODAL_SUBMIT", INTERACTION_MODAL_SUBMIT },
		{ "ButtonStyleTypes", "PRIMARY", BUTTON_PRIMARY },
		{ "ButtonStyleTypes", "SECONDARY", BUTTON_SECONDARY },
		{ "ButtonStyleTypes", "SUCCESS", BUTTON_SUCCESS },
		{ "ButtonStyleTypes", "DANGER", BUTTON_DANGER },
		{ "MessageType", "DEFAULT", MESSAGE_DEFAULT },
		{ "MessageType", "REPLY", MESSAGE_REPLY },
		{ "MessageType", "CHAT_INPUT_COMMAND", MESSAGE_CHAT_INPUT_COMMAND },
		{ "ChannelPermissionOverwrites", "ROLE", OVERWRITE_ROLE },
		{ "ChannelPermissionOverwrites", "MEMBER", OVERWRITE_MEMBER },
		{ "InteractionCallbackTypes", "CHANNEL_MESSAGE_WITH_SOURCE", 4 },
		{ "InteractionCallbackTypes", "DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE", 5 },
		{ "InteractionCallbackTypes", "DEFERRED_UPDATE_MESSAGE", 6 },
		{ "InteractionCallbackTypes", "UPDATE_MESSAGE", 7 },
		{ "InteractionCallbackTypes", "APPLICATION_COMMAND_AUTOCOMPLETE_RESULT", 8 },
		{ "MessageComponentTypes", "ACTION_ROW", 1 },
		{ "MessageComponentTypes", "BUTTON", 2 },
	};

	(void)state;
	if (!schemas)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(constants); i++)
		if (constant(constants[i].schema, constants[i].title) != constants[i].value)
			fail_msg("%s.%s is %lld", constants[i].schema, constants[i].title,
				(long long)constant(constants[i].schema, constants[i].title));
}

/* The limit of a property; -1: none. */
static int64_t limit_of(const char *schema, const char *property, const char *limit)
{
	const cJSON *all = json_object(json_object(schemas, "components"), "schemas");
	const cJSON *properties = json_object(json_object(all, schema), "properties");

	return json_int(json_object(properties, property), limit, -1);
}

static void limits_are_discords(void **state)
{
	static const struct {
		const char *schema, *property, *limit;
		int64_t value;
	} limits[] = {
		{ "RichEmbed", "title", "maxLength", EMBED_TITLE_MAX },
		{ "RichEmbed", "description", "maxLength", EMBED_DESCRIPTION_MAX },
		{ "RichEmbed", "fields", "maxItems", EMBED_FIELDS_MAX },
		{ "RichEmbedField", "name", "maxLength", EMBED_FIELD_NAME_MAX },
		{ "RichEmbedField", "value", "maxLength", EMBED_FIELD_VALUE_MAX },
		{ "RichEmbedFooter", "text", "maxLength", EMBED_FOOTER_MAX },
		{ "RichEmbedAuthor", "name", "maxLength", EMBED_AUTHOR_MAX },
		{ "MessageCreateRequest", "embeds", "maxItems", EMBEDS_PER_MESSAGE },
	};

	(void)state;
	if (!schemas)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limit_of(limits[i].schema, limits[i].property, limits[i].limit) != limits[i].value)
			fail_msg("%s.%s is limited to %lld", limits[i].schema, limits[i].property,
				(long long)limit_of(limits[i].schema, limits[i].property, limits[i].limit));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_discords),
		cmocka_unit_test(limits_are_discords),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
