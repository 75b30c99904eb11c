/* discord/embed.h */
#include "test.h"

#include "discord/embed.h"

/* `count` characters of two bytes each. */
static char *letters(size_t count)
{
	struct str text = STR_INIT;

	for (size_t i = 0; i < count; i++)
		str_adds(&text, "é");
	return str_detach(&text, NULL);
}

static int check(const struct embed *embed, const char *expected_reason)
{
	struct str reason cleanup(str_finish) = STR_INIT;
	int r = embed_check(embed, &reason);

	assert_string_equal(reason.buf, expected_reason);
	return r;
}

static void each_part_has_its_limit_in_characters(void **state)
{
	static const struct {
		size_t offset, limit;
		const char *name;
	} parts[] = {
		{ offsetof(struct embed, title), 256, "title" },
		{ offsetof(struct embed, description), 4096, "description" },
		{ offsetof(struct embed, footer), 2048, "footer" },
		{ offsetof(struct embed, author_name), 256, "author" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char *fits cleanup(freep) = letters(parts[i].limit);
		char *too_long cleanup(freep) = letters(parts[i].limit + 1);
		char *reason cleanup(freep) = xasprintf("The embed's %s has %zu characters, at most %zu are allowed.",
			parts[i].name, parts[i].limit + 1, parts[i].limit);
		struct embed embed = { 0 };

		memcpy((char *)&embed + parts[i].offset, &fits, sizeof(fits));
		assert_int_equal(check(&embed, ""), 0);
		memcpy((char *)&embed + parts[i].offset, &too_long, sizeof(too_long));
		assert_int_equal(check(&embed, reason), -E2BIG);
	}
}

static void fields_have_limits(void **state)
{
	char *name cleanup(freep) = letters(256), *value cleanup(freep) = letters(1024);
	char *long_name cleanup(freep) = letters(257), *long_value cleanup(freep) = letters(1025);
	struct embed_field fields[26];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		fields[i] = (struct embed_field){ .name = "n", .value = "v" };
	assert_int_equal(check(&(struct embed){ .fields = fields, .field_count = 25 }, ""), 0);
	assert_int_equal(check(&(struct embed){ .fields = fields, .field_count = 26 },
				 "The embed has 26 fields, at most 25 are allowed."),
		-E2BIG);
	fields[3] = (struct embed_field){ .name = name, .value = value };
	assert_int_equal(check(&(struct embed){ .fields = fields, .field_count = 4 }, ""), 0);
	fields[3].name = long_name;
	assert_int_equal(check(&(struct embed){ .fields = fields, .field_count = 4 },
				 "The embed's field name has 257 characters, at most 256 are allowed."),
		-E2BIG);
	fields[3] = (struct embed_field){ .name = name, .value = long_value };
	assert_int_equal(check(&(struct embed){ .fields = fields, .field_count = 4 },
				 "The embed's field value has 1025 characters, at most 1024 are allowed."),
		-E2BIG);
}

static void all_parts_together_have_a_limit(void **state)
{
	char *description cleanup(freep) = letters(4096), *footer cleanup(freep) = letters(1904);

	(void)state;
	assert_int_equal(check(&(struct embed){ .description = description, .footer = footer }, ""), 0);
	assert_int_equal(check(&(struct embed){ .description = description, .footer = footer, .title = "x" },
				 "The embed has 6001 characters in all, at most 6000 are allowed."),
		-E2BIG);
}

static void embeds_are_written(void **state)
{
	static const struct embed_field fields[] = { { "n", "v", false }, { "m", "w", true } };
	const struct embed whole = {
		.title = "t",
		.description = "d \"q\"",
		.url = "https://u",
		.color = EMBED_ERROR,
		.author_name = "a",
		.author_icon_url = "https://i",
		.thumbnail_url = "https://th",
		.image_url = "https://im",
		.footer = "f",
		.footer_icon_url = "https://fi",
		.timestamp = 1430029616936 * MILLISECOND,
		.fields = fields,
		.field_count = 2,
	};
	struct str text cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&text);

	(void)state;
	embed_write(&w, &whole);
	assert_string_equal(text.buf,
		"{\"title\":\"t\",\"description\":\"d \\\"q\\\"\",\"url\":\"https://u\",\"color\":10885422,"
		"\"author\":{\"name\":\"a\",\"icon_url\":\"https://i\"},\"thumbnail\":{\"url\":\"https://th\"},"
		"\"image\":{\"url\":\"https://im\"},\"footer\":{\"text\":\"f\",\"icon_url\":\"https://fi\"},"
		"\"timestamp\":\"2015-04-26T06:26:56.936Z\",\"fields\":[{\"name\":\"n\","
		"\"value\":\"v\",\"inline\":true},"
		"{\"name\":\"m\",\"value\":\"w\",\"inline\":false}]}");
	str_clear(&text);
	w = (struct json_writer)JSON_WRITER(&text);
	embed_write(&w, &(struct embed){ .timestamp = -1 });
	assert_string_equal(text.buf, "{\"color\":49085,\"timestamp\":\"1969-12-31T23:59:59.999Z\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_has_its_limit_in_characters),
		cmocka_unit_test(fields_have_limits),
		cmocka_unit_test(all_parts_together_have_a_limit),
		cmocka_unit_test(embeds_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
