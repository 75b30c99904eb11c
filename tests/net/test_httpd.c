/* shared/net/httpd.c against raw sockets: what arrives byte by byte, never, too large, or is not HTTP. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/httpd.h"

static struct loop loop;
static struct httpd *httpd;
static int requests, gone;
static struct httpd_request *held;
static char last_query[256];

static void on_gone(void *user)
{
	assert_ptr_equal(user, &gone);
	gone++;
	held = NULL;
}

static void on_request(void *arg, struct httpd_request *request)
{
	static const struct http_header headers[] = { { "X-Good", "yes" }, { "X-Bad", "a\r\nX-Injected: b" }, { 0 } };
	const char *path = httpd_path(request);
	char text[128];
	size_t len;
	int n;

	(void)arg;
	requests++;
	snprintf(last_query, sizeof(last_query), "%s", httpd_query(request));
	httpd_body(request, &len);
	if (streq(path, "/hold") || streq(path, "/hold-blindly")) {
		held = request;
		if (streq(path, "/hold"))
			httpd_set_user(request, &gone, on_gone);
		return;
	}
	if (streq(path, "/drop")) {
		httpd_drop(request);
		return;
	}
	if (streq(path, "/argument")) {
		const char *a = httpd_argument(request, "a"), *b = httpd_argument(request, "b c");

		n = snprintf(text, sizeof(text), "a=%s b=%s %s", a != NULL ? a : "(none)", b != NULL ? b : "(none)",
			httpd_argument(request, "flag") != NULL ? "flag" : "");
	} else {
		n = snprintf(text, sizeof(text), "%s %s %zu", httpd_method(request), path, len);
	}
	httpd_respond(request, 200, "text/plain", headers, text, (size_t)n);
}

static const struct httpd_options quick = {
	.body_limit = 1000, .connections = 64, .receive_timeout = 300 * MILLISECOND
};

static int setup(void **state)
{
	(void)state;
	requests = gone = 0;
	held = NULL;
	if (loop_init(&loop) < 0)
		return -1;
	return httpd_create(&loop, &quick, on_request, NULL, &httpd);
}

static int teardown(void **state)
{
	(void)state;
	httpd_destroy(httpd);
	httpd_destroy(NULL);
	return loop_finish(&loop);
}

/* === a client with blocking calls, in a thread === */

struct exchange {
	const char *send;
	size_t send_len; /* 0: strlen */
	usec pause;      /* between bytes; 0: all at once */
	bool leaves;     /* closes after sending */
	char got[4096];
	size_t got_len;
	usec took;
	bool done;
	pthread_t thread;
};

static int connect_client(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 8 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_port = htons((uint16_t)httpd_port(httpd));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)) < 0)
		abort();
	return fd;
}

static void *exchange_run(void *arg)
{
	struct exchange *x = arg;
	usec start = clock_monotonic();
	size_t len = x->send_len != 0 ? x->send_len : strlen(x->send), step = x->pause != 0 ? 1 : len;
	int fd = connect_client();
	ssize_t n;

	for (size_t i = 0; i < len; i += step) {
		if (send(fd, x->send + i, step, MSG_NOSIGNAL) < 0)
			break;
		if (x->pause != 0)
			usleep((useconds_t)x->pause);
	}
	while (!x->leaves && x->got_len + 1 < sizeof(x->got) &&
		(n = recv(fd, x->got + x->got_len, sizeof(x->got) - 1 - x->got_len, 0)) > 0)
		x->got_len += (size_t)n;
	close(fd);
	x->took = clock_monotonic() - start;
	__atomic_store_n(&x->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static bool is_done(struct exchange *x)
{
	return __atomic_load_n(&x->done, __ATOMIC_ACQUIRE);
}

static void start(struct exchange *x)
{
	assert_int_equal(pthread_create(&x->thread, NULL, exchange_run, x), 0);
}

/* The thread's end is no event of the loop, so it is asked for again and again. */
static void finish(struct exchange *x)
{
	usec deadline = loop_now(&loop) + 20 * SECOND;

	while (!is_done(x)) {
		assert_true(loop_now(&loop) < deadline);
		uv_run(&loop.uv, UV_RUN_NOWAIT);
		usleep(500);
	}
	pthread_join(x->thread, NULL);
}

static void exchange(struct exchange *x)
{
	start(x);
	finish(x);
}

static int count_of(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n"
#define CLOSE     "Connection: close\r\n\r\n"

static void test_request_and_answer(void **state)
{
	struct exchange x = { .send = GET("/a%20b?q=1%2B1&r") CLOSE };

	(void)state;
	exchange(&x);
	assert_memory_equal(x.got, "HTTP/1.1 200 ", 13);
	assert_non_null(strstr(x.got, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(x.got, "\r\nX-Good: yes\r\n"));
	assert_null(strstr(x.got, "X-Injected"));
	assert_non_null(strstr(x.got, "\r\n\r\nGET /a%20b 0"));
	assert_string_equal(last_query, "q=1%2B1&r");
}

static void test_kept_and_pipelined(void **state)
{
	struct exchange x = { .send = GET("/1") "\r\n" GET("/2") "Content-Length: 3\r\n\r\nabc" GET("/3") CLOSE };

	(void)state;
	exchange(&x);
	assert_int_equal(count_of(x.got, "HTTP/1.1 200"), 3);
	assert_non_null(strstr(x.got, "GET /1 0"));
	assert_non_null(strstr(x.got, "GET /2 3"));
	assert_non_null(strstr(x.got, "GET /3 0"));
}

static void test_arguments(void **state)
{
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ GET("/argument?a=1%2b1+2%&b%20c=%41%zz") CLOSE, "a=1+1 2% b=A%zz " },
		{ GET("/argument?&&a&flag&=x") CLOSE, "a= b=(none) flag" },
		{ GET("/argument?aa=1&A=2&a=3&a=4") CLOSE, "a=3 b=(none) " },
		{ GET("/argument?") CLOSE, "a=(none) b=(none) " },
		{ GET("/argument?a=%4") CLOSE, "a=%4 b=(none) " },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exchange x = { .send = cases[i].request };
		const char *body;

		exchange(&x);
		body = strstr(x.got, "\r\n\r\n");
		assert_non_null(body);
		assert_string_equal(body + 4, cases[i].answer);
	}
}

static void test_what_is_not_let_through(void **state)
{
	static const struct {
		const char *request, *status; /* NULL: closed without an answer */
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" CLOSE, "400" },
		{ "FOO / HTTP/1.1\r\nHost: x\r\n" CLOSE, "501" },
		{ "GET http://x/ HTTP/1.1\r\nHost: x\r\n" CLOSE, "400" },
		{ "GET * HTTP/1.1\r\nHost: x\r\n" CLOSE, "400" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
			"400" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n" CLOSE, "400" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "413" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", "4" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exchange x = { .send = cases[i].request };
		char long_body[4096];

		if (cases[i].status == NULL) {
			/* two chunks of 1000 bytes */
			x.send = long_body;
			x.send_len = (size_t)snprintf(long_body, sizeof(long_body), "%s%01000d\r\n3e8\r\n%01000d\r\n",
				cases[i].request, 1, 2);
		}
		exchange(&x);
		if (cases[i].status == NULL)
			assert_int_equal(x.got_len, 0);
		else if (strncmp(x.got, "HTTP/1.1 ", 9) != 0 ||
			 strncmp(x.got + 9, cases[i].status, strlen(cases[i].status)) != 0)
			fail_msg("case %zu: %.40s", i, x.got);
	}
	assert_int_equal(requests, 0);
}

static void test_body_of_exactly_the_limit(void **state)
{
	struct exchange x = { 0 };
	char request[2048];
	int len = snprintf(request, sizeof(request), "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n" CLOSE);

	(void)state;
	memset(request + len, 'b', 1000);
	x.send = request;
	x.send_len = (size_t)len + 1000;
	exchange(&x);
	assert_non_null(strstr(x.got, "PUT /b 1000"));
}

static void test_chunked_body(void **state)
{
	struct exchange x = {
		.send = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
			"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
	};

	(void)state;
	exchange(&x);
	assert_non_null(strstr(x.got, "POST /c 5"));
}

/* A byte now and then keeps microhttpd's own timeout from ever ending. */
static void test_drip_clients_are_cut_off(void **state)
{
	static const char *const requests_sent[] = {
		"GET /drip HTTP/1.1\r\nHost: x\r\nX-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"POST /drip HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests_sent); i++) {
		struct exchange x = { .send = requests_sent[i], .pause = 10 * MILLISECOND };

		exchange(&x);
		assert_int_equal(x.got_len, 0);
		assert_true(x.took < 4 * SECOND);
	}
	assert_int_equal(requests, 0);
}

static bool is_held(void *arg)
{
	(void)arg;
	return held != NULL;
}

static bool is_gone(void *arg)
{
	(void)arg;
	return gone > 0;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void test_late_answer(void **state)
{
	struct exchange x = { .send = GET("/hold") CLOSE };

	(void)state;
	start(&x);
	assert_int_equal(loop_run_until(&loop, is_held, NULL, 5 * SECOND), 0);
	/* far longer than the time for receiving */
	assert_int_equal(loop_run_until(&loop, never, NULL, SECOND), -ETIMEDOUT);
	assert_non_null(held);
	httpd_respond(held, 201, NULL, NULL, "late", 4);
	finish(&x);
	assert_memory_equal(x.got, "HTTP/1.1 201 ", 13);
	assert_string_equal(x.got + x.got_len - 4, "late");
	assert_int_equal(gone, 0);
}

static void test_client_that_leaves_before_the_answer(void **state)
{
	struct exchange watched = { .send = GET("/hold") "\r\n", .leaves = true };
	struct exchange blind = { .send = GET("/hold-blindly") "\r\n", .leaves = true };

	(void)state;
	exchange(&watched);
	assert_int_equal(loop_run_until(&loop, is_gone, NULL, 5 * SECOND), 0);
	assert_int_equal(gone, 1);

	/* who does not ask to be told may answer into the void */
	exchange(&blind);
	assert_int_equal(loop_run_until(&loop, is_held, NULL, 5 * SECOND), 0);
	assert_int_equal(loop_run_until(&loop, never, NULL, 300 * MILLISECOND), -ETIMEDOUT);
	httpd_respond(held, 200, NULL, NULL, "x", 1);
	assert_int_equal(loop_run_until(&loop, never, NULL, 50 * MILLISECOND), -ETIMEDOUT);
	assert_int_equal(gone, 1);
}

static void test_drop(void **state)
{
	struct exchange x = { .send = GET("/drop") "\r\n" };

	(void)state;
	exchange(&x);
	assert_int_equal(x.got_len, 0);
	assert_int_equal(requests, 1);
}

static void test_destroying_while_a_request_is_held(void **state)
{
	struct exchange x = { .send = GET("/hold") "\r\n" };

	(void)state;
	start(&x);
	assert_int_equal(loop_run_until(&loop, is_held, NULL, 5 * SECOND), 0);
	httpd_destroy(httpd);
	httpd = NULL;
	assert_int_equal(gone, 1);
	finish(&x);
	assert_int_equal(x.got_len, 0);
}

static void destroys_its_server(void *arg, struct httpd_request *request)
{
	struct httpd **server = arg;

	(void)request;
	httpd_destroy(*server);
	*server = NULL;
}

static void test_destroying_in_the_handler(void **state)
{
	struct exchange x = { .send = GET("/") "\r\n" };

	(void)state;
	httpd_destroy(httpd);
	assert_int_equal(httpd_create(&loop, &quick, destroys_its_server, &httpd, &httpd), 0);
	exchange(&x);
	assert_null(httpd);
	assert_int_equal(x.got_len, 0);
}

static void test_bind_errors_and_ipv6(void **state)
{
	struct httpd *second = NULL;
	const struct {
		struct httpd_options options;
		int error;
	} cases[] = {
		{ { .port = httpd_port(httpd) }, -EADDRINUSE },
		{ { .bind = "not an address" }, -EINVAL },
		{ { .port = 70000 }, -EINVAL },
		{ { .port = -1 }, -EINVAL },
		{ { .bind = "192.0.2.1" }, -EADDRNOTAVAIL },
	};
	const struct httpd_options six = { .bind = "::1" };
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(httpd_create(&loop, &cases[i].options, on_request, NULL, &second), cases[i].error);
	assert_null(second);
	r = httpd_create(&loop, &six, on_request, NULL, &second);
	if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT)
		return; /* a machine without IPv6 */
	assert_int_equal(r, 0);
	assert_true(httpd_port(second) > 0);
	httpd_destroy(second);
}

#define IDLERS 2000

static void test_2000_idle_connections_do_not_hinder(void **state)
{
	static int idle[IDLERS];
	struct rlimit files;
	struct exchange x = { .send = GET("/still-here") CLOSE };
	const struct httpd_options patient = { .connections = 64 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	if (files.rlim_cur < 2 * IDLERS + 100)
		skip();
	httpd_destroy(httpd);
	/* with the usual ten seconds for receiving: the idle ones go because others come */
	assert_int_equal(httpd_create(&loop, &patient, on_request, NULL, &httpd), 0);
	for (size_t i = 0; i < IDLERS; i++) {
		idle[i] = connect_client();
		if (i % 8 == 7)
			uv_run(&loop.uv, UV_RUN_NOWAIT);
	}
	exchange(&x);
	assert_non_null(strstr(x.got, "GET /still-here 0"));
	assert_true(x.took < SECOND);
	for (size_t i = 0; i < IDLERS; i++)
		close(idle[i]);
}

/* Three connections where two are allowed: the idle one goes, the one whose answer is being waited for stays. */
static void test_newcomer_pushes_out_the_idle_one(void **state)
{
	struct exchange asking = { .send = GET("/hold") CLOSE }, newcomer = { .send = GET("/new") CLOSE };
	const struct httpd_options two = { .connections = 2 };
	char byte;
	int idle;

	(void)state;
	httpd_destroy(httpd);
	assert_int_equal(httpd_create(&loop, &two, on_request, NULL, &httpd), 0);
	start(&asking);
	assert_int_equal(loop_run_until(&loop, is_held, NULL, 5 * SECOND), 0);
	idle = connect_client();
	assert_int_equal(loop_run_until(&loop, never, NULL, 20 * MILLISECOND), -ETIMEDOUT);
	exchange(&newcomer);
	assert_non_null(strstr(newcomer.got, "GET /new 0"));
	assert_int_equal(recv(idle, &byte, 1, 0), 0);
	close(idle);
	assert_int_equal(gone, 0);
	httpd_respond(held, 200, NULL, NULL, "late", 4);
	finish(&asking);
	assert_memory_equal(asking.got, "HTTP/1.1 200 ", 13);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(test_request_and_answer),
		TEST(test_kept_and_pipelined),
		TEST(test_arguments),
		TEST(test_what_is_not_let_through),
		TEST(test_body_of_exactly_the_limit),
		TEST(test_chunked_body),
		TEST(test_drip_clients_are_cut_off),
		TEST(test_late_answer),
		TEST(test_client_that_leaves_before_the_answer),
		TEST(test_drop),
		TEST(test_destroying_while_a_request_is_held),
		TEST(test_destroying_in_the_handler),
		TEST(test_bind_errors_and_ipv6),
		TEST(test_newcomer_pushes_out_the_idle_one),
		TEST(test_2000_idle_connections_do_not_hinder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
