/* The ranking in memory: visible members (neither hidden nor departed) ordered by points (highest first, ties by lowest
 * row id), with ranks and pages in logarithmic time at any number of members. Built from member_xp (and the profiles'
 * revisions), then kept fresh by reading only the rows that changed since. Used by the bot (.rank, .leaderboard). */
#ifndef MODELS_LEADERBOARD_H
#define MODELS_LEADERBOARD_H

#include "models/db.h"

struct leaderboard;

struct leaderboard *leaderboard_create(void);
void leaderboard_destroy(struct leaderboard *board);
/* Reads what has changed since the last call (everything at first). Cheap when nothing changed. Not inside a write transaction (-EINVAL):
 * what it wrote may yet be rolled back. */
int leaderboard_refresh(struct leaderboard *board, struct db *db) warn_unused;
/* The same in steps of at most so many rows of each table, for who must not be held up; `ret_more`: call again. Until then members may be
 * missing or stand where they stood. */
int leaderboard_refresh_some(struct leaderboard *board, struct db *db, size_t rows, bool *ret_more) warn_unused;
/* Visible members. */
size_t leaderboard_count(const struct leaderboard *board);

struct leaderboard_entry {
	uint64_t user_id;
	int64_t id, points, level_number, level_points, message_count;
};
/* 0-based position from the top; false past the end. */
bool leaderboard_at(const struct leaderboard *board, size_t position, struct leaderboard_entry *ret_entry);
/* 0-based position of a member; -ENOENT when he is hidden, has left the guild or has no points row. */
int leaderboard_position(const struct leaderboard *board, uint64_t user_id, size_t *ret_position) warn_unused;

#endif
