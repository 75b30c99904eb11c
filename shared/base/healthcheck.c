/* One HTTP request with a deadline, on plain sockets: base knows no HTTP library, and a check that Docker starts every
 * few seconds should be small. */
#include "base/healthcheck.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

#define ANSWER_MAX 4096 /* more than the status and a reason are not read */

/* Waits until the socket is ready for `events`. 0, -ETIMEDOUT or -errno */
static int wait_for(int fd, short events, usec deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	for (;;) {
		usec left = deadline - clock_monotonic();
		int n;

		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&poll_fd, 1, (int)(left / MILLISECOND) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* The socket, or -errno. */
static int connect_to(const char *bind, int port, usec deadline)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *address;
	char service[16];
	int fd, r, error = 0;
	socklen_t len = sizeof(error);

	if (streq(bind, "0.0.0.0"))
		bind = "127.0.0.1";
	else if (streq(bind, "::"))
		bind = "::1";
	snprintf(service, sizeof(service), "%d", port);
	if (getaddrinfo(bind, service, &hints, &address) != 0)
		return -EADDRNOTAVAIL;
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		r = -errno;
		freeaddrinfo(address);
		return r;
	}
	r = connect(fd, address->ai_addr, address->ai_addrlen) < 0 ? -errno : 0;
	freeaddrinfo(address);
	if (r == -EINPROGRESS) {
		r = wait_for(fd, POLLOUT, deadline);
		if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
			r = -error;
	}
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* Sends the request and reads until the server closes. */
static int exchange(int fd, const char *request, struct str *answer, usec deadline)
{
	size_t len = strlen(request);
	ssize_t n;
	int r;

	/* A fresh connection's buffer takes so few bytes at once. */
	n = send(fd, request, len, MSG_NOSIGNAL);
	if (n != (ssize_t)len)
		return n < 0 ? -errno : -EIO;
	for (;;) {
		char chunk[1024];

		r = wait_for(fd, POLLIN, deadline);
		if (r < 0)
			return r;
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n == 0 || answer->len >= ANSWER_MAX)
			return 0;
		if (n > 0)
			str_add(answer, chunk, (size_t)n);
	}
}

/* Of "HTTP/1.1 200 OK"; 0: that is no HTTP. */
static int read_status(const char *answer)
{
	const char *digits = answer + strlen("HTTP/1.1 ");

	if (strncmp(answer, "HTTP/1.", 7) != 0 || strspn(answer + 7, "01") != 1 || answer[8] != ' ' ||
		strspn(digits, "0123456789") != 3)
		return 0;
	return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

int healthcheck_ask(const char *bind, int port, struct str *reterr_message)
{
	usec deadline = clock_monotonic() + HEALTHCHECK_PATIENCE;
	struct str request cleanup(str_finish) = STR_INIT, answer cleanup(str_finish) = STR_INIT;
	int fd cleanup(closep) = -1;
	const char *body;
	int r, status;

	r = fd = connect_to(bind, port, deadline);
	if (r >= 0) {
		/* HTTP/1.0: the server closes after its answer. */
		str_printf(&request, "GET /healthz HTTP/1.0\r\nHost: localhost:%d\r\nConnection: close\r\n\r\n", port);
		r = exchange(fd, request.buf, &answer, deadline);
	}
	if (r < 0) {
		str_printf(reterr_message, "no answer from %s port %d: %s", bind, port, error_text(r));
		return r;
	}
	status = read_status(answer.buf);
	if (status == 200)
		return 0;
	body = strstr(answer.buf, "\r\n\r\n");
	if (status == 0)
		str_printf(reterr_message, "what answers on %s port %d is no service of ours", bind, port);
	else
		str_printf(reterr_message, "not healthy (%d): %s", status, body ? body + 4 : "");
	return -EHOSTDOWN;
}
