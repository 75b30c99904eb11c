/* A small HTTP server: libmicrohttpd without threads, on our loop.
 *
 * microhttpd keeps all its sockets in one epoll descriptor, which uv_poll watches; MHD_run() then does what is due. A
 * complete request is always suspended and posted, so that its handler runs from the top of the loop and may answer at
 * once, later, or destroy the server; httpd_respond() resumes it, and microhttpd asks for the answer in on_access().
 *
 * microhttpd alone would let slow clients hold connections for ever: its timeout is one of inactivity, which a byte now
 * and then satisfies, and at its limit it stops accepting. So every connection has a deadline here that depends on what
 * it is doing, looked at by a sweep, and a newcomer beyond the limit pushes out whoever has been idle for longest.
 * microhttpd has no call that closes somebody else's connection; shutdown() of the socket has that effect.
 */
#include "net/httpd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"

#define BODY_LIMIT      ((size_t)64 << 10)
#define CONNECTIONS     256
#define RECEIVE_TIMEOUT (10 * SECOND)
/* For a peer to take its answer, and for a kept connection to begin its next request. */
#define SEND_TIMEOUT (60 * SECOND)
#define IDLE_TIMEOUT (60 * SECOND)
/* Accepted beyond the limit, so that a newcomer gets in while an idle one is being pushed out. */
#define NEWCOMERS 32
#define BACKLOG   1024
#define NEVER     INT64_MAX

enum request_state {
	REQUEST_RECEIVING, /* its body may still be coming */
	REQUEST_POSTED,    /* whole and suspended; its task will call the handler */
	REQUEST_HANDLED,   /* suspended; the handler has it */
	REQUEST_ANSWERED,  /* resumed; on_access() queues `response` */
	REQUEST_DROPPED,   /* resumed; on_access() closes the connection */
	REQUEST_SENDING,   /* microhttpd sends the answer */
};

struct httpd_request {
	struct connection *connection;
	enum request_state state;
	bool checked; /* the header was looked at */
	struct arena arena;
	const char *method, *path, *query;
	struct str body;
	struct loop_task task;
	void *user;
	void (*gone)(void *user);
	int status;
	struct MHD_Response *response;
};

struct connection {
	struct httpd *httpd;
	struct MHD_Connection *mhd;
	int fd;
	struct connection *previous, *next; /* in httpd->first: who became idle first is first */
	struct httpd_request *request;      /* the one at work; NULL between requests */
	usec deadline;                      /* then the socket is shut down */
	bool shut;
};

struct httpd {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	uv_poll_t *poll;
	struct timer sweep;
	struct loop_task run_task;
	struct connection *first, *last;
	size_t count;
	bool changed; /* a connection has ended during the present MHD_run() */
	int port;
	size_t body_limit;
	size_t connections;
	usec receive_timeout;
	httpd_handler_fn *handler;
	void *arg;
};

/* Every other method is answered 501. */
static const char *const methods[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

/* === connections === */

static void list_append(struct connection *connection)
{
	struct httpd *httpd = connection->httpd;

	connection->next = NULL;
	connection->previous = httpd->last;
	if (httpd->last != NULL)
		httpd->last->next = connection;
	else
		httpd->first = connection;
	httpd->last = connection;
}

static void list_remove(struct connection *connection)
{
	struct httpd *httpd = connection->httpd;

	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		httpd->first = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	else
		httpd->last = connection->previous;
}

static void set_deadline(struct connection *connection, usec patience)
{
	connection->deadline = patience == NEVER ? NEVER : loop_now(connection->httpd->loop) + patience;
}

static void shut(struct connection *connection)
{
	if (!connection->shut)
		shutdown(connection->fd, SHUT_RDWR);
	connection->shut = true;
}

static bool is_suspended(const struct connection *connection)
{
	const struct httpd_request *request = connection->request;

	return request != NULL && (request->state == REQUEST_POSTED || request->state == REQUEST_HANDLED);
}

static usec sweep_interval(const struct httpd *httpd)
{
	return MIN(MAX(httpd->receive_timeout / 4, 20 * MILLISECOND), SECOND);
}

/* Room for a newcomer, who is last: first at the expense of those who ask for nothing, then of those who are still
 * asking. Connections that were shut before and have not ended yet count as room. */
static void push_out_idle(struct httpd *httpd)
{
	size_t over = httpd->count > httpd->connections ? httpd->count - httpd->connections : 0;

	for (int asking = 0; asking <= 1; asking++) {
		for (struct connection *c = httpd->first; c != NULL && c->next != NULL && over > 0; c = c->next) {
			if (asking ? c->request == NULL || c->request->state != REQUEST_RECEIVING : c->request != NULL)
				continue;
			shut(c);
			over--;
		}
	}
}

static void on_connection(
	void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode what)
{
	struct httpd *httpd = arg;
	struct connection *connection;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection = xcalloc(1, sizeof(*connection));
		connection->httpd = httpd;
		connection->mhd = mhd;
		connection->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		set_deadline(connection, httpd->receive_timeout);
		list_append(connection);
		if (httpd->count++ == 0)
			timer_start(&httpd->sweep, sweep_interval(httpd));
		*context = connection;
		push_out_idle(httpd);
	} else {
		connection = *context;
		*context = NULL;
		list_remove(connection);
		httpd->count--;
		httpd->changed = true;
		free(connection);
	}
}

/* === requests === */

/* microhttpd calls this with the request line's target as it came; the result becomes the request's context. */
static void *on_target(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct connection *connection =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	struct httpd_request *request = xcalloc(1, sizeof(*request));
	const char *mark = strchr(uri, '?');

	(void)arg;
	request->connection = connection;
	request->path = arena_strndup(&request->arena, uri, mark != NULL ? (size_t)(mark - uri) : strlen(uri));
	request->query = mark != NULL ? arena_strdup(&request->arena, mark + 1) : "";
	str_init(&request->body);
	connection->request = request;
	set_deadline(connection, connection->httpd->receive_timeout);
	return request;
}

static void on_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct httpd_request *request = *context;
	struct connection *connection;

	(void)arg;
	(void)mhd;
	(void)code;
	if (request == NULL)
		return;
	*context = NULL;
	connection = request->connection;
	loop_cancel(connection->httpd->loop, &request->task);
	if (request->response != NULL)
		MHD_destroy_response(request->response);
	str_finish(&request->body);
	arena_finish(&request->arena);
	free(request);
	connection->request = NULL;
	set_deadline(connection, IDLE_TIMEOUT);
	list_remove(connection);
	list_append(connection);
}

/* microhttpd acts on it in its next run, and without threads nothing wakes it for that. */
static void resume(struct httpd_request *request)
{
	struct httpd *httpd = request->connection->httpd;

	MHD_resume_connection(request->connection->mhd);
	loop_post(httpd->loop, &httpd->run_task);
}

/* The request's holder learns that the handle is dead; microhttpd will close the connection. */
static void lose(struct httpd_request *request)
{
	struct httpd *httpd = request->connection->httpd;

	loop_cancel(httpd->loop, &request->task);
	request->state = REQUEST_DROPPED;
	resume(request);
	if (request->gone != NULL)
		request->gone(request->user);
}

static void call_handler(struct loop_task *task)
{
	struct httpd_request *request = CONTAINER_OF(task, struct httpd_request, task);
	struct httpd *httpd = request->connection->httpd;

	request->state = REQUEST_HANDLED;
	httpd->handler(httpd->arg, request);
}

static enum MHD_Result refuse(struct httpd_request *request, unsigned status)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result r;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	r = MHD_queue_response(request->connection->mhd, status, response);
	MHD_destroy_response(response);
	request->state = REQUEST_SENDING;
	return r;
}

/* What microhttpd lets through and no handler should see. 0, or the status to answer with. */
static unsigned fault_in_header(struct httpd_request *request, const char *method)
{
	const char *length = httpd_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (streq(method, methods[i]))
			request->method = methods[i];
	}
	if (request->method == NULL)
		return MHD_HTTP_NOT_IMPLEMENTED;
	if (request->path[0] != '/')
		return MHD_HTTP_BAD_REQUEST;
	if (length == NULL)
		return 0;
	/* Two ways of saying where the body ends are how requests are smuggled past a proxy (RFC 9112, 6.3). */
	if (httpd_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL || parse_u64(length, &value) < 0)
		return MHD_HTTP_BAD_REQUEST;
	return value > request->connection->httpd->body_limit ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **context)
{
	struct httpd *httpd = arg;
	struct httpd_request *request = *context;

	(void)url;
	(void)version;
	if (request == NULL)
		return MHD_NO;
	switch (request->state) {
	case REQUEST_RECEIVING:
		if (!request->checked) {
			unsigned status = fault_in_header(request, method);

			request->checked = true;
			return status != 0 ? refuse(request, status) : MHD_YES;
		}
		if (*len > 0) {
			/* Only a chunked body gets here; microhttpd cannot answer in the middle of it. */
			if (*len > httpd->body_limit - request->body.len)
				return MHD_NO;
			str_add(&request->body, data, *len);
			*len = 0;
			return MHD_YES;
		}
		request->state = REQUEST_POSTED;
		request->task.run = call_handler;
		set_deadline(request->connection, NEVER);
		MHD_suspend_connection(mhd);
		loop_post(httpd->loop, &request->task);
		return MHD_YES;
	case REQUEST_ANSWERED: {
		enum MHD_Result r = MHD_queue_response(mhd, (unsigned)request->status, request->response);

		MHD_destroy_response(request->response);
		request->response = NULL;
		request->state = REQUEST_SENDING;
		set_deadline(request->connection, SEND_TIMEOUT);
		return r;
	}
	case REQUEST_POSTED:
	case REQUEST_HANDLED:
	case REQUEST_SENDING: return MHD_YES;
	case REQUEST_DROPPED: break;
	}
	return MHD_NO;
}

/* === the loop === */

static void run(struct httpd *httpd)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	httpd->changed = false;
	MHD_run(httpd->daemon);
	/* After a connection has ended, microhttpd listens again only in its next run. */
	if (httpd->changed || (MHD_get_timeout(httpd->daemon, &timeout) == MHD_YES && timeout == 0))
		loop_post(httpd->loop, &httpd->run_task);
}

static void on_run_task(struct loop_task *task)
{
	run(CONTAINER_OF(task, struct httpd, run_task));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

/* Whether the peer of a suspended connection, which microhttpd does not watch, has left. */
static bool peer_has_left(const struct connection *connection)
{
	char byte;
	ssize_t n = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void on_sweep(void *arg)
{
	struct httpd *httpd = arg;
	usec now = loop_now(httpd->loop);
	struct connection *next;

	for (struct connection *c = httpd->first; c != NULL; c = next) {
		next = c->next;
		if (c->deadline <= now)
			shut(c);
		else if (is_suspended(c) && c->request->gone != NULL && peer_has_left(c))
			lose(c->request);
	}
	if (httpd->count > 0)
		timer_start(&httpd->sweep, sweep_interval(httpd));
}

/* === the server === */

/* On success the socket listens, and *ret_port is the port that it got. */
static int listen_on(const char *address, int port, int *ret_port, bool *ret_loopback)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	socklen_t len = sizeof(name.v4);
	int one = 1, fd, r;

	if (port < 0 || port > UINT16_MAX)
		return -EINVAL;
	if (inet_pton(AF_INET, address, &name.v4.sin_addr) == 1) {
		name.v4.sin_family = AF_INET;
		name.v4.sin_port = htons((uint16_t)port);
		*ret_loopback = ntohl(name.v4.sin_addr.s_addr) >> 24 == 127;
	} else if (inet_pton(AF_INET6, address, &name.v6.sin6_addr) == 1) {
		name.v6.sin6_family = AF_INET6;
		name.v6.sin6_port = htons((uint16_t)port);
		*ret_loopback = IN6_IS_ADDR_LOOPBACK(&name.v6.sin6_addr);
		len = sizeof(name.v6);
	} else {
		return -EINVAL;
	}
	fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 || bind(fd, &name.any, len) < 0 ||
		listen(fd, BACKLOG) < 0 || getsockname(fd, &name.any, &len) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_port = ntohs(name.any.sa_family == AF_INET ? name.v4.sin_port : name.v6.sin6_port);
	return fd;
}

int httpd_create(struct loop *loop, const struct httpd_options *options, httpd_handler_fn *handler, void *arg,
	struct httpd **ret_httpd)
{
	struct httpd *httpd = xcalloc(1, sizeof(*httpd));
	const union MHD_DaemonInfo *info;
	bool loopback = false;
	int fd, r;

	httpd->loop = loop;
	httpd->handler = handler;
	httpd->arg = arg;
	httpd->run_task.run = on_run_task;
	httpd->body_limit = options->body_limit != 0 ? options->body_limit : BODY_LIMIT;
	httpd->connections = options->connections != 0 ? options->connections : CONNECTIONS;
	httpd->receive_timeout = options->receive_timeout > 0 ? options->receive_timeout : RECEIVE_TIMEOUT;
	fd = listen_on(options->bind != NULL ? options->bind : "127.0.0.1", options->port, &httpd->port, &loopback);
	if (fd < 0) {
		free(httpd);
		return fd;
	}
	httpd->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, httpd,
		MHD_OPTION_LISTEN_SOCKET, fd,
		/* its own limit is only the last resort behind push_out_idle() */
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)(httpd->connections + NEWCOMERS),
		/* one client must not push out all others; on loopback all clients have the same address */
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, loopback ? 0U : (unsigned)MAX(httpd->connections / 4, 16),
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, httpd, MHD_OPTION_URI_LOG_CALLBACK, on_target, httpd, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, httpd, MHD_OPTION_END);
	if (httpd->daemon == NULL) {
		free(httpd); /* microhttpd has closed the socket */
		return -ENOMEM;
	}
	info = MHD_get_daemon_info(httpd->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	httpd->poll = xcalloc(1, sizeof(*httpd->poll));
	r = uv_poll_init(&loop->uv, httpd->poll, info->epoll_fd);
	if (r < 0) {
		free(httpd->poll);
		MHD_stop_daemon(httpd->daemon);
		free(httpd);
		return r;
	}
	httpd->poll->data = httpd;
	uv_poll_start(httpd->poll, UV_READABLE, on_poll);
	timer_init(&httpd->sweep, loop, on_sweep, httpd);
	run(httpd);
	*ret_httpd = httpd;
	return 0;
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

void httpd_destroy(struct httpd *httpd)
{
	if (httpd == NULL)
		return;
	for (struct connection *c = httpd->first; c != NULL; c = c->next) {
		if (is_suspended(c))
			lose(c->request);
	}
	/* Before microhttpd closes the descriptor that is watched. */
	uv_close((uv_handle_t *)httpd->poll, on_poll_closed);
	timer_finish(&httpd->sweep);
	MHD_stop_daemon(httpd->daemon);
	loop_cancel(httpd->loop, &httpd->run_task);
	free(httpd);
}

int httpd_port(const struct httpd *httpd)
{
	return httpd->port;
}

/* === the handler's side === */

const char *httpd_method(const struct httpd_request *request)
{
	return request->method;
}

const char *httpd_path(const struct httpd_request *request)
{
	return request->path;
}

const char *httpd_query(const struct httpd_request *request)
{
	return request->query;
}

const char *httpd_header(const struct httpd_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection->mhd, MHD_HEADER_KIND, name);
}

const char *httpd_body(const struct httpd_request *request, size_t *ret_len)
{
	if (ret_len != NULL)
		*ret_len = request->body.len;
	return request->body.buf;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A form-encoded value: '+' is a blank, %XX a byte; a percent sign that begins no such pair stands for itself. */
static char *decode(struct arena *arena, const char *text, size_t len)
{
	char *result = arena_alloc(arena, len + 1), *out = result;

	for (size_t i = 0; i < len; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && len - i > 2) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			*out++ = (char)(high << 4 | low);
			i += 2;
		} else {
			*out++ = text[i] == '+' ? ' ' : text[i];
		}
	}
	return result;
}

const char *httpd_argument(struct httpd_request *request, const char *name)
{
	const char *at = request->query;

	while (*at != '\0') {
		size_t len = strcspn(at, "&");
		size_t name_len = MIN(strcspn(at, "="), len);

		if (streq(decode(&request->arena, at, name_len), name))
			return name_len < len ? decode(&request->arena, at + name_len + 1, len - name_len - 1) : "";
		at += len;
		at += *at == '&';
	}
	return NULL;
}

void httpd_set_user(struct httpd_request *request, void *user, void (*gone)(void *user))
{
	request->user = user;
	request->gone = gone;
}

void httpd_respond(struct httpd_request *request, int status, const char *content_type,
	const struct http_header *headers, const void *body, size_t len)
{
	struct MHD_Response *response;

	if (request->state != REQUEST_HANDLED)
		return;
	response = MHD_create_response_from_buffer(len, (void *)body, MHD_RESPMEM_MUST_COPY);
	if (response == NULL) {
		httpd_drop(request);
		return;
	}
	if (content_type != NULL)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (; headers != NULL && headers->name != NULL; headers++)
		MHD_add_response_header(response, headers->name, headers->value);
	request->status = status;
	request->response = response;
	request->state = REQUEST_ANSWERED;
	resume(request);
}

void httpd_drop(struct httpd_request *request)
{
	if (request->state != REQUEST_HANDLED)
		return;
	request->state = REQUEST_DROPPED;
	resume(request);
}
