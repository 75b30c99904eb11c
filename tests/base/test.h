/* What every test of this directory includes first: cmocka with the headers that it wants, and helpers for temporary files. */
#ifndef TESTS_BASE_TEST_H
#define TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* A fresh directory in $TMPDIR; test_remove_directory() removes it with the files in it and frees the path. */
static inline char *test_make_directory(void)
{
	const char *parent = getenv("TMPDIR");
	char *path = xasprintf("%s/walle-test-XXXXXX", parent ? parent : "/tmp");

	assert_non_null(mkdtemp(path));
	return path;
}

static inline void test_remove_directory(char *path)
{
	DIR *dir = opendir(path);

	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		char *file;

		if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
			continue;
		file = xasprintf("%s/%s", path, entry->d_name);
		assert_int_equal(unlink(file), 0);
		free(file);
	}
	closedir(dir);
	assert_int_equal(rmdir(path), 0);
	free(path);
}

/* The path is the caller's. */
static inline char *test_write_file(const char *directory, const char *name, const void *data, size_t len)
{
	char *path = xasprintf("%s/%s", directory, name);
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

static inline void test_read_file(const char *path, struct str *content)
{
	FILE *file = fopen(path, "rb");
	char chunk[4096];
	size_t len;

	assert_non_null(file);
	str_clear(content);
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add(content, chunk, len);
	fclose(file);
}

#endif
