/* Making calls: waiting for the rate limiter, sending, repeating, and telling what came of it. The endpoints are in
 * rest_messages.c, rest_interactions.c, rest_guild.c and rest_application.c; rest_internal.h says how to add one.
 *
 * A call is a `struct job` on its flow's stack. The flow suspends twice per try: until the limiter lets it through,
 * and until the answer is there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/metrics.h"
#include "base/random.h"
#include "base/utf8.h"
#include "net/flow.h"
#include "rest_internal.h"

#define TRIES_MAX         5
#define RETRY_FIRST       (500 * MILLISECOND)
#define TIMEOUT           (15 * SECOND)
#define TIMEOUT_UPLOAD    (60 * SECOND)
#define PATIENCE          (60 * SECOND)
#define PATIENCE_UPLOAD   (150 * SECOND)
#define ANSWER_MAX        ((size_t)16 << 20)
#define REASON_MAX        512 /* characters: Discord's documentation, resources/audit-log */
#define ERRORS_KEPT       32
#define DEAD_INTERACTIONS 64

#define CODE_UNKNOWN_MESSAGE       10008
#define CODE_UNKNOWN_WEBHOOK       10015
#define CODE_UNKNOWN_INTERACTION   10062
#define CODE_INVALID_WEBHOOK_TOKEN 50027

static struct metric metric_calls = METRIC_COUNTER("walle_rest_calls_total", "Requests sent to Discord");
static struct metric metric_retries = METRIC_COUNTER("walle_rest_retries_total", "Requests that were sent again");
static struct metric metric_failures = METRIC_COUNTER("walle_rest_failures_total", "Calls that failed for good");
static struct metric metric_limited = METRIC_COUNTER("walle_rest_rate_limited_total", "Answers with status 429");
static struct metric metric_server =
	METRIC_COUNTER("walle_rest_server_errors_total", "Answers with status 500 and above");
static struct metric metric_network = METRIC_COUNTER("walle_rest_network_errors_total", "Requests without an answer");
static struct metric metric_queued = METRIC_GAUGE("walle_rest_queued", "Requests that wait for a rate limit");

/* The last failure of a flow. */
struct flow_error {
	const struct flow *flow;
	struct rest_error error;
};

struct job {
	struct ratelimit_request request; /* first: the limiter hands it back */
	struct rest *rest;
	struct flow *flow;
	struct http_call *http;
	bool granted, answered, suspended;
	struct http_answer answer; /* without body and headers, which do not outlive the callback */
	struct rest_outcome outcome;
	struct job *prev, *next;
};

struct rest {
	struct loop *loop;
	struct http *http;
	struct ratelimit *limiter;
	struct timer timer;
	struct random random;
	char *api_url, *authorization;
	void (*on_unauthorized)(void *arg);
	void *arg;
	bool unauthorized; /* Discord does not know our token: nothing is sent any more */
	bool closed;
	struct job *jobs;
	uint64_t nonce_prefix, nonces;
	struct flow_error errors[ERRORS_KEPT];
	size_t errors_next;
	snowflake dead[DEAD_INTERACTIONS]; /* interactions whose token Discord no longer knows */
	size_t dead_next;
};

static void pump(void *arg);

int rest_create(struct loop *loop, struct http *http, const struct rest_options *options, struct rest **ret_rest)
{
	struct metric *const metrics[] = { &metric_calls, &metric_retries, &metric_failures, &metric_limited,
		&metric_server, &metric_network, &metric_queued };
	struct rest *rest;

	if (!options->api_url || !options->token)
		return -EINVAL;
	rest = xcalloc(1, sizeof(*rest));
	rest->loop = loop;
	rest->http = http;
	rest->limiter = ratelimit_create(&(struct ratelimit_options){ .per_second = options->requests_per_second });
	rest->api_url = xstrdup(options->api_url);
	rest->authorization = xasprintf("Bot %s", options->token);
	rest->on_unauthorized = options->on_unauthorized;
	rest->arg = options->arg;
	random_init_system(&rest->random);
	rest->nonce_prefix = random_u64(&rest->random);
	timer_init(&rest->timer, loop, pump, rest);
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		metrics_register(metrics[i]);
	*ret_rest = rest;
	return 0;
}

static void rest_free(struct rest *rest)
{
	ratelimit_destroy(rest->limiter);
	free(rest->api_url);
	explicit_bzero(rest->authorization, strlen(rest->authorization));
	free(rest->authorization);
	free(rest);
}

static void wake(struct job *job)
{
	if (job->suspended)
		flow_wake(job->flow);
}

void rest_destroy(struct rest *rest)
{
	if (!rest)
		return;
	rest->closed = true;
	timer_finish(&rest->timer);
	for (struct job *job = rest->jobs; job; job = job->next) {
		if (job->http)
			http_cancel(job->http);
		wake(job);
	}
	/* flows that wait in calls use the rest until they ran once more */
	if (!rest->jobs)
		rest_free(rest);
}

/* ---- errors ---- */

const struct rest_error *rest_error(const struct rest *rest)
{
	static const struct rest_error none;

	for (size_t i = 0; i < ERRORS_KEPT; i++)
		if (rest->errors[i].flow == flow_current() && rest->errors[i].flow)
			return &rest->errors[i].error;
	return &none;
}

static void error_keep(struct rest *rest, const struct rest_error *error)
{
	struct flow_error *slot = NULL;

	for (size_t i = 0; i < ERRORS_KEPT && !slot; i++)
		if (rest->errors[i].flow == flow_current())
			slot = &rest->errors[i];
	if (!slot) {
		slot = &rest->errors[rest->errors_next];
		rest->errors_next = (rest->errors_next + 1) % ERRORS_KEPT;
	}
	slot->flow = flow_current();
	slot->error = *error;
}

int rest_refuse(struct rest *rest, int error, const char *message)
{
	struct rest_error refused = { 0 };

	snprintf(refused.message, sizeof(refused.message), "%s", message);
	error_keep(rest, &refused);
	return error;
}

void rest_nonce(struct rest *rest, struct str *out)
{
	/* 12 + 1 + at most 12 digits */
	str_printf(out, "%012llx-%llx", (unsigned long long)(rest->nonce_prefix & 0xFFFFFFFFFFFF),
		(unsigned long long)(++rest->nonces & 0xFFFFFFFFFFFF));
}

/* ---- calls ---- */

/* Everything but unreserved characters (RFC 3986): no text can leave its path segment or its header line. */
static void percent_encode(struct str *out, const char *text, size_t len)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\0' && strchr(unreserved, text[i]))
			str_addc(out, text[i]);
		else
			str_printf(out, "%%%02X", (unsigned char)text[i]);
	}
}

/* Limits count per channel or guild; the id is the route's first value. */
static uint64_t major_of(const char *path, const struct rest_value *values)
{
	return strncmp(path, "/channels/", 10) == 0 || strncmp(path, "/guilds/", 8) == 0 ? values[0].id : 0;
}

void rest_call_begin(struct rest_call *call, const char *route, const struct rest_value *values)
{
	const char *text = strchr(route, ' ') + 1;

	*call = (struct rest_call){
		.route = route,
		.path = STR_INIT,
		.body = STR_INIT,
		.major = major_of(text, values),
		.repeat = strncmp(route, "POST ", 5) == 0 ? REST_REPEAT_NEVER : REST_REPEAT_SAFE,
		.timeout = TIMEOUT,
		.patience = PATIENCE,
	};
	while (*text) {
		size_t plain = strcspn(text, "{");

		str_add(&call->path, text, plain);
		text += plain;
		if (*text == '\0')
			break;
		if (values->text)
			percent_encode(&call->path, values->text, strlen(values->text));
		else
			str_addu64(&call->path, values->id);
		values++;
		text += strcspn(text, "}") + 1;
	}
}

void rest_call_finish(struct rest_call *call)
{
	str_finish(&call->path);
	str_finish(&call->body);
}

/* ---- one try ---- */

static void pump(void *arg)
{
	struct rest *rest = arg;
	struct ratelimit_request *request;
	usec now = loop_now(rest->loop), at;

	if (rest->closed || rest->unauthorized)
		return;
	while ((request = ratelimit_next(rest->limiter, now))) {
		struct job *job = CONTAINER_OF(request, struct job, request);

		job->granted = true;
		wake(job);
	}
	metric_set(&metric_queued, (int64_t)ratelimit_queued(rest->limiter));
	at = ratelimit_wake_at(rest->limiter, now);
	if (at == INT64_MAX)
		timer_stop(&rest->timer);
	else
		timer_start(&rest->timer, at - now);
}

static int job_suspend(struct job *job, const char *route, usec deadline)
{
	int r;

	job->suspended = true;
	r = flow_suspend(route, deadline);
	job->suspended = false;
	return job->rest->closed ? -ECANCELED : r;
}

/* Waits in the limiter's queue. On success the request is in flight. */
static int admit(struct job *job, const char *route, usec deadline)
{
	struct rest *rest = job->rest;
	int r;

	if (rest->unauthorized)
		return rest_refuse(rest, -EKEYREJECTED, "Discord does not accept the token");
	job->granted = false;
	r = ratelimit_submit(rest->limiter, &job->request, loop_now(rest->loop));
	if (r < 0)
		return rest_refuse(rest, r, "too many requests wait, or too many were refused");
	if (ratelimit_earliest(rest->limiter, &job->request, loop_now(rest->loop)) > deadline)
		r = -EBUSY;
	else
		pump(rest);
	while (r == 0 && !job->granted) {
		r = job_suspend(job, route, deadline);
		if (r == 0 && rest->unauthorized)
			r = -EKEYREJECTED;
	}
	if (job->granted && r == 0)
		return 0;
	ratelimit_cancel(rest->limiter, &job->request, loop_now(rest->loop));
	pump(rest);
	if (r == -ECANCELED)
		return r;
	if (r == -EKEYREJECTED)
		return rest_refuse(rest, r, "Discord does not accept the token");
	return rest_refuse(rest, -EBUSY, "the rate limit leaves no time for this call");
}

/* Discord does not know our token: whatever waits ends, and nothing is sent any more. */
static void token_refused(struct rest *rest)
{
	if (rest->unauthorized)
		return;
	rest->unauthorized = true;
	for (struct job *job = rest->jobs; job; job = job->next)
		wake(job);
	if (rest->on_unauthorized)
		rest->on_unauthorized(rest->arg);
}

static void on_answer(void *arg, const struct http_answer *answer)
{
	struct job *job = arg;
	struct rest *rest = job->rest;

	job->http = NULL;
	job->answered = true;
	job->answer = *answer;
	job->answer.body = NULL;
	job->answer.headers = NULL;
	rest_outcome_read(answer, &job->outcome);
	ratelimit_answered(rest->limiter, &job->request, &job->outcome.limits, loop_now(rest->loop));
	job->outcome.limits.bucket = NULL; /* dies with the answer */
	if (answer->error < 0)
		metric_add(&metric_network, 1);
	else if (answer->status == 429)
		metric_add(&metric_limited, 1);
	else if (answer->status >= 500)
		metric_add(&metric_server, 1);
	if (job->outcome.result == -EKEYREJECTED && !job->request.interaction)
		token_refused(rest);
	pump(rest);
	wake(job);
}

static void reason_write(struct str *out, const char *reason)
{
	if (reason)
		percent_encode(out, reason, utf8_prefix(reason, strlen(reason), REASON_MAX));
}

/* "files[0]" ... behind the message's JSON; ends with an empty part. */
static struct http_part *parts_make(const struct rest_call *call, struct arena *arena)
{
	struct http_part *parts = arena_array(arena, struct http_part, call->file_count + 2);

	parts[0] = (struct http_part){
		.name = "payload_json",
		.content_type = "application/json",
		.data = call->body.buf,
		.len = call->body.len,
	};
	for (size_t i = 0; i < call->file_count; i++) {
		parts[i + 1] = (struct http_part){
			.name = arena_printf(arena, "files[%zu]", i),
			.file_name = call->files[i].name,
			.content_type =
				call->files[i].content_type ? call->files[i].content_type : "application/octet-stream",
			.data = call->files[i].data,
			.len = call->files[i].len,
		};
	}
	return parts;
}

static int send_request(struct job *job, const struct rest_call *call)
{
	struct rest *rest = job->rest;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct str url cleanup(str_finish) = STR_INIT;
	struct str reason cleanup(str_finish) = STR_INIT;
	struct http_header headers[3] = { { 0 } };
	struct http_request request = {
		.method = arena_strndup(&arena, call->route, strcspn(call->route, " ")),
		.headers = headers,
		.timeout = call->timeout,
		.limit = ANSWER_MAX,
	};
	size_t n = 0;

	str_printf(&url, "%s%s", rest->api_url, call->path.buf);
	request.url = url.buf;
	if (!call->interaction)
		headers[n++] = (struct http_header){ "authorization", rest->authorization };
	reason_write(&reason, call->reason);
	if (reason.len > 0)
		headers[n++] = (struct http_header){ "x-audit-log-reason", reason.buf };
	if (call->file_count > 0) {
		request.parts = parts_make(call, &arena);
	} else if (call->body.len > 0) {
		request.body = call->body.buf;
		request.body_len = call->body.len;
		request.content_type = "application/json";
	}
	return http_send(rest->http, &request, on_answer, job, &job->http);
}

/* Sends and waits for the answer, which is in job->outcome afterwards. */
static int transmit(struct job *job, const struct rest_call *call)
{
	struct rest *rest = job->rest;
	usec deadline = loop_now(rest->loop) + call->timeout + SECOND;
	int r;

	job->answered = false;
	metric_add(&metric_calls, 1);
	r = send_request(job, call);
	if (r < 0) {
		ratelimit_cancel(rest->limiter, &job->request, loop_now(rest->loop));
		pump(rest);
		return rest_refuse(rest, r, "the request could not be sent");
	}
	while (!job->answered) {
		r = job_suspend(job, call->route, deadline);
		if (r < 0 && !job->answered)
			http_cancel(job->http); /* answers -ECANCELED before it returns */
	}
	/* an answer that came before the cancellation counts: what was done is done */
	if (job->answer.error != -ECANCELED)
		return 0;
	if (r == -ECANCELED)
		return r;
	job->answer.error = job->outcome.result = -ETIMEDOUT;
	return 0;
}

/* ---- the whole call ---- */

static bool interaction_dead(const struct rest *rest, const struct interaction *interaction)
{
	for (size_t i = 0; i < DEAD_INTERACTIONS; i++)
		if (rest->dead[i] == interaction->id)
			return true;
	return false;
}

/* The result of a failure. An interaction whose token is over is remembered: asking again would count as abuse. */
static int failure_result(struct rest *rest, const struct rest_call *call, const struct rest_outcome *outcome)
{
	int code = outcome->error.code;

	if (!call->interaction)
		return outcome->result;
	if (code == CODE_UNKNOWN_WEBHOOK || code == CODE_UNKNOWN_INTERACTION || code == CODE_INVALID_WEBHOOK_TOKEN) {
		rest->dead[rest->dead_next] = call->interaction->id;
		rest->dead_next = (rest->dead_next + 1) % DEAD_INTERACTIONS;
		return -ENOENT;
	}
	return outcome->result == -EKEYREJECTED ? -ENOENT : outcome->result; /* its token, not ours */
}

/* An earlier try may have done what this one was refused: then it is done. */
static bool done_before(const struct rest_call *call, const struct rest_outcome *outcome)
{
	if (call->repeat == REST_REPEAT_NONCE)
		return outcome->error.code == CODE_UNKNOWN_MESSAGE; /* and the message was deleted since */
	return outcome->result == -ENOENT && strncmp(call->route, "DELETE ", 7) == 0;
}

/* Exponential, spread over the upper half. */
static usec retry_pause(struct rest *rest, int try)
{
	usec half = RETRY_FIRST << (try - 1) >> 1;

	return half + (usec)(random_unit(&rest->random) * (double)half);
}

static int pause_between(struct job *job, const char *route, usec until)
{
	int r;

	do
		r = job_suspend(job, route, until);
	while (r == 0);
	return r == -ETIMEDOUT ? 0 : r;
}

/* Tries until there is a result. The JSON of a success stays in job->outcome. */
static int attempt(struct job *job, const struct rest_call *call)
{
	struct rest *rest = job->rest;
	usec deadline = loop_now(rest->loop) + call->patience;
	bool may_have_arrived = false;
	usec pause;
	int r;

	for (int try = 1;; try++) {
		r = admit(job, call->route, deadline);
		if (r < 0)
			return r;
		r = transmit(job, call);
		if (r < 0)
			return r;
		if (job->outcome.result == 0)
			return 0;
		r = failure_result(rest, call, &job->outcome);
		cJSON_Delete(job->outcome.json);
		job->outcome.json = NULL;
		if (may_have_arrived && done_before(call, &job->outcome))
			return 0;
		error_keep(rest, &job->outcome.error);
		if (try == TRIES_MAX || rest->closed || !rest_may_repeat(call->repeat, &job->answer))
			return r;
		if (job->answer.status != 429) {
			may_have_arrived = may_have_arrived || job->answer.error == 0 || job->answer.sent;
			pause = loop_now(rest->loop) + retry_pause(rest, try);
			if (pause >= deadline)
				return r;
			r = pause_between(job, call->route, pause);
			if (r < 0)
				return r;
		}
		metric_add(&metric_retries, 1);
	}
}

int rest_perform(struct rest *rest, struct rest_call *call, cJSON **ret_json)
{
	struct job job = {
		.rest = rest,
		.flow = flow_current(),
		.request = { .route = call->route, .major = call->major, .interaction = call->interaction != NULL },
	};
	int r;

	if (!job.flow)
		return -EINVAL;
	if (flow_cancelled())
		return -ECANCELED;
	if (call->interaction && interaction_dead(rest, call->interaction))
		return rest_refuse(rest, -ENOENT, "the interaction is over");
	if (call->file_count > 0 && call->timeout == TIMEOUT) { /* callbacks have their own, shorter one */
		call->timeout = TIMEOUT_UPLOAD;
		call->patience = MAX(call->patience, PATIENCE_UPLOAD);
	}
	DL_APPEND(rest->jobs, &job);
	r = attempt(&job, call);
	DL_DELETE(rest->jobs, &job);
	if (r < 0 && r != -ECANCELED)
		metric_add(&metric_failures, 1);
	if (r == 0 && ret_json)
		*ret_json = job.outcome.json;
	else
		cJSON_Delete(job.outcome.json);
	if (rest->closed && !rest->jobs)
		rest_free(rest);
	return r;
}

int rest_finish(struct rest *rest, struct rest_call *call, cJSON **ret_json)
{
	int r = rest_perform(rest, call, ret_json);

	rest_call_finish(call);
	return r;
}
