/* The database is locked by somebody else for longer than the listener waits: it says so, stays alive, and loses
 * nothing. */
#include "harness.h"

#define COMPARED "the member list is compared"

static void a_locked_database_is_waited_for(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	struct db *other;

	harness_wait_log(listener, COMPARED, SOON);
	assert_int_equal(db_open(h->database, DB_WRITE, &other, NULL), 0);
	assert_int_equal(db_begin(other), 0);
	assert_int_equal(fake_nick(h->fake, alice, "locked out"), 0);
	harness_wait_log(listener, "the database could not be written", SOON);
	harness_wait_unhealthy(listener, "database", SOON);
	db_rollback(other);
	db_close(other);
	harness_wait_profile(h, alice, "alice", "locked out", 2 * SOON);
	harness_wait_healthy(listener, SOON);
	assert_int_equal(harness_gateway(h).identified, 1);
	harness_stop(listener);
}

int main(void)
{
	static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(a_locked_database_is_waited_for, &options) };

	return harness_run("listener_database", tests, ARRAY_SIZE(tests));
}
