/* multipart/form-data: see multipart.h. */
#include "multipart.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/* A parameter of a header's value (name="value"), copied; "" when it is missing. `line` ends at a line break. */
static void parameter(const char *line, size_t len, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	out[0] = 0;
	for (size_t i = 0; i + n + 2 < len; i++) {
		if (strncasecmp(line + i, name, n) != 0 || line[i + n] != '=' || (i && !strchr("; \t", line[i - 1])))
			continue;
		const char *value = line + i + n + 1;
		size_t left = len - (i + n + 1), m;
		bool quoted = *value == '"';

		value += quoted;
		left -= quoted;
		for (m = 0; m < left && (quoted ? value[m] != '"' : !strchr("; \t\r", value[m])); m++)
			;
		m = MIN(m, size - 1);
		memcpy(out, value, m);
		out[m] = 0;
		return;
	}
}

static void parse_head(struct multipart_part *part, const char *head, size_t len)
{
	while (len) {
		const char *end = memmem(head, len, "\r\n", 2);
		size_t line = end ? (size_t)(end - head) : len;
		size_t skip = end ? line + 2 : line;

		if (line > 20 && strncasecmp(head, "Content-Disposition:", 20) == 0) {
			parameter(head, line, "name", part->name, sizeof(part->name));
			parameter(head, line, "filename", part->file_name, sizeof(part->file_name));
		} else if (line > 13 && strncasecmp(head, "Content-Type:", 13) == 0) {
			const char *value = head + 13 + strspn(head + 13, " \t");

			snprintf(part->type, sizeof(part->type), "%.*s", (int)MIN(head + line - value, 120), value);
		}
		head += skip;
		len -= skip;
	}
}

int multipart_parse(const char *content_type, const char *body, size_t len, struct multipart *ret_multipart)
{
	char boundary[80], mark[88];
	const char *at;
	size_t n;

	ret_multipart->count = 0;
	parameter(content_type, strlen(content_type), "boundary", boundary, sizeof(boundary));
	if (strncasecmp(content_type, "multipart/form-data", 19) != 0 || !boundary[0])
		return -EINVAL;
	n = (size_t)snprintf(mark, sizeof(mark), "--%s", boundary);
	at = memmem(body, len, mark, n);
	while (at) {
		const char *head = at + n, *end = body + len, *data, *next;
		struct multipart_part *part;

		if (end - head >= 2 && memcmp(head, "--", 2) == 0)
			return ret_multipart->count ? 0 : -EINVAL;
		data = memmem(head, (size_t)(end - head), "\r\n\r\n", 4);
		if (!data || ret_multipart->count == MULTIPART_PARTS_MAX)
			return data ? -E2BIG : -EINVAL;
		next = memmem(data, (size_t)(end - data), mark, n);
		if (!next || next - data < 6)
			return -EINVAL;
		part = &ret_multipart->parts[ret_multipart->count++];
		memset(part, 0, sizeof(*part));
		parse_head(part, head, (size_t)(data - head));
		part->data = data + 4;
		part->len = (size_t)(next - part->data) - 2; /* the line break before the mark */
		at = next;
	}
	return -EINVAL;
}

const struct multipart_part *multipart_find(const struct multipart *multipart, const char *name)
{
	for (size_t i = 0; i < multipart->count; i++)
		if (streq(multipart->parts[i].name, name))
			return &multipart->parts[i];
	return NULL;
}
