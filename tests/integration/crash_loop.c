/* kill -9 of each service at random moments under load, over and over: what was dispatched is counted exactly once,
 * each level-up is announced exactly once, profiles follow every rename, the database stays sound, and Discord sees
 * resumes, not identifies.
 *
 * WALLE_CRASH_ROUNDS (20) kills; './walle test --crash-rounds 200' is the long form. WALLE_CRASH_SEED repeats a run's
 * choices.
 */
#include "bot_helpers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "models/db.h"

#define SERVICES 3
#define SPEAKERS 40
#define POINTS   20
/* The local Discord remembers so many messages of a channel that this number of them holds some 1500 rounds. */
#define CHANNELS 20
#define PATIENCE (30 * SECOND)

static const struct fake_options options = { .members = SPEAKERS,
	.member_request_interval = 10 * MILLISECOND,
	.heartbeat = SECOND,
	/* Announcements come as fast as people talk here. */
	.rate_scale = 0.01,
	.no_rate_limits = true,
	.no_journal = true };

struct loop_state {
	struct harness *h;
	struct random random;
	struct process *services[SERVICES];
	uint64_t channels[CHANNELS];
	uint64_t speakers[SPEAKERS];
	int64_t said[SPEAKERS], total;
	int renames;
	char nick[32]; /* of speaker 0, the last */
	uint64_t kills[SERVICES], kills_while_starting;
};

static long number_from(const char *variable, long fallback)
{
	const char *text = getenv(variable);
	int64_t value;

	return text && parse_i64(text, &value) == 0 && value > 0 ? (long)value : fallback;
}

/* A few messages of random people, now and then a rename; the loop turns between them. */
static void load_for(struct loop_state *state, usec duration)
{
	usec end = loop_now(&state->h->loop) + duration;

	do {
		int burst = 1 + (int)random_below(&state->random, 8);

		for (int i = 0; i < burst; i++) {
			size_t speaker = random_below(&state->random, SPEAKERS);

			uint64_t channel = state->channels[random_below(&state->random, CHANNELS)];

			assert_true(fake_say(state->h->fake, state->speakers[speaker], channel, "word") != 0);
			state->said[speaker]++;
			state->total++;
		}
		if (random_below(&state->random, 10) == 0) {
			snprintf(state->nick, sizeof(state->nick), "nick %d", ++state->renames);
			assert_int_equal(fake_nick(state->h->fake, state->speakers[0], state->nick), 0);
		}
		harness_idle(state->h, (usec)random_below(&state->random, 10 * MILLISECOND));
	} while (loop_now(&state->h->loop) < end);
}

static void restart(struct loop_state *state, size_t service)
{
	harness_kill(state->services[service]);
	harness_forget(state->services[service]);
	state->services[service] = NULL;
	load_for(state, (usec)random_below(&state->random, 150 * MILLISECOND));
	state->services[service] = harness_spawn(state->h, (enum harness_program)service, NULL);
}

static void all_healthy(struct loop_state *state)
{
	for (size_t i = 0; i < SERVICES; i++)
		harness_wait_healthy(state->services[i], PATIENCE);
}

static void one_round(struct loop_state *state)
{
	size_t victim = random_below(&state->random, SERVICES);

	load_for(state, (usec)random_below(&state->random, 300 * MILLISECOND));
	state->kills[victim]++;
	restart(state, victim);
	/* Every third one dies again somewhere in its start. */
	if (random_below(&state->random, 3) == 0) {
		load_for(state, (usec)random_below(&state->random, 300 * MILLISECOND));
		state->kills_while_starting++;
		restart(state, victim);
	}
	/* Mostly the next round waits until everybody is back, sometimes it strikes before. */
	if (random_below(&state->random, 4) != 0)
		all_healthy(state);
}

static bool everything_is_counted(void *arg)
{
	const struct loop_state *state = arg;
	int64_t counted = 0;

	for (size_t i = 0; i < SPEAKERS; i++)
		counted += xp_of(state->h, state->speakers[i]).message_count;
	return counted >= state->total;
}

static void check_sums(struct loop_state *state)
{
	int64_t points = 0;

	harness_wait(state->h, everything_is_counted, state, PATIENCE);
	/* What comes too late or twice would come now. */
	harness_idle(state->h, SECOND);
	for (size_t i = 0; i < SPEAKERS; i++) {
		struct member_xp xp = xp_of(state->h, state->speakers[i]);

		assert_int_equal(xp.message_count, state->said[i]);
		assert_int_equal(xp.points, POINTS * state->said[i]);
		points += xp.points;
	}
	assert_int_equal(points, POINTS * state->total);
}

static int64_t level_ups(struct loop_state *state)
{
	int64_t levels = 0;

	/* So few points at a time: nobody skips a level. */
	for (size_t i = 0; i < SPEAKERS; i++)
		levels += xp_of(state->h, state->speakers[i]).level_number;
	return levels;
}

static bool everything_is_announced(void *arg)
{
	struct loop_state *state = arg;
	struct level_up waiting;
	size_t count;

	assert_int_equal(level_up_list(harness_db(state->h), &waiting, 1, &count), 0);
	return count == 0;
}

/* In the channels stand what people said and one announcement per level-up. */
static void check_announcements(struct loop_state *state)
{
	int64_t messages = 0;

	harness_wait(state->h, everything_is_announced, state, PATIENCE);
	harness_idle(state->h, SECOND);
	for (size_t i = 0; i < CHANNELS; i++)
		messages += (int64_t)fake_message_count(state->h->fake, state->channels[i]);
	assert_int_equal(messages - state->total, level_ups(state));
}

/* The points of all members as the levelling API tells them. */
static void check_api(struct loop_state *state)
{
	const char *url = harness_url(state->services[PROGRAM_API], "/user_points/?format=json&page_size=1000");
	const char *body = NULL;
	cJSON *json cleanup(json_freep) = NULL;
	int64_t points = 0;

	assert_int_equal(harness_get(state->h, url, &body), 200);
	assert_int_equal(json_parse(body, strlen(body), &json), 0);
	json_array_each (row, json_array(json, "results"))
		points += json_int(row, "points", 0);
	assert_int_equal(points, POINTS * state->total);
}

static void check_database(struct harness *h)
{
	struct str report cleanup(str_finish) = STR_INIT;
	struct db *db;

	assert_int_equal(db_open(h->database, DB_READ_ONLY, &db, NULL), 0);
	if (db_check(db, false, &report) < 0)
		fail_msg("the database is damaged: %s", report.buf);
	db_close(db);
}

static void begin(struct loop_state *state, struct harness *h, uint64_t seed)
{
	*state = (struct loop_state){ .h = h };
	random_init(&state->random, seed);
	for (size_t i = 0; i < SPEAKERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user_%zu", i + 1);
		state->speakers[i] = fake_member(h->fake, name);
		assert_true(state->speakers[i] != 0);
	}
	for (size_t i = 0; i < CHANNELS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "talk-%zu", i);
		state->channels[i] = fake_channel_create(h->fake, name, 0, 0);
		assert_true(state->channels[i] != 0);
	}
	every_message_earns(h, "20");
	harness_set(h, "log__LEVEL", "info");
	for (size_t i = 0; i < SERVICES; i++)
		state->services[i] = harness_start(h, (enum harness_program)i);
}

static void kills_lose_nothing(struct harness *h)
{
	long rounds = number_from("WALLE_CRASH_ROUNDS", 20);
	uint64_t seed = (uint64_t)number_from("WALLE_CRASH_SEED", (long)(clock_realtime() % 1000000));
	struct fake_gateway_stats gateway;
	struct loop_state state;
	int64_t levels;

	print_message("%ld rounds, WALLE_CRASH_SEED=%" PRIu64 "\n", rounds, seed);
	begin(&state, h, seed);
	for (long i = 0; i < rounds; i++) {
		one_round(&state);
		if (i % 20 == 19)
			print_message("%ld rounds, %" PRId64 " messages\n", i + 1, state.total);
	}
	all_healthy(&state);
	check_sums(&state);
	check_announcements(&state);
	check_api(&state);
	harness_wait_profile(h, state.speakers[0], "user_1", state.nick, PATIENCE);
	gateway = harness_gateway(h);
	/* Both sessions outlived every crash; so whatever was said was dispatched to them. */
	assert_int_equal(gateway.identified, 2);
	assert_int_equal(gateway.invalidated, 0);
	levels = level_ups(&state);
	for (size_t i = 0; i < SERVICES; i++)
		harness_stop(state.services[i]);
	check_database(h);
	print_message("killed: bot %" PRIu64 ", listener %" PRIu64 ", API %" PRIu64 ", again while starting %" PRIu64
		      "; %" PRId64 " messages counted once, %" PRId64 " level-ups, %d renames, %" PRIu64 " resumes\n",
		state.kills[0], state.kills[1], state.kills[2], state.kills_while_starting, state.total, levels,
		state.renames, gateway.resumed);
}

int main(void)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(kills_lose_nothing, &options) };

	return harness_run("crash_loop", tests, ARRAY_SIZE(tests));
}
