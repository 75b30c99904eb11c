/* leveling_api/packed_url.c, text_heap.c and digits.h. */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "digits.h"
#include "packed_url.h"
#include "text_heap.h"

#define USER UINT64_C(1174032003109240902)

static size_t pack(struct url_shapes *shapes, uint64_t user, const char *url)
{
	struct str packed cleanup(str_finish) = STR_INIT;
	struct str again cleanup(str_finish) = STR_INIT;

	packed_url_add(&packed, shapes, user, url, strlen(url));
	packed_url_read(&again, shapes, user, packed.buf, packed.len);
	assert_string_equal(again.buf, url);
	return packed.len;
}

static void test_addresses(void **state)
{
	static const char *const urls[] = {
		"",
		"x",
		"https://cdn.discordapp.com/avatars/1174032003109240902/0123456789abcdef0123456789abcdef.png",
		"https://cdn.discordapp.com/guilds/228761314644852736/users/1174032003109240902/avatars/a_0123456789abcdef0123456789abcdef.gif?size=256",
		"https://cdn.discord.example/attachments/1000000000000000001/11/avatar.png?ex=65f0a1b2&is=65de2cb2&hm=0123456789abcdef0123456789abcdef",
		"000000",
		"000001",
		"123456",
		"18446744073709551615",
		"9999999999999999999",
		"99999999999999999999",
		"abcdef0",
		"ABCDEF0",
		"tab\there",
		"\x01\x02\x03",
		"https://x/\003123456",
		"\360\237\230\200123456",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	struct url_shapes *shapes = url_shapes_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
		pack(shapes, USER, urls[i]);
	assert_int_equal(pack(shapes, USER, urls[2]), 18);
	assert_true(pack(shapes, USER, urls[4]) < 45);
	url_shapes_destroy(shapes);
}

static void test_random_addresses_and_too_many_shapes(void **state)
{
	static const char alphabet[] = "0123456789abcdefgh/.?=\x01\x02\x03";
	struct url_shapes *shapes = url_shapes_create();
	struct random random;
	char url[300];

	(void)state;
	random_init(&random, 5);
	for (int i = 0; i < 5000; i++) {
		size_t len = random_below(&random, sizeof(url));
		/* Long runs of digits are what is packed. */
		size_t letters = random_below(&random, 4) ? 16 : sizeof(alphabet) - 1;

		for (size_t k = 0; k < len; k++)
			url[k] = alphabet[random_below(
				&random, random_below(&random, 8) ? letters : sizeof(alphabet) - 1)];
		url[len] = '\0';
		pack(shapes, random_u64(&random), url);
	}
	url_shapes_destroy(shapes);
}

static void test_heap(void **state)
{
	static struct {
		uint32_t reference;
		size_t len;
		unsigned char fill;
	} items[500];
	static struct text_heap heap;
	static unsigned char data[TEXT_HEAP_ITEM_MAX];
	struct random random;

	(void)state;
	random_init(&random, 3);
	for (int round = 0; round < 20000; round++) {
		size_t i = random_below(&random, ARRAY_SIZE(items));

		if (items[i].len > 0) {
			const unsigned char *stored = text_heap_get(&heap, items[i].reference);

			assert_int_equal(stored[0], items[i].fill);
			assert_int_equal(stored[items[i].len - 1], items[i].fill);
			text_heap_free(&heap, items[i].reference, items[i].len);
		}
		items[i].len = 1 + random_below(&random, round % 50 == 0 ? TEXT_HEAP_ITEM_MAX : 80);
		items[i].fill = (unsigned char)random_below(&random, 256);
		memset(data, items[i].fill, items[i].len);
		items[i].reference = text_heap_add(&heap, data, items[i].len);
		assert_int_not_equal(items[i].reference, 0);
	}
	text_heap_finish(&heap);
}

static void check_digits(uint64_t value)
{
	char expected[32], digits[DIGITS_MAX_LEN + 1] = { 0 };

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	*digits_put(digits, value) = '\0';
	assert_string_equal(digits, expected);
}

static void test_digits(void **state)
{
	(void)state;
	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
		check_digits(power - 1);
		check_digits(power);
		check_digits(power * 10 - 1);
	}
	for (int shift = 0; shift < 64; shift++)
		check_digits(UINT64_MAX >> shift);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_random_addresses_and_too_many_shapes),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
