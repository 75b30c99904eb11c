/* models/ranking.c against a plain sorted array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/random.h"
#include "models/ranking.h"

#define SLOTS 40000

struct table {
	int64_t points[SLOTS], value[SLOTS];
	bool in[SLOTS];
	uint32_t sorted[SLOTS];
	size_t count;
};

static bool before(const void *arg, uint32_t a, uint32_t b)
{
	const struct table *table = arg;

	return table->points[a] != table->points[b] ? table->points[a] > table->points[b] : a < b;
}

static int64_t value(const void *arg, uint32_t slot)
{
	return ((const struct table *)arg)->value[slot];
}

static struct table *sorting;

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	if (left == right)
		return 0;
	return before(sorting, left, right) ? -1 : 1;
}

static void sort(struct table *table)
{
	table->count = 0;
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		if (table->in[slot])
			table->sorted[table->count++] = slot;
	}
	sorting = table;
	qsort(table->sorted, table->count, sizeof(table->sorted[0]), compare);
}

struct key {
	const struct table *table;
	int64_t points;
};

static bool at_or_after(const void *key, uint32_t slot)
{
	const struct key *k = key;

	return k->table->points[slot] <= k->points;
}

static void check(struct table *table, struct ranking *ranking, struct random *random)
{
	static uint32_t page[SLOTS];
	int64_t low = (int64_t)random_below(random, 100), high = low + (int64_t)random_below(random, 60);
	struct key key = { table, (int64_t)random_below(random, 700) };
	size_t in_range = 0, read, start, first = 0;

	sort(table);
	assert_int_equal(ranking_count(ranking), table->count);
	assert_int_equal(ranking_read(ranking, 0, SLOTS, page), table->count);
	assert_memory_equal(page, table->sorted, table->count * sizeof(page[0]));
	assert_int_equal(ranking_read(ranking, table->count, 1, page), 0);
	for (int i = 0; i < 20 && table->count > 0; i++) {
		size_t position = random_below(random, table->count);

		assert_int_equal(ranking_position(ranking, table->sorted[position]), position);
		assert_int_equal(ranking_read(ranking, position, 1, page), 1);
		assert_int_equal(page[0], table->sorted[position]);
	}
	while (first < table->count && !at_or_after(&key, table->sorted[first]))
		first++;
	assert_int_equal(ranking_count_before(ranking, at_or_after, &key), first);

	for (size_t i = 0; i < table->count; i++) {
		int64_t v = table->value[table->sorted[i]];

		if (v >= low && v <= high)
			table->sorted[in_range++] = table->sorted[i];
	}
	assert_int_equal(ranking_count_in_range(ranking, low, high), in_range);
	start = in_range ? random_below(random, in_range) : 0;
	read = ranking_read_in_range(ranking, low, high, start, 25, page);
	assert_int_equal(read, MIN(in_range - start, (size_t)25));
	assert_memory_equal(page, table->sorted + start, read * sizeof(page[0]));
}

static void test_random_changes(void **state)
{
	struct table *table = calloc(1, sizeof(*table));
	struct ranking *ranking = ranking_create(&(struct ranking_order){ before, value, table });
	struct random random;

	(void)state;
	random_init(&random, 7);
	check(table, ranking, &random);
	for (int round = 0; round < 15; round++) {
		/* Waves of growth and decline, so that blocks and groups are split, joined and dropped. */
		uint64_t keep = round < 10 ? 75 : 15;

		for (int i = 0; i < SLOTS / 4; i++) {
			uint32_t slot = (uint32_t)random_below(&random, SLOTS);
			bool in = random_below(&random, 100) < keep;

			if (table->in[slot])
				ranking_remove(ranking, slot);
			table->in[slot] = in;
			table->points[slot] = (int64_t)random_below(&random, 700);
			table->value[slot] = (int64_t)random_below(&random, 150);
			if (in)
				ranking_insert(ranking, slot);
		}
		for (int i = 0; i < 50; i++) {
			uint32_t slot = (uint32_t)random_below(&random, SLOTS);

			table->value[slot] = (int64_t)random_below(&random, 150);
			if (table->in[slot])
				ranking_value_changed(ranking, slot);
		}
		check(table, ranking, &random);
	}
	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		if (table->in[slot])
			ranking_remove(ranking, slot);
		table->in[slot] = false;
	}
	check(table, ranking, &random);
	ranking_destroy(ranking);
	free(table);
}

/* 64 blocks of 512: as much as a group holds, and the largest rank that its type can say. */
static void test_a_group_that_is_full(void **state)
{
	enum { FULL = 64 * 512 };
	struct table *table = calloc(1, sizeof(*table));
	struct ranking *ranking = ranking_create(&(struct ranking_order){ before, value, table });
	static const int64_t values[] = { INT64_MIN, 0, INT64_MAX };
	struct random random;
	uint32_t last;

	(void)state;
	random_init(&random, 11);
	for (uint32_t slot = 0; slot <= FULL; slot++)
		table->value[slot] = values[slot % 3];
	/* Appended, blocks are half full; what belongs between fills them. */
	for (uint32_t slot = 0; slot < FULL; slot += 2)
		ranking_insert(ranking, slot);
	for (uint32_t slot = 1; slot < FULL; slot += 2) {
		ranking_insert(ranking, slot);
		/* The last few with values. */
		if (slot > FULL - 20)
			assert_int_equal(ranking_count_in_range(ranking, INT64_MIN, INT64_MAX), ranking_count(ranking));
	}
	for (uint32_t count = FULL; count <= FULL + 1; count++) {
		assert_int_equal(ranking_count_in_range(ranking, INT64_MIN, INT64_MAX), count);
		assert_int_equal(ranking_read_in_range(ranking, INT64_MIN, INT64_MAX, count - 1, 2, &last), 1);
		assert_int_equal(last, count - 1);
		assert_int_equal(ranking_count_in_range(ranking, INT64_MIN, INT64_MIN), (count + 2) / 3);
		assert_int_equal(ranking_count_in_range(ranking, INT64_MIN + 1, INT64_MAX - 1), (count + 1) / 3);
		assert_int_equal(ranking_count_in_range(ranking, INT64_MAX, INT64_MAX), count / 3);
		assert_int_equal(ranking_count_in_range(ranking, 1, -1), 0);
		for (uint32_t slot = 0; slot < count; slot++)
			table->in[slot] = true;
		check(table, ranking, &random);
		ranking_insert(ranking, count);
	}
	ranking_destroy(ranking);
	free(table);
}

static void test_build(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 16, 17, 447, 448, 449, 896, 897, 21504, 21505, SLOTS };
	struct table *table = calloc(1, sizeof(*table));
	struct ranking *ranking = ranking_create(&(struct ranking_order){ before, value, table });
	uint32_t *slots = calloc(SLOTS, sizeof(*slots));
	struct random random;

	(void)state;
	random_init(&random, 11);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		for (uint32_t i = 0; i < SLOTS; i++) {
			table->in[i] = i < sizes[s];
			table->points[i] = (int64_t)random_below(&random, 300);
			table->value[i] = (int64_t)random_below(&random, 150);
			slots[i] = i;
		}
		ranking_build(ranking, slots, sizes[s]);
		check(table, ranking, &random);
	}
	free(slots);
	ranking_destroy(ranking);
	free(table);
}

static void test_values_at_the_ends_of_the_scale(void **state)
{
	struct table *table = calloc(1, sizeof(*table));
	struct ranking *ranking = ranking_create(&(struct ranking_order){ before, value, table });
	uint32_t page[3];

	(void)state;
	table->value[0] = INT64_MIN;
	table->value[1] = 0;
	table->value[2] = INT64_MAX;
	for (uint32_t slot = 0; slot < 3; slot++)
		ranking_insert(ranking, slot);
	assert_int_equal(ranking_count_in_range(ranking, INT64_MIN, INT64_MAX), 3);
	assert_int_equal(ranking_count_in_range(ranking, INT64_MAX, INT64_MAX), 1);
	assert_int_equal(ranking_count_in_range(ranking, 1, 0), 0);
	assert_int_equal(ranking_read_in_range(ranking, 0, INT64_MAX - 1, 0, 3, page), 1);
	assert_int_equal(page[0], 1);
	ranking_destroy(ranking);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_a_group_that_is_full),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_values_at_the_ends_of_the_scale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
