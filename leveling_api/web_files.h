/* The files of web/, compiled into the program by embed_web.cmake. */
#ifndef LEVELING_API_WEB_FILES_H
#define LEVELING_API_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *name;
	const unsigned char *data;
	size_t len;
};

extern const struct web_file web_files[];
extern const size_t web_file_count;

#endif
