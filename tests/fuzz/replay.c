/* main() of a fuzz target without libFuzzer: gives every file of the directories (and the files) that it is told to the
 * target, once. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "fuzz.h"

static int replay_file(const char *path)
{
	struct str bytes cleanup(str_finish) = STR_INIT;
	FILE *file = fopen(path, "rb");
	char chunk[4096];
	size_t len;
	uint8_t *exact;

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add(&bytes, chunk, len);
	fclose(file);
	fprintf(stderr, "%s (%zu bytes)\n", path, bytes.len);
	/* In a block of exactly its size, so that reading beyond its end is seen. */
	exact = malloc(bytes.len ? bytes.len : 1);
	if (!exact)
		abort();
	memcpy(exact, bytes.buf, bytes.len);
	(void)LLVMFuzzerTestOneInput(exact, bytes.len);
	free(exact);
	return 1;
}

/* How many files were replayed, or -1. */
static int replay(const char *path)
{
	DIR *directory = opendir(path);
	int total = 0, n = 0;

	if (!directory)
		return replay_file(path);
	for (struct dirent *entry; n >= 0 && (entry = readdir(directory));) {
		char *inner cleanup(freep) = NULL;

		if (entry->d_name[0] == '.')
			continue;
		inner = xasprintf("%s/%s", path, entry->d_name);
		n = replay_file(inner);
		total += n;
	}
	closedir(directory);
	return n < 0 ? -1 : total;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}
