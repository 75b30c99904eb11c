/* The harness of the integration tests (harness.h). */
#include "harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "net/http.h"

#define PROCESSES_MAX     64
#define VARIABLES_MAX     64
#define WRAPPER_WORDS_MAX 12
#define HEALTH_PATIENCE   (20 * SECOND)
#define STOP_PATIENCE     (5 * SECOND)
#define POLL              (10 * MILLISECOND)
#define DATABASE_PATIENCE (10 * SECOND)
/* Below the range from which the kernel takes ports for connections. Tests that run at the same time begin at different places. */
#define PORT_LOW  20000
#define PORT_HIGH 32000
#define PORT_STEP 12

struct variable {
	char *name, *value;
};

struct process {
	struct harness *h;
	enum harness_program program;
	uv_process_t uv;
	uv_pipe_t pipe;
	int port;
	bool running, pipe_open;
	int status;
	struct str log;
	char buffer[4096];
};

struct harness_private {
	struct http *http;
	struct db *db;
	struct variable variables[VARIABLES_MAX];
	size_t variable_count;
	struct process *processes[PROCESSES_MAX];
	size_t process_count;
	const struct harness_test *test;
	bool passed;
};

static const struct {
	const char *file, *port_variable;
} programs[] = {
	[PROGRAM_BOT] = { "walle-bot", "health__BOT_PORT" },
	[PROGRAM_LISTENER] = { "walle-member-listener", "health__LISTENER_PORT" },
	[PROGRAM_API] = { "walle-leveling-api", "leveling_api__PORT" },
};

/* Handed through from the test's own environment: what sanitizers and coverage need. */
static const char *const inherited[] = { "PATH", "HOME", "TMPDIR", "TZDIR", "SSL_CERT_FILE", "ASAN_OPTIONS",
	"LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "GCOV_PREFIX", "LLVM_PROFILE_FILE" };

/* ---- the journal ---- */

static const char *test_name = "unnamed";

static void journal_path(struct str *path)
{
	str_printf(path, "%s/%s.jsonl", HARNESS_JOURNALS, test_name);
}

static void write_journal(const struct harness *h)
{
	struct str path cleanup(str_finish) = STR_INIT;
	struct str text cleanup(str_finish) = STR_INIT;
	FILE *file;

	journal_path(&path);
	fake_write_calls(h->fake, &text);
	file = fopen(path.buf, "a");
	if (!file) {
		print_error("%s: %s\n", path.buf, strerror(errno));
		return;
	}
	fwrite(text.buf, 1, text.len, file);
	fclose(file);
}

int harness_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	struct str path cleanup(str_finish) = STR_INIT;

	test_name = name;
	mkdir(HARNESS_JOURNALS, 0777);
	journal_path(&path);
	unlink(path.buf);
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

/* ---- environment ---- */

static struct variable *find_variable(struct harness *h, const char *name)
{
	struct harness_private *p = h->private;

	for (size_t i = 0; i < p->variable_count; i++)
		if (streq(p->variables[i].name, name))
			return &p->variables[i];
	return NULL;
}

void harness_set(struct harness *h, const char *name, const char *value)
{
	struct harness_private *p = h->private;
	struct variable *variable = find_variable(h, name);

	if (!variable) {
		if (!value)
			return;
		assert_true(p->variable_count < VARIABLES_MAX);
		variable = &p->variables[p->variable_count++];
		variable->name = xstrdup(name);
	}
	free(variable->value);
	variable->value = value ? xstrdup(value) : NULL;
}

static bool is_free(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd cleanup(closep) = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

int harness_free_port(struct harness *h)
{
	static unsigned taken;
	unsigned range = PORT_HIGH - PORT_LOW, first = (unsigned)getpid() * PORT_STEP;

	(void)h;
	for (unsigned i = 0; i < range; i++) {
		int port = PORT_LOW + (int)((first + taken++) % range);

		if (is_free(port))
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static void set_environment(struct harness *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		harness_set(h, inherited[i], getenv(inherited[i]));
	harness_set(h, "basic_config__TOKEN", fake_token(h->fake));
	harness_set(h, "discord__API_URL", fake_api_url(h->fake));
	harness_set(h, "discord__CDN_URL", fake_cdn_url(h->fake));
	harness_set(h, "database_config__PATH", h->database);
	harness_set(h, "log__LEVEL", "debug");
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		char port[16];

		snprintf(port, sizeof(port), "%d", harness_free_port(h));
		harness_set(h, programs[i].port_variable, port);
	}
}

/* ---- set up, take down ---- */

int harness_set_up(void **state)
{
	const struct harness_test *test = *state;
	struct harness *h = xcalloc(1, sizeof(*h));
	const char *base = getenv("TMPDIR");

	h->private = xcalloc(1, sizeof(*h->private));
	h->private->test = test;
	snprintf(h->directory, sizeof(h->directory), "%s/walle-test-XXXXXX", base && strlen(base) < 32 ? base : "/tmp");
	if (!mkdtemp(h->directory))
		return -1;
	snprintf(h->database, sizeof(h->database), "%s/walle.sqlite3", h->directory);
	if (loop_init(&h->loop) < 0 || fake_create(&h->loop, test->options, &h->fake) < 0 ||
		http_create(&h->loop, "walle-test", 8, &h->private->http) < 0)
		return -1;
	set_environment(h);
	*state = h;
	return 0;
}

void harness_call(void **state)
{
	struct harness *h = *state;

	h->private->test->run(h);
	h->private->passed = true;
}

static bool has_ended(void *arg)
{
	const struct process *process = arg;

	return !process->running && !process->pipe_open;
}

/* A sentence about what must never be in a log; NULL when all is well. */
static const char *log_problem(const struct harness *h, const struct process *process)
{
	static const char *const reports[] = { "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
		"runtime error:" };

	if (strstr(process->log.buf, fake_token(h->fake)))
		return "the token is in a log";
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		if (strstr(process->log.buf, reports[i]))
			return "a sanitizer reported something";
	return NULL;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

static void on_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = false;
}

static bool is_false(void *flag)
{
	return !*(bool *)flag;
}

static void free_process(struct process *process)
{
	bool open = true;

	if (!uv_is_closing((uv_handle_t *)&process->uv)) {
		process->uv.data = &open;
		uv_close((uv_handle_t *)&process->uv, on_closed);
		if (loop_run_until(&process->h->loop, is_false, &open, SECOND) < 0)
			return;
	}
	str_finish(&process->log);
	free(process);
}

int harness_tear_down(void **state)
{
	struct harness *h = *state;
	struct harness_private *p = h->private;
	const char *problem = NULL;
	int r;

	/* Whoever still runs was left by a test that failed, or by one that does not care how it ends. */
	for (size_t i = 0; i < p->process_count; i++) {
		struct process *process = p->processes[i];

		if (process->running)
			uv_process_kill(&process->uv, SIGKILL);
		if (loop_run_until(&h->loop, has_ended, process, STOP_PATIENCE) < 0)
			print_error("%s does not end\n", programs[process->program].file);
		if (!problem)
			problem = log_problem(h, process);
	}
	for (size_t i = 0; i < p->process_count; i++) {
		if (problem || !p->passed)
			fprintf(stderr, "---- %s ended with %d and wrote:\n%s----\n",
				programs[p->processes[i]->program].file, p->processes[i]->status,
				p->processes[i]->log.buf);
		free_process(p->processes[i]);
	}
	if (problem)
		print_error("%s\n", problem);
	write_journal(h);
	db_close(p->db);
	http_destroy(p->http);
	fake_destroy(h->fake);
	arena_finish(&h->arena);
	r = loop_finish(&h->loop);
	if (r < 0)
		print_error("the test's loop did not close: %s\n", error_text(r));
	for (size_t i = 0; i < p->variable_count; i++) {
		free(p->variables[i].name);
		free(p->variables[i].value);
	}
	nftw(h->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	free(h);
	*state = NULL;
	return problem || r < 0 ? -1 : 0;
}

/* ---- processes ---- */

static void on_pipe_closed(uv_handle_t *handle)
{
	struct process *process = handle->data;

	process->pipe_open = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct process *process = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(process->buffer, sizeof(process->buffer));
}

static void on_output(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct process *process = stream->data;

	if (count > 0)
		str_add(&process->log, buffer->base, (size_t)count);
	else if (count < 0)
		uv_close((uv_handle_t *)stream, on_pipe_closed);
}

static void on_exit_of_process(uv_process_t *uv, int64_t status, int signal)
{
	struct process *process = uv->data;

	process->running = false;
	process->status = signal ? 128 + signal : (int)status;
}

/* Standard output and standard error come through one pipe, in the order in which they were written. */
static int open_pipe(struct process *process)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		fail_msg("pipe: %s", strerror(errno));
	uv_pipe_init(&process->h->loop.uv, &process->pipe, 0);
	process->pipe.data = process;
	process->pipe_open = true;
	if (uv_pipe_open(&process->pipe, ends[0]) < 0)
		fail_msg("the pipe cannot be read");
	uv_read_start((uv_stream_t *)&process->pipe, on_alloc, on_output);
	return ends[1];
}

static const char **make_environment(struct harness *h)
{
	struct harness_private *p = h->private;
	const char **environment = arena_array(&h->arena, const char *, p->variable_count + 1);
	size_t count = 0;

	for (size_t i = 0; i < p->variable_count; i++)
		if (p->variables[i].value)
			environment[count++] =
				arena_printf(&h->arena, "%s=%s", p->variables[i].name, p->variables[i].value);
	return environment;
}

/* WALLE_TEST_WRAPPER: a command with its options, under which the programs run. */
static void add_wrapper(struct harness *h, const char **argv, size_t *count)
{
	const char *wrapper = getenv("WALLE_TEST_WRAPPER");
	char *words = arena_strdup(&h->arena, wrapper ? wrapper : ""), *rest;

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert_true(*count < WRAPPER_WORDS_MAX);
		argv[(*count)++] = word;
	}
}

struct process *harness_spawn(struct harness *h, enum harness_program program, const char *const *arguments)
{
	struct harness_private *p = h->private;
	struct process *process;
	const struct variable *port = find_variable(h, programs[program].port_variable);
	const char *argv[32];
	size_t count = 0;
	uv_stdio_container_t stdio[3] = { { .flags = UV_IGNORE }, { .flags = UV_INHERIT_FD },
		{ .flags = UV_INHERIT_FD } };
	uv_process_options_t options = { .args = (char **)argv,
		.env = (char **)make_environment(h),
		.stdio = stdio,
		.stdio_count = ARRAY_SIZE(stdio),
		.exit_cb = on_exit_of_process };
	int r, end;

	assert_true(p->process_count < PROCESSES_MAX);
	add_wrapper(h, argv, &count);
	argv[count++] = arena_printf(&h->arena, "%s/%s", HARNESS_PROGRAMS, programs[program].file);
	for (size_t i = 0; arguments && arguments[i]; i++) {
		assert_true(count + 1 < ARRAY_SIZE(argv));
		argv[count++] = arguments[i];
	}
	argv[count] = NULL;
	options.file = argv[0];
	process = xcalloc(1, sizeof(*process));
	process->h = h;
	process->program = program;
	process->port = port && port->value ? atoi(port->value) : 0;
	process->uv.data = process;
	str_init(&process->log);
	p->processes[p->process_count++] = process;
	end = open_pipe(process);
	stdio[1].data.fd = stdio[2].data.fd = end;
	r = uv_spawn(&h->loop.uv, &process->uv, &options);
	close(end);
	if (r < 0)
		fail_msg("%s: %s", argv[0], uv_strerror(r));
	process->running = true;
	return process;
}

struct process *harness_start(struct harness *h, enum harness_program program)
{
	struct process *process = harness_spawn(h, program, NULL);

	harness_wait_healthy(process, HEALTH_PATIENCE);
	return process;
}

bool harness_running(const struct process *process)
{
	return process->running;
}

int harness_pid(const struct process *process)
{
	return process->uv.pid;
}

const char *harness_log(const struct process *process)
{
	return process->log.buf;
}

size_t harness_log_lines(const struct process *process, const char *containing)
{
	size_t count = 0;

	for (const char *line = process->log.buf, *end; *line; line = end) {
		end = strchrnul(line, '\n');
		if (!containing || memmem(line, (size_t)(end - line), containing, strlen(containing)))
			count++;
		if (*end)
			end++;
	}
	return count;
}

void harness_signal(struct process *process, int signal)
{
	if (!process->running || uv_process_kill(&process->uv, signal) < 0)
		fail_msg("%s does not run any more", programs[process->program].file);
}

int harness_wait_exit(struct process *process, usec patience)
{
	if (loop_run_until(&process->h->loop, has_ended, process, patience) < 0)
		fail_msg("%s has not ended within %lld ms", programs[process->program].file,
			(long long)(patience / MILLISECOND));
	return process->status;
}

void harness_stop(struct process *process)
{
	harness_signal(process, SIGTERM);
	assert_int_equal(harness_wait_exit(process, STOP_PATIENCE), 0);
}

void harness_kill(struct process *process)
{
	harness_signal(process, SIGKILL);
	assert_int_equal(harness_wait_exit(process, STOP_PATIENCE), 128 + SIGKILL);
}

void harness_forget(struct process *process)
{
	struct harness_private *p = process->h->private;
	const char *problem = log_problem(process->h, process);
	size_t i = 0;

	if (problem)
		fail_msg("%s", problem);
	while (p->processes[i] != process)
		i++;
	memmove(&p->processes[i], &p->processes[i + 1], (p->process_count - i - 1) * sizeof(p->processes[0]));
	p->process_count--;
	free_process(process);
}

/* ---- waiting ---- */

void harness_wait(struct harness *h, bool (*done)(void *arg), void *arg, usec patience)
{
	usec deadline = loop_now(&h->loop) + patience;

	/* What is waited for may be in the database, whose changes wake nobody. */
	while (!done(arg)) {
		if (loop_now(&h->loop) >= deadline)
			fail_msg("has not happened within %lld ms", (long long)(patience / MILLISECOND));
		harness_idle(h, POLL);
	}
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void harness_idle(struct harness *h, usec duration)
{
	if (loop_run_until(&h->loop, never, NULL, duration) != -ETIMEDOUT)
		fail_msg("the loop has stopped");
}

struct log_wait {
	const struct process *process;
	const char *text;
};

static bool log_has(void *arg)
{
	const struct log_wait *wait = arg;

	return strstr(wait->process->log.buf, wait->text) != NULL;
}

void harness_wait_log(struct process *process, const char *text, usec patience)
{
	struct log_wait wait = { .process = process, .text = text };

	if (loop_run_until(&process->h->loop, log_has, &wait, patience) < 0)
		fail_msg("%s has not logged \"%s\" within %lld ms", programs[process->program].file, text,
			(long long)(patience / MILLISECOND));
}

/* ---- HTTP ---- */

struct fetch {
	struct harness *h;
	bool done;
	int status;
	const char *body;
};

static void on_fetched(void *arg, const struct http_answer *answer)
{
	struct fetch *fetch = arg;

	fetch->done = true;
	if (answer->error)
		return;
	fetch->status = answer->status;
	fetch->body = arena_strndup(&fetch->h->arena, answer->body, answer->body_len);
}

static bool is_fetched(void *arg)
{
	return ((const struct fetch *)arg)->done;
}

int harness_get(struct harness *h, const char *url, const char **ret_body)
{
	struct fetch fetch = { .h = h };
	struct http_request request = { .method = "GET", .url = url, .timeout = 5 * SECOND };
	struct http_call *call;

	if (http_send(h->private->http, &request, on_fetched, &fetch, &call) < 0)
		fail_msg("GET %s cannot be sent", url);
	if (loop_run_until(&h->loop, is_fetched, &fetch, 10 * SECOND) < 0)
		fail_msg("GET %s gets no answer", url);
	if (ret_body)
		*ret_body = fetch.body;
	return fetch.status;
}

const char *harness_url(const struct process *process, const char *path)
{
	return arena_printf(&process->h->arena, "http://127.0.0.1:%d%s", process->port, path);
}

int64_t harness_metric(const struct process *process, const char *name)
{
	const char *body, *line;
	size_t len = strlen(name);

	if (harness_get(process->h, harness_url(process, "/metrics"), &body) != 200)
		return -1;
	for (line = body; line && *line; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtoll(line + len + 1, NULL, 10);
	return -1;
}

static void wait_health(struct process *process, int status, const char *text, usec patience)
{
	struct harness *h = process->h;
	usec deadline = loop_now(&h->loop) + patience;
	const char *url = harness_url(process, "/healthz"), *body = NULL;
	int got;

	while ((got = harness_get(h, url, &body)) != status || !body || (text && !strstr(body, text))) {
		if (!process->running)
			fail_msg("%s has ended with %d instead of answering", programs[process->program].file,
				process->status);
		if (loop_now(&h->loop) >= deadline)
			fail_msg("%s: health is still %d %s", programs[process->program].file, got, body ? body : "");
		harness_idle(h, 2 * POLL);
	}
}

void harness_wait_healthy(struct process *process, usec patience)
{
	wait_health(process, 200, NULL, patience);
}

void harness_wait_unhealthy(struct process *process, const char *text, usec patience)
{
	wait_health(process, 503, text, patience);
}

/* ---- the database ---- */

static bool database_opens(void *arg)
{
	struct harness *h = arg;

	return access(h->database, F_OK) == 0 && db_open(h->database, DB_READ_ONLY, &h->private->db, NULL) == 0;
}

struct db *harness_db(struct harness *h)
{
	if (!h->private->db)
		harness_wait(h, database_opens, h, DATABASE_PATIENCE);
	return h->private->db;
}

/* ---- profiles ---- */

bool harness_profile(struct harness *h, uint64_t user_id, struct profile *ret_profile)
{
	int r = profile_get(harness_db(h), user_id, &h->arena, ret_profile);

	/* A reader may come between two writers of a busy database. */
	if (r < 0 && r != -ENOENT && r != -EAGAIN)
		fail_msg("the profile cannot be read: %s", error_text(r));
	return r == 0;
}

struct profile_wait {
	struct harness *h;
	uint64_t user_id;
	const char *name, *nick;
	bool compare, present;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static bool profile_fits(void *arg)
{
	const struct profile_wait *wait = arg;
	struct profile profile;

	if (!harness_profile(wait->h, wait->user_id, &profile) || profile.present != wait->present)
		return false;
	return !wait->compare || (same_text(profile.name, wait->name) && same_text(profile.nick, wait->nick));
}

void harness_wait_profile(struct harness *h, uint64_t user_id, const char *name, const char *nick, usec patience)
{
	struct profile_wait wait = {
		.h = h, .user_id = user_id, .name = name, .nick = nick, .compare = true, .present = true
	};

	harness_wait(h, profile_fits, &wait, patience);
}

void harness_wait_present(struct harness *h, uint64_t user_id, bool present, usec patience)
{
	struct profile_wait wait = { .h = h, .user_id = user_id, .present = present };

	harness_wait(h, profile_fits, &wait, patience);
}

struct fake_gateway_stats harness_gateway(struct harness *h)
{
	struct fake_gateway_stats stats;

	fake_gateway(h->fake, &stats);
	return stats;
}
