/* base/healthcheck.h, against a server in a child process that answers as it is told. */
#include "test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/healthcheck.h"

static int listener = -1;
static pid_t server;
static struct str message = STR_INIT;

/* A listening socket on a free port of the loopback. */
static int listen_somewhere(int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* Takes one request and gives this answer; NULL: says nothing, and keeps the connection. The port. */
static int serve(const char *answer)
{
	int port;

	listener = listen_somewhere(&port);
	server = fork();
	assert_true(server >= 0);
	if (server == 0) {
		char request[1024] = "";
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || read(fd, request, sizeof(request) - 1) <= 0 || strncmp(request, "GET /healthz ", 13) != 0)
			_exit(1);
		while (!answer)
			pause();
		if (write(fd, answer, strlen(answer)) < 0)
			_exit(1);
		_exit(0);
	}
	return port;
}

static int tear_down(void **state)
{
	(void)state;
	if (server > 0) {
		kill(server, SIGKILL);
		waitpid(server, NULL, 0);
		server = 0;
	}
	if (listener >= 0)
		close(listener);
	listener = -1;
	str_finish(&message);
	return 0;
}

static void a_healthy_service(void **state)
{
	(void)state;
	assert_int_equal(
		healthcheck_ask("127.0.0.1", serve("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), &message), 0);
	assert_int_equal(message.len, 0);
}

static void one_that_binds_to_every_address(void **state)
{
	(void)state;
	assert_int_equal(healthcheck_ask("0.0.0.0", serve("HTTP/1.0 200 OK\r\n\r\n"), &message), 0);
}

static void the_reason_is_told(void **state)
{
	(void)state;
	assert_int_equal(
		healthcheck_ask("127.0.0.1",
			serve("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"reason\":\"no gateway\"}"), &message),
		-EHOSTDOWN);
	assert_string_equal(message.buf, "not healthy (503): {\"reason\":\"no gateway\"}");
}

static void somebody_else_on_the_port(void **state)
{
	(void)state;
	assert_int_equal(healthcheck_ask("127.0.0.1", serve("SSH-2.0-OpenSSH\r\n"), &message), -EHOSTDOWN);
	assert_non_null(strstr(message.buf, "no service of ours"));
}

static void nobody_on_the_port(void **state)
{
	int port, fd = listen_somewhere(&port);

	(void)state;
	close(fd);
	assert_int_equal(healthcheck_ask("127.0.0.1", port, &message), -ECONNREFUSED);
	assert_non_null(strstr(message.buf, "Connection refused"));
}

static void a_service_that_hangs(void **state)
{
	usec begin = clock_monotonic();

	(void)state;
	assert_int_equal(healthcheck_ask("127.0.0.1", serve(NULL), &message), -ETIMEDOUT);
	assert_in_range(clock_monotonic() - begin, HEALTHCHECK_PATIENCE, HEALTHCHECK_PATIENCE + SECOND);
}

static void no_address(void **state)
{
	(void)state;
	assert_int_equal(healthcheck_ask("example.invalid", 80, &message), -EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_healthy_service, tear_down),
		cmocka_unit_test_teardown(one_that_binds_to_every_address, tear_down),
		cmocka_unit_test_teardown(the_reason_is_told, tear_down),
		cmocka_unit_test_teardown(somebody_else_on_the_port, tear_down),
		cmocka_unit_test_teardown(nobody_on_the_port, tear_down),
		cmocka_unit_test_teardown(a_service_that_hangs, tear_down),
		cmocka_unit_test_teardown(no_address, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
