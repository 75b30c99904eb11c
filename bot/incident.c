/* Denied commands (incident.h). */
#include "incident.h"

#include <errno.h>

#include "base/log.h"
#include "bot.h"
#include "cache.h"
#include "cmd_internal.h"
#include "cooldown.h"
#include "expiry.h"

/* One report of a person in this time: who tries again and again must not flood the moderators' channel. Kept with the commands' cool-downs. */
static const struct command report = { .name = "incident", .cooldown = 30 * SECOND };

/* A line for the moderators; that there is no channel for it is no reason to fail. */
static void write_line(struct cmd *cmd)
{
	struct service *service = cmd->service;
	bool ambiguous = false;
	const struct cached_channel *channel =
		cache_find_channel(cmd->cache, service->settings.incident_report_channel, &ambiguous);
	struct str line cleanup(str_finish) = STR_INIT;
	snowflake id;
	int r;

	log_warn("somebody ran a command that is not for him", LOG_STR("command", cmd->command->name),
		LOG_ID("channel", cmd->channel_id));
	if (!channel)
		return;
	str_printf(&line, "<@%llu> tried to run command `%s` in <#%llu>", (unsigned long long)cmd->caller.id,
		cmd->command->name, (unsigned long long)cmd->channel_id);
	r = rest_create_message(service->rest, channel->id, &(struct message_create){ .content = line.buf }, &id);
	if (r < 0 && r != -ECANCELED)
		log_warn("the incident channel could not be written to", LOG_ERRNO(r));
}

static int tell_in_channel(struct cmd *cmd, const struct embed *embed)
{
	struct str mention cleanup(str_finish) = STR_INIT;
	struct message_create message = {
		.embeds = embed, .embed_count = 1, .mention_users = &cmd->caller.id, .mention_user_count = 1
	};
	snowflake id;
	int r;

	str_printf(&mention, "<@%llu>", (unsigned long long)cmd->caller.id);
	message.content = mention.buf;
	r = rest_create_message(cmd->service->rest, cmd->channel_id, &message, &id);
	if (r < 0)
		return r;
	return expiry_add(cmd->bot->expiry, cmd->channel_id, id, 0, CMD_INCIDENT_LIFE);
}

int incident_denied(struct cmd *cmd)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct embed embed = { .title = "INCIDENT REPORT", .color = EMBED_ERROR };
	snowflake dm, id;
	bool again;
	int r;

	again = cooldown_take(cmd->bot->cooldowns, &report, cmd->caller.id, loop_now(&cmd->service->loop)) > 0;
	str_printf(&text, "You ran `%s`, which is only for %s. The moderators see this.", cmd->command->name,
		roles_who_text(cmd->command->who));
	embed.description = text.buf;
	cmd_author_bot(cmd, &embed);
	if (cmd->interaction) {
		r = cmd_reply_message(
			cmd, &(struct message_create){ .embeds = &embed, .embed_count = 1, .ephemeral = true });
		if (!again)
			write_line(cmd);
		return r;
	}
	r = rest_delete_message(
		cmd->service->rest, cmd->channel_id, cmd->message_id, "a command that its author may not run");
	if (r < 0 && r != -ENOENT && r != -EACCES)
		return r;
	if (again)
		return 0;
	write_line(cmd);
	r = rest_create_dm(cmd->service->rest, cmd->caller.id, &dm);
	if (r == 0)
		r = rest_create_message(
			cmd->service->rest, dm, &(struct message_create){ .embeds = &embed, .embed_count = 1 }, &id);
	/* Discord answers 403 when the person takes no direct messages from us. */
	return r == -EACCES || r == -EINVAL ? tell_in_channel(cmd, &embed) : r;
}
