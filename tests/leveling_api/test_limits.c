/* leveling_api/rate_limit.c, connections.c, cursor.c and the small functions of reply.c, with a clock of the test's own. */
#include "support.h"

#include <sys/socket.h>
#include <unistd.h>

#include "connections.h"
#include "cursor.h"
#include "rate_limit.h"
#include "reply.h"

static void test_rate(void **state)
{
	struct rate_limit *limit = rate_limit_create(6);
	struct rate_limit_result result;
	usec now = 1000 * SECOND;

	(void)state;
	for (int i = 5; i >= 0; i--) {
		result = rate_limit_take(limit, "192.0.2.1", now);
		assert_true(result.allowed);
		assert_int_equal(result.limit, 6);
		assert_int_equal(result.remaining, i);
	}
	assert_int_equal(result.reset, 60);
	result = rate_limit_take(limit, "192.0.2.1", now);
	assert_false(result.allowed);
	assert_int_equal(result.reset, 10);
	assert_true(rate_limit_take(limit, "192.0.2.2", now).allowed);
	now += 10 * SECOND - 1;
	assert_false(rate_limit_take(limit, "192.0.2.1", now).allowed);
	now += 1;
	assert_true(rate_limit_take(limit, "192.0.2.1", now).allowed);
	assert_false(rate_limit_take(limit, "192.0.2.1", now).allowed);
	/* A bucket never holds more than its size. */
	now += HOUR;
	assert_int_equal(rate_limit_take(limit, "192.0.2.1", now).remaining, 5);
	/* A customer's whole IPv6 network counts as one. */
	for (int i = 0; i < 6; i++)
		assert_true(rate_limit_take(limit, i % 2 ? "2001:db8::1" : "2001:db8::ffff", now).allowed);
	assert_false(rate_limit_take(limit, "2001:db8:0:0:5::", now).allowed);
	assert_true(rate_limit_take(limit, "2001:db8:0:1::", now).allowed);
	/* A proxy that listens on both kinds writes IPv4 as IPv6: each is the client that he is, and not one network of them all. */
	for (int i = 0; i < 6; i++)
		assert_true(rate_limit_take(limit, i % 2 ? "::ffff:192.0.2.7" : "192.0.2.7", now).allowed);
	assert_false(rate_limit_take(limit, "::ffff:192.0.2.7", now).allowed);
	assert_true(rate_limit_take(limit, "::ffff:192.0.2.8", now).allowed);
	rate_limit_destroy(limit);
}

static bool is_shut(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_deadlines(void **state)
{
	struct connections connections = { .limit = 100 };
	struct connection *waiting, *answering;
	int first[2], second[2];
	usec now = 50 * SECOND;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, first), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, second), 0);
	assert_int_equal(connections_next_deadline(&connections), INT64_MAX);
	waiting = connections_add(&connections, first[0], "a", now);
	answering = connections_add(&connections, second[0], "b", now);
	connections_set_state(&connections, answering, CONNECTION_ANSWERING, now);
	assert_int_equal(connections_next_deadline(&connections), now + CONNECTION_WAITS);
	assert_int_equal(connections_sweep(&connections, now + CONNECTION_WAITS - 1), 0);
	assert_int_equal(connections_sweep(&connections, now + CONNECTION_WAITS), 1);
	assert_true(is_shut(first[1]));
	assert_false(is_shut(second[1]));
	/* A slow reader goes too, only later. */
	assert_int_equal(connections_sweep(&connections, now + CONNECTION_ANSWERS) >= 1, 1);
	assert_true(is_shut(second[1]));
	connections_remove(&connections, waiting);
	connections_remove(&connections, answering);
	assert_int_equal(connections.count, 0);
	for (int i = 0; i < 2; i++) {
		close(first[i]);
		close(second[i]);
	}
}

static void test_the_longest_waiting_make_room(void **state)
{
	struct connections connections = { .limit = 3 };
	struct connection *list[5];
	int pairs[5][2];

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
		list[i] = connections_add(&connections, pairs[i][0], "a", i);
	}
	connections_set_state(&connections, list[0], CONNECTION_ANSWERING, 5);
	connections_set_state(&connections, list[1], CONNECTION_WAITING, 6);
	assert_int_equal(connections_sweep(&connections, 10), 2);
	assert_false(is_shut(pairs[0][1]));
	assert_false(is_shut(pairs[1][1]));
	assert_true(is_shut(pairs[2][1]));
	assert_true(is_shut(pairs[3][1]));
	assert_false(is_shut(pairs[4][1]));
	for (int i = 0; i < 5; i++) {
		connections_remove(&connections, list[i]);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

/* Nobody waits, and there are too many all the same: who is slowest to take his answer goes. */
static void test_the_slowest_readers_make_room(void **state)
{
	struct connections connections = { .limit = 1 };
	struct connection *list[3];
	int pairs[3][2];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]), 0);
		list[i] = connections_add(&connections, pairs[i][0], "a", i);
		connections_set_state(&connections, list[i], CONNECTION_ANSWERING, 3 + i);
	}
	connections_set_state(&connections, list[2], CONNECTION_WAITING, 6);
	assert_int_equal(connections_sweep(&connections, 10), 2);
	assert_true(is_shut(pairs[2][1]));
	assert_true(is_shut(pairs[0][1]));
	assert_false(is_shut(pairs[1][1]));
	for (int i = 0; i < 3; i++) {
		connections_remove(&connections, list[i]);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

static void test_what_is_held(void **state)
{
	struct connections connections = { .limit = 10 };
	struct connection *one = connections_add(&connections, -1, "a", 0),
			  *other = connections_add(&connections, -1, "b", 0);

	(void)state;
	connections_hold(&connections, one, 100);
	connections_hold(&connections, other, 20);
	assert_int_equal(connections.held, 120);
	connections_hold(&connections, one, 0);
	assert_int_equal(connections.held, 20);
	/* One that ends in the middle of its answer. */
	connections_remove(&connections, other);
	assert_int_equal(connections.held, 0);
	connections_remove(&connections, one);
}

static void test_cursors(void **state)
{
	static const char *const bad[] = { "", ".", "1", "1.2.3", "1.2.3.4.5", "a.2.3.4", "1.2.3.", "-1.2.3.4",
		"1.2.3.4.", "1.9223372036854775808.3.4", "1.2.9223372036854775808.4", "1.2.3.9223372036854775808",
		"1.2.3.0", "18446744073709551616.2.3.4", "00000000000000000000000001.2.3.4" };
	const struct cursor cursor = { UINT64_MAX, { INT64_MAX, INT64_MAX }, INT64_MAX };
	struct str text cleanup(str_finish) = STR_INIT;
	struct cursor parsed;

	(void)state;
	cursor_write(&text, &cursor);
	assert_int_equal(cursor_parse(text.buf, &parsed), 0);
	assert_true(parsed.order == cursor.order && parsed.key.points == INT64_MAX && parsed.key.id == INT64_MAX &&
		    parsed.rank == INT64_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (cursor_parse(bad[i], &parsed) == 0)
			fail_msg("%s", bad[i]);
	}
}

static void test_tags(void **state)
{
	struct str a cleanup(str_finish) = STR_INIT;
	struct str b cleanup(str_finish) = STR_INIT;
	char text[100] = { 0 };

	(void)state;
	/* One more zero byte is another text. */
	for (size_t len = 0; len + 1 < sizeof(text); len++) {
		str_clear(&a);
		str_clear(&b);
		reply_hash(&a, text, len);
		reply_hash(&b, text, len + 1);
		assert_int_equal(a.len, 32);
		assert_string_not_equal(a.buf, b.buf);
	}
	assert_true(reply_tag_matches("\"a\"", "\"a\""));
	assert_true(reply_tag_matches("\"x\", W/\"a\"", "\"a\""));
	assert_true(reply_tag_matches("*", "\"a\""));
	assert_false(reply_tag_matches("\"ab\"", "\"a\""));
	assert_false(reply_tag_matches("", "\"a\""));
	assert_false(reply_tag_matches("W/", "\"a\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_the_longest_waiting_make_room),
		cmocka_unit_test(test_the_slowest_readers_make_room),
		cmocka_unit_test(test_what_is_held),
		cmocka_unit_test(test_cursors),
		cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
