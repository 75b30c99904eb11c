/* base/random.h: the published sequence, repeatability, bounds and rough uniformity. */
#include "test.h"

#include "base/random.h"

static void matches_reference(void **state)
{
	/* First values of SplitMix64 from seed 1234567, as published with the algorithm. */
	static const uint64_t expected[] = {
		UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973),
		UINT64_C(9817491932198370423),
		UINT64_C(4593380528125082431),
		UINT64_C(16408922859458223821),
	};
	struct random random;

	(void)state;
	random_init(&random, 1234567);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_true(random_u64(&random) == expected[i]);
}

static void stays_below(void **state)
{
	struct random random;
	int counts[7] = { 0 };

	(void)state;
	random_init(&random, 5);
	for (int i = 0; i < 70000; i++)
		counts[random_below(&random, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9500, 10500);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(random_below(&random, 1), 0);
		assert_true(random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
	}
}

static void unit_interval(void **state)
{
	struct random random;
	double sum = 0;

	(void)state;
	random_init(&random, 9);
	for (int i = 0; i < 100000; i++) {
		double value = random_unit(&random);

		assert_true(value >= 0 && value < 1);
		sum += value;
	}
	assert_true(sum > 49000 && sum < 51000);
}

static void system_seeds_differ(void **state)
{
	struct random a, b;

	(void)state;
	random_init_system(&a);
	random_init_system(&b);
	assert_true(random_u64(&a) != random_u64(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_reference),
		cmocka_unit_test(stays_below),
		cmocka_unit_test(unit_interval),
		cmocka_unit_test(system_seeds_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
