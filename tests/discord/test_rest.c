/* discord/rest.h against a scripted server: what is repeated and what not, what each answer becomes, and that nothing
 * waits for ever. */
#include "rest_world.h"

#include "discord/ratelimit.h"

#define OPEN(w, ...)                                          \
	static const struct reply script[] = { __VA_ARGS__ }; \
	struct world w;                                       \
	world_open(&w, script, ARRAY_SIZE(script))

#define MESSAGE \
	"{\"id\":\"77\",\"channel_id\":\"5\",\"author\":{\"id\":\"9\",\"username\":\"wall_e\"},\"content\":\"hi\"}"

static int create_message(struct rest *rest, void *arg)
{
	return rest_create_message(rest, 5, &(struct message_create){ .content = "hi" }, arg);
}

static int create_channel(struct rest *rest, void *arg)
{
	return rest_create_channel(rest, 3, &(struct channel_create){ .name = "general" }, "because", arg);
}

static int delete_message(struct rest *rest, void *arg)
{
	return rest_delete_message(rest, 5, 77, arg);
}

static int get_guild(struct rest *rest, void *arg)
{
	return rest_get_guild(rest, 3, arg);
}

static const struct interaction interaction = { .id = 40, .application_id = 41, .token = "se/cret" };

static int reply(struct rest *rest, void *arg)
{
	return rest_interaction_reply(
		rest, arg ? arg : &interaction, &(struct message_create){ .content = "hi", .ephemeral = true });
}

static int follow_up(struct rest *rest, void *arg)
{
	return rest_interaction_follow_up(rest, &interaction, &(struct message_create){ .content = "hi" }, arg);
}

/* ---- ordinary calls ---- */

static void a_message_is_sent_whole(void **state)
{
	snowflake id = 0;
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, create_message, &id, NULL), 0);
	assert_int_equal(id, 77);
	assert_int_equal(w.count, 1);
	assert_string_equal(w.asked[0].method, "POST");
	assert_string_equal(w.asked[0].path, "/api/v10/channels/5/messages");
	assert_string_equal(w.asked[0].authorization, "Bot " TOKEN);
	assert_string_equal(w.asked[0].content_type, "application/json");
	assert_memory_equal(w.asked[0].user_agent, "DiscordBot (https://github.com/CSSS/wall_e, ", 44);
	assert_null(w.asked[0].reason);
	world_close(&w);
}

static void calls_outside_flows_are_refused(void **state)
{
	snowflake id = 5;
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(create_message(w.rest, &id), -EINVAL);
	assert_int_equal(id, 5);
	assert_int_equal(w.count, 0);
	world_close(&w);
}

static int with_reason(struct rest *rest, void *arg)
{
	return rest_delete_message(rest, 5, 77, arg);
}

static void reasons_cannot_leave_their_header(void **state)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	OPEN(w, { .status = 204 });

	(void)state;
	str_adds(&reason, "a\r\nX-Evil: 1 é");
	assert_int_equal(world_run(&w, with_reason, reason.buf, NULL), 0);
	assert_string_equal(w.asked[0].reason, "a%0D%0AX-Evil%3A%201%20%C3%A9");
	str_clear(&reason);
	for (int i = 0; i < 600; i++)
		str_adds(&reason, "é");
	assert_int_equal(world_run(&w, with_reason, reason.buf, NULL), 0);
	assert_int_equal(strlen(w.asked[1].reason), 512 * 6);
	world_close(&w);
}

static int react(struct rest *rest, void *arg)
{
	return rest_create_reaction(rest, 5, 77, arg);
}

static void emoji_are_encoded(void **state)
{
	struct emoji glyph = { .name = "⏪" }, custom = { .id = 123, .name = "F_Egg/../plant" };
	OPEN(w, { .status = 204 });

	(void)state;
	assert_int_equal(world_run(&w, react, &glyph, NULL), 0);
	assert_string_equal(w.asked[0].path, "/api/v10/channels/5/messages/77/reactions/%E2%8F%AA/@me");
	assert_int_equal(world_run(&w, react, &custom, NULL), 0);
	assert_string_equal(w.asked[1].path, "/api/v10/channels/5/messages/77/reactions/F_Egg%2F..%2Fplant%3A123/@me");
	world_close(&w);
}

static int upload(struct rest *rest, void *arg)
{
	static const struct file files[] = {
		{ .name = "a.png", .content_type = "image/png", .data = "\x89PNG\0x", .len = 6 },
		{ .name = "b.bin", .data = "bytes", .len = 5 },
	};

	(void)arg;
	return rest_create_message(
		rest, 5, &(struct message_create){ .content = "two", .files = files, .file_count = 2 }, NULL);
}

static void files_go_as_multipart(void **state)
{
	OPEN(w, { .status = 500 }, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, upload, NULL, NULL), 0);
	assert_int_equal(w.count, 2);
	for (size_t i = 0; i < 2; i++) { /* the repetition has its files too */
		assert_memory_equal(w.asked[i].content_type, "multipart/form-data", 19);
		assert_non_null(strstr(w.asked[i].body, "name=\"payload_json\""));
		assert_non_null(strstr(w.asked[i].body, "name=\"files[0]\"; filename=\"a.png\""));
		assert_non_null(memmem(w.asked[i].body, w.asked[i].body_len, "\x89PNG\0x", 6));
		assert_non_null(
			memmem(w.asked[i].body, w.asked[i].body_len, "name=\"files[1]\"; filename=\"b.bin\"", 33));
		assert_non_null(memmem(w.asked[i].body, w.asked[i].body_len,
			"\"attachments\":[{\"id\":0,\"filename\":\"a.png\"},{\"id\":1", 50));
	}
	world_close(&w);
}

struct fetched {
	struct arena arena;
	struct message *messages;
	size_t count;
};

static int get_messages(struct rest *rest, void *arg)
{
	struct fetched *fetched = arg;

	return rest_get_messages(rest, 5, 100, 0, 500, &fetched->arena, &fetched->messages, &fetched->count);
}

static void what_is_fetched_lives_in_the_arena(void **state)
{
	struct fetched fetched = { .arena = ARENA_INIT };
	OPEN(w, { .status = 200, .body = "[" MESSAGE "," MESSAGE "]" });

	(void)state;
	assert_int_equal(world_run(&w, get_messages, &fetched, NULL), 0);
	assert_string_equal(w.asked[0].query, "limit=100&before=100");
	assert_int_equal(fetched.count, 2);
	assert_string_equal(fetched.messages[1].content, "hi");
	assert_string_equal(fetched.messages[1].author.username, "wall_e");
	assert_string_equal(json_string(fetched.messages[0].json, "id"), "77");
	arena_finish(&fetched.arena);
	world_close(&w);
}

static void success_without_json_is_none_for_readers(void **state)
{
	cJSON *guild = NULL;
	OPEN(w, { .status = 200, .body = "<html>hello</html>" });

	(void)state;
	assert_int_equal(world_run(&w, get_guild, &guild, NULL), -EBADMSG);
	assert_null(guild);
	world_close(&w);
}

/* ---- refusals ---- */

static void statuses_become_errors(void **state)
{
	static const struct {
		int status, result;
		const char *body, *message;
		int code;
	} cases[] = {
		{ 400, -EINVAL,
			"{\"code\":50035,\"message\":\"Invalid Form Body\","
			"\"errors\":{\"embeds\":{\"0\":{\"title\":{\"_errors\":[{\"code\":\"X\","
			"\"message\":\"Too long.\"}]}}}}}",
			"Invalid Form Body (embeds.0.title: Too long.)", 50035 },
		{ 403, -EACCES, "{\"code\":50013,\"message\":\"Missing Permissions\"}", "Missing Permissions", 50013 },
		{ 404, -ENOENT, "{\"code\":10003,\"message\":\"Unknown Channel\"}", "Unknown Channel", 10003 },
		{ 405, -EINVAL, "", "HTTP status 405", 0 },
		{ 302, -EPROTO, "", "HTTP status 302", 0 },
		{ 501, -EREMOTEIO, "", "HTTP status 501", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct reply script[] = { { .status = cases[i].status, .body = cases[i].body } };
		struct rest_error error;
		struct world w;

		world_open(&w, script, 1);
		assert_int_equal(world_run(&w, create_message, NULL, &error), cases[i].result);
		assert_int_equal(error.http_status, cases[i].status);
		assert_int_equal(error.code, cases[i].code);
		assert_string_equal(error.message, cases[i].message);
		assert_int_equal(w.count, 1); /* none of these is repeated */
		world_close(&w);
	}
}

static void a_wrong_token_ends_everything(void **state)
{
	struct work waiting[3];
	OPEN(w, { .status = 401, .body = "{\"code\":0,\"message\":\"401: Unauthorized\"}" });

	(void)state;
	/* three on one unknown route: one goes, two wait for it */
	for (size_t i = 0; i < 3; i++) {
		waiting[i] = (struct work){ .world = &w, .run = create_message };
		work_start(&waiting[i]);
	}
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(loop_run_until(&w.loop, work_over, &waiting[i], 5 * SECOND), 0);
		assert_int_equal(waiting[i].result, -EKEYREJECTED);
	}
	assert_int_equal(w.unauthorized, 1);
	assert_int_equal(world_run(&w, get_guild, NULL, NULL), -EKEYREJECTED);
	assert_int_equal(w.count, 1);
	assert_int_equal(w.unauthorized, 1);
	world_close(&w);
}

static int too_large(struct rest *rest, void *arg)
{
	const struct embed embed = { .title = arg };

	return rest_create_message(rest, 5, &(struct message_create){ .embeds = &embed, .embed_count = 1 }, NULL);
}

static void what_discord_would_refuse_is_not_sent(void **state)
{
	char title[400];
	struct rest_error error;
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	memset(title, 'x', sizeof(title) - 1);
	title[sizeof(title) - 1] = '\0';
	assert_int_equal(world_run(&w, too_large, title, &error), -E2BIG);
	assert_string_equal(error.message, "The embed's title has 399 characters, at most 256 are allowed.");
	assert_int_equal(w.count, 0);
	world_close(&w);
}

/* ---- repetition ---- */

static char *nonce_of(const struct asked *asked)
{
	cJSON *json = test_json(asked->body);
	char *nonce = xstrdup(json_string(json, "nonce"));

	assert_true(json_bool(json, "enforce_nonce", false));
	assert_true(strlen(nonce) <= 25);
	cJSON_Delete(json);
	return nonce;
}

static void assert_one_nonce(const struct world *w)
{
	char *first = nonce_of(&w->asked[0]);

	for (size_t i = 1; i < w->count; i++) {
		char *other = nonce_of(&w->asked[i]);

		assert_string_equal(first, other);
		free(other);
	}
	free(first);
}

/* Case 14: the answer is lost after the message was accepted. */
static void a_lost_answer_is_asked_for_again_with_the_same_nonce(void **state)
{
	snowflake id = 0;
	OPEN(w, { .status = 0 }, { .status = 502, .body = "<html>" }, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, create_message, &id, NULL), 0);
	assert_int_equal(id, 77);
	assert_int_equal(w.count, 3);
	assert_one_nonce(&w);
	world_close(&w);
}

/* Case 15: and deleted by somebody since. */
static void unknown_message_after_a_lost_answer_means_delivered(void **state)
{
	snowflake id = 5;
	OPEN(w, { .status = 0 }, { .status = 404, .body = "{\"code\":10008,\"message\":\"Unknown Message\"}" });

	(void)state;
	assert_int_equal(world_run(&w, create_message, &id, NULL), 0);
	assert_int_equal(id, 0);
	world_close(&w);
}

static void unknown_message_at_the_first_try_is_an_error(void **state)
{
	OPEN(w, { .status = 404, .body = "{\"code\":10008,\"message\":\"Unknown Message\"}" });

	(void)state;
	assert_int_equal(world_run(&w, create_message, NULL, NULL), -ENOENT);
	world_close(&w);
}

static void different_messages_have_different_nonces(void **state)
{
	char *first, *second;
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, create_message, NULL, NULL), 0);
	assert_int_equal(world_run(&w, create_message, NULL, NULL), 0);
	first = nonce_of(&w.asked[0]);
	second = nonce_of(&w.asked[1]);
	assert_string_not_equal(first, second);
	free(first);
	free(second);
	world_close(&w);
}

static int with_nonce(struct rest *rest, void *arg)
{
	return rest_create_message(rest, 5, &(struct message_create){ .content = "hi", .nonce = arg }, NULL);
}

static void the_callers_nonce_is_kept(void **state)
{
	char *nonce;
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, with_nonce, (char[]){ "r42" }, NULL), 0);
	nonce = nonce_of(&w.asked[0]);
	assert_string_equal(nonce, "r42");
	free(nonce);
	assert_int_equal(world_run(&w, with_nonce, (char[]){ "abcdefghijklmnopqrstuvwxyz" }, NULL), -EINVAL);
	assert_int_equal(w.count, 1);
	world_close(&w);
}

static void what_cannot_be_recognised_is_not_repeated(void **state)
{
	OPEN(w, { .status = 0 });

	(void)state;
	assert_true(world_run(&w, create_channel, NULL, NULL) < 0);
	assert_int_equal(w.count, 1);
	world_close(&w);
}

static void server_errors_of_unsafe_calls_are_not_repeated(void **state)
{
	OPEN(w, { .status = 503 });

	(void)state;
	assert_int_equal(world_run(&w, create_channel, NULL, NULL), -EREMOTEIO);
	assert_int_equal(w.count, 1);
	world_close(&w);
}

static void five_tries_and_no_more(void **state)
{
	struct rest_error error;
	OPEN(w, { .status = 503 });

	(void)state;
	assert_int_equal(world_run(&w, create_message, NULL, &error), -EREMOTEIO);
	assert_int_equal(error.http_status, 503);
	assert_int_equal(w.count, 5);
	assert_one_nonce(&w);
	for (size_t i = 2; i < 5; i++) /* pauses at least double from half to half */
		assert_true(
			w.asked[i].at - w.asked[i - 1].at >= (usec)(250 << (i - 1)) * MILLISECOND - 50 * MILLISECOND);
	world_close(&w);
}

static void deleting_what_is_gone_after_a_repetition_is_done(void **state)
{
	OPEN(w, { .status = 0 }, { .status = 404, .body = "{\"code\":10008,\"message\":\"Unknown Message\"}" });

	(void)state;
	assert_int_equal(world_run(&w, delete_message, NULL, NULL), 0);
	assert_int_equal(w.count, 2);
	assert_int_equal(world_run(&w, delete_message, NULL, NULL), -ENOENT); /* at once: it never was */
	world_close(&w);
}

static void no_server_is_an_error_soon(void **state)
{
	OPEN(w, { .status = 200 });

	(void)state;
	httpd_destroy(w.httpd);
	w.httpd = NULL;
	assert_int_equal(
		world_run(&w, create_channel, NULL, NULL), -ECONNREFUSED); /* not sent, so even this is repeated */
	world_close(&w);
}

/* ---- rate limits (case 12) ---- */

#define LIMITED(after, scope_value)                                                                               \
	{                                                                                                         \
		.status = 429, .body = "{\"message\":\"You are being rate limited.\",\"retry_after\":" after "}", \
		.headers = {                                                                                      \
			{ "X-RateLimit-Scope", scope_value },                                                     \
		}                                                                                                 \
	}

static void each_scope_is_waited_for(void **state)
{
	static const char *const scopes[] = { "user", "global", "shared" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		const struct reply script[] = { LIMITED("0.35", scopes[i]), { .status = 200, .body = MESSAGE } };
		struct world w;

		world_open(&w, script, 2);
		assert_int_equal(world_run(&w, create_message, NULL, NULL), 0);
		assert_int_equal(w.count, 2);
		assert_true(w.asked[1].at - w.asked[0].at >= 330 * MILLISECOND);
		assert_one_nonce(&w);
		world_close(&w);
	}
}

static void even_unsafe_calls_are_repeated_after_a_429(void **state)
{
	snowflake id = 0;
	OPEN(w, LIMITED("0.05", "user"), { .status = 201, .body = "{\"id\":\"9\"}" });

	(void)state;
	assert_int_equal(world_run(&w, create_channel, &id, NULL), 0);
	assert_int_equal(id, 9);
	assert_int_equal(w.count, 2);
	world_close(&w);
}

static void headers_are_obeyed(void **state)
{
	struct work works[2];
	OPEN(w, { .status = 200,
			.body = MESSAGE,
			.headers = { { "X-RateLimit-Limit", "1" }, { "X-RateLimit-Remaining", "0" },
				{ "X-RateLimit-Reset-After", "0.4" }, { "X-RateLimit-Bucket", "abc" } } });

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		works[i] = (struct work){ .world = &w, .run = create_message };
		work_start(&works[i]);
	}
	assert_int_equal(loop_run_until(&w.loop, work_over, &works[1], 5 * SECOND), 0);
	assert_int_equal(works[1].result, 0);
	assert_true(w.asked[1].at - w.asked[0].at >= 380 * MILLISECOND);
	world_close(&w);
}

static void stopped_by_the_edge(const struct reply *edge)
{
	struct rest_error error;
	struct world w;
	usec start;

	world_open(&w, edge, 1);
	start = loop_now(&w.loop);
	assert_int_equal(world_run(&w, create_message, NULL, &error), -EBUSY);
	assert_int_equal(world_run(&w, get_guild, NULL, NULL), -EBUSY);
	assert_int_equal(world_run(&w, reply, NULL, NULL), -EBUSY);
	assert_int_equal(w.count, 1);
	assert_true(loop_now(&w.loop) - start < 3 * SECOND); /* a wait beyond the deadline is not waited for */
	world_close(&w);
}

static void a_page_of_the_edge_stops_everything_at_once(void **state)
{
	(void)state;
	stopped_by_the_edge(&(struct reply){ .status = 429,
		.body = "<html>error 1015</html>",
		.headers = { { "Via", "1.1 x" }, { "Retry-After", "120" } } });
	stopped_by_the_edge(&(struct reply){ .status = 403,
		.body = "{\"code\":40333,\"message\":\"internal network error\"}",
		.headers = { { "Retry-After", "120" } } });
}

static void a_limit_beyond_the_deadline_is_not_waited_for(void **state)
{
	OPEN(w, LIMITED("3600", "user"));

	(void)state;
	assert_int_equal(world_run(&w, create_message, NULL, NULL), -EBUSY);
	assert_int_equal(w.count, 1);
	world_close(&w);
}

/* ---- interactions ---- */

static void interactions_go_without_our_token(void **state)
{
	OPEN(w, { .status = 204 });

	(void)state;
	assert_int_equal(world_run(&w, reply, NULL, NULL), 0);
	assert_string_equal(w.asked[0].path, "/api/v10/interactions/40/se%2Fcret/callback");
	assert_null(w.asked[0].authorization);
	assert_string_equal(w.asked[0].body,
		"{\"type\":4,\"data\":{\"content\":\"hi\",\"allowed_mentions\":{\"parse\":[],"
		"\"replied_user\":false},\"flags\":64}}");
	world_close(&w);
}

static void an_answered_interaction_says_so(void **state)
{
	OPEN(w, { .status = 400,
			.body = "{\"code\":40060,\"message\":\"Interaction has already been acknowledged.\"}" });

	(void)state;
	assert_int_equal(world_run(&w, reply, NULL, NULL), -EALREADY);
	world_close(&w);
}

static void a_dead_interaction_is_left_alone(void **state)
{
	static const char *const bodies[] = {
		"{\"code\":10062,\"message\":\"Unknown interaction\"}",
		"{\"code\":10015,\"message\":\"Unknown Webhook\"}",
		"{\"code\":50027,\"message\":\"Invalid Webhook Token\"}",
	};
	static const int statuses[] = { 404, 404, 401 };
	struct interaction other = { .id = 44, .application_id = 41, .token = "t" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		const struct reply script[] = { { .status = statuses[i], .body = bodies[i] }, { .status = 204 } };
		struct world w;

		world_open(&w, script, 2);
		assert_int_equal(world_run(&w, reply, NULL, NULL), -ENOENT);
		assert_int_equal(world_run(&w, follow_up, NULL, NULL), -ENOENT);
		assert_int_equal(w.count, 1);
		assert_int_equal(w.unauthorized, 0);
		assert_int_equal(world_run(&w, reply, &other, NULL), 0);
		world_close(&w);
	}
}

static void an_unknown_message_of_an_interaction_is_no_dead_interaction(void **state)
{
	OPEN(w, { .status = 404, .body = "{\"code\":10008,\"message\":\"Unknown Message\"}" },
		{ .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, follow_up, NULL, NULL), -ENOENT);
	assert_int_equal(world_run(&w, follow_up, NULL, NULL), 0);
	world_close(&w);
}

static void replies_to_interactions_are_not_repeated_when_lost(void **state)
{
	OPEN(w, { .status = 0 });

	(void)state;
	assert_true(world_run(&w, reply, NULL, NULL) < 0);
	assert_int_equal(w.count, 1);
	world_close(&w);
}

static void a_slow_callback_is_given_up_in_time(void **state)
{
	usec start;
	OPEN(w, { .status = -1 });

	(void)state;
	start = loop_now(&w.loop);
	assert_int_equal(world_run(&w, reply, NULL, NULL), -ETIMEDOUT);
	assert_true(loop_now(&w.loop) - start < 3 * SECOND);
	world_close(&w);
}

/* ---- endings ---- */

static bool was_asked(void *arg)
{
	return ((struct world *)arg)->count > 0;
}

static void cancelled_flows_end_at_once(void **state)
{
	struct str dump cleanup(str_finish) = STR_INIT;
	struct work works[2];
	OPEN(w, { .status = -1 });

	(void)state;
	/* one waits for its answer, the other for the first */
	for (size_t i = 0; i < 2; i++) {
		works[i] = (struct work){ .world = &w, .run = create_message };
		work_start(&works[i]);
	}
	assert_int_equal(loop_run_until(&w.loop, was_asked, &w, SECOND), 0);
	flows_dump(w.flows, &dump);
	assert_non_null(strstr(dump.buf, "POST /channels/{channel.id}/messages"));
	flows_cancel(w.flows, NULL);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(loop_run_until(&w.loop, work_over, &works[i], SECOND), 0);
		assert_int_equal(works[i].result, -ECANCELED);
	}
	world_close(&w);
}

static void a_destroyed_client_lets_its_callers_go(void **state)
{
	struct work works[2];
	OPEN(w, { .status = -1 });

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		works[i] = (struct work){ .world = &w, .run = create_message };
		work_start(&works[i]);
	}
	assert_int_equal(loop_run_until(&w.loop, was_asked, &w, SECOND), 0);
	rest_destroy(w.rest);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(loop_run_until(&w.loop, work_over, &works[i], SECOND), 0);
		assert_int_equal(works[i].result, -ECANCELED);
	}
	w.rest = NULL;
	world_close(&w);
}

static int two_failures(struct rest *rest, void *arg)
{
	struct work *other = arg;
	int r = create_message(rest, NULL);

	work_start(other);
	while (!other->done)
		if (flow_sleep(5 * MILLISECOND) < 0)
			return -ECANCELED;
	assert_int_equal(rest_error(rest)->code, 50013); /* the other flow's failure is its own */
	return r;
}

static void each_flow_has_its_own_error(void **state)
{
	struct work second;
	OPEN(w, { .status = 403, .body = "{\"code\":50013,\"message\":\"Missing Permissions\"}" },
		{ .status = 404, .body = "{\"code\":10004,\"message\":\"Unknown Guild\"}" });

	(void)state;
	assert_int_equal(rest_error(w.rest)->code, 0);
	second = (struct work){ .world = &w, .run = get_guild };
	assert_int_equal(world_run(&w, two_failures, &second, NULL), -EACCES);
	assert_int_equal(second.error.code, 10004);
	world_close(&w);
}

static int send_file(struct rest *rest, void *arg)
{
	return rest_create_message(rest, 5, &(struct message_create){ .files = arg, .file_count = 1 }, NULL);
}

static void files_cannot_leave_their_headers(void **state)
{
	struct file files[] = {
		{ .name = "a.png", .content_type = "image/png\r\nX-Evil: 1", .data = "x", .len = 1 },
		{ .name = "a\nb", .data = "x", .len = 1 },
		{ .data = "x", .len = 1 },
	};
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_int_equal(world_run(&w, send_file, &files[i], NULL), -EINVAL);
	assert_int_equal(w.count, 0);
	world_close(&w);
}

static int cancelled_first(struct rest *rest, void *arg)
{
	flows_cancel(arg, NULL);
	return create_message(rest, NULL);
}

static void cancelled_flows_send_nothing(void **state)
{
	OPEN(w, { .status = 200, .body = MESSAGE });

	(void)state;
	assert_int_equal(world_run(&w, cancelled_first, w.flows, NULL), -ECANCELED);
	assert_int_equal(w.count, 0);
	world_close(&w);
}

static void cancellation_ends_a_pause(void **state)
{
	struct work work;
	OPEN(w, { .status = 503 });

	(void)state;
	work = (struct work){ .world = &w, .run = create_message };
	work_start(&work);
	assert_int_equal(loop_run_until(&w.loop, was_asked, &w, SECOND), 0);
	for (int i = 0; i < 5; i++)
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
	flows_cancel(w.flows, NULL);
	assert_int_equal(loop_run_until(&w.loop, work_over, &work, SECOND), 0);
	assert_int_equal(work.result, -ECANCELED);
	world_close(&w);
}

/* More calls on one route than may wait: the last ones are told so at once. */
static void full_queues_refuse(void **state)
{
	static struct work works[230];
	struct flows *many;
	int busy = 0;
	OPEN(w, { .status = -1 });

	(void)state;
	many = flows_create(&w.loop, (struct flow_limits){ .total = 230, .per_owner = 230, .stack = 64 << 10 });
	for (size_t i = 0; i < ARRAY_SIZE(works); i++) {
		works[i] = (struct work){ .world = &w, .run = create_message };
		assert_int_equal(flow_start(many, &(struct flow_options){ .name = "test" }, work_run, &works[i]), 0);
	}
	assert_int_equal(loop_run_until(&w.loop, work_over, &works[229], SECOND), 0);
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		busy += works[i].done && works[i].result == -EBUSY;
	assert_int_equal(busy, 29); /* one under way, 200 wait */
	flows_cancel(many, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		assert_int_equal(loop_run_until(&w.loop, work_over, &works[i], SECOND), 0);
	for (int i = 0; i < 5; i++)
		uv_run(&w.loop.uv, UV_RUN_NOWAIT);
	flows_destroy(many);
	world_close(&w);
}

static void options_must_be_there(void **state)
{
	struct rest *rest = NULL;

	(void)state;
	assert_int_equal(rest_create(NULL, NULL, &(struct rest_options){ .api_url = "http://x" }, &rest), -EINVAL);
	assert_int_equal(rest_create(NULL, NULL, &(struct rest_options){ .token = "x" }, &rest), -EINVAL);
	assert_null(rest);
	rest_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_sent_whole),
		cmocka_unit_test(calls_outside_flows_are_refused),
		cmocka_unit_test(reasons_cannot_leave_their_header),
		cmocka_unit_test(emoji_are_encoded),
		cmocka_unit_test(files_go_as_multipart),
		cmocka_unit_test(what_is_fetched_lives_in_the_arena),
		cmocka_unit_test(success_without_json_is_none_for_readers),
		cmocka_unit_test(statuses_become_errors),
		cmocka_unit_test(a_wrong_token_ends_everything),
		cmocka_unit_test(what_discord_would_refuse_is_not_sent),
		cmocka_unit_test(a_lost_answer_is_asked_for_again_with_the_same_nonce),
		cmocka_unit_test(unknown_message_after_a_lost_answer_means_delivered),
		cmocka_unit_test(unknown_message_at_the_first_try_is_an_error),
		cmocka_unit_test(different_messages_have_different_nonces),
		cmocka_unit_test(the_callers_nonce_is_kept),
		cmocka_unit_test(what_cannot_be_recognised_is_not_repeated),
		cmocka_unit_test(server_errors_of_unsafe_calls_are_not_repeated),
		cmocka_unit_test(five_tries_and_no_more),
		cmocka_unit_test(deleting_what_is_gone_after_a_repetition_is_done),
		cmocka_unit_test(no_server_is_an_error_soon),
		cmocka_unit_test(each_scope_is_waited_for),
		cmocka_unit_test(even_unsafe_calls_are_repeated_after_a_429),
		cmocka_unit_test(headers_are_obeyed),
		cmocka_unit_test(a_page_of_the_edge_stops_everything_at_once),
		cmocka_unit_test(a_limit_beyond_the_deadline_is_not_waited_for),
		cmocka_unit_test(interactions_go_without_our_token),
		cmocka_unit_test(an_answered_interaction_says_so),
		cmocka_unit_test(a_dead_interaction_is_left_alone),
		cmocka_unit_test(an_unknown_message_of_an_interaction_is_no_dead_interaction),
		cmocka_unit_test(replies_to_interactions_are_not_repeated_when_lost),
		cmocka_unit_test(a_slow_callback_is_given_up_in_time),
		cmocka_unit_test(cancelled_flows_end_at_once),
		cmocka_unit_test(a_destroyed_client_lets_its_callers_go),
		cmocka_unit_test(each_flow_has_its_own_error),
		cmocka_unit_test(files_cannot_leave_their_headers),
		cmocka_unit_test(cancelled_flows_send_nothing),
		cmocka_unit_test(cancellation_ends_a_pause),
		cmocka_unit_test(full_queues_refuse),
		cmocka_unit_test(options_must_be_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
