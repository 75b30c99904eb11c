/* leveling_api/params.h, packed_url.h and cursor.h: texts of strangers that are taken apart, and put together again. */
#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "cursor.h"
#include "fuzz.h"
#include "packed_url.h"
#include "params.h"

static void check_query(const char *text)
{
	struct str once cleanup(str_finish) = STR_INIT;
	struct str twice cleanup(str_finish) = STR_INIT;
	struct arena arena = ARENA_INIT;
	struct params params;

	if (params_parse(text, &arena, &params) == 0) {
		for (size_t i = 0; i < params.count; i++) {
			bool negative;
			int64_t value;

			REQUIRE(utf8_valid(params.list[i].name, params.list[i].name_len));
			REQUIRE(utf8_valid(params.list[i].value, params.list[i].value_len));
			REQUIRE(params.list[i].value[params.list[i].value_len] == '\0');
			if (params_is_digits(params.list[i].value, params.list[i].value_len))
				REQUIRE(params.list[i].value_len > 1000 ||
					params_int(params.list[i].value, params.list[i].value_len, &value, &negative) !=
						-EINVAL);
		}
		/* A link leads to itself: what was put together is taken apart to the same. */
		params_relink(&once, text, &params, &arena, "page", "2");
		REQUIRE(params_parse(once.buf + 1, &arena, &params) == 0);
		REQUIRE(strcmp(params_text(&params, "page", ""), "2") == 0);
		params_relink(&twice, once.buf + 1, &params, &arena, "page", "2");
		REQUIRE(strcmp(once.buf, twice.buf) == 0);
	}
	arena_finish(&arena);
}

static void check_address(const char *text, size_t len)
{
	static struct url_shapes *shapes;
	struct str packed cleanup(str_finish) = STR_INIT;
	struct str again cleanup(str_finish) = STR_INIT;

	if (!shapes)
		shapes = url_shapes_create();
	packed_url_add(&packed, shapes, 123456789, text, len);
	packed_url_read(&again, shapes, 123456789, packed.buf, packed.len);
	REQUIRE(again.len == len && memcmp(again.buf, text, len) == 0);
}

static void check_cursor(const char *text)
{
	struct str out cleanup(str_finish) = STR_INIT;
	struct cursor cursor, again;

	if (cursor_parse(text, &cursor) < 0)
		return;
	cursor_write(&out, &cursor);
	REQUIRE(cursor_parse(out.buf, &again) == 0);
	REQUIRE(again.order == cursor.order && again.rank == cursor.rank && again.key.id == cursor.key.id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);

	check_query(text);
	check_address(text, strlen(text));
	check_cursor(text);
	free(text);
	return 0;
}
