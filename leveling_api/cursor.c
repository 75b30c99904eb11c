/* See cursor.h. */
#include "cursor.h"

#include <errno.h>

#include "base/util.h"

#define FIELDS 4

void cursor_write(struct str *out, const struct cursor *cursor)
{
	str_printf(out, "%llu.%lld.%lld.%llu", (unsigned long long)cursor->order, (long long)cursor->key.points,
		(long long)cursor->key.id, (unsigned long long)cursor->rank);
}

int cursor_parse(const char *text, struct cursor *ret_cursor)
{
	uint64_t fields[FIELDS];
	char digits[24];

	for (size_t i = 0; i < FIELDS; i++) {
		size_t len = strcspn(text, ".");

		if (len >= sizeof(digits) || (text[len] == '.') != (i + 1 < FIELDS))
			return -EINVAL;
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (parse_u64(digits, &fields[i]) < 0)
			return -EINVAL;
		text += len + 1;
	}
	if (fields[1] > INT64_MAX || fields[2] > INT64_MAX || fields[3] < 1 || fields[3] > INT64_MAX)
		return -EINVAL;
	*ret_cursor = (struct cursor){ fields[0], { (int64_t)fields[1], (int64_t)fields[2] }, fields[3] };
	return 0;
}
