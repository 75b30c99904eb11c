/* The listener's events: live changes go to the recorder at once, the member list in pieces.
 *
 * When the list is asked for: with every new session and after an outage of the guild (GUILD_CREATE), after the
 * start of the process also when it resumed (the last list may have been cut off), when a reconnect cut one off, and
 * once a day. An outage or our removal from the guild marks nobody absent. A list counts only when all its pieces
 * are here and the bot itself is in it; only then are those absent who are not in it.
 *
 * To listen to another event: a row in `handlers` and its function.
 */
#include "listener.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "models/profile.h"
#include "reconcile.h"
#include "recorder.h"

/* A new session brings GUILD_CREATE within seconds; without it we ask all the same. */
#define GUILD_PATIENCE (30 * SECOND)
/* A list that is not complete for so long is a reason to look at us. */
#define LIST_PATIENCE (3 * MINUTE)

static struct metric changes =
	METRIC_COUNTER("walle_listener_profile_changes_total", "Profiles that were written because they changed");
static struct metric lists =
	METRIC_COUNTER("walle_listener_member_lists_total", "Member lists compared with the database to the end");
static struct metric repeats =
	METRIC_COUNTER("walle_listener_member_list_requests_total", "Requests for the member list");
static struct metric malformed =
	METRIC_COUNTER("walle_listener_malformed_total", "Members or events that could not be read");
static struct metric listed =
	METRIC_GAUGE("walle_listener_members", "Members in the last complete list, bots included");

struct listener {
	struct service *service;
	struct recorder recorder;
	struct reconcile reconcile;
	struct timer timer;
	struct loop_task list_committed;
	struct arena arena; /* of one event */
	bool started;       /* the first READY or RESUMED has come */
	bool replayed;      /* the event at hand */
	int64_t in_list;
};

/* Lets the timer fire when there is something to decide. */
static void schedule(struct listener *listener)
{
	usec due = reconcile_due(&listener->reconcile);

	if (due == RECONCILE_NEVER)
		timer_stop(&listener->timer);
	else
		timer_start(&listener->timer, due - loop_now(&listener->service->loop));
}

static void want_list(struct listener *listener, usec delay)
{
	reconcile_want(&listener->reconcile, loop_now(&listener->service->loop), delay);
	schedule(listener);
}

static void on_timer(void *arg)
{
	struct listener *listener = arg;
	struct service *service = listener->service;
	usec now = loop_now(&service->loop);
	int r;

	if (reconcile_tick(&listener->reconcile, now)) {
		r = gateway_client_request_members(
			service->gateway, service->guild_id, reconcile_next_nonce(&listener->reconcile), NULL, 0);
		if (r < 0) {
			reconcile_refused(&listener->reconcile, now);
		} else {
			metric_add(&repeats, 1);
			listener->in_list = 0;
			reconcile_requested(&listener->reconcile, now);
			r = profile_reconcile_begin(service->db);
			if (r < 0)
				reconcile_incomplete(&listener->reconcile, now);
		}
	}
	schedule(listener);
}

static void on_list_committed(struct loop_task *task)
{
	struct listener *listener = CONTAINER_OF(task, struct listener, list_committed);

	/* A new list may have been wanted meanwhile. */
	if (!reconcile_all_here(&listener->reconcile))
		return;
	reconcile_complete(&listener->reconcile, loop_now(&listener->service->loop));
	schedule(listener);
	metric_add(&lists, 1);
	metric_set(&listed, listener->in_list);
	log_info("the member list is compared", LOG_INT("members", listener->in_list));
}

/* ---- events ---- */

static int on_ready(struct listener *listener, const cJSON *d)
{
	(void)d;
	listener->started = true;
	want_list(listener, GUILD_PATIENCE);
	return 0;
}

static int on_resumed(struct listener *listener, const cJSON *d)
{
	(void)d;
	/* Pieces of a list do not survive a reconnect for sure. */
	if (!listener->started || listener->reconcile.state != RECONCILE_IDLE)
		want_list(listener, 0);
	listener->started = true;
	return 0;
}

static int on_guild_create(struct listener *listener, const cJSON *d)
{
	if (json_bool(d, "unavailable", false))
		return 0;
	want_list(listener, 0);
	return 0;
}

static int on_guild_delete(struct listener *listener, const cJSON *d)
{
	if (json_bool(d, "unavailable", false)) {
		log_warn("the guild is not available at present");
		return 0;
	}
	/* Whoever throws the bot out does not want the leaderboard emptied: what is stored stays as it is. */
	log_warn("the bot was removed from the guild: the stored profiles stay as they are");
	reconcile_forget(&listener->reconcile);
	schedule(listener);
	return 0;
}

static int note_malformed(const char *what)
{
	metric_add(&malformed, 1);
	log_warn("an event could not be read", LOG_STR("event", what));
	return 0;
}

/* GUILD_MEMBER_ADD and GUILD_MEMBER_UPDATE */
static int on_member(struct listener *listener, const cJSON *d)
{
	struct member member;
	bool changed;
	int r;

	if (member_parse(d, &listener->arena, &member) < 0 || !member.user.id)
		return note_malformed("member");
	reconcile_touch(&listener->reconcile, member.user.id);
	r = recorder_put(&listener->recorder, &member, clock_realtime(), &changed);
	if (r >= 0)
		metric_add(&changes, changed);
	return r;
}

static int on_member_remove(struct listener *listener, const cJSON *d)
{
	struct user user;
	bool changed;
	int r;

	if (user_parse(json_object(d, "user"), &user) < 0 || !user.id)
		return note_malformed("GUILD_MEMBER_REMOVE");
	reconcile_touch(&listener->reconcile, user.id);
	r = recorder_remove(&listener->recorder, &user, clock_realtime(), &changed);
	if (r >= 0)
		metric_add(&changes, changed);
	return r;
}

/* One member of the list. He is marked as here even when his data cannot be read. */
static int put_listed(struct listener *listener, const cJSON *json, usec now)
{
	snowflake id = json_snowflake(json_object(json, "user"), "id");
	struct member member;
	bool changed;
	int r;

	if (!id) {
		metric_add(&malformed, 1);
		return 0;
	}
	if (id == listener->service->user_id)
		listener->reconcile.saw_self = true;
	r = profile_reconcile_mark(listener->service->db, id);
	if (r < 0)
		return r;
	listener->in_list++;
	if (reconcile_is_touched(&listener->reconcile, id))
		return 0;
	if (member_parse(json, &listener->arena, &member) < 0) {
		metric_add(&malformed, 1);
		return 0;
	}
	r = recorder_put(&listener->recorder, &member, now, &changed);
	if (r >= 0)
		metric_add(&changes, changed);
	arena_reset(&listener->arena);
	return r;
}

/* All pieces are here: who is not among them has left. */
static int finish_list(struct listener *listener)
{
	struct service *service = listener->service;
	struct reconcile *reconcile = &listener->reconcile;
	int64_t left;
	int r;

	if (!reconcile->saw_self) {
		log_warn("a member list came without the bot in it: not believed, asking again");
		reconcile_incomplete(reconcile, loop_now(&service->loop));
		return 0;
	}
	/* What live events said about these is newer: who joined is no leaver because the list does not know him,
	 * and who left is absent already. */
	for (size_t i = 0; i < reconcile->touched_count; i++) {
		r = profile_reconcile_mark(service->db, reconcile->touched[i]);
		if (r < 0)
			return r;
	}
	r = profile_reconcile_finish(service->db, clock_realtime(), &left);
	if (r < 0)
		return r;
	metric_add(&changes, left);
	batch_after_commit(service->batch, &listener->list_committed);
	return 0;
}

static int on_members_chunk(struct listener *listener, const cJSON *d)
{
	struct reconcile *reconcile = &listener->reconcile;
	usec now = clock_realtime();
	int r = 0;

	/* Its effects may be rolled back with a lost batch although it counts as received; RESUMED asks for a new
	 * list anyway. */
	if (listener->replayed)
		return 0;
	if (!reconcile_chunk(reconcile, json_string(d, "nonce"), json_int(d, "chunk_index", -1),
		    json_int(d, "chunk_count", 0), loop_now(&listener->service->loop)))
		return 0;
	json_array_each (member, json_array(d, "members")) {
		r = put_listed(listener, member, now);
		if (r < 0)
			break;
	}
	if (r >= 0 && reconcile_all_here(reconcile))
		r = finish_list(listener);
	/* This event's effects are undone; a whole new list makes up for them. */
	if (r < 0)
		reconcile_incomplete(reconcile, loop_now(&listener->service->loop));
	schedule(listener);
	return r;
}

static int on_rate_limited(struct listener *listener, const cJSON *d)
{
	double retry_after = json_double(d, "retry_after", 30.0);
	usec wait = retry_after >= 0 && retry_after < 86400 ? (usec)(retry_after * (double)SECOND) : 30 * SECOND;

	if (json_int(d, "opcode", 8) != 8)
		return 0;
	if (reconcile_rate_limited(&listener->reconcile, json_string(json_object(d, "meta"), "nonce"), wait,
		    loop_now(&listener->service->loop))) {
		log_info("the member list may be asked for later", LOG_INT("seconds", wait / SECOND));
		schedule(listener);
	}
	return 0;
}

/* `guild`: where the event names its guild, NULL when it is about none. Other guilds' events are not for us. */
static const struct handler {
	const char *event, *guild;
	int (*handle)(struct listener *listener, const cJSON *d);
} handlers[] = {
	{ "READY", NULL, on_ready },
	{ "RESUMED", NULL, on_resumed },
	{ "GUILD_CREATE", "id", on_guild_create },
	{ "GUILD_DELETE", "id", on_guild_delete },
	{ "GUILD_MEMBER_ADD", "guild_id", on_member },
	{ "GUILD_MEMBER_UPDATE", "guild_id", on_member },
	{ "GUILD_MEMBER_REMOVE", "guild_id", on_member_remove },
	{ "GUILD_MEMBERS_CHUNK", "guild_id", on_members_chunk },
	{ "RATE_LIMITED", NULL, on_rate_limited },
};

int listener_dispatch(struct service *service, const char *event, const cJSON *d, bool replayed)
{
	struct listener *listener = service->state;
	int r = 0;

	listener->replayed = replayed;
	for (size_t i = 0; i < ARRAY_SIZE(handlers); i++) {
		const struct handler *handler = &handlers[i];

		if (!streq(handler->event, event))
			continue;
		if (!handler->guild || json_snowflake(d, handler->guild) == service->guild_id)
			r = handler->handle(listener, d);
		arena_reset(&listener->arena);
		break;
	}
	return r;
}

/* ---- the rest of the service_definition ---- */

int listener_start(struct service *service, bool resuming)
{
	static struct metric *const metrics[] = { &changes, &lists, &repeats, &malformed, &listed };
	struct listener *listener = xcalloc(1, sizeof(*listener));

	/* The list is wanted in both cases: with GUILD_CREATE, or with RESUMED. */
	(void)resuming;
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		metrics_register(metrics[i]);
	listener->service = service;
	listener->recorder = (struct recorder){
		.db = service->db, .cdn_url = service->settings.cdn_url, .guild_id = service->guild_id
	};
	listener->list_committed.run = on_list_committed;
	timer_init(&listener->timer, &service->loop, on_timer, listener);
	service->state = listener;
	return 0;
}

void listener_stop(struct service *service)
{
	struct listener *listener = service->state;

	timer_stop(&listener->timer);
}

void listener_finish(struct service *service)
{
	struct listener *listener = service->state;

	batch_forget_task(service->batch, &listener->list_committed);
	timer_finish(&listener->timer);
	reconcile_finish(&listener->reconcile);
	arena_finish(&listener->arena);
	free(listener);
	service->state = NULL;
}

void listener_check(struct service *service, struct str *reason)
{
	const struct listener *listener = service->state;
	usec since = listener->reconcile.wanted_since;
	usec waited = since ? loop_now(&service->loop) - since : 0;

	if (waited > LIST_PATIENCE)
		str_printf(reason, "the member list has been incomplete for %lld s", (long long)(waited / SECOND));
}

void listener_dump(struct service *service, struct str *out)
{
	static const char *const states[] = { "idle", "wanted", "receiving" };
	const struct reconcile *reconcile = &((const struct listener *)service->state)->reconcile;

	str_printf(out, "member list: %s, %u of %u pieces, %zu touched by live events, %u attempts in vain\n",
		states[reconcile->state], reconcile->chunks_received, reconcile->chunk_count, reconcile->touched_count,
		reconcile->attempts);
}
