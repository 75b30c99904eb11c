/* Arguments of commands: what a row may ask for, and the one parser behind dot text and slash options. Pure: what a
 * name means is asked of struct args_lookup, so that tests need no guild.
 *
 * A new type of argument is an entry of enum arg_type, a case in args.c (from text, from an option) and one in
 * register.c (Discord's type).
 */
#ifndef BOT_ARGS_H
#define BOT_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "discord/types.h"

struct cmd;
struct choice_list;

enum arg_type {
	ARG_STRING = 1, /* one word, or several in quotes; min..max code points */
	ARG_INTEGER,    /* min..max */
	ARG_MEMBER,     /* mention, id, account name, shown name or global name of a member of the guild */
	ARG_ROLE,       /* mention, id or name */
	ARG_CHANNEL,    /* mention, id or name */
	ARG_CHOICE,     /* one of `choices` */
	ARG_REST,       /* the rest of the line as it was written; only as the last one; min..max code points */
};

struct arg {
	const char *name; /* as Discord wants option names: lower case, 1..32 characters; NULL ends a list */
	const char *description;
	enum arg_type type;
	bool required;              /* required ones come first */
	int64_t min, max;           /* both 0: no limits but Discord's */
	const char *const *choices; /* ends with NULL */
	/* Offers what fits what was typed so far, see choice_list_add(). Discord hands such an option over as text,
	 * whatever its type. */
	int (*autocomplete)(struct cmd *cmd, struct choice_list *list);
};
#define ARGS_MAX 25

/* What was given for one argument; which fields count depends on the type. */
struct arg_value {
	bool given;
	const char *text; /* STRING, CHOICE, REST; for the others what was written */
	int64_t integer;
	snowflake id; /* MEMBER, ROLE, CHANNEL */
};

/* How names become ids. The functions return 0 when there is no such thing, and tell apart names that fit several in
 * `ret_ambiguous`. `id` is set when an id or mention was given (then `name` is NULL). */
struct args_lookup {
	void *arg;
	snowflake (*member)(void *arg, snowflake id, const char *name, bool *ret_ambiguous);
	snowflake (*role)(void *arg, snowflake id, const char *name, bool *ret_ambiguous);
	snowflake (*channel)(void *arg, snowflake id, const char *name, bool *ret_ambiguous);
	bool learning; /* not all members are known: who is not found may be there */
};

/* A word of a line: unquoted text, and where it began and ended in the line. */
struct token {
	const char *text;
	size_t start, end;
	bool quoted;
};
/* Splits at blanks. "double", 'single' and typographic quotes hold blanks together when they open a word; a backslash
 * takes the meaning from the quote or backslash that follows. -EINVAL and a sentence when a double or typographic
 * quote is not closed (a single one may be an apostrophe). */
int args_split(struct arena *arena, const char *line, struct token **ret_tokens, size_t *ret_count,
	struct str *reterr) warn_unused;

/* From the text behind the command's name. `ret_values` has an entry per row of `args`. -EINVAL and one sentence for
 * the person in `reterr`. */
int args_parse_text(struct arena *arena, const struct arg *args, const char *line, const struct args_lookup *lookup,
	struct arg_value *ret_values, struct str *reterr) warn_unused;
/* From a slash command's options. Never trusts that Discord checked them. */
int args_parse_options(struct arena *arena, const struct arg *args, const cJSON *options,
	const struct args_lookup *lookup, struct arg_value *ret_values, struct str *reterr) warn_unused;

/* ".set_level_name <level> <role_name>" with optional ones in brackets; `prefix` is the dot or the slash. */
void args_write_usage(struct str *out, char prefix, const char *command, const struct arg *args);

#endif
