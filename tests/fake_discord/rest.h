/* REST v10: one row per endpoint. A row's function finds the parameters in the call, checks, changes the state and writes the answer; who is asking,
 * rate limits, faults, bodies and the journal are done for all of them in rest.c.
 *
 * To add an endpoint: its function in the rest_*.c of its subject and a row in that file's table.
 */
#ifndef FAKE_REST_H
#define FAKE_REST_H

#include "base/json.h"
#include "fake.h"
#include "form.h"
#include "multipart.h"

struct httpd_request;
struct call;

struct route {
	const char *method, *template; /* NULL ends the table */
	void (*run)(struct call *call);
	int limit;  /* calls ... */
	int window; /* ... in so many milliseconds, per major parameter; 0: no limit */
	int flags;
};
enum route_flag {
	ROUTE_NO_TOKEN = 1,  /* the address itself is the secret; no global limit either */
	ROUTE_BODY = 2,      /* needs a JSON object (or multipart with payload_json) */
	ROUTE_LIST_BODY = 4, /* needs a JSON array */
	ROUTE_OPTIONAL_BODY = 8,
};
/* Tables; each ends with method NULL. */
extern const struct route rest_message_routes[];
extern const struct route rest_reaction_routes[];
extern const struct route rest_channel_routes[];
extern const struct route rest_guild_routes[];
extern const struct route rest_member_routes[];
extern const struct route rest_role_routes[];
extern const struct route rest_user_routes[];
extern const struct route rest_command_routes[];
extern const struct route rest_interaction_routes[];

#define CALL_PARAMETERS 4

struct call {
	struct fake *fake;
	const struct route *route;
	struct httpd_request *request;
	char *path;                    /* without /api/v10 and query */
	char *texts[CALL_PARAMETERS];  /* of the path, in order, decoded */
	uint64_t ids[CALL_PARAMETERS]; /* the same as snowflakes, 0 when they are none */
	size_t parameters;
	cJSON *body; /* NULL when there is none */
	struct multipart files;
	char *reason; /* X-Audit-Log-Reason, decoded; NULL */
	struct form form;
	struct str out;       /* the answer's JSON */
	struct json_writer w; /* writes to `out` */
	int status, code;     /* 0: not answered yet; Discord's error code */
};

int rest_open(struct fake *fake, struct rest **ret_rest);
void rest_end(struct rest *rest);
/* `path` begins with /api/ */
void rest_handle(struct rest *rest, struct httpd_request *request);
/* Answers that are held back, and calls since the start. */
size_t rest_pending(const struct rest *rest);
uint64_t rest_calls(const struct rest *rest);

/* ---- for the endpoints' functions ---- */

/* Answers with Discord's error; always returns false. */
bool call_fail(struct call *call, int status, int code, const char *message);
/* Answers with the form's errors when there are some; then false. */
bool call_form(struct call *call);
/* 204 */
void call_done(struct call *call);
/* A value of the query, decoded, or NULL. */
const char *call_argument(struct call *call, const char *name);
/* A number of the query within min..max, `fallback` without; out of range is an error in the form. */
int64_t call_number(struct call *call, const char *name, int64_t min, int64_t max, int64_t fallback);

/* The channel of parameter 0, which the bot can view and where it has these permissions; NULL: answered. */
struct channel *call_channel(struct call *call, uint64_t permissions);
/* The message of a parameter; NULL: answered. */
struct message *call_message(struct call *call, struct channel *channel, size_t parameter);
/* Parameter 0 is our guild and the bot has these permissions; false: answered. */
bool call_guild(struct call *call, uint64_t permissions);
/* The member of a parameter; NULL: answered. */
struct user *call_member(struct call *call, size_t parameter);
struct role *call_role(struct call *call, size_t parameter);

/* The attachments that a body names (and the files that come with it), as the state keeps them; NULL with errors in the form, or when there are none. */
cJSON *call_attachments(struct call *call, uint64_t channel, const cJSON *body, const cJSON *kept, const char *path);
static inline size_t call_files(const struct call *call)
{
	size_t files = 0;

	for (size_t i = 0; i < call->files.count; i++)
		files += strncmp(call->files.parts[i].name, "files[", 6) == 0;
	return files;
}

#endif
