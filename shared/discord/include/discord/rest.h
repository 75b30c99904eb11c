/* Discord's REST API: one function per endpoint that we use; nobody else builds its URLs.
 *
 * All functions with `warn_unused` suspend: call them in flows only. They return 0 or
 *	-EINVAL (400), -EKEYREJECTED (401), -EACCES (403), -ENOENT (404), -EREMOTEIO (5xx) by the answer's status;
 *	-EALREADY: the interaction was answered before;
 *	-EBUSY: rate limited beyond the deadline, too many calls wait, Discord's edge refuses us, or the breaker is
 *	open;
 *	-E2BIG, -EINVAL: Discord would refuse it, so it was not sent;
 *	-EBADMSG: an answer that is not what Discord promises;
 *	-EPROTO: a redirect, or a certificate that is not accepted;
 *	-ETIMEDOUT, -ECONNREFUSED, -ECONNRESET, -EHOSTUNREACH, ...: the network;
 *	-ECANCELED: the flow or the client ends.
 * Discord's own code and message of the last failure of this flow are in rest_error().
 *
 * In an interaction's calls a 401 concerns its token alone and is -ENOENT, as is everything that is asked of an
 * interaction that is over.
 *
 * Rate limits are learned from the headers (discord/ratelimit.h). What can be repeated safely is repeated: everything
 * after a failed connection and a 429, and after 5xx or a lost answer only what changes nothing when done twice (GET,
 * PUT, DELETE, PATCH with fixed values, and messages with a nonce). Source: Discord's documentation,
 * topics/rate-limits and reference.
 */
#ifndef DISCORD_REST_H
#define DISCORD_REST_H

#include "discord/embed.h"
#include "discord/types.h"
#include "net/http.h"

struct rest;

/* For http_create(): Discord's edge refuses clients that do not say who they are in this form (reference, "User
 * Agent"). */
#define REST_USER_AGENT "DiscordBot (https://github.com/CSSS/wall_e, " WALLE_VERSION ")"

struct rest_options {
	const char *api_url;     /* "https://discord.com/api/v10" */
	const char *token;       /* copied; without "Bot " */
	int requests_per_second; /* this service's share of the global 50 */
	/* Called once when Discord answers 401: the program ends with EXIT_REFUSED. */
	void (*on_unauthorized)(void *arg);
	void *arg;
};
int rest_create(
	struct loop *loop, struct http *http, const struct rest_options *options, struct rest **ret_rest) warn_unused;
/* Before http_destroy(). Pending calls end with -ECANCELED, after which the client must not be asked for
 * rest_error(). */
void rest_destroy(struct rest *rest);

struct rest_error {
	int http_status; /* 0: no answer */
	int code;        /* Discord's JSON error code, 0: none */
	char message[200];
};
/* Of the last call on this `rest` that failed in the running flow; valid until the next call. */
const struct rest_error *rest_error(const struct rest *rest);

/* ---- messages ---- */

struct file {
	const char *name, *content_type;
	const void *data;
	size_t len;
};

enum button_style { BUTTON_PRIMARY = 1, BUTTON_SECONDARY = 2, BUTTON_SUCCESS = 3, BUTTON_DANGER = 4 };
struct button {
	const char *custom_id, *label, *emoji; /* emoji: unicode glyph or NULL */
	enum button_style style;
	bool disabled;
};

/* What is sent. Nothing is mentioned unless it is listed here: allowed_mentions parses nothing by default. */
struct message_create {
	const char *content;
	const struct embed *embeds;
	size_t embed_count;
	const struct button *buttons; /* one row, at most 5 */
	size_t button_count;
	const struct file *files;
	size_t file_count;
	snowflake reply_to; /* message_reference; a missing message does not fail the call */
	bool mention_reply; /* ping the author of reply_to */
	const snowflake *mention_users, *mention_roles;
	size_t mention_user_count, mention_role_count;
	const char
		*nonce; /* at most 25 characters; makes the call repeatable (enforce_nonce). NULL: rest makes one up */
	bool ephemeral; /* interactions only */
	bool clear_buttons; /* when editing: remove the buttons */
};

/* ret_id may be NULL; it is 0 when a repeated call was told that the message exists no more (sent, and deleted by
 * somebody since). */
int rest_create_message(
	struct rest *rest, snowflake channel, const struct message_create *message, snowflake *ret_id) warn_unused;
int rest_edit_message(
	struct rest *rest, snowflake channel, snowflake message, const struct message_create *edit) warn_unused;
int rest_delete_message(struct rest *rest, snowflake channel, snowflake message, const char *reason) warn_unused;
/* 2..100 ids younger than two weeks */
int rest_bulk_delete_messages(
	struct rest *rest, snowflake channel, const snowflake *ids, size_t count, const char *reason) warn_unused;
int rest_get_message(struct rest *rest, snowflake channel, snowflake message, struct arena *arena,
	struct message *ret_message) warn_unused;
/* Newest first; before/after 0: not given. limit 1..100 */
int rest_get_messages(struct rest *rest, snowflake channel, snowflake before, snowflake after, int limit,
	struct arena *arena, struct message **ret_messages, size_t *ret_count) warn_unused;
int rest_create_reaction(
	struct rest *rest, snowflake channel, snowflake message, const struct emoji *emoji) warn_unused;
/* user 0: the bot's own */
int rest_delete_reaction(
	struct rest *rest, snowflake channel, snowflake message, const struct emoji *emoji, snowflake user) warn_unused;
int rest_delete_all_reactions(struct rest *rest, snowflake channel, snowflake message) warn_unused;
int rest_create_dm(struct rest *rest, snowflake user, snowflake *ret_channel) warn_unused;

/* ---- interactions (exempt from the global limit; replies and follow-ups are never repeated after they may have
 * arrived) ---- */

int rest_interaction_reply(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message) warn_unused;
int rest_interaction_defer(struct rest *rest, const struct interaction *interaction, bool ephemeral) warn_unused;
/* For a component: acknowledges (deferred update), or answers by changing the message. */
int rest_interaction_defer_update(struct rest *rest, const struct interaction *interaction) warn_unused;
int rest_interaction_update(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message) warn_unused;
struct choice {
	const char *name, *value;
};
int rest_interaction_autocomplete(struct rest *rest, const struct interaction *interaction,
	const struct choice *choices, size_t count) warn_unused;
int rest_interaction_edit_original(
	struct rest *rest, const struct interaction *interaction, const struct message_create *message) warn_unused;
int rest_interaction_get_original(
	struct rest *rest, const struct interaction *interaction, snowflake *ret_message) warn_unused;
int rest_interaction_delete_original(struct rest *rest, const struct interaction *interaction) warn_unused;
int rest_interaction_follow_up(struct rest *rest, const struct interaction *interaction,
	const struct message_create *message, snowflake *ret_id) warn_unused;

/* ---- guild ---- */

/* The guild object with its roles; the tree is the caller's. */
int rest_get_guild(struct rest *rest, snowflake guild, cJSON **ret_json) warn_unused;
int rest_get_channels(struct rest *rest, snowflake guild, cJSON **ret_json) warn_unused;
/* The guild's threads that are not archived and that the bot may see: an object with `threads`. */
int rest_get_active_threads(struct rest *rest, snowflake guild, cJSON **ret_json) warn_unused;
/* Who is in a thread (needs the members intent); the ids are in the arena. A private thread must be open to the bot. */
int rest_get_thread_members(
	struct rest *rest, snowflake thread, struct arena *arena, snowflake **ret_users, size_t *ret_count) warn_unused;
int rest_get_current_user_guilds(struct rest *rest, cJSON **ret_json) warn_unused;
int rest_get_current_user(struct rest *rest, struct arena *arena, struct user *ret_user) warn_unused;
int rest_get_member(
	struct rest *rest, snowflake guild, snowflake user, struct arena *arena, struct member *ret_member) warn_unused;
int rest_get_user(struct rest *rest, snowflake user, struct arena *arena, struct user *ret_user) warn_unused;
int rest_add_member_role(
	struct rest *rest, snowflake guild, snowflake user, snowflake role, const char *reason) warn_unused;
int rest_remove_member_role(
	struct rest *rest, snowflake guild, snowflake user, snowflake role, const char *reason) warn_unused;
int rest_modify_role_name(
	struct rest *rest, snowflake guild, snowflake role, const char *name, const char *reason) warn_unused;
struct channel_create {
	const char *name;
	enum channel_type type;
	snowflake parent_id;
};
int rest_create_channel(struct rest *rest, snowflake guild, const struct channel_create *create, const char *reason,
	snowflake *ret_id) warn_unused;

/* ---- application and gateway ---- */

/* `commands` is the JSON array of application commands, as the bot's register.c writes it. */
int rest_overwrite_guild_commands(
	struct rest *rest, snowflake application, snowflake guild, const char *commands, size_t len) warn_unused;
/* The array of the guild's commands as Discord has them; the tree is the caller's. */
int rest_get_guild_commands(struct rest *rest, snowflake application, snowflake guild, cJSON **ret_json) warn_unused;
int rest_get_current_application(struct rest *rest, cJSON **ret_json) warn_unused;
struct gateway_bot {
	const char *url; /* in the arena */
	int64_t remaining, total, max_concurrency;
	usec reset_after;
};
int rest_get_gateway_bot(struct rest *rest, struct arena *arena, struct gateway_bot *ret_gateway) warn_unused;

#endif
