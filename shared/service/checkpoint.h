/* Moves the write-ahead log into the database from time to time, on libuv's thread pool with a connection of its
 * own, so that the loop never waits for it. */
#ifndef SERVICE_CHECKPOINT_H
#define SERVICE_CHECKPOINT_H

#include "models/db.h"
#include "net/loop.h"

struct checkpointer;

/* The owner of the checkpoints (the bot) works above 4 MB of log or every minute; others only above 32 MB, which is
 * when the owner is down. `db` is the loop's connection, asked for the log's size. */
struct checkpointer *checkpointer_create(struct loop *loop, struct db *db, const char *path, bool owner);
/* Looks whether it is time; call it every second or so. */
void checkpointer_tick(struct checkpointer *checkpointer);
bool checkpointer_busy(const struct checkpointer *checkpointer);
/* Not while busy: run the loop until it is not. */
void checkpointer_destroy(struct checkpointer *checkpointer);
void checkpointer_dump(const struct checkpointer *checkpointer, struct str *out);

#endif
