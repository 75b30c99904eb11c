/* Names for tests, without a name server: names.c brings a getaddrinfo() that takes the place of libc's, for the
 * libraries as well. A test that wants it adds names.c to its sources, and its names to the table there. A name that
 * begins with "slow." is not found, but only after a second.
 */
#ifndef TESTS_NET_NAMES_H
#define TESTS_NET_NAMES_H

/* Until no thread looks a name up any more. */
void names_wait(void);

#endif
