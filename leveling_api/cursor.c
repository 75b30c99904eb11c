/* See cursor.h. */
#include "cursor.h"

#include <errno.h>

#include "base/util.h"

#define FIELDS 5

void cursor_write(struct str *out, const struct cursor *cursor)
{
	str_printf(out, "%u.%llu.%lld.%lld.%llu", cursor->instance, (unsigned long long)cursor->version,
		(long long)cursor->key.points, (long long)cursor->key.id, (unsigned long long)cursor->rank);
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
	if (fields[0] > UINT32_MAX || fields[2] > INT64_MAX || fields[3] > INT64_MAX || fields[4] > INT64_MAX)
		return -EINVAL;
	*ret_cursor = (struct cursor){ (uint32_t)fields[0], fields[1], { (int64_t)fields[2], (int64_t)fields[3] },
		fields[4] };
	return 0;
}
