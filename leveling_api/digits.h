/* Numbers to decimal digits, two at a time: half of what an answer consists of. */
#ifndef LEVELING_API_DIGITS_H
#define LEVELING_API_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_MAX_LEN 20

/* "00" to "99" */
static const char digits_pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				   "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				   "8081828384858687888990919293949596979899";

static inline unsigned digits_count(uint64_t value)
{
	static const uint64_t powers[] = { 0, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u,
		1000000000u, 10000000000u, 100000000000u, 1000000000000u, 10000000000000u, 100000000000000u,
		1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
		10000000000000000000u };
	/* 1233 / 4096 is the logarithm of 2: the digits of the bits, or one less. */
	unsigned count = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12;

	return count + (value >= powers[count]);
}

/* Writes at most DIGITS_MAX_LEN bytes, no NUL; the end of what was written. */
static inline char *digits_put(char *p, uint64_t value)
{
	char *end = p + digits_count(value), *at = end;

	for (; value >= 100; value /= 100)
		memcpy(at -= 2, digits_pairs + value % 100 * 2, 2);
	if (value >= 10)
		memcpy(p, digits_pairs + value * 2, 2);
	else
		*p = (char)('0' + value);
	return end;
}

#endif
