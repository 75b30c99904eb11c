/* base/log.h: one line per event whatever the values hold, secrets replaced, daily files. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/log.h"

/* 2026-11-22T13:52:57.120Z */
#define START (INT64_C(1795355577120) * MILLISECOND)

static usec fake_now;

static usec fake_clock(void)
{
	return fake_now;
}

static struct str lines = STR_INIT;
static int line_count;

static void collect(void *arg, enum log_level level, const char *line)
{
	(void)arg, (void)level;
	str_printf(&lines, "%s\n", line);
	line_count++;
	/* Forbidden, and harmless all the same. */
	log_error("from the sink");
}

static void start(bool json, const char *directory)
{
	assert_int_equal(log_init(&(struct log_options){ .service = "bot",
				 .level = LOG_LEVEL_DEBUG,
				 .json = json,
				 .directory = directory,
				 .clock = fake_clock }),
		0);
	log_set_sink(LOG_LEVEL_DEBUG, collect, NULL);
	str_clear(&lines);
	line_count = 0;
	fake_now = START;
}

static int stop(void **state)
{
	(void)state;
	log_context_swap((struct log_context){ 0 });
	log_finish();
	str_finish(&lines);
	return 0;
}

static void writes_logfmt(void **state)
{
	(void)state;
	start(false, NULL);
	log_info("member joined", LOG_ID("user", 18446744073709551615u), LOG_STR("nick", "é\"x\\ \n\t\x7f"),
		LOG_INT("n", -5), LOG_ERRNO(-ENOENT), LOG_STR("none", NULL));
	log_warn("bare");
	assert_string_equal(lines.buf,
		"time=2026-11-22T13:52:57.120Z level=info service=bot msg=\"member joined\" user=18446744073709551615 "
		"nick=\"é\\\"x\\\\ \\n\\u0009\\u007f\" n=-5 error=\"No such file or directory\" none=null\n"
		"time=2026-11-22T13:52:57.120Z level=warn service=bot msg=\"bare\"\n");
}

static void writes_json(void **state)
{
	struct log_context before, context = { .flow = "rank", .user = 42, .guild = 7 };
	cJSON *json cleanup(json_freep) = NULL;

	(void)state;
	start(true, NULL);
	before = log_context_swap(context);
	assert_null(before.flow);
	log_error("it \"broke\"", LOG_STR("nick", "\xff\r\n{}"), LOG_INT("n", 3), LOG_STR("none", NULL));
	assert_int_equal(log_context_swap((struct log_context){ 0 }).user, 42);
	assert_int_equal(json_parse(lines.buf, lines.len, &json), 0);
	assert_string_equal(json_string(json, "time"), "2026-11-22T13:52:57.120Z");
	assert_string_equal(json_string(json, "level"), "error");
	assert_string_equal(json_string(json, "service"), "bot");
	assert_string_equal(json_string(json, "flow"), "rank");
	assert_string_equal(json_string(json, "user"), "42");
	assert_string_equal(json_string(json, "guild"), "7");
	assert_string_equal(json_string(json, "msg"), "it \"broke\"");
	assert_string_equal(json_string(json, "nick"), "\xef\xbf\xbd\r\n{}");
	assert_int_equal(json_int(json, "n", 0), 3);
	assert_true(cJSON_IsNull(json_get(json, "none")));
}

/* Keys of a logfmt line: the equals signs outside quoted values. */
static int count_keys(const char *line)
{
	bool quoted = false;
	int count = 0;

	for (; *line; line++) {
		if (quoted && *line == '\\')
			line++;
		else if (*line == '"')
			quoted = !quoted;
		else if (*line == '=' && !quoted)
			count++;
	}
	assert_false(quoted);
	return count;
}

/* A name chosen to look like an event of its own, in every way that a viewer might fall for. */
static void cannot_be_forged(void **state)
{
	static const char *const names[] = {
		"x\ntime=2026 level=error msg=\"forged\"",
		"x\r\nforged",
		"x\" level=error forged=\"",
		"x\\\" forged",
		"\x1b[2Jforged",
		"-\xc2\x85-\xe2\x80\xa8-\xe2\x80\xa9-",
		"\xe2\x80\xaegnp.exe\xe2\x81\xa6",
		"\xc0\x8a\xe0\x80\x8a\x80\xff",
		"\xf0\x9f",
	};

	(void)state;
	for (int json = 0; json < 2; json++) {
		start(json, NULL);
		log_context_swap((struct log_context){ .flow = "a b\n\"c" });
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			str_clear(&lines);
			log_info(names[i], LOG_STR("name", names[i]));
			assert_null(memchr(lines.buf, '\n', lines.len - 1));
			for (size_t j = 0; j + 1 < lines.len; j++)
				assert_true((unsigned char)lines.buf[j] >= 0x20 && lines.buf[j] != 0x7f);
			assert_null(strstr(lines.buf, "\xe2\x80"));
			assert_null(strstr(lines.buf, "\xc2\x85"));
			if (!json)
				assert_int_equal(count_keys(lines.buf), 6);
			if (json) {
				cJSON *parsed cleanup(json_freep) = NULL;

				assert_int_equal(json_parse(lines.buf, lines.len, &parsed), 0);
				assert_string_equal(json_string(parsed, "level"), "info");
			}
		}
		stop(NULL);
	}
}

static void hides_secrets(void **state)
{
	struct str big cleanup(str_finish) = STR_INIT;

	(void)state;
	start(false, NULL);
	log_add_secret("short");
	log_add_secret("");
	log_add_secret(NULL);
	log_add_secret("Tok\"en.With-Quote");
	log_add_secret("Tok\"en.With");
	log_add_secret("Tok\"en.With");
	log_info("Bot Tok\"en.With-Quote!", LOG_STR("x", "short Tok\"en.WithTok\"en.With-Quote"));
	assert_non_null(strstr(lines.buf, "msg=\"Bot [secret]!\" x=\"short [secret][secret]\""));
	/* One that a cut would halve. */
	for (int i = 0; i < 4090; i++)
		str_addc(&big, 'x');
	str_adds(&big, "Tok\"en.With-Quote and more that is cut off at the limit of one value");
	str_clear(&lines);
	log_info(big.buf);
	assert_null(strstr(lines.buf, "Tok"));
}

static void bounds_values(void **state)
{
	char *big cleanup(freep) = xmalloc(1000001);

	(void)state;
	start(false, NULL);
	memset(big, 'x', 1000000);
	big[1000000] = '\0';
	/* The cut falls into a character of two bytes. */
	memcpy(big + 4095, "é", 2);
	log_info("big", LOG_STR("value", big), LOG_INT("after", 1));
	assert_true(lines.len < 5000);
	assert_non_null(strstr(lines.buf, "xxx... (1000000 bytes)\" after=1\n"));
}

static void obeys_levels(void **state)
{
	(void)state;
	start(false, NULL);
	log_set_level(LOG_LEVEL_WARN);
	assert_false(log_enabled(LOG_LEVEL_INFO));
	log_info("no");
	log_warn("yes");
	assert_int_equal(line_count, 1);
	log_set_sink(LOG_LEVEL_ERROR, collect, NULL);
	log_warn("not for the sink");
	log_error("for the sink");
	assert_int_equal(line_count, 2);
	log_set_sink(LOG_LEVEL_DEBUG, NULL, NULL);
	log_error("nobody listens");
	assert_int_equal(line_count, 2);
}

static void keeps_errno(void **state)
{
	(void)state;
	start(false, NULL);
	errno = EXDEV;
	log_info("x");
	assert_int_equal(errno, EXDEV);
}

static void rotates_daily(void **state)
{
	char *directory = test_make_directory();
	char *inner = xasprintf("%s/log", directory), *today = xasprintf("%s/bot-2026-11-22.log", inner),
	     *tomorrow = xasprintf("%s/bot-2026-11-23.log", inner);
	struct str content cleanup(str_finish) = STR_INIT;
	struct stat st;

	(void)state;
	/* Existing lines are kept. */
	assert_int_equal(mkdir(inner, 0700), 0);
	free(test_write_file(inner, "bot-2026-11-22.log", "before\n", 7));
	fake_now = START;
	start(false, inner);
	log_info("one");
	fake_now += 12 * HOUR;
	log_info("two");
	fake_now += MINUTE;
	log_info("three");
	test_read_file(today, &content);
	assert_string_equal(content.buf, "before\ntime=2026-11-22T13:52:57.120Z level=info service=bot msg=\"one\"\n");
	test_read_file(tomorrow, &content);
	assert_string_equal(content.buf, "time=2026-11-23T01:52:57.120Z level=info service=bot msg=\"two\"\n"
					 "time=2026-11-23T01:53:57.120Z level=info service=bot msg=\"three\"\n");
	assert_int_equal(stat(tomorrow, &st), 0);
	assert_int_equal(st.st_mode & 0077, 0);
	stop(NULL);
	free(today);
	free(tomorrow);
	test_remove_directory(inner);
	test_remove_directory(directory);
}

/* The directory goes away while the service runs: it goes on, and so does the file once it is back. */
static void outlives_its_directory(void **state)
{
	char *directory = test_make_directory();
	char *inner = xasprintf("%s/log", directory), *path;
	struct str content cleanup(str_finish) = STR_INIT;

	(void)state;
	fake_now = START;
	start(false, inner);
	path = xasprintf("%s/bot-2026-11-22.log", inner);
	assert_int_equal(unlink(path), 0);
	free(path);
	assert_int_equal(rmdir(inner), 0);
	log_info("into the removed file");
	fake_now += DAY;
	log_info("nowhere to write");
	assert_int_equal(mkdir(inner, 0700), 0);
	log_info("not tried again yet");
	fake_now += 2 * MINUTE;
	log_info("back");
	assert_int_equal(line_count, 4);
	path = xasprintf("%s/bot-2026-11-23.log", inner);
	test_read_file(path, &content);
	assert_string_equal(content.buf, "time=2026-11-23T13:54:57.120Z level=info service=bot msg=\"back\"\n");
	stop(NULL);
	free(path);
	test_remove_directory(inner);
	test_remove_directory(directory);
}

static void reports_bad_directory(void **state)
{
	(void)state;
	assert_int_equal(log_init(&(struct log_options){ .service = "bot", .directory = "/dev/null" }), -ENOTDIR);
	assert_int_equal(log_init(&(struct log_options){ .service = "bot", .directory = "/dev/null/x" }), -ENOTDIR);
}

static void *log_many(void *arg)
{
	log_context_swap((struct log_context){ .flow = arg });
	for (int i = 0; i < 200; i++)
		log_debug("threads", LOG_INT("i", i));
	return NULL;
}

static void threads_do_not_mix(void **state)
{
	static char names[4][2] = { "a", "b", "c", "d" };
	pthread_t threads[4];

	(void)state;
	start(true, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many, names[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(line_count, 800);
	for (char *line = strtok(lines.buf, "\n"); line; line = strtok(NULL, "\n")) {
		cJSON *json cleanup(json_freep) = NULL;

		assert_int_equal(json_parse(line, strlen(line), &json), 0);
		assert_int_equal(strlen(json_string(json, "flow")), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(writes_logfmt, stop),
		cmocka_unit_test_teardown(writes_json, stop),
		cmocka_unit_test_teardown(cannot_be_forged, stop),
		cmocka_unit_test_teardown(hides_secrets, stop),
		cmocka_unit_test_teardown(bounds_values, stop),
		cmocka_unit_test_teardown(obeys_levels, stop),
		cmocka_unit_test_teardown(keeps_errno, stop),
		cmocka_unit_test_teardown(rotates_daily, stop),
		cmocka_unit_test_teardown(outlives_its_directory, stop),
		cmocka_unit_test_teardown(reports_bad_directory, stop),
		cmocka_unit_test_teardown(threads_do_not_mix, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
