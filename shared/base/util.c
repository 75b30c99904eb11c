/* Allocation that cannot fail, cleanup helpers, strict text-to-number. See base/util.h for the memory policy. */
#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The logger allocates, so this line goes out without it. */
static noreturn_function void out_of_memory(void)
{
	static const char line[] =
		"level=error msg=\"out of memory: leaving, the supervisor starts the service again\"\n";
	ssize_t written = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)written;
	abort();
}

void *xmalloc(size_t size)
{
	void *memory = malloc(size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	/* calloc() itself refuses a product that overflows. */
	void *memory = count && size ? calloc(count, size) : calloc(1, 1);

	if (!memory)
		out_of_memory();
	return memory;
}

void *xrealloc(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);

	if (!memory)
		out_of_memory();
	return memory;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *xstrndup(const char *text, size_t len)
{
	char *copy;

	len = strnlen(text, len);
	copy = xmalloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		out_of_memory();
	return text;
}

void freep(void *pointer_to_pointer)
{
	void *pointer;

	/* The variable may be of any pointer type; memcpy() does not care. */
	memcpy(&pointer, pointer_to_pointer, sizeof(pointer));
	free(pointer);
}

void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int parse_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (const char *p = text; *p; p++)
		if (*p < '0' || *p > '9')
			return -EINVAL;
	for (; *text; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return -ERANGE;
	*ret_value = value;
	return 0;
}

int parse_i64(const char *text, int64_t *ret_value)
{
	bool negative = *text == '-';
	uint64_t magnitude;
	int r;

	r = parse_u64(negative ? text + 1 : text, &magnitude);
	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	/* Unsigned arithmetic, since the magnitude of INT64_MIN does not fit the signed type. */
	*ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return 0;
}
