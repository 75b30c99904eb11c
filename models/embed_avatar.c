/* The cache of avatars for embeds. */
#include "models/embed_avatar.h"

#include "query.h"

int embed_avatar_get(struct db *db, const char *source_url, struct arena *arena, const char **ret_permanent_url)
{
	struct query *query;
	int r;

	r = query_row(
		db, &query, "SELECT permanent_url FROM embed_avatar WHERE source_url = $1", BIND_TEXT(source_url));
	if (r < 0)
		return r;
	*ret_permanent_url = query_text_copy(query, 0, arena);
	query_close(query);
	return 0;
}

int embed_avatar_put(struct db *db, const char *source_url, const char *permanent_url)
{
	return query_run(db,
		"INSERT INTO embed_avatar (source_url, permanent_url) VALUES ($1, $2)"
		" ON CONFLICT (source_url) DO UPDATE SET permanent_url = excluded.permanent_url",
		BIND_TEXT(source_url), BIND_TEXT(permanent_url));
}
