/* multipart/form-data bodies (RFC 7578), as uploads use them: payload_json and files[n]. */
#ifndef FAKE_MULTIPART_H
#define FAKE_MULTIPART_H

#include <stddef.h>

#define MULTIPART_PARTS_MAX 16

struct multipart_part {
	char name[64], file_name[260], type[128]; /* "" when it was not given */
	const char *data;                         /* in the body */
	size_t len;
};

struct multipart {
	struct multipart_part parts[MULTIPART_PARTS_MAX];
	size_t count;
};

/* 0; -EINVAL: no multipart body, or a broken one; -E2BIG: too many parts. */
int multipart_parse(const char *content_type, const char *body, size_t len, struct multipart *ret_multipart);
const struct multipart_part *multipart_find(const struct multipart *multipart, const char *name);

#endif
