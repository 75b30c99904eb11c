/* Membership of threads (Discord's documentation, topics/threads). */
#ifndef FAKE_THREADS_H
#define FAKE_THREADS_H

#include "fake.h"

/* Makes the person a member of the thread and tells it; a second time does nothing. */
void thread_join(struct fake *fake, struct channel *thread, uint64_t user);

#endif
