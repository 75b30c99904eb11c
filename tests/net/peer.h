/* A peer that misbehaves on purpose: a TCP server in a thread of its own, whose every byte is a test's decision.
 *
 * A script is called for each connection, in order, with blocking calls that give up after some seconds. It must not
 * use cmocka's assertions (it is another thread): it notes what it saw, and the test looks at that after peer_stop().
 */
#ifndef TESTS_NET_PEER_H
#define TESTS_NET_PEER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* The connection is closed when the script returns, unless it has closed it (then it returns -1). */
typedef int peer_script_fn(int fd, int connection, void *arg);

struct peer {
	pthread_t thread;
	int listener, port;
	int stop[2]; /* a pipe: closing its write end ends the thread */
	peer_script_fn *script;
	void *arg;
	int connections;
};

/* 0 or -errno. Listens on 127.0.0.1. */
int peer_start(struct peer *peer, peer_script_fn *script, void *arg);
void peer_stop(struct peer *peer);
/* A port of 127.0.0.1 on which nobody listens. */
int peer_free_port(void);

bool peer_write(int fd, const void *data, size_t len);
/* Reads up to and including the empty line; false at the end or after 5 s. */
bool peer_read_header(int fd, char *buffer, size_t size);
bool peer_read(int fd, void *data, size_t len);
/* True when the other side closes within 5 s. */
bool peer_read_end(int fd);
/* Closes with RST. Returns -1 for the script to return. */
int peer_reset(int fd);

/* === WebSocket, the server's side === */

/* Reads the request and answers 101. */
bool peer_ws_accept(int fd);
/* `first` is the frame's first byte: 0x80 final, opcode 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
bool peer_ws_write(int fd, int first, const void *data, size_t len);
/* Reads a frame and unmasks it: returns its first byte, -1 at the end. The payload must fit. */
int peer_ws_read(int fd, void *data, size_t size, size_t *ret_len);
/* A close frame with this code and reason. */
bool peer_ws_close(int fd, int code, const char *reason);

#endif
