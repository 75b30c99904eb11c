/* Reactions (resources/message, "Create Reaction" and following). */
#include <stdlib.h>

#include "messages.h"
#include "permissions.h"
#include "rest.h"
#include "write.h"

/* The emoji of parameter 2; false: answered. The name is the caller's in both cases. */
static bool parse_emoji(struct call *call, char **ret_name, uint64_t *ret_id)
{
	if (emoji_parse(call->texts[2], ret_name, ret_id) < 0)
		return call_fail(call, 400, 10014, "Unknown Emoji");
	if (*ret_id && !state_emoji(&call->fake->state, *ret_id))
		return call_fail(call, 400, 10014, "Unknown Emoji");
	return true;
}

static void put_reaction(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_READ_MESSAGE_HISTORY);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	struct state *state = &call->fake->state;
	char *name cleanup(freep) = NULL;
	uint64_t id;

	if (!message || !parse_emoji(call, &name, &id))
		return;
	if (!message_reaction(message, name, id) &&
		!permitted(permissions_in(state, state->bot, channel), PERMISSION_ADD_REACTIONS)) {
		call_fail(call, 403, 50013, "Missing Permissions");
		return;
	}
	if (message_react(call->fake, message, state->bot, name, id) < 0)
		call_fail(call, 400, 30010, "Maximum number of reactions reached (20)");
	else
		call_done(call);
}

static void remove_reaction(struct call *call, uint64_t user, uint64_t permissions)
{
	struct channel *channel = call_channel(call, permissions);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	char *name cleanup(freep) = NULL;
	uint64_t id;

	if (!message || !parse_emoji(call, &name, &id))
		return;
	if (message_unreact(call->fake, message, user, name, id) < 0 && !state_user(&call->fake->state, user))
		call_fail(call, 404, 10013, "Unknown User");
	else
		call_done(call); /* also when there was none */
}

static void delete_own(struct call *call)
{
	remove_reaction(call, call->fake->state.bot, 0);
}

static void delete_other(struct call *call)
{
	remove_reaction(call, call->ids[3], PERMISSION_MANAGE_MESSAGES);
}

static void delete_all(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_MESSAGES);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;

	if (!message)
		return;
	message_clear_reactions(call->fake, message, NULL, 0);
	call_done(call);
}

static void delete_emoji(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_MANAGE_MESSAGES);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	char *name cleanup(freep) = NULL;
	uint64_t id;

	if (!message || !parse_emoji(call, &name, &id))
		return;
	message_clear_reactions(call->fake, message, name, id);
	call_done(call);
}

static void get_users(struct call *call)
{
	struct channel *channel = call_channel(call, PERMISSION_READ_MESSAGE_HISTORY);
	struct message *message = channel ? call_message(call, channel, 1) : NULL;
	size_t limit = (size_t)call_number(call, "limit", 1, 100, 25);
	const struct reaction *reaction;
	char *name cleanup(freep) = NULL;
	uint64_t id, after = 0;

	if (!message || !parse_emoji(call, &name, &id) || !call_form(call))
		return;
	if (call_argument(call, "after") && parse_u64(call_argument(call, "after"), &after) < 0)
		after = 0;
	reaction = message_reaction(message, name, id);
	json_begin_array(&call->w);
	for (size_t i = 0; reaction && i < reaction->users.count && limit; i++) {
		const struct user *user = state_user(&call->fake->state, reaction->users.ids[i]);

		if (!user || user->id <= after)
			continue;
		write_user(&call->w, user);
		limit--;
	}
	json_end_array(&call->w);
}

#define REACTIONS "/channels/{channel_id}/messages/{message_id}/reactions"

const struct route rest_reaction_routes[] = {
	{ "PUT", REACTIONS "/{emoji_name}/@me", put_reaction, 1, 250, 0 },
	{ "DELETE", REACTIONS "/{emoji_name}/@me", delete_own, 1, 250, 0 },
	{ "DELETE", REACTIONS "/{emoji_name}/{user_id}", delete_other, 1, 250, 0 },
	{ "DELETE", REACTIONS "/{emoji_name}", delete_emoji, 1, 250, 0 },
	{ "GET", REACTIONS "/{emoji_name}", get_users, 5, 5000, 0 },
	{ "DELETE", REACTIONS, delete_all, 1, 250, 0 },
	{ 0 },
};
