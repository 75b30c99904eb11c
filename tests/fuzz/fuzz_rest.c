/* REST answers: status, headers and body as anything on the way may send them, into the rate limiter, whose queue must
 * never stand still.
 *
 * The input holds answers, separated by lines "~". An answer: a line "STATUS", header lines "name: value", an empty
 * line, the body. Status 0 is no answer.
 */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "net/http.h"
#include "rest_internal.h"

#define HEADERS_MAX 16
#define REQUESTS    3

static const char *const routes[] = { "POST /channels/{channel.id}/messages", "GET /guilds/{guild.id}",
	"POST /interactions/{interaction.id}/{interaction.token}/callback" };

/* Cuts the text at the separator; NULL when there is no more. */
static char *cut(char **rest, const char *separator)
{
	char *begin = *rest, *end;

	if (!begin)
		return NULL;
	end = strstr(begin, separator);
	*rest = end ? end + strlen(separator) : NULL;
	if (end)
		*end = '\0';
	return begin;
}

static void read_answer(char *text, struct http_header *headers, struct http_answer *ret_answer)
{
	char *head, *line;
	size_t count = 0;

	head = cut(&text, "\n\n");
	*ret_answer = (struct http_answer){ .sent = true, .body = text ? text : "", .headers = headers };
	ret_answer->body_len = strlen(ret_answer->body);
	line = cut(&head, "\n");
	ret_answer->status = MAX(0, atoi(line) % 1000);
	if (ret_answer->status == 0)
		ret_answer->error = -ETIMEDOUT;
	while (count < HEADERS_MAX - 1 && (line = cut(&head, "\n"))) {
		char *value = strstr(line, ": ");

		if (!value)
			continue;
		*value = '\0';
		headers[count++] = (struct http_header){ .name = line, .value = value + 2 };
	}
	headers[count] = (struct http_header){ 0 };
}

static void check_wait(usec wait)
{
	REQUIRE(wait >= -1 && wait <= RATELIMIT_WAIT_MAX);
}

/* Feeds the objects that answers carry. */
static void read_body(const cJSON *json)
{
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct message message;
	struct member member;
	struct channel channel;
	struct role role;
	struct user user;

	(void)!message_parse(json, &arena, &message);
	(void)!member_parse(json, &arena, &member);
	(void)!channel_parse(json, &arena, &channel);
	(void)!role_parse(json, &role);
	(void)!user_parse(json, &user);
	if (json)
		REQUIRE(arena_json(&arena, json)->type == json->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *rest = text, *part;
	struct ratelimit *limiter = ratelimit_create(&(struct ratelimit_options){ .per_second = 35 });
	struct ratelimit_request requests[REQUESTS] = { 0 };
	usec now = HOUR;
	size_t turn = 0;

	for (size_t i = 0; i < REQUESTS; i++)
		requests[i] = (struct ratelimit_request){ .route = routes[i], .major = 7, .interaction = i == 2 };
	while ((part = cut(&rest, "\n~\n"))) {
		struct ratelimit_request *request = &requests[turn++ % REQUESTS], *next;
		struct http_header headers[HEADERS_MAX];
		struct http_answer answer;
		struct rest_outcome outcome;

		read_answer(part, headers, &answer);
		rest_outcome_read(&answer, &outcome);
		REQUIRE(outcome.result <= 0);
		REQUIRE(memchr(outcome.error.message, '\0', sizeof(outcome.error.message)));
		check_wait(outcome.limits.reset_after);
		check_wait(outcome.limits.retry_after);
		REQUIRE(outcome.limits.remaining >= -1 && outcome.limits.limit >= -1);
		(void)rest_may_repeat(REST_REPEAT_NONCE, &answer);
		REQUIRE(!rest_may_repeat(REST_REPEAT_NEVER, &answer) || answer.status == 429 || !answer.sent);
		read_body(outcome.json);

		if (ratelimit_submit(limiter, request, now) < 0) {
			REQUIRE(ratelimit_breaker_open(limiter, now));
			now += RATELIMIT_INVALID_WINDOW;
			REQUIRE(ratelimit_submit(limiter, request, now) == 0);
		}
		/* Whatever was answered before: with nothing in flight, the queue moves on in bounded time. */
		while (!(next = ratelimit_next(limiter, now))) {
			usec at = ratelimit_wake_at(limiter, now);

			REQUIRE(at > now && at <= now + RATELIMIT_WAIT_MAX);
			REQUIRE(ratelimit_earliest(limiter, request, now) <= at);
			now = at;
		}
		REQUIRE(next == request && ratelimit_queued(limiter) == 0);
		ratelimit_answered(limiter, request, &outcome.limits, now);
		cJSON_Delete(outcome.json);
	}
	ratelimit_destroy(limiter);
	free(text);
	return 0;
}
