/* Flows: functions that wait. A flow is a stackful coroutine (glibc ucontext) with a guard page below its stack, so
 * that a command which makes several calls and waits for people reads from top to bottom.
 *
 * Rules: only flows suspend, and only inside functions that say so. Wakers mark a flow ready; the loop resumes it from
 * its top, never nested in the waker. Borrowed pointers die across a wait. Cancellation is a sticky -ECANCELED that
 * every wait returns from then on.
 */
#ifndef NET_FLOW_H
#define NET_FLOW_H

#include "base/str.h"
#include "net/loop.h"

struct flow;
struct flows; /* all flows of a program, with its bounds */

struct flow_limits {
	size_t total;     /* live flows in all */
	size_t per_owner; /* live flows of one person; owner 0 (the program itself) is not counted */
	size_t stack;     /* bytes; 0: 256 KiB */
};

struct flows *flows_create(struct loop *loop, struct flow_limits limits);
/* All flows must have ended: cancel, then run the loop until flows_count() is 0. */
void flows_destroy(struct flows *flows);
size_t flows_count(const struct flows *flows);
/* Sticky cancellation of all flows, or of those with this tag (a feature's name). */
void flows_cancel(struct flows *flows, const char *tag_or_null);
/* "rank user=42 waits for rest POST /channels/{id}/messages since 0.4 s", a line for each live flow. */
void flows_dump(struct flows *flows, struct str *out);

struct flow_options {
	const char *name; /* for log and dump; static text */
	const char *tag;  /* for flows_cancel(), may be NULL; static text */
	uint64_t owner;   /* the person for whom it runs, 0: the program */
	uint64_t guild;
};
/* Runs `run(arg)` in a new flow, from the top of the loop. -EAGAIN: too many flows in all; -EBUSY: too many of this
 * owner; then `run` never runs and `arg` stays the caller's. */
int flow_start(struct flows *flows, const struct flow_options *options, void (*run)(void *arg), void *arg) warn_unused;

/* The flow that is running now; NULL outside. */
struct flow *flow_current(void);
/* Inside a flow: waits until flow_wake(), cancellation or `deadline` (monotonic; INT64_MAX is refused: every wait
 * has an end). 0 woken, -ETIMEDOUT, -ECANCELED; -EINVAL outside a flow. A wake that came before is not lost, so a
 * wait may also end by a wake that was meant for an earlier one: suspend in a loop that looks at what it waits for.
 * `waits_for` stays valid during the wait (for the dump). */
int flow_suspend(const char *waits_for, usec deadline) warn_unused;
/* From outside or from another flow; waking a flow twice is the same as once. */
void flow_wake(struct flow *flow);
bool flow_cancelled(void);
/* Inside a flow. -ECANCELED or 0. */
int flow_sleep(usec duration) warn_unused;

#endif
