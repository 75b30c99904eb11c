/* Seeing what is there and waiting for something: the loop is run until a condition holds. */
#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "fake.h"
#include "gateway.h"
#include "messages.h"
#include "rest.h"

/* ---- views ---- */

static void view(const struct message *message, struct fake_message_view *ret_view)
{
	*ret_view = (struct fake_message_view){ .id = message->id,
		.channel = message->channel,
		.author = message->author,
		.reply_to = message->reference,
		.interaction = message->interaction,
		.content = message->content,
		.embeds = message->embeds,
		.components = message->components,
		.attachments = message->attachments,
		.ephemeral = message->ephemeral_for,
		.edited = message->edited,
		.flags = message->flags };
	for (size_t i = 0; i < message->reaction_count; i++)
		ret_view->reactions += message->reactions[i].users.count;
}

static const struct message *find(const struct fake *fake, uint64_t channel_id, uint64_t id)
{
	const struct channel *channel = state_channel(&fake->state, channel_id);

	return channel ? channel_message(channel, id) : NULL;
}

int fake_message(struct fake *fake, uint64_t channel, uint64_t id, struct fake_message_view *ret_view)
{
	const struct message *message = find(fake, channel, id);

	if (!message)
		return -ENOENT;
	view(message, ret_view);
	return 0;
}

int fake_last_message(struct fake *fake, uint64_t channel_id, struct fake_message_view *ret_view)
{
	const struct channel *channel = state_channel(&fake->state, channel_id);

	if (!channel || !channel->message_count)
		return -ENOENT;
	view(channel->messages[channel->message_count - 1], ret_view);
	return 0;
}

size_t fake_message_count(const struct fake *fake, uint64_t channel_id)
{
	const struct channel *channel = state_channel(&fake->state, channel_id);

	return channel ? channel->message_count : 0;
}

bool fake_reacted(struct fake *fake, uint64_t user, uint64_t channel, uint64_t id, const char *emoji)
{
	const struct message *message = find(fake, channel, id);
	const struct reaction *reaction;
	char *name cleanup(freep) = NULL;
	uint64_t emoji_id;

	if (!message || emoji_parse(emoji, &name, &emoji_id) < 0)
		return false;
	reaction = message_reaction(message, name, emoji_id);
	return reaction && id_list_has(&reaction->users, user);
}

/* ---- waiting ---- */

struct wait {
	struct fake *fake;
	const char *text, *method, *template;
	uint64_t channel, id, user, role;
	size_t count;
	bool wanted;
	uint64_t after; /* changes before this mark do not count */
	usec quiet, since;
	const struct message *found;
};

int fake_wait(struct fake *fake, fake_done_fn *done, void *arg, usec patience)
{
	return loop_run_until(fake->loop, done, arg, patience);
}

static bool message_done(void *arg)
{
	struct wait *wait = arg;
	const struct channel *channel = state_channel(&wait->fake->state, wait->channel);

	if (!channel)
		return false;
	for (size_t i = channel->message_count; i > 0; i--) {
		const struct message *message = channel->messages[i - 1];

		if (message->author == wait->fake->state.bot && message->changed > wait->after &&
			!(message->flags & MESSAGE_LOADING) && message_contains(message, wait->text)) {
			wait->found = message;
			return true;
		}
	}
	return false;
}

int fake_wait_message(
	struct fake *fake, uint64_t channel, const char *text, usec patience, struct fake_message_view *ret_view)
{
	struct wait wait = { .fake = fake, .channel = channel, .text = text, .after = fake->mark };
	int r = fake_wait(fake, message_done, &wait, patience);

	if (r < 0)
		return r;
	fake->mark = MAX(fake->mark, wait.found->changed);
	if (ret_view)
		view(wait.found, ret_view);
	return 0;
}

static bool edit_done(void *arg)
{
	struct wait *wait = arg;

	wait->found = find(wait->fake, wait->channel, wait->id);
	return wait->found && message_contains(wait->found, wait->text);
}

int fake_wait_edit(struct fake *fake, uint64_t channel, uint64_t id, const char *text, usec patience,
	struct fake_message_view *ret_view)
{
	struct wait wait = { .fake = fake, .channel = channel, .id = id, .text = text };
	int r = fake_wait(fake, edit_done, &wait, patience);

	if (r == 0 && ret_view)
		view(wait.found, ret_view);
	return r;
}

static bool deleted_done(void *arg)
{
	struct wait *wait = arg;

	return !find(wait->fake, wait->channel, wait->id);
}

int fake_wait_deleted(struct fake *fake, uint64_t channel, uint64_t id, usec patience)
{
	return fake_wait(fake, deleted_done, &(struct wait){ .fake = fake, .channel = channel, .id = id }, patience);
}

static bool reaction_done(void *arg)
{
	struct wait *wait = arg;

	return fake_reacted(wait->fake, wait->user, wait->channel, wait->id, wait->text);
}

int fake_wait_reaction(
	struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji, usec patience)
{
	return fake_wait(fake, reaction_done,
		&(struct wait){ .fake = fake, .user = user, .channel = channel, .id = message, .text = emoji },
		patience);
}

static bool role_done(void *arg)
{
	struct wait *wait = arg;

	return fake_has_role(wait->fake, wait->user, wait->role) == wait->wanted;
}

int fake_wait_role(struct fake *fake, uint64_t user, uint64_t role, bool has, usec patience)
{
	return fake_wait(
		fake, role_done, &(struct wait){ .fake = fake, .user = user, .role = role, .wanted = has }, patience);
}

static bool interaction_done(void *arg)
{
	struct wait *wait = arg;
	struct fake_interaction_view now;

	if (fake_interaction(wait->fake, wait->id, &now) < 0)
		return false;
	return now.state >= (wait->wanted ? FAKE_INTERACTION_ANSWERED : FAKE_INTERACTION_DEFERRED);
}

int fake_wait_interaction(
	struct fake *fake, uint64_t interaction, bool answered, usec patience, struct fake_interaction_view *ret_view)
{
	struct wait wait = { .fake = fake, .id = interaction, .wanted = answered };
	struct fake_interaction_view now;
	int r = fake_wait(fake, interaction_done, &wait, patience);

	if (r == 0)
		r = fake_interaction(fake, interaction, ret_view ? ret_view : &now);
	return r;
}

static bool sessions_done(void *arg)
{
	struct wait *wait = arg;
	struct fake_gateway_stats stats;

	fake_gateway(wait->fake, &stats);
	return stats.sessions >= wait->count && stats.queued == 0;
}

int fake_wait_sessions(struct fake *fake, size_t count, usec patience)
{
	return fake_wait(fake, sessions_done, &(struct wait){ .fake = fake, .count = count }, patience);
}

static bool commands_done(void *arg)
{
	struct wait *wait = arg;

	return wait->fake->state.command_count >= wait->count;
}

int fake_wait_commands(struct fake *fake, size_t at_least, usec patience)
{
	return fake_wait(fake, commands_done, &(struct wait){ .fake = fake, .count = at_least }, patience);
}

static bool calls_done(void *arg)
{
	struct wait *wait = arg;

	return fake_count_calls(wait->fake, wait->method, wait->template, NULL) >= wait->count;
}

int fake_wait_calls(struct fake *fake, const char *method, const char *template, size_t count, usec patience)
{
	return fake_wait(fake, calls_done,
		&(struct wait){ .fake = fake, .method = method, .template = template, .count = count }, patience);
}

/* Nothing was sent and no call came since `since`. */
static bool quiet_done(void *arg)
{
	struct wait *wait = arg;
	struct fake_gateway_stats stats;
	uint64_t activity;

	fake_gateway(wait->fake, &stats);
	activity = stats.dispatched + rest_calls(wait->fake->rest) + stats.queued;
	if (activity != wait->after || rest_pending(wait->fake->rest)) {
		wait->after = activity;
		wait->since = loop_now(wait->fake->loop);
	}
	return loop_now(wait->fake->loop) - wait->since >= wait->quiet;
}

static void wake(void *arg)
{
	(void)arg; /* the condition is looked at after every turn of the loop */
}

int fake_wait_quiet(struct fake *fake, usec quiet, usec patience)
{
	struct wait wait = { .fake = fake, .quiet = quiet, .since = loop_now(fake->loop), .after = UINT64_MAX };
	usec end = loop_now(fake->loop) + patience;
	struct timer timer;
	int r = -ETIMEDOUT;

	/* The loop may sleep longer than `quiet`: wake it up in time. */
	timer_init(&timer, fake->loop, wake, NULL);
	while (r == -ETIMEDOUT && loop_now(fake->loop) < end) {
		timer_start(&timer, MAX(quiet / 4, MILLISECOND));
		r = loop_run_until(
			fake->loop, quiet_done, &wait, MIN(MAX(quiet / 2, MILLISECOND), end - loop_now(fake->loop)));
	}
	timer_finish(&timer);
	return r;
}
