/* shared/service/checkpoint.c: who checkpoints when, and that the loop does not wait for it. */
#include "support.h"

#include <stdlib.h>

#include "checkpoint.h"
#include "models/profile.h"

struct test {
	struct fixture *fixture;
	struct loop loop;
	struct checkpointer *checkpointer;
};

static int set_up(void **state)
{
	struct test *test = xcalloc(1, sizeof(*test));
	void *fixture = NULL;

	assert_int_equal(fixture_setup(&fixture), 0);
	test->fixture = fixture;
	assert_int_equal(loop_init(&test->loop), 0);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test *test = *state;
	void *fixture = test->fixture;

	checkpointer_destroy(test->checkpointer);
	assert_int_equal(loop_finish(&test->loop), 0);
	free(test);
	return fixture_teardown(&fixture);
}

static void start(struct test *test, bool owner)
{
	test->checkpointer = checkpointer_create(&test->loop, test->fixture->db, test->fixture->path, owner);
}

/* At least so many bytes of log. */
static void write_log(struct test *test, int64_t bytes)
{
	static char text[3000];
	struct profile profile = { .user_id = 1, .avatar_url = text, .present = true };
	int64_t size = 0;

	memset(text, 'x', sizeof(text) - 1);
	while (size < bytes) {
		assert_int_equal(db_begin(test->fixture->db), 0);
		for (int i = 0; i < 256; i++) {
			profile.user_id++;
			assert_int_equal(profile_put(test->fixture->db, &profile, SECOND, NULL), 0);
		}
		assert_int_equal(db_commit(test->fixture->db), 0);
		assert_int_equal(db_wal_size(test->fixture->db, &size), 0);
	}
}

static bool idle(void *arg)
{
	return !checkpointer_busy(arg);
}

static int64_t log_size(struct test *test)
{
	int64_t size;

	assert_int_equal(db_wal_size(test->fixture->db, &size), 0);
	return size;
}

static void the_owner_empties_a_large_log(void **state)
{
	struct test *test = *state;

	start(test, true);
	write_log(test, 5 << 20);
	checkpointer_tick(test->checkpointer);
	assert_true(checkpointer_busy(test->checkpointer));
	assert_int_equal(loop_run_until(&test->loop, idle, test->checkpointer, 10 * SECOND), 0);
	assert_true(log_size(test) < 1 << 20);
}

static void the_owner_leaves_a_small_young_log(void **state)
{
	struct test *test = *state;

	start(test, true);
	write_log(test, 1);
	checkpointer_tick(test->checkpointer);
	assert_false(checkpointer_busy(test->checkpointer));
}

static void others_leave_it_to_the_owner(void **state)
{
	struct test *test = *state;
	struct str text cleanup(str_finish) = STR_INIT;

	start(test, false);
	write_log(test, 5 << 20);
	checkpointer_tick(test->checkpointer);
	assert_false(checkpointer_busy(test->checkpointer));
	checkpointer_dump(test->checkpointer, &text);
	assert_non_null(strstr(text.buf, "32 MB"));
}

static void others_step_in_when_the_owner_is_gone(void **state)
{
	struct test *test = *state;

	start(test, false);
	write_log(test, 33 << 20);
	checkpointer_tick(test->checkpointer);
	assert_true(checkpointer_busy(test->checkpointer));
	assert_int_equal(loop_run_until(&test->loop, idle, test->checkpointer, 20 * SECOND), 0);
	assert_true(log_size(test) < 1 << 20);
}

static void a_writer_only_postpones(void **state)
{
	struct test *test = *state;
	struct profile profile = { .user_id = 1, .present = true };

	start(test, true);
	write_log(test, 5 << 20);
	assert_int_equal(db_begin(test->fixture->db), 0);
	assert_int_equal(profile_put(test->fixture->db, &profile, SECOND, NULL), 0);
	checkpointer_tick(test->checkpointer);
	assert_true(checkpointer_busy(test->checkpointer));
	assert_int_equal(loop_run_until(&test->loop, idle, test->checkpointer, 10 * SECOND), 0);
	assert_true(log_size(test) > 4 << 20);
	assert_int_equal(db_commit(test->fixture->db), 0);
	/* Not again at once: that would keep writers waiting. */
	checkpointer_tick(test->checkpointer);
	assert_false(checkpointer_busy(test->checkpointer));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_owner_empties_a_large_log),
		TEST(the_owner_leaves_a_small_young_log),
		TEST(others_leave_it_to_the_owner),
		TEST(others_step_in_when_the_owner_is_gone),
		TEST(a_writer_only_postpones),
	};

	return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
