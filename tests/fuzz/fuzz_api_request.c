/* leveling_api/request.h: a request's head, as libmicrohttpd hands it over after splitting lines. The input is the head's text. */
#include <string.h>

#include "client.h"
#include "fuzz.h"
#include "request.h"

/* Cuts `text` at the first `mark`; what follows, or NULL. */
static char *cut(char *text, const char *mark)
{
	char *found = text ? strstr(text, mark) : NULL;

	if (!found)
		return NULL;
	*found = '\0';
	return found + strlen(mark);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char proxies[] = "192.0.2.1 192.0.2.2", none[] = "";
	const struct settings settings = { .trusted_proxies = proxies, .public_url = none };
	struct raw_header headers[32];
	struct arena arena = ARENA_INIT;
	char *text = xstrndup((const char *)data, size), *line = text, *next = cut(text, "\r\n");
	struct raw_request raw = { .method = line, .headers = headers, .head_bytes = size, .clean_lines = true };
	struct request request;
	const char *reason = "untouched";
	int status;

	raw.target = cut(line, " ");
	raw.version = cut((char *)raw.target, " ");
	while (next && *next && raw.header_count < ARRAY_SIZE(headers)) {
		line = next;
		next = cut(line, "\r\n");
		headers[raw.header_count].value = cut(line, ": ");
		headers[raw.header_count++].name = line;
	}
	raw.target = raw.target ? raw.target : "";
	raw.version = raw.version ? raw.version : "";

	status = request_parse(&raw, &arena, &request, &reason);
	REQUIRE((status == 0) == (reason == NULL));
	REQUIRE(status == 0 || (status >= 400 && status < 600));
	client_resolve(&settings, "192.0.2.1", "fallback:1", &request);
	REQUIRE(request.base && request.address);
	if (status == 0) {
		REQUIRE(request.path[0] == '/' || strcmp(request.raw_path, "*") == 0);
		REQUIRE(request.path[request.path_len] == '\0');
		REQUIRE(!request.host || request_host_valid(request.host));
		REQUIRE(!strpbrk(request.base, " \r\n\t\"<>"));
		REQUIRE(params_parse(request.query, &arena, &request.params) == 0);
	}
	request_negotiate(NULL, request.accept);
	request_negotiate("json", request.accept);
	request_accepts_coding(request.accept_encoding, "gzip");
	if (request.host)
		request_host_listed("a.org, .b.org *", request.host);
	arena_finish(&arena);
	free(text);
	return 0;
}
