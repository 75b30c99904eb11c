/* Asks a service on this machine whether it is healthy: what --healthcheck does, for a container that holds no HTTP
 * client. */
#ifndef BASE_HEALTHCHECK_H
#define BASE_HEALTHCHECK_H

#include "base/clock.h"
#include "base/str.h"

#define HEALTHCHECK_PATIENCE (2 * SECOND) /* for connection and answer together */

/* GET /healthz at the address that a service binds to; one that means every address is asked at the loopback. 0 when it
 * answers 200. Otherwise -errno, -EHOSTDOWN standing for any other answer, and a line for people is appended: the
 * reason that the service gave, or why there was none. */
int healthcheck_ask(const char *bind, int port, struct str *reterr_message) warn_unused;

#endif
