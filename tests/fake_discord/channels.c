/* Taking a channel away: see channels.h. */
#include "channels.h"

#include "dispatch.h"

static void orphan(struct fake *fake, struct channel *child)
{
	if (channel_is_thread(child)) {
		state_remove_channel(&fake->state, child);
		return;
	}
	child->parent = 0;
	dispatch_channel(fake, "CHANNEL_UPDATE", child);
}

void channel_delete(struct fake *fake, uint64_t user, struct channel *channel, const char *reason)
{
	bool thread = channel_is_thread(channel);
	struct channel *child, *next;
	uint64_t id = channel->id;

	dispatch_channel(fake, thread ? "THREAD_DELETE" : "CHANNEL_DELETE", channel);
	state_remove_channel(&fake->state, channel);
	HASH_ITER (hh, fake->state.channels, child, next)
		if (child->parent == id)
			orphan(fake, child);
	dispatch_audit(fake, user, thread ? AUDIT_THREAD_DELETE : AUDIT_CHANNEL_DELETE, id, reason, NULL, NULL);
}
