/* Answering (cmd.h): the same functions for a dot command, whose answer is a message with a reference, and for an
 * interaction, whose first answer must come within 3 s, may be deferred, and is followed by follow-ups (Discord's
 * documentation, interactions/receiving-and-responding).
 */
#include "cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/utf8.h"
#include "bot.h"
#include "cache.h"
#include "cmd_internal.h"
#include "expiry.h"

#define CONTENT_MAX    2000
#define DEFER_PATIENCE (5 * SECOND)

/* ---- arguments ---- */

static const struct arg_value *value_of(const struct cmd *cmd, const char *name)
{
	for (size_t i = 0; cmd->command->args && cmd->command->args[i].name; i++)
		if (streq(cmd->command->args[i].name, name))
			return &cmd->values[i];
	log_error("a command asks for an argument that its row does not have", LOG_STR("command", cmd->command->name),
		LOG_STR("argument", name));
	abort();
}

bool cmd_given(const struct cmd *cmd, const char *name)
{
	return value_of(cmd, name)->given;
}

const char *cmd_string(const struct cmd *cmd, const char *name)
{
	const struct arg_value *value = value_of(cmd, name);

	return value->given ? value->text : NULL;
}

int64_t cmd_integer(const struct cmd *cmd, const char *name, int64_t fallback)
{
	const struct arg_value *value = value_of(cmd, name);

	return value->given ? value->integer : fallback;
}

snowflake cmd_id(const struct cmd *cmd, const char *name)
{
	return value_of(cmd, name)->id;
}

bool cmd_may(const struct cmd *cmd, enum command_who who)
{
	return roles_may(&cmd->bot->roles, who, cmd->caller.roles, cmd->caller.role_count);
}

/* ---- deferring ---- */

static int defer_now(struct cmd *cmd)
{
	struct cmd_answer *answer = cmd->answer;
	int r;

	answer->state = ANSWER_DEFERRING;
	answer->deferred_private = cmd->command->private_answer;
	r = rest_interaction_defer(cmd->service->rest, cmd->interaction, answer->deferred_private);
	answer->state = r < 0 ? ANSWER_NONE : ANSWER_DEFERRED;
	return r;
}

/* Waits for a deferral that another flow has under way. */
static int settle(struct cmd *cmd)
{
	usec deadline = loop_now(&cmd->service->loop) + DEFER_PATIENCE;
	int r = 0;

	timer_stop(&cmd->answer->defer);
	while (r == 0 && cmd->answer->state == ANSWER_DEFERRING) {
		cmd->answer->waiting = flow_current();
		r = flow_suspend("its deferral", deadline);
	}
	cmd->answer->waiting = NULL;
	return r;
}

static void defer_flow(void *arg)
{
	struct running *running = arg;
	int r = defer_now(&running->cmd);

	if (r < 0 && r != -ECANCELED)
		log_warn("an interaction could not be deferred", LOG_STR("command", running->cmd.command->name),
			LOG_ERRNO(r));
	if (running->answer.waiting)
		flow_wake(running->answer.waiting);
	running_release(running);
}

static void defer_dropped(void *arg)
{
	struct running *running = arg;

	running->answer.state = ANSWER_NONE;
	running_release(running);
}

void cmd_defer_later(void *arg)
{
	struct running *running = arg;

	if (running->answer.state != ANSWER_NONE)
		return;
	running->answer.state = ANSWER_DEFERRING;
	running->references++;
	bot_start_flow(running->cmd.bot, "defer", defer_flow, defer_dropped, running);
}

int cmd_defer(struct cmd *cmd)
{
	int r;

	if (!cmd->interaction)
		return 0;
	r = settle(cmd);
	if (r < 0 || cmd->answer->state != ANSWER_NONE)
		return r;
	return defer_now(cmd);
}

/* ---- sending ---- */

static int send_text(struct cmd *cmd, struct message_create *message)
{
	char nonce[26];
	int r;

	/* The nonce makes Discord answer a repeated request with the message that exists already. */
	snprintf(nonce, sizeof(nonce), "c%llu.%u", (unsigned long long)cmd->message_id, cmd->answer->count % 100);
	message->nonce = nonce;
	message->reply_to = cmd->message_id;
	message->ephemeral = false;
	r = rest_create_message(cmd->service->rest, cmd->channel_id, message, &cmd->answer->last_id);
	message->nonce = NULL;
	return r;
}

static int send_interaction(struct cmd *cmd, struct message_create *message)
{
	struct cmd_answer *answer = cmd->answer;
	struct rest *rest = cmd->service->rest;
	int r = settle(cmd);

	if (r < 0)
		return r;
	message->reply_to = 0;
	message->nonce = NULL;
	answer->last_id = 0;
	switch (answer->state) {
	case ANSWER_NONE:
		answer->state = ANSWER_SENT;
		r = rest_interaction_reply(rest, cmd->interaction, message);
		/* It certainly did not arrive, or was refused as it is: another answer may follow. */
		if (r == -EINVAL || r == -E2BIG || r == -ECONNREFUSED)
			answer->state = ANSWER_NONE;
		return r;
	case ANSWER_DEFERRED:
		answer->state = ANSWER_SENT;
		if (message->ephemeral == answer->deferred_private)
			return rest_interaction_edit_original(rest, cmd->interaction, message);
		/* "Is thinking" is public and cannot be made private: it goes, and the answer follows up. */
		r = rest_interaction_delete_original(rest, cmd->interaction);
		if (r < 0 && r != -ENOENT)
			return r;
		break;
	case ANSWER_DEFERRING:
	case ANSWER_SENT: break;
	}
	return rest_interaction_follow_up(rest, cmd->interaction, message, &answer->last_id);
}

int cmd_reply_message(struct cmd *cmd, const struct message_create *message)
{
	struct message_create copy = *message;
	struct str content cleanup(str_finish) = STR_INIT;
	int r;

	if (cmd->command->private_answer && cmd->interaction)
		copy.ephemeral = true;
	if (copy.content) {
		utf8_append_shortened(&content, copy.content, CONTENT_MAX);
		copy.content = content.buf;
	}
	r = cmd->interaction ? send_interaction(cmd, &copy) : send_text(cmd, &copy);
	cmd->answer->count++;
	if (r < 0)
		return r;
	cmd->answer->state = ANSWER_SENT;
	cmd->answer->last_private = copy.ephemeral;
	return 0;
}

int cmd_reply(struct cmd *cmd, const char *format, ...)
{
	struct str text cleanup(str_finish) = STR_INIT;
	va_list args;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	return cmd_reply_message(cmd, &(struct message_create){ .content = text.buf });
}

int cmd_reply_embed(struct cmd *cmd, const struct embed *embed)
{
	return cmd_reply_message(cmd, &(struct message_create){ .embeds = embed, .embed_count = 1 });
}

int cmd_reply_private(struct cmd *cmd, const char *format, ...)
{
	struct str text cleanup(str_finish) = STR_INIT;
	va_list args;
	int r;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	r = cmd_reply_message(cmd, &(struct message_create){ .content = text.buf, .ephemeral = true });
	if (r < 0 || cmd->interaction)
		return r;
	return cmd_expire(cmd, CMD_ERROR_LIFE);
}

int cmd_answer_error(struct cmd *cmd, const char *title, const char *text)
{
	struct embed embed = { .title = title, .description = text, .color = EMBED_ERROR };

	cmd_author_bot(cmd, &embed);
	if (!cmd->interaction)
		embed.footer = "This answer and your message vanish in 20 seconds.";
	return cmd_reply_message(
		cmd, &(struct message_create){ .embeds = &embed, .embed_count = 1, .ephemeral = true });
}

int cmd_error(struct cmd *cmd, const char *format, ...)
{
	struct str text cleanup(str_finish) = STR_INIT;
	va_list args;
	int r;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	r = cmd_answer_error(cmd, "That did not work", text.buf);
	if (r < 0 || cmd->interaction)
		return r;
	return cmd_expire(cmd, CMD_ERROR_LIFE);
}

/* ---- afterwards ---- */

int cmd_edit(struct cmd *cmd, const struct message_create *message)
{
	if (cmd->answer->state != ANSWER_SENT)
		return -ENOENT;
	if (cmd->interaction && !cmd->answer->last_id)
		return rest_interaction_edit_original(cmd->service->rest, cmd->interaction, message);
	return rest_edit_message(cmd->service->rest, cmd->channel_id, cmd->answer->last_id, message);
}

int cmd_delete_answer(struct cmd *cmd)
{
	if (cmd->answer->state != ANSWER_SENT)
		return -ENOENT;
	if (cmd->interaction && !cmd->answer->last_id)
		return rest_interaction_delete_original(cmd->service->rest, cmd->interaction);
	return rest_delete_message(cmd->service->rest, cmd->channel_id, cmd->answer->last_id, NULL);
}

int cmd_answer_id(struct cmd *cmd, snowflake *ret_message)
{
	if (cmd->answer->state != ANSWER_SENT)
		return -ENOENT;
	if (cmd->interaction && !cmd->answer->last_id) {
		int r = rest_interaction_get_original(cmd->service->rest, cmd->interaction, ret_message);

		return r;
	}
	*ret_message = cmd->answer->last_id;
	return 0;
}

int cmd_expire(struct cmd *cmd, usec after)
{
	snowflake id;
	int r;

	if (cmd->interaction && cmd->answer->last_private)
		return 0;
	r = cmd_answer_id(cmd, &id);
	if (r < 0)
		return r;
	return expiry_add(cmd->bot->expiry, cmd->channel_id, id, cmd->message_id, after);
}

int cmd_begin(struct cmd *cmd)
{
	return batch_begin(cmd->service->batch);
}

int cmd_commit(struct cmd *cmd)
{
	return batch_flush(cmd->service->batch);
}

void cmd_author_caller(const struct cmd *cmd, struct embed *embed)
{
	embed->author_name = cmd->caller.name;
	embed->author_icon_url = cmd->caller.avatar_url;
}

void cmd_author_bot(const struct cmd *cmd, struct embed *embed)
{
	const struct cached_member *member = cache_member(cmd->cache, cmd->service->user_id);
	struct str url cleanup(str_finish) = STR_INIT;

	if (!member) {
		embed->author_name = "Wall-E";
		return;
	}
	cached_member_avatar(&url, cmd->cache, cmd->service->settings.cdn_url, member);
	embed->author_name = arena_strdup(cmd->arena, cached_member_name(member));
	embed->author_icon_url = arena_strdup(cmd->arena, url.buf);
}

/* ---- autocomplete (Discord: at most 25 entries, names of at most 100 characters) ---- */

#define CHOICE_NAME_MAX 100

const char *choice_list_typed(const struct choice_list *list)
{
	return list->typed;
}

static const char *choice_name(struct arena *arena, const char *name)
{
	struct str text cleanup(str_finish) = STR_INIT;

	utf8_append_shortened(&text, name, CHOICE_NAME_MAX);
	return arena_strdup(arena, text.buf);
}

void choice_list_add(struct choice_list *list, const char *name, const char *value)
{
	if (!*name || !utf8_contains_folded(name, list->typed))
		return;
	if (list->count == ARRAY_SIZE(list->choices)) {
		list->more = true;
		return;
	}
	list->choices[list->count].name = choice_name(list->arena, name);
	list->choices[list->count].value = arena_strdup(list->arena, value);
	list->count++;
}

void choice_list_empty(struct choice_list *list, const char *format, ...)
{
	struct str text cleanup(str_finish) = STR_INIT;
	va_list args;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	list->empty = choice_name(list->arena, text.buf);
}

void choice_list_conclude(struct choice_list *list)
{
	if (list->more) {
		list->count = ARRAY_SIZE(list->choices) - 1;
		list->choices[list->count++] =
			(struct choice){ .name = "Start typing to get better results", .value = CHOICE_NONE };
	} else if (!list->count) {
		list->choices[list->count++] = (struct choice){ .name = list->empty ? list->empty : "Nothing fits that",
			.value = CHOICE_NONE };
	}
}
