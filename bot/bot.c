/* The bot's frame (bot.h): what is set up at the start, and the way of an event. For each dispatch, inside the
 * batch's transaction: the guild cache takes it in, a waiting command may be waiting for it, the features' hooks get
 * it, and a message or an interaction may start a command.
 *
 * An ordinary message costs a parse into a reused arena, a row in the ledger and what the levelling hook writes; no
 * flow and no request.
 */
#include "bot.h"

#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/log.h"
#include "base/metrics.h"
#include "cache.h"
#include "commands.h"
#include "cooldown.h"
#include "dispatch.h"
#include "expiry.h"
#include "feature.h"
#include "fill.h"
#include "models/leaderboard.h"
#include "models/member_xp.h"
#include "register.h"

#define UPKEEP_EVERY  (10 * MINUTE)
#define PRUNE_AT_ONCE 20000

#define FETCH_PAUSE_FIRST SECOND
#define FETCH_PAUSE_MAX   MINUTE

static struct metric messages_seen =
	METRIC_COUNTER("walle_bot_messages_total", "Messages of people in the guild, each counted once");
static struct metric members_known = METRIC_GAUGE("walle_bot_members", "Members in the guild cache");

/* ---- after the commit ---- */

struct after_commit {
	struct loop_task task;
	struct bot *bot;
	void (*run)(struct bot *bot, void *arg);
	void (*drop)(void *arg);
	void *arg;
	bool this_event; /* of the event that is being handled */
	struct after_commit *prev, *next;
};

static void forget_after_commit(struct after_commit *item)
{
	DL_DELETE(item->bot->after_commit, item);
	free(item);
}

static void drop_after_commit(struct after_commit *item)
{
	batch_forget_task(item->bot->service->batch, &item->task);
	if (item->drop)
		item->drop(item->arg);
	forget_after_commit(item);
}

static void run_after_commit(struct loop_task *task)
{
	struct after_commit *item = CONTAINER_OF(task, struct after_commit, task);
	struct bot *bot = item->bot;
	void (*run)(struct bot * bot, void *arg) = item->run;
	void *arg = item->arg;

	forget_after_commit(item);
	run(bot, arg);
}

void bot_after_commit(struct bot *bot, void (*run)(struct bot *bot, void *arg), void (*drop)(void *arg), void *arg)
{
	struct after_commit *item = xcalloc(1, sizeof(*item));

	item->task.run = run_after_commit;
	item->bot = bot;
	item->run = run;
	item->drop = drop;
	item->arg = arg;
	item->this_event = true;
	DL_APPEND(bot->after_commit, item);
	batch_after_commit(bot->service->batch, &item->task);
}

/* The event's effects are undone (or kept), so is what was to follow from them. What it added stands at the end of the list, which a flood
 * makes long, so it is walked from there. */
static void settle_after_commit(struct bot *bot, bool undone)
{
	struct after_commit *item, *previous;

	for (item = bot->after_commit ? bot->after_commit->prev : NULL; item && item->this_event; item = previous) {
		previous = item == bot->after_commit ? NULL : item->prev;
		if (undone)
			drop_after_commit(item);
		else
			item->this_event = false;
	}
}

/* A lost transaction takes its tasks with it without telling; the events come again and bring new ones. What is posted
 * was committed before and only waits for its turn. */
static void drop_lost(struct bot *bot)
{
	bool lost = batch_error(bot->service->batch) < 0;
	struct after_commit *item, *next;

	for (item = lost && !bot->batch_was_lost ? bot->after_commit : NULL; item; item = next) {
		next = item->next;
		if (!item->task.posted)
			drop_after_commit(item);
	}
	bot->batch_was_lost = lost;
}

/* ---- flows of the program ---- */

void bot_start_flow(struct bot *bot, const char *name, void (*run)(void *arg), void (*drop)(void *arg), void *arg)
{
	const struct flow_options options = { .name = name, .tag = name, .guild = bot->service->guild_id };
	int r;

	r = flow_start(bot->service->flows, &options, run, arg);
	if (r == 0)
		return;
	log_warn("there are too many flows: something was not done", LOG_STR("flow", name), LOG_ERRNO(r));
	if (drop)
		drop(arg);
}

/* ---- start ---- */

static void choose_features(struct bot *bot)
{
	size_t count = 0;

	while (features[count])
		count++;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is an array of pointers */
	bot->features = xcalloc(count + 1, sizeof(*bot->features));
	count = 0;
	for (size_t i = 0; features[i]; i++) {
		if (!features[i]->enabled || features[i]->enabled(&bot->service->settings))
			bot->features[count++] = features[i];
		else
			log_info("extension is switched off", LOG_STR("extension", features[i]->name));
	}
}

/* A stored session will be resumed: Discord sends no GUILD_CREATE, so the guild is fetched. What happened since the
 * session's last event is older than this picture and comes again as events, in order, before anything new. */
static int fetch_guild_once(struct bot *bot)
{
	struct service *service = bot->service;
	cJSON *guild cleanup(json_freep) = NULL, *channels cleanup(json_freep) = NULL,
		     *threads cleanup(json_freep) = NULL;
	int r;

	r = rest_get_guild(service->rest, service->guild_id, &guild);
	if (r == 0)
		r = rest_get_channels(service->rest, service->guild_id, &channels);
	if (r == 0)
		r = rest_get_active_threads(service->rest, service->guild_id, &threads);
	if (r == 0)
		cache_set_guild(bot->cache, guild, channels, threads);
	return r;
}

/* An outage at Discord is no reason to end: until it answers, or we are asked to stop (-ECANCELED). */
static int fetch_guild(struct bot *bot)
{
	usec pause = FETCH_PAUSE_FIRST;
	int r;

	while ((r = fetch_guild_once(bot)) < 0) {
		if (r == -ECANCELED)
			return r;
		log_warn("the guild could not be fetched, trying again", LOG_ID("guild_id", bot->service->guild_id),
			LOG_INT("seconds", pause / SECOND), LOG_ERRNO(r));
		r = flow_sleep(pause);
		if (r < 0)
			return r;
		pause = MIN(2 * pause, FETCH_PAUSE_MAX);
	}
	return 0;
}

static void upkeep(void *arg);
static void members_complete(struct bot *bot);

static int start(struct service *service, bool resuming)
{
	struct bot *bot = xcalloc(1, sizeof(*bot));
	int r;

	metrics_register(&messages_seen);
	metrics_register(&members_known);
	service->state = bot;
	bot->service = service;
	bot->cache = cache_create(service->guild_id);
	bot->fill = fill_create(bot, members_complete);
	bot->cooldowns = cooldowns_create();
	bot->expiry = expiry_create(bot);
	bot->board = leaderboard_create();
	timer_init(&bot->upkeep, &service->loop, upkeep, bot);
	choose_features(bot);
	bot->commands = commands_create(bot->features);

	if (resuming) {
		r = fetch_guild(bot);
		if (r < 0)
			return r;
		roles_resolve(&bot->roles, &service->settings, bot->cache);
	}
	for (size_t i = 0; bot->features[i]; i++) {
		if (!bot->features[i]->start)
			continue;
		r = bot->features[i]->start(bot);
		if (r < 0) {
			log_error("extension could not be started", LOG_STR("extension", bot->features[i]->name),
				LOG_ERRNO(r));
			return r;
		}
	}
	register_start(bot);
	expiry_start(bot->expiry);
	timer_start(&bot->upkeep, 1 * MINUTE);
	return 0;
}

/* ---- regular work ---- */

static void upkeep(void *arg)
{
	struct bot *bot = arg;
	struct service *service = bot->service;
	/* An hour more than is looked at, so that a message is either in the ledger or too old. */
	snowflake below = snowflake_at(clock_realtime() - BOT_LEDGER_HORIZON - HOUR);
	int64_t deleted = 0;
	int r;

	r = batch_begin(service->batch);
	if (r == 0)
		r = seen_message_prune(service->db, below, PRUNE_AT_ONCE, &deleted);
	if (r < 0)
		log_warn("old entries of the message ledger could not be forgotten", LOG_ERRNO(r));
	metric_set(&members_known, (int64_t)cache_member_count(bot->cache));
	/* More is left: go on soon, in small steps. */
	timer_start(&bot->upkeep, deleted == PRUNE_AT_ONCE ? SECOND : UPKEEP_EVERY);
}

static void ready_flow(void *arg)
{
	struct bot *bot = arg;

	for (size_t i = 0; bot->features[i]; i++)
		if (bot->features[i]->ready)
			bot->features[i]->ready(bot);
}

static void members_complete(struct bot *bot)
{
	bot->ready = true;
	metric_set(&members_known, (int64_t)cache_member_count(bot->cache));
	bot_start_flow(bot, "ready", ready_flow, NULL, bot);
}

/* ---- events ---- */

static int run_hooks(struct bot *bot, const struct event *event)
{
	for (size_t i = 0; bot->features[i]; i++) {
		for (const struct event_hook *hook = bot->features[i]->events; hook && hook->event; hook++) {
			int r;

			if (!streq(hook->event, event->name))
				continue;
			r = hook->run(bot, event);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int on_message(struct bot *bot, struct event *event)
{
	struct message *message = arena_new(&bot->event_arena, struct message);
	int r;

	if (message_parse(event->d, &bot->event_arena, message) < 0)
		return 0;
	if (message->author.bot || message->author.system || message->webhook_id)
		return 0;
	/* Replies and plain messages are written by people; the other types are Discord's announcements. */
	if (message->type != MESSAGE_DEFAULT && message->type != MESSAGE_REPLY)
		return 0;
	if (message->guild_id && message->guild_id != bot->service->guild_id)
		return 0;
	if (event->now - snowflake_time(message->id) > BOT_LEDGER_HORIZON)
		return 0;
	r = seen_message_claim(bot->service->db, message->id);
	if (r < 0)
		return r == -EALREADY ? 0 : r;
	event->message = message;
	if (!message->guild_id) {
		event->name = EVENT_DIRECT_MESSAGE;
		return run_hooks(bot, event);
	}
	metric_add(&messages_seen, 1);
	if (message->has_member)
		cache_learn_member(bot->cache, &message->author, &message->member);
	r = run_hooks(bot, event);
	if (r < 0)
		return r;
	/* What a dialogue was waiting for is no command. */
	if (waits_offer(bot->service->waits, event->name, event->d) || !message->has_member)
		return 0;
	return dispatch_message(bot, message, event->now);
}

static void after_guild_event(struct bot *bot, const char *name, const cJSON *d)
{
	if (streq(name, "GUILD_CREATE") && cache_has_guild(bot->cache) &&
		json_snowflake(d, "id") == bot->service->guild_id) {
		roles_resolve(&bot->roles, &bot->service->settings, bot->cache);
		fill_want(bot->fill);
	} else if (streq(name, "RESUMED") && !bot->ready && cache_has_guild(bot->cache)) {
		fill_want(bot->fill);
	}
}

static int dispatch(struct service *service, const char *name, const cJSON *d, bool replayed)
{
	struct bot *bot = service->state;
	struct event event = { .name = name, .d = d, .replayed = replayed, .now = clock_realtime() };
	int r;

	drop_lost(bot);
	if (streq(name, "MESSAGE_CREATE")) {
		r = on_message(bot, &event);
	} else if (streq(name, "INTERACTION_CREATE")) {
		r = dispatch_interaction(bot, d, replayed, event.now);
	} else {
		cache_event(bot->cache, name, d);
		fill_event(bot->fill, name, d);
		after_guild_event(bot, name, d);
		r = run_hooks(bot, &event);
		waits_offer(service->waits, name, d);
	}
	settle_after_commit(bot, r < 0);
	arena_reset(&bot->event_arena);
	if (r < 0)
		log_error("an event was not stored", LOG_STR("event", name), LOG_ERRNO(r));
	return r;
}

/* ---- end, health, state ---- */

static void stop(struct service *service)
{
	struct bot *bot = service->state;

	bot->stopping = true;
	timer_stop(&bot->upkeep);
}

static void finish(struct service *service)
{
	struct bot *bot = service->state;

	while (bot->after_commit)
		drop_after_commit(bot->after_commit); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	for (size_t i = 0; bot->features[i]; i++)
		if (bot->features[i]->finish)
			bot->features[i]->finish(bot);
	timer_finish(&bot->upkeep);
	register_stop(bot);
	commands_destroy(bot->commands);
	leaderboard_destroy(bot->board);
	expiry_destroy(bot->expiry);
	cooldowns_destroy(bot->cooldowns);
	fill_destroy(bot->fill);
	cache_destroy(bot->cache);
	arena_finish(&bot->event_arena);
	free(bot->features);
	free(bot);
	service->state = NULL;
}

static void check(struct service *service, struct str *reason)
{
	struct bot *bot = service->state;

	if (!bot || !cache_has_guild(bot->cache))
		str_adds(reason, "the guild is not known yet, or unavailable");
}

static void dump(struct service *service, struct str *out)
{
	struct bot *bot = service->state;
	size_t waiting = 0;

	for (const struct after_commit *item = bot->after_commit; item; item = item->next)
		waiting++;
	str_printf(out, "guild %s, %zu members, %s, %zu commands wait for their commit\n",
		cache_has_guild(bot->cache) ? "known" : "unknown", cache_member_count(bot->cache),
		bot->ready ? "complete" : "incomplete", waiting);
}

const struct service_definition bot_definition = {
	.program = { .name = "walle-bot",
		.service = "bot",
		.needs_token = true,
		.health_address = settings_bot_health,
		.summary = "Runs Wall-E's commands and counts XP for the members of one Discord server." },
	/* Only what is used: guild and roles, members (levels, staff), messages and their text (XP, dot commands),
	 * reactions (pagers), direct messages (a pointer to the server). */
	.intents = INTENT_GUILDS | INTENT_GUILD_MEMBERS | INTENT_GUILD_MESSAGES | INTENT_MESSAGE_CONTENT |
		   INTENT_GUILD_MESSAGE_REACTIONS | INTENT_DIRECT_MESSAGES,
	.requests_per_second = 35,
	.flows = { .total = 256, .per_owner = 4 },
	.checkpoints = true,
	.start = start,
	.dispatch = dispatch,
	.stop = stop,
	.finish = finish,
	.check = check,
	.dump = dump,
};
