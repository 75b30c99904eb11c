/* The JSON of "manage.py dumpdata wall_e_models": an array of {"model": ..., "pk": ..., "fields": {...}}. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "import_internal.h"
#include "json_reader.h"

/* Models that are not Wall-E's, and fields that the import does not know: counted by name. */
struct other {
	char *name;
	int64_t count;
};

struct dump {
	struct import *import;
	struct json_reader reader;
	struct other *others;
	size_t other_count;
	/* The object at work. */
	struct str model;
	struct engine_value values[IMPORT_COLUMNS_MAX];
	struct str texts[IMPORT_COLUMNS_MAX];
	bool present[IMPORT_COLUMNS_MAX];
};

#define OTHERS_MAX 256 /* a file with more different names is no dump of ours */

static int count_other(struct dump *dump, const char *name)
{
	size_t i = 0;

	while (i < dump->other_count && !streq(dump->others[i].name, name))
		i++;
	if (i == dump->other_count) {
		if (i == OTHERS_MAX)
			return -E2BIG;
		dump->others = xrealloc(dump->others, (i + 1) * sizeof(*dump->others));
		dump->others[dump->other_count++] = (struct other){ .name = xstrdup(name) };
	}
	dump->others[i].count++;
	return 0;
}

static int malformed(struct dump *dump, const char *words)
{
	dump->reader.fault = words;
	return -EBADMSG;
}

/* The value that follows a key, into column `i`. Anything but a scalar is kept as "other" and refused by the column's
 * kind. */
static int read_value(struct dump *dump, size_t i)
{
	struct engine_value *value = &dump->values[i];
	enum json_token token;
	int r;

	r = json_reader_next(&dump->reader, &token);
	if (r < 0)
		return r;
	*value = (struct engine_value){ .type = ENGINE_OTHER };
	dump->present[i] = true;
	switch (token) {
	case JSON_TOKEN_NULL: value->type = ENGINE_NULL; break;
	case JSON_TOKEN_TRUE:
	case JSON_TOKEN_FALSE:
		value->type = ENGINE_INT;
		value->i = token == JSON_TOKEN_TRUE;
		break;
	case JSON_TOKEN_INT:
		value->type = ENGINE_INT;
		value->i = dump->reader.integer;
		break;
	case JSON_TOKEN_STRING:
		str_clear(&dump->texts[i]);
		str_add(&dump->texts[i], dump->reader.text.buf, dump->reader.text.len);
		value->type = ENGINE_TEXT;
		value->text = dump->texts[i].buf;
		value->len = dump->texts[i].len;
		break;
	case JSON_TOKEN_BEGIN_ARRAY:
	case JSON_TOKEN_BEGIN_OBJECT: return json_reader_skip(&dump->reader);
	default: break;
	}
	return 0;
}

static int skip_value(struct dump *dump)
{
	enum json_token token;
	int r;

	r = json_reader_next(&dump->reader, &token);
	if (r >= 0 && (token == JSON_TOKEN_BEGIN_ARRAY || token == JSON_TOKEN_BEGIN_OBJECT))
		r = json_reader_skip(&dump->reader);
	return r;
}

static const struct import_table *find_table(const char *model)
{
	for (size_t i = 0; i < import_table_count; i++) {
		if (streq(import_tables[i].model, model))
			return &import_tables[i];
	}
	return NULL;
}

static int read_fields(struct dump *dump, const struct import_table *spec)
{
	enum json_token token;
	int r;

	r = json_reader_next(&dump->reader, &token);
	if (r < 0)
		return r;
	if (token != JSON_TOKEN_BEGIN_OBJECT)
		return malformed(dump, "\"fields\" is not an object");
	if (!spec)
		return json_reader_skip(&dump->reader);
	while ((r = json_reader_next(&dump->reader, &token)) >= 0 && token == JSON_TOKEN_KEY) {
		const char *key = dump->reader.text.buf;
		size_t i = 1;

		while (spec->columns[i].name &&
			!streq(spec->columns[i].field ? spec->columns[i].field : spec->columns[i].name, key))
			i++;
		if (spec->columns[i].name) {
			r = read_value(dump, i);
		} else {
			char *name cleanup(freep) = xasprintf("%s.%s", spec->model, key);

			r = count_other(dump, name);
			if (r >= 0)
				r = skip_value(dump);
		}
		if (r < 0)
			return r;
	}
	return r;
}

static int finish_object(struct dump *dump, const struct import_table *spec)
{
	if (!spec)
		return count_other(dump, dump->model.buf);
	for (size_t i = 0; spec->columns[i].name; i++) {
		if (!dump->present[i]) {
			str_printf(dump->import->reterr_message,
				"%s:%" PRId64 ": %s without '%s': the dump is older than the old system's last version"
				" (migration 0032_reactrole); run its 'manage.py migrate' and dump again",
				dump->import->file, dump->reader.line, spec->model, spec->columns[i].name);
			return -ESTALE;
		}
	}
	return import_row(dump->import, (size_t)(spec - import_tables), dump->values);
}

/* After '{'. Django writes "model" before "fields"; a dump that does not was made by something else. */
static int read_object(struct dump *dump)
{
	const struct import_table *spec = NULL;
	enum json_token token;
	bool model = false, fields = false;
	int r;

	memset(dump->present, 0, sizeof(dump->present));
	while ((r = json_reader_next(&dump->reader, &token)) >= 0 && token == JSON_TOKEN_KEY) {
		if (streq(dump->reader.text.buf, "model")) {
			r = json_reader_next(&dump->reader, &token);
			if (r >= 0 && token != JSON_TOKEN_STRING)
				r = malformed(dump, "\"model\" is not text");
			if (r < 0)
				return r;
			str_clear(&dump->model);
			str_adds(&dump->model, dump->reader.text.buf);
			spec = find_table(dump->model.buf);
			model = true;
		} else if (streq(dump->reader.text.buf, "pk")) {
			r = read_value(dump, 0);
		} else if (streq(dump->reader.text.buf, "fields")) {
			r = model ? read_fields(dump, spec) : malformed(dump, "\"fields\" before \"model\"");
			fields = true;
		} else {
			r = malformed(dump, "a key that dumpdata does not write");
		}
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (!model || !fields)
		return malformed(dump, "an object without \"model\" or \"fields\"");
	return finish_object(dump, spec);
}

static int read_all(struct dump *dump)
{
	enum json_token token;
	int r;

	r = json_reader_next(&dump->reader, &token);
	if (r < 0)
		return r;
	if (token != JSON_TOKEN_BEGIN_ARRAY)
		return malformed(dump, "not an array");
	while ((r = json_reader_next(&dump->reader, &token)) >= 0 && token != JSON_TOKEN_END_ARRAY) {
		if (token != JSON_TOKEN_BEGIN_OBJECT)
			return malformed(dump, "not an object");
		r = read_object(dump);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : json_reader_next(&dump->reader, &token);
}

static bool has_rows(const struct import *import)
{
	for (size_t i = 0; i < import_table_count; i++) {
		if (import->counts[i].read > 0)
			return true;
	}
	return false;
}

int import_dump(struct import *import)
{
	struct dump *dump;
	FILE *file;
	int r;

	import->source = "a JSON dump of the old system; its dates have milliseconds";
	file = fopen(import->file, "rbe");
	if (!file) {
		r = -errno;
		str_printf(import->reterr_message, "%s: %s", import->file, error_text(r));
		return r;
	}
	dump = xcalloc(1, sizeof(*dump));
	dump->import = import;
	json_reader_init(&dump->reader, file);
	str_init(&dump->model);
	for (size_t i = 0; i < IMPORT_COLUMNS_MAX; i++)
		str_init(&dump->texts[i]);
	r = read_all(dump);
	/* Not even levels: a dump of something else. */
	if (r >= 0 && !has_rows(import))
		r = malformed(dump, "it has no rows of wall_e_models");
	if (r == -EBADMSG && dump->reader.fault)
		str_printf(import->reterr_message,
			"%s:%" PRId64
			": neither an SQLite database nor a dump by 'manage.py dumpdata wall_e_models': %s",
			import->file, dump->reader.line, dump->reader.fault);
	for (size_t i = 0; i < dump->other_count; i++) {
		str_printf(&import->others, "not Wall-E's: %" PRId64 " of %s\n", dump->others[i].count,
			dump->others[i].name);
		free(dump->others[i].name);
	}
	free(dump->others);
	for (size_t i = 0; i < IMPORT_COLUMNS_MAX; i++)
		str_finish(&dump->texts[i]);
	str_finish(&dump->model);
	json_reader_finish(&dump->reader);
	fclose(file);
	free(dump);
	return r;
}
