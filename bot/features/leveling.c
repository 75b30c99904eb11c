/* Levelling: members earn points by writing, points make levels, some levels have roles. This file is the frame and
 * the hot path; carrying out level-ups is in leveling_outbox.c, keeping roles right in leveling_roles.c, the commands
 * are in leveling_commands.c and leveling_levels.c.
 *
 * The award, the ledger entry of the message and the level-up to be carried out are written in one transaction, so
 * that an event that comes again changes nothing and a crash loses nothing.
 */
#include "leveling.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "cache.h"
#include "models/leaderboard.h"
#include "models/member_xp.h"

#define ZONE "Canada/Pacific"
/* Rows that are read into the ranking in one turn of the loop: a few milliseconds. */
#define RANKING_STEP 1000

static struct metric awards = METRIC_COUNTER("walle_bot_awards_total", "Messages that earned XP");
static struct metric level_ups = METRIC_COUNTER("walle_bot_level_ups_total", "Levels reached");

/* ---- the level table in memory ---- */

int leveling_reload(struct leveling *leveling)
{
	struct arena arena = ARENA_INIT;
	struct level *levels = NULL;
	size_t count = 0;
	int r;

	r = level_list(leveling->bot->service->db, &arena, &levels, &count);
	if (r < 0) {
		arena_finish(&arena);
		return r;
	}
	arena_finish(&leveling->levels_arena);
	leveling->levels_arena = arena;
	leveling->levels = levels;
	leveling->level_count = count;
	return 0;
}

const struct level *leveling_level(const struct leveling *leveling, int64_t number)
{
	for (size_t i = 0; i < leveling->level_count; i++)
		if (leveling->levels[i].number == number)
			return &leveling->levels[i];
	return NULL;
}

const struct level *leveling_level_of_role(const struct leveling *leveling, snowflake role)
{
	for (size_t i = 0; role && i < leveling->level_count; i++)
		if (leveling->levels[i].role_id == role)
			return &leveling->levels[i];
	return NULL;
}

const struct level *leveling_level_of_name(const struct leveling *leveling, const char *role_name)
{
	for (size_t i = 0; i < leveling->level_count; i++)
		if (leveling->levels[i].role_name && streq(leveling->levels[i].role_name, role_name))
			return &leveling->levels[i];
	return NULL;
}

void leveling_tell(struct leveling *leveling, const char *text)
{
	struct service *service = leveling->bot->service;
	bool ambiguous = false;
	const struct cached_channel *channel =
		cache_find_channel(leveling->bot->cache, service->settings.levelling_channel, &ambiguous);
	snowflake id;
	int r;

	if (!channel) {
		log_warn("there is no levelling channel to write to",
			LOG_STR("channel", service->settings.levelling_channel), LOG_STR("text", text));
		return;
	}
	r = rest_create_message(service->rest, channel->id, &(struct message_create){ .content = text }, &id);
	if (r < 0 && r != -ECANCELED)
		log_warn("the levelling channel could not be written to", LOG_STR("text", text), LOG_ERRNO(r));
}

/* ---- a message ---- */

static void after_level_up(struct loop_task *task)
{
	leveling_outbox_kick(CONTAINER_OF(task, struct leveling, outbox_task));
}

/* One task for all level-ups of a transaction: a flood brings hundreds. */
static void kick_after_commit(struct leveling *leveling)
{
	batch_after_commit(leveling->bot->service->batch, &leveling->outbox_task);
}

static bool holds(const struct member *member, snowflake role)
{
	for (size_t i = 0; i < member->role_count; i++)
		if (member->roles[i] == role)
			return true;
	return false;
}

/* Whether there is something to be carried out after this award: a level, or the role of level 0 for a newcomer. */
static bool has_consequence(const struct leveling *leveling, const struct message *message, const struct award *award)
{
	const struct level *lowest;

	if (award->level_up)
		return true;
	lowest = award->first ? leveling_level(leveling, 0) : NULL;
	return lowest && lowest->role_id && !holds(&message->member, lowest->role_id);
}

static int on_message(struct bot *bot, const struct event *event)
{
	struct leveling *leveling = bot->leveling;
	struct service *service = bot->service;
	const struct message *message = event->message;
	struct member_xp xp;
	struct level_up level_up;
	struct award award;
	int r;

	r = member_xp_get(service->db, message->author.id, &xp);
	if (r == -ENOENT)
		xp = (struct member_xp){ .user_id = message->author.id, .announce = true };
	else if (r < 0)
		return r;
	if (!award_give(&leveling->rules, &service->random, snowflake_time(message->id), &xp, &award))
		return 0;
	r = member_xp_put(service->db, &xp);
	if (r < 0)
		return r;
	metric_add(&awards, 1);
	if (!has_consequence(leveling, message, &award))
		return 0;
	level_up = (struct level_up){ .message_id = message->id,
		.user_id = message->author.id,
		.channel_id = message->channel_id,
		.level_number = award.level };
	r = level_up_add(service->db, &level_up);
	if (r < 0)
		return r;
	metric_add(&level_ups, award.level_up);
	kick_after_commit(leveling);
	return 0;
}

/* ---- the ranking ---- */

int leveling_refresh_ranking(struct bot *bot)
{
	bool more = true;
	int r = 0;

	while (r == 0 && more) {
		/* What is not committed is not ranked. */
		r = batch_flush(bot->service->batch);
		if (r == 0)
			r = leaderboard_refresh_some(bot->board, bot->service->db, RANKING_STEP, &more);
		if (r == 0 && more)
			r = flow_sleep(MILLISECOND);
	}
	return r;
}

/* So that the first who asks for his rank need not wait for a million rows. */
static void ranking_flow(void *arg)
{
	int r = leveling_refresh_ranking(arg);

	if (r < 0 && r != -ECANCELED)
		log_warn("the ranking could not be read: the first command that needs it tries again", LOG_ERRNO(r));
}

/* ---- life ---- */

static void outbox_due(void *arg)
{
	leveling_outbox_kick(arg);
}

static int start(struct bot *bot)
{
	const struct settings *settings = &bot->service->settings;
	struct leveling *leveling = xcalloc(1, sizeof(*leveling));
	int r;

	metrics_register(&awards);
	metrics_register(&level_ups);
	bot->leveling = leveling;
	leveling->bot = bot;
	leveling->rules = (struct award_rules){
		.xp_min = settings->xp_min, .xp_max = settings->xp_max, .cooldown = settings->cooldown_seconds * SECOND
	};
	leveling->outbox_task.run = after_level_up;
	timer_init(&leveling->outbox_timer, &bot->service->loop, outbox_due, leveling);
	timer_init(&leveling->drift_timer, &bot->service->loop, leveling_drift_due, leveling);
	r = timezone_load(NULL, ZONE, &leveling->zone);
	if (r < 0)
		log_warn("the time zone is not on this machine (package tzdata): roles are checked every 24 "
			 "hours instead of at 05:00",
			LOG_STR("zone", ZONE), LOG_ERRNO(r));
	r = batch_begin(bot->service->batch);
	if (r == 0)
		r = level_seed(bot->service->db);
	if (r == 0)
		r = batch_flush(bot->service->batch);
	if (r == 0)
		r = leveling_reload(leveling);
	if (r == 0)
		bot_start_flow(bot, "ranking", ranking_flow, NULL, bot);
	return r;
}

/* The guild's roles are known (new session, end of an outage, resumed): those that were made or renamed while we were
 * away are linked, and what was not carried out is. The table is read first, because a transaction that was lost took
 * with it what memory still has. */
static int on_guild(struct bot *bot, const struct event *event)
{
	int r;

	(void)event;
	if (!cache_has_guild(bot->cache))
		return 0;
	kick_after_commit(bot->leveling);
	r = leveling_reload(bot->leveling);
	return r < 0 ? r : leveling_link_roles(bot->leveling);
}

static void ready(struct bot *bot)
{
	leveling_check_drift(bot->leveling, 0);
}

static void finish(struct bot *bot)
{
	struct leveling *leveling = bot->leveling;

	if (!leveling)
		return;
	batch_forget_task(bot->service->batch, &leveling->outbox_task);
	timer_finish(&leveling->outbox_timer);
	timer_finish(&leveling->drift_timer);
	timezone_destroy(leveling->zone);
	arena_finish(&leveling->levels_arena);
	free(leveling);
	bot->leveling = NULL;
}

static const struct event_hook events[] = {
	{ "MESSAGE_CREATE", on_message },
	{ "GUILD_CREATE", on_guild },
	{ "RESUMED", on_guild },
	{ "GUILD_MEMBER_ADD", leveling_on_member_add },
	{ "GUILD_ROLE_CREATE", leveling_on_role_put },
	{ "GUILD_ROLE_UPDATE", leveling_on_role_put },
	{ "GUILD_ROLE_DELETE", leveling_on_role_delete },
	{ 0 },
};

static bool enabled(const struct settings *settings)
{
	return settings->extension_leveling;
}

const struct feature feature_leveling = {
	.name = "leveling",
	.title = "Leveling",
	.enabled = enabled,
	.commands = leveling_commands,
	.events = events,
	.start = start,
	.ready = ready,
	.finish = finish,
};
