/* Flows: stackful coroutines on the loop, made with glibc's ucontext.
 *
 * Life of a flow: flow_start() allocates it and posts its task; the loop runs the task, which switches to the flow's
 * stack; the flow runs until it suspends or ends, which switches back. flow_wake(), the flow's timer and
 * flows_cancel() post the task again. So a flow is always entered from the top of the loop, and switching happens in
 * one function, resume().
 *
 * What must be right here and is easily broken:
 *   - AddressSanitizer is told of every switch, and `uc_stack` is zeroed after makecontext(): otherwise its
 *     swapcontext() interceptor clears the shadow of the whole stack and overflows in frames that live across a wait
 *     go unnoticed. tests/net/test_flow.c has a test that fails when either is missing.
 *   - ThreadSanitizer is told as well.
 *   - The logger's context belongs to the flow and is swapped with it.
 *   - The pages below a stack are inaccessible, so that deep recursion is a crash and not silent corruption.
 *
 * In gdb, flow.gdb beside this file prints the backtrace of a flow that is suspended.
 */
#include "net/flow.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FLOW_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define FLOW_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define FLOW_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define FLOW_TSAN 1
#endif
#ifdef FLOW_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef FLOW_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#define STACK_DEFAULT ((size_t)256 << 10)
#define STACK_MIN     ((size_t)64 << 10)
/* Larger than any frame that the compiler flags allow, so that no single call can jump over it. */
#define GUARD ((size_t)64 << 10)
/* Stacks that are kept for the next flows; beyond that they are unmapped. */
#define POOL_MAX 16

enum flow_state {
	FLOW_READY,     /* its task is posted: it will run in this or the next turn of the loop */
	FLOW_RUNNING,   /* on its own stack, now */
	FLOW_SUSPENDED, /* waits for a wake, its timer or cancellation */
	FLOW_ENDED,     /* `run` has returned; resume() takes it apart */
};

struct flow {
	struct flows *flows;
	struct flow *previous, *next; /* in flows->first */
	enum flow_state state;
	const char *tag;
	struct log_context log; /* name, owner, guild */
	uint64_t owner;
	void (*run)(void *arg);
	void *arg;

	bool woken, cancelled;
	const char *waits_for;
	usec since; /* when the present wait began */
	struct timer timer;
	struct loop_task task;

	void *stack; /* the lowest usable byte; the guard is below */
	ucontext_t context;
#ifdef FLOW_ASAN
	void *fake_stack;
#endif
#ifdef FLOW_TSAN
	void *fiber;
#endif
};

struct flows {
	struct loop *loop;
	struct flow_limits limits;
	struct flow *first;
	size_t count;
	void *pool[POOL_MAX];
	size_t pooled;

	/* The side that resumes: the loop's own stack. */
	ucontext_t context;
#ifdef FLOW_ASAN
	void *fake_stack;
	const void *loop_stack;
	size_t loop_stack_size;
#endif
#ifdef FLOW_TSAN
	void *fiber;
#endif
};

static _Thread_local struct flow *current;

/* The only place where the state changes. */
static void set_state(struct flow *flow, enum flow_state state)
{
	if (state == FLOW_READY)
		loop_post(flow->flows->loop, &flow->task);
	else if (state == FLOW_SUSPENDED)
		flow->since = loop_now(flow->flows->loop);
	flow->state = state;
}

/* === stacks === */

static void *stack_create(struct flows *flows)
{
	char *base;

	if (flows->pooled > 0) {
		void *stack = flows->pool[--flows->pooled];
#ifdef FLOW_ASAN
		/* The former owner's last frames never returned, so their red zones are still marked. */
		__asan_unpoison_memory_region(stack, flows->limits.stack);
#endif
		return stack;
	}
	base = mmap(NULL, GUARD + flows->limits.stack, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, GUARD, PROT_NONE) < 0) {
		munmap(base, GUARD + flows->limits.stack);
		return NULL;
	}
	return base + GUARD;
}

static void stack_unmap(struct flows *flows, void *stack)
{
#ifdef FLOW_ASAN
	__asan_unpoison_memory_region(stack, flows->limits.stack);
#endif
	munmap((char *)stack - GUARD, GUARD + flows->limits.stack);
}

static void stack_release(struct flows *flows, void *stack)
{
	if (flows->pooled < POOL_MAX)
		flows->pool[flows->pooled++] = stack;
	else
		stack_unmap(flows, stack);
}

/* === switching === */

/* From the loop's stack to the flow's, until it comes back. */
static void switch_to_flow(struct flow *flow)
{
	struct flows *flows = flow->flows;

#ifdef FLOW_ASAN
	__sanitizer_start_switch_fiber(&flows->fake_stack, flow->stack, flows->limits.stack);
#endif
#ifdef FLOW_TSAN
	flows->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(flow->fiber, 0);
#endif
	if (swapcontext(&flows->context, &flow->context) < 0)
		abort();
#ifdef FLOW_ASAN
	__sanitizer_finish_switch_fiber(flows->fake_stack, NULL, NULL);
#endif
}

/* From the flow's stack to the loop's. When the flow has ended this never returns. */
static void switch_to_loop(struct flow *flow)
{
	struct flows *flows = flow->flows;

#ifdef FLOW_ASAN
	/* Without a place to save it, the sanitizer frees the flow's fake stack. */
	__sanitizer_start_switch_fiber(
		flow->state == FLOW_ENDED ? NULL : &flow->fake_stack, flows->loop_stack, flows->loop_stack_size);
#endif
#ifdef FLOW_TSAN
	__tsan_switch_to_fiber(flows->fiber, 0);
#endif
	if (swapcontext(&flow->context, &flows->context) < 0)
		abort();
#ifdef FLOW_ASAN
	__sanitizer_finish_switch_fiber(flow->fake_stack, &flows->loop_stack, &flows->loop_stack_size);
#endif
}

/* The first function on every flow's stack. */
static void enter(void)
{
	struct flow *flow = current;

#ifdef FLOW_ASAN
	__sanitizer_finish_switch_fiber(NULL, &flow->flows->loop_stack, &flow->flows->loop_stack_size);
#endif
	flow->run(flow->arg);
	set_state(flow, FLOW_ENDED);
	switch_to_loop(flow);
	abort(); /* nobody resumes a flow that has ended */
}

static void flow_destroy(struct flow *flow)
{
	struct flows *flows = flow->flows;

	loop_cancel(flows->loop, &flow->task);
	timer_finish(&flow->timer);
	stack_release(flows, flow->stack);
#ifdef FLOW_TSAN
	__tsan_destroy_fiber(flow->fiber);
#endif
	if (flow->previous != NULL)
		flow->previous->next = flow->next;
	else
		flows->first = flow->next;
	if (flow->next != NULL)
		flow->next->previous = flow->previous;
	flows->count--;
	free(flow);
}

static void resume(struct loop_task *task)
{
	struct flow *flow = CONTAINER_OF(task, struct flow, task);
	struct log_context outside = log_context_swap(flow->log);

	assert(current == NULL && flow->state == FLOW_READY);
	current = flow;
	set_state(flow, FLOW_RUNNING);
	switch_to_flow(flow);
	current = NULL;
	flow->log = log_context_swap(outside);
	if (flow->state == FLOW_ENDED)
		flow_destroy(flow);
}

/* A function of its own because getcontext() may, as far as the compiler knows, return twice. */
static void prepare_context(struct flow *flow)
{
	if (getcontext(&flow->context) < 0)
		abort();
	flow->context.uc_link = NULL;
	flow->context.uc_stack.ss_sp = flow->stack;
	flow->context.uc_stack.ss_size = flow->flows->limits.stack;
	makecontext(&flow->context, enter, 0);
	flow->context.uc_stack = (stack_t){ 0 };
}

static void on_deadline(void *arg)
{
	struct flow *flow = arg;

	if (flow->state == FLOW_SUSPENDED)
		set_state(flow, FLOW_READY);
}

/* === all flows === */

struct flows *flows_create(struct loop *loop, struct flow_limits limits)
{
	struct flows *flows = xcalloc(1, sizeof(*flows));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (limits.stack == 0)
		limits.stack = STACK_DEFAULT;
	limits.stack = (MAX(limits.stack, STACK_MIN) + page - 1) / page * page;
	flows->loop = loop;
	flows->limits = limits;
	return flows;
}

void flows_destroy(struct flows *flows)
{
	if (flows == NULL)
		return;
	assert(flows->count == 0);
	while (flows->pooled > 0)
		stack_unmap(flows, flows->pool[--flows->pooled]);
	free(flows);
}

size_t flows_count(const struct flows *flows)
{
	return flows->count;
}

void flows_cancel(struct flows *flows, const char *tag_or_null)
{
	for (struct flow *flow = flows->first; flow != NULL; flow = flow->next) {
		if (tag_or_null != NULL && (flow->tag == NULL || !streq(flow->tag, tag_or_null)))
			continue;
		flow->cancelled = true;
		if (flow->state == FLOW_SUSPENDED)
			set_state(flow, FLOW_READY);
	}
}

void flows_dump(struct flows *flows, struct str *out)
{
	usec now = loop_now(flows->loop);

	for (const struct flow *flow = flows->first; flow != NULL; flow = flow->next) {
		str_adds(out, flow->log.flow);
		if (flow->owner != 0)
			str_printf(out, " user=%" PRIu64, flow->owner);
		if (flow->log.guild != 0)
			str_printf(out, " guild=%" PRIu64, flow->log.guild);
		if (flow->state == FLOW_SUSPENDED)
			str_printf(out, " waits for %s since %.1f s", flow->waits_for,
				(double)(now - flow->since) / (double)SECOND);
		else
			str_adds(out, flow->state == FLOW_RUNNING ? " runs" : " is ready to run");
		str_adds(out, flow->cancelled ? ", cancelled\n" : "\n");
	}
}

/* === one flow === */

int flow_start(struct flows *flows, const struct flow_options *options, void (*run)(void *arg), void *arg)
{
	size_t of_owner = 0;
	struct flow *flow;
	void *stack;

	if (flows->count >= flows->limits.total)
		return -EAGAIN;
	if (options->owner != 0) {
		for (flow = flows->first; flow != NULL; flow = flow->next)
			of_owner += flow->owner == options->owner;
		if (of_owner >= flows->limits.per_owner)
			return -EBUSY;
	}
	stack = stack_create(flows);
	if (stack == NULL)
		return -EAGAIN;

	flow = xcalloc(1, sizeof(*flow));
	flow->flows = flows;
	flow->tag = options->tag;
	flow->owner = options->owner;
	flow->log = (struct log_context){
		.flow = options->name != NULL ? options->name : "flow",
		.user = options->owner,
		.guild = options->guild,
	};
	flow->run = run;
	flow->arg = arg;
	flow->stack = stack;
	flow->task.run = resume;
	timer_init(&flow->timer, flows->loop, on_deadline, flow);
	prepare_context(flow);
#ifdef FLOW_TSAN
	flow->fiber = __tsan_create_fiber(0);
#endif

	flow->next = flows->first;
	if (flow->next != NULL)
		flow->next->previous = flow;
	flows->first = flow;
	flows->count++;
	set_state(flow, FLOW_READY);
	return 0;
}

struct flow *flow_current(void)
{
	return current;
}

int flow_suspend(const char *waits_for, usec deadline)
{
	struct flow *flow = current;
	struct loop *loop;

	if (flow == NULL || deadline == INT64_MAX)
		return -EINVAL;
	loop = flow->flows->loop;
	if (!flow->cancelled && !flow->woken && deadline > loop_now(loop)) {
		flow->waits_for = waits_for;
		timer_start(&flow->timer, deadline - loop_now(loop));
		set_state(flow, FLOW_SUSPENDED);
		switch_to_loop(flow);
		timer_stop(&flow->timer);
	}
	if (flow->cancelled)
		return -ECANCELED;
	if (!flow->woken)
		return -ETIMEDOUT;
	flow->woken = false;
	return 0;
}

void flow_wake(struct flow *flow)
{
	flow->woken = true;
	if (flow->state == FLOW_SUSPENDED)
		set_state(flow, FLOW_READY);
}

bool flow_cancelled(void)
{
	return current != NULL && current->cancelled;
}

int flow_sleep(usec duration)
{
	usec deadline;
	int r;

	if (current == NULL)
		return -EINVAL;
	deadline = loop_now(current->flows->loop) + MIN(MAX(duration, 0), 3650 * DAY);
	/* A wake is for somebody who looks at a condition; it does not shorten a sleep. */
	do
		r = flow_suspend("a pause", deadline);
	while (r == 0);
	return r == -ETIMEDOUT ? 0 : r;
}
