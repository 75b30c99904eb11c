/* See peer.h. */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 5

static void *serve(void *arg)
{
	struct peer *peer = arg;

	for (;;) {
		struct pollfd fds[] = { { .fd = peer->stop[0], .events = POLLIN },
			{ .fd = peer->listener, .events = POLLIN } };
		struct timeval patience = { .tv_sec = PATIENCE_S };
		int fd;

		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[0].revents != 0)
			return NULL;
		fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		if (peer->script(fd, peer->connections++, peer->arg) == 0)
			close(fd);
	}
}

static int listen_on_loopback(int *ret_port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&name, len) < 0 || listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		abort();
	*ret_port = ntohs(name.sin_port);
	return fd;
}

int peer_start(struct peer *peer, peer_script_fn *script, void *arg)
{
	*peer = (struct peer){ .script = script, .arg = arg };
	peer->listener = listen_on_loopback(&peer->port);
	if (pipe(peer->stop) < 0)
		return -errno;
	return -pthread_create(&peer->thread, NULL, serve, peer);
}

void peer_stop(struct peer *peer)
{
	close(peer->stop[1]);
	pthread_join(peer->thread, NULL);
	close(peer->stop[0]);
	close(peer->listener);
}

int peer_free_port(void)
{
	int port;

	close(listen_on_loopback(&port));
	return port;
}

bool peer_write(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool peer_read(int fd, void *data, size_t len)
{
	char *at = data;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool peer_read_header(int fd, char *buffer, size_t size)
{
	size_t len = 0;

	while (len + 1 < size && peer_read(fd, buffer + len, 1)) {
		buffer[++len] = '\0';
		if (len >= 4 && strcmp(buffer + len - 4, "\r\n\r\n") == 0)
			return true;
	}
	return false;
}

bool peer_read_end(int fd)
{
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		;
	return n == 0 || errno == ECONNRESET;
}

int peer_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	return -1;
}

bool peer_ws_accept(int fd)
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char request[4096], text[128], answer[256], base64[64];
	unsigned char hash[20];
	const char *key;
	size_t key_len;

	if (!peer_read_header(fd, request, sizeof(request)))
		return false;
	key = strcasestr(request, "Sec-WebSocket-Key: ");
	if (key == NULL)
		return false;
	key += strlen("Sec-WebSocket-Key: ");
	key_len = strcspn(key, "\r");
	snprintf(text, sizeof(text), "%.*s%s", (int)(key_len < 64 ? key_len : 64), key, magic);
	lws_SHA1((unsigned char *)text, strlen(text), hash);
	lws_b64_encode_string((char *)hash, sizeof(hash), base64, sizeof(base64));
	snprintf(answer, sizeof(answer),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		base64);
	return peer_write(fd, answer, strlen(answer));
}

bool peer_ws_write(int fd, int first, const void *data, size_t len)
{
	unsigned char header[10] = { (unsigned char)first };
	size_t header_len = 2;

	if (len < 126) {
		header[1] = (unsigned char)len;
	} else if (len < 65536) {
		header[1] = 126;
		header[2] = (unsigned char)(len >> 8);
		header[3] = (unsigned char)len;
		header_len = 4;
	} else {
		header[1] = 127;
		for (int i = 0; i < 8; i++)
			header[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
		header_len = 10;
	}
	return peer_write(fd, header, header_len) && peer_write(fd, data, len);
}

int peer_ws_read(int fd, void *data, size_t size, size_t *ret_len)
{
	unsigned char header[2], extended[8], mask[4], *bytes = data;
	size_t len;

	if (!peer_read(fd, header, 2) || (header[1] & 0x80) == 0)
		return -1;
	len = header[1] & 0x7f;
	if (len >= 126) {
		size_t n = len == 126 ? 2 : 8;

		if (!peer_read(fd, extended, n))
			return -1;
		len = 0;
		for (size_t i = 0; i < n; i++)
			len = len << 8 | extended[i];
	}
	if (len > size || !peer_read(fd, mask, 4) || !peer_read(fd, data, len))
		return -1;
	for (size_t i = 0; i < len; i++)
		bytes[i] ^= mask[i % 4];
	*ret_len = len;
	return header[0];
}

bool peer_ws_close(int fd, int code, const char *reason)
{
	unsigned char payload[125] = { (unsigned char)(code >> 8), (unsigned char)code };
	int len = snprintf((char *)payload + 2, sizeof(payload) - 2, "%s", reason);

	return peer_ws_write(fd, 0x88, payload, 2 + (size_t)len);
}
