/* The fake's interactions: what a person may send, and the rules of the bot's answers. */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

static struct client client;
static char path[512];
static cJSON *event; /* the last INTERACTION_CREATE */

static const char commands[] =
	"[{\"name\":\"rank\",\"description\":\"d\",\"options\":[{\"type\":6,\"name\":\"member\",\"description\":\"d\"}]},"
	"{\"name\":\"set\",\"description\":\"d\",\"options\":["
	"{\"type\":4,\"name\":\"level\",\"description\":\"d\",\"required\":true,\"min_value\":0,\"max_value\":100},"
	"{\"type\":3,\"name\":\"text\",\"description\":\"d\",\"required\":true,\"max_length\":5},"
	"{\"type\":3,\"name\":\"color\",\"description\":\"d\",\"choices\":[{\"name\":\"Red\",\"value\":\"red\"}]}]},"
	"{\"name\":\"rr\",\"description\":\"d\",\"options\":[{\"type\":1,\"name\":\"make\",\"description\":\"d\"},"
	"{\"type\":1,\"name\":\"edit\",\"description\":\"d\",\"options\":[{\"type\":3,\"name\":\"id\",\"description\":\"d\",\"required\":true,"
	"\"autocomplete\":true}]}]},"
	"{\"name\":\"admin\",\"description\":\"d\",\"default_member_permissions\":\"0\"},"
	"{\"name\":\"mods\",\"description\":\"d\",\"default_member_permissions\":\"8192\"}]";

static int setup(void **state)
{
	const struct fake_options options = { .identify_interval = -1, .no_rate_limits = true };

	(void)state;
	client_start(&client, &options);
	client_identify(&client, ALL_INTENTS);
	snprintf(path, sizeof(path), "/applications/%llu/guilds/%llu/commands",
		(unsigned long long)fake_bot(client.fake), (unsigned long long)fake_guild(client.fake));
	assert_int_equal(client_call(&client, "PUT", path, commands), 200);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cJSON_Delete(event);
	event = NULL;
	client_stop(&client);
	return 0;
}

static uint64_t channel(const char *name)
{
	return fake_channel(client.fake, name);
}

static uint64_t member(const char *name)
{
	return fake_member(client.fake, name);
}

/* Runs a command and takes what the bot hears of it. */
static uint64_t slash(const char *who, const char *command, const struct fake_option *options)
{
	uint64_t id = fake_slash(client.fake, member(who), channel("general"), command, options);

	if (!id)
		return 0;
	cJSON_Delete(event);
	event = client_expect(&client, 0, "INTERACTION_CREATE");
	assert_int_equal(json_snowflake(json_get(event, "d"), "id"), id);
	return id;
}

static int callback(const char *body)
{
	const cJSON *data = json_get(event, "d");

	snprintf(path, sizeof(path), "/interactions/%s/%s/callback", json_string(data, "id"),
		json_string(data, "token"));
	return client_call(&client, "POST", path, body);
}

static int webhook(const char *method, const char *rest, const char *body)
{
	const cJSON *data = json_get(event, "d");

	snprintf(path, sizeof(path), "/webhooks/%llu/%s%s", (unsigned long long)fake_bot(client.fake),
		json_string(data, "token"), rest);
	return client_call(&client, method, path, body);
}

static void expect_refusal(int status, int code)
{
	assert_int_equal(client.status, status);
	assert_int_equal(client_code(&client), code);
}

static void test_answer(void **state)
{
	uint64_t id = slash("alice", "rank", (struct fake_option[]){ { "member", "bob" }, { 0 } });
	const cJSON *data = json_get(event, "d"), *input = json_object(data, "data");
	struct fake_interaction_view view;
	struct fake_message_view message;
	char bob[24];

	(void)state;
	assert_true(id);
	snprintf(bob, sizeof(bob), "%llu", (unsigned long long)member("bob"));
	assert_int_equal(json_int(data, "type", 0), 2);
	assert_string_equal(json_string(input, "name"), "rank");
	assert_string_equal(json_string(json_array(input, "options")->child, "value"), bob);
	assert_non_null(json_object(json_object(json_object(input, "resolved"), "members"), bob));
	assert_string_equal(json_string(json_object(json_object(data, "member"), "user"), "username"), "alice");
	assert_int_equal(callback("{\"type\":4,\"data\":{\"content\":\"level 3\"}}"), 204);
	assert_int_equal(fake_wait_interaction(client.fake, id, true, SECOND, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_ANSWERED);
	assert_int_equal(fake_message(client.fake, channel("general"), view.message, &message), 0);
	assert_string_equal(message.content, "level 3");
	assert_false(message.ephemeral);
	assert_int_equal(callback("{\"type\":4,\"data\":{\"content\":\"again\"}}"), 400);
	assert_int_equal(client_code(&client), 40060);
	assert_int_equal(webhook("GET", "/messages/@original", NULL), 200);
	assert_string_equal(json_string(json_object(client.answer, "interaction_metadata"), "name"), "rank");
	assert_int_equal(webhook("PATCH", "/messages/@original", "{\"content\":\"level 4\"}"), 200);
	assert_int_equal(webhook("POST", "", "{\"content\":\"and more\",\"flags\":64}"), 200);
	assert_int_equal(webhook("DELETE", "/messages/@original", NULL), 204);
	assert_int_equal(webhook("GET", "/messages/@original", NULL), 404);
}

static void test_ephemeral(void **state)
{
	uint64_t id = slash("alice", "rank", NULL);
	struct fake_interaction_view view;

	(void)state;
	assert_int_equal(callback("{\"type\":4,\"data\":{\"content\":\"psst\",\"flags\":64}}"), 204);
	assert_int_equal(fake_interaction(client.fake, id, &view), 0);
	assert_true(view.ephemeral);
	client_expect_none(&client, "MESSAGE_CREATE");
	snprintf(path, sizeof(path), "/channels/%llu/messages/%llu", (unsigned long long)channel("general"),
		(unsigned long long)view.message);
	assert_int_equal(client_call(&client, "GET", path, NULL), 404);
	/* nor does anybody else see its buttons */
	assert_int_equal(fake_click(client.fake, member("bob"), channel("general"), view.message, "x"), 0);
}

static void test_defer(void **state)
{
	uint64_t id = slash("alice", "rank", NULL);
	struct fake_interaction_view view;
	struct fake_message_view message;

	(void)state;
	assert_int_equal(webhook("POST", "", "{\"content\":\"too early\"}"), 404);
	assert_int_equal(callback("{\"type\":5,\"data\":{\"flags\":64}}"), 204);
	assert_int_equal(fake_interaction(client.fake, id, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_DEFERRED);
	fake_advance(client.fake, 10 * MINUTE);
	/* the first follow-up fills the deferred answer in and stays ephemeral */
	assert_int_equal(webhook("POST", "", "{\"content\":\"done\"}"), 200);
	assert_int_equal(fake_interaction(client.fake, id, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_ANSWERED);
	assert_int_equal(fake_message(client.fake, channel("general"), view.message, &message), 0);
	assert_string_equal(message.content, "done");
	assert_true(message.ephemeral);
	fake_advance(client.fake, 6 * MINUTE);
	assert_int_equal(webhook("POST", "", "{\"content\":\"after 15 minutes\"}"), 401);
	assert_int_equal(client_code(&client), 50027);
}

static void test_three_seconds(void **state)
{
	uint64_t id = slash("alice", "rank", NULL);
	struct fake_interaction_view view;

	(void)state;
	fake_advance(client.fake, 3 * SECOND + MILLISECOND);
	assert_int_equal(fake_interaction(client.fake, id, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_FAILED);
	callback("{\"type\":4,\"data\":{\"content\":\"late\"}}");
	expect_refusal(404, 10062);
	client_call(&client, "POST", "/interactions/1/abc/callback", "{\"type\":5}");
	expect_refusal(404, 10062);
}

static void test_wrong_answers(void **state)
{
	uint64_t id = slash("alice", "rank", NULL);
	struct fake_interaction_view view;

	(void)state;
	callback("{\"type\":8,\"data\":{\"choices\":[]}}");
	expect_refusal(400, 50035);
	callback("{\"type\":4}");
	expect_refusal(400, 50035);
	callback("{\"type\":4,\"data\":{\"content\":\"\"}}");
	expect_refusal(400, 50006);
	callback("{\"type\":4,\"data\":{\"embeds\":[{\"fields\":[{\"name\":\"\",\"value\":\"v\"}]}]}}");
	expect_refusal(400, 50035);
	assert_non_null(json_object(json_object(client.answer, "errors"), "data"));
	/* a refused answer is none: there is still time for a better one */
	assert_int_equal(fake_interaction(client.fake, id, &view), 0);
	assert_int_equal(view.state, FAKE_INTERACTION_WAITING);
	assert_int_equal(callback("{\"type\":5}"), 204);
}

/* What Discord's client would not let a person send. */
static void test_input_rules(void **state)
{
	static const struct {
		const char *who, *command, *reason;
		struct fake_option options[4];
	} rows[] = {
		{ "alice", "nothing", "no command", { { 0 } } },
		{ "alice", "admin", "may not use", { { 0 } } },
		{ "alice", "mods", "may not use", { { 0 } } },
		{ "alice", "set", "level is required", { { 0 } } },
		{ "alice", "set", "no whole number", { { "level", "3.5" }, { "text", "t" }, { 0 } } },
		{ "alice", "set", "from 0 to 100", { { "level", "101" }, { "text", "t" }, { 0 } } },
		{ "alice", "set", "too long", { { "level", "1" }, { "text", "longer" }, { 0 } } },
		{ "alice", "set", "none of the choices",
			{ { "level", "1" }, { "text", "t" }, { "color", "blue" }, { 0 } } },
		{ "alice", "set", "no option", { { "level", "1" }, { "text", "t" }, { "size", "1" }, { 0 } } },
		{ "alice", "rank", "no person", { { "member", "nobody" }, { 0 } } },
		{ "alice", "rr", "subcommands", { { 0 } } },
		{ "alice", "rr nothing", "subcommands", { { 0 } } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(slash(rows[i].who, rows[i].command, rows[i].options), 0);
		assert_non_null(strstr(fake_refusal(client.fake), rows[i].reason));
	}
	assert_true(slash("carol", "mods", NULL)); /* who manages messages */
	assert_true(fake_slash(client.fake, fake_owner(client.fake), channel("general"), "admin", NULL));
	cJSON_Delete(client_expect(&client, 0, "INTERACTION_CREATE"));
	assert_true(slash("alice", "rr make", NULL));
	assert_true(slash("alice", "set",
		(struct fake_option[]){ { "level", "7" }, { "text", "abc" }, { "color", "red" }, { 0 } }));
	assert_int_equal(
		json_int(json_array(json_object(json_get(event, "d"), "data"), "options")->child, "value", 0), 7);
}

static void test_autocomplete(void **state)
{
	uint64_t id = fake_autocomplete(client.fake, member("alice"), channel("general"), "rr edit",
		(struct fake_option[]){ { "id", "12" }, { 0 } }, "id");
	const cJSON *sub;
	struct fake_interaction_view view;
	struct str body cleanup(str_finish) = STR_INIT;

	(void)state;
	event = client_expect(&client, 0, "INTERACTION_CREATE");
	assert_int_equal(json_int(json_get(event, "d"), "type", 0), 4);
	sub = json_array(json_object(json_get(event, "d"), "data"), "options")->child;
	assert_true(json_bool(json_array(sub, "options")->child, "focused", false));
	str_adds(&body, "{\"type\":8,\"data\":{\"choices\":[");
	for (int i = 0; i < 26; i++)
		str_printf(&body, "%s{\"name\":\"n\",\"value\":\"v\"}", i ? "," : "");
	str_adds(&body, "]}}");
	callback(body.buf);
	expect_refusal(400, 50035);
	assert_int_equal(callback("{\"type\":4,\"data\":{\"content\":\"x\"}}"), 400);
	assert_int_equal(callback("{\"type\":8,\"data\":{\"choices\":[{\"name\":\"One\",\"value\":\"123\"}]}}"), 204);
	assert_int_equal(fake_wait_interaction(client.fake, id, true, SECOND, &view), 0);
	assert_string_equal(json_string(json_array(view.data, "choices")->child, "name"), "One");
}

static void test_components(void **state)
{
	uint64_t id, click;
	struct fake_message_view view;
	struct fake_interaction_view interaction;

	(void)state;
	snprintf(path, sizeof(path), "/channels/%llu/messages", (unsigned long long)channel("general"));
	client_call(&client, "POST", path,
		"{\"content\":\"page 1\",\"components\":[{\"type\":1,\"components\":[{\"type\":2,\"style\":1,\"label\":\"next\",\"custom_id\":\"next\"},"
		"{\"type\":2,\"style\":1,\"label\":\"off\",\"custom_id\":\"off\",\"disabled\":true}]},"
		"{\"type\":1,\"components\":[{\"type\":3,\"custom_id\":\"menu\",\"options\":[{\"label\":\"A\",\"value\":\"a\"}]}]}]}");
	id = json_snowflake(client.answer, "id");
	assert_true(id);
	assert_int_equal(fake_click(client.fake, member("bob"), channel("general"), id, "unknown"), 0);
	assert_int_equal(fake_click(client.fake, member("bob"), channel("general"), id, "off"), 0);
	assert_int_equal(
		fake_select(client.fake, member("bob"), channel("general"), id, "menu", (const char *[]){ "b", NULL }),
		0);
	click = fake_click(client.fake, member("bob"), channel("general"), id, "next");
	assert_true(click);
	event = client_expect(&client, 0, "INTERACTION_CREATE");
	assert_int_equal(json_int(json_get(event, "d"), "type", 0), 3);
	assert_int_equal(json_snowflake(json_object(json_get(event, "d"), "message"), "id"), id);
	assert_int_equal(callback("{\"type\":7,\"data\":{\"content\":\"page 2\",\"components\":[]}}"), 204);
	assert_int_equal(fake_wait_edit(client.fake, channel("general"), id, "page 2", SECOND, &view), 0);
	assert_int_equal(cJSON_GetArraySize(view.components), 0);
	assert_int_equal(fake_interaction(client.fake, click, &interaction), 0);
	assert_int_equal(interaction.message, id);
}

static void test_modal(void **state)
{
	uint64_t id = slash("alice", "rank", NULL);

	(void)state;
	assert_int_equal(
		callback(
			"{\"type\":9,\"data\":{\"custom_id\":\"m\",\"title\":\"T\",\"components\":[{\"type\":1,\"components\":["
			"{\"type\":4,\"custom_id\":\"name\",\"style\":1,\"label\":\"Name\"}]}]}}"),
		204);
	assert_true(fake_modal_submit(client.fake, id, (struct fake_option[]){ { "name", "Wall-E" }, { 0 } }));
	cJSON_Delete(event);
	event = client_expect(&client, 0, "INTERACTION_CREATE");
	assert_int_equal(json_int(json_get(event, "d"), "type", 0), 5);
	assert_string_equal(json_string(json_object(json_get(event, "d"), "data"), "custom_id"), "m");
	assert_int_equal(callback("{\"type\":4,\"data\":{\"content\":\"thanks\"}}"), 204);
}

/* Tokens of interactions never get into the journal. */
static void test_journal_hides_tokens(void **state)
{
	struct str lines cleanup(str_finish) = STR_INIT;

	(void)state;
	slash("alice", "rank", NULL);
	callback("{\"type\":5}");
	webhook("PATCH", "/messages/@original", "{\"content\":\"x\"}");
	fake_write_calls(client.fake, &lines);
	assert_null(strstr(lines.buf, json_string(json_get(event, "d"), "token")));
	assert_int_equal(fake_count_calls(client.fake, "POST",
				 "/interactions/{interaction_id}/{interaction_token}/callback", NULL),
		1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answer),
		TEST(test_ephemeral),
		TEST(test_defer),
		TEST(test_three_seconds),
		TEST(test_wrong_answers),
		TEST(test_input_rules),
		TEST(test_autocomplete),
		TEST(test_components),
		TEST(test_modal),
		TEST(test_journal_hides_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
