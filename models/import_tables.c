/* What each table of the old system becomes. To import a further one, add a row to import_tables[] and a function
 * that writes it.
 *
 * Rows are inserted with ON CONFLICT DO NOTHING: what exists stays. A row id is kept unless another row has it (only
 * when merging).
 */
#include <errno.h>
#include <stdlib.h>

#include "db_internal.h"
#include "import_internal.h"
#include "json_reader.h"
#include "query.h"

#define FREE_ID(table) \
	"CASE WHEN EXISTS (SELECT 1 FROM " table " WHERE id = $1) THEN (SELECT max(id) + 1 FROM " table ") ELSE $1 END"

#define FREE_LEVEL_ID      FREE_ID("level")
#define FREE_MEMBER_XP_ID  FREE_ID("member_xp")
#define FREE_REMINDER_ID   FREE_ID("reminder")
#define FREE_BAN_RECORD_ID FREE_ID("ban_record")

/* 0 when the last INSERT inserted, otherwise the row is skipped for `reason`. */
static int inserted(struct import *import, const char *reason)
{
	return query_changes(import->db) > 0 ? 0 : import_skip(import, reason);
}

static int import_level(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO level (id, number, total_points, points_to_next, role_id, role_name)"
		" VALUES (" FREE_LEVEL_ID ", $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
		v[0], v[1], v[2], v[3], v[4], v[5]);
	if (r < 0)
		return r;
	return inserted(import, "a level with this number, role or role name is there already");
}

enum {
	USERPOINT_ID,
	USERPOINT_USER_ID,
	USERPOINT_POINTS,
	USERPOINT_LEVEL_POINTS,
	USERPOINT_MESSAGE_COUNT,
	USERPOINT_LAST_AWARD,
	USERPOINT_LEVEL_NUMBER,
	USERPOINT_HIDDEN,
	USERPOINT_AVATAR,
	USERPOINT_NAME,
	USERPOINT_NICK,
	USERPOINT_DELETED,
	USERPOINT_UPDATED,
};

/* One old row is two of ours: XP, which the bot owns, and the profile, which the listener owns. */
static int import_userpoint(struct import *import, const struct engine_value *v)
{
	const struct engine_value *last_award = &v[USERPOINT_LAST_AWARD];
	int64_t revision, added;
	int r;

	r = db_next_revision(import->db, DB_REVISION_MEMBER_XP, &revision);
	if (r < 0)
		return r;
	r = query_run(import->db,
		"INSERT INTO member_xp (id, user_id, points, level_points, level_number, message_count,"
		" last_award_at, hidden, revision)"
		" VALUES (" FREE_MEMBER_XP_ID ", $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
		v[USERPOINT_ID], v[USERPOINT_USER_ID], v[USERPOINT_POINTS], v[USERPOINT_LEVEL_POINTS],
		v[USERPOINT_LEVEL_NUMBER], v[USERPOINT_MESSAGE_COUNT],
		BIND_INT_UNLESS(last_award->i == 0, last_award->i), v[USERPOINT_HIDDEN], BIND_INT(revision));
	if (r < 0)
		return r;
	added = query_changes(import->db);
	r = db_next_revision(import->db, DB_REVISION_PROFILE, &revision);
	if (r < 0)
		return r;
	/* Who is here is not recorded; the listener's first reconciliation finds out. Deleted accounts are surely
	 * gone. */
	r = query_run(import->db,
		"INSERT INTO profile (user_id, name, nick, avatar_url, present, deleted_at, updated_at, revision)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
		v[USERPOINT_USER_ID], v[USERPOINT_NAME], v[USERPOINT_NICK], v[USERPOINT_AVATAR],
		BIND_INT(v[USERPOINT_DELETED].type == ENGINE_NULL), v[USERPOINT_DELETED], v[USERPOINT_UPDATED],
		BIND_INT(revision));
	if (r < 0)
		return r;
	return added > 0 ? 0 : inserted(import, "the member is there already");
}

static int import_reminder(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO reminder (id, due_at, text, author_id) SELECT " FREE_REMINDER_ID
		", $2, $3, $4 WHERE $5 = 0 OR NOT EXISTS"
		/* Open and ended ones apart, as their indexes are. */
		" (SELECT 1 FROM reminder WHERE state < 2 AND author_id = $4 AND due_at = $2 AND text = $3"
		" UNION ALL"
		" SELECT 1 FROM reminder WHERE state >= 2 AND author_id = $4 AND due_at = $2 AND text = $3)",
		v[0], v[1], v[2], v[3], BIND_INT(import->merge));
	if (r < 0)
		return r;
	return inserted(import, "the same reminder is there already");
}

/* The same ban in a file and in a dump, whose dates are cut to milliseconds, is one. */
static int import_ban(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO ban_record (id, user_name, user_id, moderator_name, moderator_id, reason, banned_at,"
		" unbanned_at) SELECT " FREE_BAN_RECORD_ID ", $2, $3, $4, $5, $6, $7, $8 WHERE $9 = 0 OR NOT EXISTS"
		" (SELECT 1 FROM ban_record WHERE user_id = $3 AND reason = $6"
		" AND coalesce(banned_at / 1000, -1) = coalesce($7 / 1000, -1)) ON CONFLICT DO NOTHING",
		v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], BIND_INT(import->merge));
	if (r < 0)
		return r;
	return inserted(import, "the same ban, or another active ban of the user, is there already");
}

/* {"emoji": role id, ...}; the id is a number, or digits in a string. -EINVAL when it is anything else. */
static int import_emojis(struct import *import, const struct engine_value *message_id, struct json_reader *reader)
{
	struct str emoji cleanup(str_finish) = STR_INIT;
	enum json_token token;
	int64_t position = 0, role_id;
	int r;

	r = json_reader_next(reader, &token);
	if (r < 0 || token != JSON_TOKEN_BEGIN_OBJECT)
		return -EINVAL;
	while ((r = json_reader_next(reader, &token)) >= 0 && token == JSON_TOKEN_KEY) {
		str_clear(&emoji);
		str_add(&emoji, reader->text.buf, reader->text.len);
		if (json_reader_next(reader, &token) < 0)
			return -EINVAL;
		role_id = reader->integer;
		if (token == JSON_TOKEN_STRING && parse_i64(reader->text.buf, &role_id) < 0)
			return -EINVAL;
		if ((token != JSON_TOKEN_INT && token != JSON_TOKEN_STRING) || role_id <= 0)
			return -EINVAL;
		/* Python keeps the last of two equal keys. */
		r = query_run(import->db,
			"INSERT INTO reaction_role (message_id, emoji, role_id, position) VALUES ($1, $2, $3, $4)"
			" ON CONFLICT (message_id, emoji) DO UPDATE SET role_id = excluded.role_id",
			*message_id, BIND_TEXT(emoji.buf), BIND_INT(role_id), BIND_INT(position++));
		if (r < 0)
			return r;
	}
	if (r < 0 || token != JSON_TOKEN_END_OBJECT || json_reader_next(reader, &token) < 0)
		return -EINVAL;
	return 0;
}

static int import_react_role(struct import *import, const struct engine_value *v)
{
	struct json_reader reader;
	FILE *file;
	int r;

	r = query_run(import->db,
		"INSERT INTO reaction_role_message (message_id, channel_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
		v[2], v[1]);
	if (r < 0)
		return r;
	r = inserted(import, "the message is there already");
	if (r > 0)
		return r;
	file = fmemopen((char *)v[3].text, v[3].len, "r");
	if (!file)
		return -errno;
	json_reader_init(&reader, file);
	r = import_emojis(import, &v[2], &reader);
	json_reader_finish(&reader);
	fclose(file);
	if (r != -EINVAL)
		return r;
	r = query_run(import->db, "DELETE FROM reaction_role_message WHERE message_id = $1", BIND_INT(v[2].i));
	return r < 0 ? r : import_skip(import, "emoji_roles_json is not a JSON object of role ids");
}

static int import_command_stat(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO command_usage (used_at, channel_name, command, invoked_as, subcommand) SELECT $1, $2,"
		" $3, $4, $5"
		" WHERE $6 = 0 OR NOT EXISTS (SELECT 1 FROM command_usage WHERE used_at = $1 AND channel_name = $2"
		" AND command = $3"
		" AND invoked_as = $4 AND coalesce(subcommand, '') = coalesce($5, ''))",
		v[0], v[1], v[2], v[3], v[4], BIND_INT(import->merge));
	if (r < 0)
		return r;
	return inserted(import, "the same use is there already");
}

static int import_help_message(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO expiring_message (message_id, channel_id, expires_at, created_at) VALUES ($1, $2, $3, $4)"
		" ON CONFLICT DO NOTHING",
		v[1], v[2], v[3], v[4]);
	if (r < 0)
		return r;
	return inserted(import, "the message is there already");
}

static int import_embed_avatar(struct import *import, const struct engine_value *v)
{
	int r;

	r = query_run(import->db,
		"INSERT INTO embed_avatar (source_url, permanent_url) VALUES ($1, $2) ON CONFLICT DO NOTHING", v[1],
		v[2]);
	if (r < 0)
		return r;
	return inserted(import, "the picture is there already");
}

#define KEY(column)                                 \
	{                                           \
		.name = (column), .kind = IMPORT_ID \
	}
#define VALUE(column, as)                             \
	{                                             \
		.name = (column), .kind = IMPORT_##as \
	}
#define VALUE_OR_NULL(column, as)                                       \
	{                                                               \
		.name = (column), .kind = IMPORT_##as, .nullable = true \
	}
#define DROPPED(column, why)                                                                \
	{                                                                                   \
		.name = (column), .kind = IMPORT_DROPPED, .nullable = true, .reason = (why) \
	}

#define PROCESS_STATE "state of the old bot's update loop, which does not exist here"
#define AVATAR_COPY   "belongs to the old way of copying avatars; ours have stable addresses"

const struct import_table import_tables[] = {
	{ .table = "wall_e_models_level",
		.model = "wall_e_models.level",
		.convert = import_level,
		.columns = { KEY("id"), VALUE("number", COUNT), VALUE("total_points_required", COUNT),
			VALUE("xp_needed_to_level_up_to_next_level", COUNT), VALUE_OR_NULL("role_id", ID),
			VALUE_OR_NULL("role_name", TEXT) } },
	{ .table = "wall_e_models_userpoint",
		.model = "wall_e_models.userpoint",
		.convert = import_userpoint,
		.columns = { [USERPOINT_ID] = KEY("id"),
			[USERPOINT_USER_ID] = VALUE("user_id", ID),
			[USERPOINT_POINTS] = VALUE("points", COUNT),
			[USERPOINT_LEVEL_POINTS] = VALUE("level_up_specific_points", COUNT),
			[USERPOINT_MESSAGE_COUNT] = VALUE("message_count", COUNT),
			[USERPOINT_LAST_AWARD] = VALUE("latest_time_xp_was_earned_epoch", EPOCH),
			[USERPOINT_LEVEL_NUMBER] = VALUE("level_number", COUNT),
			[USERPOINT_HIDDEN] = VALUE("hidden", BOOL),
			/* The picture that the website showed. */
			[USERPOINT_AVATAR] = VALUE_OR_NULL("leveling_message_avatar_url", TEXT),
			[USERPOINT_NAME] = VALUE_OR_NULL("name", TEXT),
			[USERPOINT_NICK] = VALUE_OR_NULL("nickname", TEXT),
			[USERPOINT_DELETED] = VALUE_OR_NULL("deleted_date", DATE),
			[USERPOINT_UPDATED] = VALUE_OR_NULL("last_updated_date", DATE),
			DROPPED("avatar_url", AVATAR_COPY),
			DROPPED("avatar_url_message_id", AVATAR_COPY),
			DROPPED("discord_avatar_link_expiry_date", AVATAR_COPY),
			DROPPED("outsized_profile_pic", AVATAR_COPY),
			DROPPED("leveling_update_attempt", PROCESS_STATE),
			DROPPED("bucket_number", PROCESS_STATE),
			DROPPED("being_processed", PROCESS_STATE),
			DROPPED("concurrent_attempts", PROCESS_STATE) } },
	{ .table = "wall_e_models_reminder",
		.model = "wall_e_models.reminder",
		.convert = import_reminder,
		.columns = { KEY("id"), VALUE("reminder_date_epoch", EPOCH), VALUE("message", TEXT),
			VALUE("author_id", ID) } },
	{ .table = "wall_e_models_ban_records",
		.model = "wall_e_models.banrecord",
		.convert = import_ban,
		.columns = { KEY("id"), VALUE("username", TEXT), VALUE("user_id", ID), VALUE_OR_NULL("mod", TEXT),
			VALUE_OR_NULL("mod_id", ID), VALUE("reason", TEXT), VALUE_OR_NULL("ban_date", DATE),
			VALUE_OR_NULL("unban_date", DATE) } },
	{ .table = "wall_e_models_react_roles",
		.model = "wall_e_models.reactrole",
		.convert = import_react_role,
		.columns = { KEY("react_role_id"), VALUE("channel_id", ID), VALUE("message_id", ID),
			VALUE("emoji_roles_json", TEXT) } },
	{ .table = "wall_e_models_commandstat",
		.model = "wall_e_models.commandstat",
		.convert = import_command_stat,
		.columns = { VALUE("epoch_time", EPOCH), VALUE("channel_name", TEXT), VALUE("command", TEXT),
			VALUE("invoked_with", TEXT), VALUE_OR_NULL("invoked_subcommand", TEXT), DROPPED("year", NULL),
			DROPPED("month", NULL), DROPPED("day", NULL), DROPPED("hour", NULL) } },
	{ .table = "wall_e_models_helpmessage",
		.model = "wall_e_models.helpmessage",
		.convert = import_help_message,
		.columns = { KEY("id"), VALUE("message_id", ID), VALUE("channel_id", ID),
			VALUE("help_message_expiration_date", EPOCH), VALUE("time_created", EPOCH),
			DROPPED("channel_name", "follows from the channel") } },
	{ .table = "wall_e_models_embedavatar",
		.model = "wall_e_models.embedavatar",
		.convert = import_embed_avatar,
		.columns = { KEY("id"), VALUE("avatar_discord_url", TEXT),
			VALUE("avatar_discord_permanent_url", TEXT) } },
	{ .table = "wall_e_models_updateduser",
		.model = "wall_e_models.updateduser",
		.reason = "a queue of changed users; member_listener writes profiles itself",
		.columns = { KEY("id"), { .name = "user_point_id", .field = "user_point", .kind = IMPORT_DROPPED } } },
	{ .table = "wall_e_models_profilebucketinprogress",
		.model = "wall_e_models.profilebucketinprogress",
		.reason = PROCESS_STATE,
		.columns = { KEY("id"),
			{ .name = "bucket_number_completed", .kind = IMPORT_DROPPED, .nullable = true } } },
};
const size_t import_table_count = ARRAY_SIZE(import_tables);
