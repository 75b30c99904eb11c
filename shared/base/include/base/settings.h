/* What can be configured, for all programs: they share one file, so each knows every key. The table is in
 * settings.c. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum environment { ENVIRONMENT_LOCALHOST, ENVIRONMENT_PRODUCTION };

struct settings {
	/* [basic_config] */
	char *token;
	uint64_t guild_id; /* 0: the only guild */
	int environment;
	char *wolfram_api_token, *branch_name, *compose_project_name;
	/* [discord] */
	char *api_url, *cdn_url, *gateway_url;
	/* [web_apis] */
	char *urban_url, *wolfram_url, *sfu_url;
	/* [database_config] */
	int database_type;
	char *database_path;
	/* [leveling] */
	int64_t xp_min, xp_max, cooldown_seconds;
	/* [leveling_api] */
	char *api_bind;
	int64_t api_port;
	char *public_url;
	char *allowed_hosts, *cors_origins, *trusted_proxies; /* lists, separated by blanks or commas */
	int64_t rate_limit;                                   /* requests per minute and address; 0: no limit */
	/* [health] */
	char *health_bind;
	int64_t bot_health_port, listener_health_port;
	/* [log] */
	int log_level;  /* enum log_level */
	int log_format; /* 0 logfmt, 1 json */
	char *log_directory;
	/* [channel_names] */
	char *bot_general_channel, *mod_channel, *levelling_channel, *announcements_channel, *embed_avatar_channel,
		*levelling_website_avatar_image_channel, *incident_report_channel, *bot_management_channel;
	/* [extensions] */
	bool extension_administration, extension_ban, extension_custom_commands, extension_frosh,
		extension_health_checks, extension_here, extension_leveling, extension_manage_test_guild,
		extension_misc, extension_mod, extension_reaction_role, extension_reminders, extension_role_commands,
		extension_sfu;
	/* [frequency] */
	bool frequency_enabled;
	/* [github] */
	char *github_token;
	/* [roles]: an id, or a name that the bot resolves once at start */
	char *role_bot_manager, *role_minions, *role_moderator, *role_muted, *role_execs;
};

/* See config_load(); what was there before is not freed. Base addresses come without a slash at their end. `file` NULL:
 * WALLE_CONFIG, else built-in defaults. The settings must be finished also after a failure. */
int settings_load(struct settings *settings, const char *file, struct str *reterr_message) warn_unused;
/* The same with exactly this file (NULL: none) and environment. */
int settings_load_from(
	struct settings *settings, const char *file, char **environment, struct str *reterr_message) warn_unused;
/* The defaults and a configuration file from memory, without the environment. */
int settings_parse(struct settings *settings, const char *text, size_t len, struct str *reterr_message) warn_unused;
void settings_finish(struct settings *settings);

/* Where each service answers GET /healthz: the port, and the address that it binds to. */
int64_t settings_bot_health(const struct settings *settings, const char **ret_bind);
int64_t settings_listener_health(const struct settings *settings, const char **ret_bind);
int64_t settings_api_health(const struct settings *settings, const char **ret_bind);

#endif
