/* inflate.h: one stream, cut anywhere; bombs and rubbish are refused. */
#include "test.h"

#define ZLIB_CONST
#include <zlib.h>

#include "base/random.h"
#include "inflate.h"

/* A server's side of the stream. */
static void deflate_message(z_stream *z, const void *text, size_t len, struct str *out)
{
	unsigned char room[4096];

	z->next_in = text;
	z->avail_in = (uInt)len;
	do {
		z->next_out = room;
		z->avail_out = sizeof(room);
		assert_true(deflate(z, Z_SYNC_FLUSH) >= Z_BUF_ERROR);
		str_add(out, room, sizeof(room) - z->avail_out);
	} while (z->avail_out == 0);
}

static void open_stream(z_stream *z)
{
	memset(z, 0, sizeof(*z));
	assert_int_equal(deflateInit(z, Z_DEFAULT_COMPRESSION), Z_OK);
}

static void messages_share_one_stream(void **state)
{
	struct inflater *inflater = inflater_create(1000);
	const char *text = "";
	size_t len;
	z_stream z;

	(void)state;
	open_stream(&z);
	for (int i = 0; i < 50; i++) {
		struct str packed cleanup(str_finish) = STR_INIT;
		char *message cleanup(freep) = xasprintf("{\"op\":11,\"n\":%d}", i);

		deflate_message(&z, message, strlen(message), &packed);
		assert_int_equal(inflater_push(inflater, packed.buf, packed.len, &text, &len), 1);
		assert_string_equal(text, message);
		assert_int_equal(len, strlen(message));
	}
	assert_int_equal(inflater_push(inflater, "", 0, &text, &len), 0);
	deflateEnd(&z);
	inflater_destroy(inflater);
	inflater_destroy(NULL);
}

/* Also through the middle of 00 00 FF FF. */
static void pieces_may_end_anywhere(void **state)
{
	static const char message[] = "{\"op\":0,\"t\":\"MESSAGE_CREATE\",\"d\":{\"content\":\"hello hello hello\"}}";
	struct str packed cleanup(str_finish) = STR_INIT;
	const char *text = "";
	size_t len;
	z_stream z;

	(void)state;
	open_stream(&z);
	deflate_message(&z, message, strlen(message), &packed);
	for (size_t cut = 1; cut < packed.len; cut++) {
		struct inflater *inflater = inflater_create(1000);

		assert_int_equal(inflater_push(inflater, packed.buf, cut, &text, &len), 0);
		assert_int_equal(inflater_push(inflater, packed.buf + cut, packed.len - cut, &text, &len), 1);
		assert_string_equal(text, message);
		inflater_destroy(inflater);
	}
	for (size_t size = 1; size < 5; size++) {
		struct inflater *inflater = inflater_create(1000);
		int r = 0;

		for (size_t at = 0; at < packed.len; at += size) {
			assert_int_equal(r, 0);
			r = inflater_push(inflater, packed.buf + at, MIN(size, packed.len - at), &text, &len);
		}
		assert_int_equal(r, 1);
		assert_string_equal(text, message);
		inflater_destroy(inflater);
	}
	deflateEnd(&z);
}

static int push_zeros(size_t count, size_t limit, size_t *ret_len)
{
	struct inflater *inflater = inflater_create(limit);
	struct str packed cleanup(str_finish) = STR_INIT;
	char *zeros cleanup(freep) = xcalloc(1, count);
	const char *text = "";
	z_stream z;
	int r;

	open_stream(&z);
	deflate_message(&z, zeros, count, &packed);
	deflateEnd(&z);
	r = inflater_push(inflater, packed.buf, packed.len, &text, ret_len);
	if (r < 0) /* once dead, for ever dead */
		assert_int_equal(inflater_push(inflater, packed.buf, packed.len, &text, ret_len), r);
	inflater_destroy(inflater);
	return r;
}

static void the_limit_is_exact(void **state)
{
	size_t len = 0;

	(void)state;
	assert_int_equal(push_zeros(100000, 100000, &len), 1);
	assert_int_equal(len, 100000);
	assert_int_equal(push_zeros(100001, 100000, &len), -E2BIG);
	assert_int_equal(push_zeros(3 << 20, 16 << 20, &len), 1);
	assert_int_equal(len, 3 << 20);
}

static void bombs_are_refused_early(void **state)
{
	size_t len = 0;

	(void)state;
	assert_int_equal(push_zeros(64 << 20, 1 << 20, &len), -E2BIG);
}

static void many_pieces_of_one_message_count_together(void **state)
{
	struct inflater *inflater = inflater_create(10000);
	struct str packed cleanup(str_finish) = STR_INIT;
	char noise[12000];
	struct random random;
	const char *text = "";
	size_t len;
	z_stream z;
	int r = 0;

	(void)state;
	random_init(&random, 1);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)('a' + random_below(&random, 26));
	open_stream(&z);
	deflate_message(&z, noise, sizeof(noise), &packed);
	for (size_t at = 0; r == 0 && at < packed.len; at += 100)
		r = inflater_push(inflater, packed.buf + at, MIN(100, packed.len - at), &text, &len);
	assert_int_equal(r, -E2BIG);
	deflateEnd(&z);
	inflater_destroy(inflater);
}

static void rubbish_is_refused(void **state)
{
	struct inflater *inflater = inflater_create(1000);
	struct str packed cleanup(str_finish) = STR_INIT;
	unsigned char room[100];
	const char *text = "";
	size_t len;
	z_stream z;

	(void)state;
	assert_int_equal(inflater_push(inflater, "{\"op\":10}", 9, &text, &len), -EBADMSG);
	inflater_destroy(inflater);
	/* a stream that ends is none of Discord's */
	open_stream(&z);
	z.next_in = (const Bytef *)"end";
	z.avail_in = 3;
	z.next_out = room;
	z.avail_out = sizeof(room);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	str_add(&packed, room, sizeof(room) - z.avail_out);
	deflateEnd(&z);
	inflater = inflater_create(1000);
	assert_int_equal(inflater_push(inflater, packed.buf, packed.len, &text, &len), -EBADMSG);
	inflater_destroy(inflater);
}

static void random_bytes_do_no_harm(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 2);
	for (int i = 0; i < 2000; i++) {
		struct inflater *inflater = inflater_create(1000);
		unsigned char data[64] = { 0x78, 0x9C };
		const char *text = "";
		size_t len;

		for (size_t j = 2; j < sizeof(data); j++)
			data[j] = (unsigned char)random_u64(&random);
		for (int j = 0; j < 4; j++)
			if (inflater_push(inflater, data, sizeof(data), &text, &len) == 1)
				assert_true(len <= 1000);
		inflater_destroy(inflater);
	}
}

static void a_large_message_is_followed_by_small_ones(void **state)
{
	struct inflater *inflater = inflater_create(16 << 20);
	struct str packed cleanup(str_finish) = STR_INIT, small cleanup(str_finish) = STR_INIT;
	char *zeros cleanup(freep) = xcalloc(1, 3 << 20);
	const char *text = "";
	size_t len;
	z_stream z;

	(void)state;
	open_stream(&z);
	deflate_message(&z, zeros, 3 << 20, &packed);
	assert_int_equal(inflater_push(inflater, packed.buf, packed.len, &text, &len), 1);
	deflate_message(&z, "{}", 2, &small);
	assert_int_equal(inflater_push(inflater, small.buf, small.len, &text, &len), 1);
	assert_string_equal(text, "{}");
	deflateEnd(&z);
	inflater_destroy(inflater);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_share_one_stream),
		cmocka_unit_test(pieces_may_end_anywhere),
		cmocka_unit_test(the_limit_is_exact),
		cmocka_unit_test(bombs_are_refused_early),
		cmocka_unit_test(many_pieces_of_one_message_count_together),
		cmocka_unit_test(rubbish_is_refused),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(a_large_message_is_followed_by_small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
