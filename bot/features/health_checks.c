/* Health checks: is the bot alive, and does it hear us right. */
#include <stdio.h>

#include "feature.h"

static int cmd_ping(struct cmd *cmd)
{
	struct embed embed = { .title = "Pong!" };
	struct gateway_statistics statistics;
	char text[80];

	gateway_client_statistics(cmd->service->gateway, &statistics);
	if (statistics.latency > 0) {
		snprintf(text, sizeof(text), "Discord's gateway answers in %lld ms.",
			(long long)(statistics.latency / MILLISECOND));
		embed.description = text;
	}
	cmd_author_bot(cmd, &embed);
	return cmd_reply_embed(cmd, &embed);
}

static int cmd_echo(struct cmd *cmd)
{
	struct embed embed = { .description = cmd_string(cmd, "string") };

	cmd_author_caller(cmd, &embed);
	return cmd_reply_embed(cmd, &embed);
}

static const struct arg echo_args[] = {
	{ .name = "string", .description = "What to say", .type = ARG_REST, .required = true, .min = 1, .max = 2000 },
	{ 0 },
};

static const struct command commands[] = {
	{ .name = "ping",
		.run = cmd_ping,
		.kinds = TEXT | SLASH,
		.who = BOT_MANAGERS,
		.brief = "Says whether the bot is alive" },
	{ .name = "echo",
		.run = cmd_echo,
		.kinds = TEXT | SLASH,
		.brief = "Says what you say",
		.args = echo_args,
		.cooldown = 3 * SECOND },
	{ 0 },
};

static bool enabled(const struct settings *settings)
{
	return settings->extension_health_checks;
}

const struct feature feature_health_checks = {
	.name = "health_checks",
	.title = "Health checks",
	.enabled = enabled,
	.commands = commands,
};
