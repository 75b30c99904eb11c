/* Growing text; see base/str.h. Capacity doubles, so appending is linear in all. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* What every empty str points to. Nothing is ever written to it but its NUL. */
char str_empty[1] = "";

void str_init(struct str *str)
{
	*str = (struct str)STR_INIT;
}

void str_finish(struct str *str)
{
	if (str->cap)
		free(str->buf);
	str_init(str);
}

void str_clear(struct str *str)
{
	str_truncate(str, 0);
}

void str_reserve(struct str *str, size_t more)
{
	size_t needed, cap;

	/* A length that overflows can only end in an allocation that is refused, and that one aborts. */
	if (__builtin_add_overflow(str->len, more, &needed) || needed > SIZE_MAX / 4)
		needed = SIZE_MAX / 2;
	if (needed < str->cap)
		return;
	cap = MAX(str->cap * 2, MAX(needed + 1, (size_t)32));
	if (str->cap) {
		str->buf = xrealloc(str->buf, cap);
	} else {
		str->buf = xmalloc(cap);
		str->buf[0] = '\0';
	}
	str->cap = cap;
}

void str_add(struct str *str, const void *data, size_t len)
{
	if (len == 0)
		return;
	str_reserve(str, len);
	memcpy(str->buf + str->len, data, len);
	str->len += len;
	str->buf[str->len] = '\0';
}

void str_adds(struct str *str, const char *text)
{
	str_add(str, text, strlen(text));
}

void str_addc(struct str *str, char c)
{
	str_reserve(str, 1);
	str->buf[str->len++] = c;
	str->buf[str->len] = '\0';
}

void str_addu64(struct str *str, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	str_add(str, digits + at, sizeof(digits) - at);
}

void str_addi64(struct str *str, int64_t value)
{
	if (value < 0)
		str_addc(str, '-');
	str_addu64(str, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void str_printf(struct str *str, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	str_vprintf(str, format, args);
	va_end(args);
}

void str_vprintf(struct str *str, const char *format, va_list args)
{
	va_list again;
	int len;

	str_reserve(str, 63);
	va_copy(again, args);
	len = vsnprintf(str->buf + str->len, str->cap - str->len, format, again);
	va_end(again);
	if (len >= 0 && (size_t)len >= str->cap - str->len) {
		str_reserve(str, (size_t)len);
		len = vsnprintf(str->buf + str->len, str->cap - str->len, format, args);
	}
	if (len > 0)
		str->len += (size_t)len;
	str->buf[str->len] = '\0';
}

void str_truncate(struct str *str, size_t len)
{
	if (len >= str->len)
		return;
	str->len = len;
	str->buf[len] = '\0';
}

void str_remove(struct str *str, size_t offset, size_t len)
{
	if (offset >= str->len)
		return;
	len = MIN(len, str->len - offset);
	memmove(str->buf + offset, str->buf + offset + len, str->len - offset - len);
	str_truncate(str, str->len - len);
}

char *str_detach(struct str *str, size_t *ret_len)
{
	char *text = str->cap ? str->buf : xstrdup("");

	if (ret_len)
		*ret_len = str->len;
	str_init(str);
	return text;
}
