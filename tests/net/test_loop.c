/* shared/net/loop.c: posted tasks, timers, signals, the end. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"

static struct loop loop;

/* Takes the place of libc's: while `clock_step` is set, each look at the clock finds it so much later. */
static long clock_step, clock_ahead;

int clock_gettime(clockid_t id, struct timespec *time)
{
	long r = syscall(SYS_clock_gettime, id, time);

	clock_ahead += clock_step;
	time->tv_nsec += clock_ahead;
	time->tv_sec += time->tv_nsec / 1000000000;
	time->tv_nsec %= 1000000000;
	return (int)r;
}

static int setup(void **state)
{
	(void)state;
	return loop_init(&loop);
}

static int teardown(void **state)
{
	(void)state;
	return loop_finish(&loop);
}

struct step {
	struct loop_task task;
	char name;
	struct step *posts, *cancels;
};

static char trace[32];

static void run_step(struct loop_task *task)
{
	struct step *step = CONTAINER_OF(task, struct step, task);
	size_t len = strlen(trace);

	assert_true(len + 1 < sizeof(trace));
	trace[len] = step->name;
	trace[len + 1] = '\0';
	if (step->posts != NULL)
		loop_post(&loop, &step->posts->task);
	if (step->cancels != NULL)
		loop_cancel(&loop, &step->cancels->task);
}

#define STEP(n, ...)                                           \
	{                                                      \
		.task.run = run_step, .name = (n), __VA_ARGS__ \
	}

static void test_tasks_run_in_order_and_once(void **state)
{
	struct step a = STEP('a'), b = STEP('b'), c = STEP('c');

	(void)state;
	trace[0] = '\0';
	loop_post(&loop, &b.task);
	loop_post(&loop, &a.task);
	loop_post(&loop, &b.task);
	loop_post(&loop, &c.task);
	assert_string_equal(trace, "");
	loop_run(&loop);
	assert_string_equal(trace, "bac");
	loop_post(&loop, &a.task);
	loop_run(&loop);
	assert_string_equal(trace, "baca");
}

static void test_task_posted_by_a_task_waits_for_the_next_turn(void **state)
{
	struct step b = STEP('b'), a = STEP('a', .posts = &b);

	(void)state;
	trace[0] = '\0';
	loop_post(&loop, &a.task);
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_string_equal(trace, "a");
	uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_string_equal(trace, "ab");
	assert_int_equal(uv_run(&loop.uv, UV_RUN_NOWAIT), 0);
}

static void test_task_that_posts_itself_does_not_starve_timers(void **state)
{
	struct step a = STEP('a');
	struct step b = STEP('b');

	(void)state;
	trace[0] = '\0';
	a.posts = &a;
	loop_post(&loop, &a.task);
	loop_post(&loop, &b.task);
	for (int i = 0; i < 5; i++)
		uv_run(&loop.uv, UV_RUN_NOWAIT);
	assert_string_equal(trace, "abaaaa");
	loop_cancel(&loop, &a.task);
}

static void test_cancelling_first_middle_last_and_from_a_task(void **state)
{
	struct step a = STEP('a'), b = STEP('b'), c = STEP('c'), d = STEP('d', .cancels = &c), e = STEP('e');

	(void)state;
	trace[0] = '\0';
	loop_post(&loop, &a.task);
	loop_post(&loop, &b.task);
	loop_post(&loop, &d.task);
	loop_post(&loop, &c.task);
	loop_cancel(&loop, &a.task);
	loop_cancel(&loop, &b.task);
	loop_run(&loop);
	assert_string_equal(trace, "d");

	loop_post(&loop, &a.task);
	loop_post(&loop, &b.task);
	loop_cancel(&loop, &b.task);
	loop_cancel(&loop, &b.task);
	loop_post(&loop, &e.task);
	loop_run(&loop);
	assert_string_equal(trace, "dae");

	/* what is posted for the next turn can be cancelled in this one */
	d.posts = &c;
	d.cancels = &c;
	loop_post(&loop, &d.task);
	loop_post(&loop, &e.task);
	loop_run(&loop);
	assert_string_equal(trace, "daede");
}

static void count(void *arg)
{
	++*(int *)arg;
}

static bool is_set(void *arg)
{
	return *(int *)arg != 0;
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void test_timer_is_never_early(void **state)
{
	static const usec delays[] = { 0, 1, 999, 1000, 1001, 2500, 5000, 12345 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		struct timer timer;
		int fired = 0;
		usec start;

		timer_init(&timer, &loop, count, &fired);
		assert_false(timer_active(&timer));
		/* libuv's idea of the time is as old as its last turn */
		usleep(3000);
		start = clock_monotonic();
		timer_start(&timer, delays[i]);
		assert_true(timer_active(&timer));
		assert_int_equal(loop_run_until(&loop, is_set, &fired, 5 * SECOND), 0);
		assert_true(clock_monotonic() - start >= delays[i]);
		assert_false(timer_active(&timer));
		timer_finish(&timer);
		timer_finish(&timer);
	}
}

/* MAX(due - clock(), 0) looked at the clock twice: a negative rest became half an eternity. */
static void test_timer_that_becomes_due_while_it_is_armed(void **state)
{
	struct timer timer;
	int fired = 0;

	(void)state;
	timer_init(&timer, &loop, count, &fired);
	clock_step = 4000000;
	timer_start(&timer, 5 * MILLISECOND);
	clock_step = 0;
	assert_int_equal(loop_run_until(&loop, is_set, &fired, 5 * SECOND), 0);
	timer_finish(&timer);
}

static void test_timer_moves_stops_and_takes_any_delay(void **state)
{
	struct timer timer, other;
	int fired = 0, others = 0;
	usec start = clock_monotonic();

	(void)state;
	timer_init(&timer, &loop, count, &fired);
	timer_init(&other, &loop, count, &others);
	timer_start(&timer, INT64_MAX);
	timer_start(&timer, 300 * MILLISECOND);
	timer_start(&other, -5);
	assert_int_equal(loop_run_until(&loop, is_set, &others, SECOND), 0);
	assert_int_equal(fired, 0);
	timer_start(&other, 5 * MILLISECOND);
	timer_stop(&other);
	assert_int_equal(loop_run_until(&loop, is_set, &fired, SECOND), 0);
	assert_true(clock_monotonic() - start >= 300 * MILLISECOND);
	assert_int_equal(others, 1);
	timer_finish(&timer);
	timer_finish(&other);
}

struct self_finishing {
	struct timer timer;
	int fired;
};

static void finish_self(void *arg)
{
	struct self_finishing *self = arg;

	timer_finish(&self->timer);
	self->fired = 1;
}

static void test_timer_may_be_finished_in_its_own_callback(void **state)
{
	struct self_finishing *self = calloc(1, sizeof(*self));

	(void)state;
	timer_init(&self->timer, &loop, finish_self, self);
	timer_start(&self->timer, 0);
	loop_run(&loop);
	assert_int_equal(self->fired, 1);
	free(self);
}

static void test_zeroed_timer_can_be_stopped_and_finished(void **state)
{
	struct timer timer = { 0 };

	(void)state;
	assert_false(timer_active(&timer));
	timer_stop(&timer);
	timer_finish(&timer);
}

static void test_run_until_gives_up(void **state)
{
	usec start = clock_monotonic();

	(void)state;
	assert_int_equal(loop_run_until(&loop, never, NULL, 30 * MILLISECOND), -ETIMEDOUT);
	assert_true(clock_monotonic() - start >= 30 * MILLISECOND);
}

struct signals {
	int stops, dumps;
};

static void on_stop(void *arg)
{
	((struct signals *)arg)->stops++;
}

static void on_dump(void *arg)
{
	((struct signals *)arg)->dumps++;
}

static bool saw_both(void *arg)
{
	struct signals *seen = arg;

	return seen->stops > 0 && seen->dumps > 0;
}

static void test_signals(void **state)
{
	struct signals seen = { 0 };
	struct timer timer;
	int fired = 0;

	(void)state;
	assert_int_equal(loop_handle_signals(&loop, on_stop, on_dump, &seen), 0);
	assert_int_equal(loop_handle_signals(&loop, on_stop, on_dump, &seen), -EALREADY);
	/* waiting for signals alone does not keep the loop running */
	loop_run(&loop);

	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGTERM);
	assert_int_equal(loop_run_until(&loop, saw_both, &seen, SECOND), 0);
	assert_int_equal(seen.stops, 1);
	assert_int_equal(seen.dumps, 1);

	/* the second one ends the loop although something is left to wait for */
	timer_init(&timer, &loop, count, &fired);
	timer_start(&timer, 20 * SECOND);
	kill(getpid(), SIGINT);
	loop_run(&loop);
	assert_int_equal(fired, 0);
	assert_int_equal(seen.stops, 1);
	timer_finish(&timer);
}

static void test_stop_before_run(void **state)
{
	struct timer timer;
	int fired = 0;

	(void)state;
	timer_init(&timer, &loop, count, &fired);
	timer_start(&timer, 20 * SECOND);
	loop_stop(&loop);
	loop_run(&loop);
	assert_int_equal(fired, 0);
	timer_finish(&timer);
}

static void test_finish_names_a_leak_and_forgets_tasks(void **state)
{
	struct loop leaky;
	struct step a = STEP('a');
	struct timer timer;
	int fired = 0;

	(void)state;
	trace[0] = '\0';
	assert_int_equal(loop_init(&leaky), 0);
	loop_post(&leaky, &a.task);
	timer_init(&timer, &leaky, count, &fired);
	assert_int_equal(loop_finish(&leaky), -EBUSY);
	assert_string_equal(trace, "");
	timer_finish(&timer);
	while (uv_loop_close(&leaky.uv) != 0)
		uv_run(&leaky.uv, UV_RUN_NOWAIT);
}

static void test_clock_is_the_monotonic_one(void **state)
{
	usec before = clock_monotonic(), now = loop_now(&loop);

	(void)state;
	assert_true(now >= before && now <= clock_monotonic());
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tasks_run_in_order_and_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_task_posted_by_a_task_waits_for_the_next_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_task_that_posts_itself_does_not_starve_timers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancelling_first_middle_last_and_from_a_task, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_is_never_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_that_becomes_due_while_it_is_armed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_moves_stops_and_takes_any_delay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timer_may_be_finished_in_its_own_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zeroed_timer_can_be_stopped_and_finished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run_until_gives_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_before_run, setup, teardown),
		cmocka_unit_test(test_finish_names_a_leak_and_forgets_tasks),
		cmocka_unit_test_setup_teardown(test_clock_is_the_monotonic_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
