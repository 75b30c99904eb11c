/* What the scenarios of the bot share: reading XP, waiting for it, embeds of a message. */
#ifndef BOT_HELPERS_H
#define BOT_HELPERS_H

#include "harness.h"

#include "base/json.h"
#include "models/member_xp.h"

/* Every message earns, and always the same. */
static inline void every_message_earns(struct harness *h, const char *points)
{
	harness_set(h, "leveling__COOLDOWN_SECONDS", "0");
	harness_set(h, "leveling__XP_MIN", points);
	harness_set(h, "leveling__XP_MAX", points);
}

static inline struct member_xp xp_of(struct harness *h, uint64_t user)
{
	struct member_xp xp = { 0 };
	int r = member_xp_get(harness_db(h), user, &xp);

	assert_true(r == 0 || r == -ENOENT);
	return xp;
}

struct xp_wait {
	struct harness *h;
	uint64_t user;
	int64_t messages;
};

static inline bool xp_has_messages(void *arg)
{
	const struct xp_wait *wait = arg;

	return xp_of(wait->h, wait->user).message_count >= wait->messages;
}

static inline void wait_messages_counted(struct harness *h, uint64_t user, int64_t messages)
{
	struct xp_wait wait = { .h = h, .user = user, .messages = messages };

	harness_wait(h, xp_has_messages, &wait, SOON);
}

/* All text of a message's embeds, for searching. */
static inline const char *embed_text(struct harness *h, const struct fake_message_view *message)
{
	char *text cleanup(freep) = message->embeds ? cJSON_PrintUnformatted(message->embeds) : NULL;

	return text ? arena_strdup(&h->arena, text) : "";
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

/* Says it and waits for the bot's answer in the same channel. */
static inline struct fake_message_view ask(
	struct harness *h, uint64_t user, uint64_t channel, const char *text, const char *answer)
{
	struct fake_message_view view;

	assert_true(fake_say(h->fake, user, channel, text) != 0);
	if (fake_wait_message(h->fake, channel, answer, SOON, &view) < 0)
		fail_msg("\"%s\" was not answered with \"%s\"", text, answer);
	return view;
}

/* Runs the slash command and waits for its answer. */
static inline struct fake_interaction_view ask_slash(
	struct harness *h, uint64_t user, uint64_t channel, const char *command, const struct fake_option *options)
{
	struct fake_interaction_view view;
	uint64_t id = fake_slash(h->fake, user, channel, command, options);

	if (!id)
		fail_msg("/%s was refused: %s", command, fake_refusal(h->fake));
	if (fake_wait_interaction(h->fake, id, true, SOON, &view) < 0)
		fail_msg("/%s was not answered", command);
	return view;
}

/* The text of an interaction's answer. */
static inline const char *answer_text(struct harness *h, const struct fake_interaction_view *interaction)
{
	struct fake_message_view message;

	assert_int_equal(fake_message(h->fake, interaction->channel, interaction->message, &message), 0);
	return arena_printf(&h->arena, "%s %s", message.content ? message.content : "", embed_text(h, &message));
}

/* How many messages of the channel hold this text. */
static inline size_t count_messages(struct harness *h, const char *template, const char *part)
{
	return fake_count_calls(h->fake, "POST", template, part);
}

#define MESSAGES "/channels/{channel_id}/messages"

#endif
