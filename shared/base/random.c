/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): 64 bits of state, passes
 * BigCrush, and any seed is a good one. */
#include "base/random.h"

#include <sys/random.h>

#include "base/clock.h"
#include "base/util.h"

void random_init(struct random *random, uint64_t seed)
{
	random->state = seed;
}

void random_init_system(struct random *random)
{
	uint64_t seed;

	/* Eight bytes come whole or not at all; on a kernel that refuses, the clocks differ enough between two
	 * starts. */
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_realtime() ^ ((uint64_t)clock_monotonic() << 32);
	random_init(random, seed);
}

uint64_t random_u64(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
	/* The lowest 2^64 mod bound values would make some results likelier than others; draw again when one comes. */
	uint64_t unfair = (0 - bound) % bound;
	uint64_t value;

	do
		value = random_u64(random);
	while (value < unfair);
	return value % bound;
}

double random_unit(struct random *random)
{
	/* 53 bits are what a double holds exactly. */
	return (double)(random_u64(random) >> 11) * 0x1.0p-53;
}
