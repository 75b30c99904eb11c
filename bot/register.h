/* Slash commands as Discord is told of them: written from the commands' rows, and sent only when Discord has
 * something else. */
#ifndef BOT_REGISTER_H
#define BOT_REGISTER_H

#include "bot.h"
#include "commands.h"

/* The JSON array of application commands (Discord's documentation, interactions/application-commands). */
void register_write(struct str *out, const struct commands *commands);
/* Whether the commands that Discord has (its answer to GET) say the same as our array. */
bool register_same(const cJSON *ours, const cJSON *theirs);

/* Compares and sends in a flow of its own, again until it has worked. */
void register_start(struct bot *bot);
void register_stop(struct bot *bot);

#endif
