/* What an HTTP answer of Discord means: its rate limits, its error code and message, our errno, and whether the call
 * may be made again. Pure, and fed by strangers when Discord's edge answers in its place: nothing here trusts a
 * header.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/error.h"
#include "rest_internal.h"

#define CODE_EDGE         40333 /* Cloudflare refuses the client: opcodes-and-status-codes, "JSON Error Codes" */
#define CODE_ACKNOWLEDGED 40060 /* the interaction was answered before */
#define DETAIL_DEPTH      8

/* Seconds with decimals to microseconds; -1: none or nonsense. */
static usec seconds_to_usec(double seconds)
{
	if (!isfinite(seconds) || seconds < 0)
		return -1;
	if (seconds >= (double)RATELIMIT_WAIT_MAX / (double)SECOND)
		return RATELIMIT_WAIT_MAX;
	return llround(seconds * (double)SECOND);
}

static usec seconds_parse(const char *text)
{
	double seconds;
	char *end;

	if (!text || *text == '\0')
		return -1;
	seconds = strtod(text, &end);
	return *end == '\0' ? seconds_to_usec(seconds) : -1;
}

static int64_t count_parse(const char *text)
{
	uint64_t value;

	return text && parse_u64(text, &value) == 0 && value <= INT32_MAX ? (int64_t)value : -1;
}

static bool is_true(const char *text)
{
	return text && strcasecmp(text, "true") == 0;
}

static void limits_read(const struct http_answer *answer, const cJSON *json, int code, struct ratelimit_answer *limits)
{
	const char *scope = http_answer_header(answer, "x-ratelimit-scope");
	double body_wait = json_double(json, "retry_after", -1);

	limits->status = answer->status;
	limits->bucket = http_answer_header(answer, "x-ratelimit-bucket");
	limits->limit = count_parse(http_answer_header(answer, "x-ratelimit-limit"));
	limits->remaining = count_parse(http_answer_header(answer, "x-ratelimit-remaining"));
	limits->reset_after = seconds_parse(http_answer_header(answer, "x-ratelimit-reset-after"));
	limits->retry_after = -1;
	limits->edge = code == CODE_EDGE;
	if (answer->status != 429 && !limits->edge)
		return;
	limits->retry_after = seconds_to_usec(body_wait);
	if (limits->retry_after < 0)
		limits->retry_after = seconds_parse(http_answer_header(answer, "retry-after"));
	if (limits->retry_after < 0)
		limits->retry_after = limits->reset_after;
	limits->shared = scope && streq(scope, "shared");
	limits->global = (scope && streq(scope, "global")) ||
			 is_true(http_answer_header(answer, "x-ratelimit-global")) || json_bool(json, "global", false);
	/* what comes from Discord's API is JSON and has at least a time to wait */
	limits->edge |= !json || (!json_get(json, "retry_after") && !scope);
}

/* Discord nests the reasons of a refused form by field: {"embeds": {"0": {"title": {"_errors": [{"message":
 * ...}]}}}}. Writes the first as " (embeds.0.title: Must be ...)". */
static bool detail_find(const cJSON *node, struct str *path, int depth)
{
	const cJSON *errors = json_array(node, "_errors");
	const char *message = errors ? json_string(errors->child, "message") : NULL;
	size_t len = path->len;

	if (message) {
		str_printf(path, ": %s", message);
		return true;
	}
	if (depth == 0)
		return false;
	json_array_each (item, node) {
		str_printf(path, "%s%s", len > 0 ? "." : "", item->string ? item->string : "?");
		if (detail_find(item, path, depth - 1))
			return true;
		str_truncate(path, len);
	}
	return false;
}

static void error_read(const struct http_answer *answer, const cJSON *json, struct rest_error *error)
{
	struct str detail cleanup(str_finish) = STR_INIT;
	const char *message = json_string(json, "message");
	int64_t code = json_int(json, "code", 0);

	error->http_status = answer->status;
	error->code = code > 0 && code <= INT32_MAX ? (int)code : 0;
	if (!message)
		snprintf(error->message, sizeof(error->message), "HTTP status %d", answer->status);
	else if (detail_find(json_object(json, "errors"), &detail, DETAIL_DEPTH))
		snprintf(error->message, sizeof(error->message), "%.80s (%s)", message, detail.buf);
	else
		snprintf(error->message, sizeof(error->message), "%s", message);
}

static int result_of(int status, int code)
{
	static const struct {
		int status, result;
	} table[] = {
		{ 400, -EINVAL },
		{ 401, -EKEYREJECTED },
		{ 403, -EACCES },
		{ 404, -ENOENT },
		{ 429, -EBUSY },
	};

	if (status >= 200 && status < 300)
		return 0;
	if (code == CODE_ACKNOWLEDGED)
		return -EALREADY;
	if (code == CODE_EDGE)
		return -EBUSY; /* its 403 is no missing permission */
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].status == status)
			return table[i].result;
	if (status >= 500)
		return -EREMOTEIO;
	return status >= 400 ? -EINVAL : -EPROTO;
}

void rest_outcome_read(const struct http_answer *answer, struct rest_outcome *ret_outcome)
{
	memset(ret_outcome, 0, sizeof(*ret_outcome));
	if (answer->error < 0) {
		ret_outcome->limits =
			(struct ratelimit_answer){ .limit = -1, .remaining = -1, .reset_after = -1, .retry_after = -1 };
		/* -EKEYREJECTED is what a wrong token is called here; this is a certificate */
		ret_outcome->result = answer->error == -EKEYREJECTED ? -EPROTO : answer->error;
		snprintf(ret_outcome->error.message, sizeof(ret_outcome->error.message), "%s",
			answer->error == -EKEYREJECTED ? "the server's certificate is not accepted"
						       : error_text(answer->error));
		return;
	}
	if (answer->body_len > 0 && json_parse(answer->body, answer->body_len, &ret_outcome->json) < 0)
		ret_outcome->json = NULL;
	if (answer->status < 200 || answer->status >= 300)
		error_read(answer, ret_outcome->json, &ret_outcome->error);
	limits_read(answer, ret_outcome->json, ret_outcome->error.code, &ret_outcome->limits);
	ret_outcome->result = result_of(answer->status, ret_outcome->error.code);
}

bool rest_may_repeat(enum rest_repeat repeat, const struct http_answer *answer)
{
	switch (answer->error) {
	case 0: break;
	case -EKEYREJECTED:
	case -EMSGSIZE:
	case -ECANCELED: return false;
	default: return !answer->sent || repeat != REST_REPEAT_NEVER;
	}
	if (answer->status == 429)
		return true;
	/* 520 to 524: Discord's edge could not reach it */
	if (answer->status == 500 || (answer->status >= 502 && answer->status <= 504) ||
		(answer->status >= 520 && answer->status <= 524))
		return repeat != REST_REPEAT_NEVER;
	return false;
}
