/* The argument parser (args.h): words and quotes, mentions and names, limits; the same result from a line of text and
 * from slash options. */
#include "args.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

#define TOKENS_MAX 256

/* ---- words ---- */

/* Quotes that may open a word, and what closes them. */
static const struct quote {
	const char *open, *close;
	bool apostrophe; /* also used inside and in front of words: when it is not closed it is no quote */
} quotes[] = {
	{ "\"", "\"", false }, { "'", "'", true }, { "\xe2\x80\x9c", "\xe2\x80\x9d", false }, /* “ ” */
	{ "\xe2\x80\x9e", "\xe2\x80\x9c", false },                                            /* „ “ */
	{ "\xe2\x80\x98", "\xe2\x80\x99", true },                                             /* ‘ ’ */
	{ "\xc2\xab", "\xc2\xbb", false },                                                    /* « » */
};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const struct quote *quote_at(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(quotes); i++)
		if (starts_with(text, quotes[i].open))
			return &quotes[i];
	return NULL;
}

/* The length of the quote mark or backslash that a backslash protects at `text` (which is behind the backslash); 0:
 * none. */
static size_t protected_length(const char *text)
{
	if (*text == '\\')
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(quotes); i++) {
		if (starts_with(text, quotes[i].open))
			return strlen(quotes[i].open);
		if (starts_with(text, quotes[i].close))
			return strlen(quotes[i].close);
	}
	return 0;
}

/* Reads up to the closing mark (NULL: up to a blank) into `out`; the byte behind it, or NULL when the mark is
 * missing. */
static const char *read_word(const char *text, const char *close, struct str *out)
{
	while (*text) {
		if (*text == '\\' && protected_length(text + 1) > 0) {
			size_t len = protected_length(text + 1);

			str_add(out, text + 1, len);
			text += 1 + len;
		} else if (close ? starts_with(text, close) : blank(*text)) {
			return close ? text + strlen(close) : text;
		} else {
			str_addc(out, *text++);
		}
	}
	return close ? NULL : text;
}

int args_split(struct arena *arena, const char *line, struct token **ret_tokens, size_t *ret_count, struct str *reterr)
{
	struct token *tokens = arena_array(arena, struct token, TOKENS_MAX);
	struct str word cleanup(str_finish) = STR_INIT;
	size_t count = 0;

	for (const char *at = line;;) {
		const struct quote *quote;
		const char *end = NULL;

		while (blank(*at))
			at++;
		if (!*at)
			break;
		if (count == TOKENS_MAX) {
			str_printf(reterr, "These are more than %d words.", TOKENS_MAX);
			return -EINVAL;
		}
		str_clear(&word);
		quote = quote_at(at);
		if (quote) {
			end = read_word(at + strlen(quote->open), quote->close, &word);
			/* 'tis is no quotation, nor is "rock 'n' roll" inside a word */
			if (quote->apostrophe && end && *end && !blank(*end))
				end = NULL;
			if (!end && !quote->apostrophe) {
				str_printf(reterr,
					"A quotation that begins with %s is not closed. Close it with %s, or "
					"write \\%s for the mark itself.",
					quote->open, quote->close, quote->open);
				return -EINVAL;
			}
		}
		tokens[count].quoted = end != NULL;
		if (!end) {
			str_clear(&word);
			end = read_word(at, NULL, &word);
		}
		tokens[count].start = (size_t)(at - line);
		tokens[count].end = (size_t)(end - line);
		tokens[count].text = arena_strndup(arena, word.buf, word.len);
		count++;
		at = end;
	}
	*ret_tokens = tokens;
	*ret_count = count;
	return 0;
}

/* ---- values ---- */

/* "<@1>", "<@!1>", "<@&1>", "<#1>" or "1"; 0 when it is none of them. */
static snowflake id_of(const char *text, const char *const *openings)
{
	char digits[24];
	const char *rest = text;
	size_t len;
	uint64_t id;

	for (size_t i = 0; openings[i]; i++)
		if (starts_with(text, openings[i]))
			rest = text + strlen(openings[i]);
	len = strlen(rest);
	if (rest != text) {
		if (len < 2 || rest[len - 1] != '>')
			return 0;
		len--;
	}
	/* A short number is rather a name than an id. */
	if (len >= sizeof(digits) || (rest == text && len < 15))
		return 0;
	memcpy(digits, rest, len);
	digits[len] = '\0';
	return parse_u64(digits, &id) == 0 && id <= INT64_MAX ? id : 0;
}

/* What ARG_MEMBER, ARG_ROLE and ARG_CHANNEL have in common. */
struct reference {
	const char *noun;
	const char *openings[4];
	snowflake (*find)(void *arg, snowflake id, const char *name, bool *ret_ambiguous);
};

static struct reference reference_of(enum arg_type type, const struct args_lookup *lookup)
{
	switch (type) {
	case ARG_ROLE: return (struct reference){ "role", { "<@&" }, lookup->role };
	case ARG_CHANNEL: return (struct reference){ "channel", { "<#" }, lookup->channel };
	default: return (struct reference){ "member", { "<@", "<@!" }, lookup->member };
	}
}

static int parse_reference(const struct arg *arg, const char *text, const struct args_lookup *lookup,
	struct arg_value *value, struct str *reterr)
{
	struct reference reference = reference_of(arg->type, lookup);
	snowflake id = id_of(text, reference.openings);
	bool ambiguous = false;

	if (id)
		value->id = reference.find(lookup->arg, id, NULL, &ambiguous);
	/* Somebody may be called like a number. */
	if (!value->id && text[0] != '<')
		value->id = reference.find(lookup->arg, 0, text, &ambiguous);
	if (value->id)
		return 0;
	if (ambiguous)
		str_printf(reterr, "Several %ss are called that. Use a mention or an id for `%s`.", reference.noun,
			arg->name);
	else if (arg->type == ARG_MEMBER && lookup->learning)
		str_printf(reterr,
			"I am still learning who is in this server. Use a mention for `%s`, or try again in a minute.",
			arg->name);
	else
		str_printf(reterr, "I found no such %s for `%s` in this server.", reference.noun, arg->name);
	return -EINVAL;
}

static int check_length(const struct arg *arg, const char *text, struct str *reterr)
{
	int64_t count = (int64_t)utf8_count(text, strlen(text));

	if (count < arg->min) {
		str_printf(reterr, "`%s` must have at least %lld characters.", arg->name, (long long)arg->min);
		return -EINVAL;
	}
	if (arg->max && count > arg->max) {
		str_printf(reterr, "`%s` may have at most %lld characters, these are %lld.", arg->name,
			(long long)arg->max, (long long)count);
		return -EINVAL;
	}
	return 0;
}

static int check_range(const struct arg *arg, int64_t integer, struct str *reterr)
{
	if ((!arg->min && !arg->max) || (integer >= arg->min && integer <= arg->max))
		return 0;
	str_printf(reterr, "`%s` must be a number from %lld to %lld.", arg->name, (long long)arg->min,
		(long long)arg->max);
	return -EINVAL;
}

static int parse_choice(const struct arg *arg, const char *text, struct arg_value *value, struct str *reterr)
{
	for (size_t i = 0; arg->choices[i]; i++) {
		if (utf8_equal_folded(arg->choices[i], text)) {
			value->text = arg->choices[i];
			return 0;
		}
	}
	str_printf(reterr, "`%s` must be one of: ", arg->name);
	for (size_t i = 0; arg->choices[i]; i++)
		str_printf(reterr, "%s%s", i ? ", " : "", arg->choices[i]);
	str_addc(reterr, '.');
	return -EINVAL;
}

static int parse_value(const struct arg *arg, const char *text, const struct args_lookup *lookup,
	struct arg_value *value, struct str *reterr)
{
	value->given = true;
	value->text = text;
	switch (arg->type) {
	case ARG_STRING:
	case ARG_REST: return check_length(arg, text, reterr);
	case ARG_CHOICE: return parse_choice(arg, text, value, reterr);
	case ARG_INTEGER:
		if (parse_i64(text, &value->integer) < 0) {
			str_printf(reterr, "`%s` must be a whole number.", arg->name);
			return -EINVAL;
		}
		return check_range(arg, value->integer, reterr);
	case ARG_MEMBER:
	case ARG_ROLE:
	case ARG_CHANNEL: return parse_reference(arg, text, lookup, value, reterr);
	}
	return -EINVAL;
}

static int missing(const struct arg *arg, struct str *reterr)
{
	str_printf(reterr, "`%s` is missing: %s.", arg->name, arg->description);
	return -EINVAL;
}

/* ---- a line ---- */

/* From a token to the end of the line, without blanks at the end. */
static const char *rest_of_line(struct arena *arena, const char *line, size_t start)
{
	size_t end = strlen(line);

	while (end > start && blank(line[end - 1]))
		end--;
	return arena_strndup(arena, line + start, end - start);
}

/* The last name of a line may have blanks without quotes: ".rank Ada Lovelace" */
static bool takes_the_rest(const struct arg *arg)
{
	return arg->type == ARG_REST ||
	       (!arg[1].name && (arg->type == ARG_MEMBER || arg->type == ARG_ROLE || arg->type == ARG_CHANNEL));
}

int args_parse_text(struct arena *arena, const struct arg *args, const char *line, const struct args_lookup *lookup,
	struct arg_value *ret_values, struct str *reterr)
{
	struct token *tokens;
	size_t count, next = 0, i;
	int r;

	/* A line that is taken as it is need not have its quotes in order. */
	if (args && args[0].name && args[0].type == ARG_REST) {
		while (blank(*line))
			line++;
		ret_values[0] = (struct arg_value){ 0 };
		if (!*line)
			return args[0].required ? missing(&args[0], reterr) : 0;
		return parse_value(&args[0], rest_of_line(arena, line, 0), lookup, &ret_values[0], reterr);
	}
	r = args_split(arena, line, &tokens, &count, reterr);
	if (r < 0)
		return r;
	for (i = 0; args && args[i].name; i++) {
		const char *text;

		ret_values[i] = (struct arg_value){ 0 };
		if (next == count) {
			if (args[i].required)
				return missing(&args[i], reterr);
			continue;
		}
		text = tokens[next].text;
		/* One pair of quotes around all of it is not meant to be part of it. */
		if (takes_the_rest(&args[i]) &&
			(next + 1 < count || (args[i].type == ARG_REST && !tokens[next].quoted))) {
			text = rest_of_line(arena, line, tokens[next].start);
			next = count - 1;
		}
		next++;
		r = parse_value(&args[i], text, lookup, &ret_values[i], reterr);
		if (r < 0)
			return r;
	}
	if (next < count) {
		if (i == 0)
			str_adds(reterr, "This command takes no arguments.");
		else
			str_printf(reterr,
				"There are too many arguments: at most %zu %s expected. Put several words into "
				"\"quotes\" if they belong together.",
				i, i == 1 ? "is" : "are");
		return -EINVAL;
	}
	return 0;
}

/* ---- slash options ---- */

static const cJSON *option_named(const cJSON *options, const char *name)
{
	json_array_each (option, options) {
		const char *has = json_string(option, "name");

		if (has && streq(has, name))
			return option;
	}
	return NULL;
}

/* Discord hands integers over as numbers, everything else as strings. */
static const char *option_text(struct arena *arena, const cJSON *option)
{
	const cJSON *value = json_get(option, "value");

	if (cJSON_IsString(value))
		return value->valuestring;
	/* json_int() refuses what is not whole or too large, and tells it by its fallback. */
	if (cJSON_IsNumber(value) && json_int(option, "value", INT64_MAX) != INT64_MAX)
		return arena_printf(arena, "%lld", (long long)json_int(option, "value", 0));
	return NULL;
}

int args_parse_options(struct arena *arena, const struct arg *args, const cJSON *options,
	const struct args_lookup *lookup, struct arg_value *ret_values, struct str *reterr)
{
	for (size_t i = 0; args && args[i].name; i++) {
		const char *text = option_text(arena, option_named(options, args[i].name));
		int r;

		ret_values[i] = (struct arg_value){ 0 };
		if (!text) {
			if (args[i].required)
				return missing(&args[i], reterr);
			continue;
		}
		r = parse_value(&args[i], arena_strdup(arena, text), lookup, &ret_values[i], reterr);
		if (r < 0)
			return r;
	}
	return 0;
}

void args_write_usage(struct str *out, char prefix, const char *command, const struct arg *args)
{
	str_printf(out, "%c%s", prefix, command);
	for (size_t i = 0; args && args[i].name; i++)
		str_printf(out, args[i].required ? " <%s%s>" : " [%s%s]", args[i].name,
			args[i].type == ARG_REST ? "..." : "");
}
