/* The rules of the contract that clients of the old server rely on (leveling_api/contract.c). */
#include "support.h"

#include <stdio.h>

#define MEMBERS 60

static int setup(void **state)
{
	struct fixture *fixture;

	if (fixture_setup(state) < 0)
		return -1;
	fixture = *state;
	assert_int_equal(db_begin(fixture->db), 0);
	for (uint64_t i = 1; i <= MEMBERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "m%d", (int)i);
		/* Pairs of equal points: ties stand in the order of their rows. */
		put_member(fixture, 1000 + i, 10000 - (int64_t)(i / 2) * 100, NULL, NULL);
		put_profile(fixture, 1000 + i, name, NULL, NULL, true, (usec)i * SECOND);
	}
	assert_int_equal(db_commit(fixture->db), 0);
	return 0;
}

static void test_root(void **state)
{
	assert_string_equal(fetch(*state, "/", 200),
		"{\"user_points\":\"http://test/user_points/\",\"levels\":\"http://test/levels/\"}");
	assert_string_equal(fetch(*state, "/?x=1&format=json", 200),
		"{\"user_points\":\"http://test/user_points/?format=json\",\"levels\":\"http://test/levels/?format=json\"}");
	assert_string_equal(fetch(*state, "/.json", 200),
		"{\"user_points\":\"http://test/user_points.json\",\"levels\":\"http://test/levels.json\"}");
	fetch(*state, "/?format=xml", 404);
	fetch(*state, "/?format=xml&format=json", 200);
}

static void test_rows(void **state)
{
	struct fixture *fixture = *state;

	put_member(fixture, 1, INT64_MAX, NULL, NULL);
	put_profile(fixture, 1, "account", "a \"nick\"\n\xe2\x80\xa8 \\ \xf0\x9f\x98\x80 \x7f", "https://cdn/a?b=\"1\"",
		true, INT64_C(1751396400) * SECOND);
	put_member(fixture, 2, INT64_MAX - 1, NULL, NULL);
	put_profile(fixture, 2, "account", "", "", false, INT64_C(1751396400) * SECOND + 1);
	put_member(fixture, 3, 5000, NULL, NULL);
	assert_string_equal(fetch(fixture, "/user_points/?page_size=2", 200),
		"{\"links\":{\"next\":\"http://test/user_points/?page=2&page_size=2\",\"previous\":null},\"count\":63,"
		"\"total_number_of_pages\":32,\"results\":["
		"{\"name\":\"a \\\"nick\\\"\\n\\u2028 \\\\ \xf0\x9f\x98\x80 \x7f\",\"avatar\":\"https://cdn/a?b=\\\"1\\\"\","
		"\"points\":9223372036854775807,\"level_number\":100,\"message_count\":461168601842738790,"
		"\"level_up_specific_points\":9223372036852876557,\"points_needed_to_level_up\":55100,"
		"\"last_updated_date\":\"2025-07-01T19:00:00Z\"},"
		"{\"name\":\"\",\"avatar\":\"\",\"points\":9223372036854775806,\"level_number\":100,"
		"\"message_count\":461168601842738790,\"level_up_specific_points\":9223372036852876556,"
		"\"points_needed_to_level_up\":55100,\"last_updated_date\":\"2025-07-01T19:00:00.000001Z\"}]}");
	assert_contains(fetch(fixture, "/user_points/?page_size=1000", 200),
		"{\"name\":null,\"avatar\":null,\"points\":5000,\"level_number\":10,\"message_count\":250,"
		"\"level_up_specific_points\":325,\"points_needed_to_level_up\":1100,\"last_updated_date\":null}]}");
	hide_member(fixture, 1, true);
	assert_contains(fetch(fixture, "/user_points/?page_size=1", 200), "\"count\":62,");
	assert_lacks(fixture->answer.body.buf, "nick");
	/* Before all years that a date can say. */
	put_profile(fixture, 3, "old", NULL, NULL, true, INT64_C(-62300000000) * SECOND);
	assert_contains(fetch(fixture, "/user_points/?page_size=1000", 200), "\"last_updated_date\":\"0000-");
}

/* The points decide what is needed for the next level, not the level that is stored. */
static void test_needed_follows_from_points(void **state)
{
	struct fixture *fixture = *state;
	struct member_xp xp = { .user_id = 1, .points = 50000, .level_number = 3, .level_points = 49999 };

	assert_int_equal(member_xp_put(fixture->db, &xp), 0);
	assert_contains(fetch(fixture, "/user_points/?page_size=1", 200),
		"\"level_number\":3,\"message_count\":0,\"level_up_specific_points\":49999,\"points_needed_to_level_up\":4780,");
}

static void test_pages(void **state)
{
	static const struct {
		const char *target;
		int status;
		const char *part;
	} cases[] = {
		{ "/user_points/", 200,
			"{\"next\":\"http://test/user_points/?page=2\",\"previous\":null},\"count\":60,\"total_number_of_pages\":3," },
		{ "/user_points/?page=2", 200,
			"{\"next\":\"http://test/user_points/?page=3\",\"previous\":\"http://test/user_points/\"}" },
		{ "/user_points/?page=last", 200, "{\"next\":null,\"previous\":\"http://test/user_points/?page=2\"}" },
		{ "/user_points/?page=1&page=3", 200,
			"{\"next\":null,\"previous\":\"http://test/user_points/?page=2\"}" },
		{ "/user_points.json?page=2", 200,
			"\"http://test/user_points.json?page=3\",\"previous\":\"http://test/user_points.json\"" },
		{ "/user_points.json/?page=2", 200, "\"http://test/user_points.json/?page=3\"" },
		{ "/user_points/?page_size=7&page=9", 200,
			"{\"next\":null,\"previous\":\"http://test/user_points/?page=8&page_size=7\"}" },
		{ "/user_points/?page_size=5%20", 200, "page=2&page_size=5+\"" },
		{ "/user_points/?page_size=0", 200, "\"total_number_of_pages\":3," },
		{ "/user_points/?page_size=-5", 200, "\"total_number_of_pages\":3," },
		{ "/user_points/?page_size=", 200, "\"total_number_of_pages\":3," },
		{ "/user_points/?page_size=99999999999999999999", 200, "\"total_number_of_pages\":1," },
		{ "/user_points/?page_size=-99999999999999999999", 200, "\"total_number_of_pages\":3," },
		{ "/user_points/?page=4", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/user_points/?page=0", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/user_points/?page=", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/user_points/?page=LAST", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/user_points/?page=99999999999999999999", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/user_points/?page=1%00", 404, "{\"detail\":\"Invalid page.\"}" },
		{ "/%75ser_points/", 200, "\"http://test/user_points/?page=2\"" },
		{ "/user_points/x", 404, "{\"detail\":\"Not found.\"}" },
		{ "/user_pointsx/", 404, "{\"detail\":\"Not found.\"}" },
		{ "/user_points.JSON", 404, "{\"detail\":\"Not found.\"}" },
		{ "/user_points.xml", 404, "{\"detail\":\"Not found.\"}" },
		{ "/levels/?page=5", 200,
			"{\"links\":{\"next\":null,\"previous\":\"http://test/levels/?page=4\"},\"count\":101,\"total_number_of_pages\":5,\"results\":[{\"id\":1,\"number\":0,\"total_points_required\":0,\"role_name\":\"Hello World\"}]}" },
		{ "/levels/?page_size=1", 200,
			"[{\"id\":101,\"number\":100,\"total_points_required\":1899250,\"role_name\":null}]" },
		{ "/levels/6/", 200,
			"{\"id\":6,\"number\":5,\"total_points_required\":1150,\"role_name\":\"Missing Semicolon\"}" },
		{ "/levels/6.json", 200, "{\"id\":6," },
		{ "/levels/%D9%A1/", 200, "{\"id\":1," },
		{ "/levels/1_0/", 200, "{\"id\":10," },
		{ "/levels/102/", 404, "{\"detail\":\"Not found.\"}" },
		{ "/levels/1.5/", 404, "{\"detail\":\"Not found.\"}" },
		{ "/levels/99999999999999999999/", 404, "{\"detail\":\"Not found.\"}" },
		{ "/levels/%00/", 404, "{\"detail\":\"Not found.\"}" },
		{ "/levels/1/2/", 404, "{\"detail\":\"Not found.\"}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *body = fetch(*state, cases[i].target, cases[i].status);

		if (!strstr(body, cases[i].part))
			fail_msg("%s: %s", cases[i].target, body);
	}
}

/* Going through all pages meets everybody once, in order. */
static void test_pages_are_complete(void **state)
{
	struct fixture *fixture = *state;
	struct str seen cleanup(str_finish) = STR_INIT;
	struct str expected cleanup(str_finish) = STR_INIT;

	for (int page = 1; page <= 9; page++) {
		char target[64];

		snprintf(target, sizeof(target), "/user_points/?page_size=7&page=%d", page);
		for (const char *p = fetch(fixture, target, 200); (p = strstr(p, "{\"name\":\"")); p++)
			str_printf(&seen, "%.*s ", (int)strcspn(p + 9, "\""), p + 9);
	}
	for (int i = 1; i <= MEMBERS; i++)
		str_printf(&expected, "m%d ", i);
	assert_string_equal(seen.buf, expected.buf);
}

static void test_empty_tables_have_one_empty_page(void **state)
{
	const char *empty =
		"{\"links\":{\"next\":null,\"previous\":null},\"count\":0,\"total_number_of_pages\":1,\"results\":[]}";

	assert_string_equal(fetch(*state, "/user_points/", 200), empty);
	assert_string_equal(fetch(*state, "/user_points/?page=last", 200), empty);
	fetch(*state, "/user_points/?page=2", 404);
}

static void test_filters(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *query;
		int count; /* -1: 400 */
	} cases[] = {
		{ "", 62 },
		{ "gte=", 62 },
		{ "isnull=unknown", 62 },
		{ "gte=&isnull=Unknown", 62 },
		{ "gte=not_specified", 62 },
		{ "gte=&isnull=true", 2 },
		{ "gte=&isnull=TRUE", 2 },
		{ "gte=&isnull=false", 60 },
		{ "gte=&isnull=", 60 },
		{ "gte=&isnull=nonsense", 60 },
		{ "isnull=un%E2%84%AAnown", 62 },   /* a Kelvin sign, whose small letter is a k */
		{ "gte=51&isnull=fal%C5%BFe", 12 }, /* a long s, which is small already */
		{ "gte=51&isnull=%EF%BD%86alse", 12 },
		{ "gte=51&isnull=unknown", 10 },
		{ "gte=51", 12 },
		{ "gte=51&isnull=true", 12 },
		{ "gte=51&isnull=", 12 },
		{ "gte=51&isnull=x", 12 },
		{ "gte=%D9%A5%D9%A1", 12 },
		{ "gte=0&isnull=unknown", 60 },
		{ "gte=61&isnull=unknown", 0 },
		{ "gte=253402300799", 2 },
		{ "gte=253402300800", 2 }, /* milliseconds: 1978 */
		{ "gte=1&gte=51&isnull=unknown", 10 },
		{ "gte=51&isnull=false", -1 },
		{ "isnull=true", -1 },
		{ "isnull=false", -1 },
		{ "isnull=", -1 },
		{ "gte=x", -1 },
		{ "gte=-1", -1 },
		{ "gte=%2B1", -1 },
		{ "gte=1%20", -1 },
		{ "gte=1.5", -1 },
		{ "gte=%C2%B9", -1 },
		{ "gte=99999999999999999999", -1 },
		{ "gte=253402300800000", -1 },
	};

	put_member(fixture, 1, 1, NULL, NULL);
	put_member(fixture, 2, 2, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str target cleanup(str_finish) = STR_INIT;
		char count[32];
		const char *body;

		str_adds(&target, "/user_points/?");
		for (const char *p = cases[i].query; *p; p++) {
			if ((p == cases[i].query || p[-1] == '&') && (*p == 'g' || *p == 'i'))
				str_adds(&target, "last_updated_date__");
			str_addc(&target, *p);
		}
		body = fetch(fixture, target.buf, cases[i].count < 0 ? 400 : 200);
		snprintf(count, sizeof(count), "\"count\":%d,", cases[i].count);
		if (!strstr(body, cases[i].count < 0 ? "{\"last_updated_date__isnull\":[\"" : count))
			fail_msg("%s: %s", cases[i].query, body);
	}
	assert_string_equal(fetch(fixture, "/user_points/?last_updated_date__isnull=true", 400),
		"{\"last_updated_date__isnull\":[\"invalid epoch of not_specified detected\"]}");
	assert_string_equal(
		fetch(fixture, "/user_points/?last_updated_date__gte=1751396400&last_updated_date__isnull=false", 400),
		"{\"last_updated_date__isnull\":[\"invalid condition of last_updated_date__isnull=False || "
		"last_updated_date__gte>2025-07-01 12:00:00-07:00 detected\"]}");
	assert_string_equal(
		fetch(fixture, "/user_points/?last_updated_date__gte=1735689600123&last_updated_date__isnull=false",
			400),
		"{\"last_updated_date__isnull\":[\"invalid condition of last_updated_date__isnull=False || "
		"last_updated_date__gte>2024-12-31 16:00:00.123000-08:00 detected\"]}");
	assert_contains(
		fetch(fixture, "/user_points/?last_updated_date__gte=2540000000&last_updated_date__isnull=false", 400),
		">2050-06-27 19:33:20-08:00 detected");
	assert_string_equal(fetch(fixture, "/user_points/?last_updated_date__gte=51%00", 400),
		"{\"last_updated_date__isnull\":[\"invalid epoch of 51\\u0000 detected\"]}");
	fetch(fixture, "/user_points/?last_updated_date__gte=not_specified%00", 400);
	/* A filter's refusal comes before a page's. */
	fetch(fixture, "/user_points/?last_updated_date__gte=x&page=99", 400);
	/* Pages of a filtered list keep the order by points. */
	assert_contains(
		fetch(fixture,
			"/user_points/?last_updated_date__gte=51&last_updated_date__isnull=unknown&page_size=3&page=2",
			200),
		"\"results\":[{\"name\":\"m54\"");
}

static void test_methods_and_formats(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(fetch_with(fixture, "POST", "/user_points/", "*/*", 405),
		"{\"detail\":\"Method \\\"POST\\\" not allowed.\"}");
	assert_string_equal(fixture->answer.allow, "GET, HEAD, OPTIONS");
	fetch_with(fixture, "DELETE", "/levels/1/", "*/*", 405);
	fetch_with(fixture, "FOO", "/", "*/*", 405);
	fetch_with(fixture, "POST", "/nowhere", "*/*", 404);
	fetch_with(fixture, "POST", "/?format=xml", "*/*", 404);
	assert_string_equal(fetch_with(fixture, "OPTIONS", "/user_points/", "*/*", 200),
		"{\"name\":\"User Point List\",\"description\":\"\",\"renders\":[\"application/json\",\"text/html\"],\"parses\":"
		"[\"application/json\",\"application/x-www-form-urlencoded\",\"multipart/form-data\"]}");
	fetch_with(fixture, "GET", "/levels/", "application/xml", 406);
	assert_string_equal(fixture->answer.type, "application/json");
	fetch_with(fixture, "GET", "/levels/?format=json", "text/html", 406);
	assert_contains(fetch_with(fixture, "GET", "/user_points/?page=<b>", "text/html", 404), "<!DOCTYPE html>");
	assert_lacks(fixture->answer.body.buf, "<b>");
	fetch_with(fixture, "GET", "/user_points", "*/*", 301);
	assert_string_equal(fixture->answer.location, "/user_points/");
	assert_string_equal(fixture->answer.type, "text/html; charset=utf-8");
	assert_int_equal(fixture->answer.body.len, 0);
	fetch_with(fixture, "POST", "/user_points", "*/*", 405);
}

/* The path is decoded and encoded anew, the query stays as it was sent but for what no address may hold. */
static void test_redirects(void **state)
{
	struct str target cleanup(str_finish) = STR_INIT;
	struct fixture *fixture = *state;
	static const struct {
		const char *target, *location;
	} cases[] = {
		{ "/levels/1?format=json&x=%20", "/levels/1/?format=json&x=%20" },
		{ "/levels/1?", "/levels/1/" },
		{ "/levels/1??", "/levels/1/??" },
		{ "//user_points", "/user_points/" },
		{ "/user%5Fpoints?a=%5f", "/user_points/?a=%5f" },
		{ "/levels/a%2Bb+@:,$&!*'()~", "/levels/a+b+@:,$&!*'()~/" },
		{ "/levels/a;b=[c]^|\\", "/levels/a%3Bb%3D%5Bc%5D%5E%7C%5C/" },
		{ "/levels/%20%00%23%3F%C3%A9\xc3\xa9", "/levels/%20%00%23%3F%C3%A9%C3%A9/" },
		{ "/levels/50%", "/levels/50%25/" },
		{ "/levels/%E9\xff", "/levels/%25E9%25FF/" },
		{ "/levels/1?[]:;$,!'()*~/@?&&=%zz", "/levels/1/?[]:;$,!'()*~/@?&&=%zz" },
		{ "/levels/1?^|\\<>\"{}`", "/levels/1/?%5E%7C%5C%3C%3E%22%7B%7D%60" },
		{ "/levels/1?\xc3\xa9", "/levels/1/?%C3%83%C2%A9" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fetch_with(fixture, "GET", cases[i].target, "*/*", 301);
		assert_string_equal(fixture->answer.location, cases[i].location);
	}
	str_adds(&target, "/levels/1?");
	for (int i = 0; i < 1400; i++)
		str_addc(&target, '^');
	fetch_with(fixture, "GET", target.buf, "*/*", 414);
}

/* What is committed shows in the next answer, the order moves with it. */
static void test_fresh(void **state)
{
	struct fixture *fixture = *state;

	assert_contains(fetch(fixture, "/user_points/?page_size=1", 200), "\"m1\"");
	put_member(fixture, 1030, 100000, NULL, NULL);
	assert_contains(fetch(fixture, "/user_points/?page_size=1", 200), "\"m30\"");
	put_profile(fixture, 1030, "renamed", NULL, NULL, true, SECOND);
	assert_contains(fetch(fixture, "/user_points/?page_size=1", 200), "\"renamed\"");
	assert_int_equal(level_set_role(fixture->db, 3, 5, "A role"), 0);
	assert_contains(fetch(fixture, "/levels/4/", 200), "\"A role\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_root, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_needed_follows_from_points, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_pages_are_complete, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_empty_tables_have_one_empty_page, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_filters, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_methods_and_formats, setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_redirects, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(test_fresh, setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
