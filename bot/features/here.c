/* here: who can see this channel, by roles and overwrites; in a thread, who has joined it. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cache.h"
#include "feature.h"
#include "text.h"

#define HERE_LIFE (300 * SECOND)
/* More than this and nobody reads it. */
#define LISTED_MAX  50
#define FILTERS_MAX 16

struct listed {
	const char *filters[FILTERS_MAX]; /* folded, as the names are that they are looked for in */
	size_t filter_count;
	struct str name;
	const struct cached_member *members[LISTED_MAX];
	size_t count; /* of all that fit; only the first LISTED_MAX are kept */
};

static bool has_filter(struct listed *listed, const char *name)
{
	str_clear(&listed->name);
	if (utf8_fold(&listed->name, name) < 0)
		return false;
	for (size_t i = 0; i < listed->filter_count; i++)
		if (strstr(listed->name.buf, listed->filters[i]))
			return true;
	return false;
}

static bool passes(struct listed *listed, const struct cached_member *member)
{
	return !listed->filter_count || has_filter(listed, cached_member_name(member)) ||
	       has_filter(listed, member->username);
}

static void listed_finish(struct listed *listed)
{
	str_finish(&listed->name);
}

static void list(struct listed *listed, const struct cached_member *member)
{
	if (!passes(listed, member))
		return;
	if (listed->count < LISTED_MAX)
		listed->members[listed->count] = member;
	listed->count++;
}

static void list_channel(const struct cmd *cmd, struct listed *listed)
{
	for (const struct cached_member *m = cache_next_member(cmd->cache, NULL); m;
		m = cache_next_member(cmd->cache, m))
		if (cache_permissions(cmd->cache, m, cmd->channel_id) & PERMISSION_VIEW_CHANNEL)
			list(listed, m);
}

/* Suspends: what was looked up before is gone. */
static int list_thread(const struct cmd *cmd, struct listed *listed)
{
	snowflake *users;
	size_t count;
	int r;

	r = rest_get_thread_members(cmd->service->rest, cmd->channel_id, cmd->arena, &users, &count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct cached_member *member = cache_member(cmd->cache, users[i]);

		if (member)
			list(listed, member);
	}
	return r;
}

/* Two columns of one line per member; long ones go on in further fields, line for line beside each other. */
static size_t write_columns(const struct cmd *cmd, const struct listed *listed, struct embed_field *fields)
{
	size_t count = 0;

	for (size_t i = 0; i < listed->count;) {
		struct str names cleanup(str_finish) = STR_INIT, accounts cleanup(str_finish) = STR_INIT;
		struct str name cleanup(str_finish) = STR_INIT, account cleanup(str_finish) = STR_INIT;

		for (bool first = true; i < listed->count; i++, first = false) {
			str_clear(&name);
			str_clear(&account);
			text_add_escaped(&name, cached_member_name(listed->members[i]));
			text_add_escaped(&account, listed->members[i]->username);
			if (utf8_count(names.buf, names.len) + utf8_count(name.buf, name.len) >=
					EMBED_FIELD_VALUE_MAX ||
				utf8_count(accounts.buf, accounts.len) + utf8_count(account.buf, account.len) >=
					EMBED_FIELD_VALUE_MAX)
				break;
			str_printf(&names, "%s%s", first ? "" : "\n", name.buf);
			str_printf(&accounts, "%s%s", first ? "" : "\n", account.buf);
		}
		fields[count++] = (struct embed_field){ .name = "Name", .value = arena_strdup(cmd->arena, names.buf) };
		fields[count++] =
			(struct embed_field){ .name = "Account", .value = arena_strdup(cmd->arena, accounts.buf) };
		/* Discord sets three inline fields in a row. */
		if (i < listed->count)
			fields[count++] = (struct embed_field){ .name = "\xe2\x80\x8b", .value = "\xe2\x80\x8b" };
	}
	return count;
}

/* Roles to which this channel's own overwrites open it. */
static void write_roles(const struct cmd *cmd, const struct cached_channel *channel, struct str *out)
{
	struct str name cleanup(str_finish) = STR_INIT;

	for (size_t i = 0; i < channel->overwrite_count; i++) {
		const struct overwrite *overwrite = &channel->overwrites[i];
		const struct cached_role *role =
			overwrite->type == OVERWRITE_ROLE ? cache_role(cmd->cache, overwrite->id) : NULL;

		if (!role || role->id == cmd->guild_id || !(overwrite->allow & PERMISSION_VIEW_CHANNEL))
			continue;
		str_clear(&name);
		text_add_escaped(&name, role->name);
		if (utf8_count(out->buf, out->len) + utf8_count(name.buf, name.len) + 2 > EMBED_FIELD_VALUE_MAX)
			break;
		str_printf(out, "%s%s", out->len ? "\n" : "", name.buf);
	}
}

static int read_filters(const struct cmd *cmd, const char *line, struct listed *listed, struct str *reterr)
{
	struct token *tokens;
	size_t count;
	int r;

	r = args_split(cmd->arena, line, &tokens, &count, reterr);
	if (r < 0)
		return r;
	if (count > FILTERS_MAX) {
		str_printf(reterr, "These are too many filters: at most %d.", FILTERS_MAX);
		return -E2BIG;
	}
	for (size_t i = 0; i < count; i++) {
		str_clear(&listed->name);
		r = utf8_fold(&listed->name, tokens[i].text);
		if (r < 0) {
			str_adds(reterr, "A filter is no text that I can read.");
			return r;
		}
		listed->filters[i] = arena_strdup(cmd->arena, listed->name.buf);
	}
	listed->filter_count = count;
	return 0;
}

static int unseen(struct cmd *cmd)
{
	return cmd_error(cmd, "I cannot see this channel myself, so I do not know who is here. If it is a private "
			      "thread, mention me in it to add me.");
}

static int cmd_here(struct cmd *cmd)
{
	const struct cached_channel *channel = cache_channel(cmd->cache, cmd->channel_id);
	const char *line = cmd_string(cmd, "filter");
	struct str title cleanup(str_finish) = STR_INIT, text cleanup(str_finish) = STR_INIT,
			 roles cleanup(str_finish) = STR_INIT;
	struct embed_field fields[EMBED_FIELDS_MAX];
	struct embed embed = { .color = EMBED_BLURPLE, .footer = "brenfan", .fields = fields };
	struct listed listed cleanup(listed_finish) = { .name = STR_INIT };
	int r;

	if (!cmd->bot->ready)
		return cmd_error(cmd, "I am still learning who is in this server. Please try again in a minute.");
	if (!channel)
		return unseen(cmd);
	if (line && read_filters(cmd, line, &listed, &text) < 0)
		return cmd_error(cmd, "%s", text.buf);
	str_adds(&title, "Users in **#");
	text_add_escaped(&title, channel->name);
	str_adds(&title, "**");
	embed.title = title.buf;
	if (!cached_channel_is_thread(channel)) {
		write_roles(cmd, channel, &roles);
		list_channel(cmd, &listed);
	} else {
		r = list_thread(cmd, &listed);
		if (r == -EACCES || r == -ENOENT)
			return unseen(cmd);
		if (r < 0)
			return r;
	}

	if (!listed.count) {
		str_adds(&text, listed.filter_count ? "Nobody here fits that." : "Nobody is here.");
	} else if (listed.count > LISTED_MAX) {
		str_printf(&text, "%zu members: too many to list. Add a filter to see some of them.", listed.count);
	} else {
		str_printf(&text, "%zu %s.", listed.count, listed.count == 1 ? "member" : "members");
		embed.field_count = write_columns(cmd, &listed, fields);
	}
	if (roles.len && embed.field_count < EMBED_FIELDS_MAX)
		fields[embed.field_count++] =
			(struct embed_field){ .name = "Channel Specific Roles", .value = roles.buf, .block = true };
	str_adds(&text, "\nThis list vanishes after five minutes.");
	embed.description = text.buf;
	r = cmd_reply_embed(cmd, &embed);
	return r < 0 ? r : cmd_expire(cmd, HERE_LIFE);
}

static const struct arg here_args[] = {
	{ .name = "filter",
		.description = "Words: only members whose name has one of them",
		.type = ARG_REST,
		.max = 500 },
	{ 0 },
};

static const struct command commands[] = {
	{ .name = "here",
		.run = cmd_here,
		.kinds = TEXT | SLASH,
		.cooldown = 5 * SECOND,
		.brief = "Lists who can see this channel, or is in this thread",
		.args = here_args,
		.help = "Lists the members who can see this channel; in a thread, those who have joined it. With "
			"words behind it only those whose shown name or account name has one of the words." },
	{ 0 },
};

static bool enabled(const struct settings *settings)
{
	return settings->extension_here;
}

const struct feature feature_here = {
	.name = "here",
	.title = "Here",
	.enabled = enabled,
	.commands = commands,
};
