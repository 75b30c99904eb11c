/* From an answer to a libmicrohttpd response: the headers that all answers carry, ETag and 304, compression, CORS. */
#ifndef LEVELING_API_REPLY_H
#define LEVELING_API_REPLY_H

#include <microhttpd.h>

#include "answer.h"

struct reply {
	unsigned status;
	struct MHD_Response *response; /* the caller's */
	size_t bytes;                  /* of the body; with 304, too, it is kept until the answer is sent */
};

/* `origins`: the configured list. Takes the body out of the answer. */
struct reply reply_create(struct answer *answer, const struct request *request, const char *origins);
/* Whether this is a CORS preflight: it is answered without asking the route. */
bool reply_is_preflight(const struct request *request);
struct reply reply_create_preflight(const struct request *request, const char *origins);

/* Appends 32 hexadecimal digits that tell different texts apart. */
void reply_hash(struct str *out, const void *data, size_t len);
/* Whether an If-None-Match header names this tag (weakly compared, as the header is). */
bool reply_tag_matches(const char *if_none_match, const char *tag);

#endif
