/* See source.h. The thread hands over its result in one struct and ends; connection and members then belong to the serving thread. */
#include "source.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define RETRY_SOON      (200 * MILLISECOND) /* a database that is about to appear or to be migrated */
#define RETRY_LATER     (2 * SECOND)        /* what needs somebody's hand first */
#define PATIENCE_AT_END (2 * SECOND)
#define LOOK_AT_FILE    SECOND

struct attempt {
	char *path;
	int event_fd;
	atomic_bool done;
	/* the result */
	int error;
	struct db *db;
	struct members *members;
	uint64_t data_version;
	dev_t device;
	ino_t inode;
	struct str message;
};

struct source {
	char *path;
	int event_fd;
	enum source_state state;
	int error;
	struct str reason;
	uint64_t generation; /* counts changes of state and databases */

	struct attempt *attempt; /* OPENING */
	pthread_t thread;
	usec next_attempt; /* WAITING */
	usec next_look;

	struct db *db;
	struct members *members;
	uint64_t data_version;
	dev_t device;
	ino_t inode;
	bool in_round, looked; /* in this round, already */
};

static int load(struct attempt *attempt)
{
	struct stat status;
	int r;

	/* The file first: one that takes its name meanwhile is then noticed, at the price of opening it twice. */
	if (stat(attempt->path, &status) == 0) {
		attempt->device = status.st_dev;
		attempt->inode = status.st_ino;
	}
	r = db_open(attempt->path, DB_READ_ONLY, &attempt->db, &attempt->message);
	if (r < 0)
		return r;
	/* The version first: what is committed after it is read again by the first refresh. */
	r = db_data_version(attempt->db, &attempt->data_version);
	if (r >= 0)
		r = db_begin_read(attempt->db);
	if (r >= 0) {
		r = members_refresh(attempt->members, attempt->db);
		db_end_read(attempt->db);
	}
	if (r < 0)
		str_printf(&attempt->message, "%s: %s", attempt->path, db_error(attempt->db));
	return r;
}

static void *attempt_run(void *arg)
{
	struct attempt *attempt = arg;
	uint64_t one = 1;

	attempt->members = members_create();
	attempt->error = load(attempt);
	atomic_store(&attempt->done, true);
	/* Wakes the serving thread; should that fail, its next tick finds `done`. */
	if (write(attempt->event_fd, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

static void attempt_destroy(struct attempt *attempt)
{
	members_destroy(attempt->members);
	db_close(attempt->db);
	str_finish(&attempt->message);
	free(attempt->path);
	free(attempt);
}

static void drop_database(struct source *source)
{
	members_destroy(source->members);
	db_close(source->db);
	source->members = NULL;
	source->db = NULL;
}

static const struct {
	int error;
	usec retry;
	const char *reason;
} failures[] = {
	{ -ENOENT, RETRY_SOON, "There is no database yet: it is made when the bot or the member listener starts." },
	{ -ESTALE, RETRY_SOON, "The database is being brought up to date." },
	{ -EAGAIN, RETRY_SOON, "The database is locked by another program." },
	{ -EPROTO, RETRY_LATER, "The database is of a newer version than this program: update the program." },
	{ -EBADMSG, RETRY_LATER, "The database is damaged: restore a backup." },
};

static void wait_for_retry(struct source *source, int error, const char *message, usec now)
{
	const char *reason = "The database cannot be read.";
	usec retry = RETRY_LATER;

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		if (failures[i].error == error) {
			reason = failures[i].reason;
			retry = failures[i].retry;
		}
	}
	if (source->error != error)
		log_warn("no data to answer from", LOG_STR("reason", reason), LOG_ERRNO(error),
			LOG_STR("detail", message));
	drop_database(source);
	source->state = SOURCE_WAITING;
	source->error = error;
	source->generation++;
	source->next_attempt = now + retry;
	str_clear(&source->reason);
	str_adds(&source->reason, reason);
}

static void start_attempt(struct source *source, usec now)
{
	struct attempt *attempt = xcalloc(1, sizeof(*attempt));

	attempt->path = xstrdup(source->path);
	attempt->event_fd = source->event_fd;
	str_init(&attempt->message);
	if (pthread_create(&source->thread, NULL, attempt_run, attempt) != 0) {
		attempt_destroy(attempt);
		wait_for_retry(source, -EAGAIN, "no thread can be started", now);
		return;
	}
	source->attempt = attempt;
	source->state = SOURCE_OPENING;
	source->generation++;
}

static void take_over(struct source *source, usec now)
{
	struct attempt *attempt = source->attempt;

	pthread_join(source->thread, NULL);
	source->attempt = NULL;
	if (attempt->error < 0) {
		wait_for_retry(source, attempt->error, attempt->message.buf, now);
		attempt_destroy(attempt);
		return;
	}
	source->db = attempt->db;
	source->members = attempt->members;
	source->data_version = attempt->data_version;
	source->device = attempt->device;
	source->inode = attempt->inode;
	attempt->db = NULL;
	attempt->members = NULL;
	attempt_destroy(attempt);
	source->state = SOURCE_READY;
	source->error = 0;
	source->generation++;
	source->next_look = now + LOOK_AT_FILE;
	str_clear(&source->reason);
	log_info("database opened", LOG_INT("members", (int64_t)ranking_count(members_listed(source->members))));
}

struct source *source_create(const char *path)
{
	struct source *source = xcalloc(1, sizeof(*source));

	source->path = xstrdup(path);
	str_init(&source->reason);
	str_adds(&source->reason, "The database is being opened.");
	source->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	start_attempt(source, clock_monotonic());
	return source;
}

static bool wait_for_attempt(const struct attempt *attempt)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	usec deadline = clock_monotonic() + PATIENCE_AT_END;

	while (!atomic_load(&attempt->done) && clock_monotonic() < deadline)
		nanosleep(&pause, NULL);
	return atomic_load(&attempt->done);
}

void source_destroy(struct source *source)
{
	if (!source)
		return;
	if (source->attempt && !wait_for_attempt(source->attempt)) {
		/* It waits for somebody's lock. The program is ending and must not wait as well; what the thread holds goes with the process. */
		pthread_detach(source->thread);
		return;
	}
	if (source->attempt) {
		pthread_join(source->thread, NULL);
		attempt_destroy(source->attempt);
	}
	drop_database(source);
	close(source->event_fd);
	str_finish(&source->reason);
	free(source->path);
	free(source);
}

int source_fd(const struct source *source)
{
	return source->event_fd;
}

/* A restored backup takes the file's name; the connection would go on reading the old file. Only stat(): see models/db.h. */
static bool file_was_replaced(const struct source *source)
{
	struct stat status;

	return stat(source->path, &status) < 0 || status.st_dev != source->device || status.st_ino != source->inode;
}

void source_tick(struct source *source, usec now)
{
	uint64_t count;

	while (read(source->event_fd, &count, sizeof(count)) > 0)
		;
	switch (source->state) {
	case SOURCE_OPENING:
		if (atomic_load(&source->attempt->done))
			take_over(source, now);
		break;
	case SOURCE_WAITING:
		if (now >= source->next_attempt)
			start_attempt(source, now);
		break;
	case SOURCE_READY:
		if (now < source->next_look)
			break;
		source->next_look = now + LOOK_AT_FILE;
		if (file_was_replaced(source)) {
			log_info("the database file was replaced; opening the new one");
			drop_database(source);
			start_attempt(source, now);
		}
		break;
	}
}

int source_refresh(struct source *source, usec now)
{
	uint64_t version;
	int r;

	if (source->state != SOURCE_READY)
		source_tick(source, now);
	if (source->state != SOURCE_READY)
		return -EAGAIN;
	if (source->looked)
		return 0;
	source->looked = source->in_round;
	r = db_data_version(source->db, &version);
	if (r >= 0 && version == source->data_version)
		return 0;
	if (r >= 0)
		r = db_begin_read(source->db);
	if (r >= 0) {
		r = db_schema(source->db);
		if (r >= 0)
			r = members_refresh(source->members, source->db);
		db_end_read(source->db);
	}
	if (r < 0) {
		char *detail cleanup(freep) = xstrdup(db_error(source->db));

		wait_for_retry(source, r, detail, now);
		return -EAGAIN;
	}
	source->data_version = version;
	return 0;
}

int source_refresh_levels(struct source *source, usec now)
{
	int r;

	if (source->state != SOURCE_READY)
		return -EAGAIN;
	r = members_refresh_levels(source->members, source->db);
	if (r < 0) {
		char *detail cleanup(freep) = xstrdup(db_error(source->db));

		wait_for_retry(source, r, detail, now);
		return -EAGAIN;
	}
	return 0;
}

void source_begin_round(struct source *source)
{
	source->in_round = true;
	source->looked = false;
}

void source_end_round(struct source *source)
{
	source->in_round = source->looked = false;
}

struct members *source_members(const struct source *source)
{
	return source->members;
}

struct source_status source_status(const struct source *source)
{
	return (struct source_status){ source->state, source->error, source->reason.buf };
}

uint64_t source_version(const struct source *source)
{
	return source->generation << 40 ^ (source->members ? members_version(source->members) : 0);
}
