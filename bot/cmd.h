/* Commands. A row of struct command says all about one: text and slash forms, arguments, who may run it, help,
 * autocomplete. Its function runs in a flow with an arena of its own and answers through the functions below, which
 * are the same for dot text and slash.
 *
 *	static int cmd_ping(struct cmd *cmd)
 *	{
 *		return cmd_reply(cmd, "Pong!");
 *	}
 *	const struct command health_commands[] = {
 *		{ .name = "ping", .run = cmd_ping, .kinds = TEXT | SLASH, .who = BOT_MANAGERS,
 *			.brief = "Says whether the bot is alive" },
 *		{ 0 }
 *	};
 *
 * Returning -errno from a command tells the person that something broke, with a short code that is in the log; for
 * what the person did wrong use `return cmd_error(cmd, "...")`. Borrowed pointers (members, roles, channels of the
 * cache) die across a wait.
 */
#ifndef BOT_CMD_H
#define BOT_CMD_H

#include "args.h"
#include "discord/rest.h"

struct bot;
struct cache;
struct service;
struct flow;

enum command_kind { TEXT = 1, SLASH = 2 };

/* By role id, see roles.h. */
enum command_who {
	ANYONE,
	MODERATORS, /* Minions or Moderator */
	MINIONS,
	BOT_MANAGERS,
	STAFF, /* any of the three */
};

struct command {
	const char *name;           /* lower case, 1..32 of a-z 0-9 _ -; NULL ends a table */
	const char *const *aliases; /* of the text form; ends with NULL; may be NULL */
	int (*run)(struct cmd *cmd);
	unsigned kinds;
	enum command_who who;
	usec cooldown;          /* per person; 0: none */
	const char *brief;      /* one line for lists and for Discord: at most 100 characters */
	const char *help;       /* more for its own help page; may be NULL */
	const struct arg *args; /* may be NULL */
	bool private_answer;    /* slash: the answer is seen by the caller only, also when it takes long */
};

/* Who runs the command; copies in the command's arena. */
struct cmd_caller {
	snowflake id;
	const char *username, *name, *avatar_url; /* name: as shown in the guild */
	const snowflake *roles;
	size_t role_count;
};

struct cmd {
	struct bot *bot;
	struct service *service;
	struct cache *cache;
	struct arena *arena;
	const struct command *command;
	const char *invoked_as; /* name or alias */
	struct cmd_caller caller;
	snowflake guild_id, channel_id;
	snowflake message_id;                  /* the message with the dot command; 0 for slash */
	const struct interaction *interaction; /* NULL for text */
	struct arg_value *values;
	struct cmd_answer *answer; /* cmd.c's own */
};

/* ---- arguments; naming one that the row does not have is a bug and ends the program ---- */
bool cmd_given(const struct cmd *cmd, const char *name);
const char *cmd_string(const struct cmd *cmd, const char *name); /* NULL: not given */
int64_t cmd_integer(const struct cmd *cmd, const char *name, int64_t fallback);
snowflake cmd_id(const struct cmd *cmd, const char *name); /* of a member, role or channel; 0: not given */

bool cmd_may(const struct cmd *cmd, enum command_who who);

/* ---- answers. The first one is a reply to the message or the interaction's response, later ones follow up. All
 * suspend. ---- */

/* Text with Discord's markdown; nobody is pinged. Cut to 2000 characters. */
int cmd_reply(struct cmd *cmd, const char *format, ...) printf_like(2, 3) warn_unused;
int cmd_reply_embed(struct cmd *cmd, const struct embed *embed) warn_unused;
/* For the caller's eyes: ephemeral for slash; for text a reply that vanishes in 20 s. */
int cmd_reply_private(struct cmd *cmd, const char *format, ...) printf_like(2, 3) warn_unused;
/* Everything that a message can have; reply_to and nonce are filled in. */
int cmd_reply_message(struct cmd *cmd, const struct message_create *message) warn_unused;
/* The person did something wrong: an error embed with this sentence. For text it vanishes in 20 s together with the
 * invoking message; for slash it is ephemeral. */
int cmd_error(struct cmd *cmd, const char *format, ...) printf_like(2, 3) warn_unused;
/* Changes or removes the last answer. -ENOENT when there is none, or it has been deleted. */
int cmd_edit(struct cmd *cmd, const struct message_create *message) warn_unused;
int cmd_delete_answer(struct cmd *cmd) warn_unused;
/* The last answer's message id. */
int cmd_answer_id(struct cmd *cmd, snowflake *ret_message) warn_unused;
/* Slash: "is thinking", which must come within 3 s. Done by itself after a second; call it before what is known to
 * take longer. */
int cmd_defer(struct cmd *cmd) warn_unused;
/* The last answer, and for text the message that asked, are deleted after this time, across restarts. Not for private
 * answers to slash. */
int cmd_expire(struct cmd *cmd, usec after) warn_unused;

/* ---- a command's own writes: begin, write through models, commit; then tell the person ---- */
int cmd_begin(struct cmd *cmd) warn_unused;
int cmd_commit(struct cmd *cmd) warn_unused;

/* ---- embeds: the caller, or the bot, in the author line ---- */
void cmd_author_caller(const struct cmd *cmd, struct embed *embed);
void cmd_author_bot(const struct cmd *cmd, struct embed *embed);

/* ---- autocomplete ---- */
#define CHOICE_NONE "-1" /* the value of entries that are remarks; commands refuse it */
/* What was typed so far; "" at first. */
const char *choice_list_typed(const struct choice_list *list);
/* Adds the entry if its name contains what was typed, without regard to case. Names over 100 characters are
 * shortened. */
void choice_list_add(struct choice_list *list, const char *name, const char *value);
/* What to say when nothing fits. */
void choice_list_empty(struct choice_list *list, const char *format, ...) printf_like(2, 3);

#endif
