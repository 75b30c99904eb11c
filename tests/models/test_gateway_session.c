/* Resumable sessions, and the identifies that the services share. */
#include "support.h"

#include <errno.h>

#include "models/gateway_session.h"

#define NOW (1700000000 * SECOND)

static void test_a_session_survives_until_it_is_forgotten(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct gateway_session session = { "abc", "wss://resume.example", 7 }, got;

	assert_ok(gateway_session_get(f->db, "bot", &arena, &got));
	assert_null(got.session_id);
	assert_int_equal(got.sequence, 0);
	assert_ok(gateway_session_put(f->db, "bot", &session, NOW));
	assert_ok(gateway_session_set_sequence(f->db, "bot", 8));
	assert_ok(gateway_session_set_sequence(f->db, "listener", 3));
	db_close(f->db);
	f->db = open_db(f->path);
	assert_ok(gateway_session_get(f->db, "bot", &arena, &got));
	assert_string_equal(got.session_id, "abc");
	assert_string_equal(got.resume_url, "wss://resume.example");
	assert_int_equal(got.sequence, 8);
	assert_ok(gateway_session_get(f->db, "listener", &arena, &got));
	assert_null(got.session_id);
	assert_int_equal(got.sequence, 3);
	session.session_id = NULL;
	session.sequence = 0;
	assert_ok(gateway_session_put(f->db, "bot", &session, NOW));
	assert_ok(gateway_session_get(f->db, "bot", &arena, &got));
	assert_null(got.session_id);
	assert_null(got.resume_url);
}

static void test_identifies_keep_their_distance(void **state)
{
	struct fixture *f = *state;
	usec wait = -1;

	assert_ok(identify_claim(f->db, "app", "bot", NOW, 5 * SECOND, 1000, &wait));
	assert_int_equal(wait, -1);
	assert_int_equal(identify_claim(f->db, "app", "listener", NOW + SECOND, 5 * SECOND, 1000, &wait), -EAGAIN);
	assert_int_equal(wait, 4 * SECOND);
	/* Another application has a quota of its own. */
	assert_ok(identify_claim(f->db, "other", "bot", NOW + SECOND, 5 * SECOND, 1000, &wait));
	assert_ok(identify_claim(f->db, "app", "listener", NOW + 5 * SECOND, 5 * SECOND, 1000, &wait));
}

static void test_identifies_of_a_day_are_limited(void **state)
{
	struct fixture *f = *state;
	usec wait;

	for (int i = 0; i < 3; i++)
		assert_ok(identify_claim(f->db, "app", "bot", NOW + i * MINUTE, SECOND, 3, &wait));
	assert_int_equal(identify_claim(f->db, "app", "bot", NOW + HOUR, SECOND, 3, &wait), -EAGAIN);
	assert_int_equal(wait, 23 * HOUR + 1);
	/* The wait that was told is enough, and no less is. */
	assert_int_equal(identify_claim(f->db, "app", "bot", NOW + DAY, SECOND, 3, &wait), -EAGAIN);
	assert_int_equal(wait, 1);
	assert_ok(identify_claim(f->db, "app", "bot", NOW + DAY + 1, SECOND, 3, &wait));
	assert_int_equal(identify_claim(f->db, "app", "bot", NOW + DAY + SECOND + 1, SECOND, 0, &wait), -EAGAIN);
	assert_true(wait > 0);
}

static void test_a_clock_that_was_set_back_keeps_nobody_out(void **state)
{
	struct fixture *f = *state;
	usec wait;

	assert_ok(identify_claim(f->db, "app", "bot", NOW + 30 * DAY, 5 * SECOND, 10, &wait));
	assert_int_equal(identify_claim(f->db, "app", "bot", NOW, 5 * SECOND, 10, &wait), -EAGAIN);
	assert_int_equal(wait, 5 * SECOND);
	assert_ok(identify_claim(f->db, "app", "bot", NOW + 5 * SECOND, 5 * SECOND, 10, &wait));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_session_survives_until_it_is_forgotten, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_identifies_keep_their_distance, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_identifies_of_a_day_are_limited, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_a_clock_that_was_set_back_keeps_nobody_out, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
