/* rest_internal.h: what an answer says. Everything here may come from a stranger in Discord's place. */
#include "test.h"

#include "base/random.h"
#include "rest_internal.h"

/* Reads an answer made of a status, a body and headers. The outcome's JSON is freed; its strings are the headers'. */
static struct rest_outcome read_answer(int status, const char *body, const struct http_header *headers)
{
	static const struct http_header none[] = { { 0 } };
	struct http_answer answer = {
		.sent = true,
		.status = status,
		.body = body ? body : "",
		.body_len = body ? strlen(body) : 0,
		.headers = headers ? headers : none,
	};
	struct rest_outcome outcome;

	rest_outcome_read(&answer, &outcome);
	cJSON_Delete(outcome.json);
	return outcome;
}

static void headers_become_limits(void **state)
{
	static const struct http_header headers[] = { { "x-ratelimit-limit", "5" }, { "x-ratelimit-remaining", "4" },
		{ "x-ratelimit-reset-after", "1.337" }, { "x-ratelimit-bucket", "abcd1234" }, { 0 } };
	struct rest_outcome outcome = read_answer(200, "{}", headers);

	(void)state;
	assert_int_equal(outcome.result, 0);
	assert_int_equal(outcome.limits.limit, 5);
	assert_int_equal(outcome.limits.remaining, 4);
	assert_int_equal(outcome.limits.reset_after, 1337 * MILLISECOND);
	assert_string_equal(outcome.limits.bucket, "abcd1234");
	assert_int_equal(outcome.limits.retry_after, -1);
}

static void nonsense_in_headers_is_none(void **state)
{
	static const char *const nonsense[] = { "", "x", "-1", "1e", "nan", "inf", "1 2", "99999999999999999999", "0x",
		"-0.5" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
		const struct http_header headers[] = { { "x-ratelimit-limit", nonsense[i] },
			{ "x-ratelimit-remaining", nonsense[i] }, { "x-ratelimit-reset-after", nonsense[i] },
			{ "retry-after", nonsense[i] }, { 0 } };
		struct rest_outcome outcome = read_answer(429, "{\"retry_after\":\"soon\"}", headers);

		assert_int_equal(outcome.limits.limit, -1);
		assert_int_equal(outcome.limits.remaining, -1);
		if (outcome.limits.reset_after != -1)
			assert_int_equal(outcome.limits.reset_after, RATELIMIT_WAIT_MAX);
		assert_int_equal(outcome.limits.retry_after, outcome.limits.reset_after);
	}
}

static void each_429_has_its_scope(void **state)
{
	static const struct {
		const char *body, *name, *value;
		usec retry_after;
		bool global, shared, edge;
	} cases[] = {
		{ "{\"retry_after\":64.57,\"global\":false}", "x-ratelimit-scope", "user", 64570 * MILLISECOND, false,
			false, false },
		{ "{\"retry_after\":0.3,\"global\":true}", NULL, NULL, 300 * MILLISECOND, true, false, false },
		{ "{\"retry_after\":1}", "x-ratelimit-scope", "global", SECOND, true, false, false },
		{ "{\"retry_after\":1}", "x-ratelimit-global", "true", SECOND, true, false, false },
		{ "{\"retry_after\":1336.57}", "x-ratelimit-scope", "shared", 1336570 * MILLISECOND, false, true,
			false },
		{ "{\"message\":\"slow down\"}", "retry-after", "7", 7 * SECOND, false, false, true },
		{ "{\"code\":40333,\"message\":\"internal network error\",\"retry_after\":3}", NULL, NULL, 3 * SECOND,
			false, false, true },
		{ "<html>error 1015</html>", "retry-after", "90", 90 * SECOND, false, false, true },
		{ NULL, NULL, NULL, -1, false, false, true },
		{ "{\"retry_after\":1e300}", NULL, NULL, RATELIMIT_WAIT_MAX, false, false, false },
		{ "{\"retry_after\":-4}", "x-ratelimit-scope", "user", -1, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct http_header headers[] = { { cases[i].name, cases[i].value }, { 0 } };
		struct rest_outcome outcome = read_answer(429, cases[i].body, headers);

		assert_int_equal(outcome.result, -EBUSY);
		assert_int_equal(outcome.limits.retry_after, cases[i].retry_after);
		assert_int_equal(outcome.limits.global, cases[i].global);
		assert_int_equal(outcome.limits.shared, cases[i].shared);
		assert_int_equal(outcome.limits.edge, cases[i].edge);
	}
}

/* Discord's edge says it with 403 as well (germanoeich/nirn-proxy, issue 14): that is no missing permission. */
static void a_refusal_of_the_edge_is_known_by_its_code(void **state)
{
	static const struct http_header retry[] = { { "retry-after", "90" }, { 0 } };
	struct rest_outcome outcome =
		read_answer(403, "{\"code\":40333,\"message\":\"internal network error\"}", retry);

	(void)state;
	assert_int_equal(outcome.result, -EBUSY);
	assert_true(outcome.limits.edge);
	assert_int_equal(outcome.limits.retry_after, 90 * SECOND);
	outcome = read_answer(403, "{\"code\":50013,\"message\":\"Missing Permissions\"}", retry);
	assert_int_equal(outcome.result, -EACCES);
	assert_false(outcome.limits.edge);
	assert_int_equal(outcome.limits.retry_after, -1);
}

static void the_first_reason_of_a_refused_form_is_told(void **state)
{
	static const struct {
		const char *body, *message;
	} cases[] = {
		{ "{\"message\":\"Invalid Form Body\",\"code\":50035,"
		  "\"errors\":{\"a\":{\"b\":{\"_errors\":[{\"message\":\"bad\"}]}},"
		  "\"c\":{\"_errors\":[{\"message\":\"worse\"}]}}}",
			"Invalid Form Body (a.b: bad)" },
		{ "{\"message\":\"Invalid Form Body\",\"errors\":{\"a\":{},"
		  "\"c\":{\"_errors\":[{\"message\":\"worse\"}]}}}",
			"Invalid Form Body (c: worse)" },
		{ "{\"message\":\"Invalid Form Body\",\"errors\":{\"_errors\":[{\"message\":\"all\"}]}}",
			"Invalid Form Body (: all)" },
		{ "{\"message\":\"Invalid Form Body\",\"errors\":{\"_errors\":[]}}", "Invalid Form Body" },
		{ "{\"message\":\"Invalid Form Body\",\"errors\":[[[[1]]]]}", "Invalid Form Body" },
		{ "{\"message\":\"Plain\"}", "Plain" },
		{ "{\"code\":\"x\"}", "HTTP status 400" },
		{ "[]", "HTTP status 400" },
		{ "{", "HTTP status 400" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rest_outcome outcome = read_answer(400, cases[i].body, NULL);

		assert_string_equal(outcome.error.message, cases[i].message);
		assert_int_equal(outcome.result, -EINVAL);
	}
}

static void long_messages_are_cut(void **state)
{
	struct str body cleanup(str_finish) = STR_INIT;
	struct rest_outcome outcome;

	(void)state;
	str_adds(&body, "{\"message\":\"");
	for (int i = 0; i < 100; i++)
		str_adds(&body, "0123456789");
	str_adds(&body, "\"}");
	outcome = read_answer(400, body.buf, NULL);
	assert_int_equal(strlen(outcome.error.message), sizeof(outcome.error.message) - 1);
}

static void no_answer_is_the_networks_error(void **state)
{
	struct http_answer answer = { .error = -ECONNRESET };
	struct rest_outcome outcome;

	(void)state;
	rest_outcome_read(&answer, &outcome);
	assert_int_equal(outcome.result, -ECONNRESET);
	assert_int_equal(outcome.error.http_status, 0);
	assert_int_equal(outcome.limits.status, 0);
	assert_int_equal(outcome.limits.limit, -1);
	answer.error = -EKEYREJECTED; /* a certificate, not our token */
	rest_outcome_read(&answer, &outcome);
	assert_int_equal(outcome.result, -EPROTO);
	assert_string_equal(outcome.error.message, "the server's certificate is not accepted");
}

static void repetition_depends_on_what_may_have_happened(void **state)
{
	static const struct {
		int error;
		bool sent;
		int status;
		bool safe, never;
	} cases[] = {
		{ -ECONNREFUSED, false, 0, true, true },
		{ -ETIMEDOUT, false, 0, true, true },
		{ -ETIMEDOUT, true, 0, true, false },
		{ -ECONNRESET, true, 0, true, false },
		{ -EKEYREJECTED, false, 0, false, false },
		{ -EMSGSIZE, true, 0, false, false },
		{ -ECANCELED, true, 0, false, false },
		{ 0, true, 200, false, false },
		{ 0, true, 400, false, false },
		{ 0, true, 401, false, false },
		{ 0, true, 404, false, false },
		{ 0, true, 429, true, true },
		{ 0, true, 500, true, false },
		{ 0, true, 501, false, false },
		{ 0, true, 502, true, false },
		{ 0, true, 503, true, false },
		{ 0, true, 504, true, false },
		{ 0, true, 505, false, false },
		{ 0, true, 520, true, false },
		{ 0, true, 525, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_answer answer = {
			.error = cases[i].error, .sent = cases[i].sent, .status = cases[i].status
		};

		assert_int_equal(rest_may_repeat(REST_REPEAT_SAFE, &answer), cases[i].safe);
		assert_int_equal(rest_may_repeat(REST_REPEAT_NONCE, &answer), cases[i].safe);
		assert_int_equal(rest_may_repeat(REST_REPEAT_NEVER, &answer), cases[i].never);
	}
}

static void random_answers_do_no_harm(void **state)
{
	static const char alphabet[] = "{}[]\":,0123456789.eE-+ \\_trufalsn";
	struct random random;

	(void)state;
	random_init(&random, 3);
	for (int i = 0; i < 3000; i++) {
		char body[60], value[12];
		const struct http_header headers[] = { { "x-ratelimit-limit", value },
			{ "x-ratelimit-reset-after", value }, { "retry-after", value }, { "x-ratelimit-bucket", body },
			{ 0 } };

		for (size_t j = 0; j < sizeof(body); j++)
			body[j] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		body[sizeof(body) - 1] = '\0';
		for (size_t j = 0; j < sizeof(value); j++)
			value[j] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
		value[sizeof(value) - 1] = '\0';
		assert_true(read_answer(429, body, headers).limits.retry_after <= RATELIMIT_WAIT_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_become_limits),
		cmocka_unit_test(nonsense_in_headers_is_none),
		cmocka_unit_test(each_429_has_its_scope),
		cmocka_unit_test(a_refusal_of_the_edge_is_known_by_its_code),
		cmocka_unit_test(the_first_reason_of_a_refused_form_is_told),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(no_answer_is_the_networks_error),
		cmocka_unit_test(repetition_depends_on_what_may_have_happened),
		cmocka_unit_test(random_answers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
