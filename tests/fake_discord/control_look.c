/* What can be looked at through the control interface (GET; CONTROL.md). */
#include <stdlib.h>

#include "control_private.h"
#include "feed.h"
#include "interactions.h"
#include "journal.h"
#include "net/httpd.h"
#include "permissions.h"
#include "write.h"

#define USERS_SHOWN    200
#define MESSAGES_SHOWN 50
#define CALLS_SHOWN    1000

/* ---- the state ---- */

static void write_person(struct json_writer *w, const struct state *state, const struct user *user)
{
	json_begin_object(w);
	write_user_fields(w, user);
	json_put_bool(w, "here", user->member);
	json_put_string(w, "nick", user->member ? user->member->nick : NULL);
	json_put_string(w, "guild_avatar", user->member ? user->member->avatar : NULL);
	json_key(w, "roles");
	json_begin_array(w);
	for (size_t i = 0; user->member && i < user->member->roles.count; i++)
		json_write_snowflake(w, user->member->roles.ids[i]);
	json_end_array(w);
	json_put_bool(w, "banned", state_ban(state, user->id));
	json_end_object(w);
}

static void write_gateway_fields(struct json_writer *w, const struct fake *fake)
{
	struct fake_gateway_stats stats;

	fake_gateway(fake, &stats);
	json_put_uint(w, "connections", stats.connections);
	json_put_uint(w, "sessions", stats.sessions);
	json_put_uint(w, "connected", stats.connected);
	json_put_uint(w, "identified", stats.identified);
	json_put_uint(w, "resumed", stats.resumed);
	json_put_uint(w, "invalidated", stats.invalidated);
	json_put_uint(w, "closed_by_us", stats.closed_by_us);
	json_put_uint(w, "dispatched", stats.dispatched);
	json_put_uint(w, "heartbeats", stats.heartbeats);
	json_put_uint(w, "acks", stats.acks);
	json_put_int(w, "last_client_close", stats.last_client_close);
	json_put_int(w, "last_close", stats.last_close);
	json_put_uint(w, "last_intents", stats.last_intents);
	json_put_uint(w, "queued", stats.queued);
	json_put_int(w, "last_sequence", stats.last_sequence);
}

static void write_state_fields(struct json_writer *w, const struct fake *fake, int64_t users)
{
	const struct state *state = &fake->state;

	json_key(w, "bot");
	write_user(w, state_user(state, state->bot));
	json_put_snowflake(w, "application_id", state->bot);
	json_key(w, "guild");
	json_begin_object(w);
	json_put_snowflake(w, "id", state->guild);
	json_put_string(w, "name", state->guild_name);
	json_put_snowflake(w, "owner_id", state->owner);
	json_put_int(w, "member_count", (int64_t)state->member_count);
	json_end_object(w);
	json_key(w, "users");
	json_begin_array(w);
	for (struct user *user = state->users; user && users > 0; user = user->hh.next, users--)
		write_person(w, state, user);
	json_end_array(w);
	json_key(w, "roles");
	json_begin_array(w);
	for (size_t i = 0; i < state->role_count; i++)
		write_role(w, &state->roles[i]);
	json_end_array(w);
	json_key(w, "channels");
	json_begin_array(w);
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next)
		if (!channel_is_direct(channel))
			write_channel(w, state, channel);
	json_end_array(w);
	json_key(w, "commands");
	json_begin_array(w);
	for (size_t i = 0; i < state->command_count; i++)
		write_command(w, state, &state->commands[i]);
	json_end_array(w);
	json_put_uint(w, "event", feed_last(fake->feed));
	json_key(w, "gateway");
	json_begin_object(w);
	write_gateway_fields(w, fake);
	json_end_object(w);
}

static void look_state(struct ask *ask)
{
	int64_t users = ask_int(ask, "users", 0, 1000000, USERS_SHOWN);

	if (ask_fine(ask))
		write_state_fields(&ask->w, ask->fake, users);
}

cJSON *fake_state(struct fake *fake)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	json_begin_object(&w);
	write_state_fields(&w, fake, INT64_MAX);
	json_end_object(&w);
	return cJSON_ParseWithLength(text.buf, text.len);
}

static void look_gateway(struct ask *ask)
{
	write_gateway_fields(&ask->w, ask->fake);
}

/* ---- as one person sees it ---- */

static void write_seen_channel(
	struct json_writer *w, const struct state *state, uint64_t user, const struct channel *channel)
{
	uint64_t permissions = permissions_in(state, user, channel);

	json_begin_object(w);
	write_channel_fields(w, state, channel);
	json_put_bool(w, "can_send", permitted(permissions, PERMISSION_SEND_MESSAGES));
	json_put_bool(w, "can_react", permitted(permissions, PERMISSION_ADD_REACTIONS));
	json_put_bool(w, "can_manage", permitted(permissions, PERMISSION_MANAGE_MESSAGES));
	json_end_object(w);
}

static int compare_channels(const void *a, const void *b)
{
	const struct channel *x = *(struct channel *const *)a, *y = *(struct channel *const *)b;

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static void look_view(struct ask *ask)
{
	const struct state *state = &ask->fake->state;
	uint64_t user = ask_user(ask, "user");
	const struct channel *direct = user ? state_channel(state, fake_dm(ask->fake, user)) : NULL;
	const struct channel *shown[CHANNELS_MAX];
	size_t count = 0;

	if (!ask_fine(ask))
		return;
	for (struct channel *channel = state->channels; channel && count < CHANNELS_MAX; channel = channel->hh.next)
		if (!channel_is_direct(channel) &&
			permitted(permissions_in(state, user, channel), PERMISSION_VIEW_CHANNEL))
			shown[count++] = channel;
	qsort(shown, count, sizeof(struct channel *), compare_channels);
	json_key(&ask->w, "channels");
	json_begin_array(&ask->w);
	for (size_t i = 0; i < count; i++)
		write_seen_channel(&ask->w, state, user, shown[i]);
	if (direct && user != state->bot)
		write_seen_channel(&ask->w, state, user, direct);
	json_end_array(&ask->w);
	json_key(&ask->w, "commands");
	json_begin_array(&ask->w);
	for (size_t i = 0; i < state->command_count; i++) {
		bool usable = false;

		for (size_t j = 0; j < count && !usable; j++)
			usable = shown[j]->type == CHANNEL_TEXT &&
				 interaction_may_use(ask->fake, user, shown[j], &state->commands[i]);
		if (usable)
			write_command(&ask->w, state, &state->commands[i]);
	}
	json_end_array(&ask->w);
}

static void look_messages(struct ask *ask)
{
	const struct state *state = &ask->fake->state;
	uint64_t user = ask_user(ask, "user"), channel_id = ask_channel(ask, user);
	uint64_t before = ask_has(ask, "before") ? ask_id(ask, "before") : 0;
	int64_t limit = ask_int(ask, "limit", 1, 1000, MESSAGES_SHOWN);
	const struct channel *channel = state_channel(state, channel_id);
	size_t at;

	if (!ask_fine(ask))
		return;
	if (!permitted(permissions_in(state, user, channel), PERMISSION_VIEW_CHANNEL)) {
		ask_refuse(ask, 400, "%s does not see this channel", state_user(state, user)->name);
		return;
	}
	at = before ? channel_message_index(channel, before) : channel->message_count;
	json_key(&ask->w, "messages");
	json_begin_array(&ask->w);
	for (; at > 0 && limit > 0; at--) {
		const struct message *message = channel->messages[at - 1];

		if (message->ephemeral_for && message->ephemeral_for != user)
			continue;
		write_message(&ask->w, state, message, (struct message_form){ .gateway = true, .viewer = user });
		limit--;
	}
	json_end_array(&ask->w);
}

static void look_message(struct ask *ask)
{
	const struct state *state = &ask->fake->state;
	uint64_t user = ask_has(ask, "user") ? ask_user(ask, "user") : 0;
	uint64_t channel = ask_channel(ask, user), id = ask_id(ask, "message");
	const struct message *message = ask_fine(ask) ? channel_message(state_channel(state, channel), id) : NULL;

	if (!message) {
		ask_refuse(ask, 404, "there is no such message in this channel");
		return;
	}
	json_key(&ask->w, "message");
	write_message(&ask->w, state, message, (struct message_form){ .gateway = true, .viewer = user });
}

/* ---- what happens ---- */

static void look_events(struct ask *ask)
{
	int64_t wait = ask_int(ask, "wait", 0, 60, 25);
	int64_t after = ask_int(ask, "after", 0, INT64_MAX, -1);

	if (!ask_fine(ask))
		return;
	ask->later = true;
	if (after < 0)
		feed_poll(ask->fake->feed, ask->request, feed_last(ask->fake->feed), 0);
	else
		feed_poll(ask->fake->feed, ask->request, (uint64_t)after, wait * SECOND);
}

void control_write_interaction(struct fake *fake, uint64_t id, struct json_writer *w)
{
	static const char *const states[] = { "waiting", "deferred", "answered", "failed" };
	struct fake_interaction_view view;

	if (fake_interaction(fake, id, &view) < 0)
		return;
	json_put_snowflake(w, "interaction", id);
	json_put_string(w, "state", states[view.state]);
	json_put_int(w, "callback", view.callback);
	json_put_bool(w, "ephemeral", view.ephemeral);
	json_put_snowflake(w, "message", view.message);
	json_put_uint(w, "followups", view.followups);
	json_key(w, "data");
	if (view.data)
		json_write_tree(w, view.data);
	else
		json_write_null(w);
}

static void look_interaction(struct ask *ask)
{
	struct fake_interaction_view view;
	uint64_t id = ask_id(ask, "id");

	if (ask_fine(ask) && fake_interaction(ask->fake, id, &view) < 0)
		ask_refuse(ask, 404, "there is no such interaction");
	if (ask_fine(ask))
		control_write_interaction(ask->fake, id, &ask->w);
}

/* ---- the journal ---- */

static void write_call(struct json_writer *w, const struct fake_call *call)
{
	json_begin_object(w);
	json_put_uint(w, "number", call->number);
	put_time(w, "at", call->at);
	json_put_string(w, "method", call->method);
	json_put_string(w, "template", call->template);
	json_put_string(w, "path", call->path);
	json_put_string(w, "query", call->query);
	json_put_string(w, "user_agent", call->user_agent);
	json_put_string(w, "content_type", call->content_type);
	json_put_string(w, "reason", call->reason);
	json_key(w, "body");
	if (call->body)
		json_write_raw(w, call->body, strlen(call->body));
	else
		json_write_null(w);
	json_put_int(w, "status", call->status);
	json_put_int(w, "code", call->code);
	json_end_object(w);
}

static void look_journal(struct ask *ask)
{
	int64_t after = ask_int(ask, "after", 0, INT64_MAX, 0),
		limit = ask_int(ask, "limit", 1, CALLS_SHOWN, CALLS_SHOWN);
	const char *method = ask_text(ask, "method"), *template = ask_text(ask, "template");

	if (!ask_fine(ask))
		return;
	json_key(&ask->w, "calls");
	json_begin_array(&ask->w);
	for (size_t i = 0; i < fake_calls(ask->fake) && limit > 0; i++) {
		const struct fake_call *call = fake_call(ask->fake, i);

		if ((int64_t)call->number <= after || (method && !streq(method, call->method)) ||
			(template && !streq(template, call->template)))
			continue;
		write_call(&ask->w, call);
		limit--;
	}
	json_end_array(&ask->w);
}

static void look_journal_lines(struct ask *ask)
{
	str_clear(&ask->out);
	ask->raw = true;
	ask->type = "application/x-ndjson";
	fake_write_calls(ask->fake, &ask->out);
}

static void look_stream(struct ask *ask)
{
	bool done;

	json_put_uint(&ask->w, "sent", fake_stream_progress(ask->fake, &done));
	json_put_bool(&ask->w, "done", done);
}

const struct ask_row control_looks[] = {
	{ "state", look_state },
	{ "view", look_view },
	{ "messages", look_messages },
	{ "message", look_message },
	{ "events", look_events },
	{ "interaction", look_interaction },
	{ "journal", look_journal },
	{ "journal.jsonl", look_journal_lines },
	{ "gateway", look_gateway },
	{ "stream", look_stream },
	{ "wait", control_wait },
	{ 0 },
};
