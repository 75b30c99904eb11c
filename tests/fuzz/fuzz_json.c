/* base/json.h: what is accepted is written again, and reads as the same. */
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "fuzz.h"

/* Every accessor on every node. */
static void read_all(const cJSON *json)
{
	json_array_each (item, json) {
		const char *key = item->string;
		int64_t number;

		if (key && cJSON_IsObject(json)) {
			number = json_int(json, key, 0);
			REQUIRE(number > -(1LL << 53) && number < 1LL << 53);
			REQUIRE(json_snowflake(json, key) <= INT64_MAX);
			REQUIRE(json_get(json, key) != NULL);
			(void)json_double(json, key, 0);
			(void)json_bool(json, key, false);
			(void)json_string(json, key);
			(void)json_array(json, key);
			(void)json_object(json, key);
		}
		(void)json_snowflake_value(item);
		read_all(item);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str first cleanup(str_finish) = STR_INIT, second cleanup(str_finish) = STR_INIT;
	struct json_writer w1 = JSON_WRITER(&first), w2 = JSON_WRITER(&second);
	cJSON *json cleanup(json_freep) = NULL, *again cleanup(json_freep) = NULL;

	if (json_parse((const char *)data, size, &json) < 0)
		return 0;
	REQUIRE(utf8_valid((const char *)data, size));
	read_all(json);
	json_write_tree(&w1, json);
	REQUIRE(json_parse(first.buf, first.len, &again) == 0);
	json_write_tree(&w2, again);
	REQUIRE(first.len == second.len && memcmp(first.buf, second.buf, first.len) == 0);
	return 0;
}
