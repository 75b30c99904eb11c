/* discord/gateway_client.h and discord/rest.h against the fake Discord: real sockets, real frames, each fault that
 * Discord is known for. */
#include "test.h"

#include "discord/gateway_client.h"
#include "discord/rest.h"
#include "fake_discord/fake_discord.h"
#include "net/flow.h"

#define INTENTS  (INTENT_GUILDS | INTENT_GUILD_MEMBERS | INTENT_GUILD_MESSAGES | INTENT_MESSAGE_CONTENT)
#define PATIENCE (10 * SECOND)

struct world {
	struct loop loop;
	struct fake *fake;
	struct websockets *websockets;
	struct random random;
	struct gateway_client *client;
	/* what the owner keeps */
	char *session_id, *resume_url;
	int64_t received, committed;
	bool hold_commits; /* nothing is committed on asking */
	int lost_commits;  /* so many commits fail: what was received since the last one is gone */
	int claims, claims_to_refuse, dispatch_failures;
	/* what was seen */
	struct str contents; /* "a b c " of the messages */
	int ready, resumed, replayed, chunks, chunk_members, rate_limited, out_of_order;
	bool up, stopped;
	int ups;
	enum gateway_stop why;
	char reason[200], down_reason[200];
};

static int on_dispatch(void *arg, const char *event, const cJSON *d, int64_t sequence, bool replayed)
{
	struct world *w = arg;

	if (w->dispatch_failures > 0 && streq(event, "MESSAGE_CREATE")) {
		w->dispatch_failures--;
		return -ENOSPC;
	}
	if (sequence <= w->received)
		w->out_of_order++;
	w->received = sequence;
	w->replayed += replayed;
	if (streq(event, "MESSAGE_CREATE"))
		str_printf(&w->contents, "%s ", json_string(d, "content"));
	w->ready += streq(event, "READY");
	w->resumed += streq(event, "RESUMED");
	w->rate_limited += streq(event, "RATE_LIMITED");
	if (streq(event, "GUILD_MEMBERS_CHUNK")) {
		w->chunks++;
		json_array_each (member, json_array(d, "members"))
			w->chunk_members += cJSON_IsObject(member) != 0;
	}
	return 0;
}

static int64_t on_committed(void *arg)
{
	struct world *w = arg;

	if (w->lost_commits > 0 && w->received > w->committed) {
		w->lost_commits--;
		w->received = w->committed;
		return -EIO;
	}
	if (!w->hold_commits)
		w->committed = w->received;
	return w->committed;
}

static void on_session(void *arg, const char *session_id, const char *resume_url)
{
	struct world *w = arg;

	free(w->session_id);
	free(w->resume_url);
	w->session_id = session_id ? xstrdup(session_id) : NULL;
	w->resume_url = resume_url ? xstrdup(resume_url) : NULL;
	w->received = w->committed = 0;
}

static int on_claim(void *arg, usec *ret_wait)
{
	struct world *w = arg;

	w->claims++;
	if (w->claims_to_refuse-- > 0) {
		*ret_wait = 120 * MILLISECOND;
		return -EAGAIN;
	}
	return 0;
}

static void on_state(void *arg, bool up, const char *reason)
{
	struct world *w = arg;

	w->up = up;
	w->ups += up;
	snprintf(up ? w->reason : w->down_reason, sizeof(w->reason), "%s", reason);
}

static void on_stopped(void *arg, enum gateway_stop why, const char *reason)
{
	struct world *w = arg;

	w->stopped = true;
	w->why = why;
	snprintf(w->reason, sizeof(w->reason), "%s", reason);
}

static void client_start(struct world *w, const char *token, bool compress)
{
	const struct gateway_callbacks callbacks = { on_dispatch, on_committed, on_session, on_claim, on_state,
		on_stopped };

	w->stopped = w->up = false;
	assert_int_equal(gateway_client_create(&w->loop, w->websockets, &w->random,
				 &(struct gateway_client_options){
					 .token = token,
					 .intents = INTENTS,
					 .gateway_url = fake_gateway_url(w->fake),
					 .compress = compress,
					 .session_id = w->session_id,
					 .resume_url = w->resume_url,
					 .sequence = w->committed,
				 },
				 &callbacks, w, &w->client),
		0);
}

static bool is_up(void *arg)
{
	return ((struct world *)arg)->up;
}

static bool is_down(void *arg)
{
	return !((struct world *)arg)->up;
}

static bool is_stopped(void *arg)
{
	return ((struct world *)arg)->stopped;
}

static void until(struct world *w, bool (*done)(void *arg))
{
	if (loop_run_until(&w->loop, done, w, PATIENCE) < 0) {
		struct str dump cleanup(str_finish) = STR_INIT;

		gateway_client_dump(w->client, &dump);
		fail_msg("did not happen in time: %s(%s)", dump.buf, w->down_reason);
	}
}

static void world_prepare(struct world *w, const struct fake_options *options)
{
	struct fake_options with_defaults = *options;

	memset(w, 0, sizeof(*w));
	str_init(&w->contents);
	random_init(&w->random, 11);
	if (with_defaults.identify_interval == 0)
		with_defaults.identify_interval = -1;
	assert_int_equal(loop_init(&w->loop), 0);
	assert_int_equal(fake_create(&w->loop, &with_defaults, &w->fake), 0);
	assert_int_equal(websockets_create(&w->loop, &w->websockets), 0);
}

/* Connected, READY. */
static void world_open(struct world *w, bool compress)
{
	world_prepare(w, &(struct fake_options){ .heartbeat = 150 * MILLISECOND });
	client_start(w, FAKE_TOKEN, compress);
	until(w, is_up);
}

static void client_stop(struct world *w)
{
	if (!w->stopped) {
		gateway_client_stop(w->client);
		until(w, is_stopped);
	}
	gateway_client_destroy(w->client);
	w->client = NULL;
}

static void world_close(struct world *w)
{
	assert_int_equal(w->out_of_order, 0);
	if (w->client)
		client_stop(w);
	websockets_destroy(w->websockets);
	fake_destroy(w->fake);
	free(w->session_id);
	free(w->resume_url);
	str_finish(&w->contents);
	assert_int_equal(loop_finish(&w->loop), 0);
}

static void say(struct world *w, const char *content)
{
	assert_true(fake_say(w->fake, fake_member(w->fake, "alice"), fake_channel(w->fake, "general"), content) != 0);
}

static bool seen_last(void *arg)
{
	return strstr(((struct world *)arg)->contents.buf, "last ") != NULL;
}

/* All messages, in order, each once: "last" is the last. */
static void expect_contents(struct world *w, const char *contents)
{
	say(w, "last");
	until(w, seen_last);
	assert_string_equal(w->contents.buf, contents);
}

static struct fake_gateway_stats fake_stats(struct world *w)
{
	struct fake_gateway_stats stats;

	fake_gateway(w->fake, &stats);
	return stats;
}

/* Waits for the end of this connection and the next one's READY or RESUMED. */
static void again(struct world *w)
{
	until(w, is_down);
	until(w, is_up);
}

/* ---- ordinary use ---- */

static bool beaten_five_times(void *arg)
{
	struct fake_gateway_stats stats;

	fake_gateway(((struct world *)arg)->fake, &stats);
	return stats.heartbeats >= 5;
}

static void events_arrive(void **state)
{
	(void)state;
	for (int compress = 0; compress < 2; compress++) {
		struct gateway_statistics statistics;
		struct world w;

		world_open(&w, compress);
		assert_int_equal(w.ready, 1);
		assert_int_equal(w.claims, 1);
		assert_non_null(w.session_id);
		say(&w, "one");
		expect_contents(&w, "one last ");
		until(&w, beaten_five_times);
		gateway_client_statistics(w.client, &statistics);
		assert_true(statistics.latency > 0 && statistics.latency < SECOND);
		assert_int_equal(statistics.connects, 1);
		assert_int_equal(statistics.zombies, 0);
		assert_true(statistics.events >= 4 && statistics.bytes > 100);
		assert_int_equal(fake_stats(&w).last_intents, INTENTS);
		world_close(&w);
		assert_int_equal(w.why, GATEWAY_STOPPED);
	}
}

static void identify_waits_for_its_claim(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, &(struct fake_options){ 0 });
	w.claims_to_refuse = 3;
	client_start(&w, FAKE_TOKEN, false);
	until(&w, is_up);
	assert_int_equal(w.claims, 4);
	assert_int_equal(fake_stats(&w).identified, 1);
	world_close(&w);
}

static void large_frames_come_in_fragments(void **state)
{
	(void)state;
	for (int compress = 0; compress < 2; compress++) {
		struct world w;

		world_prepare(&w, &(struct fake_options){ .members = 3000, .heartbeat = SECOND });
		fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .fragment = 997 });
		client_start(&w, FAKE_TOKEN, compress);
		until(&w, is_up);
		expect_contents(&w, "last ");
		world_close(&w);
	}
}

/* ---- lost connections ---- */

enum loss {
	LOSS_DROP,
	LOSS_RESET,
	LOSS_4000,
	LOSS_1000,
	LOSS_OP7,
	LOSS_OP9_TRUE,
	LOSS_GARBAGE,
	LOSS_NOT_JSON_OBJECT,
	LOSS_OWNER
};

static void lose(struct world *w, enum loss loss)
{
	switch (loss) {
	case LOSS_DROP: fake_gateway_drop(w->fake, FAKE_ALL); break;
	case LOSS_RESET: fake_gateway_reset(w->fake, FAKE_ALL); break;
	case LOSS_4000: fake_gateway_close(w->fake, FAKE_ALL, 4000); break;
	case LOSS_1000: fake_gateway_close(w->fake, FAKE_ALL, 1000); break;
	case LOSS_OP7: fake_gateway_reconnect(w->fake, FAKE_ALL); break;
	case LOSS_OP9_TRUE: fake_gateway_invalidate(w->fake, FAKE_ALL, true); break;
	case LOSS_GARBAGE: fake_gateway_send(w->fake, FAKE_ALL, "{\"op\":", 6); break;
	case LOSS_NOT_JSON_OBJECT: fake_gateway_send(w->fake, FAKE_ALL, "[1]", 3); break;
	case LOSS_OWNER: gateway_client_reconnect(w->client, "the owner says so"); break;
	}
}

/* Also when their low bits are those of op 7. */
static void opcodes_to_come_are_ignored(void **state)
{
	static const char *const frames[] = { "{\"op\":12,\"d\":null}", "{\"op\":4294967303,\"d\":null}",
		"{\"op\":7.5}", "{}" };
	struct world w;

	(void)state;
	world_open(&w, false);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++)
		fake_gateway_send(w.fake, FAKE_ALL, frames[i], strlen(frames[i]));
	expect_contents(&w, "last ");
	assert_int_equal(fake_stats(&w).connected, 1);
	world_close(&w);
}

/* Whatever ends the connection: the session is resumed, and what was said meanwhile comes once and in order. */
static void sessions_are_resumed_without_loss(void **state)
{
	(void)state;
	for (enum loss loss = LOSS_DROP; loss <= LOSS_OWNER; loss++) {
		struct world w;

		world_open(&w, loss % 2);
		say(&w, "before");
		assert_int_equal(fake_wait_quiet(w.fake, 20 * MILLISECOND, SECOND), 0);
		lose(&w, loss);
		until(&w, is_down);
		say(&w, "while");
		until(&w, is_up);
		assert_int_equal(w.resumed, 1);
		assert_int_equal(w.ready, 1);
		assert_true(w.replayed >= 1);
		expect_contents(&w, "before while last ");
		assert_int_equal(fake_stats(&w).last_client_close, 0); /* we never say 1000 */
		world_close(&w);
	}
}

/* Case 1. */
static void unanswered_heartbeats_are_noticed(void **state)
{
	struct gateway_statistics statistics;
	struct world w;

	(void)state;
	world_open(&w, false);
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .no_ack = true });
	until(&w, is_down);
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ 0 });
	until(&w, is_up);
	gateway_client_statistics(w.client, &statistics);
	assert_true(statistics.zombies >= 1);
	assert_int_equal(w.resumed, 1);
	expect_contents(&w, "last ");
	world_close(&w);
}

/* Case 3. */
static void reconnect_before_hello_resumes(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .reconnect_before_hello = true });
	fake_gateway_drop(w.fake, FAKE_ALL);
	until(&w, is_down);
	assert_int_equal(fake_wait_quiet(w.fake, 500 * MILLISECOND, 2 * SECOND), 0);
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ 0 });
	until(&w, is_up);
	assert_int_equal(w.resumed, 1);
	assert_int_equal(fake_stats(&w).identified, 1);
	expect_contents(&w, "last ");
	world_close(&w);
}

/* Cases 4, 5 and the new-session codes of 6. */
static void ended_sessions_begin_anew(void **state)
{
	(void)state;
	for (int how = 0; how < 5; how++) {
		struct world w;

		world_open(&w, false);
		switch (how) {
		case 0: fake_gateway_invalidate(w.fake, FAKE_ALL, false); break;
		case 1: fake_gateway_close(w.fake, FAKE_ALL, 4009); break;
		case 2: fake_gateway_close(w.fake, FAKE_ALL, 4007); break;
		case 3:
			fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .drop_resumes = 3 });
			fake_gateway_drop(w.fake, FAKE_ALL);
			break;
		default:
			fake_forget_sessions(w.fake);
			fake_gateway_drop(w.fake, FAKE_ALL);
			break;
		}
		again(&w);
		assert_int_equal(w.ready, 2);
		assert_int_equal(w.resumed, 0);
		assert_int_equal(fake_stats(&w).identified, 2);
		expect_contents(&w, "last ");
		world_close(&w);
	}
}

static void refused_connections_are_tried_again(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, &(struct fake_options){ 0 });
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .refuse_connections = 3 });
	client_start(&w, FAKE_TOKEN, false);
	until(&w, is_up);
	expect_contents(&w, "last ");
	world_close(&w);
}

static void duplicates_come_once(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	fake_gateway_set_faults(w.fake, &(struct fake_gateway_faults){ .duplicate = 2 });
	say(&w, "a");
	say(&w, "b");
	expect_contents(&w, "a b last ");
	world_close(&w);
}

/* ---- effects ---- */

/* What the owner could not store comes again. */
static void events_that_failed_come_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	w.dispatch_failures = 2;
	say(&w, "a");
	say(&w, "b");
	until(&w, is_down);
	assert_string_equal(w.down_reason, "an event's effects could not be stored");
	expect_contents(&w, "a b last ");
	assert_int_equal(w.dispatch_failures, 0);
	assert_int_equal(w.ready, 1);
	world_close(&w);
}

/* The commit before a heartbeat is as good as any other: what it lost must come again. */
static void events_lost_by_the_commit_before_a_heartbeat_come_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	w.lost_commits = 1;
	fake_say(w.fake, fake_member(w.fake, "alice"), fake_channel(w.fake, "general"), "lost");
	until(&w, is_down);
	until(&w, is_up);
	assert_int_equal(w.lost_commits, 0);
	assert_int_equal(w.resumed, 1);
	expect_contents(&w, "lost lost last ");
	world_close(&w);
}

/* Case 10: the process dies between effects and commit. What was not committed is replayed to the next process. */
static void a_restarted_client_goes_on_from_what_was_committed(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	say(&w, "a");
	assert_int_equal(fake_wait_quiet(w.fake, 30 * MILLISECOND, SECOND), 0);
	w.committed = w.received;
	w.hold_commits = true;
	say(&w, "b");
	assert_int_equal(fake_wait_quiet(w.fake, 30 * MILLISECOND, SECOND), 0);
	assert_string_equal(w.contents.buf, "a b ");
	client_stop(&w);
	assert_int_equal(fake_stats(&w).last_client_close, 0);
	/* the new process has "a" in its database */
	str_clear(&w.contents);
	str_adds(&w.contents, "a ");
	w.received = w.committed;
	w.hold_commits = false;
	say(&w, "c");
	client_start(&w, FAKE_TOKEN, false);
	until(&w, is_up);
	assert_int_equal(w.ready, 1);
	assert_int_equal(w.resumed, 1);
	expect_contents(&w, "a b c last ");
	world_close(&w);
}

/* ---- the end ---- */

static void wrong_tokens_and_intents_end_it(void **state)
{
	struct world w;

	(void)state;
	world_prepare(&w, &(struct fake_options){ 0 });
	client_start(&w, "wrong-token", false);
	until(&w, is_stopped);
	assert_int_equal(w.why, GATEWAY_REFUSED);
	assert_memory_equal(w.reason, "4004: ", 6);
	world_close(&w);
	world_prepare(&w, &(struct fake_options){ .denied_intents = FAKE_INTENT_MESSAGE_CONTENT });
	client_start(&w, FAKE_TOKEN, false);
	until(&w, is_stopped);
	assert_int_equal(w.why, GATEWAY_REFUSED);
	assert_memory_equal(w.reason, "4014: ", 6);
	world_close(&w);
}

static void stopping_works_at_any_time(void **state)
{
	(void)state;
	for (int turns = 0; turns < 12; turns++) {
		struct world w;

		world_prepare(&w, &(struct fake_options){ 0 });
		client_start(&w, FAKE_TOKEN, turns % 2);
		for (int i = 0; i < turns * 2; i++)
			uv_run(&w.loop.uv, UV_RUN_NOWAIT);
		client_stop(&w);
		assert_int_equal(w.why, GATEWAY_STOPPED);
		world_close(&w);
	}
}

/* ---- op 8 ---- */

static bool has_all_members(void *arg)
{
	struct world *w = arg;

	return w->chunk_members >= 2500;
}

static bool was_rate_limited(void *arg)
{
	return ((struct world *)arg)->rate_limited > 0;
}

static void members_come_in_chunks(void **state)
{
	struct world w;
	snowflake alice;

	(void)state;
	world_prepare(&w, &(struct fake_options){ .members = 2500 });
	client_start(&w, FAKE_TOKEN, true);
	assert_int_equal(gateway_client_request_members(w.client, fake_guild(w.fake), "n", NULL, 0), -ENOTCONN);
	until(&w, is_up);
	assert_int_equal(gateway_client_request_members(w.client, fake_guild(w.fake), "all", NULL, 0), 0);
	until(&w, has_all_members);
	assert_true(w.chunks >= 3);
	/* case 18: a second full list within 30 s */
	assert_int_equal(gateway_client_request_members(w.client, fake_guild(w.fake), "again", NULL, 0), 0);
	until(&w, was_rate_limited);
	w.chunk_members = 0;
	alice = fake_member(w.fake, "alice");
	assert_int_equal(gateway_client_request_members(w.client, fake_guild(w.fake), "one", &alice, 1), 0);
	assert_int_equal(fake_wait_quiet(w.fake, 50 * MILLISECOND, SECOND), 0);
	assert_int_equal(w.chunk_members, 1);
	world_close(&w);
}

static void requests_beyond_the_send_limit_wait(void **state)
{
	struct world w;
	int accepted = 0;
	snowflake alice;

	(void)state;
	world_prepare(&w, &(struct fake_options){ 0 });
	client_start(&w, FAKE_TOKEN, false);
	until(&w, is_up);
	alice = fake_member(w.fake, "alice");
	for (int i = 0; i < 20; i++) {
		while (gateway_client_request_members(w.client, fake_guild(w.fake), NULL, &alice, 1) == 0)
			accepted++;
		assert_int_equal(gateway_client_request_members(w.client, 1, NULL, &alice, 1), -ENOBUFS);
		assert_int_equal(fake_wait_quiet(w.fake, 15 * MILLISECOND, 2 * SECOND), 0);
	}
	assert_in_range(accepted, 64 + 100, 64 + 118);
	assert_true(w.up);
	assert_int_equal(w.chunks, accepted - 64);
	world_close(&w);
}

/* ---- REST ---- */

struct posting {
	struct world *w;
	struct flows *flows;
	struct http *http;
	struct rest *rest;
	snowflake id;
	int result;
};

static void post(void *arg)
{
	struct posting *p = arg;

	p->result = rest_create_message(
		p->rest, fake_channel(p->w->fake, "general"), &(struct message_create){ .content = "posted" }, &p->id);
}

static bool no_flows(void *arg)
{
	return flows_count(arg) == 0;
}

/* Starts the flow that posts, with the fault in its way. */
static void posting_begin(struct posting *p, struct world *w, const struct fake_rest_fault *fault)
{
	const struct rest_options options = {
		.api_url = fake_api_url(w->fake), .token = FAKE_TOKEN, .requests_per_second = 40
	};

	*p = (struct posting){ .w = w };
	p->flows = flows_create(&w->loop, (struct flow_limits){ .total = 4, .per_owner = 4 });
	assert_int_equal(http_create(&w->loop, REST_USER_AGENT, 4, &p->http), 0);
	assert_int_equal(rest_create(&w->loop, p->http, &options, &p->rest), 0);
	assert_int_equal(fake_rest_fault(w->fake, fault), 0);
	assert_int_equal(flow_start(p->flows, &(struct flow_options){ .name = "post" }, post, p), 0);
}

static void posting_end(struct posting *p)
{
	rest_destroy(p->rest);
	flows_destroy(p->flows);
	http_destroy(p->http);
}

/* Case 14 with both ends: one call, one message, whatever got lost. */
static void a_message_is_posted_once(void **state)
{
	static const struct fake_rest_fault faults[] = {
		{ .kind = FAKE_REST_LOST_ANSWER },
		{ .kind = FAKE_REST_LOST_REQUEST },
		{ .kind = FAKE_REST_STATUS, .status = 503 },
		{ .kind = FAKE_REST_BAD_STATUS_BODY, .status = 502 },
		{ .kind = FAKE_REST_LIMIT_USER, .delay = 200 * MILLISECOND },
		{ .kind = FAKE_REST_LIMIT_GLOBAL, .delay = 200 * MILLISECOND },
		{ .kind = FAKE_REST_LIMIT_SHARED, .delay = 200 * MILLISECOND },
		{ .kind = FAKE_REST_SLOW, .delay = 200 * MILLISECOND },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		struct posting posting;
		struct world w;

		world_open(&w, false);
		posting_begin(&posting, &w, &faults[i]);
		assert_int_equal(loop_run_until(&w.loop, no_flows, posting.flows, PATIENCE), 0);
		assert_int_equal(posting.result, 0);
		assert_true(posting.id != 0);
		expect_contents(&w, "posted last ");
		posting_end(&posting);
		world_close(&w);
	}
}

/* Case 15: its answer was lost, and it was deleted before the call was repeated. */
static void a_message_deleted_meanwhile_is_not_posted_again(void **state)
{
	const struct fake_rest_fault lost = { .kind = FAKE_REST_LOST_ANSWER };
	struct fake_message_view message;
	struct posting posting;
	uint64_t general;
	struct world w;

	(void)state;
	world_open(&w, false);
	general = fake_channel(w.fake, "general");
	posting_begin(&posting, &w, &lost);
	assert_int_equal(fake_wait_message(w.fake, general, "posted", PATIENCE, &message), 0);
	assert_int_equal(fake_delete(w.fake, fake_owner(w.fake), general, message.id), 0);
	assert_int_equal(loop_run_until(&w.loop, no_flows, posting.flows, PATIENCE), 0);
	assert_int_equal(posting.result, 0);
	assert_int_equal(posting.id, 0);
	expect_contents(&w, "posted last ");
	posting_end(&posting);
	world_close(&w);
}

static void an_address_that_is_none_is_tried_in_vain(void **state)
{
	const struct gateway_callbacks callbacks = { on_dispatch, on_committed, on_session, on_claim, on_state,
		on_stopped };
	struct str dump cleanup(str_finish) = STR_INIT;
	struct world w;

	(void)state;
	world_prepare(&w, &(struct fake_options){ 0 });
	assert_int_equal(gateway_client_create(&w.loop, w.websockets, &w.random,
				 &(struct gateway_client_options){ .token = "t" }, &callbacks, &w, &w.client),
		-EINVAL);
	assert_int_equal(gateway_client_create(&w.loop, w.websockets, &w.random,
				 &(struct gateway_client_options){ .token = "t", .gateway_url = "http://nowhere" },
				 &callbacks, &w, &w.client),
		0);
	assert_int_equal(fake_wait_quiet(w.fake, 20 * MILLISECOND, SECOND), 0);
	assert_string_not_equal(w.down_reason, "");
	gateway_client_dump(w.client, &dump);
	assert_memory_equal(dump.buf, "gateway offline, sequence 0, 0 events, 1 connects", 49);
	world_close(&w);
}

static void a_nonce_that_is_too_long_is_refused(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	assert_int_equal(
		gateway_client_request_members(w.client, 1, "012345678901234567890123456789012", NULL, 0), -EINVAL);
	gateway_client_destroy(NULL);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_arrive),
		cmocka_unit_test(identify_waits_for_its_claim),
		cmocka_unit_test(large_frames_come_in_fragments),
		cmocka_unit_test(opcodes_to_come_are_ignored),
		cmocka_unit_test(sessions_are_resumed_without_loss),
		cmocka_unit_test(unanswered_heartbeats_are_noticed),
		cmocka_unit_test(reconnect_before_hello_resumes),
		cmocka_unit_test(ended_sessions_begin_anew),
		cmocka_unit_test(refused_connections_are_tried_again),
		cmocka_unit_test(duplicates_come_once),
		cmocka_unit_test(events_that_failed_come_again),
		cmocka_unit_test(events_lost_by_the_commit_before_a_heartbeat_come_again),
		cmocka_unit_test(a_restarted_client_goes_on_from_what_was_committed),
		cmocka_unit_test(wrong_tokens_and_intents_end_it),
		cmocka_unit_test(stopping_works_at_any_time),
		cmocka_unit_test(members_come_in_chunks),
		cmocka_unit_test(requests_beyond_the_send_limit_wait),
		cmocka_unit_test(a_message_is_posted_once),
		cmocka_unit_test(a_message_deleted_meanwhile_is_not_posted_again),
		cmocka_unit_test(an_address_that_is_none_is_tried_in_vain),
		cmocka_unit_test(a_nonce_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
