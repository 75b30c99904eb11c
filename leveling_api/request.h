/* A request as the handlers see it: checked, decoded, with what clients may not send already refused. Pure; fuzzed by
 * tests/fuzz/fuzz_api_request.c. */
#ifndef LEVELING_API_REQUEST_H
#define LEVELING_API_REQUEST_H

#include "base/arena.h"
#include "params.h"

#define REQUEST_HEAD_MAX 8192 /* bytes of request line and headers */

struct raw_header {
	const char *name, *value;
};

struct raw_request {
	const char *method, *target, *version;
	const struct raw_header *headers;
	size_t header_count;
	size_t head_bytes;
	bool clean_lines; /* every line ended in CR LF */
};

enum request_method { METHOD_GET, METHOD_HEAD, METHOD_OPTIONS, METHOD_OTHER };

struct request {
	struct arena *arena;
	enum request_method method;
	const char *method_name;
	const char *path; /* percent-decoded; NULs inside are possible */
	size_t path_len;
	const char *raw_path; /* as it was sent, without the query */
	const char *query;    /* as it was sent, without the '?'; NULL: none */
	struct params params; /* of the query; filled by routes_answer(), since most answers come from the cache */
	/* Headers; NULL: not sent. */
	const char *host, *origin, *accept, *accept_encoding, *if_none_match;
	const char *preflight_method, *preflight_headers;
	const char *forwarded_for, *forwarded_proto, *forwarded_host;
	bool has_body;
	/* Set by the server: "http://host:port" for links, the client's address. */
	const char *base, *address;
};

/* 0, or the HTTP status to refuse the request with; then `ret_reason` is a sentence for people. Strings are borrowed from `raw` or live in
 * the arena. On refusal the method and the headers that were understood are set all the same. */
int request_parse(const struct raw_request *raw, struct arena *arena, struct request *ret_request,
	const char **ret_reason) warn_unused;

/* Whether this may be the value of a Host header: a name, an IPv4 or a bracketed IPv6 address, and perhaps a port. */
bool request_host_valid(const char *host);
/* Whether a configured list (separated by commas or blanks) names this host (without its port; "*" and ".example.org" are patterns). */
bool request_host_listed(const char *list, const char *host);
/* Whether a configured list of origins names the one of an Origin header: the scheme in any case, host and port to the letter. Browsers
 * send nothing after that; what others send there does not count. */
bool request_origin_listed(const char *list, const char *origin);
/* Whether a configured list holds exactly this text. */
bool request_list_has(const char *list, const char *text);

enum request_format { REQUEST_JSON, REQUEST_HTML, REQUEST_NO_FORMAT, REQUEST_NOT_ACCEPTABLE };

/* What to answer with. `format` is what the client asked for by name (NULL or "": nothing), `accept` the header (NULL: anything). The rules
 * are the old server's: the most specific entry wins, JSON before HTML, quality values are not weighed. */
enum request_format request_negotiate(const char *format, const char *accept);
/* Whether the client takes this content coding: named, or by "*", and not with q=0. */
bool request_accepts_coding(const char *accept_encoding, const char *coding);

#endif
