/* A TLS server in a process of its own, with certificates that are made for the test: HTTP/2, HTTP/1.1 and WebSocket,
 * by lws.
 *
 * HTTP: answers "<h2 or h1> <method> <path> <bytes of body>"; a path that begins with /slow is answered after 300 ms.
 * WebSocket: sends "secret".
 */
#ifndef TESTS_NET_TLS_SERVER_H
#define TESTS_NET_TLS_SERVER_H

#include <sys/types.h>

/* For cmocka's groups: makes an authority, the certificates below, and points SSL_CERT_FILE at the authority's. */
int tls_setup(void **state);
int tls_teardown(void **state);

/* "localhost" and "elsewhere.test" are signed by the authority, "self" (for localhost) by itself. Returns the pid,
 * -1 on failure. */
pid_t tls_server_start(const char *certificate, int *ret_port);
void tls_server_stop(pid_t pid);

#endif
