/* One line per event on standard error (and in a daily file when [log] DIR is set): logfmt or JSON.
 *
 *	log_info("member joined", LOG_ID("user", user_id), LOG_STR("nick", nick));
 *	time=2026-11-22T13:52:57.120Z level=info service=bot flow=rank user=42 msg="member joined" nick="..."
 *
 * The logger itself adds who speaks: the service, and what log_context_*() says about the flow, user and guild at work.
 * Libraries do not log, they return errors; programs log an error once and say what happens next. Never hand a token,
 * an interaction URL or the text of a member's message to a log line. As a second line of defence the logger replaces
 * every occurrence of the secrets that log_add_secret() was told.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/util.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
	const char *key; /* NULL ends the list */
	enum log_field_kind { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_UINT, LOG_FIELD_ERROR } kind;
	union {
		const char *str; /* may be NULL */
		int64_t i;
		uint64_t u;
	} value;
};

#define LOG_STR(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_STR, .value.str = (v) })
#define LOG_INT(k, v) ((struct log_field){ .key = (k), .kind = LOG_FIELD_INT, .value.i = (v) })
#define LOG_ID(k, v)  ((struct log_field){ .key = (k), .kind = LOG_FIELD_UINT, .value.u = (v) })
/* error="No such file or directory" from a negative errno */
#define LOG_ERRNO(e) ((struct log_field){ .key = "error", .kind = LOG_FIELD_ERROR, .value.i = (e) })

#define log_debug(message, ...) LOG_AT(LOG_LEVEL_DEBUG, message, ##__VA_ARGS__)
#define log_info(message, ...)  LOG_AT(LOG_LEVEL_INFO, message, ##__VA_ARGS__)
#define log_warn(message, ...)  LOG_AT(LOG_LEVEL_WARN, message, ##__VA_ARGS__)
#define log_error(message, ...) LOG_AT(LOG_LEVEL_ERROR, message, ##__VA_ARGS__)

/* The fields stand between two empty entries: the first makes an empty list legal C, the last ends it. */
#define LOG_AT(level, message, ...)                                                                               \
	do {                                                                                                      \
		if (log_enabled(level))                                                                           \
			log_write(level, message, (const struct log_field[]){ { 0 }, ##__VA_ARGS__, { 0 } } + 1); \
	} while (0)

/* Microseconds since 1970. */
typedef usec log_clock_fn(void);

struct log_options {
	const char *service;
	enum log_level level;
	bool json;
	const char *directory; /* NULL or empty: standard error only */
	log_clock_fn *clock;   /* NULL: clock_realtime(); a test hands in its own */
};

/* Copies what it needs. The directory is created when it is missing (its parent must exist). -errno when it cannot be
 * written to; the logger then writes to standard error only. May be called again. */
int log_init(const struct log_options *options) warn_unused;
void log_finish(void);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* `fields` ends with an entry whose key is NULL. Thread-safe. */
void log_write(enum log_level level, const char *message, const struct log_field *fields);

/* From now on these bytes are written as "[secret]". Empty or very short values (under 6 bytes) are ignored. */
void log_add_secret(const char *secret);

/* What the lines of this thread are about, until changed. A flow switch swaps the whole struct. Strings are
 * borrowed. */
struct log_context {
	const char *flow;
	uint64_t user, guild;
};
struct log_context log_context_swap(struct log_context context);

/* Receives a copy of every line at or above `level` (for the log channel). Called under the logger's lock; must not
 * log. */
typedef void log_sink_fn(void *arg, enum log_level level, const char *line);
void log_set_sink(enum log_level level, log_sink_fn *sink, void *arg);

#endif
