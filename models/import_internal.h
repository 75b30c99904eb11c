/* What the parts of the import share: import.c (order, transaction, report), import_tables.c (what each old table
 * becomes), import_sqlite.c and import_dump.c (the two kinds of file). */
#ifndef MODELS_IMPORT_INTERNAL_H
#define MODELS_IMPORT_INTERNAL_H

#include "engine.h"
#include "models/db.h"
#include "models/import.h"

#define IMPORT_COLUMNS_MAX 24
#define IMPORT_TABLES_MAX  16

enum import_kind {
	IMPORT_ID,    /* a snowflake or row id: whole, above 0 */
	IMPORT_COUNT, /* whole, not negative */
	IMPORT_EPOCH, /* seconds since 1970; handed on as microseconds */
	IMPORT_BOOL,  /* handed on as 0 or 1 */
	IMPORT_TEXT,
	IMPORT_DATE,    /* text; handed on as microseconds */
	IMPORT_DROPPED, /* not kept; values other than NULL, 0 and false are counted */
};

struct import_column {
	const char *name; /* NULL ends the list */
	enum import_kind kind;
	bool nullable;
	/* IMPORT_DROPPED: why it is not kept; NULL: it follows from the other columns, nothing is lost */
	const char *reason;
	const char *field; /* its name in a dump where it differs: a reference has no "_id" there */
};

struct import;

/* An old table. The first column is the primary key ("pk" in a dump). */
struct import_table {
	const char *table, *model;
	struct import_column columns[IMPORT_COLUMNS_MAX];
	const char *reason; /* the rows are not kept: why; `convert` is NULL then */
	/* Called with one value per column, checked and converted by kind. 0, or 1 after import_skip(), or -errno */
	int (*convert)(struct import *import, const struct engine_value *values);
};

extern const struct import_table import_tables[];
extern const size_t import_table_count;

struct import_skip {
	char *reason;
	int64_t count, examples[3];
};

struct import_count {
	int64_t read, converted;
	int64_t dropped[IMPORT_COLUMNS_MAX];
	struct import_skip *skips;
	size_t skip_count, skip_room;
};

struct import {
	struct db *db;
	const char *file;
	bool merge;
	const char *source; /* what the file is, for the report */
	struct import_count counts[IMPORT_TABLES_MAX];
	size_t current;    /* the table at work */
	int64_t key;       /* its row at work */
	struct str others; /* lines about tables, models and columns that are not Wall-E's */
	struct str *reterr_message;
};

/* One row of import_tables[table] as the file has it: checks, converts, counts. */
int import_row(struct import *import, size_t table, const struct engine_value *values) warn_unused;
/* Counts the row at work as skipped; returns 1. `reason` is copied. */
int import_skip(struct import *import, const char *reason);
/* "2025-07-01 19:00:00.123456", with T for the blank and Z or an offset as in dumps. -EINVAL */
int import_parse_date(const char *text, usec *ret_time) warn_unused;

/* Feed every row of the file to import_row(). */
int import_sqlite(struct import *import) warn_unused;
int import_dump(struct import *import) warn_unused;

#endif
