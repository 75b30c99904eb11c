/* base/settings.h: the defaults, and the checks that concern more than one value. */
#include "test.h"

#include <errno.h>

#include "base/log.h"
#include "base/settings.h"

static struct settings settings;
static struct str message = STR_INIT;

static int tear_down(void **state)
{
	(void)state;
	settings_finish(&settings);
	str_finish(&message);
	return 0;
}

static int parse(const char *text)
{
	settings_finish(&settings);
	str_clear(&message);
	return settings_parse(&settings, text, strlen(text), &message);
}

static void has_defaults(void **state)
{
	(void)state;
	assert_int_equal(settings_load_from(&settings, NULL, NULL, &message), 0);
	assert_string_equal(settings.token, "");
	assert_int_equal(settings.guild_id, 0);
	assert_int_equal(settings.environment, ENVIRONMENT_LOCALHOST);
	assert_string_equal(settings.api_url, "https://discord.com/api/v10");
	assert_string_equal(settings.cdn_url, "https://cdn.discordapp.com");
	assert_string_equal(settings.gateway_url, "");
	assert_string_equal(settings.database_path, "var/walle.sqlite3");
	assert_int_equal(settings.xp_min, 15);
	assert_int_equal(settings.xp_max, 25);
	assert_int_equal(settings.cooldown_seconds, 60);
	assert_string_equal(settings.api_bind, "127.0.0.1");
	assert_int_equal(settings.api_port, 8000);
	assert_string_equal(settings.cors_origins, "https://walle.sfucsss.org https://new.sfucsss.org");
	assert_int_equal(settings.bot_health_port, 9101);
	assert_int_equal(settings.listener_health_port, 9102);
	assert_int_equal(settings.log_level, LOG_LEVEL_INFO);
	assert_int_equal(settings.log_format, 0);
	assert_string_equal(settings.levelling_channel, "council");
	assert_string_equal(settings.bot_management_channel, "bot-management");
	assert_true(settings.extension_leveling);
	assert_false(settings.extension_frosh);
	assert_false(settings.extension_manage_test_guild);
	assert_true(settings.frequency_enabled);
	assert_string_equal(settings.role_bot_manager, "Bot_manager");
	assert_string_equal(settings.role_execs, "Execs");
}

static void accepts(void **state)
{
	(void)state;
	assert_int_equal(
		parse("[basic_config]\nENVIRONMENT=PRODUCTION\n[discord]\nAPI_URL=http://127.0.0.1:1/api/v10//\n"
		      "GATEWAY_URL=ws://127.0.0.1:2/\n[leveling]\nXP_MIN=20\nXP_MAX=20\nCOOLDOWN_SECONDS=0\n"
		      "[leveling_api]\nPORT=0\n[health]\nBOT_PORT=65535\n[log]\nLEVEL=debug\nFORMAT=json\n"),
		0);
	assert_int_equal(settings.environment, ENVIRONMENT_PRODUCTION);
	/* Paths begin with a slash, so base addresses end without. */
	assert_string_equal(settings.api_url, "http://127.0.0.1:1/api/v10");
	assert_string_equal(settings.gateway_url, "ws://127.0.0.1:2");
	assert_int_equal(settings.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(settings.log_format, 1);
	assert_int_equal(settings.api_port, 0);
}

static void refuses(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[database_config]\nTYPE=postgreSQL",
			"[database_config] TYPE: this build has SQLite only, set it to sqlite3" },
		{ "[database_config]\nTYPE=mysql",
			"memory:2: [database_config] TYPE must be one of: sqlite3, postgreSQL" },
		{ "[database_config]\nPATH=", "[database_config] PATH must not be empty" },
		{ "[leveling]\nXP_MIN=26", "[leveling] XP_MIN must not be greater than XP_MAX" },
		{ "[leveling]\nXP_MIN=-1", "memory:2: [leveling] XP_MIN must be a whole number from 0 to 1000000" },
		{ "[leveling_api]\nPORT=65536",
			"memory:2: [leveling_api] PORT must be a whole number from 0 to 65535" },
		{ "[leveling_api]\nBIND=", "[leveling_api] BIND must not be empty" },
		{ "[discord]\nAPI_URL=", "[discord] API_URL must be an address that begins with https:// or http://" },
		{ "[discord]\nAPI_URL=https://",
			"[discord] API_URL must be an address that begins with https:// or http://" },
		{ "[discord]\nAPI_URL=https:///x",
			"[discord] API_URL must be an address that begins with https:// or http://" },
		{ "[discord]\nGATEWAY_URL=https://x",
			"[discord] GATEWAY_URL must be an address that begins with wss:// or ws://" },
		{ "[leveling_api]\nPUBLIC_URL=ftp://x",
			"[leveling_api] PUBLIC_URL must be an address that begins with https:// or http://" },
		{ "[discord]\nCDN_URL=https://a b", "[discord] CDN_URL must not hold blanks, quotes, '#', '?' or '@'" },
		{ "[discord]\nCDN_URL=https://u:p@host",
			"[discord] CDN_URL must not hold blanks, quotes, '#', '?' or '@'" },
		/* keys of the old system */
		{ "[database_config]\nWALL_E_DB_PASSWORD=x",
			"memory:2: unknown key 'WALL_E_DB_PASSWORD' in section [database_config]" },
		{ "[basic_config]\nDOCKERIZED=1", "memory:2: unknown key 'DOCKERIZED' in section [basic_config]" },
		{ "[basic_config]\nMEE6_AUTHORIZATION=x",
			"memory:2: unknown key 'MEE6_AUTHORIZATION' in section [basic_config]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].text), -EINVAL);
		assert_string_equal(message.buf, rows[i].message);
	}
}

static void finds_its_file(void **state)
{
	char *directory = test_make_directory();
	char *a = test_write_file(directory, "a.ini", "[leveling]\nXP_MIN=1\n", 20);
	char *b = test_write_file(directory, "b.ini", "[leveling]\nXP_MIN=2\n", 20);

	(void)state;
	setenv("WALLE_CONFIG", a, 1);
	assert_int_equal(settings_load(&settings, NULL, &message), 0);
	assert_int_equal(settings.xp_min, 1);
	settings_finish(&settings);
	assert_int_equal(settings_load(&settings, b, &message), 0);
	assert_int_equal(settings.xp_min, 2);
	settings_finish(&settings);
	setenv("leveling__XP_MIN", "3", 1);
	assert_int_equal(settings_load(&settings, b, &message), 0);
	assert_int_equal(settings.xp_min, 3);
	settings_finish(&settings);
	unsetenv("leveling__XP_MIN");
	setenv("WALLE_CONFIG", "", 1);
	assert_int_equal(settings_load(&settings, NULL, &message), 0);
	assert_int_equal(settings.xp_min, 15);
	settings_finish(&settings);
	setenv("WALLE_CONFIG", "/nonexistent.ini", 1);
	assert_int_equal(settings_load(&settings, NULL, &message), -ENOENT);
	unsetenv("WALLE_CONFIG");
	free(a);
	free(b);
	test_remove_directory(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(has_defaults, tear_down),
		cmocka_unit_test_teardown(accepts, tear_down),
		cmocka_unit_test_teardown(refuses, tear_down),
		cmocka_unit_test_teardown(finds_its_file, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
