/* Taking a channel away with what hangs on it (Discord's documentation, resources/channel, "Delete/Close Channel"). */
#ifndef FAKE_CHANNELS_H
#define FAKE_CHANNELS_H

#include "fake.h"

/* `user` does it; the reason may be NULL. A category's channels stay without it, a channel's threads go with it. */
void channel_delete(struct fake *fake, uint64_t user, struct channel *channel, const char *reason);

#endif
