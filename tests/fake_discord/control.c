/* The control interface's door: finds what a request is for, reads its fields, writes its answer. See control.h and CONTROL.md. */
#include "control.h"

#include <stdlib.h>

#include "control_private.h"
#include "net/httpd.h"

#define CONTROL "/_control/"

struct control {
	struct fake *fake;
	struct waits *waits;
};

struct control *control_create(struct fake *fake)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->fake = fake;
	control->waits = control_waits_create(fake);
	return control;
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	control_waits_destroy(control->waits);
	free(control);
}

struct waits *control_waits(struct control *control)
{
	return control->waits;
}

/* ---- fields ---- */

int ask_refuse(struct ask *ask, int status, const char *format, ...)
{
	va_list args;

	if (ask->problem.len)
		return 0; /* the first problem is told */
	ask->status = status;
	va_start(args, format);
	str_vprintf(&ask->problem, format, args);
	va_end(args);
	return 0;
}

bool ask_has(struct ask *ask, const char *key)
{
	return ask->body ? json_get(ask->body, key) != NULL : httpd_argument(ask->request, key) != NULL;
}

const char *ask_text(struct ask *ask, const char *key)
{
	cJSON *item;

	if (!ask->body)
		return httpd_argument(ask->request, key);
	item = cJSON_GetObjectItemCaseSensitive(ask->body, key);
	if (!item || cJSON_IsNull(item))
		return NULL;
	if (cJSON_IsNumber(item) ||
		cJSON_IsBool(item)) { /* as good as text: it becomes some, in the request's own tree */
		char *text = cJSON_PrintUnformatted(item);
		cJSON *string = cJSON_CreateString(text);

		free(text);
		cJSON_ReplaceItemInObjectCaseSensitive(ask->body, key, string);
		return string->valuestring;
	}
	if (cJSON_IsString(item))
		return item->valuestring;
	ask_refuse(ask, 400, "%s must be text", key);
	return NULL;
}

const char *ask_needed(struct ask *ask, const char *key)
{
	const char *text = ask_text(ask, key);

	if (!text)
		ask_refuse(ask, 400, "%s is missing", key);
	return text ? text : "";
}

int64_t ask_int(struct ask *ask, const char *key, int64_t min, int64_t max, int64_t fallback)
{
	const char *text = ask_text(ask, key);
	int64_t value;

	if (!text)
		return fallback;
	if (parse_i64(text, &value) == 0 && value >= min && value <= max)
		return value;
	ask_refuse(ask, 400, "%s must be a number from %lld to %lld", key, (long long)min, (long long)max);
	return fallback;
}

bool ask_bool(struct ask *ask, const char *key, bool fallback)
{
	const char *text = ask_text(ask, key);

	if (!text)
		return fallback;
	if (!streq(text, "true") && !streq(text, "false"))
		ask_refuse(ask, 400, "%s must be true or false", key);
	return streq(text, "true");
}

uint64_t ask_id(struct ask *ask, const char *key)
{
	const char *text = ask_needed(ask, key);
	uint64_t id = 0;

	if (ask_fine(ask) && (parse_u64(text, &id) < 0 || !id))
		return (uint64_t)ask_refuse(ask, 400, "%s must be an id", key);
	return id;
}

uint64_t ask_user(struct ask *ask, const char *key)
{
	const char *text = ask_needed(ask, key);
	const struct user *user;
	uint64_t id;

	if (!ask_fine(ask))
		return 0;
	user = parse_u64(text, &id) == 0 ? state_user(&ask->fake->state, id)
					 : state_user_by_name(&ask->fake->state, text);
	return user ? user->id : (uint64_t)ask_refuse(ask, 400, "there is no person '%s'", text);
}

uint64_t ask_channel_at(struct ask *ask, const char *key, uint64_t user)
{
	const char *text = ask_needed(ask, key);
	const struct channel *channel;
	uint64_t id;

	if (!ask_fine(ask))
		return 0;
	if (streq(text, "dm") && user)
		return fake_dm(ask->fake, user);
	channel = parse_u64(text, &id) == 0 ? state_channel(&ask->fake->state, id)
					    : state_channel_by_name(&ask->fake->state, text);
	return channel ? channel->id : (uint64_t)ask_refuse(ask, 400, "there is no channel '%s'", text);
}

uint64_t ask_channel(struct ask *ask, uint64_t user)
{
	return ask_channel_at(ask, "channel", user);
}

uint64_t ask_role(struct ask *ask)
{
	const char *text = ask_needed(ask, "role");
	const struct role *role;
	uint64_t id;

	if (!ask_fine(ask))
		return 0;
	role = parse_u64(text, &id) == 0 ? state_role(&ask->fake->state, id)
					 : state_role_by_name(&ask->fake->state, text);
	return role ? role->id : (uint64_t)ask_refuse(ask, 400, "there is no role '%s'", text);
}

void ask_result(struct ask *ask, int result)
{
	if (result < 0)
		ask_refuse(
			ask, 400, "%s", fake_refusal(ask->fake)[0] ? fake_refusal(ask->fake) : "this is not possible");
}

void ask_made(struct ask *ask, const char *key, uint64_t id)
{
	if (id)
		json_put_snowflake(&ask->w, key, id);
	else
		ask_result(ask, -1);
}

/* ---- the door ---- */

static void respond_problem(struct httpd_request *request, int status, const char *problem)
{
	struct str out cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);

	json_begin_object(&w);
	json_put_string(&w, "error", problem);
	json_end_object(&w);
	httpd_respond(request, status, "application/json", NULL, out.buf, out.len);
}

static void serve_page(struct httpd_request *request, const char *path)
{
	static const struct http_header headers[] = {
		{ "Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http: https:; connect-src 'self'; "
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Cache-Control", "no-cache" },
		{ 0 },
	};

	if (streq(path, "/"))
		path = "/index.html";
	for (size_t i = 0; i < page_file_count; i++) {
		if (streq(page_files[i].path, path + 1)) {
			httpd_respond(request, 200, page_files[i].type, headers, page_files[i].data, page_files[i].len);
			return;
		}
	}
	respond_problem(request, 404, "there is nothing here");
}

static void finish(struct ask *ask)
{
	if (ask->later)
		return;
	if (!ask_fine(ask)) {
		respond_problem(ask->request, ask->status ? ask->status : 400, ask->problem.buf);
		return;
	}
	if (!ask->raw)
		json_end_object(&ask->w);
	httpd_respond(ask->request, 200, ask->raw ? ask->type : "application/json", NULL, ask->out.buf, ask->out.len);
}

static void run(struct control *control, struct httpd_request *request, const struct ask_row *row, cJSON *body)
{
	struct ask ask = { .fake = control->fake, .control = control, .request = request, .body = body };

	str_init(&ask.out);
	str_init(&ask.problem);
	ask.w = (struct json_writer)JSON_WRITER(&ask.out);
	json_begin_object(&ask.w);
	json_put_bool(&ask.w, "ok", true);
	row->run(&ask);
	finish(&ask);
	str_finish(&ask.out);
	str_finish(&ask.problem);
	cJSON_Delete(body);
}

static const struct ask_row *find_row(const struct ask_row *rows, const char *name)
{
	for (; rows->name; rows++)
		if (streq(rows->name, name))
			return rows;
	return NULL;
}

/* A page of another site must not act here with a visitor's browser: such requests name their origin. */
static bool is_foreign(const struct httpd_request *request)
{
	const char *origin = httpd_header(request, "Origin"), *host = httpd_header(request, "Host");

	if (!origin)
		return false;
	return !host || strncmp(origin, "http://", 7) != 0 || !streq(origin + 7, host);
}

void control_handle(struct control *control, struct httpd_request *request)
{
	const char *path = httpd_path(request), *method = httpd_method(request);
	const struct ask_row *row;
	cJSON *body = NULL;
	size_t len;

	if (strncmp(path, "/cdn/", 5) == 0) {
		cdn_handle(control->fake, request);
		return;
	}
	if (streq(path, "/healthz")) {
		httpd_respond(request, 200, "application/json", NULL, "{\"status\":\"ok\"}", 15);
		return;
	}
	if (strncmp(path, CONTROL, sizeof(CONTROL) - 1) != 0) {
		serve_page(request, path);
		return;
	}
	path += sizeof(CONTROL) - 1;
	if (is_foreign(request)) {
		respond_problem(request, 403, "requests from other sites are not taken");
		return;
	}
	if (streq(method, "GET")) {
		row = find_row(control_looks, path);
	} else if (streq(method, "POST")) {
		const char *text = httpd_body(request, &len);

		row = find_row(control_acts, path);
		if (!row)
			row = find_row(control_faults, path);
		if (row && (json_parse(len ? text : "{}", len ? len : 2, &body) < 0 || !cJSON_IsObject(body))) {
			cJSON_Delete(body);
			respond_problem(request, 400, "the body must be a JSON object");
			return;
		}
	} else {
		respond_problem(request, 405, "only GET and POST are known here");
		return;
	}
	if (row)
		run(control, request, row, body);
	else
		respond_problem(request, 404, "there is nothing of this name here; see CONTROL.md");
}
