/* What a message earns: the arithmetic of levelling, pure. */
#ifndef BOT_LEVELING_AWARD_H
#define BOT_LEVELING_AWARD_H

#include "base/random.h"
#include "models/member_xp.h"

struct award_rules {
	int64_t xp_min, xp_max; /* uniform, both included */
	/* A message earns when it was sent more than this after the last one that did; 0: every message earns. */
	usec cooldown;
};

struct award {
	int64_t points; /* earned */
	bool first;     /* the member's first award ever */
	bool level_up;  /* `level` is higher than before */
	int64_t level;  /* now */
};

/* `xp` is the member's row, or zeroed but for user_id and announce when he has none; it is changed when the message
 * earns. `sent_at` is the message's own time, so that a replay, or events that come late, decide as if they had come
 * in time. A message sent before the last one that earned earns nothing. */
bool award_give(const struct award_rules *rules, struct random *random, usec sent_at, struct member_xp *xp,
	struct award *ret_award) warn_unused;

#endif
