/* Features (called extensions in the configuration): a table of commands and a table of gateway events each, switched
 * on and off as a whole.
 *
 * A new feature is a file in features/ that defines one `const struct feature`, its line in features.c, and its
 * switch in shared/base/settings.c. A feature that is switched off has no commands, gets no events and is never
 * started.
 */
#ifndef BOT_FEATURE_H
#define BOT_FEATURE_H

#include "bot.h"
#include "cmd.h"

/* A gateway dispatch. Everything is borrowed and gone when the hook returns. */
struct event {
	const char *name;
	const cJSON *d;
	bool replayed; /* comes again, or late, after a resume */
	usec now;      /* Unix time */
	/* MESSAGE_CREATE and EVENT_DIRECT_MESSAGE: parsed, from a person, and never counted before. Nothing else is
	 * handed to hooks of these. */
	const struct message *message;
};

/* MESSAGE_CREATE outside of the guild. */
#define EVENT_DIRECT_MESSAGE "DIRECT_MESSAGE"

struct event_hook {
	const char *event; /* NULL ends a table */
	/* Inside the batch's transaction; must not suspend. -errno undoes all effects of this event. What people see
	 * is sent after the commit: bot_after_commit(). */
	int (*run)(struct bot *bot, const struct event *event);
};

struct feature {
	const char *name;                                 /* "leveling": as in [extensions] */
	const char *title;                                /* "Leveling": as help shows it */
	bool (*enabled)(const struct settings *settings); /* NULL: always */
	const struct command *commands;                   /* may be NULL */
	const struct event_hook *events;                  /* may be NULL */
	/* In a flow, before the first event: database and REST are there, the guild is not. -errno ends the program. */
	int (*start)(struct bot *bot);
	/* In a flow, when the guild with all its members is known; again after each loss of the session. */
	void (*ready)(struct bot *bot);
	/* When everything has stopped: frees what the feature holds. */
	void (*finish)(struct bot *bot);
};

/* All features, in the order in which they start and hear of events; ends with NULL. */
extern const struct feature *const features[];

#endif
