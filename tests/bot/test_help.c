/* bot/help.h: the overview holds with many commands, within Discord's limits. */
#include "test.h"

#include <stdio.h>

#include "base/utf8.h"
#include "help.h"

#define FEATURES 12
#define PER      7 /* commands of a feature */
#define ALL      (FEATURES * PER)
/* Of all text in the embeds of a message, and what title, footer and author take of it at most. */
#define EMBEDS_TOTAL 6000
#define AROUND       (20 + 150 + 32)

static char names[ALL][33], briefs[ALL][101], titles[FEATURES][40];
static struct command commands[FEATURES][PER + 1];
static struct feature table[FEATURES];
static const struct feature *list[FEATURES + 1];
static struct arena arena;
static struct bot bot = { .features = list };
static struct cmd cmd = { .bot = &bot, .arena = &arena };

/* Longer briefs in later features; every fifth command is for moderators only. */
static int set_up(void **state)
{
	(void)state;
	for (size_t f = 0; f < FEATURES; f++) {
		snprintf(titles[f], sizeof(titles[f]), "Feature %zu", f);
		table[f] = (struct feature){ .name = titles[f], .title = titles[f], .commands = commands[f] };
		list[f] = &table[f];
		for (size_t c = 0; c < PER; c++) {
			size_t i = f * PER + c;

			snprintf(names[i], sizeof(names[i]), "command_of_a_long_name_%zu", i);
			snprintf(briefs[i], sizeof(briefs[i]), "%*s", (int)(40 + 5 * f), "é");
			commands[f][c] = (struct command){ .name = names[i],
				.kinds = TEXT | SLASH,
				.who = i % 5 == 4 ? MODERATORS : ANYONE,
				.brief = briefs[i] };
		}
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

static size_t count_of(const char *text)
{
	return utf8_count(text, strlen(text));
}

static void every_visible_command_is_shown_once_within_the_limits(void **state)
{
	struct embed_field fields[EMBED_FIELDS_MAX];
	struct help_overview overview;
	size_t count, messages = 0, shown[ALL] = { 0 };

	(void)state;
	help_overview_begin(&overview, &cmd);
	while (help_overview_next(&overview, fields, &count)) {
		size_t total = AROUND;

		messages++;
		assert_in_range(count, 1, EMBED_FIELDS_MAX);
		for (size_t i = 0; i < count; i++) {
			assert_in_range(count_of(fields[i].name), 1, EMBED_FIELD_NAME_MAX);
			assert_in_range(count_of(fields[i].value), 1, EMBED_FIELD_VALUE_MAX);
			total += count_of(fields[i].name) + count_of(fields[i].value);
			for (size_t c = 0; c < ALL; c++) {
				char line[40];

				snprintf(line, sizeof(line), "`.%.32s`:", names[c]);
				shown[c] += strstr(fields[i].value, line) != NULL;
			}
		}
		assert_in_range(total, 1, EMBEDS_TOTAL);
	}
	assert_in_range(messages, 2, 3);
	for (size_t c = 0; c < ALL; c++)
		assert_int_equal(shown[c], c % 5 == 4 ? 0 : 1);
}

/* As the old system ordered them. */
static void the_shortest_extension_comes_first(void **state)
{
	struct embed_field fields[EMBED_FIELDS_MAX];
	struct help_overview overview;
	size_t count;

	(void)state;
	list[0] = &table[FEATURES - 1];
	list[FEATURES - 1] = &table[0];
	help_overview_begin(&overview, &cmd);
	assert_true(help_overview_next(&overview, fields, &count));
	assert_in_range(count, 3, FEATURES);
	for (size_t i = 1; i < count; i++)
		assert_true(count_of(fields[i - 1].value) <= count_of(fields[i].value));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_visible_command_is_shown_once_within_the_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_shortest_extension_comes_first, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
