/* The WebSocket client: libwebsockets (lws) 4.1 on our libuv loop.
 *
 * What lws does badly is done here, and was measured:
 *   - Its name resolution blocks the loop, so the name is resolved by uv_getaddrinfo() and lws connects to an address;
 *     the name goes along as `host`, against which it checks the certificate. Further addresses are tried when one
 *     does not answer, after seconds if it does not even take the connection.
 *   - A failed connection is reported by a callback, by NULL, or by both; attempt_failed() counts the first only.
 *   - Its timeouts can be half a minute late, so all deadlines are timers of ours.
 *   - Messages come in pieces, and text is not checked.
 *   - A close frame that is asked for in the writable callback is never sent, so it is asked for by a posted task.
 *   - Closing waits for output that a dead peer will never take, so the socket is shut down first.
 *
 * Nothing is destroyed inside an lws callback: finish() only notes how it ended and posts `task`, which detaches from
 * lws and tells the owner, from the top of the loop. Once detached, lws' callbacks for that connection find no
 * websocket and are ignored.
 */
#include "net/websocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <libwebsockets.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/utf8.h"

#define QUEUE_MESSAGES  64
#define QUEUE_BYTES     ((size_t)1 << 20)
#define CLOSE_PATIENCE  SECOND
#define ADDRESSES_MAX   8
#define TCP_PATIENCE    (5 * SECOND) /* for an address to take the connection at all */
#define READ_SIZE       ((size_t)64 << 10)
#define CONNECTIONS_MAX 64
/* What a buffer may keep after a large message. */
#define IDLE_BUFFER       ((size_t)1 << 20)
#define CLOSE_REASON_SIZE 124 /* RFC 6455, 5.5: at most 125 bytes with the code */
/* lws' own deadlines, far behind ours. */
#define LWS_PATIENCE 3600

enum websocket_state {
	WEBSOCKET_RESOLVING,  /* uv_getaddrinfo() is at work */
	WEBSOCKET_CONNECTING, /* an address is being tried: TCP, TLS, upgrade */
	WEBSOCKET_OPEN,
	WEBSOCKET_CLOSING, /* a close frame is queued, sent or received; `timer` ends it at last */
	WEBSOCKET_ENDED,   /* `task` is posted and will tell the owner */
};

struct message {
	struct message *next;
	size_t len;
	unsigned char data[]; /* LWS_PRE bytes for lws' header, then the text */
};

/* Outlives a websocket that is killed while the resolver's thread is at work. */
struct resolution {
	uv_getaddrinfo_t uv;
	struct websocket *websocket;
};

struct websocket {
	struct websockets *websockets;
	struct websocket *previous, *next; /* in websockets->first */
	enum websocket_state state;
	struct websocket_callbacks callbacks;
	void *arg;

	bool tls;
	char *host, *path; /* host without brackets */
	int port;
	usec deadline;         /* of connecting */
	usec attempt_deadline; /* of the present address */
	struct timer timer;

	struct resolution *resolution;
	struct sockaddr_storage addresses[ADDRESSES_MAX];
	size_t address_count, address_next;

	struct lws *wsi;
	bool attempting; /* the present address has not failed yet */
	bool upgrading;  /* it answered: what fails now is not cured by another address */

	struct message *first_out, **last_out;
	size_t out_count, out_bytes;
	struct str in;
	uint64_t received;

	int close_code; /* ours, to be sent by `close_task` when the queue is empty */
	bool close_sent;
	bool peer_closed;
	int peer_code;
	char reason[CLOSE_REASON_SIZE];
	int error;
	struct loop_task close_task, task;
};

struct websockets {
	struct loop *loop;
	struct lws_context *context;
	struct websocket *first;
};

/* No pings by lws: the gateway's heartbeat knows better when a connection is dead. */
static const lws_retry_bo_t no_pings = { .secs_since_valid_ping = 0, .secs_since_valid_hangup = 0 };

static void try_next_address(struct websocket *ws);

/* === the end === */

static void finish(struct websocket *ws, int error)
{
	if (ws->state == WEBSOCKET_ENDED)
		return;
	ws->state = WEBSOCKET_ENDED;
	ws->error = error;
	timer_stop(&ws->timer);
	ws->attempting = false;
	loop_post(ws->websockets->loop, &ws->task);
}

/* Only from the top of the loop. */
static void detach(struct websocket *ws)
{
	struct lws *wsi = ws->wsi;
	int fd;

	if (wsi == NULL)
		return;
	ws->wsi = NULL;
	lws_set_opaque_user_data(wsi, NULL);
	fd = lws_get_socket_fd(wsi);
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static void queue_clear(struct websocket *ws)
{
	while (ws->first_out != NULL) {
		struct message *message = ws->first_out;

		ws->first_out = message->next;
		free(message);
	}
	ws->last_out = &ws->first_out;
	ws->out_count = 0;
	ws->out_bytes = 0;
}

static void websocket_free(struct websocket *ws)
{
	timer_finish(&ws->timer);
	queue_clear(ws);
	str_finish(&ws->in);
	free(ws->host);
	free(ws->path);
	free(ws);
}

static void on_ended(struct loop_task *task)
{
	struct websocket *ws = CONTAINER_OF(task, struct websocket, task);

	loop_cancel(ws->websockets->loop, &ws->close_task);
	detach(ws);
	if (ws->resolution != NULL) {
		ws->resolution->websocket = NULL;
		uv_cancel((uv_req_t *)&ws->resolution->uv);
	}
	if (ws->previous != NULL)
		ws->previous->next = ws->next;
	else
		ws->websockets->first = ws->next;
	if (ws->next != NULL)
		ws->next->previous = ws->previous;
	ws->callbacks.closed(ws->arg, ws->peer_code, ws->reason, ws->error);
	websocket_free(ws);
}

/* === lws' callbacks === */

/* lws says what went wrong only in words; 1 is SSL_ERROR_SSL, what a connection that breaks is not. */
static int connection_error(const struct websocket *ws, const char *text, size_t len)
{
	if (text != NULL && (memmem(text, len, "cert", 4) != NULL || memmem(text, len, "SSL err 1:", 10) != NULL))
		return -EKEYREJECTED;
	return ws->upgrading ? -EPROTO : -ECONNREFUSED;
}

static void attempt_failed(struct websocket *ws, int error)
{
	if (!ws->attempting)
		return;
	ws->attempting = false;
	ws->error = error;
	if (ws->upgrading)
		finish(ws, error);
	else
		timer_start(&ws->timer, 0); /* the next address, from the top of the loop */
}

static int write_next(struct websocket *ws)
{
	struct message *message = ws->first_out;
	int n;

	if (message != NULL) {
		n = lws_write(ws->wsi, message->data + LWS_PRE, message->len, LWS_WRITE_TEXT);
		ws->first_out = message->next;
		if (ws->first_out == NULL)
			ws->last_out = &ws->first_out;
		ws->out_count--;
		ws->out_bytes -= message->len;
		free(message);
		if (n < 0)
			return -1;
	}
	if (ws->first_out != NULL || (message != NULL && ws->close_code != 0))
		lws_callback_on_writable(ws->wsi);
	else if (ws->close_code != 0 && !ws->close_sent)
		loop_post(ws->websockets->loop, &ws->close_task);
	return 0;
}

/* Everything before the close frame has been written. lws sends the frame and waits for the answer only when the
 * connection is closed from outside its callbacks. */
static void on_close_task(struct loop_task *task)
{
	struct websocket *ws = CONTAINER_OF(task, struct websocket, close_task);

	if (ws->wsi == NULL || ws->state != WEBSOCKET_CLOSING)
		return;
	ws->close_sent = true;
	lws_close_reason(ws->wsi, (enum lws_close_status)ws->close_code, NULL, 0);
	lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static int on_receive(struct websocket *ws, const char *data, size_t len)
{
	size_t left = lws_remaining_packet_payload(ws->wsi);
	bool last = lws_is_final_fragment(ws->wsi) && left == 0;
	bool binary = lws_frame_is_binary(ws->wsi);

	ws->received += len;
	if (ws->state != WEBSOCKET_OPEN)
		return 0;
	if (left > WEBSOCKET_MESSAGE_MAX || ws->in.len + len + left > WEBSOCKET_MESSAGE_MAX) {
		finish(ws, -EMSGSIZE);
		return -1;
	}
	if (!last || ws->in.len > 0) {
		str_add(&ws->in, data, len);
		if (!last)
			return 0;
		data = ws->in.buf;
		len = ws->in.len;
	}
	if (!binary && !utf8_valid(data, len)) {
		finish(ws, -EILSEQ);
		return -1;
	}
	ws->callbacks.message(ws->arg, data, len, binary);
	if (ws->in.cap > IDLE_BUFFER)
		str_finish(&ws->in);
	str_clear(&ws->in);
	return ws->state == WEBSOCKET_ENDED ? -1 : 0;
}

static int on_peer_close(struct websocket *ws, const unsigned char *data, size_t len)
{
	ws->peer_closed = true;
	ws->peer_code = len >= 2 ? data[0] << 8 | data[1] : LWS_CLOSE_STATUS_NO_STATUS;
	if (len > 2 && utf8_valid((const char *)data + 2, len - 2))
		snprintf(ws->reason, sizeof(ws->reason), "%.*s", (int)(len - 2), (const char *)data + 2);
	if (ws->close_sent) {
		finish(ws, 0);
		return -1;
	}
	/* lws answers with the same code and closes; a close frame of our own would come too late. */
	ws->state = WEBSOCKET_CLOSING;
	ws->close_code = 0;
	loop_cancel(ws->websockets->loop, &ws->close_task);
	queue_clear(ws);
	timer_start(&ws->timer, CLOSE_PATIENCE);
	return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct websocket *ws = lws_get_opaque_user_data(wsi);

	(void)user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		if (ws != NULL)
			ws->upgrading = true;
		return ws != NULL ? 0 : -1;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		if (ws == NULL || ws->state != WEBSOCKET_CONNECTING)
			return -1;
		timer_stop(&ws->timer);
		ws->attempting = false;
		ws->state = WEBSOCKET_OPEN;
		if (ws->callbacks.opened != NULL)
			ws->callbacks.opened(ws->arg);
		return ws->state == WEBSOCKET_ENDED ? -1 : 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		return ws != NULL && ws->state != WEBSOCKET_ENDED ? on_receive(ws, in, len) : -1;
	case LWS_CALLBACK_CLIENT_WRITEABLE: return ws != NULL && ws->state != WEBSOCKET_ENDED ? write_next(ws) : -1;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		return ws != NULL && ws->state != WEBSOCKET_ENDED ? on_peer_close(ws, in, len) : -1;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		if (ws == NULL)
			return 0;
		ws->wsi = NULL;
		lws_set_opaque_user_data(wsi, NULL);
		attempt_failed(ws, connection_error(ws, in, len));
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		if (ws == NULL)
			return 0;
		ws->wsi = NULL;
		lws_set_opaque_user_data(wsi, NULL);
		/* The answer to our close frame is not shown to us. */
		finish(ws, ws->peer_closed || ws->close_sent ? 0 : -ECONNRESET);
		return 0;
	default: return 0;
	}
}

/* === connecting === */

static bool has_tcp_connection(const struct websocket *ws)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	int fd = ws->wsi != NULL ? lws_get_socket_fd(ws->wsi) : -1;

	return fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

static void on_timer(void *arg)
{
	struct websocket *ws = arg;
	usec left = ws->attempt_deadline - loop_now(ws->websockets->loop);

	if (ws->state != WEBSOCKET_CONNECTING) {
		finish(ws, ws->peer_closed ? 0 : -ETIMEDOUT);
	} else if (ws->attempting && left > 0 && has_tcp_connection(ws)) {
		timer_start(&ws->timer, left); /* for TLS and the upgrade */
	} else {
		if (ws->attempting)
			ws->error = -ETIMEDOUT;
		try_next_address(ws);
	}
}

/* Only from the top of the loop. */
static void try_next_address(struct websocket *ws)
{
	struct websockets *websockets = ws->websockets;
	struct lws_client_connect_info info = { .context = websockets->context };
	char address[INET6_ADDRSTRLEN], *host cleanup(freep) = NULL;
	usec now = loop_now(websockets->loop), left = ws->deadline - now;
	struct lws *wsi;

	detach(ws);
	if (ws->address_next == ws->address_count || left <= 0) {
		finish(ws, left <= 0 ? -ETIMEDOUT : ws->error);
		return;
	}
	/* What time is left is shared by the addresses, so that one which swallows packets does not hide the others; and
	 * it does not get its whole share. */
	ws->attempt_deadline = now + left / (usec)(ws->address_count - ws->address_next);
	timer_start(&ws->timer, MIN(ws->attempt_deadline - now, TCP_PATIENCE));
	getnameinfo((struct sockaddr *)&ws->addresses[ws->address_next++], sizeof(ws->addresses[0]), address,
		sizeof(address), NULL, 0, NI_NUMERICHOST);
	if (ws->port == (ws->tls ? 443 : 80))
		host = xasprintf(strchr(ws->host, ':') != NULL ? "[%s]" : "%s", ws->host);
	else
		host = xasprintf(strchr(ws->host, ':') != NULL ? "[%s]:%d" : "%s:%d", ws->host, ws->port);

	info.address = address;
	info.port = ws->port;
	info.path = ws->path;
	info.host = host;
	info.alpn = "http/1.1";
	info.local_protocol_name = "walle";
	info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (ws->tls ? LCCSCF_USE_SSL : 0);
	info.opaque_user_data = ws;
	info.pwsi = &ws->wsi;
	info.retry_and_idle_policy = &no_pings;
	ws->state = WEBSOCKET_CONNECTING;
	ws->attempting = true;
	ws->upgrading = false;
	wsi = lws_client_connect_via_info(&info);
	if (wsi == NULL) {
		ws->wsi = NULL;
		attempt_failed(ws, -ECONNREFUSED);
	}
}

static void on_resolved(uv_getaddrinfo_t *uv, int status, struct addrinfo *list)
{
	struct resolution *resolution = CONTAINER_OF(uv, struct resolution, uv);
	struct websocket *ws = resolution->websocket;

	free(resolution);
	if (ws != NULL) {
		ws->resolution = NULL;
		for (struct addrinfo *a = list; a != NULL && ws->address_count < ADDRESSES_MAX; a = a->ai_next) {
			if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
				memcpy(&ws->addresses[ws->address_count++], a->ai_addr, a->ai_addrlen);
		}
		/* finish() does nothing when it has ended meanwhile. */
		if (status < 0 || ws->address_count == 0)
			finish(ws, -EHOSTUNREACH);
		else if (ws->state == WEBSOCKET_RESOLVING)
			try_next_address(ws);
	}
	uv_freeaddrinfo(list);
}

/* Splits ws://host:port/path. -EINVAL. */
static int parse_url(struct websocket *ws, const char *url)
{
	const char *at, *end, *colon;
	uint64_t port;
	size_t len;

	if (strncmp(url, "wss://", 6) == 0) {
		ws->tls = true;
		at = url + 6;
	} else if (strncmp(url, "ws://", 5) == 0) {
		at = url + 5;
	} else {
		return -EINVAL;
	}
	len = strcspn(at, "/?#");
	end = at + len;
	/* A blank or control character would end the request line and begin something else; a user name has no
	 * place here. */
	for (const char *c = at; *c != '\0'; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f || (c < end && (*c == '@' || *c == '%')))
			return -EINVAL;
	}
	if (*at == '[') {
		const char *bracket = memchr(at, ']', len);

		if (bracket == NULL)
			return -EINVAL;
		ws->host = xstrndup(at + 1, (size_t)(bracket - at - 1));
		colon = bracket + 1 < end ? bracket + 1 : NULL;
	} else {
		colon = memchr(at, ':', len);
		ws->host = xstrndup(at, (size_t)((colon != NULL ? colon : end) - at));
	}
	ws->port = ws->tls ? 443 : 80;
	if (colon != NULL) {
		char *digits cleanup(freep) = xstrndup(colon + 1, (size_t)(end - colon - 1));

		if (*colon != ':' || parse_u64(digits, &port) < 0 || port == 0 || port > UINT16_MAX)
			return -EINVAL;
		ws->port = (int)port;
	}
	ws->path = xasprintf("%s%.*s", *end == '/' ? "" : "/", (int)strcspn(end, "#"), end);
	return *ws->host != '\0' && strlen(ws->host) <= 253 ? 0 : -EINVAL;
}

int websocket_connect(struct websockets *websockets, const char *url, usec timeout,
	const struct websocket_callbacks *callbacks, void *arg, struct websocket **ret_websocket)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct websocket *ws = xcalloc(1, sizeof(*ws));
	int r;

	ws->websockets = websockets;
	ws->callbacks = *callbacks;
	ws->arg = arg;
	ws->last_out = &ws->first_out;
	ws->task.run = on_ended;
	ws->close_task.run = on_close_task;
	str_init(&ws->in);
	r = parse_url(ws, url);
	if (r < 0) {
		websocket_free(ws);
		return r;
	}
	ws->resolution = xcalloc(1, sizeof(*ws->resolution));
	ws->resolution->websocket = ws;
	r = uv_getaddrinfo(&websockets->loop->uv, &ws->resolution->uv, on_resolved, ws->host, NULL, &hints);
	if (r < 0) {
		free(ws->resolution);
		websocket_free(ws);
		return r;
	}
	timer_init(&ws->timer, websockets->loop, on_timer, ws);
	timer_start(&ws->timer, timeout);
	ws->deadline = loop_now(websockets->loop) + timeout;
	ws->next = websockets->first;
	if (ws->next != NULL)
		ws->next->previous = ws;
	websockets->first = ws;
	*ret_websocket = ws;
	return 0;
}

/* === using it === */

int websocket_send(struct websocket *ws, const char *text, size_t len)
{
	struct message *message;

	if (ws->state != WEBSOCKET_OPEN)
		return -ENOTCONN;
	if (ws->out_count >= QUEUE_MESSAGES || len > QUEUE_BYTES - ws->out_bytes)
		return -ENOBUFS;
	message = xmalloc(sizeof(*message) + LWS_PRE + len);
	message->next = NULL;
	message->len = len;
	memcpy(message->data + LWS_PRE, text, len);
	*ws->last_out = message;
	ws->last_out = &message->next;
	ws->out_count++;
	ws->out_bytes += len;
	lws_callback_on_writable(ws->wsi);
	return 0;
}

void websocket_close(struct websocket *ws, int code)
{
	if (ws->state == WEBSOCKET_RESOLVING || ws->state == WEBSOCKET_CONNECTING) {
		finish(ws, -ECANCELED);
		return;
	}
	if (ws->state != WEBSOCKET_OPEN)
		return;
	ws->state = WEBSOCKET_CLOSING;
	ws->close_code = code;
	timer_start(&ws->timer, CLOSE_PATIENCE);
	lws_callback_on_writable(ws->wsi);
}

void websocket_kill(struct websocket *ws)
{
	finish(ws, -ECANCELED);
}

uint64_t websocket_received(const struct websocket *ws)
{
	return ws->received;
}

/* === the library's context === */

static const struct lws_protocols protocols[] = {
	{ .name = "walle", .callback = on_lws, .rx_buffer_size = READ_SIZE },
	{ 0 },
};

int websockets_create(struct loop *loop, struct websockets **ret_websockets)
{
	void *loops[] = { &loop->uv };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = loops,
		.pt_serv_buf_size = READ_SIZE,
		.timeout_secs = LWS_PATIENCE,
		.connect_timeout_secs = LWS_PATIENCE,
		/* Otherwise lws allocates tables for as many descriptors as the process may have. */
		.fd_limit_per_thread = CONNECTIONS_MAX,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};
	struct websockets *websockets;
	struct lws_context *context;

	lws_set_log_level(0, NULL);
	context = lws_create_context(&info);
	/* Also when the package libwebsockets-evlib-uv is missing. */
	if (context == NULL)
		return -ENOSYS;
	websockets = xcalloc(1, sizeof(*websockets));
	websockets->loop = loop;
	websockets->context = context;
	*ret_websockets = websockets;
	return 0;
}

/* lws wants to be destroyed twice: the first call closes its libuv handles, the second, when they are closed, frees
 * its memory, in which they are. It marks them with its context as their data. */
struct reaper {
	uv_idle_t idle;
	struct lws_context *context;
	bool handles_left;
};

static void on_handle(uv_handle_t *handle, void *arg)
{
	struct reaper *reaper = arg;

	if (handle->data == reaper->context)
		reaper->handles_left = true;
}

static void on_reaper_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct reaper, idle));
}

static void on_reaper(uv_idle_t *idle)
{
	struct reaper *reaper = CONTAINER_OF(idle, struct reaper, idle);

	reaper->handles_left = false;
	uv_walk(idle->loop, on_handle, reaper);
	if (reaper->handles_left)
		return;
	lws_context_destroy(reaper->context);
	uv_close((uv_handle_t *)idle, on_reaper_closed);
}

void websockets_destroy(struct websockets *websockets)
{
	struct reaper *reaper;

	if (websockets == NULL)
		return;
	while (websockets->first != NULL) {
		struct websocket *ws = websockets->first;

		websocket_kill(ws); /* NOLINT(clang-analyzer-unix.Malloc): the one before has left the list */
		loop_cancel(websockets->loop, &ws->task);
		on_ended(&ws->task);
	}
	lws_context_destroy(websockets->context);
	reaper = xcalloc(1, sizeof(*reaper));
	reaper->context = websockets->context;
	uv_idle_init(&websockets->loop->uv, &reaper->idle);
	uv_idle_start(&reaper->idle, on_reaper);
	free(websockets);
}
