/* api-data fill DATABASE MEMBERS: a database with this many members, names and pictures as Discord has them.
 * api-data award DATABASE MEMBERS RATE SECONDS: awards at this rate, each its own commit, as the bot would write them when every message came
 * alone; prints how many it managed. For the API's benchmark. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "models/level.h"
#include "models/member_xp.h"
#include "models/profile.h"

static void must(struct db *db, int r)
{
	if (r < 0) {
		fprintf(stderr, "api-data: %s\n", db ? db_error(db) : "failed");
		exit(1);
	}
}

static uint64_t user_of(uint64_t i)
{
	return UINT64_C(100000000000000000) + i * UINT64_C(7919000023757);
}

static void write_member(struct db *db, struct random *random, uint64_t i)
{
	static const char *const first[] = { "ada", "grace", "alan", "linus", "dennis", "ken", "barbara", "edsger",
		"donald", "margaret", "tim", "radia" };
	uint64_t user = user_of(i), dice = random_below(random, 100);
	int64_t points = (int64_t)random_below(random, dice < 50 ? 2000 : dice < 97 ? 120000 : 2500000);
	struct member_xp xp = { .user_id = user,
		.id = (int64_t)i,
		.points = points,
		.level_number = level_for_points(points),
		.message_count = points / 20,
		.announce = true,
		.last_award_at = INT64_C(1700000000) * SECOND };
	char name[64], nick[64], avatar[200];

	xp.level_points = points - level_total_points(xp.level_number);
	snprintf(name, sizeof(name), "%s%u", first[random_below(random, ARRAY_SIZE(first))], (unsigned)i);
	snprintf(nick, sizeof(nick), "%s | CMPT", first[random_below(random, ARRAY_SIZE(first))]);
	snprintf(avatar, sizeof(avatar), "https://cdn.discordapp.com/avatars/%llu/%016llx%016llx.png",
		(unsigned long long)user, (unsigned long long)random_u64(random),
		(unsigned long long)random_u64(random));
	must(db, member_xp_put(db, &xp));
	must(db, profile_put(db,
			 &(struct profile){ .user_id = user,
				 .name = name,
				 .nick = dice % 2 ? nick : NULL,
				 .avatar_url = dice < 70 ? avatar : NULL,
				 .present = true },
			 INT64_C(1600000000) * SECOND + (usec)random_below(random, 150000000) * SECOND, NULL));
}

static void fill(struct db *db, uint64_t members)
{
	struct random random;

	random_init(&random, 1);
	must(db, level_seed(db));
	for (uint64_t i = 1; i <= members;) {
		must(db, db_begin(db));
		for (uint64_t end = MIN(i + 20000, members + 1); i < end; i++)
			write_member(db, &random, i);
		must(db, db_commit(db));
	}
	must(db, db_checkpoint(db, 10 * SECOND));
}

static void award(struct db *db, uint64_t members, int64_t rate, int64_t seconds)
{
	usec start = clock_monotonic(), end = start + seconds * SECOND;
	struct random random;
	int64_t count = 0;

	random_init(&random, 2);
	for (usec now = start; now < end; now = clock_monotonic()) {
		usec due = start + count * SECOND / rate;
		struct member_xp xp;

		if (due > now) {
			struct timespec pause = { .tv_nsec = (due - now) * 1000 % 1000000000 };

			nanosleep(&pause, NULL);
			continue;
		}
		must(db, member_xp_get(db, user_of(1 + random_below(&random, members)), &xp));
		xp.points += 15 + (int64_t)random_below(&random, 11);
		xp.message_count++;
		xp.level_number = level_for_points(xp.points);
		xp.level_points = xp.points - level_total_points(xp.level_number);
		must(db, member_xp_put(db, &xp));
		count++;
	}
	printf("%lld\n", (long long)(count / seconds));
}

int main(int argc, char **argv)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct db *db = NULL;
	uint64_t members;

	if (argc < 4 || parse_u64(argv[3], &members) < 0 || members == 0) {
		fprintf(stderr, "usage: api-data fill DATABASE MEMBERS | award DATABASE MEMBERS RATE SECONDS\n");
		return 2;
	}
	if (db_open(argv[2], DB_WRITE, &db, &message) < 0) {
		fprintf(stderr, "api-data: %s\n", message.buf);
		return 1;
	}
	if (streq(argv[1], "fill"))
		fill(db, members);
	else if (argc == 6)
		award(db, members, strtoll(argv[4], NULL, 10), strtoll(argv[5], NULL, 10));
	db_close(db);
	return 0;
}
