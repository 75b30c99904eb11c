/* Channels and their permission overwrites, threads as far as they have members (resources/channel). */
#include <stdlib.h>

#include "channels.h"
#include "dispatch.h"
#include "permissions.h"
#include "rest.h"
#include "threads.h"
#include "write.h"

static const struct form_rule overwrite_rules[] = {
	{ "id", FORM_SNOWFLAKE, 0, 0, FORM_REQUIRED, NULL },
	{ "type", FORM_INTEGER, 0, 1, FORM_NULL, NULL },
	{ "allow", FORM_BITS, 0, 0, FORM_NULL, NULL },
	{ "deny", FORM_BITS, 0, 0, FORM_NULL, NULL },
	{ 0 },
};
static const struct form_rule channel_rules[] = {
	{ "name", FORM_NAME, 1, 100, 0, NULL },
	{ "type", FORM_INTEGER, 0, 16, FORM_NULL, NULL },
	{ "topic", FORM_TEXT, 0, 1024, FORM_NULL, NULL },
	{ "position", FORM_INTEGER, 0, INT32_MAX, FORM_NULL, NULL },
	{ "nsfw", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ "rate_limit_per_user", FORM_INTEGER, 0, 21600, FORM_NULL, NULL },
	{ "parent_id", FORM_SNOWFLAKE, 0, 0, FORM_NULL, NULL },
	{ "permission_overwrites", FORM_LIST, 0, 1000, FORM_NULL, overwrite_rules },
	{ 0 },
};

static uint64_t bits(const cJSON *object, const char *key)
{
	const cJSON *value = json_get(object, key);
	uint64_t number = 0;

	if (cJSON_IsNumber(value))
		return (uint64_t)value->valuedouble;
	return cJSON_IsString(value) && parse_u64(value->valuestring, &number) == 0 ? number : 0;
}

/* Text channels have names in lower case with dashes, as Discord's server makes them. */
static char *channel_name(const char *name, int64_t type)
{
	char *copy = xstrdup(name);

	if (type != CHANNEL_TEXT && type != CHANNEL_ANNOUNCEMENT)
		return copy;
	for (char *p = copy; *p; p++) {
		if (*p == ' ')
			*p = '-';
		else if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	}
	return copy;
}

static void apply(struct call *call, struct channel *channel, const cJSON *body)
{
	const char *name = json_string(body, "name");

	if (name) {
		char *clean = channel_name(name, channel->type);

		replace_text(&channel->name, clean);
		free(clean);
	}
	if (json_get(body, "topic"))
		replace_text(&channel->topic, json_string(body, "topic"));
	if (json_get(body, "parent_id"))
		channel->parent = json_snowflake(body, "parent_id");
	channel->nsfw = json_bool(body, "nsfw", channel->nsfw);
	channel->position = (int)json_int(body, "position", channel->position);
	channel->slow_mode = (int)json_int(body, "rate_limit_per_user", channel->slow_mode);
	if (json_array(body, "permission_overwrites"))
		channel->overwrite_count = 0;
	json_array_each (item, json_array(body, "permission_overwrites")) {
		uint64_t id = json_snowflake(item, "id");
		bool is_member = json_int(item, "type", state_role(&call->fake->state, id) ? 0 : 1) == 1;

		channel_set_overwrite(channel, id, is_member, bits(item, "allow"), bits(item, "deny"));
	}
}

/* Only permissions that the bot has itself may be handed on. */
static bool may_grant(struct call *call, const cJSON *body)
{
	const struct state *state = &call->fake->state;
	uint64_t own = permissions_of(state, state->bot);

	json_array_each (item, json_array(body, "permission_overwrites"))
		if ((bits(item, "allow") | bits(item, "deny")) & ~own)
			return call_fail(call, 403, 50013, "Missing Permissions");
	return true;
}

static bool check_parent(struct call *call, const cJSON *body)
{
	uint64_t id = json_snowflake(body, "parent_id");
	const struct channel *parent = id ? state_channel(&call->fake->state, id) : NULL;

	if (!id || (parent && parent->type == CHANNEL_CATEGORY))
		return true;
	form_error(&call->form, "parent_id", parent ? "CHANNEL_PARENT_INVALID_TYPE" : "CHANNEL_PARENT_INVALID",
		parent ? "Not a category" : "Category does not exist");
	return call_form(call);
}

static void get_channels(struct call *call)
{
	const struct state *state = &call->fake->state;

	if (!call_guild(call, 0))
		return;
	json_begin_array(&call->w);
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next)
		if (!channel_is_direct(channel) && !channel_is_thread(channel))
			write_channel(&call->w, state, channel);
	json_end_array(&call->w);
}

static void post_channel(struct call *call)
{
	struct state *state = &call->fake->state;
	int64_t type = json_int(call->body, "type", CHANNEL_TEXT);
	struct channel *channel;

	if (!call_guild(call, PERMISSION_MANAGE_CHANNELS))
		return;
	form_check(&call->form, "", call->body, channel_rules);
	if (!json_string(call->body, "name"))
		form_error(&call->form, "name", "BASE_TYPE_REQUIRED", "This field is required");
	if (type != CHANNEL_TEXT && type != CHANNEL_VOICE && type != CHANNEL_CATEGORY && type != CHANNEL_ANNOUNCEMENT)
		form_error(&call->form, "type", "BASE_TYPE_CHOICES", "Value must be one of {0, 2, 4, 5}.");
	if (!call_form(call) || !check_parent(call, call->body) || !may_grant(call, call->body))
		return;
	channel = state_add_channel(state, state_id(state, fake_time(call->fake)), (int)type, "");
	if (!channel) {
		call_fail(call, 400, 30013, "Maximum number of guild channels reached (500)");
		return;
	}
	apply(call, channel, call->body);
	call->status = 201;
	write_channel(&call->w, state, channel);
	dispatch_channel(call->fake, "CHANNEL_CREATE", channel);
	dispatch_audit(call->fake, state->bot, AUDIT_CHANNEL_CREATE, channel->id, call->reason, NULL, NULL);
}

/* [{"id", "position", "parent_id"}, ...] */
static void patch_positions(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "id", FORM_SNOWFLAKE, 0, 0, FORM_REQUIRED, NULL },
		{ "position", FORM_INTEGER, 0, INT32_MAX, FORM_NULL, NULL },
		{ "parent_id", FORM_SNOWFLAKE, 0, 0, FORM_NULL, NULL },
		{ 0 },
	};
	struct state *state = &call->fake->state;
	int index = 0;

	if (!call_guild(call, PERMISSION_MANAGE_CHANNELS))
		return;
	json_array_each (item, call->body) {
		struct str path cleanup(str_finish) = STR_INIT;

		str_printf(&path, "%d", index++);
		form_check(&call->form, path.buf, item, rules);
		if (form_ok(&call->form) && !state_channel(state, json_snowflake(item, "id")))
			form_error(&call->form, path.buf, "CHANNEL_UNKNOWN", "Unknown Channel");
	}
	if (!call_form(call))
		return;
	json_array_each (item, call->body) {
		struct channel *channel = state_channel(state, json_snowflake(item, "id"));
		int position = (int)json_int(item, "position", channel->position);
		bool moves = json_get(item, "parent_id") && json_snowflake(item, "parent_id") != channel->parent;

		if (position == channel->position && !moves)
			continue;
		channel->position = position;
		if (moves)
			channel->parent = json_snowflake(item, "parent_id");
		dispatch_channel(call->fake, "CHANNEL_UPDATE", channel);
	}
	call_done(call);
}

static void get_channel(struct call *call)
{
	const struct channel *channel = call_channel(call, 0);

	if (channel)
		write_channel(&call->w, &call->fake->state, channel);
}

static void patch_channel(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_CHANNELS);
	struct state *state = &call->fake->state;

	if (!channel)
		return;
	if (json_array(call->body, "permission_overwrites") &&
		!permitted(permissions_in(state, state->bot, channel), PERMISSION_MANAGE_ROLES)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	form_check(&call->form, "", call->body, channel_rules);
	if (!call_form(call) || !check_parent(call, call->body) || !may_grant(call, call->body))
		return;
	apply(call, channel, call->body);
	write_channel(&call->w, state, channel);
	dispatch_channel(call->fake, "CHANNEL_UPDATE", channel);
	dispatch_audit(call->fake, state->bot, AUDIT_CHANNEL_UPDATE, channel->id, call->reason, NULL, NULL);
}

static void delete_channel(struct call *call)
{
	struct channel *channel = call_channel(call, 0);
	struct state *state = &call->fake->state;
	uint64_t wanted;

	if (!channel)
		return;
	wanted = channel_is_thread(channel) ? PERMISSION_MANAGE_THREADS : PERMISSION_MANAGE_CHANNELS;
	if (!channel_is_direct(channel) && !permitted(permissions_in(state, state->bot, channel), wanted)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	write_channel(&call->w, state, channel);
	if (channel_is_direct(channel))
		return; /* closing it; it comes back with the next message */
	channel_delete(call->fake, state->bot, channel, call->reason);
}

/* ---- overwrites ---- */

static void put_overwrite(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "type", FORM_INTEGER, 0, 1, FORM_REQUIRED, NULL },
		{ "allow", FORM_BITS, 0, 0, FORM_NULL, NULL },
		{ "deny", FORM_BITS, 0, 0, FORM_NULL, NULL },
		{ 0 },
	};
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_ROLES);
	struct state *state = &call->fake->state;
	bool is_member = json_int(call->body, "type", 0) == 1, existed;
	uint64_t allow = bits(call->body, "allow"), deny = bits(call->body, "deny");

	if (!channel)
		return;
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	if (is_member ? !state_user(state, call->ids[1]) : !state_role(state, call->ids[1])) {
		call_fail(call, 404, is_member ? 10013 : 10011, is_member ? "Unknown User" : "Unknown Role");
		return;
	}
	if ((allow | deny) & ~permissions_of(state, state->bot)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	existed = channel_overwrite(channel, call->ids[1]);
	if (!channel_set_overwrite(channel, call->ids[1], is_member, allow, deny)) {
		call_fail(call, 400, 30060, "Maximum number of channel permission overwrites reached (1000)");
		return;
	}
	dispatch_channel(call->fake, "CHANNEL_UPDATE", channel);
	dispatch_audit(call->fake, state->bot, existed ? AUDIT_OVERWRITE_UPDATE : AUDIT_OVERWRITE_CREATE, channel->id,
		call->reason, NULL, NULL);
	call_done(call);
}

static void delete_overwrite(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_ROLES);

	if (!channel)
		return;
	if (!channel_remove_overwrite(channel, call->ids[1])) {
		call_fail(call, 404, 10009, "Unknown Overwrite");
		return;
	}
	dispatch_channel(call->fake, "CHANNEL_UPDATE", channel);
	dispatch_audit(
		call->fake, call->fake->state.bot, AUDIT_OVERWRITE_DELETE, channel->id, call->reason, NULL, NULL);
	call_done(call);
}

/* ---- threads ---- */

static struct channel *call_thread(struct call *call)
{
	struct channel *channel = call_channel(call, 0);

	if (!channel || channel_is_thread(channel))
		return channel;
	call_fail(call, 400, 50024, "Cannot execute action on this channel type");
	return NULL;
}

static void get_thread_members(struct call *call)
{
	const struct channel *thread = call_thread(call);

	if (!thread)
		return;
	json_begin_array(&call->w);
	for (size_t i = 0; i < thread->thread_members.count; i++)
		write_thread_member(&call->w, thread, thread->thread_members.ids[i]);
	json_end_array(&call->w);
}

static void join_thread(struct call *call)
{
	struct channel *thread = call_thread(call);

	if (!thread)
		return;
	thread_join(call->fake, thread, call->fake->state.bot);
	call_done(call);
}

static void get_threads(struct call *call)
{
	const struct state *state = &call->fake->state;

	if (!call_guild(call, 0))
		return;
	json_begin_object(&call->w);
	json_key(&call->w, "threads");
	json_begin_array(&call->w);
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next)
		if (channel_is_thread(channel) &&
			permitted(permissions_in(state, state->bot, channel), PERMISSION_VIEW_CHANNEL))
			write_channel(&call->w, state, channel);
	json_end_array(&call->w);
	json_key(&call->w, "members");
	json_begin_array(&call->w);
	json_end_array(&call->w);
	json_put_bool(&call->w, "has_more", false);
	json_end_object(&call->w);
}

const struct route rest_channel_routes[] = {
	{ "GET", "/guilds/{guild_id}/channels", get_channels, 5, 5000, 0 },
	{ "POST", "/guilds/{guild_id}/channels", post_channel, 10, 10000, ROUTE_BODY },
	{ "PATCH", "/guilds/{guild_id}/channels", patch_positions, 5, 5000, ROUTE_LIST_BODY },
	{ "GET", "/guilds/{guild_id}/threads/active", get_threads, 5, 5000, 0 },
	{ "GET", "/channels/{channel_id}", get_channel, 5, 5000, 0 },
	{ "PATCH", "/channels/{channel_id}", patch_channel, 5, 5000, ROUTE_BODY },
	{ "DELETE", "/channels/{channel_id}", delete_channel, 5, 5000, 0 },
	{ "PUT", "/channels/{channel_id}/permissions/{overwrite_id}", put_overwrite, 10, 10000, ROUTE_BODY },
	{ "DELETE", "/channels/{channel_id}/permissions/{overwrite_id}", delete_overwrite, 10, 10000, 0 },
	{ "GET", "/channels/{channel_id}/thread-members", get_thread_members, 5, 5000, 0 },
	{ "PUT", "/channels/{channel_id}/thread-members/@me", join_thread, 5, 5000, 0 },
	{ 0 },
};
