/* Discord's objects out of their JSON. One function per object; each refuses what lacks an id (or whatever else the
 * callers build on) and takes everything else as optional, because Discord leaves fields out freely and adds new ones
 * at any time.
 *
 * To read a further field: add it to the struct in discord/types.h and one line to the function here.
 */
#include "discord/types.h"

#include <ctype.h>
#include <errno.h>

#include "base/str.h"

usec snowflake_time(snowflake id)
{
	return (usec)((id >> 22) + DISCORD_EPOCH_MS) * MILLISECOND;
}

snowflake snowflake_at(usec time)
{
	int64_t milliseconds = time / MILLISECOND - (int64_t)DISCORD_EPOCH_MS;

	return milliseconds <= 0 ? 0 : (snowflake)milliseconds << 22;
}

/* Permission sets are decimal strings. */
static uint64_t bits_parse(const cJSON *object, const char *key)
{
	const char *text = json_string(object, key);
	uint64_t bits;

	return text && parse_u64(text, &bits) == 0 ? bits : 0;
}

static int int_field(const cJSON *object, const char *key)
{
	int64_t value = json_int(object, key, 0);

	return value < INT32_MIN || value > INT32_MAX ? 0 : (int)value;
}

static size_t array_length(const cJSON *array)
{
	size_t n = 0;

	json_array_each (item, array)
		n++;
	return n;
}

int user_parse(const cJSON *json, struct user *ret_user)
{
	struct user user = {
		.id = json_snowflake(json, "id"),
		.username = json_string(json, "username"),
		.global_name = json_string(json, "global_name"),
		.avatar = json_string(json, "avatar"),
		.discriminator = json_string(json, "discriminator"),
		.bot = json_bool(json, "bot", false),
		.system = json_bool(json, "system", false),
	};

	if (user.id == 0 || !user.username)
		return -EBADMSG;
	*ret_user = user;
	return 0;
}

int member_parse(const cJSON *json, struct arena *arena, struct member *ret_member)
{
	const cJSON *user = json_object(json, "user");
	const cJSON *roles = json_array(json, "roles");
	struct member member = {
		.nick = json_string(json, "nick"),
		.avatar = json_string(json, "avatar"),
		.permissions = bits_parse(json, "permissions"),
		.joined_at = timestamp_parse(json_string(json, "joined_at")),
		.pending = json_bool(json, "pending", false),
	};
	snowflake *ids;

	if (!cJSON_IsObject(json))
		return -EBADMSG;
	if (user && user_parse(user, &member.user) < 0)
		return -EBADMSG;
	ids = arena_array(arena, snowflake, array_length(roles));
	json_array_each (item, roles) {
		snowflake id = json_snowflake_value(item);

		if (id == 0)
			return -EBADMSG;
		ids[member.role_count++] = id;
	}
	member.roles = ids;
	*ret_member = member;
	return 0;
}

int role_parse(const cJSON *json, struct role *ret_role)
{
	struct role role = {
		.id = json_snowflake(json, "id"),
		.name = json_string(json, "name"),
		.color = (uint32_t)json_int(json, "color", 0) & 0xFFFFFF,
		.position = int_field(json, "position"),
		.permissions = bits_parse(json, "permissions"),
		.managed = json_bool(json, "managed", false),
		.mentionable = json_bool(json, "mentionable", false),
		.hoist = json_bool(json, "hoist", false),
	};

	if (role.id == 0 || !role.name)
		return -EBADMSG;
	*ret_role = role;
	return 0;
}

int channel_parse(const cJSON *json, struct arena *arena, struct channel *ret_channel)
{
	const cJSON *list = json_array(json, "permission_overwrites");
	struct channel channel = {
		.id = json_snowflake(json, "id"),
		.guild_id = json_snowflake(json, "guild_id"),
		.parent_id = json_snowflake(json, "parent_id"),
		.type = (enum channel_type)json_int(json, "type", -1),
		.name = json_string(json, "name"),
		.position = int_field(json, "position"),
	};
	struct overwrite *overwrites;

	if (channel.id == 0 || json_int(json, "type", -1) < 0)
		return -EBADMSG;
	overwrites = arena_array(arena, struct overwrite, array_length(list));
	json_array_each (item, list) {
		struct overwrite *overwrite = &overwrites[channel.overwrite_count];

		overwrite->id = json_snowflake(item, "id");
		if (overwrite->id == 0)
			return -EBADMSG;
		overwrite->type = json_int(item, "type", 0) == OVERWRITE_MEMBER ? OVERWRITE_MEMBER : OVERWRITE_ROLE;
		overwrite->allow = bits_parse(item, "allow");
		overwrite->deny = bits_parse(item, "deny");
		channel.overwrite_count++;
	}
	channel.overwrites = overwrites;
	*ret_channel = channel;
	return 0;
}

int message_parse(const cJSON *json, struct arena *arena, struct message *ret_message)
{
	const cJSON *member = json_object(json, "member");
	const cJSON *mentions = json_array(json, "mentions");
	const cJSON *reference = json_object(json, "message_reference");
	struct message message = {
		.id = json_snowflake(json, "id"),
		.channel_id = json_snowflake(json, "channel_id"),
		.guild_id = json_snowflake(json, "guild_id"),
		.webhook_id = json_snowflake(json, "webhook_id"),
		.type = int_field(json, "type"),
		.content = json_string(json, "content"),
		.referenced_message_id = json_snowflake(reference, "message_id"),
		.referenced_channel_id = json_snowflake(reference, "channel_id"),
		.json = json,
	};
	struct user *users;

	if (message.id == 0 || message.channel_id == 0 || user_parse(json_object(json, "author"), &message.author) < 0)
		return -EBADMSG;
	if (!message.content)
		message.content = "";
	if (member) {
		if (member_parse(member, arena, &message.member) < 0)
			return -EBADMSG;
		message.has_member = true;
	}
	users = arena_array(arena, struct user, array_length(mentions));
	json_array_each (item, mentions) {
		if (user_parse(item, &users[message.mention_count]) < 0)
			return -EBADMSG;
		message.mention_count++;
	}
	message.mentions = users;
	*ret_message = message;
	return 0;
}

int reaction_parse(const cJSON *json, struct arena *arena, struct reaction *ret_reaction)
{
	const cJSON *emoji = json_object(json, "emoji");
	const cJSON *member = json_object(json, "member");
	struct reaction reaction = {
		.user_id = json_snowflake(json, "user_id"),
		.channel_id = json_snowflake(json, "channel_id"),
		.message_id = json_snowflake(json, "message_id"),
		.guild_id = json_snowflake(json, "guild_id"),
		.emoji = {
			.id = json_snowflake(emoji, "id"),
			.name = json_string(emoji, "name"), /* null when a custom emoji was deleted */
			.animated = json_bool(emoji, "animated", false),
		},
	};

	if (reaction.user_id == 0 || reaction.channel_id == 0 || reaction.message_id == 0 ||
		(reaction.emoji.id == 0 && !reaction.emoji.name))
		return -EBADMSG;
	if (member && member_parse(member, arena, &reaction.member) < 0)
		return -EBADMSG;
	*ret_reaction = reaction;
	return 0;
}

int interaction_parse(const cJSON *json, struct arena *arena, struct interaction *ret_interaction)
{
	const cJSON *data = json_object(json, "data");
	const cJSON *member = json_object(json, "member");
	struct interaction interaction = {
		.id = json_snowflake(json, "id"),
		.application_id = json_snowflake(json, "application_id"),
		.guild_id = json_snowflake(json, "guild_id"),
		.channel_id = json_snowflake(json, "channel_id"),
		.type = (enum interaction_type)int_field(json, "type"),
		.token = json_string(json, "token"),
		.app_permissions = bits_parse(json, "app_permissions"),
		.command_name = json_string(data, "name"),
		.options = json_array(data, "options"),
		.resolved = json_object(data, "resolved"),
		.custom_id = json_string(data, "custom_id"),
		.message_id = json_snowflake(json_object(json, "message"), "id"),
		.json = json,
	};

	if (interaction.id == 0 || interaction.application_id == 0 || !interaction.token || interaction.type == 0)
		return -EBADMSG;
	if (interaction.type == INTERACTION_PING) {
		*ret_interaction = interaction;
		return 0;
	}
	if (member) {
		if (member_parse(member, arena, &interaction.member) < 0 || interaction.member.user.id == 0)
			return -EBADMSG;
		interaction.user = interaction.member.user;
	} else if (user_parse(json_object(json, "user"), &interaction.user) < 0) {
		return -EBADMSG;
	}
	*ret_interaction = interaction;
	return 0;
}

struct member *member_copy(struct arena *arena, const struct member *member)
{
	struct member *copy = arena_copy(arena, member, sizeof(*member));

	copy->user.username = arena_strdup(arena, member->user.username);
	copy->user.global_name = arena_strdup(arena, member->user.global_name);
	copy->user.avatar = arena_strdup(arena, member->user.avatar);
	copy->user.discriminator = arena_strdup(arena, member->user.discriminator);
	copy->nick = arena_strdup(arena, member->nick);
	copy->avatar = arena_strdup(arena, member->avatar);
	copy->roles = NULL;
	if (member->role_count > 0)
		copy->roles = arena_copy(arena, member->roles, member->role_count * sizeof(*member->roles));
	return copy;
}

/* `count` decimal digits at *text, which is moved behind them; -1 when there are fewer. */
static int digits(const char **text, int count)
{
	int value = 0;

	for (; count > 0; count--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = value * 10 + (**text - '0');
	}
	return value;
}

static bool expect(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

/* "Z", "+hh:mm" or "-hh:mm" at the end of a timestamp, in seconds. */
static bool offset_parse(const char *text, int *ret_seconds)
{
	int sign, hour, minute;

	if (streq(text, "Z")) {
		*ret_seconds = 0;
		return true;
	}
	if (*text != '+' && *text != '-')
		return false;
	sign = *text++ == '-' ? -1 : 1;
	hour = digits(&text, 2);
	if (hour < 0 || hour > 23 || !expect(&text, ':'))
		return false;
	minute = digits(&text, 2);
	if (minute < 0 || minute > 59 || *text != '\0')
		return false;
	*ret_seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

usec timestamp_parse(const char *text)
{
	struct civil civil = { 0 };
	usec fraction = 0, unit = 100000;
	int offset;

	if (!text)
		return 0;
	civil.year = digits(&text, 4);
	if (civil.year < 0 || !expect(&text, '-'))
		return 0;
	civil.month = digits(&text, 2);
	if (civil.month < 1 || civil.month > 12 || !expect(&text, '-'))
		return 0;
	civil.day = digits(&text, 2);
	if (civil.day < 1 || civil.day > 31 || !expect(&text, 'T'))
		return 0;
	civil.hour = digits(&text, 2);
	if (civil.hour < 0 || civil.hour > 23 || !expect(&text, ':'))
		return 0;
	civil.minute = digits(&text, 2);
	if (civil.minute < 0 || civil.minute > 59 || !expect(&text, ':'))
		return 0;
	civil.second = digits(&text, 2);
	if (civil.second < 0 || civil.second > 60)
		return 0;
	if (expect(&text, '.')) {
		if (!isdigit((unsigned char)*text))
			return 0;
		for (; isdigit((unsigned char)*text); text++, unit /= 10)
			fraction += (*text - '0') * unit;
	}
	if (!offset_parse(text, &offset))
		return 0;
	return (civil_to_seconds(&civil) - offset) * SECOND + fraction;
}

/* Hashes come from Discord, but end in addresses that browsers open: letters, digits and '_' only. */
static bool hash_valid(const char *hash)
{
	if (!hash || *hash == '\0')
		return false;
	for (; *hash; hash++)
		if (!isalnum((unsigned char)*hash) && *hash != '_')
			return false;
	return true;
}

/* Source: Discord's documentation, reference, "CDN endpoints". The default picture of an account without a
 * discriminator is chosen by its id, that of an older one by its discriminator. */
void avatar_url(
	struct str *out, const char *cdn_url, snowflake guild_id, const struct user *user, const struct member *member)
{
	uint64_t discriminator = 0;

	if (guild_id != 0 && member && hash_valid(member->avatar)) {
		str_printf(out, "%s/guilds/%llu/users/%llu/avatars/%s.png", cdn_url, (unsigned long long)guild_id,
			(unsigned long long)user->id, member->avatar);
	} else if (hash_valid(user->avatar)) {
		str_printf(out, "%s/avatars/%llu/%s.png", cdn_url, (unsigned long long)user->id, user->avatar);
	} else {
		if (!user->discriminator || parse_u64(user->discriminator, &discriminator) < 0)
			discriminator = 0;
		str_printf(out, "%s/embed/avatars/%u.png", cdn_url,
			(unsigned)(discriminator ? discriminator % 5 : (user->id >> 22) % 6));
	}
}

const char *display_name(const struct user *user, const struct member *member)
{
	if (member && member->nick)
		return member->nick;
	return user->global_name ? user->global_name : user->username;
}
