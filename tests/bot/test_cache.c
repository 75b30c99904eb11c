/* bot/cache.h: the guild from events, and permissions. */
#include "test.h"

#include "cache.h"

#define GUILD 1000000000000000001ULL

static struct cache *cache;

static void event(const char *name, const char *text)
{
	cJSON *json = test_json(text);

	cache_event(cache, name, json);
	cJSON_Delete(json);
}

static const char guild_create[] =
	"{'id':'1000000000000000001','name':'SFU','owner_id':'10','roles':["
	"{'id':'1000000000000000001','name':'@everyone','permissions':'1024','position':0},"
	"{'id':'20','name':'Minions','permissions':'8192','position':3},"
	"{'id':'21','name':'Admin','permissions':'8','position':4},"
	"{'id':'22','name':'twin','permissions':'0','position':1},{'id':'23','name':'Twin','permissions':'0','position':1}],"
	"'channels':[{'id':'30','type':0,'name':'general','position':0},"
	"{'id':'31','type':0,'name':'secret','position':1,'permission_overwrites':["
	"{'id':'1000000000000000001','type':0,'allow':'0','deny':'1024'},{'id':'20','type':0,'allow':'1024','deny':'0'},"
	"{'id':'12','type':1,'allow':'1024','deny':'0'}]},"
	"{'id':'32','type':4,'name':'group','position':2}],"
	"'threads':[{'id':'33','type':11,'name':'thread','parent_id':'31'}],"
	"'members':[{'user':{'id':'10','username':'owner'},'roles':[]}]}";

static void add(const char *id, const char *username, const char *roles)
{
	struct str text cleanup(str_finish) = STR_INIT;

	str_printf(&text,
		"{'guild_id':'1000000000000000001','user':{'id':'%s','username':'%s','global_name':'The "
		"%s'},'roles':[%s]}",
		id, username, username, roles);
	event("GUILD_MEMBER_ADD", text.buf);
}

static int set_up(void **state)
{
	(void)state;
	cache = cache_create(GUILD);
	event("GUILD_CREATE", guild_create);
	add("11", "alice", "'20'");
	add("12", "bob", "");
	add("13", "carol", "'21'");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	cache_destroy(cache);
	return 0;
}

static void the_guild_is_known_after_guild_create(void **state)
{
	(void)state;
	assert_true(cache_has_guild(cache));
	assert_string_equal(cache_guild_name(cache), "SFU");
	assert_int_equal(cache_owner_id(cache), 10);
	assert_int_equal(cache_member_count(cache), 4);
	assert_string_equal(cache_channel(cache, 30)->name, "general");
	assert_string_equal(cached_member_name(cache_member(cache, 11)), "The alice");
}

static void events_of_other_guilds_change_nothing(void **state)
{
	(void)state;
	event("GUILD_MEMBER_REMOVE", "{'guild_id':'7','user':{'id':'11'}}");
	event("GUILD_ROLE_DELETE", "{'guild_id':'7','role_id':'20'}");
	event("GUILD_CREATE", "{'id':'7','name':'other','roles':[],'channels':[]}");
	assert_non_null(cache_member(cache, 11));
	assert_non_null(cache_role(cache, 20));
	assert_string_equal(cache_guild_name(cache), "SFU");
}

static void an_outage_forgets_nothing(void **state)
{
	(void)state;
	event("GUILD_DELETE", "{'id':'1000000000000000001','unavailable':true}");
	assert_false(cache_has_guild(cache));
	assert_int_equal(cache_member_count(cache), 4);
	event("GUILD_CREATE", guild_create);
	assert_true(cache_has_guild(cache));
	assert_int_equal(cache_member_count(cache), 4);
}

static void entries_follow_their_events(void **state)
{
	(void)state;
	event("GUILD_ROLE_UPDATE",
		"{'guild_id':'1000000000000000001','role':{'id':'20','name':'Helpers','permissions':'0'}}");
	assert_string_equal(cache_role(cache, 20)->name, "Helpers");
	event("GUILD_ROLE_DELETE", "{'guild_id':'1000000000000000001','role_id':'20'}");
	event("GUILD_ROLE_DELETE", "{'guild_id':'1000000000000000001','role_id':'20'}");
	assert_null(cache_role(cache, 20));
	event("CHANNEL_UPDATE", "{'guild_id':'1000000000000000001','id':'30','type':0,'name':'lobby'}");
	assert_string_equal(cache_channel(cache, 30)->name, "lobby");
	event("CHANNEL_DELETE", "{'guild_id':'1000000000000000001','id':'30','type':0}");
	assert_null(cache_channel(cache, 30));
	event("GUILD_MEMBER_UPDATE",
		"{'guild_id':'1000000000000000001','user':{'id':'12','username':'bob'},'nick':'Bobby','roles':['21']}");
	assert_string_equal(cached_member_name(cache_member(cache, 12)), "Bobby");
	assert_true(cached_member_has_role(cache_member(cache, 12), 21));
	event("GUILD_MEMBER_REMOVE", "{'guild_id':'1000000000000000001','user':{'id':'12'}}");
	assert_null(cache_member(cache, 12));
}

static void names_are_found_and_ambiguity_is_told(void **state)
{
	bool ambiguous = false;

	(void)state;
	assert_int_equal(cache_find_member(cache, "@ALICE", &ambiguous)->id, 11);
	assert_int_equal(cache_find_member(cache, "the bob", &ambiguous)->id, 12);
	assert_null(cache_find_member(cache, "nobody", &ambiguous));
	assert_false(ambiguous);
	/* a nickname hides the global name, by which he is found all the same; what is shown wins */
	event("GUILD_MEMBER_UPDATE",
		"{'guild_id':'1000000000000000001','user':{'id':'12','username':'bob','global_name':'The bob'},"
		"'nick':'The alice','roles':[]}");
	assert_int_equal(cache_find_member(cache, "The bob", &ambiguous)->id, 12);
	event("GUILD_MEMBER_UPDATE",
		"{'guild_id':'1000000000000000001','user':{'id':'11','username':'alice','global_name':'The alice'},"
		"'nick':'Al','roles':[]}");
	assert_int_equal(cache_find_member(cache, "The alice", &ambiguous)->id, 12);
	assert_false(ambiguous);
	/* without regard to case in any script; what folds to nothing is nobody */
	event("GUILD_MEMBER_UPDATE",
		"{'guild_id':'1000000000000000001','user':{'id':'11','username':'alice','global_name':null},"
		"'nick':'Алиса Große','roles':[]}");
	assert_int_equal(cache_find_member(cache, "АЛИСА GROSSE", &ambiguous)->id, 11);
	assert_null(cache_find_member(cache, "@", &ambiguous));
	assert_null(cache_find_member(cache, "\xe2\x80\x8b", &ambiguous));
	assert_false(ambiguous);
	assert_int_equal(cache_find_role(cache, "Twin", &ambiguous)->id, 23);
	assert_null(cache_find_role(cache, "TWIN", &ambiguous));
	assert_true(ambiguous);
	assert_null(cache_find_role(cache, "everyone", &ambiguous));
	assert_int_equal(cache_find_channel(cache, "#general", &ambiguous)->id, 30);
	assert_null(cache_find_channel(cache, "group", &ambiguous));
	/* a thread has the name that somebody gave it, perhaps a channel's */
	event("THREAD_CREATE",
		"{'guild_id':'1000000000000000001','id':'34','type':11,'name':'general','parent_id':'30'}");
	assert_int_equal(cache_find_channel(cache, "general", &ambiguous)->id, 30);
	assert_null(cache_find_channel(cache, "thread", &ambiguous));
	assert_non_null(cache_channel(cache, 34));
}

static void permissions_follow_discords_rules(void **state)
{
	const uint64_t view = PERMISSION_VIEW_CHANNEL, manage = PERMISSION_MANAGE_MESSAGES;

	(void)state;
	assert_true(cache_permissions(cache, cache_member(cache, 10), 31) == UINT64_MAX);
	assert_true(cache_permissions(cache, cache_member(cache, 13), 31) == UINT64_MAX);
	assert_true(cache_permissions(cache, cache_member(cache, 11), 0) == (view | manage));
	assert_true(cache_permissions(cache, cache_member(cache, 12), 30) == view);
	/* a role's overwrite, a member's, and a thread that has its parent's */
	assert_true(cache_permissions(cache, cache_member(cache, 11), 31) & view);
	assert_true(cache_permissions(cache, cache_member(cache, 12), 31) & view);
	assert_true(cache_permissions(cache, cache_member(cache, 11), 33) & view);
	add("14", "dave", "");
	assert_int_equal(cache_permissions(cache, cache_member(cache, 14), 31), 0);
	assert_int_equal(cache_permissions(cache, cache_member(cache, 14), 33), 0);
	assert_int_equal(cache_permissions(cache, cache_member(cache, 14), 99), 0);
}

static void chunk(const char *members)
{
	struct str text cleanup(str_finish) = STR_INIT;

	str_printf(&text, "{'guild_id':'1000000000000000001','members':[%s]}", members);
	event("GUILD_MEMBERS_CHUNK", text.buf);
}

static void a_member_list_replaces_what_was_known(void **state)
{
	(void)state;
	cache_members_begin(cache);
	chunk("{'user':{'id':'10','username':'owner'},'roles':[]},{'user':{'id':'11','username':'alice'},'roles':[]}");
	/* joins between two chunks */
	add("15", "erin", "");
	chunk("{'user':{'id':'16','username':'frank'},'roles':[]}");
	cache_members_end(cache);
	assert_non_null(cache_member(cache, 10));
	assert_non_null(cache_member(cache, 11));
	assert_null(cache_member(cache, 12));
	assert_non_null(cache_member(cache, 15));
	assert_non_null(cache_member(cache, 16));
	assert_int_equal(cache_member_count(cache), 4);
}

static void who_leaves_during_a_list_stays_gone(void **state)
{
	(void)state;
	cache_members_begin(cache);
	event("GUILD_MEMBER_REMOVE", "{'guild_id':'1000000000000000001','user':{'id':'11'}}");
	chunk("{'user':{'id':'11','username':'alice'},'roles':[]}");
	assert_null(cache_member(cache, 11));
	/* and is here again when he comes back */
	add("11", "alice", "");
	cache_members_end(cache);
	assert_non_null(cache_member(cache, 11));
}

static void replays_end_in_the_same_state(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		event("GUILD_ROLE_CREATE",
			"{'guild_id':'1000000000000000001','role':{'id':'40','name':'new','permissions':'0'}}");
		event("GUILD_ROLE_UPDATE",
			"{'guild_id':'1000000000000000001','role':{'id':'40','name':'newer','permissions':'0'}}");
		add("17", "grace", "'40'");
	}
	assert_string_equal(cache_role(cache, 40)->name, "newer");
	assert_int_equal(cache_member_count(cache), 5);
}

static void malformed_events_are_harmless(void **state)
{
	static const char *const names[] = { "GUILD_MEMBER_ADD", "GUILD_MEMBERS_CHUNK", "GUILD_ROLE_CREATE",
		"CHANNEL_CREATE", "GUILD_MEMBER_REMOVE", "GUILD_ROLE_DELETE", "THREAD_LIST_SYNC" };
	static const char *const bodies[] = { "{'guild_id':'1000000000000000001'}",
		"{'guild_id':'1000000000000000001','user':7,'members':{},'role':[]}",
		"{'guild_id':'1000000000000000001','user':{'id':'x'},'members':[1,null,{}],'role':{},'threads':[3]}",
		"[]", "null" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (size_t j = 0; j < ARRAY_SIZE(bodies); j++)
			event(names[i], bodies[j]);
	assert_int_equal(cache_member_count(cache), 4);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_guild_is_known_after_guild_create),
		TEST(events_of_other_guilds_change_nothing),
		TEST(an_outage_forgets_nothing),
		TEST(entries_follow_their_events),
		TEST(names_are_found_and_ambiguity_is_told),
		TEST(permissions_follow_discords_rules),
		TEST(a_member_list_replaces_what_was_known),
		TEST(who_leaves_during_a_list_stays_gone),
		TEST(replays_end_in_the_same_state),
		TEST(malformed_events_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
