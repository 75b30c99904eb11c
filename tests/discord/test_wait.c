/* discord/wait.h */
#include "test.h"

#include "discord/wait.h"
#include "net/flow.h"

static bool offer(struct waits *waits, const char *event, const char *d)
{
	cJSON *json = test_json(d);
	bool taken = waits_offer(waits, event, json);

	cJSON_Delete(json);
	return taken;
}

#define MEMBER "'member':{'user':{'id':'7','username':'a'}}"
#define MESSAGE                                                          \
	"{'id':'1','channel_id':'5','author':{'id':'7','username':'a'}," \
	"'message_reference':{'message_id':'3'}}"
#define BOT      "{'id':'1','channel_id':'5','author':{'id':'8','username':'b','bot':true}}"
#define REACTION "{'user_id':'7','channel_id':'5','message_id':'3','emoji':{'name':'x'}," MEMBER "}"
#define BY_BOT                                                                   \
	"{'user_id':'8','channel_id':'5','message_id':'3','emoji':{'name':'x'}," \
	"'member':{'user':{'id':'8','username':'b','bot':true}}}"
#define PRESSED   "'type':3,'channel_id':'5','message':{'id':'3'},'data':{'custom_id':'pager:next'}"
#define BUTTON    "{" PRESSED "," MEMBER "}"
#define BUTTON_DM "{" PRESSED ",'user':{'id':'7','username':'a'}}"
#define COMMAND   "{'type':2,'channel_id':'5','data':{'name':'rank'}," MEMBER "}"

static void filters_let_through_what_they_say(void **state)
{
	static const struct {
		struct wait_filter filter;
		const char *event, *d;
		bool taken;
	} cases[] = {
		{ { .event = "MESSAGE_CREATE" }, "MESSAGE_CREATE", MESSAGE, true },
		{ { .event = "MESSAGE_CREATE" }, "MESSAGE_UPDATE", MESSAGE, false },
		{ { .event = "MESSAGE_CREATE", .channel_id = 5, .user_id = 7 }, "MESSAGE_CREATE", MESSAGE, true },
		{ { .event = "MESSAGE_CREATE", .channel_id = 6 }, "MESSAGE_CREATE", MESSAGE, false },
		{ { .event = "MESSAGE_CREATE", .user_id = 9 }, "MESSAGE_CREATE", MESSAGE, false },
		{ { .event = "MESSAGE_CREATE", .message_id = 3 }, "MESSAGE_CREATE", MESSAGE, true },
		{ { .event = "MESSAGE_CREATE", .message_id = 1 }, "MESSAGE_CREATE", MESSAGE, false },
		{ { .event = "MESSAGE_CREATE" }, "MESSAGE_CREATE", BOT, false },
		{ { .event = "MESSAGE_CREATE", .bots = true }, "MESSAGE_CREATE", BOT, true },
		{ { .event = "MESSAGE_REACTION_ADD", .message_id = 3, .user_id = 7 }, "MESSAGE_REACTION_ADD", REACTION,
			true },
		{ { .event = "MESSAGE_REACTION_ADD", .message_id = 4 }, "MESSAGE_REACTION_ADD", REACTION, false },
		{ { .event = "MESSAGE_REACTION_ADD", .message_id = 3 }, "MESSAGE_REACTION_ADD", BY_BOT, false },
		{ { .event = "MESSAGE_REACTION_REMOVE", .user_id = 7 }, "MESSAGE_REACTION_REMOVE", REACTION, true },
		{ { .event = "INTERACTION_CREATE", .message_id = 3, .user_id = 7 }, "INTERACTION_CREATE", BUTTON,
			true },
		{ { .event = "INTERACTION_CREATE", .message_id = 3, .user_id = 7 }, "INTERACTION_CREATE", BUTTON_DM,
			true },
		{ { .event = "INTERACTION_CREATE", .user_id = 8 }, "INTERACTION_CREATE", BUTTON, false },
		{ { .event = "INTERACTION_CREATE", .custom_id_prefix = "pager:" }, "INTERACTION_CREATE", BUTTON, true },
		{ { .event = "INTERACTION_CREATE", .custom_id_prefix = "other:" }, "INTERACTION_CREATE", BUTTON,
			false },
		{ { .event = "INTERACTION_CREATE" }, "INTERACTION_CREATE", COMMAND, false },
		{ { .event = "CHANNEL_DELETE", .channel_id = 5 }, "CHANNEL_DELETE", "{'channel_id':'5'}", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct waits *waits = waits_create();
		struct wait *wait;

		assert_int_equal(wait_open(waits, &cases[i].filter, &wait), 0);
		if (offer(waits, cases[i].event, cases[i].d) != cases[i].taken)
			fail_msg("case %zu: %s", i, cases[i].d);
		wait_close(wait);
		waits_destroy(waits);
	}
}

static void bad_filters_are_refused(void **state)
{
	struct waits *waits = waits_create();
	char prefix[200];
	struct wait *wait = NULL;

	(void)state;
	memset(prefix, 'x', sizeof(prefix) - 1);
	prefix[sizeof(prefix) - 1] = '\0';
	assert_int_equal(wait_open(waits, &(struct wait_filter){ 0 }, &wait), -EINVAL);
	assert_int_equal(wait_open(waits, &(struct wait_filter){ .event = prefix }, &wait), -EINVAL);
	assert_int_equal(
		wait_open(waits, &(struct wait_filter){ .event = "X", .custom_id_prefix = prefix }, &wait), -EINVAL);
	assert_int_equal(waits_count(waits), 0);
	assert_null(wait);
	wait_close(NULL);
	waits_destroy(waits);
}

/* ---- in flows ---- */

static struct loop loop;
static struct flows *flows;
static struct waits *waits;
static struct wait *subscription;
static struct str seen;
static int last_result;

static int open_world(void **state)
{
	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	flows = flows_create(&loop, (struct flow_limits){ .total = 4, .per_owner = 4 });
	waits = waits_create();
	str_init(&seen);
	assert_int_equal(wait_open(waits, &(struct wait_filter){ .event = "E" }, &subscription), 0);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	wait_closep(&subscription);
	assert_int_equal(waits_count(waits), 0);
	waits_destroy(waits);
	flows_destroy(flows);
	assert_int_equal(loop_finish(&loop), 0);
	str_finish(&seen);
	return 0;
}

/* Notes the `n` of each event until the patience of `arg` (microseconds) is over. */
static void note_events(void *arg)
{
	const cJSON *event;

	while ((last_result = wait_next(subscription, *(usec *)arg, &event)) == 0)
		str_printf(&seen, "%lld ", (long long)json_int(event, "n", -1));
}

static bool no_flows(void *arg)
{
	(void)arg;
	return flows_count(flows) == 0;
}

static void start(usec *patience)
{
	assert_int_equal(flow_start(flows, &(struct flow_options){ .name = "waiter" }, note_events, patience), 0);
}

static void events_queue_from_the_opening(void **state)
{
	usec patience = 10 * MILLISECOND;

	(void)state;
	offer(waits, "E", "{'n':1}");
	offer(waits, "E", "{'n':2}");
	start(&patience);
	assert_int_equal(loop_run_until(&loop, no_flows, NULL, SECOND), 0);
	assert_string_equal(seen.buf, "1 2 ");
	assert_int_equal(last_result, -ETIMEDOUT);
}

static void the_oldest_falls_out_of_a_full_queue(void **state)
{
	struct str expected cleanup(str_finish) = STR_INIT;
	usec patience = MILLISECOND;

	(void)state;
	for (int i = 0; i < 40; i++) {
		char *d cleanup(freep) = xasprintf("{'n':%d}", i);

		offer(waits, "E", d);
		if (i >= 8)
			str_printf(&expected, "%d ", i);
	}
	start(&patience);
	assert_int_equal(loop_run_until(&loop, no_flows, NULL, SECOND), 0);
	assert_string_equal(seen.buf, expected.buf);
}

static void fire(void *arg)
{
	offer(waits, "E", arg);
}

static void a_waiter_is_woken_by_its_event(void **state)
{
	usec patience = 50 * MILLISECOND;
	struct timer timer;

	(void)state;
	start(&patience);
	timer_init(&timer, &loop, fire, (char[]){ "{'n':7}" });
	timer_start(&timer, 10 * MILLISECOND);
	assert_int_equal(loop_run_until(&loop, no_flows, NULL, SECOND), 0);
	assert_string_equal(seen.buf, "7 ");
	timer_finish(&timer);
}

static bool is_waiting(void *arg)
{
	struct str dump cleanup(str_finish) = STR_INIT;

	(void)arg;
	flows_dump(flows, &dump);
	return strstr(dump.buf, "an event") != NULL;
}

static void cancellation_ends_a_wait(void **state)
{
	usec patience = HOUR;

	(void)state;
	start(&patience);
	assert_int_equal(loop_run_until(&loop, is_waiting, NULL, SECOND), 0);
	flows_cancel(flows, NULL);
	assert_int_equal(loop_run_until(&loop, no_flows, NULL, SECOND), 0);
	assert_int_equal(last_result, -ECANCELED);
}

static void waiting_outside_a_flow_is_refused(void **state)
{
	const cJSON *event = NULL;

	(void)state;
	assert_true(wait_next(subscription, SECOND, &event) < 0);
	assert_null(event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_let_through_what_they_say),
		cmocka_unit_test(bad_filters_are_refused),
		cmocka_unit_test_setup_teardown(events_queue_from_the_opening, open_world, close_world),
		cmocka_unit_test_setup_teardown(the_oldest_falls_out_of_a_full_queue, open_world, close_world),
		cmocka_unit_test_setup_teardown(a_waiter_is_woken_by_its_event, open_world, close_world),
		cmocka_unit_test_setup_teardown(cancellation_ends_a_wait, open_world, close_world),
		cmocka_unit_test_setup_teardown(waiting_outside_a_flow_is_refused, open_world, close_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
