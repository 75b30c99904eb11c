/* Embeds: built field by field, checked against Discord's limits (resources/message, embed limits) before they are
 * sent. */
#ifndef DISCORD_EMBED_H
#define DISCORD_EMBED_H

#include "base/clock.h"
#include "base/json.h"

enum embed_color {
	EMBED_INFO = 0x00BFBD,
	EMBED_WARNING = 0xFFC61D,
	EMBED_ERROR = 0xA6192E,
	EMBED_FROSH = 0x00FF61,
	EMBED_BAN = 0xE74C3C,
	EMBED_BLURPLE = 0x5865F2,
	EMBED_DARKER_GREY = 0x546E7A,
	EMBED_BRAND_GREEN = 0x57F287,
};

#define EMBED_TITLE_MAX       256
#define EMBED_DESCRIPTION_MAX 4096
#define EMBED_FIELDS_MAX      25
#define EMBED_FIELD_NAME_MAX  256
#define EMBED_FIELD_VALUE_MAX 1024
#define EMBED_FOOTER_MAX      2048
#define EMBED_AUTHOR_MAX      256
#define EMBED_TOTAL_MAX       6000
#define EMBEDS_PER_MESSAGE    10

struct embed_field {
	const char *name, *value;
	bool block; /* on a line of its own; fields are inline otherwise */
};

/* All strings are borrowed; NULL: not there. */
struct embed {
	const char *title, *description, *url;
	uint32_t color; /* 0: EMBED_INFO */
	const char *author_name, *author_icon_url;
	const char *thumbnail_url, *image_url;
	const char *footer, *footer_icon_url;
	usec timestamp; /* 0: none */
	const struct embed_field *fields;
	size_t field_count;
};

/* Characters that count towards EMBED_TOTAL_MAX, which holds for all embeds of a message together. */
size_t embed_length(const struct embed *embed);
/* 0, or -E2BIG and a sentence that says which part has how many characters or entries too many. */
int embed_check(const struct embed *embed, struct str *reterr_reason) warn_unused;
void embed_write(struct json_writer *w, const struct embed *embed);

#endif
