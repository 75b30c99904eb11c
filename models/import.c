/* The import's order of work: which kind of file, one transaction, each row checked and counted, the report. */
#include "models/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/utf8.h"
#include "db_internal.h"
#include "import_internal.h"
#include "query.h"

/* Seconds beyond this do not fit into microseconds. */
#define EPOCH_MAX (INT64_MAX / SECOND)

int import_skip(struct import *import, const char *reason)
{
	struct import_count *count = &import->counts[import->current];
	struct import_skip *skip;
	size_t i = 0;

	while (i < count->skip_count && !streq(count->skips[i].reason, reason))
		i++;
	if (i == count->skip_count) {
		query_grow(count->skips, count->skip_count, count->skip_room);
		count->skips[count->skip_count++] = (struct import_skip){ .reason = xstrdup(reason) };
	}
	skip = &count->skips[i];
	if (skip->count < (int64_t)ARRAY_SIZE(skip->examples))
		skip->examples[skip->count] = import->key;
	skip->count++;
	return 1;
}

static int two_digits(const char *text)
{
	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	return (text[0] - '0') * 10 + text[1] - '0';
}

/* ".123456" and shorter; returns what follows it, NULL when there are no digits. */
static const char *parse_fraction(const char *text, int64_t *ret_microseconds)
{
	int64_t unit = 100000;

	*ret_microseconds = 0;
	if (*text != '.')
		return text;
	text++;
	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*ret_microseconds += unit * (*text - '0');
	return text;
}

/* "", "Z", "+00:00", "-07:00", "-08:12:28" */
static int parse_offset(const char *text, int64_t *ret_seconds)
{
	int part[3] = { 0 };
	size_t len = strlen(text);

	*ret_seconds = 0;
	if (len == 0 || streq(text, "Z"))
		return 0;
	if ((text[0] != '+' && text[0] != '-') || (len != 6 && len != 9))
		return -EINVAL;
	for (size_t i = 0; 3 * i + 1 < len; i++) {
		if (i > 0 && text[3 * i] != ':')
			return -EINVAL;
		part[i] = two_digits(text + 3 * i + 1);
		if (part[i] < 0 || part[i] > 59)
			return -EINVAL;
	}
	*ret_seconds = (part[0] * 60 + part[1]) * 60 + part[2];
	if (text[0] == '-')
		*ret_seconds = -*ret_seconds;
	return 0;
}

int import_parse_date(const char *text, usec *ret_time)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct civil civil = { 0 };
	int64_t microseconds, offset;
	int century;

	if (strlen(text) < 19 || text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') ||
		text[13] != ':' || text[16] != ':')
		return -EINVAL;
	century = two_digits(text);
	civil.year = century * 100 + two_digits(text + 2);
	civil.month = two_digits(text + 5);
	civil.day = two_digits(text + 8);
	civil.hour = two_digits(text + 11);
	civil.minute = two_digits(text + 14);
	civil.second = two_digits(text + 17);
	if (century < 0 || two_digits(text + 2) < 0 || civil.month < 1 || civil.month > 12 || civil.day < 1 ||
		civil.day > days[civil.month - 1] || civil.hour < 0 || civil.hour > 23 || civil.minute < 0 ||
		civil.minute > 59 || civil.second < 0 || civil.second > 59)
		return -EINVAL;
	text = parse_fraction(text + 19, &microseconds);
	if (!text || parse_offset(text, &offset) < 0)
		return -EINVAL;
	*ret_time = (civil_to_seconds(&civil) - offset) * SECOND + microseconds;
	return 0;
}

/* NULL, or what is wrong with the value. */
static const char *convert_value(const struct import_column *column, struct engine_value *value)
{
	usec time;

	if (value->type == ENGINE_NULL)
		return column->nullable ? NULL : "is missing";
	switch (column->kind) {
	case IMPORT_ID:
		if (value->type != ENGINE_INT || value->i < 0 || (value->i == 0 && !column->nullable))
			return "is not an id";
		/* Some old code wrote 0 for "none". */
		if (value->i == 0)
			value->type = ENGINE_NULL;
		return NULL;
	case IMPORT_COUNT:
		return value->type == ENGINE_INT && value->i >= 0 ? NULL : "is not a number from 0 to 2^63-1";
	case IMPORT_EPOCH:
		if (value->type != ENGINE_INT || value->i > EPOCH_MAX || value->i < -EPOCH_MAX)
			return "is not a time in seconds";
		value->i *= SECOND;
		return NULL;
	case IMPORT_BOOL:
		return value->type == ENGINE_INT && (value->i == 0 || value->i == 1) ? NULL
										     : "is neither true nor false";
	case IMPORT_TEXT:
		if (value->type != ENGINE_TEXT || !utf8_valid(value->text, value->len) ||
			memchr(value->text, '\0', value->len))
			return "is not text in UTF-8";
		return NULL;
	case IMPORT_DATE:
		if (value->type != ENGINE_TEXT || strlen(value->text) != value->len ||
			import_parse_date(value->text, &time) < 0)
			return "is not a date";
		*value = (struct engine_value){ .type = ENGINE_INT, .i = time };
		return NULL;
	case IMPORT_DROPPED: return NULL;
	}
	return NULL;
}

int import_row(struct import *import, size_t table, const struct engine_value *values)
{
	const struct import_table *spec = &import_tables[table];
	struct import_count *count = &import->counts[table];
	struct engine_value converted[IMPORT_COLUMNS_MAX];
	int r;

	import->current = table;
	import->key = values[0].type == ENGINE_INT ? values[0].i : 0;
	count->read++;
	if (spec->reason) {
		import_skip(import, spec->reason);
		return 0;
	}
	for (size_t i = 0; spec->columns[i].name; i++) {
		const char *fault;

		converted[i] = values[i];
		fault = convert_value(&spec->columns[i], &converted[i]);
		if (fault) {
			char *reason cleanup(freep) = xasprintf("%s %s", spec->columns[i].name, fault);

			import_skip(import, reason);
			return 0;
		}
	}
	r = spec->convert(import, converted);
	if (r < 0)
		return r;
	if (r == 0)
		count->converted++;
	for (size_t i = 0; spec->columns[i].name; i++) {
		if (spec->columns[i].reason && values[i].type != ENGINE_NULL &&
			(values[i].type != ENGINE_INT || values[i].i != 0))
			count->dropped[i]++;
	}
	return 0;
}

static void write_report(const struct import *import, struct str *report)
{
	str_printf(report, "%s: %s\n%-24s %10s %10s %10s\n", import->file, import->source, "table", "read", "converted",
		"skipped");
	for (size_t i = 0; i < import_table_count; i++) {
		const struct import_count *count = &import->counts[i];

		str_printf(report, "%-24s %10" PRId64 " %10" PRId64 " %10" PRId64 "\n",
			strchr(import_tables[i].model, '.') + 1, count->read, count->converted,
			count->read - count->converted);
	}
	for (size_t i = 0; i < import_table_count; i++) {
		const struct import_count *count = &import->counts[i];
		const char *name = strchr(import_tables[i].model, '.') + 1;

		for (size_t j = 0; j < count->skip_count; j++) {
			const struct import_skip *skip = &count->skips[j];

			str_printf(report, "skipped: %" PRId64 " of %s: %s (", skip->count, name, skip->reason);
			for (int64_t k = 0; k < MIN(skip->count, (int64_t)ARRAY_SIZE(skip->examples)); k++)
				str_printf(report, "%s%" PRId64, k > 0 ? ", " : "rows ", skip->examples[k]);
			str_adds(report, skip->count > (int64_t)ARRAY_SIZE(skip->examples) ? ", ...)\n" : ")\n");
		}
		for (size_t j = 0; import_tables[i].columns[j].name; j++) {
			if (count->dropped[j] > 0)
				str_printf(report, "not kept: %" PRId64 " values of %s.%s: %s\n", count->dropped[j],
					name, import_tables[i].columns[j].name, import_tables[i].columns[j].reason);
		}
	}
	str_add(report, import->others.buf, import->others.len);
}

/* Levels without linked roles are what the bot creates at its first start: they count as nothing and make room. */
static int require_empty(struct import *import)
{
	struct query *query;
	int64_t rows;
	int r;

	r = query_row(import->db, &query,
		"SELECT (SELECT count(*) FROM member_xp) + (SELECT count(*) FROM profile) + (SELECT count(*) FROM"
		" reminder)"
		" + (SELECT count(*) FROM ban_record) + (SELECT count(*) FROM reaction_role_message)"
		" + (SELECT count(*) FROM command_usage) + (SELECT count(*) FROM expiring_message)"
		" + (SELECT count(*) FROM embed_avatar) + (SELECT count(*) FROM level WHERE role_id IS NOT NULL)");
	if (r < 0)
		return r;
	rows = query_int(query, 0);
	query_close(query);
	if (rows > 0) {
		str_printf(import->reterr_message,
			"%s: holds data already (%" PRId64
			" rows); import into a new database, or add what is missing with --merge",
			import->db->path, rows);
		return -ENOTEMPTY;
	}
	return query_run(import->db, "DELETE FROM level");
}

/* By the 16 bytes with which the file format begins. Anything else can only be a dump. */
static bool is_sqlite(const char *name)
{
	FILE *file = fopen(name, "rbe");
	char head[16] = "";

	if (!file)
		return false;
	(void)!fread(head, 1, sizeof(head), file);
	fclose(file);
	return memcmp(head, "SQLite format 3", sizeof(head)) == 0;
}

static int import_any(struct import *import)
{
	struct stat file, target;
	int r;

	if (stat(import->file, &file) < 0) {
		r = -errno;
		str_printf(import->reterr_message, "%s: %s", import->file, error_text(r));
		return r;
	}
	if (stat(import->db->path, &target) == 0 && file.st_dev == target.st_dev && file.st_ino == target.st_ino) {
		str_printf(import->reterr_message, "%s: is the database itself", import->file);
		return -EINVAL;
	}
	if (!S_ISREG(file.st_mode)) {
		str_printf(import->reterr_message, "%s: is not a regular file", import->file);
		return -EINVAL;
	}
	if (file.st_size == 0) {
		str_printf(import->reterr_message, "%s: is empty", import->file);
		return -EBADMSG;
	}
	if (!import->merge) {
		r = require_empty(import);
		if (r < 0)
			return r;
	}
	return is_sqlite(import->file) ? import_sqlite(import) : import_dump(import);
}

static void finish(struct import *import)
{
	for (size_t i = 0; i < IMPORT_TABLES_MAX; i++) {
		for (size_t j = 0; j < import->counts[i].skip_count; j++)
			free(import->counts[i].skips[j].reason);
		free(import->counts[i].skips);
	}
	str_finish(&import->others);
	free(import);
}

int import_file(struct db *db, const char *file, const struct import_options *options, struct str *report,
	struct str *reterr_message)
{
	struct import *import;
	size_t said = reterr_message->len;
	int r;

	r = db_begin(db);
	if (r < 0) {
		str_printf(reterr_message, "%s: cannot be written: %s", db->path, error_text(r));
		return r;
	}
	import = xcalloc(1, sizeof(*import));
	import->db = db;
	import->file = file;
	import->merge = options->merge;
	str_init(&import->others);
	import->reterr_message = reterr_message;
	r = query_end_joined(db, true, import_any(import));
	if (r >= 0)
		write_report(import, report);
	else if (reterr_message->len == said)
		str_printf(reterr_message, "%s: import failed: %s", file, error_text(r));
	finish(import);
	return r;
}
