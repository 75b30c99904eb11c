/* Inflates the gateway's zlib-stream as the pieces come, so that nothing but the text itself is kept. The text is
 * bounded while it grows: a bomb is refused at the limit, not after it was unpacked.
 */
#include "inflate.h"

#include <errno.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#define STEP     ((size_t)64 << 10) /* room that is made for zlib at a time */
#define KEEP_MAX ((size_t)1 << 20)  /* memory kept from one message to the next */

static const unsigned char flush_mark[4] = { 0x00, 0x00, 0xFF, 0xFF };

struct inflater {
	z_stream stream;
	struct str text;
	size_t limit;
	unsigned char tail[4]; /* the last bytes that came */
	size_t tail_len;
	bool complete; /* `text` was handed out */
	int error;
};

struct inflater *inflater_create(size_t limit)
{
	struct inflater *inflater = xcalloc(1, sizeof(*inflater));

	str_init(&inflater->text);
	inflater->limit = limit;
	/* zlib allocates some 40 KiB; without memory the first push fails as any broken stream does */
	if (inflateInit(&inflater->stream) != Z_OK)
		inflater->error = -ENOMEM;
	return inflater;
}

void inflater_destroy(struct inflater *inflater)
{
	if (!inflater)
		return;
	inflateEnd(&inflater->stream);
	str_finish(&inflater->text);
	free(inflater);
}

static void text_restart(struct inflater *inflater)
{
	inflater->complete = false;
	if (inflater->text.cap > KEEP_MAX) {
		str_finish(&inflater->text);
		str_init(&inflater->text);
	}
	str_clear(&inflater->text);
}

static void tail_update(struct inflater *inflater, const unsigned char *data, size_t len)
{
	size_t fresh = MIN(len, sizeof(inflater->tail));
	size_t kept = MIN(inflater->tail_len, sizeof(inflater->tail) - fresh);

	memmove(inflater->tail, inflater->tail + inflater->tail_len - kept, kept);
	memcpy(inflater->tail + kept, data + len - fresh, fresh);
	inflater->tail_len = kept + fresh;
}

/* Inflates what is in stream.next_in. */
static int inflate_all(struct inflater *inflater)
{
	struct str *text = &inflater->text;
	z_stream *stream = &inflater->stream;
	size_t room;
	int r;

	do {
		/* one byte beyond the limit, so that a text of exactly the limit ends with room left */
		if (text->len > inflater->limit)
			return -E2BIG;
		room = MIN(STEP, inflater->limit + 1 - text->len);
		str_reserve(text, room);
		stream->next_out = (unsigned char *)text->buf + text->len;
		stream->avail_out = (uInt)room;
		r = inflate(stream, Z_SYNC_FLUSH);
		text->len += room - stream->avail_out;
		text->buf[text->len] = '\0';
		if (r != Z_OK && r != Z_BUF_ERROR) /* also Z_STREAM_END: the stream lasts as long as the connection */
			return -EBADMSG;
	} while (stream->avail_out == 0);
	return text->len > inflater->limit ? -E2BIG : 0;
}

int inflater_push(struct inflater *inflater, const void *data, size_t len, const char **ret_text, size_t *ret_len)
{
	if (inflater->error < 0)
		return inflater->error;
	if (inflater->complete)
		text_restart(inflater);
	if (len == 0)
		return 0;
	if (len > UINT32_MAX)
		return inflater->error = -E2BIG;
	inflater->stream.next_in = data;
	inflater->stream.avail_in = (uInt)len;
	inflater->error = inflate_all(inflater);
	if (inflater->error < 0)
		return inflater->error;
	tail_update(inflater, data, len);
	if (inflater->tail_len < sizeof(flush_mark) || memcmp(inflater->tail, flush_mark, sizeof(flush_mark)) != 0)
		return 0;
	inflater->complete = true;
	*ret_text = inflater->text.buf;
	*ret_len = inflater->text.len;
	return 1;
}
