/* The HTTP side: libmicrohttpd on one thread, driven by one epoll loop that also hears signals and the database source. */
#ifndef LEVELING_API_SERVER_H
#define LEVELING_API_SERVER_H

#include "api.h"
#include "base/settings.h"

struct server;

/* Opens the port. On failure one line for people is appended to `reterr_message`: -EINVAL for an address that is none, else -errno. */
int server_create(struct api *api, struct server **ret_server, struct str *reterr_message) warn_unused;
void server_destroy(struct server *server);
/* Serves until SIGTERM or SIGINT, which must be blocked (with SIGUSR1) before any thread is started. Returns an exit status. */
int server_run(struct server *server) warn_unused;

#endif
