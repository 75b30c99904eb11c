/* The port that is listened on, and how many connections it may have. */
#ifndef LEVELING_API_LISTENER_H
#define LEVELING_API_LISTENER_H

#include "base/settings.h"

/* Opens [leveling_api] BIND and PORT; the descriptor, or -errno with one line for people: -EINVAL for an address that is none. `host_out` gets
 * "127.0.0.1:8000", with the port that was really given. */
int listener_open(
	const struct settings *settings, char *host_out, size_t host_size, struct str *reterr_message) warn_unused;
/* Raises the limit of open descriptors as far as it may; how many connections fit. */
unsigned listener_connections(void);

#endif
