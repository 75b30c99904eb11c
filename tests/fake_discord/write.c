/* The state as JSON: see write.h. */
#include "write.h"

#include <stdio.h>

#include "base/utf8.h"
#include "fake_discord/fake_discord.h"

void write_time(struct json_writer *w, usec at)
{
	struct civil civil;
	char text[64];

	if (at <= 0) {
		json_write_null(w);
		return;
	}
	civil_from_seconds(at / SECOND, &civil);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00", civil.year, civil.month, civil.day,
		civil.hour, civil.minute, civil.second, (int)(at % SECOND));
	json_write_string(w, text);
}

void put_time(struct json_writer *w, const char *key, usec at)
{
	json_key(w, key);
	write_time(w, at);
}

void put_bits(struct json_writer *w, const char *key, uint64_t bits)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)bits);
	json_put_string(w, key, text);
}

static void put_ids(struct json_writer *w, const char *key, const struct id_list *list)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < list->count; i++)
		json_write_snowflake(w, list->ids[i]);
	json_end_array(w);
}

static void put_tree(struct json_writer *w, const char *key, const cJSON *tree, const char *otherwise)
{
	json_key(w, key);
	if (tree)
		json_write_tree(w, tree);
	else
		json_write_raw(w, otherwise, strlen(otherwise));
}

void write_user_fields(struct json_writer *w, const struct user *user)
{
	json_put_snowflake(w, "id", user->id);
	json_put_string(w, "username", user->name);
	json_put_string(w, "global_name", user->global_name);
	json_put_string(w, "avatar", user->avatar);
	json_put_string(w, "discriminator", user->bot ? "0001" : "0");
	json_put_int(w, "public_flags", 0);
	json_put_int(w, "flags", 0);
	json_put_null(w, "banner");
	json_put_null(w, "accent_color");
	json_put_null(w, "primary_guild");
	if (user->bot)
		json_put_bool(w, "bot", true);
}

void write_user(struct json_writer *w, const struct user *user)
{
	json_begin_object(w);
	write_user_fields(w, user);
	json_end_object(w);
}

void write_member_fields(struct json_writer *w, const struct state *state, const struct user *user)
{
	const struct member *member = user->member;

	(void)state;
	json_put_string(w, "nick", member->nick);
	json_put_string(w, "avatar", member->avatar);
	put_ids(w, "roles", &member->roles);
	put_time(w, "joined_at", member->joined);
	json_put_null(w, "premium_since");
	json_put_bool(w, "deaf", false);
	json_put_bool(w, "mute", false);
	json_put_bool(w, "pending", false);
	json_put_int(w, "flags", 0);
	put_time(w, "communication_disabled_until", member->timeout);
	json_put_null(w, "banner");
}

void write_member(struct json_writer *w, const struct state *state, const struct user *user)
{
	json_begin_object(w);
	write_member_fields(w, state, user);
	json_key(w, "user");
	write_user(w, user);
	json_end_object(w);
}

void write_role(struct json_writer *w, const struct role *role)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", role->id);
	json_put_string(w, "name", role->name);
	json_put_null(w, "description");
	put_bits(w, "permissions", role->permissions);
	json_put_int(w, "position", role->position);
	json_put_int(w, "color", role->color);
	json_key(w, "colors");
	json_begin_object(w);
	json_put_int(w, "primary_color", role->color);
	json_put_null(w, "secondary_color");
	json_put_null(w, "tertiary_color");
	json_end_object(w);
	json_put_bool(w, "hoist", role->hoist);
	json_put_bool(w, "managed", role->managed);
	json_put_bool(w, "mentionable", role->mentionable);
	json_put_null(w, "icon");
	json_put_null(w, "unicode_emoji");
	json_put_int(w, "flags", 0);
	json_end_object(w);
}

static void write_overwrites(struct json_writer *w, const struct channel *channel)
{
	json_key(w, "permission_overwrites");
	json_begin_array(w);
	for (size_t i = 0; i < channel->overwrite_count; i++) {
		const struct overwrite *overwrite = &channel->overwrites[i];

		json_begin_object(w);
		json_put_snowflake(w, "id", overwrite->id);
		json_put_int(w, "type", overwrite->is_member ? 1 : 0);
		put_bits(w, "allow", overwrite->allow);
		put_bits(w, "deny", overwrite->deny);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_thread_fields(struct json_writer *w, const struct channel *channel)
{
	json_put_snowflake(w, "owner_id", channel->owner);
	json_put_int(w, "message_count", (int64_t)channel->message_count);
	json_put_int(w, "member_count", (int64_t)channel->thread_members.count);
	json_key(w, "thread_metadata");
	json_begin_object(w);
	json_put_bool(w, "archived", false);
	json_put_int(w, "auto_archive_duration", 1440);
	put_time(w, "archive_timestamp", state_id_time(channel->id));
	json_put_bool(w, "locked", false);
	json_end_object(w);
}

void write_thread_member(struct json_writer *w, const struct channel *thread, uint64_t user)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", thread->id);
	json_put_snowflake(w, "user_id", user);
	put_time(w, "join_timestamp", state_id_time(thread->id));
	json_put_int(w, "flags", 0);
	json_end_object(w);
}

void write_channel_fields(struct json_writer *w, const struct state *state, const struct channel *channel)
{
	uint64_t last = channel->message_count ? channel->messages[channel->message_count - 1]->id : 0;

	json_put_snowflake(w, "id", channel->id);
	json_put_int(w, "type", channel->type);
	json_put_snowflake(w, "last_message_id", last);
	json_put_int(w, "flags", 0);
	if (channel_is_direct(channel)) {
		json_key(w, "recipients");
		json_begin_array(w);
		write_user(w, state_user(state, channel->recipient));
		json_end_array(w);
		return;
	}
	json_put_snowflake(w, "guild_id", state->guild);
	json_put_string(w, "name", channel->name);
	json_put_snowflake(w, "parent_id", channel->parent);
	json_put_int(w, "rate_limit_per_user", channel->slow_mode);
	if (channel_is_thread(channel)) {
		write_thread_fields(w, channel);
		return;
	}
	json_put_string(w, "topic", channel->topic);
	json_put_int(w, "position", channel->position);
	json_put_bool(w, "nsfw", channel->nsfw);
	write_overwrites(w, channel);
}

void write_channel(struct json_writer *w, const struct state *state, const struct channel *channel)
{
	json_begin_object(w);
	write_channel_fields(w, state, channel);
	json_end_object(w);
}

void write_emoji(struct json_writer *w, const char *name, uint64_t id)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", id);
	json_put_string(w, "name", name);
	json_end_object(w);
}

void write_audit(struct json_writer *w, const struct audit *audit)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", audit->id);
	json_put_snowflake(w, "user_id", audit->user);
	json_put_snowflake(w, "target_id", audit->target);
	json_put_int(w, "action_type", audit->action);
	if (audit->reason)
		json_put_string(w, "reason", audit->reason);
	if (audit->changes)
		put_tree(w, "changes", audit->changes, "[]");
	if (audit->options)
		put_tree(w, "options", audit->options, "{}");
	json_end_object(w);
}

void write_command(struct json_writer *w, const struct state *state, const struct command *command)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", command->id);
	json_put_snowflake(w, "application_id", state->bot);
	if (!command->global)
		json_put_snowflake(w, "guild_id", state->guild);
	json_put_snowflake(w, "version", command->version);
	json_array_each (field, command->body) {
		json_key(w, field->string);
		json_write_tree(w, field);
	}
	json_end_object(w);
}

void write_guild_fields(struct json_writer *w, const struct state *state)
{
	json_put_snowflake(w, "id", state->guild);
	json_put_string(w, "name", state->guild_name);
	json_put_null(w, "icon");
	json_put_null(w, "description");
	json_put_null(w, "home_header");
	json_put_null(w, "splash");
	json_put_null(w, "discovery_splash");
	json_put_null(w, "banner");
	json_put_null(w, "application_id");
	json_put_string(w, "region", "deprecated");
	json_put_bool(w, "widget_enabled", false);
	json_put_null(w, "widget_channel_id");
	json_put_snowflake(w, "owner_id", state->owner);
	json_put_null(w, "afk_channel_id");
	json_put_int(w, "afk_timeout", 300);
	json_put_null(w, "system_channel_id");
	json_put_int(w, "system_channel_flags", 0);
	json_put_null(w, "rules_channel_id");
	json_put_null(w, "public_updates_channel_id");
	json_put_int(w, "verification_level", 1);
	json_put_int(w, "default_message_notifications", 1);
	json_put_int(w, "explicit_content_filter", 0);
	json_put_int(w, "mfa_level", 0);
	json_put_int(w, "nsfw_level", 0);
	json_put_int(w, "premium_tier", 0);
	json_put_int(w, "premium_subscription_count", 0);
	json_put_string(w, "preferred_locale", "en-US");
	json_put_int(w, "max_members", 500000);
	json_put_int(w, "max_presences", 0);
	json_put_int(w, "max_video_channel_users", 25);
	json_put_int(w, "max_stage_video_channel_users", 50);
	json_put_null(w, "vanity_url_code");
	json_put_null(w, "safety_alerts_channel_id");
	json_put_bool(w, "premium_progress_bar_enabled", false);
	json_put_bool(w, "nsfw", false);
	json_put_null(w, "incidents_data");
	json_key(w, "features");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "stickers");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "roles");
	json_begin_array(w);
	for (size_t i = 0; i < state->role_count; i++)
		write_role(w, &state->roles[i]);
	json_end_array(w);
	json_key(w, "emojis");
	json_begin_array(w);
	for (size_t i = 0; i < state->emoji_count; i++) {
		const struct emoji *emoji = &state->emojis[i];

		json_begin_object(w);
		json_put_snowflake(w, "id", emoji->id);
		json_put_string(w, "name", emoji->name);
		json_put_bool(w, "animated", emoji->animated);
		json_put_bool(w, "available", true);
		json_put_bool(w, "managed", false);
		json_put_bool(w, "require_colons", true);
		json_key(w, "roles");
		json_begin_array(w);
		json_end_array(w);
		json_end_object(w);
	}
	json_end_array(w);
}

/* ---- messages ---- */

static void write_author(struct json_writer *w, const struct state *state, const struct message *message)
{
	const struct user *user = state_user(state, message->author);

	json_key(w, "author");
	if (user) {
		write_user(w, user);
		return;
	}
	json_begin_object(w); /* a webhook, or an account that is no longer there */
	json_put_snowflake(w, "id", message->author);
	json_put_string(w, "username", message->webhook_name ? message->webhook_name : "Deleted User");
	json_put_null(w, "avatar");
	json_put_null(w, "global_name");
	json_put_null(w, "primary_guild");
	json_put_string(w, "discriminator", "0000");
	json_put_int(w, "public_flags", 0);
	json_put_int(w, "flags", 0);
	json_put_bool(w, "bot", true);
	json_end_object(w);
}

static void write_mentions(
	struct json_writer *w, const struct state *state, const struct message *message, bool gateway)
{
	json_key(w, "mentions");
	json_begin_array(w);
	for (size_t i = 0; i < message->mentions.count; i++) {
		const struct user *user = state_user(state, message->mentions.ids[i]);

		if (!user)
			continue;
		json_begin_object(w);
		write_user_fields(w, user);
		if (gateway && user->member) {
			json_key(w, "member");
			json_begin_object(w);
			write_member_fields(w, state, user);
			json_end_object(w);
		}
		json_end_object(w);
	}
	json_end_array(w);
	put_ids(w, "mention_roles", &message->mention_roles);
	json_put_bool(w, "mention_everyone", message->mention_everyone);
}

uint32_t application_flags(uint32_t denied_intents)
{
	/* resources/application, "Application Flags": the ones that end in LIMITED */
	static const struct {
		uint32_t intent, flag;
	} privileged[] = { { FAKE_INTENT_GUILD_PRESENCES, 1u << 13 }, { FAKE_INTENT_GUILD_MEMBERS, 1u << 15 },
		{ FAKE_INTENT_MESSAGE_CONTENT, 1u << 19 } };
	uint32_t flags = 1u << 23; /* APPLICATION_COMMAND_BADGE */

	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		if (!(denied_intents & privileged[i].intent))
			flags |= privileged[i].flag;
	return flags;
}

static void write_reactions(struct json_writer *w, const struct message *message, uint64_t viewer)
{
	json_key(w, "reactions");
	json_begin_array(w);
	for (size_t i = 0; i < message->reaction_count; i++) {
		const struct reaction *reaction = &message->reactions[i];

		json_begin_object(w);
		json_key(w, "emoji");
		write_emoji(w, reaction->name, reaction->id);
		json_put_int(w, "count", (int64_t)reaction->users.count);
		json_key(w, "count_details");
		json_begin_object(w);
		json_put_int(w, "burst", 0);
		json_put_int(w, "normal", (int64_t)reaction->users.count);
		json_end_object(w);
		json_put_bool(w, "me", id_list_has(&reaction->users, viewer));
		json_put_bool(w, "me_burst", false);
		json_key(w, "burst_colors");
		json_begin_array(w);
		json_end_array(w);
		json_end_object(w);
	}
	json_end_array(w);
}

static void write_interaction(struct json_writer *w, const struct state *state, const struct message *message)
{
	const struct user *user = state_user(state, message->interaction_user);

	if (!user)
		return;
	json_key(w, "interaction_metadata");
	json_begin_object(w);
	json_put_snowflake(w, "id", message->interaction);
	json_put_int(w, "type", message->interaction_type);
	json_key(w, "user");
	write_user(w, user);
	json_key(w, "authorizing_integration_owners");
	json_begin_object(w);
	json_put_snowflake(w, "0", state->guild);
	json_end_object(w);
	if (message->command)
		json_put_string(w, "name", message->command);
	json_end_object(w);
}

static void write_reference(
	struct json_writer *w, const struct state *state, const struct message *message, struct message_form form)
{
	const struct channel *channel = state_channel(state, message->channel);
	const struct message *other = channel ? channel_message(channel, message->reference) : NULL;

	json_key(w, "message_reference");
	json_begin_object(w);
	json_put_int(w, "type", 0);
	json_put_snowflake(w, "message_id", message->reference);
	json_put_snowflake(w, "channel_id", message->channel);
	if (channel && !channel_is_direct(channel))
		json_put_snowflake(w, "guild_id", state->guild);
	json_end_object(w);
	json_key(w, "referenced_message");
	if (other && !other->reference)
		write_message(w, state, other, (struct message_form){ .bare = form.bare });
	else if (other) { /* one level only, as Discord has it */
		struct message shallow = *other;

		shallow.reference = 0;
		write_message(w, state, &shallow, (struct message_form){ .bare = form.bare });
	} else {
		json_write_null(w);
	}
}

void write_message(
	struct json_writer *w, const struct state *state, const struct message *message, struct message_form form)
{
	const struct user *author = state_user(state, message->author);
	const struct channel *channel = state_channel(state, message->channel);
	bool direct = channel && channel_is_direct(channel);

	json_begin_object(w);
	json_put_snowflake(w, "id", message->id);
	json_put_snowflake(w, "channel_id", message->channel);
	json_put_int(w, "type", message->type);
	json_put_string(w, "content", form.bare ? "" : message->content);
	put_time(w, "timestamp", message->at);
	put_time(w, "edited_timestamp", message->edited);
	json_put_int(w, "flags", (int64_t)message->flags);
	json_put_bool(w, "tts", false);
	json_put_bool(w, "pinned", message->pinned);
	write_author(w, state, message);
	write_mentions(w, state, message, form.gateway && !direct);
	put_tree(w, "embeds", form.bare ? NULL : message->embeds, "[]");
	put_tree(w, "components", form.bare ? NULL : message->components, "[]");
	put_tree(w, "attachments", form.bare ? NULL : message->attachments, "[]");
	if (message->reaction_count)
		write_reactions(w, message, form.viewer ? form.viewer : state->bot);
	if (message->webhook)
		json_put_snowflake(w, "webhook_id", message->webhook);
	if (message->interaction) {
		json_put_snowflake(w, "application_id", state->bot);
		write_interaction(w, state, message);
	}
	if (message->reference)
		write_reference(w, state, message, form);
	if (form.with_nonce && message->nonce)
		json_put_string(w, "nonce", message->nonce);
	if (form.gateway && !direct) {
		json_put_snowflake(w, "guild_id", state->guild);
		if (author && author->member && (!message->webhook || message->interaction)) {
			json_key(w, "member");
			json_begin_object(w);
			write_member_fields(w, state, author);
			json_end_object(w);
		}
	}
	if (form.gateway)
		json_put_int(w, "channel_type", channel ? channel->type : 0);
	json_end_object(w);
}
