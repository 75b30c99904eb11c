/* What goes wrong on demand at the gateway, and the figures about it: the functions fake_gateway_*() of the public header, outages, forgotten
 * sessions. */
#include <utlist.h>

#include "base/json.h"
#include "feed.h"
#include "gateway_private.h"

typedef void connection_fn(struct connection *connection, void *arg);

static void each(struct fake *fake, int which, connection_fn *function, void *arg)
{
	struct connection *connection, *next;
	int index = 0;

	DL_FOREACH_SAFE (fake->gateway->connections, connection, next) {
		if (which == FAKE_ALL || which == index)
			function(connection, arg);
		index++;
	}
}

static void do_drop(struct connection *connection, void *arg)
{
	ws_drop(connection->ws, *(bool *)arg);
}

void fake_gateway_drop(struct fake *fake, int which)
{
	each(fake, which, do_drop, &(bool){ false });
}

void fake_gateway_reset(struct fake *fake, int which)
{
	each(fake, which, do_drop, &(bool){ true });
}

static void do_close(struct connection *connection, void *arg)
{
	connection_close(connection, *(int *)arg, "");
}

void fake_gateway_close(struct fake *fake, int which, int code)
{
	each(fake, which, do_close, &code);
}

static void do_reconnect(struct connection *connection, void *arg)
{
	(void)arg;
	connection_send_op(connection, GATEWAY_RECONNECT, "null");
}

void fake_gateway_reconnect(struct fake *fake, int which)
{
	each(fake, which, do_reconnect, NULL);
}

static void do_invalidate(struct connection *connection, void *arg)
{
	bool resumable = *(bool *)arg;

	if (!resumable && connection->session)
		gateway_forget_session(connection->gateway, connection->session);
	connection_invalidate(connection, resumable);
}

void fake_gateway_invalidate(struct fake *fake, int which, bool resumable)
{
	each(fake, which, do_invalidate, &resumable);
}

static void do_ask_heartbeat(struct connection *connection, void *arg)
{
	(void)arg;
	connection_send_op(connection, GATEWAY_HEARTBEAT, "null");
}

void fake_gateway_ask_heartbeat(struct fake *fake, int which)
{
	each(fake, which, do_ask_heartbeat, NULL);
}

static void do_send(struct connection *connection, void *arg)
{
	struct str *text = arg;

	connection_send(connection, text->buf, text->len);
}

void fake_gateway_send(struct fake *fake, int which, const char *text, size_t len)
{
	struct str frame cleanup(str_finish) = STR_INIT;

	str_add(&frame, text, len);
	each(fake, which, do_send, &frame);
}

void fake_dispatch(struct fake *fake, const char *event, const char *data_json)
{
	struct str data cleanup(str_finish) = STR_INIT;

	str_adds(&data, data_json);
	gateway_dispatch(fake->gateway, event, 0, &data, NULL);
}

void fake_gateway_set_faults(struct fake *fake, const struct fake_gateway_faults *faults)
{
	fake->gateway->faults = *faults;
	ws_server_set_shape(fake->gateway->server, faults->fragment, faults->dribble);
}

void fake_gateway_get_faults(const struct fake *fake, struct fake_gateway_faults *ret_faults)
{
	*ret_faults = fake->gateway->faults;
}

void fake_gateway(const struct fake *fake, struct fake_gateway_stats *ret_stats)
{
	struct gateway *gateway = fake->gateway;

	*ret_stats = gateway->stats;
	ret_stats->connections = 0;
	ret_stats->queued = 0;
	for (struct connection *c = gateway->connections; c; c = c->next) {
		ret_stats->connections++;
		ret_stats->queued += ws_queued(c->ws);
	}
	ret_stats->sessions = gateway_live_sessions(gateway);
}

/* GUILD_DELETE, by outage or because the bot was thrown out. */
static void tell_guild_gone(struct fake *fake, bool unavailable)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "id", fake->state.guild);
	if (unavailable)
		json_put_bool(&w, "unavailable", true);
	json_end_object(&w);
	gateway_dispatch(fake->gateway, "GUILD_DELETE", INTENT_GUILDS, &data, NULL);
}

static void tell_guild_back(struct fake *fake)
{
	struct session *session, *next;

	DL_FOREACH_SAFE (fake->gateway->sessions, session, next) {
		struct str data cleanup(str_finish) = STR_INIT;

		if (!session->ready || !(session->intents & INTENT_GUILDS))
			continue;
		gateway_write_guild(fake, session->intents, &data);
		session_dispatch_later(fake->gateway, session, 0, "GUILD_CREATE", &data);
	}
}

void fake_outage(struct fake *fake, bool on)
{
	if (fake->outage == on || fake->bot_gone)
		return;
	fake->outage = on;
	if (on)
		tell_guild_gone(fake, true);
	else
		tell_guild_back(fake);
}

void fake_remove_bot(struct fake *fake)
{
	if (fake->bot_gone)
		return;
	tell_guild_gone(fake, false);
	fake->bot_gone = true;
}

void fake_invite_bot(struct fake *fake)
{
	if (!fake->bot_gone)
		return;
	fake->bot_gone = false;
	tell_guild_back(fake);
}

void fake_forget_sessions(struct fake *fake)
{
	while (fake->gateway->sessions)
		gateway_forget_session(fake->gateway, fake->gateway->sessions);
}
