/* See packed_url.h. A packed address is two bytes for the shape (low byte first; SHAPE_PLAIN: the text follows as it is), then the
 * binary of each number in the order in which the shape has them. */
#include "packed_url.h"

#include <stdlib.h>

#include "digits.h"

#define SHAPE_PLAIN 0xffffu
#define SHAPES_MAX  2048
#define BUCKETS     4096 /* a power of two above SHAPES_MAX */
#define URL_MAX     2048 /* longer ones stay as they are */
#define RUN_MIN     6    /* shorter runs of hexadecimal digits count as text */
#define PART_MAX    255  /* characters of a text or a run: what a byte can say */

/* A shape is a sequence of these, each a byte. */
enum part {
	PART_TEXT,    /* followed by a byte that says how many characters, and these */
	PART_USER,    /* the member's id */
	PART_DECIMAL, /* a number without leading zeros: variable-length, 7 bits a byte */
	PART_HEX,     /* followed by a byte that says how many digits; two to a byte */
};

struct shape {
	char *text;
	size_t len;
	size_t room; /* bytes that no address of this shape exceeds */
};

struct url_shapes {
	struct shape list[SHAPES_MAX];
	size_t count;
	uint16_t buckets[BUCKETS]; /* index + 1 */
	struct str shape, numbers; /* of the address at work */
};

struct url_shapes *url_shapes_create(void)
{
	struct url_shapes *shapes = xcalloc(1, sizeof(*shapes));

	str_init(&shapes->shape);
	str_init(&shapes->numbers);
	return shapes;
}

void url_shapes_destroy(struct url_shapes *shapes)
{
	if (!shapes)
		return;
	for (size_t i = 0; i < shapes->count; i++)
		free(shapes->list[i].text);
	str_finish(&shapes->shape);
	str_finish(&shapes->numbers);
	free(shapes);
}

static size_t room_for(const struct str *shape)
{
	size_t room = 0;

	for (size_t i = 0; i < shape->len; i++) {
		enum part part = (enum part)shape->buf[i];

		if (part == PART_USER || part == PART_DECIMAL) {
			room += DIGITS_MAX_LEN;
		} else {
			size_t len = (unsigned char)shape->buf[++i];

			room += len;
			i += part == PART_TEXT ? len : 0;
		}
	}
	return room;
}

/* The number of this shape, a new one while there is room, else SHAPE_PLAIN. */
static unsigned intern(struct url_shapes *shapes, const struct str *text)
{
	uint32_t hash = 2166136261u;
	size_t i;

	for (size_t k = 0; k < text->len; k++)
		hash = (hash ^ (unsigned char)text->buf[k]) * 16777619u;
	for (i = hash & (BUCKETS - 1); shapes->buckets[i] != 0; i = (i + 1) & (BUCKETS - 1)) {
		const struct shape *shape = &shapes->list[shapes->buckets[i] - 1];

		if (shape->len == text->len && memcmp(shape->text, text->buf, text->len) == 0)
			return shapes->buckets[i] - 1u;
	}
	if (shapes->count == SHAPES_MAX)
		return SHAPE_PLAIN;
	shapes->list[shapes->count] = (struct shape){ xmalloc(text->len + 1), text->len, room_for(text) };
	memcpy(shapes->list[shapes->count].text, text->buf, text->len + 1);
	shapes->buckets[i] = (uint16_t)++shapes->count;
	return (unsigned)(shapes->count - 1);
}

/* Capitals would not come back as such. */
static const bool is_hex[256] = { ['0' ... '9'] = true, ['a' ... 'f'] = true };

static unsigned hex_value(char digit)
{
	return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a' + 10);
}

static size_t hex_run(const char *text, const char *end)
{
	const char *p = text;

	while (p < end && is_hex[(unsigned char)*p] && p - text < PART_MAX)
		p++;
	return (size_t)(p - text);
}

/* The number, if the run is one that prints as the same digits again. */
static bool is_decimal(const char *run, size_t len, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (len > 19 || run[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (run[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(run[i] - '0');
	}
	*ret_value = value;
	return true;
}

static void pack_text(struct str *shape, const char *text, size_t len)
{
	while (len > 0) {
		size_t n = MIN(len, (size_t)PART_MAX);
		const char part[] = { PART_TEXT, (char)n };

		str_add(shape, part, sizeof(part));
		str_add(shape, text, n);
		text += n;
		len -= n;
	}
}

static void pack_run(struct str *shape, struct str *numbers, uint64_t user_id, const char *run, size_t len)
{
	char bytes[(PART_MAX + 1) / 2];
	uint64_t value;

	if (is_decimal(run, len, &value)) {
		str_addc(shape, value == user_id ? PART_USER : PART_DECIMAL);
		if (value == user_id)
			return;
		for (; value >= 0x80; value >>= 7)
			str_addc(numbers, (char)(value | 0x80));
		str_addc(numbers, (char)value);
		return;
	}
	str_addc(shape, PART_HEX);
	str_addc(shape, (char)len);
	for (size_t i = 0; i < len; i += 2)
		bytes[i / 2] = (char)(hex_value(run[i]) << 4 | (i + 1 < len ? hex_value(run[i + 1]) : 0));
	str_add(numbers, bytes, (len + 1) / 2);
}

void packed_url_add(struct str *out, struct url_shapes *shapes, uint64_t user_id, const char *url, size_t len)
{
	struct str *shape = &shapes->shape, *numbers = &shapes->numbers;
	unsigned number = SHAPE_PLAIN;
	size_t packed = 0; /* characters so far */

	str_clear(shape);
	str_clear(numbers);
	if (len <= URL_MAX) {
		for (size_t i = 0, run; i < len; i += MAX(run, (size_t)1)) {
			run = hex_run(url + i, url + len);
			if (run >= RUN_MIN) {
				pack_text(shape, url + packed, i - packed);
				pack_run(shape, numbers, user_id, url + i, run);
				packed = i + run;
			}
		}
		pack_text(shape, url + packed, len - packed);
		number = intern(shapes, shape);
	}
	str_addc(out, (char)(number & 0xff));
	str_addc(out, (char)(number >> 8));
	if (number == SHAPE_PLAIN)
		str_add(out, url, len);
	else
		str_add(out, numbers->buf, numbers->len);
}

static const unsigned char *read_decimal(char **at, const unsigned char *p)
{
	uint64_t value = 0;
	int shift = 0;

	for (; *p & 0x80; shift += 7)
		value |= (uint64_t)(*p++ & 0x7f) << shift;
	value |= (uint64_t)*p++ << shift;
	*at = digits_put(*at, value);
	return p;
}

static const unsigned char *read_hex(char **at, const unsigned char *p, size_t digits)
{
	static const char names[] = "0123456789abcdef";
	char *out = *at;

	for (size_t i = 0; i < digits / 2; i++) {
		*out++ = names[p[i] >> 4];
		*out++ = names[p[i] & 15];
	}
	if (digits % 2)
		*out++ = names[p[digits / 2] >> 4];
	*at = out;
	return p + (digits + 1) / 2;
}

void packed_url_read(struct str *out, const struct url_shapes *shapes, uint64_t user_id, const void *packed, size_t len)
{
	const unsigned char *p = packed;
	unsigned number = p[0] | (unsigned)p[1] << 8;
	const struct shape *shape;
	const char *end;
	char *at;

	p += 2;
	if (number == SHAPE_PLAIN) {
		str_add(out, p, len - 2);
		return;
	}
	shape = &shapes->list[number];
	end = shape->text + shape->len;
	str_reserve(out, shape->room);
	at = out->buf + out->len;
	for (const char *s = shape->text; s < end; s++) {
		size_t text;

		switch ((unsigned char)*s) {
		case PART_TEXT:
			text = (unsigned char)*++s;
			at = (char *)memcpy(at, s + 1, text) + text;
			s += text;
			break;
		case PART_USER: at = digits_put(at, user_id); break;
		case PART_DECIMAL: p = read_decimal(&at, p); break;
		case PART_HEX: p = read_hex(&at, p, (unsigned char)*++s); break;
		}
	}
	*at = '\0';
	out->len = (size_t)(at - out->buf);
}
