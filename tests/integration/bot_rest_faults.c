/* Discord's REST API fails in every way that it has: what a person sees comes, and comes once. */
#include "bot_helpers.h"

/* What is carried out is forgotten, and nothing that is forgotten is announced again. */
static bool nothing_is_left_to_announce(void *arg)
{
	struct level_up list[1];
	size_t count = 1;

	return level_up_list(harness_db(arg), list, ARRAY_SIZE(list), &count) == 0 && count == 0;
}

static void one_announcement(struct harness *h, const struct fake_rest_fault *fault, usec patience)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");
	struct fake_message_view view;

	every_message_earns(h, "100");
	harness_start(h, PROGRAM_BOT);
	assert_int_equal(fake_rest_fault(h->fake, fault), 0);
	assert_true(fake_say(h->fake, alice, general, "hello") != 0);
	assert_int_equal(fake_wait_message(h->fake, general, "is now **level 1**", patience, &view), 0);
	harness_wait(h, nothing_is_left_to_announce, h, 4 * SOON);
	/* the member's message and one announcement, also when the request was repeated */
	assert_int_equal(fake_message_count(h->fake, general), 2);
}

#define PATH "/channels/*/messages"

static void server_errors(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_STATUS, .method = "POST", .path = PATH, .status = 502, .count = 2 },
		20 * SECOND);
}

static void a_lost_answer(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){ .kind = FAKE_REST_LOST_ANSWER, .method = "POST", .path = PATH, .count = 2 },
		20 * SECOND);
}

static void a_lost_request(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){ .kind = FAKE_REST_LOST_REQUEST, .method = "POST", .path = PATH, .count = 2 },
		20 * SECOND);
}

static void an_error_page_after_the_effect(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_BAD_STATUS_BODY, .method = "POST", .path = PATH, .status = 503 },
		20 * SECOND);
}

static void a_limit_of_ours(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_LIMIT_USER, .method = "POST", .path = PATH, .delay = SECOND },
		20 * SECOND);
}

static void a_shared_limit(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_LIMIT_SHARED, .method = "POST", .path = PATH, .delay = SECOND },
		20 * SECOND);
}

static void the_global_limit(struct harness *h)
{
	one_announcement(h,
		&(struct fake_rest_fault){
			.kind = FAKE_REST_LIMIT_GLOBAL, .method = "POST", .path = PATH, .delay = SECOND },
		20 * SECOND);
}

static void a_command_that_fails_says_so(struct harness *h)
{
	static const struct fake_option rename[] = { { "level", "10" }, { "role_name", "Another Tester" }, { 0 } };
	uint64_t general = fake_channel(h->fake, "general"), bob = fake_member(h->fake, "bob");
	struct fake_interaction_view view;
	struct fake_message_view message;
	struct process *bot = harness_start(h, PROGRAM_BOT);
	const char *text, *code;

	assert_int_equal(fake_wait_commands(h->fake, 12, SOON), 0);
	fake_rest_fault(h->fake, &(struct fake_rest_fault){ .kind = FAKE_REST_STATUS,
					 .method = "PATCH",
					 .path = "/guilds/*/roles/*",
					 .status = 400,
					 .count = -1 });
	message = ask(h, bob, general, ".set_level_name 10 \"Another Tester\"", "That failed");
	text = embed_text(h, &message);
	code = strstr(text, "code **");
	assert_non_null(code);
	harness_wait_log(bot, arena_printf(&h->arena, "code=\"%.6s\"", code + 7), SOON);
	view = ask_slash(h, bob, general, "set_level_name", rename);
	assert_contains(answer_text(h, &view), "That failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HARNESS_TEST(server_errors),
		HARNESS_TEST(a_lost_answer),
		HARNESS_TEST(a_lost_request),
		HARNESS_TEST(an_error_page_after_the_effect),
		HARNESS_TEST(a_limit_of_ours),
		HARNESS_TEST(a_shared_limit),
		HARNESS_TEST(the_global_limit),
		HARNESS_TEST(a_command_that_fails_says_so),
	};

	return harness_run("bot_rest_faults", tests, ARRAY_SIZE(tests));
}
