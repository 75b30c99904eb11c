/* The HTTP client: curl's multi interface on our loop.
 *
 * The glue follows CURLMOPT_TIMERFUNCTION(3) and CURLMOPT_SOCKETFUNCTION(3) to the letter: -1 deletes the timer, curl
 * is never called from its own callbacks, and there is one poll handle per descriptor, which is closed at once when
 * curl says so and freed when libuv has let go of it. Finished calls are posted, so that a callback may start, cancel
 * and destroy as it likes.
 *
 * What may be repeated is decided by `sent`, which must therefore be exact: curl tells us just before each request
 * goes out (CURLOPT_PREREQFUNCTION). curl on its own repeats a request whose kept connection turned out to be dead,
 * even a POST that the server may have acted on; the second such notice for a method that is not idempotent ends the
 * call instead.
 */
#include "net/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "net/flow.h"

#define TIMEOUT         (15 * SECOND)
#define CONNECT_TIMEOUT (5 * SECOND)
#define ANSWER_LIMIT    ((size_t)16 << 20)
#define HEADERS_MAX     128
#define HEADER_BYTES    ((size_t)64 << 10)
/* How much longer than its timeout http_perform() waits for a call, before it cancels it. */
#define PERFORM_GRACE (2 * SECOND)

struct http {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	char *user_agent;
	struct http_call *first;
};

struct http_call {
	struct http *http;
	struct http_call *previous, *next; /* in http->first */
	CURL *easy;
	CURLU *url;
	struct curl_slist *headers;
	curl_mime *mime;
	http_done_fn *done;
	void *arg;
	size_t limit;
	bool idempotent;
	int attempts; /* how often curl was about to send the request */
	bool too_large;

	struct arena arena; /* of the answer's header */
	struct str body;
	struct http_header *answer_headers; /* room for HEADERS_MAX and the end */
	size_t answer_header_count;
	struct http_answer answer;
	struct timer deadline; /* ours, because curl's does not count the time that a call is queued */
	struct loop_task task; /* posted when the answer is complete */
};

/* One descriptor of curl's. It outlives the client by a turn of the loop. */
struct watch {
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
};

/* === ending a call === */

static int error_from_curl(const struct http_call *call, CURLcode code)
{
	static const struct {
		CURLcode code;
		int error;
	} table[] = {
		{ CURLE_OK, 0 },
		{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH },
		{ CURLE_COULDNT_CONNECT, -ECONNREFUSED },
		{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT },
		{ CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED },
		{ CURLE_SSL_ISSUER_ERROR, -EKEYREJECTED },
		{ CURLE_SSL_INVALIDCERTSTATUS, -EKEYREJECTED },
		{ CURLE_SSL_CACERT_BADFILE, -EKEYREJECTED },
		{ CURLE_FILESIZE_EXCEEDED, -EMSGSIZE },
		{ CURLE_GOT_NOTHING, -ECONNRESET },
		{ CURLE_SEND_ERROR, -ECONNRESET },
		{ CURLE_RECV_ERROR, -ECONNRESET },
		{ CURLE_PARTIAL_FILE, -ECONNRESET },
		{ CURLE_HTTP2, -ECONNRESET },
		{ CURLE_HTTP2_STREAM, -ECONNRESET },
		{ CURLE_ABORTED_BY_CALLBACK, -ECONNRESET },
	};

	if (call->too_large)
		return -EMSGSIZE;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].code == code)
			return table[i].error;
	}
	return -EIO;
}

static void call_free(struct http_call *call)
{
	timer_finish(&call->deadline);
	curl_easy_cleanup(call->easy);
	curl_url_cleanup(call->url);
	curl_slist_free_all(call->headers);
	curl_mime_free(call->mime);
	str_finish(&call->body);
	arena_finish(&call->arena);
	free(call);
}

/* The call leaves the client, its owner is told, its memory goes. The client may be destroyed by the callback. */
static void deliver(struct http_call *call)
{
	struct http *http = call->http;

	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		http->first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	curl_multi_remove_handle(http->multi, call->easy);
	call->answer.sent = call->attempts > 0;
	call->done(call->arg, &call->answer);
	call_free(call);
}

static void on_task(struct loop_task *task)
{
	deliver(CONTAINER_OF(task, struct http_call, task));
}

static void on_deadline(void *arg)
{
	struct http_call *call = arg;

	if (call->task.posted)
		return;
	call->answer.error = -ETIMEDOUT;
	deliver(call);
}

static void complete(struct http_call *call, CURLcode code)
{
	struct http_answer *answer = &call->answer;
	long status = 0;

	answer->error = error_from_curl(call, code);
	answer->headers = call->answer_headers;
	if (answer->error == 0) {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
		answer->status = (int)status;
		answer->body = call->body.buf;
		answer->body_len = call->body.len;
	}
	loop_post(call->http->loop, &call->task);
}

static void reap(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct http_call *call;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &call);
		complete(call, message->data.result);
	}
}

/* === curl on the loop === */

static void on_timer(void *arg)
{
	struct http *http = arg;
	int running;

	curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(http);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http *http = arg;

	(void)multi;
	if (timeout_ms < 0)
		timer_stop(&http->timer);
	else
		timer_start(&http->timer, timeout_ms * MILLISECOND);
	return 0;
}

static void on_watch(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = CONTAINER_OF(poll, struct watch, poll);
	struct http *http = watch->http;
	int what = 0, running;

	if (status < 0)
		what = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	curl_multi_socket_action(http->multi, watch->fd, what, &running);
	reap(http);
}

static void on_watch_closed(uv_handle_t *handle)
{
	free(CONTAINER_OF(handle, struct watch, poll));
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http *http = arg;
	struct watch *watch = socket_arg;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watch != NULL) {
			curl_multi_assign(http->multi, fd, NULL);
			uv_poll_stop(&watch->poll);
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
		}
		return 0;
	}
	if (watch == NULL) {
		watch = xcalloc(1, sizeof(*watch));
		watch->http = http;
		watch->fd = fd;
		if (uv_poll_init_socket(&http->loop->uv, &watch->poll, fd) < 0) {
			free(watch);
			return -1;
		}
		curl_multi_assign(http->multi, fd, watch);
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	return uv_poll_start(&watch->poll, events, on_watch) < 0 ? -1 : 0;
}

int http_create(struct loop *loop, const char *user_agent, int connections, struct http **ret_http)
{
	struct http *http;
	CURLM *multi;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	multi = curl_multi_init();
	if (multi == NULL) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	http->multi = multi;
	http->user_agent = xstrdup(user_agent);
	timer_init(&http->timer, loop, on_timer, http);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)MAX(connections, 1));
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	*ret_http = http;
	return 0;
}

void http_destroy(struct http *http)
{
	if (http == NULL)
		return;
	/* From the front each time, because the callbacks may start and cancel calls. */
	while (http->first != NULL)
		http_cancel(http->first); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	curl_multi_cleanup(http->multi);
	timer_finish(&http->timer);
	free(http->user_agent);
	free(http);
	curl_global_cleanup();
}

/* === the answer === */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count;

	/* Counted after decompression: a small answer may unpack to a huge one. */
	if (len > call->limit - call->body.len) {
		call->too_large = true;
		return 0;
	}
	str_add(&call->body, data, len);
	return len;
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct http_call *call = arg;
	size_t len = size * count, name_len, start;
	struct http_header *header;
	const char *colon;
	char *name;

	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		/* A status line; what came before belonged to an interim answer. */
		call->answer_header_count = 0;
		call->answer_headers[0] = (struct http_header){ 0 };
		return len;
	}
	colon = memchr(data, ':', len);
	if (colon == NULL)
		return len;
	if (call->answer_header_count >= HEADERS_MAX || call->arena.total + len > HEADER_BYTES) {
		call->too_large = true;
		return 0;
	}
	name_len = (size_t)(colon - data);
	name = arena_strndup(&call->arena, data, name_len);
	for (size_t i = 0; i < name_len; i++)
		name[i] = (char)tolower((unsigned char)name[i]);
	start = name_len + 1;
	while (start < len && (data[start] == ' ' || data[start] == '\t'))
		start++;
	while (len > start && isspace((unsigned char)data[len - 1]))
		len--;
	header = &call->answer_headers[call->answer_header_count++];
	header->name = name;
	header->value = arena_strndup(&call->arena, data + start, len - start);
	header[1] = (struct http_header){ 0 };
	return size * count;
}

static int on_sending(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct http_call *call = arg;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (call->attempts++ > 0 && !call->idempotent)
		return CURL_PREREQFUNC_ABORT;
	return CURL_PREREQFUNC_OK;
}

/* === the request === */

static bool is_token(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
			return false;
	}
	return true;
}

/* `value` NULL: curl is not to send this header of its own. */
static int add_header(struct http_call *call, const char *name, const char *value)
{
	struct curl_slist *list;
	char *line cleanup(freep) = NULL;

	if (!is_token(name) || (value != NULL && strpbrk(value, "\r\n") != NULL))
		return -EINVAL;
	if (value == NULL)
		line = xasprintf("%s:", name);
	else if (*value == '\0')
		line = xasprintf("%s;", name);
	else
		line = xasprintf("%s: %s", name, value);
	list = curl_slist_append(call->headers, line);
	if (list == NULL)
		return -ENOMEM;
	call->headers = list;
	return 0;
}

static int add_parts(struct http_call *call, const struct http_part *parts)
{
	call->mime = curl_mime_init(call->easy);
	if (call->mime == NULL)
		return -ENOMEM;
	for (; parts->name != NULL; parts++) {
		curl_mimepart *part = curl_mime_addpart(call->mime);

		if (part == NULL || curl_mime_name(part, parts->name) != CURLE_OK ||
			curl_mime_data(part, parts->data, parts->len) != CURLE_OK ||
			(parts->file_name != NULL && curl_mime_filename(part, parts->file_name) != CURLE_OK) ||
			(parts->content_type != NULL && curl_mime_type(part, parts->content_type) != CURLE_OK))
			return -ENOMEM;
	}
	curl_easy_setopt(call->easy, CURLOPT_MIMEPOST, call->mime);
	return 0;
}

static int add_body(struct http_call *call, const struct http_request *request)
{
	bool empty_counts =
		streq(request->method, "POST") || streq(request->method, "PUT") || streq(request->method, "PATCH");

	if (request->parts != NULL)
		return add_parts(call, request->parts);
	if (request->body_len > 0 || empty_counts) {
		curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
		if (curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, request->body_len > 0 ? request->body : "") !=
			CURLE_OK)
			return -ENOMEM;
		return add_header(call, "Content-Type", request->body_len > 0 ? request->content_type : NULL);
	}
	if (streq(request->method, "HEAD"))
		curl_easy_setopt(call->easy, CURLOPT_NOBODY, 1L);
	return 0;
}

static int set_url(struct http_call *call, const char *url)
{
	char *scheme = NULL;
	int r = -EINVAL;

	call->url = curl_url();
	if (call->url == NULL)
		return -ENOMEM;
	if (curl_url_set(call->url, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
		curl_url_get(call->url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		(streq(scheme, "https") || streq(scheme, "http")))
		r = 0;
	curl_free(scheme);
	curl_easy_setopt(call->easy, CURLOPT_CURLU, call->url);
	return r;
}

static void set_options(struct http_call *call, const struct http_request *request)
{
	CURL *easy = call->easy;
	const char *ca_file = getenv("SSL_CERT_FILE");

	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, call->http->user_agent);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* The same variable as OpenSSL's, which the gateway's WebSocket obeys. */
	if (ca_file != NULL && *ca_file != '\0')
		curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Otherwise ending a call whose name is still being resolved blocks the loop until the resolver gives up. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(CONNECT_TIMEOUT / MILLISECOND));
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->limit);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_sending);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
}

static int prepare(struct http_call *call, const struct http_request *request)
{
	int r;

	if (!is_token(request->method))
		return -EINVAL;
	r = set_url(call, request->url);
	if (r < 0)
		return r;
	/* curl's habit of asking first, before a large body, costs a round trip and up to a second. */
	r = add_header(call, "Expect", NULL);
	for (const struct http_header *h = request->headers; r == 0 && h != NULL && h->name != NULL; h++)
		r = add_header(call, h->name, h->value);
	if (r == 0)
		r = add_body(call, request);
	if (r == 0)
		set_options(call, request);
	return r;
}

int http_send(struct http *http, const struct http_request *request, http_done_fn *done, void *arg,
	struct http_call **ret_call)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	int r;

	call->http = http;
	call->done = done;
	call->arg = arg;
	call->limit = request->limit != 0 ? request->limit : ANSWER_LIMIT;
	call->idempotent = !streq(request->method, "POST") && !streq(request->method, "PATCH");
	call->task.run = on_task;
	call->answer_headers = arena_array(&call->arena, struct http_header, HEADERS_MAX + 1);
	call->answer = (struct http_answer){ .body = "", .headers = call->answer_headers };
	str_init(&call->body);
	call->easy = curl_easy_init();
	r = call->easy != NULL ? prepare(call, request) : -ENOMEM;
	if (r == 0 && curl_multi_add_handle(http->multi, call->easy) != CURLM_OK)
		r = -ENOMEM;
	if (r < 0) {
		call_free(call);
		return r;
	}
	timer_init(&call->deadline, http->loop, on_deadline, call);
	timer_start(&call->deadline, request->timeout > 0 ? request->timeout : TIMEOUT);
	call->next = http->first;
	if (call->next != NULL)
		call->next->previous = call;
	http->first = call;
	if (ret_call != NULL)
		*ret_call = call;
	return 0;
}

void http_cancel(struct http_call *call)
{
	loop_cancel(call->http->loop, &call->task);
	call->answer = (struct http_answer){ .error = -ECANCELED, .body = "", .headers = call->answer_headers };
	deliver(call);
}

const char *http_answer_header(const struct http_answer *answer, const char *lower_case_name)
{
	for (const struct http_header *h = answer->headers; h != NULL && h->name != NULL; h++) {
		if (streq(h->name, lower_case_name))
			return h->value;
	}
	return NULL;
}

/* === in a flow === */

struct performance {
	struct flow *flow;
	struct arena *arena;
	struct http_answer *answer;
	bool done;
};

static void on_performed(void *arg, const struct http_answer *answer)
{
	struct performance *p = arg;
	size_t count = 0;
	struct http_header *headers;

	while (answer->headers[count].name != NULL)
		count++;
	headers = arena_array(p->arena, struct http_header, count + 1);
	for (size_t i = 0; i < count; i++) {
		headers[i].name = arena_strdup(p->arena, answer->headers[i].name);
		headers[i].value = arena_strdup(p->arena, answer->headers[i].value);
	}
	*p->answer = *answer;
	p->answer->headers = headers;
	p->answer->body = arena_copy(p->arena, answer->body, answer->body_len + 1);
	p->done = true;
	flow_wake(p->flow);
}

int http_perform(
	struct http *http, const struct http_request *request, struct arena *arena, struct http_answer *ret_answer)
{
	static const struct http_header no_headers[] = { { 0 } };
	struct performance p = { .flow = flow_current(), .arena = arena, .answer = ret_answer };
	usec timeout = (request->timeout > 0 ? request->timeout : TIMEOUT) + PERFORM_GRACE;
	usec deadline = loop_now(http->loop) + timeout;
	struct http_call *call;
	int r;

	*ret_answer = (struct http_answer){ .body = "", .headers = no_headers };
	r = p.flow != NULL ? http_send(http, request, on_performed, &p, &call) : -EINVAL;
	if (r < 0) {
		ret_answer->error = r;
		return r;
	}
	while (!p.done) {
		r = flow_suspend("an HTTP answer", deadline);
		if (r < 0) {
			if (!p.done)
				http_cancel(call);
			break;
		}
	}
	if (r == -ETIMEDOUT && ret_answer->error == -ECANCELED)
		ret_answer->error = r;
	return ret_answer->error;
}
