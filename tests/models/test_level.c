/* The levels' arithmetic and table. */
#include "support.h"

#include <errno.h>

#include "models/level.h"

static void test_totals_are_the_sums_of_the_steps(void **state)
{
	static const struct {
		int64_t number, total;
	} known[] = { { 0, 0 }, { 1, 100 }, { 5, 1150 }, { 10, 4675 }, { 20, 23850 }, { 30, 67525 }, { 50, 268375 },
		{ 75, 835375 }, { 100, 1899250 } };
	int64_t sum = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(level_total_points(known[i].number), known[i].total);
	for (int64_t n = 0; n <= LEVEL_MAX; n++) {
		assert_int_equal(level_total_points(n), sum);
		sum += level_points_to_next(n);
	}
	assert_int_equal(level_points_to_next(LEVEL_MAX), 55100);
}

static void test_a_level_begins_at_its_total(void **state)
{
	(void)state;
	for (int64_t n = 1; n <= LEVEL_MAX; n++) {
		assert_int_equal(level_for_points(level_total_points(n) - 1), n - 1);
		assert_int_equal(level_for_points(level_total_points(n)), n);
	}
	assert_int_equal(level_for_points(0), 0);
	assert_int_equal(level_for_points(-5), 0);
	assert_int_equal(level_for_points(INT64_MAX), LEVEL_MAX);
}

static void test_seed_fills_an_empty_table_once(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct level *levels;
	size_t count, roles = 0;

	assert_ok(level_list(f->db, &arena, &levels, &count));
	assert_int_equal(count, 0);
	assert_ok(level_seed(f->db));
	assert_ok(level_set_role(f->db, 5, 0, NULL));
	assert_ok(level_seed(f->db));
	assert_ok(level_list(f->db, &arena, &levels, &count));
	assert_int_equal(count, LEVEL_MAX + 1);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(levels[i].number, i);
		assert_int_equal(levels[i].total_points, level_total_points((int64_t)i));
		roles += levels[i].role_name != NULL;
	}
	assert_int_equal(roles, 19);
	assert_string_equal(levels[50].role_name, "Kernel");
	assert_null(levels[5].role_name);
}

static void test_a_role_belongs_to_one_level(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct level *levels;
	size_t count;

	assert_ok(level_seed(f->db));
	assert_ok(level_set_role(f->db, 1, 4242, "One"));
	assert_int_equal(level_set_role(f->db, 2, 4242, "Two"), -EEXIST);
	assert_int_equal(level_set_role(f->db, 2, 4243, "One"), -EEXIST);
	assert_int_equal(level_set_role(f->db, LEVEL_MAX + 1, 4243, "None"), -ENOENT);
	/* The same level may be given its own name with an id: that is how seeded names are linked (D-15). */
	assert_ok(level_set_role(f->db, 10, 777, "Manual Tester"));
	assert_ok(level_list(f->db, &arena, &levels, &count));
	assert_int_equal(levels[1].role_id, 4242);
	assert_int_equal(levels[2].role_id, 0);
	assert_int_equal(levels[10].role_id, 777);
	assert_ok(level_set_role(f->db, 1, 0, NULL));
	assert_ok(level_set_role(f->db, 2, 4242, "One"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals_are_the_sums_of_the_steps),
		cmocka_unit_test(test_a_level_begins_at_its_total),
		cmocka_unit_test_setup_teardown(test_seed_fills_an_empty_table_once, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_role_belongs_to_one_level, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
