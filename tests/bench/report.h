/* What a benchmark says: one row per figure, beside its baseline from the same run, the target and whether it was met; as a table, or with --json
 * as one object on one line.
 *
 *	int main(int argc, char **argv)
 *	{
 *		report_begin(argc, argv, "rank", "Rank and page of the leaderboard");
 *		report_row(&(struct report_row){ .what = "rank of one member", .unit = "us", .figure = 3,
 *			.baseline = 900, .baseline_is = "the same rank counted by SQL", .target = 1000, .kind = REPORT_AT_MOST });
 *		return report_end();
 *	}
 *
 * --quick does a tenth of the work and judges nothing: on a busy machine the figures of a small run say little. Everything
 * else that is written to standard output by then (cmocka's progress) goes to standard error.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include "base/util.h"

enum report_kind {
	REPORT_ONLY,          /* no target */
	REPORT_AT_LEAST,      /* the figure */
	REPORT_AT_MOST,       /* the figure */
	REPORT_RATIO_AT_MOST, /* figure / baseline */
};

struct report_row {
	const char *what, *unit;
	double figure;
	double baseline; /* 0: none */
	const char *baseline_is;
	double target;
	enum report_kind kind;
};

/* Reads --json and --quick; ends the program with status 2 on anything else. */
void report_begin(int argc, char **argv, const char *name, const char *about);
bool report_quick(void);
/* A tenth of it in the quick form, at least 1. */
unsigned long report_work(unsigned long full);
/* Texts are copied. */
void report_row(const struct report_row *row);
/* A sentence under the table: how it was measured, what else was seen. */
void report_note(const char *format, ...) printf_like(1, 2);
/* Writes the report. The exit status: 0, or 1 when a target was not met. */
int report_end(void) warn_unused;

#endif
