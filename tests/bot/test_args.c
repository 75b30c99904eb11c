/* bot/args.h: words, quotes, mentions, limits, slash options. */
#include "test.h"

#include <errno.h>

#include "args.h"

#define ALICE 100000000000000001ULL
#define ROLE  200000000000000001ULL
#define ROOM  300000000000000001ULL

static snowflake member(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	(void)arg;
	if (name && streq(name, "twin"))
		*ret_ambiguous = true;
	return id == ALICE || (name && (streq(name, "alice") || streq(name, "Ada Lovelace"))) ? ALICE : 0;
}

static snowflake role(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	(void)arg;
	(void)ret_ambiguous;
	return id == ROLE || (name && streq(name, "Vim User")) ? ROLE : 0;
}

static snowflake channel(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	(void)arg;
	(void)ret_ambiguous;
	return id == ROOM || (name && streq(name, "general")) ? ROOM : 0;
}

static const struct args_lookup lookup = { .member = member, .role = role, .channel = channel };
static const char *const colours[] = { "red", "green", NULL };

struct parsed {
	struct arena arena;
	struct arg_value values[ARGS_MAX];
	struct str error;
	int result;
};

static void parsed_finish(struct parsed *parsed)
{
	arena_finish(&parsed->arena);
	str_finish(&parsed->error);
}

static struct parsed text(const struct arg *args, const char *line)
{
	struct parsed parsed = { .error = STR_INIT };

	parsed.result = args_parse_text(&parsed.arena, args, line, &lookup, parsed.values, &parsed.error);
	return parsed;
}

static struct parsed options(const struct arg *args, const char *json)
{
	struct parsed parsed = { .error = STR_INIT };
	cJSON *tree = test_json(json);

	parsed.result = args_parse_options(&parsed.arena, args, tree, &lookup, parsed.values, &parsed.error);
	cJSON_Delete(tree);
	return parsed;
}

#define PARSED struct parsed parsed cleanup(parsed_finish)

static void check_split(const char *line, const char *const *expected)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str error cleanup(str_finish) = STR_INIT;
	struct token *tokens;
	size_t count, i;

	assert_int_equal(args_split(&arena, line, &tokens, &count, &error), 0);
	for (i = 0; expected[i]; i++) {
		assert_true(i < count);
		assert_string_equal(tokens[i].text, expected[i]);
	}
	assert_int_equal(count, i);
}

#define SPLIT(line, ...) check_split(line, (const char *const[]){ __VA_ARGS__, NULL })

static void words_are_split_at_blanks_and_kept_together_by_quotes(void **state)
{
	(void)state;
	SPLIT(" a  b\tc\n", "a", "b", "c");
	SPLIT("\"a b\" c", "a b", "c");
	SPLIT("'a b' c", "a b", "c");
	SPLIT("\xe2\x80\x9cone two\xe2\x80\x9d \xc2\xab three four \xc2\xbb", "one two", " three four ");
	SPLIT("say \\\"hi\\\" back\\\\slash \\n", "say", "\"hi\"", "back\\slash", "\\n");
	SPLIT("\"a \\\" b\"", "a \" b");
	SPLIT("\"\" x", "", "x");
}

static void apostrophes_are_no_quotes(void **state)
{
	(void)state;
	SPLIT("don't 'tis rock 'n' roll", "don't", "'tis", "rock", "n", "roll");
	SPLIT("'til then", "'til", "then");
	SPLIT("the dogs' bowl", "the", "dogs'", "bowl");
}

static void an_open_quotation_is_named(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str error cleanup(str_finish) = STR_INIT;
	struct token *tokens;
	size_t count;

	(void)state;
	assert_int_equal(args_split(&arena, "a \"b c", &tokens, &count, &error), -EINVAL);
	assert_non_null(strstr(error.buf, "not closed"));
}

static void too_many_words_are_refused(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str error cleanup(str_finish) = STR_INIT, line cleanup(str_finish) = STR_INIT;
	struct token *tokens;
	size_t count;

	(void)state;
	for (int i = 0; i < 2000; i++)
		str_adds(&line, "x ");
	assert_int_equal(args_split(&arena, line.buf, &tokens, &count, &error), -EINVAL);
}

static const struct arg mixed[] = {
	{ .name = "count", .description = "How many", .type = ARG_INTEGER, .required = true, .min = 1, .max = 10 },
	{ .name = "colour", .description = "Which", .type = ARG_CHOICE, .choices = colours },
	{ .name = "text", .description = "What", .type = ARG_REST, .max = 10 },
	{ 0 },
};

static void values_have_types(void **state)
{
	PARSED = text(mixed, "7 GREEN \"so  me\" ");

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.values[0].integer, 7);
	assert_string_equal(parsed.values[1].text, "green");
	/* one pair of quotes around all of it is not part of it */
	assert_string_equal(parsed.values[2].text, "so  me");
}

static void the_rest_is_taken_as_written(void **state)
{
	PARSED = text(mixed, "7 red a  \"b\" c");

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_string_equal(parsed.values[2].text, "a  \"b\" c");
}

static void optional_arguments_may_be_left_out(void **state)
{
	PARSED = text(mixed, " 1");

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_false(parsed.values[1].given);
	assert_false(parsed.values[2].given);
}

static void check_refused(const struct arg *args, const char *line, const char *reason)
{
	PARSED = text(args, line);

	assert_int_equal(parsed.result, -EINVAL);
	if (!strstr(parsed.error.buf, reason))
		fail_msg("'%s' says: %s", line, parsed.error.buf);
}

static void what_does_not_fit_is_named(void **state)
{
	static const struct arg none[] = { { 0 } };
	static const struct arg word[] = { { .name = "word", .description = "A word", .type = ARG_STRING, .min = 2 },
		{ 0 } };

	(void)state;
	check_refused(mixed, "", "`count` is missing: How many");
	check_refused(mixed, "x", "whole number");
	check_refused(mixed, "11", "from 1 to 10");
	check_refused(mixed, "99999999999999999999", "whole number");
	check_refused(mixed, "1 blue", "one of: red, green.");
	check_refused(mixed, "1 red 12345678901", "at most 10 characters, these are 11");
	check_refused(none, "x", "takes no arguments");
	check_refused(NULL, "x", "takes no arguments");
	check_refused(word, "abc def", "too many arguments");
	check_refused(word, "a", "at least 2");
}

static const struct arg references[] = {
	{ .name = "role", .description = "Role", .type = ARG_ROLE, .required = true },
	{ .name = "channel", .description = "Channel", .type = ARG_CHANNEL, .required = true },
	{ .name = "member", .description = "Member", .type = ARG_MEMBER },
	{ 0 },
};

static void references_may_be_mentions_ids_or_names(void **state)
{
	static const char *const lines[] = {
		"<@&200000000000000001> <#300000000000000001> <@100000000000000001>",
		"200000000000000001 300000000000000001 <@!100000000000000001>",
		"\"Vim User\" general alice",
		"\"Vim User\" general Ada Lovelace",
		"\"Vim User\" general \"Ada Lovelace\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		PARSED = text(references, lines[i]);

		if (parsed.result != 0)
			fail_msg("'%s': %s", lines[i], parsed.error.buf);
		assert_true(parsed.values[0].id == ROLE);
		assert_true(parsed.values[1].id == ROOM);
		assert_true(parsed.values[2].id == ALICE);
	}
}

static void wrong_references_are_refused(void **state)
{
	(void)state;
	check_refused(references, "<@100000000000000001> general", "no such role");
	check_refused(references, "<@&999> general", "no such role");
	check_refused(references, "<@&200000000000000001 general", "no such role");
	check_refused(references, "<@&18446744073709551616> general", "no such role");
	check_refused(references, "\"Vim User\" <#>", "no such channel");
	check_refused(references, "\"Vim User\" general twin", "Several members");
	check_refused(references, "\"Vim User\" general nobody", "no such member");
}

static void who_is_not_known_yet_is_not_denied(void **state)
{
	const struct args_lookup learning = { .member = member, .role = role, .channel = channel, .learning = true };
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str error cleanup(str_finish) = STR_INIT;
	struct arg_value values[ARGS_MAX];

	(void)state;
	assert_int_equal(
		args_parse_text(&arena, references, "\"Vim User\" general nobody", &learning, values, &error), -EINVAL);
	assert_non_null(strstr(error.buf, "still learning"));
	str_clear(&error);
	assert_int_equal(
		args_parse_text(&arena, references, "\"Vim User\" cellar", &learning, values, &error), -EINVAL);
	assert_non_null(strstr(error.buf, "no such channel"));
}

static void slash_options_give_the_same_values(void **state)
{
	PARSED = options(mixed, "[{'name':'count','type':4,'value':7},{'name':'colour','type':3,'value':'red'},"
				"{'name':'text','type':3,'value':'it\\u2019s'}]");

	(void)state;
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.values[0].integer, 7);
	assert_string_equal(parsed.values[1].text, "red");
	assert_true(parsed.values[2].given);
}

static void slash_options_are_not_trusted(void **state)
{
	static const char *const bad[] = {
		"[]",
		"null",
		"[{'name':'count','value':true}]",
		"[{'name':'count','value':1e300}]",
		"[{'name':'count','value':11}]",
		"[{'name':'count','value':'x'}]",
		"[{'name':'count','value':1.5}]",
		"[{'name':'count','value':1},{'name':'colour','value':'blue'}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		PARSED = options(mixed, bad[i]);

		if (parsed.result != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void usage_shows_what_is_optional(void **state)
{
	struct str out cleanup(str_finish) = STR_INIT;

	(void)state;
	args_write_usage(&out, '.', "paint", mixed);
	assert_string_equal(out.buf, ".paint <count> [colour] [text...]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_split_at_blanks_and_kept_together_by_quotes),
		cmocka_unit_test(apostrophes_are_no_quotes),
		cmocka_unit_test(an_open_quotation_is_named),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(values_have_types),
		cmocka_unit_test(the_rest_is_taken_as_written),
		cmocka_unit_test(optional_arguments_may_be_left_out),
		cmocka_unit_test(what_does_not_fit_is_named),
		cmocka_unit_test(references_may_be_mentions_ids_or_names),
		cmocka_unit_test(wrong_references_are_refused),
		cmocka_unit_test(who_is_not_known_yet_is_not_denied),
		cmocka_unit_test(slash_options_give_the_same_values),
		cmocka_unit_test(slash_options_are_not_trusted),
		cmocka_unit_test(usage_shows_what_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
