/* Users, direct channels, the application, and where the gateway is. */
#include "form.h"
#include "gateway.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

static void get_gateway(struct call *call)
{
	json_begin_object(&call->w);
	json_put_string(&call->w, "url", call->fake->gateway_url);
	json_end_object(&call->w);
}

static void get_gateway_bot(struct call *call)
{
	usec reset_after;
	int left = gateway_identifies_left(call->fake->gateway, &reset_after);

	json_begin_object(&call->w);
	json_put_string(&call->w, "url", call->fake->gateway_url);
	json_put_int(&call->w, "shards", 1);
	json_key(&call->w, "session_start_limit");
	json_begin_object(&call->w);
	json_put_int(&call->w, "total", call->fake->options.identify_limit);
	json_put_int(&call->w, "remaining", MAX(left, 0));
	json_put_int(&call->w, "reset_after", reset_after / MILLISECOND);
	json_put_int(&call->w, "max_concurrency", 1);
	json_end_object(&call->w);
	json_end_object(&call->w);
}

static void get_me(struct call *call)
{
	json_begin_object(&call->w);
	write_user_fields(&call->w, state_user(&call->fake->state, call->fake->state.bot));
	json_put_bool(&call->w, "mfa_enabled", true);
	json_put_bool(&call->w, "verified", true);
	json_put_string(&call->w, "locale", "en-US");
	json_end_object(&call->w);
}

static void get_user(struct call *call)
{
	const struct user *user = state_user(&call->fake->state, call->ids[0]);

	if (user)
		write_user(&call->w, user);
	else
		call_fail(call, 404, 10013, "Unknown User");
}

static void get_guilds(struct call *call)
{
	struct state *state = &call->fake->state;

	json_begin_array(&call->w);
	if (!call->fake->bot_gone) {
		json_begin_object(&call->w);
		json_put_snowflake(&call->w, "id", state->guild);
		json_put_string(&call->w, "name", state->guild_name);
		json_put_null(&call->w, "icon");
		json_put_null(&call->w, "banner");
		json_put_bool(&call->w, "owner", state->owner == state->bot);
		put_bits(&call->w, "permissions", permissions_of(state, state->bot));
		json_key(&call->w, "features");
		json_begin_array(&call->w);
		json_end_array(&call->w);
		json_end_object(&call->w);
	}
	json_end_array(&call->w);
}

static void post_direct(struct call *call)
{
	static const struct form_rule rules[] = {
		{ "recipient_id", FORM_SNOWFLAKE, 0, 0, FORM_REQUIRED, NULL },
		{ 0 },
	};
	struct state *state = &call->fake->state;
	struct user *user;
	struct channel *channel;

	form_check(&call->form, "", call->body, rules);
	if (!call_form(call))
		return;
	user = state_user(state, json_snowflake(call->body, "recipient_id"));
	if (!user || user->id == state->bot) {
		call_fail(call, 400, 50033, "Invalid Recipient(s)");
		return;
	}
	channel = state_direct(state, user, fake_time(call->fake));
	if (channel)
		write_channel(&call->w, state, channel);
	else
		call_fail(call, 400, 40003, "You are opening direct messages too fast.");
}

static void get_application(struct call *call)
{
	struct state *state = &call->fake->state;
	struct json_writer *w = &call->w;
	uint32_t flags = application_flags(call->fake->options.denied_intents);

	json_begin_object(w);
	json_put_snowflake(w, "id", state->bot);
	json_put_string(w, "name", state_user(state, state->bot)->name);
	json_put_null(w, "icon");
	json_put_string(w, "description", "");
	json_put_bool(w, "bot_public", false);
	json_put_bool(w, "bot_require_code_grant", false);
	json_put_string(w, "verify_key", "0000000000000000000000000000000000000000000000000000000000000000");
	json_put_int(w, "flags", flags);
	put_bits(w, "flags_new", flags);
	json_put_null(w, "type");
	json_put_null(w, "interactions_endpoint_url");
	json_put_null(w, "role_connections_verification_url");
	json_put_int(w, "approximate_guild_count", 1);
	json_put_int(w, "approximate_user_install_count", 0);
	json_put_int(w, "approximate_user_authorization_count", 0);
	json_put_int(w, "explicit_content_filter", 0);
	json_key(w, "redirect_uris");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "eligible_oauth2_scopes");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "owner");
	write_user(w, state_user(state, state->owner));
	json_put_null(w, "team");
	json_end_object(w);
}

const struct route rest_user_routes[] = {
	{ "GET", "/gateway", get_gateway, 0, 0, ROUTE_NO_TOKEN },
	{ "GET", "/gateway/bot", get_gateway_bot, 2, 5000, 0 },
	{ "GET", "/users/@me", get_me, 30, 30000, 0 },
	{ "GET", "/users/{user_id}", get_user, 30, 30000, 0 },
	{ "GET", "/users/@me/guilds", get_guilds, 1, 1000, 0 },
	{ "POST", "/users/@me/channels", post_direct, 10, 10000, ROUTE_BODY },
	{ "GET", "/applications/@me", get_application, 5, 5000, 0 },
	{ "GET", "/oauth2/applications/@me", get_application, 5, 5000, 0 },
	{ 0 },
};
