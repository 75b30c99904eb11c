/* How the endpoint functions (rest_*.c) make their calls.
 *
 * A new endpoint is one function: REST_BEGIN() with the route as Discord's documentation writes it and its values in
 * order, a body if there is one, rest_perform(), rest_call_finish(). The route is also the name under which limits
 * are learned and flows are dumped; addresses with their values appear nowhere.
 */
#ifndef DISCORD_REST_INTERNAL_H
#define DISCORD_REST_INTERNAL_H

#include "discord/ratelimit.h"
#include "discord/rest.h"

/* Whether a call may be made again after it may have arrived. */
enum rest_repeat {
	REST_REPEAT_SAFE,  /* twice is the same as once */
	REST_REPEAT_NONCE, /* Discord recognises the second by its nonce */
	REST_REPEAT_NEVER,
};

struct rest_call {
	const char *route; /* "POST /channels/{channel.id}/messages"; static text */
	enum rest_repeat repeat;
	const struct interaction *interaction; /* authorised by its token instead of ours */
	uint64_t major;
	struct str path, body; /* body "": none */
	const struct file *files;
	size_t file_count;
	const char *reason; /* for the audit log; NULL or "": none */
	usec timeout;       /* of one try */
	usec patience;      /* of the whole call */
};

/* A value of the route's {placeholder}: an id, or text, which is percent-encoded. */
struct rest_value {
	snowflake id;
	const char *text;
};

void rest_call_begin(struct rest_call *call, const char *route, const struct rest_value *values);
void rest_call_finish(struct rest_call *call);
/* The values stand for the route's placeholders in their order. */
#define REST_BEGIN(call, route, ...) \
	rest_call_begin(call, route, (const struct rest_value[]){ { 0 }, ##__VA_ARGS__, { 0 } } + 1)
#define REST_ID(value)        \
	{                     \
		.id = (value) \
	}
#define REST_TEXT(value)        \
	{                       \
		.text = (value) \
	}

/* Inside a flow: makes the call, repeats it where that is right. `ret_json` may be NULL; it is set to NULL when there
 * was no JSON to read (204, or an answer that was taken for success). See discord/rest.h for the errors. */
int rest_perform(struct rest *rest, struct rest_call *call, cJSON **ret_json) warn_unused;
/* rest_perform() and rest_call_finish() */
int rest_finish(struct rest *rest, struct rest_call *call, cJSON **ret_json) warn_unused;
/* For what is refused before it is sent: fills rest_error(). */
int rest_refuse(struct rest *rest, int error, const char *message);
/* A nonce that no other call has: at most 25 characters. */
void rest_nonce(struct rest *rest, struct str *out);

/* rest_message.c: the JSON of a message. `edit`: what PATCH takes. 0 or -E2BIG, -EINVAL with a reason. */
enum rest_message_kind { REST_MESSAGE_CREATE, REST_MESSAGE_EDIT, REST_MESSAGE_INTERACTION };
int rest_message_write(struct json_writer *w, const struct message_create *message, enum rest_message_kind kind,
	const char *nonce, struct str *reterr_reason) warn_unused;

/* rest_answer.c: what an answer says. */
struct rest_outcome {
	struct ratelimit_answer limits; /* strings borrowed from the answer */
	struct rest_error error;
	cJSON *json; /* the body, NULL: none or no JSON */
	int result;  /* 0 or -errno */
};
void rest_outcome_read(const struct http_answer *answer, struct rest_outcome *ret_outcome);
/* 429, 5xx and lost answers: may the call be made again? */
bool rest_may_repeat(enum rest_repeat repeat, const struct http_answer *answer);

/* arena_json.c: a copy of the tree that lives and dies with the arena (never give it to cJSON_Delete()). */
const cJSON *arena_json(struct arena *arena, const cJSON *json) warn_unused;

#endif
