/* What the tests of shared/net/http.c share: a client, and a server in the same loop. The server's paths:
 *
 *	/echo   answers with the request	/hold	keeps the request without an answer
 *	/zip    1 MiB of zeros, compressed	/drop	closes the connection
 *	/moved  redirects to /echo		/none	204
 */
#ifndef TESTS_NET_HTTP_WORLD_H
#define TESTS_NET_HTTP_WORLD_H

#include "net/http.h"
#include "net/httpd.h"

extern struct loop loop;
extern struct http *http;
extern struct httpd *httpd;
extern int requests_seen;
extern size_t held_count; /* requests to /hold */

/* For each test. */
int world_setup(void **state);
int world_teardown(void **state);

/* What became of a call. */
struct result {
	struct http_answer answer; /* pointers are dead */
	struct str body;
	char header[64];
	int count;
};

/* A done function whose argument is a `struct result`. */
void world_on_done(void *arg, const struct http_answer *answer);
/* For loop_run_until(): the result is there; the server holds a request. */
bool world_is_done(void *arg);
bool world_holds_one(void *arg);
/* A URL of 127.0.0.1, valid until the next one. */
char *world_url(int port, const char *path);
/* Sends and waits. The caller finishes result->body. */
void world_perform(const struct http_request *request, struct result *result);
void world_get(const char *url, struct result *result);

#endif
