/* The interlock between writers and the checkpointer.
 *
 * SQLite 3.7.0 to 3.51.2 can lose committed transactions, or corrupt the database, when one connection runs a
 * checkpoint while another writes and restarts the write-ahead log (sqlite.org/wal.html#walresetbug; fixed in 3.51.3
 * and in the branches 3.50.7 and 3.44.6). Debian 12 ships 3.40.1. On such versions every write transaction holds a
 * shared lock and every checkpoint an exclusive one, so that the two never overlap; on fixed versions the engine does
 * not create an interlock at all.
 *
 * With one lock alone a stream of overlapping writers could keep the checkpointer out for ever. So there are two
 * files: the gate, which a writer holds (shared) only while it takes the lock, and which the checkpointer holds
 * (exclusively) from before it asks for the lock until it has finished. While a checkpointer waits, no new writer
 * starts, and its wait is bounded by the longest write transaction.
 *
 * flock() belongs to the open file, not to the process: two connections of one process exclude each other too, and
 * closing some other descriptor of the file releases nothing. The kernel drops the locks of a killed process.
 */
#include "interlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"

struct interlock {
	int gate, lock;
};

bool interlock_needed(int sqlite_version)
{
	static const struct {
		int first, last;
	} affected[] = {
		{ 3007000, 3044005 },
		{ 3045000, 3050006 },
		{ 3051000, 3051002 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(affected); i++) {
		if (sqlite_version >= affected[i].first && sqlite_version <= affected[i].last)
			return true;
	}
	return false;
}

void interlock_pause(void)
{
	static _Thread_local struct random random;
	static _Thread_local bool seeded;
	struct timespec wait = { 0 };

	if (!seeded) {
		random_init_system(&random);
		seeded = true;
	}
	wait.tv_nsec = 200000 + (long)random_below(&random, 600000);
	nanosleep(&wait, NULL);
}

int interlock_open_file(const char *path, const char *suffix)
{
	char *name cleanup(freep) = xasprintf("%s%s", path, suffix);
	int fd;

	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? -errno : fd;
}

int interlock_flock(int fd, int operation, usec patience)
{
	usec deadline = 0;

	while (flock(fd, operation | LOCK_NB) < 0) {
		usec now = clock_monotonic();

		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (deadline == 0)
			deadline = now + patience;
		if (now >= deadline)
			return -EAGAIN;
		interlock_pause();
	}
	return 0;
}

int interlock_create(const char *path, struct interlock **ret_interlock)
{
	struct interlock *interlock;
	int gate, lock;

	lock = interlock_open_file(path, ".checkpoint.lock");
	if (lock < 0)
		return lock;
	gate = interlock_open_file(path, ".checkpoint.gate");
	if (gate < 0) {
		close(lock);
		return gate;
	}
	interlock = xcalloc(1, sizeof(*interlock));
	interlock->gate = gate;
	interlock->lock = lock;
	*ret_interlock = interlock;
	return 0;
}

void interlock_destroy(struct interlock *interlock)
{
	if (!interlock)
		return;
	close(interlock->lock);
	close(interlock->gate);
	free(interlock);
}

static int enter(struct interlock *interlock, int operation, usec patience)
{
	usec started = clock_monotonic();
	int r;

	r = interlock_flock(interlock->gate, operation, patience);
	if (r < 0)
		return r;
	r = interlock_flock(interlock->lock, operation, MAX(started + patience - clock_monotonic(), 0));
	if (r < 0 || operation == LOCK_SH)
		flock(interlock->gate, LOCK_UN);
	return r;
}

int interlock_enter_writer(struct interlock *interlock, usec patience)
{
	return enter(interlock, LOCK_SH, patience);
}

void interlock_leave_writer(struct interlock *interlock)
{
	flock(interlock->lock, LOCK_UN);
}

int interlock_enter_checkpoint(struct interlock *interlock, usec patience)
{
	return enter(interlock, LOCK_EX, patience);
}

void interlock_leave_checkpoint(struct interlock *interlock)
{
	flock(interlock->lock, LOCK_UN);
	flock(interlock->gate, LOCK_UN);
}
