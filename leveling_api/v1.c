/* The routes under /v1/: what website developers ask for beyond the contract. Only present members show here, neither hidden nor departed
 * ones, in no field and in no count. Each route is described in web/openapi.json. */
#include <errno.h>

#include "base/utf8.h"
#include "cursor.h"
#include "render.h"
#include "routes.h"

#define LIMIT_DEFAULT 25
#define LIMIT_MAX     100
#define QUERY_MAX     100 /* code points */

/* False: the parameter is there and is no number from min to max; the answer says so. */
static bool number_parameter(const struct request *request, const char *name, int64_t min, int64_t max, int64_t *value,
	struct answer *answer)
{
	const char *text = params_text(&request->params, name, NULL);
	int64_t parsed;

	if (!text)
		return true;
	if (parse_i64(text, &parsed) < 0 || parsed < min || parsed > max) {
		answer_error(answer, 400,
			arena_printf(request->arena, "The parameter '%s' is a number from %lld to %lld.", name,
				(long long)min, (long long)max));
		return false;
	}
	*value = parsed;
	return true;
}

/* The user id in the path; false: it is none, or nobody of that id is on the leaderboard. */
static bool find_member(
	const struct members *members, const struct request *request, uint32_t *ret_slot, struct answer *answer)
{
	uint64_t user_id;

	if (parse_u64(route_segment(request), &user_id) == 0 && members_find(members, user_id, ret_slot) == 0)
		return true;
	answer_error(answer, 404, "This member is not on the leaderboard.");
	return false;
}

static void write_cursor(struct json_writer *w, const char *key, const struct cursor *cursor)
{
	struct str text cleanup(str_finish) = STR_INIT;

	if (cursor)
		cursor_write(&text, cursor);
	json_put_string(w, key, cursor ? text.buf : NULL);
}

/* A page of the leaderboard and the cursors to both sides of it. */
struct board_page {
	uint32_t slots[LIMIT_MAX + 1];
	struct members_key keys[LIMIT_MAX + 1];
	size_t count;
	uint64_t first_rank; /* counted from 1 */
	bool more_before, more_after;
	uint64_t order;
};

static void write_page(struct json_writer *w, const struct members *members, const struct board_page *page)
{
	struct cursor before = { .order = page->order, .rank = page->first_rank };
	struct cursor after = before;

	json_put_uint(w, "count", members_totals(members)->count);
	if (page->count > 0) {
		before.key = page->keys[0];
		after.key = page->keys[page->count - 1];
		after.rank = page->first_rank + page->count - 1;
	}
	write_cursor(w, "previous", page->count > 0 && page->more_before ? &before : NULL);
	write_cursor(w, "next", page->count > 0 && page->more_after ? &after : NULL);
	json_key(w, "results");
	json_begin_array(w);
	members_prefetch(members, page->slots, page->count);
	for (size_t i = 0; i < page->count; i++) {
		if (i > 0)
			str_addc(w->out, ',');
		render_ranked(w->out, members, members_at(members, page->slots[i]), page->first_rank + i);
	}
	json_end_array(w);
}

/* The page that begins at a 0-based position of the ranking as it is now. */
static void read_at(const struct members *members, size_t position, size_t limit, struct board_page *page)
{
	page->order = members_order(members);
	page->first_rank = position + 1;
	page->count = ranking_read(members_present(members), position, limit, page->slots);
	page->more_before = position > 0;
	page->more_after = position + page->count < ranking_count(members_present(members));
	for (size_t i = 0; i < page->count; i++) {
		const struct member *member = members_at(members, page->slots[i]);

		page->keys[i] = (struct members_key){ member->points, member->id };
	}
}

static void reverse(struct board_page *page)
{
	for (size_t i = 0, k = page->count; i + 1 < k; i++) {
		uint32_t slot = page->slots[i];
		struct members_key key = page->keys[i];

		k--;
		page->slots[i] = page->slots[k];
		page->keys[i] = page->keys[k];
		page->slots[k] = slot;
		page->keys[k] = key;
	}
}

/* The page after or before a cursor; -ESTALE when its order cannot be told any more. */
static int read_from(
	const struct members *members, const struct cursor *cursor, bool forward, size_t limit, struct board_page *page)
{
	int r;

	r = members_walk(
		members, cursor->order, cursor->key, forward, limit + 1, page->slots, page->keys, &page->count);
	if (r < 0)
		return r;
	page->order = cursor->order;
	page->more_after = forward ? page->count > limit : true;
	page->more_before = forward ? true : page->count > limit;
	page->count = MIN(page->count, limit);
	if (forward) {
		page->first_rank = cursor->rank + 1;
	} else {
		page->first_rank = cursor->rank - MIN(cursor->rank - 1, page->count);
		reverse(page);
	}
	return 0;
}

/* The rank given is that of the first member of the page as it would be now. */
static void refuse_stale(
	const struct members *members, const struct cursor *cursor, bool forward, size_t limit, struct answer *answer)
{
	size_t place = members_place(members, cursor->key, !forward);
	struct json_writer w = JSON_WRITER(&answer->body);

	answer->status = 410;
	json_begin_object(&w);
	json_put_string(&w, "detail",
		"Too much has changed since this cursor was made: go on with ?rank= and the rank given here.");
	json_put_uint(&w, "rank", (forward ? place : place - MIN(place, limit)) + 1);
	json_end_object(&w);
}

void v1_leaderboard(
	struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	const char *after = params_text(&request->params, "after", NULL),
		   *before = params_text(&request->params, "before", NULL);
	struct json_writer w = JSON_WRITER(&answer->body);
	int64_t limit = LIMIT_DEFAULT, rank = 1;
	struct board_page page;
	struct cursor cursor;

	(void)api;
	if (!number_parameter(request, "limit", 1, LIMIT_MAX, &limit, answer) ||
		!number_parameter(request, "rank", 1, INT64_MAX, &rank, answer))
		return;
	if (!!after + !!before + !!params_text(&request->params, "rank", NULL) > 1) {
		answer_error(
			answer, 400, "Only one of the parameters 'rank', 'after' and 'before' says where to begin.");
		return;
	}
	if (after || before) {
		if (cursor_parse(after ? after : before, &cursor) < 0) {
			answer_error(
				answer, 400, "The parameter 'after' or 'before' is a cursor from an earlier answer.");
			return;
		}
		if (read_from(members, &cursor, after != NULL, (size_t)limit, &page) < 0) {
			refuse_stale(members, &cursor, after != NULL, (size_t)limit, answer);
			return;
		}
	} else {
		read_at(members, (size_t)rank - 1, (size_t)limit, &page);
	}
	json_begin_object(&w);
	write_page(&w, members, &page);
	json_end_object(&w);
}

void v1_around(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	struct json_writer w = JSON_WRITER(&answer->body);
	int64_t limit = LIMIT_DEFAULT;
	struct board_page page;
	size_t position, first, count = ranking_count(members_present(members));
	uint32_t slot;

	(void)api;
	if (!number_parameter(request, "limit", 1, LIMIT_MAX, &limit, answer) ||
		!find_member(members, request, &slot, answer))
		return;
	position = ranking_position(members_present(members), slot);
	/* In the middle, but near an end not less than there is. */
	first = MIN(position - MIN(position, (size_t)limit / 2), count - MIN(count, (size_t)limit));
	read_at(members, first, (size_t)limit, &page);
	json_begin_object(&w);
	json_put_uint(&w, "rank", position + 1);
	write_page(&w, members, &page);
	json_end_object(&w);
}

/* The role that a member of this level wears: that of the highest level, up to his, that has one. */
static const char *role_of(const struct level *levels, size_t count, int64_t number)
{
	for (size_t i = count; i-- > 0;) {
		if (levels[i].number <= number && levels[i].role_name)
			return levels[i].role_name;
	}
	return NULL;
}

void v1_member(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	struct json_writer w = JSON_WRITER(&answer->body);
	const struct level *levels, *next = NULL;
	const struct member *member;
	uint32_t slot;
	size_t count;

	(void)api;
	if (!find_member(members, request, &slot, answer))
		return;
	member = members_at(members, slot);
	levels = members_levels(members, &count);
	for (size_t i = count; i-- > 0 && levels[i].total_points > member->points;)
		next = &levels[i];
	render_ranked(&answer->body, members, member, ranking_position(members_present(members), slot) + 1);
	str_truncate(&answer->body, answer->body.len - 1);
	w.comma = true;
	json_put_string(&w, "role", role_of(levels, count, member->level_number));
	if (next)
		json_put_int(&w, "points_to_next_level", next->total_points - member->points);
	else
		json_put_null(&w, "points_to_next_level");
	str_addc(&answer->body, '}');
}

void v1_search(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	const char *text = params_text(&request->params, "q", "");
	struct json_writer w = JSON_WRITER(&answer->body);
	uint32_t slots[LIMIT_MAX];
	int64_t limit = LIMIT_DEFAULT;
	size_t count;

	(void)api;
	if (!number_parameter(request, "limit", 1, LIMIT_MAX, &limit, answer))
		return;
	if (!*text || utf8_count(text, strlen(text)) > QUERY_MAX) {
		answer_error(answer, 400, "The parameter 'q' is a part of a name, 1 to 100 characters.");
		return;
	}
	count = members_search(members, text, (size_t)limit, slots);
	json_begin_object(&w);
	json_key(&w, "results");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			str_addc(&answer->body, ',');
		render_ranked(&answer->body, members, members_at(members, slots[i]),
			ranking_position(members_present(members), slots[i]) + 1);
	}
	json_end_array(&w);
	json_end_object(&w);
}

void v1_levels(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	const struct members_totals *totals = members_totals(members);
	struct json_writer w = JSON_WRITER(&answer->body);
	const struct level *levels;
	size_t count;

	(void)api;
	(void)request;
	levels = members_levels(members, &count);
	json_begin_object(&w);
	json_key(&w, "results");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++) {
		json_begin_object(&w);
		json_put_int(&w, "number", levels[i].number);
		json_put_int(&w, "total_points", levels[i].total_points);
		json_put_int(&w, "points_to_next_level", levels[i].points_to_next);
		json_put_string(&w, "role", levels[i].role_name);
		json_put_uint(&w, "members",
			levels[i].number >= 0 && levels[i].number <= LEVEL_MAX ? totals->by_level[levels[i].number]
									       : 0);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
}

void v1_stats(struct api *api, const struct members *members, const struct request *request, struct answer *answer)
{
	const struct members_totals *totals = members_totals(members);
	struct json_writer w = JSON_WRITER(&answer->body);

	(void)api;
	(void)request;
	json_begin_object(&w);
	json_put_uint(&w, "members", totals->count);
	json_put_uint(&w, "points", totals->points);
	json_key(&w, "by_level");
	json_begin_array(&w);
	for (int64_t level = 0; level <= LEVEL_MAX; level++) {
		if (totals->by_level[level] == 0)
			continue;
		json_begin_object(&w);
		json_put_int(&w, "level", level);
		json_put_uint(&w, "members", totals->by_level[level]);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_end_object(&w);
}
