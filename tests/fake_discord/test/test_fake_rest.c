/* The fake's REST interface: what is posted can be fetched and is dispatched, and what Discord refuses is refused with its codes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

static struct client client;
static char path[512];

static void start(const struct fake_options *options)
{
	struct fake_options defaults = { .identify_interval = -1, .no_rate_limits = true };

	client_start(&client, options ? options : &defaults);
}

static int teardown(void **state)
{
	(void)state;
	client_stop(&client);
	return 0;
}

static unsigned long long channel(const char *name)
{
	return fake_channel(client.fake, name);
}

static unsigned long long member(const char *name)
{
	return fake_member(client.fake, name);
}

static unsigned long long role(const char *name)
{
	return fake_role(client.fake, name);
}

static unsigned long long guild(void)
{
	return fake_guild(client.fake);
}

/* A call on a path made of a pattern and numbers. */
#define CALL(method, body, ...) (snprintf(path, sizeof(path), __VA_ARGS__), client_call(&client, method, path, body))

/* The first error of a field in the last answer: its code, or "" */
static const char *error_at(const char *dotted)
{
	const cJSON *node = json_object(client.answer, "errors");

	while (node && *dotted) {
		size_t n = strcspn(dotted, ".");
		char *key = xstrndup(dotted, n);

		node = json_get(node, key);
		free(key);
		dotted += n + (dotted[n] == '.');
	}
	node = json_array(node, "_errors");
	return node && node->child ? json_string(node->child, "code") : "";
}

static void test_application_tells_its_intents(void **state)
{
	(void)state;
	start(&(struct fake_options){ .denied_intents = FAKE_INTENT_GUILD_MEMBERS });
	assert_int_equal(client_call(&client, "GET", "/applications/@me", NULL), 200);
	assert_int_equal(json_int(client.answer, "flags", 0), 1 << 13 | 1 << 19 | 1 << 23);
	assert_string_equal(json_string(client.answer, "flags_new"), "8921088");
}

static void expect_refusal(int status, int code)
{
	assert_int_equal(client.status, status);
	assert_int_equal(client_code(&client), code);
	assert_non_null(json_string(client.answer, "message"));
}

/* ---- messages ---- */

static void test_post_fetch_dispatch(void **state)
{
	uint64_t id;
	cJSON *payload;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(
		CALL("POST",
			"{\"content\":\"h\\u00e9llo\",\"embeds\":[{\"title\":\"T\",\"fields\":[{\"name\":\"n\",\"value\":\"v\"}]}]}",
			"/channels/%llu/messages", channel("general")),
		200);
	id = json_snowflake(client.answer, "id");
	assert_string_equal(json_string(json_array(client.answer, "embeds")->child, "type"), "rich");
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_int_equal(json_snowflake(json_get(payload, "d"), "id"), id);
	cJSON_Delete(payload);
	assert_int_equal(
		CALL("GET", NULL, "/channels/%llu/messages/%llu", channel("general"), (unsigned long long)id), 200);
	assert_string_equal(json_string(client.answer, "content"), "h\xc3\xa9llo");
	assert_int_equal(CALL("PATCH", "{\"content\":\"new\"}", "/channels/%llu/messages/%llu", channel("general"),
				 (unsigned long long)id),
		200);
	assert_non_null(json_string(client.answer, "edited_timestamp"));
	CALL("PATCH", "{\"content\":\"\",\"embeds\":[]}", "/channels/%llu/messages/%llu", channel("general"),
		(unsigned long long)id);
	expect_refusal(400, 50006);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_UPDATE"));
	assert_int_equal(CALL("GET", NULL, "/channels/%llu/messages?limit=1", channel("general")), 200);
	assert_int_equal(json_snowflake(client.answer->child, "id"), id);
	assert_int_equal(
		CALL("DELETE", NULL, "/channels/%llu/messages/%llu", channel("general"), (unsigned long long)id), 204);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_DELETE"));
	CALL("GET", NULL, "/channels/%llu/messages/%llu", channel("general"), (unsigned long long)id);
	expect_refusal(404, 10008);
}

static void test_reply_and_mentions(void **state)
{
	unsigned long long id;
	struct fake_message_view view;
	char body[512];

	(void)state;
	start(NULL);
	id = fake_say(client.fake, member("alice"), channel("general"), "question");
	snprintf(body, sizeof(body),
		"{\"content\":\"<@%llu> @everyone\",\"message_reference\":{\"message_id\":\"%llu\"},\"allowed_mentions\":{\"parse\":[]}}",
		member("bob"), id);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 200);
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "mentions")), 0);
	assert_false(json_bool(client.answer, "mention_everyone", true));
	assert_string_equal(json_string(json_object(client.answer, "referenced_message"), "content"), "question");
	assert_int_equal(fake_wait_message(client.fake, channel("general"), "everyone", SECOND, &view), 0);
	assert_int_equal(view.reply_to, id);
	snprintf(body, sizeof(body), "{\"content\":\"<@%llu>\"}", member("bob"));
	CALL("POST", body, "/channels/%llu/messages", channel("general"));
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "mentions")), 1);
	CALL("POST", "{\"content\":\"x\",\"message_reference\":{\"message_id\":\"1\"}}", "/channels/%llu/messages",
		channel("general"));
	expect_refusal(400, 50035);
	assert_string_equal(error_at("message_reference"), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE");
	CALL("POST", "{\"content\":\"x\",\"message_reference\":{\"message_id\":\"1\",\"fail_if_not_exists\":false}}",
		"/channels/%llu/messages", channel("general"));
	assert_int_equal(client.status, 200);
	CALL("POST", "{\"content\":\"x\",\"allowed_mentions\":{\"parse\":[\"users\"],\"users\":[\"1\"]}}",
		"/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("allowed_mentions"), "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE");
}

static void test_nonce(void **state)
{
	uint64_t first;

	(void)state;
	start(NULL);
	CALL("POST", "{\"content\":\"once\",\"nonce\":\"r1\",\"enforce_nonce\":true}", "/channels/%llu/messages",
		channel("general"));
	first = json_snowflake(client.answer, "id");
	CALL("POST", "{\"content\":\"twice\",\"nonce\":\"r1\",\"enforce_nonce\":true}", "/channels/%llu/messages",
		channel("general"));
	assert_int_equal(json_snowflake(client.answer, "id"), first);
	assert_string_equal(json_string(client.answer, "content"), "once");
	assert_int_equal(fake_message_count(client.fake, channel("general")), 1);
	fake_advance(client.fake, 10 * MINUTE);
	CALL("POST", "{\"content\":\"later\",\"nonce\":\"r1\",\"enforce_nonce\":true}", "/channels/%llu/messages",
		channel("general"));
	assert_int_equal(fake_message_count(client.fake, channel("general")), 2);
}

/* Discord remembers the nonce longer than the message. */
static void test_nonce_of_a_deleted_message(void **state)
{
	static const char body[] = "{\"content\":\"once\",\"nonce\":\"r1\",\"enforce_nonce\":true}";
	unsigned long long general;

	(void)state;
	start(NULL);
	general = channel("general");
	CALL("POST", body, "/channels/%llu/messages", general);
	fake_delete(client.fake, fake_owner(client.fake), general, json_snowflake(client.answer, "id"));
	CALL("POST", body, "/channels/%llu/messages", general);
	expect_refusal(404, 10008);
	assert_int_equal(fake_message_count(client.fake, general), 0);
	CALL("POST", "{\"content\":\"x\",\"nonce\":\"r1\"}", "/channels/%llu/messages", general);
	assert_int_equal(client.status, 200);
	CALL("POST", body, "/channels/%llu/messages", channel("random"));
	assert_int_equal(client.status, 200);
	fake_advance(client.fake, 10 * MINUTE);
	CALL("POST", body, "/channels/%llu/messages", general);
	assert_int_equal(client.status, 200);
}

static void test_reading_aloud_needs_a_permission(void **state)
{
	(void)state;
	start(NULL);
	CALL("POST", "{\"content\":\"loud\",\"tts\":true}", "/channels/%llu/messages", channel("general"));
	expect_refusal(403, 50013);
}

/* discord-api-docs, issue 2601: embeds alone are refused, beside a text they are left out. */
static void test_embeds_without_the_permission(void **state)
{
	static const char alone[] = "{\"embeds\":[{\"title\":\"t\"}]}";

	(void)state;
	start(NULL);
	CALL("POST", alone, "/channels/%llu/messages", channel("general"));
	assert_int_equal(client.status, 200);
	assert_int_equal(fake_channel_permit(client.fake, channel("general"), fake_guild(client.fake), 0, 1 << 14), 0);
	CALL("POST", alone, "/channels/%llu/messages", channel("general"));
	expect_refusal(403, 50013);
	CALL("POST", "{\"content\":\"c\",\"embeds\":[{\"title\":\"t\"}]}", "/channels/%llu/messages",
		channel("general"));
	assert_int_equal(client.status, 200);
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "embeds")), 0);
	CALL("PATCH", alone, "/channels/%llu/messages/%llu", channel("general"),
		(unsigned long long)json_snowflake(client.answer, "id"));
	assert_int_equal(client.status, 200);
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "embeds")), 0);
}

static char *repeat(const char *before, char c, size_t count, const char *after)
{
	struct str text = STR_INIT;

	str_adds(&text, before);
	for (size_t i = 0; i < count; i++)
		str_addc(&text, c);
	str_adds(&text, after);
	return str_detach(&text, NULL);
}

/* Posts a body that is `count` times 'x' between two texts and says what is wrong with it. */
static const char *post_long(const char *before, size_t count, const char *after, const char *field)
{
	char *body = repeat(before, 'x', count, after);

	CALL("POST", body, "/channels/%llu/messages", channel("general"));
	free(body);
	return client.status == 200 ? "fine" : error_at(field);
}

static void test_message_limits(void **state)
{
	static const struct {
		const char *before, *after, *field, *code;
		size_t most;
	} rows[] = {
		{ "{\"content\":\"", "\"}", "content", "BASE_TYPE_MAX_LENGTH", 2000 },
		{ "{\"embeds\":[{\"title\":\"", "\"}]}", "embeds.0.title", "BASE_TYPE_MAX_LENGTH", 256 },
		{ "{\"embeds\":[{\"description\":\"", "\"}]}", "embeds.0.description", "BASE_TYPE_MAX_LENGTH", 4096 },
		{ "{\"embeds\":[{\"footer\":{\"text\":\"", "\"}}]}", "embeds.0.footer.text", "BASE_TYPE_MAX_LENGTH",
			2048 },
		{ "{\"embeds\":[{\"author\":{\"name\":\"", "\"}}]}", "embeds.0.author.name", "BASE_TYPE_BAD_LENGTH",
			256 },
		{ "{\"embeds\":[{\"fields\":[{\"name\":\"", "\",\"value\":\"v\"}]}]}", "embeds.0.fields.0.name",
			"BASE_TYPE_BAD_LENGTH", 256 },
		{ "{\"embeds\":[{\"fields\":[{\"name\":\"n\",\"value\":\"", "\"}]}]}", "embeds.0.fields.0.value",
			"BASE_TYPE_BAD_LENGTH", 1024 },
		{ "{\"content\":\"c\",\"nonce\":\"", "\"}", "nonce", "BASE_TYPE_MAX_LENGTH", 25 },
		{ "{\"components\":[{\"type\":1,\"components\":[{\"type\":2,\"style\":1,\"custom_id\":\"i\",\"label\":\"",
			"\"}]}]}", "components.0.components.0.label", "BASE_TYPE_MAX_LENGTH", 80 },
		{ "{\"components\":[{\"type\":1,\"components\":[{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"",
			"\"}]}]}", "components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH", 100 },
	};

	(void)state;
	start(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(post_long(rows[i].before, rows[i].most, rows[i].after, rows[i].field), "fine");
		assert_string_equal(
			post_long(rows[i].before, rows[i].most + 1, rows[i].after, rows[i].field), rows[i].code);
		expect_refusal(400, 50035);
	}
	assert_string_equal(
		post_long("{\"embeds\":[{\"description\":\"", 3000, "\"},{\"footer\":{\"text\":\"xy\"}}]}", "embeds"),
		"fine");
	CALL("POST", "{}", "/channels/%llu/messages", channel("general"));
	expect_refusal(400, 50006);
	CALL("POST", "{\"content\":\"  \"}", "/channels/%llu/messages", channel("general"));
	expect_refusal(400, 50006);
	CALL("POST", "{\"embeds\":[{\"url\":\"ftp://x\"}]}", "/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("embeds.0.url"), "URL_TYPE_INVALID_SCHEME");
	CALL("POST", "{\"embeds\":[{\"color\":16777216}]}", "/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("embeds.0.color"), "NUMBER_TYPE_MAX");
	CALL("POST", "{\"content\":", "/channels/%llu/messages", channel("general"));
	expect_refusal(400, 50109);
	CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("Staff"));
	expect_refusal(400, 50008);
}

static void test_embed_total(void **state)
{
	char *first = repeat("{\"embeds\":[{\"description\":\"", 'x', 3000, "\"},");
	char *second = repeat("{\"description\":\"", 'y', 3001, "\"}]}");
	char *body = xasprintf("%s%s", first, second);

	(void)state;
	start(NULL);
	CALL("POST", body, "/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("embeds"), "MAX_EMBED_SIZE_EXCEEDED");
	free(first);
	free(second);
	free(body);
}

static void test_components(void **state)
{
	static const char six[] =
		"{\"content\":\"c\",\"components\":[{\"type\":1,\"components\":["
		"{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"1\"},{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"2\"},"
		"{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"3\"},{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"4\"},"
		"{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"5\"},{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"6\"}]}]}";
	static const char same[] =
		"{\"content\":\"c\",\"components\":[{\"type\":1,\"components\":["
		"{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"1\"},{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"1\"}]}]}";

	(void)state;
	start(NULL);
	CALL("POST", six, "/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("components.0.components"), "BASE_TYPE_BAD_LENGTH");
	CALL("POST", same, "/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("components.0.components.1"), "COMPONENT_CUSTOM_ID_DUPLICATED");
	CALL("POST",
		"{\"content\":\"c\",\"components\":[{\"type\":2,\"style\":1,\"label\":\"l\",\"custom_id\":\"1\"}]}",
		"/channels/%llu/messages", channel("general"));
	assert_string_equal(error_at("components.0.type"), "UNION_TYPE_CHOICES");
}

static void test_upload(void **state)
{
	static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03"
				  "12345";
	char url[256], authorization[128];
	const struct http_header headers[] = { { "Authorization", authorization }, { 0 } };
	static const char about[] = "{\"content\":\"look\",\"attachments\":[{\"id\":0,\"description\":\"d\"}]}";
	const struct http_part parts[] = {
		{ "payload_json", NULL, "application/json", about, sizeof(about) - 1 },
		{ "files[0]", "pic ture.png", "image/png", png, sizeof(png) - 1 },
		{ 0 },
	};
	const cJSON *attachment;

	(void)state;
	start(NULL);
	snprintf(url, sizeof(url), "%s/channels/%llu/messages", fake_api_url(client.fake), channel("general"));
	snprintf(authorization, sizeof(authorization), "Bot %s", fake_token(client.fake));
	assert_int_equal(
		client_call_raw(&client,
			&(struct http_request){ .method = "POST", .url = url, .headers = headers, .parts = parts }),
		200);
	attachment = json_array(client.answer, "attachments")->child;
	assert_string_equal(json_string(attachment, "filename"), "pic_ture.png");
	assert_string_equal(json_string(attachment, "description"), "d");
	assert_int_equal(json_int(attachment, "width", 0), 2);
	assert_int_equal(json_int(attachment, "height", 0), 3);
	snprintf(url, sizeof(url), "%s", json_string(attachment, "url"));
	assert_int_equal(client_call_raw(&client, &(struct http_request){ .method = "GET", .url = url }), 200);
	assert_memory_equal(client.text, png, 8);
	assert_int_equal(fake_count_calls(client.fake, "POST", "/channels/{channel_id}/messages", "look"), 1);
}

static void test_bulk_delete(void **state)
{
	unsigned long long a, b, old;
	char body[256];

	(void)state;
	start(NULL);
	a = fake_say(client.fake, member("alice"), channel("general"), "a");
	b = fake_say(client.fake, member("alice"), channel("general"), "b");
	old = fake_post(client.fake, member("alice"), channel("general"),
		&(struct fake_message_options){ .content = "old", .at = clock_realtime() - 15 * DAY });
	snprintf(body, sizeof(body), "{\"messages\":[\"%llu\"]}", a);
	CALL("POST", body, "/channels/%llu/messages/bulk-delete", channel("general"));
	expect_refusal(400, 50016);
	snprintf(body, sizeof(body), "{\"messages\":[\"%llu\",\"%llu\"]}", a, old);
	CALL("POST", body, "/channels/%llu/messages/bulk-delete", channel("general"));
	expect_refusal(400, 50034);
	client_identify(&client, ALL_INTENTS);
	snprintf(body, sizeof(body), "{\"messages\":[\"%llu\",\"%llu\"]}", a, b);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages/bulk-delete", channel("general")), 204);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_DELETE_BULK"));
	cJSON_Delete(client_expect(&client, 0, "GUILD_AUDIT_LOG_ENTRY_CREATE"));
	assert_int_equal(fake_message_count(client.fake, channel("general")), 1);
}

static void test_reactions(void **state)
{
	unsigned long long id;
	const cJSON *reaction;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	id = fake_say(client.fake, member("alice"), channel("general"), "react");
	assert_int_equal(CALL("PUT", NULL, "/channels/%llu/messages/%llu/reactions/%%F0%%9F%%91%%8D/@me",
				 channel("general"), id),
		204);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_REACTION_ADD"));
	assert_true(fake_reacted(client.fake, fake_bot(client.fake), channel("general"), id, "\xf0\x9f\x91\x8d"));
	assert_int_equal(fake_react(client.fake, member("bob"), channel("general"), id, "\xf0\x9f\x91\x8d"), 0);
	CALL("GET", NULL, "/channels/%llu/messages/%llu", channel("general"), id);
	reaction = json_array(client.answer, "reactions")->child;
	assert_int_equal(json_int(reaction, "count", 0), 2);
	assert_true(json_bool(reaction, "me", false));
	CALL("PUT", NULL, "/channels/%llu/messages/%llu/reactions/nonsense/@me", channel("general"), id);
	expect_refusal(400, 10014);
	CALL("PUT", NULL, "/channels/%llu/messages/%llu/reactions/walle%%3A12345/@me", channel("general"), id);
	expect_refusal(400, 10014);
	CALL("PUT", NULL, "/channels/%llu/messages/%llu/reactions/walle%%3A900000000000005000/@me", channel("general"),
		id);
	assert_int_equal(client.status, 204);
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu/messages/%llu/reactions/%%F0%%9F%%91%%8D/%llu",
				 channel("general"), id, member("bob")),
		204);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_REACTION_REMOVE"));
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu/messages/%llu/reactions", channel("general"), id), 204);
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_REACTION_REMOVE_ALL"));
}

/* ---- permissions ---- */

static void test_permissions(void **state)
{
	unsigned long long bot_role, above;
	char body[128];

	(void)state;
	start(NULL);
	bot_role = role("Wall-E");
	CALL("POST", "{\"content\":\"x\"}", "/channels/1/messages");
	expect_refusal(404, 10003);
	fake_channel_permit(client.fake, channel("random"), bot_role, 0, 1 << 11);
	CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("random"));
	expect_refusal(403, 50013);
	fake_channel_permit(client.fake, channel("random"), bot_role, 0, 1 << 10);
	CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("random"));
	expect_refusal(403, 50001);
	/* roles at or above the bot's own */
	CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/%llu", guild(), member("alice"), role("Minions"));
	expect_refusal(403, 50013);
	CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/%llu", guild(), member("alice"), bot_role);
	expect_refusal(403, 50013);
	assert_int_equal(
		CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/%llu", guild(), member("alice"), role("Git Gud")),
		204);
	assert_true(fake_has_role(client.fake, member("alice"), role("Git Gud")));
	CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/1", guild(), member("alice"));
	expect_refusal(404, 10011);
	CALL("PUT", NULL, "/guilds/%llu/members/1/roles/%llu", guild(), role("Git Gud"));
	expect_refusal(404, 10013);
	assert_int_equal(CALL("PATCH", "{\"communication_disabled_until\":\"2100-01-01T00:00:00Z\"}",
				 "/guilds/%llu/members/%llu", guild(), member("alice")),
		400);
	assert_int_equal(CALL("PATCH", "{\"communication_disabled_until\":\"yesterday\"}", "/guilds/%llu/members/%llu",
				 guild(), member("alice")),
		400);
	/* members who rank higher */
	CALL("DELETE", NULL, "/guilds/%llu/members/%llu", guild(), member("bob"));
	expect_refusal(403, 50013);
	CALL("PUT", "{}", "/guilds/%llu/bans/%llu", guild(), (unsigned long long)fake_owner(client.fake));
	expect_refusal(403, 50013);
	above = fake_role_create(client.fake, "above", 0, 1000);
	snprintf(body, sizeof(body), "{\"name\":\"x\"}");
	CALL("PATCH", body, "/guilds/%llu/roles/%llu", guild(), above);
	expect_refusal(403, 50013);
	CALL("POST", "{\"name\":\"mighty\",\"permissions\":\"8\"}", "/guilds/%llu/roles", guild());
	expect_refusal(403, 50013);
	CALL("GET", NULL, "/guilds/1");
	expect_refusal(404, 10004);
	fake_close_dms(client.fake, member("alice"), true);
	CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages",
		(unsigned long long)fake_dm(client.fake, member("alice")));
	expect_refusal(403, 50007);
}

/* ---- guild ---- */

static void test_roles_and_members(void **state)
{
	unsigned long long id;
	cJSON *payload;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(CALL("POST", "{\"name\":\"fresh\",\"mentionable\":true}", "/guilds/%llu/roles", guild()), 200);
	id = json_snowflake(client.answer, "id");
	cJSON_Delete(client_expect(&client, 0, "GUILD_ROLE_CREATE"));
	assert_int_equal(CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/%llu", guild(), member("alice"), id), 204);
	payload = client_expect(&client, 0, "GUILD_MEMBER_UPDATE");
	assert_int_equal(json_snowflake_value(json_array(json_get(payload, "d"), "roles")->child), id);
	cJSON_Delete(payload);
	assert_int_equal(CALL("GET", NULL, "/guilds/%llu/members/search?query=ALI&limit=5", guild()), 200);
	assert_int_equal(cJSON_GetArraySize(client.answer), 1);
	assert_int_equal(CALL("GET", NULL, "/guilds/%llu/members?limit=3", guild()), 200);
	assert_int_equal(cJSON_GetArraySize(client.answer), 3);
	assert_int_equal(
		CALL("PATCH", "{\"nick\":\"Al\"}", "/guilds/%llu/members/%llu", guild(), member("alice")), 200);
	assert_string_equal(json_string(client.answer, "nick"), "Al");
	assert_int_equal(CALL("DELETE", NULL, "/guilds/%llu/roles/%llu", guild(), id), 204);
	cJSON_Delete(client_expect(&client, 0, "GUILD_ROLE_DELETE"));
	assert_false(fake_has_role(client.fake, member("alice"), id));
	assert_int_equal(CALL("DELETE", NULL, "/guilds/%llu/members/%llu", guild(), member("frank")), 204);
	cJSON_Delete(client_expect(&client, 0, "GUILD_MEMBER_REMOVE"));
	CALL("GET", NULL, "/guilds/%llu/members/%llu", guild(), member("frank"));
	expect_refusal(404, 10007);
}

static void test_bans_and_audit_log(void **state)
{
	char *url, *authorization;
	const cJSON *entry;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	url = xasprintf("%s/guilds/%llu/bans/%llu", fake_api_url(client.fake), guild(), member("frank"));
	authorization = xasprintf("Bot %s", fake_token(client.fake));
	assert_int_equal(
		client_call_raw(&client, &(struct http_request){ .method = "PUT",
						 .url = url,
						 .headers = (struct http_header[]){ { "Authorization", authorization },
							 { "X-Audit-Log-Reason", "spam%20%C3%A9" }, { 0 } },
						 .body = "{\"delete_message_seconds\":3600}",
						 .body_len = 31,
						 .content_type = "application/json" }),
		204);
	free(url);
	free(authorization);
	cJSON_Delete(client_expect(&client, 0, "GUILD_BAN_ADD"));
	cJSON_Delete(client_expect(&client, 0, "GUILD_AUDIT_LOG_ENTRY_CREATE"));
	assert_true(fake_is_banned(client.fake, member("frank")));
	CALL("GET", NULL, "/guilds/%llu/audit-logs?action_type=22", guild());
	entry = json_array(client.answer, "audit_log_entries")->child;
	assert_string_equal(json_string(entry, "reason"), "spam \xc3\xa9");
	assert_int_equal(json_snowflake(entry, "user_id"), fake_bot(client.fake));
	assert_int_equal(CALL("GET", NULL, "/guilds/%llu/bans?limit=10", guild()), 200);
	assert_int_equal(cJSON_GetArraySize(client.answer), 1);
	assert_int_equal(fake_join(client.fake, "frank", NULL, false), 0);
	assert_int_equal(CALL("DELETE", NULL, "/guilds/%llu/bans/%llu", guild(), member("frank")), 204);
	CALL("DELETE", NULL, "/guilds/%llu/bans/%llu", guild(), member("frank"));
	expect_refusal(404, 10026);
	assert_true(fake_ban(client.fake, member("alice"), member("ivan"), NULL) < 0);
	assert_non_null(strstr(fake_refusal(client.fake), "permission"));
	assert_int_equal(fake_ban(client.fake, member("bob"), member("ivan"), "rude"), 0);
}

/* Who writes is in; a private one is for its members and for who may manage threads. */
static void test_threads(void **state)
{
	const uint64_t manage_threads = 1ULL << 34;
	unsigned long long open, closed;
	const cJSON *first;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(
		fake_channel_permit(client.fake, channel("general"), fake_bot(client.fake), 0, manage_threads), 0);
	open = fake_channel_create(client.fake, "open", 11, channel("general"));
	cJSON_Delete(client_expect(&client, 0, "THREAD_CREATE"));
	closed = fake_channel_create(client.fake, "closed", 12, channel("general"));
	client_expect_none(&client, "THREAD_CREATE");
	CALL("GET", NULL, "/guilds/%llu/threads/active", guild());
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "threads")), 1);
	assert_int_equal(CALL("GET", NULL, "/channels/%llu/thread-members", closed), 403);
	assert_int_equal(CALL("GET", NULL, "/channels/%llu/thread-members", channel("general")), 400);

	assert_int_equal(fake_thread_add(client.fake, channel("general"), member("alice")), -EPERM);
	assert_true(fake_say(client.fake, member("alice"), open, "I am in") != 0);
	cJSON_Delete(client_expect(&client, 0, "THREAD_MEMBERS_UPDATE"));
	assert_int_equal(CALL("GET", NULL, "/channels/%llu/thread-members", open), 200);
	/* its owner and she */
	assert_int_equal(cJSON_GetArraySize(client.answer), 2);
	first = client.answer->child;
	assert_true(json_snowflake(first, "id") == open);
	assert_true(json_snowflake(first->next, "user_id") == member("alice"));

	assert_int_equal(fake_say(client.fake, member("alice"), closed, "and here?"), 0);
	assert_int_equal(fake_thread_add(client.fake, closed, fake_bot(client.fake)), 0);
	cJSON_Delete(client_expect(&client, 0, "THREAD_CREATE"));
	assert_int_equal(CALL("GET", NULL, "/channels/%llu/thread-members", closed), 200);
	CALL("GET", NULL, "/guilds/%llu/threads/active", guild());
	assert_int_equal(cJSON_GetArraySize(json_array(client.answer, "threads")), 2);
}

static void test_what_hangs_on_a_deleted_channel(void **state)
{
	unsigned long long category, text, thread;
	cJSON *update;

	(void)state;
	start(NULL);
	category = fake_channel_create(client.fake, "group", 4, 0);
	text = fake_channel_create(client.fake, "text", 0, category);
	thread = fake_channel_create(client.fake, "aside", 11, text);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu", category), 200);
	update = client_expect(&client, 0, "CHANNEL_UPDATE");
	assert_int_equal(json_snowflake(json_get(update, "d"), "id"), text);
	assert_true(cJSON_IsNull(json_get(json_get(update, "d"), "parent_id")));
	cJSON_Delete(update);
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu", text), 200);
	CALL("GET", NULL, "/channels/%llu", thread);
	expect_refusal(404, 10003);
}

static void test_channels(void **state)
{
	unsigned long long id;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	assert_int_equal(
		CALL("POST", "{\"name\":\"New Channel\",\"type\":0,\"topic\":\"t\"}", "/guilds/%llu/channels", guild()),
		201);
	assert_string_equal(json_string(client.answer, "name"), "new-channel");
	id = json_snowflake(client.answer, "id");
	cJSON_Delete(client_expect(&client, 0, "CHANNEL_CREATE"));
	assert_int_equal(CALL("PATCH", "{\"name\":\"other\"}", "/channels/%llu", id), 200);
	assert_int_equal(CALL("PUT", "{\"type\":0,\"allow\":\"1024\",\"deny\":\"0\"}",
				 "/channels/%llu/permissions/%llu", id, role("gamers")),
		204);
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu/permissions/%llu", id, role("gamers")), 204);
	assert_int_equal(CALL("DELETE", NULL, "/channels/%llu", id), 200);
	cJSON_Delete(client_expect(&client, 0, "CHANNEL_DELETE"));
	CALL("GET", NULL, "/channels/%llu", id);
	expect_refusal(404, 10003);
	CALL("POST", "{\"type\":0}", "/guilds/%llu/channels", guild());
	assert_string_equal(error_at("name"), "BASE_TYPE_REQUIRED");
}

/* ---- commands ---- */

static void test_command_rules(void **state)
{
	static const struct {
		const char *body, *field, *code;
	} rows[] = {
		{ "[{\"name\":\"Bad\",\"description\":\"d\"}]", "0.name", "APPLICATION_COMMAND_INVALID_NAME" },
		{ "[{\"name\":\"two words\",\"description\":\"d\"}]", "0.name", "APPLICATION_COMMAND_INVALID_NAME" },
		{ "[{\"name\":\"ok\"}]", "0.description", "BASE_TYPE_REQUIRED" },
		{ "[{\"name\":\"a\",\"description\":\"d\"},{\"name\":\"a\",\"description\":\"d\"}]", "",
			"APPLICATION_COMMANDS_DUPLICATE_NAME" },
		{ "[{\"name\":\"a\",\"description\":\"d\",\"options\":[{\"type\":3,\"name\":\"o\",\"description\":\"d\"},"
		  "{\"type\":3,\"name\":\"p\",\"description\":\"d\",\"required\":true}]}]",
			"0.options.1", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID" },
		{ "[{\"name\":\"a\",\"description\":\"d\",\"options\":[{\"type\":1,\"name\":\"o\",\"description\":\"d\"},"
		  "{\"type\":3,\"name\":\"p\",\"description\":\"d\"}]}]",
			"0.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID" },
		{ "[{\"name\":\"a\",\"description\":\"d\",\"options\":[{\"type\":3,\"name\":\"o\",\"description\":\"d\",\"autocomplete\":true,"
		  "\"choices\":[{\"name\":\"n\",\"value\":\"v\"}]}]}]",
			"0.options.0", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES" },
	};
	unsigned long long app;
	uint64_t id;

	(void)state;
	start(NULL);
	app = fake_bot(client.fake);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CALL("PUT", rows[i].body, "/applications/%llu/guilds/%llu/commands", app, guild());
		expect_refusal(400, 50035);
		assert_string_equal(error_at(rows[i].field), rows[i].code);
	}
	assert_int_equal(
		CALL("PUT",
			"[{\"name\":\"rank\",\"description\":\"d\"},{\"name\":\"pr\\u00fcfung\",\"description\":\"d\"}]",
			"/applications/%llu/guilds/%llu/commands", app, guild()),
		200);
	id = json_snowflake(client.answer->child, "id");
	assert_int_equal(fake_wait_commands(client.fake, 2, SECOND), 0);
	CALL("PUT", "[{\"name\":\"rank\",\"description\":\"other\"}]", "/applications/%llu/guilds/%llu/commands", app,
		guild());
	assert_int_equal(json_snowflake(client.answer->child, "id"), id); /* who keeps the name keeps the id */
	assert_int_equal(cJSON_GetArraySize(client.answer), 1);
	CALL("PUT", "[]", "/applications/1/guilds/%llu/commands", guild());
	expect_refusal(404, 10002);
}

/* ---- who asks, limits, faults ---- */

static void test_user_agent_and_token(void **state)
{
	struct http *plain;
	struct http *ours;
	char url[256];

	(void)state;
	start(NULL);
	snprintf(url, sizeof(url), "%s/users/@me", fake_api_url(client.fake));
	assert_int_equal(client_call_raw(&client, &(struct http_request){ .method = "GET", .url = url }), 401);
	assert_int_equal(http_create(client.loop, "curl/7.88", 2, &plain), 0);
	ours = client.http;
	client.http = plain;
	assert_int_equal(client_call(&client, "GET", "/users/@me", NULL), 403);
	assert_null(client.answer); /* HTML */
	client.http = ours;
	http_destroy(plain);
	assert_int_equal(client_call(&client, "GET", "/nothing/here", NULL), 404);
	assert_int_equal(client_call(&client, "PUT", "/users/@me", NULL), 405);
	assert_int_equal(client_call(&client, "GET", "/users/@me", NULL), 200);
}

static void test_rate_limit(void **state)
{
	const struct fake_options options = { .identify_interval = -1 };
	double retry;

	(void)state;
	start(&options);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(
			CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("general")), 200);
		assert_int_equal(client.remaining, 4 - i);
		assert_int_equal(strlen(client.bucket), 32);
	}
	assert_int_equal(CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("general")), 429);
	assert_string_equal(client.scope, "user");
	retry = json_double(client.answer, "retry_after", 0);
	assert_true(retry > 0 && retry <= 5);
	assert_false(json_bool(client.answer, "global", true));
	/* another channel has a bucket of its own */
	assert_int_equal(CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("random")), 200);
	fake_advance(client.fake, 5 * SECOND);
	assert_int_equal(CALL("POST", "{\"content\":\"x\"}", "/channels/%llu/messages", channel("general")), 200);
}

static void test_global_limit(void **state)
{
	const struct fake_options options = { .identify_interval = -1 };
	bool limited = false;

	(void)state;
	start(&options);
	for (int i = 0; i < 200 && !limited; i++) {
		fake_reset_rate_limits(client.fake);
		for (int j = 0; j < 51 && !limited; j++) {
			int status = CALL("GET", NULL, "/users/%llu", 1000ULL + (unsigned)j);

			limited = status == 429 && streq(client.scope, "global");
		}
	}
	assert_true(limited);
	assert_true(json_bool(client.answer, "global", false));
}

static void fault(enum fake_rest_fault_kind kind, const char *template, int status)
{
	assert_int_equal(fake_rest_fault(client.fake, &(struct fake_rest_fault){ .kind = kind,
							      .method = "POST",
							      .path = template,
							      .status = status,
							      .delay = 50 * MILLISECOND }),
		0);
}

static void test_rest_faults(void **state)
{
	static const char template[] = "/channels/{channel_id}/messages";
	static const char body[] = "{\"content\":\"x\"}";

	(void)state;
	start(NULL);
	fault(FAKE_REST_STATUS, template, 503);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 503);
	assert_int_equal(fake_message_count(client.fake, channel("general")), 0);
	fault(FAKE_REST_LOST_ANSWER, "/channels/*/messages", 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 0);
	assert_int_equal(fake_message_count(client.fake, channel("general")), 1);
	fault(FAKE_REST_LOST_REQUEST, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 0);
	assert_int_equal(fake_message_count(client.fake, channel("general")), 1);
	fault(FAKE_REST_LIMIT_SHARED, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 429);
	assert_string_equal(client.scope, "shared");
	fault(FAKE_REST_LIMIT_GLOBAL, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 429);
	assert_true(json_bool(client.answer, "global", false));
	fault(FAKE_REST_LIMIT_HTML, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 429);
	assert_null(client.answer);
	assert_string_equal(client.bucket, "");
	fault(FAKE_REST_GARBAGE, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 200);
	assert_null(client.answer);
	fault(FAKE_REST_SLOW, template, 0);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 200);
	assert_int_equal(fake_message_count(client.fake, channel("general")), 2);
	fault(FAKE_REST_BAD_STATUS_BODY, template, 502);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 502);
	assert_int_equal(fake_message_count(client.fake, channel("general")), 3);
	assert_int_equal(CALL("POST", body, "/channels/%llu/messages", channel("general")), 200);
}

/* ---- the journal ---- */

static int lint(const char *file)
{
	char *command = xasprintf("python3 ../shared/tools/rest_lint.py '%s' >&2", file);
	int status = system(command); /* NOLINT(cert-env33-c): a test, and the path is our own */

	free(command);
	return status;
}

/* Calls of the kinds that a bot makes are in Discord's OpenAPI document, as the checker beside the project says. */
static void test_journal_is_discords(void **state)
{
	char file[] = "/tmp/fake-journal-XXXXXX";
	const struct fake_options options = { .identify_interval = -1, .no_rate_limits = true, .journal_file = file };
	int fd = mkstemp(file);
	unsigned long long id, app;
	char body[256];

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	start(&options);
	app = fake_bot(client.fake);
	CALL("GET", NULL, "/gateway/bot");
	CALL("GET", NULL, "/users/@me");
	CALL("POST", "{\"content\":\"x\",\"nonce\":\"n\",\"enforce_nonce\":true,\"allowed_mentions\":{\"parse\":[]}}",
		"/channels/%llu/messages", channel("general"));
	id = json_snowflake(client.answer, "id");
	CALL("GET", NULL, "/channels/%llu/messages?limit=5&before=%llu", channel("general"), id);
	CALL("PATCH", "{\"embeds\":[{\"title\":\"t\",\"color\":48957}]}", "/channels/%llu/messages/%llu",
		channel("general"), id);
	CALL("PUT", NULL, "/channels/%llu/messages/%llu/reactions/%%E2%%9C%%85/@me", channel("general"), id);
	CALL("DELETE", NULL, "/channels/%llu/messages/%llu/reactions", channel("general"), id);
	CALL("PUT", NULL, "/channels/%llu/messages/pins/%llu", channel("general"), id);
	CALL("GET", NULL, "/channels/%llu/messages/pins", channel("general"));
	CALL("DELETE", NULL, "/channels/%llu/messages/%llu", channel("general"), id);
	CALL("GET", NULL, "/guilds/%llu", guild());
	CALL("GET", NULL, "/guilds/%llu/channels", guild());
	CALL("GET", NULL, "/guilds/%llu/roles/member-counts", guild());
	CALL("GET", NULL, "/guilds/%llu/members?limit=1000&after=0", guild());
	CALL("PATCH", "{\"nick\":\"n\"}", "/guilds/%llu/members/%llu", guild(), member("alice"));
	CALL("PUT", NULL, "/guilds/%llu/members/%llu/roles/%llu", guild(), member("alice"), role("Git Gud"));
	CALL("PUT", "{\"delete_message_seconds\":86400}", "/guilds/%llu/bans/%llu", guild(), member("ivan"));
	CALL("GET", NULL, "/guilds/%llu/audit-logs?limit=5&action_type=22", guild());
	snprintf(body, sizeof(body), "{\"recipient_id\":\"%llu\"}", member("alice"));
	CALL("POST", body, "/users/@me/channels");
	CALL("PUT",
		"[{\"name\":\"rank\",\"description\":\"d\",\"options\":[{\"type\":6,\"name\":\"who\",\"description\":\"d\"}]}]",
		"/applications/%llu/guilds/%llu/commands", app, guild());
	assert_int_equal(fake_calls(client.fake), 20);
	for (size_t i = 0; i < fake_calls(client.fake); i++)
		assert_in_range(fake_call(client.fake, i)->status, 200, 204);
	if (access("../shared/tools/rest_lint.py", R_OK) == 0 &&
		system("python3 -c 'import jsonschema' 2>/dev/null") == 0) /* NOLINT(cert-env33-c) */
		assert_int_equal(lint(file), 0);
	unlink(file);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_application_tells_its_intents),
		TEST(test_post_fetch_dispatch),
		TEST(test_reply_and_mentions),
		TEST(test_nonce),
		TEST(test_nonce_of_a_deleted_message),
		TEST(test_reading_aloud_needs_a_permission),
		TEST(test_embeds_without_the_permission),
		TEST(test_message_limits),
		TEST(test_embed_total),
		TEST(test_components),
		TEST(test_upload),
		TEST(test_bulk_delete),
		TEST(test_reactions),
		TEST(test_permissions),
		TEST(test_roles_and_members),
		TEST(test_bans_and_audit_log),
		TEST(test_channels),
		TEST(test_threads),
		TEST(test_what_hangs_on_a_deleted_channel),
		TEST(test_command_rules),
		TEST(test_user_agent_and_token),
		TEST(test_rate_limit),
		TEST(test_global_limit),
		TEST(test_rest_faults),
		TEST(test_journal_is_discords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
