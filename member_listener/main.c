/* walle-member-listener: keeps the profiles (name, nickname, avatar, who is here) as Discord has them, with a
 * gateway session of its own. */
#include "listener.h"
#include "service/service.h"

/* GUILD_MEMBERS reports joins, departures and every change of a member or of his account (Discord's documentation,
 * events/gateway-events, Guild Member Update: it also fires when the user object changes), and the member list fills
 * in what happened while we were away. The old listener compared at every message as well; with the above that finds
 * nothing new, so messages are not asked for. */
static const struct service_definition definition = {
	.program = {
		.name = "walle-member-listener",
		.service = "member_listener",
		.summary = "Keeps the names, nicknames and avatars of the guild's members in Wall-E's database.",
		.needs_token = true,
		.health_address = settings_listener_health,
	},
	.intents = INTENT_GUILDS | INTENT_GUILD_MEMBERS,
	.requests_per_second = 5,
	.flows = { .total = 8, .per_owner = 1 },
	.checkpoints = false,
	.start = listener_start,
	.dispatch = listener_dispatch,
	.stop = listener_stop,
	.finish = listener_finish,
	.check = listener_check,
	.dump = listener_dump,
};

int main(int argc, char **argv)
{
	return service_main(&definition, argc, argv);
}
