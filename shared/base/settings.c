/* The table of everything that can be configured, and the checks that concern more than one value.
 *
 * To add a key: a field in struct settings (base/settings.h), a row here, its name in the README's table. */
#include "base/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/config.h"
#include "base/log.h"

enum database_type { DATABASE_SQLITE3, DATABASE_POSTGRESQL };

static const char *const environments[] = {
	[ENVIRONMENT_LOCALHOST] = "LOCALHOST",
	[ENVIRONMENT_PRODUCTION] = "PRODUCTION",
	NULL,
};
static const char *const database_types[] = {
	[DATABASE_SQLITE3] = "sqlite3",
	[DATABASE_POSTGRESQL] = "postgreSQL",
	NULL,
};
static const char *const log_levels[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
	NULL,
};
static const char *const log_formats[] = { "logfmt", "json", NULL };

/* clang-format off */
#define ROW(s, k, t, f) .section = (s), .key = (k), .type = (t), .offset = offsetof(struct settings, f)
#define TEXT(s, k, f, d)      { ROW(s, k, CONFIG_STRING, f), .fallback = (d) }
#define SECRET(s, k, f)       { ROW(s, k, CONFIG_SECRET, f), .fallback = "" }
#define SNOWFLAKE(s, k, f)    { ROW(s, k, CONFIG_SNOWFLAKE, f), .fallback = "" }
#define SWITCH(s, k, f, d)    { ROW(s, k, CONFIG_BOOL, f), .fallback = (d) }
#define CHOICE(s, k, f, d, c) { ROW(s, k, CONFIG_CHOICE, f), .fallback = (d), .choices = (c) }
#define NUMBER(s, k, f, d, low, high) { ROW(s, k, CONFIG_INT, f), .fallback = (d), .min = (low), .max = (high) }
/* 0: any free port, for tests */
#define PORT(s, k, f, d)      NUMBER(s, k, f, d, 0, 65535)

static const struct config_key keys[] = {
	SECRET("basic_config", "TOKEN", token),
	SNOWFLAKE("basic_config", "GUILD_ID", guild_id),
	CHOICE("basic_config", "ENVIRONMENT", environment, "LOCALHOST", environments),
	SECRET("basic_config", "WOLFRAM_API_TOKEN", wolfram_api_token),
	TEXT("basic_config", "BRANCH_NAME", branch_name, ""),
	TEXT("basic_config", "COMPOSE_PROJECT_NAME", compose_project_name, ""),

	TEXT("discord", "API_URL", api_url, "https://discord.com/api/v10"),
	TEXT("discord", "CDN_URL", cdn_url, "https://cdn.discordapp.com"),
	TEXT("discord", "GATEWAY_URL", gateway_url, ""),

	TEXT("web_apis", "URBAN_URL", urban_url, "https://api.urbandictionary.com"),
	TEXT("web_apis", "WOLFRAM_URL", wolfram_url, "https://api.wolframalpha.com"),
	TEXT("web_apis", "SFU_URL", sfu_url, "https://www.sfu.ca"),

	CHOICE("database_config", "TYPE", database_type, "sqlite3", database_types),
	TEXT("database_config", "PATH", database_path, "var/walle.sqlite3"),

	NUMBER("leveling", "XP_MIN", xp_min, "15", 0, 1000000),
	NUMBER("leveling", "XP_MAX", xp_max, "25", 0, 1000000),
	NUMBER("leveling", "COOLDOWN_SECONDS", cooldown_seconds, "60", 0, 31536000),

	TEXT("leveling_api", "BIND", api_bind, "127.0.0.1"),
	PORT("leveling_api", "PORT", api_port, "8000"),
	TEXT("leveling_api", "PUBLIC_URL", public_url, ""),
	TEXT("leveling_api", "ALLOWED_HOSTS", allowed_hosts, ""),
	TEXT("leveling_api", "CORS_ORIGINS", cors_origins, "https://walle.sfucsss.org https://new.sfucsss.org"),
	TEXT("leveling_api", "TRUSTED_PROXIES", trusted_proxies, ""),
	NUMBER("leveling_api", "RATE_LIMIT", rate_limit, "0", 0, 1000000),

	TEXT("health", "BIND", health_bind, "127.0.0.1"),
	PORT("health", "BOT_PORT", bot_health_port, "9101"),
	PORT("health", "LISTENER_PORT", listener_health_port, "9102"),

	CHOICE("log", "LEVEL", log_level, "info", log_levels),
	CHOICE("log", "FORMAT", log_format, "logfmt", log_formats),
	TEXT("log", "DIR", log_directory, ""),

	TEXT("channel_names", "BOT_GENERAL_CHANNEL", bot_general_channel, "bot-commands-and-misc"),
	TEXT("channel_names", "MOD_CHANNEL", mod_channel, "council-summary"),
	TEXT("channel_names", "LEVELLING_CHANNEL", levelling_channel, "council"),
	TEXT("channel_names", "ANNOUNCEMENTS_CHANNEL", announcements_channel, "announcements"),
	TEXT("channel_names", "EMBED_AVATAR_CHANNEL", embed_avatar_channel, "embed_avatars"),
	TEXT("channel_names", "LEVELLING_WEBSITE_AVATAR_IMAGE_CHANNEL", levelling_website_avatar_image_channel,
		"leveling_website_avatar_images"),
	TEXT("channel_names", "INCIDENT_REPORT_CHANNEL", incident_report_channel, "incident_reports"),
	TEXT("channel_names", "BOT_MANAGEMENT_CHANNEL", bot_management_channel, "bot-management"),

	SWITCH("extensions", "administration", extension_administration, "1"),
	SWITCH("extensions", "ban", extension_ban, "1"),
	SWITCH("extensions", "custom_commands", extension_custom_commands, "1"),
	SWITCH("extensions", "frosh", extension_frosh, "0"),
	SWITCH("extensions", "health_checks", extension_health_checks, "1"),
	SWITCH("extensions", "here", extension_here, "1"),
	SWITCH("extensions", "leveling", extension_leveling, "1"),
	SWITCH("extensions", "manage_test_guild", extension_manage_test_guild, "0"),
	SWITCH("extensions", "misc", extension_misc, "1"),
	SWITCH("extensions", "mod", extension_mod, "1"),
	SWITCH("extensions", "reaction_role", extension_reaction_role, "1"),
	SWITCH("extensions", "reminders", extension_reminders, "1"),
	SWITCH("extensions", "role_commands", extension_role_commands, "1"),
	SWITCH("extensions", "sfu", extension_sfu, "1"),

	SWITCH("frequency", "ENABLED", frequency_enabled, "1"),

	SECRET("github", "TOKEN", github_token),

	TEXT("roles", "BOT_MANAGER", role_bot_manager, "Bot_manager"),
	TEXT("roles", "MINIONS", role_minions, "Minions"),
	TEXT("roles", "MODERATOR", role_moderator, "Moderator"),
	TEXT("roles", "MUTED", role_muted, "Muted"),
	TEXT("roles", "EXECS", role_execs, "Execs"),
};
/* clang-format on */

/* Base addresses: what they may begin with. Paths are appended, so blanks or a query would spoil every request. */
static const struct url_rule {
	const char *name;
	size_t offset;
	const char *schemes[3];
	bool may_be_empty;
} urls[] = {
	{ "[discord] API_URL", offsetof(struct settings, api_url), { "https://", "http://" }, false },
	{ "[discord] CDN_URL", offsetof(struct settings, cdn_url), { "https://", "http://" }, false },
	{ "[discord] GATEWAY_URL", offsetof(struct settings, gateway_url), { "wss://", "ws://" }, true },
	{ "[web_apis] URBAN_URL", offsetof(struct settings, urban_url), { "https://", "http://" }, false },
	{ "[web_apis] WOLFRAM_URL", offsetof(struct settings, wolfram_url), { "https://", "http://" }, false },
	{ "[web_apis] SFU_URL", offsetof(struct settings, sfu_url), { "https://", "http://" }, false },
	{ "[leveling_api] PUBLIC_URL", offsetof(struct settings, public_url), { "https://", "http://" }, true },
};

/* What may not be empty, since no default could be meant by it. */
static const struct {
	const char *name;
	size_t offset;
} required[] = {
	{ "[database_config] PATH", offsetof(struct settings, database_path) },
	{ "[leveling_api] BIND", offsetof(struct settings, api_bind) },
	{ "[health] BIND", offsetof(struct settings, health_bind) },
};

static char **text_at(struct settings *settings, size_t offset)
{
	return (char **)((char *)settings + offset);
}

static int check_url(const struct url_rule *rule, char *url, struct str *reterr_message)
{
	size_t len = strlen(url), host = 0;

	if (len == 0 && rule->may_be_empty)
		return 0;
	for (int i = 0; rule->schemes[i]; i++)
		if (strncmp(url, rule->schemes[i], strlen(rule->schemes[i])) == 0)
			host = strlen(rule->schemes[i]);
	if (host == 0 || url[host] == '\0' || url[host] == '/') {
		str_printf(reterr_message, "%s must be an address that begins with %s or %s", rule->name,
			rule->schemes[0], rule->schemes[1]);
		return -EINVAL;
	}
	if (strpbrk(url, " \t\"#?@")) {
		str_printf(reterr_message, "%s must not hold blanks, quotes, '#', '?' or '@'", rule->name);
		return -EINVAL;
	}
	/* Paths begin with a slash. */
	while (len > host && url[len - 1] == '/')
		url[--len] = '\0';
	return 0;
}

static int check(struct settings *settings, struct str *reterr_message)
{
	int r;

	if (settings->database_type == DATABASE_POSTGRESQL) {
		str_adds(reterr_message, "[database_config] TYPE: this build has SQLite only, set it to sqlite3");
		return -EINVAL;
	}
	if (settings->xp_min > settings->xp_max) {
		str_adds(reterr_message, "[leveling] XP_MIN must not be greater than XP_MAX");
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (!**text_at(settings, required[i].offset)) {
			str_printf(reterr_message, "%s must not be empty", required[i].name);
			return -EINVAL;
		}
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		r = check_url(&urls[i], *text_at(settings, urls[i].offset), reterr_message);
		if (r < 0)
			return r;
	}
	return 0;
}

int settings_load_from(struct settings *settings, const char *file, char **environment, struct str *reterr_message)
{
	int r;

	*settings = (struct settings){ 0 };
	r = config_load(keys, ARRAY_SIZE(keys), settings, file, environment, reterr_message);
	return r < 0 ? r : check(settings, reterr_message);
}

int settings_load(struct settings *settings, const char *file, struct str *reterr_message)
{
	const char *named = file ? file : getenv("WALLE_CONFIG");

	return settings_load_from(settings, named && *named ? named : NULL, environ, reterr_message);
}

int settings_parse(struct settings *settings, const char *text, size_t len, struct str *reterr_message)
{
	int r;

	*settings = (struct settings){ 0 };
	r = config_defaults(keys, ARRAY_SIZE(keys), settings, reterr_message);
	if (r == 0)
		r = config_parse(keys, ARRAY_SIZE(keys), settings, "memory", text, len, reterr_message);
	return r < 0 ? r : check(settings, reterr_message);
}

void settings_finish(struct settings *settings)
{
	config_finish(keys, ARRAY_SIZE(keys), settings);
}

int64_t settings_bot_health(const struct settings *settings, const char **ret_bind)
{
	*ret_bind = settings->health_bind;
	return settings->bot_health_port;
}

int64_t settings_listener_health(const struct settings *settings, const char **ret_bind)
{
	*ret_bind = settings->health_bind;
	return settings->listener_health_port;
}

int64_t settings_api_health(const struct settings *settings, const char **ret_bind)
{
	*ret_bind = settings->api_bind;
	return settings->api_port;
}
