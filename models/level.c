/* Levels: the arithmetic of their thresholds, and the table that links some of them to roles. */
#include "models/level.h"

#include <errno.h>
#include <stdlib.h>

#include "query.h"

/* The roles of a new server, as members know them. Their ids are filled in when the bot finds roles of these names. */
static const struct {
	int64_t number;
	const char *role_name;
} default_roles[] = {
	{ 0, "Hello World" },
	{ 5, "Missing Semicolon" },
	{ 10, "Manual Tester" },
	{ 15, "Javascript Programmer" },
	{ 20, "Syntax Error" },
	{ 25, "Git Gud" },
	{ 30, "Full Stack Developer" },
	{ 35, "Assembly Programmer" },
	{ 40, "Segmentation Fault" },
	{ 45, "Vim User" },
	{ 50, "Kernel" },
	{ 55, "Stallman Follower" },
	{ 60, "Forkbomb" },
	{ 65, "Human Compiler" },
	{ 70, "Gentoo Installer" },
	{ 75, "HolyC" },
	{ 80, "CD level80" },
	{ 85, "THE 85" },
	{ 90, "THE 90" },
	{ 95, "THE 95" },
};

int64_t level_points_to_next(int64_t number)
{
	return 5 * number * number + 50 * number + 100;
}

int64_t level_total_points(int64_t number)
{
	int64_t n = number;

	return 5 * ((n - 1) * n * (2 * n - 1) / 6) + 25 * n * (n - 1) + 100 * n;
}

int64_t level_for_points(int64_t points)
{
	int64_t low = 0, high = LEVEL_MAX;

	while (low < high) {
		int64_t middle = (low + high + 1) / 2;

		if (level_total_points(middle) <= points)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static const char *default_role(int64_t number)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_roles); i++) {
		if (default_roles[i].number == number)
			return default_roles[i].role_name;
	}
	return NULL;
}

int level_seed(struct db *db)
{
	struct query *query;
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = query_row(db, &query, "SELECT id FROM level LIMIT 1");
	query_close(query);
	if (r != -ENOENT)
		return query_end_joined(db, own, r);
	r = 0;
	for (int64_t number = 0; number <= LEVEL_MAX && r >= 0; number++)
		r = query_run(db,
			"INSERT INTO level (id, number, total_points, points_to_next, role_name) VALUES ($1, $2, $3,"
			" $4, $5)",
			BIND_INT(number + 1), BIND_INT(number), BIND_INT(level_total_points(number)),
			BIND_INT(level_points_to_next(number)), BIND_TEXT(default_role(number)));
	return query_end_joined(db, own, r);
}

int level_list(struct db *db, struct arena *arena, struct level **ret_levels, size_t *ret_count)
{
	struct query *query cleanup(query_closep) = NULL;
	struct level *levels cleanup(freep) = NULL;
	size_t count = 0, room = 0;
	int r;

	r = query_open(db, &query,
		"SELECT id, number, total_points, points_to_next, role_id, role_name FROM level ORDER BY number");
	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(levels, count, room);
		levels[count++] = (struct level){
			.id = query_int(query, 0),
			.number = query_int(query, 1),
			.total_points = query_int(query, 2),
			.points_to_next = query_int(query, 3),
			.role_id = query_id(query, 4),
			.role_name = query_text_copy(query, 5, arena),
		};
	}
	if (r < 0)
		return r;
	*ret_levels = count > 0 ? arena_copy(arena, levels, count * sizeof(*levels)) : NULL;
	*ret_count = count;
	return 0;
}

int level_set_role(struct db *db, int64_t number, uint64_t role_id, const char *role_name)
{
	int r;

	r = query_run(db, "UPDATE level SET role_id = $2, role_name = $3 WHERE number = $1", BIND_INT(number),
		BIND_ID_OR_NULL(role_id), BIND_TEXT(role_name));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -ENOENT;
}
