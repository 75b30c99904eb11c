/* The commands of levelling: their table, and those about members. */
#include <errno.h>
#include <stdio.h>

#include "cache.h"
#include "leveling.h"
#include "models/leaderboard.h"
#include "models/member_xp.h"
#include "models/profile.h"
#include "pager.h"
#include "text.h"

#define MEMBERS_PER_PAGE 10

/* A member's name as markdown: as shown now, or as the listener stored it when he is not here; "" never. */
static const char *member_name(struct cmd *cmd, snowflake user, struct arena *arena)
{
	const struct cached_member *member = cache_member(cmd->cache, user);
	struct str text cleanup(str_finish) = STR_INIT;
	struct profile profile = { 0 };
	const char *name = NULL;

	if (member)
		name = cached_member_name(member);
	else if (profile_get(cmd->service->db, user, arena, &profile) == 0)
		name = profile.nick && *profile.nick ? profile.nick : profile.name;
	text_add_escaped(&text, name && *name ? name : "somebody who left");
	return arena_strdup(arena, text.buf);
}

/* Whom the command is about: its member, else the caller. */
static snowflake subject(const struct cmd *cmd)
{
	snowflake member = cmd_id(cmd, "member");

	return member ? member : cmd->caller.id;
}

/* ---- rank ---- */

static int rank_card(struct cmd *cmd, snowflake user, const struct member_xp *xp)
{
	const struct cached_member *member = cache_member(cmd->cache, user);
	struct str text cleanup(str_finish) = STR_INIT, icon cleanup(str_finish) = STR_INIT,
			shown cleanup(str_finish) = STR_INIT;
	struct embed_field field = { 0 };
	struct embed embed = { .fields = &field, .field_count = 1 };
	char rank[40], level[40];
	size_t position;
	int r;

	r = leaderboard_position(cmd->bot->board, user, &position);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0)
		snprintf(rank, sizeof(rank), "Rank # %zu", position + 1);
	else
		snprintf(rank, sizeof(rank), "Rank hidden");
	snprintf(level, sizeof(level), "Level # %lld", (long long)xp->level_number);
	field = (struct embed_field){ .name = rank, .value = level };

	text_add_number(&text, xp->level_points);
	str_adds(&text, " / ");
	text_add_number(&text, level_points_to_next(xp->level_number));
	str_adds(&text, " XP\nTotal Messages: ");
	text_add_number(&text, xp->message_count);
	embed.description = text.buf;

	if (member) {
		cached_member_avatar(&icon, cmd->cache, cmd->service->settings.cdn_url, member);
		embed.author_icon_url = icon.buf;
		embed.author_name = arena_strdup(cmd->arena, cached_member_name(member));
	} else {
		cmd_author_caller(cmd, &embed);
	}
	str_printf(&shown, "%s's Stat Card", member_name(cmd, user, cmd->arena));
	embed.title = shown.buf;
	return cmd_reply_embed(cmd, &embed);
}

static int cmd_rank(struct cmd *cmd)
{
	snowflake user = subject(cmd);
	bool self = user == cmd->caller.id;
	struct member_xp xp;
	int r;

	/* Suspends: all that is shown is looked up afterwards. */
	r = leveling_refresh_ranking(cmd->bot);
	if (r < 0)
		return r;
	r = member_xp_get(cmd->service->db, user, &xp);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == -ENOENT)
		return cmd_reply(
			cmd, self ? "You have no XP yet: it comes with your messages." : "This member has no XP yet.");
	if (xp.hidden && !self)
		return cmd_reply(cmd, "This member's XP is hidden.");
	return rank_card(cmd, user, &xp);
}

/* ---- leaderboard ---- */

static size_t page_count(const struct cmd *cmd)
{
	return (leaderboard_count(cmd->bot->board) + MEMBERS_PER_PAGE - 1) / MEMBERS_PER_PAGE;
}

static int write_leaderboard(struct cmd *cmd, void *arg, size_t index, struct arena *arena, struct embed *ret_embed)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct leaderboard_entry entry;
	int r;

	(void)arg;
	r = leveling_refresh_ranking(cmd->bot);
	if (r < 0)
		return r;
	for (size_t at = index * MEMBERS_PER_PAGE; at < (index + 1) * MEMBERS_PER_PAGE; at++) {
		if (!leaderboard_at(cmd->bot->board, at, &entry))
			break;
		str_printf(&text, "%s**#%zu** %s \xe2\x80\x94 level %lld, ", text.len ? "\n" : "", at + 1,
			member_name(cmd, entry.user_id, arena), (long long)entry.level_number);
		text_add_number(&text, entry.points);
		str_adds(&text, " XP");
	}
	ret_embed->title = "Leaderboard";
	ret_embed->description = arena_strdup(arena, text.len ? text.buf : "Nobody is on this page any more.");
	return 0;
}

static int cmd_leaderboard(struct cmd *cmd)
{
	int64_t page = cmd_integer(cmd, "page", 1);
	int r;

	r = leveling_refresh_ranking(cmd->bot);
	if (r < 0)
		return r;
	if (!page_count(cmd))
		return cmd_reply(cmd, "Nobody is on the leaderboard yet.");
	if (page > (int64_t)page_count(cmd))
		return cmd_error(cmd, "The leaderboard has only %zu %s.", page_count(cmd),
			page_count(cmd) == 1 ? "page" : "pages");
	return pager_run(
		cmd, &(struct pages){ .count = page_count(cmd), .write = write_leaderboard }, (size_t)(page - 1));
}

/* ---- hide_xp, show_xp, level_messages ---- */

static int set_hidden(struct cmd *cmd, bool hidden)
{
	snowflake user = subject(cmd);
	bool self = user == cmd->caller.id, changed = false;
	const char *name;
	int r;

	if (!self && !cmd_may(cmd, MODERATORS))
		return cmd_error(
			cmd, "You can hide and show your own XP. Only Minions and Moderators can do it for others.");
	name = member_name(cmd, user, cmd->arena);
	r = cmd_begin(cmd);
	if (r == 0)
		r = member_xp_set_hidden(cmd->service->db, user, hidden, &changed);
	if (r == -ENOENT)
		return self ? cmd_error(cmd, "You have no XP yet: it comes with your messages.")
			    : cmd_error(cmd, "This member has no XP yet.");
	if (r == 0)
		r = cmd_commit(cmd);
	if (r < 0)
		return r;
	if (self)
		return cmd_reply(cmd, "Your XP is %s%s.", changed ? "now " : "already ", hidden ? "hidden" : "shown");
	return cmd_reply(
		cmd, "The XP of **%s** is %s%s.", name, changed ? "now " : "already ", hidden ? "hidden" : "shown");
}

static int cmd_hide_xp(struct cmd *cmd)
{
	return set_hidden(cmd, true);
}

static int cmd_show_xp(struct cmd *cmd)
{
	return set_hidden(cmd, false);
}

static int cmd_level_messages(struct cmd *cmd)
{
	bool on = streq(cmd_string(cmd, "state"), "on"), changed = false;
	int r;

	r = cmd_begin(cmd);
	if (r == 0)
		r = member_xp_set_announce(cmd->service->db, cmd->caller.id, on, &changed);
	if (r == -ENOENT)
		return cmd_error(cmd, "You have no XP yet: it comes with your messages.");
	if (r == 0)
		r = cmd_commit(cmd);
	if (r < 0)
		return r;
	if (!changed)
		return cmd_reply(cmd,
			on ? "Your new levels are announced already." : "Your new levels were not announced anyway.");
	return cmd_reply(cmd, "Your new levels are %s announced.", on ? "now" : "no longer");
}

/* ---- the table ---- */

static const char *const on_off[] = { "on", "off", NULL };

static const struct arg rank_args[] = {
	{ .name = "member", .description = "Whose rank; yours if left out", .type = ARG_MEMBER },
	{ 0 },
};
static const struct arg hide_args[] = {
	{ .name = "member", .description = "Whose XP; yours if left out", .type = ARG_MEMBER },
	{ 0 },
};
static const struct arg leaderboard_args[] = {
	{ .name = "page", .description = "The page to begin with", .type = ARG_INTEGER, .min = 1, .max = 1000000 },
	{ 0 },
};
static const struct arg level_messages_args[] = {
	{ .name = "state",
		.description = "Whether your new levels are announced",
		.type = ARG_CHOICE,
		.required = true,
		.choices = on_off },
	{ 0 },
};
static const struct arg set_level_name_args[] = {
	{ .name = "level", .description = "The level, from 0 to 100", .type = ARG_INTEGER, .required = true },
	{ .name = "role_name",
		.description = "The name of its role",
		.type = ARG_REST,
		.required = true,
		.min = 1,
		.max = 100,
		.autocomplete = leveling_complete_role_name },
	{ 0 },
};
static const struct arg remove_level_name_args[] = {
	{ .name = "level",
		.description = "The level, from 0 to 100",
		.type = ARG_INTEGER,
		.required = true,
		.autocomplete = leveling_complete_linked_level },
	{ 0 },
};

const struct command leveling_commands[] = {
	{ .name = "rank",
		.run = cmd_rank,
		.kinds = TEXT | SLASH,
		.brief = "Shows your level, XP and rank, or another member's",
		.args = rank_args },
	{ .name = "leaderboard",
		.run = cmd_leaderboard,
		.kinds = TEXT | SLASH,
		.cooldown = 5 * SECOND,
		.brief = "Lists the members with the most XP",
		.args = leaderboard_args },
	{ .name = "hide_xp",
		.run = cmd_hide_xp,
		.kinds = TEXT | SLASH,
		.brief = "Takes you off the leaderboard",
		.args = hide_args,
		.help = "Takes you off the leaderboard and keeps others from seeing your rank. Minions and "
			"Moderators can do it for others." },
	{ .name = "show_xp",
		.run = cmd_show_xp,
		.kinds = TEXT | SLASH,
		.brief = "Puts you on the leaderboard again",
		.args = hide_args,
		.help = "Undoes hide_xp. Minions and Moderators can do it for others." },
	{ .name = "level_messages",
		.run = cmd_level_messages,
		.kinds = TEXT | SLASH,
		.brief = "Switches the announcement of your new levels on or off",
		.args = level_messages_args },
	{ .name = "levels",
		.run = leveling_cmd_levels,
		.kinds = TEXT | SLASH,
		.who = MODERATORS,
		.brief = "Lists the levels that have a role" },
	{ .name = "set_level_name",
		.run = leveling_cmd_set_level_name,
		.kinds = TEXT | SLASH,
		.who = MODERATORS,
		.brief = "Links a level with a role, or renames its role",
		.args = set_level_name_args,
		.help = "A level without a role is linked with the existing role of that name. If the level "
			"has a role already, another existing role "
			"takes its place; a name that no role has renames the level's role." },
	{ .name = "remove_level_name",
		.run = leveling_cmd_remove_level_name,
		.kinds = TEXT | SLASH,
		.who = MODERATORS,
		.brief = "Unlinks a level from its role",
		.args = remove_level_name_args },
	{ 0 },
};
