/* bot/fill.h: the member list's state machine, with a clock that is made up. */
#include "test.h"

#include "fill.h"

static const struct fill_event want = { .input = FILL_WANT };
static const struct fill_event timer_event = { .input = FILL_TIMER };

static enum fill_action chunk(struct fill_machine *machine, int64_t index, int64_t count, usec now)
{
	return fill_step(machine, &(struct fill_event){ .input = FILL_CHUNK, .index = index, .count = count }, now);
}

static void all_chunks_complete_it_in_any_order(void **state)
{
	struct fill_machine machine = { 0 };

	(void)state;
	assert_int_equal(fill_step(&machine, &want, SECOND), FILL_ASK);
	assert_int_equal(chunk(&machine, 2, 3, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 0, 3, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 0, 3, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 1, 3, SECOND), FILL_COMPLETE);
	assert_int_equal(machine.state, FILL_IDLE);
	assert_int_equal(chunk(&machine, 1, 3, SECOND), FILL_NOTHING);
}

static void a_second_list_waits_for_discords_30_seconds(void **state)
{
	struct fill_machine machine = { 0 };

	(void)state;
	assert_int_equal(fill_step(&machine, &want, SECOND), FILL_ASK);
	assert_int_equal(chunk(&machine, 0, 1, 2 * SECOND), FILL_COMPLETE);
	assert_int_equal(fill_step(&machine, &want, 3 * SECOND), FILL_NOTHING);
	assert_int_equal(machine.state, FILL_WAITING);
	assert_int_equal(fill_step(&machine, &timer_event, machine.due - 1), FILL_NOTHING);
	assert_true(machine.due >= 31 * SECOND);
	assert_int_equal(fill_step(&machine, &timer_event, machine.due), FILL_ASK);
}

static void a_lost_chunk_leads_to_a_new_request(void **state)
{
	struct fill_machine machine = { 0 };
	uint32_t first;

	(void)state;
	assert_int_equal(fill_step(&machine, &want, SECOND), FILL_ASK);
	first = machine.request;
	assert_int_equal(chunk(&machine, 0, 2, 2 * SECOND), FILL_NOTHING);
	assert_int_equal(fill_step(&machine, &timer_event, machine.due), FILL_NOTHING);
	assert_int_equal(machine.state, FILL_WAITING);
	assert_int_equal(fill_step(&machine, &timer_event, machine.due), FILL_ASK);
	assert_true(machine.request != first);
	/* from the beginning */
	assert_int_equal(chunk(&machine, 1, 2, machine.due), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 0, 2, machine.due), FILL_COMPLETE);
}

static void rate_limits_are_obeyed(void **state)
{
	struct fill_machine machine = { 0 };

	(void)state;
	assert_int_equal(fill_step(&machine, &want, SECOND), FILL_ASK);
	assert_int_equal(fill_step(&machine, &(struct fill_event){ .input = FILL_LIMITED, .retry_after = 12 * SECOND },
				 2 * SECOND),
		FILL_NOTHING);
	assert_int_equal(machine.state, FILL_WAITING);
	assert_true(machine.due == 14 * SECOND);
	assert_int_equal(fill_step(&machine, &timer_event, 14 * SECOND), FILL_ASK);
	/* nonsense does not stop it for ever */
	assert_int_equal(fill_step(&machine, &(struct fill_event){ .input = FILL_LIMITED, .retry_after = 1000 * DAY },
				 15 * SECOND),
		FILL_NOTHING);
	assert_true(machine.due <= 15 * SECOND + 5 * MINUTE);
}

static void nonsense_in_chunks_is_ignored(void **state)
{
	struct fill_machine machine = { 0 };

	(void)state;
	assert_int_equal(chunk(&machine, 0, 1, SECOND), FILL_NOTHING);
	assert_int_equal(fill_step(&machine, &want, SECOND), FILL_ASK);
	assert_int_equal(chunk(&machine, -1, 1, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 0, 0, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 5, 5, SECOND), FILL_NOTHING);
	assert_int_equal(chunk(&machine, 1LL << 40, 1LL << 41, SECOND), FILL_NOTHING);
	assert_int_equal(machine.state, FILL_ASKED);
}

static void it_never_gives_up_but_slows_down(void **state)
{
	struct fill_machine machine = { 0 };
	unsigned asked = 0;

	(void)state;
	asked += fill_step(&machine, &want, 0) == FILL_ASK;
	for (usec now = 0; now < 2 * HOUR; now += SECOND)
		asked += fill_step(&machine, &timer_event, now) == FILL_ASK;
	assert_in_range(asked, 20, 60);
	assert_true(machine.state != FILL_IDLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_chunks_complete_it_in_any_order),
		cmocka_unit_test(a_second_list_waits_for_discords_30_seconds),
		cmocka_unit_test(a_lost_chunk_leads_to_a_new_request),
		cmocka_unit_test(rate_limits_are_obeyed),
		cmocka_unit_test(nonsense_in_chunks_is_ignored),
		cmocka_unit_test(it_never_gives_up_but_slows_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
