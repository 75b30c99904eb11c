/* The ranking that the bot answers from: see models/leaderboard.h. The levelling API keeps names and pictures beside the points and has
 * its own (leveling_api/members.c), over the same models/ranking.h. */
#include "models/leaderboard.h"

#include <errno.h>
#include <stdlib.h>

#include "models/member_xp.h"
#include "models/profile.h"
#include "models/ranking.h"
#include "models/slot_map.h"

struct member {
	struct leaderboard_entry entry;
	bool hidden, departed;
};

struct leaderboard {
	struct member *members;
	size_t member_count, member_room;
	struct slot_map by_user;
	struct ranking *ranking; /* of the visible ones */
	bool loaded;
	int64_t xp_revision, profile_revision; /* of the last rows read */
	/* Slots read inside a write transaction, which may yet be rolled back: the next refresh reads them again. */
	uint32_t *unsure;
	size_t unsure_count, unsure_room;
	bool in_transaction; /* the rows being read are such rows */
	bool provisional;    /* all of them are: the first load was in a transaction */
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

static void forget(struct leaderboard *board)
{
	ranking_build(board->ranking, NULL, 0);
	slot_map_finish(&board->by_user);
	free(board->members);
	board->members = NULL;
	board->member_count = board->member_room = 0;
	free(board->unsure);
	board->unsure = NULL;
	board->unsure_count = board->unsure_room = 0;
	board->xp_revision = board->profile_revision = 0;
	board->loaded = false;
}

void leaderboard_destroy(struct leaderboard *board)
{
	if (!board)
		return;
	forget(board);
	ranking_destroy(board->ranking);
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

static void remember_unsure(struct leaderboard *board, uint32_t slot)
{
	if (board->unsure_count == board->unsure_room) {
		board->unsure_room = MAX(board->unsure_room * 2, (size_t)32);
		board->unsure = xrealloc(board->unsure, board->unsure_room * sizeof(board->unsure[0]));
	}
	board->unsure[board->unsure_count++] = slot;
}

static int store_xp(void *arg, const struct member_xp *xp)
{
	struct leaderboard *board = arg;
	struct member *member;
	bool known;
	uint32_t slot;

	known = find(board, xp->user_id, &slot);
	if (!known) {
		if (board->member_count == board->member_room) {
			board->member_room = MAX(board->member_room * 2, (size_t)256);
			board->members = xrealloc(board->members, board->member_room * sizeof(board->members[0]));
		}
		slot = (uint32_t)board->member_count++;
		board->members[slot] = (struct member){ 0 };
	}
	member = &board->members[slot];
	if (known && board->loaded && visible(member))
		ranking_remove(board->ranking, slot);
	member->entry = (struct leaderboard_entry){ .user_id = xp->user_id,
		.id = xp->id,
		.points = xp->points,
		.level_number = xp->level_number,
		.level_points = xp->level_points,
		.message_count = xp->message_count };
	member->hidden = xp->hidden;
	if (!known)
		slot_map_extend(&board->by_user, board->member_count, key_of, board);
	if (board->loaded && visible(member))
		ranking_insert(board->ranking, slot);
	if (board->in_transaction && board->loaded)
		remember_unsure(board, slot);
	return 0;
}

static int store_profile(void *arg, const struct profile *profile)
{
	struct leaderboard *board = arg;
	struct member *member;
	uint32_t slot;

	if (!find(board, profile->user_id, &slot))
		return 0;
	member = &board->members[slot];
	if (member->departed == !profile->present)
		return 0;
	if (board->loaded && visible(member))
		ranking_remove(board->ranking, slot);
	member->departed = !profile->present;
	if (board->loaded && visible(member))
		ranking_insert(board->ranking, slot);
	return 0;
}

/* Members whose points came after their profile: the profile's revision has been passed by. */
static int complete_new_members(struct leaderboard *board, struct db *db, size_t first)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;

	for (size_t slot = first; slot < board->member_count; slot++) {
		struct profile profile;
		int r;

		r = profile_get(db, board->members[slot].entry.user_id, &arena, &profile);
		if (r >= 0)
			r = store_profile(board, &profile);
		else if (r == -ENOENT)
			r = 0;
		if (r < 0)
			return r;
		arena_reset(&arena);
	}
	return 0;
}

static void rank_all(struct leaderboard *board)
{
	uint32_t *slots = xmalloc(MAX(board->member_count, (size_t)1) * sizeof(*slots));
	size_t count = 0;

	for (size_t slot = 0; slot < board->member_count; slot++) {
		if (visible(&board->members[slot]))
			slots[count++] = (uint32_t)slot;
	}
	ranking_build(board->ranking, slots, count);
	free(slots);
	board->loaded = true;
}

static int read_changes(struct leaderboard *board, struct db *db)
{
	size_t known = board->loaded ? board->member_count : SIZE_MAX;
	int r;

	r = member_xp_each_since(db, board->xp_revision, store_xp, board, &board->xp_revision);
	if (r >= 0)
		r = profile_each_since(db, board->profile_revision, store_profile, board, &board->profile_revision);
	if (r >= 0 && known < board->member_count)
		r = complete_new_members(board, db, known);
	if (r >= 0 && !board->loaded)
		rank_all(board);
	return r;
}

/* What a transaction wrote that was rolled back afterwards is gone, and its revision numbers are given out again. */
static int read_unsure_again(struct leaderboard *board, struct db *db)
{
	size_t count = board->unsure_count;
	int r;

	for (size_t i = 0; i < count; i++) {
		uint32_t slot = board->unsure[i];
		struct member_xp xp;

		r = member_xp_get(db, board->members[slot].entry.user_id, &xp);
		if (r == -ENOENT) {
			xp = (struct member_xp){ .user_id = board->members[slot].entry.user_id, .hidden = true };
			r = 0;
		}
		if (r < 0)
			return r;
		store_xp(board, &xp);
	}
	memmove(board->unsure, board->unsure + count, (board->unsure_count - count) * sizeof(board->unsure[0]));
	board->unsure_count -= count;
	return 0;
}

int leaderboard_refresh(struct leaderboard *board, struct db *db)
{
	int64_t xp_revision = board->xp_revision, profile_revision = board->profile_revision;
	bool own = !db_in_transaction(db);
	int r = 0;

	if (board->provisional)
		forget(board);
	board->provisional = !own && !board->loaded;
	if (own)
		r = db_begin_read(db);
	if (r < 0)
		return r;
	board->in_transaction = !own;
	if (board->unsure_count > 0)
		r = read_unsure_again(board, db);
	if (r >= 0)
		r = read_changes(board, db);
	if (own)
		db_end_read(db);
	else if (r >= 0) {
		board->xp_revision = xp_revision;
		board->profile_revision = profile_revision;
	}
	if (r < 0 && !board->loaded)
		forget(board);
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
