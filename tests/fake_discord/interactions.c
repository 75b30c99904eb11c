/* Interactions as such: their list, their times, INTERACTION_CREATE. How a command's options become data is in interaction_input.c, the bot's
 * answers are in rest_interactions.c. */
#include "interactions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "feed.h"
#include "gateway.h"
#include "permissions.h"
#include "write.h"

struct interactions {
	struct fake *fake;
	struct interaction *list; /* hash by id, in order of making */
	struct timer expiry;
};

static void on_expiry(void *arg)
{
	interactions_expire(arg);
}

struct interactions *interactions_create(struct fake *fake)
{
	struct interactions *interactions = xcalloc(1, sizeof(*interactions));

	interactions->fake = fake;
	timer_init(&interactions->expiry, fake->loop, on_expiry, interactions);
	return interactions;
}

static void interaction_free(struct interactions *interactions, struct interaction *interaction)
{
	HASH_DEL(interactions->list, interaction);
	cJSON_Delete(interaction->answer);
	free(interaction->command);
	free(interaction);
}

void interactions_destroy(struct interactions *interactions)
{
	if (!interactions)
		return;
	while (interactions->list)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it leaves the list */
		interaction_free(interactions, interactions->list);
	timer_finish(&interactions->expiry);
	free(interactions);
}

struct interaction *interactions_find(struct interactions *interactions, uint64_t id)
{
	struct interaction *interaction;

	HASH_FIND(hh, interactions->list, &id, sizeof(id), interaction);
	return interaction;
}

struct interaction *interactions_by_token(struct interactions *interactions, const char *token)
{
	for (struct interaction *i = interactions->list; i; i = i->hh.next)
		if (streq(i->token, token))
			return i;
	return NULL;
}

static void tell_page(struct fake *fake, const struct interaction *interaction)
{
	static const char *const states[] = { "waiting", "deferred", "answered", "failed" };
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	json_begin_object(&w);
	json_put_snowflake(&w, "id", interaction->id);
	json_put_snowflake(&w, "user_id", interaction->user);
	json_put_snowflake(&w, "channel_id", interaction->channel);
	json_put_snowflake(&w, "message_id", interaction->message);
	json_put_string(&w, "state", states[interaction->state]);
	json_put_string(&w, "command", interaction->command);
	json_put_int(&w, "callback", interaction->callback);
	json_key(&w, "data");
	if (interaction->answer &&
		(interaction->callback == CALLBACK_CHOICES || interaction->callback == CALLBACK_MODAL))
		json_write_tree(&w, interaction->answer);
	else
		json_write_null(&w);
	json_end_object(&w);
	feed_add(fake->feed, "INTERACTION_STATE", data.buf, data.len);
}

void interaction_answered(struct fake *fake, struct interaction *interaction, enum fake_interaction_state state)
{
	interaction->state = state;
	tell_page(fake, interaction);
}

void interactions_expire(struct interactions *interactions)
{
	usec now = fake_now(interactions->fake), next = 0;

	for (struct interaction *i = interactions->list; i; i = i->hh.next) {
		if (i->state != FAKE_INTERACTION_WAITING)
			continue;
		if (now - i->created >= INTERACTION_ANSWER_TIME)
			interaction_answered(interactions->fake, i, FAKE_INTERACTION_FAILED);
		else if (!next)
			next = i->created + INTERACTION_ANSWER_TIME - now;
	}
	if (next)
		timer_start(&interactions->expiry, next);
}

/* ---- INTERACTION_CREATE ---- */

static void write_person(struct json_writer *w, const struct fake *fake, const struct interaction *interaction,
	const struct channel *channel)
{
	const struct user *user = state_user(&fake->state, interaction->user);

	if (!user->member || channel_is_direct(channel)) {
		json_key(w, "user");
		write_user(w, user);
		return;
	}
	json_key(w, "member");
	json_begin_object(w);
	write_member_fields(w, &fake->state, user);
	json_key(w, "user");
	write_user(w, user);
	put_bits(w, "permissions", permissions_in(&fake->state, user->id, channel));
	json_end_object(w);
}

static void write_interaction(
	struct fake *fake, const struct interaction *interaction, const cJSON *data, struct str *out)
{
	const struct state *state = &fake->state;
	const struct channel *channel = state_channel(state, interaction->channel);
	const struct message *message = interaction->message ? channel_message(channel, interaction->message) : NULL;
	bool direct = channel_is_direct(channel);
	struct json_writer writer = JSON_WRITER(out), *w = &writer;

	json_begin_object(w);
	json_put_snowflake(w, "id", interaction->id);
	json_put_snowflake(w, "application_id", state->bot);
	json_put_int(w, "type", interaction->type);
	json_put_string(w, "token", interaction->token);
	json_put_int(w, "version", 1);
	json_key(w, "data");
	json_write_tree(w, data);
	json_put_snowflake(w, "channel_id", interaction->channel);
	json_key(w, "channel");
	write_channel(w, state, channel);
	if (!direct) {
		json_put_snowflake(w, "guild_id", state->guild);
		json_key(w, "guild");
		json_begin_object(w);
		json_put_snowflake(w, "id", state->guild);
		json_put_string(w, "locale", "en-US");
		json_key(w, "features");
		json_begin_array(w);
		json_end_array(w);
		json_end_object(w);
		json_put_string(w, "guild_locale", "en-US");
	}
	write_person(w, fake, interaction, channel);
	if (message) {
		json_key(w, "message");
		write_message(w, state, message, (struct message_form){ 0 });
	}
	put_bits(w, "app_permissions", permissions_in(state, state->bot, channel));
	json_put_string(w, "locale", "en-US");
	json_key(w, "entitlements");
	json_begin_array(w);
	json_end_array(w);
	json_key(w, "authorizing_integration_owners");
	json_begin_object(w);
	if (direct)
		json_put_string(w, "0", "0");
	else
		json_put_snowflake(w, "0", state->guild);
	json_end_object(w);
	json_put_int(w, "context", direct ? 1 : 0);
	json_put_int(w, "attachment_size_limit", 10 << 20);
	json_end_object(w);
}

uint64_t interactions_start(struct fake *fake, enum interaction_type type, uint64_t user, uint64_t channel,
	uint64_t message, const char *command, cJSON *data)
{
	struct interactions *interactions = fake->interactions;
	struct interaction *interaction = xcalloc(1, sizeof(*interaction));
	struct str text cleanup(str_finish) = STR_INIT;

	if (HASH_COUNT(interactions->list) >= INTERACTIONS_MAX)
		interaction_free(interactions, interactions->list);
	interaction->id = state_id(&fake->state, fake_time(fake));
	snprintf(interaction->token, sizeof(interaction->token), "aW50ZXJhY3Rpb246%016llx%016llx%016llx",
		(unsigned long long)interaction->id, (unsigned long long)random_u64(&fake->state.random),
		(unsigned long long)random_u64(&fake->state.random));
	interaction->type = type;
	interaction->user = user;
	interaction->channel = channel;
	interaction->message = message;
	replace_text(&interaction->command, command);
	interaction->created = fake_now(fake);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): another one was freed */
	HASH_ADD(hh, interactions->list, id, sizeof(interaction->id), interaction);
	if (!timer_active(&interactions->expiry))
		timer_start(&interactions->expiry, INTERACTION_ANSWER_TIME);
	tell_page(fake, interaction);
	write_interaction(fake, interaction, data, &text);
	cJSON_Delete(data);
	if (!fake->bot_gone && !fake->outage)
		gateway_dispatch(fake->gateway, "INTERACTION_CREATE", 0, &text, NULL);
	return interaction->id;
}

int fake_interaction(struct fake *fake, uint64_t id, struct fake_interaction_view *ret_view)
{
	const struct interaction *interaction = interactions_find(fake->interactions, id);
	const struct channel *channel;
	const struct message *message;

	if (!interaction)
		return -ENOENT;
	channel = state_channel(&fake->state, interaction->channel);
	message = channel && interaction->original ? channel_message(channel, interaction->original) : NULL;
	*ret_view = (struct fake_interaction_view){ .id = id,
		.user = interaction->user,
		.channel = interaction->channel,
		.state = interaction->state,
		.callback = interaction->callback,
		.ephemeral = interaction->ephemeral,
		.message = message ? message->id : 0,
		.followups = interaction->followups,
		.data = interaction->answer };
	return 0;
}
