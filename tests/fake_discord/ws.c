/* WebSocket server: see ws.h. */
#include "ws.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <utlist.h>

#include "base/utf8.h"

#define HANDSHAKE_MAX  8192
#define HANDSHAKE_TIME (5 * SECOND)
#define CLOSE_TIME     (1 * SECOND)
#define KEY_SUFFIX     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, section 1.3 */
#define READ_SIZE      16384

enum opcode { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

enum ws_state {
	WS_HANDSHAKE, /* the HTTP request is being read */
	WS_OPEN,
	WS_CLOSING, /* our close frame is on its way; what comes is dropped until the client closes */
	WS_DEAD,    /* handles are closing, nobody may touch it */
};

struct ws {
	struct ws_server *server;
	struct ws *prev, *next;
	uv_tcp_t tcp;
	uv_write_t write;
	struct timer deadline;
	struct loop_task flush;
	enum ws_state state;
	void *user;
	struct str in;      /* bytes that are no whole frame yet */
	struct str message; /* payload of fragments so far */
	int message_opcode;
	struct str out;     /* not yet given to the kernel */
	struct str writing; /* under way */
	size_t written;     /* of `writing`, when it is dribbled */
	bool write_busy;
	bool close_after; /* our part is said: end when `out` is empty */
	int client_code;  /* of the client's close frame */
	bool we_closed;
	char chunk[READ_SIZE];
};

struct ws_server {
	struct loop *loop;
	uv_tcp_t *tcp; /* on the heap: it outlives us until libuv has closed it */
	int port;
	struct ws_callbacks callbacks;
	void *arg;
	struct ws *connections;
	size_t count;
	size_t fragment, dribble;
};

static void ws_flush(struct ws *ws);

static void ws_free(uv_handle_t *handle)
{
	struct ws *ws = handle->data;

	str_finish(&ws->in);
	str_finish(&ws->message);
	str_finish(&ws->out);
	str_finish(&ws->writing);
	free(ws);
}

static void ws_end(struct ws *ws, bool reset, bool tell)
{
	bool was_open = ws->state == WS_OPEN || ws->state == WS_CLOSING;

	if (ws->state == WS_DEAD)
		return;
	ws->state = WS_DEAD;
	timer_finish(&ws->deadline);
	loop_cancel(ws->server->loop, &ws->flush);
	DL_DELETE(ws->server->connections, ws);
	ws->server->count--;
	if (was_open && tell)
		ws->server->callbacks.closed(ws->server->arg, ws, ws->we_closed ? -1 : ws->client_code);
	ws->server = NULL;
	if (!reset || uv_tcp_close_reset(&ws->tcp, ws_free) != 0)
		uv_close((uv_handle_t *)&ws->tcp, ws_free);
}

static void on_deadline(void *arg)
{
	ws_end(arg, false, true);
}

/* ---- sending ---- */

static void frame_head(struct str *out, int opcode, bool last, size_t len)
{
	unsigned char head[10];
	size_t n = 2;

	head[0] = (unsigned char)(opcode | (last ? 0x80 : 0));
	if (len < 126) {
		head[1] = (unsigned char)len;
	} else if (len < 65536) {
		head[1] = 126;
		head[2] = (unsigned char)(len >> 8);
		head[3] = (unsigned char)len;
		n = 4;
	} else {
		head[1] = 127;
		for (int i = 0; i < 8; i++)
			head[2 + i] = (unsigned char)((uint64_t)len >> (56 - 8 * i));
		n = 10;
	}
	str_add(out, head, n);
}

void ws_frame(struct str *out, const void *data, size_t len, bool binary)
{
	frame_head(out, binary ? OP_BINARY : OP_TEXT, true, len);
	str_add(out, data, len);
}

static void on_written(uv_write_t *write, int status)
{
	struct ws *ws = write->data;

	ws->write_busy = false;
	if (ws->state == WS_DEAD)
		return;
	if (status < 0) {
		ws_end(ws, false, true);
		return;
	}
	ws_flush(ws);
}

/* Gives what waits to the kernel: all of it, or `dribble` bytes. One write is under way at a time. */
static void ws_flush(struct ws *ws)
{
	size_t step = ws->server->dribble;
	uv_buf_t buf;

	if (ws->write_busy || ws->state == WS_DEAD)
		return;
	if (ws->written == ws->writing.len) {
		struct str swap = ws->writing;

		ws->writing = ws->out;
		ws->out = swap;
		str_clear(&ws->out);
		ws->written = 0;
	}
	if (ws->writing.len == 0) {
		if (ws->close_after)
			ws_end(ws, false, true);
		else if (ws->state == WS_OPEN)
			ws->server->callbacks.drained(ws->server->arg, ws);
		return;
	}
	buf.base = ws->writing.buf + ws->written;
	buf.len = ws->writing.len - ws->written;
	if (step && buf.len > step)
		buf.len = step;
	ws->written += buf.len;
	ws->write_busy = true;
	ws->write.data = ws;
	if (uv_write(&ws->write, (uv_stream_t *)&ws->tcp, &buf, 1, on_written) < 0) {
		ws->write_busy = false;
		ws_end(ws, false, true);
	}
}

static void flush_task(struct loop_task *task)
{
	struct ws *ws = CONTAINER_OF(task, struct ws, flush);

	if (ws_queued(ws) > WS_SEND_MAX)
		ws_end(ws, true, true);
	else
		ws_flush(ws);
}

/* From the top of the loop: who sends must not find the connection gone in the middle of it. */
static void ws_kick(struct ws *ws)
{
	if (!ws->write_busy || ws_queued(ws) > WS_SEND_MAX)
		loop_post(ws->server->loop, &ws->flush);
}

size_t ws_queued(const struct ws *ws)
{
	return ws->out.len + ws->writing.len - ws->written;
}

void ws_send(struct ws *ws, const void *data, size_t len, bool binary)
{
	size_t step = ws->server ? ws->server->fragment : 0;
	size_t at = 0;

	if (ws->state != WS_OPEN)
		return;
	if (!step || len <= step) {
		ws_frame(&ws->out, data, len, binary);
	} else {
		while (at < len) {
			size_t n = MIN(step, len - at);

			if (at) {
				frame_head(&ws->out, OP_PING, true, 2);
				str_add(&ws->out, "hi", 2);
			}
			frame_head(&ws->out, at ? OP_CONTINUE : binary ? OP_BINARY : OP_TEXT, at + n == len, n);
			str_add(&ws->out, (const char *)data + at, n);
			at += n;
		}
	}
	ws_kick(ws);
}

void ws_send_frames(struct ws *ws, const void *frames, size_t len)
{
	if (ws->state != WS_OPEN)
		return;
	str_add(&ws->out, frames, len);
	ws_kick(ws);
}

static void send_close(struct ws *ws, int code, const char *reason)
{
	size_t len = code ? 2 + MIN(strlen(reason), 100) : 0;
	unsigned char head[2] = { (unsigned char)(code >> 8), (unsigned char)code };

	frame_head(&ws->out, OP_CLOSE, true, len);
	if (len) {
		str_add(&ws->out, head, 2);
		str_add(&ws->out, reason, len - 2);
	}
}

void ws_close(struct ws *ws, int code, const char *reason)
{
	if (ws->state != WS_OPEN)
		return;
	send_close(ws, code, reason);
	ws->we_closed = true;
	ws->state = WS_CLOSING;
	timer_start(&ws->deadline, CLOSE_TIME);
	ws_kick(ws);
}

void ws_drop(struct ws *ws, bool reset)
{
	ws_end(ws, reset, true);
}

/* ---- receiving ---- */

/* The client's close frame: we answer with the same code and end. */
static void got_close(struct ws *ws, const unsigned char *payload, size_t len)
{
	if (ws->state == WS_CLOSING) {
		ws_end(ws, false, true);
		return;
	}
	ws->client_code = len >= 2 ? payload[0] << 8 | payload[1] : 1005;
	send_close(ws, len >= 2 ? ws->client_code : 0, "");
	ws->close_after = true;
	ws->state = WS_CLOSING;
	timer_start(&ws->deadline, CLOSE_TIME);
	ws_kick(ws);
}

static void got_message(struct ws *ws)
{
	struct str message = ws->message;
	bool binary = ws->message_opcode == OP_BINARY;

	str_init(&ws->message);
	ws->message_opcode = 0;
	if (!binary && !utf8_valid(message.buf, message.len))
		ws_close(ws, 1007, "text is not UTF-8");
	else
		ws->server->callbacks.message(ws->server->arg, ws, message.buf, message.len, binary);
	str_finish(&message);
}

/* One whole frame, unmasked. */
static void got_frame(struct ws *ws, int opcode, bool last, const char *payload, size_t len)
{
	if (opcode == OP_CLOSE) {
		got_close(ws, (const unsigned char *)payload, len);
		return;
	}
	if (ws->state != WS_OPEN || opcode == OP_PONG)
		return;
	if (opcode == OP_PING) {
		frame_head(&ws->out, OP_PONG, true, len);
		str_add(&ws->out, payload, len);
		ws_kick(ws);
		return;
	}
	if ((opcode == OP_CONTINUE) != (ws->message_opcode != 0) || opcode > OP_BINARY) {
		ws_close(ws, 1002, "frames out of order");
		return;
	}
	if (opcode)
		ws->message_opcode = opcode;
	if (ws->message.len + len > WS_RECEIVE_MAX) {
		ws_close(ws, 1009, "message too big");
		return;
	}
	str_add(&ws->message, payload, len);
	if (last)
		got_message(ws);
}

/* Cuts frames off `in`. */
static void parse_frames(struct ws *ws)
{
	size_t at = 0;

	while (ws->state != WS_DEAD && ws->in.len - at >= 6) {
		unsigned char *p = (unsigned char *)ws->in.buf + at;
		size_t head = 2, len = p[1] & 0x7f;
		unsigned char *mask;

		if (!(p[1] & 0x80) || p[0] & 0x70) {
			ws_close(ws, 1002, "unmasked or reserved");
			str_clear(&ws->in);
			return;
		}
		if (len == 126) {
			head = 4;
			len = (size_t)p[2] << 8 | p[3];
		} else if (len == 127) {
			if (ws->in.len - at < 10)
				break;
			head = 10;
			len = 0;
			for (int i = 0; i < 8; i++)
				len = len << 8 | p[2 + i];
		}
		if (len > WS_RECEIVE_MAX) {
			ws_close(ws, 1009, "message too big");
			str_clear(&ws->in);
			return;
		}
		if (ws->in.len - at < head + 4 + len)
			break;
		mask = p + head;
		for (size_t i = 0; i < len; i++)
			p[head + 4 + i] ^= mask[i & 3];
		got_frame(ws, p[0] & 15, p[0] & 0x80, (char *)p + head + 4, len);
		at += head + 4 + len;
	}
	if (ws->state != WS_DEAD)
		str_remove(&ws->in, 0, at);
}

/* The value of a header in the request, or NULL; `ret_len` its length. */
static const char *find_header(const char *request, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	for (const char *line = strstr(request, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			line += n + 1;
			line += strspn(line, " \t");
			*ret_len = strcspn(line, " \t\r\n");
			return line;
		}
	}
	return NULL;
}

static void answer_handshake(struct ws *ws, const char *key, size_t key_len)
{
	char text[128], accept[64];
	unsigned char sum[20];
	int n;

	n = snprintf(text, sizeof(text), "%.*s" KEY_SUFFIX, (int)key_len, key);
	lws_SHA1((const unsigned char *)text, (size_t)n, sum);
	lws_b64_encode_string((const char *)sum, sizeof(sum), accept, sizeof(accept));
	str_printf(&ws->out,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\n\r\n",
		accept);
	ws_kick(ws);
}

static void parse_handshake(struct ws *ws)
{
	char *end = strstr(ws->in.buf, "\r\n\r\n");
	char target[1024];
	const char *key;
	size_t key_len = 0, request_len;

	if (!end) {
		if (ws->in.len > HANDSHAKE_MAX)
			ws_end(ws, false, true);
		return;
	}
	request_len = (size_t)(end - ws->in.buf) + 4;
	end[2] = 0;
	key = find_header(ws->in.buf, "Sec-WebSocket-Key", &key_len);
	if (sscanf(ws->in.buf, "GET %1023s HTTP/1.1", target) != 1 || !key || key_len != 24 ||
		!ws->server->callbacks.accept(ws->server->arg, target)) {
		ws_end(ws, false, true);
		return;
	}
	answer_handshake(ws, key, key_len);
	str_remove(&ws->in, 0, request_len);
	ws->state = WS_OPEN;
	timer_stop(&ws->deadline);
	ws->server->callbacks.opened(ws->server->arg, ws, target);
	if (ws->state == WS_OPEN)
		parse_frames(ws);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct ws *ws = handle->data;

	(void)suggested;
	buf->base = ws->chunk;
	buf->len = sizeof(ws->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ws *ws = stream->data;

	if (ws->state == WS_DEAD || n == 0)
		return;
	if (n < 0) {
		ws_end(ws, false, true);
		return;
	}
	str_add(&ws->in, buf->base, (size_t)n);
	if (ws->state == WS_HANDSHAKE)
		parse_handshake(ws);
	else
		parse_frames(ws);
}

/* ---- the server ---- */

static void on_refused(uv_handle_t *handle)
{
	free(handle);
}

/* One connection too many: taken off the queue and closed. */
static void refuse_connection(struct ws_server *server)
{
	uv_tcp_t *tcp = xcalloc(1, sizeof(*tcp));

	uv_tcp_init(&server->loop->uv, tcp);
	uv_accept((uv_stream_t *)server->tcp, (uv_stream_t *)tcp);
	uv_close((uv_handle_t *)tcp, on_refused);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct ws_server *server = stream->data;
	struct ws *ws;

	if (status < 0 || !server)
		return;
	if (server->count >= WS_CONNECTIONS_MAX) {
		refuse_connection(server);
		return;
	}
	ws = xcalloc(1, sizeof(*ws));
	ws->server = server;
	str_init(&ws->in);
	str_init(&ws->message);
	str_init(&ws->out);
	str_init(&ws->writing);
	ws->flush.run = flush_task;
	timer_init(&ws->deadline, server->loop, on_deadline, ws);
	uv_tcp_init(&server->loop->uv, &ws->tcp);
	ws->tcp.data = ws;
	DL_APPEND(server->connections, ws);
	server->count++;
	if (uv_accept(stream, (uv_stream_t *)&ws->tcp) < 0 ||
		uv_read_start((uv_stream_t *)&ws->tcp, on_alloc, on_read) < 0) {
		ws_end(ws, false, false);
		return;
	}
	uv_tcp_nodelay(&ws->tcp, 1);
	timer_start(&ws->deadline, HANDSHAKE_TIME);
}

int ws_server_create(struct loop *loop, const char *bind, int port, const struct ws_callbacks *callbacks, void *arg,
	struct ws_server **ret_server)
{
	struct ws_server *server;
	struct sockaddr_storage address;
	int len = sizeof(address), r;

	r = uv_ip4_addr(bind, port, (struct sockaddr_in *)&address);
	if (r < 0)
		r = uv_ip6_addr(bind, port, (struct sockaddr_in6 *)&address);
	if (r < 0)
		return r;
	server = xcalloc(1, sizeof(*server));
	server->tcp = xcalloc(1, sizeof(*server->tcp));
	server->loop = loop;
	server->callbacks = *callbacks;
	server->arg = arg;
	r = uv_tcp_init(&loop->uv, server->tcp);
	if (r < 0) {
		free(server->tcp);
		free(server);
		return r;
	}
	server->tcp->data = server;
	r = uv_tcp_bind(server->tcp, (struct sockaddr *)&address, 0);
	if (r == 0)
		r = uv_listen((uv_stream_t *)server->tcp, 128, on_connection);
	if (r == 0)
		r = uv_tcp_getsockname(server->tcp, (struct sockaddr *)&address, &len);
	if (r < 0) {
		ws_server_destroy(server);
		return r;
	}
	server->port = ntohs(((struct sockaddr_in *)&address)->sin_port); /* the same place in both families */
	*ret_server = server;
	return 0;
}

void ws_server_destroy(struct ws_server *server)
{
	if (!server)
		return;
	while (server->connections)
		ws_end(server->connections, false, false);
	server->tcp->data = NULL;
	uv_close((uv_handle_t *)server->tcp, on_refused);
	free(server);
}

int ws_server_port(const struct ws_server *server)
{
	return server->port;
}

void ws_server_set_shape(struct ws_server *server, size_t fragment, size_t dribble)
{
	server->fragment = fragment;
	server->dribble = dribble;
}

void ws_set_user(struct ws *ws, void *user)
{
	ws->user = user;
}

void *ws_user(const struct ws *ws)
{
	return ws->user;
}
