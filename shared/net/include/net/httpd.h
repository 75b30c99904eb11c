/* A small HTTP server on our loop: libmicrohttpd (epoll mode) driven by uv_poll. For the health endpoints and the fake
 * Discord; the levelling API has its own server with threads. Bounded: connections, header and body sizes, and a
 * deadline for every request.
 */
#ifndef NET_HTTPD_H
#define NET_HTTPD_H

#include "base/str.h"
#include "net/http.h"
#include "net/loop.h"

struct httpd;
struct httpd_request; /* lives until it is answered or its connection is gone */

struct httpd_options {
	const char *bind;  /* address; NULL: 127.0.0.1 */
	int port;          /* 0: any free one */
	size_t body_limit; /* 0: 64 KiB; larger bodies are answered 413 */
	/* 0: 256; beyond that the connection that has been idle for longest is closed for a new one. */
	unsigned connections;
	/* From a request's first line, and from the connection's begin, to the whole request; 0: 10 s. */
	usec receive_timeout;
};

/* Called when the whole request is here, from the top of the loop. Must lead to httpd_respond() or httpd_drop()
 * once, now or later. */
typedef void httpd_handler_fn(void *arg, struct httpd_request *request);
/* Listens at once. -EINVAL (address or port), -EADDRINUSE and other errors of bind(), -ENOMEM. */
int httpd_create(struct loop *loop, const struct httpd_options *options, httpd_handler_fn *handler, void *arg,
	struct httpd **ret_httpd) warn_unused;
/* Requests that are not answered yet are dropped: their handles are dead afterwards. */
void httpd_destroy(struct httpd *httpd);
int httpd_port(const struct httpd *httpd);

const char *httpd_method(const struct httpd_request *request);
/* Percent-decoded by nobody: as it came, without the query. Begins with '/'. */
const char *httpd_path(const struct httpd_request *request);
/* Raw, without '?'; "" when there is none. */
const char *httpd_query(const struct httpd_request *request);
const char *httpd_header(const struct httpd_request *request, const char *name); /* any case; NULL */
const char *httpd_body(const struct httpd_request *request, size_t *ret_len);
/* A value of the query, decoded, in the request's own memory; NULL. */
const char *httpd_argument(struct httpd_request *request, const char *name);
/* For answers that come later: `gone(user)` comes once when the connection is lost or the server destroyed before
 * the request was answered, and the handle is dead then; never after httpd_respond() or httpd_drop(). Without it a
 * request stays valid until it is answered, whatever its connection does, or the server destroyed. */
void httpd_set_user(struct httpd_request *request, void *user, void (*gone)(void *user));
/* Copies the body. `headers` may be NULL. */
void httpd_respond(struct httpd_request *request, int status, const char *content_type,
	const struct http_header *headers, const void *body, size_t len);
/* Closes the connection without an answer (a fault of the fake Discord). */
void httpd_drop(struct httpd_request *request);

#endif
