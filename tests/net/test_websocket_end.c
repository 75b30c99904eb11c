/* shared/net/websocket.c: every way in which a connection can end. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"
#include "websocket_client.h"

/* === endings that are the peer's === */

enum ending {
	END_RESET,
	END_EOF,
	END_CLOSE_WITHOUT_CODE,
	END_BAD_UTF8,
	END_CUT_UTF8,
	END_TOO_LARGE,
	END_TOO_LARGE_IN_PIECES,
	END_GARBAGE
};

static int ends(int fd, int connection, void *arg)
{
	static char chunk[1 << 20];

	(void)connection;
	memset(chunk, 'x', sizeof(chunk));
	if (!peer_ws_accept(fd))
		return 0;
	peer_ws_write(fd, 0x81, "hi", 2);
	switch (*(enum ending *)arg) {
	case END_RESET: usleep(100 * 1000); return peer_reset(fd);
	case END_EOF: return 0;
	case END_CLOSE_WITHOUT_CODE: peer_ws_write(fd, 0x88, "", 0); break;
	case END_BAD_UTF8: peer_ws_write(fd, 0x81, "a\xff", 2); break;
	case END_CUT_UTF8: peer_ws_write(fd, 0x81, "a\xe2\x82", 3); break;
	case END_TOO_LARGE: /* seen as soon as lws hands a first piece over */
		peer_write(fd, "\x81\x7f\0\0\0\0\x01\0\0\x01", 10);
		peer_write(fd, chunk, sizeof(chunk) / 8);
		break;
	case END_TOO_LARGE_IN_PIECES:
		peer_ws_write(fd, 0x01, chunk, sizeof(chunk));
		while (peer_ws_write(fd, 0x00, chunk, sizeof(chunk)))
			;
		break;
	case END_GARBAGE: peer_write(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12); break;
	}
	peer_read_end(fd);
	return 0;
}

static void test_endings_by_the_peer(void **state)
{
	static const struct {
		enum ending ending;
		int code, error;
	} cases[] = {
		{ END_RESET, 0, -ECONNRESET },
		{ END_EOF, 0, -ECONNRESET },
		{ END_CLOSE_WITHOUT_CODE, 1005, 0 },
		{ END_BAD_UTF8, 0, -EILSEQ },
		{ END_CUT_UTF8, 0, -EILSEQ },
		{ END_TOO_LARGE, 0, -EMSGSIZE },
		{ END_TOO_LARGE_IN_PIECES, 0, -EMSGSIZE },
		{ END_GARBAGE, 0, -ECONNRESET },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum ending ending = cases[i].ending;
		struct client c = { 0 };
		struct peer peer;

		assert_int_equal(peer_start(&peer, ends, &ending), 0);
		client_connect_port(&c, peer.port);
		client_wait_closed(&c);
		if (c.error != cases[i].error || c.code != cases[i].code || c.messages != 1)
			fail_msg("case %zu: code %d, error %d, %zu messages", i, c.code, c.error, c.messages);
		peer_stop(&peer);
		client_finish(&c);
	}
}

/* === endings that are ours === */

struct close_seen {
	int frames, code;
	size_t len;
	bool ended;
	bool answers, unread;
	char text[64];
};

/* Reads frames until a close frame; answers it if it is told to. */
static int watches_close(int fd, int connection, void *arg)
{
	struct close_seen *seen = arg;
	unsigned char payload[4096];
	size_t len;
	int first;

	(void)connection;
	if (!peer_ws_accept(fd))
		return 0;
	peer_ws_write(fd, 0x81, "hi", 2);
	if (seen->unread) {
		usleep(1500 * 1000);
		return 0;
	}
	while ((first = peer_ws_read(fd, payload, sizeof(payload) - 1, &len)) >= 0) {
		if (first == 0x88) {
			seen->frames++;
			seen->len = len;
			if (len >= 2)
				seen->code = payload[0] << 8 | payload[1];
			if (seen->answers)
				peer_ws_write(fd, 0x88, payload, len);
		} else if (first == 0x81) {
			snprintf(seen->text, sizeof(seen->text), "%.*s", (int)MIN(len, sizeof(seen->text) - 1),
				(char *)payload);
		}
	}
	seen->ended = true;
	return 0;
}

static void test_close_frame_really_arrives(void **state)
{
	static const int codes[] = { 1000, 1001, 4000 };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(codes); i++) {
		bool in_message = i % 2 == 1;
		int code = codes[i / 2];
		struct close_seen seen = { .answers = true };
		struct client c = { .send_when_opened = true };
		struct peer peer;
		usec start;

		if (in_message)
			c.close_at_message = code;
		else
			c.close_when_opened = code;
		assert_int_equal(peer_start(&peer, watches_close, &seen), 0);
		start = loop_now(&loop);
		client_connect_port(&c, peer.port);
		client_wait_closed(&c);
		assert_true(loop_now(&loop) - start < 900 * MILLISECOND);
		peer_stop(&peer);
		assert_int_equal(seen.frames, 1);
		assert_int_equal(seen.len, 2);
		assert_int_equal(seen.code, code);
		assert_true(seen.ended);
		/* what was queued before goes out before */
		assert_string_equal(seen.text, "hello");
		assert_int_equal(c.error, 0);
		client_finish(&c);
	}
}

static void test_close_ends_within_a_second_without_an_answer(void **state)
{
	struct close_seen seen = { .answers = false };
	struct client c = { .close_when_opened = 1000 };
	struct peer peer;
	usec start = loop_now(&loop), took;

	(void)state;
	assert_int_equal(peer_start(&peer, watches_close, &seen), 0);
	client_connect_port(&c, peer.port);
	client_wait_closed(&c);
	took = loop_now(&loop) - start;
	assert_true(took >= 900 * MILLISECOND && took < 2500 * MILLISECOND);
	assert_int_equal(c.error, -ETIMEDOUT);
	peer_stop(&peer);
	assert_int_equal(seen.code, 1000);
	assert_true(seen.ended);
	client_finish(&c);
}

static void test_kill_sends_no_close_frame(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct close_seen seen = { .answers = true };
		struct client c = { .kill_when_opened = i == 0, .kill_at_message = i == 1 };
		struct peer peer;
		usec start;

		assert_int_equal(peer_start(&peer, watches_close, &seen), 0);
		client_connect_port(&c, peer.port);
		if (i == 2) {
			assert_int_equal(loop_run_until(&loop, client_has_message, &c, 5 * SECOND), 0);
			websocket_kill(c.websocket);
			assert_int_equal(websocket_send(c.websocket, "x", 1), -ENOTCONN);
			websocket_close(c.websocket, 1000);
		}
		start = loop_now(&loop);
		client_wait_closed(&c);
		assert_true(i < 2 || loop_now(&loop) - start < 800 * MILLISECOND);
		assert_int_equal(c.error, -ECANCELED);
		assert_int_equal(c.code, 0);
		peer_stop(&peer);
		assert_int_equal(seen.frames, 0);
		assert_true(seen.ended);
		client_finish(&c);
	}
}

/* A peer that takes nothing: first the kernel's buffers fill, then lws', then our queue. */
static void fill(struct client *c)
{
	static char text[16384];
	int r = 0;

	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 2000 && r == 0; i++) {
		r = websocket_send(c->websocket, text, sizeof(text));
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
	assert_int_equal(r, -ENOBUFS);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void test_full_send_buffer_can_be_killed_and_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct close_seen seen = { .unread = true };
		struct client c = { 0 };
		struct peer peer;
		usec start;
		int handles = 0;

		assert_int_equal(peer_start(&peer, watches_close, &seen), 0);
		client_connect_port(&c, peer.port);
		assert_int_equal(loop_run_until(&loop, client_is_opened, &c, 5 * SECOND), 0);
		fill(&c);
		start = loop_now(&loop);
		if (i == 0)
			websocket_kill(c.websocket);
		else
			websocket_close(c.websocket, 1000);
		client_wait_closed(&c);
		assert_true(loop_now(&loop) - start < (i == 0 ? 800 : 2500) * MILLISECOND);
		assert_int_equal(c.error, i == 0 ? -ECANCELED : -ETIMEDOUT);
		/* and lws does not keep the socket for its five seconds: the descriptor is free again */
		assert_int_equal(loop_run_until(&loop, never, &c, 50 * MILLISECOND), -ETIMEDOUT);
		for (int fd = 0; fd < 200; fd++) {
			struct sockaddr_in name = { 0 };
			socklen_t len = sizeof(name);

			handles += getpeername(fd, (struct sockaddr *)&name, &len) == 0 &&
				   name.sin_port == htons((uint16_t)peer.port);
		}
		assert_int_equal(handles, 0);
		peer_stop(&peer);
		client_finish(&c);
	}
}

static int says_nothing(int fd, int connection, void *arg)
{
	(void)connection;
	(void)arg;
	peer_read_end(fd);
	return 0;
}

static int echoes(int fd, int connection, void *arg)
{
	static unsigned char payload[1 << 20];
	size_t len;
	int first;

	(void)connection;
	(void)arg;
	if (!peer_ws_accept(fd))
		return 0;
	while ((first = peer_ws_read(fd, payload, sizeof(payload), &len)) >= 0) {
		if (!peer_ws_write(fd, first, payload, len) || first == 0x88)
			break;
	}
	return 0;
}

static void test_close_while_connecting(void **state)
{
	struct client resolving = { 0 }, connecting = { 0 };
	struct peer peer;
	usec start = loop_now(&loop);

	(void)state;
	assert_int_equal(peer_start(&peer, says_nothing, NULL), 0);
	client_connect(&resolving, "ws://slow.test/", 5 * SECOND);
	websocket_close(resolving.websocket, 1000);
	client_wait_closed(&resolving);
	assert_int_equal(resolving.error, -ECANCELED);

	client_connect_port(&connecting, peer.port);
	while (loop_now(&loop) - start < 100 * MILLISECOND)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	websocket_close(connecting.websocket, 1000);
	client_wait_closed(&connecting);
	assert_int_equal(connecting.error, -ECANCELED);
	assert_int_equal(connecting.opened, 0);
	peer_stop(&peer);
	client_finish(&resolving);
	client_finish(&connecting);
}

static void test_destroying_with_live_connections(void **state)
{
	struct client open = { 0 }, connecting = { 0 }, resolving = { 0 };
	struct peer echo, silent;

	(void)state;
	assert_int_equal(peer_start(&echo, echoes, NULL), 0);
	assert_int_equal(peer_start(&silent, says_nothing, NULL), 0);
	client_connect_port(&open, echo.port);
	client_connect_port(&connecting, silent.port);
	assert_int_equal(loop_run_until(&loop, client_is_opened, &open, 5 * SECOND), 0);
	client_connect(&resolving, "ws://slow.test/", 5 * SECOND);
	websockets_destroy(websockets);
	assert_int_equal(open.closed, 1);
	assert_int_equal(connecting.closed, 1);
	assert_int_equal(resolving.closed, 1);
	assert_int_equal(open.error, -ECANCELED);
	websockets = NULL;
	peer_stop(&echo);
	peer_stop(&silent);
	client_finish(&open);
	client_finish(&connecting);
	client_finish(&resolving);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_endings_by_the_peer),
		TEST(test_close_frame_really_arrives),
		TEST(test_close_ends_within_a_second_without_an_answer),
		TEST(test_kill_sends_no_close_frame),
		TEST(test_full_send_buffer_can_be_killed_and_closed),
		TEST(test_close_while_connecting),
		TEST(test_destroying_with_live_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
