/* Reaction roles: a row per message, a row per emoji. */
#include "models/reaction_role.h"

#include <errno.h>
#include <stdlib.h>

#include "query.h"

static int put(struct db *db, const struct reaction_role_message *message)
{
	int r;

	r = query_run(db,
		"INSERT INTO reaction_role_message (message_id, channel_id, title) VALUES ($1, $2, $3)"
		" ON CONFLICT (message_id) DO UPDATE SET channel_id = excluded.channel_id, title = excluded.title",
		BIND_ID(message->message_id), BIND_ID(message->channel_id), BIND_TEXT(message->title));
	if (r >= 0)
		r = query_run(db, "DELETE FROM reaction_role WHERE message_id = $1", BIND_ID(message->message_id));
	for (size_t i = 0; i < message->count && r >= 0; i++)
		r = query_run(db,
			"INSERT INTO reaction_role (message_id, emoji, role_id, position) VALUES ($1, $2, $3, $4)",
			BIND_ID(message->message_id), BIND_TEXT(message->roles[i].emoji),
			BIND_ID(message->roles[i].role_id), BIND_INT((int64_t)i));
	return r;
}

int reaction_role_put(struct db *db, const struct reaction_role_message *message)
{
	bool own;
	int r;

	/* Checked first: in a transaction of the caller's a failure half-way would leave half of the roles. */
	for (size_t i = 1; i < message->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (streq(message->roles[i].emoji, message->roles[j].emoji))
				return -EEXIST;
		}
	}
	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	return query_end_joined(db, own, put(db, message));
}

static int read_roles(struct db *db, struct arena *arena, struct reaction_role_message *message)
{
	struct query *query cleanup(query_closep) = NULL;
	struct reaction_role *roles cleanup(freep) = NULL;
	size_t count = 0, room = 0;
	int r;

	r = query_open(db, &query, "SELECT emoji, role_id FROM reaction_role WHERE message_id = $1 ORDER BY position",
		BIND_ID(message->message_id));
	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(roles, count, room);
		roles[count++] = (struct reaction_role){ .emoji = query_text_copy(query, 0, arena),
			.role_id = query_id(query, 1) };
	}
	if (r < 0)
		return r;
	message->roles = count > 0 ? arena_copy(arena, roles, count * sizeof(*roles)) : NULL;
	message->count = count;
	return 0;
}

static struct reaction_role_message read_message(struct query *query, struct arena *arena)
{
	return (struct reaction_role_message){
		.message_id = query_id(query, 0),
		.channel_id = query_id(query, 1),
		.title = query_text_copy(query, 2, arena),
	};
}

int reaction_role_get(
	struct db *db, uint64_t message_id, struct arena *arena, struct reaction_role_message *ret_message)
{
	struct reaction_role_message message;
	struct query *query;
	int r;

	r = query_row(db, &query,
		"SELECT message_id, channel_id, title FROM reaction_role_message WHERE message_id = $1",
		BIND_ID(message_id));
	if (r < 0)
		return r;
	message = read_message(query, arena);
	query_close(query);
	r = read_roles(db, arena, &message);
	if (r >= 0)
		*ret_message = message;
	return r;
}

int reaction_role_find(struct db *db, uint64_t message_id, const char *emoji, uint64_t *ret_role_id)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT role_id FROM reaction_role WHERE message_id = $1 AND emoji = $2",
		BIND_ID(message_id), BIND_TEXT(emoji));
	if (r < 0)
		return r;
	*ret_role_id = query_id(query, 0);
	query_close(query);
	return 0;
}

int reaction_role_list(
	struct db *db, struct arena *arena, struct reaction_role_message **ret_messages, size_t *ret_count)
{
	struct query *query cleanup(query_closep) = NULL;
	struct reaction_role_message *messages cleanup(freep) = NULL;
	size_t count = 0, room = 0;
	int r;

	r = query_open(
		db, &query, "SELECT message_id, channel_id, title FROM reaction_role_message ORDER BY message_id");
	while (r >= 0 && (r = query_next(query)) > 0) {
		query_grow(messages, count, room);
		messages[count] = read_message(query, arena);
		r = read_roles(db, arena, &messages[count++]);
	}
	if (r < 0)
		return r;
	*ret_messages = count > 0 ? arena_copy(arena, messages, count * sizeof(*messages)) : NULL;
	*ret_count = count;
	return 0;
}

int reaction_role_delete(struct db *db, uint64_t message_id)
{
	int r;

	r = query_run(db, "DELETE FROM reaction_role_message WHERE message_id = $1", BIND_ID(message_id));
	if (r < 0)
		return r;
	return query_changes(db) > 0 ? 0 : -ENOENT;
}
