/* Roles: only those below the bot's highest can be changed, and only permissions that the bot has can be given (resources/guild, "Create Guild
 * Role" and following; topics/permissions, "Permission Hierarchy"). */
#include <stdlib.h>

#include "dispatch.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

static const struct form_rule role_rules[] = {
	{ "name", FORM_TEXT, 0, 100, FORM_NULL, NULL },
	{ "permissions", FORM_BITS, 0, 0, FORM_NULL, NULL },
	{ "color", FORM_INTEGER, 0, 0xffffff, FORM_NULL, NULL },
	{ "hoist", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ "mentionable", FORM_BOOLEAN, 0, 0, FORM_NULL, NULL },
	{ 0 },
};

static void get_roles(struct call *call)
{
	const struct state *state = &call->fake->state;

	if (!call_guild(call, 0))
		return;
	json_begin_array(&call->w);
	for (size_t i = 0; i < state->role_count; i++)
		write_role(&call->w, &state->roles[i]);
	json_end_array(&call->w);
}

static void get_role(struct call *call)
{
	const struct role *role = call_guild(call, 0) ? call_role(call, 1) : NULL;

	if (role)
		write_role(&call->w, role);
}

/* Role id to number of members, without @everyone. */
static void get_member_counts(struct call *call)
{
	const struct state *state = &call->fake->state;

	if (!call_guild(call, 0))
		return;
	json_begin_object(&call->w);
	for (size_t i = 0; i < state->role_count; i++) {
		char *id = xasprintf("%llu", (unsigned long long)state->roles[i].id);
		int64_t count = 0;

		for (struct user *user = state->users; user; user = user->hh.next)
			count += user->member && id_list_has(&user->member->roles, state->roles[i].id);
		if (state->roles[i].id != state->guild)
			json_put_int(&call->w, id, count);
		free(id);
	}
	json_end_object(&call->w);
}

/* Permissions in the body that the bot may hand on; false: answered. */
static bool read_permissions(struct call *call, uint64_t *permissions)
{
	const struct state *state = &call->fake->state;
	const cJSON *value = json_get(call->body, "permissions");
	uint64_t wanted = *permissions;

	if (cJSON_IsString(value))
		(void)!parse_u64(value->valuestring, &wanted); /* the form has been checked */
	else if (cJSON_IsNumber(value))
		wanted = (uint64_t)value->valuedouble;
	if ((wanted & ~*permissions) & ~permissions_of(state, state->bot))
		return call_fail(call, 403, 50013, "Missing Permissions");
	*permissions = wanted;
	return true;
}

static void apply(struct role *role, const cJSON *body)
{
	if (json_string(body, "name"))
		replace_text(&role->name, *json_string(body, "name") ? json_string(body, "name") : "new role");
	role->color =
		(unsigned)json_int(json_object(body, "colors"), "primary_color", json_int(body, "color", role->color));
	role->hoist = json_bool(body, "hoist", role->hoist);
	role->mentionable = json_bool(body, "mentionable", role->mentionable);
}

static void post_role(struct call *call)
{
	struct state *state = &call->fake->state;
	uint64_t permissions = state_role(state, state->guild)->permissions;
	struct role *role;

	if (!call_guild(call, PERMISSION_MANAGE_ROLES))
		return;
	form_check(&call->form, "", call->body, role_rules);
	if (!call_form(call) || !read_permissions(call, &permissions))
		return;
	role = state_add_role(state, state_id(state, fake_time(call->fake)), "new role", 1);
	if (!role) {
		call_fail(call, 400, 30005, "Maximum number of guild roles reached (250)");
		return;
	}
	role->permissions = permissions;
	apply(role, call->body);
	write_role(&call->w, role);
	dispatch_role(call->fake, "GUILD_ROLE_CREATE", role);
	dispatch_audit(call->fake, state->bot, AUDIT_ROLE_CREATE, role->id, call->reason, NULL, NULL);
}

/* The role of the path, which the bot may change; NULL: answered. */
static struct role *changeable(struct call *call)
{
	struct state *state = &call->fake->state;
	struct role *role = call_guild(call, PERMISSION_MANAGE_ROLES) ? call_role(call, 1) : NULL;

	if (!role || permissions_above_role(state, state->bot, role))
		return role;
	call_fail(call, 403, 50013, "Missing Permissions");
	return NULL;
}

static void patch_role(struct call *call)
{
	struct role *role = changeable(call);
	uint64_t permissions;

	if (!role)
		return;
	form_check(&call->form, "", call->body, role_rules);
	permissions = role->permissions;
	if (!call_form(call) || !read_permissions(call, &permissions))
		return;
	role->permissions = permissions;
	apply(role, call->body);
	write_role(&call->w, role);
	dispatch_role(call->fake, "GUILD_ROLE_UPDATE", role);
	dispatch_audit(call->fake, call->fake->state.bot, AUDIT_ROLE_UPDATE, role->id, call->reason, NULL, NULL);
}

static void delete_role(struct call *call)
{
	struct role *role = changeable(call);
	uint64_t id;

	if (!role)
		return;
	id = role->id;
	if (role->managed || id == call->fake->state.guild) {
		call_fail(call, 400, 50028, "Invalid Role");
		return;
	}
	state_remove_role(&call->fake->state, id);
	dispatch_role_delete(call->fake, id);
	dispatch_audit(call->fake, call->fake->state.bot, AUDIT_ROLE_DELETE, id, call->reason, NULL, NULL);
	call_done(call);
}

/* [{"id", "position"}, ...]: neither a role nor a place at or above the bot's own. */
static void patch_positions(struct call *call)
{
	struct state *state = &call->fake->state;
	int rank = permissions_rank(state, state->bot);

	if (!call_guild(call, PERMISSION_MANAGE_ROLES))
		return;
	json_array_each (item, call->body) {
		const struct role *role = state_role(state, json_snowflake(item, "id"));

		if (!role) {
			call_fail(call, 404, 10011, "Unknown Role");
			return;
		}
		if (role->position >= rank || json_int(item, "position", 0) >= rank || role->id == state->guild) {
			call_fail(call, 403, 50013, "Missing Permissions");
			return;
		}
	}
	json_array_each (item, call->body) {
		struct role *role = state_role(state, json_snowflake(item, "id"));
		int from = role->position, to = (int)json_int(item, "position", from);

		if (to < 1 || to == from)
			continue;
		for (size_t i = 0; i < state->role_count; i++) {
			int *position = &state->roles[i].position;

			if (from<to && * position> from && *position <= to)
				--*position;
			else if (from > to && *position >= to && *position < from)
				++*position;
		}
		role->position = to;
		dispatch_role(call->fake, "GUILD_ROLE_UPDATE", role);
	}
	get_roles(call);
}

const struct route rest_role_routes[] = {
	{ "GET", "/guilds/{guild_id}/roles", get_roles, 5, 5000, 0 },
	{ "POST", "/guilds/{guild_id}/roles", post_role, 5, 5000, ROUTE_BODY },
	{ "PATCH", "/guilds/{guild_id}/roles", patch_positions, 5, 5000, ROUTE_LIST_BODY },
	{ "GET", "/guilds/{guild_id}/roles/{role_id}", get_role, 5, 5000, 0 },
	{ "PATCH", "/guilds/{guild_id}/roles/{role_id}", patch_role, 5, 5000, ROUTE_BODY },
	{ "DELETE", "/guilds/{guild_id}/roles/{role_id}", delete_role, 5, 5000, 0 },
	{ "GET", "/guilds/{guild_id}/roles/member-counts", get_member_counts, 5, 5000, 0 },
	{ 0 },
};
