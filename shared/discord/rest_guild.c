/* Endpoints of guilds, members, roles, channels, threads and users (Discord's documentation, resources/guild,
 * resources/channel, resources/user). */
#include <errno.h>

#include "rest_internal.h"

/* A success without JSON is no success to whoever reads it. */
static int tree_of(struct rest *rest, struct rest_call *call, cJSON **ret_json)
{
	cJSON *json;
	int r;

	r = rest_finish(rest, call, &json);
	if (r < 0)
		return r;
	if (!json)
		return -EBADMSG;
	*ret_json = json;
	return 0;
}

int rest_get_guild(struct rest *rest, snowflake guild, cJSON **ret_json)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /guilds/{guild.id}", REST_ID(guild));
	return tree_of(rest, &call, ret_json);
}

int rest_get_channels(struct rest *rest, snowflake guild, cJSON **ret_json)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /guilds/{guild.id}/channels", REST_ID(guild));
	return tree_of(rest, &call, ret_json);
}

int rest_get_active_threads(struct rest *rest, snowflake guild, cJSON **ret_json)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /guilds/{guild.id}/threads/active", REST_ID(guild));
	return tree_of(rest, &call, ret_json);
}

/* Without `with_member` the whole list comes at once, at most the thousand members that a thread may have. */
int rest_get_thread_members(
	struct rest *rest, snowflake thread, struct arena *arena, snowflake **ret_users, size_t *ret_count)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	snowflake *users;
	size_t count = 0;
	int r;

	REST_BEGIN(&call, "GET /channels/{channel.id}/thread-members", REST_ID(thread));
	r = tree_of(rest, &call, &json);
	if (r < 0)
		return r;
	if (!cJSON_IsArray(json))
		return -EBADMSG;
	users = arena_array(arena, snowflake, (size_t)cJSON_GetArraySize(json) + 1);
	json_array_each (member, json)
		users[count++] = json_snowflake(member, "user_id");
	*ret_users = users;
	*ret_count = count;
	return 0;
}

int rest_get_current_user_guilds(struct rest *rest, cJSON **ret_json)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /users/@me/guilds");
	return tree_of(rest, &call, ret_json);
}

static int user_of(struct rest *rest, struct rest_call *call, struct arena *arena, struct user *ret_user)
{
	cJSON *json cleanup(json_freep) = NULL;
	int r;

	r = rest_finish(rest, call, &json);
	return r < 0 ? r : user_parse(arena_json(arena, json), ret_user);
}

int rest_get_current_user(struct rest *rest, struct arena *arena, struct user *ret_user)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /users/@me");
	return user_of(rest, &call, arena, ret_user);
}

int rest_get_user(struct rest *rest, snowflake user, struct arena *arena, struct user *ret_user)
{
	struct rest_call call;

	REST_BEGIN(&call, "GET /users/{user.id}", REST_ID(user));
	return user_of(rest, &call, arena, ret_user);
}

int rest_get_member(struct rest *rest, snowflake guild, snowflake user, struct arena *arena, struct member *ret_member)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	int r;

	REST_BEGIN(&call, "GET /guilds/{guild.id}/members/{user.id}", REST_ID(guild), REST_ID(user));
	r = rest_finish(rest, &call, &json);
	return r < 0 ? r : member_parse(arena_json(arena, json), arena, ret_member);
}

static int member_role(
	struct rest *rest, const char *route, snowflake guild, snowflake user, snowflake role, const char *reason)
{
	struct rest_call call;

	REST_BEGIN(&call, route, REST_ID(guild), REST_ID(user), REST_ID(role));
	call.reason = reason;
	return rest_finish(rest, &call, NULL);
}

int rest_add_member_role(struct rest *rest, snowflake guild, snowflake user, snowflake role, const char *reason)
{
	return member_role(rest, "PUT /guilds/{guild.id}/members/{user.id}/roles/{role.id}", guild, user, role, reason);
}

int rest_remove_member_role(struct rest *rest, snowflake guild, snowflake user, snowflake role, const char *reason)
{
	return member_role(
		rest, "DELETE /guilds/{guild.id}/members/{user.id}/roles/{role.id}", guild, user, role, reason);
}

int rest_modify_role_name(struct rest *rest, snowflake guild, snowflake role, const char *name, const char *reason)
{
	struct rest_call call;
	struct json_writer w;

	REST_BEGIN(&call, "PATCH /guilds/{guild.id}/roles/{role.id}", REST_ID(guild), REST_ID(role));
	call.reason = reason;
	w = (struct json_writer)JSON_WRITER(&call.body);
	json_begin_object(&w);
	json_put_string(&w, "name", name);
	json_end_object(&w);
	return rest_finish(rest, &call, NULL);
}

int rest_create_channel(
	struct rest *rest, snowflake guild, const struct channel_create *create, const char *reason, snowflake *ret_id)
{
	cJSON *json cleanup(json_freep) = NULL;
	struct rest_call call;
	struct json_writer w;
	snowflake id;
	int r;

	REST_BEGIN(&call, "POST /guilds/{guild.id}/channels", REST_ID(guild));
	call.reason = reason;
	w = (struct json_writer)JSON_WRITER(&call.body);
	json_begin_object(&w);
	json_put_string(&w, "name", create->name);
	json_put_int(&w, "type", create->type);
	if (create->parent_id)
		json_put_snowflake(&w, "parent_id", create->parent_id);
	json_end_object(&w);
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	id = json_snowflake(json, "id");
	if (id == 0)
		return -EBADMSG;
	if (ret_id)
		*ret_id = id;
	return 0;
}
