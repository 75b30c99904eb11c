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
		"/v1/leaderboard?rank=9223372036854775808",
		"/v1/leaderboard?after=",
		"/v1/leaderboard?after=1.2.3",
		"/v1/leaderboard?after=1.1.1.1&before=1.1.1.1",
		"/v1/leaderboard?after=1.1.1.1&rank=2",
		"/v1/leaderboard?after=1.1.1.0",
		"/v1/leaderboard?after=1.1.1.99999999999999999999",
		"/v1/leaderboard?after=1.9223372036854775808.1.1",
		"/v1/leaderboard?after=x.1.1.1",
		"/v1/leaderboard?after=1.1.1.1.1",
		"/v1/leaderboard?after=1.1.1.1%00",
		"/v1/leaderboard?before=1.1.-1.1",
		"/v1/search",
		"/v1/search?q=",
		"/v1/search?q=a&limit=0",
		"/v1/search?q=a%00b%00c&limit=x",
	};

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
		assert_contains(fetch(*state, targets[i], 400), "{\"detail\":\"");
	/* Cursors from before all that is remembered, and from a time that is not yet. */
	assert_contains(fetch(*state, "/v1/leaderboard?after=1.1.1.12", 410), "\"rank\":1}");
	fetch(*state, "/v1/leaderboard?before=18446744073709551615.1.1.12", 410);
	fetch(*state, "/v1/leaderboard/around/x", 404);
	fetch(*state, "/v1/members/", 404);
	fetch(*state, "/v1/members/1/2", 404);
	fetch(*state, "/v1/nothing", 404);
	fetch_with(*state, "PUT", "/v1/stats", NULL, 405);
	fetch_with(*state, "OPTIONS", "/v1/stats", NULL, 204);
}

/* A server's members as a test has made them, and what a reader who walks through the leaderboard sees of them. */
struct crowd {
	struct {
		bool exists, hidden, gone;
		bool throughout; /* on the leaderboard since the walk began */
		int met;
	} members[301];
	struct random random;
};

static bool is_visible(const struct crowd *crowd, uint64_t user_id)
{
	return crowd->members[user_id].exists && !crowd->members[user_id].hidden && !crowd->members[user_id].gone;
}

/* What happens on a server: somebody earns points (perhaps his first), hides or shows himself, leaves or comes back. */
static void disturb(struct fixture *fixture, struct crowd *crowd, uint64_t changes)
{
	for (; changes > 0; changes--) {
		uint64_t user_id = 1 + random_below(&crowd->random, ARRAY_SIZE(crowd->members) - 1),
			 dice = random_below(&crowd->random, 10);

		put(fixture, user_id, (int64_t)random_below(&crowd->random, 3000), NULL);
		crowd->members[user_id].exists = true;
		if (dice == 0) {
			crowd->members[user_id].hidden = !crowd->members[user_id].hidden;
			hide_member(fixture, user_id, crowd->members[user_id].hidden);
		} else if (dice == 1) {
			crowd->members[user_id].gone = !crowd->members[user_id].gone;
			put_profile(fixture, user_id, "m", NULL, NULL, !crowd->members[user_id].gone, SECOND);
		}
		if (!is_visible(crowd, user_id))
			crowd->members[user_id].throughout = false;
		if (random_below(&crowd->random, 4) == 0)
			fetch(fixture, "/v1/stats", 200);
	}
}

/* Meets everybody who is there all the time exactly once, nobody twice and nobody who does not show at that moment. */
static void walk(struct fixture *fixture, struct crowd *crowd, bool forward)
{
	char target[200] = "/v1/leaderboard?limit=7", position[100];
	bool more = true;

	for (size_t i = 0; i < ARRAY_SIZE(crowd->members); i++) {
		crowd->members[i].met = 0;
		crowd->members[i].throughout = is_visible(crowd, i);
	}
	if (!forward) {
		cJSON *json;

		fetch(fixture, "/v1/stats", 200);
		assert_int_equal(json_parse(fixture->answer.body.buf, fixture->answer.body.len, &json), 0);
		snprintf(target, sizeof(target), "/v1/leaderboard?rank=%lld", (long long)json_int(json, "members", 0));
		cJSON_Delete(json);
	}
	while (more) {
		uint64_t ids[100] = { 0 };
		size_t count = users(fetch(fixture, target, 200), 0, ids);

		for (size_t i = 0; i < count; i++) {
			crowd->members[ids[i]].met++;
			assert_true(is_visible(crowd, ids[i]));
		}
		more = cursor(fixture->answer.body.buf, forward ? "next" : "previous", position, sizeof(position));
		snprintf(target, sizeof(target), "/v1/leaderboard?limit=%d&%s=%s",
			(int)(1 + random_below(&crowd->random, 20)), forward ? "after" : "before", position);
		disturb(fixture, crowd, random_below(&crowd->random, 30));
	}
	for (size_t i = 0; i < ARRAY_SIZE(crowd->members); i++) {
		if (crowd->members[i].met > 1 || crowd->members[i].met < crowd->members[i].throughout)
			fail_msg("member %zu was met %d times", i, crowd->members[i].met);
	}
}

static int64_t sum(const char *body, const char *list, const char *member)
{
	int64_t total = 0;
	cJSON *json;

	assert_int_equal(json_parse(body, strlen(body), &json), 0);
	json_array_each (item, json_array(json, list))
		total += json_int(item, member, 0);
	cJSON_Delete(json);
	return total;
}

/* All that counts counts the same. */
static void assert_coherent(struct fixture *fixture, const struct crowd *crowd)
{
	char members[40], count[40];
	int64_t visible = 0;

	for (size_t i = 0; i < ARRAY_SIZE(crowd->members); i++)
		visible += is_visible(crowd, i);
	snprintf(members, sizeof(members), "{\"members\":%lld,", (long long)visible);
	snprintf(count, sizeof(count), "{\"count\":%lld,", (long long)visible);
	assert_contains(fetch(fixture, "/v1/stats", 200), members);
	assert_int_equal(sum(fixture->answer.body.buf, "by_level", "members"), visible);
	assert_int_equal(sum(fetch(fixture, "/v1/levels", 200), "results", "members"), visible);
	assert_contains(fetch(fixture, "/v1/leaderboard", 200), count);
}

static void test_walks_skip_and_repeat_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct crowd crowd = { 0 };

	random_init(&crowd.random, 9);
	assert_int_equal(db_begin(fixture->db), 0);
	disturb(fixture, &crowd, 400);
	assert_int_equal(db_commit(fixture->db), 0);
	for (int i = 0; i < 10; i++) {
		walk(fixture, &crowd, i % 2 == 0);
		assert_coherent(fixture, &crowd);
	}
}

/* A cursor is opaque; who changes one all the same gets some page, or is told that it is none, and harms nobody. */
static void test_tampered_cursors(void **state)
{
	static const char *const ends[] = { "0.0.1", "0.9223372036854775807.9223372036854775807",
		"9223372036854775807.0.1", "9223372036854775807.9223372036854775807.9223372036854775807", "995.5.1" };
	struct fixture *fixture = *state;
	char target[300], next[100];
	uint64_t ids[100];

	for (uint64_t i = 1; i <= 9; i++)
		put(fixture, i, 1000 - (int64_t)i, "m");
	fetch(fixture, "/v1/leaderboard?limit=3", 200);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	put(fixture, 8, 996, NULL);
	next[strcspn(next, ".")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		snprintf(target, sizeof(target), "/v1/leaderboard?after=%s.%s", next, ends[i]);
		assert_in_range(users(fetch(fixture, target, 200), 0, ids), 0, 9);
		snprintf(target, sizeof(target), "/v1/leaderboard?before=%s.%s", next, ends[i]);
		assert_in_range(users(fetch(fixture, target, 200), 0, ids), 0, 9);
		assert_lacks(fixture->answer.body.buf, "\"rank\":0,");
	}
}

/* What nobody may see must not show in the cursors and the tags either: who keeps an answer keeps it until something visible changes. */
static void test_the_hidden_leave_no_trace(void **state)
{
	struct fixture *fixture = *state;
	char *before;

	for (uint64_t i = 1; i <= 5; i++)
		put(fixture, i, 1000 - (int64_t)i, "m");
	hide_member(fixture, 2, true);
	put_profile(fixture, 3, "m", NULL, NULL, false, SECOND);
	before = xstrdup(fetch(fixture, "/v1/leaderboard?limit=1&rank=2", 200));
	put(fixture, 2, 5000, "still hidden");
	put(fixture, 3, 6000, NULL);
	put_profile(fixture, 77, "never wrote", NULL, NULL, true, SECOND);
	assert_string_equal(fetch(fixture, "/v1/leaderboard?limit=1&rank=2", 200), before);
	put(fixture, 4, 5000, NULL);
	assert_string_not_equal(fetch(fixture, "/v1/leaderboard?limit=1&rank=2", 200), before);
	free(before);
}

/* The program starts anew or another database takes the old one's place: a cursor must not be taken for one of the new order, and whoever
 * goes on from the rank in the answer goes on where he was. */
static void test_cursors_of_earlier_data_are_refused(void **state)
{
	struct fixture *fixture = *state;
	char target[200], next[100], previous[100];
	uint64_t ids[100] = { 0 };

	for (uint64_t i = 1; i <= 9; i++)
		put(fixture, i, 1000 - (int64_t)i, "m");
	fetch(fixture, "/v1/leaderboard?limit=3&rank=4", 200);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	assert_true(cursor(fixture->answer.body.buf, "previous", previous, sizeof(previous)));
	source_destroy(fixture->api.source);
	fixture->api.source = NULL;
	for (int i = 0; i < 3; i++) {
		put(fixture, 9, 5 + i, NULL);
		fetch(fixture, "/v1/stats", 200);
	}
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=2&after=%s", next);
	assert_contains(fetch(fixture, target, 410), "\"rank\":7}");
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=2&before=%s", previous);
	assert_contains(fetch(fixture, target, 410), "\"rank\":2}");
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard?limit=2&rank=2", 200), 2, ids), 2);
	assert_int_equal(ids[1], 3);
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
	uint64_t ids[100] = { 0 };

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
	assert_contains(fetch(fixture, target, 410), "\"rank\":17997}");
	/* The ring has come round: what it holds now is told as it was. */
	fetch(fixture, "/v1/leaderboard?limit=3", 200);
	assert_true(cursor(fixture->answer.body.buf, "next", next, sizeof(next)));
	for (int round = 0; round < 2; round++) {
		put(fixture, 17997, 100000 + round, NULL);
		put(fixture, 17990, 1 + round, NULL);
		put(fixture, 18000, 5 + round, NULL);
		fetch(fixture, "/v1/stats", 200);
	}
	snprintf(target, sizeof(target), "/v1/leaderboard?limit=100&after=%s", next);
	assert_int_equal(users(fetch(fixture, target, 200), 4, ids), 100);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(ids[i], 17997 - i);
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
	/* At both ends as many as elsewhere. */
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard/around/1?limit=6", 200), 1, ids), 6);
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard/around/20?limit=6", 200), 14, ids), 6);
	assert_int_equal(ids[5], 20);
	assert_int_equal(users(fetch(fixture, "/v1/leaderboard/around/19?limit=1", 200), 18, ids), 1);
	assert_int_equal(ids[0], 19);
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
	/* Names that begin with the text before those that hold it elsewhere. */
	assert_int_equal(ids[0], 2);
	assert_int_equal(ids[1], 1);
	assert_int_equal(ids[2], 5);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=ada&limit=1", 200), 0, ids), 1);
	assert_int_equal(ids[0], 2);
	/* The whole name first of all. */
	put(fixture, 8, 5, "ADA");
	assert_int_equal(users(fetch(fixture, "/v1/search?q=Ada&limit=2", 200), 0, ids), 2);
	assert_int_equal(ids[0], 8);
	assert_int_equal(ids[1], 2);
	/* Letters in fancy dress; marks apart from their letter; a sigma at the end of a word. */
	put(fixture, 9, 4, "\xf0\x9d\x93\x90\xf0\x9d\x93\xad\xf0\x9d\x93\xaa script");
	assert_int_equal(users(fetch(fixture, "/v1/search?q=ada%20s", 200), 0, ids), 1);
	assert_int_equal(ids[0], 9);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=E%CC%81milie", 200), 0, ids), 1);
	put(fixture, 10, 3, "\xce\x9f\xce\xb4\xcf\x85\xcf\x83\xcf\x83\xce\xb5\xcf\x8d\xcf\x82");
	assert_int_equal(users(fetch(fixture, "/v1/search?q=%CE%A3%CE%95%CE%8E%CE%A3", 200), 0, ids), 1);
	/* What folds to nothing, here a soft hyphen, is in no name and not in all of them. */
	assert_int_equal(users(fetch(fixture, "/v1/search?q=%C2%AD", 200), 0, ids), 0);
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

/* Below the first of the ranking the signatures lead the way. */
static void test_search_far_down(void **state)
{
	struct fixture *fixture = *state;
	uint64_t ids[100] = { 0 };

	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= 12000; i++) {
		char name[32];

		snprintf(name, sizeof(name),
			i == 11999      ? "needle"
			: i % 2000 == 0 ? "a needle %d"
					: "straw %d",
			(int)i);
		put(fixture, i, 50000 - (int64_t)i, name);
	}
	assert_int_equal(db_commit(fixture->db), 0);
	assert_int_equal(users(fetch(fixture, "/v1/search?q=Needle", 200), 0, ids), 7);
	assert_int_equal(ids[0], 11999);
	assert_int_equal(ids[1], 2000);
	assert_int_equal(ids[6], 12000);
	/* As many as are wanted among the first: nothing more is read. */
	assert_int_equal(users(fetch(fixture, "/v1/search?q=Needle&limit=4", 200), 0, ids), 4);
	assert_int_equal(ids[0], 2000);
	assert_int_equal(ids[3], 8000);
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
		cmocka_unit_test_setup_teardown(test_tampered_cursors, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_the_hidden_leave_no_trace, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			test_cursors_of_earlier_data_are_refused, fixture_setup, fixture_teardown),
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
