/* Who may do what: see permissions.h. */
#include "permissions.h"

#include <limits.h>

uint64_t permissions_of(const struct state *state, uint64_t user)
{
	const struct member *member = state_member(state, user);
	uint64_t permissions;

	if (user == state->owner)
		return PERMISSION_ALL;
	if (!member)
		return 0;
	permissions = state_role(state, state->guild)->permissions; /* @everyone has the guild's id */
	for (size_t i = 0; i < member->roles.count; i++) {
		const struct role *role = state_role(state, member->roles.ids[i]);

		if (role)
			permissions |= role->permissions;
	}
	return permissions & PERMISSION_ADMINISTRATOR ? PERMISSION_ALL : permissions;
}

/* @everyone's overwrite first, then those of all the member's roles together, then the member's own. */
static uint64_t apply_overwrites(
	const struct state *state, uint64_t user, const struct channel *channel, uint64_t permissions)
{
	const struct member *member = state_member(state, user);
	const struct overwrite *everyone = channel_overwrite(channel, state->guild);
	const struct overwrite *own = channel_overwrite(channel, user);
	uint64_t allow = 0, deny = 0;

	if (everyone)
		permissions = (permissions & ~everyone->deny) | everyone->allow;
	for (size_t i = 0; i < channel->overwrite_count; i++) {
		const struct overwrite *overwrite = &channel->overwrites[i];

		if (overwrite->id == state->guild || overwrite->is_member ||
			!id_list_has(&member->roles, overwrite->id))
			continue;
		allow |= overwrite->allow;
		deny |= overwrite->deny;
	}
	permissions = (permissions & ~deny) | allow;
	if (own)
		permissions = (permissions & ~own->deny) | own->allow;
	return permissions;
}

uint64_t permissions_in(const struct state *state, uint64_t user, const struct channel *channel)
{
	const struct member *member = state_member(state, user);
	uint64_t permissions = permissions_of(state, user);
	const struct channel *parent = NULL;

	if (channel_is_direct(channel)) {
		if (user != channel->recipient && user != state->bot)
			return 0;
		return PERMISSION_VIEW_CHANNEL | PERMISSION_SEND_MESSAGES | PERMISSION_EMBED_LINKS |
		       PERMISSION_ATTACH_FILES | PERMISSION_READ_MESSAGE_HISTORY | PERMISSION_ADD_REACTIONS |
		       PERMISSION_USE_COMMANDS | PERMISSION_PIN_MESSAGES;
	}
	if (permissions & PERMISSION_ADMINISTRATOR)
		return permissions;
	if (!member)
		return 0;
	if (channel_is_thread(channel))
		parent = state_channel(state, channel->parent);
	permissions = apply_overwrites(state, user, parent ? parent : channel, permissions);
	if (parent && !(permissions & PERMISSION_SEND_IN_THREADS))
		permissions &= ~PERMISSION_SEND_MESSAGES;
	else if (parent)
		permissions |= PERMISSION_SEND_MESSAGES;
	if (channel->type == CHANNEL_PRIVATE_THREAD && !id_list_has(&channel->thread_members, user) &&
		!(permissions & PERMISSION_MANAGE_THREADS))
		return 0;
	if (!(permissions & PERMISSION_VIEW_CHANNEL))
		return 0;
	if (!(permissions & PERMISSION_SEND_MESSAGES))
		permissions &= ~(PERMISSION_EMBED_LINKS | PERMISSION_ATTACH_FILES | PERMISSION_MENTION_EVERYONE |
				 PERMISSION_SEND_TTS_MESSAGES);
	if (member->timeout > state_now(state))
		permissions &= PERMISSION_VIEW_CHANNEL | PERMISSION_READ_MESSAGE_HISTORY;
	return permissions;
}

int permissions_rank(const struct state *state, uint64_t user)
{
	const struct member *member = state_member(state, user);
	int rank = 0;

	if (user == state->owner)
		return INT_MAX;
	if (!member)
		return -1;
	for (size_t i = 0; i < member->roles.count; i++) {
		const struct role *role = state_role(state, member->roles.ids[i]);

		if (role)
			rank = MAX(rank, role->position);
	}
	return rank;
}

bool permissions_above_member(const struct state *state, uint64_t actor, uint64_t target)
{
	return permissions_rank(state, actor) > permissions_rank(state, target);
}

bool permissions_above_role(const struct state *state, uint64_t actor, const struct role *role)
{
	return permissions_rank(state, actor) > role->position;
}
