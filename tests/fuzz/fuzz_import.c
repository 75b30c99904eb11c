/* models/json_reader.h: the import's streaming reader. What it accepts as a whole, the other JSON reader of the house
 * accepts too. */
#include <errno.h>

#include "base/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "json_reader.h"

/* 0 when all of it is one value. The first byte says whether nested values are skipped or walked through. */
static int read_all(struct json_reader *reader, bool skip)
{
	enum json_token token;
	size_t tokens = 0;
	int r;

	do {
		r = json_reader_next(reader, &token);
		if (r < 0)
			return r;
		REQUIRE(reader->depth <= JSON_READER_DEPTH_MAX && reader->line >= 1);
		if (token == JSON_TOKEN_KEY || token == JSON_TOKEN_STRING)
			REQUIRE(utf8_valid(reader->text.buf, reader->text.len));
		tokens++;
		if (skip && tokens > 1 && (token == JSON_TOKEN_BEGIN_ARRAY || token == JSON_TOKEN_BEGIN_OBJECT)) {
			size_t depth = reader->depth;

			r = json_reader_skip(reader);
			if (r < 0)
				return r;
			REQUIRE(reader->depth == depth - 1);
		}
	} while (token != JSON_TOKEN_END);
	return 0;
}

static int read_text(const uint8_t *data, size_t size, bool skip)
{
	struct json_reader reader;
	FILE *file = fmemopen((void *)data, size, "rb");
	int r;

	REQUIRE(file);
	json_reader_init(&reader, file);
	r = read_all(&reader, skip);
	REQUIRE(r == 0 || r == -E2BIG || (r == -EBADMSG && reader.fault));
	json_reader_finish(&reader);
	fclose(file);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *json cleanup(json_freep) = NULL;
	int walked, skipped, parsed;

	if (size == 0)
		return 0;
	walked = read_text(data, size, false);
	skipped = read_text(data, size, true);
	REQUIRE(walked == skipped);
	parsed = json_parse((const char *)data, size, &json);
	if (parsed == 0)
		REQUIRE(walked == 0);
	return 0;
}
