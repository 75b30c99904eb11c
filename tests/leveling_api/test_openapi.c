/* Holds web/openapi.json against the real answers: every route is described, every description is true, every status that is described
 * comes. The part of JSON Schema that the document uses is checked here: type, properties, required, additionalProperties, items, enum,
 * pattern, minimum and $ref. */
#include "support.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "routes.h"

static cJSON *document;

/* "#/components/schemas/Member" */
static const cJSON *resolve(const cJSON *schema)
{
	const char *reference = json_string(schema, "$ref");
	const cJSON *at = document;

	if (!reference)
		return schema;
	assert_int_equal(strncmp(reference, "#/", 2), 0);
	for (const char *p = reference + 2; *p;) {
		size_t len = strcspn(p, "/");
		char *key = xstrndup(p, len);

		at = json_get(at, key);
		free(key);
		if (!at)
			fail_msg("%s leads nowhere", reference);
		p += len + (p[len] == '/');
	}
	return at;
}

static bool is_type(const cJSON *value, const char *type)
{
	if (streq(type, "string"))
		return cJSON_IsString(value);
	if (streq(type, "integer"))
		return cJSON_IsNumber(value);
	if (streq(type, "array"))
		return cJSON_IsArray(value);
	if (streq(type, "object"))
		return cJSON_IsObject(value);
	return streq(type, "null") && cJSON_IsNull(value);
}

static bool has_type(const cJSON *value, const cJSON *type)
{
	if (cJSON_IsString(type))
		return is_type(value, type->valuestring);
	json_array_each (one, type) {
		if (is_type(value, one->valuestring))
			return true;
	}
	return false;
}

static bool in_enum(const cJSON *value, const cJSON *list)
{
	json_array_each (one, list) {
		if (cJSON_IsString(value) && streq(one->valuestring, value->valuestring))
			return true;
	}
	return false;
}

static bool fits(const char *pattern, const char *text)
{
	regex_t regex;
	bool found;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static void check(const cJSON *schema, const cJSON *value, const char *where)
{
	const cJSON *properties;

	schema = resolve(schema);
	if (!has_type(value, json_get(schema, "type")))
		fail_msg("%s is of another type", where);
	if (json_get(schema, "enum") && !in_enum(value, json_get(schema, "enum")))
		fail_msg("%s is none of the values", where);
	if (json_string(schema, "pattern") && !fits(json_string(schema, "pattern"), value->valuestring))
		fail_msg("%s does not fit the pattern", where);
	if (json_get(schema, "minimum") && value->valuedouble < json_get(schema, "minimum")->valuedouble)
		fail_msg("%s is below the minimum", where);
	if (cJSON_IsArray(value)) {
		json_array_each (item, value)
			check(json_get(schema, "items"), item, where);
	}
	if (!cJSON_IsObject(value))
		return;
	properties = json_object(schema, "properties");
	json_array_each (name, json_array(schema, "required")) {
		if (!json_get(value, name->valuestring))
			fail_msg("%s lacks %s", where, name->valuestring);
	}
	json_array_each (member, value) {
		if (!json_get(properties, member->string))
			fail_msg("%s has an undescribed %s", where, member->string);
		check(json_get(properties, member->string), member, member->string);
	}
}

static const cJSON *operation_of(const char *path)
{
	return json_get(json_get(json_get(document, "paths"), path), "get");
}

/* The schema of this path's answer with this status. */
static const cJSON *schema_of(const char *path, int status, bool *ret_text)
{
	const cJSON *responses = json_get(operation_of(path), "responses"), *content;
	char code[8];

	snprintf(code, sizeof(code), "%d", status);
	if (!json_get(responses, code))
		fail_msg("%s: status %d is not described", path, status);
	content = json_get(resolve(json_get(responses, code)), "content");
	*ret_text = json_get(content, "text/plain") != NULL;
	return json_get(json_get(content, *ret_text ? "text/plain" : "application/json"), "schema");
}

static int load(void **state)
{
	struct fixture *fixture;

	if (fixture_setup(state) < 0)
		return -1;
	fixture = *state;
	put_member(fixture, 17, 500, "ada", "https://cdn.example/avatars/17/0123456789abcdef.png");
	put_member(fixture, 18, 400, NULL, NULL);
	put_member(fixture, 19, INT64_C(1) << 40, "top", NULL);
	fetch(fixture, "/openapi.json", 200);
	return json_parse(fixture->answer.body.buf, fixture->answer.body.len, &document);
}

static int unload(void **state)
{
	cJSON_Delete(document);
	return fixture_teardown(state);
}

static const struct {
	const char *path, *target;
	int status;
} cases[] = {
	{ "/v1/leaderboard", "/v1/leaderboard", 200 },
	{ "/v1/leaderboard", "/v1/leaderboard?limit=1&rank=2", 200 },
	{ "/v1/leaderboard", "/v1/leaderboard?rank=99", 200 },
	{ "/v1/leaderboard", "/v1/leaderboard?limit=0", 400 },
	{ "/v1/leaderboard", "/v1/leaderboard?rank=1&after=1.1.1.1", 400 },
	{ "/v1/leaderboard", "/v1/leaderboard?after=1.1.1.1", 410 },
	{ "/v1/leaderboard/around/{user_id}", "/v1/leaderboard/around/17", 200 },
	{ "/v1/leaderboard/around/{user_id}", "/v1/leaderboard/around/17?limit=x", 400 },
	{ "/v1/leaderboard/around/{user_id}", "/v1/leaderboard/around/1", 404 },
	{ "/v1/members/{user_id}", "/v1/members/17", 200 },
	{ "/v1/members/{user_id}", "/v1/members/18", 200 },
	{ "/v1/members/{user_id}", "/v1/members/19", 200 },
	{ "/v1/members/{user_id}", "/v1/members/1", 404 },
	{ "/v1/search", "/v1/search?q=a", 200 },
	{ "/v1/search", "/v1/search", 400 },
	{ "/v1/levels", "/v1/levels", 200 },
	{ "/v1/stats", "/v1/stats", 200 },
	{ "/", "/", 200 },
	{ "/", "/?format=xml", 404 },
	{ "/user_points/", "/user_points/", 200 },
	{ "/user_points/", "/user_points/?page=9", 404 },
	{ "/user_points/", "/user_points/?last_updated_date__gte=x", 400 },
	{ "/levels/", "/levels/", 200 },
	{ "/levels/", "/levels/?page=9", 404 },
	{ "/levels/{id}/", "/levels/1/", 200 },
	{ "/levels/{id}/", "/levels/0/", 404 },
	{ "/healthz", "/healthz", 200 },
	{ "/metrics", "/metrics", 200 },
};

/* Fetches and holds the answer against the schema. */
static void check_answer(struct fixture *fixture, const char *path, const char *target, const char *accept, int status)
{
	const char *body = fetch_with(fixture, "GET", target, accept, status);
	const cJSON *schema;
	cJSON *json;
	bool text;

	schema = schema_of(path, status, &text);
	if (text)
		return;
	assert_int_equal(json_parse(body, strlen(body), &json), 0);
	check(schema, json, target);
	cJSON_Delete(json);
}

static void test_answers_are_as_described(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_answer(*state, cases[i].path, cases[i].target, "application/json", cases[i].status);
}

/* A request for this path that is answered with this status; NULL: there is none above. */
static const char *target_of(const char *path, int status)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (streq(cases[i].path, path) && cases[i].status == status)
			return cases[i].target;
	}
	return NULL;
}

/* What the document describes comes, and not only what comes is described. 304 and 429 are made by the server: test_server.c sees them. */
static void test_every_described_status_comes(void **state)
{
	json_array_each (path, json_get(document, "paths")) {
		json_array_each (response, json_get(operation_of(path->string), "responses")) {
			int64_t status;

			assert_int_equal(parse_i64(response->string, &status), 0);

			if (status == 406)
				check_answer(*state, path->string, target_of(path->string, 200), "image/png", 406);
			else if (status != 304 && status != 429 && status != 503 &&
				 !target_of(path->string, (int)status))
				fail_msg("%s: nothing is answered with %s", path->string, response->string);
		}
	}
}

/* Without a database: 503 where it is described, and nowhere else. */
static void test_without_data(void **state)
{
	struct fixture *fixture = *state, *empty;

	assert_int_equal(fixture_setup_empty((void **)&empty), 0);
	json_array_each (path, json_get(document, "paths")) {
		const cJSON *responses = json_get(operation_of(path->string), "responses");

		check_answer(empty, path->string, target_of(path->string, 200), "application/json",
			json_get(responses, "503") ? 503 : 200);
	}
	assert_int_equal(fixture_teardown((void **)&empty), 0);
	fetch(fixture, "/v1/stats", 200);
}

/* Numbers in a query: what is described as the smallest and the largest is taken, what lies beyond is refused. */
static void test_limits_are_as_described(void **state)
{
	size_t looked_at = 0;

	json_array_each (path, json_get(document, "paths")) {
		json_array_each (parameter, json_array(operation_of(path->string), "parameters")) {
			const cJSON *schema = json_get(parameter, "schema");
			const char *target = target_of(path->string, 200), *name = json_string(parameter, "name"),
				   *type;

			type = json_string(schema, "type");
			if (!type || !streq(type, "integer"))
				continue;
			for (int beyond = 0; beyond <= 1; beyond++) {
				const struct {
					const char *key;
					int64_t step;
				} ends[] = { { "minimum", -1 }, { "maximum", 1 } };

				for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
					char request[200];

					if (!json_get(schema, ends[i].key))
						continue;
					snprintf(request, sizeof(request), "%s%c%s=%" PRId64, target,
						strchr(target, '?') ? '&' : '?', name,
						json_int(schema, ends[i].key, 0) + beyond * ends[i].step);
					fetch(*state, request, beyond ? 400 : 200);
					looked_at++;
				}
			}
		}
	}
	assert_int_equal(looked_at, 14);
}

/* Routes that are for people and not for programs. */
static bool is_site(const char *path)
{
	static const char *const site[] = { "/docs", "/leaderboard", "/openapi.json", "/robots.txt" };

	for (size_t i = 0; i < ARRAY_SIZE(site); i++) {
		if (strncmp(path, site[i], strlen(site[i])) == 0)
			return true;
	}
	return false;
}

static void test_every_route_is_described(void **state)
{
	size_t described = 0, expected = 4; /* the contract's */

	(void)state;
	for (size_t i = 0; i < route_count; i++) {
		if (is_site(routes[i].path))
			continue;
		if (!json_get(json_get(document, "paths"), routes[i].path))
			fail_msg("%s is not described", routes[i].path);
		expected++;
	}
	json_array_each (path, json_get(document, "paths"))
		described++;
	assert_int_equal(described, expected);
	assert_string_equal(json_string(document, "openapi"), "3.1.0");
}

/* Pages for people are there, whole, and their scripts and styles too. */
static void test_pages(void **state)
{
	struct fixture *fixture = *state;

	assert_contains(fetch(fixture, "/leaderboard/", 200), "</html>");
	assert_string_equal(fixture->answer.type, "text/html; charset=utf-8");
	assert_non_null(fixture->answer.csp);
	assert_lacks(fixture->answer.body.buf, "style=");
	assert_lacks(fixture->answer.body.buf, "onclick");
	assert_contains(fetch(fixture, "/docs/", 200), "</html>");
	fetch(fixture, "/leaderboard/leaderboard.js", 200);
	assert_string_equal(fixture->answer.type, "text/javascript; charset=utf-8");
	assert_lacks(fixture->answer.body.buf, "innerHTML");
	fetch(fixture, "/leaderboard/leaderboard.css", 200);
	fetch(fixture, "/leaderboard/pages.css", 200);
	fetch(fixture, "/leaderboard/icon.svg", 200);
	fetch(fixture, "/leaderboard/nothing.js", 404);
	fetch(fixture, "/leaderboard/..%2Fmain.c", 404);
	fetch(fixture, "/leaderboard/leaderboard.html", 404);
	fetch(fixture, "/leaderboard", 301);
	assert_string_equal(fixture->answer.location, "/leaderboard/");
	assert_contains(fetch(fixture, "/robots.txt", 200), "Disallow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers_are_as_described, load, unload),
		cmocka_unit_test_setup_teardown(test_every_described_status_comes, load, unload),
		cmocka_unit_test_setup_teardown(test_without_data, load, unload),
		cmocka_unit_test_setup_teardown(test_limits_are_as_described, load, unload),
		cmocka_unit_test_setup_teardown(test_every_route_is_described, load, unload),
		cmocka_unit_test_setup_teardown(test_pages, load, unload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
