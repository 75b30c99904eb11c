/* base/log.h: whatever a member calls himself, a line stays one line, holds no control character and no secret, and as
 * JSON it is JSON. The input: a byte of flags, then text of which a part is the message, the rest a field. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "fuzz.h"

#define SECRET "hunter2-hunter2"

static usec noon(void)
{
	return 1772618400 * SECOND;
}

struct seen {
	bool json;
	int lines;
};

static void check_line(void *arg, enum log_level level, const char *line)
{
	struct seen *seen = arg;
	size_t len = strlen(line);

	(void)level;
	seen->lines++;
	REQUIRE(utf8_valid(line, len));
	REQUIRE(!strstr(line, SECRET));
	for (size_t i = 0; i < len; i++)
		REQUIRE((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	if (seen->json) {
		cJSON *json cleanup(json_freep) = NULL;

		REQUIRE(json_parse(line, len, &json) == 0);
		REQUIRE(json_string(json, "msg") && json_string(json, "value") && json_string(json, "service"));
		REQUIRE(json_int(json, "number", 0) == 7);
	} else {
		REQUIRE(strstr(line, " number=7"));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { 0 };
	char *message cleanup(freep) = NULL, *value cleanup(freep) = NULL;
	size_t cut;

	if (size < 2)
		return 0;
	seen.json = data[0] & 1;
	cut = 2 + data[1] % (size - 1);
	message = xstrndup((const char *)data + 2, MIN(cut, size) - 2);
	value = xstrndup((const char *)data + MIN(cut, size), size - MIN(cut, size));
	REQUIRE(log_init(&(struct log_options){ .service = "fuzz", .json = seen.json, .clock = noon }) == 0);
	log_add_secret(SECRET);
	log_set_sink(LOG_LEVEL_DEBUG, check_line, &seen);
	log_info(message, LOG_STR("value", value), LOG_INT("number", 7));
	REQUIRE(seen.lines == 1);
	log_set_sink(LOG_LEVEL_DEBUG, NULL, NULL);
	log_finish();
	return 0;
}
