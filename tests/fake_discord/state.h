/* What the fake Discord knows: people, the guild with its roles, channels and messages, bans, audit log, commands. Plain data with small functions
 * to find, add and remove; who may do what is permissions.c, what is told to whom is dispatch.c.
 *
 * There is one guild. Everything is bounded; the oldest messages of a channel go first. To add a kind of thing: a struct and its list here, its
 * JSON in write.c, its routes in a rest_*.c.
 */
#ifndef FAKE_STATE_H
#define FAKE_STATE_H

#include <cjson/cJSON.h>
#include <uthash.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/util.h"

#define DISCORD_EPOCH_MS 1420070400000LL

/* Bounds; those with a number of Discord's error codes are Discord's own. */
enum {
	ROLES_MAX = 250,      /* 30005 */
	CHANNELS_MAX = 500,   /* 30013 */
	MESSAGES_MAX = 20000, /* of a channel, then the oldest MESSAGES_DROPPED go */
	MESSAGES_DROPPED = 4000,
	REACTIONS_MAX = 20, /* 30010 */
	PINS_MAX = 250,     /* 30003 */
	SPENT_NONCES = 16,
	OVERWRITES_MAX = 1000, /* 30060 */
	USERS_MAX = 200000,
	AUDIT_MAX = 2000,
	COMMANDS_MAX = 100,      /* 30032 */
	INTERACTIONS_MAX = 4096, /* the oldest go */
	DIRECT_CHANNELS_MAX = 20000,
	FILES_MAX_BYTES = 256 << 20, /* of all attachments, then the oldest go */
};

enum channel_type {
	CHANNEL_TEXT = 0,
	CHANNEL_DM = 1,
	CHANNEL_VOICE = 2,
	CHANNEL_CATEGORY = 4,
	CHANNEL_ANNOUNCEMENT = 5,
	CHANNEL_THREAD = 11,
	CHANNEL_PRIVATE_THREAD = 12,
};

enum message_type {
	MESSAGE_DEFAULT = 0,
	MESSAGE_PINNED = 6,
	MESSAGE_JOIN = 7,
	MESSAGE_REPLY = 19,
	MESSAGE_COMMAND = 20
};

enum message_flag {
	MESSAGE_SUPPRESS_EMBEDS = 1 << 2,
	MESSAGE_EPHEMERAL = 1 << 6,
	MESSAGE_LOADING = 1 << 7,
	MESSAGE_SUPPRESS_NOTIFICATIONS = 1 << 12,
	MESSAGE_COMPONENTS_V2 = 1 << 15,
};

struct id_list {
	uint64_t *ids;
	size_t count;
};
void id_list_add(struct id_list *list, uint64_t id); /* a second time does nothing */
bool id_list_remove(struct id_list *list, uint64_t id);
bool id_list_has(const struct id_list *list, uint64_t id);
void id_list_finish(struct id_list *list);

struct member {
	char *nick, *avatar;
	struct id_list roles;
	usec joined;  /* Unix time, as all times here */
	usec timeout; /* communication disabled until */
};

struct user {
	uint64_t id;
	char *name, *global_name, *avatar;
	bool bot, dms_closed;
	struct member *member; /* NULL: not in the guild */
	uint64_t dm;           /* direct channel with the bot, 0: none */
	UT_hash_handle hh;
};

struct role {
	uint64_t id;
	char *name;
	unsigned color;
	bool hoist, mentionable, managed;
	int position;
	uint64_t permissions;
};

struct overwrite {
	uint64_t id;
	bool is_member;
	uint64_t allow, deny;
};

struct reaction {
	char *name;  /* a character, or a custom emoji's name */
	uint64_t id; /* 0 unless custom */
	struct id_list users;
};

struct message {
	uint64_t id, channel, author;
	uint64_t webhook;       /* the webhook or application that posted it, 0 for ordinary ones */
	uint64_t interaction;   /* whose answer it is */
	uint64_t ephemeral_for; /* the only person who sees it */
	uint64_t reference;     /* the message that it answers */
	int type;
	unsigned flags;
	bool pinned, mention_everyone, mention_replied;
	char *content;
	cJSON *embeds, *components, *attachments; /* arrays or NULL */
	struct id_list mentions, mention_roles;
	struct reaction *reactions;
	size_t reaction_count;
	char *nonce, *webhook_name;
	char *command; /* of the interaction that it answers, NULL for components */
	uint64_t interaction_user;
	int interaction_type;
	usec at, edited;
	uint64_t changed; /* the fake's change counter when it was posted or edited last */
};

/* Of a message that was deleted. */
struct spent_nonce {
	char *text;
	usec at; /* when the message was posted */
};

struct channel {
	uint64_t id;
	int type;
	char *name, *topic;
	int position, slow_mode;
	bool nsfw;
	uint64_t parent;    /* category, or the channel of a thread */
	uint64_t recipient; /* of a direct channel */
	uint64_t owner;     /* of a thread */
	struct id_list thread_members;
	struct overwrite *overwrites;
	size_t overwrite_count;
	struct message **messages; /* by id, rising */
	size_t message_count, message_cap;
	struct spent_nonce spent[SPENT_NONCES]; /* a ring */
	size_t spent_next;
	UT_hash_handle hh;
};

struct ban {
	uint64_t user;
	char *reason;
};

struct audit {
	uint64_t id, user, target;
	int action;
	char *reason;
	cJSON *changes; /* array or NULL */
	cJSON *options; /* object or NULL */
};

struct emoji {
	uint64_t id;
	char *name;
	bool animated;
};

struct file {
	uint64_t id; /* of the attachment */
	char *name, *type;
	void *data;
	size_t len;
};

struct command {
	uint64_t id, version;
	cJSON *body; /* as registered, checked */
	bool global;
};

struct state {
	struct random random;
	usec skew; /* the fake's clock runs ahead by this */
	uint64_t last_id;
	uint64_t chosen_ids; /* made by state_id_at() so far */
	uint64_t changes;    /* counts every posted or edited message */

	struct user *users; /* hash, in order of coming */
	uint64_t bot;       /* user and application */

	uint64_t guild, owner;
	char *guild_name;
	struct role *roles;
	size_t role_count;
	struct channel *channels; /* hash: the guild's and the direct ones */
	size_t guild_channels, direct_channels;
	struct emoji *emojis;
	size_t emoji_count;
	struct ban *bans;
	size_t ban_count;
	struct audit *audits; /* rising ids */
	size_t audit_count;
	struct command *commands;
	size_t command_count;
	struct file *files;
	size_t file_count, file_bytes;
	size_t member_count;
};

void state_init(struct state *state);
void state_finish(struct state *state);

/* Unix time, as the fake sees it. */
usec state_now(const struct state *state);
/* A new snowflake for this Unix time; ids rise strictly. */
uint64_t state_id(struct state *state, usec at);
/* The same for a time of the caller's choice, in the past or the future: as new, but in the order of those times only. */
uint64_t state_id_at(struct state *state, usec at);
/* When the thing with this id was made. */
usec state_id_time(uint64_t id);

struct user *state_user(const struct state *state, uint64_t id);
struct user *state_user_by_name(const struct state *state, const char *name);
struct user *state_add_user(struct state *state, uint64_t id, const char *name, const char *global_name, bool bot);
/* In the guild; NULL for strangers. */
struct member *state_member(const struct state *state, uint64_t user);
struct member *state_join(struct state *state, struct user *user, usec at);
void state_leave(struct state *state, struct user *user);

struct role *state_role(const struct state *state, uint64_t id);
struct role *state_role_by_name(const struct state *state, const char *name);
/* Roles at and above the position move up. NULL: there are ROLES_MAX. Pointers to roles are dead afterwards. */
struct role *state_add_role(struct state *state, uint64_t id, const char *name, int position);
/* Also from all members and overwrites. */
void state_remove_role(struct state *state, uint64_t id);

struct channel *state_channel(const struct state *state, uint64_t id);
struct channel *state_channel_by_name(const struct state *state, const char *name);
struct channel *state_add_channel(struct state *state, uint64_t id, int type, const char *name);
void state_remove_channel(struct state *state, struct channel *channel);
/* The direct channel with this person, opened when there is none; NULL when there are too many. */
struct channel *state_direct(struct state *state, struct user *user, usec now);
struct overwrite *channel_overwrite(const struct channel *channel, uint64_t id);
struct overwrite *channel_set_overwrite(
	struct channel *channel, uint64_t id, bool is_member, uint64_t allow, uint64_t deny);
bool channel_remove_overwrite(struct channel *channel, uint64_t id);
static inline bool channel_is_thread(const struct channel *channel)
{
	return channel->type == CHANNEL_THREAD || channel->type == CHANNEL_PRIVATE_THREAD;
}
static inline bool channel_is_direct(const struct channel *channel)
{
	return channel->type == CHANNEL_DM;
}

/* The channel owns the message. Drops the oldest when there are too many. */
void channel_add_message(struct channel *channel, struct message *message);
struct message *channel_message(const struct channel *channel, uint64_t id);
/* Index of the first message with an id at or above this one. */
size_t channel_message_index(const struct channel *channel, uint64_t id);
void channel_remove_message(struct channel *channel, uint64_t id);
/* A message with this nonce, posted since then, was deleted. */
bool channel_nonce_is_spent(const struct channel *channel, const char *nonce, usec since);
void message_destroy(struct message *message);
struct reaction *message_reaction(const struct message *message, const char *name, uint64_t id);
/* NULL: REACTIONS_MAX. */
struct reaction *message_add_reaction(struct message *message, const char *name, uint64_t id);
void message_remove_reaction(struct message *message, struct reaction *reaction);

struct ban *state_ban(const struct state *state, uint64_t user);
void state_add_ban(struct state *state, uint64_t user, const char *reason_or_null);
void state_remove_ban(struct state *state, uint64_t user);
struct emoji *state_emoji(const struct state *state, uint64_t id);
struct command *state_command(const struct state *state, uint64_t id);
void state_remove_commands(struct state *state, bool global);
/* Takes the data. Drops the oldest files beyond the bound. */
void state_add_file(struct state *state, uint64_t id, const char *name, const char *type, void *data, size_t len);
const struct file *state_file(const struct state *state, uint64_t id);

/* Replaces a string field; NULL stays NULL. */
void replace_text(char **field, const char *text);

#endif
