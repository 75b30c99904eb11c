/* Texts for error numbers: libc's, and the few that libuv adds for failures that have no errno. */
#include "base/error.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* uv.h, UV__EAI_* and beyond: base does not link libuv, and the numbers are part of its binary interface. */
static const struct {
	int error;
	const char *text;
} libuv_errors[] = {
	{ 3000, "The name's address family is not supported" },
	{ 3001, "The name cannot be resolved at the moment" },
	{ 3004, "The name server failed for good" },
	{ 3006, "Out of memory while resolving the name" },
	{ 3007, "The name has no address" },
	{ 3008, "Unknown host name" },
	{ 4080, "Invalid character in a host name" },
	{ 4094, "Unknown error" },
	{ 4095, "End of file" },
};

const char *error_text(int error)
{
	static _Thread_local char buffer[40];
	const char *text;

	if (error < 0 && error != INT_MIN)
		error = -error;
	/* Unlike strerror(), this one is safe in threads and always English. */
	text = strerrordesc_np(error);
	if (text)
		return text;
	for (size_t i = 0; i < ARRAY_SIZE(libuv_errors); i++)
		if (libuv_errors[i].error == error)
			return libuv_errors[i].text;
	snprintf(buffer, sizeof(buffer), "Unknown error %d", error);
	return buffer;
}
