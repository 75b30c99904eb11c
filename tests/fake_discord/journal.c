/* The journal of REST calls: see journal.h. */
#include "journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

struct journal {
	struct fake *fake;
	FILE *file;
	struct fake_call *calls; /* ring */
	size_t first, count, cap, bytes;
	uint64_t number;
};

int journal_create(struct fake *fake, struct journal **ret_journal)
{
	struct journal *journal = xcalloc(1, sizeof(*journal));

	journal->fake = fake;
	if (fake->journal_file) {
		journal->file = fopen(fake->journal_file, "ae");
		if (!journal->file) {
			free(journal);
			return -errno;
		}
	}
	*ret_journal = journal;
	return 0;
}

/* All strings of a call are in one allocation, which `method` points to. */
static size_t call_size(const struct fake_call *call)
{
	const char *fields[] = { call->method, call->template, call->path, call->query, call->user_agent,
		call->content_type, call->reason, call->body };
	size_t size = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		size += fields[i] ? strlen(fields[i]) + 1 : 0;
	return size;
}

static struct fake_call call_copy(const struct fake_call *call)
{
	struct fake_call copy = *call;
	const char **fields[] = { &copy.method, &copy.template, &copy.path, &copy.query, &copy.user_agent,
		&copy.content_type, &copy.reason, &copy.body };
	char *at = xmalloc(call_size(call));

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		size_t len;

		if (!*fields[i])
			continue;
		len = strlen(*fields[i]) + 1;
		memcpy(at, *fields[i], len);
		*fields[i] = at;
		at += len;
	}
	return copy;
}

static struct fake_call *at_index(const struct journal *journal, size_t index)
{
	return &journal->calls[(journal->first + index) % journal->cap];
}

static void drop_oldest(struct journal *journal)
{
	struct fake_call *call = at_index(journal, 0);

	journal->bytes -= call_size(call);
	free((char *)call->method);
	journal->first = (journal->first + 1) % journal->cap;
	journal->count--;
}

/* Grows the ring, which is in order when it has never been full. */
static void grow(struct journal *journal)
{
	size_t cap = journal->cap ? journal->cap * 2 : 64;
	struct fake_call *calls = xcalloc(cap, sizeof(*calls));

	for (size_t i = 0; i < journal->count; i++)
		calls[i] = *at_index(journal, i);
	free(journal->calls);
	journal->calls = calls;
	journal->cap = cap;
	journal->first = 0;
}

void journal_add(struct journal *journal, const struct fake_call *call)
{
	struct fake_call *kept;

	if (journal->count == JOURNAL_MAX || journal->bytes > JOURNAL_MAX_BYTES)
		drop_oldest(journal);
	if (journal->count == journal->cap)
		grow(journal);
	kept = at_index(journal, journal->count++);
	*kept = call_copy(call);
	kept->number = ++journal->number;
	journal->bytes += call_size(kept);
	if (journal->file) {
		struct str line cleanup(str_finish) = STR_INIT;

		journal_write_line(kept, &line);
		str_addc(&line, '\n');
		fwrite(line.buf, 1, line.len, journal->file);
		fflush(journal->file);
	}
}

void journal_write_line(const struct fake_call *call, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	json_begin_object(&w);
	json_put_string(&w, "method", call->method);
	json_put_string(&w, "path", call->path);
	if (call->query && *call->query)
		json_put_string(&w, "query", call->query);
	if (call->body) {
		json_key(&w, "body");
		json_write_raw(&w, call->body, strlen(call->body));
	}
	if (call->user_agent)
		json_put_string(&w, "user_agent", call->user_agent);
	if (call->body && call->content_type && strncmp(call->content_type, "multipart/", 10) == 0)
		json_put_string(&w, "content_type", "multipart/form-data");
	json_put_int(&w, "status", call->status);
	json_end_object(&w);
}

void journal_destroy(struct journal *journal)
{
	if (!journal)
		return;
	while (journal->count)
		drop_oldest(journal);
	free(journal->calls);
	if (journal->file)
		fclose(journal->file);
	free(journal);
}

/* ---- the public functions ---- */

size_t fake_calls(const struct fake *fake)
{
	return fake->journal->count;
}

const struct fake_call *fake_call(const struct fake *fake, size_t index)
{
	return index < fake->journal->count ? at_index(fake->journal, index) : NULL;
}

size_t fake_count_calls(const struct fake *fake, const char *method, const char *template, const char *body_part)
{
	size_t count = 0;

	for (size_t i = 0; i < fake->journal->count; i++) {
		const struct fake_call *call = at_index(fake->journal, i);

		count += (!method || streq(call->method, method)) && (!template || streq(call->template, template)) &&
			 (!body_part || (call->body && strstr(call->body, body_part)));
	}
	return count;
}

void fake_forget_calls(struct fake *fake)
{
	while (fake->journal->count)
		drop_oldest(fake->journal);
}

void fake_write_calls(const struct fake *fake, struct str *out)
{
	for (size_t i = 0; i < fake->journal->count; i++) {
		journal_write_line(at_index(fake->journal, i), out);
		str_addc(out, '\n');
	}
}
