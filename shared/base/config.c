/* The configuration loader: fallbacks, then the INI file, then the environment, each through the same set_value().
 *
 * A new type of value is one value of enum config_type and one case in set_value(). */
#include "base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"

#define FILE_MAX   ((size_t)1 << 20)
#define SECRET_MAX ((size_t)64 << 10)
/* A longer name in a message is a mistake in the file, perhaps a secret in the wrong place. */
#define NAME_SHOWN_MAX 64

/* The environment's separator between section and key. */
static const char separator[] = "__";
static const char file_suffix[] = "_FILE";

struct loader {
	const struct config_key *keys;
	size_t count;
	char *settings;
	struct str *reterr_message;
};

static void *field(const struct loader *loader, const struct config_key *key)
{
	return loader->settings + key->offset;
}

static bool is_text(enum config_type type)
{
	return type == CONFIG_STRING || type == CONFIG_SECRET;
}

static void free_text(const struct config_key *key, char **text)
{
	if (*text && key->type == CONFIG_SECRET)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* -1 when it is none of them. */
static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (strcasecmp(words[i], text) == 0)
			return i;
	return -1;
}

static int set_bool(bool *ret_value, const char *text)
{
	static const char *const words[] = { "0", "1", "false", "true", "no", "yes", "off", "on", NULL };
	int position = *text ? find_word(words, text) : 0;

	if (position < 0)
		return -EINVAL;
	*ret_value = position % 2;
	return 0;
}

/* What the value ought to be, for the message; the value itself is never shown. */
static void describe(struct str *out, const struct config_key *key)
{
	switch (key->type) {
	case CONFIG_INT:
		str_printf(out, "must be a whole number from %lld to %lld", (long long)key->min, (long long)key->max);
		break;
	case CONFIG_BOOL: str_adds(out, "must be 1 or 0"); break;
	case CONFIG_SNOWFLAKE: str_adds(out, "must be a Discord id (digits), or empty"); break;
	case CONFIG_CHOICE:
		str_adds(out, "must be one of: ");
		for (int i = 0; key->choices[i]; i++)
			str_printf(out, "%s%s", i ? ", " : "", key->choices[i]);
		break;
	case CONFIG_STRING:
	case CONFIG_SECRET: str_adds(out, "must be UTF-8 text without control characters"); break;
	}
}

static bool is_clean_text(const char *text)
{
	if (!utf8_valid(text, strlen(text)))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* 0 or -EINVAL. An empty number or choice means the fallback: compose files pass on variables that nobody set. */
static int set_value(const struct loader *loader, const struct config_key *key, const char *text)
{
	uint64_t id = 0;
	int64_t number;
	int position;

	if (!*text && (key->type == CONFIG_INT || key->type == CONFIG_CHOICE))
		text = key->fallback ? key->fallback : "";
	switch (key->type) {
	case CONFIG_STRING:
	case CONFIG_SECRET:
		if (!is_clean_text(text))
			return -EINVAL;
		free_text(key, field(loader, key));
		*(char **)field(loader, key) = xstrdup(text);
		return 0;
	case CONFIG_INT:
		if (parse_i64(text, &number) < 0 || number < key->min || number > key->max)
			return -EINVAL;
		*(int64_t *)field(loader, key) = number;
		return 0;
	case CONFIG_BOOL: return set_bool(field(loader, key), text);
	case CONFIG_SNOWFLAKE:
		if (*text && (parse_u64(text, &id) < 0 || id > INT64_MAX))
			return -EINVAL;
		*(uint64_t *)field(loader, key) = id;
		return 0;
	case CONFIG_CHOICE:
		position = find_word(key->choices, text);
		if (position < 0)
			return -EINVAL;
		*(int *)field(loader, key) = position;
		return 0;
	}
	return -EINVAL;
}

static const struct config_key *find_key(const struct loader *loader, const char *section, const char *name)
{
	for (size_t i = 0; i < loader->count; i++)
		if (streq(loader->keys[i].section, section) && streq(loader->keys[i].key, name))
			return &loader->keys[i];
	return NULL;
}

/* The table's own string for a section's name of `len` bytes, or NULL. */
static const char *find_section(const struct loader *loader, const char *name, size_t len)
{
	for (size_t i = 0; i < loader->count; i++)
		if (strlen(loader->keys[i].section) == len && memcmp(loader->keys[i].section, name, len) == 0)
			return loader->keys[i].section;
	return NULL;
}

/* A name as far as it may be shown: what does not look like one may be a misplaced value. */
static void add_name(struct str *out, const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

	if (name[len] || len == 0 || len > NAME_SHOWN_MAX)
		str_adds(out, "(not shown)");
	else
		str_printf(out, "'%s'", name);
}

int config_defaults(const struct config_key *keys, size_t count, void *settings, struct str *reterr_message)
{
	struct loader loader = { keys, count, settings, reterr_message };

	for (size_t i = 0; i < count; i++)
		if (set_value(&loader, &keys[i], keys[i].fallback ? keys[i].fallback : "") < 0) {
			str_printf(reterr_message, "built-in default of [%s] %s: ", keys[i].section, keys[i].key);
			describe(reterr_message, &keys[i]);
			return -EINVAL;
		}
	return 0;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* One line of the file. `section` is the table's string of the section that the line stands in, NULL before the
 * first. */
static int parse_line(const struct loader *loader, char *line, const char **section, bool *seen, struct str *message)
{
	const struct config_key *key;
	char *equals, *name;

	line = trim(line);
	if (!*line || *line == ';' || *line == '#')
		return 0;
	if (*line == '[') {
		size_t len = strlen(line);

		if (line[len - 1] != ']') {
			str_adds(message, "a section's name ends with ']' and nothing follows it");
			return -EINVAL;
		}
		line[len - 1] = '\0';
		name = trim(line + 1);
		*section = find_section(loader, name, strlen(name));
		if (!*section) {
			str_adds(message, "unknown section ");
			add_name(message, name);
			return -EINVAL;
		}
		return 0;
	}
	equals = strchr(line, '=');
	if (!equals) {
		str_adds(message, "expected 'KEY = value', '[section]', or a comment that begins with ';' or '#'");
		return -EINVAL;
	}
	*equals = '\0';
	name = trim(line);
	if (!*section) {
		str_adds(message, "a key stands before the first [section]");
		return -EINVAL;
	}
	key = find_key(loader, *section, name);
	if (!key) {
		str_adds(message, "unknown key ");
		add_name(message, name);
		str_printf(message, " in section [%s]", *section);
		return -EINVAL;
	}
	if (seen[key - loader->keys]) {
		str_printf(message, "key '%s' of section [%s] is given a second time", key->key, key->section);
		return -EINVAL;
	}
	seen[key - loader->keys] = true;
	if (set_value(loader, key, trim(equals + 1)) < 0) {
		str_printf(message, "[%s] %s ", key->section, key->key);
		describe(message, key);
		return -EINVAL;
	}
	return 0;
}

int config_parse(const struct config_key *keys, size_t count, void *settings, const char *name, const char *text,
	size_t len, struct str *reterr_message)
{
	struct loader loader = { keys, count, settings, reterr_message };
	bool *seen cleanup(freep) = xcalloc(count, sizeof(*seen));
	const char *section = NULL, *end = text + len;
	struct str line = STR_INIT;
	size_t number = 0;
	int r = 0;

	/* Editors of another system put a byte order mark first. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3;
	while (text < end && r == 0) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);
		struct str message cleanup(str_finish) = STR_INIT;

		number++;
		str_clear(&line);
		str_add(&line, text, line_len);
		text += line_len + (newline ? 1 : 0);
		if (memchr(line.buf, '\0', line_len) || !utf8_valid(line.buf, line_len)) {
			str_adds(&message, "not valid UTF-8 text");
			r = -EINVAL;
		} else {
			r = parse_line(&loader, line.buf, &section, seen, &message);
		}
		if (r < 0)
			str_printf(reterr_message, "%s:%zu: %s", name, number, message.buf);
	}
	/* The line may have held a secret. */
	if (line.cap)
		explicit_bzero(line.buf, line.cap);
	str_finish(&line);
	return r;
}

/* A file of at most `max` bytes. Never waits, whatever the path names. 0, -errno, or -EFBIG. */
static int read_file(const char *path, size_t max, struct str *content)
{
	int fd cleanup(closep) = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t len;

	if (fd < 0)
		return -errno;
	for (;;) {
		str_reserve(content, 4096);
		len = read(fd, content->buf + content->len, 4096);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			return 0;
		content->len += (size_t)len;
		content->buf[content->len] = '\0';
		if (content->len > max)
			return -EFBIG;
	}
}

static void finish_secret_text(struct str *text)
{
	if (text->cap)
		explicit_bzero(text->buf, text->cap);
	str_finish(text);
}

static int set_from_file(
	const struct loader *loader, const struct config_key *key, const char *variable, const char *path)
{
	struct str content cleanup(finish_secret_text) = STR_INIT;
	int r;

	/* Small enough never to be moved while it grows, which would leave a copy behind. */
	str_reserve(&content, SECRET_MAX + 4096 + 1);
	r = read_file(path, SECRET_MAX, &content);
	if (r < 0) {
		str_printf(loader->reterr_message, "environment variable %s: cannot read the file '%s': %s", variable,
			path, error_text(r));
		return r;
	}
	if (content.len > 0 && content.buf[content.len - 1] == '\n')
		str_truncate(&content, content.len - 1);
	if (content.len > 0 && content.buf[content.len - 1] == '\r')
		str_truncate(&content, content.len - 1);
	if (memchr(content.buf, '\0', content.len) || set_value(loader, key, content.buf) < 0) {
		str_printf(loader->reterr_message, "environment variable %s: the content of the file '%s' ", variable,
			path);
		describe(loader->reterr_message, key);
		return -EINVAL;
	}
	return 0;
}

/* Cuts "section__KEY" at the separator. Only known sections are ours; NULL for all other variables. */
static const char *split_variable(const struct loader *loader, const char *variable, const char **ret_name)
{
	for (const char *at = strstr(variable, separator); at; at = strstr(at + 1, separator)) {
		const char *section = find_section(loader, variable, (size_t)(at - variable));

		if (section) {
			*ret_name = at + strlen(separator);
			return section;
		}
	}
	return NULL;
}

static int apply_variable(const struct loader *loader, const char *variable, const char *value, bool *seen)
{
	const struct config_key *key;
	const char *section, *name;
	bool from_file = false;

	section = split_variable(loader, variable, &name);
	if (!section)
		return 0;
	key = find_key(loader, section, name);
	if (!key && strlen(name) > strlen(file_suffix) &&
		streq(name + strlen(name) - strlen(file_suffix), file_suffix)) {
		char *base cleanup(freep) = xstrndup(name, strlen(name) - strlen(file_suffix));

		key = find_key(loader, section, base);
		from_file = key && key->type == CONFIG_SECRET;
		key = from_file ? key : NULL;
	}
	if (!key) {
		str_adds(loader->reterr_message, "environment variable ");
		add_name(loader->reterr_message, variable);
		str_printf(loader->reterr_message, ": unknown key in section [%s]", section);
		return -EINVAL;
	}
	if (seen[key - loader->keys]) {
		str_printf(loader->reterr_message, "environment variable %s: the value is given twice%s", variable,
			key->type == CONFIG_SECRET ? " (set it or its _FILE variable, not both)" : "");
		return -EINVAL;
	}
	seen[key - loader->keys] = true;
	if (from_file)
		return set_from_file(loader, key, variable, value);
	if (set_value(loader, key, value) < 0) {
		str_printf(loader->reterr_message, "environment variable %s ", variable);
		describe(loader->reterr_message, key);
		return -EINVAL;
	}
	return 0;
}

int config_environment(
	const struct config_key *keys, size_t count, void *settings, char **environment, struct str *reterr_message)
{
	struct loader loader = { keys, count, settings, reterr_message };
	bool *seen cleanup(freep) = xcalloc(count, sizeof(*seen));
	int r = 0;

	for (char **entry = environment; entry && *entry && r == 0; entry++) {
		const char *equals = strchr(*entry, '=');
		char *variable cleanup(freep) = NULL;

		if (!equals)
			continue;
		variable = xstrndup(*entry, (size_t)(equals - *entry));
		r = apply_variable(&loader, variable, equals + 1, seen);
	}
	return r;
}

/* unsetenv() only takes the pointer away: /proc/PID/environ shows the bytes where the kernel put them. */
static void remove_variable(const char *name)
{
	char *value = getenv(name);

	if (!value)
		return;
	explicit_bzero(value, strlen(value));
	unsetenv(name);
}

static void hide_secrets(const struct loader *loader, bool real_environment)
{
	for (size_t i = 0; i < loader->count; i++) {
		const struct config_key *key = &loader->keys[i];
		char *variable cleanup(freep) = NULL, *file_variable cleanup(freep) = NULL;

		if (key->type != CONFIG_SECRET)
			continue;
		log_add_secret(*(char **)field(loader, key));
		if (!real_environment)
			continue;
		variable = xasprintf("%s%s%s", key->section, separator, key->key);
		file_variable = xasprintf("%s%s", variable, file_suffix);
		remove_variable(variable);
		remove_variable(file_variable);
	}
}

int config_load(const struct config_key *keys, size_t count, void *settings, const char *file, char **environment,
	struct str *reterr_message)
{
	struct loader loader = { keys, count, settings, reterr_message };
	struct str content cleanup(finish_secret_text) = STR_INIT;
	int r;

	r = config_defaults(keys, count, settings, reterr_message);
	if (r == 0 && file) {
		r = read_file(file, FILE_MAX, &content);
		if (r == -EFBIG) {
			str_printf(reterr_message, "%s: larger than %zu bytes, this is no configuration file", file,
				FILE_MAX);
			r = -EINVAL;
		} else if (r < 0) {
			str_printf(reterr_message, "%s: cannot read the configuration: %s", file, error_text(r));
		} else {
			r = config_parse(keys, count, settings, file, content.buf, content.len, reterr_message);
		}
	}
	if (r == 0)
		r = config_environment(keys, count, settings, environment, reterr_message);
	/* Also after an error: what was read so far is secret all the same. */
	hide_secrets(&loader, environment == environ);
	return r;
}

void config_finish(const struct config_key *keys, size_t count, void *settings)
{
	for (size_t i = 0; i < count; i++)
		if (is_text(keys[i].type))
			free_text(&keys[i], (char **)((char *)settings + keys[i].offset));
}
