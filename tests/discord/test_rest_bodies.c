/* Every endpoint of discord/rest.h once, with all that can be given. Bodies are compared here; where Discord's
 * OpenAPI document lies beside the project, its checker reads the whole list of calls too.
 */
#include "rest_world.h"

#include <sys/stat.h>
#include <unistd.h>

#define CHECKER "../shared/tools/rest_lint.py"
/* Good enough for every reader. */
#define ANSWER                                                                                     \
	"{\"id\":\"1\",\"channel_id\":\"2\",\"username\":\"u\",\"name\":\"n\","                    \
	"\"author\":{\"id\":\"9\",\"username\":\"w\"},\"user\":{\"id\":\"9\",\"username\":\"w\"}," \
	"\"url\":\"wss://gateway.example\",\"session_start_limit\":{\"total\":1000,"               \
	"\"remaining\":999,\"reset_after\":14400000,\"max_concurrency\":1}}"

static const struct reply script[] = { { .status = 200, .body = ANSWER } };
static const struct interaction interaction = { .id = 40, .application_id = 41, .token = "interaction-token" };

static const struct embed_field fields[] = { { "name", "value", false }, { "block", "value", true } };
static const struct embed embeds[] = { {
	.title = "title",
	.description = "a \"description\"\nof two lines",
	.url = "https://example.org/",
	.author_name = "author",
	.author_icon_url = "https://example.org/a.png",
	.thumbnail_url = "https://example.org/t.png",
	.image_url = "https://example.org/i.png",
	.footer = "footer",
	.footer_icon_url = "https://example.org/f.png",
	.timestamp = 1430029616936000,
	.fields = fields,
	.field_count = 2,
} };
static const struct button buttons[] = {
	{ .custom_id = "first", .emoji = "⏪", .style = BUTTON_PRIMARY },
	{ .custom_id = "next", .label = "Next", .style = BUTTON_SECONDARY, .disabled = true },
};
static const struct file files[] = { { .name = "chart.png", .content_type = "image/png", .data = "PNG", .len = 3 } };
static const snowflake users[] = { 11, 12, 11 }, roles[] = { 13 };

static const struct message_create everything = {
	.content = "hello",
	.embeds = embeds,
	.embed_count = 1,
	.buttons = buttons,
	.button_count = 2,
	.reply_to = 77,
	.mention_reply = true,
	.mention_users = users,
	.mention_user_count = 3,
	.mention_roles = roles,
	.mention_role_count = 1,
	.nonce = "n1",
};

static int all_calls(struct rest *rest, void *arg)
{
	static const char commands[] = "[{\"name\":\"rank\",\"description\":\"Shows the rank\",\"type\":1}]";
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct emoji glyph = { .name = "✅" }, custom = { .id = 313248902021120000, .name = "F_Eggplant" };
	struct message_create with_file = everything, ephemeral = everything,
			      cleared = { .content = "x", .clear_buttons = true };
	struct message *messages;
	struct message message;
	struct gateway_bot gateway;
	struct member member;
	struct user user;
	snowflake id, *ids;
	size_t count;
	cJSON *json;
	int r;

	(void)arg;
	with_file.files = files;
	with_file.file_count = 1;
	ephemeral.ephemeral = true;
	ephemeral.nonce = NULL;
	ephemeral.reply_to = 0;
	assert_int_equal(rest_create_message(rest, 5, &everything, &id), 0);
	assert_int_equal(rest_create_message(rest, 5, &with_file, NULL), 0);
	assert_int_equal(rest_create_message(rest, 5, &(struct message_create){ .content = "plain" }, NULL), 0);
	assert_int_equal(rest_edit_message(rest, 5, 77, &everything), 0);
	assert_int_equal(rest_edit_message(rest, 5, 77, &cleared), 0);
	assert_int_equal(rest_delete_message(rest, 5, 77, "a reason"), 0);
	assert_int_equal(rest_bulk_delete_messages(rest, 5, users, 2, NULL), 0);
	assert_int_equal(rest_get_message(rest, 5, 77, &arena, &message), 0);
	assert_int_equal(rest_get_messages(rest, 5, 0, 60, 0, &arena, &messages, &count), -EBADMSG);
	assert_int_equal(rest_create_reaction(rest, 5, 77, &glyph), 0);
	assert_int_equal(rest_create_reaction(rest, 5, 77, &custom), 0);
	assert_int_equal(rest_delete_reaction(rest, 5, 77, &glyph, 0), 0);
	assert_int_equal(rest_delete_reaction(rest, 5, 77, &custom, 11), 0);
	assert_int_equal(rest_delete_all_reactions(rest, 5, 77), 0);
	assert_int_equal(rest_create_dm(rest, 11, &id), 0);
	assert_int_equal(rest_interaction_reply(rest, &interaction, &ephemeral), 0);
	assert_int_equal(rest_interaction_defer(rest, &interaction, false), 0);
	assert_int_equal(rest_interaction_defer(rest, &interaction, true), 0);
	assert_int_equal(rest_interaction_defer_update(rest, &interaction), 0);
	assert_int_equal(rest_interaction_update(rest, &interaction, &cleared), 0);
	assert_int_equal(rest_interaction_autocomplete(
				 rest, &interaction, (const struct choice[]){ { "five", "5" }, { "six", "6" } }, 2),
		0);
	assert_int_equal(rest_interaction_autocomplete(rest, &interaction, NULL, 0), 0);
	assert_int_equal(rest_interaction_edit_original(rest, &interaction, &ephemeral), 0);
	assert_int_equal(rest_interaction_get_original(rest, &interaction, &id), 0);
	assert_int_equal(rest_interaction_delete_original(rest, &interaction), 0);
	assert_int_equal(rest_interaction_follow_up(rest, &interaction, &ephemeral, &id), 0);
	assert_int_equal(rest_get_guild(rest, 3, &json), 0);
	cJSON_Delete(json);
	assert_int_equal(rest_get_channels(rest, 3, &json), 0);
	cJSON_Delete(json);
	assert_int_equal(rest_get_active_threads(rest, 3, &json), 0);
	cJSON_Delete(json);
	assert_int_equal(rest_get_thread_members(rest, 5, &arena, &ids, &count), -EBADMSG);
	assert_int_equal(rest_get_current_user_guilds(rest, &json), 0);
	cJSON_Delete(json);
	assert_int_equal(rest_get_current_user(rest, &arena, &user), 0);
	assert_string_equal(user.username, "u");
	assert_int_equal(rest_get_member(rest, 3, 9, &arena, &member), 0);
	assert_int_equal(member.user.id, 9);
	assert_int_equal(rest_get_user(rest, 11, &arena, &user), 0);
	assert_int_equal(rest_add_member_role(rest, 3, 11, 13, "level 5"), 0);
	assert_int_equal(rest_remove_member_role(rest, 3, 11, 13, NULL), 0);
	assert_int_equal(rest_modify_role_name(rest, 3, 13, "new name", ""), 0);
	assert_int_equal(
		rest_create_channel(rest, 3,
			&(struct channel_create){ .name = "general", .type = CHANNEL_GUILD_TEXT, .parent_id = 8 }, NULL,
			&id),
		0);
	assert_int_equal(rest_overwrite_guild_commands(rest, 41, 3, commands, strlen(commands)), 0);
	r = rest_get_guild_commands(rest, 41, 3, &json);
	assert_int_equal(r, -EBADMSG); /* no array */
	assert_int_equal(rest_get_current_application(rest, &json), 0);
	cJSON_Delete(json);
	assert_int_equal(rest_get_gateway_bot(rest, &arena, &gateway), 0);
	assert_string_equal(gateway.url, "wss://gateway.example");
	assert_int_equal(gateway.remaining, 999);
	assert_int_equal(gateway.reset_after, 4 * HOUR);
	return 0;
}

/* The JSON of a call; of a multipart body its payload_json. Moves the end there. */
static const char *json_of(struct asked *asked)
{
	char *begin, *end;

	if (!asked->content_type || strncmp(asked->content_type, "multipart/", 10) != 0)
		return asked->body;
	begin = strstr(strstr(asked->body, "name=\"payload_json\""), "\r\n\r\n") + 4;
	end = strstr(begin, "\r\n--");
	*end = '\0';
	return begin;
}

static void check_with_openapi(struct world *w)
{
	char *directory cleanup(freep) =
		xasprintf("%s/walle-test-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	char *path cleanup(freep) = NULL, *command cleanup(freep) = NULL;
	FILE *file;
	int status;

	if (access(CHECKER, R_OK) < 0 || system("python3 -c 'import jsonschema' 2>/dev/null") != 0) {
		print_message("the OpenAPI checker is not here: skipped\n");
		return;
	}
	assert_non_null(mkdtemp(directory));
	path = xasprintf("%s/calls.jsonl", directory);
	file = fopen(path, "w");
	assert_non_null(file);
	for (size_t i = 0; i < w->count; i++) {
		struct str line cleanup(str_finish) = STR_INIT;
		struct json_writer json = JSON_WRITER(&line);
		const char *body = json_of(&w->asked[i]);

		json_begin_object(&json);
		json_put_string(&json, "method", w->asked[i].method);
		json_put_string(&json, "path", w->asked[i].path + strlen("/api/v10"));
		json_put_string(&json, "query", w->asked[i].query);
		json_put_string(&json, "user_agent", w->asked[i].user_agent);
		if (*body != '\0') {
			json_key(&json, "body");
			json_write_raw(&json, body, strlen(body));
			json_put_string(&json, "content_type", w->asked[i].content_type);
		}
		json_end_object(&json);
		fprintf(file, "%s\n", line.buf);
	}
	fclose(file);
	command = xasprintf("python3 " CHECKER " '%s'", path);
	status = system(command);
	unlink(path);
	rmdir(directory);
	assert_int_equal(status, 0);
}

static void every_call_is_one_that_discord_takes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, script, ARRAY_SIZE(script));
	assert_int_equal(world_run(&w, all_calls, NULL, NULL), 0);
	assert_int_equal(w.count, 42);
	check_with_openapi(&w);
	world_close(&w);
}

static int message_of(struct rest *rest, void *arg)
{
	return rest_create_message(rest, 5, arg, NULL);
}

static void a_message_has_all_its_parts(void **state)
{
	struct message_create message = everything;
	struct world w;

	(void)state;
	message.embed_count = 0;
	world_open(&w, script, ARRAY_SIZE(script));
	assert_int_equal(world_run(&w, message_of, &message, NULL), 0);
	assert_string_equal(w.asked[0].body,
		"{\"content\":\"hello\",\"components\":[{\"type\":1,\"components\":["
		"{\"type\":2,\"style\":1,\"custom_id\":\"first\",\"emoji\":{\"name\":\"⏪\"}},"
		"{\"type\":2,\"style\":2,\"custom_id\":\"next\",\"label\":\"Next\",\"disabled\":true}]}],"
		"\"allowed_mentions\":{\"parse\":[],\"users\":[\"11\",\"12\"],\"roles\":[\"13\"],"
		"\"replied_user\":true},"
		"\"message_reference\":{\"message_id\":\"77\",\"fail_if_not_exists\":false},"
		"\"nonce\":\"n1\",\"enforce_nonce\":true}");
	world_close(&w);
}

static void limits_are_checked_before_sending(void **state)
{
	static char content[2002];
	static struct embed eleven[11];
	static struct button six[6];
	static struct file many_files[11];
	static snowflake ids[101];
	static char description[3002];
	const struct embed two[] = { { .description = description }, { .description = description } };
	const struct message_create too_much[] = {
		{ .embeds = two, .embed_count = 2 },
		{ .content = content },
		{ .embeds = eleven, .embed_count = 11 },
		{ .buttons = six, .button_count = 6 },
		{ .files = many_files, .file_count = 11 },
		{ .mention_users = ids, .mention_user_count = 101 },
		{ .mention_roles = ids, .mention_role_count = 101 },
	};
	struct rest_error error;
	struct world w;

	(void)state;
	memset(content, 'x', 2001);
	memset(description, 'x', 3001);
	world_open(&w, script, ARRAY_SIZE(script));
	for (size_t i = 0; i < ARRAY_SIZE(too_much); i++) {
		struct message_create message = too_much[i];

		assert_int_equal(world_run(&w, message_of, &message, &error), -E2BIG);
		assert_memory_equal(error.message, "The message has ", 16);
	}
	assert_int_equal(w.count, 0);
	world_close(&w);
}

static int bulk(struct rest *rest, void *arg)
{
	static const snowflake ids[101];

	return rest_bulk_delete_messages(rest, 5, ids, *(size_t *)arg, NULL);
}

static void bulk_deletion_has_bounds(void **state)
{
	size_t one = 1, many = 101;
	struct world w;

	(void)state;
	world_open(&w, script, ARRAY_SIZE(script));
	assert_int_equal(world_run(&w, bulk, &one, NULL), -EINVAL);
	assert_int_equal(world_run(&w, bulk, &many, NULL), -EINVAL);
	assert_int_equal(w.count, 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_is_one_that_discord_takes),
		cmocka_unit_test(a_message_has_all_its_parts),
		cmocka_unit_test(limits_are_checked_before_sending),
		cmocka_unit_test(bulk_deletion_has_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
