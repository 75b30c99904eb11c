/* See websocket_client.h. */
#include "websocket_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct loop loop;
struct websockets *websockets;

static void on_opened(void *arg)
{
	struct client *c = arg;

	assert_int_equal(c->closed, 0);
	c->in_callback = true;
	c->opened++;
	if (c->send_when_opened)
		assert_int_equal(websocket_send(c->websocket, "hello", 5), 0);
	if (c->kill_when_opened)
		websocket_kill(c->websocket);
	if (c->close_when_opened != 0)
		websocket_close(c->websocket, c->close_when_opened);
	c->in_callback = false;
}

static void on_message(void *arg, const char *data, size_t len, bool binary)
{
	struct client *c = arg;

	assert_int_equal(c->closed, 0);
	c->in_callback = true;
	if (c->messages++ == 0)
		str_add(&c->first, data, len);
	c->bytes += len;
	c->binary = binary;
	str_clear(&c->last);
	str_add(&c->last, data, len);
	if (c->kill_at_message)
		websocket_kill(c->websocket);
	if (c->close_at_message != 0)
		websocket_close(c->websocket, c->close_at_message);
	c->in_callback = false;
}

static void on_closed(void *arg, int code, const char *reason, int error)
{
	struct client *c = arg;

	assert_false(c->in_callback);
	c->closed++;
	c->code = code;
	c->error = error;
	snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

const struct websocket_callbacks client_callbacks = { on_opened, on_message, on_closed };

bool client_is_opened(void *arg)
{
	return ((struct client *)arg)->opened > 0;
}

bool client_is_closed(void *arg)
{
	return ((struct client *)arg)->closed > 0;
}

bool client_has_message(void *arg)
{
	return ((struct client *)arg)->messages > 0;
}

void client_connect(struct client *c, const char *url, usec timeout)
{
	str_init(&c->first);
	str_init(&c->last);
	assert_int_equal(websocket_connect(websockets, url, timeout, &client_callbacks, c, &c->websocket), 0);
}

void client_connect_port(struct client *c, int port)
{
	char url[64];

	snprintf(url, sizeof(url), "ws://127.0.0.1:%d/?v=10&encoding=json", port);
	client_connect(c, url, 5 * SECOND);
}

void client_wait_closed(struct client *c)
{
	assert_int_equal(loop_run_until(&loop, client_is_closed, c, 20 * SECOND), 0);
	assert_int_equal(c->closed, 1);
}

void client_finish(struct client *c)
{
	str_finish(&c->first);
	str_finish(&c->last);
}

int client_setup(void **state)
{
	(void)state;
	if (loop_init(&loop) < 0)
		return -1;
	return websockets_create(&loop, &websockets);
}

int client_teardown(void **state)
{
	(void)state;
	websockets_destroy(websockets);
	return loop_finish(&loop);
}
