/* See tls_server.h. */
#include "tls_server.h"

#include <libwebsockets.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOWNESS_US 300000

static char directory[64];

/* What lws keeps for each request. */
struct request {
	char path[64];
	const char *method;
	size_t body;
};

static const struct {
	enum lws_token_indexes token;
	const char *method;
} methods[] = { { WSI_TOKEN_GET_URI, "GET" }, { WSI_TOKEN_POST_URI, "POST" }, { WSI_TOKEN_PUT_URI, "PUT" },
	{ WSI_TOKEN_DELETE_URI, "DELETE" } };

static bool is_h2(struct lws *wsi)
{
	return lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_COLON_METHOD) > 0;
}

static void note(struct lws *wsi, struct request *request, const char *path)
{
	char method[16] = "";

	*request = (struct request){ .method = "?" };
	snprintf(request->path, sizeof(request->path), "%s", path);
	lws_hdr_copy(wsi, method, sizeof(method), WSI_TOKEN_HTTP_COLON_METHOD);
	for (size_t i = 0; i < LWS_ARRAY_SIZE(methods); i++) {
		if (is_h2(wsi) ? strcmp(method, methods[i].method) == 0
			       : lws_hdr_total_length(wsi, methods[i].token) > 0)
			request->method = methods[i].method;
	}
}

static int respond(struct lws *wsi, struct request *request)
{
	unsigned char buffer[LWS_PRE + 1024], *start = buffer + LWS_PRE, *at = start,
					      *end = buffer + sizeof(buffer) - 1;
	char body[LWS_PRE + 128];
	int len = snprintf(body + LWS_PRE, sizeof(body) - LWS_PRE, "%s %s %s %zu", is_h2(wsi) ? "h2" : "h1",
		request->method, request->path, request->body);

	if (lws_add_http_common_headers(wsi, HTTP_STATUS_OK, "text/plain", (lws_filepos_t)len, &at, end) ||
		lws_finalize_write_http_header(wsi, start, &at, end))
		return -1;
	if (lws_write(wsi, (unsigned char *)body + LWS_PRE, (size_t)len, LWS_WRITE_HTTP_FINAL) < 0)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct request *request = user;
	char secret[LWS_PRE + 8];

	switch (reason) {
	case LWS_CALLBACK_ESTABLISHED: lws_callback_on_writable(wsi); break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		snprintf(secret + LWS_PRE, sizeof(secret) - LWS_PRE, "secret");
		lws_write(wsi, (unsigned char *)secret + LWS_PRE, 6, LWS_WRITE_TEXT);
		break;
	case LWS_CALLBACK_HTTP:
		note(wsi, request, in);
		if (strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0)
			break; /* the body comes */
		if (strncmp(request->path, "/slow", 5) == 0)
			lws_set_timer_usecs(wsi, SLOWNESS_US);
		else
			return respond(wsi, request);
		break;
	case LWS_CALLBACK_TIMER: return respond(wsi, request);
	case LWS_CALLBACK_HTTP_BODY: request->body += len; break;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION: return respond(wsi, request);
	default: return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
	return 0;
}

static void serve(const char *certificate, int port_pipe)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "test", .callback = on_lws, .per_session_data_size = sizeof(struct request) },
		{ 0 },
	};
	char cert[128], key[128];
	struct lws_context_creation_info info = {
		.iface = "127.0.0.1",
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.ssl_cert_filepath = cert,
		.ssl_private_key_filepath = key,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
	};
	struct lws_context *context;
	int port = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(cert, sizeof(cert), "%s/%s.pem", directory, certificate);
	snprintf(key, sizeof(key), "%s/%s.key", directory, certificate);
	lws_set_log_level(0, NULL);
	context = lws_create_context(&info);
	if (context != NULL)
		port = lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default"));
	if (write(port_pipe, &port, sizeof(port)) != sizeof(port) || context == NULL)
		return;
	while (lws_service(context, 0) >= 0)
		;
}

pid_t tls_server_start(const char *certificate, int *ret_port)
{
	int pipes[2], port = 0;
	pid_t pid;

	if (pipe(pipes) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		serve(certificate, pipes[1]);
		_exit(1);
	}
	close(pipes[1]);
	if (read(pipes[0], &port, sizeof(port)) != sizeof(port) || port <= 0)
		pid = -1;
	close(pipes[0]);
	*ret_port = port;
	return pid;
}

void tls_server_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int tls_setup(void **state)
{
	static const char script[] =
		"cd '%s' && exec 2>/dev/null && "
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=TestCA -keyout ca.key -out ca.pem && "
		"for name in localhost elsewhere.test; do "
		"openssl req -newkey rsa:2048 -nodes -subj /CN=$name -keyout $name.key -out $name.csr && "
		"echo subjectAltName=DNS:$name >$name.ext && "
		"openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $name.ext "
		"-out $name.pem || exit 1; done && "
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
		"-keyout self.key -out self.pem";
	char command[2048], ca[128];
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%.40s/walle-net-XXXXXX", base != NULL ? base : "/tmp");
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(command, sizeof(command), script, directory);
	if (system(command) != 0)
		return -1;
	snprintf(ca, sizeof(ca), "%s/ca.pem", directory);
	return setenv("SSL_CERT_FILE", ca, 1);
}

int tls_teardown(void **state)
{
	char command[128];

	(void)state;
	unsetenv("SSL_CERT_FILE");
	snprintf(command, sizeof(command), "rm -r '%s'", directory);
	return system(command);
}
