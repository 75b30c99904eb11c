/* The programs of a test (harness.h): started with their configuration in the environment, watched through their
 * output, their health and their metrics, ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness_private.h"

#define WRAPPER_WORDS_MAX 12
#define STOP_PATIENCE     (5 * SECOND) /* as promised to whoever stops a service */

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

static const struct {
	const char *file, *port_variable;
} programs[] = {
	[PROGRAM_BOT] = { "walle-bot", "health__BOT_PORT" },
	[PROGRAM_LISTENER] = { "walle-member-listener", "health__LISTENER_PORT" },
	[PROGRAM_API] = { "walle-leveling-api", "leveling_api__PORT" },
};

const char *process_port_variable(enum harness_program program)
{
	return programs[program].port_variable;
}

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
	const char *port = harness_variable(h, programs[program].port_variable);
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

	assert_true(p->process_count < HARNESS_PROCESSES);
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
	process->port = port ? (int)strtol(port, NULL, 10) : 0;
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

static bool has_ended(void *arg)
{
	const struct process *process = arg;

	return !process->running && !process->pipe_open;
}

struct process *harness_start(struct harness *h, enum harness_program program)
{
	struct process *process = harness_spawn(h, program, NULL);

	harness_wait_healthy(process, SOON);
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
	struct http_request request = { .method = "GET", .url = url, .timeout = SOON };
	struct http_call *call;

	if (http_send(h->private->http, &request, on_fetched, &fetch, &call) < 0)
		fail_msg("GET %s cannot be sent", url);
	if (loop_run_until(&h->loop, is_fetched, &fetch, 2 * SOON) < 0)
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
		harness_idle(h, 2 * HARNESS_POLL);
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

/* ---- the end ---- */

/* A sentence about what must never be in a log; NULL when all is well. */
static const char *log_problem(const struct process *process)
{
	static const char *const reports[] = { "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
		"runtime error:" };

	if (strstr(process->log.buf, fake_token(process->h->fake)))
		return "the token is in a log";
	for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
		if (strstr(process->log.buf, reports[i]))
			return "a sanitizer reported something";
	return NULL;
}

const char *process_end(struct process *process)
{
	if (process->running)
		uv_process_kill(&process->uv, SIGKILL);
	if (loop_run_until(&process->h->loop, has_ended, process, STOP_PATIENCE) < 0)
		return "a program does not end";
	return log_problem(process);
}

void process_print(const struct process *process)
{
	/* cmocka's own functions cut long texts. */
	fprintf(stderr, "---- %s ended with %d and wrote:\n%s----\n", programs[process->program].file, process->status,
		process->log.buf);
}

static void on_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = false;
}

static bool is_false(void *flag)
{
	return !*(bool *)flag;
}

void process_free(struct process *process)
{
	bool open = true;

	if (!uv_is_closing((uv_handle_t *)&process->uv)) {
		process->uv.data = &open;
		uv_close((uv_handle_t *)&process->uv, on_closed);
		if (loop_run_until(&process->h->loop, is_false, &open, SOON) < 0)
			return;
	}
	str_finish(&process->log);
	free(process);
}

void harness_forget(struct process *process)
{
	struct harness_private *p = process->h->private;
	const char *problem = log_problem(process);
	size_t i = 0;

	if (problem)
		fail_msg("%s", problem);
	while (p->processes[i] != process)
		i++;
	for (p->process_count--; i < p->process_count; i++)
		p->processes[i] = p->processes[i + 1];
	process_free(process);
}
