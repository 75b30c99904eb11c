/* What people call themselves and write, on its way into messages and searches: escaping, cutting, folding, Discord's
 * times. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "discord/types.h"
#include "fuzz.h"
#include "text.h"

/* Nobody is mentioned, no direction is turned, no line is begun. */
static void check_escaped(const char *name)
{
	struct str text cleanup(str_finish) = STR_INIT;
	uint32_t code_point;

	text_add_escaped(&text, name);
	REQUIRE(utf8_valid(text.buf, text.len));
	/* A zero-width blank behind each. */
	for (const char *at = text.buf; (at = strchr(at, '@')); at++)
		REQUIRE(strncmp(at + 1, "\xe2\x80\x8b", 3) == 0);
	for (size_t at = 0, len; (len = utf8_next(text.buf + at, text.len - at, &code_point)) > 0; at += len) {
		REQUIRE(code_point >= 0x20 && code_point != 0x7f);
		REQUIRE(code_point < 0x202a || code_point > 0x202e);
		REQUIRE(code_point < 0x2066 || code_point > 0x2069);
	}
}

static void check_cut(const char *text, size_t len)
{
	size_t count = utf8_count(text, len);
	struct str cut cleanup(str_finish) = STR_INIT;

	for (size_t limit = 1; limit <= count + 1; limit = 2 * limit + 1) {
		size_t prefix = utf8_prefix(text, len, limit);

		REQUIRE(prefix <= len && utf8_valid(text, prefix));
		REQUIRE(utf8_count(text, prefix) == MIN(limit, count));
		str_clear(&cut);
		utf8_append_shortened(&cut, text, limit);
		REQUIRE(utf8_valid(cut.buf, cut.len) && utf8_count(cut.buf, cut.len) <= limit);
	}
}

static void check_folded(const char *text)
{
	struct str once cleanup(str_finish) = STR_INIT;

	REQUIRE(utf8_fold(&once, text) == 0);
	REQUIRE(utf8_valid(once.buf, once.len));
	REQUIRE(utf8_equal_folded(text, text) && utf8_contains_folded(text, text));
	REQUIRE(utf8_contains_folded(text, ""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text cleanup(freep) = xstrndup((const char *)data, size);
	struct str folded cleanup(str_finish) = STR_INIT;
	usec time = timestamp_parse(text);
	uint64_t number;
	int64_t signed_number;

	REQUIRE(time == 0 || (time > -62135596800 * SECOND * 2 && time < 253402300800 * SECOND));
	REQUIRE(parse_u64(text, &number) <= 0 && parse_i64(text, &signed_number) <= 0);
	size = strlen(text);
	if (!utf8_valid(text, size)) {
		REQUIRE(utf8_fold(&folded, text) == -EINVAL && !utf8_contains_folded(text, "a"));
		return 0;
	}
	check_escaped(text);
	check_cut(text, size);
	check_folded(text);
	return 0;
}
