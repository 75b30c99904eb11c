/* Carrying out level-ups: the roles, then the announcement. A row in the database says what is left to do; it goes
 * when all is done. A crash in between leads to a second try, which changes nothing twice: roles are set, not added,
 * and the announcement's nonce makes Discord answer with the message that exists. Discord remembers nonces for a few
 * minutes only, so an older row is first looked for in the channel.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cache.h"
#include "leveling.h"
#include "models/member_xp.h"

#define AT_ONCE 16
/* Discord documents "the past few minutes" for nonces. */
#define NONCE_TRUSTED (2 * MINUTE)
#define PAUSE_FIRST   (5 * SECOND)
#define PAUSE_MAX     (5 * MINUTE)
/* After that nobody wants to read it any more; the daily check still gives the roles. */
#define GIVE_UP_AFTER (6 * HOUR)

static void announcement(struct str *out, const struct level_up *level_up)
{
	str_printf(out, "<@%llu> is now **level %lld**!", (unsigned long long)level_up->user_id,
		(long long)level_up->level_number);
}

/* Whether the announcement is in the channel already. 1 yes, 0 no. */
static int is_announced(struct leveling *leveling, const struct level_up *level_up, const char *text)
{
	struct service *service = leveling->bot->service;
	struct arena arena cleanup(arena_finish) = ARENA_INIT;
	struct message *messages;
	size_t count;
	int r;

	r = rest_get_messages(
		service->rest, level_up->channel_id, 0, level_up->message_id, 100, &arena, &messages, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (messages[i].author.id == service->user_id && messages[i].content &&
			streq(messages[i].content, text))
			return 1;
	return 0;
}

static int announce(struct leveling *leveling, const struct level_up *level_up)
{
	struct str text cleanup(str_finish) = STR_INIT;
	struct message_create message = { .mention_users = &level_up->user_id, .mention_user_count = 1 };
	char nonce[24];
	snowflake id;
	int r = 0;

	announcement(&text, level_up);
	snprintf(nonce, sizeof(nonce), "%llu", (unsigned long long)level_up->message_id);
	message.content = text.buf;
	message.nonce = nonce;
	if (clock_realtime() - snowflake_time(level_up->message_id) > NONCE_TRUSTED)
		r = is_announced(leveling, level_up, text.buf);
	if (r > 0)
		return 0;
	if (r == 0)
		r = rest_create_message(leveling->bot->service->rest, level_up->channel_id, &message, &id);
	if (r == -EACCES || r == -ENOENT || r == -EINVAL) {
		log_info("a level-up could not be announced: the channel is gone or closed to the bot",
			LOG_ID("user", level_up->user_id), LOG_ID("channel", level_up->channel_id), LOG_ERRNO(r));
		return 0;
	}
	return r;
}

static int carry_out(struct leveling *leveling, const struct level_up *level_up)
{
	struct member_xp xp = { 0 };
	int r;

	r = leveling_give_roles(leveling, level_up->user_id, level_up->level_number, true);
	/* He left: the roles are given when he comes back. */
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = member_xp_get(leveling->bot->service->db, level_up->user_id, &xp);
	if (r < 0 && r != -ENOENT)
		return r;
	/* A row of level 0 is a newcomer's first role. */
	if (level_up->level_number == 0 || !xp.announce)
		return 0;
	return announce(leveling, level_up);
}

static int forget(struct leveling *leveling, const struct level_up *level_up)
{
	struct service *service = leveling->bot->service;
	int r;

	r = batch_begin(service->batch);
	if (r == 0)
		r = level_up_done(service->db, level_up->message_id);
	return r < 0 ? r : batch_flush(service->batch);
}

/* All rows once. Returns the first error that calls for another try. */
static int carry_out_all(struct leveling *leveling)
{
	struct level_up list[AT_ONCE];
	size_t count = 0, failed;
	int first_error = 0;

	do {
		/* This connection also sees what is not committed yet, and people are told of nothing that could be lost. */
		int r = batch_flush(leveling->bot->service->batch);

		if (r == 0)
			r = level_up_list(leveling->bot->service->db, list, AT_ONCE, &count);
		if (r < 0)
			return r;
		failed = 0;
		for (size_t i = 0; i < count; i++) {
			r = carry_out(leveling, &list[i]);
			if (r == -ECANCELED)
				return r;
			if (r < 0 && clock_realtime() - snowflake_time(list[i].message_id) > GIVE_UP_AFTER) {
				log_warn("a level-up is given up", LOG_ID("user", list[i].user_id), LOG_ERRNO(r));
				r = 0;
			}
			if (r == 0)
				r = forget(leveling, &list[i]);
			if (r < 0) {
				first_error = first_error ? first_error : r;
				failed++;
			}
		}
	} while (count == AT_ONCE && failed < count);
	return first_error;
}

static void outbox_flow(void *arg)
{
	struct leveling *leveling = arg;
	int r = 0;

	do {
		leveling->outbox_again = false;
		r = carry_out_all(leveling);
	} while (r == 0 && leveling->outbox_again);
	leveling->outbox_running = false;
	if (r == -ECANCELED)
		return;
	if (r == 0) {
		leveling->outbox_pause = 0;
		return;
	}
	leveling->outbox_pause = leveling->outbox_pause ? MIN(2 * leveling->outbox_pause, PAUSE_MAX) : PAUSE_FIRST;
	log_warn("a level-up could not be carried out yet, trying again", LOG_ERRNO(r),
		LOG_INT("seconds", leveling->outbox_pause / SECOND));
	timer_start(&leveling->outbox_timer, leveling->outbox_pause);
}

static void outbox_dropped(void *arg)
{
	struct leveling *leveling = arg;

	leveling->outbox_running = false;
	timer_start(&leveling->outbox_timer, PAUSE_FIRST);
}

void leveling_outbox_kick(struct leveling *leveling)
{
	if (leveling->bot->stopping)
		return;
	if (leveling->outbox_running) {
		leveling->outbox_again = true;
		return;
	}
	leveling->outbox_running = true;
	bot_start_flow(leveling->bot, "level-up", outbox_flow, outbox_dropped, leveling);
}
