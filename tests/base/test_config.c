/* base/config.h on a small table of its own: the file's grammar, the environment, every type, every complaint. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>

#include "base/config.h"
#include "base/log.h"

struct sample {
	char *text, *secret;
	int64_t number;
	bool flag;
	uint64_t id;
	int choice;
};

static const char *const colours[] = { "red", "Green", NULL };
static const struct config_key keys[] = {
	{ "main", "TEXT", CONFIG_STRING, offsetof(struct sample, text), "fallback", 0, 0, NULL },
	{ "main", "SECRET", CONFIG_SECRET, offsetof(struct sample, secret), "", 0, 0, NULL },
	{ "main", "NUMBER", CONFIG_INT, offsetof(struct sample, number), "5", -10, 100, NULL },
	{ "other_part", "FLAG", CONFIG_BOOL, offsetof(struct sample, flag), "1", 0, 0, NULL },
	{ "other_part", "ID", CONFIG_SNOWFLAKE, offsetof(struct sample, id), "", 0, 0, NULL },
	{ "other_part", "COLOUR", CONFIG_CHOICE, offsetof(struct sample, choice), "red", 0, 0, colours },
};

static char *directory;
static struct sample sample;
static struct str message = STR_INIT;

static int set_up(void **state)
{
	(void)state;
	directory = test_make_directory();
	sample = (struct sample){ 0 };
	str_clear(&message);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	test_remove_directory(directory);
	str_finish(&message);
	log_finish();
	return 0;
}

/* Starts afresh from the defaults each time. */
static int parse_bytes(const char *text, size_t len)
{
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	sample = (struct sample){ 0 };
	str_clear(&message);
	assert_int_equal(config_defaults(keys, ARRAY_SIZE(keys), &sample, &message), 0);
	return config_parse(keys, ARRAY_SIZE(keys), &sample, "test.ini", text, len, &message);
}

static int parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static int load_environment(const char *const *environment)
{
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	sample = (struct sample){ 0 };
	str_clear(&message);
	return config_load(keys, ARRAY_SIZE(keys), &sample, NULL, (char **)environment, &message);
}

static void uses_fallbacks(void **state)
{
	(void)state;
	assert_int_equal(load_environment(NULL), 0);
	assert_string_equal(sample.text, "fallback");
	assert_string_equal(sample.secret, "");
	assert_int_equal(sample.number, 5);
	assert_true(sample.flag);
	assert_int_equal(sample.id, 0);
	assert_int_equal(sample.choice, 0);
}

static void reads_files(void **state)
{
	(void)state;
	assert_int_equal(parse("\xef\xbb\xbf; a comment\n"
			       "# another\r\n"
			       "\n"
			       "[main]\r\n"
			       "  TEXT  =  a value = with ; signs # and [brackets] \t\r\n"
			       "\tNUMBER=-10\n"
			       "[ other_part ]\n"
			       "FLAG = off\n"
			       "ID = 228761314644852736\n"
			       "COLOUR = green\n"
			       "[main]\n"
			       "SECRET = s3cret"),
		0);
	assert_string_equal(sample.text, "a value = with ; signs # and [brackets]");
	assert_int_equal(sample.number, -10);
	assert_false(sample.flag);
	assert_true(sample.id == UINT64_C(228761314644852736));
	assert_int_equal(sample.choice, 1);
	assert_string_equal(sample.secret, "s3cret");
	/* Empty: text is empty, a number or choice its fallback, an id none, a flag off. */
	assert_int_equal(parse("[main]\nTEXT=\nNUMBER=\n[other_part]\nFLAG=\nID=\nCOLOUR=\n"), 0);
	assert_string_equal(sample.text, "");
	assert_int_equal(sample.number, 5);
	assert_false(sample.flag);
	assert_int_equal(sample.id, 0);
	assert_int_equal(sample.choice, 0);
}

static void keeps_long_values(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	str_adds(&text, "[main]\nTEXT = ");
	for (int i = 0; i < 100000; i++)
		str_addc(&text, 'x');
	assert_int_equal(parse(text.buf), 0);
	assert_int_equal(strlen(sample.text), 100000);
}

static void reads_booleans(void **state)
{
	static const struct {
		const char *text;
		bool value;
	} rows[] = {
		{ "1", true },
		{ "true", true },
		{ "YES", true },
		{ "On", true },
		{ "0", false },
		{ "False", false },
		{ "no", false },
		{ "off", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text cleanup(freep) = xasprintf("[other_part]\nFLAG=%s", rows[i].text);

		assert_int_equal(parse(text), 0);
		assert_int_equal(sample.flag, rows[i].value);
	}
}

static void complains_about_files(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "[main]\n\nTXET = s3cret", "test.ini:3: unknown key 'TXET' in section [main]" },
		{ "[main]\ntext = s3cret", "test.ini:2: unknown key 'text' in section [main]" },
		{ "[main]\nFLAG = 1", "test.ini:2: unknown key 'FLAG' in section [main]" },
		{ "[main]\ns3cret stuff! = 1", "test.ini:2: unknown key (not shown) in section [main]" },
		{ "[main]\n= s3cret", "test.ini:2: unknown key (not shown) in section [main]" },
		{ "[mian]\n", "test.ini:1: unknown section 'mian'" },
		{ "[]\n", "test.ini:1: unknown section (not shown)" },
		{ "[main\n", "test.ini:1: a section's name ends with ']' and nothing follows it" },
		{ "[", "test.ini:1: a section's name ends with ']' and nothing follows it" },
		{ "[main] ; s3cret\n", "test.ini:1: a section's name ends with ']' and nothing follows it" },
		{ "TEXT = s3cret\n", "test.ini:1: a key stands before the first [section]" },
		{ "[main]\ns3cret\n",
			"test.ini:2: expected 'KEY = value', '[section]', or a comment that begins with ';' or '#'" },
		{ "[main]\nTEXT=1\n[main]\nTEXT=1", "test.ini:4: key 'TEXT' of section [main] is given a second time" },
		{ "[main]\nNUMBER = 101s3cret", "test.ini:2: [main] NUMBER must be a whole number from -10 to 100" },
		{ "[main]\nNUMBER = 101", "test.ini:2: [main] NUMBER must be a whole number from -10 to 100" },
		{ "[main]\nNUMBER = -11", "test.ini:2: [main] NUMBER must be a whole number from -10 to 100" },
		{ "[main]\nNUMBER = 1.5", "test.ini:2: [main] NUMBER must be a whole number from -10 to 100" },
		{ "[main]\nNUMBER = 99999999999999999999",
			"test.ini:2: [main] NUMBER must be a whole number from -10 to 100" },
		{ "[other_part]\nFLAG = 2", "test.ini:2: [other_part] FLAG must be 1 or 0" },
		{ "[other_part]\nID = @1", "test.ini:2: [other_part] ID must be a Discord id (digits), or empty" },
		{ "[other_part]\nID = 9223372036854775808",
			"test.ini:2: [other_part] ID must be a Discord id (digits), or empty" },
		{ "[other_part]\nCOLOUR = s3cret", "test.ini:2: [other_part] COLOUR must be one of: red, Green" },
		{ "[main]\nTEXT = a\xff", "test.ini:2: not valid UTF-8 text" },
		{ "[main]\nTEXT = a\x1b[2J", "test.ini:2: [main] TEXT must be UTF-8 text without control characters" },
		{ "# \xed\xa0\x80\n", "test.ini:1: not valid UTF-8 text" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(parse(rows[i].text), -EINVAL);
		assert_string_equal(message.buf, rows[i].message);
		assert_null(strstr(message.buf, "s3cret"));
	}
	assert_int_equal(parse_bytes("[main]\nTEXT=a\0b\n", 16), -EINVAL);
	assert_string_equal(message.buf, "test.ini:2: not valid UTF-8 text");
}

static void environment_wins(void **state)
{
	const char *const environment[] = { "main__TEXT=from outside", "main__NUMBER=", "other_part__FLAG=0",
		"PATH=/bin", "foo__BAR=1", "main_TEXT=x", "MAIN__TEXT=x", "noequals", "other__part__FLAG=x", NULL };
	char *path cleanup(freep) = test_write_file(directory, "a.ini", "[main]\nTEXT=file\nNUMBER=7\n", 25);

	(void)state;
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, path, (char **)environment, &message), 0);
	assert_string_equal(sample.text, "from outside");
	assert_int_equal(sample.number, 5);
	assert_false(sample.flag);
}

static void complains_about_variables(void **state)
{
	static const struct {
		const char *variable, *message;
	} rows[] = {
		{ "main__TXET=s3cret", "environment variable 'main__TXET': unknown key in section [main]" },
		{ "main__=s3cret", "environment variable 'main__': unknown key in section [main]" },
		{ "main__WALL_E_DB_PASSWORD=s3cret",
			"environment variable 'main__WALL_E_DB_PASSWORD': unknown key in section [main]" },
		{ "main__TEXT_FILE=s3cret", "environment variable 'main__TEXT_FILE': unknown key in section [main]" },
		{ "main___FILE=s3cret", "environment variable 'main___FILE': unknown key in section [main]" },
		{ "main__NUMBER=s3cret", "environment variable main__NUMBER must be a whole number from -10 to 100" },
		{ "main__TEXT=s3cret\n",
			"environment variable main__TEXT must be UTF-8 text without control characters" },
		{ "main__SECRET=s3cret\xff",
			"environment variable main__SECRET must be UTF-8 text without control characters" },
		{ "main__SECRET_FILE=/nonexistent/token",
			"environment variable main__SECRET_FILE: cannot read the file '/nonexistent/token': No such file or "
			"directory" },
		{ "main__SECRET_FILE=/",
			"environment variable main__SECRET_FILE: cannot read the file '/': Is a directory" },
		{ "main__SECRET_FILE=/dev/zero",
			"environment variable main__SECRET_FILE: cannot read the file '/dev/zero': File too large" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const environment[] = { rows[i].variable, NULL };

		assert_true(load_environment(environment) < 0);
		assert_string_equal(message.buf, rows[i].message);
	}
}

static void reads_secret_files(void **state)
{
	static const struct {
		const char *content;
		size_t len;
		const char *secret; /* NULL: refused */
	} rows[] = {
		{ "s3cret", 6, "s3cret" },
		{ "s3cret\n", 7, "s3cret" },
		{ "s3cret\r\n", 8, "s3cret" },
		{ " s3cret ", 8, " s3cret " },
		{ "", 0, "" },
		{ "s3cret\n\n", 8, NULL },
		{ "s3\ncret", 7, NULL },
		{ "s3\0cret", 7, NULL },
		{ "s3cret\xff", 7, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *path cleanup(freep) = test_write_file(directory, "token", rows[i].content, rows[i].len);
		char *variable cleanup(freep) = xasprintf("main__SECRET_FILE=%s", path);
		const char *const both[] = { variable, "main__SECRET=other", NULL };
		const char *const alone[] = { variable, NULL };

		assert_int_equal(load_environment(alone), rows[i].secret ? 0 : -EINVAL);
		if (rows[i].secret)
			assert_string_equal(sample.secret, rows[i].secret);
		else
			assert_non_null(strstr(message.buf, "the content of the file"));
		assert_null(strstr(message.buf, "s3"));
		if (!rows[i].secret)
			continue;
		assert_int_equal(load_environment(both), -EINVAL);
		assert_string_equal(message.buf,
			"environment variable main__SECRET: the value is given twice (set it or its _FILE variable, not both)");
	}
}

static void collect(void *arg, enum log_level level, const char *line)
{
	(void)level;
	str_adds(arg, line);
}

static void hides_secrets(void **state)
{
	struct str lines cleanup(str_finish) = STR_INIT;
	char *value, *before;

	(void)state;
	setenv("main__SECRET", "s3cret-token", 1);
	setenv("main__TEXT", "kept", 1);
	value = getenv("main__SECRET");
	before = environ[0];
	assert_non_null(before);
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, NULL, environ, &message), 0);
	assert_string_equal(sample.secret, "s3cret-token");
	assert_null(getenv("main__SECRET"));
	assert_string_equal(getenv("main__TEXT"), "kept");
	/* Also where the bytes stood, which is what /proc/PID/environ shows. */
	assert_string_equal(value, "");
	log_set_sink(LOG_LEVEL_INFO, collect, &lines);
	log_info("the token is s3cret-token");
	assert_null(strstr(lines.buf, "s3cret"));
	assert_non_null(strstr(lines.buf, "the token is [secret]"));
	unsetenv("main__TEXT");
}

/* An error in one variable does not leave the other's secret in the environment. */
static void hides_secrets_after_errors(void **state)
{
	(void)state;
	setenv("main__SECRET", "s3cret-token", 1);
	setenv("main__SECRET_FILE", "/nonexistent", 1);
	assert_true(config_load(keys, ARRAY_SIZE(keys), &sample, NULL, environ, &message) < 0);
	assert_null(getenv("main__SECRET"));
	assert_null(getenv("main__SECRET_FILE"));
}

static void leaves_lists_alone(void **state)
{
	char variable[] = "main__SECRET=s3cret-token";
	const char *const environment[] = { variable, NULL };

	(void)state;
	setenv("main__SECRET", "not ours to take", 1);
	assert_int_equal(load_environment(environment), 0);
	assert_string_equal(variable, "main__SECRET=s3cret-token");
	assert_string_equal(getenv("main__SECRET"), "not ours to take");
	unsetenv("main__SECRET");
}

static void limits_files(void **state)
{
	size_t len = (1 << 20) + 1;
	char *text cleanup(freep) = xmalloc(len), *path = NULL, *expected = NULL;

	(void)state;
	memset(text, '\n', len);
	path = test_write_file(directory, "big.ini", text, len);
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, path, NULL, &message), -EINVAL);
	expected = xasprintf("%s: larger than 1048576 bytes, this is no configuration file", path);
	assert_string_equal(message.buf, expected);
	free(path);
	free(expected);
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	path = test_write_file(directory, "big.ini", text, len - 1);
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, path, NULL, &message), 0);
	free(path);
}

static void reports_unreadable_files(void **state)
{
	(void)state;
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, "/nonexistent/a.ini", NULL, &message), -ENOENT);
	assert_string_equal(
		message.buf, "/nonexistent/a.ini: cannot read the configuration: No such file or directory");
	config_finish(keys, ARRAY_SIZE(keys), &sample);
	assert_int_equal(config_load(keys, ARRAY_SIZE(keys), &sample, directory, NULL, &message), -EISDIR);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(uses_fallbacks),
		TEST(reads_files),
		TEST(keeps_long_values),
		TEST(reads_booleans),
		TEST(complains_about_files),
		TEST(environment_wins),
		TEST(complains_about_variables),
		TEST(reads_secret_files),
		TEST(hides_secrets),
		TEST(hides_secrets_after_errors),
		TEST(leaves_lists_alone),
		TEST(limits_files),
		TEST(reports_unreadable_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
