/* bot/features/leveling_award.h: points, cool-down and levels, with times that are made up. */
#include "test.h"

#include "features/leveling_award.h"
#include "models/level.h"

#define START (1700000000 * SECOND)

static const struct award_rules rules = { .xp_min = 15, .xp_max = 25, .cooldown = 60 * SECOND };

static void a_first_message_earns_one_award(void **state)
{
	struct random random;
	struct member_xp xp = { .user_id = 1 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&rules, &random, START, &xp, &award));
	assert_true(award.first);
	assert_false(award.level_up);
	assert_in_range(award.points, 15, 25);
	assert_int_equal(xp.points, award.points);
	assert_int_equal(xp.level_points, award.points);
	assert_int_equal(xp.message_count, 1);
	assert_true(xp.last_award_at == START);
}

static void awards_are_random_within_the_limits(void **state)
{
	struct random random;
	bool seen[32] = { false };

	(void)state;
	random_init(&random, 7);
	for (int i = 0; i < 2000; i++) {
		struct member_xp xp = { .user_id = 1 };
		struct award award;

		assert_true(award_give(&rules, &random, START, &xp, &award));
		assert_in_range(award.points, 15, 25);
		seen[award.points] = true;
	}
	for (int i = 15; i <= 25; i++)
		assert_true(seen[i]);
}

static void more_than_the_cooldown_must_pass(void **state)
{
	struct random random;
	struct member_xp xp = { .user_id = 1 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&rules, &random, START, &xp, &award));
	assert_false(award_give(&rules, &random, START + 1, &xp, &award));
	assert_false(award_give(&rules, &random, START + 60 * SECOND, &xp, &award));
	assert_int_equal(xp.message_count, 1);
	assert_true(award_give(&rules, &random, START + 60 * SECOND + MILLISECOND, &xp, &award));
	assert_false(award.first);
	assert_int_equal(xp.message_count, 2);
}

static void a_message_from_before_the_last_award_earns_nothing(void **state)
{
	struct random random;
	struct member_xp xp = { .user_id = 1 }, before;
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&rules, &random, START, &xp, &award));
	before = xp;
	assert_false(award_give(&rules, &random, START - HOUR, &xp, &award));
	assert_memory_equal(&before, &xp, sizeof(xp));
}

static void without_a_cooldown_every_message_earns(void **state)
{
	const struct award_rules one = { .xp_min = 1, .xp_max = 1, .cooldown = 0 };
	struct random random;
	struct member_xp xp = { .user_id = 1 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	/* in one millisecond, and out of order */
	assert_true(award_give(&one, &random, START, &xp, &award));
	assert_true(award_give(&one, &random, START, &xp, &award));
	assert_true(award_give(&one, &random, START - SECOND, &xp, &award));
	assert_int_equal(xp.points, 3);
	assert_true(xp.last_award_at == START);
}

/* D-49: the boundary belongs to the level. */
static void a_level_is_reached_at_its_total(void **state)
{
	const struct award_rules one = { .xp_min = 1, .xp_max = 1, .cooldown = 0 };
	struct random random;
	struct member_xp xp = { .user_id = 1, .points = 98, .level_points = 98, .message_count = 5 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&one, &random, START, &xp, &award));
	assert_int_equal(xp.points, 99);
	assert_false(award.level_up);
	assert_true(award_give(&one, &random, START + 1, &xp, &award));
	assert_int_equal(xp.points, 100);
	assert_true(award.level_up);
	assert_int_equal(award.level, 1);
	assert_int_equal(xp.level_number, 1);
	assert_int_equal(xp.level_points, 0);
}

static void several_levels_at_once_are_one_level_up(void **state)
{
	const struct award_rules large = { .xp_min = 5000, .xp_max = 5000, .cooldown = 0 };
	struct random random;
	struct member_xp xp = { .user_id = 1 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&large, &random, START, &xp, &award));
	assert_true(award.level_up);
	assert_int_equal(award.level, 10);
	assert_int_equal(xp.level_points, 5000 - level_total_points(10));
}

static void a_level_set_by_hand_is_kept(void **state)
{
	struct random random;
	struct member_xp xp = { .user_id = 1, .points = 50, .level_number = 3, .message_count = 2 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&rules, &random, START, &xp, &award));
	assert_false(award.level_up);
	assert_int_equal(xp.level_number, 3);
	assert_int_equal(xp.level_points, 0);
}

static void the_last_level_ends_it(void **state)
{
	struct random random;
	struct member_xp xp = { .user_id = 1,
		.points = level_total_points(LEVEL_MAX) + 100000,
		.level_number = LEVEL_MAX,
		.message_count = 9 };
	struct award award;

	(void)state;
	random_init(&random, 1);
	assert_true(award_give(&rules, &random, START, &xp, &award));
	assert_false(award.level_up);
	assert_int_equal(award.level, LEVEL_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_message_earns_one_award),
		cmocka_unit_test(awards_are_random_within_the_limits),
		cmocka_unit_test(more_than_the_cooldown_must_pass),
		cmocka_unit_test(a_message_from_before_the_last_award_earns_nothing),
		cmocka_unit_test(without_a_cooldown_every_message_earns),
		cmocka_unit_test(a_level_is_reached_at_its_total),
		cmocka_unit_test(several_levels_at_once_are_one_level_up),
		cmocka_unit_test(a_level_set_by_hand_is_kept),
		cmocka_unit_test(the_last_level_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
