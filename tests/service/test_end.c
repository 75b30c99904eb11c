/* shared/service/service.c: how a program ends while a thread is still at work. The program runs in a child process,
 * the fake Discord in this one. */
#include "support.h"

#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fake_discord/fake_discord.h"
#include "service/service.h"

#define END_MAX 10 /* seconds until a supervisor kills */

static int asked[2]; /* a byte comes through when a name is asked for */

/* In libc's place, for libuv as well: a name server that never answers. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	(void)node, (void)service, (void)hints, (void)result;
	if (write(asked[1], "", 1) != 1)
		abort();
	for (;;)
		pause();
}

static int start(struct service *service, bool resuming)
{
	(void)service, (void)resuming;
	return 0;
}

static int dispatch(struct service *service, const char *event, const cJSON *d, bool replayed)
{
	(void)service, (void)event, (void)d, (void)replayed;
	return 0;
}

static const struct service_definition definition = {
	.program = { .name = "test", .service = "test", .health_address = settings_bot_health },
	.intents = INTENT_GUILDS,
	.requests_per_second = 10,
	.flows = { .total = 4, .per_owner = 1 },
	.start = start,
	.dispatch = dispatch,
};

static pid_t run_program(const struct fixture *fixture, const struct fake *fake)
{
	char name[] = "test", *argv[] = { name, NULL };
	pid_t pid;

	setenv("database_config__PATH", fixture->path, 1);
	setenv("basic_config__TOKEN", fake_token(fake), 1);
	setenv("discord__API_URL", fake_api_url(fake), 1);
	setenv("discord__GATEWAY_URL", "ws://gateway.invalid/", 1);
	setenv("health__BOT_PORT", "0", 1);
	pid = fork();
	if (pid == 0)
		exit(service_main(&definition, 1, argv));
	return pid;
}

static void on_asked(uv_poll_t *poll, int status, int events)
{
	char byte;

	(void)status, (void)events;
	if (read(asked[0], &byte, 1) == 1)
		*(bool *)poll->data = true;
}

static bool is_true(void *arg)
{
	return *(bool *)arg;
}

static void wait_asked(struct loop *loop)
{
	bool came = false;
	uv_poll_t poll = { .data = &came };

	assert_int_equal(uv_poll_init(&loop->uv, &poll, asked[0]), 0);
	uv_poll_start(&poll, UV_READABLE, on_asked);
	assert_int_equal(loop_run_until(loop, is_true, &came, 20 * SECOND), 0);
	uv_close((uv_handle_t *)&poll, NULL);
	uv_run(&loop->uv, UV_RUN_NOWAIT);
}

/* A program that did not end would be killed by its supervisor, and the thread would have written into memory of
 * functions that have returned. */
static void test_ends_though_a_name_server_is_silent(void **state)
{
	struct fixture *fixture = *state;
	const struct timespec patience = { .tv_sec = END_MAX };
	struct loop loop;
	struct fake *fake;
	sigset_t ended;
	int status = -1;
	pid_t pid;

	sigemptyset(&ended);
	sigaddset(&ended, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ended, NULL);
	assert_int_equal(pipe(asked), 0);
	assert_int_equal(loop_init(&loop), 0);
	assert_int_equal(fake_create(&loop, NULL, &fake), 0);
	pid = run_program(fixture, fake);
	wait_asked(&loop);
	kill(pid, SIGTERM);
	if (sigtimedwait(&ended, NULL, &patience) != SIGCHLD)
		kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_CLEAN);
	fake_destroy(fake);
	assert_int_equal(loop_finish(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_ends_though_a_name_server_is_silent, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
