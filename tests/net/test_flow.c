/* shared/net/flow.c: waiting, waking, cancelling, limits, what the logger says, and that mistakes are seen. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "net/flow.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif

static struct loop loop;
static struct flows *flows;

static int setup(void **state)
{
	(void)state;
	if (loop_init(&loop) < 0)
		return -1;
	flows = flows_create(&loop, (struct flow_limits){ .total = 400, .per_owner = 3 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	flows_destroy(flows);
	return loop_finish(&loop);
}

static bool all_ended(void *arg)
{
	(void)arg;
	return flows_count(flows) == 0;
}

static void wait_for_all(void)
{
	assert_int_equal(loop_run_until(&loop, all_ended, NULL, 20 * SECOND), 0);
}

static const struct flow_options plain = { .name = "plain" };

/* A flow that waits, and what became of it. */
struct waiter {
	struct flow *flow;
	usec patience;
	int waits; /* how often it waits */
	int results[8], done;
	bool ended;
};

static void waiter_run(void *arg)
{
	struct waiter *w = arg;

	w->flow = flow_current();
	for (; w->done < w->waits; w->done++)
		w->results[w->done] = flow_suspend("a test", loop_now(&loop) + w->patience);
	w->ended = true;
}

static void turn(void)
{
	uv_run(&loop.uv, UV_RUN_NOWAIT);
}

static void test_starts_from_the_top_of_the_loop(void **state)
{
	struct waiter w = { .waits = 0 };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, waiter_run, &w), 0);
	assert_false(w.ended);
	assert_int_equal(flows_count(flows), 1);
	turn();
	assert_true(w.ended);
	assert_int_equal(flows_count(flows), 0);
	assert_null(flow_current());
}

static void test_wake_resumes_once_and_not_nested(void **state)
{
	struct waiter w = { .waits = 2, .patience = 10 * SECOND };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, waiter_run, &w), 0);
	turn();
	assert_int_equal(w.done, 0);
	flow_wake(w.flow);
	flow_wake(w.flow);
	assert_int_equal(w.done, 0);
	turn();
	assert_int_equal(w.done, 1);
	turn();
	turn();
	assert_int_equal(w.done, 1);
	flow_wake(w.flow);
	wait_for_all();
	assert_int_equal(w.results[0], 0);
	assert_int_equal(w.results[1], 0);
}

static void wakes_itself_first(void *arg)
{
	struct waiter *w = arg;

	flow_wake(flow_current());
	w->results[0] = flow_suspend("the wake that came before", loop_now(&loop) + 10 * SECOND);
	w->results[1] = flow_suspend("nothing", loop_now(&loop) + 10 * MILLISECOND);
	w->ended = true;
}

static void test_wake_before_suspend_is_not_lost_and_counts_once(void **state)
{
	struct waiter w = { 0 };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, wakes_itself_first, &w), 0);
	wait_for_all();
	assert_true(w.ended);
	assert_int_equal(w.results[0], 0);
	assert_int_equal(w.results[1], -ETIMEDOUT);
}

static void test_deadline(void **state)
{
	struct waiter w = { .waits = 2, .patience = 15 * MILLISECOND };
	usec start = loop_now(&loop);

	(void)state;
	assert_int_equal(flow_start(flows, &plain, waiter_run, &w), 0);
	wait_for_all();
	assert_int_equal(w.results[0], -ETIMEDOUT);
	assert_int_equal(w.results[1], -ETIMEDOUT);
	assert_true(loop_now(&loop) - start >= 30 * MILLISECOND);
}

static void refuses(void *arg)
{
	struct waiter *w = arg;

	w->results[0] = flow_suspend("for ever", INT64_MAX);
	w->results[1] = flow_suspend("the past", loop_now(&loop) - SECOND);
}

static void test_waits_that_are_refused(void **state)
{
	struct waiter w = { 0 };

	(void)state;
	assert_int_equal(flow_suspend("outside", loop_now(&loop) + SECOND), -EINVAL);
	assert_int_equal(flow_sleep(1), -EINVAL);
	assert_false(flow_cancelled());
	assert_int_equal(flow_start(flows, &plain, refuses, &w), 0);
	wait_for_all();
	assert_int_equal(w.results[0], -EINVAL);
	assert_int_equal(w.results[1], -ETIMEDOUT);
}

static void test_cancellation_is_sticky_and_by_tag(void **state)
{
	static const struct flow_options left = { .name = "l", .tag = "left" }, right = { .name = "r", .tag = "right" };
	struct waiter a = { .waits = 3, .patience = 10 * SECOND }, b = { .waits = 3, .patience = 10 * SECOND };
	struct waiter c = { .waits = 1, .patience = 10 * SECOND };

	(void)state;
	assert_int_equal(flow_start(flows, &left, waiter_run, &a), 0);
	assert_int_equal(flow_start(flows, &right, waiter_run, &b), 0);
	assert_int_equal(flow_start(flows, &plain, waiter_run, &c), 0);
	turn();
	flows_cancel(flows, "left");
	flow_wake(a.flow); /* cancellation wins */
	turn();
	assert_true(a.ended);
	assert_false(b.ended);
	for (int i = 0; i < 3; i++)
		assert_int_equal(a.results[i], -ECANCELED);
	flows_cancel(flows, NULL);
	wait_for_all();
	assert_int_equal(b.results[0], -ECANCELED);
	assert_int_equal(c.results[0], -ECANCELED);
}

static void cancels_all(void *arg)
{
	struct waiter *w = arg;

	w->results[0] = flow_cancelled();
	flows_cancel(flows, NULL);
	w->results[1] = flow_cancelled();
	w->results[2] = flow_sleep(SECOND);
	w->ended = true;
}

static void test_cancelled_before_it_ran_and_by_itself(void **state)
{
	struct waiter early = { .waits = 1, .patience = SECOND }, self = { 0 };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, waiter_run, &early), 0);
	flows_cancel(flows, NULL);
	wait_for_all();
	/* it runs all the same, so that it can free what it was given */
	assert_true(early.ended);
	assert_int_equal(early.results[0], -ECANCELED);

	assert_int_equal(flow_start(flows, &plain, cancels_all, &self), 0);
	wait_for_all();
	assert_true(self.ended);
	assert_int_equal(self.results[0], 0);
	assert_int_equal(self.results[1], 1);
	assert_int_equal(self.results[2], -ECANCELED);
}

static void test_limits(void **state)
{
	const struct flow_options of_seven = { .name = "seven", .owner = 7 },
				  of_eight = { .name = "eight", .owner = 8 };
	struct waiter w[8] = { 0 };
	struct flows *few = flows_create(&loop, (struct flow_limits){ .total = 5, .per_owner = 2 });

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		w[i] = (struct waiter){ .waits = 1, .patience = 10 * SECOND };
	assert_int_equal(flow_start(few, &of_seven, waiter_run, &w[0]), 0);
	assert_int_equal(flow_start(few, &of_seven, waiter_run, &w[1]), 0);
	assert_int_equal(flow_start(few, &of_seven, waiter_run, &w[2]), -EBUSY);
	assert_int_equal(flow_start(few, &of_eight, waiter_run, &w[2]), 0);
	assert_int_equal(flow_start(few, &plain, waiter_run, &w[3]), 0);
	assert_int_equal(flow_start(few, &plain, waiter_run, &w[4]), 0);
	assert_int_equal(flow_start(few, &plain, waiter_run, &w[5]), -EAGAIN);
	turn();
	/* room again when one has ended */
	flow_wake(w[0].flow);
	turn();
	assert_int_equal(flow_start(few, &of_seven, waiter_run, &w[6]), 0);
	turn();
	flows_cancel(few, NULL);
	turn();
	assert_int_equal(flows_count(few), 0);
	assert_false(w[5].ended);
	flows_destroy(few);
}

static void test_dump(void **state)
{
	const struct flow_options rank = { .name = "rank", .owner = 42, .guild = 9 };
	struct waiter w = { .waits = 1, .patience = 10 * SECOND }, program = { .waits = 1, .patience = 10 * SECOND };
	struct str out cleanup(str_finish) = STR_INIT;

	(void)state;
	assert_int_equal(flow_start(flows, &rank, waiter_run, &w), 0);
	turn();
	flows_dump(flows, &out);
	assert_ptr_equal(strstr(out.buf, "rank user=42 guild=9 waits for a test since "), out.buf);
	assert_string_equal(out.buf + out.len - 3, " s\n");
	assert_int_equal(flow_start(flows, &plain, waiter_run, &program), 0);
	flows_cancel(flows, NULL);
	str_clear(&out);
	flows_dump(flows, &out);
	assert_non_null(strstr(out.buf, "plain is ready to run, cancelled\n"));
	wait_for_all();
	str_clear(&out);
	flows_dump(flows, &out);
	assert_string_equal(out.buf, "");
}

static void logs_who_it_is(void *arg)
{
	struct log_context *seen = arg;

	for (int i = 0; i < 2; i++) {
		struct log_context now = log_context_swap((struct log_context){ 0 });

		assert_memory_equal(&now, &seen[0], sizeof(now));
		log_context_swap(now);
		if (flow_sleep(MILLISECOND) < 0)
			return;
	}
	/* what it changes stays its own */
	log_context_swap((struct log_context){ .flow = "renamed", .user = 1 });
	if (flow_sleep(MILLISECOND) < 0)
		return;
	seen[1] = log_context_swap((struct log_context){ 0 });
}

static void test_log_context_follows_the_flow(void **state)
{
	const struct flow_options one = { .name = "one", .owner = 11, .guild = 5 };
	const struct flow_options two = { .name = "two", .owner = 22 };
	struct log_context a[2] = { { .flow = "one", .user = 11, .guild = 5 } },
			   b[2] = { { .flow = "two", .user = 22 } };
	struct log_context outside = { .flow = "outside", .user = 3 }, before = log_context_swap(outside), after;

	(void)state;
	assert_int_equal(flow_start(flows, &one, logs_who_it_is, a), 0);
	assert_int_equal(flow_start(flows, &two, logs_who_it_is, b), 0);
	wait_for_all();
	after = log_context_swap(before);
	assert_string_equal(after.flow, "outside");
	assert_int_equal(after.user, 3);
	assert_string_equal(a[1].flow, "renamed");
	assert_string_equal(b[1].flow, "renamed");
}

static void sleeper(void *arg)
{
	int *sum = arg;
	volatile char scratch[2048];

	for (size_t i = 0; i < sizeof(scratch); i++)
		scratch[i] = (char)i;
	for (usec i = 0; i < 5; i++) {
		if (flow_sleep(i * MILLISECOND) < 0)
			return;
	}
	for (size_t i = 0; i < sizeof(scratch); i++)
		*sum += scratch[i] == (char)i;
}

static void test_300_flows_at_once(void **state)
{
	int sums[300] = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
			assert_int_equal(flow_start(flows, &plain, sleeper, &sums[i]), 0);
		wait_for_all();
	}
	for (size_t i = 0; i < ARRAY_SIZE(sums); i++)
		assert_int_equal(sums[i], 3 * 2048);
}

struct sleep_result {
	usec slept;
	int result;
	struct flow *flow;
};

static void sleeps(void *arg)
{
	struct sleep_result *s = arg;
	usec start = loop_now(&loop);

	s->flow = flow_current();
	s->result = flow_sleep(30 * MILLISECOND);
	s->slept = loop_now(&loop) - start;
}

static void test_sleep_is_not_cut_short_by_a_wake(void **state)
{
	struct sleep_result s = { .result = -1 };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, sleeps, &s), 0);
	turn();
	flow_wake(s.flow);
	wait_for_all();
	assert_int_equal(s.result, 0);
	assert_true(s.slept >= 30 * MILLISECOND);
}

struct parent {
	struct waiter child;
	bool ended;
};

static void starts_and_wakes_another(void *arg)
{
	struct parent *p = arg;

	assert_int_equal(flow_start(flows, &plain, waiter_run, &p->child), 0);
	assert_int_equal(flow_sleep(5 * MILLISECOND), 0);
	assert_non_null(p->child.flow);
	flow_wake(p->child.flow);
	assert_false(p->child.ended);
	assert_int_equal(flow_sleep(5 * MILLISECOND), 0);
	assert_true(p->child.ended);
	p->ended = true;
}

static void test_flow_starts_and_wakes_a_flow(void **state)
{
	struct parent p = { .child = { .waits = 1, .patience = 10 * SECOND } };

	(void)state;
	assert_int_equal(flow_start(flows, &plain, starts_and_wakes_another, &p), 0);
	wait_for_all();
	assert_true(p.ended);
	assert_int_equal(p.child.results[0], 0);
}

/* === mistakes, made in a child process === */

/* The frame is used after the call, so that no compiler makes a loop of it. */
static int recurse(volatile int depth)
{
	volatile char frame[1024];
	int r = 0;

	frame[depth % 1024] = (char)depth;
	if (depth >= 0)
		r = recurse(depth + 1);
	return r + frame[depth % 1024];
}

static void recurses_for_ever(void *arg)
{
	(void)arg;
	_exit(recurse(0) == 1 ? 0 : 1);
}

static void overflows_after_a_wait(void *arg)
{
	volatile char frame[32] = { 0 };
	volatile char *volatile at = frame; /* a pointer, or UndefinedBehaviorSanitizer is quicker */
	volatile size_t *index = arg;

	if (flow_sleep(MILLISECOND) < 0)
		_exit(1);
	at[*index] = 1;
	_exit(frame[0] == 0 ? 0 : 1); /* not seen */
}

/* Runs `run` as a flow in a child process whose standard error goes to `said`; returns the child's wait status. */
static int status_of_child(void (*run)(void *), void *arg, struct str *said)
{
	struct rlimit no_core = { 0 };
	int status, pipes[2];
	char buffer[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct flows *child_flows;

		dup2(pipes[1], STDERR_FILENO);
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGSEGV, SIG_DFL); /* cmocka's handler would report a failed test */
		alarm(20);
		if (loop_init(&loop) < 0)
			_exit(3);
		child_flows = flows_create(&loop, (struct flow_limits){ .total = 1 });
		if (flow_start(child_flows, &plain, run, arg) < 0)
			_exit(3);
		loop_run(&loop);
		_exit(3);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], buffer, sizeof(buffer))) > 0)
		str_add(said, buffer, (size_t)n);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_deep_recursion_is_a_clean_crash(void **state)
{
	struct str said cleanup(str_finish) = STR_INIT;
	int status = status_of_child(recurses_for_ever, NULL, &said);

	(void)state;
	/* The sanitizer's own handler is gone as well, so with it this looks the same. */
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void test_overflow_in_a_frame_that_waited_is_reported(void **state)
{
#ifdef WITH_ASAN
	struct str said cleanup(str_finish) = STR_INIT;
	volatile size_t index = 32;
	int status = status_of_child(overflows_after_a_wait, (void *)&index, &said);

	(void)state;
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_non_null(strstr(said.buf, "stack-buffer-overflow"));
#else
	(void)state;
	(void)overflows_after_a_wait;
	skip(); /* needs AddressSanitizer: preset asan */
#endif
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_starts_from_the_top_of_the_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake_resumes_once_and_not_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wake_before_suspend_is_not_lost_and_counts_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_that_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancellation_is_sticky_and_by_tag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancelled_before_it_ran_and_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_context_follows_the_flow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_300_flows_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sleep_is_not_cut_short_by_a_wake, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flow_starts_and_wakes_a_flow, setup, teardown),
		cmocka_unit_test(test_deep_recursion_is_a_clean_crash),
		cmocka_unit_test(test_overflow_in_a_frame_that_waited_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
