/* Profiles: what counts as a change, and reconciliation with the member list. */
#include "support.h"

#include <errno.h>

#include "models/profile.h"

#define NOW (1700000000 * SECOND)

static void test_put_writes_only_changes(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile profile = { .user_id = 1, .name = "ada", .present = true, .updated_at = 12345 }, got;
	bool changed = false;

	assert_int_equal(profile_get(f->db, 1, &arena, &got), -ENOENT);
	assert_ok(profile_put(f->db, &profile, NOW, &changed));
	assert_true(changed);
	assert_ok(profile_get(f->db, 1, &arena, &got));
	assert_string_equal(got.name, "ada");
	assert_null(got.nick);
	assert_null(got.avatar_url);
	assert_true(got.present);
	assert_int_equal(got.deleted_at, 0);
	assert_int_equal(got.updated_at, NOW);

	assert_ok(profile_put(f->db, &profile, NOW + 1, &changed));
	assert_false(changed);
	assert_ok(profile_get(f->db, 1, &arena, &got));
	assert_int_equal(got.updated_at, NOW);

	/* No nickname and an empty one are two things. */
	profile.nick = "";
	assert_ok(profile_put(f->db, &profile, NOW + 2, &changed));
	assert_true(changed);
	profile.nick = "Ada";
	profile.avatar_url = "https://cdn.example/a.png";
	profile.deleted_at = NOW;
	assert_ok(profile_put(f->db, &profile, NOW + 3, NULL));
	assert_ok(profile_get(f->db, 1, &arena, &got));
	assert_string_equal(got.nick, "Ada");
	assert_string_equal(got.avatar_url, "https://cdn.example/a.png");
	assert_int_equal(got.deleted_at, NOW);
	assert_int_equal(got.updated_at, NOW + 3);
	profile.name = NULL;
	assert_ok(db_begin(f->db));
	assert_ok(profile_put(f->db, &profile, NOW + 4, &changed));
	assert_true(changed);
	assert_ok(profile_put(f->db, &profile, NOW + 5, &changed));
	assert_false(changed);
	assert_ok(db_commit(f->db));
}

static void test_a_profile_that_never_changed(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile got;

	run_sql(f->path,
		"INSERT INTO profile (user_id, present, updated_at, revision) VALUES (1, 1, NULL, 1), (2, 1, 0, 2)");
	assert_ok(profile_get(f->db, 1, &arena, &got));
	assert_true(got.updated_at == PROFILE_NEVER);
	assert_ok(profile_get(f->db, 2, &arena, &got));
	assert_int_equal(got.updated_at, 0);
}

struct ids {
	size_t count;
	uint64_t id[16];
};

static int add_id(void *arg, uint64_t user_id)
{
	struct ids *ids = arg;

	assert_true(ids->count < ARRAY_SIZE(ids->id));
	ids->id[ids->count++] = user_id;
	return 0;
}

static int add_profile(void *arg, const struct profile *profile)
{
	return add_id(arg, profile->user_id);
}

static int stop(void *arg, uint64_t user_id)
{
	(void)user_id;
	(*(int *)arg)++;
	return 7;
}

static void put(struct db *db, uint64_t user_id)
{
	struct profile profile = { .user_id = user_id, .name = "x", .present = true };

	assert_ok(profile_put(db, &profile, NOW, NULL));
}

static void test_walks(void **state)
{
	struct fixture *f = *state;
	struct ids present = { 0 }, all = { 0 }, changed = { 0 };
	int64_t revision = 0;
	int calls = 0;
	bool left = false;

	put(f->db, 30);
	put(f->db, 10);
	put(f->db, 20);
	assert_ok(profile_each_since(f->db, 0, add_profile, &all, &revision));
	assert_int_equal(all.count, 3);
	assert_ok(profile_set_absent(f->db, 20, NOW + 5, &left));
	assert_true(left);
	assert_ok(profile_set_absent(f->db, 20, NOW + 6, &left));
	assert_false(left);
	assert_ok(profile_set_absent(f->db, 99, NOW, &left));
	assert_false(left);
	assert_ok(profile_each_present(f->db, add_id, &present));
	assert_int_equal(present.count, 2);
	assert_int_equal(present.id[0], 10);
	assert_int_equal(present.id[1], 30);
	assert_int_equal(profile_each_present(f->db, stop, &calls), 7);
	assert_int_equal(calls, 1);
	assert_ok(profile_each_since(f->db, revision, add_profile, &changed, &revision));
	assert_int_equal(changed.count, 1);
	assert_int_equal(changed.id[0], 20);
}

static void test_reconciliation_turns_off_who_is_missing(void **state)
{
	struct fixture *f = *state;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct ids present = { 0 };
	struct profile got;
	int64_t left = -1;

	for (uint64_t id = 1; id <= 9; id++)
		put(f->db, id);
	assert_int_equal(profile_reconcile_mark(f->db, 1), -EINVAL);
	assert_int_equal(profile_reconcile_finish(f->db, NOW, &left), -EINVAL);
	assert_ok(profile_reconcile_begin(f->db));
	/* In any order, twice, and over transactions of which one fails. */
	assert_ok(profile_reconcile_mark(f->db, 9));
	assert_ok(db_begin(f->db));
	assert_ok(profile_reconcile_mark(f->db, 2));
	assert_ok(profile_reconcile_mark(f->db, 4));
	db_rollback(f->db);
	assert_ok(profile_reconcile_mark(f->db, 2));
	assert_ok(profile_reconcile_mark(f->db, 77));
	assert_ok(profile_reconcile_finish(f->db, NOW + SECOND, &left));
	assert_int_equal(left, 6);
	assert_ok(profile_each_present(f->db, add_id, &present));
	assert_int_equal(present.count, 3);
	assert_int_equal(present.id[0], 2);
	assert_int_equal(present.id[1], 4);
	assert_int_equal(present.id[2], 9);
	assert_ok(profile_get(f->db, 5, &arena, &got));
	assert_false(got.present);
	assert_int_equal(got.updated_at, NOW + SECOND);
	assert_ok(profile_get(f->db, 2, &arena, &got));
	assert_int_equal(got.updated_at, NOW);

	/* A new list begins with nobody marked. */
	assert_ok(profile_reconcile_begin(f->db));
	assert_ok(profile_reconcile_mark(f->db, 1));
	assert_ok(profile_reconcile_begin(f->db));
	assert_ok(profile_reconcile_mark(f->db, 2));
	assert_ok(profile_reconcile_finish(f->db, NOW, &left));
	assert_int_equal(left, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_put_writes_only_changes, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_a_profile_that_never_changed, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_walks, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_reconciliation_turns_off_who_is_missing, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
