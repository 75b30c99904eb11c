/* member_listener/listener.c: events in, rows out; the gateway is the test's own. */
#include "support.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "listener.h"
#include "models/profile.h"

#define GUILD 500
#define BOT   1
#define ALICE 77
#define BOB   78
#define CAROL 79

struct test {
	struct fixture *fixture;
	struct service service;
	int64_t sequence;
	bool replayed; /* the next events are */
};

/* What the listener asked of the gateway last. */
static struct {
	int requests, answer;
	char nonce[40];
} gateway;

int __wrap_gateway_client_request_members(
	struct gateway_client *client, snowflake guild, const char *nonce, const snowflake *user_ids, size_t count);
int __wrap_gateway_client_request_members(
	struct gateway_client *client, snowflake guild, const char *nonce, const snowflake *user_ids, size_t count)
{
	assert_null(client);
	assert_int_equal(guild, GUILD);
	assert_null(user_ids);
	assert_int_equal(count, 0);
	snprintf(gateway.nonce, sizeof(gateway.nonce), "%s", nonce);
	gateway.requests++;
	return gateway.answer;
}

static void on_failed(void *arg, int error)
{
	(void)arg;
	fail_msg("the batch failed: %d", error);
}

static int set_up(void **state)
{
	struct test *test = xcalloc(1, sizeof(*test));
	void *fixture = NULL;

	memset(&gateway, 0, sizeof(gateway));
	assert_int_equal(fixture_setup(&fixture), 0);
	test->fixture = fixture;
	test->service.db = test->fixture->db;
	test->service.guild_id = GUILD;
	test->service.user_id = BOT;
	test->service.settings.cdn_url = xstrdup("https://cdn.example");
	assert_int_equal(loop_init(&test->service.loop), 0);
	assert_int_equal(batch_create(&test->service.loop, test->service.db, "member_listener", 0, on_failed, test,
				 &test->service.batch),
		0);
	assert_int_equal(listener_start(&test->service, false), 0);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test *test = *state;
	void *fixture = test->fixture;

	listener_stop(&test->service);
	listener_finish(&test->service);
	batch_destroy(test->service.batch);
	assert_int_equal(loop_finish(&test->service.loop), 0);
	free(test->service.settings.cdn_url);
	free(test);
	return fixture_teardown(&fixture);
}

static void dispatch(struct test *test, const char *event, const char *format, ...) printf_like(3, 4);
static void dispatch(struct test *test, const char *event, const char *format, ...)
{
	struct str text cleanup(str_finish) = STR_INIT;
	cJSON *d cleanup(json_freep) = NULL;
	va_list args;
	int r;

	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	assert_int_equal(json_parse(text.buf, text.len, &d), 0);
	assert_int_equal(batch_event_begin(test->service.batch), 0);
	r = listener_dispatch(&test->service, event, d, test->replayed);
	assert_int_equal(batch_event_end(test->service.batch, ++test->sequence, r), 0);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void run(struct test *test, usec duration)
{
	assert_int_equal(batch_flush(test->service.batch), 0);
	assert_int_equal(loop_run_until(&test->service.loop, never, NULL, duration), -ETIMEDOUT);
}

static void new_session(struct test *test)
{
	dispatch(test, "READY", "{}");
	dispatch(test, "GUILD_CREATE", "{\"id\":\"%d\"}", GUILD);
	run(test, MILLISECOND);
}

#define MEMBER "{\"user\":{\"id\":\"%d\",\"username\":\"%s\",\"discriminator\":\"0\"},\"nick\":%s,\"roles\":[]}"
#define LIVE                                                                                         \
	"{\"guild_id\":\"%d\",\"user\":{\"id\":\"%d\",\"username\":\"%s\",\"discriminator\":\"0\"}," \
	"\"nick\":%s,\"roles\":[]}"
#define SELF  "{\"user\":{\"id\":\"1\",\"username\":\"wall-e\",\"bot\":true},\"roles\":[]}"
#define CHUNK "{\"guild_id\":\"%d\",\"nonce\":\"%s\",\"chunk_index\":%d,\"chunk_count\":%d,\"members\":["

/* NULL: no row */
static const char *nick_of(struct test *test, uint64_t user_id)
{
	static char text[64];
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile profile;
	int r = profile_get(test->service.db, user_id, &arena, &profile);

	if (r == -ENOENT)
		return NULL;
	assert_int_equal(r, 0);
	snprintf(text, sizeof(text), "%s%s", profile.present ? "" : "absent ", profile.nick ? profile.nick : "-");
	return text;
}

static void live_changes_are_written_at_once(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, ALICE, "alice", "null");
	assert_string_equal(nick_of(test, ALICE), "-");
	dispatch(test, "GUILD_MEMBER_UPDATE", LIVE, GUILD, ALICE, "alice", "\"Al\"");
	assert_string_equal(nick_of(test, ALICE), "Al");
	dispatch(test, "GUILD_MEMBER_REMOVE", "{\"guild_id\":\"%d\",\"user\":{\"id\":\"%d\",\"username\":\"alice\"}}",
		GUILD, ALICE);
	assert_string_equal(nick_of(test, ALICE), "absent Al");
}

static void other_guilds_and_events_are_ignored(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD + 1, ALICE, "alice", "null");
	dispatch(test, "GUILD_CREATE", "{\"id\":\"%d\"}", GUILD + 1);
	dispatch(test, "MESSAGE_CREATE", "{\"guild_id\":\"%d\"}", GUILD);
	run(test, MILLISECOND);
	assert_null(nick_of(test, ALICE));
	assert_int_equal(gateway.requests, 0);
}

static void malformed_events_are_passed_over(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", "{\"guild_id\":\"%d\"}", GUILD);
	dispatch(test, "GUILD_MEMBER_UPDATE", "{\"guild_id\":\"%d\",\"user\":{\"id\":\"x\"}}", GUILD);
	dispatch(test, "GUILD_MEMBER_REMOVE", "{\"guild_id\":\"%d\",\"user\":[]}", GUILD);
	dispatch(test, "GUILD_MEMBERS_CHUNK", "{\"guild_id\":\"%d\"}", GUILD);
	dispatch(test, "RATE_LIMITED", "[]");
	dispatch(test, "GUILD_MEMBER_ADD", "null");
	assert_int_equal(batch_flush(test->service.batch), 0);
	assert_int_equal(batch_sequence(test->service.batch), 6);
}

static void a_new_session_compares_the_list(void **state)
{
	struct test *test = *state;

	/* Carol was here when we last looked. */
	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, CAROL, "carol", "null");
	new_session(test);
	assert_int_equal(gateway.requests, 1);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "," MEMBER "]}", GUILD, gateway.nonce, 0, 2, ALICE, "alice",
		"\"Al\"");
	assert_string_equal(nick_of(test, ALICE), "Al");
	assert_string_equal(nick_of(test, CAROL), "-");
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK MEMBER "]}", GUILD, gateway.nonce, 1, 2, BOB, "bob", "null");
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, BOB), "-");
	assert_string_equal(nick_of(test, CAROL), "absent -");
	assert_null(nick_of(test, BOT));

	/* Complete: a resume needs no list. */
	dispatch(test, "RESUMED", "{}");
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 1);
}

static void live_events_win_over_the_list(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, CAROL, "carol", "null");
	new_session(test);
	/* Between request and list: Alice is renamed, Bob joins, Carol leaves; the list knows none of it. */
	dispatch(test, "GUILD_MEMBER_UPDATE", LIVE, GUILD, ALICE, "alice", "\"new\"");
	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, BOB, "bob", "\"joined\"");
	dispatch(test, "GUILD_MEMBER_REMOVE", "{\"guild_id\":\"%d\",\"user\":{\"id\":\"%d\",\"username\":\"carol\"}}",
		GUILD, CAROL);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "," MEMBER "," MEMBER "]}", GUILD, gateway.nonce, 0, 1, ALICE,
		"alice", "\"old\"", CAROL, "carol", "null");
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, ALICE), "new");
	assert_string_equal(nick_of(test, BOB), "joined");
	assert_string_equal(nick_of(test, CAROL), "absent -");
}

static void a_list_without_the_bot_is_not_believed(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, ALICE, "alice", "null");
	new_session(test);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK "]}", GUILD, gateway.nonce, 0, 1);
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, ALICE), "-");
}

static void unreadable_members_are_here_all_the_same(void **state)
{
	struct test *test = *state;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, ALICE, "alice", "null");
	new_session(test);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF ",7,{},{\"user\":{\"id\":\"%d\"}}]}", GUILD, gateway.nonce, 0,
		1, ALICE);
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, ALICE), "-");
}

static void a_reconnect_in_the_middle_starts_the_list_again(void **state)
{
	struct test *test = *state;
	char first[40];

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, CAROL, "carol", "null");
	new_session(test);
	snprintf(first, sizeof(first), "%s", gateway.nonce);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "]}", GUILD, first, 0, 2);
	dispatch(test, "RESUMED", "{}");
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 2);
	/* The old list's end comes late and means nothing. */
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK "]}", GUILD, first, 1, 2);
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, CAROL), "-");
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "]}", GUILD, gateway.nonce, 0, 1);
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, CAROL), "absent -");
}

/* What was received before the connection was lost may have been lost with its transaction. */
static void replayed_pieces_complete_nothing(void **state)
{
	struct test *test = *state;
	char first[40];

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, CAROL, "carol", "null");
	new_session(test);
	snprintf(first, sizeof(first), "%s", gateway.nonce);
	test->replayed = true;
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "]}", GUILD, first, 0, 1);
	run(test, 5 * MILLISECOND);
	assert_string_equal(nick_of(test, CAROL), "-");
	test->replayed = false;
	dispatch(test, "RESUMED", "{}");
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 2);
}

static void a_resumed_process_asks_once(void **state)
{
	struct test *test = *state;

	dispatch(test, "RESUMED", "{}");
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 1);
	dispatch(test, "GUILD_MEMBERS_CHUNK", CHUNK SELF "]}", GUILD, gateway.nonce, 0, 1);
	run(test, 5 * MILLISECOND);
	dispatch(test, "RESUMED", "{}");
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 1);
}

static void an_outage_marks_nobody_absent(void **state)
{
	struct test *test = *state;
	struct str reason cleanup(str_finish) = STR_INIT;

	dispatch(test, "GUILD_MEMBER_ADD", LIVE, GUILD, ALICE, "alice", "null");
	dispatch(test, "GUILD_DELETE", "{\"id\":\"%d\",\"unavailable\":true}", GUILD);
	dispatch(test, "GUILD_DELETE", "{\"id\":\"%d\"}", GUILD);
	dispatch(test, "GUILD_CREATE", "{\"id\":\"%d\",\"unavailable\":true}", GUILD);
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 0);
	assert_string_equal(nick_of(test, ALICE), "-");
	/* Back again: what happened meanwhile is in the list. */
	dispatch(test, "GUILD_CREATE", "{\"id\":\"%d\"}", GUILD);
	run(test, MILLISECOND);
	assert_int_equal(gateway.requests, 1);
	listener_check(&test->service, &reason);
	assert_string_equal(reason.buf, "");
}

static void rate_limits_delay_the_next_request(void **state)
{
	struct test *test = *state;
	struct str text cleanup(str_finish) = STR_INIT;

	new_session(test);
	dispatch(test, "RATE_LIMITED",
		"{\"opcode\":8,\"retry_after\":0.05,\"meta\":{\"guild_id\":\"%d\",\"nonce\":\"%s\"}}", GUILD,
		gateway.nonce);
	run(test, 20 * MILLISECOND);
	assert_int_equal(gateway.requests, 1);
	listener_dump(&test->service, &text);
	assert_non_null(strstr(text.buf, "wanted"));
	run(test, 300 * MILLISECOND);
	assert_int_equal(gateway.requests, 2);
}

static void a_request_that_cannot_be_sent_is_repeated(void **state)
{
	struct test *test = *state;

	gateway.answer = -ENOTCONN;
	new_session(test);
	assert_int_equal(gateway.requests, 1);
	gateway.answer = 0;
	run(test, 1100 * MILLISECOND);
	assert_int_equal(gateway.requests, 2);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(live_changes_are_written_at_once),
		TEST(other_guilds_and_events_are_ignored),
		TEST(malformed_events_are_passed_over),
		TEST(a_new_session_compares_the_list),
		TEST(live_events_win_over_the_list),
		TEST(a_list_without_the_bot_is_not_believed),
		TEST(unreadable_members_are_here_all_the_same),
		TEST(a_reconnect_in_the_middle_starts_the_list_again),
		TEST(replayed_pieces_complete_nothing),
		TEST(a_resumed_process_asks_once),
		TEST(an_outage_marks_nobody_absent),
		TEST(rate_limits_delay_the_next_request),
		TEST(a_request_that_cannot_be_sent_is_repeated),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
