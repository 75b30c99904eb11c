/* What the files of the levelling feature share. */
#ifndef BOT_LEVELING_H
#define BOT_LEVELING_H

#include "base/timezone.h"
#include "feature.h"
#include "leveling_award.h"
#include "models/level.h"

struct leveling {
	struct bot *bot;
	struct award_rules rules;

	/* The level table, read again after each change; by number. */
	struct arena levels_arena;
	struct level *levels;
	size_t level_count;

	/* leveling_outbox.c: level-ups that are committed and must be carried out */
	struct loop_task outbox_task;
	struct timer outbox_timer;
	usec outbox_pause;
	bool outbox_running, outbox_again;
	int32_t warned_on[LEVEL_MAX + 1]; /* the day (since 1970) on which a level's role was last complained about */

	/* leveling_roles.c: roles that differ from what points say */
	struct timer drift_timer;
	struct timezone_rules *zone; /* NULL: not on this machine */
	bool drift_running, drift_again;
};

extern const struct command leveling_commands[];

/* Reads the level table again; call after each write to it. */
int leveling_reload(struct leveling *leveling) warn_unused;
const struct level *leveling_level(const struct leveling *leveling, int64_t number); /* NULL: no such level */
/* The level to which this role belongs; NULL. */
const struct level *leveling_level_of_role(const struct leveling *leveling, snowflake role);
const struct level *leveling_level_of_name(const struct leveling *leveling, const char *role_name);
/* In a flow: brings the ranking up to date. Suspends when there is much to read, as at the start. */
int leveling_refresh_ranking(struct bot *bot) warn_unused;
/* A plain line in the levelling channel; in a flow. That there is no such channel is only logged. */
void leveling_tell(struct leveling *leveling, const char *text);

/* ---- leveling_levels.c: commands about the level table ---- */
int leveling_cmd_levels(struct cmd *cmd);
int leveling_cmd_set_level_name(struct cmd *cmd);
int leveling_cmd_remove_level_name(struct cmd *cmd);
int leveling_complete_role_name(struct cmd *cmd, struct choice_list *list);
int leveling_complete_linked_level(struct cmd *cmd, struct choice_list *list);

/* ---- leveling_outbox.c ---- */
/* There is a new row (after its commit), or there may be old ones. */
void leveling_outbox_kick(struct leveling *leveling);

/* ---- leveling_roles.c ---- */
int leveling_on_role_put(struct bot *bot, const struct event *event);
int leveling_on_role_delete(struct bot *bot, const struct event *event);
int leveling_on_member_add(struct bot *bot, const struct event *event);
/* Links levels whose role is known by name only, and takes over new names. Writes inside the caller's transaction. */
int leveling_link_roles(struct leveling *leveling) warn_unused;
/* All members' level roles are compared with their points, after `delay`. */
void leveling_check_drift(struct leveling *leveling, usec delay);
void leveling_drift_due(void *leveling);
/* From `now` (Unix seconds) to the next 05:00 of the zone; a day without a zone. */
usec leveling_until_daily(const struct timezone_rules *zone, int64_t now);
/* In a flow: gives the member what he has earned up to the level and does not have. `complain` about a missing role
 * of exactly this level. -ENOENT: he is not here. */
int leveling_give_roles(struct leveling *leveling, snowflake user, int64_t level, bool complain) warn_unused;

#endif
