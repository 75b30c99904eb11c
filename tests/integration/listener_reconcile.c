/* The member list in pieces: large, late, incomplete, refused, cut off, and with life going on meanwhile. */
#include "harness.h"

#include <signal.h>

#define COMPARED "the member list is compared"
#define MEMBERS  2500 /* three pieces */

static const struct fake_options large = { .members = MEMBERS, .member_request_interval = 10 * MILLISECOND };
/* A list that is certainly not complete when the test acts. */
static const struct fake_gateway_faults slow = { .chunk_delay = 5 * SECOND };
static const struct fake_options limited = { .member_request_interval = 2 * SECOND };
static const struct fake_options plain = { .member_request_interval = 10 * MILLISECOND };

static int count_one(void *arg, uint64_t user_id)
{
	(void)user_id;
	++*(size_t *)arg;
	return 0;
}

static size_t present(struct harness *h)
{
	size_t count = 0;

	assert_int_equal(profile_each_present(harness_db(h), count_one, &count), 0);
	return count;
}

static void a_large_guild_is_recorded(struct harness *h)
{
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	harness_wait_log(listener, COMPARED, SOON);
	assert_int_equal(present(h), MEMBERS + 12);
	assert_int_equal(harness_metric(listener, "walle_listener_members"), MEMBERS + 13);
	assert_int_equal(harness_metric(listener, "walle_listener_member_lists_total"), 1);
	harness_stop(listener);
}

static void a_missing_piece_is_asked_for_again(struct harness *h)
{
	struct process *listener;

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .missing_chunks = 1 });
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_wait_log(listener, COMPARED, SOON);
	assert_int_equal(present(h), MEMBERS + 12);
	assert_int_equal(harness_metric(listener, "walle_listener_member_list_requests_total"), 2);
	harness_stop(listener);
}

static void a_kill_in_the_middle_starts_the_list_again(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	harness_wait_log(listener, COMPARED, SOON);
	harness_stop(listener);
	fake_forget_sessions(h->fake);
	assert_int_equal(fake_leave(h->fake, alice), 0);
	fake_gateway_set_faults(h->fake, &slow);
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_idle(h, 400 * MILLISECOND);
	assert_int_equal(harness_log_lines(listener, COMPARED), 0);
	harness_kill(listener);
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ 0 });

	/* The session is resumed, so that nothing but our own memory of it says that the list was not complete. */
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_wait_log(listener, COMPARED, SOON);
	harness_wait_present(h, alice, false, SOON);
	assert_int_equal(present(h), MEMBERS + 11);
	harness_stop(listener);
}

static void a_drop_in_the_middle_starts_the_list_again(struct harness *h)
{
	struct process *listener;

	fake_gateway_set_faults(h->fake, &slow);
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_idle(h, 300 * MILLISECOND);
	assert_int_equal(harness_log_lines(listener, COMPARED), 0);
	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ 0 });
	fake_gateway_drop(h->fake, FAKE_ALL);
	harness_wait_log(listener, COMPARED, SOON);
	assert_int_equal(present(h), MEMBERS + 12);
	harness_stop(listener);
}

static void life_goes_on_while_the_list_comes(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), bob = fake_member(h->fake, "bob"), peggy;
	struct process *listener;

	fake_gateway_set_faults(h->fake, &(struct fake_gateway_faults){ .chunk_delay = 300 * MILLISECOND });
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_idle(h, 100 * MILLISECOND);
	assert_int_equal(fake_nick(h->fake, alice, "Al"), 0);
	assert_int_equal(fake_leave(h->fake, bob), 0);
	peggy = fake_join(h->fake, "peggy", NULL, false);
	harness_wait_log(listener, COMPARED, SOON);
	harness_wait_profile(h, alice, "alice", "Al", SOON);
	harness_wait_profile(h, peggy, "peggy", NULL, SOON);
	assert_int_equal(present(h), MEMBERS + 12);
	if (harness_profile(h, bob, &(struct profile){ 0 }))
		harness_wait_present(h, bob, false, SOON);
	harness_stop(listener);
}

static void discords_limit_is_obeyed(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);

	harness_wait_log(listener, COMPARED, SOON);
	harness_stop(listener);
	fake_forget_sessions(h->fake);
	assert_int_equal(fake_nick(h->fake, alice, "Al"), 0);
	listener = harness_start(h, PROGRAM_LISTENER);
	harness_wait_profile(h, alice, "alice", "Al", SOON);
	harness_wait_log(listener, COMPARED, SOON);
	harness_stop(listener);
}

static void an_outage_marks_nobody_absent(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	size_t before;

	harness_wait_log(listener, COMPARED, SOON);
	before = present(h);
	fake_outage(h->fake, true);
	harness_wait_log(listener, "not available", SOON);
	assert_int_equal(present(h), before);
	assert_int_equal(fake_nick(h->fake, alice, "Al"), 0);
	fake_outage(h->fake, false);
	harness_wait_profile(h, alice, "alice", "Al", SOON);
	assert_int_equal(present(h), before);
	harness_stop(listener);
}

static void a_thrown_out_bot_keeps_what_it_knows(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice");
	struct process *listener = harness_start(h, PROGRAM_LISTENER);
	size_t before;

	harness_wait_log(listener, COMPARED, SOON);
	before = present(h);
	fake_remove_bot(h->fake);
	harness_wait_log(listener, "removed from the guild", SOON);
	assert_int_equal(fake_nick(h->fake, alice, "Al"), 0);
	harness_idle(h, 200 * MILLISECOND);
	assert_int_equal(present(h), before);
	fake_invite_bot(h->fake);
	harness_wait_profile(h, alice, "alice", "Al", SOON);
	harness_stop(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST_WITH(a_large_guild_is_recorded, &large),
		HARNESS_TEST_WITH(a_missing_piece_is_asked_for_again, &large),
		HARNESS_TEST_WITH(a_kill_in_the_middle_starts_the_list_again, &large),
		HARNESS_TEST_WITH(a_drop_in_the_middle_starts_the_list_again, &large),
		HARNESS_TEST_WITH(life_goes_on_while_the_list_comes, &large),
		HARNESS_TEST_WITH(discords_limit_is_obeyed, &limited),
		HARNESS_TEST_WITH(an_outage_marks_nobody_absent, &plain),
		HARNESS_TEST_WITH(a_thrown_out_bot_keeps_what_it_knows, &plain),
	};

	return harness_run("listener_reconcile", tests, ARRAY_SIZE(tests));
}
