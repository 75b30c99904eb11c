/* What the kernel knows about a running program. */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include "base/clock.h"

/* Resident memory in bytes, now and at its highest; processor time of all threads, in user and kernel mode, to the clock tick (10 ms).
 * -1: there is no such process. */
int64_t proc_resident(int pid);
int64_t proc_resident_max(int pid);
usec proc_cpu(int pid);

#endif
