/* Messages that delete themselves. */
#include "models/expiring_message.h"

#include <errno.h>

#include "query.h"

int expiring_message_add(struct db *db, const struct expiring_message *message)
{
	return query_run(db,
		"INSERT INTO expiring_message (message_id, channel_id, request_message_id, expires_at, created_at)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (message_id) DO UPDATE SET channel_id = excluded.channel_id,"
		" request_message_id = excluded.request_message_id, expires_at = excluded.expires_at,"
		" created_at = excluded.created_at",
		BIND_ID(message->message_id), BIND_ID(message->channel_id),
		BIND_ID_OR_NULL(message->request_message_id), BIND_INT(message->expires_at),
		BIND_INT_UNLESS(message->created_at == 0, message->created_at));
}

int expiring_message_next(struct db *db, usec *ret_expires)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT expires_at FROM expiring_message ORDER BY expires_at LIMIT 1");
	if (r < 0)
		return r;
	*ret_expires = query_int(query, 0);
	query_close(query);
	return 0;
}

int expiring_message_due(struct db *db, usec now, struct expiring_message *ret_list, size_t limit, size_t *ret_count)
{
	struct query *query cleanup(query_closep) = NULL;
	size_t count = 0;
	int r;

	r = query_open(db, &query,
		"SELECT message_id, channel_id, request_message_id, expires_at, created_at FROM expiring_message"
		" WHERE expires_at <= $1 ORDER BY expires_at, message_id LIMIT $2",
		BIND_INT(now), BIND_INT((int64_t)limit));
	while (r >= 0 && count < limit && (r = query_next(query)) > 0) {
		ret_list[count++] = (struct expiring_message){
			.message_id = query_id(query, 0),
			.channel_id = query_id(query, 1),
			.request_message_id = query_id(query, 2),
			.expires_at = query_int(query, 3),
			.created_at = query_int(query, 4),
		};
	}
	if (r < 0)
		return r;
	*ret_count = count;
	return 0;
}

int expiring_message_done(struct db *db, uint64_t message_id)
{
	return query_run(db, "DELETE FROM expiring_message WHERE message_id = $1", BIND_ID(message_id));
}

int expiring_message_postpone(struct db *db, uint64_t message_id, usec expires_at)
{
	return query_run(db, "UPDATE expiring_message SET expires_at = $2 WHERE message_id = $1", BIND_ID(message_id),
		BIND_INT(expires_at));
}
