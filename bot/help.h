/* The overview that help shows: one field per extension with the commands that the caller may run, the shortest first,
 * in as many messages as Discord's limits ask for. */
#ifndef BOT_HELP_H
#define BOT_HELP_H

#include "feature.h"

struct help_section {
	const struct feature *feature;
	size_t length; /* characters of its lines */
};

struct help_overview {
	const struct cmd *cmd;
	struct help_section *sections; /* in the command's arena */
	size_t count, at;
	const struct command *next; /* of the section at hand: the first that was not shown yet */
};

void help_overview_begin(struct help_overview *overview, const struct cmd *cmd);
/* The fields of one more message; their strings are in the command's arena. false: that was all. */
bool help_overview_next(struct help_overview *overview, struct embed_field ret_fields[static EMBED_FIELDS_MAX],
	size_t *ret_count) warn_unused;

#endif
