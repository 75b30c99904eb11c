/* Usage statistics. */
#include "support.h"

#include "models/command_usage.h"

#define NOW (1700000000 * SECOND)

static void use(struct db *db, usec when, const char *channel, const char *command)
{
	struct command_usage usage = {
		.used_at = when, .channel_name = channel, .command = command, .invoked_as = command
	};

	assert_ok(command_usage_add(db, &usage));
}

static void test_uses_in_the_same_instant_all_count(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct command_usage_count *counts;
	size_t count;

	/* The old system kept one use per second (D-19). */
	use(f->db, NOW, "general", "rank");
	use(f->db, NOW, "general", "rank");
	use(f->db, NOW, "bots", "help");
	use(f->db, NOW + 1, "bots", "rank");
	use(f->db, NOW + 2, "bots", "here");
	use(f->db, NOW + HOUR, "bots", "here");
	assert_ok(command_usage_count(f->db, COMMAND_USAGE_BY_COMMAND, NOW, NOW + HOUR, 10, &arena, &counts, &count));
	assert_int_equal(count, 3);
	assert_string_equal(counts[0].name, "rank");
	assert_int_equal(counts[0].uses, 3);
	assert_string_equal(counts[1].name, "help");
	assert_string_equal(counts[2].name, "here");
	assert_int_equal(counts[2].uses, 1);
	assert_ok(command_usage_count(f->db, COMMAND_USAGE_BY_CHANNEL, 0, NOW + DAY, 1, &arena, &counts, &count));
	assert_int_equal(count, 1);
	assert_string_equal(counts[0].name, "bots");
	assert_int_equal(counts[0].uses, 4);
	assert_ok(command_usage_count(f->db, COMMAND_USAGE_BY_COMMAND, 0, NOW, 10, &arena, &counts, &count));
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_uses_in_the_same_instant_all_count, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
