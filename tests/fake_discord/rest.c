/* REST v10: finding the endpoint, who asks, faults, limits, body, journal, answer. The endpoints themselves are in rest_*.c; see rest.h. */
#include "rest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <utlist.h>

#include "base/utf8.h"
#include "journal.h"
#include "net/httpd.h"
#include "ratelimits.h"
#include "rest_faults.h"

#define API_PREFIX     "/api/v10"
#define REASON_MAX     512
#define PENDING_MAX    1024
#define ANSWER_HEADERS 16

struct headers {
	const char *names[ANSWER_HEADERS]; /* static text */
	char values[ANSWER_HEADERS][48];
	size_t count;
};

/* One call on its way through here. */
struct exchange {
	struct call call;
	struct fake_rest_fault fault;
	bool faulty; /* `fault` hits it */
	struct headers headers;
	const char *type; /* of the answer */
};

/* An answer that is held back by a fault. */
struct pending {
	struct pending *prev, *next;
	struct rest *rest;
	struct timer timer;
	struct httpd_request *request; /* NULL: the client has gone */
	int status;
	struct headers headers;
	struct str body;
};

struct rest {
	struct fake *fake;
	struct pending *pending;
	size_t pending_count;
	uint64_t calls;
};

static const struct route *const route_tables[] = {
	rest_message_routes,
	rest_reaction_routes,
	rest_channel_routes,
	rest_guild_routes,
	rest_member_routes,
	rest_role_routes,
	rest_user_routes,
	rest_command_routes,
	rest_interaction_routes,
};

static const char cloudflare_html[] =
	"<!DOCTYPE html><html><head><title>Access denied</title></head><body><h1>Error 1020</h1></body></html>\n";
static const char gateway_html[] = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n";

/* ---- finding the row ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *decode(const char *text, size_t len)
{
	char *out = xmalloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '%' && i + 2 < len && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
			out[n++] = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
			i += 2;
		} else {
			out[n++] = text[i];
		}
	}
	out[n] = 0;
	return out;
}

static void forget_parameters(struct call *call)
{
	for (size_t i = 0; i < call->parameters; i++)
		free(call->texts[i]);
	call->parameters = 0;
}

/* Whether the path is this template's; `ret_literals` counts the segments that are no parameters. */
static bool match(struct call *call, const char *template, size_t *ret_literals)
{
	const char *path = call->path;

	*ret_literals = 0;
	call->parameters = 0;
	while (*template || *path) {
		size_t t, p;

		if (*template != '/' || *path != '/')
			break;
		t = strcspn(++template, "/");
		p = strcspn(++path, "/");
		if (*template == '{') {
			if (p == 0 || call->parameters == CALL_PARAMETERS)
				break;
			call->texts[call->parameters] = decode(path, p);
			if (parse_u64(call->texts[call->parameters], &call->ids[call->parameters]) < 0)
				call->ids[call->parameters] = 0;
			call->parameters++;
		} else if (t != p || memcmp(template, path, t) != 0) {
			break;
		} else {
			++*ret_literals;
		}
		template += t;
		path += p;
	}
	if (!*template && !*path)
		return true;
	forget_parameters(call);
	return false;
}

/* The row with the most literal segments wins ("/users/@me" before "/users/{user_id}"). 0, 404 or 405. */
static int find_route(struct call *call, const char *method)
{
	const struct route *best = NULL;
	size_t best_literals = 0, literals;
	int status = 404;

	for (size_t i = 0; i < ARRAY_SIZE(route_tables); i++) {
		for (const struct route *route = route_tables[i]; route->method; route++) {
			if (!match(call, route->template, &literals))
				continue;
			forget_parameters(call);
			status = MAX(status, 405);
			if (streq(route->method, method) && (!best || literals > best_literals)) {
				best = route;
				best_literals = literals;
			}
		}
	}
	if (!best)
		return status;
	call->route = best;
	return match(call, best->template, &literals) ? 0 : 404;
}

/* ---- answers ---- */

bool call_fail(struct call *call, int status, int code, const char *message)
{
	str_clear(&call->out);
	call->w = (struct json_writer)JSON_WRITER(&call->out);
	call->status = status;
	call->code = code;
	json_begin_object(&call->w);
	json_put_string(&call->w, "message", message);
	json_put_int(&call->w, "code", code);
	json_end_object(&call->w);
	return false;
}

bool call_form(struct call *call)
{
	if (form_ok(&call->form))
		return true;
	str_clear(&call->out);
	form_write(&call->form, &call->out);
	call->status = 400;
	call->code = 50035;
	return false;
}

void call_done(struct call *call)
{
	str_clear(&call->out);
	call->status = 204;
}

static void respond(struct httpd_request *request, int status, const char *type, const struct headers *headers,
	const struct str *body)
{
	struct http_header list[ANSWER_HEADERS + 1] = { { 0 } };

	for (size_t i = 0; i < headers->count; i++)
		list[i] = (struct http_header){ .name = headers->names[i], .value = headers->values[i] };
	httpd_respond(request, status, type, list, body->buf, body->len);
}

static void pending_free(struct pending *pending)
{
	timer_finish(&pending->timer);
	if (pending->request)
		httpd_set_user(pending->request, NULL, NULL);
	DL_DELETE(pending->rest->pending, pending);
	pending->rest->pending_count--;
	str_finish(&pending->body);
	free(pending);
}

static void pending_gone(void *user)
{
	((struct pending *)user)->request = NULL;
}

static void pending_fire(void *arg)
{
	struct pending *pending = arg;

	if (pending->request) {
		struct httpd_request *request = pending->request;

		httpd_set_user(request, NULL, NULL);
		pending->request = NULL;
		respond(request, pending->status, "application/json", &pending->headers, &pending->body);
	}
	pending_free(pending);
}

static void respond_later(struct rest *rest, const struct exchange *exchange)
{
	struct httpd_request *request = exchange->call.request;
	struct pending *pending;

	if (rest->pending_count >= PENDING_MAX) {
		httpd_drop(request);
		return;
	}
	pending = xcalloc(1, sizeof(*pending));
	pending->rest = rest;
	pending->request = request;
	pending->status = exchange->call.status;
	pending->headers = exchange->headers;
	str_init(&pending->body);
	str_add(&pending->body, exchange->call.out.buf, exchange->call.out.len);
	timer_init(&pending->timer, rest->fake->loop, pending_fire, pending);
	timer_start(&pending->timer, exchange->fault.delay);
	DL_APPEND(rest->pending, pending);
	rest->pending_count++;
	httpd_set_user(request, pending, pending_gone);
}

size_t rest_pending(const struct rest *rest)
{
	return rest->pending_count;
}

uint64_t rest_calls(const struct rest *rest)
{
	return rest->calls;
}

/* ---- limits ---- */

static void add_header(struct headers *headers, const char *name, const char *format, ...) printf_like(3, 4);
static void add_header(struct headers *headers, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it was started above */
	vsnprintf(headers->values[headers->count], sizeof(headers->values[0]), format, args);
	va_end(args);
	headers->names[headers->count] = name;
	headers->count++;
}

static void add_limit_headers(struct headers *headers, const struct limit_answer *limit)
{
	if (!limit->bucket[0])
		return;
	add_header(headers, "X-RateLimit-Limit", "%d", limit->limit);
	add_header(headers, "X-RateLimit-Remaining", "%d", limit->remaining);
	add_header(headers, "X-RateLimit-Reset", "%.3f", limit->reset);
	add_header(headers, "X-RateLimit-Reset-After", "%.3f", limit->reset_after);
	add_header(headers, "X-RateLimit-Bucket", "%s", limit->bucket);
}

static void answer_limited(
	struct call *call, struct headers *headers, double retry_after, bool global, const char *scope)
{
	call->status = 429;
	add_header(headers, "Retry-After", "%d", (int)(retry_after + 1));
	add_header(headers, "X-RateLimit-Scope", "%s", scope);
	if (global)
		add_header(headers, "X-RateLimit-Global", "true");
	str_clear(&call->out);
	call->w = (struct json_writer)JSON_WRITER(&call->out);
	json_begin_object(&call->w);
	json_put_string(&call->w, "message", "You are being rate limited.");
	str_printf(&call->out, ",\"retry_after\":%.3f", retry_after);
	json_put_bool(&call->w, "global", global);
	json_end_object(&call->w);
}

/* ---- faults ---- */

/* Before the effect: true when the call was answered (or dropped: status stays 0). */
static bool fault_before(struct exchange *exchange)
{
	const struct fake_rest_fault *fault = &exchange->fault;
	struct headers *headers = &exchange->headers;
	struct call *call = &exchange->call;
	double seconds = (double)fault->delay / SECOND;

	switch (fault->kind) {
	case FAKE_REST_STATUS:
		call_fail(call, fault->status, 0, "500: Internal Server Error");
		if (fault->status >= 502) {
			exchange->type = "text/html";
			str_clear(&call->out);
			str_adds(&call->out, gateway_html);
		}
		return true;
	case FAKE_REST_LOST_REQUEST: return true;
	case FAKE_REST_LIMIT_USER: answer_limited(call, headers, seconds, false, "user"); return true;
	case FAKE_REST_LIMIT_GLOBAL: answer_limited(call, headers, seconds, true, "global"); return true;
	case FAKE_REST_LIMIT_SHARED: answer_limited(call, headers, seconds, false, "shared"); return true;
	case FAKE_REST_LIMIT_HTML:
		call->status = 429;
		exchange->type = "text/html";
		headers->count = 0; /* not even Via: this is not Discord that speaks */
		add_header(headers, "Retry-After", "%d", (int)(seconds + 0.999));
		str_clear(&call->out);
		str_adds(&call->out, cloudflare_html);
		return true;
	case FAKE_REST_GARBAGE:
		call->status = 200;
		str_clear(&call->out);
		str_adds(&call->out, "{\"id\": \xff\xfe oops");
		return true;
	default: return false;
	}
}

/* ---- the body ---- */

static void parse_reason(struct call *call)
{
	const char *raw = httpd_header(call->request, "X-Audit-Log-Reason");

	if (!raw)
		return;
	call->reason = decode(raw, strlen(raw));
	if (!utf8_valid(call->reason, strlen(call->reason)) ||
		utf8_count(call->reason, strlen(call->reason)) > REASON_MAX)
		form_error(&call->form, "reason", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and %d in length.",
			REASON_MAX);
}

/* The JSON of a body: the whole, or payload_json of a multipart one. -errno. */
static int read_json(struct call *call, const char *type)
{
	const struct multipart_part *part = NULL;
	size_t len;
	const char *text = httpd_body(call->request, &len);

	if (!len || call->body)
		return 0;
	if (type && strncasecmp(type, "multipart/form-data", 19) == 0) {
		if (multipart_parse(type, text, len, &call->files) < 0)
			return -EBADMSG;
		part = multipart_find(&call->files, "payload_json");
		text = part ? part->data : "{}";
		len = part ? part->len : 2;
	}
	return json_parse(text, len, &call->body);
}

/* false: answered. */
static bool parse_body(struct call *call)
{
	const char *type = httpd_header(call->request, "Content-Type");
	int flags = call->route->flags;
	size_t len;

	(void)httpd_body(call->request, &len);
	if (len && !(type && (strncasecmp(type, "application/json", 16) == 0 ||
				     strncasecmp(type, "multipart/form-data", 19) == 0))) {
		form_error(&call->form, "_schema", "CONTENT_TYPE_INVALID",
			"Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}.");
		return call_form(call);
	}
	if (read_json(call, type) < 0)
		return call_fail(call, 400, 50109, "The request body contains invalid JSON.");
	if ((flags & ROUTE_BODY && !cJSON_IsObject(call->body)) ||
		(flags & ROUTE_OPTIONAL_BODY && call->body && !cJSON_IsObject(call->body)) ||
		(flags & ROUTE_LIST_BODY && !cJSON_IsArray(call->body))) {
		form_error(&call->form, "_schema", flags & ROUTE_LIST_BODY ? "LIST_TYPE_CONVERT" : "DICT_TYPE_CONVERT",
			flags & ROUTE_LIST_BODY ? "Only iterables may be used in a ListType"
						: "Only dictionaries may be used in a DictType");
		return call_form(call);
	}
	return true;
}

/* ---- journal ---- */

/* The path without the tokens that stand in interactions' addresses. */
static char *public_path(const struct call *call)
{
	struct str out cleanup(str_finish) = STR_INIT;
	const char *path = call->path, *template = call->route ? call->route->template : "";

	while (*path) {
		size_t p, t = 0;

		str_addc(&out, '/');
		path++;
		p = strcspn(path, "/");
		if (*template) {
			template ++;
			t = strcspn(template, "/");
		}
		if (t > 7 && memcmp(template + t - 7, "_token}", 7) == 0)
			str_adds(&out, "interaction-token");
		else
			str_add(&out, path, p);
		path += p;
		template += t;
	}
	return str_detach(&out, NULL);
}

static void write_journal(struct call *call)
{
	struct fake *fake = call->fake;
	char *path cleanup(freep) = NULL;
	struct str body cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&body);

	if (fake->options.no_journal)
		return;
	path = public_path(call);
	/* A call that a fault hit was not read yet; what is no JSON cannot be shown. */
	if (read_json(call, httpd_header(call->request, "Content-Type")) < 0)
		call->body = NULL;
	if (call->body)
		json_write_tree(&w, call->body);
	journal_add(fake->journal, &(struct fake_call){ .at = fake_time(fake),
					   .method = httpd_method(call->request),
					   .template = call->route ? call->route->template : "",
					   .path = path,
					   .query = httpd_query(call->request),
					   .user_agent = httpd_header(call->request, "User-Agent"),
					   .content_type = httpd_header(call->request, "Content-Type"),
					   .reason = call->reason,
					   .body = call->body ? body.buf : NULL,
					   .status = call->status,
					   .code = call->code });
}

/* ---- one call ---- */

/* "DiscordBot (url, version)"; anything else never gets past Cloudflare (reference, "User Agent"). */
static bool agent_is_fine(const char *agent)
{
	const char *comma, *end;

	if (!agent || strncmp(agent, "DiscordBot (", 12) != 0)
		return false;
	comma = strstr(agent + 12, ", ");
	end = comma ? strchr(comma, ')') : NULL;
	return comma && comma > agent + 12 && end && end > comma + 2;
}

static bool token_is_fine(const struct call *call)
{
	const char *authorization = httpd_header(call->request, "Authorization");

	return authorization && strncmp(authorization, "Bot ", 4) == 0 && !call->fake->token_revoked &&
	       streq(authorization + 4, call->fake->token);
}

static struct limit_answer take_limit(struct call *call)
{
	const struct route *route = call->route;
	bool token = route->flags & ROUTE_NO_TOKEN;
	char *key = xasprintf("%s %s", route->method, route->template);
	struct limit_answer answer;
	/* The major parameter is the first one of channels, guilds, webhooks and applications; a webhook's token belongs to it. */
	const char *major = call->parameters ? call->texts[token && call->parameters > 1 ? 1 : 0] : "";

	answer = limits_take(call->fake->limits, key, major, route->limit, route->window * MILLISECOND, !token);
	free(key);
	return answer;
}

/* Everything up to the effect and the effect itself. */
static void perform(struct exchange *exchange)
{
	struct call *call = &exchange->call;
	const char *version = httpd_path(call->request);
	struct limit_answer limit;
	int status;

	if (!agent_is_fine(httpd_header(call->request, "User-Agent"))) {
		call->status = 403;
		exchange->type = "text/html";
		str_adds(&call->out, cloudflare_html);
		return;
	}
	add_header(&exchange->headers, "Via", "1.1 google");
	if (strncmp(version, API_PREFIX "/", sizeof(API_PREFIX)) != 0) {
		call_fail(call, 400, 50041, "Invalid API version");
		return;
	}
	status = find_route(call, httpd_method(call->request));
	if (status) {
		call_fail(call, status, 0, status == 404 ? "404: Not Found" : "405: Method Not Allowed");
		return;
	}
	exchange->faulty = rest_faults_take(
		call->fake->faults, call->route->method, call->path, call->route->template, &exchange->fault);
	if (exchange->faulty && fault_before(exchange))
		return;
	if (!(call->route->flags & ROUTE_NO_TOKEN) && !token_is_fine(call)) {
		call_fail(call, 401, 0, "401: Unauthorized");
		return;
	}
	limit = take_limit(call);
	add_limit_headers(&exchange->headers, &limit);
	if (!limit.allowed) {
		answer_limited(
			call, &exchange->headers, limit.retry_after, limit.global, limit.global ? "global" : "user");
		return;
	}
	parse_reason(call);
	if (!parse_body(call) || !call_form(call))
		return;
	call->route->run(call);
	if (!call->status)
		call->status = 200;
}

static void answer(struct rest *rest, const struct exchange *exchange)
{
	const struct call *call = &exchange->call;
	bool faulty = exchange->faulty;

	if (!call->status || (faulty && exchange->fault.kind == FAKE_REST_LOST_ANSWER))
		httpd_drop(call->request);
	else if (faulty && exchange->fault.kind == FAKE_REST_BAD_STATUS_BODY)
		httpd_respond(call->request, exchange->fault.status, "text/html", NULL, gateway_html,
			sizeof(gateway_html) - 1);
	else if (faulty && exchange->fault.kind == FAKE_REST_SLOW)
		respond_later(rest, exchange);
	else
		respond(call->request, call->status, exchange->type, &exchange->headers, &call->out);
}

void rest_handle(struct rest *rest, struct httpd_request *request)
{
	struct exchange exchange = { .call = { .fake = rest->fake, .request = request }, .type = "application/json" };
	struct call *call = &exchange.call;
	const char *path = httpd_path(request);

	rest->calls++;
	str_init(&call->out);
	call->w = (struct json_writer)JSON_WRITER(&call->out);
	path += strncmp(path, API_PREFIX, sizeof(API_PREFIX) - 1) == 0 ? sizeof(API_PREFIX) - 1 : strlen("/api");
	call->path = xstrdup(path);
	perform(&exchange);
	write_journal(call);
	answer(rest, &exchange);
	forget_parameters(call);
	form_finish(&call->form);
	cJSON_Delete(call->body);
	str_finish(&call->out);
	free(call->reason);
	free(call->path);
}

int rest_open(struct fake *fake, struct rest **ret_rest)
{
	struct rest *rest = xcalloc(1, sizeof(*rest));

	rest->fake = fake;
	*ret_rest = rest;
	return 0;
}

void rest_end(struct rest *rest)
{
	if (!rest)
		return;
	while (rest->pending)
		pending_free(rest->pending); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	free(rest);
}
