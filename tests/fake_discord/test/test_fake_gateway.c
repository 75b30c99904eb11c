/* The fake's gateway: Discord's rules for connections and sessions. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

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

static void test_message_content(void **state)
{
	uint64_t bot = 0;
	char text[64];
	cJSON *payload;

	(void)state;
	start(NULL);
	bot = fake_bot(client.fake);
	client_identify(&client, ALL_INTENTS & ~FAKE_INTENT_MESSAGE_CONTENT);
	fake_say(client.fake, member("alice"), channel("general"), "secret");
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "");
	cJSON_Delete(payload);
	snprintf(text, sizeof(text), "<@%llu> hello", (unsigned long long)bot);
	fake_say(client.fake, member("alice"), channel("general"), text);
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_string_equal(json_string(json_get(payload, "d"), "content"), text);
	cJSON_Delete(payload);
	fake_say(client.fake, member("alice"), fake_dm(client.fake, member("alice")), "in private");
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "in private");
	assert_null(json_get(json_get(payload, "d"), "guild_id"));
	cJSON_Delete(payload);
}

static void test_intents_filter(void **state)
{
	(void)state;
	start(NULL);
	client_identify(&client, 1); /* GUILDS only */
	fake_say(client.fake, member("alice"), channel("general"), "hello");
	fake_nick(client.fake, member("alice"), "Al");
	client_expect_none(&client, "MESSAGE_CREATE");
	fake_channel_create(client.fake, "new", 0, 0);
	cJSON_Delete(client_expect(&client, 0, "CHANNEL_CREATE"));
}

/* What the bot may not see is not dispatched. */
static void test_hidden_channel(void **state)
{
	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	fake_channel_permit(client.fake, channel("random"), fake_role(client.fake, "Wall-E"), 0, 1 << 10);
	fake_say(client.fake, member("alice"), channel("random"), "hidden");
	client_expect_none(&client, "MESSAGE_CREATE");
}

/* ---- mistakes and their close codes ---- */

static void connected(const char *query)
{
	client_connect(&client, query);
	cJSON_Delete(client_expect(&client, 10, NULL));
}

static int closed_after(const char *payload)
{
	int code;

	connected("?v=10&encoding=json");
	client_send(&client, "%s", payload);
	code = client_wait_closed(&client);
	return code;
}

#define IDENTIFY(intents) "{\"op\":2,\"d\":{\"token\":\"" FAKE_TOKEN "\",\"properties\":{},\"intents\":" intents "}}"

static void test_close_codes(void **state)
{
	const struct fake_options options = { .identify_interval = -1, .denied_intents = FAKE_INTENT_MESSAGE_CONTENT };
	char big[4200];

	(void)state;
	start(&options);
	assert_int_equal(closed_after("{\"op\":2,\"d\":{\"token\":\"wrong\",\"intents\":1,\"properties\":{}}}"), 4004);
	assert_int_equal(closed_after(IDENTIFY("33280")), 4014);
	assert_int_equal(closed_after(IDENTIFY("1073741824")), 4013);
	assert_int_equal(closed_after("{\"op\":2,\"d\":{\"token\":\"" FAKE_TOKEN "\",\"properties\":{}}}"), 4013);
	assert_int_equal(closed_after("{\"op\":8,\"d\":{}}"), 4003);
	assert_int_equal(closed_after("{\"op\":99,\"d\":{}}"), 4003);
	assert_int_equal(closed_after("no json"), 4002);
	assert_int_equal(closed_after("{\"op\":6,\"d\":{}}"), 4002);
	memset(big, ' ', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	memcpy(big, "{\"op\":1,\"d\":null}", 17);
	assert_int_equal(closed_after(big), 4002);
	client_identify(&client, 1);
	client_send(&client, "%s", IDENTIFY("1"));
	assert_int_equal(client_wait_closed(&client), 4005);
	client_identify(&client, 1);
	client_send(&client, "{\"op\":99}");
	assert_int_equal(client_wait_closed(&client), 4001);
	client_connect(&client, "?v=9&encoding=json");
	assert_int_equal(client_wait_closed(&client), 4012);
}

static void test_too_many_sends(void **state)
{
	(void)state;
	start(NULL);
	client_identify(&client, 1);
	for (int i = 0; i < 119; i++) {
		client_send(&client, "{\"op\":1,\"d\":null}");
		cJSON_Delete(client_expect(&client, 11, NULL));
	}
	assert_false(client.closed);
	client_send(&client, "{\"op\":1,\"d\":null}");
	assert_int_equal(client_wait_closed(&client), 4008);
}

static void test_no_heartbeat(void **state)
{
	const struct fake_options options = { .heartbeat = MILLISECOND };

	(void)state;
	start(&options);
	client_identify(&client, 1);
	assert_int_equal(client_wait_closed(&client), 4009);
	client_resume(&client, client.session, client.seq);
	cJSON_Delete(client_expect(&client, 9, NULL));
}

/* ---- limits of identifying ---- */

static void test_identify_limits(void **state)
{
	const struct fake_options options = { .identify_limit = 2 };
	cJSON *payload;

	(void)state;
	start(&options);
	client_identify(&client, 1);
	client_disconnect(&client);
	connected("?v=10&encoding=json");
	client_send(&client, "%s", IDENTIFY("1")); /* within 5 s of the first */
	payload = client_expect(&client, 9, NULL);
	assert_true(cJSON_IsFalse(json_get(payload, "d")));
	cJSON_Delete(payload);
	client_disconnect(&client);
	fake_advance(client.fake, 6 * SECOND);
	assert_int_equal(closed_after(IDENTIFY("1")), 4004); /* the third of two today */
	assert_int_equal(client_call(&client, "GET", "/users/@me", NULL), 401);
}

static void test_session_start_limit(void **state)
{
	(void)state;
	start(NULL);
	client_identify(&client, 1);
	assert_int_equal(client_call(&client, "GET", "/gateway/bot", NULL), 200);
	assert_int_equal(json_int(json_object(client.answer, "session_start_limit"), "remaining", 0), 999);
	assert_string_equal(json_string(client.answer, "url"), fake_gateway_url(client.fake));
}

/* ---- resuming ---- */

static void test_resume(void **state)
{
	cJSON *payload;
	int64_t seq;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	seq = client.seq;
	client_disconnect(&client);
	fake_say(client.fake, member("alice"), channel("general"), "one");
	fake_say(client.fake, member("bob"), channel("general"), "two");
	client_resume(&client, client.session, seq);
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_int_equal(json_int(payload, "s", 0), seq + 1);
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "one");
	cJSON_Delete(payload);
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "two");
	cJSON_Delete(payload);
	cJSON_Delete(client_expect(&client, 0, "RESUMED"));
}

static void expect_invalid(void)
{
	cJSON *payload = client_expect(&client, 9, NULL);

	assert_true(cJSON_IsFalse(json_get(payload, "d")));
	cJSON_Delete(payload);
	client_disconnect(&client);
}

static void test_resume_refused(void **state)
{
	const struct fake_options options = { .identify_interval = -1, .replay = 4 };

	(void)state;
	start(&options);
	/* unknown */
	client_resume(&client, "0123456789abcdef", 1);
	expect_invalid();
	/* ended by the client's 1000 */
	client_identify(&client, ALL_INTENTS);
	websocket_close(client.websocket, 1000);
	client_wait_closed(&client);
	client_resume(&client, client.session, 2);
	expect_invalid();
	/* too old */
	client_identify(&client, ALL_INTENTS);
	client_disconnect(&client);
	fake_advance(client.fake, 4 * MINUTE);
	client_resume(&client, client.session, 2);
	expect_invalid();
	/* more missed than is kept */
	client_identify(&client, ALL_INTENTS);
	client_disconnect(&client);
	for (int i = 0; i < 6; i++)
		fake_say(client.fake, member("alice"), channel("general"), "x");
	client_resume(&client, client.session, 2);
	expect_invalid();
	/* a sequence from the future */
	client_identify(&client, ALL_INTENTS);
	client_disconnect(&client);
	client_resume(&client, client.session, 1000);
	assert_int_equal(client_wait_closed(&client), 4007);
	/* any other close code keeps the session */
	client_identify(&client, ALL_INTENTS);
	websocket_close(client.websocket, 4000);
	client_wait_closed(&client);
	client_resume(&client, client.session, client.seq);
	cJSON_Delete(client_expect(&client, 0, "RESUMED"));
}

static void test_two_sessions(void **state)
{
	struct fake_gateway_stats stats;
	struct client second;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	second = client; /* the same loop and fake, another connection */
	second.received = cJSON_CreateArray();
	second.websocket = NULL;
	client_identify(&second, ALL_INTENTS);
	fake_say(client.fake, member("alice"), channel("general"), "hello");
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_CREATE"));
	cJSON_Delete(client_expect(&second, 0, "MESSAGE_CREATE"));
	fake_gateway(client.fake, &stats);
	assert_int_equal(stats.sessions, 2);
	client_disconnect(&second);
	cJSON_Delete(second.received);
}

/* ---- members ---- */

static void test_member_chunks(void **state)
{
	const struct fake_options options = { .members = 2500, .identify_interval = -1 };
	cJSON *payload, *data;
	int members = 0;

	(void)state;
	start(&options);
	client_identify(&client, ALL_INTENTS);
	client_send(&client, "{\"op\":8,\"d\":{\"guild_id\":\"%llu\",\"query\":\"\",\"limit\":0,\"nonce\":\"abc\"}}",
		(unsigned long long)fake_guild(client.fake));
	for (int i = 0; i < 3; i++) {
		payload = client_expect(&client, 0, "GUILD_MEMBERS_CHUNK");
		data = cJSON_GetObjectItem(payload, "d");
		assert_int_equal(json_int(data, "chunk_index", -1), i);
		assert_int_equal(json_int(data, "chunk_count", -1), 3);
		assert_string_equal(json_string(data, "nonce"), "abc");
		members += cJSON_GetArraySize(json_array(data, "members"));
		cJSON_Delete(payload);
	}
	assert_int_equal(members, 2513);
	client_send(&client, "{\"op\":8,\"d\":{\"guild_id\":\"%llu\",\"query\":\"\",\"limit\":0,\"nonce\":\"again\"}}",
		(unsigned long long)fake_guild(client.fake));
	payload = client_expect(&client, 0, "RATE_LIMITED");
	data = cJSON_GetObjectItem(payload, "d");
	assert_int_equal(json_int(data, "opcode", 0), 8);
	assert_true(json_double(data, "retry_after", 0) > 20);
	assert_string_equal(json_string(json_object(data, "meta"), "nonce"), "again");
	cJSON_Delete(payload);
	client_send(&client, "{\"op\":8,\"d\":{\"guild_id\":\"%llu\",\"user_ids\":[\"%llu\",\"123\"]}}",
		(unsigned long long)fake_guild(client.fake), (unsigned long long)member("bob"));
	payload = client_expect(&client, 0, "GUILD_MEMBERS_CHUNK");
	data = cJSON_GetObjectItem(payload, "d");
	assert_int_equal(cJSON_GetArraySize(json_array(data, "members")), 1);
	assert_string_equal(json_array(data, "not_found")->child->valuestring, "123");
	cJSON_Delete(payload);
	client_send(&client, "{\"op\":8,\"d\":{\"guild_id\":\"%llu\",\"query\":\"user_1\",\"limit\":5}}",
		(unsigned long long)fake_guild(client.fake));
	payload = client_expect(&client, 0, "GUILD_MEMBERS_CHUNK");
	assert_int_equal(cJSON_GetArraySize(json_array(json_get(payload, "d"), "members")), 5);
	cJSON_Delete(payload);
}

/* ---- faults ---- */

static void test_faults(void **state)
{
	cJSON *payload;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	fake_gateway_reconnect(client.fake, FAKE_ALL);
	cJSON_Delete(client_expect(&client, 7, NULL));
	fake_gateway_ask_heartbeat(client.fake, FAKE_ALL);
	cJSON_Delete(client_expect(&client, 1, NULL));
	fake_gateway_invalidate(client.fake, FAKE_ALL, true);
	payload = client_expect(&client, 9, NULL);
	assert_true(cJSON_IsTrue(json_get(payload, "d")));
	cJSON_Delete(payload);
	fake_gateway_close(client.fake, FAKE_ALL, 4000);
	assert_int_equal(client_wait_closed(&client), 4000);
	client_resume(&client, client.session, client.seq);
	cJSON_Delete(client_expect(&client, 0, "RESUMED"));
	fake_gateway_drop(client.fake, FAKE_ALL);
	assert_int_equal(client_wait_closed(&client), 0);
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .reconnect_before_hello = true });
	client_connect(&client, "?v=10&encoding=json");
	cJSON_Delete(client_expect(&client, 7, NULL));
	client_disconnect(&client);
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .refuse_resumes = 1 });
	client_resume(&client, client.session, client.seq);
	expect_invalid();
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .refuse_connections = 1 });
	client_connect(&client, "?v=10&encoding=json");
	assert_false(client.opened);
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .silent = true });
	client_connect(&client, "?v=10&encoding=json");
	assert_true(client.opened);
	client_disconnect(&client);
}

static void test_no_ack(void **state)
{
	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .no_ack = true });
	client_send(&client, "{\"op\":1,\"d\":null}");
	fake_say(client.fake, member("alice"), channel("general"), "after");
	/* had there been an ACK, it would have come first */
	for (;;) {
		struct fake_gateway_stats stats;

		fake_gateway(client.fake, &stats);
		if (stats.heartbeats)
			break;
		uv_run(&client.loop->uv, UV_RUN_NOWAIT);
	}
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_CREATE"));
	assert_null(client.received->child);
}

/* A large frame in pieces of 100 bytes with pings between them, then 7 bytes a write. */
static void test_fragments(void **state)
{
	const struct fake_gateway_faults faults = { .fragment = 100, .dribble = 977 };

	(void)state;
	start(NULL);
	fake_gateway_set_faults(client.fake, &faults);
	client_identify(&client, ALL_INTENTS);
	fake_say(client.fake, member("alice"), channel("general"), "in pieces");
	cJSON_Delete(client_expect(&client, 0, "MESSAGE_CREATE"));
}

static void test_duplicate_and_missing(void **state)
{
	cJSON *payload;
	int64_t seq;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .duplicate = 1 });
	fake_say(client.fake, member("alice"), channel("general"), "twice");
	for (int i = 0; i < 2; i++) {
		payload = client_expect(&client, 0, "MESSAGE_CREATE");
		seq = json_int(payload, "s", 0);
		assert_int_equal(seq, client.seq);
		cJSON_Delete(payload);
	}
	fake_gateway_set_faults(client.fake, &(struct fake_gateway_faults){ .skip = 1 });
	fake_say(client.fake, member("alice"), channel("general"), "lost");
	fake_say(client.fake, member("alice"), channel("general"), "there");
	payload = client_expect(&client, 0, "MESSAGE_CREATE");
	assert_string_equal(json_string(json_get(payload, "d"), "content"), "there");
	assert_int_equal(json_int(payload, "s", 0), seq + 2);
	cJSON_Delete(payload);
}

static void test_outage(void **state)
{
	cJSON *payload;

	(void)state;
	start(NULL);
	client_identify(&client, ALL_INTENTS);
	fake_outage(client.fake, true);
	payload = client_expect(&client, 0, "GUILD_DELETE");
	assert_true(json_bool(json_get(payload, "d"), "unavailable", false));
	cJSON_Delete(payload);
	fake_outage(client.fake, false);
	cJSON_Delete(client_expect(&client, 0, "GUILD_CREATE"));
	fake_remove_bot(client.fake);
	payload = client_expect(&client, 0, "GUILD_DELETE");
	assert_null(json_get(json_get(payload, "d"), "unavailable"));
	cJSON_Delete(payload);
	fake_invite_bot(client.fake);
	cJSON_Delete(client_expect(&client, 0, "GUILD_CREATE"));
}

static bool has_binary(void *arg)
{
	return ((struct client *)arg)->binary.len > 0;
}

/* One deflate context for the connection: each message ends in 00 00 FF FF and continues where the last one ended. */
static void test_compression(void **state)
{
	z_stream inflater = { 0 };
	char text[4096];

	(void)state;
	start(NULL);
	assert_int_equal(inflateInit(&inflater), Z_OK);
	client_connect(&client, "?v=10&encoding=json&compress=zlib-stream");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(loop_run_until(client.loop, has_binary, &client, PATIENCE), 0);
		assert_memory_equal(client.binary.buf + client.binary.len - 4, "\0\0\xff\xff", 4);
		inflater.next_in = (unsigned char *)client.binary.buf;
		inflater.avail_in = (unsigned)client.binary.len;
		inflater.next_out = (unsigned char *)text;
		inflater.avail_out = sizeof(text) - 1;
		assert_int_equal(inflate(&inflater, Z_SYNC_FLUSH), Z_OK);
		*inflater.next_out = 0;
		assert_non_null(strstr(text, i ? "\"op\":11" : "\"op\":10"));
		str_clear(&client.binary);
		client_send(&client, "{\"op\":1,\"d\":null}");
	}
	inflateEnd(&inflater);
}

static void test_stream(void **state)
{
	const struct fake_options options = { .members = 50, .identify_interval = -1 };
	struct fake_stream stream = { .count = 1000, .members = 40, .content = "flood" };
	uint64_t last = 0;
	bool done;

	(void)state;
	start(&options);
	client_identify(&client, ALL_INTENTS);
	stream.channel = channel("general");
	assert_int_equal(fake_stream_start(client.fake, &stream), 0);
	for (int i = 0; i < 1000; i++) {
		cJSON *payload = client_expect(&client, 0, "MESSAGE_CREATE");
		const cJSON *data = json_get(payload, "d");

		assert_string_equal(json_string(data, "content"), "flood");
		assert_true(json_snowflake(data, "id") > last);
		last = json_snowflake(data, "id");
		assert_string_not_equal(json_string(json_object(data, "author"), "username"), "Wall-E");
		cJSON_Delete(payload);
	}
	assert_int_equal(fake_stream_progress(client.fake, &done), 1000);
	assert_true(done);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ready),
		TEST(test_message),
		TEST(test_message_content),
		TEST(test_intents_filter),
		TEST(test_hidden_channel),
		TEST(test_close_codes),
		TEST(test_too_many_sends),
		TEST(test_no_heartbeat),
		TEST(test_identify_limits),
		TEST(test_session_start_limit),
		TEST(test_resume),
		TEST(test_resume_refused),
		TEST(test_two_sessions),
		TEST(test_member_chunks),
		TEST(test_faults),
		TEST(test_no_ack),
		TEST(test_fragments),
		TEST(test_duplicate_and_missing),
		TEST(test_outage),
		TEST(test_compression),
		TEST(test_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
