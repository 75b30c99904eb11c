/* Keeping level roles right: the level table follows the guild's roles (made, renamed, deleted), members who come
 * back get their roles again, and once a day, at the start and after changes all members' level roles are compared
 * with their points.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "cache.h"
#include "leveling.h"
#include "models/ban_record.h"
#include "models/member_xp.h"
#include "text.h"

#define REASON_EARNED   "level role earned by XP"
#define REASON_UNEARNED "level role without the XP for it"
/* Between two changes of the daily check, so that it takes little of the rate limits. */
#define DRIFT_PAUSE        (1 * SECOND)
#define DRIFT_AFTER_CHANGE (30 * SECOND)
#define DRIFT_HOUR         5
/* Members that are looked at in one turn of the loop: a few milliseconds. */
#define SURVEY_STEP 1000
/* More removals than this, and more than half of all held level roles: rather a wrong database than drift. */
#define REMOVALS_SUSPICIOUS 50

/* ---- telling the moderators ---- */

/* What is told in the levelling channel after the commit. */
struct notice {
	struct bot *bot;
	char *text;
};

static void notice_free(void *arg)
{
	struct notice *notice = arg;

	free(notice->text);
	free(notice);
}

static void notice_flow(void *arg)
{
	struct notice *notice = arg;

	leveling_tell(notice->bot->leveling, notice->text);
	notice_free(notice);
}

static void notice_send(struct bot *bot, void *arg)
{
	bot_start_flow(bot, "notice", notice_flow, notice_free, arg);
}

/* From a hook. Takes the text over. */
static void tell_later(struct bot *bot, char *text)
{
	struct notice *notice = xcalloc(1, sizeof(*notice));

	*notice = (struct notice){ .bot = bot, .text = text };
	bot_after_commit(bot, notice_send, notice_free, notice);
}

#define COMPLAINT_MISSING \
	"is not there, so nobody gets it. Create it again, or unlink the level with `.remove_level_name`."
#define COMPLAINT_FORBIDDEN \
	"is one that I may not give. I need the permission Manage Roles, and my own role must stand above it."
#define COMPLAINT_POWERFUL                                                                             \
	"comes with rights over this server or its members, so nobody gets it by writing. Take these " \
	"permissions from it, or unlink the level with `.remove_level_name`."

/* The sentence, once per level and day, not for each member; NULL: it was said. The caller's. */
static char *complaint(struct leveling *leveling, const struct level *level, const char *what)
{
	int32_t today = (int32_t)(clock_realtime() / DAY);
	struct str name cleanup(str_finish) = STR_INIT;

	if (leveling->warned_on[level->number] == today)
		return NULL;
	leveling->warned_on[level->number] = today;
	text_add_escaped(&name, level->role_name ? level->role_name : "");
	return xasprintf("The role **%s** of level %lld %s", name.buf, (long long)level->number, what);
}

/* In a flow; suspends. */
static void complain(struct leveling *leveling, const struct level *level, const char *what)
{
	char *text cleanup(freep) = complaint(leveling, level, what);

	if (text)
		leveling_tell(leveling, text);
}

/* ---- the level table follows the roles ---- */

static int set_role(struct leveling *leveling, int64_t number, snowflake role, const char *name)
{
	int r = level_set_role(leveling->bot->service->db, number, role, name);

	if (r == -EEXIST) {
		log_warn("two levels would have one role: the level is left as it is", LOG_INT("level", number),
			LOG_STR("role", name));
		return 0;
	}
	return r < 0 ? r : leveling_reload(leveling);
}

/* A role of the right name is not enough: whoever makes roles could be led to hand out rights unknowingly. */
static bool may_link(struct leveling *leveling, const struct level *level, const struct cached_role *role)
{
	char *text;

	if (roles_may_be_earned(&leveling->bot->roles, role))
		return true;
	log_warn("a level's name fits a role with rights: it is not linked", LOG_INT("level", level->number),
		LOG_STR("role", role->name), LOG_ID("role_id", role->id));
	text = complaint(leveling, level, COMPLAINT_POWERFUL);
	if (text)
		tell_later(leveling->bot, text);
	return false;
}

int leveling_link_roles(struct leveling *leveling)
{
	struct cache *cache = leveling->bot->cache;
	int r = 0;

	for (int64_t number = 0; number <= LEVEL_MAX && r == 0; number++) {
		const struct level *level = leveling_level(leveling, number);
		const struct cached_role *role = level ? cache_role(cache, level->role_id) : NULL;
		bool ambiguous = false;

		if (role && (!level->role_name || !streq(role->name, level->role_name))) {
			r = set_role(leveling, number, role->id, role->name);
		} else if (level && !role && level->role_name) {
			role = cache_find_role(cache, level->role_name, &ambiguous);
			if (role && streq(role->name, level->role_name) &&
				!leveling_level_of_role(leveling, role->id) && may_link(leveling, level, role))
				r = set_role(leveling, number, role->id, role->name);
		}
	}
	return r;
}

int leveling_on_role_put(struct bot *bot, const struct event *event)
{
	struct leveling *leveling = bot->leveling;
	const cJSON *json = json_object(event->d, "role");
	snowflake id = json_snowflake(json, "id");
	const char *name = json_string(json, "name");
	const struct level *level = leveling_level_of_role(leveling, id);
	const struct cached_role *role;

	if (!id || !name || json_snowflake(event->d, "guild_id") != bot->service->guild_id)
		return 0;
	if (level)
		return level->role_name && streq(level->role_name, name) ? 0
									 : set_role(leveling, level->number, id, name);
	level = leveling_level_of_name(leveling, name);
	if (!level || (level->role_id && cache_role(bot->cache, level->role_id)))
		return 0;
	role = cache_role(bot->cache, id);
	if (!role || !may_link(leveling, level, role))
		return 0;
	leveling_check_drift(leveling, DRIFT_AFTER_CHANGE);
	return set_role(leveling, level->number, id, name);
}

int leveling_on_role_delete(struct bot *bot, const struct event *event)
{
	struct leveling *leveling = bot->leveling;
	const struct level *level = leveling_level_of_role(leveling, json_snowflake(event->d, "role_id"));
	struct str name cleanup(str_finish) = STR_INIT;

	if (!level || json_snowflake(event->d, "guild_id") != bot->service->guild_id)
		return 0;
	text_add_escaped(&name, level->role_name ? level->role_name : "");
	tell_later(bot,
		xasprintf(
			"The role **%s** of level %lld was deleted. Create a role of that name again and I link it by "
			"myself, link another one with `.set_level_name %lld \"role name\"`, or unlink the level "
			"with `.remove_level_name %lld`.",
			name.buf, (long long)level->number, (long long)level->number, (long long)level->number));
	/* The name stays, so that a role of this name is taken for it again. */
	return set_role(leveling, level->number, 0, level->role_name);
}

/* ---- giving what was earned ---- */

/* The role that is given for a level; NULL: none. One that comes with rights is none, however it was linked: it was
 * imported, say, or got the rights later. It is neither given nor taken away. */
static const struct cached_role *earned_role(const struct leveling *leveling, const struct level *level)
{
	const struct cached_role *role = cache_role(leveling->bot->cache, level->role_id);

	return role && roles_may_be_earned(&leveling->bot->roles, role) ? role : NULL;
}

/* Why a level with a role's name gives none. */
static const char *obstacle(const struct leveling *leveling, const struct level *level)
{
	return cache_role(leveling->bot->cache, level->role_id) ? COMPLAINT_POWERFUL : COMPLAINT_MISSING;
}

/* What a level's role needs from us; the strings of `level` die with the wait. */
static int give_role(struct leveling *leveling, snowflake user, int64_t number, snowflake role)
{
	struct service *service = leveling->bot->service;
	const struct rest_error *error;
	const struct level *level;
	int r;

	r = rest_add_member_role(service->rest, service->guild_id, user, role, REASON_EARNED);
	if (r == 0 || r == -ECANCELED)
		return r;
	error = rest_error(service->rest);
	level = leveling_level(leveling, number);
	/* 10007: unknown member, 10013: unknown user */
	if (r == -ENOENT && error && (error->code == 10007 || error->code == 10013))
		return -ENOENT;
	if (r == -ENOENT || r == -EACCES) {
		if (level)
			complain(leveling, level, r == -EACCES ? COMPLAINT_FORBIDDEN : COMPLAINT_MISSING);
		return 0;
	}
	return r;
}

int leveling_give_roles(struct leveling *leveling, snowflake user, int64_t reached, bool complain_missing)
{
	for (int64_t number = 0; number <= MIN(reached, (int64_t)LEVEL_MAX); number++) {
		/* Looked up anew each time: the tables may change while we wait. */
		const struct cached_member *member = cache_member(leveling->bot->cache, user);
		const struct level *level = leveling_level(leveling, number);
		int r;

		if (!member && leveling->bot->ready)
			return -ENOENT;
		if (!level || !level->role_name)
			continue;
		if (!earned_role(leveling, level)) {
			if (complain_missing && number == reached)
				complain(leveling, level, obstacle(leveling, level));
			continue;
		}
		if (member && cached_member_has_role(member, level->role_id))
			continue;
		r = give_role(leveling, user, number, level->role_id);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- members who come back ---- */

struct rejoin {
	struct leveling *leveling;
	snowflake user;
	int64_t level;
};

static void rejoin_flow(void *arg)
{
	struct rejoin *rejoin = arg;
	struct leveling *leveling = rejoin->leveling;
	int r = leveling_give_roles(leveling, rejoin->user, rejoin->level, false);

	/* He has left again: nothing to do. */
	if (r < 0 && r != -ENOENT && r != -ECANCELED) {
		log_warn("a member who came back did not get all his roles yet", LOG_ID("user", rejoin->user),
			LOG_ERRNO(r));
		leveling_check_drift(leveling, MINUTE);
	}
	free(rejoin);
}

static void rejoin_dropped(void *arg)
{
	struct rejoin *rejoin = arg;

	leveling_check_drift(rejoin->leveling, MINUTE);
	free(rejoin);
}

static void rejoin_start(struct bot *bot, void *arg)
{
	bot_start_flow(bot, "rejoin", rejoin_flow, rejoin_dropped, arg);
}

int leveling_on_member_add(struct bot *bot, const struct event *event)
{
	snowflake user = json_snowflake(json_object(event->d, "user"), "id");
	struct member_xp xp;
	struct ban_record ban;
	struct rejoin *rejoin;
	int r;

	if (!user || json_snowflake(event->d, "guild_id") != bot->service->guild_id)
		return 0;
	r = member_xp_get(bot->service->db, user, &xp);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = ban_record_get_active(bot->service->db, user, &bot->event_arena, &ban);
	if (r != -ENOENT)
		return r;
	rejoin = xcalloc(1, sizeof(*rejoin));
	*rejoin = (struct rejoin){ .leveling = bot->leveling, .user = user, .level = xp.level_number };
	bot_after_commit(bot, rejoin_start, free, rejoin);
	return 0;
}

/* ---- drift ---- */

/* What is to be done about one member and one level's role. */
enum correction { CORRECT_NOTHING, CORRECT_ADD, CORRECT_REMOVE };

static enum correction correction_for(struct leveling *leveling, const struct cached_member *member, bool has_points,
	int64_t reached, const struct level *level)
{
	bool has, earned;

	if (!earned_role(leveling, level) || member->bot)
		return CORRECT_NOTHING;
	has = cached_member_has_role(member, level->role_id);
	earned = has_points && level->number <= reached;
	return has == earned ? CORRECT_NOTHING : earned ? CORRECT_ADD : CORRECT_REMOVE;
}

/* -1: no points at all. */
static int level_reached(struct leveling *leveling, snowflake user, int64_t *ret_level)
{
	struct member_xp xp;
	int r = member_xp_get(leveling->bot->service->db, user, &xp);

	if (r < 0 && r != -ENOENT)
		return r;
	*ret_level = r == -ENOENT ? -1 : xp.level_number;
	return 0;
}

struct survey {
	snowflake *members; /* who needs something */
	size_t count;
	size_t removals, held;
};

/* The cache moves on while the survey pauses, so it goes by ids. */
static snowflake *all_members(const struct cache *cache, size_t *ret_count)
{
	snowflake *ids = xcalloc(cache_member_count(cache) + 1, sizeof(*ids));
	size_t count = 0;

	for (const struct cached_member *m = cache_next_member(cache, NULL); m; m = cache_next_member(cache, m))
		ids[count++] = m->id;
	*ret_count = count;
	return ids;
}

static int survey_member(struct leveling *leveling, snowflake user, struct survey *found)
{
	const struct cached_member *member = cache_member(leveling->bot->cache, user);
	bool wrong = false;
	int64_t reached;
	int r = level_reached(leveling, user, &reached);

	if (r < 0 || !member)
		return r;
	for (size_t i = 0; i < leveling->level_count; i++) {
		const struct level *level = &leveling->levels[i];
		enum correction correction = correction_for(leveling, member, reached >= 0, reached, level);

		wrong |= correction != CORRECT_NOTHING;
		found->removals += correction == CORRECT_REMOVE;
		found->held += earned_role(leveling, level) && cached_member_has_role(member, level->role_id);
	}
	if (wrong)
		found->members[found->count++] = user;
	return 0;
}

/* Looks at everybody, changes nothing. The list of all becomes the list of those who need something. */
static int survey(struct leveling *leveling, struct survey *found)
{
	size_t count;
	int r = 0;

	found->members = all_members(leveling->bot->cache, &count);
	for (size_t i = 0; i < count && r == 0; i++) {
		r = survey_member(leveling, found->members[i], found);
		if (r == 0 && i % SURVEY_STEP == SURVEY_STEP - 1)
			r = flow_sleep(MILLISECOND);
	}
	return r;
}

/* One member; `forbidden` remembers roles that we may not touch. */
static int correct_member(struct leveling *leveling, snowflake user, bool remove, bool forbidden[static LEVEL_MAX + 1])
{
	struct service *service = leveling->bot->service;
	int64_t reached;
	int r = level_reached(leveling, user, &reached);

	for (int64_t number = 0; number <= LEVEL_MAX && r == 0; number++) {
		const struct cached_member *member = cache_member(leveling->bot->cache, user);
		const struct level *level = leveling_level(leveling, number);
		enum correction correction;

		if (!member)
			return 0;
		if (!level || forbidden[number])
			continue;
		correction = correction_for(leveling, member, reached >= 0, reached, level);
		if (correction == CORRECT_NOTHING || (correction == CORRECT_REMOVE && !remove))
			continue;
		if (correction == CORRECT_ADD)
			r = rest_add_member_role(service->rest, service->guild_id, user, level->role_id, REASON_EARNED);
		else
			r = rest_remove_member_role(
				service->rest, service->guild_id, user, level->role_id, REASON_UNEARNED);
		if (r == -EACCES) {
			forbidden[number] = true;
			level = leveling_level(leveling, number);
			if (level)
				complain(leveling, level, COMPLAINT_FORBIDDEN);
		}
		/* Forbidden, or gone meanwhile: the others still get theirs. */
		if (r == -EACCES || r == -ENOENT)
			r = 0;
		if (r == 0)
			r = flow_sleep(DRIFT_PAUSE);
		/* He may have earned more meanwhile. */
		if (r == 0)
			r = level_reached(leveling, user, &reached);
	}
	return r;
}

static void complain_of_powerful(struct leveling *leveling)
{
	for (int64_t number = 0; number <= LEVEL_MAX; number++) {
		const struct level *level = leveling_level(leveling, number);

		if (level && cache_role(leveling->bot->cache, level->role_id) && !earned_role(leveling, level))
			complain(leveling, level, COMPLAINT_POWERFUL);
	}
}

static int correct_all(struct leveling *leveling)
{
	bool forbidden[LEVEL_MAX + 1] = { false };
	struct survey found = { 0 };
	bool remove;
	int r;

	complain_of_powerful(leveling);
	r = survey(leveling, &found);
	if (r < 0) {
		free(found.members);
		return r;
	}
	remove = found.removals <= REMOVALS_SUSPICIOUS || 2 * found.removals <= found.held;
	if (!remove) {
		log_error("most level roles would be taken away: is this the right database? nothing was removed",
			LOG_INT("removals", (int64_t)found.removals), LOG_INT("held", (int64_t)found.held));
		leveling_tell(leveling,
			"Most members hold level roles that my database does not know them to have earned. I "
			"took none away: "
			"please check that the right database is in use.");
	}
	if (found.count)
		log_info("level roles differ from the points and are corrected",
			LOG_INT("members", (int64_t)found.count));
	for (size_t i = 0; i < found.count && r == 0; i++)
		r = correct_member(leveling, found.members[i], remove, forbidden);
	free(found.members);
	return r;
}

usec leveling_until_daily(const struct timezone_rules *zone, int64_t now)
{
	struct civil civil;
	int64_t next;

	if (!zone)
		return DAY;
	timezone_to_civil(zone, now, &civil);
	civil.hour = DRIFT_HOUR;
	civil.minute = civil.second = 0;
	next = timezone_from_civil(zone, &civil);
	if (next <= now) {
		/* About noon of the day after, then back to 05:00 of that day: right across clock changes and ends of
		 * months. */
		timezone_to_civil(zone, next + 31 * 3600, &civil);
		civil.hour = DRIFT_HOUR;
		civil.minute = civil.second = 0;
		next = timezone_from_civil(zone, &civil);
	}
	return (next - now) * SECOND;
}

static void drift_flow(void *arg)
{
	struct leveling *leveling = arg;
	int r = 0;

	do {
		leveling->drift_again = false;
		r = correct_all(leveling);
	} while (r == 0 && leveling->drift_again);
	leveling->drift_running = false;
	if (r == -ECANCELED)
		return;
	if (r < 0)
		log_warn("level roles could not all be corrected, trying again in ten minutes", LOG_ERRNO(r));
	timer_start(&leveling->drift_timer,
		r < 0 ? 10 * MINUTE : leveling_until_daily(leveling->zone, clock_realtime() / SECOND));
}

static void drift_dropped(void *arg)
{
	struct leveling *leveling = arg;

	leveling->drift_running = false;
	timer_start(&leveling->drift_timer, MINUTE);
}

void leveling_drift_due(void *arg)
{
	struct leveling *leveling = arg;

	if (leveling->bot->stopping)
		return;
	/* Without the whole member list nobody's roles are judged. */
	if (!leveling->bot->ready) {
		timer_start(&leveling->drift_timer, MINUTE);
		return;
	}
	if (leveling->drift_running) {
		leveling->drift_again = true;
		return;
	}
	leveling->drift_running = true;
	bot_start_flow(leveling->bot, "level-roles", drift_flow, drift_dropped, leveling);
}

void leveling_check_drift(struct leveling *leveling, usec delay)
{
	if (delay == 0)
		leveling_drift_due(leveling);
	else
		timer_start(&leveling->drift_timer, delay);
}
