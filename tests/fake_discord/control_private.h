/* Shared by the files of the control interface: one request with its fields, and the answer that is being written.
 *
 * A field is looked up in the JSON object of a POST and in the query of a GET. The first thing that is wrong becomes the answer (400). To add an
 * action: a function and a row in control_act.c; something to look at: the same in control_look.c; both are described in CONTROL.md.
 */
#ifndef FAKE_CONTROL_PRIVATE_H
#define FAKE_CONTROL_PRIVATE_H

#include "base/json.h"
#include "control.h"

struct ask {
	struct fake *fake;
	struct control *control;
	struct httpd_request *request;
	cJSON *body; /* NULL for a GET */
	struct str out;
	struct json_writer w; /* inside the answer's object */
	struct str problem;
	int status; /* of the refusal; 0: 400 */
	bool later; /* somebody else answers */
	bool raw;   /* `out` is the whole answer, of this type */
	const char *type;
};

struct ask_row {
	const char *name; /* NULL ends the table */
	void (*run)(struct ask *ask);
};
extern const struct ask_row control_looks[];
extern const struct ask_row control_acts[];
extern const struct ask_row control_faults[];

/* Always returns 0. */
int ask_refuse(struct ask *ask, int status, const char *format, ...) printf_like(3, 4);
static inline bool ask_fine(const struct ask *ask)
{
	return ask->problem.len == 0;
}
bool ask_has(struct ask *ask, const char *key);
/* NULL when it is missing or null. Valid as long as the request. */
const char *ask_text(struct ask *ask, const char *key);
/* Missing is a problem; then "". */
const char *ask_needed(struct ask *ask, const char *key);
int64_t ask_int(struct ask *ask, const char *key, int64_t min, int64_t max, int64_t fallback);
bool ask_bool(struct ask *ask, const char *key, bool fallback);
/* By id or name; 0 with a problem. */
uint64_t ask_user(struct ask *ask, const char *key);
uint64_t ask_channel(struct ask *ask, uint64_t user); /* field "channel" */
uint64_t ask_channel_at(struct ask *ask, const char *key, uint64_t user);
uint64_t ask_role(struct ask *ask); /* field "role" */
uint64_t ask_id(struct ask *ask, const char *key);
/* What a function of the public header said: 0 or a made id means success. */
void ask_result(struct ask *ask, int result);
void ask_made(struct ask *ask, const char *key, uint64_t id);

/* control_wait.c: requests that are answered later. */
struct waits;
struct waits *control_waits_create(struct fake *fake);
void control_waits_destroy(struct waits *waits);
void control_wait(struct ask *ask);
/* Answers with the choices, at the latest when the interaction has failed. */
void control_wait_choices(struct ask *ask, uint64_t interaction);
struct waits *control_waits(struct control *control);

/* control_look.c */
void control_write_interaction(struct fake *fake, uint64_t id, struct json_writer *w);

/* cdn.c: pictures and attachments under /cdn/. */
void cdn_handle(struct fake *fake, struct httpd_request *request);

/* The chat page's files, embedded by CMake. */
struct page_file {
	const char *path, *type;
	const unsigned char *data;
	size_t len;
};
extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
