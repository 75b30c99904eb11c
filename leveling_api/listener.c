/* See listener.h. */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "client.h"

#define CONNECTIONS_MAX   8192
#define DESCRIPTORS_SPARE 64 /* database, log, epoll and the like */

static int listen_at(const struct addrinfo *address)
{
	int one = 1, fd, r;

	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, 4096) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int listener_open(const struct settings *settings, char *host_out, size_t host_size, struct str *reterr_message)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = { .v6 = { 0 } };
	socklen_t len = sizeof(bound);
	struct addrinfo *address;
	char port[8], host[48];
	unsigned number;
	int fd;

	snprintf(port, sizeof(port), "%d", (int)settings->api_port);
	if (getaddrinfo(settings->api_bind, port, &hints, &address) != 0) {
		str_printf(reterr_message,
			"[leveling_api] BIND: '%s' is no address; write for instance 127.0.0.1 or 0.0.0.0",
			settings->api_bind);
		return -EINVAL;
	}
	fd = listen_at(address);
	freeaddrinfo(address);
	if (fd < 0) {
		str_printf(reterr_message,
			"cannot listen on %s port %s: %s; end what uses it or set [leveling_api] PORT",
			settings->api_bind, port, error_text(fd));
		return fd;
	}
	if (getsockname(fd, &bound.any, &len) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	client_address_text(&bound.any, host, sizeof(host));
	number = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
	snprintf(host_out, host_size, bound.any.sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, number);
	log_info("listening", LOG_STR("address", host), LOG_INT("port", number));
	return fd;
}

unsigned listener_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 512;
	if (limit.rlim_cur < CONNECTIONS_MAX + DESCRIPTORS_SPARE && limit.rlim_max > limit.rlim_cur) {
		limit.rlim_cur = MIN(limit.rlim_max, (rlim_t)CONNECTIONS_MAX + DESCRIPTORS_SPARE);
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
			return 512;
	}
	return (unsigned)MIN(limit.rlim_cur > 2 * DESCRIPTORS_SPARE ? limit.rlim_cur - DESCRIPTORS_SPARE : 64,
		(rlim_t)CONNECTIONS_MAX);
}
