/* Reminders: set, list, claim, send, prune. */
#include "models/reminder.h"

#include <errno.h>
#include <stdlib.h>

#include "query.h"

#define COLUMNS                                                                                                 \
	"id, author_id, guild_id, channel_id, text, due_at, created_at, state, claimed_at, lease_at, attempts," \
	" sent_message_id"

static struct reminder read_row(struct query *query, struct arena *arena)
{
	return (struct reminder){
		.id = query_int(query, 0),
		.author_id = query_id(query, 1),
		.guild_id = query_id(query, 2),
		.channel_id = query_id(query, 3),
		.text = query_text_copy(query, 4, arena),
		.due_at = query_int(query, 5),
		.created_at = query_int(query, 6),
		.state = (enum reminder_state)query_int(query, 7),
		.claimed_at = query_int(query, 8),
		.lease_at = query_int(query, 9),
		.attempts = query_int(query, 10),
		.sent_message_id = query_id(query, 11),
	};
}

/* Reads and closes `query`, whose opening returned `r`. */
static int read_all(struct query *query, int r, struct arena *arena, struct reminder **ret_reminders, size_t *ret_count)
{
	struct reminder *reminders cleanup(freep) = NULL;
	size_t count = 0, room = 0;

	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(reminders, count, room);
		reminders[count++] = read_row(query, arena);
	}
	query_close(query);
	if (r < 0)
		return r;
	*ret_reminders = count > 0 ? arena_copy(arena, reminders, count * sizeof(*reminders)) : NULL;
	*ret_count = count;
	return 0;
}

static int insert(struct db *db, struct reminder *reminder, int64_t limit)
{
	struct query *query;
	int r;

	r = query_row(db, &query,
		"INSERT INTO reminder (author_id, guild_id, channel_id, text, due_at, created_at)"
		" SELECT $1, $2, $3, $4, $5, $6"
		" WHERE (SELECT count(*) FROM reminder WHERE author_id = $1 AND state < 2) < $7 RETURNING id",
		BIND_ID(reminder->author_id), BIND_ID_OR_NULL(reminder->guild_id),
		BIND_ID_OR_NULL(reminder->channel_id), BIND_TEXT(reminder->text), BIND_INT(reminder->due_at),
		BIND_INT_UNLESS(reminder->created_at == 0, reminder->created_at), BIND_INT(limit));
	if (r < 0)
		return r == -ENOENT ? -EDQUOT : r;
	reminder->id = query_int(query, 0);
	reminder->state = REMINDER_PENDING;
	query_close(query);
	return 0;
}

int reminder_add(struct db *db, struct reminder *reminder, int64_t limit)
{
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	return query_end_joined(db, own, insert(db, reminder, limit));
}

int reminder_get(struct db *db, int64_t id, struct arena *arena, struct reminder *ret_reminder)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT " COLUMNS " FROM reminder WHERE id = $1", BIND_INT(id));
	if (r < 0)
		return r;
	*ret_reminder = read_row(query, arena);
	query_close(query);
	return 0;
}

int reminder_list(
	struct db *db, uint64_t author_id, struct arena *arena, struct reminder **ret_reminders, size_t *ret_count)
{
	struct query *query;
	int r;

	r = query_open(db, &query,
		"SELECT " COLUMNS " FROM reminder WHERE author_id = $1 AND state < 2 ORDER BY due_at, id",
		BIND_ID(author_id));
	return read_all(query, r, arena, ret_reminders, ret_count);
}

static int delete_own(struct db *db, int64_t id, uint64_t author_id)
{
	struct query *query;
	uint64_t owner;
	int r;

	r = query_row(db, &query, "SELECT author_id FROM reminder WHERE id = $1 AND state < 2", BIND_INT(id));
	if (r < 0)
		return r;
	owner = query_id(query, 0);
	query_close(query);
	if (owner != author_id)
		return -EPERM;
	return query_run(db, "DELETE FROM reminder WHERE id = $1", BIND_INT(id));
}

int reminder_delete(struct db *db, int64_t id, uint64_t author_id)
{
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	return query_end_joined(db, own, delete_own(db, id, author_id));
}

int reminder_next_due(struct db *db, usec *ret_due)
{
	struct query *query;
	int r;

	r = query_row(db, &query,
		"SELECT min(CASE WHEN state = 1 THEN lease_at ELSE due_at END) FROM reminder WHERE state < 2");
	if (r < 0)
		return r;
	if (query_is_null(query, 0))
		r = -ENOENT;
	else
		*ret_due = query_int(query, 0);
	query_close(query);
	return r;
}

static int claim(struct db *db, usec now, usec lease, int64_t attempts_max, int64_t limit, struct arena *arena,
	struct reminder **ret_reminders, size_t *ret_count)
{
	struct reminder *reminders = NULL;
	struct query *query;
	size_t count = 0;
	int r;

	r = query_run(db,
		"UPDATE reminder SET state = 3 WHERE state = 1 AND due_at <= $1 AND lease_at <= $1 AND attempts >= $2",
		BIND_INT(now), BIND_INT(attempts_max));
	if (r < 0)
		return r;
	r = query_open(db, &query,
		"SELECT " COLUMNS " FROM reminder WHERE state < 2 AND due_at <= $1 AND (state = 0 OR lease_at <= $1)"
		" ORDER BY due_at, id LIMIT $2",
		BIND_INT(now), BIND_INT(limit));
	r = read_all(query, r, arena, &reminders, &count);
	for (size_t i = 0; i < count && r >= 0; i++) {
		struct reminder *reminder = &reminders[i];

		if (reminder->state == REMINDER_PENDING)
			reminder->claimed_at = now;
		reminder->state = REMINDER_CLAIMED;
		reminder->lease_at = now + lease;
		reminder->attempts++;
		r = query_run(db,
			"UPDATE reminder SET state = 1, claimed_at = $2, lease_at = $3, attempts = $4 WHERE id = $1",
			BIND_INT(reminder->id), BIND_INT(reminder->claimed_at), BIND_INT(reminder->lease_at),
			BIND_INT(reminder->attempts));
	}
	if (r < 0)
		return r;
	*ret_reminders = reminders;
	*ret_count = count;
	return 0;
}

int reminder_claim_due(struct db *db, usec now, usec lease, int64_t attempts_max, int64_t limit, struct arena *arena,
	struct reminder **ret_reminders, size_t *ret_count)
{
	struct reminder *reminders = NULL;
	size_t count = 0;
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = query_end_joined(db, own, claim(db, now, lease, attempts_max, limit, arena, &reminders, &count));
	if (r < 0)
		return r;
	*ret_reminders = reminders;
	*ret_count = count;
	return 0;
}

int reminder_sent(struct db *db, int64_t id, uint64_t message_id)
{
	return query_run(db, "UPDATE reminder SET state = 2, sent_message_id = $2 WHERE id = $1 AND state = 1",
		BIND_INT(id), BIND_ID(message_id));
}

int reminder_release(struct db *db, int64_t id, usec due_at)
{
	return query_run(db,
		"UPDATE reminder SET state = 0, due_at = $2, claimed_at = NULL, lease_at = NULL WHERE id = $1 AND"
		" state = 1",
		BIND_INT(id), BIND_INT(due_at));
}

int reminder_give_up(struct db *db, int64_t id)
{
	return query_run(db, "UPDATE reminder SET state = 3 WHERE id = $1 AND state = 1", BIND_INT(id));
}

int reminder_prune(struct db *db, usec before, int64_t limit, int64_t *ret_deleted)
{
	int r;

	r = query_run(db,
		"DELETE FROM reminder WHERE id IN"
		" (SELECT id FROM reminder WHERE state >= 2 AND due_at < $1 ORDER BY due_at LIMIT $2)",
		BIND_INT(before), BIND_INT(limit));
	if (r >= 0 && ret_deleted)
		*ret_deleted = query_changes(db);
	return r;
}
