/* The program walle-leveling-api over real sockets: what only shows there. WALLE_API names the program. */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
	pid_t pid;
	int port;
	int log;         /* read end of its standard error */
	struct str said; /* what it wrote so far */
};

static void read_log(struct program *program)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(program->log, buffer, sizeof(buffer))) > 0)
		str_add(&program->said, buffer, (size_t)n);
}

static bool wait_for_words(struct program *program, const char *words)
{
	usec deadline = clock_monotonic() + 20 * SECOND;

	while (clock_monotonic() < deadline) {
		struct pollfd poll_fd = { .fd = program->log, .events = POLLIN };

		(void)!poll(&poll_fd, 1, 50);
		read_log(program);
		if (strstr(program->said.buf, words))
			return true;
		if (poll_fd.revents & POLLHUP)
			break;
	}
	return strstr(program->said.buf, words) != NULL;
}

/* `settings`: "KEY=value" of [leveling_api], ending with NULL; may be NULL. */
static void launch(struct program *program, const struct fixture *fixture, const char *const *settings)
{
	const char *named = getenv("WALLE_API"), *binary = named ? named : "";
	int ends[2];

	if (!named)
		skip();
	*program = (struct program){ .said = STR_INIT };
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	program->pid = fork();
	assert_true(program->pid >= 0);
	if (program->pid == 0) {
		/* A test that fails must not leave it behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], STDERR_FILENO);
		setenv("database_config__PATH", fixture->path, 1);
		setenv("leveling_api__PORT", "0", 1);
		unsetenv("WALLE_CONFIG");
		for (; settings && *settings; settings++) {
			char *setting = xasprintf("leveling_api__%s", *settings);

			putenv(setting);
		}
		execl(binary, binary, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	program->log = ends[0];
	fcntl(program->log, F_SETFL, O_NONBLOCK);
}

static void start(struct program *program, const struct fixture *fixture, const char *const *settings)
{
	launch(program, fixture, settings);
	if (!wait_for_words(program, " port="))
		fail_msg("it does not listen: %s", program->said.buf);
	program->port = (int)strtol(strstr(program->said.buf, " port=") + 6, NULL, 10);
}

/* The exit status, within 20 s. */
static int wait_for_end(struct program *program)
{
	usec deadline = clock_monotonic() + 20 * SECOND;
	int status;

	while (waitpid(program->pid, &status, WNOHANG) == 0) {
		if (clock_monotonic() > deadline) {
			kill(program->pid, SIGKILL);
			fail_msg("it does not end");
		}
		read_log(program);
		usleep(5000);
	}
	read_log(program);
	close(program->log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void stop(struct program *program)
{
	kill(program->pid, SIGTERM);
	assert_int_equal(wait_for_end(program), 0);
	str_finish(&program->said);
}

/* `narrow`: with as little room on the way as a connection can have. */
static int connect_through(const struct program *program, bool narrow)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)program->port) };
	struct timeval patience = { .tv_sec = 20 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), segment = 536, room = 2048;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	if (narrow) {
		assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment)), 0);
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	}
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static int connect_to(const struct program *program)
{
	return connect_through(program, false);
}

/* Everything until the server closes. */
static void read_all(int fd, struct str *out)
{
	char buffer[4096];
	ssize_t n;

	while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0)
		str_add(out, buffer, (size_t)n);
}

static char *answer_of(const struct program *program, const char *request)
{
	struct str out = STR_INIT;
	int fd = connect_to(program);

	(void)!send(fd, request, strlen(request), MSG_NOSIGNAL);
	read_all(fd, &out);
	close(fd);
	return str_detach(&out, NULL);
}

static void expect(const struct program *program, const char *request, const char *const *parts)
{
	char *answer = answer_of(program, request);

	for (; *parts; parts++) {
		const char *part = **parts == '!' ? *parts + 1 : *parts;

		if ((strstr(answer, part) == NULL) != (**parts == '!'))
			fail_msg("'%s' is wrong for %.200s\n%s", *parts, request, answer);
	}
	free(answer);
}

#define EXPECT(program, request, ...) expect(program, request, (const char *const[]){ __VA_ARGS__, NULL })
#define CLOSE                         "Connection: close\r\n\r\n"

static void fill(struct fixture *fixture)
{
	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= 30; i++)
		put_member(fixture, i, (int64_t)i * 10, "somebody", NULL);
	assert_int_equal(db_commit(fixture->db), 0);
}

static void test_answers(void **state)
{
	struct fixture *fixture = *state;
	struct program program;

	fill(fixture);
	start(&program, fixture, NULL);
	assert_true(wait_for_words(&program, "database opened"));
	EXPECT(&program, "GET /user_points/?page_size=1 HTTP/1.1\r\nHost: test:1\r\n" CLOSE, "HTTP/1.1 200 OK\r\n",
		"\r\nContent-Type: application/json\r\n", "\"http://test:1/user_points/?page=2&page_size=1\"",
		"\r\nETag: \"", "\r\nCache-Control: no-cache\r\n", "\r\nX-Content-Type-Options: nosniff\r\n",
		"!Access-Control", "!X-RateLimit", "\r\nContent-Security-Policy: default-src 'none'");
	/* The second time from the cache, the same. */
	EXPECT(&program, "GET /user_points/?page_size=1 HTTP/1.1\r\nHost: test:1\r\n" CLOSE,
		"\"http://test:1/user_points/");
	EXPECT(&program, "GET /user_points/?page_size=1 HTTP/1.1\r\nHost: other\r\n" CLOSE,
		"\"http://other/user_points/");
	EXPECT(&program, "HEAD /user_points/ HTTP/1.1\r\nHost: a\r\n" CLOSE, "HTTP/1.1 200 OK\r\n",
		"\r\nContent-Length: ", "!links");
	EXPECT(&program, "GET /user_points/ HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n" CLOSE,
		"Content-Encoding: gzip\r\n", "-gz\"", "!links");
	EXPECT(&program, "GET / HTTP/1.0\r\n\r\n", "200 OK", "\"http://127.0.0.1:");
	EXPECT(&program, "POST /levels/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 405 ",
		"\r\nAllow: GET, HEAD, OPTIONS\r\n");
	EXPECT(&program, "GET /user_points HTTP/1.1\r\nHost: a\r\nOrigin: https://walle.sfucsss.org\r\n" CLOSE,
		"HTTP/1.1 301 ", "\r\nLocation: /user_points/\r\n", "!Access-Control");
	EXPECT(&program, "GET /metrics HTTP/1.1\r\nHost: a\r\n" CLOSE, "walle_api_requests_total{class=\"2xx\"}",
		"walle_api_cache_hits_total ");
	/* Personal data stay out of the log. */
	EXPECT(&program, "GET /v1/members/17 HTTP/1.1\r\nHost: a\r\n" CLOSE, "200 OK");
	assert_true(wait_for_words(&program, "route=\"/v1/members/{user_id}\""));
	assert_lacks(program.said.buf, "members/17");
	stop(&program);
}

static void test_tags_and_origins(void **state)
{
	struct fixture *fixture = *state;
	struct program program;
	char *answer, *tag, *request, *length;

	fill(fixture);
	start(&program, fixture, NULL);
	assert_true(wait_for_words(&program, "database opened"));
	answer = answer_of(&program, "GET /v1/stats HTTP/1.1\r\nHost: a\r\n" CLOSE);
	length = strndup(strstr(answer, "\r\nContent-Length: "), strlen("\r\nContent-Length: 99\r\n"));
	tag = strstr(answer, "ETag: ") + 6;
	tag[strcspn(tag, "\r")] = '\0';
	request = xasprintf("GET /v1/stats HTTP/1.1\r\nHost: a\r\nIf-None-Match: %s\r\n" CLOSE, tag);
	/* The length is that of the answer which the client keeps (RFC 9110, section 8.6). */
	EXPECT(&program, request, "HTTP/1.1 304 ", tag, "!members", length);
	put_member(fixture, 1, 100000, NULL, NULL);
	EXPECT(&program, request, "HTTP/1.1 200 ", "members");
	free(length);
	free(request);
	free(answer);
	EXPECT(&program, "GET /levels/ HTTP/1.1\r\nHost: a\r\nOrigin: https://new.sfucsss.org\r\n" CLOSE,
		"\r\nAccess-Control-Allow-Origin: https://new.sfucsss.org\r\n");
	EXPECT(&program, "GET /levels/ HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n" CLOSE, "200 OK",
		"!Access-Control", "Origin\r\n");
	EXPECT(&program,
		"OPTIONS /user_points/ HTTP/1.1\r\nHost: a\r\nOrigin: https://walle.sfucsss.org\r\n"
		"Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: content-type\r\n" CLOSE,
		"HTTP/1.1 200 ", "\r\nAccess-Control-Allow-Methods: DELETE, GET, OPTIONS, PATCH, POST, PUT\r\n",
		"content-type", "\r\nAccess-Control-Max-Age: 86400\r\n");
	EXPECT(&program,
		"OPTIONS /v1/stats HTTP/1.1\r\nHost: a\r\nOrigin: https://walle.sfucsss.org\r\n"
		"Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: if-none-match\r\n" CLOSE,
		"HTTP/1.1 200 ", "\r\nAccess-Control-Allow-Methods: DELETE, GET, OPTIONS, PATCH, POST, PUT\r\n",
		", if-none-match\r\n");
	EXPECT(&program,
		"OPTIONS /levels/ HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n"
		"Access-Control-Request-Method: GET\r\n" CLOSE,
		"HTTP/1.1 200 ", "!Access-Control");
	/* A preflight is known by what it asks; without an origin it is granted nothing. */
	EXPECT(&program,
		"OPTIONS /levels/?format=xml HTTP/1.1\r\nHost: a\r\nAccess-Control-Request-Method: GET\r\n" CLOSE,
		"HTTP/1.1 200 ", "\r\nContent-Length: 0\r\n", "!Access-Control");
	EXPECT(&program,
		"OPTIONS /levels HTTP/1.1\r\nHost: a\r\nOrigin: https://walle.sfucsss.org\r\n"
		"Access-Control-Request-Method: GET\r\n" CLOSE,
		"HTTP/1.1 301 ", "!Access-Control");
	stop(&program);
}

static void test_malformed_requests(void **state)
{
	struct str big cleanup(str_finish) = STR_INIT;
	struct program program;

	start(&program, *state, NULL);
	EXPECT(&program, "GET / HTTP/1.1\r\n\r\n", " 400 ", "There is no Host header.", "\r\nConnection: close\r\n");
	EXPECT(&program, "GET  / HTTP/1.1\r\nHost: a\r\n" CLOSE, " 400 ");
	EXPECT(&program, "GET /a b HTTP/1.1\r\nHost: a\r\n" CLOSE, " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", " 400 ");
	EXPECT(&program,
		"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		" 400 ");
	EXPECT(&program, "GET / HTTP/1.1\nHost: a\r\nConnection: close\r\n\r\n", " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\nConnection: close\r\n\r\n", " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\n\r\n", " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\n", " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nX: folded\r\n value\r\n" CLOSE, " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n" CLOSE, " 400 ");
	EXPECT(&program, "GET /\x7f HTTP/1.1\r\nHost: a\r\n" CLOSE, " 400 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", " 413 ");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost : a\r\n" CLOSE, " 400 ");
	str_adds(&big, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	for (int i = 0; i < 8200; i++)
		str_addc(&big, 'x');
	str_adds(&big, "\r\n" CLOSE);
	EXPECT(&program, big.buf, " 431 ");
	/* A thousand parameters are read, one more is too much. */
	str_clear(&big);
	str_adds(&big, "GET /?");
	for (int i = 0; i < 999; i++)
		str_adds(&big, "a&");
	str_adds(&big, "a HTTP/1.1\r\nHost: a\r\n" CLOSE);
	EXPECT(&program, big.buf, " 200 ");
	str_clear(&big);
	str_adds(&big, "GET /?");
	for (int i = 0; i < 1000; i++)
		str_adds(&big, "a&");
	str_adds(&big, "a HTTP/1.1\r\nHost: a\r\n" CLOSE);
	EXPECT(&program, big.buf, " 400 ", "more than 1000 parameters");
	str_clear(&big);
	str_adds(&big, "GET /?");
	for (int i = 0; i < 60000; i++)
		str_addc(&big, 'x');
	EXPECT(&program, big.buf, " 414 ");
	/* It is still there. */
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\n" CLOSE, " 200 ");
	stop(&program);
}

static void test_hosts_and_limits(void **state)
{
	static const char *const settings[] = { "ALLOWED_HOSTS=walle.example", "RATE_LIMIT=3",
		"PUBLIC_URL=https://walle.example", NULL };
	struct fixture *fixture = *state;
	struct program program;

	start(&program, fixture, settings);
	assert_true(wait_for_words(&program, "database opened"));
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, " 400 ", "X-RateLimit-Remaining: 2\r\n");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: walle.example:9\r\n" CLOSE, " 200 ",
		"\"https://walle.example/user_points/\"", "X-RateLimit-Limit: 3\r\n", "X-RateLimit-Remaining: 1\r\n");
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: walle.example\r\n" CLOSE, " 200 ");
	/* A script of the website must be able to read when to come again. */
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: walle.example\r\nOrigin: https://new.sfucsss.org\r\n" CLOSE, " 429 ",
		"\r\nRetry-After: ", "X-RateLimit-Remaining: 0\r\n",
		"Expose-Headers: ETag, Retry-After, X-RateLimit-Limit,");
	EXPECT(&program, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" CLOSE, " 200 ");
	stop(&program);
}

/* Under one public address all hosts get the same answers, but only those that are served here. */
static void test_a_host_is_refused_whatever_others_asked(void **state)
{
	static const char *const settings[] = { "ALLOWED_HOSTS=walle.example", "PUBLIC_URL=https://walle.example",
		NULL };
	struct fixture *fixture = *state;
	struct program program;

	start(&program, fixture, settings);
	assert_true(wait_for_words(&program, "database opened"));
	for (int i = 0; i < 3; i++)
		EXPECT(&program, "GET /levels/ HTTP/1.1\r\nHost: walle.example\r\n" CLOSE, " 200 ");
	EXPECT(&program, "GET /levels/ HTTP/1.1\r\nHost: evil.example\r\n" CLOSE, " 400 ");
	stop(&program);
}

/* Clients that ask for the biggest answers and take none: others get theirs, the big ones only while there is memory. */
static void test_readers_that_do_not_read(void **state)
{
	enum { READERS = 60 };
	const char *big = "GET /user_points/?page_size=1000 HTTP/1.1\r\nHost: a\r\n\r\n";
	struct fixture *fixture = *state;
	struct program program;
	char name[1000], *answer = NULL;
	int fds[READERS];
	usec deadline;

	/* More than a megabyte in all, which no socket takes over. */
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= 1000; i++)
		put_member(fixture, i, (int64_t)i, name, NULL);
	assert_int_equal(db_commit(fixture->db), 0);
	start(&program, fixture, NULL);
	assert_true(wait_for_words(&program, "database opened"));
	for (int i = 0; i < READERS; i++) {
		fds[i] = connect_through(&program, true);
		assert_int_equal(send(fds[i], big, strlen(big), MSG_NOSIGNAL), strlen(big));
		/* Its answer has begun. */
		assert_int_equal(recv(fds[i], &(char){ 0 }, 1, MSG_PEEK), 1);
	}
	EXPECT(&program, "GET /user_points/?page_size=1000 HTTP/1.1\r\nHost: a\r\n" CLOSE, " 503 ",
		"\r\nRetry-After: 1\r\n", "slow");
	EXPECT(&program, "GET /user_points/?page_size=10 HTTP/1.1\r\nHost: a\r\n" CLOSE, " 200 ");
	for (int i = 0; i < READERS; i++)
		close(fds[i]);
	deadline = clock_monotonic() + 20 * SECOND;
	do {
		free(answer);
		answer = answer_of(&program, "GET /user_points/?page_size=1000 HTTP/1.1\r\nHost: a\r\n" CLOSE);
	} while (!strstr(answer, " 200 ") && clock_monotonic() < deadline);
	assert_contains(answer, " 200 ");
	free(answer);
	stop(&program);
}

static void test_keep_alive_and_pipelining(void **state)
{
	const char *two = "GET /?1 HTTP/1.1\r\nHost: a\r\n\r\nGET /?2 HTTP/1.1\r\nHost: b\r\n" CLOSE;
	struct program program;
	char *answer;

	start(&program, *state, NULL);
	answer = answer_of(&program, two);
	assert_contains(answer, "http://a/levels/");
	assert_contains(answer, "http://b/levels/");
	assert_true(strstr(answer, "http://a/levels/") < strstr(answer, "http://b/levels/"));
	free(answer);
	stop(&program);
}

/* A proxy asks for many clients over one connection; each request is its own client's. */
static void test_proxy_that_keeps_its_connection(void **state)
{
	static const char *const settings[] = { "TRUSTED_PROXIES=127.0.0.1", NULL };
	const char *requests =
		"GET /?1 HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n"
		"GET /?2 HTTP/1.1\r\nHost: b\r\nX-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Proto: https\r\n\r\n"
		"GET /?3 HTTP/1.1\r\nHost: c\r\n" CLOSE;
	struct program program;
	char *answer;

	start(&program, *state, settings);
	answer = answer_of(&program, requests);
	assert_contains(answer, "\"https://a/levels/");
	assert_contains(answer, "\"https://b/levels/");
	assert_contains(answer, "\"http://c/levels/");
	free(answer);
	assert_true(wait_for_words(&program, "address=\"192.0.2.1\""));
	assert_true(wait_for_words(&program, "address=\"192.0.2.2\""));
	assert_true(wait_for_words(&program, "address=\"127.0.0.1\" method="));
	stop(&program);
}

/* What the library reads past: a NUL ends a line for it. */
static void test_nuls(void **state)
{
	static const struct {
		const char *request;
		size_t len;
	} cases[] = {
#define REQUEST(text) { text, sizeof(text) - 1 }
		REQUEST("GET /\0 HTTP/1.1\r\nHost: a\r\n" CLOSE),
		REQUEST("GET\0 / HTTP/1.1\r\nHost: a\r\n" CLOSE),
		REQUEST("GET / HTTP/1.1\0\r\nHost: a\r\n" CLOSE),
		REQUEST("GET / HTTP/1.1\r\nHost: a\0b\r\n" CLOSE),
		REQUEST("GET / HTTP/1.1\r\nHost: a\r\nX\0: a\r\n" CLOSE),
		REQUEST("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\0\r\n\r\n"),
	};
	struct program program;

	start(&program, *state, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str answer cleanup(str_finish) = STR_INIT;
		int fd = connect_to(&program);

		assert_int_equal(send(fd, cases[i].request, cases[i].len, MSG_NOSIGNAL), cases[i].len);
		read_all(fd, &answer);
		close(fd);
		if (!strstr(answer.buf, "HTTP/1.1 400 "))
			fail_msg("case %zu: %s", i, answer.buf);
	}
	stop(&program);
}

/* Connections that say nothing, and one that never comes to an end: others are served, and the slow one is cut off in the end. */
static void test_idle_and_dripping_clients(void **state)
{
	enum { IDLE = 2000 };
	struct rlimit limit;
	struct program program;
	usec began, now;
	int *idle, dripping, count = IDLE;
	bool cut = false;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	(void)!setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < IDLE + 100)
		count = (int)limit.rlim_cur - 100;
	start(&program, *state, NULL);
	dripping = connect_to(&program);
	began = clock_monotonic();
	assert_int_equal(send(dripping, "GET / HTTP/1.1\r\nX: ", 19, MSG_NOSIGNAL), 19);
	idle = xcalloc((size_t)count, sizeof(*idle));
	for (int i = 0; i < count; i++)
		idle[i] = connect_to(&program);
	for (int i = 0; i < 20; i++)
		EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\n" CLOSE, " 200 ");
	do {
		char byte;

		cut = send(dripping, "x", 1, MSG_NOSIGNAL) < 0 || recv(dripping, &byte, 1, MSG_DONTWAIT) == 0;
		usleep(100000);
		now = clock_monotonic();
	} while (!cut && now < began + 25 * SECOND);
	assert_true(cut);
	assert_true(now > began + 10 * SECOND);
	for (int i = 0; i < count; i++)
		close(idle[i]);
	free(idle);
	close(dripping);
	EXPECT(&program, "GET / HTTP/1.1\r\nHost: a\r\n" CLOSE, " 200 ");
	stop(&program);
}

static void test_no_database_yet(void **state)
{
	struct fixture *fixture = *state;
	struct program program;
	usec deadline;
	char *answer;

	start(&program, fixture, NULL);
	assert_true(wait_for_words(&program, "no data to answer from"));
	EXPECT(&program, "GET /levels/ HTTP/1.1\r\nHost: a\r\n" CLOSE, " 503 ", "There is no database yet",
		"Retry-After: 1\r\n", "Cache-Control: no-store\r\n");
	fixture_create_database(fixture);
	deadline = clock_monotonic() + 10 * SECOND;
	do {
		usleep(20000);
		answer = answer_of(&program, "GET /levels/ HTTP/1.1\r\nHost: a\r\n" CLOSE);
		if (strstr(answer, " 200 "))
			break;
		free(answer);
		answer = NULL;
	} while (clock_monotonic() < deadline);
	assert_non_null(answer);
	free(answer);
	stop(&program);
}

static void test_ends_that_say_why(void **state)
{
	struct fixture *fixture = *state;
	struct program program, second;
	char port[32];
	FILE *file;

	start(&program, fixture, NULL);
	snprintf(port, sizeof(port), "PORT=%d", program.port);
	launch(&second, fixture, (const char *const[]){ port, NULL });
	assert_int_equal(wait_for_end(&second), 2);
	assert_contains(second.said.buf, "Address already in use");
	str_finish(&second.said);
	launch(&second, fixture, (const char *const[]){ "BIND=nowhere", NULL });
	assert_int_equal(wait_for_end(&second), 2);
	assert_contains(second.said.buf, "'nowhere' is no address");
	str_finish(&second.said);
	kill(program.pid, SIGUSR1);
	assert_true(wait_for_words(&program, "connection_limit="));
	stop(&program);

	file = fopen(fixture->path, "w");
	assert_non_null(file);
	for (int i = 0; i < 100; i++)
		fputs("not a database ", file);
	assert_int_equal(fclose(file), 0);
	launch(&second, fixture, NULL);
	assert_int_equal(wait_for_end(&second), 4);
	assert_contains(second.said.buf, "The database is damaged");
	str_finish(&second.said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_tags_and_origins, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_malformed_requests, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_nuls, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_hosts_and_limits, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_host_is_refused_whatever_others_asked, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_readers_that_do_not_read, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_keep_alive_and_pipelining, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_proxy_that_keeps_its_connection, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_idle_and_dripping_clients, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_database_yet, fixture_setup_empty, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_ends_that_say_why, fixture_setup_empty, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
