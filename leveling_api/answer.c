/* See answer.h. */
#include "answer.h"

void answer_finish(struct answer *answer)
{
	str_finish(&answer->body);
}

void answer_error(struct answer *answer, int status, const char *detail)
{
	struct json_writer w = JSON_WRITER(&answer->body);

	answer->status = status;
	answer->type = "application/json";
	answer->volatile_body = status >= 500;
	str_clear(&answer->body);
	json_begin_object(&w);
	json_put_string(&w, "detail", detail);
	json_end_object(&w);
}

void answer_method_not_allowed(struct answer *answer, const struct request *request)
{
	char *detail = arena_printf(request->arena, "Method \"%s\" not allowed.", request->method_name);

	answer_error(answer, 405, detail);
	answer->allow = ALLOW_READ;
}
