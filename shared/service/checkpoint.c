/* Checkpoints on a thread of their own (checkpoint.h).
 *
 * SQLite checkpoints by itself inside some unlucky commit; that is switched off (DESIGN section 4: below SQLite
 * 3.51.3 a checkpoint must exclude all writers, which models/interlock.c sees to). One process owns them. While a
 * checkpoint waits for its turn or copies pages, the loop goes on.
 */
#include "checkpoint.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"

#define OWNER_BYTES  (4 << 20)
#define OWNER_AGE    MINUTE
#define OTHERS_BYTES (32 << 20)
/* A log of this size means that somebody reads without end or that the disk is ill. */
#define ALARM_BYTES (64 << 20)
/* How long a checkpoint waits for writers and readers to be out of the way. */
#define PATIENCE SECOND
/* After one that did not get through. */
#define RETRY (5 * SECOND)

static struct metric done = METRIC_COUNTER("walle_checkpoints_total", "Checkpoints that emptied the write-ahead log");
static struct metric postponed =
	METRIC_COUNTER("walle_checkpoints_postponed_total", "Checkpoints that readers or writers did not let through");
static struct metric size = METRIC_GAUGE("walle_database_log_bytes", "Size of the write-ahead log");

struct checkpointer {
	struct loop *loop;
	struct db *db;         /* the loop's connection */
	struct db *connection; /* the worker's; opened by the first checkpoint */
	char *path;
	bool owner;
	uv_work_t work;
	bool busy;
	int result;        /* of the last one; written by the worker, read after it */
	int64_t log_bytes; /* when last looked */
	usec last, not_before;
	bool alarmed;
};

static void work(uv_work_t *request)
{
	struct checkpointer *checkpointer = request->data;

	if (!checkpointer->connection) {
		checkpointer->result = db_open(checkpointer->path, DB_WRITE, &checkpointer->connection, NULL);
		if (checkpointer->result < 0)
			return;
	}
	checkpointer->result = db_checkpoint(checkpointer->connection, PATIENCE);
}

static void after_work(uv_work_t *request, int status)
{
	struct checkpointer *checkpointer = request->data;
	usec now = loop_now(checkpointer->loop);

	checkpointer->busy = false;
	if (status < 0)
		checkpointer->result = status;
	if (checkpointer->result < 0) {
		checkpointer->not_before = now + RETRY;
		metric_add(&postponed, 1);
		if (checkpointer->result != -EAGAIN)
			log_warn("the write-ahead log could not be moved into the database, trying again",
				LOG_ERRNO(checkpointer->result));
		return;
	}
	checkpointer->last = now;
	metric_add(&done, 1);
}

struct checkpointer *checkpointer_create(struct loop *loop, struct db *db, const char *path, bool owner)
{
	struct checkpointer *checkpointer = xcalloc(1, sizeof(*checkpointer));

	metrics_register(&done);
	metrics_register(&postponed);
	metrics_register(&size);
	checkpointer->loop = loop;
	checkpointer->db = db;
	checkpointer->path = xstrdup(path);
	checkpointer->owner = owner;
	checkpointer->work.data = checkpointer;
	checkpointer->last = loop_now(loop);
	return checkpointer;
}

static void sound_alarm(struct checkpointer *checkpointer)
{
	bool large = checkpointer->log_bytes > ALARM_BYTES;

	if (large && !checkpointer->alarmed)
		log_warn("the write-ahead log is very large: a program may be reading the database without end",
			LOG_INT("bytes", checkpointer->log_bytes));
	checkpointer->alarmed = large;
}

void checkpointer_tick(struct checkpointer *checkpointer)
{
	usec now = loop_now(checkpointer->loop);
	bool due;

	if (checkpointer->busy || db_wal_size(checkpointer->db, &checkpointer->log_bytes) < 0)
		return;
	metric_set(&size, checkpointer->log_bytes);
	sound_alarm(checkpointer);
	due = checkpointer->log_bytes > (checkpointer->owner ? OWNER_BYTES : OTHERS_BYTES) ||
	      (checkpointer->owner && checkpointer->log_bytes > 0 && now - checkpointer->last >= OWNER_AGE);
	if (!due || now < checkpointer->not_before)
		return;
	if (uv_queue_work(&checkpointer->loop->uv, &checkpointer->work, work, after_work) == 0)
		checkpointer->busy = true;
}

bool checkpointer_busy(const struct checkpointer *checkpointer)
{
	return checkpointer->busy;
}

void checkpointer_destroy(struct checkpointer *checkpointer)
{
	if (!checkpointer)
		return;
	db_close(checkpointer->connection);
	free(checkpointer->path);
	free(checkpointer);
}

void checkpointer_dump(const struct checkpointer *checkpointer, struct str *out)
{
	str_printf(out, "checkpoints %s%s, log of %lld bytes, last result: %s\n",
		checkpointer->owner ? "owned" : "only above 32 MB", checkpointer->busy ? ", one under way" : "",
		(long long)checkpointer->log_bytes, checkpointer->busy ? "?" : error_text(checkpointer->result));
}
