/* bot/args.h: what people write behind a command, and what a slash command's options claim to be. The first byte
 * chooses the row and the way; the rest is the line, or the JSON of the options. */
#include <errno.h>
#include <string.h>

#include "args.h"
#include "base/utf8.h"
#include "fuzz.h"

static snowflake look_up(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	(void)arg;
	REQUIRE(!id != !name);
	*ret_ambiguous = name && *name == 't';
	return id % 2 || (name && *name == 'a') ? 1000 : 0;
}

static const struct args_lookup lookup = { .member = look_up, .role = look_up, .channel = look_up };
static const char *const colours[] = { "red", "green", "blue", NULL };
static const struct arg rows[][5] = {
	{ { .name = "text", .type = ARG_REST, .required = true, .max = 2000 } },
	{ { .name = "level", .type = ARG_INTEGER, .required = true, .min = 1, .max = 200 },
		{ .name = "text", .type = ARG_REST, .min = 1, .max = 100 } },
	{ { .name = "user", .type = ARG_MEMBER, .required = true }, { .name = "role", .type = ARG_ROLE },
		{ .name = "channel", .type = ARG_CHANNEL },
		{ .name = "colour", .type = ARG_CHOICE, .choices = colours } },
	{ { .name = "text", .type = ARG_STRING, .required = true, .min = 2, .max = 20 },
		{ .name = "level", .type = ARG_INTEGER } },
	{ { 0 } },
};

static void check_value(const struct arg *arg, const struct arg_value *value)
{
	bool limited = arg->min != 0 || arg->max != 0;
	int64_t length;

	REQUIRE(value->given || !arg->required);
	if (!value->given)
		return;
	switch (arg->type) {
	case ARG_INTEGER: REQUIRE(!limited || (value->integer >= arg->min && value->integer <= arg->max)); break;
	case ARG_MEMBER:
	case ARG_ROLE:
	case ARG_CHANNEL: REQUIRE(value->id == 1000); break;
	default:
		REQUIRE(value->text && utf8_valid(value->text, strlen(value->text)));
		length = (int64_t)utf8_count(value->text, strlen(value->text));
		if (arg->type != ARG_CHOICE)
			REQUIRE(!limited || (length >= arg->min && length <= arg->max));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str error cleanup(str_finish) = STR_INIT;
	struct arg_value values[ARGS_MAX] = { 0 };
	char *line cleanup(freep) = NULL;
	cJSON *json cleanup(json_freep) = NULL;
	const struct arg *args;
	int r;

	/* What comes from Discord went through json_parse(): it is UTF-8 without NULs. */
	if (size == 0 || memchr(data + 1, '\0', size - 1) || !utf8_valid((const char *)data + 1, size - 1))
		return 0;
	args = rows[(data[0] >> 1) % ARRAY_SIZE(rows)];
	line = xstrndup((const char *)data + 1, size - 1);
	if (data[0] & 1) {
		if (json_parse(line, size - 1, &json) < 0)
			return 0;
		r = args_parse_options(&arena, args, json, &lookup, values, &error);
	} else {
		struct token *tokens;
		size_t count;

		if (args_split(&arena, line, &tokens, &count, &error) == 0) {
			for (size_t i = 0; i < count; i++)
				REQUIRE(tokens[i].start < tokens[i].end && tokens[i].end <= size - 1);
		}
		str_clear(&error);
		r = args_parse_text(&arena, args, line, &lookup, values, &error);
	}
	if (r == 0) {
		for (size_t i = 0; args[i].name; i++)
			check_value(&args[i], &values[i]);
	} else {
		REQUIRE(r == -EINVAL && error.len > 0 && utf8_valid(error.buf, error.len));
	}
	return 0;
}
