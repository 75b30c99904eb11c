/* The award's arithmetic (leveling_award.h). A level is reached when the points are at or above its total, both for a
 * new member and later; several may be reached at once (after an import, or with large awards), and it is the highest
 * that counts.
 */
#include "leveling_award.h"

#include "models/level.h"

bool award_give(const struct award_rules *rules, struct random *random, usec sent_at, struct member_xp *xp,
	struct award *ret_award)
{
	struct award award = { .first = xp->message_count == 0 && xp->points == 0 };
	int64_t level;

	if (rules->cooldown > 0 && xp->last_award_at && sent_at - xp->last_award_at <= rules->cooldown)
		return false;
	award.points = rules->xp_min + (int64_t)random_below(random, (uint64_t)(rules->xp_max - rules->xp_min) + 1);
	xp->points += award.points;
	xp->message_count++;
	if (sent_at > xp->last_award_at)
		xp->last_award_at = sent_at;
	level = level_for_points(xp->points);
	/* Nobody loses a level by writing: a row that was set higher by hand stays until the points catch up. */
	award.level_up = level > xp->level_number;
	if (award.level_up)
		xp->level_number = level;
	xp->level_points = xp->points - level_total_points(xp->level_number);
	if (xp->level_points < 0)
		xp->level_points = 0;
	award.level = xp->level_number;
	*ret_award = award;
	return true;
}
