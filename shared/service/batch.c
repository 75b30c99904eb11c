/* Group commit (service/batch.h).
 *
 * A batch is closed, or open with a transaction; inside an open one an event may be under way with a savepoint of
 * its own. The pending sequence becomes the committed one only when the engine says that the transaction is on the
 * disk, so that the number which Discord is told (heartbeat, resume) never runs ahead of what is stored.
 *
 * To tune: BATCH_AGE is the longest that an effect waits for its commit, BATCH_EVENTS bounds what one lost commit
 * has replayed.
 */
#include "service/batch.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/metrics.h"
#include "models/gateway_session.h"

#define BATCH_AGE    (20 * MILLISECOND)
#define BATCH_EVENTS 512

static struct metric commits =
	METRIC_COUNTER("walle_batch_commits_total", "Committed transactions of the group commit");
static struct metric committed_events =
	METRIC_COUNTER("walle_batch_events_total", "Gateway events whose effects are committed");
static struct metric undone_events =
	METRIC_COUNTER("walle_batch_undone_events_total", "Gateway events whose effects could not be stored");
static struct metric lost_batches =
	METRIC_COUNTER("walle_batch_lost_total", "Transactions that failed and are replayed");
static struct metric largest = METRIC_GAUGE("walle_batch_largest_events", "Most events in one transaction so far");
static struct metric slowest = METRIC_GAUGE("walle_batch_commit_max_microseconds", "Slowest commit so far");

struct batch {
	struct loop *loop;
	struct db *db;
	char *service;
	void (*failed)(void *arg, int error);
	void *arg;
	struct timer timer; /* commits BATCH_AGE after the transaction began */
	usec opened_at;     /* when the open transaction began; 0: none is open */
	bool in_event;
	unsigned events;                      /* in the open transaction */
	int64_t committed, pending;           /* sequences */
	int error;                            /* of the last attempt */
	char *session_id, *resume_url;        /* of the current session */
	bool session_dirty;                   /* the session's row is not committed yet */
	struct loop_task *tasks, **tasks_end; /* to run after the commit */
	struct loop_task **event_mark;        /* tasks_end when the event began */
};

static void forget_tasks(struct batch *batch, struct loop_task **from)
{
	for (struct loop_task *task = *from, *next; task; task = next) {
		next = task->next;
		task->next = NULL;
	}
	*from = NULL;
	batch->tasks_end = from;
}

static void close_batch(struct batch *batch)
{
	timer_stop(&batch->timer);
	batch->opened_at = 0;
	batch->events = 0;
	batch->in_event = false;
}

/* The transaction is gone and with it everything since the last commit. */
static int lose(struct batch *batch, int error)
{
	if (db_in_transaction(batch->db))
		db_rollback(batch->db);
	close_batch(batch);
	forget_tasks(batch, &batch->tasks);
	batch->pending = batch->committed;
	batch->error = error;
	metric_add(&lost_batches, 1);
	batch->failed(batch->arg, error);
	return error;
}

/* Whether an error says that the database as a whole cannot be written to now, rather than that one event's data
 * were refused. */
static bool concerns_database(int error)
{
	static const int errors[] = { -ENOSPC, -EIO, -EBADMSG, -EAGAIN, -EROFS, -EPROTO, -ENOMEM };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i] == error)
			return true;
	return false;
}

static void expired(void *arg)
{
	struct batch *batch = arg;

	/* An error has been told to `failed` already. */
	if (batch_flush(batch) < 0)
		return;
}

int batch_create(struct loop *loop, struct db *db, const char *service, int64_t sequence,
	void (*failed)(void *arg, int error), void *arg, struct batch **ret_batch)
{
	static struct metric *const metrics[] = { &commits, &committed_events, &undone_events, &lost_batches, &largest,
		&slowest };
	struct batch *batch = xcalloc(1, sizeof(*batch));

	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++)
		metrics_register(metrics[i]);
	batch->loop = loop;
	batch->db = db;
	batch->service = xstrdup(service);
	batch->failed = failed;
	batch->arg = arg;
	batch->committed = batch->pending = sequence;
	batch->tasks_end = &batch->tasks;
	batch->event_mark = &batch->tasks;
	timer_init(&batch->timer, loop, expired, batch);
	*ret_batch = batch;
	return 0;
}

void batch_destroy(struct batch *batch)
{
	if (!batch)
		return;
	if (batch_flush(batch) < 0)
		batch->error = 0; /* told to `failed`; Discord replays what was lost */
	timer_finish(&batch->timer);
	free(batch->session_id);
	free(batch->resume_url);
	free(batch->service);
	free(batch);
}

int batch_begin(struct batch *batch)
{
	int r;

	if (batch->opened_at)
		return 0;
	r = db_begin(batch->db);
	if (r < 0)
		return lose(batch, r);
	batch->opened_at = loop_now(batch->loop);
	timer_start(&batch->timer, BATCH_AGE);
	return 0;
}

int batch_event_begin(struct batch *batch)
{
	int r;

	r = batch_begin(batch);
	if (r < 0)
		return r;
	r = db_savepoint(batch->db);
	if (r < 0)
		return lose(batch, r);
	batch->in_event = true;
	batch->event_mark = batch->tasks_end;
	return 0;
}

int batch_event_end(struct batch *batch, int64_t sequence, int error)
{
	int r;

	if (!batch->in_event)
		return -EINVAL;
	if (error < 0 && concerns_database(error))
		return lose(batch, error);
	batch->in_event = false;
	if (error < 0) {
		forget_tasks(batch, batch->event_mark);
		db_rollback_to_savepoint(batch->db);
		metric_add(&undone_events, 1);
	} else {
		r = db_release(batch->db);
		if (r < 0)
			return lose(batch, r);
	}
	if (sequence >= 0) {
		batch->pending = sequence;
		batch->events++;
	}
	/* On a busy loop the timer's turn may come late. */
	if (batch->events >= BATCH_EVENTS || loop_now(batch->loop) - batch->opened_at >= BATCH_AGE)
		return batch_flush(batch);
	return 0;
}

/* The session's row or its sequence, as the last statement of the transaction. */
static int store_sequence(struct batch *batch)
{
	struct gateway_session session = {
		.session_id = batch->session_id, .resume_url = batch->resume_url, .sequence = batch->pending
	};

	if (batch->session_dirty)
		return gateway_session_put(batch->db, batch->service, &session, clock_realtime());
	if (batch->pending != batch->committed)
		return gateway_session_set_sequence(batch->db, batch->service, batch->pending);
	return 0;
}

int batch_flush(struct batch *batch)
{
	usec began;
	int r;

	if (!batch->opened_at)
		return 0;
	if (batch->in_event)
		return -EBUSY;
	r = store_sequence(batch);
	if (r < 0)
		return lose(batch, r);
	began = clock_monotonic();
	r = db_commit(batch->db);
	if (r < 0)
		return lose(batch, r);
	metric_set(&slowest, MAX(slowest.value, clock_monotonic() - began));
	metric_set(&largest, MAX(largest.value, batch->events));
	metric_add(&commits, 1);
	metric_add(&committed_events, batch->events);
	batch->committed = batch->pending;
	batch->session_dirty = false;
	batch->error = 0;
	close_batch(batch);

	for (struct loop_task *task = batch->tasks, *next; task; task = next) {
		next = task->next;
		task->next = NULL;
		loop_post(batch->loop, task);
	}
	batch->tasks = NULL;
	batch->tasks_end = &batch->tasks;
	return 0;
}

void batch_after_commit(struct batch *batch, struct loop_task *task)
{
	if (!batch->opened_at) {
		loop_post(batch->loop, task);
		return;
	}
	if (task->posted)
		return;
	for (struct loop_task *waiting = batch->tasks; waiting; waiting = waiting->next)
		if (waiting == task)
			return;
	task->next = NULL;
	*batch->tasks_end = task;
	batch->tasks_end = &task->next;
}

void batch_forget_task(struct batch *batch, struct loop_task *task)
{
	loop_cancel(batch->loop, task);
	for (struct loop_task **link = &batch->tasks; *link; link = &(*link)->next) {
		if (*link != task)
			continue;
		*link = task->next;
		if (batch->tasks_end == &task->next)
			batch->tasks_end = link;
		if (batch->event_mark == &task->next)
			batch->event_mark = link;
		task->next = NULL;
		return;
	}
}

void batch_set_session(struct batch *batch, const char *session_id, const char *resume_url)
{
	free(batch->session_id);
	free(batch->resume_url);
	batch->session_id = session_id ? xstrdup(session_id) : NULL;
	batch->resume_url = resume_url ? xstrdup(resume_url) : NULL;
	batch->session_dirty = true;
	batch->committed = batch->pending = 0;
}

int64_t batch_sequence(const struct batch *batch)
{
	return batch->committed;
}

int batch_error(const struct batch *batch)
{
	return batch->error;
}

void batch_dump(const struct batch *batch, struct str *out)
{
	str_printf(out, "batch %s: %u events, sequence %lld committed, %lld pending%s%s\n",
		batch->opened_at ? "open" : "closed", batch->events, (long long)batch->committed,
		(long long)batch->pending, batch->error ? ", last error: " : "",
		batch->error ? error_text(batch->error) : "");
}
