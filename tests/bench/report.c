/* The report of a benchmark (report.h). One per program, so its state is static. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define ROWS_MAX  32
#define NOTES_MAX 16

static struct {
	const char *name, *about;
	bool json, quick;
	FILE *out; /* the standard output that the program was started with */
	struct report_row rows[ROWS_MAX];
	size_t row_count;
	char *notes[NOTES_MAX];
	size_t note_count;
	usec began;
} report;

void report_begin(int argc, char **argv, const char *name, const char *about)
{
	int out;

	for (int i = 1; i < argc; i++) {
		if (streq(argv[i], "--json")) {
			report.json = true;
		} else if (streq(argv[i], "--quick")) {
			report.quick = true;
		} else {
			fprintf(stderr, "usage: bench-%s [--json] [--quick]\n", name);
			exit(2);
		}
	}
	report.name = name;
	report.about = about;
	report.began = clock_monotonic();
	/* Benchmarks write databases: where tests may do with memory, these want a disk. */
	if (setenv("TMPDIR", "/var/tmp", 0) < 0)
		exit(1);
	out = dup(STDOUT_FILENO);
	report.out = out < 0 ? NULL : fdopen(out, "w");
	if (!report.out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
		perror("bench: standard output");
		exit(1);
	}
}

bool report_quick(void)
{
	return report.quick;
}

unsigned long report_work(unsigned long full)
{
	return report.quick ? MAX(full / 10, 1ul) : full;
}

void report_row(const struct report_row *row)
{
	struct report_row *copy;

	if (report.row_count == ROWS_MAX)
		abort();
	copy = &report.rows[report.row_count++];
	*copy = *row;
	copy->what = xstrdup(row->what);
	copy->unit = xstrdup(row->unit);
	copy->baseline_is = row->baseline_is ? xstrdup(row->baseline_is) : NULL;
}

void report_note(const char *format, ...)
{
	struct str text = STR_INIT;
	va_list arguments;
	size_t len;

	if (report.note_count == NOTES_MAX)
		abort();
	va_start(arguments, format);
	str_vprintf(&text, format, arguments);
	va_end(arguments);
	report.notes[report.note_count++] = str_detach(&text, &len);
}

static double ratio(const struct report_row *row)
{
	return row->baseline > 0 ? row->figure / row->baseline : 0;
}

static bool met(const struct report_row *row)
{
	switch (row->kind) {
	case REPORT_ONLY: return true;
	case REPORT_AT_LEAST: return row->figure >= row->target;
	case REPORT_AT_MOST: return row->figure <= row->target;
	case REPORT_RATIO_AT_MOST: return row->baseline > 0 && ratio(row) <= row->target;
	}
	return false;
}

/* Three digits are enough; large numbers are whole. */
static const char *number(char *text, size_t size, double value)
{
	int decimals = value >= 100 || value == 0 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;

	snprintf(text, size, "%.*f", decimals, value);
	return text;
}

static const char *target_text(char *text, size_t size, const struct report_row *row)
{
	static const char *const signs[] = { "", ">= ", "<= ", "ratio <= " };
	char value[32];

	if (row->kind == REPORT_ONLY)
		return "";
	snprintf(text, size, "%s%s", signs[row->kind], number(value, sizeof(value), row->target));
	return text;
}

static const char *verdict(const struct report_row *row)
{
	if (row->kind == REPORT_ONLY)
		return "";
	if (report.quick)
		return "not judged";
	return met(row) ? "met" : "NOT MET";
}

static void write_table(void)
{
	char figure[32], baseline[32], times[32], target[48], what[96];

	fprintf(report.out, "\n%s: %s%s\n\n", report.name, report.about, report.quick ? " (quick form)" : "");
	fprintf(report.out, "%-50s %12s %12s %8s  %-14s %s\n", "", "figure", "baseline", "ratio", "target", "");
	for (size_t i = 0; i < report.row_count; i++) {
		const struct report_row *row = &report.rows[i];

		snprintf(what, sizeof(what), "%s, %s", row->what, row->unit);
		fprintf(report.out, "%-50s %12s %12s %8s  %-14s %s\n", what,
			number(figure, sizeof(figure), row->figure),
			row->baseline > 0 ? number(baseline, sizeof(baseline), row->baseline) : "",
			row->baseline > 0 ? number(times, sizeof(times), ratio(row)) : "",
			target_text(target, sizeof(target), row), verdict(row));
		if (row->baseline_is)
			fprintf(report.out, "    baseline: %s\n", row->baseline_is);
	}
	fputc('\n', report.out);
	for (size_t i = 0; i < report.note_count; i++)
		fprintf(report.out, "  %s\n", report.notes[i]);
}

static void put_number(struct json_writer *w, const char *key, double value)
{
	json_key(w, key);
	json_write_double(w, value);
}

static void write_row(struct json_writer *w, const struct report_row *row)
{
	json_begin_object(w);
	json_put_string(w, "what", row->what);
	json_put_string(w, "unit", row->unit);
	put_number(w, "figure", row->figure);
	if (row->baseline > 0) {
		put_number(w, "baseline", row->baseline);
		json_put_string(w, "baseline_is", row->baseline_is);
		put_number(w, "ratio", ratio(row));
	}
	if (row->kind != REPORT_ONLY) {
		json_put_string(w, "target_kind",
			row->kind == REPORT_AT_LEAST  ? "at least"
			: row->kind == REPORT_AT_MOST ? "at most"
						      : "ratio at most");
		put_number(w, "target", row->target);
		json_key(w, "met");
		if (report.quick)
			json_write_null(w);
		else
			json_write_bool(w, met(row));
	}
	json_end_object(w);
}

static void write_json(void)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);
	struct utsname machine;

	json_begin_object(&w);
	json_put_string(&w, "benchmark", report.name);
	json_put_string(&w, "about", report.about);
	json_put_bool(&w, "quick", report.quick);
	if (uname(&machine) == 0)
		json_put_string(&w, "machine", machine.machine);
	json_put_int(&w, "processors", sysconf(_SC_NPROCESSORS_ONLN));
	put_number(&w, "seconds", (double)(clock_monotonic() - report.began) / SECOND);
	json_key(&w, "rows");
	json_begin_array(&w);
	for (size_t i = 0; i < report.row_count; i++)
		write_row(&w, &report.rows[i]);
	json_end_array(&w);
	json_key(&w, "notes");
	json_begin_array(&w);
	for (size_t i = 0; i < report.note_count; i++)
		json_write_string(&w, report.notes[i]);
	json_end_array(&w);
	json_end_object(&w);
	fprintf(report.out, "%s\n", text.buf);
}

int report_end(void)
{
	bool all_met = true;

	if (report.json)
		write_json();
	else
		write_table();
	for (size_t i = 0; i < report.row_count; i++) {
		all_met = all_met && met(&report.rows[i]);
		free((char *)report.rows[i].what);
		free((char *)report.rows[i].unit);
		free((char *)report.rows[i].baseline_is);
	}
	for (size_t i = 0; i < report.note_count; i++)
		free(report.notes[i]);
	if (fclose(report.out) != 0) {
		perror("bench: standard output");
		return 1;
	}
	return all_met || report.quick ? 0 : 1;
}
