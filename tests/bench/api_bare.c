/* api-bare BYTES: the baseline of the API's benchmark: libmicrohttpd with one epoll thread that answers every request with the same body of
 * this size and a Content-Type, and does nothing else. Prints its port on standard output and serves until it is ended. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	const char *version, const char *data, size_t *size, void **context)
{
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	(void)size;
	/* In the second call: an answer in the first ends the connection. */
	if (!*context) {
		*context = connection;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, arg);
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000;
	struct sockaddr_in address = { .sin_family = AF_INET };
	const union MHD_DaemonInfo *info;
	struct MHD_Response *response;
	struct MHD_Daemon *daemon;
	char *body = malloc(bytes + 1);
	sigset_t signals;
	int number;

	if (!body)
		return 1;
	memset(body, 'x', bytes);
	response = MHD_create_response_from_buffer(bytes, body, MHD_RESPMEM_MUST_FREE);
	if (!response || MHD_add_response_header(response, "Content-Type", "application/json") != MHD_YES)
		return 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR,
		&address, MHD_OPTION_END);
	if (!daemon)
		return 1;
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	printf("%d\n", info ? info->port : 0);
	fflush(stdout);
	sigwait(&signals, &number);
	MHD_stop_daemon(daemon);
	MHD_destroy_response(response);
	return 0;
}
