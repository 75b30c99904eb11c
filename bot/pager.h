/* Paging through embeds: reactions for text (one page: only the check mark), buttons for slash. Only the caller turns
 * pages; 20 idle seconds or the check mark remove the message.
 */
#ifndef BOT_PAGER_H
#define BOT_PAGER_H

#include "cmd.h"

struct pages {
	size_t count; /* 0: the command should say so in its own words; the pager shows nothing */
	/* Writes page `index` (from 0); what it needs to allocate comes from `arena`, which is emptied for the next
	 * page. The footer (n/N) and the author (the bot) are filled in when they are left out. */
	int (*write)(struct cmd *cmd, void *arg, size_t index, struct arena *arena, struct embed *ret_embed);
	void *arg;
};

#define PAGER_IDLE (20 * SECOND)

/* Suspends until the pager has ended. Begins with page `first`. */
int pager_run(struct cmd *cmd, const struct pages *pages, size_t first) warn_unused;

#endif
