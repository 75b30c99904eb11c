/* The routes under /v1/ (leveling_api/v1.c, members_walk.c, members_search.c). */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/random.h"

static void put(struct fixture *fixture, uint64_t user_id, int64_t points, const char *name)
{
	put_member(fixture, user_id, points, name, NULL);
}

/* The user ids of the results, in their order; how many. Ranks must be without gaps from `first_rank` on (0: not looked at). */
static size_t users(const char *body, uint64_t first_rank, uint64_t *ret_users)
{
	size_t count = 0;
	cJSON *json;

	assert_int_equal(json_parse(body, strlen(body), &json), 0);
	json_array_each (item, json_array(json, "results")) {
		if (first_rank)
			assert_int_equal(json_int(item, "rank", 0), first_rank + count);
		ret_users[count++] = json_snowflake(item, "user_id");
	}
	cJSON_Delete(json);
	return count;
}

/* "next" or "previous" as a query parameter's value; false at the end. */
static bool cursor(const char *body, const char *key, char *ret_cursor, size_t size)
{
	cJSON *json;
	bool found;

	assert_int_equal(json_parse(body, strlen(body), &json), 0);
	found = json_string(json, key) != NULL;
	if (found)
		snprintf(ret_cursor, size, "%s", json_string(json, key));
	cJSON_Delete(json);
	return found;
}

static void test_leaderboard(void **state)
{
	struct fixture *fixture = *state;
	char target[200], next[100];
	uint64_t ids[200] = { 0 };

	for (uint64_t i = 1; i <= 30; i++)
		put(fixture, i, 3100 - (int64_t)i * 100, "somebody");
	hide_member(fixture, 3, true);
	put_profile(fixture, 5, "gone", NULL, NULL, false, SECOND);
	assert_contains(fetch(fixture, "/v1/leaderboard?limit=1", 200),
		"\"results\":[{\"rank\":1,\"user_id\":\"1\",\"name\":\"somebody\",\"avatar\":null,\"points\":3000,\"level\":8,"
		"\"progress\":{\"points\":100,\"needed\":820},\"messages\":150}]");
	assert_contains(fixture->answer.body.buf, "{\"count\":28,\"previous\":null,\"next\":\"");
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard?limit=4", 200), 1, ids), 4);
	assert_int_equal(ids[2], 4);
	assert_int_equal(ids[3], 6);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=100&after=%s", next);
	assert_int_equal(users(fetch(fixture, target, 200), 5, ids), 24);
	assert_int_equal(ids[0], 7);
	assert_false(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	assert_true(cursor(fixture->answer.body.buf, "previous", next, sizeof(next)));
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=3&before=%s", next);
	assert_int_equal(users(fetch(fixture, target, 200), 2, ids), 3);
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[2], 6);
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard?rank=27", 200), 27, ids), 2);
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard?rank=100", 200), 0, ids), 0);
	assert_lacks(fixture->answer.body.buf, "\"next\":\"");
}

static void test_bad_parameters(void **state)
{
	static const char *const targets[] = {
		"/v1/leaderboard?limit=0",
		"/v1/leaderboard?limit=101",
		"/v1/leaderboard?limit=x",
		"/v1/leaderboard?rank=0",
		"/v1/leaderboard?rank=-1",
		"/v1/leaderboard?after=",
		"/v1/leaderboard?after=1.2.3",
		"/v1/leaderboard?after=7.1.1.1.1&before=7.1.1.1.1",
		"/v1/leaderboard?after=7.1.1.1.99999999999999999999",
		"/v1/leaderboard?after=x.1.1.1.1",
		"/v1/leaderboard?after=7.1.1.1.1.1",
		"/v1/search",
		"/v1/search?q=",
		"/v1/search?q=a&limit=0",
		"/v1/search?q=a%00b%00c&limit=x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		assert_contains(fetch(*state, targets[i], 400), "{\"detail\":\"");
	/* Cursors of another run, and of a version that is not yet. */
	assert_contains(fetch(*state, "/v1/leaderboard?after=8.1.1.1.12", 410), "\"rank\":12}");
	fetch(*state, "/v1/leaderboard?after=7.99.1.1.12", 410);
	fetch(*state, "/v1/leaderboard/around/x", 404);
	fetch(*state, "/v1/members/", 404);
	fetch(*state, "/v1/members/1/2", 404);
	fetch(*state, "/v1/nothing", 404);
	fetch_with(*state, "PUT", "/v1/stats", NULL, 405);
	fetch_with(*state, "OPTIONS", "/v1/stats", NULL, 204);
}

/* While points change at random, walking down (or up again) meets everybody who is there all the time exactly once. */
static void walk(struct fixture *fixture, struct random *random, bool forward)
{
	enum { MEMBERS = 400 };
	int met[MEMBERS + 1] = { 0 };
	char target[200], position[100];
	bool more = true;

	snprintf(target, sizeof(target), "/v1/leaderboard?limit=7%s", forward ? "" : "&rank=400");
	while (more) {
		uint64_t ids[100] = { 0 };
		size_t count = users(fetch(fixture, target, 200), 0, ids);

		for (size_t i = 0; i < count; i++)
			met[ids[i]]++;
		more = cursor(fixture->answer.body.buf, forward ? "next" : "previous", position, sizeof(position));
		snprintf(target, sizeof(target), "/v1/leaderboard?limit=7&%s=%s", forward ? "after" : "before",
			position);
		for (int i = 0; i < 15; i++)
			put(fixture, 1 + random_below(random, MEMBERS), (int64_t)random_below(random, 5000), NULL);
	}
	for (int i = 1; i <= MEMBERS; i++) {
		if (met[i] != 1)
			fail_msg("member %d was met %d times", i, met[i]);
	}
}

static void test_walks_skip_and_repeat_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct random random;

	random_init(&random, 9);
	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= 400; i++)
		put(fixture, i, (int64_t)random_below(&random, 5000), "m");
	assert_int_equal(db_commit(fixture->db), 0);
	walk(fixture, &random, true);
	walk(fixture, &random, false);
}

static void test_who_leaves_during_a_walk_does_not_show(void **state)
{
	struct fixture *fixture = *state;
	char target[200], next[100];
	uint64_t ids[100] = { 0 };

	for (uint64_t i = 1; i <= 9; i++)
		put(fixture, i, 1000 - (int64_t)i, "m");
	fetch(fixture, "/v1/leaderboard?limit=3", 200);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	hide_member(fixture, 4, true);
	put_profile(fixture, 5, "m", NULL, NULL, false, SECOND);
	put(fixture, 9, 5000, NULL);
	put(fixture, 10, 999, "new");
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=10&after=%s", next);
	assert_int_equal(users(fetch(fixture, target, 200), 4, ids), 4);
	assert_int_equal(ids[0], 6);
	assert_int_equal(ids[3], 9);
}

static void test_old_cursors_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char target[200], next[100];

	put(fixture, 1, 5, "a");
	put(fixture, 2, 4, "b");
	fetch(fixture, "/v1/leaderboard?limit=1", 200);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	/* More rows than a journal holds, or than are taken over one by one. */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(db_begin(fixture->db), 0);
		for (uint64_t i = 1; i <= 18000; i++)
			put(fixture, i, (int64_t)(i + (uint64_t)round), NULL);
		assert_int_equal(db_commit(fixture->db), 0);
		fetch(fixture, "/v1/stats", 200);
	}
	snprintf(target, sizeof(target), "/v1/leaderboard?after=%s", next);
	assert_contains(fetch(fixture, target, 410), "\"rank\":1}");
}

static void test_around_and_member(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ids[100] = { 0 };

	for (uint64_t i = 1; i <= 20; i++)
		put(fixture, i, 2000 - (int64_t)i * 50, "m");
	hide_member(fixture, 2, true);
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard/around/10?limit=5", 200), 7, ids), 5);
	assert_int_equal(ids[2], 10);
	assert_contains(fixture->answer.body.buf, "{\"rank\":9,\"count\":19,\"previous\":\"");
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard/around/1", 200), 1, ids), 19);
	fetch(fixture, "/v1/leaderboard/around/2", 404);
	assert_string_equal(fetch(fixture, "/v1/members/10", 200),
		"{\"rank\":9,\"user_id\":\"10\",\"name\":\"m\",\"avatar\":null,\"points\":1500,\"level\":5,\"progress\":{\"points\":350,"
		"\"needed\":475},\"messages\":75,\"role\":\"Missing Semicolon\",\"points_to_next_level\":125}");
	fetch(fixture, "/v1/members/2", 404);
	fetch(fixture, "/v1/members/99", 404);
	fetch(fixture, "/v1/members/99999999999999999999", 404);
	put(fixture, 1, INT64_MAX, NULL);
	assert_contains(fetch(fixture, "/v1/members/1", 200), "\"points_to_next_level\":null}");
}

static void test_search(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ids[100] = { 0 };

	put(fixture, 1, 10, "Ada Lovelace");
	put(fixture, 2, 20, "adam");
	put(fixture, 3, 30, "\xc3\x89milie");
	put(fixture, 4, 40,
		"STRA\xc3\x9f"
		"E");
	put(fixture, 5, 50,
		"\xe5\xb0\x8f"
		"ada");
	put(fixture, 6, 60, "hidden ada");
	put(fixture, 7, 70, "ab<b>x</b>");
	hide_member(fixture, 6, true);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=ADA", 200), 0, ids), 3);
	assert_int_equal(ids[0], 5);
	assert_int_equal(ids[1], 2);
	assert_int_equal(ids[2], 1);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=ada&limit=1", 200), 0, ids), 1);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=%C3%A9MILIE", 200), 0, ids), 1);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=strasse", 200), 0, ids), 1);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=%E5%B0%8F", 200), 0, ids), 1);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=lace", 200), 0, ids), 1);
	assert_contains(fixture->answer.body.buf, "{\"rank\":6,\"user_id\":\"1\"");
	assert_int_equal(users(fetch(fixture, "/v1/search?q=nobody", 200), 0, ids), 0);
	put_profile(fixture, 1, "Grace", NULL, NULL, true, SECOND);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=lace", 200), 0, ids), 0);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=grac", 200), 0, ids), 1);
}

/* Below the first 2,048 of the ranking the signatures lead the way. */
static void test_search_far_down(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ids[100] = { 0 };

	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), i % 1000 == 0 ? "needle %d" : "straw %d", (int)i);
		put(fixture, i, 10000 - (int64_t)i, name);
	}
	assert_int_equal(db_commit(fixture->db), 0);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=Needle", 200), 0, ids), 5);
	assert_int_equal(ids[0], 1000);
	assert_int_equal(ids[4], 5000);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=Needle&limit=4", 200), 0, ids), 4);
	assert_int_equal(ids[3], 4000);
}

static void test_levels_and_stats(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, 1, 0, "a");
	put(fixture, 2, 100, "b");
	put(fixture, 3, 120, "c");
	put(fixture, 4, 5000, "hidden");
	put(fixture, 5, 5000, "gone");
	hide_member(fixture, 4, true);
	put_profile(fixture, 5, "gone", NULL, NULL, false, SECOND);
	assert_string_equal(fetch(fixture, "/v1/stats", 200),
		"{\"members\":3,\"points\":220,\"by_level\":[{\"level\":0,\"members\":1},{\"level\":1,\"members\":2}]}");
	assert_contains(fetch(fixture, "/v1/levels", 200),
		"{\"results\":[{\"number\":0,\"total_points\":0,\"points_to_next_level\":100,\"role\":\"Hello World\",\"members\":1},"
		"{\"number\":1,\"total_points\":100,\"points_to_next_level\":155,\"role\":null,\"members\":2},");
	put(fixture, 1, 5000, NULL);
	assert_contains(fetch(fixture, "/v1/stats", 200),
		"\"points\":5220,\"by_level\":[{\"level\":1,\"members\":2},{\"level\":10,\"members\":1}]");
	put(fixture, 1, INT64_MAX, NULL);
	put(fixture, 2, INT64_MAX, NULL);
	put(fixture, 3, INT64_MAX, NULL);
	assert_contains(fetch(fixture, "/v1/stats", 200), "\"points\":18446744073709551615,");
}

/* Neither hidden nor departed members show under /v1/, in no field and no count. */
static void test_the_hidden_stay_hidden(void **state)
{
	static const char *const targets[] = { "/v1/leaderboard", "/v1/leaderboard/around/1", "/v1/members/1",
		"/v1/search?q=e", "/v1/levels", "/v1/stats" };
	struct fixture *fixture = *state;

	put(fixture, 1, 777, "seen");
	put(fixture, 4242, 999999, "hiddenone");
	put(fixture, 4343, 888888, "departedone");
	hide_member(fixture, 4242, true);
	put_profile(fixture, 4343, "departedone", NULL, NULL, false, SECOND);
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		const char *body = fetch(fixture, targets[i], 200);

		assert_lacks(body, "one\"");
		assert_lacks(body, "4242");
		assert_lacks(body, "4343");
		assert_lacks(body, "999999");
	}
	assert_contains(fetch(fixture, "/v1/stats", 200), "{\"members\":1,");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_leaderboard, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_bad_parameters, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_walks_skip_and_repeat_nobody, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_who_leaves_during_a_walk_does_not_show, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_old_cursors_are_refused, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_around_and_member, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_search, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_search_far_down, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_levels_and_stats, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_the_hidden_stay_hidden, fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
