/* Messages that delete themselves. */
#include "support.h"

#include <errno.h>

#include "models/expiring_message.h"

#define NOW (1700000000 * SECOND)

static void test_due_ones_stay_until_they_are_done(void **state)
{
	struct fixture *f = *state;
	struct expiring_message message = { .channel_id = 5, .created_at = NOW }, due[2];
	size_t count;
	usec next;

	assert_int_equal(expiring_message_next(f->db, &next), -ENOENT);
	for (uint64_t id = 1; id <= 4; id++) {
		message.message_id = id;
		message.request_message_id = id == 1 ? 0 : 100 + id;
		message.expires_at = NOW + (usec)(5 - id) * MINUTE;
		assert_ok(expiring_message_add(f->db, &message));
	}
	assert_ok(expiring_message_next(f->db, &next));
	assert_int_equal(next, NOW + MINUTE);
	assert_ok(expiring_message_due(f->db, NOW, due, 2, &count));
	assert_int_equal(count, 0);
	assert_ok(expiring_message_due(f->db, NOW + HOUR, due, 2, &count));
	assert_int_equal(count, 2);
	assert_int_equal(due[0].message_id, 4);
	assert_int_equal(due[0].request_message_id, 104);
	assert_int_equal(due[1].message_id, 3);
	assert_ok(expiring_message_done(f->db, 4));
	assert_ok(expiring_message_done(f->db, 4));
	assert_ok(expiring_message_postpone(f->db, 3, NOW + 2 * HOUR));
	assert_ok(expiring_message_due(f->db, NOW + HOUR, due, 2, &count));
	assert_int_equal(count, 2);
	assert_int_equal(due[0].message_id, 2);
	assert_int_equal(due[1].message_id, 1);
	assert_int_equal(due[1].request_message_id, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_due_ones_stay_until_they_are_done, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
