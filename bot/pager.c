/* The pager (pager.h). A message that is paged is also in the table of expiring messages, so that one whose pager
 * died with the program vanishes too.
 */
#include "pager.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bot.h"
#include "expiry.h"

/* An interaction can be edited for 15 minutes; the last of them is for removing the message. */
#define LIFE         (14 * MINUTE)
#define LIFE_ON_DISK (16 * MINUTE)
/* A page that cannot be turned. */
#define STAY (2 * MINUTE)

enum turn { TURN_NONE, TURN_BACK, TURN_ON, TURN_DONE };

static const struct control {
	enum turn turn;
	const char *emoji, *name;
} controls[] = {
	{ TURN_BACK, "\xe2\x8f\xaa", "back" }, /* ⏪ */
	{ TURN_ON, "\xe2\x8f\xa9", "on" },     /* ⏩ */
	{ TURN_DONE, "\xe2\x9c\x85", "done" }, /* ✅ */
};

struct pager {
	struct cmd *cmd;
	const struct pages *pages;
	size_t page;
	struct arena arena; /* of the page that is shown */
	struct embed embed;
	char footer[48];
	char prefix[40]; /* of the buttons' custom ids: this pager's alone */
	char ids[ARRAY_SIZE(controls)][48];
	struct button buttons[ARRAY_SIZE(controls)];
	size_t button_count;
	snowflake message;
	bool stays; /* the message is left for its expiry */
	usec ends_at;
};

static bool shown(const struct pager *pager, const struct control *control)
{
	return control->turn == TURN_DONE || pager->pages->count > 1;
}

static int write_page(struct pager *pager)
{
	int r;

	arena_reset(&pager->arena);
	pager->embed = (struct embed){ 0 };
	r = pager->pages->write(pager->cmd, pager->pages->arg, pager->page, &pager->arena, &pager->embed);
	if (r < 0)
		return r;
	if (!pager->embed.footer) {
		snprintf(pager->footer, sizeof(pager->footer), "%zu/%zu", pager->page + 1, pager->pages->count);
		pager->embed.footer = pager->footer;
	}
	if (!pager->embed.author_name)
		cmd_author_bot(pager->cmd, &pager->embed);
	return 0;
}

static void turn_page(struct pager *pager, enum turn turn)
{
	size_t count = pager->pages->count;

	if (turn == TURN_BACK)
		pager->page = (pager->page + count - 1) % count;
	else if (turn == TURN_ON)
		pager->page = (pager->page + 1) % count;
}

static usec patience(const struct pager *pager)
{
	return MIN(PAGER_IDLE, pager->ends_at - loop_now(&pager->cmd->service->loop));
}

/* ---- text: reactions ---- */

static enum turn turn_of_emoji(const struct pager *pager, const struct emoji *emoji)
{
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (!emoji->id && emoji->name && streq(emoji->name, controls[i].emoji) && shown(pager, &controls[i]))
			return controls[i].turn;
	return TURN_NONE;
}

static int add_reactions(struct pager *pager)
{
	struct cmd *cmd = pager->cmd;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(controls) && r == 0; i++)
		if (shown(pager, &controls[i]))
			r = rest_create_reaction(cmd->service->rest, cmd->channel_id, pager->message,
				&(struct emoji){ .name = controls[i].emoji });
	return r;
}

/* The person's reaction goes, so that the next one counts; without the permission he takes it back himself. */
static int take_back(struct pager *pager, const struct emoji *emoji)
{
	struct cmd *cmd = pager->cmd;
	int r = rest_delete_reaction(cmd->service->rest, cmd->channel_id, pager->message, emoji, cmd->caller.id);

	return r == -EACCES || r == -ENOENT ? 0 : r;
}

static int text_loop(struct pager *pager, struct wait *wait)
{
	for (;;) {
		struct arena arena cleanup(arena_finish) = ARENA_INIT;
		struct reaction reaction;
		const cJSON *event;
		enum turn turn;
		int r;

		r = wait_next(wait, patience(pager), &event);
		if (r == -ETIMEDOUT)
			return 0;
		if (r < 0)
			return r;
		if (reaction_parse(event, &arena, &reaction) < 0)
			continue;
		turn = turn_of_emoji(pager, &reaction.emoji);
		if (turn == TURN_DONE)
			return 0;
		if (turn == TURN_NONE)
			continue;
		turn_page(pager, turn);
		r = write_page(pager);
		/* The event's strings die with the next wait: a copy for the request after the edit. */
		if (r == 0)
			reaction.emoji.name = turn == TURN_BACK ? controls[0].emoji : controls[1].emoji;
		if (r == 0)
			r = cmd_edit(pager->cmd, &(struct message_create){ .embeds = &pager->embed, .embed_count = 1 });
		if (r == 0)
			r = take_back(pager, &reaction.emoji);
		if (r < 0)
			return r;
	}
}

static int run_text(struct pager *pager)
{
	struct cmd *cmd = pager->cmd;
	struct wait *wait cleanup(wait_closep) = NULL;
	const struct wait_filter filter = {
		.event = "MESSAGE_REACTION_ADD",
		.channel_id = cmd->channel_id,
		.message_id = pager->message,
		.user_id = cmd->caller.id,
	};
	int r;

	r = wait_open(cmd->service->waits, &filter, &wait);
	if (r == 0)
		r = add_reactions(pager);
	if (r == -EACCES) {
		/* Where the bot may not react, the first page is better than none. */
		pager->stays = true;
		return expiry_add(cmd->bot->expiry, cmd->channel_id, pager->message, 0, STAY);
	}
	return r < 0 ? r : text_loop(pager, wait);
}

/* ---- slash: buttons ---- */

static void make_buttons(struct pager *pager)
{
	snprintf(pager->prefix, sizeof(pager->prefix), "pager:%llu:", (unsigned long long)pager->cmd->interaction->id);
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++) {
		if (!shown(pager, &controls[i]))
			continue;
		snprintf(pager->ids[i], sizeof(pager->ids[i]), "%s%s", pager->prefix, controls[i].name);
		pager->buttons[pager->button_count++] = (struct button){ .custom_id = pager->ids[i],
			.emoji = controls[i].emoji,
			.style = controls[i].turn == TURN_DONE ? BUTTON_SUCCESS : BUTTON_SECONDARY };
	}
}

static enum turn turn_of_button(const struct pager *pager, const char *custom_id)
{
	for (size_t i = 0; custom_id && i < ARRAY_SIZE(controls); i++)
		if (streq(custom_id, pager->ids[i]))
			return controls[i].turn;
	return TURN_NONE;
}

static int press(struct pager *pager, const struct interaction *interaction, bool *ret_done)
{
	struct rest *rest = pager->cmd->service->rest;
	enum turn turn = turn_of_button(pager, interaction->custom_id);
	int r;

	if (interaction->user.id != pager->cmd->caller.id)
		return rest_interaction_reply(rest, interaction,
			&(struct message_create){
				.content = "Only the person who ran the command can turn these pages. Run it "
					   "yourself for your own.",
				.ephemeral = true });
	if (turn == TURN_DONE) {
		*ret_done = true;
		return rest_interaction_defer_update(rest, interaction);
	}
	turn_page(pager, turn);
	r = write_page(pager);
	if (r < 0)
		return r;
	return rest_interaction_update(rest, interaction,
		&(struct message_create){ .embeds = &pager->embed,
			.embed_count = 1,
			.buttons = pager->buttons,
			.button_count = pager->button_count });
}

static int slash_loop(struct pager *pager, struct wait *wait)
{
	usec idle_until = loop_now(&pager->cmd->service->loop) + PAGER_IDLE;
	bool done = false;

	while (!done) {
		struct arena arena cleanup(arena_finish) = ARENA_INIT;
		usec now = loop_now(&pager->cmd->service->loop);
		struct interaction interaction;
		const cJSON *event;
		int r;

		r = wait_next(wait, MIN(idle_until, pager->ends_at) - now, &event);
		if (r == -ETIMEDOUT)
			return 0;
		if (r < 0)
			return r;
		if (interaction_parse(event, &arena, &interaction) < 0)
			continue;
		/* Others do not keep it alive. */
		if (interaction.user.id == pager->cmd->caller.id)
			idle_until = now + PAGER_IDLE;
		r = press(pager, &interaction, &done);
		if (r == -ECANCELED)
			return r;
		/* That press was lost (3 s were over, say); the next one may work. */
		if (r < 0)
			log_info("a button was not answered", LOG_ERRNO(r));
	}
	return 0;
}

/* ---- both ---- */

static int show(struct pager *pager)
{
	struct cmd *cmd = pager->cmd;
	struct wait *wait cleanup(wait_closep) = NULL;
	int r;

	r = write_page(pager);
	if (r < 0)
		return r;
	if (cmd->interaction) {
		make_buttons(pager);
		r = wait_open(cmd->service->waits,
			&(struct wait_filter){ .event = "INTERACTION_CREATE",
				.channel_id = cmd->channel_id,
				.custom_id_prefix = pager->prefix },
			&wait);
		if (r < 0)
			return r;
	}
	r = cmd_reply_message(cmd, &(struct message_create){ .embeds = &pager->embed,
					   .embed_count = 1,
					   .buttons = pager->buttons,
					   .button_count = pager->button_count });
	if (r < 0)
		return r;
	r = cmd_answer_id(cmd, &pager->message);
	if (r == 0)
		r = expiry_add(cmd->bot->expiry, cmd->channel_id, pager->message, 0, LIFE_ON_DISK);
	if (r < 0)
		return r;
	return cmd->interaction ? slash_loop(pager, wait) : run_text(pager);
}

int pager_run(struct cmd *cmd, const struct pages *pages, size_t first)
{
	struct pager pager = { .cmd = cmd, .pages = pages };
	int r, removed;

	if (!pages->count)
		return 0;
	pager.page = MIN(first, pages->count - 1);
	pager.ends_at = loop_now(&cmd->service->loop) + LIFE;
	r = show(&pager);
	arena_finish(&pager.arena);
	if (r == -ECANCELED)
		return r;
	/* Somebody has deleted the message: that ends it too. */
	if (r == -ENOENT || pager.stays)
		return 0;
	removed = cmd_delete_answer(cmd);
	if (removed == 0 || removed == -ENOENT)
		return r < 0 ? r : expiry_forget(cmd->bot->expiry, pager.message);
	return r < 0 ? r : removed;
}
