/* Randomness that is handed in, so that a test can repeat a run from its seed. Not for secrets. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

void random_init(struct random *random, uint64_t seed);
/* Seeds from the kernel's random numbers. */
void random_init_system(struct random *random);
uint64_t random_u64(struct random *random);
/* Uniform in [0, bound); bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* Uniform in [0, 1). */
double random_unit(struct random *random);

#endif
