/* See server.h. A request goes: library -> collect() -> request_parse() -> cache or routes_answer() -> reply_create() -> library.
 *
 * Why one thread: all answers come from one structure in memory and take microseconds, so a second thread would bring locks and no time.
 * The library is driven from outside (MHD_run) so that deadlines, signals and data live on that same thread. */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "access_log.h"
#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "cache.h"
#include "client.h"
#include "connections.h"
#include "listener.h"
#include "rate_limit.h"
#include "reply.h"

#define CONNECTION_MEMORY 16384 /* per connection: headers in, headers out; above REQUEST_HEAD_MAX with room for both */
#define HEADERS_MAX       100
#define TICK_MS           250
#define HELD_MAX          ((size_t)32 << 20) /* of big answers that clients have not taken yet; others find room beside it */
#define FAREWELL          (2 * SECOND)       /* for answers on their way when the program is told to end */

struct server {
	struct api *api;
	struct MHD_Daemon *daemon;
	int listen_fd, epoll_fd, signal_fd;
	struct connections connections;
	struct cache *cache;
	struct rate_limit *rate_limit; /* NULL: no limit */
	struct access_log access_log;
	struct arena arena;
	struct str key;
	char fallback_host[64]; /* for HTTP/1.0 without a Host header */
	bool ending;
	usec now;
	uint64_t round; /* of the loop */
};

static struct metric requests[] = {
	METRIC_COUNTER_LABELLED("walle_api_requests_total", "class=\"2xx\"", "Requests answered, by status class"),
	METRIC_COUNTER_LABELLED("walle_api_requests_total", "class=\"3xx\"", "Requests answered, by status class"),
	METRIC_COUNTER_LABELLED("walle_api_requests_total", "class=\"4xx\"", "Requests answered, by status class"),
	METRIC_COUNTER_LABELLED("walle_api_requests_total", "class=\"5xx\"", "Requests answered, by status class"),
};
static struct metric cache_hits =
	METRIC_COUNTER("walle_api_cache_hits_total", "Requests answered from the response cache");
static struct metric bytes_sent = METRIC_COUNTER("walle_api_body_bytes_total", "Bytes of answers' bodies, as sent");
static struct metric cut_off = METRIC_COUNTER(
	"walle_api_connections_cut_off_total", "Connections ended because they overstayed or were too many");
static struct metric open_connections = METRIC_GAUGE("walle_api_connections", "Connections open now");

/* ---- one request ---- */

struct collection {
	struct raw_header headers[HEADERS_MAX];
	size_t count;
	bool clean_lines;
	const char *next; /* where the next line must begin; NULL: the library checks lines itself */
};

/* Before 1.0 the library takes a bare line feed for the end of a line, drops what a folded line continues with, and cannot be told not to.
 * It cuts lines in place: in a clean request one byte lies between the parts of the first line, each name begins two bytes (CR LF) after
 * the value before it, and the last value ends four bytes before the end of what the library has read. Later versions refuse such requests
 * themselves. */
static bool library_is_lenient(void)
{
	return MHD_get_version()[0] == '0';
}

static enum MHD_Result collect_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct collection *collection = arg;

	(void)kind;
	if (collection->count == HEADERS_MAX) {
		collection->clean_lines = false;
		return MHD_NO;
	}
	if (collection->next) {
		collection->clean_lines = collection->clean_lines && name == collection->next && value;
		collection->next = value ? value + strlen(value) + 2 : name;
	}
	collection->headers[collection->count++] = (struct raw_header){ name, value };
	return MHD_YES;
}

/* What the answer depends on, as bytes: equal keys get equal answers while the data stay the same. */
static void build_key(struct str *key, const struct request *request, const char *target)
{
	/* The host beside the base: with one public address for all it decides whether there is an answer. */
	const char *parts[] = { target, request->host, request->base, request->origin, request->accept };

	str_clear(key);
	str_addc(key, request->method == METHOD_HEAD ? 'H' : 'G');
	str_addc(key, request_accepts_coding(request->accept_encoding, "gzip") ? 'z' : '-');
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i])
			str_adds(key, parts[i]);
		str_addc(key, parts[i] ? '\n' : '\r');
	}
}

/* Health and metrics are for the machines around us, which come by address and which nobody should be able to lock out. */
static bool is_for_machines(const struct request *request)
{
	return streq(request->path, "/healthz") || streq(request->path, "/metrics");
}

/* An answer up to the size of what every connection takes anyway does not count. */
static bool is_big(size_t bytes)
{
	return bytes > CONNECTION_MEMORY;
}

static struct cached make_reply(struct server *server, struct request *request, int refused, const char *reason)
{
	struct answer answer cleanup(answer_finish) = ANSWER_INIT;
	const char *origins = server->api->settings->cors_origins;
	struct cached made = { .route = "none" };
	struct reply reply;

	if (refused)
		answer_error(&answer, refused, reason);
	else if (request->host && *server->api->settings->allowed_hosts && !is_for_machines(request) &&
		 !request_host_listed(server->api->settings->allowed_hosts, request->host))
		answer_error(&answer, 400, "This host is not served here.");
	else if (reply_is_preflight(request) && !contract_redirects(request)) {
		reply = reply_create_preflight(request, origins);
		return (struct cached){ reply.status, reply.response, reply.bytes, "preflight" };
	} else {
		routes_answer(server->api, request, server->now, &answer, &made.route);
	}
	reply = reply_create(&answer, request, origins);
	/* One client can ask for a thousand members on each of thousands of connections and read nothing. */
	if (reply.response && is_big(reply.bytes) && server->connections.held + reply.bytes > HELD_MAX) {
		MHD_destroy_response(reply.response);
		answer_error(&answer, 503, "Too many answers wait for slow clients: try again in a moment.");
		answer.retry = true;
		reply = reply_create(&answer, request, origins);
	}
	made.status = reply.status;
	made.response = reply.response;
	made.bytes = reply.bytes;
	return made;
}

static void add_number(struct MHD_Response *response, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	(void)!MHD_add_response_header(response, name, text);
}

static void add_rate_headers(struct MHD_Response *response, const struct rate_limit_result *rate)
{
	add_number(response, "X-RateLimit-Limit", rate->limit);
	add_number(response, "X-RateLimit-Remaining", rate->remaining);
	add_number(response, "X-RateLimit-Reset", rate->reset);
	if (!rate->allowed)
		add_number(response, "Retry-After", rate->reset);
}

static enum MHD_Result send_reply(
	struct server *server, struct MHD_Connection *mhd, struct connection *connection, const struct cached *made)
{
	enum MHD_Result result;

	if (!made->response)
		return MHD_NO;
	connection->status = made->status;
	connection->bytes = made->status == 304 || streq(connection->method, "HEAD") ? 0 : made->bytes;
	connection->route = made->route;
	metric_add(&requests[MIN(MAX(made->status / 100, 2u), 5u) - 2], 1);
	metric_add(&bytes_sent, (int64_t)connection->bytes);
	connections_hold(&server->connections, connection, is_big(made->bytes) ? made->bytes : 0);
	connections_set_state(&server->connections, connection, CONNECTION_ANSWERING, server->now);
	result = MHD_queue_response(mhd, made->status, made->response);
	return result;
}

static enum MHD_Result answer_limited(
	struct server *server, struct MHD_Connection *mhd, struct connection *connection, struct request *request)
{
	struct rate_limit_result rate = rate_limit_take(server->rate_limit, request->address, server->now);
	struct cached made =
		rate.allowed ? make_reply(server, request, 0, NULL)
			     : make_reply(server, request, 429, "Too many requests from this address: wait a moment.");
	enum MHD_Result result;

	if (made.response)
		add_rate_headers(made.response, &rate);
	result = send_reply(server, mhd, connection, &made);
	if (made.response)
		MHD_destroy_response(made.response);
	return result;
}

static enum MHD_Result answer_cached(
	struct server *server, struct MHD_Connection *mhd, struct connection *connection, struct request *request)
{
	bool cacheable = (request->method == METHOD_GET || request->method == METHOD_HEAD) && !request->if_none_match;
	enum MHD_Result result;
	struct cached made;
	uint64_t version = 0;

	if (cacheable) {
		/* The version is worth something only after a look at the database. Without data there is none to be fresh about. */
		if (source_refresh(server->api->source, server->now) < 0)
			cacheable = false;
		version = source_version(server->api->source);
		build_key(&server->key, request, connection->target.buf);
		if (cacheable && cache_find(server->cache, &server->key, version, &made)) {
			metric_add(&cache_hits, 1);
			return send_reply(server, mhd, connection, &made);
		}
	}
	made = make_reply(server, request, 0, NULL);
	result = send_reply(server, mhd, connection, &made);
	cacheable = cacheable && made.response && made.status == 200 && !is_for_machines(request);
	if (made.response && !(cacheable && cache_keep(server->cache, &server->key, version, &made)))
		MHD_destroy_response(made.response);
	return result;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *upload_data, size_t *upload_data_size, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct collection collection = { .clean_lines = true };
	struct server *server = arg;
	struct connection *connection = info ? info->socket_context : NULL;
	const char *reason = NULL;
	struct raw_request raw;
	struct request request;
	enum MHD_Result result;
	struct cached made;
	int refused;

	(void)upload_data;
	(void)upload_data_size;
	if (!connection)
		return MHD_NO;
	*context = connection;
	/* Called first when the headers are there. The library ends a connection that is answered at once: right for a request that brings a
	 * body, which nobody is going to read; any other is answered in the second call. */
	if (!connection->called) {
		connection->called = true;
		if (!MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Content-Length") &&
			!MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Transfer-Encoding"))
			return MHD_YES;
	}
	server->now = clock_monotonic();
	connection->started = server->now;
	/* It may have been read at once, without having been asked, and so have arrived after the round's look at the database. */
	if (connection->round == server->round)
		source_begin_round(server->api->source);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (library_is_lenient()) {
		collection.clean_lines =
			url == method + strlen(method) + 1 && version == url + connection->target.len + 1;
		collection.next = version + strlen(version) + 2;
	}
	MHD_get_connection_values(mhd, MHD_HEADER_KIND, collect_header, &collection);
	if (collection.next && info && collection.next + 2 != method + info->header_size)
		collection.clean_lines = false;
	raw = (struct raw_request){ .method = method,
		.target = connection->target.buf,
		.version = version,
		.headers = collection.headers,
		.header_count = collection.count,
		.head_bytes = info ? info->header_size : 0,
		.clean_lines = collection.clean_lines };
	arena_reset(&server->arena);
	refused = request_parse(&raw, &server->arena, &request, &reason);
	connection->method = method;
	client_resolve(server->api->settings, connection->address, server->fallback_host, &request);
	snprintf(connection->client, sizeof(connection->client), "%s", request.address);
	if (refused) {
		made = make_reply(server, &request, refused, reason);
		/* What follows may not be what it looks like. */
		if (made.response)
			(void)!MHD_add_response_header(made.response, "Connection", "close");
		result = send_reply(server, mhd, connection, &made);
		if (made.response)
			MHD_destroy_response(made.response);
	} else if (server->rate_limit && !is_for_machines(&request)) {
		result = answer_limited(server, mhd, connection, &request);
	} else {
		result = answer_cached(server, mhd, connection, &request);
	}
	return result;
}

/* The only place where the request line can be seen as it was sent. */
static void *note_target(void *arg, const char *target, struct MHD_Connection *mhd)
{
	char *query = strchr(target, '?');
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct connection *connection = info ? info->socket_context : NULL;

	(void)arg;
	if (!connection)
		return NULL;
	str_clear(&connection->target);
	str_adds(&connection->target, target);
	/* The library would go on to take the query apart and to keep every parameter in the connection's memory, where a few hundred fit.
	 * Nobody asks for them. */
	if (query)
		query[1] = '\0';
	connection->status = 0;
	connection->called = false;
	return connection;
}

static void note_completed(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct server *server = arg;
	struct connection *connection = *context;

	(void)mhd;
	(void)code;
	if (!connection)
		return;
	if (connection->status != 0)
		access_log_add(&server->access_log, connection, server->now, clock_monotonic());
	connection->status = 0;
	connections_hold(&server->connections, connection, 0);
	connections_set_state(&server->connections, connection, CONNECTION_WAITING, server->now);
}

static void note_connection(
	void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *info;
	struct connection *connection;
	char address[48] = "";
	int fd;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			connections_remove(&server->connections, *context);
		*context = NULL;
	} else {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		fd = info ? info->connect_fd : -1;
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		if (info && info->client_addr)
			client_address_text(info->client_addr, address, sizeof(address));
		server->now = clock_monotonic();
		connection = connections_add(&server->connections, fd, address, server->now);
		connection->round = server->round;
		*context = connection;
	}
	metric_set(&open_connections, (int64_t)server->connections.count);
}

/* ---- the daemon ---- */

static int watch(struct server *server, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int start_daemon(struct server *server, struct str *reterr_message)
{
	const union MHD_DaemonInfo *info;
	unsigned limit = listener_connections();
	int r;

	/* A tenth is kept free: the longest waiting are sent away before the library stops accepting. */
	server->connections.limit = limit - limit / 10;

	server->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, handle, server, MHD_OPTION_LISTEN_SOCKET,
		(MHD_socket)server->listen_fd, MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, 60u, MHD_OPTION_STRICT_FOR_CLIENT,
		library_is_lenient() ? 0 : 1, MHD_OPTION_URI_LOG_CALLBACK, note_target, server,
		MHD_OPTION_NOTIFY_COMPLETED, note_completed, server, MHD_OPTION_NOTIFY_CONNECTION, note_connection,
		server, MHD_OPTION_END);
	if (!server->daemon) {
		str_adds(reterr_message, "the HTTP server cannot be started");
		return -EIO;
	}
	server->listen_fd = -1; /* the library's now */
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	r = info ? watch(server, info->epoll_fd) : -EIO;
	if (r >= 0)
		r = watch(server, server->signal_fd);
	if (r >= 0)
		r = watch(server, source_fd(server->api->source));
	return r;
}

int server_create(struct api *api, struct server **ret_server, struct str *reterr_message)
{
	struct server *server = xcalloc(1, sizeof(*server));
	sigset_t signals;
	int r;

	server->api = api;
	server->listen_fd = server->epoll_fd = -1;
	server->now = clock_monotonic();
	str_init(&server->key);
	server->cache = cache_create();
	if (api->settings->rate_limit > 0)
		server->rate_limit = rate_limit_create(api->settings->rate_limit);
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		metrics_register(&requests[i]);
	metrics_register(&cache_hits);
	metrics_register(&bytes_sent);
	metrics_register(&cut_off);
	metrics_register(&open_connections);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->signal_fd < 0)
		r = -errno;
	else
		r = server->listen_fd = listener_open(
			api->settings, server->fallback_host, sizeof(server->fallback_host), reterr_message);
	if (r >= 0)
		r = start_daemon(server, reterr_message);
	if (r < 0) {
		if (reterr_message->len == 0)
			str_printf(reterr_message, "the HTTP server cannot be started: %s", error_text(r));
		server_destroy(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

void server_destroy(struct server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->listen_fd >= 0)
		close(server->listen_fd);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	if (server->signal_fd >= 0)
		close(server->signal_fd);
	cache_destroy(server->cache);
	rate_limit_destroy(server->rate_limit);
	arena_finish(&server->arena);
	str_finish(&server->key);
	free(server);
}

/* ---- the loop ---- */

static void print_state(const struct server *server)
{
	struct source_status status = source_status(server->api->source);

	log_info("state", LOG_INT("connections", (int64_t)server->connections.count),
		LOG_INT("connection_limit", (int64_t)server->connections.limit),
		LOG_INT("held_bytes", (int64_t)server->connections.held),
		LOG_STR("data", status.state == SOURCE_READY ? "ready" : status.reason),
		LOG_INT("members", source_members(server->api->source)
					   ? (int64_t)ranking_count(members_listed(source_members(server->api->source)))
					   : 0),
		LOG_INT("version", (int64_t)source_version(server->api->source)));
}

static void read_signals(struct server *server)
{
	struct signalfd_siginfo signal;

	while (read(server->signal_fd, &signal, sizeof(signal)) == sizeof(signal)) {
		if (signal.ssi_signo == SIGUSR1) {
			print_state(server);
			continue;
		}
		log_info("ending", LOG_STR("signal", signal.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT"));
		server->ending = true;
	}
}

static int next_wait(struct server *server)
{
	unsigned long long library;
	int wait = TICK_MS;

	if (MHD_get_timeout(server->daemon, &library) == MHD_YES && library < (unsigned long long)wait)
		wait = (int)library;
	return wait;
}

/* At the start a database that no waiting can mend ends the program; later it may be exchanged while we serve. */
static bool database_is_hopeless(const struct server *server)
{
	struct source_status status = source_status(server->api->source);

	return status.state == SOURCE_WAITING && (status.error == -EPROTO || status.error == -EBADMSG);
}

/* Answers that are on their way may arrive; nobody new is let in. */
static void say_farewell(struct server *server)
{
	usec deadline = clock_monotonic() + FAREWELL;
	MHD_socket listener = MHD_quiesce_daemon(server->daemon);

	while (server->connections.lists[CONNECTION_ANSWERING].first && clock_monotonic() < deadline) {
		struct epoll_event event;

		(void)!epoll_wait(server->epoll_fd, &event, 1, 20);
		MHD_run(server->daemon);
	}
	if (listener != MHD_INVALID_SOCKET)
		close(listener);
}

int server_run(struct server *server)
{
	bool started = false;
	usec next_tick = 0;

	while (!server->ending) {
		struct epoll_event events[4];
		int count = epoll_wait(server->epoll_fd, events, ARRAY_SIZE(events), next_wait(server));

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == server->signal_fd)
				read_signals(server);
			else if (events[i].data.fd == source_fd(server->api->source))
				next_tick = 0;
		}
		/* The library first asks which connections have something to say, then serves all of these. */
		server->round++;
		source_begin_round(server->api->source);
		if (MHD_run(server->daemon) == MHD_NO) {
			log_error("the HTTP server failed");
			return EXIT_UNEXPECTED;
		}
		source_end_round(server->api->source);
		server->now = clock_monotonic();
		if (server->now < next_tick && server->connections.count <= server->connections.limit)
			continue;
		next_tick = server->now + TICK_MS * MILLISECOND;
		source_tick(server->api->source, server->now);
		metric_add(&cut_off, (int64_t)connections_sweep(&server->connections, server->now));
		access_log_tick(&server->access_log, server->now);
		if (!started && database_is_hopeless(server))
			return EXIT_DATABASE;
		started = started || source_status(server->api->source).state != SOURCE_OPENING;
	}
	say_farewell(server);
	return EXIT_CLEAN;
}
