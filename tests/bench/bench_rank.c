/* How long a rank and a page of the leaderboard take with a million members, on the bot's way: refresh the ranking in memory (there is always
 * something new: every question follows an award), then ask it.
 *
 * The baseline asks the same of SQL, with an index by points made for it: a count of those above, and a page by ORDER BY, LIMIT and OFFSET.
 * Ranks and pages are spread evenly over the whole list; the figure is what 99 of 100 questions take at most.
 */
#include "harness.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/random.h"
#include "models/leaderboard.h"
#include "models/level.h"
#include "models/member_xp.h"
#include "report.h"

#define MEMBERS       1000000
#define PER_PAGE      10
#define QUESTIONS     2000
#define SQL_QUESTIONS 20
#define FIRST_ID      UINT64_C(100000000000000000)
#define POINTS_MAX    200000
#define TRANSACTION   10000
#define STEP          1000

struct timing {
	usec took[QUESTIONS];
	size_t count;
};

static void count_time(struct timing *timing, usec began)
{
	timing->took[timing->count++] = clock_monotonic() - began;
}

static int compare(const void *a, const void *b)
{
	const usec *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* In milliseconds, after sorting; part 1: the worst. */
static double quantile(const struct timing *timing, double part)
{
	size_t index = (size_t)(part * (double)timing->count);

	return (double)timing->took[MIN(index, timing->count - 1)] / MILLISECOND;
}

static void put(struct db *db, uint64_t user, int64_t points)
{
	struct member_xp xp = { .user_id = user, .announce = true };

	if (member_xp_get(db, user, &xp) < 0)
		xp.points = 0;
	xp.points += points;
	xp.message_count++;
	xp.level_number = level_for_points(xp.points);
	assert_int_equal(member_xp_put(db, &xp), 0);
}

static void fill(struct db *db, uint64_t members, struct random *random)
{
	for (uint64_t i = 0; i < members; i++) {
		if (i % TRANSACTION == 0)
			assert_int_equal(db_begin(db), 0);
		put(db, FIRST_ID + i, (int64_t)random_below(random, POINTS_MAX));
		if (i % TRANSACTION == TRANSACTION - 1 || i == members - 1)
			assert_int_equal(db_commit(db), 0);
	}
}

static void award_somebody(struct db *db, uint64_t members, struct random *random)
{
	assert_int_equal(db_begin(db), 0);
	put(db, FIRST_ID + random_below(random, members), 20);
	assert_int_equal(db_commit(db), 0);
}

static void ask_ranks(struct db *db, struct leaderboard *board, uint64_t members, struct random *random,
	unsigned questions, struct timing *ret_timing)
{
	for (unsigned i = 0; i < questions; i++) {
		uint64_t user = FIRST_ID + (members - 1) * i / questions;
		size_t position;
		usec began;

		award_somebody(db, members, random);
		began = clock_monotonic();
		assert_int_equal(leaderboard_refresh(board, db), 0);
		assert_int_equal(leaderboard_position(board, user, &position), 0);
		count_time(ret_timing, began);
	}
}

static void ask_pages(struct db *db, struct leaderboard *board, uint64_t members, struct random *random,
	unsigned questions, struct timing *ret_timing)
{
	struct leaderboard_entry page[PER_PAGE];

	for (unsigned i = 0; i < questions; i++) {
		size_t first = (members - PER_PAGE) * i / questions;
		usec began;

		award_somebody(db, members, random);
		began = clock_monotonic();
		assert_int_equal(leaderboard_refresh(board, db), 0);
		for (size_t line = 0; line < PER_PAGE; line++)
			assert_true(leaderboard_at(board, first + line, &page[line]));
		count_time(ret_timing, began);
	}
}

/* ---- the baseline ---- */

static int64_t sql_ask(sqlite3 *connection, const char *sql, int64_t a, int64_t b)
{
	sqlite3_stmt *statement;
	int64_t last = 0;

	assert_int_equal(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), SQLITE_OK);
	sqlite3_bind_int64(statement, 1, a);
	if (sqlite3_bind_parameter_count(statement) > 1)
		sqlite3_bind_int64(statement, 2, b);
	while (sqlite3_step(statement) == SQLITE_ROW)
		last = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return last;
}

static void ask_sql(const char *path, struct leaderboard *board, uint64_t members, struct timing *ret_ranks,
	struct timing *ret_pages)
{
	sqlite3 *connection;

	assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(connection, "CREATE INDEX by_points ON member_xp (points DESC, id)", NULL, NULL, NULL),
		SQLITE_OK);
	for (unsigned i = 0; i < SQL_QUESTIONS; i++) {
		uint64_t user = FIRST_ID + (members - 1) * i / SQL_QUESTIONS;
		size_t first = (members - PER_PAGE) * i / SQL_QUESTIONS, position;
		struct leaderboard_entry entry;
		int64_t answer;
		usec began;

		began = clock_monotonic();
		answer = sql_ask(connection,
			"SELECT count(*) FROM member_xp AS other, member_xp AS me WHERE me.user_id = $1"
			" AND (other.points > me.points OR (other.points = me.points AND other.id < me.id))",
			(int64_t)user, 0);
		count_time(ret_ranks, began);
		assert_int_equal(leaderboard_position(board, user, &position), 0);
		assert_int_equal(answer, position);

		began = clock_monotonic();
		answer = sql_ask(connection,
			"SELECT user_id, points, level_number FROM member_xp ORDER BY points DESC, id LIMIT 10 OFFSET $1",
			(int64_t)first, 0);
		count_time(ret_pages, began);
		assert_true(leaderboard_at(board, first + PER_PAGE - 1, &entry));
		assert_int_equal(answer, entry.user_id);
	}
	assert_int_equal(sqlite3_close(connection), SQLITE_OK);
}

static void report(const char *what, struct timing *timing, struct timing *sql, const char *sql_is)
{
	qsort(timing->took, timing->count, sizeof(usec), compare);
	qsort(sql->took, sql->count, sizeof(usec), compare);
	report_row(&(struct report_row){ .what = what,
		.unit = "ms",
		.figure = quantile(timing, 0.99),
		.baseline = quantile(sql, 0.99),
		.baseline_is = sql_is,
		.target = 1,
		.kind = REPORT_AT_MOST });
	report_note("%s: half of %zu took at most %.3f ms, the worst %.3f ms; of SQL half %.1f ms, the worst %.1f ms",
		what, timing->count, quantile(timing, 0.5), quantile(timing, 1), quantile(sql, 0.5), quantile(sql, 1));
}

/* As the bot does it: in steps, between which its loop goes on. Returns the time of all of them. */
static usec load(struct db *db, struct leaderboard *board, usec *ret_longest)
{
	usec all = 0;
	bool more = true;

	*ret_longest = 0;
	while (more) {
		usec began = clock_monotonic(), took;

		assert_int_equal(leaderboard_refresh_some(board, db, STEP, &more), 0);
		took = clock_monotonic() - began;
		all += took;
		*ret_longest = MAX(*ret_longest, took);
	}
	return all;
}

static void run(struct harness *h)
{
	uint64_t members = report_work(MEMBERS);
	unsigned questions = (unsigned)report_work(QUESTIONS);
	static struct timing ranks, pages, sql_ranks, sql_pages;
	struct leaderboard *board = leaderboard_create();
	struct random random;
	struct db *db;
	usec began, loaded, longest, bare;
	sqlite3 *connection;

	random_init(&random, 20261122);
	assert_int_equal(db_open(h->database, DB_WRITE, &db, NULL), 0);
	fill(db, members, &random);

	loaded = load(db, board, &longest);
	assert_int_equal(leaderboard_count(board), members);

	ask_ranks(db, board, members, &random, questions, &ranks);
	ask_pages(db, board, members, &random, questions, &pages);
	assert_int_equal(leaderboard_refresh(board, db), 0);
	assert_int_equal(sqlite3_open(h->database, &connection), SQLITE_OK);
	began = clock_monotonic();
	sql_ask(connection, "SELECT user_id, points, id, level_number FROM member_xp WHERE points >= $1", 0, 0);
	bare = clock_monotonic() - began;
	assert_int_equal(sqlite3_close(connection), SQLITE_OK);
	ask_sql(h->database, board, members, &sql_ranks, &sql_pages);

	report("rank of one member", &ranks, &sql_ranks, "SQL counts those above him, by an index");
	report("page of ten members", &pages, &sql_pages, "SQL: ORDER BY, LIMIT, OFFSET, by an index");
	report_row(&(struct report_row){ .what = "first load of the ranking",
		.unit = "ms",
		.figure = (double)loaded / MILLISECOND,
		.baseline = (double)bare / MILLISECOND,
		.baseline_is = "SQLite reads the same rows and does nothing with them",
		.kind = REPORT_ONLY });
	report_row(&(struct report_row){ .what = "the longest step of it",
		.unit = "ms",
		.figure = (double)longest / MILLISECOND,
		.baseline = (double)loaded / MILLISECOND,
		.baseline_is = "all at once",
		.target = 100,
		.kind = REPORT_AT_MOST });
	report_note("%" PRIu64 " members; each question follows an award, which the refresh takes in", members);
	leaderboard_destroy(board);
	db_close(db);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { HARNESS_TEST(run) };

	report_begin(argc, argv, "rank", "rank and page of the leaderboard at a million members");
	if (harness_run("bench_rank", tests, ARRAY_SIZE(tests)) != 0)
		return 1;
	return report_end();
}
