/* The ranking that the bot answers from: see models/leaderboard.h. The levelling API keeps names and pictures beside the points and has
 * its own (leveling_api/members.c), over the same models/ranking.h. */
#include "models/leaderboard.h"

#include <errno.h>
#include <stdlib.h>

#include "models/member_xp.h"
#include "models/profile.h"
#include "models/ranking.h"
#include "models/slot_map.h"

#define ROWS_AT_ONCE 10000

struct member {
	struct leaderboard_entry entry;
	bool hidden, departed;
};

struct leaderboard {
	struct member *members;
	size_t member_count, member_room;
	struct slot_map by_user;
	struct ranking *ranking;               /* of the visible ones */
	int64_t xp_revision, profile_revision; /* of the last rows read */
};

static uint64_t key_of(const void *arg, uint32_t slot)
{
	return ((const struct leaderboard *)arg)->members[slot].entry.user_id;
}

static bool before(const void *arg, uint32_t a, uint32_t b)
{
	const struct leaderboard_entry *left = &((const struct leaderboard *)arg)->members[a].entry;
	const struct leaderboard_entry *right = &((const struct leaderboard *)arg)->members[b].entry;

	return left->points != right->points ? left->points > right->points : left->id < right->id;
}

struct leaderboard *leaderboard_create(void)
{
	struct leaderboard *board = xcalloc(1, sizeof(*board));

	board->ranking = ranking_create(&(struct ranking_order){ .before = before, .arg = board });
	return board;
}

void leaderboard_destroy(struct leaderboard *board)
{
	if (!board)
		return;
	ranking_destroy(board->ranking);
	slot_map_finish(&board->by_user);
	free(board->members);
	free(board);
}

static bool find(const struct leaderboard *board, uint64_t user_id, uint32_t *ret_slot)
{
	return slot_map_get(&board->by_user, user_id, key_of, board, ret_slot);
}

static bool visible(const struct member *member)
{
	return !member->hidden && !member->departed;
}

/* Rows of one table on their way into the board. */
struct reading {
	struct leaderboard *board;
	struct db *db;
	size_t rows;
};

/* The profile of somebody whose first points come after it: its revision has been passed by. As long as no profile
 * was read, his is still to come. */
static int read_departed(const struct reading *reading, uint64_t user_id, bool *ret_departed)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct profile profile;
	int r;

	*ret_departed = false;
	if (!reading->board->profile_revision)
		return 0;
	r = profile_get(reading->db, user_id, &arena, &profile);
	if (r == 0)
		*ret_departed = !profile.present;
	return r == -ENOENT ? 0 : r;
}

static int add_member(const struct reading *reading, uint64_t user_id, uint32_t *ret_slot)
{
	struct leaderboard *board = reading->board;
	bool departed;
	int r;

	r = read_departed(reading, user_id, &departed);
	if (r < 0)
		return r;
	if (board->member_count == board->member_room) {
		board->member_room = MAX(board->member_room * 2, (size_t)256);
		board->members = xrealloc(board->members, board->member_room * sizeof(board->members[0]));
	}
	*ret_slot = (uint32_t)board->member_count++;
	board->members[*ret_slot] = (struct member){ .entry.user_id = user_id, .departed = departed };
	slot_map_extend(&board->by_user, board->member_count, key_of, board);
	return 0;
}

static int store_xp(void *arg, const struct member_xp *xp)
{
	struct reading *reading = arg;
	struct leaderboard *board = reading->board;
	struct member *member;
	bool known;
	uint32_t slot;

	reading->rows++;
	known = find(board, xp->user_id, &slot);
	if (!known) {
		int r = add_member(reading, xp->user_id, &slot);

		if (r < 0)
			return r;
	}
	member = &board->members[slot];
	if (known && visible(member))
		ranking_remove(board->ranking, slot);
	member->entry = (struct leaderboard_entry){ .user_id = xp->user_id,
		.id = xp->id,
		.points = xp->points,
		.level_number = xp->level_number,
		.level_points = xp->level_points,
		.message_count = xp->message_count };
	member->hidden = xp->hidden;
	if (visible(member))
		ranking_insert(board->ranking, slot);
	return 0;
}

static int store_profile(void *arg, const struct profile *profile)
{
	struct reading *reading = arg;
	struct leaderboard *board = reading->board;
	struct member *member;
	uint32_t slot;

	reading->rows++;
	if (!find(board, profile->user_id, &slot))
		return 0;
	member = &board->members[slot];
	if (member->departed == !profile->present)
		return 0;
	if (visible(member))
		ranking_remove(board->ranking, slot);
	member->departed = !profile->present;
	if (visible(member))
		ranking_insert(board->ranking, slot);
	return 0;
}

static int read_changes(struct leaderboard *board, struct db *db, size_t rows, bool *ret_more)
{
	struct reading points = { .board = board, .db = db }, profiles = points;
	int r;

	r = member_xp_some_since(db, board->xp_revision, rows, store_xp, &points, &board->xp_revision);
	if (r >= 0 && points.rows < rows)
		r = profile_some_since(
			db, board->profile_revision, rows, store_profile, &profiles, &board->profile_revision);
	*ret_more = points.rows == rows || profiles.rows == rows;
	return r;
}

int leaderboard_refresh_some(struct leaderboard *board, struct db *db, size_t rows, bool *ret_more)
{
	int r;

	if (db_in_transaction(db))
		return -EINVAL;
	r = db_begin_read(db);
	if (r < 0)
		return r;
	r = read_changes(board, db, rows, ret_more);
	db_end_read(db);
	return r;
}

int leaderboard_refresh(struct leaderboard *board, struct db *db)
{
	bool more = true;
	int r = 0;

	while (r == 0 && more)
		r = leaderboard_refresh_some(board, db, ROWS_AT_ONCE, &more);
	return r;
}

size_t leaderboard_count(const struct leaderboard *board)
{
	return ranking_count(board->ranking);
}

bool leaderboard_at(const struct leaderboard *board, size_t position, struct leaderboard_entry *ret_entry)
{
	uint32_t slot;

	if (ranking_read(board->ranking, position, 1, &slot) == 0)
		return false;
	*ret_entry = board->members[slot].entry;
	return true;
}

int leaderboard_position(const struct leaderboard *board, uint64_t user_id, size_t *ret_position)
{
	uint32_t slot;

	if (!find(board, user_id, &slot) || !visible(&board->members[slot]))
		return -ENOENT;
	*ret_position = ranking_position(board->ranking, slot);
	return 0;
}
