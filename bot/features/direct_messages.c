/* Direct messages to the bot: a friendly pointer to the server, at most once an hour for each person. */
#include "base/hash.h"
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "cache.h"
#include "feature.h"
#include "text.h"

#define QUIET_FOR  (1 * HOUR)
#define PEOPLE_MAX 10000

/* Who was answered, in the order of the first answer. */
struct answered {
	snowflake user;
	usec at;
	UT_hash_handle hh;
};

struct direct_messages {
	struct answered *people;
};

struct pointer {
	struct bot *bot;
	snowflake channel, message;
};

static void forget(struct direct_messages *state, struct answered *person)
{
	HASH_DEL(state->people, person);
	free(person);
}

static bool was_answered(struct direct_messages *state, snowflake user, usec now)
{
	struct answered *person = NULL, *next;

	HASH_FIND(hh, state->people, &user, sizeof(user), person);
	if (person && now - person->at < QUIET_FOR)
		return true;
	if (person)
		forget(state, person);
	if (HASH_COUNT(state->people) >= PEOPLE_MAX) {
		for (person = state->people; person; person = next) {
			next = person->hh.next;
			if (now - person->at >= QUIET_FOR || HASH_COUNT(state->people) >= PEOPLE_MAX)
				forget(state, person);
		}
	}
	person = xcalloc(1, sizeof(*person));
	person->user = user;
	person->at = now;
	HASH_ADD(hh, state->people, user, sizeof(person->user), person);
	return false;
}

static void pointer_flow(void *arg)
{
	struct pointer *pointer = arg;
	struct bot *bot = pointer->bot;
	struct str text cleanup(str_finish) = STR_INIT, guild cleanup(str_finish) = STR_INIT;
	struct embed embed = { .title = "Hello!" };
	struct message_create message = { .embeds = &embed, .embed_count = 1 };
	char nonce[26];
	snowflake id;
	int r;

	text_add_escaped(&guild, cache_guild_name(bot->cache));
	str_printf(&text,
		"I do my work in the server **%s** and cannot do anything in direct messages. Write `.help` or "
		"`/help` there "
		"and I show you what I can do.",
		guild.len ? guild.buf : "where you met me");
	embed.description = text.buf;
	snprintf(nonce, sizeof(nonce), "d%llu", (unsigned long long)pointer->message);
	message.nonce = nonce;
	r = rest_create_message(bot->service->rest, pointer->channel, &message, &id);
	if (r < 0 && r != -ECANCELED)
		log_info("a direct message could not be answered", LOG_ERRNO(r));
	free(pointer);
}

static void pointer_start(struct bot *bot, void *arg)
{
	bot_start_flow(bot, "direct-message", pointer_flow, free, arg);
}

static int on_direct_message(struct bot *bot, const struct event *event)
{
	const struct message *message = event->message;
	struct pointer *pointer;

	if (was_answered(bot->direct_messages, message->author.id, event->now))
		return 0;
	pointer = xcalloc(1, sizeof(*pointer));
	*pointer = (struct pointer){ .bot = bot, .channel = message->channel_id, .message = message->id };
	bot_after_commit(bot, pointer_start, free, pointer);
	return 0;
}

static int start(struct bot *bot)
{
	bot->direct_messages = xcalloc(1, sizeof(*bot->direct_messages));
	return 0;
}

static void finish(struct bot *bot)
{
	if (!bot->direct_messages)
		return;
	while (bot->direct_messages->people)
		forget(bot->direct_messages, bot->direct_messages->people);
	free(bot->direct_messages);
	bot->direct_messages = NULL;
}

static const struct event_hook events[] = {
	{ EVENT_DIRECT_MESSAGE, on_direct_message },
	{ 0 },
};

const struct feature feature_direct_messages = {
	.name = "direct_messages",
	.title = "Direct messages",
	.events = events,
	.start = start,
	.finish = finish,
};
