/* Group commit: the effects of the events of up to 20 ms, and the gateway's sequence number, go into one
 * transaction. What users see is sent after the commit.
 *
 * The batch opens a transaction with the first event and commits when 20 ms are over, when many events are in it,
 * before a heartbeat, or when somebody asks. When a commit fails, nothing of the batch has happened: the gateway
 * client drops the connection and Discord replays the events.
 */
#ifndef SERVICE_BATCH_H
#define SERVICE_BATCH_H

#include "models/db.h"
#include "net/loop.h"

struct batch;

/* `failed` is told when a transaction was lost (with the error), before the function that noticed it returns: the
 * owner resumes from batch_sequence(). `sequence` is the committed one of the stored session, 0: none. */
int batch_create(struct loop *loop, struct db *db, const char *service, int64_t sequence,
	void (*failed)(void *arg, int error), void *arg, struct batch **ret_batch) warn_unused;
/* Commits what is open. */
void batch_destroy(struct batch *batch);
/* Begins the transaction if none is open, and a savepoint for this event. */
int batch_event_begin(struct batch *batch) warn_unused;
/* Ends the event: its effects stay (error 0) or are undone alone (an event that cannot be stored, such as a
 * constraint's violation), and `sequence` is taken over (-1: there is none, a command wrote). Errors that concern
 * the whole database (-ENOSPC, -EIO, -EBADMSG, -EAGAIN) end the batch: returned, nothing of it has happened. */
int batch_event_end(struct batch *batch, int64_t sequence, int error) warn_unused;
/* Commits now. 0 when nothing was open. */
int batch_flush(struct batch *batch) warn_unused;
/* For a command's own writes outside of events: joins the open batch or begins one; end with batch_flush() before
 * telling the user. */
int batch_begin(struct batch *batch) warn_unused;
/* Runs `task` after the open batch is committed (at once, from the top of the loop, when none is open); not at all
 * when it is lost. */
void batch_after_commit(struct batch *batch, struct loop_task *task);
/* The task will not run any more; fine when it is not waiting. */
void batch_forget_task(struct batch *batch, struct loop_task *task);
/* A new gateway session began, or the last one ended for good (session_id NULL): it goes into the database with the
 * next commit, and sequences count from 0 again. */
void batch_set_session(struct batch *batch, const char *session_id, const char *resume_url);
/* The last committed sequence of the current session. */
int64_t batch_sequence(const struct batch *batch);
/* The error of the last attempt to write, 0 when it succeeded: for health. */
int batch_error(const struct batch *batch);
/* State for SIGUSR1. */
void batch_dump(const struct batch *batch, struct str *out);

#endif
