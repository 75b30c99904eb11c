/* The logger: builds a line under one lock, writes it with one write() per destination. See base/log.h.
 *
 * Whatever a value holds, an event stays one line: control characters, characters that turn the direction of text or
 * break lines, and bytes that are no UTF-8 are escaped. A new form of output is one more branch in the add_*()
 * functions. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "base/utf8.h"

/* Bytes of one value; what is longer is cut. Nobody's name fills the disk. */
#define VALUE_MAX 4096
/* Shorter values would be found in innocent text. */
#define SECRET_MIN 6
/* Between attempts to open the daily file again. */
#define REOPEN_INTERVAL MINUTE

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

static _Atomic int minimum_level = LOG_LEVEL_INFO;
static _Thread_local struct log_context thread_context;
/* Set while this thread is inside the logger, so that a sink that logs after all does not wait for itself. */
static _Thread_local bool inside;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* All below is under the lock. */
static struct {
	char *service;
	bool json;
	log_clock_fn *clock;

	char *directory; /* NULL: no daily file */
	int fd;          /* -1 while none could be opened */
	int64_t day;     /* of the open file, days since 1970 */
	usec next_attempt;

	struct secret {
		char *text;
		size_t len;
	} * secrets;
	size_t secret_count;

	log_sink_fn *sink;
	void *sink_arg;
	enum log_level sink_level;

	struct str line, value;
} logger = { .fd = -1, .line = STR_INIT, .value = STR_INIT };

static usec now(void)
{
	return logger.clock ? logger.clock() : clock_realtime();
}

/* Opens the file of `day`; 0 or -errno. */
static int open_file(int64_t day)
{
	struct civil date;
	char *path cleanup(freep) = NULL;
	int fd;

	civil_from_seconds(day * (DAY / SECOND), &date);
	path = xasprintf("%s/%s-%04d-%02d-%02d.log", logger.directory, logger.service, date.year, date.month, date.day);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return -errno;
	if (logger.fd >= 0)
		close(logger.fd);
	logger.fd = fd;
	logger.day = day;
	return 0;
}

static void close_file(void)
{
	if (logger.fd >= 0)
		close(logger.fd);
	logger.fd = -1;
}

static void forget_options(void)
{
	close_file();
	free(logger.service);
	free(logger.directory);
	logger.service = logger.directory = NULL;
	logger.json = false;
	logger.clock = NULL;
	logger.next_attempt = 0;
}

int log_init(const struct log_options *options)
{
	int r = 0;

	pthread_mutex_lock(&lock);
	forget_options();
	logger.service = xstrdup(options->service ? options->service : "");
	logger.json = options->json;
	logger.clock = options->clock;
	atomic_store(&minimum_level, options->level);
	if (options->directory && *options->directory) {
		logger.directory = xstrdup(options->directory);
		if (mkdir(logger.directory, 0700) < 0 && errno != EEXIST)
			r = -errno;
		else
			r = open_file(now() / DAY);
		if (r < 0) {
			free(logger.directory);
			logger.directory = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
	return r;
}

void log_finish(void)
{
	pthread_mutex_lock(&lock);
	forget_options();
	for (size_t i = 0; i < logger.secret_count; i++) {
		explicit_bzero(logger.secrets[i].text, logger.secrets[i].len);
		free(logger.secrets[i].text);
	}
	free(logger.secrets);
	logger.secrets = NULL;
	logger.secret_count = 0;
	logger.sink = NULL;
	str_finish(&logger.line);
	str_finish(&logger.value);
	pthread_mutex_unlock(&lock);
}

void log_set_level(enum log_level level)
{
	atomic_store(&minimum_level, level);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&minimum_level, memory_order_relaxed);
}

void log_add_secret(const char *secret)
{
	size_t len = secret ? strlen(secret) : 0;
	bool known = false;

	if (len < SECRET_MIN)
		return;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < logger.secret_count; i++)
		known = known || streq(logger.secrets[i].text, secret);
	if (!known) {
		logger.secrets = xrealloc(logger.secrets, (logger.secret_count + 1) * sizeof(*logger.secrets));
		logger.secrets[logger.secret_count++] = (struct secret){ .text = xstrdup(secret), .len = len };
	}
	pthread_mutex_unlock(&lock);
}

struct log_context log_context_swap(struct log_context context)
{
	struct log_context previous = thread_context;

	thread_context = context;
	return previous;
}

void log_set_sink(enum log_level level, log_sink_fn *sink, void *arg)
{
	pthread_mutex_lock(&lock);
	logger.sink = sink;
	logger.sink_arg = arg;
	logger.sink_level = level;
	pthread_mutex_unlock(&lock);
}

/* The value with every secret replaced, then cut. The secrets go first: half of one must not survive the cut. */
static void prepare_value(const char *text)
{
	struct str *value = &logger.value;
	size_t scanned = strlen(text);

	str_clear(value);
	while (*text) {
		const struct secret *found = NULL;
		const char *at = NULL;

		for (size_t i = 0; i < logger.secret_count; i++) {
			const char *hit = strstr(text, logger.secrets[i].text);

			/* Of two that begin at the same place the longer one goes: one may be the other's beginning. */
			if (hit && (!found || hit < at || (hit == at && logger.secrets[i].len > found->len))) {
				found = &logger.secrets[i];
				at = hit;
			}
		}
		if (!found || value->len > VALUE_MAX) {
			str_add(value, text, MIN(strlen(text), VALUE_MAX + 1));
			break;
		}
		str_add(value, text, (size_t)(at - text));
		str_adds(value, "[secret]");
		text = at + found->len;
	}
	if (value->len > VALUE_MAX) {
		size_t cut = VALUE_MAX;

		/* Not within a character. */
		while (cut > 0 && ((unsigned char)value->buf[cut] & 0xc0) == 0x80)
			cut--;
		str_truncate(value, cut);
		str_printf(value, "... (%zu bytes)", scanned);
	}
}

/* Besides control characters: line and paragraph separators, and what reorders the text around it on a terminal. */
static bool must_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void add_quoted(const char *raw)
{
	struct str *line = &logger.line;
	const char *text, *end;

	prepare_value(raw);
	text = logger.value.buf;
	end = text + logger.value.len;
	str_addc(line, '"');
	while (text < end) {
		uint32_t c;
		size_t step = utf8_next(text, (size_t)(end - text), &c);

		if (step == 0) {
			/* JSON has no escape for a byte, logfmt may say which one it was. */
			if (logger.json)
				str_adds(line, "\\ufffd");
			else
				str_printf(line, "\\x%02x", (unsigned char)*text);
			step = 1;
		} else if (c == '"' || c == '\\') {
			str_addc(line, '\\');
			str_addc(line, (char)c);
		} else if (c == '\n') {
			str_adds(line, "\\n");
		} else if (must_escape(c)) {
			str_printf(line, "\\u%04x", (unsigned int)c);
		} else {
			str_add(line, text, step);
		}
		text += step;
	}
	str_addc(line, '"');
}

static void add_key(const char *key)
{
	struct str *line = &logger.line;

	if (line->len > (logger.json ? 1u : 0u))
		str_addc(line, logger.json ? ',' : ' ');
	str_printf(line, logger.json ? "\"%s\":" : "%s=", key);
}

/* A word of our own making: the level, a number, a time. Bare in logfmt. */
static void add_word(const char *key, const char *word)
{
	add_key(key);
	str_printf(&logger.line, logger.json ? "\"%s\"" : "%s", word);
}

static void add_text(const char *key, const char *text)
{
	add_key(key);
	add_quoted(text);
}

/* Identifiers are strings in JSON, since its numbers end at 2^53. */
static void add_id(const char *key, uint64_t id)
{
	add_key(key);
	str_printf(&logger.line, logger.json ? "\"%llu\"" : "%llu", (unsigned long long)id);
}

static bool is_word(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0';
}

/* The service's and the flow's names come from our own tables, so they are nearly always bare words. */
static void add_name(const char *key, const char *name)
{
	if (is_word(name))
		add_word(key, name);
	else
		add_text(key, name);
}

static void add_field(const struct log_field *field)
{
	switch (field->kind) {
	case LOG_FIELD_STR:
		if (field->value.str) {
			add_text(field->key, field->value.str);
		} else {
			add_key(field->key);
			str_adds(&logger.line, "null");
		}
		break;
	case LOG_FIELD_INT:
		add_key(field->key);
		str_addi64(&logger.line, field->value.i);
		break;
	case LOG_FIELD_UINT: add_id(field->key, field->value.u); break;
	case LOG_FIELD_ERROR: add_text(field->key, error_text((int)field->value.i)); break;
	}
}

static void build_line(usec time, enum log_level level, const char *message, const struct log_field *fields)
{
	struct civil c;
	char stamp[48];

	civil_from_seconds(time / SECOND, &c);
	snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour, c.minute,
		c.second, (int)(time % SECOND / MILLISECOND));

	str_clear(&logger.line);
	if (logger.json)
		str_addc(&logger.line, '{');
	add_word("time", stamp);
	add_word("level", level_names[level]);
	if (logger.service && *logger.service)
		add_name("service", logger.service);
	if (thread_context.flow)
		add_name("flow", thread_context.flow);
	if (thread_context.user)
		add_id("user", thread_context.user);
	if (thread_context.guild)
		add_id("guild", thread_context.guild);
	add_text("msg", message);
	for (; fields && fields->key; fields++)
		add_field(fields);
	if (logger.json)
		str_addc(&logger.line, '}');
}

/* An error ends it: a log that cannot be written must not stop the service. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t written = write(fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

static void write_file(usec time)
{
	int64_t day = time / DAY;
	int r;

	if (!logger.directory)
		return;
	if (logger.fd < 0 || day != logger.day) {
		if (time < logger.next_attempt && logger.fd < 0)
			return;
		r = open_file(day);
		if (r < 0) {
			/* Yesterday's file must not go on growing under its name; standard error still has everything.
			 */
			close_file();
			logger.next_attempt = time + REOPEN_INTERVAL;
			dprintf(STDERR_FILENO,
				"level=error service=%s msg=\"cannot open the log file of the day\" error=\"%s\"\n",
				logger.service, error_text(r));
			return;
		}
	}
	(void)write_all(logger.fd, logger.line.buf, logger.line.len);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields)
{
	int saved_errno = errno;
	usec time;

	if (inside)
		return;
	inside = true;
	pthread_mutex_lock(&lock);
	time = now();
	build_line(time, level, message, fields);
	if (logger.sink && level >= logger.sink_level)
		logger.sink(logger.sink_arg, level, logger.line.buf);
	str_addc(&logger.line, '\n');
	(void)write_all(STDERR_FILENO, logger.line.buf, logger.line.len);
	write_file(time);
	pthread_mutex_unlock(&lock);
	inside = false;
	errno = saved_errno;
}
