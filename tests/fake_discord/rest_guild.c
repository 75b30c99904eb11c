/* The guild as a whole: itself, its audit log, its emoji, its bans (resources/guild, resources/audit-log). */
#include <stdlib.h>

#include "dispatch.h"
#include "messages.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

static void get_guild(struct call *call)
{
	const struct state *state = &call->fake->state;
	const char *counts = call_argument(call, "with_counts");

	if (!call_guild(call, 0))
		return;
	json_begin_object(&call->w);
	write_guild_fields(&call->w, state);
	if (counts && streq(counts, "true")) {
		json_put_int(&call->w, "approximate_member_count", (int64_t)state->member_count);
		json_put_int(&call->w, "approximate_presence_count", (int64_t)state->member_count);
	}
	json_end_object(&call->w);
}

static void get_emojis(struct call *call)
{
	const struct state *state = &call->fake->state;

	if (!call_guild(call, 0))
		return;
	json_begin_array(&call->w);
	for (size_t i = 0; i < state->emoji_count; i++) {
		json_begin_object(&call->w);
		json_put_snowflake(&call->w, "id", state->emojis[i].id);
		json_put_string(&call->w, "name", state->emojis[i].name);
		json_put_bool(&call->w, "animated", state->emojis[i].animated);
		json_put_bool(&call->w, "available", true);
		json_put_bool(&call->w, "managed", false);
		json_put_bool(&call->w, "require_colons", true);
		json_key(&call->w, "roles");
		json_begin_array(&call->w);
		json_end_array(&call->w);
		json_end_object(&call->w);
	}
	json_end_array(&call->w);
}

/* ---- audit log ---- */

static void get_audit_log(struct call *call)
{
	struct state *state = &call->fake->state;
	int64_t limit = call_number(call, "limit", 1, 100, 50), action = call_number(call, "action_type", 1, 1000, 0);
	const char *before = call_argument(call, "before"), *user = call_argument(call, "user_id"),
		   *after = call_argument(call, "after");
	uint64_t before_id = UINT64_MAX, after_id = 0, user_id = 0;
	struct id_list users = { 0 };

	if (!call_guild(call, PERMISSION_VIEW_AUDIT_LOG))
		return;
	if ((before && parse_u64(before, &before_id) < 0) || (user && parse_u64(user, &user_id) < 0) ||
		(after && parse_u64(after, &after_id) < 0))
		form_error(&call->form, "before", "NUMBER_TYPE_COERCE", "Value is not snowflake.");
	if (!call_form(call))
		return;
	json_begin_object(&call->w);
	json_key(&call->w, "audit_log_entries");
	json_begin_array(&call->w);
	for (size_t i = state->audit_count; i > 0 && limit > 0; i--) {
		const struct audit *audit = &state->audits[i - 1];

		if (audit->id >= before_id || audit->id <= after_id || (user_id && audit->user != user_id) ||
			(action && audit->action != action))
			continue;
		write_audit(&call->w, audit);
		id_list_add(&users, audit->user);
		if (state_user(state, audit->target))
			id_list_add(&users, audit->target);
		limit--;
	}
	json_end_array(&call->w);
	json_key(&call->w, "users");
	json_begin_array(&call->w);
	for (size_t i = 0; i < users.count; i++)
		if (state_user(state, users.ids[i]))
			write_user(&call->w, state_user(state, users.ids[i]));
	json_end_array(&call->w);
	id_list_finish(&users);
	static const char *const empty[] = { "application_commands", "auto_moderation_rules", "guild_scheduled_events",
		"integrations", "threads", "webhooks" };

	for (size_t i = 0; i < ARRAY_SIZE(empty); i++) {
		json_key(&call->w, empty[i]);
		json_begin_array(&call->w);
		json_end_array(&call->w);
	}
	json_end_object(&call->w);
}

/* ---- bans ---- */

static void write_ban(struct call *call, const struct ban *ban)
{
	json_begin_object(&call->w);
	json_put_string(&call->w, "reason", ban->reason);
	json_key(&call->w, "user");
	write_user(&call->w, state_user(&call->fake->state, ban->user));
	json_end_object(&call->w);
}

/* In order of user id, after one or before one (then the last ones). */
static void get_bans(struct call *call)
{
	struct state *state = &call->fake->state;
	size_t limit = (size_t)call_number(call, "limit", 1, 1000, 1000), from = 0, to = state->ban_count;
	const char *before = call_argument(call, "before"), *after = call_argument(call, "after");
	uint64_t before_id = 0, after_id = 0;

	if (!call_guild(call, PERMISSION_BAN_MEMBERS))
		return;
	if ((before && parse_u64(before, &before_id) < 0) || (after && parse_u64(after, &after_id) < 0))
		form_error(&call->form, before ? "before" : "after", "NUMBER_TYPE_COERCE", "Value is not snowflake.");
	if (!call_form(call))
		return;
	if (before) {
		while (to > 0 && state->bans[to - 1].user >= before_id)
			to--;
		from = to > limit ? to - limit : 0;
	} else {
		while (from < to && state->bans[from].user <= after_id)
			from++;
		to = MIN(to, from + limit);
	}
	json_begin_array(&call->w);
	for (size_t i = from; i < to; i++)
		write_ban(call, &state->bans[i]);
	json_end_array(&call->w);
}

static void get_ban(struct call *call)
{
	const struct ban *ban;

	if (!call_guild(call, PERMISSION_BAN_MEMBERS))
		return;
	ban = state_ban(&call->fake->state, call->ids[1]);
	if (ban)
		write_ban(call, ban);
	else
		call_fail(call, 404, 10026, "Unknown Ban");
}

/* Messages of this person in the last seconds, in all channels. */
static void delete_messages_of(struct fake *fake, uint64_t user, usec since)
{
	for (struct channel *channel = fake->state.channels; channel; channel = channel->hh.next) {
		uint64_t ids[100];
		size_t count = 0;

		if (channel_is_direct(channel))
			continue;
		for (size_t i = channel->message_count;
			i-- > 0 && channel->messages[i]->at >= since && count < ARRAY_SIZE(ids);)
			if (channel->messages[i]->author == user)
				ids[count++] = channel->messages[i]->id;
		if (count)
			message_delete_bulk(fake, channel, ids, count);
	}
}

static bool ban_one(struct call *call, uint64_t id, int64_t seconds)
{
	struct state *state = &call->fake->state;
	struct user *user = state_user(state, id);

	if (!permissions_above_member(state, state->bot, id) || id == state->bot)
		return call_fail(call, 403, 50013, "Missing Permissions");
	if (state_ban(state, id))
		return true;
	state_add_ban(state, id, call->reason);
	if (seconds > 0)
		delete_messages_of(call->fake, id, fake_time(call->fake) - seconds * SECOND);
	if (user->member) {
		state_leave(state, user);
		dispatch_member_remove(call->fake, user);
	}
	dispatch_ban(call->fake, true, user);
	dispatch_audit(call->fake, state->bot, AUDIT_BAN_ADD, id, call->reason, NULL, NULL);
	return true;
}

static void put_ban(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "delete_message_seconds", FORM_INTEGER, 0, 604800, FORM_NULL, NULL },
		{ "delete_message_days", FORM_INTEGER, 0, 7, FORM_NULL, NULL },
		{ 0 },
	};
	int64_t seconds;

	if (!call_guild(call, PERMISSION_BAN_MEMBERS))
		return;
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	if (!state_user(&call->fake->state, call->ids[1])) {
		call_fail(call, 404, 10013, "Unknown User");
		return;
	}
	seconds =
		json_int(call->body, "delete_message_seconds", json_int(call->body, "delete_message_days", 0) * 86400);
	if (ban_one(call, call->ids[1], seconds))
		call_done(call);
}

static void delete_ban(struct call *call)
{
	struct state *state = &call->fake->state;

	if (!call_guild(call, PERMISSION_BAN_MEMBERS))
		return;
	if (!state_ban(state, call->ids[1])) {
		call_fail(call, 404, 10026, "Unknown Ban");
		return;
	}
	state_remove_ban(state, call->ids[1]);
	dispatch_ban(call->fake, false, state_user(state, call->ids[1]));
	dispatch_audit(call->fake, state->bot, AUDIT_BAN_REMOVE, call->ids[1], call->reason, NULL, NULL);
	call_done(call);
}

static void bulk_ban(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "user_ids", FORM_SNOWFLAKES, 1, 200, FORM_REQUIRED, NULL },
		{ "delete_message_seconds", FORM_INTEGER, 0, 604800, FORM_NULL, NULL },
		{ 0 },
	};
	struct state *state = &call->fake->state;
	cJSON *banned cleanup(json_freep) = NULL, *failed cleanup(json_freep) = NULL;

	if (!call_guild(call, PERMISSION_BAN_MEMBERS | PERMISSION_MANAGE_GUILD))
		return;
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	banned = cJSON_CreateArray();
	failed = cJSON_CreateArray();
	json_array_each (item, json_array(call->body, "user_ids")) {
		uint64_t id = json_snowflake_value(item);
		bool fine = state_user(state, id) && !state_ban(state, id) &&
			    ban_one(call, id, json_int(call->body, "delete_message_seconds", 0));

		cJSON_AddItemToArray(fine ? banned : failed, cJSON_Duplicate(item, 1));
	}
	str_clear(&call->out);
	call->w = (struct json_writer)JSON_WRITER(&call->out);
	call->status = call->code = 0;
	if (!banned->child) {
		call_fail(call, 400, 500000, "Failed to ban users");
		return;
	}
	json_begin_object(&call->w);
	json_key(&call->w, "banned_users");
	json_write_tree(&call->w, banned);
	json_key(&call->w, "failed_users");
	json_write_tree(&call->w, failed);
	json_end_object(&call->w);
}

const struct route rest_guild_routes[] = {
	{ "GET", "/guilds/{guild_id}", get_guild, 5, 5000, 0 },
	{ "GET", "/guilds/{guild_id}/emojis", get_emojis, 5, 5000, 0 },
	{ "GET", "/guilds/{guild_id}/audit-logs", get_audit_log, 5, 5000, 0 },
	{ "GET", "/guilds/{guild_id}/bans", get_bans, 5, 5000, 0 },
	{ "GET", "/guilds/{guild_id}/bans/{user_id}", get_ban, 5, 5000, 0 },
	{ "PUT", "/guilds/{guild_id}/bans/{user_id}", put_ban, 5, 5000, ROUTE_OPTIONAL_BODY },
	{ "DELETE", "/guilds/{guild_id}/bans/{user_id}", delete_ban, 5, 5000, 0 },
	{ "POST", "/guilds/{guild_id}/bulk-ban", bulk_ban, 5, 5000, ROUTE_BODY },
	{ 0 },
};
