/* Events that make no sense: whoever sends them, both programs pass over them, stay up, and do what comes next. */
#include "harness.h"

#define PATIENCE (30 * SECOND)

static const char *const events[] = { "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "MESSAGE_REACTION_ADD",
	"INTERACTION_CREATE", "GUILD_CREATE", "GUILD_UPDATE", "GUILD_DELETE", "GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE",
	"GUILD_MEMBER_REMOVE", "GUILD_MEMBERS_CHUNK", "GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE",
	"CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "RATE_LIMITED", "NO_SUCH_EVENT" };

/* $ is the guild's id. */
static const char *const shapes[] = {
	"null",
	"[]",
	"{}",
	"\"text\"",
	"{\"id\":7,\"guild_id\":8}",
	"{\"id\":\"-1\",\"guild_id\":\"$\"}",
	"{\"id\":\"99999999999999999999\",\"guild_id\":\"$\",\"user\":{\"id\":\"\"}}",
	"{\"guild_id\":\"$\",\"user\":null,\"member\":[],\"role\":{},\"roles\":{},\"members\":{},\"author\":[],\"data\":7}",
	("{\"guild_id\":\"$\",\"user\":{\"id\":\"5\"},\"role\":{\"id\":\"x\"},\"role_id\":true,\"members\":[1,[],{}],"
	 "\"nonce\":7,\"chunk_index\":-1,\"chunk_count\":1e99}"),
	("{\"id\":\"6\",\"guild_id\":\"$\",\"channel_id\":\"7\",\"author\":{\"id\":\"8\",\"username\":7},\"content\":[],"
	 "\"type\":\"zero\",\"token\":null,\"member\":{\"roles\":[7,null,\"x\"]}}"),
};

/* The shape with the guild's id in it. */
static const char *shape_of(struct harness *h, const char *shape)
{
	struct str text cleanup(str_finish) = STR_INIT;

	for (; *shape; shape++) {
		if (*shape == '$')
			str_addu64(&text, fake_guild(h->fake));
		else
			str_addc(&text, *shape);
	}
	return arena_strdup(&h->arena, text.buf);
}

static void nonsense_is_passed_over(struct harness *h)
{
	uint64_t alice = fake_member(h->fake, "alice"), general = fake_channel(h->fake, "general");
	struct process *bot = harness_start(h, PROGRAM_BOT), *listener = harness_start(h, PROGRAM_LISTENER);
	struct fake_message_view answer;

	harness_wait_log(listener, "the member list is compared", PATIENCE);
	for (size_t e = 0; e < ARRAY_SIZE(events); e++)
		for (size_t s = 0; s < ARRAY_SIZE(shapes); s++)
			fake_dispatch(h->fake, events[e], shape_of(h, shapes[s]));

	assert_int_equal(fake_nick(h->fake, alice, "still here"), 0);
	harness_wait_profile(h, alice, "alice", "still here", PATIENCE);
	assert_true(fake_say(h->fake, alice, general, ".rank"));
	assert_int_equal(fake_wait_message(h->fake, general, "Stat Card", PATIENCE, &answer), 0);
	harness_wait_healthy(bot, PATIENCE);
	harness_wait_healthy(listener, PATIENCE);
	/* Nobody was marked absent, and nothing was taken for a damaged database. */
	harness_wait_present(h, fake_member(h->fake, "bob"), true, SOON);
	assert_int_equal(harness_log_lines(bot, "damaged"), 0);
	assert_int_equal(harness_gateway(h).identified, 2);
	assert_int_equal(harness_gateway(h).resumed, 0);
	harness_stop(listener);
	harness_stop(bot);
}

int main(void)
{
	static const struct fake_options options = { .member_request_interval = 10 * MILLISECOND };
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(nonsense_is_passed_over, &options) };

	return harness_run("services_malformed_events", tests, ARRAY_SIZE(tests));
}
