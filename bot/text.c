/* Escaping and numbers (text.h). */
#include "text.h"

#include <stdio.h>

#include "base/utf8.h"

/* Characters that change how the rest of a line looks, or are not to be seen at all. */
static bool invisible(uint32_t c)
{
	return c < 0x20 || c == 0x7F || (c >= 0x80 && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
	       (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

void text_add_escaped(struct str *out, const char *name)
{
	size_t len = strlen(name), step;
	uint32_t c;

	for (size_t at = 0; at < len; at += step) {
		step = utf8_next(name + at, len - at, &c);
		if (!step) {
			step = 1;
			continue;
		}
		if (invisible(c)) {
			str_addc(out, ' ');
			continue;
		}
		if (c < 0x80 && strchr("\\*_~`|>#[]()<:-", (int)c))
			str_addc(out, '\\');
		str_add(out, name + at, step);
		/* a zero-width blank keeps @everyone and <@1> from being mentions even where mentions are parsed */
		if (c == '@')
			utf8_append(out, 0x200B);
	}
}

void text_add_number(struct str *out, int64_t number)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%lld", (long long)number);
	int first = digits[0] == '-' ? 1 : 0;

	for (int i = 0; i < len; i++) {
		if (i > first && (len - i) % 3 == 0)
			str_addc(out, ',');
		str_addc(out, digits[i]);
	}
}
