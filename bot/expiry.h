/* Messages that delete themselves: a row each in the database, so that a restart forgets none, and one timer for the
 * next that is due. */
#ifndef BOT_EXPIRY_H
#define BOT_EXPIRY_H

#include "bot.h"

struct expiry;

struct expiry *expiry_create(struct bot *bot);
void expiry_destroy(struct expiry *expiry);
/* The loop is running and REST is there: what became due while we were away goes now. */
void expiry_start(struct expiry *expiry);
/* The message, and `request` (0: none) which asked for it, are deleted after this time. Writes and commits. */
int expiry_add(struct expiry *expiry, snowflake channel, snowflake message, snowflake request, usec after) warn_unused;
/* The message is gone already. Writes and commits. */
int expiry_forget(struct expiry *expiry, snowflake message) warn_unused;

#endif
