/* Help, written from the commands' rows: an overview by extension, a page per command, a page per extension; only
 * what the caller may run. For text it vanishes after a minute together with the question; for slash only the caller
 * sees it.
 */
#include "help.h"

#include <string.h>

#include "base/utf8.h"
#include "commands.h"
#include "dispatch.h"

#define HELP_LIFE (1 * MINUTE)
#define FOOTER    "help <command> tells more about a command.\nhelp <extension> lists the commands of an extension."
/* Room for the title, the footer and the author below Discord's 6000 characters for all embeds of a message together.
 */
#define OVERVIEW_MAX 5400

static bool visible(const struct cmd *cmd, const struct command *command)
{
	return command->kinds & (cmd->interaction ? SLASH : TEXT) && cmd_may(cmd, command->who);
}

/* ".name: brief" a line each, as many as fit a field; returns the command after the last one. NULL: all are done. */
static const struct command *write_lines(
	const struct cmd *cmd, const struct command *command, size_t limit, struct str *out)
{
	struct str line cleanup(str_finish) = STR_INIT;

	for (; command && command->name; command++) {
		if (!visible(cmd, command))
			continue;
		str_clear(&line);
		str_printf(&line, "%s`%c%s`: %s", out->len ? "\n" : "", cmd->interaction ? '/' : '.', command->name,
			command->brief);
		if (utf8_count(out->buf, out->len) + utf8_count(line.buf, line.len) > limit)
			return command;
		str_adds(out, line.buf);
	}
	return NULL;
}

static int send_help(struct cmd *cmd, const struct embed *embed)
{
	int r = cmd_reply_embed(cmd, embed);

	if (r < 0 || cmd->interaction)
		return r;
	return cmd_expire(cmd, HELP_LIFE);
}

/* ---- the overview ---- */

static void add_section(struct help_overview *overview, const struct feature *feature)
{
	struct str lines cleanup(str_finish) = STR_INIT;
	struct help_section section = { .feature = feature };
	size_t at;

	write_lines(overview->cmd, feature->commands, SIZE_MAX, &lines);
	section.length = utf8_count(lines.buf, lines.len);
	if (!section.length)
		return;
	for (at = overview->count++; at > 0 && overview->sections[at - 1].length > section.length; at--)
		overview->sections[at] = overview->sections[at - 1];
	overview->sections[at] = section;
}

static void enter_section(struct help_overview *overview, size_t at)
{
	overview->at = at;
	overview->next = at < overview->count ? overview->sections[at].feature->commands : NULL;
}

void help_overview_begin(struct help_overview *overview, const struct cmd *cmd)
{
	const struct feature **list = cmd->bot->features;
	size_t count = 0;

	while (list[count])
		count++;
	*overview = (struct help_overview){ .cmd = cmd,
		.sections = arena_array(cmd->arena, struct help_section, count + 1) };
	for (size_t i = 0; i < count; i++)
		add_section(overview, list[i]);
	enter_section(overview, 0);
}

bool help_overview_next(
	struct help_overview *overview, struct embed_field ret_fields[static EMBED_FIELDS_MAX], size_t *ret_count)
{
	struct str lines cleanup(str_finish) = STR_INIT;
	size_t total = 0, count = 0;

	while (overview->at < overview->count && count < EMBED_FIELDS_MAX) {
		const struct feature *feature = overview->sections[overview->at].feature;
		const struct command *after;
		const char *name = feature->title;

		str_clear(&lines);
		after = write_lines(overview->cmd, overview->next, EMBED_FIELD_VALUE_MAX, &lines);
		if (overview->next != feature->commands)
			name = arena_printf(overview->cmd->arena, "%s \xe2\x80\xa6", feature->title);
		total += utf8_count(lines.buf, lines.len) + utf8_count(name, strlen(name));
		if (total > OVERVIEW_MAX)
			break;
		ret_fields[count++] = (struct embed_field){
			.name = name, .value = arena_strdup(overview->cmd->arena, lines.buf), .block = true
		};
		if (after)
			overview->next = after;
		else
			enter_section(overview, overview->at + 1);
	}
	*ret_count = count;
	return count > 0;
}

static int send_overview(struct cmd *cmd)
{
	struct embed_field fields[EMBED_FIELDS_MAX];
	struct embed embed = { .title = cmd->interaction ? "Bot Slash Commands" : "Bot Text Commands",
		.footer = FOOTER,
		.fields = fields };
	struct help_overview overview;
	int r = 0;

	cmd_author_bot(cmd, &embed);
	help_overview_begin(&overview, cmd);
	while (r == 0 && help_overview_next(&overview, fields, &embed.field_count))
		r = send_help(cmd, &embed);
	return r;
}

/* ---- pages ---- */

static const char *argument_kind(const struct arg *arg)
{
	static const char *const kinds[] = {
		[ARG_STRING] = "a word, or several in quotes",
		[ARG_INTEGER] = "a number",
		[ARG_MEMBER] = "a member: mention, id or name",
		[ARG_ROLE] = "a role: mention, id or name",
		[ARG_CHANNEL] = "a channel: mention, id or name",
		[ARG_CHOICE] = "one of the choices",
		[ARG_REST] = "text up to the end of the line",
	};

	return kinds[arg->type];
}

static void write_argument(struct str *out, const struct arg *arg)
{
	str_printf(out, "\n`%s`: %s (%s", arg->name, arg->description, argument_kind(arg));
	if (arg->type == ARG_INTEGER && (arg->min || arg->max))
		str_printf(out, " from %lld to %lld", (long long)arg->min, (long long)arg->max);
	if (arg->type == ARG_CHOICE) {
		for (size_t i = 0; arg->choices[i]; i++)
			str_printf(out, "%s%s", i ? ", " : ": ", arg->choices[i]);
	}
	str_adds(out, arg->required ? ")" : "; can be left out)");
}

static int command_page(struct cmd *cmd, const struct command *command)
{
	struct str title cleanup(str_finish) = STR_INIT, text cleanup(str_finish) = STR_INIT,
			 usage cleanup(str_finish) = STR_INIT;
	struct str shortened cleanup(str_finish) = STR_INIT;
	struct embed embed = { .footer = FOOTER };

	args_write_usage(&usage, cmd->interaction ? '/' : DISPATCH_PREFIX, command->name, command->args);
	utf8_append_shortened(&title, usage.buf, EMBED_TITLE_MAX - strlen(" usage"));
	str_adds(&title, " usage");
	str_adds(&text, command->help ? command->help : command->brief);
	if (command->args && command->args->name)
		str_addc(&text, '\n');
	for (const struct arg *arg = command->args; arg && arg->name; arg++)
		write_argument(&text, arg);
	for (size_t i = 0; command->aliases && command->aliases[i] && !cmd->interaction; i++)
		str_printf(&text, "%s`.%s`", i ? ", " : "\n\nAlso: ", command->aliases[i]);
	if (command->who != ANYONE)
		str_printf(&text, "\n\nFor %s only.", roles_who_text(command->who));
	utf8_append_shortened(&shortened, text.buf, EMBED_DESCRIPTION_MAX);
	embed.title = title.buf;
	embed.description = shortened.buf;
	cmd_author_bot(cmd, &embed);
	return send_help(cmd, &embed);
}

static int feature_page(struct cmd *cmd, const struct feature *feature)
{
	struct str title cleanup(str_finish) = STR_INIT, lines cleanup(str_finish) = STR_INIT;
	const struct command *next = feature->commands;
	struct embed embed = { .footer = FOOTER };
	int r = 0;

	str_printf(&title, "%s Commands", feature->title);
	embed.title = title.buf;
	cmd_author_bot(cmd, &embed);
	while (r == 0 && next) {
		str_clear(&lines);
		next = write_lines(cmd, next, EMBED_DESCRIPTION_MAX, &lines);
		embed.description = lines.buf;
		r = send_help(cmd, &embed);
	}
	return r;
}

static bool has_visible(const struct cmd *cmd, const struct feature *feature)
{
	for (const struct command *command = feature->commands; command && command->name; command++)
		if (visible(cmd, command))
			return true;
	return false;
}

static int cmd_help(struct cmd *cmd)
{
	const char *topic = cmd_string(cmd, "topic");
	const struct command_entry *entry;
	struct embed unknown = { .title = "ERROR",
		.color = EMBED_ERROR,
		.footer = FOOTER,
		.description = "There is no command and no extension of that name that you can use." };

	cmd_author_bot(cmd, &unknown);
	if (!topic)
		return send_overview(cmd);
	if (*topic == '.' || *topic == '/')
		topic++;
	entry = commands_find(cmd->bot->commands, cmd->interaction ? SLASH : TEXT, topic);
	if (entry && visible(cmd, entry->command))
		return command_page(cmd, entry->command);
	for (size_t f = 0; cmd->bot->features[f]; f++) {
		const struct feature *feature = cmd->bot->features[f];

		if (!utf8_equal_folded(feature->name, topic) && !utf8_equal_folded(feature->title, topic))
			continue;
		if (has_visible(cmd, feature))
			return feature_page(cmd, feature);
	}
	return send_help(cmd, &unknown);
}

static int complete_topic(struct cmd *cmd, struct choice_list *list)
{
	const struct command_entry *entry;

	for (size_t i = 0; (entry = commands_at(cmd->bot->commands, i)); i++)
		if (visible(cmd, entry->command))
			choice_list_add(list, entry->command->name, entry->command->name);
	for (size_t f = 0; cmd->bot->features[f]; f++) {
		const struct feature *feature = cmd->bot->features[f];

		if (has_visible(cmd, feature) && !commands_find(cmd->bot->commands, SLASH, feature->name))
			choice_list_add(list, feature->title, feature->name);
	}
	choice_list_empty(list, "No command or extension has that in its name");
	return 0;
}

static const struct arg help_args[] = {
	{ .name = "topic",
		.description = "A command or an extension",
		.type = ARG_REST,
		.max = 100,
		.autocomplete = complete_topic },
	{ 0 },
};

static const struct command help_commands[] = {
	{ .name = "help",
		.run = cmd_help,
		.kinds = TEXT | SLASH,
		.brief = "Lists the commands, or explains one",
		.args = help_args,
		.help = "Without a topic it lists all commands that you can use. With the name of a command or "
			"of an extension it tells more about that.",
		.private_answer = true },
	{ 0 },
};

const struct feature feature_help = {
	.name = "help",
	.title = "Help",
	.commands = help_commands,
};
