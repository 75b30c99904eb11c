/* Pictures under /cdn/: avatars made from the numbers in their address, so that everybody has a face of his own, and attachments as they were
 * uploaded (reference, "CDN Endpoints"). A generated avatar is a PNG with a symmetrical pattern. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "control_private.h"
#include "net/httpd.h"

#define CELLS       7
#define PICTURE_MIN 16
#define PICTURE_MAX 512

static void put_u32(unsigned char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (24 - 8 * i));
}

static void put_chunk(struct str *out, const char *type, const void *data, size_t len)
{
	unsigned char number[4];
	uLong crc = crc32(crc32(0, (const unsigned char *)type, 4), data, (uInt)len);

	put_u32(number, (uint32_t)len);
	str_add(out, number, 4);
	str_add(out, type, 4);
	str_add(out, data, len);
	put_u32(number, (uint32_t)crc);
	str_add(out, number, 4);
}

/* Two colours, a mirrored pattern of cells. */
static void draw(uint64_t seed, unsigned size, struct str *out)
{
	size_t row = 1 + size * 3, len = row * size;
	unsigned char *pixels = xcalloc(size, row), head[13] = { 0 };
	uLongf packed_len = compressBound(len);
	unsigned char *packed = xmalloc(packed_len);
	unsigned cell = size / CELLS + (size % CELLS != 0);
	uint64_t colors = seed * 0x9e3779b97f4a7c15ULL;

	for (unsigned y = 0; y < size; y++) {
		for (unsigned x = 0; x < size; x++) {
			unsigned column = x / cell, mirrored = MIN(column, CELLS - 1 - MIN(column, CELLS - 1));
			bool on = seed >> ((y / cell * 4 + mirrored) % 61) & 1;
			unsigned char *pixel = pixels + y * row + 1 + x * 3;

			for (int i = 0; i < 3; i++)
				pixel[i] = on ? (unsigned char)(96 + (colors >> (8 * i)) % 160)
					      : (unsigned char)(24 + (colors >> (8 * i + 24)) % 40);
		}
	}
	compress2(packed, &packed_len, pixels, len, 6);
	str_add(out, "\x89PNG\r\n\x1a\n", 8);
	put_u32(head, size);
	put_u32(head + 4, size);
	head[8] = 8; /* bits */
	head[9] = 2; /* RGB */
	put_chunk(out, "IHDR", head, sizeof(head));
	put_chunk(out, "IDAT", packed, packed_len);
	put_chunk(out, "IEND", "", 0);
	free(packed);
	free(pixels);
}

/* A number that stands for the address without its ending. */
static uint64_t hash_path(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *path && *path != '.'; path++)
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3ULL;
	return hash ^ hash >> 29;
}

static void serve_attachment(struct fake *fake, struct httpd_request *request, const char *path)
{
	static const struct http_header headers[] = {
		/* Whatever was uploaded is shown as a picture at most. */
		{ "Content-Security-Policy", "default-src 'none'; sandbox" },
		{ "X-Content-Type-Options", "nosniff" },
		{ 0 },
	};
	const char *name = strchr(path, '/'); /* "CHANNEL/ID/NAME" */
	const struct file *file = name ? state_file(&fake->state, strtoull(name + 1, NULL, 10)) : NULL;

	if (file)
		httpd_respond(request, 200, file->type, headers, file->data, file->len);
	else
		httpd_respond(request, 404, "text/plain", NULL, "not found\n", 10);
}

void cdn_handle(struct fake *fake, struct httpd_request *request)
{
	static const char *const pictures[] = { "avatars/", "embed/avatars/", "guilds/", "icons/", "emojis/" };
	static const struct http_header headers[] = { { "Cache-Control", "public, max-age=31536000" }, { 0 } };
	const char *path = httpd_path(request) + strlen("/cdn/"), *size_text = httpd_argument(request, "size");
	struct str picture cleanup(str_finish) = STR_INIT;
	uint64_t size = 128;

	if (strncmp(path, "attachments/", 12) == 0) {
		serve_attachment(fake, request, path + 12);
		return;
	}
	if (size_text &&
		(parse_u64(size_text, &size) < 0 || size < PICTURE_MIN || size > 4096 || (size & (size - 1)))) {
		httpd_respond(request, 400, "text/plain", NULL, "size must be a power of two from 16 to 4096\n", 44);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pictures); i++) {
		if (strncmp(path, pictures[i], strlen(pictures[i])) != 0)
			continue;
		draw(hash_path(path), (unsigned)MIN(size, (uint64_t)PICTURE_MAX), &picture);
		httpd_respond(request, 200, "image/png", headers, picture.buf, picture.len);
		return;
	}
	httpd_respond(request, 404, "text/plain", NULL, "not found\n", 10);
}
