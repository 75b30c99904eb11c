/* The event loop of a program: libuv's, with signals that ask for a clean end, one-shot deadlines, and work that must
 * wait until the current callback has returned. Everything else here takes a `struct loop *`.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <uv.h>

#include "base/clock.h"
#include "base/util.h"

struct loop {
	uv_loop_t uv;
	uv_idle_t spin; /* active while posted tasks are left: runs them and keeps the loop from sleeping */
	uv_signal_t sigterm, sigint, sigusr1;
	bool handles_signals, stopping;
	struct loop_task *tasks, **tasks_end;
	void (*on_stop)(void *arg);
	void (*on_dump)(void *arg);
	void *arg;
};

int loop_init(struct loop *loop) warn_unused;
/* SIGTERM and SIGINT call `on_stop` (once; a second signal ends loop_run() at once), SIGUSR1 calls `on_dump`. */
int loop_handle_signals(
	struct loop *loop, void (*on_stop)(void *arg), void (*on_dump)(void *arg), void *arg) warn_unused;
/* Until loop_stop(), or until nothing is left to wait for. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Runs the loop until done() says true or `patience` is over; for tests and for short waits at start. -ETIMEDOUT. */
int loop_run_until(struct loop *loop, bool (*done)(void *arg), void *arg, usec patience) warn_unused;
/* Closes what loop_init() opened, runs the loop until all handles are closed (2 s at most). -EBUSY: one was leaked. */
int loop_finish(struct loop *loop);
/* Monotonic, the same clock as clock_monotonic(). */
usec loop_now(struct loop *loop);

/* A function that runs from the top of the loop, in the order of posting, never nested in the poster. The task is
 * the caller's memory and must stay until it ran or was cancelled; posting a posted task does nothing. */
struct loop_task {
	void (*run)(struct loop_task *task);
	struct loop_task *next;
	bool posted;
};
void loop_post(struct loop *loop, struct loop_task *task);
void loop_cancel(struct loop *loop, struct loop_task *task);

/* One-shot deadline in caller's memory. timer_start() on a running timer moves it. timer_finish() is asynchronous
 * inside libuv, so the timer's memory is held by a heap handle of its own: after timer_finish() the struct may go. */
struct timer {
	struct timer_handle *handle;
};
void timer_init(struct timer *timer, struct loop *loop, void (*fire)(void *arg), void *arg);
void timer_start(struct timer *timer, usec delay); /* delay < 0 means now */
void timer_stop(struct timer *timer);
bool timer_active(const struct timer *timer);
void timer_finish(struct timer *timer); /* fine on a zeroed struct */

#endif
