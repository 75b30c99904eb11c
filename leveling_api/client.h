/* Who asks, and under which address the server was reached: from the connection, or from X-Forwarded-* when it comes from a proxy that the
 * configuration names. Nobody else's word is taken for it. */
#ifndef LEVELING_API_CLIENT_H
#define LEVELING_API_CLIENT_H

#include <sys/socket.h>

#include "base/settings.h"
#include "request.h"

/* "192.0.2.7", "2001:db8::7"; an IPv4 address in IPv6 clothes is undressed. */
void client_address_text(const struct sockaddr *address, char *out, size_t size);
/* Sets request->address, request->base and, behind a proxy, request->host. `peer` is the connection's address. */
void client_resolve(
	const struct settings *settings, const char *peer, const char *fallback_host, struct request *request);

#endif
