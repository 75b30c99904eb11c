/* shared/net/websocket.c against a scripted peer (plain) and against an lws server in a child process (TLS). */
#include <errno.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "net/websocket.h"
#include "peer.h"
#include "tls_server.h"

static struct loop loop;
static struct websockets *websockets;

/* What a client saw. */
struct client {
	struct websocket *websocket;
	struct str first, last;
	size_t messages, bytes;
	bool binary;
	int opened, closed, code, error;
	char reason[128];
	bool in_callback;
	/* what it does */
	int close_when_opened, close_at_message;
	bool kill_when_opened, kill_at_message, send_when_opened;
};

static void on_opened(void *arg)
{
	struct client *c = arg;

	assert_int_equal(c->closed, 0);
	c->in_callback = true;
	c->opened++;
	if (c->send_when_opened)
		assert_int_equal(websocket_send(c->websocket, "hello", 5), 0);
	if (c->kill_when_opened)
		websocket_kill(c->websocket);
	if (c->close_when_opened != 0)
		websocket_close(c->websocket, c->close_when_opened);
	c->in_callback = false;
}

static void on_message(void *arg, const char *data, size_t len, bool binary)
{
	struct client *c = arg;

	assert_int_equal(c->closed, 0);
	c->in_callback = true;
	if (c->messages++ == 0)
		str_add(&c->first, data, len);
	c->bytes += len;
	c->binary = binary;
	str_clear(&c->last);
	str_add(&c->last, data, len);
	if (c->kill_at_message)
		websocket_kill(c->websocket);
	if (c->close_at_message != 0)
		websocket_close(c->websocket, c->close_at_message);
	c->in_callback = false;
}

static void on_closed(void *arg, int code, const char *reason, int error)
{
	struct client *c = arg;

	assert_false(c->in_callback);
	c->closed++;
	c->code = code;
	c->error = error;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

static const struct websocket_callbacks callbacks = { on_opened, on_message, on_closed };

static bool is_opened(void *arg)
{
	return ((struct client *)arg)->opened > 0;
}

static bool is_closed(void *arg)
{
	return ((struct client *)arg)->closed > 0;
}

static bool has_message(void *arg)
{
	return ((struct client *)arg)->messages > 0;
}

static void connect_to(struct client *c, const char *url, usec timeout)
{
	str_init(&c->first);
	str_init(&c->last);
	assert_int_equal(websocket_connect(websockets, url, timeout, &callbacks, c, &c->websocket), 0);
}

static void connect_to_port(struct client *c, int port)
{
	char url[64];

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/?v=10&encoding=json", port);
	connect_to(c, url, 5 * SECOND);
}

static void wait_closed(struct client *c)
{
	assert_int_equal(loop_run_until(&loop, is_closed, c, 20 * SECOND), 0);
	assert_int_equal(c->closed, 1);
}

static void finish(struct client *c)
{
	str_finish(&c->first);
	str_finish(&c->last);
}

static int setup(void **state)
{
	(void)state;
	if (loop_init(&loop) < 0)
		return -1;
	return websockets_create(&loop, &websockets);
}

static int teardown(void **state)
{
	(void)state;
	websockets_destroy(websockets);
	return loop_finish(&loop);
}

/* === names === */

/* Takes the place of libc's for libuv: no test asks a real name server. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	static const struct {
		const char *name, *addresses[3];
	} names[] = {
		{ "127.0.0.1", { "127.0.0.1" } },
		{ "localhost", { "127.0.0.1" } },
		{ "two.test", { "127.0.0.2", "127.0.0.1" } },
		{ "six.test", { "::1", "127.0.0.1" } },
	};
	struct addrinfo *list = NULL, **end = &list;

	(void)service;
	(void)hints;
	if (strcmp(node, "slow.test") == 0)
		usleep(500 * 1000);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, node) != 0)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(names[i].addresses) && names[i].addresses[j] != NULL; j++) {
			struct addrinfo *a = calloc(1, sizeof(*a) + sizeof(struct sockaddr_in6));
			struct sockaddr_in *v4 = (struct sockaddr_in *)(a + 1);
			struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(a + 1);

			a->ai_addr = (struct sockaddr *)(a + 1);
			if (inet_pton(AF_INET, names[i].addresses[j], &v4->sin_addr) == 1) {
				a->ai_family = v4->sin_family = AF_INET;
				a->ai_addrlen = sizeof(*v4);
			} else {
				inet_pton(AF_INET6, names[i].addresses[j], &v6->sin6_addr);
				a->ai_family = v6->sin6_family = AF_INET6;
				a->ai_addrlen = sizeof(*v6);
			}
			*end = a;
			end = &a->ai_next;
		}
	}
	*result = list;
	return list != NULL ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list != NULL) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

/* === connecting === */

static void test_refused_urls(void **state)
{
	static const char *const urls[] = {
		"",
		"http://h/",
		"ws://",
		"wss:///",
		"ws://:80/",
		"ws://h:0/",
		"ws://h:65536/",
		"ws://h:x/",
		"ws://h:/",
		"ws://user@h/",
		"ws://h/a b",
		"ws://h/a\r\nX: y",
		"ws://[::1/",
		"ws://[::1]x/",
		"ws://h%41/",
	};
	struct client c = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
		assert_int_equal(websocket_connect(websockets, urls[i], SECOND, &callbacks, &c, &c.websocket), -EINVAL);
	for (int i = 0; i < 3; i++)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(c.closed, 0);
}

static void test_refused_port(void **state)
{
	struct client c = { 0 };

	(void)state;
	connect_to_port(&c, peer_free_port());
	wait_closed(&c);
	assert_int_equal(c.error, -ECONNREFUSED);
	assert_int_equal(c.code, 0);
	assert_int_equal(c.opened, 0);
	finish(&c);
}

static void test_name_that_does_not_resolve(void **state)
{
	struct client c = { 0 };

	(void)state;
	connect_to(&c, "wss://name.invalid/", 5 * SECOND);
	wait_closed(&c);
	assert_int_equal(c.error, -EHOSTUNREACH);
	finish(&c);
}

static void test_slow_name_times_out_and_can_be_killed(void **state)
{
	struct client late = { 0 }, killed = { 0 };

	(void)state;
	connect_to(&late, "ws://slow.test/", 50 * MILLISECOND);
	connect_to(&killed, "ws://slow.test/", 5 * SECOND);
	assert_int_equal(websocket_send(killed.websocket, "x", 1), -ENOTCONN);
	websocket_kill(killed.websocket);
	websocket_kill(killed.websocket);
	assert_int_equal(killed.closed, 0);
	wait_closed(&killed);
	assert_int_equal(killed.error, -ECANCELED);
	wait_closed(&late);
	assert_int_equal(late.error, -ETIMEDOUT);
	finish(&late);
	finish(&killed);
}

/* Notes the request's header, and says hello. */
static int greets(int fd, int connection, void *arg)
{
	struct sockaddr_in name;
	socklen_t len = sizeof(name);

	(void)connection;
	getsockname(fd, (struct sockaddr *)&name, &len);
	if (arg != NULL)
		*(unsigned *)arg = ntohl(name.sin_addr.s_addr);
	if (peer_ws_accept(fd) && peer_ws_write(fd, 0x81, "hello", 5) && peer_ws_close(fd, 4009, "gone"))
		peer_read_end(fd);
	return 0;
}

static void test_further_addresses_are_tried(void **state)
{
	static const char *const names[] = { "two.test", "six.test" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct client c = { 0 };
		struct peer peer;
		unsigned address = 0;
		char url[64];

		assert_int_equal(peer_start(&peer, greets, &address), 0);
		snprintf(url, sizeof(url), "ws://%s:%d", names[i], peer.port);
		connect_to(&c, url, 5 * SECOND);
		wait_closed(&c);
		assert_int_equal(c.opened, 1);
		assert_int_equal(c.messages, 1);
		assert_int_equal(address, 0x7f000001);
		finish(&c);
		peer_stop(&peer);
	}
}

static int notes_request(int fd, int connection, void *arg)
{
	(void)connection;
	peer_read_header(fd, arg, 4096);
	peer_write(fd, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 45);
	return 0;
}

static void test_request_and_refusal(void **state)
{
	struct client c = { 0 };
	struct peer peer;
	char request[4096] = "", host[64];

	(void)state;
	assert_int_equal(peer_start(&peer, notes_request, request), 0);
	connect_to_port(&c, peer.port);
	wait_closed(&c);
	assert_int_equal(c.error, -EPROTO);
	peer_stop(&peer);
	assert_int_equal(peer.connections, 1);
	assert_memory_equal(request, "GET /?v=10&encoding=json HTTP/1.1\r\n", 35);
	snprintf(host, sizeof(host), "Host: 127.0.0.1:%d\r\n", peer.port);
	assert_non_null(strstr(request, host));
	assert_null(strstr(request, "permessage-deflate"));
	finish(&c);
}

static int redirects(int fd, int connection, void *arg)
{
	char request[4096], answer[256];

	(void)connection;
	peer_read_header(fd, request, sizeof(request));
	snprintf(answer, sizeof(answer),
		"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n", *(int *)arg);
	peer_write(fd, answer, strlen(answer));
	return 0;
}

static void test_redirects_are_refused(void **state)
{
	struct client c = { 0 };
	struct peer here, there;

	(void)state;
	assert_int_equal(peer_start(&there, greets, NULL), 0);
	assert_int_equal(peer_start(&here, redirects, &there.port), 0);
	connect_to_port(&c, here.port);
	wait_closed(&c);
	assert_int_equal(c.opened, 0);
	assert_int_equal(c.error, -EPROTO);
	peer_stop(&here);
	peer_stop(&there);
	assert_int_equal(there.connections, 0);
	finish(&c);
}

static int says_nothing(int fd, int connection, void *arg)
{
	(void)connection;
	(void)arg;
	peer_read_end(fd);
	return 0;
}

static void test_silent_server_times_out(void **state)
{
	struct client c = { 0 };
	struct peer peer;
	char url[64];
	usec start = loop_now(&loop);

	(void)state;
	assert_int_equal(peer_start(&peer, says_nothing, NULL), 0);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/", peer.port);
	connect_to(&c, url, 200 * MILLISECOND);
	wait_closed(&c);
	assert_int_equal(c.error, -ETIMEDOUT);
	assert_true(loop_now(&loop) - start >= 200 * MILLISECOND);
	peer_stop(&peer);
	finish(&c);
}

/* === messages === */

static char *big;
#define BIG ((size_t)3 << 20)

static void make_big(void)
{
	big = malloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + (i * 31 + (i >> 10)) % 26);
}

static int sends_big(int fd, int connection, void *arg)
{
	(void)connection;
	(void)arg;
	if (peer_ws_accept(fd) && peer_ws_write(fd, 0x81, big, BIG) && peer_ws_write(fd, 0x82, big, 70000))
		peer_ws_close(fd, 4009, "session timed out");
	peer_read_end(fd);
	return 0;
}

static void test_3_mib_frame(void **state)
{
	struct client c = { 0 };
	struct peer peer;

	(void)state;
	make_big();
	assert_int_equal(peer_start(&peer, sends_big, NULL), 0);
	connect_to_port(&c, peer.port);
	assert_int_equal(loop_run_until(&loop, has_message, &c, 20 * SECOND), 0);
	assert_int_equal(c.first.len, BIG);
	assert_memory_equal(c.first.buf, big, BIG);
	wait_closed(&c);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.last.len, 70000);
	assert_memory_equal(c.last.buf, big, 70000);
	assert_true(c.binary);
	assert_int_equal(c.code, 4009);
	assert_int_equal(c.error, 0);
	assert_string_equal(c.reason, "session timed out");
	peer_stop(&peer);
	free(big);
	finish(&c);
}

struct pings {
	bool pong_right;
	int first;
};

static int interleaves(int fd, int connection, void *arg)
{
	struct pings *pings = arg;
	char payload[128];
	size_t len;

	(void)connection;
	if (!peer_ws_accept(fd) || !peer_ws_write(fd, 0x01, "one ", 4) || !peer_ws_write(fd, 0x89, "ping?", 5) ||
		!peer_ws_write(fd, 0x00, "two ", 4) || !peer_ws_write(fd, 0x00, "", 0) ||
		!peer_ws_write(fd, 0x80, "three \xe2\x82\xac", 9))
		return 0;
	pings->first = peer_ws_read(fd, payload, sizeof(payload), &len);
	pings->pong_right = len == 5 && memcmp(payload, "ping?", 5) == 0;
	peer_ws_write(fd, 0x81, "done", 4);
	peer_ws_close(fd, 1001, "");
	peer_read_end(fd);
	return 0;
}

static void test_fragments_with_a_ping_between(void **state)
{
	struct client c = { 0 };
	struct pings pings = { 0 };
	struct peer peer;

	(void)state;
	assert_int_equal(peer_start(&peer, interleaves, &pings), 0);
	connect_to_port(&c, peer.port);
	assert_int_equal(loop_run_until(&loop, has_message, &c, 20 * SECOND), 0);
	assert_string_equal(c.first.buf, "one two three \xe2\x82\xac");
	assert_true(websocket_received(c.websocket) >= 17);
	wait_closed(&c);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.code, 1001);
	peer_stop(&peer);
	assert_int_equal(pings.first, 0x8a);
	assert_true(pings.pong_right);
	finish(&c);
}

static int dribbles(int fd, int connection, void *arg)
{
	static const unsigned char bytes[] = { 0x01, 3, 'a', 'b', 'c', 0x80, 2, 'd', 'e', 0x88, 4, 0x0f, 0xa9, 'o',
		'k' };

	(void)connection;
	(void)arg;
	if (!peer_ws_accept(fd))
		return 0;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		peer_write(fd, bytes + i, 1);
		usleep(2000);
	}
	peer_read_end(fd);
	return 0;
}

static void test_byte_by_byte(void **state)
{
	struct client c = { 0 };
	struct peer peer;

	(void)state;
	assert_int_equal(peer_start(&peer, dribbles, NULL), 0);
	connect_to_port(&c, peer.port);
	wait_closed(&c);
	assert_int_equal(c.messages, 1);
	assert_string_equal(c.last.buf, "abcde");
	assert_int_equal(c.code, 4009);
	assert_string_equal(c.reason, "ok");
	peer_stop(&peer);
	finish(&c);
}

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
		connect_to_port(&c, peer.port);
		wait_closed(&c);
		if (c.error != cases[i].error || c.code != cases[i].code || c.messages != 1)
			fail_msg("case %zu: code %d, error %d, %zu messages", i, c.code, c.error, c.messages);
		peer_stop(&peer);
		finish(&c);
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
		connect_to_port(&c, peer.port);
		wait_closed(&c);
		assert_true(loop_now(&loop) - start < 900 * MILLISECOND);
		peer_stop(&peer);
		assert_int_equal(seen.frames, 1);
		assert_int_equal(seen.len, 2);
		assert_int_equal(seen.code, code);
		assert_true(seen.ended);
		/* what was queued before goes out before */
		assert_string_equal(seen.text, "hello");
		assert_int_equal(c.error, 0);
		finish(&c);
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
	connect_to_port(&c, peer.port);
	wait_closed(&c);
	took = loop_now(&loop) - start;
	assert_true(took >= 900 * MILLISECOND && took < 1600 * MILLISECOND);
	assert_int_equal(c.error, -ETIMEDOUT);
	peer_stop(&peer);
	assert_int_equal(seen.code, 1000);
	assert_true(seen.ended);
	finish(&c);
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
		connect_to_port(&c, peer.port);
		if (i == 2) {
			assert_int_equal(loop_run_until(&loop, has_message, &c, 5 * SECOND), 0);
			websocket_kill(c.websocket);
			assert_int_equal(websocket_send(c.websocket, "x", 1), -ENOTCONN);
			websocket_close(c.websocket, 1000);
		}
		start = loop_now(&loop);
		wait_closed(&c);
		assert_true(i < 2 || loop_now(&loop) - start < 100 * MILLISECOND);
		assert_int_equal(c.error, -ECANCELED);
		assert_int_equal(c.code, 0);
		peer_stop(&peer);
		assert_int_equal(seen.frames, 0);
		assert_true(seen.ended);
		finish(&c);
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
		connect_to_port(&c, peer.port);
		assert_int_equal(loop_run_until(&loop, is_opened, &c, 5 * SECOND), 0);
		fill(&c);
		start = loop_now(&loop);
		if (i == 0)
			websocket_kill(c.websocket);
		else
			websocket_close(c.websocket, 1000);
		wait_closed(&c);
		assert_true(loop_now(&loop) - start < (i == 0 ? 200 : 1500) * MILLISECOND);
		assert_int_equal(c.error, i == 0 ? -ECANCELED : -ETIMEDOUT);
		/* and lws does not keep the socket for its five seconds: the descriptor is free again */
		assert_int_equal(loop_run_until(&loop, never, &c, 50 * MILLISECOND), -ETIMEDOUT);
		for (int fd = 0; fd < 200; fd++) {
			struct sockaddr_in name;
			socklen_t len = sizeof(name);

			handles += getpeername(fd, (struct sockaddr *)&name, &len) == 0 &&
				   name.sin_port == htons((uint16_t)peer.port);
		}
		assert_int_equal(handles, 0);
		peer_stop(&peer);
		finish(&c);
	}
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

static bool has_hundred(void *arg)
{
	return ((struct client *)arg)->messages >= 100;
}

static void test_sending_in_order_and_bounds(void **state)
{
	struct client c = { 0 };
	struct peer peer;
	static char large[1 << 20];
	int sent = 0;

	(void)state;
	assert_int_equal(peer_start(&peer, echoes, NULL), 0);
	connect_to_port(&c, peer.port);
	assert_int_equal(websocket_send(c.websocket, "early", 5), -ENOTCONN);
	assert_int_equal(loop_run_until(&loop, is_opened, &c, 5 * SECOND), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(websocket_send(c.websocket, "x", 1), 0);
	assert_int_equal(websocket_send(c.websocket, "x", 1), -ENOBUFS);
	while (sent < 36) {
		char text[16];
		int len = snprintf(text, sizeof(text), "n%d", sent), r = websocket_send(c.websocket, text, (size_t)len);

		if (r == 0)
			sent++;
		else
			uv_run(&loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(loop_run_until(&loop, has_hundred, &c, 10 * SECOND), 0);
	assert_string_equal(c.last.buf, "n35");
	/* by bytes */
	memset(large, 'y', sizeof(large));
	assert_int_equal(websocket_send(c.websocket, large, sizeof(large)), 0);
	assert_int_equal(websocket_send(c.websocket, "x", 1), -ENOBUFS);
	c.messages = 0;
	assert_int_equal(loop_run_until(&loop, has_message, &c, 10 * SECOND), 0);
	assert_int_equal(c.last.len, sizeof(large));
	websocket_close(c.websocket, 1000);
	assert_int_equal(websocket_send(c.websocket, "late", 4), -ENOTCONN);
	wait_closed(&c);
	assert_int_equal(c.error, 0);
	peer_stop(&peer);
	finish(&c);
}

static void test_destroying_with_live_connections(void **state)
{
	struct client open = { 0 }, connecting = { 0 }, resolving = { 0 };
	struct peer echo, silent;

	(void)state;
	assert_int_equal(peer_start(&echo, echoes, NULL), 0);
	assert_int_equal(peer_start(&silent, says_nothing, NULL), 0);
	connect_to_port(&open, echo.port);
	connect_to_port(&connecting, silent.port);
	assert_int_equal(loop_run_until(&loop, is_opened, &open, 5 * SECOND), 0);
	connect_to(&resolving, "ws://slow.test/", 5 * SECOND);
	websockets_destroy(websockets);
	assert_int_equal(open.closed, 1);
	assert_int_equal(connecting.closed, 1);
	assert_int_equal(resolving.closed, 1);
	assert_int_equal(open.error, -ECANCELED);
	websockets = NULL;
	peer_stop(&echo);
	peer_stop(&silent);
	finish(&open);
	finish(&connecting);
	finish(&resolving);
}

static size_t resident(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return (size_t)pages * 4096;
}

static void test_500_connections_in_a_row_leave_nothing(void **state)
{
	struct peer peer;
	size_t before = 0;

	(void)state;
	assert_int_equal(peer_start(&peer, greets, NULL), 0);
	for (int i = 0; i < 500; i++) {
		struct client c = { 0 };

		connect_to_port(&c, peer.port);
		wait_closed(&c);
		assert_int_equal(c.code, 4009);
		finish(&c);
		if (i == 50)
			before = resident();
	}
	peer_stop(&peer);
	assert_true(resident() < before + (16 << 20)); /* a sanitizer keeps freed memory for a while */
}

#define FLOOD 60000

static int floods(int fd, int connection, void *arg)
{
	static unsigned char batch[100 * (4 + 600)];
	size_t len = 0;

	(void)connection;
	(void)arg;
	for (int i = 0; i < 100; i++) {
		batch[len++] = 0x81;
		batch[len++] = 126;
		batch[len++] = 600 >> 8;
		batch[len++] = 600 & 0xff;
		memset(batch + len, 'm', 600);
		len += 600;
	}
	if (!peer_ws_accept(fd))
		return 0;
	for (int i = 0; i < FLOOD / 100; i++) {
		if (!peer_write(fd, batch, len))
			return 0;
	}
	peer_ws_close(fd, 4000, "");
	peer_read_end(fd);
	return 0;
}

static void test_flood(void **state)
{
	struct client c = { 0 };
	struct peer peer;
	usec start = loop_now(&loop), took;

	(void)state;
	assert_int_equal(peer_start(&peer, floods, NULL), 0);
	connect_to_port(&c, peer.port);
	wait_closed(&c);
	took = loop_now(&loop) - start;
	assert_int_equal(c.messages, FLOOD);
	assert_int_equal(c.bytes, (size_t)FLOOD * 600);
	print_message("%d messages of 600 bytes: %.0f a second\n", FLOOD, FLOOD / ((double)took / SECOND));
	peer_stop(&peer);
	finish(&c);
}

/* === TLS === */

static void test_certificates(void **state)
{
	static const struct {
		const char *certificate;
		int error;
	} cases[] = {
		{ "localhost", 0 },
		{ "elsewhere.test", -EKEYREJECTED },
		{ "self", -EKEYREJECTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct client c = { .kill_at_message = true };
		char url[64];
		int port;
		pid_t pid = tls_server_start(cases[i].certificate, &port);

		assert_true(pid > 0);

		snprintf(url, sizeof(url), "wss://localhost:%d/", port);
		connect_to(&c, url, 5 * SECOND);
		wait_closed(&c);
		tls_server_stop(pid);
		if (cases[i].error == 0) {
			assert_int_equal(c.opened, 1);
			assert_string_equal(c.last.buf, "secret");
		} else {
			assert_int_equal(c.opened, 0);
			assert_int_equal(c.error, cases[i].error);
		}
		finish(&c);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_refused_urls),
		TEST(test_refused_port),
		TEST(test_name_that_does_not_resolve),
		TEST(test_slow_name_times_out_and_can_be_killed),
		TEST(test_further_addresses_are_tried),
		TEST(test_request_and_refusal),
		TEST(test_redirects_are_refused),
		TEST(test_silent_server_times_out),
		TEST(test_3_mib_frame),
		TEST(test_fragments_with_a_ping_between),
		TEST(test_byte_by_byte),
		TEST(test_endings_by_the_peer),
		TEST(test_close_frame_really_arrives),
		TEST(test_close_ends_within_a_second_without_an_answer),
		TEST(test_kill_sends_no_close_frame),
		TEST(test_full_send_buffer_can_be_killed_and_closed),
		TEST(test_sending_in_order_and_bounds),
		TEST(test_destroying_with_live_connections),
		TEST(test_500_connections_in_a_row_leave_nothing),
		TEST(test_flood),
		TEST(test_certificates),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
