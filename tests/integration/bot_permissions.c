/* Who may run what: by role id, with an incident for those who may not. */
#include "expiry_helpers.h"

static void minions_and_moderators_may(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general");
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	ask(h, fake_member(h->fake, "bob"), general, ".levels", "Missing Semicolon");
	ask(h, fake_member(h->fake, "carol"), general, ".levels", "Missing Semicolon");
	view = ask(h, fake_member(h->fake, "dave"), general, ".ping", "Pong!");
	assert_contains(embed_text(h, &view), "\"author\":{\"name\":\"Wall-E\"");
}

static void others_get_an_incident_report(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	uint64_t incidents = fake_channel(h->fake, "incident_reports"), command;
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	/* whose name nobody can take away from the moderators' channel */
	assert_true(fake_channel_create(h->fake, "incident_reports", 11, general) != 0);
	command = fake_say(h->fake, alice, general, ".levels");
	assert_int_equal(fake_wait_deleted(h->fake, general, command, SOON), 0);
	assert_int_equal(fake_wait_message(h->fake, incidents, "tried to run command `levels`", SOON, &view), 0);
	assert_int_equal(fake_wait_message(h->fake, fake_dm(h->fake, alice), "INCIDENT REPORT", SOON, &view), 0);
}

/* Somebody who tries again and again does not flood the moderators' channel, nor his own direct messages. */
static void one_report_in_half_a_minute(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"), command;
	uint64_t incidents = fake_channel(h->fake, "incident_reports");
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, general, ".levels") != 0);
	assert_int_equal(fake_wait_message(h->fake, fake_dm(h->fake, alice), "INCIDENT REPORT", SOON, &view), 0);
	for (int i = 0; i < 3; i++) {
		command = fake_say(h->fake, alice, general, ".ping");
		assert_int_equal(fake_wait_deleted(h->fake, general, command, SOON), 0);
	}
	assert_int_equal(fake_wait_quiet(h->fake, 300 * MILLISECOND, SOON), 0);
	assert_int_equal(fake_message_count(h->fake, incidents), 1);
	assert_int_equal(fake_message_count(h->fake, fake_dm(h->fake, alice)), 1);
}

static void without_direct_messages_it_is_told_in_the_channel_for_10_seconds(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;

	assert_int_equal(fake_close_dms(h->fake, alice, true), 0);
	harness_start(h, PROGRAM_BOT);
	view = ask(h, alice, general, ".ping", "INCIDENT REPORT");
	assert_contains(view.content, arena_printf(&h->arena, "<@%llu>", (unsigned long long)alice));
	assert_int_equal(life_of(h, view.id), 10 * SECOND);
	assert_int_equal(fake_wait_deleted(h->fake, general, view.id, 10 * SECOND + SOON), 0);
}

/* D-47: only the id counts once it is known. */
static void a_second_role_of_that_name_gives_no_rights(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice"), twin;
	struct fake_message_view view;

	harness_start(h, PROGRAM_BOT);
	ask(h, fake_member(h->fake, "bob"), general, ".levels", "Missing Semicolon");
	twin = fake_role_create(h->fake, "Minions", 0, 1);
	assert_true(twin != 0);
	assert_int_equal(fake_role_add(h->fake, alice, twin), 0);
	assert_true(fake_say(h->fake, alice, general, ".levels") != 0);
	assert_int_equal(fake_wait_message(h->fake, fake_dm(h->fake, alice), "INCIDENT REPORT", SOON, &view), 0);
	assert_int_equal(fake_role_rename(h->fake, fake_role(h->fake, "Moderator"), "Helpers"), 0);
	ask(h, fake_member(h->fake, "carol"), general, ".levels", "Missing Semicolon");
}

static void a_role_may_be_configured_by_id(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general");

	harness_set(
		h, "roles__MINIONS", arena_printf(&h->arena, "%llu", (unsigned long long)fake_role(h->fake, "Execs")));
	harness_start(h, PROGRAM_BOT);
	ask(h, fake_member(h->fake, "erin"), general, ".levels", "Missing Semicolon");
}

/* Each answer that Discord refuses counts towards its limit of invalid requests, after which it hears nobody. */
static void where_it_may_not_write_it_does_not_try(struct harness *h)
{
	uint64_t general = fake_channel(h->fake, "general"), random = fake_channel(h->fake, "random"),
		 alice = fake_member(h->fake, "alice");
	uint64_t thread = fake_channel_create(h->fake, "closed as well", 11, random);
	const uint64_t send = 1ULL << 11, send_in_threads = 1ULL << 38;

	assert_int_equal(fake_channel_permit(h->fake, random, fake_bot(h->fake), 0, send | send_in_threads), 0);
	harness_start(h, PROGRAM_BOT);
	assert_true(fake_say(h->fake, alice, random, ".rank") != 0);
	assert_true(fake_say(h->fake, alice, random, ".ping") != 0);
	assert_true(fake_say(h->fake, alice, thread, ".level_messages maybe") != 0);
	ask(h, alice, general, ".echo but here", "but here");
	assert_int_equal(fake_wait_quiet(h->fake, 300 * MILLISECOND, SOON), 0);
	for (size_t i = 0; i < fake_calls(h->fake); i++)
		assert_int_not_equal(fake_call(h->fake, i)->status, 403);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(minions_and_moderators_may),
		HARNESS_TEST(others_get_an_incident_report),
		HARNESS_TEST(one_report_in_half_a_minute),
		HARNESS_TEST(without_direct_messages_it_is_told_in_the_channel_for_10_seconds),
		HARNESS_TEST(a_second_role_of_that_name_gives_no_rights),
		HARNESS_TEST(a_role_may_be_configured_by_id),
		HARNESS_TEST(where_it_may_not_write_it_does_not_try),
	};

	return harness_run("bot_permissions", tests, ARRAY_SIZE(tests));
}
