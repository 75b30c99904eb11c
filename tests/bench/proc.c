/* Reads /proc (proc.h). */
#include "proc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The value of a line of /proc/PID/status, in bytes. */
static int64_t status_bytes(int pid, const char *key)
{
	char path[64], line[256];
	long long kilobytes = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (kilobytes < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, key, strlen(key)) == 0)
			sscanf(line + strlen(key), ": %lld", &kilobytes);
	fclose(file);
	return kilobytes < 0 ? -1 : kilobytes * 1024;
}

int64_t proc_resident(int pid)
{
	return status_bytes(pid, "VmRSS");
}

int64_t proc_resident_max(int pid)
{
	return status_bytes(pid, "VmHWM");
}

usec proc_cpu(int pid)
{
	char path[64], text[1024];
	unsigned long user, kernel;
	const char *rest;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return -1;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	/* The program's name may contain anything, so count from the bracket behind it. */
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel) != 2)
		return -1;
	return (usec)(user + kernel) * SECOND / sysconf(_SC_CLK_TCK);
}
