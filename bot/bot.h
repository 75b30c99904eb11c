/* The bot's own state, and how events walk through it: guild cache, subscriptions of waiting commands, hooks of the
 * features, commands. */
#ifndef BOT_BOT_H
#define BOT_BOT_H

#include "roles.h"
#include "service/service.h"

struct cache;
struct commands;
struct after_commit;
struct cooldowns;
struct direct_messages;
struct event;
struct expiry;
struct feature;
struct fill;
struct leaderboard;
struct leveling;
struct registration;

struct bot {
	struct service *service;
	struct cache *cache;       /* the guild as we know it */
	struct fill *fill;         /* brings the member list */
	struct roles roles;        /* who is staff */
	struct commands *commands; /* of the features that are switched on */
	struct cooldowns *cooldowns;
	struct expiry *expiry; /* messages that delete themselves */
	struct registration *registration;
	struct leaderboard *board;
	struct leveling *leveling;               /* the feature's own state; NULL: switched off */
	struct direct_messages *direct_messages; /* who was answered lately */
	struct timer upkeep;                     /* hourly: forgets old entries of the ledger */
	const struct feature **features;         /* switched on; ends with NULL */
	struct arena event_arena;                /* reset after each event */
	struct after_commit *after_commit;       /* what waits for the batch */
	bool batch_was_lost;                     /* the last write failed, and its tasks were dropped */
	bool ready;                              /* guild and members are known */
	bool stopping;
};

/* Messages older than this are no longer in the ledger of counted messages: they earn nothing and their commands are
 * not run. */
#define BOT_LEDGER_HORIZON (24 * HOUR)
/* A dot command that arrives later than this (after an outage) is not answered any more. */
#define BOT_COMMAND_AGE_MAX (15 * MINUTE)

/* The entries of service_main(). */
extern const struct service_definition bot_definition;

/* Runs `run(arg)` after the commit of the event that is being handled; if that transaction is lost or this event
 * undone, `drop(arg)` is called instead (at the latest when the program ends; may be NULL). */
void bot_after_commit(struct bot *bot, void (*run)(struct bot *bot, void *arg), void (*drop)(void *arg), void *arg);
/* Starts a flow that belongs to the program. When there are too many flows, `drop(arg)` (may be NULL) is called and
 * the loss is logged. */
void bot_start_flow(struct bot *bot, const char *name, void (*run)(void *arg), void (*drop)(void *arg), void *arg);

#endif
