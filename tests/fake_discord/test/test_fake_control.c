/* The fake's control interface, pictures and page. */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

static struct client client;

static int setup(void **state)
{
	const struct fake_options options = { .identify_interval = -1, .no_rate_limits = true };

	(void)state;
	client_start(&client, &options);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	client_stop(&client);
	return 0;
}

static int request(const char *method, const char *path, const char *body)
{
	char *url = xasprintf("%s%s", fake_page_url(client.fake), path);
	int status = client_call_raw(&client, &(struct http_request){ .method = method,
						      .url = url,
						      .body = body,
						      .body_len = body ? strlen(body) : 0,
						      .content_type = body ? "application/json" : NULL });

	free(url);
	return status;
}

static int look(const char *path)
{
	char *full = xasprintf("_control/%s", path);
	int status = request("GET", full, NULL);

	free(full);
	return status;
}

static int act(const char *path, const char *body)
{
	char *full = xasprintf("_control/%s", path);
	int status = request("POST", full, body);

	free(full);
	return status;
}

static void test_say_and_look(void **state)
{
	char path[128];
	uint64_t id;

	(void)state;
	assert_int_equal(act("say", "{\"user\":\"alice\",\"channel\":\"general\",\"content\":\"hi\"}"), 200);
	id = json_snowflake(client.answer, "id");
	assert_int_equal(look("messages?user=bob&channel=general&limit=5"), 200);
	assert_int_equal(json_snowflake(json_array(client.answer, "messages")->child, "id"), id);
	assert_int_equal(look("events?after=0&wait=0"), 200);
	assert_string_equal(json_string(json_array(client.answer, "events")->child, "t"), "MESSAGE_CREATE");
	snprintf(path, sizeof(path), "message?channel=general&message=%llu", (unsigned long long)id);
	assert_int_equal(look(path), 200);
	assert_int_equal(look("state?users=3"), 200);
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "users")), 3);
	assert_int_equal(look("view?user=alice"), 200);
	json_array_each (channel, json_array(client.answer, "channels"))
		if (json_string(channel, "name"))
			assert_string_not_equal(json_string(channel, "name"), "council"); /* the staff's */
	assert_int_equal(look("view?user=bob"), 200);
	assert_int_equal(look("messages?user=alice&channel=council"), 400);
}

/* The page unmarks what it must not offer to take back: a reaction is "me" of the person who looks. */
static void test_reactions_are_those_of_who_looks(void **state)
{
	static const struct {
		const char *user;
		bool own;
	} cases[] = { { "&user=alice", true }, { "&user=bob", false }, { "", false } };
	uint64_t id;

	(void)state;
	assert_int_equal(act("say", "{\"user\":\"bob\",\"channel\":\"general\",\"content\":\"hi\"}"), 200);
	id = json_snowflake(client.answer, "id");
	assert_int_equal(fake_react(client.fake, fake_member(client.fake, "alice"),
				 fake_channel(client.fake, "general"), id, "\xf0\x9f\x91\x8d"),
		0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const cJSON *message;
		char path[128];

		snprintf(path, sizeof(path), "message?channel=general&message=%llu%s", (unsigned long long)id,
			cases[i].user);
		assert_int_equal(look(path), 200);
		message = json_object(client.answer, "message");
		assert_int_equal(json_bool(json_array(message, "reactions")->child, "me", false), cases[i].own);
	}
}

/* Whatever is wrong is said. */
static void test_refusals(void **state)
{
	static const struct {
		const char *path, *body, *reason;
	} rows[] = {
		{ "say", "{\"user\":\"nobody\",\"channel\":\"general\",\"content\":\"x\"}", "nobody" },
		{ "say", "{\"user\":\"alice\",\"channel\":\"nowhere\",\"content\":\"x\"}", "nowhere" },
		{ "say", "{\"user\":\"alice\",\"channel\":\"council\",\"content\":\"x\"}", "may not" },
		{ "say", "{\"user\":\"alice\",\"channel\":\"general\"}", "empty" },
		{ "say", "{\"user\":\"alice\"", "JSON object" },
		{ "say", "[]", "JSON object" },
		{ "edit", "{\"user\":\"alice\",\"channel\":\"general\",\"message\":\"x\",\"content\":\"y\"}",
			"must be an id" },
		{ "react", "{\"user\":\"alice\",\"channel\":\"general\",\"message\":\"1\",\"emoji\":\"x\"}",
			"no such message" },
		{ "slash", "{\"user\":\"alice\",\"channel\":\"general\",\"command\":\"rank\"}", "no command" },
		{ "nick", "{\"user\":\"alice\",\"nick\":\"123456789012345678901234567890123\"}", "32" },
		{ "gateway", "{\"do\":\"dance\"}", "do must be" },
		{ "rest_fault", "{\"kind\":\"what\"}", "kind" },
		{ "advance", "{\"ms\":-5}", "from 0" },
		{ "stream", "{\"channel\":\"Staff\",\"count\":5}", "stream" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(act(rows[i].path, rows[i].body), 400);
		if (!strstr(json_string(client.answer, "error"), rows[i].reason))
			fail_msg("%s: %s", rows[i].path, json_string(client.answer, "error"));
	}
	assert_int_equal(act("no_such_thing", "{}"), 404);
	assert_int_equal(look("no_such_thing"), 404);
	assert_int_equal(request("PUT", "_control/say", "{}"), 405);
	assert_int_equal(look("messages?user=alice&channel=general&limit=0"), 400);
	assert_int_equal(look("wait?for=nothing"), 400);
}

/* A page of another site cannot act with a visitor's browser. */
static void test_foreign_origin(void **state)
{
	char *url = xasprintf("%s_control/say", fake_page_url(client.fake));
	const struct http_header headers[] = { { "Origin", "https://evil.example" }, { 0 } };

	(void)state;
	assert_int_equal(client_call_raw(&client, &(struct http_request){ .method = "POST",
							  .url = url,
							  .headers = headers,
							  .body = "{}",
							  .body_len = 2,
							  .content_type = "text/plain" }),
		403);
	free(url);
}

static void test_long_poll(void **state)
{
	(void)state;
	assert_int_equal(look("events"), 200);
	assert_int_equal(json_int(client.answer, "next", -1), 0);
	assert_int_equal(look("events?after=7&wait=20"), 200); /* a number from the future: the page must load anew */
	assert_true(json_bool(client.answer, "missed", false));
	assert_int_equal(look("wait?for=sessions&count=1&timeout=0"), 408);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(look("wait?for=sessions&count=1&timeout=1"), 200);
	assert_int_equal(look("gateway"), 200);
	assert_int_equal(json_int(client.answer, "sessions", 0), 1);
}

static void test_faults_over_control(void **state)
{
	(void)state;
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(act("gateway", "{\"do\":\"close\",\"code\":4000}"), 200);
	assert_int_equal(client_wait_closed(&client), 4000);
	assert_int_equal(act("rest_fault", "{\"kind\":\"status\",\"status\":502,\"method\":\"GET\"}"), 200);
	assert_int_equal(client_call(&client, "GET", "/users/@me", NULL), 502);
	assert_int_equal(client_call(&client, "GET", "/users/@me", NULL), 200);
	assert_int_equal(look("journal?method=GET"), 200);
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "calls")), 2);
	assert_int_equal(act("forget_journal", "{}"), 200);
	assert_int_equal(look("journal.jsonl"), 200);
	assert_string_equal(client.text, "");
}

static void test_people(void **state)
{
	(void)state;
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(act("join", "{\"username\":\"zoe\",\"global_name\":\"Zo\\u00eb\"}"), 200);
	cJSON_Delete(client_expect(&client, 0, "GUILD_MEMBER_ADD"));
	assert_int_equal(act("nick", "{\"user\":\"zoe\",\"nick\":\"Z\"}"), 200);
	cJSON_Delete(client_expect(&client, 0, "GUILD_MEMBER_UPDATE"));
	assert_int_equal(act("role_add", "{\"user\":\"zoe\",\"role\":\"Git Gud\"}"), 200);
	cJSON_Delete(client_expect(&client, 0, "GUILD_MEMBER_UPDATE"));
	assert_int_equal(act("ban", "{\"moderator\":\"bob\",\"user\":\"zoe\",\"reason\":\"r\"}"), 200);
	cJSON_Delete(client_expect(&client, 0, "GUILD_BAN_ADD"));
	assert_int_equal(act("join", "{\"username\":\"zoe\"}"), 400);
	assert_int_equal(act("unban", "{\"moderator\":\"bob\",\"user\":\"zoe\"}"), 200);
	assert_int_equal(act("join", "{\"username\":\"zoe\"}"), 200);
}

static void test_pictures_and_page(void **state)
{
	(void)state;
	assert_int_equal(request("GET", "", NULL), 200);
	assert_non_null(strstr(client.text, "<!doctype html>"));
	assert_int_equal(request("GET", "app.js", NULL), 200);
	assert_int_equal(request("GET", "../main.c", NULL), 404);
	assert_int_equal(request("GET", "cdn/avatars/1/abc.png?size=64", NULL), 200);
	assert_memory_equal(client.text, "\x89PNG", 4);
	assert_int_equal(request("GET", "cdn/avatars/1/abc.png?size=65", NULL), 400);
	assert_int_equal(request("GET", "cdn/attachments/1/2/x.png", NULL), 404);
	assert_int_equal(request("GET", "cdn/whatever", NULL), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_say_and_look),
		TEST(test_reactions_are_those_of_who_looks),
		TEST(test_refusals),
		TEST(test_foreign_origin),
		TEST(test_long_poll),
		TEST(test_faults_over_control),
		TEST(test_people),
		TEST(test_pictures_and_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
