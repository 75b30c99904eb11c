/* base/arena.h. */
#include "test.h"

#include <stdalign.h>

#include "base/arena.h"

static void aligned_and_zeroed(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;

	(void)state;
	for (size_t size = 0; size < 3000; size += 7) {
		unsigned char *memory = arena_alloc(&arena, size);

		assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(memory[i], 0);
		/* Were it shared with another allocation, the checks above would find these bytes. */
		memset(memory, 0xff, size);
	}
	assert_true(arena.total > 3000);
}

static void does_not_overlap(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	uint32_t *parts[500];

	(void)state;
	for (uint32_t i = 0; i < 500; i++) {
		parts[i] = arena_array(&arena, uint32_t, i + 1);
		for (uint32_t j = 0; j <= i; j++)
			parts[i][j] = i;
	}
	for (uint32_t i = 0; i < 500; i++)
		for (uint32_t j = 0; j <= i; j++)
			assert_int_equal(parts[i][j], i);
}

static void large_beside_small(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	char *before = arena_alloc(&arena, 16), *large = arena_alloc(&arena, 1 << 20), *after = arena_alloc(&arena, 16);

	(void)state;
	memset(large, 1, 1 << 20);
	/* The started block goes on being used behind a large request. */
	assert_ptr_equal(after, before + 16);
	assert_int_equal(after[0], 0);
}

static void copies_text(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	char *long_text = arena_printf(&arena, "%0500d", 7);

	(void)state;
	assert_null(arena_strdup(&arena, NULL));
	assert_null(arena_strndup(&arena, NULL, 4));
	assert_string_equal(arena_strdup(&arena, "abc"), "abc");
	assert_string_equal(arena_strndup(&arena, "abc", 2), "ab");
	assert_string_equal(arena_strndup(&arena, "abc", 9), "abc");
	assert_memory_equal(arena_copy(&arena, "x\0y", 3), "x\0y", 3);
	assert_non_null(arena_copy(&arena, NULL, 0));
	assert_string_equal(arena_printf(&arena, "%s=%d", "n", 3), "n=3");
	assert_int_equal(strlen(long_text), 500);
}

static void resets(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	char *first = arena_alloc(&arena, 32), *again;

	(void)state;
	memset(first, 1, 32);
	arena_reset(&arena);
	assert_int_equal(arena.total, 0);
	again = arena_alloc(&arena, 32);
	assert_ptr_equal(again, first);
	assert_int_equal(again[31], 0);
	/* A large block is not kept. */
	arena_finish(&arena);
	assert_non_null(arena_alloc(&arena, 100000));
	arena_reset(&arena);
	assert_null(arena.blocks);
	arena_reset(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aligned_and_zeroed),
		cmocka_unit_test(does_not_overlap),
		cmocka_unit_test(large_beside_small),
		cmocka_unit_test(copies_text),
		cmocka_unit_test(resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
