/* Telling what happened: see dispatch.h. The intents of each event stand in the documentation's list (events/gateway, "List of Intents"). */
#include "dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#include "feed.h"
#include "gateway.h"
#include "permissions.h"
#include "write.h"

/* To the page, and to the sessions unless the bot cannot see the guild at all. */
static void tell_all(struct fake *fake, const char *event, uint32_t intents, const struct str *data)
{
	feed_add(fake->feed, event, data->buf, data->len);
	if (!fake->outage && !fake->bot_gone)
		gateway_dispatch(fake->gateway, event, intents, data, NULL);
}

static bool bot_sees(const struct fake *fake, const struct channel *channel)
{
	if (channel_is_direct(channel))
		return true;
	return !fake->outage && !fake->bot_gone &&
	       permitted(permissions_in(&fake->state, fake->state.bot, channel), PERMISSION_VIEW_CHANNEL);
}

/* To the page, and to the sessions if the bot may view the channel. */
static void tell_channel(struct fake *fake, const char *event, const struct channel *channel, uint32_t intents,
	uint32_t direct_intents, const struct str *data, const struct str *bare)
{
	feed_add(fake->feed, event, data->buf, data->len);
	if (bot_sees(fake, channel))
		gateway_dispatch(
			fake->gateway, event, channel_is_direct(channel) ? direct_intents : intents, data, bare);
}

static void put_place(struct json_writer *w, const struct fake *fake, const struct channel *channel)
{
	json_put_snowflake(w, "channel_id", channel->id);
	if (!channel_is_direct(channel))
		json_put_snowflake(w, "guild_id", fake->state.guild);
}

/* ---- messages ---- */

/* Own messages, direct ones and those that mention the bot are whole without the intent (events/gateway, "Message Content Intent"). */
static bool always_whole(const struct fake *fake, const struct channel *channel, const struct message *message)
{
	return channel_is_direct(channel) || message->author == fake->state.bot ||
	       id_list_has(&message->mentions, fake->state.bot);
}

static void tell_ephemeral(struct fake *fake, const char *event, const struct message *message)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "user_id", message->ephemeral_for);
	json_put_snowflake(&w, "channel_id", message->channel);
	json_put_snowflake(&w, "id", message->id);
	json_key(&w, "message");
	write_message(&w, &fake->state, message, (struct message_form){ .gateway = true });
	json_end_object(&w);
	feed_add(fake->feed, streq(event, "MESSAGE_CREATE") ? "EPHEMERAL_CREATE" : "EPHEMERAL_UPDATE", data.buf,
		data.len);
}

void dispatch_message(struct fake *fake, const char *event, const struct message *message)
{
	const struct channel *channel = state_channel(&fake->state, message->channel);
	bool created = streq(event, "MESSAGE_CREATE");
	struct str data cleanup(str_finish) = STR_INIT;
	struct str bare cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data), b = JSON_WRITER(&bare);

	if (message->ephemeral_for) {
		tell_ephemeral(fake, event, message);
		return;
	}
	write_message(&w, &fake->state, message, (struct message_form){ .gateway = true, .with_nonce = created });
	if (!always_whole(fake, channel, message))
		write_message(&b, &fake->state, message,
			(struct message_form){ .gateway = true, .bare = true, .with_nonce = created });
	tell_channel(fake, event, channel, INTENT_MESSAGES, INTENT_DIRECT_MESSAGES, &data, bare.len ? &bare : NULL);
}

void dispatch_message_delete(struct fake *fake, const struct channel *channel, uint64_t message, uint64_t ephemeral_for)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "id", message);
	put_place(&w, fake, channel);
	if (ephemeral_for)
		json_put_snowflake(&w, "user_id", ephemeral_for);
	json_end_object(&w);
	if (ephemeral_for)
		feed_add(fake->feed, "EPHEMERAL_DELETE", data.buf, data.len);
	else
		tell_channel(fake, "MESSAGE_DELETE", channel, INTENT_MESSAGES, INTENT_DIRECT_MESSAGES, &data, NULL);
}

void dispatch_message_delete_bulk(
	struct fake *fake, const struct channel *channel, const uint64_t *messages, size_t count)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_key(&w, "ids");
	json_begin_array(&w);
	for (size_t i = 0; i < count; i++)
		json_write_snowflake(&w, messages[i]);
	json_end_array(&w);
	put_place(&w, fake, channel);
	json_end_object(&w);
	tell_channel(fake, "MESSAGE_DELETE_BULK", channel, INTENT_MESSAGES, 0, &data, NULL);
}

void dispatch_reaction(
	struct fake *fake, bool added, const struct message *message, uint64_t user, const char *name, uint64_t id)
{
	const struct channel *channel = state_channel(&fake->state, message->channel);
	const struct user *person = state_user(&fake->state, user);
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "user_id", user);
	json_put_snowflake(&w, "message_id", message->id);
	put_place(&w, fake, channel);
	if (added) {
		json_put_snowflake(&w, "message_author_id", message->author);
		if (person && person->member && !channel_is_direct(channel)) {
			json_key(&w, "member");
			write_member(&w, &fake->state, person);
		}
	}
	json_key(&w, "emoji");
	write_emoji(&w, name, id);
	json_put_bool(&w, "burst", false);
	json_put_int(&w, "type", 0);
	json_end_object(&w);
	tell_channel(fake, added ? "MESSAGE_REACTION_ADD" : "MESSAGE_REACTION_REMOVE", channel, INTENT_REACTIONS,
		INTENT_DIRECT_REACTIONS, &data, NULL);
}

void dispatch_reactions_cleared(struct fake *fake, const struct message *message, const char *name, uint64_t id)
{
	const struct channel *channel = state_channel(&fake->state, message->channel);
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "message_id", message->id);
	put_place(&w, fake, channel);
	if (name) {
		json_key(&w, "emoji");
		write_emoji(&w, name, id);
	}
	json_end_object(&w);
	tell_channel(fake, name ? "MESSAGE_REACTION_REMOVE_EMOJI" : "MESSAGE_REACTION_REMOVE_ALL", channel,
		INTENT_REACTIONS, INTENT_DIRECT_REACTIONS, &data, NULL);
}

void dispatch_pins(struct fake *fake, const struct channel *channel)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	put_place(&w, fake, channel);
	put_time(&w, "last_pin_timestamp", fake_time(fake));
	json_end_object(&w);
	tell_channel(fake, "CHANNEL_PINS_UPDATE", channel, INTENT_GUILDS, INTENT_DIRECT_MESSAGES, &data, NULL);
}

void dispatch_typing(struct fake *fake, const struct user *user, const struct channel *channel)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	put_place(&w, fake, channel);
	json_put_snowflake(&w, "user_id", user->id);
	json_put_int(&w, "timestamp", fake_time(fake) / SECOND);
	if (user->member && !channel_is_direct(channel)) {
		json_key(&w, "member");
		write_member(&w, &fake->state, user);
	}
	json_end_object(&w);
	tell_channel(fake, "TYPING_START", channel, INTENT_TYPING, INTENT_DIRECT_TYPING, &data, NULL);
}

/* ---- the guild ---- */

void dispatch_member(struct fake *fake, const char *event, const struct user *user)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	write_member_fields(&w, &fake->state, user);
	json_key(&w, "user");
	write_user(&w, user);
	json_end_object(&w);
	/* A change of the bot itself is always told (events/gateway, note below the list of intents). */
	tell_all(fake, event, user->id == fake->state.bot ? 0 : INTENT_GUILD_MEMBERS, &data);
}

void dispatch_member_remove(struct fake *fake, const struct user *user)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	json_key(&w, "user");
	write_user(&w, user);
	json_end_object(&w);
	tell_all(fake, "GUILD_MEMBER_REMOVE", INTENT_GUILD_MEMBERS, &data);
}

void dispatch_role(struct fake *fake, const char *event, const struct role *role)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	json_key(&w, "role");
	write_role(&w, role);
	json_end_object(&w);
	tell_all(fake, event, INTENT_GUILDS, &data);
}

void dispatch_role_delete(struct fake *fake, uint64_t role)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	json_put_snowflake(&w, "role_id", role);
	json_end_object(&w);
	tell_all(fake, "GUILD_ROLE_DELETE", INTENT_GUILDS, &data);
}

void dispatch_channel(struct fake *fake, const char *event, const struct channel *channel)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	write_channel(&w, &fake->state, channel);
	if (channel_is_thread(channel))
		dispatch_in_channel(fake, event, channel, INTENT_GUILDS, &data);
	else
		tell_all(fake, event, INTENT_GUILDS, &data);
}

void dispatch_in_channel(
	struct fake *fake, const char *event, const struct channel *channel, uint32_t intents, const struct str *data)
{
	tell_channel(fake, event, channel, intents, 0, data, NULL);
}

void dispatch_ban(struct fake *fake, bool added, const struct user *user)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	json_key(&w, "user");
	write_user(&w, user);
	json_end_object(&w);
	tell_all(fake, added ? "GUILD_BAN_ADD" : "GUILD_BAN_REMOVE", INTENT_MODERATION, &data);
}

void dispatch_user_update(struct fake *fake)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	write_user(&w, state_user(&fake->state, fake->state.bot));
	tell_all(fake, "USER_UPDATE", 0, &data);
}

void dispatch_guild(struct fake *fake, const char *event)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	write_guild_fields(&w, &fake->state);
	json_end_object(&w);
	tell_all(fake, event, INTENT_GUILDS, &data);
}

static void drop_old_audits(struct state *state)
{
	size_t drop = AUDIT_MAX / 4;

	if (state->audit_count < AUDIT_MAX)
		return;
	for (size_t i = 0; i < drop; i++) {
		free(state->audits[i].reason);
		cJSON_Delete(state->audits[i].changes);
		cJSON_Delete(state->audits[i].options);
	}
	state->audit_count -= drop;
	memmove(state->audits, state->audits + drop, state->audit_count * sizeof(*state->audits));
}

void dispatch_audit(struct fake *fake, uint64_t user, int action, uint64_t target, const char *reason, cJSON *changes,
	cJSON *options)
{
	struct state *state = &fake->state;
	struct str entry cleanup(str_finish) = STR_INIT;
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&entry);

	drop_old_audits(state);
	state->audits = xrealloc(state->audits, (state->audit_count + 1) * sizeof(*state->audits));
	state->audits[state->audit_count] = (struct audit){ .id = state_id(state, fake_time(fake)),
		.user = user,
		.target = target,
		.action = action,
		.reason = reason && *reason ? xstrdup(reason) : NULL,
		.changes = changes,
		.options = options };
	write_audit(&w, &state->audits[state->audit_count++]);
	str_add(&data, entry.buf, entry.len - 1); /* the same object with the guild's id */
	str_printf(&data, ",\"guild_id\":\"%llu\"}", (unsigned long long)state->guild);
	if (permitted(permissions_of(state, state->bot), PERMISSION_VIEW_AUDIT_LOG))
		tell_all(fake, "GUILD_AUDIT_LOG_ENTRY_CREATE", INTENT_MODERATION, &data);
}

cJSON *dispatch_role_change(const struct role *role, bool add)
{
	cJSON *changes = cJSON_CreateArray(), *change = cJSON_CreateObject(), *list = cJSON_CreateArray(),
	      *entry = cJSON_CreateObject();
	char id[24];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)role->id);
	cJSON_AddStringToObject(entry, "id", id);
	cJSON_AddStringToObject(entry, "name", role->name);
	cJSON_AddItemToArray(list, entry);
	cJSON_AddStringToObject(change, "key", add ? "$add" : "$remove");
	cJSON_AddItemToObject(change, "new_value", list);
	cJSON_AddItemToArray(changes, change);
	return changes;
}
