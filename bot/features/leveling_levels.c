/* Commands about the level table: which level has which role. The table follows the guild's roles by itself
 * (leveling_roles.c); these commands make and undo the links.
 */
#include <errno.h>
#include <stdio.h>

#include "base/utf8.h"
#include "cache.h"
#include "leveling.h"
#include "pager.h"
#include "text.h"

#define LEVELS_PER_PAGE 10
/* Members get and lose roles after a change of the table once things have calmed down. */
#define SETTLE (30 * SECOND)

/* ---- levels ---- */

struct level_line {
	int64_t number;
	const char *name;
	bool valid;
};

struct level_pages {
	struct level_line *lines;
	size_t count;
};

static void add_lines(struct cmd *cmd, struct level_pages *list, bool valid)
{
	const struct leveling *leveling = cmd->bot->leveling;

	for (size_t i = 0; i < leveling->level_count; i++) {
		const struct level *level = &leveling->levels[i];

		if (!level->role_name || (cache_role(cmd->cache, level->role_id) != NULL) != valid)
			continue;
		list->lines[list->count++] =
			(struct level_line){ level->number, arena_strdup(cmd->arena, level->role_name), valid };
	}
}

static int write_levels(struct cmd *cmd, void *arg, size_t index, struct arena *arena, struct embed *ret_embed)
{
	const struct level_pages *list = arg;
	struct str text cleanup(str_finish) = STR_INIT;

	(void)cmd;
	for (size_t i = index * LEVELS_PER_PAGE; i < list->count && i < (index + 1) * LEVELS_PER_PAGE; i++) {
		str_printf(&text, "%lld \\- ", (long long)list->lines[i].number);
		text_add_escaped(&text, list->lines[i].name);
		str_adds(&text, list->lines[i].valid ? "\n" : " (no such role)\n");
	}
	ret_embed->title = "Levels";
	ret_embed->description = arena_strdup(arena, text.buf);
	return 0;
}

int leveling_cmd_levels(struct cmd *cmd)
{
	struct level_pages list = { .lines = arena_array(
					    cmd->arena, struct level_line, cmd->bot->leveling->level_count + 1) };

	add_lines(cmd, &list, true);
	add_lines(cmd, &list, false);
	if (!list.count)
		return cmd_reply(cmd, "No level has a role yet. Link one with `.set_level_name`.");
	return pager_run(cmd,
		&(struct pages){ .count = (list.count + LEVELS_PER_PAGE - 1) / LEVELS_PER_PAGE,
			.write = write_levels,
			.arg = &list },
		0);
}

/* ---- set_level_name ---- */

int leveling_complete_role_name(struct cmd *cmd, struct choice_list *list)
{
	for (const struct cached_role *role = cache_next_role(cmd->cache, NULL); role;
		role = cache_next_role(cmd->cache, role))
		if (role->id != cmd->guild_id && roles_may_be_earned(&cmd->bot->roles, role) &&
			!leveling_level_of_role(cmd->bot->leveling, role->id))
			choice_list_add(list, role->name, role->name);
	choice_list_empty(list, "No role without a level has that in its name");
	return 0;
}

static int store(struct cmd *cmd, int64_t number, snowflake role, const char *name)
{
	int r;

	r = cmd_begin(cmd);
	if (r == 0)
		r = level_set_role(cmd->service->db, number, role, name);
	if (r == 0)
		r = cmd_commit(cmd);
	if (r == 0)
		r = leveling_reload(cmd->bot->leveling);
	if (r == 0)
		leveling_check_drift(cmd->bot->leveling, SETTLE);
	return r;
}

static int link_role(struct cmd *cmd, int64_t number, const struct cached_role *role)
{
	struct str name cleanup(str_finish) = STR_INIT;
	int r;

	text_add_escaped(&name, role->name);
	r = store(cmd, number, role->id, arena_strdup(cmd->arena, role->name));
	if (r < 0)
		return r;
	return cmd_reply(cmd,
		"Level %lld now has the role **%s**. Members who have reached it get the role in the next "
		"minutes; with many of them it takes longer.",
		(long long)number, name.buf);
}

static int rename_role(struct cmd *cmd, int64_t number, snowflake role, const char *wanted)
{
	struct str name cleanup(str_finish) = STR_INIT;
	int r;

	r = rest_modify_role_name(cmd->service->rest, cmd->guild_id, role, wanted, "level renamed by a moderator");
	if (r == -EACCES)
		return cmd_error(cmd,
			"I may not rename this role. I need the permission Manage Roles, and my own role must "
			"stand above it.");
	if (r == -ENOENT)
		return cmd_error(cmd, "The role was deleted just now. Please try again.");
	if (r < 0)
		return r;
	text_add_escaped(&name, wanted);
	r = store(cmd, number, role, wanted);
	if (r < 0)
		return r;
	return cmd_reply(cmd, "The role of level %lld is now called **%s**.", (long long)number, name.buf);
}

/* The level that uses a name or the role of that name already, other than `number`; NULL. */
static const struct level *user_of(
	const struct leveling *leveling, int64_t number, const char *name, const struct cached_role *role)
{
	const struct level *level = leveling_level_of_name(leveling, name);

	if ((!level || level->number == number) && role)
		level = leveling_level_of_role(leveling, role->id);
	return level && level->number != number ? level : NULL;
}

static int tell_no_such_level(struct cmd *cmd)
{
	const struct leveling *leveling = cmd->bot->leveling;
	struct str free_ones cleanup(str_finish) = STR_INIT;

	for (size_t i = 0; i < leveling->level_count; i++)
		if (!leveling->levels[i].role_name)
			str_printf(
				&free_ones, "%s%lld", free_ones.len ? ", " : "", (long long)leveling->levels[i].number);
	return cmd_error(cmd, "There is no such level. These levels have no role yet: %s.",
		free_ones.len ? free_ones.buf : "none");
}

int leveling_cmd_set_level_name(struct cmd *cmd)
{
	struct leveling *leveling = cmd->bot->leveling;
	int64_t number = cmd_integer(cmd, "level", -1);
	const char *name = cmd_string(cmd, "role_name");
	const struct level *level = leveling_level(leveling, number), *other;
	const struct cached_role *role, *present;
	bool ambiguous = false;

	if (!level)
		return tell_no_such_level(cmd);
	if (streq(name, CHOICE_NONE))
		return cmd_error(cmd, "Please choose a role, or type a name.");
	role = cache_find_role(cmd->cache, name, &ambiguous);
	if (ambiguous)
		return cmd_error(cmd, "Several roles have that name. Give them different names first.");
	other = user_of(leveling, number, role ? role->name : name, role);
	if (other)
		return cmd_error(cmd, "Level %lld has that role already.", (long long)other->number);
	if (role && role->managed)
		return cmd_error(cmd, "That role belongs to an integration, so nobody can give it to members.");
	if (role && !roles_may_be_earned(&cmd->bot->roles, role))
		return cmd_error(cmd,
			"That role comes with rights over this server or its members, so it cannot be earned by "
			"writing. Take a role without such permissions.");
	if (role)
		return link_role(cmd, number, role);
	if (roles_is_configured_name(&cmd->service->settings, name))
		return cmd_error(cmd, "That name belongs to a role with rights in this bot. Please take another one.");
	present = cache_role(cmd->cache, level->role_id);
	if (present && !roles_may_be_earned(&cmd->bot->roles, present))
		return cmd_error(cmd,
			"The level's role comes with rights over this server or its members, so I do not rename it. "
			"Unlink the level with `.remove_level_name` first.");
	if (present)
		return rename_role(cmd, number, present->id, name);
	return cmd_error(cmd, "There is no role of that name. Create it first, then run this again.");
}

/* ---- remove_level_name ---- */

int leveling_complete_linked_level(struct cmd *cmd, struct choice_list *list)
{
	const struct leveling *leveling = cmd->bot->leveling;

	for (size_t i = 0; i < leveling->level_count; i++) {
		const struct level *level = &leveling->levels[i];
		char value[24];

		if (!level->role_name)
			continue;
		snprintf(value, sizeof(value), "%lld", (long long)level->number);
		choice_list_add(list, arena_printf(cmd->arena, "%s - %s", value, level->role_name), value);
	}
	choice_list_empty(list, "No level with a role fits that");
	return 0;
}

int leveling_cmd_remove_level_name(struct cmd *cmd)
{
	struct leveling *leveling = cmd->bot->leveling;
	int64_t number = cmd_integer(cmd, "level", -1);
	const struct level *level = leveling_level(leveling, number);
	struct str name cleanup(str_finish) = STR_INIT;
	bool exists;
	int r;

	if (!level)
		return cmd_error(cmd, "There is no such level: they go from 0 to %d.", LEVEL_MAX);
	if (!level->role_name)
		return cmd_error(cmd, "Level %lld has no role.", (long long)number);
	text_add_escaped(&name, level->role_name);
	exists = cache_role(cmd->cache, level->role_id) != NULL;
	r = store(cmd, number, 0, NULL);
	if (r < 0)
		return r;
	return cmd_reply(cmd, "Level %lld no longer has the role **%s**.%s", (long long)number, name.buf,
		exists ? " The role itself is still there, with its members: delete it if it is not needed any more."
		       : "");
}
