/* bot/commands.h, bot/register.h, bot/cooldown.h, bot/text.h: the rows of all features against Discord's rules, and
 * what is made from them. */
#include "test.h"

#include "base/utf8.h"
#include "commands.h"
#include "cooldown.h"
#include "feature.h"
#include "register.h"
#include "text.h"

static struct commands *commands;

static int set_up(void **state)
{
	(void)state;
	commands = commands_create(features);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	commands_destroy(commands);
	return 0;
}

/* ---- the rows ---- */

static void check_name(const char *name)
{
	size_t len = strlen(name);

	assert_in_range(len, 1, 32);
	assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-"), len);
}

static void check_description(const char *text)
{
	assert_non_null(text);
	assert_in_range(utf8_count(text, strlen(text)), 1, 100);
}

static void check_args(const struct command *command)
{
	bool optional = false;
	size_t count = 0;

	for (const struct arg *arg = command->args; arg && arg->name; arg++, count++) {
		check_name(arg->name);
		check_description(arg->description);
		/* Discord wants required options first */
		assert_false(optional && arg->required);
		optional |= !arg->required;
		assert_true(arg->type != ARG_REST || !arg[1].name);
		assert_true((arg->type == ARG_CHOICE) == (arg->choices != NULL));
		assert_true(arg->min <= arg->max || !arg->max);
		for (const struct arg *other = command->args; other != arg; other++)
			assert_string_not_equal(other->name, arg->name);
	}
	assert_in_range(count, 0, ARGS_MAX);
}

static void every_row_is_what_discord_accepts(void **state)
{
	const struct command_entry *entry;
	size_t count = 0;

	(void)state;
	for (; (entry = commands_at(commands, count)); count++) {
		check_name(entry->command->name);
		check_description(entry->command->brief);
		check_args(entry->command);
		assert_non_null(entry->command->run);
		/* every dot command is a slash command too (decision 7) */
		assert_int_equal(entry->command->kinds, TEXT | SLASH);
	}
	assert_in_range(count, 12, 100);
}

static void commands_are_found_by_name(void **state)
{
	(void)state;
	assert_string_equal(commands_find(commands, TEXT, "rank")->command->name, "rank");
	assert_string_equal(commands_find(commands, TEXT, "RANK")->command->name, "rank");
	assert_string_equal(commands_find(commands, SLASH, "leaderboard")->command->name, "leaderboard");
	assert_null(commands_find(commands, TEXT, "no_such_command"));
	assert_null(commands_find(commands, TEXT, ""));
	assert_null(commands_find(commands, TEXT, "a_name_that_is_much_longer_than_any_command_can_be"));
}

static int never(struct cmd *cmd)
{
	(void)cmd;
	return 0;
}

static void aliases_and_kinds_are_told_apart(void **state)
{
	static const char *const aliases[] = { "em", NULL };
	static const struct command rows[] = {
		{ .name = "embed", .run = never, .kinds = TEXT, .brief = "Text only", .aliases = aliases },
		{ .name = "em", .run = never, .kinds = SLASH, .brief = "Has a name that is taken" },
		{ .name = "slashed", .run = never, .kinds = SLASH, .brief = "Slash only" },
		{ 0 },
	};
	static const struct feature one = { .name = "one", .title = "One", .commands = rows };
	static const struct feature *const list[] = { &one, NULL };
	struct commands *own = commands_create(list);

	(void)state;
	assert_string_equal(commands_find(own, TEXT, "em")->command->name, "embed");
	assert_null(commands_find(own, SLASH, "embed"));
	assert_null(commands_find(own, TEXT, "slashed"));
	assert_non_null(commands_find(own, SLASH, "slashed"));
	commands_destroy(own);
}

/* ---- registration ---- */

static cJSON *registered(void)
{
	struct str text cleanup(str_finish) = STR_INIT;
	cJSON *json = NULL;

	register_write(&text, commands);
	assert_int_equal(json_parse(text.buf, text.len, &json), 0);
	return json;
}

static const cJSON *options_of(const cJSON *json, const char *name)
{
	json_array_each (command, json)
		if (streq(json_string(command, "name"), name))
			return json_array(command, "options");
	fail_msg("/%s is not registered", name);
	return NULL;
}

static void the_registration_says_what_the_rows_say(void **state)
{
	cJSON *json cleanup(json_freep) = registered();
	const cJSON *first;

	(void)state;
	json_array_each (command, json)
		assert_int_equal(json_int(command, "type", 0), 1);
	assert_int_equal(cJSON_GetArraySize(options_of(json, "set_level_name")), 2);
	first = options_of(json, "set_level_name")->child;
	assert_int_equal(json_int(first, "type", 0), 4);
	assert_true(json_bool(first, "required", false));
	assert_int_equal(json_int(first->next, "type", 0), 3);
	assert_true(json_bool(first->next, "autocomplete", false));
	first = options_of(json, "leaderboard")->child;
	assert_int_equal(json_int(first, "min_value", -1), 1);
	assert_int_equal(json_int(first, "max_value", -1), 1000000);
}

/* What Discord adds when it tells us the commands. */
static void add_discords_fields(cJSON *commands_json)
{
	cJSON *command;

	cJSON_ArrayForEach (command, commands_json) {
		cJSON *option;

		cJSON_AddStringToObject(command, "id", "123");
		cJSON_AddStringToObject(command, "version", "456");
		cJSON_AddNullToObject(command, "default_member_permissions");
		cJSON_AddNullToObject(command, "name_localizations");
		cJSON_AddFalseToObject(command, "nsfw");
		if (!cJSON_GetObjectItem(command, "options"))
			cJSON_AddArrayToObject(command, "options");
		cJSON_ArrayForEach (option, cJSON_GetObjectItem(command, "options")) {
			if (!cJSON_GetObjectItem(option, "required"))
				cJSON_AddFalseToObject(option, "required");
		}
	}
}

static void what_discord_has_already_is_recognised(void **state)
{
	cJSON *ours cleanup(json_freep) = registered(), *theirs cleanup(json_freep) = registered();

	(void)state;
	add_discords_fields(theirs);
	assert_true(register_same(ours, theirs));
	/* in another order */
	cJSON_AddItemToArray(theirs, cJSON_DetachItemFromArray(theirs, 0));
	assert_true(register_same(ours, theirs));
}

static void every_difference_is_noticed(void **state)
{
	cJSON *ours cleanup(json_freep) = registered();

	(void)state;
	for (int kind = 0; kind < 6; kind++) {
		cJSON *theirs cleanup(json_freep) = registered();
		cJSON *command = cJSON_GetArrayItem(theirs, 0);
		cJSON *option = cJSON_GetArrayItem(cJSON_GetObjectItem(command, "options"), 0);

		assert_non_null(option);
		switch (kind) {
		case 0: cJSON_DeleteItemFromArray(theirs, 1); break;
		case 1: cJSON_SetValuestring(cJSON_GetObjectItem(command, "description"), "x"); break;
		case 2: cJSON_ReplaceItemInObject(option, "type", cJSON_CreateNumber(8)); break;
		case 3: cJSON_AddTrueToObject(option, "required"); break;
		case 4: cJSON_DeleteItemFromObject(command, "options"); break;
		case 5: cJSON_SetValuestring(cJSON_GetObjectItem(command, "name"), "x"); break;
		}
		if (register_same(ours, theirs))
			fail_msg("difference %d was not noticed", kind);
	}
}

/* ---- cool-downs, text ---- */

static void cooldowns_count_per_person_and_command(void **state)
{
	static const struct command slow = { .name = "slow", .cooldown = 10 * SECOND },
				    other = { .name = "other", .cooldown = SECOND }, quick = { .name = "quick" };
	struct cooldowns *cooldowns = cooldowns_create();

	(void)state;
	assert_true(cooldown_take(cooldowns, &slow, 1, 0) == 0);
	assert_true(cooldown_take(cooldowns, &slow, 1, 4 * SECOND) == 6 * SECOND);
	assert_true(cooldown_take(cooldowns, &slow, 2, 4 * SECOND) == 0);
	assert_true(cooldown_take(cooldowns, &other, 1, 4 * SECOND) == 0);
	/* what was refused does not count */
	assert_true(cooldown_take(cooldowns, &slow, 1, 10 * SECOND) == 0);
	assert_true(cooldown_take(cooldowns, &quick, 1, 0) == 0);
	assert_true(cooldown_take(cooldowns, &quick, 1, 0) == 0);
	for (snowflake user = 10; user < 20000; user++)
		assert_true(cooldown_take(cooldowns, &slow, user, 11 * SECOND) == 0);
	assert_true(cooldown_take(cooldowns, &slow, 19999, 12 * SECOND) == 9 * SECOND);
	cooldowns_destroy(cooldowns);
}

static void names_cannot_format_or_mention(void **state)
{
	struct str out cleanup(str_finish) = STR_INIT;

	(void)state;
	text_add_escaped(&out, "**x** <@1> @everyone `a`\xe2\x80\xae\n");
	assert_null(strstr(out.buf, "**x"));
	assert_null(strstr(out.buf, "@everyone"));
	assert_null(strstr(out.buf, "\xe2\x80\xae"));
	assert_null(strchr(out.buf, '\n'));
	assert_non_null(strstr(out.buf, "\\*\\*x\\*\\*"));
	str_clear(&out);
	text_add_escaped(&out, "\xc3\x84rger \xf0\x9f\x98\x80");
	assert_string_equal(out.buf, "\xc3\x84rger \xf0\x9f\x98\x80");
}

static void numbers_are_grouped(void **state)
{
	static const struct {
		int64_t number;
		const char *text;
	} cases[] = { { 0, "0" }, { 999, "999" }, { 1000, "1,000" }, { 1234567, "1,234,567" }, { -1234, "-1,234" },
		{ -999, "-999" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str out cleanup(str_finish) = STR_INIT;

		text_add_number(&out, cases[i].number);
		assert_string_equal(out.buf, cases[i].text);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_what_discord_accepts),
		TEST(commands_are_found_by_name),
		TEST(aliases_and_kinds_are_told_apart),
		TEST(the_registration_says_what_the_rows_say),
		TEST(what_discord_has_already_is_recognised),
		TEST(every_difference_is_noticed),
		cmocka_unit_test(cooldowns_count_per_person_and_command),
		cmocka_unit_test(names_cannot_format_or_mention),
		cmocka_unit_test(numbers_are_grouped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
