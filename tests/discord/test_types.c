/* discord/types.h */
#include "test.h"

#include "discord/types.h"

static void snowflakes_tell_their_time(void **state)
{
	(void)state;
	/* the example of Discord's documentation, reference, "Snowflakes" */
	assert_int_equal(snowflake_time(175928847299117063), 1462015105796 * MILLISECOND);
	assert_int_equal(snowflake_at(1462015105796 * MILLISECOND), 175928847299117063 >> 22 << 22);
	assert_int_equal(snowflake_at(0), 0);
	assert_int_equal(snowflake_at(-DAY), 0);
}

static void timestamps_are_read(void **state)
{
	static const struct {
		const char *text;
		usec time;
	} cases[] = {
		{ "2015-04-26T06:26:56.936000+00:00", 1430029616936000 },
		{ "2015-04-26T06:26:56Z", 1430029616000000 },
		{ "2015-04-26T06:26:56+00:00", 1430029616000000 },
		{ "2015-04-26T08:26:56+02:00", 1430029616000000 },
		{ "2015-04-26T00:56:56.5-05:30", 1430029616500000 },
		{ "1970-01-01T00:00:00.000001Z", 1 },
		{ "2015-04-26T06:26:56.1234567Z", 1430029616123456 },
		{ NULL, 0 },
		{ "", 0 },
		{ "2015", 0 },
		{ "2015-04-26", 0 },
		{ "2015-13-26T06:26:56Z", 0 },
		{ "2015-00-26T06:26:56Z", 0 },
		{ "2015-04-32T06:26:56Z", 0 },
		{ "2015-04-26 06:26:56Z", 0 },
		{ "2015-04-26T24:26:56Z", 0 },
		{ "2015-04-26T06:60:56Z", 0 },
		{ "2015-04-26T06:26:61Z", 0 },
		{ "2015-04-26T06:26:56", 0 },
		{ "2015-04-26T06:26:56.Z", 0 },
		{ "2015-04-26T06:26:56Zulu", 0 },
		{ "2015-04-26T06:26:56+0200", 0 },
		{ "2015-04-26T06:26:56+24:00", 0 },
		{ "2015-04-26T06:26:56+02:60", 0 },
		{ "2015-04-26T06:26:56+02:00x", 0 },
		{ "2015/04-26T06:26:56Z", 0 },
		{ "2015-04/26T06:26:56Z", 0 },
		{ "2015-04-26T06.26:56Z", 0 },
		{ "2015-04-26T06:26.56Z", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (timestamp_parse(cases[i].text) != cases[i].time)
			fail_msg("%s: %lld", cases[i].text, (long long)timestamp_parse(cases[i].text));
}

static void a_whole_message_is_read(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	cJSON *json cleanup(json_freep) =
		test_json("{'id':'1','channel_id':'2','guild_id':'3','type':19,'content':'hé','webhook_id':null,"
			  "'author':{'id':'4','username':'ann','global_name':'Ann','avatar':'abc',"
			  "'discriminator':'0','bot':true},"
			  "'member':{'nick':'A','roles':['5','6'],'joined_at':'2015-04-26T06:26:56Z',"
			  "'pending':true,'avatar':null},"
			  "'mentions':[{'id':'7','username':'bob'},{'id':'8','username':'carl','member':{}}],"
			  "'message_reference':{'message_id':'9','channel_id':'2'},'unknown':[1,2,3]}");
	struct message message;

	(void)state;
	assert_int_equal(message_parse(json, &arena, &message), 0);
	assert_int_equal(message.id, 1);
	assert_int_equal(message.channel_id, 2);
	assert_int_equal(message.guild_id, 3);
	assert_int_equal(message.type, MESSAGE_REPLY);
	assert_string_equal(message.content, "hé");
	assert_int_equal(message.webhook_id, 0);
	assert_string_equal(message.author.global_name, "Ann");
	assert_true(message.author.bot);
	assert_true(message.has_member);
	assert_string_equal(message.member.nick, "A");
	assert_null(message.member.avatar);
	assert_true(message.member.pending);
	assert_int_equal(message.member.role_count, 2);
	assert_int_equal(message.member.roles[1], 6);
	assert_int_equal(message.member.joined_at, 1430029616000000);
	assert_int_equal(message.mention_count, 2);
	assert_string_equal(message.mentions[1].username, "carl");
	assert_int_equal(message.referenced_message_id, 9);
	assert_int_equal(message.referenced_channel_id, 2);
	assert_ptr_equal(message.json, json);
}

#define AUTHOR "'author':{'id':'4','username':'ann'}"

static void little_is_needed_but_that_must_be_right(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{ "{'id':'1','channel_id':'2'," AUTHOR "}", 0 },
		{ "{'id':'1','channel_id':'2'," AUTHOR ",'content':null,'type':'x','mentions':{}}", 0 },
		{ "{'channel_id':'2'," AUTHOR "}", -EBADMSG },
		{ "{'id':'1'," AUTHOR "}", -EBADMSG },
		{ "{'id':1,'channel_id':'2'," AUTHOR "}", -EBADMSG },
		{ "{'id':'-1','channel_id':'2'," AUTHOR "}", -EBADMSG },
		{ "{'id':'1','channel_id':'2'}", -EBADMSG },
		{ "{'id':'1','channel_id':'2','author':{'id':'4'}}", -EBADMSG },
		{ "{'id':'1','channel_id':'2'," AUTHOR ",'mentions':[{}]}", -EBADMSG },
		{ "{'id':'1','channel_id':'2'," AUTHOR ",'member':{'roles':['x']}}", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "null", -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct arena arena cleanup(arena_finish) = ARENA_INIT;
		cJSON *json cleanup(json_freep) = test_json(cases[i].text);
		struct message message;

		if (message_parse(json, &arena, &message) != cases[i].result)
			fail_msg("%s", cases[i].text);
		if (cases[i].result == 0)
			assert_string_equal(message.content, "");
	}
}

static void members_need_a_sound_user(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	cJSON *bad cleanup(json_freep) = test_json("{'user':{'id':'x'},'roles':[]}");
	cJSON *none cleanup(json_freep) = test_json("{'roles':[],'permissions':'1099511627775'}");
	cJSON *list cleanup(json_freep) = test_json("[]");
	struct member member;

	(void)state;
	assert_int_equal(member_parse(bad, &arena, &member), -EBADMSG);
	assert_int_equal(member_parse(list, &arena, &member), -EBADMSG);
	assert_int_equal(member_parse(NULL, &arena, &member), -EBADMSG);
	assert_int_equal(member_parse(none, &arena, &member), 0);
	assert_int_equal(member.user.id, 0);
	assert_int_equal(member.permissions, 1099511627775);
}

static void roles_and_channels_are_read(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	cJSON *role_json cleanup(json_freep) =
		test_json("{'id':'1','name':'r','color':3447003,'position':7,'permissions':'66321471',"
			  "'managed':true,'mentionable':true,'hoist':true}");
	cJSON *channel_json cleanup(json_freep) =
		test_json("{'id':'1','guild_id':'2','parent_id':'3','type':5,'name':'c','position':4,"
			  "'permission_overwrites':[{'id':'8','type':1,'allow':'1024','deny':'2048'},"
			  "{'id':'9','type':0,'allow':'x','deny':'-1'}]}");
	cJSON *nameless cleanup(json_freep) = test_json("{'id':'1'}");
	cJSON *huge cleanup(json_freep) = test_json("{'id':'1','name':'r','position':9007199254740991}");
	cJSON *bad cleanup(json_freep) = test_json("{'id':'1','type':0,'permission_overwrites':[{}]}");
	struct channel channel;
	struct role role;

	(void)state;
	assert_int_equal(role_parse(role_json, &role), 0);
	assert_int_equal(role.color, 3447003);
	assert_int_equal(role.position, 7);
	assert_int_equal(role.permissions, 66321471);
	assert_true(role.managed && role.mentionable && role.hoist);
	assert_int_equal(role_parse(nameless, &role), -EBADMSG);
	assert_int_equal(role_parse(huge, &role), 0);
	assert_int_equal(role.position, 0);
	assert_int_equal(channel_parse(channel_json, &arena, &channel), 0);
	assert_int_equal(channel.type, CHANNEL_GUILD_ANNOUNCEMENT);
	assert_int_equal(channel.parent_id, 3);
	assert_int_equal(channel.overwrite_count, 2);
	assert_int_equal(channel.overwrites[0].type, OVERWRITE_MEMBER);
	assert_int_equal(channel.overwrites[0].deny, 2048);
	assert_int_equal(channel.overwrites[1].allow, 0);
	assert_int_equal(channel.overwrites[1].deny, 0);
	assert_int_equal(channel_parse(nameless, &arena, &channel), -EBADMSG);
	assert_int_equal(channel_parse(bad, &arena, &channel), -EBADMSG);
}

static void reactions_are_read(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	cJSON *json cleanup(json_freep) =
		test_json("{'user_id':'1','channel_id':'2','message_id':'3','guild_id':'4',"
			  "'emoji':{'id':null,'name':'⏪'},'member':{'user':{'id':'1','username':'a'},'roles':[]}}");
	cJSON *custom cleanup(json_freep) = test_json(
		"{'user_id':'1','channel_id':'2','message_id':'3','emoji':{'id':'5','name':null,'animated':true}}");
	cJSON *none cleanup(json_freep) =
		test_json("{'user_id':'1','channel_id':'2','message_id':'3','emoji':{'id':null,'name':null}}");
	cJSON *bad cleanup(json_freep) = test_json(
		"{'user_id':'1','channel_id':'2','message_id':'3','emoji':{'name':'x'},'member':{'user':{}}}");
	struct reaction reaction;

	(void)state;
	assert_int_equal(reaction_parse(json, &arena, &reaction), 0);
	assert_string_equal(reaction.emoji.name, "⏪");
	assert_int_equal(reaction.member.user.id, 1);
	assert_int_equal(reaction_parse(custom, &arena, &reaction), 0);
	assert_int_equal(reaction.emoji.id, 5);
	assert_true(reaction.emoji.animated);
	assert_int_equal(reaction_parse(none, &arena, &reaction), -EBADMSG);
	assert_int_equal(reaction_parse(bad, &arena, &reaction), -EBADMSG);
}

static void interactions_are_read(void **state)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	cJSON *slash cleanup(json_freep) =
		test_json("{'id':'1','application_id':'2','type':2,'token':'t','guild_id':'3','channel_id':'4',"
			  "'app_permissions':'8',"
			  "'member':{'user':{'id':'5','username':'a'},'roles':['6'],'permissions':'16'},"
			  "'data':{'name':'rank','options':[{'name':'member','value':'5'}],'resolved':{'users':{}}}}");
	cJSON *button cleanup(json_freep) =
		test_json("{'id':'1','application_id':'2','type':3,'token':'t','channel_id':'4',"
			  "'user':{'id':'5','username':'a'},'data':{'custom_id':'next'},'message':{'id':'9'}}");
	cJSON *ping cleanup(json_freep) = test_json("{'id':'1','application_id':'2','type':1,'token':'t'}");
	static const char *const bad[] = {
		"{'application_id':'2','type':1,'token':'t'}",
		"{'id':'1','type':1,'token':'t'}",
		"{'id':'1','application_id':'2','type':1}",
		"{'id':'1','application_id':'2','token':'t'}",
		"{'id':'1','application_id':'2','type':2,'token':'t'}",
		"{'id':'1','application_id':'2','type':2,'token':'t','member':{'roles':[]}}",
		"{'id':'1','application_id':'2','type':2,'token':'t','member':{'roles':['']}}",
	};
	struct interaction interaction;

	(void)state;
	assert_int_equal(interaction_parse(slash, &arena, &interaction), 0);
	assert_int_equal(interaction.type, INTERACTION_APPLICATION_COMMAND);
	assert_int_equal(interaction.user.id, 5);
	assert_int_equal(interaction.member.permissions, 16);
	assert_int_equal(interaction.app_permissions, 8);
	assert_string_equal(interaction.command_name, "rank");
	assert_string_equal(json_string(interaction.options->child, "name"), "member");
	assert_non_null(interaction.resolved);
	assert_int_equal(interaction_parse(button, &arena, &interaction), 0);
	assert_string_equal(interaction.custom_id, "next");
	assert_int_equal(interaction.message_id, 9);
	assert_int_equal(interaction.guild_id, 0);
	assert_int_equal(interaction_parse(ping, &arena, &interaction), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cJSON *json cleanup(json_freep) = test_json(bad[i]);

		if (interaction_parse(json, &arena, &interaction) != -EBADMSG)
			fail_msg("%s", bad[i]);
	}
}

static void copies_outlive_the_event(void **state)
{
	struct arena parsed = ARENA_INIT, kept = ARENA_INIT;
	cJSON *json = test_json(
		"{'user':{'id':'1','username':'ann','global_name':null,'avatar':'h'},'nick':'N','roles':['2','3']}");
	struct member empty = { 0 };
	struct member member, *copy;

	(void)state;
	assert_int_equal(member_parse(json, &parsed, &member), 0);
	copy = member_copy(&kept, &member);
	cJSON_Delete(json);
	arena_finish(&parsed);
	assert_string_equal(copy->user.username, "ann");
	assert_null(copy->user.global_name);
	assert_string_equal(copy->nick, "N");
	assert_int_equal(copy->roles[1], 3);
	assert_int_equal(member_copy(&kept, &empty)->role_count, 0);
	arena_finish(&kept);
}

static void avatars_have_their_addresses(void **state)
{
	static const struct {
		snowflake guild;
		struct user user;
		const char *member_avatar, *expected;
	} cases[] = {
		{ 7, { .id = 1, .avatar = "abc" }, "a_def", "https://cdn/guilds/7/users/1/avatars/a_def.png" },
		{ 7, { .id = 1, .avatar = "abc" }, NULL, "https://cdn/avatars/1/abc.png" },
		{ 0, { .id = 1, .avatar = "abc" }, "def", "https://cdn/avatars/1/abc.png" },
		{ 7, { .id = 1, .avatar = "../x" }, "\"><script>", "https://cdn/embed/avatars/0.png" },
		{ 7, { .id = 1, .avatar = "" }, NULL, "https://cdn/embed/avatars/0.png" },
		{ 7, { .id = (snowflake)9 << 22 }, NULL, "https://cdn/embed/avatars/3.png" },
		{ 7, { .id = (snowflake)9 << 22, .discriminator = "0" }, NULL, "https://cdn/embed/avatars/3.png" },
		{ 7, { .id = (snowflake)9 << 22, .discriminator = "1337" }, NULL, "https://cdn/embed/avatars/2.png" },
		{ 7, { .id = (snowflake)9 << 22, .discriminator = "x" }, NULL, "https://cdn/embed/avatars/3.png" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct str url cleanup(str_finish) = STR_INIT;
		struct member member = { .avatar = cases[i].member_avatar };

		avatar_url(
			&url, "https://cdn", cases[i].guild, &cases[i].user, cases[i].member_avatar ? &member : NULL);
		assert_string_equal(url.buf, cases[i].expected);
	}
}

static void people_are_called_by_their_nearest_name(void **state)
{
	struct user user = { .username = "u", .global_name = "g" }, plain = { .username = "u" };
	struct member nick = { .nick = "n" }, none = { 0 };

	(void)state;
	assert_string_equal(display_name(&user, &nick), "n");
	assert_string_equal(display_name(&user, &none), "g");
	assert_string_equal(display_name(&user, NULL), "g");
	assert_string_equal(display_name(&plain, NULL), "u");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snowflakes_tell_their_time),
		cmocka_unit_test(timestamps_are_read),
		cmocka_unit_test(a_whole_message_is_read),
		cmocka_unit_test(little_is_needed_but_that_must_be_right),
		cmocka_unit_test(members_need_a_sound_user),
		cmocka_unit_test(roles_and_channels_are_read),
		cmocka_unit_test(reactions_are_read),
		cmocka_unit_test(interactions_are_read),
		cmocka_unit_test(copies_outlive_the_event),
		cmocka_unit_test(avatars_have_their_addresses),
		cmocka_unit_test(people_are_called_by_their_nearest_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
