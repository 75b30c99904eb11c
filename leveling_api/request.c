/* See request.h. */
#include "request.h"

#include <errno.h>
#include <strings.h>

/* RFC 9110, section 5.6.2 */
static const bool token_characters[256] = {
	['!'] = true,
	['#' ... '\''] = true,
	['*'] = true,
	['+'] = true,
	['-'] = true,
	['.'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['^' ... 'z'] = true,
	['|'] = true,
	['~'] = true,
};

static bool is_token(const char *text)
{
	const char *p = text;

	while (token_characters[(unsigned char)*p])
		p++;
	return p > text && *p == '\0';
}

static bool is_field_value(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool is_target(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == 0x7f || c == '#')
			return false;
	}
	return true;
}

bool request_host_valid(const char *host)
{
	const char *p = host;

	if (*p == '[') {
		size_t len = strspn(p + 1, "0123456789abcdefABCDEF:.");

		if (len < 2 || p[len + 1] != ']')
			return false;
		p += len + 2;
	} else {
		while ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '.' ||
			*p == '-' || *p == '_')
			p++;
		if (p == host)
			return false;
	}
	if (*p == ':') {
		size_t len = strspn(p + 1, "0123456789");

		if (len < 1 || len > 5)
			return false;
		p += len + 1;
	}
	return *p == '\0' && p - host <= 255;
}

/* The next entry of a comma-separated list, without blanks around it; false at the end. */
static bool next_entry(const char **list, const char **ret_entry, size_t *ret_len)
{
	const char *p = *list;
	size_t len;

	p += strspn(p, ", \t");
	if (!*p)
		return false;
	len = strcspn(p, ",");
	*list = p + len;
	while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	*ret_entry = p;
	*ret_len = len;
	return true;
}

/* The next entry of a configured list: blanks separate as commas do. */
static bool next_word(const char **list, const char **ret_word, size_t *ret_len)
{
	*ret_word = *list + strspn(*list, ", \t");
	*ret_len = strcspn(*ret_word, ", \t");
	*list = *ret_word + *ret_len;
	return *ret_len > 0;
}

bool request_list_has(const char *list, const char *text)
{
	const char *entry;
	size_t len;

	while (next_word(&list, &entry, &len)) {
		if (len == strlen(text) && memcmp(entry, text, len) == 0)
			return true;
	}
	return false;
}

bool request_origin_listed(const char *list, const char *origin)
{
	const char *authority = strstr(origin, "://"), *entry;
	size_t scheme = authority ? (size_t)(authority - origin) : 0, len;
	size_t origin_len = authority ? scheme + 3 + strcspn(authority + 3, "/?#") : strlen(origin);

	while (next_word(&list, &entry, &len)) {
		if (len == origin_len && strncasecmp(entry, origin, scheme) == 0 &&
			memcmp(entry + scheme, origin + scheme, len - scheme) == 0)
			return true;
	}
	return false;
}

bool request_host_listed(const char *list, const char *host)
{
	size_t host_len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":"), len;
	const char *entry;

	while (next_word(&list, &entry, &len)) {
		if (len == 1 && *entry == '*')
			return true;
		if (len == host_len && strncasecmp(entry, host, len) == 0)
			return true;
		if (*entry == '.' && host_len >= len - 1 &&
			strncasecmp(host + host_len - (len - 1), entry + 1, len - 1) == 0 &&
			(host_len == len - 1 || host[host_len - len] == '.'))
			return true;
	}
	return false;
}

static enum request_method method_of(const char *name)
{
	if (streq(name, "GET"))
		return METHOD_GET;
	if (streq(name, "HEAD"))
		return METHOD_HEAD;
	return streq(name, "OPTIONS") ? METHOD_OPTIONS : METHOD_OTHER;
}

/* Headers that are read, and how often they may come. */
static const struct {
	const char *name;
	size_t field;
	bool once;
} known_headers[] = {
	{ "host", offsetof(struct request, host), true },
	{ "origin", offsetof(struct request, origin), true },
	{ "accept", offsetof(struct request, accept), false },
	{ "accept-encoding", offsetof(struct request, accept_encoding), false },
	{ "if-none-match", offsetof(struct request, if_none_match), false },
	{ "access-control-request-method", offsetof(struct request, preflight_method), true },
	{ "access-control-request-headers", offsetof(struct request, preflight_headers), false },
	{ "x-forwarded-for", offsetof(struct request, forwarded_for), false },
	{ "x-forwarded-proto", offsetof(struct request, forwarded_proto), true },
	{ "x-forwarded-host", offsetof(struct request, forwarded_host), true },
};

/* The library leaves the blanks that follow a value. */
static const char *without_blanks(struct arena *arena, const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || (value[len - 1] != ' ' && value[len - 1] != '\t'))
		return value;
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	return arena_strndup(arena, value, len);
}

static const char *read_headers(const struct raw_request *raw, struct request *request)
{
	const char *length = NULL, *coding = NULL;

	for (size_t i = 0; i < raw->header_count; i++) {
		const char *name = raw->headers[i].name, *value = raw->headers[i].value ? raw->headers[i].value : "";

		if (!is_token(name))
			return "A header's name is malformed.";
		if (!is_field_value(value))
			return "A header holds control characters.";
		if (strcasecmp(name, "content-length") == 0) {
			if (length)
				return "There is more than one Content-Length.";
			length = value;
			continue;
		}
		if (strcasecmp(name, "transfer-encoding") == 0) {
			coding = value;
			continue;
		}
		for (size_t k = 0; k < ARRAY_SIZE(known_headers); k++) {
			const char **field = (const char **)((char *)request + known_headers[k].field);

			if ((name[0] | 0x20) != known_headers[k].name[0] ||
				strcasecmp(name, known_headers[k].name) != 0)
				continue;
			value = without_blanks(request->arena, value);
			if (!*field)
				*field = value;
			else if (known_headers[k].once)
				return "A header that may come once comes twice.";
			else
				*field = arena_printf(request->arena, "%s, %s", *field, value);
			break;
		}
	}
	if (length && coding)
		return "Content-Length and Transfer-Encoding exclude each other.";
	if (length && (!*length || strspn(length, "0123456789") != strlen(length)))
		return "The Content-Length is no number.";
	request->has_body = coding || (length && strspn(length, "0") != strlen(length));
	return NULL;
}

/* "http://host/path" in the request line, as a client sends it to a proxy: the host there is the one that counts. */
static const char *strip_authority(struct request *request, const char *target)
{
	const char *rest;
	size_t len;

	if (strncasecmp(target, "http://", 7) != 0 && strncasecmp(target, "https://", 8) != 0)
		return target;
	rest = strstr(target, "://") + 3;
	len = strcspn(rest, "/?");
	request->host = arena_strndup(request->arena, rest, len);
	if (rest[len] == '/')
		return rest + len;
	return arena_printf(request->arena, "/%s", rest + len);
}

static void split_target(struct request *request, const char *target)
{
	size_t len;
	char *path;

	while (target[0] == '/' && target[1] == '/')
		target++;
	len = strcspn(target, "?");
	request->raw_path = arena_strndup(request->arena, target, len);
	request->query = target[len] == '?' ? target + len + 1 : NULL;
	path = arena_strndup(request->arena, target, len);
	request->path_len = params_decode_in_place(path, len);
	request->path = path;
}

int request_parse(
	const struct raw_request *raw, struct arena *arena, struct request *ret_request, const char **ret_reason)
{
	struct request *request = ret_request;
	const char *target = raw->target;

	*request = (struct request){
		.arena = arena, .method = METHOD_OTHER, .method_name = "", .path = "", .raw_path = ""
	};
	if (raw->head_bytes > REQUEST_HEAD_MAX) {
		*ret_reason = "The request line and headers are longer than 8 KiB.";
		return 431;
	}
	*ret_reason = read_headers(raw, request);
	if (*ret_reason)
		return 400;
	*ret_reason = "The request line is malformed.";
	if (!is_token(raw->method) || !is_target(target))
		return 400;
	if (!raw->clean_lines) {
		*ret_reason = "A line is malformed, or there are more than 100 headers.";
		return 400;
	}
	request->method = method_of(raw->method);
	request->method_name = raw->method;
	if (!streq(raw->version, "HTTP/1.1") && !streq(raw->version, "HTTP/1.0")) {
		*ret_reason = "Only HTTP/1.1 and HTTP/1.0 are spoken here.";
		return 505;
	}
	if (!request->host && streq(raw->version, "HTTP/1.1")) {
		*ret_reason = "There is no Host header.";
		return 400;
	}
	target = strip_authority(request, target);
	if (request->host && !request_host_valid(request->host)) {
		*ret_reason = "The Host header is malformed.";
		return 400;
	}
	if (target[0] != '/' && !(streq(target, "*") && request->method == METHOD_OPTIONS))
		return 400;
	split_target(request, target);
	if (params_too_many(request->query)) {
		*ret_reason = "There are more than 1000 parameters.";
		return 400;
	}
	if (request->has_body && request->method != METHOD_OTHER) {
		*ret_reason = "A request must not carry a body here.";
		return 413;
	}
	*ret_reason = NULL;
	return 0;
}

struct media_range {
	const char *type, *subtype;
	size_t type_len, subtype_len;
	int precedence; /* 0 any type, 1 any subtype, 2 exact, 3 with parameters */
};

/* Whether one of "a=b; c=d" is more than the quality: what has no value is not counted. */
static bool has_parameters(const char *text, size_t len)
{
	for (const char *p = text, *end = text + len; p < end; p++) {
		const char *next = memchr(p, ';', (size_t)(end - p)), *equals;

		next = next ? next : end;
		equals = memchr(p, '=', (size_t)(next - p));
		while (p < next && (*p == ' ' || *p == '\t'))
			p++;
		if (equals && ((*p | 0x20) != 'q' || p + 1 + strspn(p + 1, " \t") != equals))
			return true;
		p = next;
	}
	return false;
}

static struct media_range parse_range(const char *entry, size_t len)
{
	const char *end = memchr(entry, ';', len), *slash;
	size_t full = end ? (size_t)(end - entry) : len;
	struct media_range range = { .type = entry };

	while (full > 0 && (entry[full - 1] == ' ' || entry[full - 1] == '\t'))
		full--;
	slash = memchr(entry, '/', full);
	range.type_len = slash ? (size_t)(slash - entry) : full;
	range.subtype = slash ? slash + 1 : "";
	range.subtype_len = slash ? full - range.type_len - 1 : 0;
	if (range.type_len == 1 && entry[0] == '*')
		range.precedence = 0;
	else if (range.subtype_len == 1 && range.subtype[0] == '*')
		range.precedence = 1;
	else
		range.precedence = 2;
	if (range.precedence == 2 && end && has_parameters(end + 1, (size_t)(entry + len - end - 1)))
		range.precedence = 3;
	return range;
}

static bool part_matches(const char *range, size_t len, const char *wanted)
{
	return (len == 1 && range[0] == '*') || (len == strlen(wanted) && strncasecmp(range, wanted, len) == 0);
}

static bool any_matches(const char *accept, int precedence, const char *type, const char *subtype)
{
	const char *entry;
	size_t len;

	while (next_entry(&accept, &entry, &len)) {
		struct media_range range = parse_range(entry, len);

		if (range.precedence == precedence && part_matches(range.type, range.type_len, type) &&
			part_matches(range.subtype, range.subtype_len, subtype))
			return true;
	}
	return false;
}

enum request_format request_negotiate(const char *format, const char *accept)
{
	bool json = true, html = true;

	if (format && *format) {
		json = streq(format, "json");
		html = streq(format, "api");
		if (!json && !html)
			return REQUEST_NO_FORMAT;
	}
	if (!accept)
		return json ? REQUEST_JSON : REQUEST_HTML;
	for (int precedence = 3; precedence >= 0; precedence--) {
		if (json && any_matches(accept, precedence, "application", "json"))
			return REQUEST_JSON;
		if (html && any_matches(accept, precedence, "text", "html"))
			return REQUEST_HTML;
	}
	return REQUEST_NOT_ACCEPTABLE;
}

bool request_accepts_coding(const char *accept_encoding, const char *coding)
{
	bool any = false;
	const char *entry;
	size_t len;

	if (!accept_encoding)
		return false;
	while (next_entry(&accept_encoding, &entry, &len)) {
		const char *parameters = memchr(entry, ';', len);
		size_t name = parameters ? (size_t)(parameters - entry) : len;
		bool refused = false;

		if (parameters) {
			const char *q = parameters + 1;

			q += strspn(q, " \t");
			/* q=0, q=0.0, q=0.000 */
			if (strncasecmp(q, "q=", 2) == 0) {
				size_t zeros = strspn(q + 2, "0.");

				refused = zeros > 0 && !(q[2 + zeros] >= '1' && q[2 + zeros] <= '9');
			}
		}
		while (name > 0 && (entry[name - 1] == ' ' || entry[name - 1] == '\t'))
			name--;
		if (name == strlen(coding) && strncasecmp(entry, coding, name) == 0)
			return !refused;
		if (name == 1 && entry[0] == '*')
			any = !refused;
	}
	return any;
}
