/* Resolving the configured roles, and asking whether somebody holds them (roles.h). A new kind of staff is a field, a
 * key and two cases. */
#include "roles.h"

#include "base/log.h"
#include "base/utf8.h"
#include "base/util.h"
#include "cache.h"

static snowflake resolve(const char *key, const char *configured, const struct cache *cache)
{
	const struct cached_role *role;
	bool ambiguous = false;
	uint64_t id;

	if (!*configured)
		return 0;
	if (parse_u64(configured, &id) == 0) {
		if (!cache_role(cache, id))
			log_warn("the guild has no role with the configured id: nobody has its rights until it exists",
				LOG_STR("key", key), LOG_ID("role", id));
		return id;
	}
	role = cache_find_role(cache, configured, &ambiguous);
	if (role) {
		log_info("configured role resolved by its name; put the id into the configuration to be safe "
			 "from renaming",
			LOG_STR("key", key), LOG_STR("name", role->name), LOG_ID("role", role->id));
		return role->id;
	}
	log_warn(ambiguous ? "several roles have the configured name: nobody has its rights; configure the id"
			   : "the guild has no role with the configured name: nobody has its rights",
		LOG_STR("key", key), LOG_STR("name", configured));
	return 0;
}

void roles_resolve(struct roles *roles, const struct settings *settings, const struct cache *cache)
{
	if (roles->resolved)
		return;
	roles->bot_manager = resolve("BOT_MANAGER", settings->role_bot_manager, cache);
	roles->minions = resolve("MINIONS", settings->role_minions, cache);
	roles->moderator = resolve("MODERATOR", settings->role_moderator, cache);
	roles->muted = resolve("MUTED", settings->role_muted, cache);
	roles->execs = resolve("EXECS", settings->role_execs, cache);
	roles->resolved = true;
}

static bool holds(snowflake role, const snowflake *held, size_t count)
{
	for (size_t i = 0; role && i < count; i++)
		if (held[i] == role)
			return true;
	return false;
}

bool roles_may(const struct roles *roles, enum command_who who, const snowflake *held, size_t count)
{
	bool minions = holds(roles->minions, held, count);
	bool moderator = holds(roles->moderator, held, count);
	bool manager = holds(roles->bot_manager, held, count);

	switch (who) {
	case ANYONE: return true;
	case MODERATORS: return minions || moderator;
	case MINIONS: return minions;
	case BOT_MANAGERS: return manager;
	case STAFF: return minions || moderator || manager;
	}
	return false;
}

bool roles_may_be_earned(const struct roles *roles, const struct cached_role *role)
{
	static const uint64_t power =
		PERMISSION_KICK_MEMBERS | PERMISSION_BAN_MEMBERS | PERMISSION_ADMINISTRATOR |
		PERMISSION_MANAGE_CHANNELS | PERMISSION_MANAGE_GUILD | PERMISSION_VIEW_AUDIT_LOG |
		PERMISSION_MANAGE_MESSAGES | PERMISSION_MENTION_EVERYONE | PERMISSION_MUTE_MEMBERS |
		PERMISSION_DEAFEN_MEMBERS | PERMISSION_MOVE_MEMBERS | PERMISSION_MANAGE_NICKNAMES |
		PERMISSION_MANAGE_ROLES | PERMISSION_MANAGE_WEBHOOKS | PERMISSION_MANAGE_EXPRESSIONS |
		PERMISSION_MANAGE_EVENTS | PERMISSION_MANAGE_THREADS | PERMISSION_MODERATE_MEMBERS;
	const snowflake configured[] = { roles->bot_manager, roles->minions, roles->moderator, roles->muted,
		roles->execs };

	return !role->managed && !(role->permissions & power) && !holds(role->id, configured, ARRAY_SIZE(configured));
}

bool roles_is_configured_name(const struct settings *settings, const char *name)
{
	const char *const configured[] = { settings->role_bot_manager, settings->role_minions, settings->role_moderator,
		settings->role_muted, settings->role_execs };

	for (size_t i = 0; i < ARRAY_SIZE(configured); i++)
		if (utf8_equal_folded(configured[i], name))
			return true;
	return false;
}

const char *roles_who_text(enum command_who who)
{
	switch (who) {
	case ANYONE: return "everybody";
	case MODERATORS: return "Minions or Moderator";
	case MINIONS: return "Minions";
	case BOT_MANAGERS: return "Bot_manager";
	case STAFF: return "Bot_manager, Minions or Moderator";
	}
	return "";
}
