/* Text for Discord: names that are shown as they are, numbers that people can read. */
#ifndef BOT_TEXT_H
#define BOT_TEXT_H

#include "base/str.h"

/* Appends a name so that its asterisks, underscores and so on are shown rather than taken as markdown, without
 * control and direction characters, and so that it mentions nobody. */
void text_add_escaped(struct str *out, const char *name);
/* "12,345" */
void text_add_number(struct str *out, int64_t number);

#endif
