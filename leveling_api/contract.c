/* The routes that clients of the old server rely on: /, /user_points/, /levels/ and /levels/<id>/. Every rule here is one that a client
 * can see; each stands in tests/leveling_api/test_contract.c, and recorded answers are replayed by tests/leveling_api/recorded.sh. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "base/settings.h"
#include "base/utf8.h"
#include "digits.h"
#include "html.h"
#include "render.h"

#define PAGE_SIZE     25
#define PAGE_SIZE_MAX 1000

#define SECONDS_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define RULES_UNTIL INT64_C(2145916800)   /* 2038-01-01: to the old server it was winter from then on */

#define LOCATION_MAX 4096 /* what fits beside the request into the memory of a connection, see server.c */

enum resource { RESOURCE_ROOT, RESOURCE_USER_POINTS, RESOURCE_LEVELS, RESOURCE_LEVEL };

struct match {
	enum resource resource;
	bool needs_slash;
	const char *format; /* of a suffix such as .json; NULL: none */
	const char *id;     /* of a level, decoded */
	size_t id_len;
};

static const struct {
	const char *route, *name, *description;
} resources[] = {
	[RESOURCE_ROOT] = { "/", "Api Root", "The default basic root view for DefaultRouter" },
	[RESOURCE_USER_POINTS] = { "/user_points/", "User Point List", "" },
	[RESOURCE_LEVELS] = { "/levels/", "Level List", "" },
	[RESOURCE_LEVEL] = { "/levels/{id}/", "Level Instance", "" },
};

/* What may follow a resource's name: "/", ".format" or ".format/". Nothing at all matches with needs_slash. */
static bool match_end(const struct request *request, const char *rest, size_t len, struct match *match)
{
	if (len == 0) {
		match->needs_slash = true;
		return true;
	}
	if (rest[0] == '/')
		return len == 1;
	if (rest[0] != '.')
		return false;
	if (rest[len - 1] == '/')
		len--;
	if (len < 2)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (!((rest[i] >= 'a' && rest[i] <= 'z') || (rest[i] >= '0' && rest[i] <= '9')))
			return false;
	}
	match->format = arena_strndup(request->arena, rest + 1, len - 1);
	return true;
}

static bool starts_with(const struct request *request, const char *prefix)
{
	size_t len = strlen(prefix);

	return request->path_len >= len && memcmp(request->path, prefix, len) == 0;
}

static bool match_path(const struct request *request, struct match *match)
{
	const char *path = request->path;
	size_t len = request->path_len;

	*match = (struct match){ .resource = RESOURCE_ROOT };
	if (len == 1)
		return true;
	if (starts_with(request, "/."))
		return match_end(request, path + 1, len - 1, match);
	if (starts_with(request, "/user_points")) {
		match->resource = RESOURCE_USER_POINTS;
		return match_end(request, path + 12, len - 12, match);
	}
	if (!starts_with(request, "/levels"))
		return false;
	match->resource = RESOURCE_LEVELS;
	if (match_end(request, path + 7, len - 7, match))
		return true;
	if (!starts_with(request, "/levels/"))
		return false;
	*match = (struct match){ .resource = RESOURCE_LEVEL, .id = path + 8 };
	while (8 + match->id_len < len && match->id[match->id_len] != '/' && match->id[match->id_len] != '.')
		match->id_len++;
	return match->id_len > 0 && match_end(request, match->id + match->id_len, len - 8 - match->id_len, match);
}

/* Encoded anew; a byte that is not UTF-8 stays the percent sign and digits it was sent as. */
static void add_path(struct str *out, const char *path, size_t len)
{
	uint32_t code_point;

	for (size_t n; len > 0; path += n, len -= n) {
		n = utf8_next(path, len, &code_point);
		if (n > 0) {
			params_quote(out, path, n, "/:@&+$,!*'()");
		} else {
			str_printf(out, "%%25%02X", (unsigned char)*path);
			n = 1;
		}
	}
}

/* As it was sent, with bytes above 127 as ISO 8859-1. */
static void add_query(struct str *out, const char *query)
{
	struct str text cleanup(str_finish) = STR_INIT;

	for (; *query; query++)
		utf8_append(&text, (unsigned char)*query);
	params_quote(out, text.buf, text.len, "/#%[]=:;$&()+,!?*@'");
}

static void redirect(const struct request *request, struct answer *answer)
{
	struct str location cleanup(str_finish) = STR_INIT;

	add_path(&location, request->path, request->path_len);
	str_addc(&location, '/');
	if (request->query && *request->query) {
		str_addc(&location, '?');
		add_query(&location, request->query);
	}
	if (location.len > LOCATION_MAX) {
		answer_error(answer, 414, "The address is too long to be redirected.");
		return;
	}
	answer->status = 301;
	answer->type = "text/html; charset=utf-8";
	answer->location = arena_strndup(request->arena, location.buf, location.len);
	answer->no_cors = true;
}

static void describe(const struct match *match, struct answer *answer)
{
	static const char *const parses[] = { "application/json", "application/x-www-form-urlencoded",
		"multipart/form-data" };
	struct json_writer w = JSON_WRITER(&answer->body);

	json_begin_object(&w);
	json_put_string(&w, "name", resources[match->resource].name);
	json_put_string(&w, "description", resources[match->resource].description);
	json_key(&w, "renders");
	json_begin_array(&w);
	json_write_string(&w, "application/json");
	json_write_string(&w, "text/html");
	json_end_array(&w);
	json_key(&w, "parses");
	json_begin_array(&w);
	for (size_t i = 0; i < ARRAY_SIZE(parses); i++)
		json_write_string(&w, parses[i]);
	json_end_array(&w);
	json_end_object(&w);
	answer->allow = ALLOW_READ;
}

static void answer_root(const struct request *request, const struct match *match, struct answer *answer)
{
	const struct param *format = params_get(&request->params, "format");
	struct json_writer w = JSON_WRITER(&answer->body);
	const char *names[] = { "user_points", "levels" };

	json_begin_object(&w);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct str link cleanup(str_finish) = STR_INIT;

		str_printf(&link, "%s/%s", request->base, names[i]);
		if (match->format)
			str_printf(&link, ".%s", match->format);
		else
			str_addc(&link, '/');
		if (format) {
			str_adds(&link, "?format=");
			params_encode(&link, format->value, format->value_len);
		}
		json_put_string(&w, names[i], link.buf);
	}
	json_end_object(&w);
}

/* Where in a list a request is: see page_start(). */
struct page {
	size_t size, number, pages, count;
	size_t first; /* 0-based position of its first element */
};

static bool is_text(const struct param *param, const char *text)
{
	return param->value_len == strlen(text) && memcmp(param->value, text, param->value_len) == 0;
}

/* False: there is no such page, and the answer says so. */
static bool page_find(const struct request *request, size_t count, struct page *ret_page, struct answer *answer)
{
	const struct param *size = params_get(&request->params, "page_size"),
			   *number = params_get(&request->params, "page");
	struct page page = { .size = PAGE_SIZE, .number = 1, .count = count };
	bool negative;
	int64_t value;
	int r;

	if (size) {
		r = params_int(size->value, size->value_len, &value, &negative);
		if (r == -ERANGE && !negative)
			page.size = PAGE_SIZE_MAX;
		else if (r == 0 && value > 0)
			page.size = (size_t)MIN(value, PAGE_SIZE_MAX);
	}
	page.pages = count > 0 ? (count + page.size - 1) / page.size : 1;
	if (number && is_text(number, "last")) {
		page.number = page.pages;
	} else if (number) {
		r = params_int(number->value, number->value_len, &value, &negative);
		if (r < 0 || value < 1 || (uint64_t)value > page.pages) {
			answer_error(answer, 404, "Invalid page.");
			return false;
		}
		page.number = (size_t)value;
	}
	page.first = (page.number - 1) * page.size;
	*ret_page = page;
	return true;
}

static void write_link(
	struct json_writer *w, const char *key, const struct request *request, const struct match *match, size_t number)
{
	struct str link cleanup(str_finish) = STR_INIT;
	char digits[DIGITS_MAX_LEN + 1];

	*digits_put(digits, number) = '\0';
	str_reserve(&link, 255);
	str_adds(&link, request->base);
	str_adds(&link, match->resource == RESOURCE_LEVELS ? "/levels" : "/user_points");
	if (match->format)
		str_printf(&link, ".%s%s", match->format, request->path[request->path_len - 1] == '/' ? "/" : "");
	else
		str_addc(&link, '/');
	params_relink(&link, request->query, &request->params, request->arena, "page",
		streq(key, "previous") && number == 1 ? NULL : digits);
	json_put_string(w, key, link.buf);
}

static void page_begin(
	struct json_writer *w, const struct request *request, const struct match *match, const struct page *page)
{
	json_begin_object(w);
	json_key(w, "links");
	json_begin_object(w);
	if (page->number < page->pages)
		write_link(w, "next", request, match, page->number + 1);
	else
		json_put_null(w, "next");
	if (page->number > 1)
		write_link(w, "previous", request, match, page->number - 1);
	else
		json_put_null(w, "previous");
	json_end_object(w);
	json_put_uint(w, "count", page->count);
	json_put_uint(w, "total_number_of_pages", page->pages);
	json_key(w, "results");
	json_begin_array(w);
}

static void page_end(struct json_writer *w)
{
	json_end_array(w);
	json_end_object(w);
}

/* Members whose date lies in low..high (see models/ranking.h; members without a date stand at INT64_MAX). */
struct filter {
	bool active;
	int64_t low, high;
};

static void refuse_filter(struct answer *answer, const struct str *message)
{
	struct json_writer w = JSON_WRITER(&answer->body);

	answer->status = 400;
	str_clear(&answer->body);
	json_begin_object(&w);
	json_key(&w, "last_updated_date__isnull");
	json_begin_array(&w);
	json_write_string_len(&w, message->buf, message->len);
	json_end_array(&w);
	json_end_object(&w);
}

/* Seconds or, beyond the year 9999, milliseconds; to microseconds. */
static int parse_epoch(const char *text, size_t len, int64_t *ret_time)
{
	bool negative;
	int64_t value;
	int r;

	if (!params_is_digits(text, len))
		return -EINVAL;
	r = params_int(text, len, &value, &negative);
	if (r < 0)
		return r;
	if (value <= SECONDS_MAX)
		*ret_time = value * SECOND;
	else if (value / 1000 <= SECONDS_MAX)
		*ret_time = value * MILLISECOND;
	else
		return -ERANGE;
	return 0;
}

/* "2025-07-01 12:00:00-07:00" */
static void write_pacific(const struct api *api, struct str *out, int64_t time)
{
	struct timezone_offset offset = { 0 };
	struct civil civil;
	int minutes;

	if (api->pacific)
		offset = timezone_at(api->pacific, MIN(time / SECOND, RULES_UNTIL));
	civil_from_seconds(time / SECOND + offset.seconds, &civil);
	str_printf(out, "%04d-%02d-%02d %02d:%02d:%02d", civil.year, civil.month, civil.day, civil.hour, civil.minute,
		civil.second);
	if (time % SECOND != 0)
		str_printf(out, ".%06d", (int)(time % SECOND));
	minutes = abs(offset.seconds) / 60;
	str_printf(out, "%c%02d:%02d", offset.seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

enum null_filter { NULLS_ABSENT, NULLS_TRUE, NULLS_FALSE, NULLS_UNKNOWN, NULLS_OTHER };

static enum null_filter parse_nulls(const char *text)
{
	static const char *const words[] = { "not_specified", "true", "false", "unknown" };

	if (!text)
		return NULLS_ABSENT;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (params_is_word(text, words[i]))
			return (enum null_filter)i;
	}
	return NULLS_OTHER;
}

/* The table of the contract. False: the parameters contradict each other, and the answer says so. */
static bool filter_find(
	const struct api *api, const struct request *request, struct filter *ret_filter, struct answer *answer)
{
	const struct param *gte = params_get(&request->params, "last_updated_date__gte");
	enum null_filter nulls = parse_nulls(params_text(&request->params, "last_updated_date__isnull", NULL));
	/* The old server stands this word in for an absent parameter, and so it means the same when it is sent. */
	bool absent = !gte || is_text(gte, "not_specified"), blank = gte && gte->value_len == 0;
	struct str message cleanup(str_finish) = STR_INIT;
	int64_t time;

	*ret_filter = (struct filter){ .active = false };
	if ((absent || blank) && (nulls == NULLS_ABSENT || nulls == NULLS_UNKNOWN))
		return true;
	ret_filter->active = true;
	if (blank) {
		ret_filter->low = nulls == NULLS_TRUE ? INT64_MAX : INT64_MIN;
		ret_filter->high = nulls == NULLS_TRUE ? INT64_MAX : INT64_MAX - 1;
		return true;
	}
	if (absent || parse_epoch(gte->value, gte->value_len, &time) < 0) {
		str_adds(&message, "invalid epoch of ");
		if (absent)
			str_adds(&message, "not_specified");
		else
			str_add(&message, gte->value, gte->value_len);
		str_adds(&message, " detected");
		refuse_filter(answer, &message);
		return false;
	}
	if (nulls == NULLS_FALSE) {
		str_adds(&message, "invalid condition of last_updated_date__isnull=False || last_updated_date__gte>");
		write_pacific(api, &message, time);
		str_adds(&message, " detected");
		refuse_filter(answer, &message);
		return false;
	}
	ret_filter->low = time;
	ret_filter->high = nulls == NULLS_UNKNOWN ? INT64_MAX - 1 : INT64_MAX;
	return true;
}

static void answer_user_points(
	struct api *api, const struct request *request, const struct match *match, struct answer *answer)
{
	const struct members *members = source_members(api->source);
	struct ranking *listed = members_listed(members);
	struct json_writer w = JSON_WRITER(&answer->body);
	uint32_t slots[PAGE_SIZE_MAX];
	struct filter filter;
	struct page page;
	size_t count;

	if (!filter_find(api, request, &filter, answer))
		return;
	count = filter.active ? ranking_count_in_range(listed, filter.low, filter.high) : ranking_count(listed);
	if (!page_find(request, count, &page, answer))
		return;
	if (filter.active)
		count = ranking_read_in_range(listed, filter.low, filter.high, page.first, page.size, slots);
	else
		count = ranking_read(listed, page.first, page.size, slots);
	members_prefetch(members, slots, count);
	str_reserve(&answer->body, 512 + count * 288);
	page_begin(&w, request, match, &page);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			str_addc(&answer->body, ',');
		render_member(&answer->body, members, members_at(members, slots[i]));
	}
	page_end(&w);
}

static void write_level(struct json_writer *w, const struct level *level)
{
	json_begin_object(w);
	json_put_int(w, "id", level->id);
	json_put_int(w, "number", level->number);
	json_put_int(w, "total_points_required", level->total_points);
	json_put_string(w, "role_name", level->role_name);
	json_end_object(w);
}

static void answer_levels(
	struct api *api, const struct request *request, const struct match *match, struct answer *answer)
{
	struct json_writer w = JSON_WRITER(&answer->body);
	const struct level *levels;
	struct page page;
	size_t count;

	levels = members_levels(source_members(api->source), &count);
	if (!page_find(request, count, &page, answer))
		return;
	page_begin(&w, request, match, &page);
	for (size_t i = page.first; i < MIN(page.first + page.size, count); i++)
		write_level(&w, &levels[count - 1 - i]);
	page_end(&w);
}

static void answer_level(struct api *api, const struct match *match, struct answer *answer)
{
	struct json_writer w = JSON_WRITER(&answer->body);
	struct str id cleanup(str_finish) = STR_INIT;
	const struct level *levels;
	bool negative;
	int64_t value;
	size_t count;

	params_append_utf8(&id, match->id, match->id_len);
	levels = members_levels(source_members(api->source), &count);
	if (params_int(id.buf, id.len, &value, &negative) == 0) {
		for (size_t i = 0; i < count; i++) {
			if (levels[i].id == value) {
				write_level(&w, &levels[i]);
				return;
			}
		}
	}
	answer_error(answer, 404, "Not found.");
}

static void answer_resource(
	struct api *api, const struct request *request, const struct match *match, usec now, struct answer *answer)
{
	if (request->method == METHOD_OTHER) {
		answer_method_not_allowed(answer, request);
		return;
	}
	if (request->method == METHOD_OPTIONS) {
		describe(match, answer);
		return;
	}
	if (match->resource != RESOURCE_ROOT && !api_refresh(api, match->resource != RESOURCE_USER_POINTS, now, answer))
		return;
	switch (match->resource) {
	case RESOURCE_ROOT: answer_root(request, match, answer); break;
	case RESOURCE_USER_POINTS: answer_user_points(api, request, match, answer); break;
	case RESOURCE_LEVELS: answer_levels(api, request, match, answer); break;
	case RESOURCE_LEVEL: answer_level(api, match, answer); break;
	}
}

bool contract_redirects(const struct request *request)
{
	struct match match;

	return match_path(request, &match) && match.needs_slash;
}

bool contract_answer(
	struct api *api, const struct request *request, usec now, struct answer *answer, const char **ret_route)
{
	struct match match;

	if (!match_path(request, &match))
		return false;
	*ret_route = resources[match.resource].route;
	if (match.needs_slash && request->method != METHOD_OTHER) {
		redirect(request, answer);
		return true;
	}
	answer->allow = ALLOW_READ;
	switch (request_negotiate(
		match.format ? match.format : params_text(&request->params, "format", NULL), request->accept)) {
	case REQUEST_NO_FORMAT: answer_error(answer, 404, "Not found."); break;
	case REQUEST_NOT_ACCEPTABLE: answer_error(answer, 406, "Could not satisfy the request Accept header."); break;
	case REQUEST_JSON: answer_resource(api, request, &match, now, answer); break;
	case REQUEST_HTML:
		answer_resource(api, request, &match, now, answer);
		html_wrap(api, request, resources[match.resource].name, answer);
		break;
	}
	return true;
}
