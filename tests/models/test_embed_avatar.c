/* The cache of avatars for embeds. */
#include "support.h"

#include <errno.h>

#include "models/embed_avatar.h"

static void test_the_newest_copy_is_found(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	const char *url;

	assert_int_equal(embed_avatar_get(f->db, "https://cdn.example/a", &arena, &url), -ENOENT);
	assert_ok(embed_avatar_put(f->db, "https://cdn.example/a", "https://copy.example/1"));
	assert_ok(embed_avatar_put(f->db, "https://cdn.example/a", "https://copy.example/2"));
	assert_ok(embed_avatar_put(f->db, "https://cdn.example/A", "https://copy.example/3"));
	assert_ok(embed_avatar_get(f->db, "https://cdn.example/a", &arena, &url));
	assert_string_equal(url, "https://copy.example/2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_newest_copy_is_found, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
