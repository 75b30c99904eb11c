/* The fake's gateway: Discord's rules for connections and sessions. */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

static struct client client;

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

static uint64_t channel(const char *name)
{
	return fake_channel(client.fake, name);
}

static uint64_t member(const char *name)
{
	return fake_member(client.fake, name);
}

static void test_ready(void **state)
{
	cJSON *payload;

	(void)state;
	start(NULL);
	client_connect(&client, "?v=10&encoding=json");
	payload = client_expect(&client, 10, NULL);
	assert_int_equal(json_int(json_get(payload, "d"), "heartbeat_interval", 0), 41250);
	cJSON_Delete(payload);
	client_send(&client, "{\"op\":2,\"d\":{\"token\":\"%s\",\"intents\":%u,\"properties\":{}}}", FAKE_TOKEN,
		ALL_INTENTS);
	payload = client_expect(&client, 0, "READY");
	assert_int_equal(json_snowflake(json_object(json_get(payload, "d"), "user"), "id"), fake_bot(client.fake));
	assert_true(json_bool(json_array(json_get(payload, "d"), "guilds")->child, "unavailable", false));
	assert_string_equal(json_string(json_get(payload, "d"), "resume_gateway_url"), fake_gateway_url(client.fake));
	cJSON_Delete(payload);
	payload = client_expect(&client, 0, "GUILD_CREATE");
	assert_int_equal(cJSON_GetArraySize(json_array(json_get(payload, "d"), "members")), 1); /* only the bot */
	assert_true(cJSON_GetArraySize(json_array(json_get(payload, "d"), "roles")) > 20);
	assert_int_equal(json_int(json_get(payload, "d"), "member_count", 0), 13);
	cJSON_Delete(payload);
	client_send(&client, "{\"op\":1,\"d\":2}");
	cJSON_Delete(client_expect(&client, 11, NULL));
	assert_int_equal(fake_wait_sessions(client.fake, 1, PATIENCE), 0);
}

static void test_message(void **state)
{
	uint64_t id;
	cJSON *payload;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	id = fake_say(client.fake, member("alice"), channel("general"), "hello");
	assert_true(id);
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_int_equal(json_snowflake(json_get(payload, "d"), "id"), id);
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "hello");
	assert_non_null(json_object(json_get(payload, "d"), "member"));
	cJSON_Delete(payload);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_ready, teardown),
		cmocka_unit_test_teardown(test_message, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
