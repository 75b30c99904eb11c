/* Members: fetching, listing, searching, nickname, roles, timeout, kick (resources/guild, "Guild Member Object" and following). */
#include <stdlib.h>

#include "base/utf8.h"
#include "dispatch.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

#define TIMEOUT_MAX (28 * DAY)

static void get_member(struct call *call)
{
	const struct user *user;

	if (!call_guild(call, 0))
		return;
	user = call_member(call, 1);
	if (user)
		write_member(&call->w, &call->fake->state, user);
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = (*(struct user *const *)a)->id, y = (*(struct user *const *)b)->id;

	return x < y ? -1 : x > y;
}

/* In order of user id; needs the members intent on the application, as the gateway does. */
static void get_members(struct call *call)
{
	struct state *state = &call->fake->state;
	size_t limit = (size_t)call_number(call, "limit", 1, 1000, 1), count = 0;
	const char *after = call_argument(call, "after");
	struct user **members;
	uint64_t after_id = 0;

	if (!call_guild(call, 0))
		return;
	if (after && parse_u64(after, &after_id) < 0)
		form_error(&call->form, "after", "NUMBER_TYPE_COERCE", "Value \"%s\" is not snowflake.", after);
	if (!call_form(call))
		return;
	if (call->fake->options.denied_intents & FAKE_INTENT_GUILD_MEMBERS) {
		call_fail(call, 403, 50001, "Missing Access");
		return;
	}
	members = xcalloc(state->member_count + 1, sizeof(struct user *));
	for (struct user *user = state->users; user; user = user->hh.next)
		if (user->member && user->id > after_id)
			members[count++] = user;
	qsort(members, count, sizeof(struct user *), compare_ids);
	json_begin_array(&call->w);
	for (size_t i = 0; i < MIN(count, limit); i++)
		write_member(&call->w, state, members[i]);
	json_end_array(&call->w);
	free(members);
}

/* user name or nickname begins with the text */
static void search_members(struct call *call)
{
	struct state *state = &call->fake->state;
	size_t limit = (size_t)call_number(call, "limit", 1, 1000, 1);
	const char *query = call_argument(call, "query");
	struct str folded cleanup(str_finish) = STR_INIT;

	if (!call_guild(call, 0))
		return;
	if (!query || !*query || utf8_fold(&folded, query) < 0)
		form_error(&call->form, "query", "BASE_TYPE_REQUIRED", "This field is required");
	if (!call_form(call))
		return;
	json_begin_array(&call->w);
	for (struct user *user = state->users; user && limit; user = user->hh.next) {
		const char *names[] = { user->name, user->global_name, user->member ? user->member->nick : NULL };
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(names) && user->member && !found; i++) {
			struct str name cleanup(str_finish) = STR_INIT;

			found = names[i] && utf8_fold(&name, names[i]) == 0 && name.len >= folded.len &&
				memcmp(name.buf, folded.buf, folded.len) == 0;
		}
		if (!found)
			continue;
		write_member(&call->w, state, user);
		limit--;
	}
	json_end_array(&call->w);
}

/* ---- changes ---- */

static void finish_change(struct call *call, const struct user *user, int action, cJSON *changes)
{
	dispatch_audit(call->fake, call->fake->state.bot, action, user->id, call->reason, changes, NULL);
	dispatch_member(call->fake, "GUILD_MEMBER_UPDATE", user);
}

static bool may_set_nick(struct call *call, const struct user *user)
{
	const struct state *state = &call->fake->state;
	uint64_t permissions = permissions_of(state, state->bot);

	if (user->id == state->bot)
		return permitted(permissions, PERMISSION_CHANGE_NICKNAME);
	return permitted(permissions, PERMISSION_MANAGE_NICKNAMES) &&
	       permissions_above_member(state, state->bot, user->id);
}

/* Each role that is added or taken must stand below the bot's highest. */
static bool may_set_roles(struct call *call, const struct user *user, const cJSON *roles)
{
	const struct state *state = &call->fake->state;
	struct id_list wanted = { 0 };
	bool fine = permitted(permissions_of(state, state->bot), PERMISSION_MANAGE_ROLES);

	json_array_each (item, roles) {
		const struct role *role = state_role(state, json_snowflake_value(item));

		if (!role) {
			id_list_finish(&wanted);
			return call_fail(call, 400, 10011, "Unknown Role");
		}
		id_list_add(&wanted, role->id);
		if (!id_list_has(&user->member->roles, role->id))
			fine = fine && !role->managed && permissions_above_role(state, state->bot, role);
	}
	for (size_t i = 0; i < user->member->roles.count; i++) {
		const struct role *role = state_role(state, user->member->roles.ids[i]);

		if (role && !id_list_has(&wanted, role->id))
			fine = fine && !role->managed && permissions_above_role(state, state->bot, role);
	}
	id_list_finish(&wanted);
	return fine || call_fail(call, 403, 50013, "Missing Permissions");
}

/* The end of a timeout, 0 for none; false: in the form. */
static bool parse_timeout(struct call *call, usec *ret_until)
{
	const char *text = json_string(call->body, "communication_disabled_until");
	usec now = fake_time(call->fake);

	*ret_until = 0;
	if (!text)
		return true; /* null ends it */
	if (form_parse_time(text, ret_until) < 0)
		return false;
	if (*ret_until <= now + TIMEOUT_MAX)
		return true;
	form_error(
		&call->form, "communication_disabled_until", "BASE_TYPE_MAX", "Must be at most 28 days in the future");
	return false;
}

static void patch_member(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "nick", FORM_TEXT, 0, 32, FORM_NULL, NULL },
		{ "roles", FORM_SNOWFLAKES, 0, 250, FORM_NULL, NULL },
		{ "communication_disabled_until", FORM_TIME, 0, 0, FORM_NULL, NULL },
		{ 0 },
	};
	struct state *state = &call->fake->state;
	const cJSON *nick = json_get(call->body, "nick"), *roles = json_array(call->body, "roles"),
		    *timeout = json_get(call->body, "communication_disabled_until");
	struct user *user;
	usec until = 0;

	if (!call_guild(call, 0))
		return;
	user = call_member(call, 1);
	if (!user)
		return;
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call) || (timeout && !parse_timeout(call, &until) && !call_form(call)))
		return;
	if ((nick && !may_set_nick(call, user)) ||
		(timeout && (!permitted(permissions_of(state, state->bot), PERMISSION_MODERATE_MEMBERS) ||
				    !permissions_above_member(state, state->bot, user->id) ||
				    permitted(permissions_of(state, user->id), PERMISSION_ADMINISTRATOR)))) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	if (roles && !may_set_roles(call, user, roles))
		return;
	if (nick) {
		const char *text = json_string(call->body, "nick");

		replace_text(&user->member->nick, text && *text ? text : NULL);
	}
	if (timeout)
		user->member->timeout = until;
	if (roles) {
		id_list_finish(&user->member->roles);
		json_array_each (item, roles)
			id_list_add(&user->member->roles, json_snowflake_value(item));
	}
	write_member(&call->w, state, user);
	finish_change(call, user, AUDIT_MEMBER_UPDATE, NULL);
}

static void patch_own(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "nick", FORM_TEXT, 0, 32, FORM_NULL, NULL },
		{ 0 },
	};
	struct state *state = &call->fake->state;
	struct user *user = state_user(state, state->bot);
	const char *nick = json_string(call->body, "nick");

	if (!call_guild(call, PERMISSION_CHANGE_NICKNAME))
		return;
	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	if (json_get(call->body, "nick"))
		replace_text(&user->member->nick, nick && *nick ? nick : NULL);
	write_member(&call->w, state, user);
	finish_change(call, user, AUDIT_MEMBER_UPDATE, NULL);
}

static void kick(struct call *call)
{
	struct state *state = &call->fake->state;
	struct user *user;

	if (!call_guild(call, PERMISSION_KICK_MEMBERS))
		return;
	user = call_member(call, 1);
	if (!user)
		return;
	if (!permissions_above_member(state, state->bot, user->id) || user->id == state->bot) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	state_leave(state, user);
	dispatch_member_remove(call->fake, user);
	dispatch_audit(call->fake, state->bot, AUDIT_KICK, user->id, call->reason, NULL, NULL);
	call_done(call);
}

static void set_role(struct call *call, bool add)
{
	struct state *state = &call->fake->state;
	const struct role *role;
	struct user *user;

	if (!call_guild(call, PERMISSION_MANAGE_ROLES))
		return;
	user = call_member(call, 1);
	role = user ? call_role(call, 2) : NULL;
	if (!role)
		return;
	if (role->managed || role->id == state->guild || !permissions_above_role(state, state->bot, role)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	call_done(call);
	if (id_list_has(&user->member->roles, role->id) == add)
		return;
	if (add)
		id_list_add(&user->member->roles, role->id);
	else
		id_list_remove(&user->member->roles, role->id);
	finish_change(call, user, AUDIT_MEMBER_ROLES, dispatch_role_change(role, add));
}

static void put_role(struct call *call)
{
	set_role(call, true);
}

static void delete_role(struct call *call)
{
	set_role(call, false);
}

const struct route rest_member_routes[] = {
	{ "GET", "/guilds/{guild_id}/members", get_members, 10, 10000, 0 },
	{ "GET", "/guilds/{guild_id}/members/search", search_members, 10, 10000, 0 },
	{ "GET", "/guilds/{guild_id}/members/{user_id}", get_member, 5, 1000, 0 },
	{ "PATCH", "/guilds/{guild_id}/members/{user_id}", patch_member, 10, 10000, ROUTE_BODY },
	{ "PATCH", "/guilds/{guild_id}/members/@me", patch_own, 2, 10000, ROUTE_BODY },
	{ "DELETE", "/guilds/{guild_id}/members/{user_id}", kick, 5, 5000, 0 },
	{ "PUT", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", put_role, 10, 10000, 0 },
	{ "DELETE", "/guilds/{guild_id}/members/{user_id}/roles/{role_id}", delete_role, 10, 10000, 0 },
	{ 0 },
};
