/* Gateway v10, the sending side: dispatches with sequence numbers, READY and GUILD_CREATE, replay after a resume, compression. */
#include <stdlib.h>
#include <utlist.h>

#include "base/json.h"
#include "gateway_private.h"
#include "permissions.h"
#include "write.h"

/* Above this many members the guild counts as large (the default of identify's large_threshold). */
#define LARGE_GUILD 50

/* One message of zlib-stream: the connection's one deflate context, flushed so that the client sees 00 00 FF FF at the end. */
static void send_compressed(struct connection *connection, const char *text, size_t len)
{
	z_stream *z = connection->deflate;
	struct str out cleanup(str_finish) = STR_INIT;
	unsigned char chunk[16384 - 512];

	z->next_in = (unsigned char *)text;
	z->avail_in = (unsigned)len;
	do {
		z->next_out = chunk;
		z->avail_out = sizeof(chunk);
		deflate(z, Z_SYNC_FLUSH);
		str_add(&out, chunk, sizeof(chunk) - z->avail_out);
	} while (z->avail_out == 0);
	ws_send(connection->ws, out.buf, out.len, true);
}

void connection_send(struct connection *connection, const char *text, size_t len)
{
	if (connection->gateway->faults.silent)
		return;
	if (connection->deflate)
		send_compressed(connection, text, len);
	else
		ws_send(connection->ws, text, len, false);
}

void connection_send_op(struct connection *connection, int op, const char *data)
{
	struct str text cleanup(str_finish) = STR_INIT;

	str_printf(&text, "{\"t\":null,\"s\":null,\"op\":%d,\"d\":%s}", op, data);
	connection_send(connection, text.buf, text.len);
}

void connection_invalidate(struct connection *connection, bool resumable)
{
	connection->gateway->stats.invalidated++;
	connection_send_op(connection, GATEWAY_INVALID_SESSION, resumable ? "true" : "false");
}

uint32_t session_intents(const struct session *session)
{
	return session->intents;
}

/* Numbers the event, keeps it for a resume and sends it when the session has a connection. */
static void dispatch_to(
	struct gateway *gateway, struct session *session, const char *event, const char *data, size_t len)
{
	struct str payload = STR_INIT;
	size_t payload_len;
	char *text;

	session->seq++;
	gateway->stats.dispatched++;
	gateway->stats.last_sequence = session->seq;
	if (gateway->faults.skip > 0) {
		gateway->faults.skip--;
		return;
	}
	str_reserve(&payload, len + 96);
	str_adds(&payload, "{\"t\":\"");
	str_adds(&payload, event);
	str_adds(&payload, "\",\"s\":");
	str_addi64(&payload, session->seq);
	str_adds(&payload, ",\"op\":0,\"d\":");
	str_add(&payload, data, len);
	str_addc(&payload, '}');
	if (session->connection) {
		connection_send(session->connection, payload.buf, payload.len);
		if (gateway->faults.duplicate > 0) {
			gateway->faults.duplicate--;
			connection_send(session->connection, payload.buf, payload.len);
		}
	}
	if (gateway->forgetful) {
		session_forget_events(session);
		str_finish(&payload);
		return;
	}
	text = str_detach(&payload, &payload_len);
	session_keep(session, session->seq, text, payload_len);
}

void gateway_dispatch(
	struct gateway *gateway, const char *event, uint32_t intents, const struct str *data, const struct str *bare)
{
	struct session *session, *next;

	DL_FOREACH_SAFE (gateway->sessions, session, next) {
		const struct str *form = bare && !(session->intents & INTENT_CONTENT) ? bare : data;

		if (session->ready && (!intents || session->intents & intents))
			dispatch_to(gateway, session, event, form->buf, form->len);
	}
}

/* ---- later ---- */

static void delayed_free(struct delayed *delayed)
{
	timer_finish(&delayed->timer);
	DL_DELETE(delayed->gateway->delayed, delayed);
	delayed->gateway->delayed_count--;
	free(delayed->event);
	str_finish(&delayed->data);
	free(delayed);
}

static void on_delayed(void *arg)
{
	struct delayed *delayed = arg;
	struct session *session;

	DL_FOREACH (delayed->gateway->sessions, session)
		if (streq(session->id, delayed->session))
			dispatch_to(delayed->gateway, session, delayed->event, delayed->data.buf, delayed->data.len);
	delayed_free(delayed);
}

void session_dispatch_later(
	struct gateway *gateway, struct session *session, usec delay, const char *event, const struct str *data)
{
	struct delayed *delayed;

	if (!delay) {
		dispatch_to(gateway, session, event, data->buf, data->len);
		return;
	}
	if (gateway->delayed_count >= DELAYED_MAX)
		return;
	delayed = xcalloc(1, sizeof(*delayed));
	delayed->gateway = gateway;
	memcpy(delayed->session, session->id, sizeof(delayed->session));
	delayed->event = xstrdup(event);
	str_init(&delayed->data);
	str_add(&delayed->data, data->buf, data->len);
	DL_APPEND(gateway->delayed, delayed);
	gateway->delayed_count++;
	timer_init(&delayed->timer, gateway->fake->loop, on_delayed, delayed);
	timer_start(&delayed->timer, delay);
}

void gateway_cancel_delayed(struct gateway *gateway)
{
	while (gateway->delayed)
		delayed_free(gateway->delayed); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
}

/* ---- the beginning of a session ---- */

static void write_ready(struct gateway *gateway, const struct session *session, struct str *out)
{
	struct fake *fake = gateway->fake;
	struct json_writer w = JSON_WRITER(out);

	json_begin_object(&w);
	json_put_int(&w, "v", 10);
	json_key(&w, "user");
	write_user(&w, state_user(&fake->state, fake->state.bot));
	json_key(&w, "guilds");
	json_begin_array(&w);
	if (!fake->bot_gone) {
		json_begin_object(&w);
		json_put_snowflake(&w, "id", fake->state.guild);
		json_put_bool(&w, "unavailable", true);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_put_string(&w, "session_id", session->id);
	json_put_string(&w, "resume_gateway_url", fake->gateway_url);
	json_put_string(&w, "session_type", "normal");
	json_key(&w, "private_channels");
	json_begin_array(&w);
	json_end_array(&w);
	json_key(&w, "shard");
	json_begin_array(&w);
	json_write_int(&w, 0);
	json_write_int(&w, 1);
	json_end_array(&w);
	json_key(&w, "application");
	json_begin_object(&w);
	json_put_snowflake(&w, "id", fake->state.bot);
	json_put_int(&w, "flags", application_flags(fake->options.denied_intents));
	json_end_object(&w);
	json_end_object(&w);
}

/* Members in GUILD_CREATE: without the presences intent only the bot itself, else everybody of a guild that is not large (gateway-events,
 * "Guild Create"). */
static void write_guild_members(struct fake *fake, uint32_t intents, struct json_writer *w)
{
	bool all = intents & INTENT_PRESENCES && fake->state.member_count <= LARGE_GUILD;

	json_key(w, "members");
	json_begin_array(w);
	for (struct user *user = fake->state.users; user; user = user->hh.next)
		if (user->member && (all || user->id == fake->state.bot))
			write_member(w, &fake->state, user);
	json_end_array(w);
}

static void put_empty_array(struct json_writer *w, const char *key)
{
	json_key(w, key);
	json_begin_array(w);
	json_end_array(w);
}

static void write_guild_channels(struct fake *fake, struct json_writer *w, bool threads)
{
	struct state *state = &fake->state;

	json_key(w, threads ? "threads" : "channels");
	json_begin_array(w);
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next) {
		if (channel_is_direct(channel) || threads != channel_is_thread(channel))
			continue;
		if (threads && !permitted(permissions_in(state, state->bot, channel), PERMISSION_VIEW_CHANNEL))
			continue;
		write_channel(w, state, channel);
	}
	json_end_array(w);
}

void gateway_write_guild(struct fake *fake, uint32_t intents, struct str *out)
{
	const struct member *bot = state_member(&fake->state, fake->state.bot);
	struct json_writer w = JSON_WRITER(out);

	json_begin_object(&w);
	write_guild_fields(&w, &fake->state);
	put_time(&w, "joined_at", bot ? bot->joined : fake_time(fake));
	json_put_bool(&w, "large", fake->state.member_count > LARGE_GUILD);
	json_put_bool(&w, "unavailable", false);
	json_put_int(&w, "member_count", (int64_t)fake->state.member_count);
	write_guild_members(fake, intents, &w);
	write_guild_channels(fake, &w, false);
	write_guild_channels(fake, &w, true);
	put_empty_array(&w, "presences");
	put_empty_array(&w, "voice_states");
	put_empty_array(&w, "stage_instances");
	put_empty_array(&w, "guild_scheduled_events");
	put_empty_array(&w, "soundboard_sounds");
	json_end_object(&w);
}

void connection_ready(struct connection *connection)
{
	struct gateway *gateway = connection->gateway;
	struct session *session = connection->session;
	struct str ready cleanup(str_finish) = STR_INIT;
	struct str guild cleanup(str_finish) = STR_INIT;

	if (!session || session->ready)
		return;
	write_ready(gateway, session, &ready);
	session->ready = true;
	dispatch_to(gateway, session, "READY", ready.buf, ready.len);
	gateway_tell_page(gateway, "identified");
	if (gateway->fake->bot_gone || gateway->fake->outage || !(session->intents & INTENT_GUILDS))
		return;
	gateway_write_guild(gateway->fake, session->intents, &guild);
	dispatch_to(gateway, session, "GUILD_CREATE", guild.buf, guild.len);
}

void connection_replay(struct connection *connection, int64_t seq)
{
	struct session *session = connection->session;

	for (size_t i = 0; i < session->count; i++) {
		const struct session_event *event = session_event(session, i);

		if (event->seq > seq)
			connection_send(connection, event->payload, event->len);
	}
	dispatch_to(connection->gateway, session, "RESUMED", "{\"_trace\":[\"[\\\"fake\\\",{}]\"]}", 28);
	gateway_tell_page(connection->gateway, "resumed");
}

void gateway_on_drained(struct gateway *gateway, void (*drained)(void *arg), void *arg)
{
	gateway->drained = drained;
	gateway->drained_arg = arg;
}

void gateway_keep_events(struct gateway *gateway, bool keep)
{
	gateway->forgetful = !keep;
}

size_t gateway_backlog(const struct gateway *gateway)
{
	size_t most = 0;

	for (struct connection *c = gateway->connections; c; c = c->next)
		most = MAX(most, ws_queued(c->ws));
	return most;
}
