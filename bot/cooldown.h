/* How often one person may use one command. In memory: a restart forgives. Pure: the clock is handed in. */
#ifndef BOT_COOLDOWN_H
#define BOT_COOLDOWN_H

#include "cmd.h"

struct cooldowns;

struct cooldowns *cooldowns_create(void);
void cooldowns_destroy(struct cooldowns *cooldowns);
/* 0: go ahead, the use is counted; else how long to wait. */
usec cooldown_take(struct cooldowns *cooldowns, const struct command *command, snowflake user, usec now);

#endif
