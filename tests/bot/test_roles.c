/* bot/roles.h: configured roles become ids once, and only ids count. */
#include "test.h"

#include "cache.h"
#include "roles.h"

#define GUILD 1000000000000000001ULL

static struct cache *cache;

static int set_up(void **state)
{
	cJSON *guild = test_json(
		"{'id':'1000000000000000001','name':'SFU','roles':["
		"{'id':'1000000000000000001','name':'@everyone','permissions':'0'},"
		"{'id':'20','name':'Minions','permissions':'0'},{'id':'21','name':'Moderator','permissions':'0'},"
		"{'id':'22','name':'Twin','permissions':'0'},{'id':'23','name':'Twin','permissions':'0'}]}");

	(void)state;
	cache = cache_create(GUILD);
	cache_event(cache, "GUILD_CREATE", guild);
	cJSON_Delete(guild);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cache_destroy(cache);
	return 0;
}

static char nobody[] = "", minions[] = "Minions", moderator[] = "21", twin[] = "Twin", missing[] = "Nobody";

static struct settings settings(char *bot_manager)
{
	return (struct settings){ .role_bot_manager = bot_manager,
		.role_minions = minions,
		.role_moderator = moderator,
		.role_muted = nobody,
		.role_execs = missing };
}

static void names_and_ids_are_resolved(void **state)
{
	struct settings configured = settings(twin);
	struct roles roles = { 0 };

	(void)state;
	roles_resolve(&roles, &configured, cache);
	assert_true(roles.resolved);
	assert_int_equal(roles.minions, 20);
	assert_int_equal(roles.moderator, 21);
	assert_int_equal(roles.muted, 0);
	assert_int_equal(roles.execs, 0);
	/* two roles have this name: nobody has the right */
	assert_int_equal(roles.bot_manager, 0);
}

static void they_are_resolved_once(void **state)
{
	struct settings configured = settings(nobody);
	struct roles roles = { 0 };
	cJSON *renamed =
		test_json("{'guild_id':'1000000000000000001','role':{'id':'20','name':'Old','permissions':'0'}}");
	cJSON *second =
		test_json("{'guild_id':'1000000000000000001','role':{'id':'30','name':'Minions','permissions':'0'}}");

	(void)state;
	roles_resolve(&roles, &configured, cache);
	cache_event(cache, "GUILD_ROLE_UPDATE", renamed);
	cache_event(cache, "GUILD_ROLE_CREATE", second);
	roles_resolve(&roles, &configured, cache);
	assert_int_equal(roles.minions, 20);
	cJSON_Delete(renamed);
	cJSON_Delete(second);
}

static void rights_follow_from_the_ids_held(void **state)
{
	const struct roles roles = { .bot_manager = 10, .minions = 20, .moderator = 21, .resolved = true };
	static const struct {
		snowflake held;
		enum command_who who;
		bool may;
	} cases[] = {
		{ 99, ANYONE, true },
		{ 99, MODERATORS, false },
		{ 20, MODERATORS, true },
		{ 21, MODERATORS, true },
		{ 10, MODERATORS, false },
		{ 21, MINIONS, false },
		{ 20, MINIONS, true },
		{ 10, BOT_MANAGERS, true },
		{ 20, BOT_MANAGERS, false },
		{ 10, STAFF, true },
		{ 21, STAFF, true },
		{ 99, STAFF, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (roles_may(&roles, cases[i].who, &cases[i].held, 1) != cases[i].may)
			fail_msg("case %zu", i);
	assert_false(roles_may(&roles, MODERATORS, NULL, 0));
}

/* A role that is not configured is nobody's, also not of somebody whose list holds a 0. */
static void an_unknown_role_gives_no_rights(void **state)
{
	const struct roles roles = { .resolved = true };
	const snowflake held[] = { 0, 1 };

	(void)state;
	for (int who = MODERATORS; who <= STAFF; who++)
		assert_false(roles_may(&roles, (enum command_who)who, held, ARRAY_SIZE(held)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static void rights_are_not_to_be_earned(void **state)
{
	static const uint64_t powers[] = { PERMISSION_ADMINISTRATOR, PERMISSION_MODERATE_MEMBERS,
		PERMISSION_MUTE_MEMBERS, PERMISSION_DEAFEN_MEMBERS, PERMISSION_MOVE_MEMBERS,
		PERMISSION_MANAGE_EXPRESSIONS, PERMISSION_MANAGE_EVENTS };
	struct settings configured = settings(nobody);
	struct roles roles = { 0 };
	struct cached_role role = { .id = 50, .permissions = PERMISSION_ATTACH_FILES };

	(void)state;
	roles_resolve(&roles, &configured, cache);
	assert_true(roles_may_be_earned(&roles, &role));
	assert_false(roles_may_be_earned(&roles, cache_role(cache, 20)));
	assert_false(roles_may_be_earned(&roles, cache_role(cache, 21)));
	for (size_t i = 0; i < ARRAY_SIZE(powers); i++) {
		role.permissions = PERMISSION_ATTACH_FILES | powers[i];
		if (roles_may_be_earned(&roles, &role))
			fail_msg("permission %zu may be earned", i);
	}
	role = (struct cached_role){ .id = 50, .managed = true };
	assert_false(roles_may_be_earned(&roles, &role));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_and_ids_are_resolved),
		TEST(they_are_resolved_once),
		TEST(rights_follow_from_the_ids_held),
		TEST(an_unknown_role_gives_no_rights),
		TEST(rights_are_not_to_be_earned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
