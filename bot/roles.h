/* The roles of the configuration ([roles]), by id. A name is resolved once, when the guild is first known, and
 * reported in the log; from then on only the id counts, so renaming or duplicating a role changes nobody's rights. */
#ifndef BOT_ROLES_H
#define BOT_ROLES_H

#include "base/settings.h"
#include "cmd.h"

struct cached_role;

struct roles {
	snowflake bot_manager, minions, moderator, muted, execs; /* 0: there is no such role */
	bool resolved;
};

/* Fills in what is not known yet. Names that fit no role or several are reported and stay 0: nobody has them. */
void roles_resolve(struct roles *roles, const struct settings *settings, const struct cache *cache);
/* Whether somebody with these roles may do what `who` asks. */
bool roles_may(const struct roles *roles, enum command_who who, const snowflake *held, size_t count);
/* Whether the role may be handed out by a rule (a level, say) that others than the owner set: not one of the configured
 * ones, which are rights in this bot, none with rights over the server or its members, none of an integration. */
bool roles_may_be_earned(const struct roles *roles, const struct cached_role *role);
/* Whether the configuration names a role so: a role that is given this name may get its rights at the next start. */
bool roles_is_configured_name(const struct settings *settings, const char *name);
/* "Minions or Moderator" */
const char *roles_who_text(enum command_who who);

#endif
