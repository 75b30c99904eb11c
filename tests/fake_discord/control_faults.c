/* Faults, limits, clock and floods through the control interface (POST; CONTROL.md). */
#include <stddef.h>

#include "control_private.h"

static void act_gateway(struct ask *ask)
{
	const char *what = ask_needed(ask, "do");
	int which = (int)ask_int(ask, "which", 0, 1000, FAKE_ALL), code = (int)ask_int(ask, "code", 1000, 4999, 4000);
	bool resumable = ask_bool(ask, "resumable", false);

	if (!ask_fine(ask))
		return;
	if (streq(what, "drop"))
		fake_gateway_drop(ask->fake, which);
	else if (streq(what, "reset"))
		fake_gateway_reset(ask->fake, which);
	else if (streq(what, "close"))
		fake_gateway_close(ask->fake, which, code);
	else if (streq(what, "reconnect"))
		fake_gateway_reconnect(ask->fake, which);
	else if (streq(what, "invalidate"))
		fake_gateway_invalidate(ask->fake, which, resumable);
	else if (streq(what, "heartbeat"))
		fake_gateway_ask_heartbeat(ask->fake, which);
	else
		ask_refuse(ask, 400, "do must be drop, reset, close, reconnect, invalidate or heartbeat");
}

static void act_gateway_faults(struct ask *ask)
{
	struct fake_gateway_faults faults = {
		.no_ack = ask_bool(ask, "no_ack", false),
		.silent = ask_bool(ask, "silent", false),
		.reconnect_before_hello = ask_bool(ask, "reconnect_before_hello", false),
		.refuse_resumes = (int)ask_int(ask, "refuse_resumes", 0, INT32_MAX, 0),
		.drop_resumes = (int)ask_int(ask, "drop_resumes", 0, INT32_MAX, 0),
		.refuse_identifies = (int)ask_int(ask, "refuse_identifies", 0, INT32_MAX, 0),
		.refuse_connections = (int)ask_int(ask, "refuse_connections", 0, INT32_MAX, 0),
		.close_identifies = (int)ask_int(ask, "close_identifies", 0, 4999, 0),
		.fragment = (size_t)ask_int(ask, "fragment", 0, INT32_MAX, 0),
		.dribble = (size_t)ask_int(ask, "dribble", 0, INT32_MAX, 0),
		.duplicate = (int)ask_int(ask, "duplicate", 0, INT32_MAX, 0),
		.skip = (int)ask_int(ask, "skip", 0, INT32_MAX, 0),
		.missing_chunks = (int)ask_int(ask, "missing_chunks", 0, INT32_MAX, 0),
		.chunk_delay = ask_int(ask, "chunk_delay_ms", 0, 600000, 0) * MILLISECOND,
		.dispatch_delay = ask_int(ask, "dispatch_delay_ms", 0, 600000, 0) * MILLISECOND,
	};

	if (ask_fine(ask))
		fake_gateway_set_faults(ask->fake, &faults);
}

static void act_rest_fault(struct ask *ask)
{
	static const struct {
		const char *name;
		enum fake_rest_fault_kind kind;
	} kinds[] = {
		{ "status", FAKE_REST_STATUS },
		{ "lost_answer", FAKE_REST_LOST_ANSWER },
		{ "lost_request", FAKE_REST_LOST_REQUEST },
		{ "slow", FAKE_REST_SLOW },
		{ "limit_user", FAKE_REST_LIMIT_USER },
		{ "limit_global", FAKE_REST_LIMIT_GLOBAL },
		{ "limit_shared", FAKE_REST_LIMIT_SHARED },
		{ "limit_html", FAKE_REST_LIMIT_HTML },
		{ "garbage", FAKE_REST_GARBAGE },
		{ "bad_status_body", FAKE_REST_BAD_STATUS_BODY },
	};
	const char *name = ask_needed(ask, "kind");
	struct fake_rest_fault fault = {
		.method = ask_text(ask, "method"),
		.path = ask_text(ask, "path"),
		.count = (int)ask_int(ask, "count", -1, INT32_MAX, 1),
		.skip = (int)ask_int(ask, "skip", 0, INT32_MAX, 0),
		.status = (int)ask_int(ask, "status", 400, 599, 0),
		.delay = ask_int(ask, "delay_ms", 0, 600000, 0) * MILLISECOND,
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && !streq(kinds[i].name, name))
		i++;
	if (i == ARRAY_SIZE(kinds)) {
		ask_refuse(ask, 400, "kind must be one of those that CONTROL.md names");
		return;
	}
	fault.kind = kinds[i].kind;
	if (ask_fine(ask) && fake_rest_fault(ask->fake, &fault) < 0)
		ask_refuse(ask, 400, "too many faults are waiting already");
}

static void act_clear_faults(struct ask *ask)
{
	fake_rest_clear_faults(ask->fake);
	fake_gateway_set_faults(ask->fake, &(struct fake_gateway_faults){ 0 });
}

static void act_reset_rate_limits(struct ask *ask)
{
	fake_reset_rate_limits(ask->fake);
}

static void act_rate_limits(struct ask *ask)
{
	fake_set_rate_limits(ask->fake, ask_bool(ask, "on", true));
}

static void act_forget_journal(struct ask *ask)
{
	fake_forget_calls(ask->fake);
}

static void act_forget_sessions(struct ask *ask)
{
	fake_forget_sessions(ask->fake);
}

static void act_remove_bot(struct ask *ask)
{
	fake_remove_bot(ask->fake);
}

static void act_invite_bot(struct ask *ask)
{
	fake_invite_bot(ask->fake);
}

static void act_revoke_token(struct ask *ask)
{
	fake_revoke_token(ask->fake);
}

static void act_outage(struct ask *ask)
{
	bool on = ask_bool(ask, "on", true);

	if (ask_fine(ask))
		fake_outage(ask->fake, on);
}

static void act_advance(struct ask *ask)
{
	int64_t ms = ask_int(ask, "ms", 0, 366LL * 86400 * 1000, 0);

	if (ask_fine(ask))
		fake_advance(ask->fake, ms * MILLISECOND);
}

static void act_stream(struct ask *ask)
{
	struct fake_stream stream = {
		.channel = ask_channel(ask, 0),
		.count = (uint64_t)ask_int(ask, "count", 1, 1000000000, 1),
		.members = (unsigned)ask_int(ask, "members", 0, 100000, 0),
		.content = ask_text(ask, "content"),
		.rate = (uint64_t)ask_int(ask, "rate", 0, 10000000, 0),
		.start = ask_int(ask, "start_ms", 0, INT64_MAX / 1000, 0) * MILLISECOND,
		.step = ask_int(ask, "step_ms", 0, 86400000, 0) * MILLISECOND,
		.keep = ask_bool(ask, "keep", false),
		.no_replay = ask_bool(ask, "no_replay", false),
	};

	if (ask_fine(ask) && fake_stream_start(ask->fake, &stream) < 0)
		ask_refuse(ask, 400, "a stream is running already, or the channel takes no messages");
}

const struct ask_row control_faults[] = {
	{ "gateway", act_gateway },
	{ "gateway_faults", act_gateway_faults },
	{ "rest_fault", act_rest_fault },
	{ "clear_faults", act_clear_faults },
	{ "reset_rate_limits", act_reset_rate_limits },
	{ "rate_limits", act_rate_limits },
	{ "forget_journal", act_forget_journal },
	{ "forget_sessions", act_forget_sessions },
	{ "remove_bot", act_remove_bot },
	{ "invite_bot", act_invite_bot },
	{ "revoke_token", act_revoke_token },
	{ "outage", act_outage },
	{ "advance", act_advance },
	{ "stream", act_stream },
	{ 0 },
};
