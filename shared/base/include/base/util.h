/* Small things that every file needs: attributes, array sizes, string comparison, allocation that cannot fail.
 *
 * Memory policy: small internal allocations use the x*() functions, which log and abort when memory is out (the
 * supervisor restarts the service, and what matters is in the database). Anything whose size a stranger decides is
 * capped before it is allocated.
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h> /* libuv's header includes it; here its MIN and MAX are replaced */

#define ARRAY_SIZE(a)                      (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(pointer, type, field) ((type *)((char *)(pointer)-offsetof(type, field)))

/* Evaluate their arguments once: what reads a clock or draws a random number may stand in them. Not for constants at
 * file scope. */
#undef MIN
#undef MAX
#define MIN(a, b)                         UTIL_PICK(<, a, b, __COUNTER__)
#define MAX(a, b)                         UTIL_PICK(>, a, b, __COUNTER__)
#define UTIL_PICK(operator, a, b, unique) UTIL_PICK_NAMED(operator, a, b, unique)
#define UTIL_PICK_NAMED(operator, a, b, unique)                           \
	__extension__({                                                   \
		__typeof__(0 ? (a) : (b)) a_##unique = (a);               \
		__typeof__(0 ? (a) : (b)) b_##unique = (b);               \
		a_##unique operator b_##unique ? a_##unique : b_##unique; \
	})

/* The variable's pointer is handed to FUNCTION when the variable leaves its scope. */
#define cleanup(function)        __attribute__((cleanup(function)))
#define warn_unused              __attribute__((warn_unused_result))
#define printf_like(text, first) __attribute__((format(printf, text, first)))
#define noreturn_function        __attribute__((noreturn))

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Never return NULL. The result belongs to the caller, who gives it to free(). */
void *xmalloc(size_t size) warn_unused;
void *xcalloc(size_t count, size_t size) warn_unused;
void *xrealloc(void *old, size_t size) warn_unused;
char *xstrdup(const char *text) warn_unused;
char *xstrndup(const char *text, size_t len) warn_unused;
char *xasprintf(const char *format, ...) printf_like(1, 2) warn_unused;

/* For cleanup(freep): frees what the variable points to. */
void freep(void *pointer_to_pointer);
/* For cleanup(closep): closes the descriptor unless it is negative. */
void closep(int *fd);

/* Text to number, the whole string, base 10, no sign for the unsigned one, no blanks. 0, -EINVAL or -ERANGE. */
int parse_u64(const char *text, uint64_t *ret_value) warn_unused;
int parse_i64(const char *text, int64_t *ret_value) warn_unused;

#endif
