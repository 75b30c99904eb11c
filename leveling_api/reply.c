/* See reply.h. */
#include "reply.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

#define XXH_INLINE_ALL /* a header alone: nothing to link, nothing more in the image */
#include <xxhash.h>

#define COMPRESS_MIN   512 /* below this gzip saves nothing worth its time */
#define COMPRESS_LEVEL 4

#define CORS_HEADERS \
	"accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, x-csrftoken, x-requested-with"

void reply_hash(struct str *out, const void *data, size_t len)
{
	XXH128_hash_t hash = XXH3_128bits(data, len);

	str_printf(out, "%016" PRIx64 "%016" PRIx64, hash.high64, hash.low64);
}

bool reply_tag_matches(const char *if_none_match, const char *tag)
{
	size_t len = strlen(tag);

	for (const char *p = if_none_match; *p;) {
		size_t entry;

		p += strspn(p, ", \t");
		if (*p == '*')
			return true;
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		entry = strcspn(p, ", \t");
		if (entry == len && memcmp(p, tag, len) == 0)
			return true;
		p += entry;
	}
	return false;
}

static void add(struct MHD_Response *response, const char *name, const char *value)
{
	/* Refused are only malformed names and values; all of ours are constants or checked. */
	(void)!MHD_add_response_header(response, name, value);
}

static bool compress_body(struct str *body)
{
	z_stream stream = { 0 };
	struct str packed = STR_INIT;
	bool done;

	if (deflateInit2(&stream, COMPRESS_LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	str_reserve(&packed, deflateBound(&stream, (uLong)body->len));
	stream.next_in = (Bytef *)body->buf;
	stream.avail_in = (uInt)body->len;
	stream.next_out = (Bytef *)packed.buf;
	stream.avail_out = (uInt)(packed.cap - 1);
	done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
	packed.len = stream.total_out;
	deflateEnd(&stream);
	if (!done) {
		str_finish(&packed);
		return false;
	}
	str_finish(body);
	/* The bound is far above what most texts need. */
	packed.cap = packed.len + 1;
	packed.buf = xrealloc(packed.buf, packed.cap);
	*body = packed;
	return true;
}

static bool is_text(const char *type)
{
	return strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0 ||
	       strncmp(type, "image/svg", 9) == 0;
}

static void add_cors(struct MHD_Response *response, const struct request *request, const char *origins)
{
	if (!request->origin || !request_origin_listed(origins, request->origin))
		return;
	add(response, "Access-Control-Allow-Origin", request->origin);
	add(response, "Access-Control-Expose-Headers",
		"ETag, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset");
}

/* The body's memory becomes the response's. */
static struct MHD_Response *create(struct str *body, size_t *ret_bytes)
{
	size_t len;
	char *data = str_detach(body, &len);

	*ret_bytes = len;
	return MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
}

/* Gives the body its tag; true when the client has it already. */
static bool tag_body(struct answer *answer, const struct request *request, bool compressed, struct str *ret_tag)
{
	if (answer->volatile_body || answer->status != 200 || answer->body.len == 0)
		return false;
	str_addc(ret_tag, '"');
	reply_hash(ret_tag, answer->body.buf, answer->body.len);
	str_adds(ret_tag, compressed ? "-gz\"" : "\"");
	return request->if_none_match && reply_tag_matches(request->if_none_match, ret_tag->buf);
}

struct reply reply_create(struct answer *answer, const struct request *request, const char *origins)
{
	struct str tag cleanup(str_finish) = STR_INIT;
	bool compress = answer->body.len >= COMPRESS_MIN && is_text(answer->type) &&
			request_accepts_coding(request->accept_encoding, "gzip");
	bool known = tag_body(answer, request, compress, &tag);
	struct reply reply = { .status = (unsigned)(known ? 304 : answer->status) };

	/* With 304, too: the library keeps the body for itself, but its length must be that of the 200 (RFC 9110, section 8.6). */
	if (compress && !compress_body(&answer->body))
		compress = false;
	reply.response = create(&answer->body, &reply.bytes);
	if (!reply.response)
		return reply;
	if (reply.status != 304 && reply.status != 204)
		add(reply.response, "Content-Type", answer->type);
	if (compress && !known)
		add(reply.response, "Content-Encoding", "gzip");
	if (tag.len > 0)
		add(reply.response, "ETag", tag.buf);
	if (answer->allow)
		add(reply.response, "Allow", answer->allow);
	if (answer->location)
		add(reply.response, "Location", answer->location);
	if (answer->retry)
		add(reply.response, "Retry-After", "1");
	add(reply.response, "Cache-Control",
		answer->cache_control   ? answer->cache_control
		: answer->status >= 500 ? "no-store"
					: "no-cache");
	add(reply.response, "Vary", "Accept, Accept-Encoding, Origin");
	add(reply.response, "X-Content-Type-Options", "nosniff");
	add(reply.response, "Referrer-Policy", "same-origin");
	add(reply.response, "Content-Security-Policy",
		answer->csp ? answer->csp : "default-src 'none'; frame-ancestors 'none'");
	if (!answer->no_cors)
		add_cors(reply.response, request, origins);
	return reply;
}

bool reply_is_preflight(const struct request *request)
{
	return request->method == METHOD_OPTIONS && request->preflight_method;
}

struct reply reply_create_preflight(const struct request *request, const char *origins)
{
	struct reply reply = { .status = 200 };

	reply.response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	if (!reply.response)
		return reply;
	add(reply.response, "Vary", "Origin");
	if (request->origin && request_origin_listed(origins, request->origin)) {
		add_cors(reply.response, request, origins);
		/* The old server's list. What would write gets its 405, and only with leave to ask can a page read that. HEAD needs none. */
		add(reply.response, "Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, PATCH, POST, PUT");
		/* The old server's list, and beyond the contract what a cache of one's own needs. */
		add(reply.response, "Access-Control-Allow-Headers",
			strncmp(request->path, "/v1/", 4) == 0 ? CORS_HEADERS ", if-none-match" : CORS_HEADERS);
		add(reply.response, "Access-Control-Max-Age", "86400");
	}
	return reply;
}
