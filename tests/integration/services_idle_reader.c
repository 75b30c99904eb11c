/* Somebody reads the database without end (a forgotten shell, a slow copy): writers go on, nothing is lost, and when he
 * leaves, the log shrinks again. */
#include "bot_helpers.h"

#include "models/db.h"

#define WORDS    1500
#define PATIENCE (30 * SECOND)
/* From here on the owner of the checkpoints wants to empty the log (shared/service/checkpoint.c). */
#define LOG_BYTES (4 << 20)

static const struct fake_options options = { .no_rate_limits = true };

static void talk(struct harness *h, int64_t *said)
{
	uint64_t general = fake_channel(h->fake, "general"), alice = fake_member(h->fake, "alice");

	for (int i = 0; i < WORDS; i++) {
		assert_true(fake_say(h->fake, alice, general, "word") != 0);
		(*said)++;
		if (i % 10 == 9)
			harness_idle(h, 10 * MILLISECOND);
	}
	wait_messages_counted(h, alice, *said);
}

static int64_t log_bytes(struct db *db)
{
	int64_t bytes;

	assert_int_equal(db_wal_size(db, &bytes), 0);
	return bytes;
}

static bool log_is_small(void *db)
{
	return log_bytes(db) < LOG_BYTES;
}

static void an_idle_reader_hinders_nobody(struct harness *h)
{
	struct process *bot;
	struct member_xp xp;
	struct db *reader;
	int64_t said = 0;

	every_message_earns(h, "1");
	bot = harness_start(h, PROGRAM_BOT);
	talk(h, &said);
	assert_int_equal(db_open(h->database, DB_READ_ONLY, &reader, NULL), 0);
	assert_int_equal(db_begin_read(reader), 0);
	/* The transaction begins with its first statement. */
	assert_int_equal(member_xp_get(reader, fake_member(h->fake, "alice"), &xp), 0);
	for (int i = 0; i < 20 && log_bytes(harness_db(h)) < 2 * LOG_BYTES; i++)
		talk(h, &said);
	assert_true(log_bytes(harness_db(h)) >= 2 * LOG_BYTES);
	harness_wait_healthy(bot, SOON);
	db_end_read(reader);
	db_close(reader);
	harness_wait(h, log_is_small, harness_db(h), PATIENCE);
	assert_int_equal(xp_of(h, fake_member(h->fake, "alice")).message_count, said);
	harness_stop(bot);
}

int main(void)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST_WITH(an_idle_reader_hinders_nobody, &options) };

	return harness_run("services_idle_reader", tests, ARRAY_SIZE(tests));
}
