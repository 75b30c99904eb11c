/* shared/net/websocket.c: connecting, messages, speed, TLS. How connections end is in test_websocket_end.c. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"
#include "tls_server.h"
#include "websocket_client.h"

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
		assert_int_equal(
			websocket_connect(websockets, urls[i], SECOND, &client_callbacks, &c, &c.websocket), -EINVAL);
	for (int i = 0; i < 3; i++)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(c.closed, 0);
}

static void test_refused_port(void **state)
{
	struct client c = { 0 };

	(void)state;
	client_connect_port(&c, peer_free_port());
	client_wait_closed(&c);
	assert_int_equal(c.error, -ECONNREFUSED);
	assert_int_equal(c.code, 0);
	assert_int_equal(c.opened, 0);
	client_finish(&c);
}

static void test_ipv6_address(void **state)
{
	struct client c = { 0 };
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "ws://[::1]:%d/", peer_free_port());
	client_connect(&c, url, 5 * SECOND);
	client_wait_closed(&c);
	/* its name, with brackets, would not resolve */
	assert_int_equal(c.error, -ECONNREFUSED);
	client_finish(&c);
}

static void test_name_that_does_not_resolve(void **state)
{
	struct client c = { 0 };

	(void)state;
	client_connect(&c, "wss://name.invalid/", 5 * SECOND);
	client_wait_closed(&c);
	assert_int_equal(c.error, -EHOSTUNREACH);
	client_finish(&c);
}

static void test_slow_name_times_out_and_can_be_killed(void **state)
{
	struct client late = { 0 }, killed = { 0 };

	(void)state;
	client_connect(&late, "ws://slow.test/", 50 * MILLISECOND);
	client_connect(&killed, "ws://slow.test/", 5 * SECOND);
	assert_int_equal(websocket_send(killed.websocket, "x", 1), -ENOTCONN);
	websocket_kill(killed.websocket);
	websocket_kill(killed.websocket);
	assert_int_equal(killed.closed, 0);
	client_wait_closed(&killed);
	assert_int_equal(killed.error, -ECANCELED);
	client_wait_closed(&late);
	assert_int_equal(late.error, -ETIMEDOUT);
	client_finish(&late);
	client_finish(&killed);
}

/* Notes the request's header, and says hello. */
static int greets(int fd, int connection, void *arg)
{
	struct sockaddr_in name = { 0 };
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
		/* without a path */
		snprintf(url, sizeof(url), "ws://%s:%d", names[i], peer.port);
		client_connect(&c, url, 5 * SECOND);
		client_wait_closed(&c);
		assert_int_equal(c.opened, 1);
		assert_int_equal(c.messages, 1);
		assert_int_equal(address, 0x7f000001);
		client_finish(&c);
		peer_stop(&peer);
	}
}

/* On 127.0.0.2, a listener whose queue is full: the kernel drops what comes, as a dead router does. */
static int listen_silently(int port, int fillers[3])
{
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002), .sin_port = htons((uint16_t)port)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 0), 0);
	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fillers[i], (struct sockaddr *)&name, sizeof(name)) < 0)
			assert_int_equal(errno, EINPROGRESS);
	}
	return fd;
}

/* Answers after longer than a TCP connection may take. */
static int greets_late(int fd, int connection, void *arg)
{
	poll(NULL, 0, 5500);
	return greets(fd, connection, arg);
}

static void test_address_that_swallows_packets_costs_seconds(void **state)
{
	struct client c = { 0 }, slow = { 0 };
	struct peer peer, late;
	int fillers[3], silent;
	char url[64];
	usec start = loop_now(&loop);

	(void)state;
	assert_int_equal(peer_start(&peer, greets, NULL), 0);
	assert_int_equal(peer_start(&late, greets_late, NULL), 0);
	silent = listen_silently(peer.port, fillers);
	snprintf(url, sizeof(url), "ws://two.test:%d", peer.port);
	client_connect(&c, url, 60 * SECOND);
	snprintf(url, sizeof(url), "ws://127.0.0.1:%d", late.port);
	client_connect(&slow, url, 60 * SECOND);
	client_wait_closed(&c);
	assert_int_equal(c.messages, 1);
	assert_in_range(loop_now(&loop) - start, 4 * SECOND, 20 * SECOND);
	/* who has taken the connection may think longer */
	client_wait_closed(&slow);
	assert_int_equal(slow.messages, 1);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(silent);
	client_finish(&c);
	client_finish(&slow);
	peer_stop(&peer);
	peer_stop(&late);
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
	client_connect_port(&c, peer.port);
	client_wait_closed(&c);
	assert_int_equal(c.error, -EPROTO);
	peer_stop(&peer);
	assert_int_equal(peer.connections, 1);
	assert_memory_equal(request, "GET /?v=10&encoding=json HTTP/1.1\r\n", 35);
	snprintf(host, sizeof(host), "Host: 127.0.0.1:%d\r\n", peer.port);
	assert_non_null(strstr(request, host));
	assert_null(strstr(request, "permessage-deflate"));
	client_finish(&c);
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
	client_connect_port(&c, here.port);
	client_wait_closed(&c);
	assert_int_equal(c.opened, 0);
	assert_int_equal(c.error, -EPROTO);
	peer_stop(&here);
	peer_stop(&there);
	assert_int_equal(there.connections, 0);
	client_finish(&c);
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
	client_connect(&c, url, 200 * MILLISECOND);
	client_wait_closed(&c);
	assert_int_equal(c.error, -ETIMEDOUT);
	assert_true(loop_now(&loop) - start >= 200 * MILLISECOND);
	peer_stop(&peer);
	client_finish(&c);
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
	client_connect_port(&c, peer.port);
	assert_int_equal(loop_run_until(&loop, client_has_message, &c, 20 * SECOND), 0);
	assert_int_equal(c.first.len, BIG);
	assert_memory_equal(c.first.buf, big, BIG);
	client_wait_closed(&c);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.last.len, 70000);
	assert_memory_equal(c.last.buf, big, 70000);
	assert_true(c.binary);
	assert_int_equal(c.code, 4009);
	assert_int_equal(c.error, 0);
	assert_string_equal(c.reason, "session timed out");
	peer_stop(&peer);
	free(big);
	client_finish(&c);
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
	client_connect_port(&c, peer.port);
	assert_int_equal(loop_run_until(&loop, client_has_message, &c, 20 * SECOND), 0);
	assert_string_equal(c.first.buf, "one two three \xe2\x82\xac");
	assert_true(websocket_received(c.websocket) >= 17);
	client_wait_closed(&c);
	assert_int_equal(c.messages, 2);
	assert_int_equal(c.code, 1001);
	peer_stop(&peer);
	assert_int_equal(pings.first, 0x8a);
	assert_true(pings.pong_right);
	client_finish(&c);
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
	client_connect_port(&c, peer.port);
	client_wait_closed(&c);
	assert_int_equal(c.messages, 1);
	assert_string_equal(c.last.buf, "abcde");
	assert_int_equal(c.code, 4009);
	assert_string_equal(c.reason, "ok");
	peer_stop(&peer);
	client_finish(&c);
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
	client_connect_port(&c, peer.port);
	assert_int_equal(websocket_send(c.websocket, "early", 5), -ENOTCONN);
	assert_int_equal(loop_run_until(&loop, client_is_opened, &c, 5 * SECOND), 0);
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
	assert_int_equal(loop_run_until(&loop, client_has_message, &c, 10 * SECOND), 0);
	assert_int_equal(c.last.len, sizeof(large));
	websocket_close(c.websocket, 1000);
	assert_int_equal(websocket_send(c.websocket, "late", 4), -ENOTCONN);
	client_wait_closed(&c);
	assert_int_equal(c.error, 0);
	peer_stop(&peer);
	client_finish(&c);
}

static size_t resident(void)
{
	char line[128] = "";
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	return (size_t)strtoul(strchr(line, ' '), NULL, 10) * 4096;
}

static void test_500_connections_in_a_row_leave_nothing(void **state)
{
	struct peer peer;
	size_t before = 0;

	(void)state;
	assert_int_equal(peer_start(&peer, greets, NULL), 0);
	for (int i = 0; i < 500; i++) {
		struct client c = { 0 };

		client_connect_port(&c, peer.port);
		client_wait_closed(&c);
		assert_int_equal(c.code, 4009);
		client_finish(&c);
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
	client_connect_port(&c, peer.port);
	client_wait_closed(&c);
	took = loop_now(&loop) - start;
	assert_int_equal(c.messages, FLOOD);
	assert_int_equal(c.bytes, (size_t)FLOOD * 600);
	print_message("%d messages of 600 bytes: %.0f a second\n", FLOOD, FLOOD / ((double)took / SECOND));
	peer_stop(&peer);
	client_finish(&c);
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
		client_connect(&c, url, 5 * SECOND);
		client_wait_closed(&c);
		tls_server_stop(pid);
		if (cases[i].error == 0) {
			assert_int_equal(c.opened, 1);
			assert_string_equal(c.last.buf, "secret");
		} else {
			assert_int_equal(c.opened, 0);
			assert_int_equal(c.error, cases[i].error);
		}
		client_finish(&c);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, client_setup, client_teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_refused_urls),
		TEST(test_refused_port),
		TEST(test_ipv6_address),
		TEST(test_name_that_does_not_resolve),
		TEST(test_slow_name_times_out_and_can_be_killed),
		TEST(test_further_addresses_are_tried),
		TEST(test_address_that_swallows_packets_costs_seconds),
		TEST(test_request_and_refusal),
		TEST(test_redirects_are_refused),
		TEST(test_silent_server_times_out),
		TEST(test_3_mib_frame),
		TEST(test_fragments_with_a_ping_between),
		TEST(test_byte_by_byte),
		TEST(test_sending_in_order_and_bounds),
		TEST(test_500_connections_in_a_row_leave_nothing),
		TEST(test_flood),
		TEST(test_certificates),
	};

	return cmocka_run_group_tests(tests, tls_setup, tls_teardown);
}
