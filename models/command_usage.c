/* Usage statistics of commands. */
#include "models/command_usage.h"

#include <stdlib.h>

#include "query.h"

int command_usage_add(struct db *db, const struct command_usage *usage)
{
	return query_run(db,
		"INSERT INTO command_usage (used_at, channel_name, command, invoked_as, subcommand) VALUES ($1, $2,"
		" $3, $4, $5)",
		BIND_INT(usage->used_at), BIND_TEXT(usage->channel_name), BIND_TEXT(usage->command),
		BIND_TEXT(usage->invoked_as), BIND_TEXT(usage->subcommand));
}

#define COUNT_BY(column)                                                                      \
	"SELECT " column ", count(*) FROM command_usage WHERE used_at >= $1 AND used_at < $2" \
	" GROUP BY " column " ORDER BY count(*) DESC, " column " LIMIT $3"

int command_usage_count(struct db *db, enum command_usage_group group, usec from, usec until, int64_t limit,
	struct arena *arena, struct command_usage_count **ret_counts, size_t *ret_count)
{
	struct query *query cleanup(query_closep) = NULL;
	struct command_usage_count *counts cleanup(freep) = NULL;
	size_t count = 0, room = 0;
	int r;

	if (group == COMMAND_USAGE_BY_CHANNEL)
		r = query_open(db, &query, COUNT_BY("channel_name"), BIND_INT(from), BIND_INT(until), BIND_INT(limit));
	else
		r = query_open(db, &query, COUNT_BY("command"), BIND_INT(from), BIND_INT(until), BIND_INT(limit));
	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(counts, count, room);
		counts[count++] = (struct command_usage_count){ .name = query_text_copy(query, 0, arena),
			.uses = query_int(query, 1) };
	}
	if (r < 0)
		return r;
	*ret_counts = count > 0 ? arena_copy(arena, counts, count * sizeof(*counts)) : NULL;
	*ret_count = count;
	return 0;
}
