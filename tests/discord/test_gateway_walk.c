/* discord/gateway.h: random servers, networks and owners. Whatever they do, in any order, the machine does nothing
 * that is forbidden, and always has something to do next.
 */
#include "gateway_world.h"

/* What an owner sees of the connection. */
enum link { LINK_NONE, LINK_CONNECTING, LINK_OPEN, LINK_DROPPED };

struct walk {
	struct world w;
	enum link link;
	bool claim_asked, finished, up;
	int64_t dispatched;
	usec sent[GATEWAY_SEND_LIMIT]; /* on this connection, a ring */
	size_t sends;
	size_t *counts; /* of each action */
};

static void walk_send(struct walk *walk)
{
	usec *slot = &walk->sent[walk->sends % GATEWAY_SEND_LIMIT];

	assert_int_equal(walk->link, LINK_OPEN);
	if (walk->sends >= GATEWAY_SEND_LIMIT)
		assert_true(walk->w.now - *slot >= GATEWAY_SEND_WINDOW);
	*slot = walk->w.now;
	walk->sends++;
}

static void walk_dispatch(struct walk *walk, const struct gateway_event *event)
{
	assert_int_equal(walk->link, LINK_OPEN);
	assert_int_equal(event->op, GATEWAY_OP_DISPATCH);
	if (event->sequence > 0)
		assert_true(event->sequence > walk->dispatched || streq(event->name, "READY"));
	walk->dispatched = gateway_sequence(walk->w.gateway);
}

static void walk_act(struct walk *walk, enum gateway_action action, const struct gateway_event *event)
{
	struct str text cleanup(str_finish) = STR_INIT;

	assert_false(walk->finished);
	walk->counts[action]++;
	switch (action) {
	case GATEWAY_DO_CONNECT:
		assert_int_equal(walk->link, LINK_NONE);
		walk->link = LINK_CONNECTING;
		walk->sends = 0;
		break;
	case GATEWAY_DO_DROP:
		assert_true(walk->link == LINK_CONNECTING || walk->link == LINK_OPEN);
		walk->link = LINK_DROPPED;
		break;
	case GATEWAY_DO_HEARTBEAT:
		walk_send(walk);
		gateway_write_heartbeat(walk->w.gateway, &text);
		break;
	case GATEWAY_DO_RESUME:
		walk_send(walk);
		assert_non_null(gateway_session_id(walk->w.gateway));
		gateway_write_resume(walk->w.gateway, &text);
		walk->dispatched = gateway_sequence(walk->w.gateway);
		break;
	case GATEWAY_DO_IDENTIFY:
		walk_send(walk);
		assert_int_equal(event->kind, GATEWAY_CLAIMED);
		assert_null(gateway_session_id(walk->w.gateway));
		break;
	case GATEWAY_DO_CLAIM: walk->claim_asked = true; break;
	case GATEWAY_DO_SESSION: break;
	case GATEWAY_DO_UP:
		assert_false(walk->up);
		walk->up = true;
		break;
	case GATEWAY_DO_DOWN: walk->up = false; break;
	case GATEWAY_DO_DISPATCH:
	case GATEWAY_DO_DISPATCH_REPLAYED: walk_dispatch(walk, event); break;
	case GATEWAY_DO_FINISH:
		assert_int_equal(walk->link, LINK_NONE);
		walk->finished = true;
		break;
	}
}

static void walk_step(struct walk *walk, const struct gateway_event *event)
{
	struct gateway_actions actions;

	if (event->kind == GATEWAY_CLOSED)
		walk->link = LINK_NONE;
	if (event->kind == GATEWAY_OPENED)
		walk->link = LINK_OPEN;
	gateway_step(walk->w.gateway, event, walk->w.now, &walk->w.random, &actions);
	assert_true(actions.count <= GATEWAY_ACTIONS_MAX);
	for (size_t i = 0; i < actions.count; i++)
		walk_act(walk, actions.list[i], event);
	if (walk->claim_asked) {
		walk->claim_asked = false;
		walk_step(walk, &(struct gateway_event){
					.kind = random_below(&walk->w.random, 3) ? GATEWAY_CLAIMED : GATEWAY_CLAIM_WAIT,
					.wait = (usec)random_below(&walk->w.random, 20) * SECOND,
				});
	}
}

/* What a well-behaved Discord sends in this state. */
static void polite_frame(struct walk *walk, struct gateway_event *event)
{
	event->op = GATEWAY_OP_DISPATCH;
	switch (gateway_state(walk->w.gateway)) {
	case GATEWAY_GREETING: event->op = GATEWAY_OP_HELLO; return;
	case GATEWAY_CLAIMING: event->op = GATEWAY_OP_HEARTBEAT_ACK; return;
	case GATEWAY_IDENTIFYING: event->name = "READY"; break;
	case GATEWAY_RESUMING: event->name = random_below(&walk->w.random, 3) ? "MESSAGE_CREATE" : "RESUMED"; break;
	default: event->name = "MESSAGE_CREATE"; break;
	}
	event->sequence = gateway_sequence(walk->w.gateway) + 1;
}

static void rude_frame(struct walk *walk, struct gateway_event *event)
{
	static const char *const names[] = { "READY", "RESUMED", "MESSAGE_CREATE", NULL };
	static const int ops[] = { 0, 0, 0, 1, 7, 9, 9, 10, 11, 5 };
	struct random *random = &walk->w.random;

	event->op = ops[random_below(random, ARRAY_SIZE(ops))];
	if (event->op != GATEWAY_OP_DISPATCH)
		return;
	event->name = names[random_below(random, ARRAY_SIZE(names))];
	event->sequence = (int64_t)random_below(random, 50);
}

/* An event as a server, a network and an owner may bring it at this moment. */
static void walk_random(struct walk *walk)
{
	static const int codes[] = { 0, 0, 0, 1000, 1006, 4000, 4007, 4009, 4008 };
	static const char *const payloads[] = {
		"true",
		"false",
		"{'heartbeat_interval':1500}",
		"{'heartbeat_interval':1500,'session_id':'s','resume_gateway_url':'wss://r'}",
		"{'heartbeat_interval':41250,'session_id':'s','resume_gateway_url':'wss://r'}",
		"{'heartbeat_interval':41250,'session_id':'s','resume_gateway_url':'wss://r'}",
	};
	struct random *random = &walk->w.random;
	struct gateway_event event = { .kind = GATEWAY_FRAME };
	cJSON *d cleanup(json_freep) = test_json(payloads[random_below(random, ARRAY_SIZE(payloads))]);
	uint64_t dice = random_below(random, 100);

	if (walk->link == LINK_DROPPED || (walk->link != LINK_NONE && dice < 2)) {
		event.kind = GATEWAY_CLOSED;
		event.code = codes[random_below(random, ARRAY_SIZE(codes))];
	} else if (walk->link == LINK_CONNECTING) {
		event.kind = dice < 30 ? GATEWAY_CLOSED : GATEWAY_OPENED;
	} else if (walk->link == LINK_OPEN && dice < 4) {
		event.kind = random_below(random, 2) ? GATEWAY_RECONNECT : GATEWAY_BROKEN;
	} else if (walk->link == LINK_NONE || dice < 15) {
		usec at = gateway_deadline(walk->w.gateway);

		assert_true(at < INT64_MAX); /* whatever happened: there is a next thing to do */
		walk->w.now = MAX(walk->w.now, at);
		event.kind = GATEWAY_TIMER;
	} else {
		walk->w.now += (usec)random_below(random, 300) * MILLISECOND;
		event.d = d;
		if (dice < 95)
			polite_frame(walk, &event);
		else
			rude_frame(walk, &event);
	}
	if (random_below(random, 4) == 0)
		gateway_committed(walk->w.gateway, (int64_t)random_below(random, 60));
	walk_step(walk, &event);
}

static void nothing_forbidden_happens_in_any_order(void **state)
{
	size_t counts[GATEWAY_DO_FINISH + 1] = { 0 };

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++) {
		struct walk walk = { .counts = counts };

		world_open(&walk.w, seed % 2);
		random_init(&walk.w.random, seed);
		walk.dispatched = gateway_sequence(walk.w.gateway);
		walk_step(&walk, &(struct gateway_event){ .kind = GATEWAY_START });
		for (int i = 0; i < 1000; i++)
			walk_random(&walk);
		walk_step(&walk, &(struct gateway_event){ .kind = GATEWAY_STOP });
		if (walk.link != LINK_NONE)
			walk_step(&walk, &(struct gateway_event){ .kind = GATEWAY_CLOSED });
		assert_true(walk.finished);
		world_close(&walk.w);
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		assert_true(counts[i] >= 300); /* the walks came everywhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_forbidden_happens_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
