/* Whatever a person can get wrong: one clear line that says what to do, and the right exit status. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define PATIENCE (15 * SECOND)

static const enum harness_program all[] = { PROGRAM_BOT, PROGRAM_LISTENER, PROGRAM_API };
static const enum harness_program gateway_clients[] = { PROGRAM_BOT, PROGRAM_LISTENER };

/* It ends with this status, and exactly one line that is an error contains the text. */
static void expect_end(struct process *process, int status, const char *text)
{
	const char *log;

	assert_int_equal(harness_wait_exit(process, PATIENCE), status);
	log = harness_log(process);
	if (!strstr(log, text))
		fail_msg("\"%s\" is not in: %s", text, log);
	/* Before the log is open, the one line begins with the program's name. */
	if (strncmp(log, "walle-", 6) == 0)
		assert_int_equal(harness_log_lines(process, NULL), 1);
	else
		assert_int_equal(harness_log_lines(process, "level=error"), 1);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static const char *path_of(struct harness *h, const char *name)
{
	return arena_printf(&h->arena, "%s/%s", h->directory, name);
}

static void an_unknown_key_in_the_file(struct harness *h)
{
	const char *file = path_of(h, "walle.ini");
	const char *const arguments[] = { "--config", file, NULL };

	write_file(file, "[log]\nLEVEL = info\nCHANEL = x\n");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], arguments), EXIT_USAGE, "walle.ini:3");
}

static void an_unknown_variable(struct harness *h)
{
	harness_set(h, "log__LEVLE", "info");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], NULL), EXIT_USAGE, "log__LEVLE");
}

static void a_bad_value(struct harness *h)
{
	harness_set(h, "leveling__COOLDOWN_SECONDS", "soon");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct process *process = harness_spawn(h, all[i], NULL);

		expect_end(process, EXIT_USAGE, "COOLDOWN_SECONDS");
		assert_null(strstr(harness_log(process), "soon"));
	}
}

static void a_missing_file(struct harness *h)
{
	const char *const arguments[] = { "--config", path_of(h, "nowhere.ini"), NULL };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], arguments), EXIT_USAGE, "nowhere.ini");
}

static void a_missing_token(struct harness *h)
{
	harness_set(h, "basic_config__TOKEN", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(gateway_clients); i++)
		expect_end(harness_spawn(h, gateway_clients[i], NULL), EXIT_USAGE, "basic_config__TOKEN");
}

static void an_unknown_option(struct harness *h)
{
	static const char *const arguments[] = { "--verbose", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct process *process = harness_spawn(h, all[i], arguments);

		assert_int_equal(harness_wait_exit(process, PATIENCE), EXIT_USAGE);
		assert_non_null(strstr(harness_log(process), "--verbose"));
		assert_int_equal(harness_log_lines(process, NULL), 1);
	}
}

static void a_good_configuration_is_confirmed(struct harness *h)
{
	static const char *const check[] = { "--check-config", NULL }, *const version[] = { "--version", NULL };
	static const char *const help[] = { "--help", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(harness_wait_exit(harness_spawn(h, all[i], check), PATIENCE), EXIT_CLEAN);
		assert_int_equal(harness_wait_exit(harness_spawn(h, all[i], version), PATIENCE), EXIT_CLEAN);
		assert_int_equal(harness_wait_exit(harness_spawn(h, all[i], help), PATIENCE), EXIT_CLEAN);
	}
	assert_int_not_equal(access(h->database, F_OK), 0);
}

/* A database of ours, all of it in the one file, with nothing open any more. */
static void make_database(struct harness *h)
{
	struct db *db;

	assert_int_equal(db_open(h->database, DB_WRITE, &db, NULL), 0);
	assert_int_equal(db_checkpoint(db, SECOND), 0);
	db_close(db);
}

/* Overwrites bytes of the database's file; no program has it open. */
static void overwrite(struct harness *h, long offset, const void *bytes, size_t len)
{
	FILE *file = fopen(h->database, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, offset, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void a_database_of_a_newer_version(struct harness *h)
{
	/* SQLite's file format: the user version stands at offset 60. */
	static const unsigned char version[] = { 0, 0, 0x27, 0x0f };

	make_database(h);
	overwrite(h, 60, version, sizeof(version));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], NULL), EXIT_DATABASE, "newer");
}

static void a_file_that_is_no_database(struct harness *h)
{
	write_file(h->database,
		"This is a text, and long enough to be taken for something that it is not. It goes on for a while, "
		"so that nobody can say that it was too short to tell.\n");
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], NULL), EXIT_DATABASE, h->database);
}

static void a_directory_for_a_database(struct harness *h)
{
	harness_set(h, "database_config__PATH", h->directory);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		expect_end(harness_spawn(h, all[i], NULL), EXIT_DATABASE, "is a directory; name another file");
}

static void a_damaged_database(struct harness *h)
{
	char garbage[3 * 4096];

	make_database(h);
	memset(garbage, 0xa5, sizeof(garbage));
	overwrite(h, 4096, garbage, sizeof(garbage));
	for (size_t i = 0; i < ARRAY_SIZE(gateway_clients); i++)
		expect_end(harness_spawn(h, gateway_clients[i], NULL), EXIT_DATABASE, "damaged");
}

static void a_directory_that_is_not_there(struct harness *h)
{
	const char *path = path_of(h, "no/such/directory/walle.sqlite3");

	harness_set(h, "database_config__PATH", path);
	for (size_t i = 0; i < ARRAY_SIZE(gateway_clients); i++)
		expect_end(harness_spawn(h, gateway_clients[i], NULL), EXIT_DATABASE, path);
}

static void a_port_in_use(struct harness *h)
{
	static const char *const keys[] = { "health__BOT_PORT", "health__LISTENER_PORT", "leveling_api__PORT" };
	const char *url = fake_page_url(h->fake), *port = strrchr(url, ':') + 1;
	char text[16];

	make_database(h);
	snprintf(text, sizeof(text), "%.*s", (int)strspn(port, "0123456789"), port);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct process *process;

		harness_set(h, keys[i], text);
		process = harness_spawn(h, all[i], NULL);
		expect_end(process, EXIT_USAGE, text);
		assert_non_null(strstr(harness_log(process), "PORT"));
	}
}

static void a_wrong_token(struct harness *h)
{
	harness_set(h, "basic_config__TOKEN", "MTAwMDAwMDAwMDAwMDAwMDAwMQ.wrong.and-not-a-secret");
	for (size_t i = 0; i < ARRAY_SIZE(gateway_clients); i++) {
		struct process *process = harness_spawn(h, gateway_clients[i], NULL);

		expect_end(process, EXIT_REFUSED, "basic_config__TOKEN");
		assert_null(strstr(harness_log(process), "wrong.and-not"));
	}
}

static void a_token_that_is_revoked_while_we_run(struct harness *h)
{
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	fake_revoke_token(h->fake);
	fake_gateway_close(h->fake, FAKE_ALL, 4004);
	expect_end(listener, EXIT_REFUSED, "basic_config__TOKEN");
}

static void intents_that_are_not_switched_on(struct harness *h)
{
	struct process *process = harness_spawn(h, PROGRAM_LISTENER, NULL);

	expect_end(process, EXIT_REFUSED, "Server Members Intent");
	process = harness_spawn(h, PROGRAM_BOT, NULL);
	expect_end(process, EXIT_REFUSED, "Message Content Intent");
}

static void a_guild_that_we_are_not_in(struct harness *h)
{
	harness_set(h, "basic_config__GUILD_ID", "12345678901234567");
	for (size_t i = 0; i < ARRAY_SIZE(gateway_clients); i++)
		expect_end(harness_spawn(h, gateway_clients[i], NULL), EXIT_USAGE, "basic_config__GUILD_ID");
	harness_set(h, "basic_config__GUILD_ID", NULL);
	fake_remove_bot(h->fake);
	expect_end(harness_spawn(h, PROGRAM_LISTENER, NULL), EXIT_USAGE, "in no guild");
}

/* Discord away is nobody's mistake: it is waited for. */
static void discord_away_is_waited_for(struct harness *h)
{
	const struct fake_rest_fault away = { .kind = FAKE_REST_STATUS, .status = 503, .count = -1 };
	struct process *listener;

	assert_int_equal(fake_rest_fault(h->fake, &away), 0);
	listener = harness_spawn(h, PROGRAM_LISTENER, NULL);
	harness_wait_unhealthy(listener, "starting", PATIENCE);
	harness_idle(h, SECOND);
	assert_true(harness_running(listener));
	fake_rest_clear_faults(h->fake);
	harness_wait_healthy(listener, 40 * SECOND);
	harness_stop(listener);
}

int main(void)
{
	static const struct fake_options denied = {
		.denied_intents = FAKE_INTENT_GUILD_MEMBERS | FAKE_INTENT_MESSAGE_CONTENT, .identify_interval = -1
	};
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(an_unknown_key_in_the_file),
		HARNESS_TEST(an_unknown_variable),
		HARNESS_TEST(a_bad_value),
		HARNESS_TEST(a_missing_file),
		HARNESS_TEST(a_missing_token),
		HARNESS_TEST(an_unknown_option),
		HARNESS_TEST(a_good_configuration_is_confirmed),
		HARNESS_TEST(a_database_of_a_newer_version),
		HARNESS_TEST(a_file_that_is_no_database),
		HARNESS_TEST(a_directory_for_a_database),
		HARNESS_TEST(a_damaged_database),
		HARNESS_TEST(a_directory_that_is_not_there),
		HARNESS_TEST(a_port_in_use),
		HARNESS_TEST(a_wrong_token),
		HARNESS_TEST(a_token_that_is_revoked_while_we_run),
		HARNESS_TEST_WITH(intents_that_are_not_switched_on, &denied),
		HARNESS_TEST(a_guild_that_we_are_not_in),
		HARNESS_TEST(discord_away_is_waited_for),
	};

	return harness_run("bad_input", tests, ARRAY_SIZE(tests));
}
