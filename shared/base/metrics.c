/* The list of metrics and its text form (Prometheus text exposition format 0.0.4). A new process-wide figure is one row
 * in process_metrics. */
#include "base/metrics.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static const char *const kind_names[] = {
	[METRIC_KIND_COUNTER] = "counter",
	[METRIC_KIND_GAUGE] = "gauge",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *first;

void metrics_register(struct metric *metric)
{
	struct metric **at = &first, **after_same_name = NULL;

	pthread_mutex_lock(&lock);
	if (!metric->registered) {
		/* The format wants the lines of one name together, under one HELP and TYPE. */
		for (; *at; at = &(*at)->next)
			if (streq((*at)->name, metric->name))
				after_same_name = &(*at)->next;
		if (after_same_name)
			at = after_same_name;
		metric->next = *at;
		metric->registered = true;
		*at = metric;
	}
	pthread_mutex_unlock(&lock);
}

static void write_header(struct str *out, const char *name, const char *help, enum metric_kind kind)
{
	str_printf(out, "# HELP %s ", name);
	for (; *help; help++) {
		if (*help == '\n')
			str_adds(out, "\\n");
		else if (*help == '\\')
			str_adds(out, "\\\\");
		else
			str_addc(out, *help);
	}
	str_printf(out, "\n# TYPE %s %s\n", name, kind_names[kind]);
}

/* A file of /proc, which comes whole in one read. */
static bool read_small_file(const char *path, char *buf, size_t size)
{
	int fd cleanup(closep) = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (len <= 0)
		return false;
	buf[len] = '\0';
	return true;
}

/* The number behind `skip` other fields; fields are divided by single blanks. */
static bool number_at(const char *text, int skip, uint64_t *ret_value)
{
	char *end;

	for (; skip > 0; skip--) {
		text = strchr(text, ' ');
		if (!text)
			return false;
		text++;
	}
	*ret_value = strtoull(text, &end, 10);
	return end > text;
}

static bool resident_memory(double *ret_value)
{
	char text[128];
	uint64_t pages;

	/* proc(5): size resident shared ... in pages */
	if (!read_small_file("/proc/self/statm", text, sizeof(text)) || !number_at(text, 1, &pages))
		return false;
	*ret_value = (double)pages * (double)sysconf(_SC_PAGESIZE);
	return true;
}

static bool start_time(double *ret_value)
{
	static _Atomic int64_t started; /* milliseconds; computed once so that a step of the clock does not move it */
	char text[1024];
	const char *after_name;
	struct timespec since_boot;
	uint64_t ticks;

	if (!atomic_load(&started)) {
		/* proc(5): field 22 is the start in clock ticks after boot; the name in field 2 may hold blanks and
		 * ')'. */
		if (!read_small_file("/proc/self/stat", text, sizeof(text)))
			return false;
		after_name = strrchr(text, ')');
		if (!after_name || !number_at(after_name, 20, &ticks))
			return false;
		clock_gettime(CLOCK_BOOTTIME, &since_boot);
		atomic_store(&started, clock_realtime() / MILLISECOND - since_boot.tv_sec * 1000 -
					       since_boot.tv_nsec / 1000000 +
					       (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	}
	*ret_value = (double)atomic_load(&started) / 1e3;
	return true;
}

static const struct {
	const char *name, *help;
	bool (*read)(double *ret_value);
} process_metrics[] = {
	{ "process_resident_memory_bytes", "Resident memory size in bytes.", resident_memory },
	{ "process_start_time_seconds", "Start time of the process since 1970-01-01 UTC in seconds.", start_time },
};

void metrics_write(struct str *out)
{
	const char *previous = "";

	pthread_mutex_lock(&lock);
	for (struct metric *metric = first; metric; metric = metric->next) {
		if (!streq(metric->name, previous))
			write_header(out, metric->name, metric->help, metric->kind);
		previous = metric->name;
		str_adds(out, metric->name);
		if (metric->labels)
			str_printf(out, "{%s}", metric->labels);
		str_addc(out, ' ');
		str_addi64(out, atomic_load_explicit(&metric->value, memory_order_relaxed));
		str_addc(out, '\n');
	}
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < ARRAY_SIZE(process_metrics); i++) {
		double value;

		if (!process_metrics[i].read(&value))
			continue;
		write_header(out, process_metrics[i].name, process_metrics[i].help, METRIC_KIND_GAUGE);
		str_printf(out, "%s %.3f\n", process_metrics[i].name, value);
	}
}
