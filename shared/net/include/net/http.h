/* HTTP client: curl multi on the loop. HTTPS with certificate check, HTTP/1.1 and 2, bounded answers, no redirects,
 * names resolved off the loop.
 *
 * If http_send() fails, the callback never comes; otherwise it comes exactly once, from the top of the loop.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/arena.h"
#include "base/str.h"
#include "net/loop.h"

struct http;
struct http_call;

struct http_header {
	const char *name, *value;
};

/* One part of a multipart/form-data body. */
struct http_part {
	const char *name, *file_name, *content_type; /* file_name NULL: a plain field */
	const void *data;
	size_t len;
};

struct http_request {
	const char *method; /* "GET", "POST", ... */
	const char *url;
	const struct http_header *headers; /* ends with name NULL, may be NULL; a line break in a value is refused */
	const void *body;                  /* copied; content_type goes with it */
	size_t body_len;
	const char *content_type;
	const struct http_part *parts; /* or multipart: ends with name NULL; copied */
	usec timeout;                  /* for all of it; 0: 15 s. Connecting: at most 5 s */
	size_t limit;                  /* bytes of answer accepted; 0: 16 MiB */
};

struct http_answer {
	/* 0, or, when there is no whole answer: -ECONNREFUSED (no connection), -EHOSTUNREACH (name), -EKEYREJECTED
	 * (certificate), -ETIMEDOUT, -ECONNRESET (lost), -EMSGSIZE (beyond the limit), -ECANCELED, -EIO (anything
	 * else). */
	int error;
	bool sent;        /* whether the request may have reached the server (decides what may be repeated) */
	int status;       /* 200, ... */
	const char *body; /* NUL-terminated; valid in the callback */
	size_t body_len;
	const struct http_header *headers; /* names in lower case; ends with name NULL */
};
const char *http_answer_header(const struct http_answer *answer, const char *lower_case_name);

/* `user_agent` goes with every request. Certificates are checked against the system's authorities, or those in the
 * file that SSL_CERT_FILE in the environment names. `connections`: most at once to one host; more are queued inside
 * curl. */
int http_create(struct loop *loop, const char *user_agent, int connections, struct http **ret_http) warn_unused;
/* Every pending call ends with -ECANCELED before this returns. */
void http_destroy(struct http *http);
typedef void http_done_fn(void *arg, const struct http_answer *answer);
/* *ret_call is for http_cancel() and dies with the callback; ret_call may be NULL. -EINVAL: URL (http and https
 * only), method or a header is malformed; -ENOMEM. */
int http_send(struct http *http, const struct http_request *request, http_done_fn *done, void *arg,
	struct http_call **ret_call) warn_unused;
/* Ends the call with -ECANCELED; the callback comes before this returns. */
void http_cancel(struct http_call *call);

/* Inside a flow: sends and suspends. The answer's memory is the arena's, and it is set whatever happens. Returns
 * its `error`; -EINVAL outside a flow. */
int http_perform(struct http *http, const struct http_request *request, struct arena *arena,
	struct http_answer *ret_answer) warn_unused;

#endif
