/* Resumable gateway sessions and the shared quota of identifies. */
#include "models/gateway_session.h"

#include <errno.h>

#include "query.h"

int gateway_session_get(struct db *db, const char *service, struct arena *arena, struct gateway_session *ret_session)
{
	struct query *query;
	int r;

	r = query_row(db, &query, "SELECT session_id, resume_url, sequence FROM gateway_session WHERE service = $1",
		BIND_TEXT(service));
	if (r == -ENOENT) {
		*ret_session = (struct gateway_session){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	ret_session->session_id = query_text_copy(query, 0, arena);
	ret_session->resume_url = query_text_copy(query, 1, arena);
	ret_session->sequence = query_int(query, 2);
	query_close(query);
	return 0;
}

int gateway_session_put(struct db *db, const char *service, const struct gateway_session *session, usec now)
{
	return query_run(db,
		"INSERT INTO gateway_session (service, session_id, resume_url, sequence, updated_at) VALUES ($1, $2,"
		" $3, $4, $5)"
		" ON CONFLICT (service) DO UPDATE SET session_id = excluded.session_id, resume_url ="
		" excluded.resume_url,"
		" sequence = excluded.sequence, updated_at = excluded.updated_at",
		BIND_TEXT(service), BIND_TEXT(session->session_id),
		BIND_TEXT(session->session_id ? session->resume_url : NULL), BIND_INT(session->sequence),
		BIND_INT(now));
}

int gateway_session_set_sequence(struct db *db, const char *service, int64_t sequence)
{
	return query_run(db,
		"INSERT INTO gateway_session (service, sequence, updated_at) VALUES ($1, $2, 0)"
		" ON CONFLICT (service) DO UPDATE SET sequence = excluded.sequence",
		BIND_TEXT(service), BIND_INT(sequence));
}

/* How long until another identify is allowed; 0: now. */
static int identify_wait(struct db *db, const char *identity, usec now, usec spacing, int64_t limit, usec *ret_wait)
{
	struct query *query;
	usec wait = 0;
	int64_t count;
	int r;

	r = query_row(db, &query, "SELECT count(*), coalesce(max(claimed_at), $2) FROM identify WHERE identity = $1",
		BIND_TEXT(identity), BIND_INT(now - spacing));
	if (r < 0)
		return r;
	count = query_int(query, 0);
	wait = MAX(query_int(query, 1) + spacing - now, 0);
	query_close(query);
	if (count >= limit) {
		/* Enough claims must have left the window for one more to fit. */
		r = query_row(db, &query,
			"SELECT claimed_at FROM identify WHERE identity = $1 ORDER BY claimed_at LIMIT 1 OFFSET $2",
			BIND_TEXT(identity), BIND_INT(limit > 0 ? count - limit : count - 1));
		if (r < 0 && r != -ENOENT)
			return r;
		wait = MAX(wait, r == -ENOENT ? DAY : query_int(query, 0) + DAY - now + 1);
		query_close(query);
	}
	*ret_wait = wait;
	return 0;
}

int identify_claim(
	struct db *db, const char *identity, const char *service, usec now, usec spacing, int64_t limit, usec *ret_wait)
{
	usec wait = 0;
	bool own;
	int r;

	r = query_begin_joined(db, &own);
	if (r < 0)
		return r;
	r = query_run(db, "DELETE FROM identify WHERE claimed_at < $1", BIND_INT(now - DAY));
	/* A clock that was set back must not keep everybody out until it has caught up. */
	if (r >= 0)
		r = query_run(db, "UPDATE identify SET claimed_at = $1 WHERE claimed_at > $1", BIND_INT(now));
	if (r >= 0)
		r = identify_wait(db, identity, now, spacing, limit, &wait);
	if (r >= 0 && wait == 0)
		r = query_run(db, "INSERT INTO identify (identity, service, claimed_at) VALUES ($1, $2, $3)",
			BIND_TEXT(identity), BIND_TEXT(service), BIND_INT(now));
	r = query_end_joined(db, own, r);
	if (r < 0)
		return r;
	if (wait > 0) {
		*ret_wait = wait;
		return -EAGAIN;
	}
	return 0;
}
