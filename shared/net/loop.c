/* The event loop: a thin layer over libuv that adds three things: posted tasks, timers that never fire early, and
 * signals.
 *
 * Posted tasks are the way out of nesting: a callback deep inside curl, libwebsockets or microhttpd posts, and the
 * work runs from the top of the loop, where everything may be called and destroyed. An idle handle runs them; libuv
 * does not sleep while an idle handle is active. Each turn runs only the tasks that were there when it began, so that
 * tasks which post tasks cannot keep sockets and timers waiting.
 *
 * To extend: new kinds of waiting belong in files of their own that take a `struct loop *`; this one stays small.
 */
#include "net/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* How long loop_finish() waits for handles that are being closed. */
#define FINISH_PATIENCE SECOND
/* Longer delays are cut to this, so that adding them to the clock cannot overflow. */
#define DELAY_MAX ((usec)3650 * DAY)

struct timer_handle {
	uv_timer_t uv;
	void (*fire)(void *arg);
	void *arg;
	usec due;
};

static void on_spin(uv_idle_t *handle)
{
	struct loop *loop = handle->data;
	/* A marker in the queue itself remembers where this turn ends, because a task may cancel any other. */
	struct loop_task marker = { .posted = true };

	*loop->tasks_end = &marker;
	loop->tasks_end = &marker.next;

	while (loop->tasks != &marker) {
		struct loop_task *task = loop->tasks;

		loop->tasks = task->next;
		task->next = NULL;
		task->posted = false;
		task->run(task);
	}
	loop->tasks = marker.next;
	if (loop->tasks == NULL) {
		loop->tasks_end = &loop->tasks;
		uv_idle_stop(&loop->spin);
	}
}

int loop_init(struct loop *loop)
{
	int r;

	*loop = (struct loop){ 0 };
	loop->tasks_end = &loop->tasks;
	r = uv_loop_init(&loop->uv);
	if (r < 0)
		return r;
	uv_idle_init(&loop->uv, &loop->spin);
	loop->spin.data = loop;
	/* A peer that has gone is an error of that write, not the end of the program. */
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static void on_stop_signal(uv_signal_t *handle, int number)
{
	struct loop *loop = handle->data;

	(void)number;
	if (loop->stopping) {
		loop_stop(loop);
		return;
	}
	loop->stopping = true;
	if (loop->on_stop != NULL)
		loop->on_stop(loop->arg);
}

static void on_dump_signal(uv_signal_t *handle, int number)
{
	struct loop *loop = handle->data;

	(void)number;
	if (loop->on_dump != NULL)
		loop->on_dump(loop->arg);
}

int loop_handle_signals(struct loop *loop, void (*on_stop)(void *arg), void (*on_dump)(void *arg), void *arg)
{
	const struct {
		uv_signal_t *handle;
		uv_signal_cb callback;
		int number;
	} signals[] = {
		{ &loop->sigterm, on_stop_signal, SIGTERM },
		{ &loop->sigint, on_stop_signal, SIGINT },
		{ &loop->sigusr1, on_dump_signal, SIGUSR1 },
	};

	if (loop->handles_signals)
		return -EALREADY;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		uv_signal_init(&loop->uv, signals[i].handle);
		signals[i].handle->data = loop;
		/* Waiting for a signal alone is no reason to go on running. */
		uv_unref((uv_handle_t *)signals[i].handle);
	}
	loop->handles_signals = true;
	loop->on_stop = on_stop;
	loop->on_dump = on_dump;
	loop->arg = arg;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		int r = uv_signal_start(signals[i].handle, signals[i].callback, signals[i].number);
		if (r < 0)
			return r;
	}
	return 0;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

/* What loop_run_until() waits for. On the heap, because libuv lets go of handles only later. */
struct vigil {
	uv_prepare_t prepare;
	bool (*done)(void *arg);
	void *arg;
};

/* A turn sleeps even if its timers or tasks have just made the condition true, unless somebody looks before. */
static void on_before_sleep(uv_prepare_t *prepare)
{
	struct vigil *vigil = CONTAINER_OF(prepare, struct vigil, prepare);

	if (vigil->done(vigil->arg))
		uv_stop(prepare->loop);
}

static void on_vigil_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct vigil, prepare));
}

static void on_patience_over(void *arg)
{
	(void)arg; /* it has ended the sleep, which is all it is for */
}

int loop_run_until(struct loop *loop, bool (*done)(void *arg), void *arg, usec patience)
{
	struct vigil *vigil = xcalloc(1, sizeof(*vigil));
	usec deadline = loop_now(loop) + patience;
	struct timer timer;
	int r = 0;

	vigil->done = done;
	vigil->arg = arg;
	uv_prepare_init(&loop->uv, &vigil->prepare);
	uv_prepare_start(&vigil->prepare, on_before_sleep);
	timer_init(&timer, loop, on_patience_over, NULL);
	timer_start(&timer, patience);
	while (!done(arg)) {
		if (loop_now(loop) >= deadline) {
			r = -ETIMEDOUT;
			break;
		}
		uv_run(&loop->uv, UV_RUN_ONCE);
	}
	timer_finish(&timer);
	uv_close((uv_handle_t *)&vigil->prepare, on_vigil_closed);
	return r;
}

int loop_finish(struct loop *loop)
{
	usec deadline = clock_monotonic() + FINISH_PATIENCE;

	while (loop->tasks != NULL)
		loop_cancel(loop, loop->tasks);
	uv_close((uv_handle_t *)&loop->spin, NULL);
	if (loop->handles_signals) {
		uv_close((uv_handle_t *)&loop->sigterm, NULL);
		uv_close((uv_handle_t *)&loop->sigint, NULL);
		uv_close((uv_handle_t *)&loop->sigusr1, NULL);
	}
	for (;;) {
		uv_run(&loop->uv, UV_RUN_NOWAIT);
		if (uv_loop_close(&loop->uv) == 0)
			return 0;
		if (clock_monotonic() >= deadline)
			return -EBUSY;
		/* What is left waits for a thread (a name being resolved) or is a leak: look again in a millisecond. */
		usleep(1000);
	}
}

usec loop_now(struct loop *loop)
{
	(void)loop;
	return clock_monotonic();
}

void loop_post(struct loop *loop, struct loop_task *task)
{
	if (task->posted)
		return;
	task->posted = true;
	task->next = NULL;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
	if (!uv_is_closing((uv_handle_t *)&loop->spin))
		uv_idle_start(&loop->spin, on_spin);
}

void loop_cancel(struct loop *loop, struct loop_task *task)
{
	if (!task->posted)
		return;
	for (struct loop_task **link = &loop->tasks; *link != NULL; link = &(*link)->next) {
		if (*link != task)
			continue;
		*link = task->next;
		if (loop->tasks_end == &task->next)
			loop->tasks_end = link;
		break;
	}
	task->next = NULL;
	task->posted = false;
}

static void arm(struct timer_handle *handle);

/* libuv counts from the time at which its current turn began, so that after a slow callback a timer is early: look
 * at the clock. */
static void on_timer(uv_timer_t *uv)
{
	struct timer_handle *handle = uv->data;

	if (clock_monotonic() < handle->due) {
		arm(handle);
		return;
	}
	handle->fire(handle->arg);
}

static void arm(struct timer_handle *handle)
{
	usec left = handle->due - clock_monotonic();

	uv_timer_start(&handle->uv, on_timer, left > 0 ? (uint64_t)((left + MILLISECOND - 1) / MILLISECOND) : 0, 0);
}

void timer_init(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg)
{
	struct timer_handle *handle = xcalloc(1, sizeof(*handle));

	uv_timer_init(&loop->uv, &handle->uv);
	handle->uv.data = handle;
	handle->fire = fire;
	handle->arg = arg;
	timer->handle = handle;
}

void timer_start(struct timer *timer, usec delay)
{
	delay = MIN(MAX(delay, 0), DELAY_MAX);
	timer->handle->due = clock_monotonic() + delay;
	arm(timer->handle);
}

void timer_stop(struct timer *timer)
{
	if (timer->handle != NULL)
		uv_timer_stop(&timer->handle->uv);
}

bool timer_active(const struct timer *timer)
{
	return timer->handle != NULL && uv_is_active((const uv_handle_t *)&timer->handle->uv);
}

static void on_timer_closed(uv_handle_t *uv)
{
	free(uv->data);
}

void timer_finish(struct timer *timer)
{
	if (timer->handle == NULL)
		return;
	uv_close((uv_handle_t *)&timer->handle->uv, on_timer_closed);
	timer->handle = NULL;
}
