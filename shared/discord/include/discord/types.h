/* Discord's objects, as far as we use them, parsed once from JSON. Names are Discord's own terms.
 *
 * Strings are borrowed from the cJSON tree that was parsed (an event's tree lives until its handler returns), unless
 * a function says that it copies into an arena. Absent and null strings are NULL, absent snowflakes 0. Arrays are
 * allocated in the arena that is passed.
 */
#ifndef DISCORD_TYPES_H
#define DISCORD_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"

typedef uint64_t snowflake;

#define DISCORD_EPOCH_MS 1420070400000ULL
/* When a snowflake was made (microseconds since 1970 UTC), and the smallest snowflake of an instant. */
usec snowflake_time(snowflake id);
snowflake snowflake_at(usec time);

struct user {
	snowflake id;
	const char *username, *global_name, *avatar; /* avatar: hash */
	const char *discriminator;                   /* "0" for most */
	bool bot, system;
};

struct member {
	struct user user; /* id 0 where Discord leaves the user out (a message's member) */
	const char *nick, *avatar;
	const snowflake *roles;
	size_t role_count;
	uint64_t permissions; /* only in interactions: computed by Discord for the channel */
	usec joined_at;
	bool pending;
};

struct role {
	snowflake id;
	const char *name;
	uint32_t color;
	int position;
	uint64_t permissions;
	bool managed, mentionable, hoist;
};

enum overwrite_type { OVERWRITE_ROLE, OVERWRITE_MEMBER };
struct overwrite {
	snowflake id;
	enum overwrite_type type;
	uint64_t allow, deny;
};

enum channel_type {
	CHANNEL_GUILD_TEXT = 0,
	CHANNEL_DM = 1,
	CHANNEL_GUILD_VOICE = 2,
	CHANNEL_GUILD_CATEGORY = 4,
	CHANNEL_GUILD_ANNOUNCEMENT = 5,
	CHANNEL_ANNOUNCEMENT_THREAD = 10,
	CHANNEL_PUBLIC_THREAD = 11,
	CHANNEL_PRIVATE_THREAD = 12,
	CHANNEL_GUILD_STAGE_VOICE = 13,
	CHANNEL_GUILD_FORUM = 15,
};
struct channel {
	snowflake id, guild_id, parent_id;
	enum channel_type type;
	const char *name;
	int position;
	const struct overwrite *overwrites;
	size_t overwrite_count;
};

struct emoji {
	snowflake id; /* 0: a unicode emoji, then name is its glyph */
	const char *name;
	bool animated;
};

enum message_type { MESSAGE_DEFAULT = 0, MESSAGE_REPLY = 19, MESSAGE_CHAT_INPUT_COMMAND = 20 };
struct message {
	snowflake id, channel_id, guild_id, webhook_id;
	int type; /* enum message_type; Discord has more */
	struct user author;
	bool has_member;
	struct member member;
	const char *content; /* "" when empty */
	const struct user *mentions;
	size_t mention_count;
	snowflake referenced_message_id, referenced_channel_id;
	const cJSON *json; /* everything else */
};

struct reaction {
	snowflake user_id, channel_id, message_id, guild_id;
	struct emoji emoji;
	struct member member; /* only when added in a guild */
};

enum interaction_type {
	INTERACTION_PING = 1,
	INTERACTION_APPLICATION_COMMAND = 2,
	INTERACTION_MESSAGE_COMPONENT = 3,
	INTERACTION_APPLICATION_COMMAND_AUTOCOMPLETE = 4,
	INTERACTION_MODAL_SUBMIT = 5,
};
struct interaction {
	snowflake id, application_id, guild_id, channel_id;
	enum interaction_type type;
	const char *token; /* a secret: valid 15 minutes; never in a log */
	struct user user;  /* who did it, in guilds and in direct messages */
	struct member member;
	uint64_t app_permissions;
	const char *command_name; /* application command and autocomplete */
	const cJSON *options;     /* array of options as they came (subcommands nest) */
	const cJSON *resolved;    /* users, members, roles, channels by id */
	const char *custom_id;    /* component */
	snowflake message_id;     /* the component's message */
	const cJSON *json;
};

/* 0, or -EBADMSG when what we rely on is missing or malformed. */
int user_parse(const cJSON *json, struct user *ret_user) warn_unused;
int member_parse(const cJSON *json, struct arena *arena, struct member *ret_member) warn_unused;
int role_parse(const cJSON *json, struct role *ret_role) warn_unused;
int channel_parse(const cJSON *json, struct arena *arena, struct channel *ret_channel) warn_unused;
int message_parse(const cJSON *json, struct arena *arena, struct message *ret_message) warn_unused;
int reaction_parse(const cJSON *json, struct arena *arena, struct reaction *ret_reaction) warn_unused;
int interaction_parse(const cJSON *json, struct arena *arena, struct interaction *ret_interaction) warn_unused;

/* Deep copies into an arena, for what must survive a wait. */
struct member *member_copy(struct arena *arena, const struct member *member);

/* ISO 8601 with offset, as Discord writes it. 0 when malformed. */
usec timestamp_parse(const char *text);

/* Permission bits (Discord's documentation, topics/permissions). */
#define PERMISSION_KICK_MEMBERS         (1ULL << 1)
#define PERMISSION_BAN_MEMBERS          (1ULL << 2)
#define PERMISSION_ADMINISTRATOR        (1ULL << 3)
#define PERMISSION_MANAGE_CHANNELS      (1ULL << 4)
#define PERMISSION_MANAGE_GUILD         (1ULL << 5)
#define PERMISSION_ADD_REACTIONS        (1ULL << 6)
#define PERMISSION_VIEW_AUDIT_LOG       (1ULL << 7)
#define PERMISSION_VIEW_CHANNEL         (1ULL << 10)
#define PERMISSION_SEND_MESSAGES        (1ULL << 11)
#define PERMISSION_MANAGE_MESSAGES      (1ULL << 13)
#define PERMISSION_EMBED_LINKS          (1ULL << 14)
#define PERMISSION_ATTACH_FILES         (1ULL << 15)
#define PERMISSION_READ_MESSAGE_HISTORY (1ULL << 16)
#define PERMISSION_MENTION_EVERYONE     (1ULL << 17)
#define PERMISSION_MUTE_MEMBERS         (1ULL << 22)
#define PERMISSION_DEAFEN_MEMBERS       (1ULL << 23)
#define PERMISSION_MOVE_MEMBERS         (1ULL << 24)
#define PERMISSION_MANAGE_NICKNAMES     (1ULL << 27)
#define PERMISSION_MANAGE_ROLES         (1ULL << 28)
#define PERMISSION_MANAGE_WEBHOOKS      (1ULL << 29)
#define PERMISSION_MANAGE_EXPRESSIONS   (1ULL << 30)
#define PERMISSION_MANAGE_EVENTS        (1ULL << 33)
#define PERMISSION_MANAGE_THREADS       (1ULL << 34)
#define PERMISSION_SEND_IN_THREADS      (1ULL << 38)
#define PERMISSION_MODERATE_MEMBERS     (1ULL << 40)

/* Gateway intents (Discord's documentation, events/gateway). */
#define INTENT_GUILDS                   (1u << 0)
#define INTENT_GUILD_MEMBERS            (1u << 1)
#define INTENT_GUILD_MODERATION         (1u << 2)
#define INTENT_GUILD_MESSAGES           (1u << 9)
#define INTENT_GUILD_MESSAGE_REACTIONS  (1u << 10)
#define INTENT_DIRECT_MESSAGES          (1u << 12)
#define INTENT_DIRECT_MESSAGE_REACTIONS (1u << 13)
#define INTENT_MESSAGE_CONTENT          (1u << 15)

/* Discord's stable avatar address: the guild avatar if there is one, else the account's, else one of the default
 * pictures. `user` and `member` (may be NULL) belong together. */
void avatar_url(
	struct str *out, const char *cdn_url, snowflake guild_id, const struct user *user, const struct member *member);
/* What others see: nickname, else global name, else username. */
const char *display_name(const struct user *user, const struct member *member);

#endif
