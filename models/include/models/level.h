/* The level table: thresholds and roles. Written by the bot (and the import) only. */
#ifndef MODELS_LEVEL_H
#define MODELS_LEVEL_H

#include "base/arena.h"
#include "models/db.h"

#define LEVEL_MAX 100

struct level {
	int64_t id; /* row id, shown by the levelling API */
	int64_t number;
	int64_t total_points;   /* required to reach this level */
	int64_t points_to_next; /* from this level to the next: 5n^2 + 50n + 100 */
	uint64_t role_id;       /* 0: not known */
	const char *role_name;  /* NULL: no role */
};

/* 5n^2 + 50n + 100, and the sum of it over all lower levels. number 0..LEVEL_MAX */
int64_t level_points_to_next(int64_t number);
int64_t level_total_points(int64_t number);
/* The highest level whose total is not above the points, 0..LEVEL_MAX. */
int64_t level_for_points(int64_t points);

/* Creates levels 0..LEVEL_MAX with the default role names when the table is empty. */
int level_seed(struct db *db) warn_unused;
/* All levels, lowest number first; memory from the arena. */
int level_list(struct db *db, struct arena *arena, struct level **ret_levels, size_t *ret_count) warn_unused;
/* role_id 0 and role_name NULL unlink. -ENOENT: no such level; -EEXIST: another level has this role. */
int level_set_role(struct db *db, int64_t number, uint64_t role_id, const char *role_name) warn_unused;

#endif
