/* Keeps checkpoints and write transactions apart where SQLite itself does not. See interlock.c. */
#ifndef MODELS_INTERLOCK_H
#define MODELS_INTERLOCK_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/util.h"

struct interlock;

/* Whether this SQLite (sqlite3_libversion_number(): 3040001 is 3.40.1) has the WAL-reset bug. */
bool interlock_needed(int sqlite_version);

/* Opens (and creates) the lock files beside the database `path`. */
int interlock_create(const char *path, struct interlock **ret_interlock) warn_unused;
void interlock_destroy(struct interlock *interlock);

/* Around every write transaction; -EAGAIN after `patience`. Any number of writers hold it together. */
int interlock_enter_writer(struct interlock *interlock, usec patience) warn_unused;
void interlock_leave_writer(struct interlock *interlock);
/* Around every checkpoint; alone. -EAGAIN after `patience`. */
int interlock_enter_checkpoint(struct interlock *interlock, usec patience) warn_unused;
void interlock_leave_checkpoint(struct interlock *interlock);

/* flock() on an open file with a deadline: LOCK_SH or LOCK_EX; -EAGAIN after `patience`. */
int interlock_flock(int fd, int operation, usec patience) warn_unused;
/* Opens a lock file, creating it for the owner only. Returns the descriptor or -errno. */
int interlock_open_file(const char *path, const char *suffix) warn_unused;
/* 0.2 to 0.8 ms. Fixed waits let one busy process take every turn; random ones share it. */
void interlock_pause(void);

#endif
