/* Running commands (dispatch.h). Each runs in a flow of its own with an arena of its own; whatever goes wrong is told
 * to the person, and what is our fault also goes into the log under a short code that the person is shown.
 */
#include "dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "cache.h"
#include "cmd_internal.h"
#include "commands.h"
#include "cooldown.h"
#include "expiry.h"
#include "feature.h"
#include "incident.h"
#include "models/command_usage.h"
#include "models/member_xp.h"
#include "text.h"

/* Discord gives an interaction up after 3 s; a replayed one that is older has been given up already. */
#define INTERACTION_AGE_MAX (3 * SECOND)
/* A slash command that has not answered by then says that it is thinking. */
#define DEFER_AFTER (1 * SECOND)

static struct metric commands_run = METRIC_COUNTER("walle_bot_commands_total", "Commands that were run");
static struct metric commands_failed =
	METRIC_COUNTER("walle_bot_commands_failed_total", "Commands that ended in an internal error");
static struct metric commands_denied =
	METRIC_COUNTER("walle_bot_commands_denied_total", "Commands that the caller may not run");

/* ---- life of a running command ---- */

static struct running *running_create(struct bot *bot, const struct command_entry *entry)
{
	struct running *running = xcalloc(1, sizeof(*running));

	metrics_register(&commands_run);
	metrics_register(&commands_failed);
	metrics_register(&commands_denied);
	running->references = 1;
	running->feature = entry->feature->name;
	running->cmd = (struct cmd){ .bot = bot,
		.service = bot->service,
		.cache = bot->cache,
		.arena = &running->arena,
		.command = entry->command,
		.answer = &running->answer,
		.guild_id = bot->service->guild_id };
	return running;
}

void running_release(void *arg)
{
	struct running *running = arg;

	if (--running->references > 0)
		return;
	timer_finish(&running->answer.defer);
	cJSON_Delete(running->json);
	arena_finish(&running->arena);
	free(running);
}

static void set_caller(struct running *running, const struct user *user, const struct member *member)
{
	struct cmd *cmd = &running->cmd;
	struct arena *arena = &running->arena;
	struct str url cleanup(str_finish) = STR_INIT;

	avatar_url(&url, cmd->service->settings.cdn_url, cmd->guild_id, user, member);
	cmd->caller = (struct cmd_caller){
		.id = user->id,
		.username = arena_strdup(arena, user->username),
		.name = arena_strdup(arena, display_name(user, member)),
		.avatar_url = arena_strdup(arena, url.buf),
		.roles = arena_copy(arena, member->roles, member->role_count * sizeof(snowflake)),
		.role_count = member->role_count,
	};
}

/* ---- what names mean ---- */

static snowflake look_up_member(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	const struct cached_member *member = id ? cache_member(arg, id) : cache_find_member(arg, name, ret_ambiguous);

	return member ? member->id : 0;
}

static snowflake look_up_role(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	const struct cached_role *role = id ? cache_role(arg, id) : cache_find_role(arg, name, ret_ambiguous);

	return role ? role->id : 0;
}

static snowflake look_up_channel(void *arg, snowflake id, const char *name, bool *ret_ambiguous)
{
	const struct cached_channel *channel =
		id ? cache_channel(arg, id) : cache_find_channel(arg, name, ret_ambiguous);

	return channel ? channel->id : 0;
}

/* ---- running ---- */

static int read_arguments(struct running *running, struct str *reterr)
{
	struct cmd *cmd = &running->cmd;
	const struct args_lookup lookup = {
		.arg = cmd->cache,
		.member = look_up_member,
		.role = look_up_role,
		.channel = look_up_channel,
		.learning = !cmd->bot->ready,
	};

	cmd->values = arena_array(&running->arena, struct arg_value, ARGS_MAX);
	if (cmd->interaction)
		return args_parse_options(
			&running->arena, cmd->command->args, cmd->interaction->options, &lookup, cmd->values, reterr);
	return args_parse_text(&running->arena, cmd->command->args, running->line, &lookup, cmd->values, reterr);
}

static int answer_bad_arguments(struct cmd *cmd, const struct str *reason)
{
	struct str text cleanup(str_finish) = STR_INIT;
	int r;

	str_printf(&text, "%s\n\nUsage: `", reason->buf);
	args_write_usage(&text, cmd->interaction ? '/' : DISPATCH_PREFIX, cmd->command->name, cmd->command->args);
	str_addc(&text, '`');
	r = cmd_answer_error(cmd, "I do not understand that", text.buf);
	if (r < 0 || cmd->interaction)
		return r;
	return cmd_expire(cmd, CMD_ERROR_LIFE);
}

static void record_usage(struct cmd *cmd)
{
	const struct cached_channel *channel = cache_channel(cmd->cache, cmd->channel_id);
	struct command_usage usage = { .used_at = clock_realtime(),
		.channel_name = channel ? channel->name : "",
		.command = cmd->command->name,
		.invoked_as = cmd->invoked_as };
	int r;

	/* Rows of no kind only stand in for a command. */
	if (!cmd->service->settings.frequency_enabled || !cmd->command->kinds)
		return;
	r = cmd_begin(cmd);
	if (r == 0)
		r = command_usage_add(cmd->service->db, &usage);
	if (r < 0)
		log_warn("the use of a command could not be recorded", LOG_STR("command", cmd->command->name),
			LOG_ERRNO(r));
}

/* Everything between the caller's wish and the command's function. 0 and `ret_run` false: it was answered otherwise. */
static int prepare(struct running *running, bool *ret_run)
{
	struct cmd *cmd = &running->cmd;
	struct bot *bot = cmd->bot;
	struct str reason cleanup(str_finish) = STR_INIT;
	usec wait;

	*ret_run = false;
	if (!bot->roles.resolved)
		return cmd_error(cmd,
			"I have only just started and do not know this server yet. Please try again in a few seconds.");
	if (!cmd_may(cmd, cmd->command->who)) {
		metric_add(&commands_denied, 1);
		return incident_denied(cmd);
	}
	if (read_arguments(running, &reason) < 0)
		return answer_bad_arguments(cmd, &reason);
	wait = cooldown_take(bot->cooldowns, cmd->command, cmd->caller.id, loop_now(&cmd->service->loop));
	if (wait > 0)
		return cmd_error(cmd, "Not so fast: you can use this command again in %lld s.",
			(long long)((wait + SECOND - 1) / SECOND));
	*ret_run = true;
	return 0;
}

/* Our fault: the person gets a plain sentence and a code, the log the rest. */
static void report_failure(struct cmd *cmd, int error)
{
	static const char digits[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
	const struct rest_error *rest = rest_error(cmd->service->rest);
	char code[7], sentence[200];
	int r;

	for (size_t i = 0; i < sizeof(code) - 1; i++)
		code[i] = digits[random_below(&cmd->service->random, sizeof(digits) - 1)];
	code[sizeof(code) - 1] = '\0';
	metric_add(&commands_failed, 1);
	log_error("a command failed; the person was shown this code", LOG_STR("code", code),
		LOG_STR("command", cmd->command->name), LOG_ERRNO(error),
		LOG_INT("http_status", rest ? rest->http_status : 0), LOG_INT("discord_code", rest ? rest->code : 0),
		LOG_STR("discord_message", rest ? rest->message : ""));
	snprintf(sentence, sizeof(sentence),
		"Something went wrong on my side, not on yours. If it happens again, tell a Bot_manager the "
		"code **%s**.",
		code);
	r = cmd_answer_error(cmd, "That failed", sentence);
	if (r == 0 && !cmd->interaction)
		r = cmd_expire(cmd, CMD_ERROR_LIFE);
	if (r < 0 && r != -ECANCELED)
		log_warn("the person could not be told that the command failed", LOG_STR("code", code), LOG_ERRNO(r));
}

static void command_flow(void *arg)
{
	struct running *running = arg;
	struct cmd *cmd = &running->cmd;
	bool run = false;
	int r;

	r = prepare(running, &run);
	if (run) {
		metric_add(&commands_run, 1);
		if (!cmd->interaction)
			record_usage(cmd);
		r = cmd->command->run(cmd);
		if (r >= 0 && cmd->interaction) {
			record_usage(cmd);
			/* A command that has nothing to say must not look like one that failed. */
			if (running->answer.state != ANSWER_SENT)
				r = cmd_reply_private(cmd, "Done.");
		}
	}
	if (r < 0 && r != -ECANCELED)
		report_failure(cmd, r);
	running_release(running);
}

static void refuse_flow(void *arg)
{
	struct running *running = arg;
	int r;

	log_context_swap((struct log_context){
		.flow = "refuse", .user = running->cmd.caller.id, .guild = running->cmd.guild_id });
	r = cmd_error(&running->cmd, "Several of your commands are still running. Please wait until they have ended.");
	if (r < 0 && r != -ECANCELED)
		log_warn("a person could not be told to wait", LOG_ERRNO(r));
	running_release(running);
}

/* Refusals are bounded by person too, apart from his commands: whoever floods us is not told each time. */
static bool refuse(struct bot *bot, struct running *running)
{
	const struct flow_options options = { .name = "refuse",
		.tag = running->feature,
		.owner = ~running->cmd.caller.id,
		.guild = running->cmd.guild_id };

	return flow_start(bot->service->flows, &options, refuse_flow, running) == 0;
}

/* After the commit. */
static void start_command(struct bot *bot, void *arg)
{
	struct running *running = arg;
	struct cmd *cmd = &running->cmd;
	const struct flow_options options = {
		.name = cmd->command->name, .tag = running->feature, .owner = cmd->caller.id, .guild = cmd->guild_id
	};
	int r;

	if (bot->stopping) {
		running_release(running);
		return;
	}
	if (cmd->interaction) {
		timer_init(&running->answer.defer, &bot->service->loop, cmd_defer_later, running);
		timer_start(&running->answer.defer, DEFER_AFTER);
	}
	r = flow_start(bot->service->flows, &options, command_flow, running);
	if (r == 0)
		return;
	if (r == -EBUSY && refuse(bot, running))
		return;
	log_info("a command was not run", LOG_STR("command", cmd->command->name), LOG_ERRNO(r));
	running_release(running);
}

/* ---- text ---- */

/* The command's name behind the prefix: letters, digits, - and _. Returns its length, 0: no command. */
static size_t name_length(const char *content)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	size_t len;

	if (content[0] != DISPATCH_PREFIX)
		return 0;
	len = strspn(content + 1, allowed);
	return content[1 + len] == '\0' || strchr(" \t\r\n", content[1 + len]) ? len : 0;
}

/* Whom the message mentions; they may be unknown while the member list is on its way. */
static void learn_mentioned(struct bot *bot, const cJSON *mentions)
{
	json_array_each (mention, mentions) {
		const cJSON *member_json = json_object(mention, "member");
		struct member member;
		struct user user;

		if (member_json && user_parse(mention, &user) == 0 &&
			member_parse(member_json, &bot->event_arena, &member) == 0)
			cache_learn_member(bot->cache, &user, &member);
	}
}

/* Nobody is answered where Discord would refuse it: each refusal counts towards its limit of invalid requests, which
 * a crowd in such a channel could reach. */
static bool may_write(const struct bot *bot, snowflake channel_id)
{
	const struct cached_member *self = cache_member(bot->cache, bot->service->user_id);
	const struct cached_channel *channel = cache_channel(bot->cache, channel_id);

	if (!self || !channel)
		return true;
	return cache_permissions(bot->cache, self, channel_id) &
	       (cached_channel_is_thread(channel) ? PERMISSION_SEND_IN_THREADS : PERMISSION_SEND_MESSAGES);
}

int dispatch_message(struct bot *bot, const struct message *message, usec now)
{
	size_t len = name_length(message->content);
	const struct command_entry *entry;
	struct running *running;
	char name[33];

	if (!len || len >= sizeof(name))
		return 0;
	memcpy(name, message->content + 1, len);
	name[len] = '\0';
	entry = commands_find(bot->commands, TEXT, name);
	if (!entry || now - snowflake_time(message->id) > BOT_COMMAND_AGE_MAX || !may_write(bot, message->channel_id))
		return 0;
	learn_mentioned(bot, json_array(message->json, "mentions"));
	running = running_create(bot, entry);
	running->cmd.message_id = message->id;
	running->cmd.channel_id = message->channel_id;
	running->cmd.invoked_as = arena_strdup(&running->arena, name);
	running->line = arena_strdup(&running->arena, message->content + 1 + len);
	set_caller(running, &message->author, &message->member);
	bot_after_commit(bot, start_command, running_release, running);
	return 0;
}

/* ---- interactions ---- */

/* People and members that Discord sends along; they may be unknown while the member list is on its way. */
static void learn_resolved(struct bot *bot, const cJSON *resolved)
{
	json_array_each (user_json, json_object(resolved, "users")) {
		const cJSON *member_json = json_object(json_object(resolved, "members"), user_json->string);
		struct member member;
		struct user user;

		if (member_json && user_parse(user_json, &user) == 0 &&
			member_parse(member_json, &bot->event_arena, &member) == 0)
			cache_learn_member(bot->cache, &user, &member);
	}
}

static struct running *running_from_interaction(struct bot *bot, const struct command_entry *entry, const cJSON *d)
{
	struct running *running = running_create(bot, entry);

	running->json = cJSON_Duplicate(d, true);
	if (!running->json || interaction_parse(running->json, &running->arena, &running->interaction) < 0) {
		running_release(running);
		return NULL;
	}
	running->cmd.interaction = &running->interaction;
	running->cmd.channel_id = running->interaction.channel_id;
	running->cmd.invoked_as = entry->command->name;
	set_caller(running, &running->interaction.user, &running->interaction.member);
	return running;
}

/* The argument whose value is being typed. */
static const struct arg *focused_arg(const struct cmd *cmd, const char **ret_typed)
{
	json_array_each (option, cmd->interaction->options) {
		const char *name = json_string(option, "name"), *typed = json_string(option, "value");

		if (!name || !json_bool(option, "focused", false))
			continue;
		for (const struct arg *arg = cmd->command->args; arg && arg->name; arg++) {
			if (streq(arg->name, name)) {
				*ret_typed = typed ? typed : "";
				return arg;
			}
		}
	}
	return NULL;
}

static void autocomplete_flow(void *arg)
{
	struct running *running = arg;
	struct cmd *cmd = &running->cmd;
	struct choice_list list = { .typed = "", .arena = &running->arena };
	const struct arg *focused = focused_arg(cmd, &list.typed);
	int r = 0;

	log_context_swap(
		(struct log_context){ .flow = "autocomplete", .user = cmd->caller.id, .guild = cmd->guild_id });
	if (focused && focused->autocomplete && cmd_may(cmd, cmd->command->who))
		r = focused->autocomplete(cmd, &list);
	if (r < 0)
		log_warn("the candidates of an autocomplete could not be listed",
			LOG_STR("command", cmd->command->name), LOG_ERRNO(r));
	choice_list_conclude(&list);
	r = rest_interaction_autocomplete(cmd->service->rest, cmd->interaction, list.choices, list.count);
	/* The person has typed on, and Discord has forgotten the question: nothing is lost. */
	if (r < 0 && r != -ECANCELED && r != -ENOENT)
		log_info("an autocomplete was not answered", LOG_STR("command", cmd->command->name), LOG_ERRNO(r));
	running_release(running);
}

static int stale_component(struct cmd *cmd)
{
	return cmd_reply_private(cmd, "These buttons no longer work. Run the command again for new ones.");
}

static int vanished_command(struct cmd *cmd)
{
	return cmd_error(cmd, "This command is switched off at the moment.");
}

/* Stand in for a row where there is none: what is pressed or called must be answered all the same. */
static const struct command stale_component_row = { .name = "buttons", .run = stale_component, .private_answer = true };
static const struct command vanished_command_row = {
	.name = "switched-off", .run = vanished_command, .private_answer = true
};
static const struct feature built_in = { .name = "built-in", .title = "Built in" };

int dispatch_interaction(struct bot *bot, const cJSON *d, bool replayed, usec now)
{
	static const struct command_entry stale = { &stale_component_row, &built_in };
	static const struct command_entry vanished = { &vanished_command_row, &built_in };
	const struct command_entry *entry = NULL;
	struct interaction interaction;
	struct running *running;
	int r;

	if (interaction_parse(d, &bot->event_arena, &interaction) < 0 || interaction.guild_id != bot->service->guild_id)
		return 0;
	cache_learn_member(bot->cache, &interaction.user, &interaction.member);
	learn_resolved(bot, interaction.resolved);
	if (interaction.type == INTERACTION_APPLICATION_COMMAND_AUTOCOMPLETE) {
		entry = interaction.command_name ? commands_find(bot->commands, SLASH, interaction.command_name) : NULL;
		running = entry && !replayed ? running_from_interaction(bot, entry, d) : NULL;
		if (running)
			bot_start_flow(bot, "autocomplete", autocomplete_flow, running_release, running);
		return 0;
	}
	if (replayed && now - snowflake_time(interaction.id) > INTERACTION_AGE_MAX)
		return 0;
	/* Message and interaction ids come from one space, so one ledger serves both. */
	r = seen_message_claim(bot->service->db, interaction.id);
	if (r < 0)
		return r == -EALREADY ? 0 : r;
	if (interaction.type == INTERACTION_MESSAGE_COMPONENT) {
		if (waits_offer(bot->service->waits, "INTERACTION_CREATE", d))
			return 0;
		entry = &stale;
	} else if (interaction.type == INTERACTION_APPLICATION_COMMAND && interaction.command_name) {
		entry = commands_find(bot->commands, SLASH, interaction.command_name);
		if (!entry)
			entry = &vanished;
	}
	running = entry ? running_from_interaction(bot, entry, d) : NULL;
	if (running)
		bot_after_commit(bot, start_command, running_release, running);
	return 0;
}
