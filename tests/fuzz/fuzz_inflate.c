/* discord/inflate.h: the gateway's compressed bytes in pieces, then what is made of a message. The first byte is the
 * size of a piece. */
#include "base/json.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "inflate.h"

#define LIMIT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inflater *inflater;
	size_t piece;

	if (size == 0)
		return 0;
	inflater = inflater_create(LIMIT);
	piece = (size_t)data[0] + 1;
	for (size_t at = 1; at < size; at += piece) {
		cJSON *json cleanup(json_freep) = NULL;
		const char *text;
		size_t len;
		int r = inflater_push(inflater, data + at, MIN(piece, size - at), &text, &len);

		if (r < 0) {
			REQUIRE(inflater_push(inflater, data, size, &text, &len) == r);
			break;
		}
		if (r == 0)
			continue;
		REQUIRE(len <= LIMIT && text[len] == '\0');
		if (json_parse(text, len, &json) == 0)
			REQUIRE(utf8_valid(text, len));
	}
	inflater_destroy(inflater);
	return 0;
}
