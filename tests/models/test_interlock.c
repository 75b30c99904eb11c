/* Writers and checkpoints exclude each other where SQLite needs it. */
#include "support.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>

#include "interlock.h"
#include "models/member_xp.h"

static void test_affected_versions(void **state)
{
	static const struct {
		int version;
		bool needed;
	} cases[] = {
		{ 3006023, false }, /* has no write-ahead log */
		{ 3007000, true },
		{ 3040001, true }, /* Debian 12 */
		{ 3044005, true },
		{ 3044006, false }, /* backport */
		{ 3044099, false },
		{ 3045000, true },
		{ 3050006, true },
		{ 3050007, false }, /* backport */
		{ 3051000, true },
		{ 3051002, true },
		{ 3051003, false },
		{ 3053002, false },
		{ 4000000, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(interlock_needed(cases[i].version), cases[i].needed);
}

static void test_writers_together_checkpoints_alone(void **state)
{
	struct fixture *f = *state;
	struct interlock *a, *b, *c;

	assert_ok(interlock_create(f->path, &a));
	assert_ok(interlock_create(f->path, &b));
	assert_ok(interlock_create(f->path, &c));
	assert_ok(interlock_enter_writer(a, 0));
	assert_ok(interlock_enter_writer(b, 0));
	assert_int_equal(interlock_enter_checkpoint(c, 20 * MILLISECOND), -EAGAIN);
	/* Having given up, the checkpointer keeps nobody out. */
	interlock_leave_writer(b);
	assert_ok(interlock_enter_writer(b, 0));
	interlock_leave_writer(a);
	interlock_leave_writer(b);
	assert_ok(interlock_enter_checkpoint(c, 0));
	assert_int_equal(interlock_enter_writer(a, 20 * MILLISECOND), -EAGAIN);
	assert_int_equal(interlock_enter_checkpoint(b, 20 * MILLISECOND), -EAGAIN);
	interlock_leave_checkpoint(c);
	assert_ok(interlock_enter_writer(a, 0));
	interlock_leave_writer(a);
	interlock_destroy(a);
	interlock_destroy(b);
	interlock_destroy(c);
	interlock_destroy(NULL);
}

struct writer {
	pthread_t thread;
	struct interlock *interlock;
	atomic_bool *stop;
	atomic_int turns;
};

/* Holds the lock nearly always, so that two of these leave no gap. */
static void *write_without_gaps(void *arg)
{
	struct writer *writer = arg;

	while (!atomic_load(writer->stop)) {
		if (interlock_enter_writer(writer->interlock, 10 * SECOND) < 0)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		interlock_leave_writer(writer->interlock);
		atomic_fetch_add(&writer->turns, 1);
	}
	return NULL;
}

static void test_a_stream_of_writers_does_not_starve_the_checkpoint(void **state)
{
	struct fixture *f = *state;
	struct writer writers[3];
	struct interlock *checkpointer;
	atomic_bool stop = false;

	assert_ok(interlock_create(f->path, &checkpointer));
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		writers[i] = (struct writer){ .stop = &stop };
		assert_ok(interlock_create(f->path, &writers[i].interlock));
		assert_ok(pthread_create(&writers[i].thread, NULL, write_without_gaps, &writers[i]));
	}
	for (int round = 0; round < 20; round++) {
		/* Each round all of them are at work. */
		for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
			int turns = atomic_load(&writers[i].turns);

			while (atomic_load(&writers[i].turns) == turns)
				interlock_pause();
		}
		assert_ok(interlock_enter_checkpoint(checkpointer, 5 * SECOND));
		interlock_leave_checkpoint(checkpointer);
	}
	atomic_store(&stop, true);
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		assert_ok(pthread_join(writers[i].thread, NULL));
		interlock_destroy(writers[i].interlock);
	}
	interlock_destroy(checkpointer);
}

static void test_a_checkpoint_waits_for_a_write_transaction(void **state)
{
	struct fixture *f = *state;
	struct db *other;
	int64_t bytes;

	if (!interlock_needed(sqlite3_libversion_number()))
		skip();
	other = open_db(f->path);
	assert_ok(db_begin(f->db));
	assert_ok(seen_message_claim(f->db, 1));
	assert_int_equal(db_checkpoint(other, 30 * MILLISECOND), -EAGAIN);
	assert_ok(db_commit(f->db));
	assert_ok(db_checkpoint(other, SECOND));
	assert_ok(db_wal_size(other, &bytes));
	assert_int_equal(bytes, 0);
	db_close(other);
}

struct release {
	struct interlock *interlock;
	atomic_bool released;
};

static void *release_later(void *arg)
{
	struct release *release = arg;

	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	atomic_store(&release->released, true);
	interlock_leave_checkpoint(release->interlock);
	return NULL;
}

static void test_a_write_transaction_waits_for_a_checkpoint(void **state)
{
	struct fixture *f = *state;
	struct release release = { .released = false };
	pthread_t thread;

	if (!interlock_needed(sqlite3_libversion_number()))
		skip();
	assert_ok(interlock_create(f->path, &release.interlock));
	assert_ok(interlock_enter_checkpoint(release.interlock, 0));
	assert_ok(pthread_create(&thread, NULL, release_later, &release));
	/* A statement outside of a transaction is a write transaction too. */
	assert_ok(seen_message_claim(f->db, 1));
	assert_true(atomic_load(&release.released));
	assert_ok(pthread_join(thread, NULL));
	interlock_destroy(release.interlock);
}

/* A reader in the middle of a transaction needs the log: the checkpoint gives up in time and leaves everything as it
 * was. */
static void test_a_checkpoint_gives_up_on_a_reader(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = { .user_id = 5, .points = 1 };
	struct db *reader;
	int64_t bytes;

	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	assert_ok(db_begin_read(reader));
	assert_ok(member_xp_get(reader, 5, &xp));
	assert_ok(seen_message_claim(f->db, 1));
	assert_int_equal(db_checkpoint(f->db, 30 * MILLISECOND), -EAGAIN);
	assert_ok(db_wal_size(f->db, &bytes));
	assert_true(bytes > 0);
	assert_ok(seen_message_claim(f->db, 2));
	db_end_read(reader);
	assert_ok(db_checkpoint(f->db, SECOND));
	db_close(reader);
}

struct checkpoint {
	const char *path;
	int result;
};

static void *checkpoint_for_a_while(void *arg)
{
	struct checkpoint *checkpoint = arg;
	struct db *db = open_db(checkpoint->path);

	checkpoint->result = db_checkpoint(db, 1500 * MILLISECOND);
	db_close(db);
	return NULL;
}

/* A checkpoint that waits for a long reader must not keep the writers waiting all that time. */
static void test_writers_go_on_while_a_checkpoint_waits(void **state)
{
	struct fixture *f = *state;
	struct member_xp xp = { .user_id = 5, .points = 1 };
	usec begin = clock_monotonic(), longest = 0;
	struct db *reader;
	struct checkpoint checkpoint = { .path = f->path };
	pthread_t thread;

	assert_ok(member_xp_put(f->db, &xp));
	assert_ok(db_open(f->path, DB_READ_ONLY, &reader, NULL));
	assert_ok(db_begin_read(reader));
	assert_ok(member_xp_get(reader, 5, &xp));
	assert_ok(pthread_create(&thread, NULL, checkpoint_for_a_while, &checkpoint));
	for (uint64_t id = 1; clock_monotonic() < begin + 1200 * MILLISECOND; id++) {
		usec before = clock_monotonic();

		assert_ok(seen_message_claim(f->db, id));
		longest = MAX(longest, clock_monotonic() - before);
	}
	assert_ok(pthread_join(thread, NULL));
	assert_int_equal(checkpoint.result, -EAGAIN);
	assert_true(longest < SECOND);
	db_end_read(reader);
	db_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_affected_versions),
		cmocka_unit_test_setup_teardown(
			test_writers_together_checkpoints_alone, fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_stream_of_writers_does_not_starve_the_checkpoint,
			fixture_setup_without_db, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_checkpoint_waits_for_a_write_transaction, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_write_transaction_waits_for_a_checkpoint, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_checkpoint_gives_up_on_a_reader, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_writers_go_on_while_a_checkpoint_waits, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
