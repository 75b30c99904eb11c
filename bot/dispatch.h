/* From a message or an interaction to a running command: find the row, read the arguments, check who asks and how
 * often, run, report. */
#ifndef BOT_DISPATCH_H
#define BOT_DISPATCH_H

#include "bot.h"
#include "discord/types.h"

/* Messages that begin with this and a command's name are dot commands. */
#define DISPATCH_PREFIX '.'

/* A person's message in the guild that was not counted before. Inside the transaction; what is run is run after the
 * commit. */
int dispatch_message(struct bot *bot, const struct message *message, usec now) warn_unused;
/* INTERACTION_CREATE: a slash command, what is typed into one, or a button, for which a command may be waiting. */
int dispatch_interaction(struct bot *bot, const cJSON *d, bool replayed, usec now) warn_unused;

#endif
