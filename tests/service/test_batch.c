/* service/batch.h, on a real database. */
#include "support.h"

#include <errno.h>
#include <stdlib.h>

#include "models/gateway_session.h"
#include "models/profile.h"
#include "service/batch.h"

#define SERVICE "bot"

struct test {
	struct fixture *fixture;
	struct db *reader;
	struct loop loop;
	struct batch *batch;
	int failures, last_failure;
};

struct counting_task {
	struct loop_task task;
	int runs;
};

static void count(struct loop_task *task)
{
	((struct counting_task *)task)->runs++;
}

static void on_failed(void *arg, int error)
{
	struct test *test = arg;

	test->failures++;
	test->last_failure = error;
}

static int set_up(void **state)
{
	struct test *test = xcalloc(1, sizeof(*test));
	void *fixture = NULL;

	assert_int_equal(fixture_setup(&fixture), 0);
	test->fixture = fixture;
	assert_int_equal(db_open(test->fixture->path, DB_READ_ONLY, &test->reader, NULL), 0);
	assert_int_equal(loop_init(&test->loop), 0);
	assert_int_equal(batch_create(&test->loop, test->fixture->db, SERVICE, 40, on_failed, test, &test->batch), 0);
	*state = test;
	return 0;
}

static int tear_down(void **state)
{
	struct test *test = *state;
	void *fixture = test->fixture;

	batch_destroy(test->batch);
	assert_int_equal(loop_finish(&test->loop), 0);
	db_close(test->reader);
	free(test);
	return fixture_teardown(&fixture);
}

/* What another process sees. */
static bool stored(struct test *test, uint64_t user_id)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile profile;
	int r = profile_get(test->reader, user_id, &arena, &profile);

	assert_true(r == 0 || r == -ENOENT);
	return r == 0;
}

static int64_t stored_sequence(struct test *test)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session;

	assert_int_equal(gateway_session_get(test->reader, SERVICE, &arena, &session), 0);
	return session.sequence;
}

static void write_profile(struct test *test, uint64_t user_id)
{
	struct profile profile = { .user_id = user_id, .name = "somebody", .present = true };

	assert_int_equal(profile_put(test->fixture->db, &profile, SECOND, NULL), 0);
}

static void event(struct test *test, int64_t sequence, uint64_t user_id)
{
	assert_int_equal(batch_event_begin(test->batch), 0);
	write_profile(test, user_id);
	assert_int_equal(batch_event_end(test->batch, sequence, 0), 0);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

static void run(struct test *test, usec duration)
{
	assert_int_equal(loop_run_until(&test->loop, never, NULL, duration), -ETIMEDOUT);
}

static void effects_and_sequence_are_committed_together(void **state)
{
	struct test *test = *state;

	event(test, 41, 1);
	event(test, 42, 2);
	assert_false(stored(test, 1));
	assert_int_equal(batch_sequence(test->batch), 40);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_true(stored(test, 1) && stored(test, 2));
	assert_int_equal(stored_sequence(test), 42);
	assert_int_equal(batch_sequence(test->batch), 42);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(test->failures, 0);
}

static void a_batch_does_not_wait_long(void **state)
{
	struct test *test = *state;

	event(test, 41, 1);
	run(test, 60 * MILLISECOND);
	assert_true(stored(test, 1));
	assert_int_equal(batch_sequence(test->batch), 41);
}

static void a_batch_does_not_grow_without_end(void **state)
{
	struct test *test = *state;

	for (int i = 1; i <= 512; i++)
		event(test, 40 + i, (uint64_t)i);
	assert_true(batch_sequence(test->batch) > 40);
	assert_true(stored(test, 1));
}

static void an_event_that_cannot_be_stored_is_undone_alone(void **state)
{
	struct test *test = *state;
	struct counting_task kept = { .task.run = count }, dropped = { .task.run = count };

	assert_int_equal(batch_event_begin(test->batch), 0);
	write_profile(test, 1);
	batch_after_commit(test->batch, &kept.task);
	assert_int_equal(batch_event_end(test->batch, 41, 0), 0);
	assert_int_equal(batch_event_begin(test->batch), 0);
	write_profile(test, 2);
	batch_after_commit(test->batch, &dropped.task);
	assert_int_equal(batch_event_end(test->batch, 42, -EINVAL), 0);
	event(test, 43, 3);
	assert_int_equal(batch_flush(test->batch), 0);
	run(test, MILLISECOND);

	assert_true(stored(test, 1) && stored(test, 3));
	assert_false(stored(test, 2));
	assert_int_equal(stored_sequence(test), 43);
	assert_int_equal(kept.runs, 1);
	assert_int_equal(dropped.runs, 0);
	assert_int_equal(test->failures, 0);
}

static void a_full_disk_loses_the_whole_batch(void **state)
{
	struct test *test = *state;
	struct counting_task task = { .task.run = count };

	event(test, 41, 1);
	batch_after_commit(test->batch, &task.task);
	assert_int_equal(batch_event_begin(test->batch), 0);
	write_profile(test, 2);
	assert_int_equal(batch_event_end(test->batch, 42, -ENOSPC), -ENOSPC);

	assert_int_equal(test->failures, 1);
	assert_int_equal(test->last_failure, -ENOSPC);
	assert_int_equal(batch_error(test->batch), -ENOSPC);
	assert_int_equal(batch_sequence(test->batch), 40);
	assert_false(db_in_transaction(test->fixture->db));
	run(test, 40 * MILLISECOND);
	assert_false(stored(test, 1));
	assert_int_equal(task.runs, 0);

	/* Discord replays, and the disk has room again. */
	event(test, 41, 1);
	event(test, 42, 2);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(batch_error(test->batch), 0);
	assert_true(stored(test, 1) && stored(test, 2));
	assert_int_equal(stored_sequence(test), 42);
}

static void tasks_run_after_the_commit_in_order(void **state)
{
	struct test *test = *state;
	struct counting_task first = { .task.run = count }, second = { .task.run = count },
			     at_once = { .task.run = count };

	batch_after_commit(test->batch, &at_once.task);
	assert_int_equal(at_once.runs, 0);
	run(test, MILLISECOND);
	assert_int_equal(at_once.runs, 1);

	assert_int_equal(batch_event_begin(test->batch), 0);
	batch_after_commit(test->batch, &first.task);
	batch_after_commit(test->batch, &second.task);
	batch_after_commit(test->batch, &first.task);
	assert_int_equal(batch_event_end(test->batch, 41, 0), 0);
	batch_forget_task(test->batch, &second.task);
	assert_int_equal(first.runs, 0);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(first.runs, 0);
	run(test, MILLISECOND);
	assert_int_equal(first.runs, 1);
	assert_int_equal(second.runs, 0);
}

static void forgetting_the_last_task_keeps_the_list_whole(void **state)
{
	struct test *test = *state;
	struct counting_task tasks[3] = { { .task.run = count }, { .task.run = count }, { .task.run = count } };

	assert_int_equal(batch_begin(test->batch), 0);
	batch_after_commit(test->batch, &tasks[0].task);
	batch_after_commit(test->batch, &tasks[1].task);
	batch_forget_task(test->batch, &tasks[1].task);
	batch_after_commit(test->batch, &tasks[2].task);
	assert_int_equal(batch_flush(test->batch), 0);
	run(test, MILLISECOND);
	assert_int_equal(tasks[0].runs, 1);
	assert_int_equal(tasks[1].runs, 0);
	assert_int_equal(tasks[2].runs, 1);
}

static void a_command_joins_the_batch(void **state)
{
	struct test *test = *state;

	event(test, 41, 1);
	assert_int_equal(batch_begin(test->batch), 0);
	write_profile(test, 2);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_true(stored(test, 1) && stored(test, 2));

	/* With a savepoint of its own, and without a sequence. */
	assert_int_equal(batch_event_begin(test->batch), 0);
	write_profile(test, 3);
	assert_int_equal(batch_event_end(test->batch, -1, -ECANCELED), 0);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_false(stored(test, 3));
	assert_int_equal(batch_sequence(test->batch), 41);
}

static void a_new_session_replaces_the_old_with_its_first_effects(void **state)
{
	struct test *test = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session;

	event(test, 41, 1);
	assert_int_equal(batch_flush(test->batch), 0);
	batch_set_session(test->batch, "fresh", "wss://resume.example");
	assert_int_equal(batch_sequence(test->batch), 0);
	assert_int_equal(stored_sequence(test), 41);
	event(test, 1, 2);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(gateway_session_get(test->reader, SERVICE, &arena, &session), 0);
	assert_string_equal(session.session_id, "fresh");
	assert_string_equal(session.resume_url, "wss://resume.example");
	assert_int_equal(session.sequence, 1);

	batch_set_session(test->batch, NULL, NULL);
	event(test, 0, 3);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(gateway_session_get(test->reader, SERVICE, &arena, &session), 0);
	assert_null(session.session_id);
}

static void a_session_whose_first_commit_fails_is_stored_by_the_next(void **state)
{
	struct test *test = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session;

	batch_set_session(test->batch, "fresh", "wss://resume.example");
	assert_int_equal(batch_event_begin(test->batch), 0);
	assert_int_equal(batch_event_end(test->batch, 1, -EIO), -EIO);
	assert_int_equal(batch_sequence(test->batch), 0);
	event(test, 1, 1);
	assert_int_equal(batch_flush(test->batch), 0);
	assert_int_equal(gateway_session_get(test->reader, SERVICE, &arena, &session), 0);
	assert_string_equal(session.session_id, "fresh");
	assert_int_equal(session.sequence, 1);
}

static void the_end_commits_what_is_open(void **state)
{
	struct test *test = *state;

	event(test, 41, 1);
	batch_destroy(test->batch);
	test->batch = NULL;
	assert_true(stored(test, 1));
}

static void misuse_is_refused(void **state)
{
	struct test *test = *state;
	struct str text cleanup(str_finish) = STR_INIT;

	assert_int_equal(batch_event_end(test->batch, 41, 0), -EINVAL);
	assert_int_equal(batch_event_begin(test->batch), 0);
	assert_int_equal(batch_flush(test->batch), -EBUSY);
	batch_dump(test->batch, &text);
	assert_non_null(strstr(text.buf, "open"));
	assert_int_equal(batch_event_end(test->batch, 41, 0), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(effects_and_sequence_are_committed_together),
		TEST(a_batch_does_not_wait_long),
		TEST(a_batch_does_not_grow_without_end),
		TEST(an_event_that_cannot_be_stored_is_undone_alone),
		TEST(a_full_disk_loses_the_whole_batch),
		TEST(tasks_run_after_the_commit_in_order),
		TEST(forgetting_the_last_task_keeps_the_list_whole),
		TEST(a_command_joins_the_batch),
		TEST(a_new_session_replaces_the_old_with_its_first_effects),
		TEST(a_session_whose_first_commit_fails_is_stored_by_the_next),
		TEST(the_end_commits_what_is_open),
		TEST(misuse_is_refused),
	};

	return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
