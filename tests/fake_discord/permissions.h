/* Who may do what: Discord's computation of base permissions, channel overwrites, implied denials and role hierarchy
 * (documentation: topics/permissions). */
#ifndef FAKE_PERMISSIONS_H
#define FAKE_PERMISSIONS_H

#include "state.h"

#define PERMISSION_KICK_MEMBERS         (1ULL << 1)
#define PERMISSION_BAN_MEMBERS          (1ULL << 2)
#define PERMISSION_ADMINISTRATOR        (1ULL << 3)
#define PERMISSION_MANAGE_CHANNELS      (1ULL << 4)
#define PERMISSION_MANAGE_GUILD         (1ULL << 5)
#define PERMISSION_ADD_REACTIONS        (1ULL << 6)
#define PERMISSION_VIEW_AUDIT_LOG       (1ULL << 7)
#define PERMISSION_VIEW_CHANNEL         (1ULL << 10)
#define PERMISSION_SEND_MESSAGES        (1ULL << 11)
#define PERMISSION_SEND_TTS_MESSAGES    (1ULL << 12)
#define PERMISSION_MANAGE_MESSAGES      (1ULL << 13)
#define PERMISSION_EMBED_LINKS          (1ULL << 14)
#define PERMISSION_ATTACH_FILES         (1ULL << 15)
#define PERMISSION_READ_MESSAGE_HISTORY (1ULL << 16)
#define PERMISSION_MENTION_EVERYONE     (1ULL << 17)
#define PERMISSION_USE_EXTERNAL_EMOJIS  (1ULL << 18)
#define PERMISSION_CONNECT              (1ULL << 20)
#define PERMISSION_SPEAK                (1ULL << 21)
#define PERMISSION_CHANGE_NICKNAME      (1ULL << 26)
#define PERMISSION_MANAGE_NICKNAMES     (1ULL << 27)
#define PERMISSION_MANAGE_ROLES         (1ULL << 28)
#define PERMISSION_USE_COMMANDS         (1ULL << 31)
#define PERMISSION_MANAGE_THREADS       (1ULL << 34)
#define PERMISSION_CREATE_THREADS       (1ULL << 35)
#define PERMISSION_SEND_IN_THREADS      (1ULL << 38)
#define PERMISSION_MODERATE_MEMBERS     (1ULL << 40)
#define PERMISSION_PIN_MESSAGES         (1ULL << 51)
#define PERMISSION_ALL                  ((1ULL << 53) - 1)

/* What everybody may do in the demo guild. */
#define PERMISSIONS_EVERYONE                                                                                     \
	(PERMISSION_VIEW_CHANNEL | PERMISSION_SEND_MESSAGES | PERMISSION_EMBED_LINKS | PERMISSION_ATTACH_FILES | \
		PERMISSION_READ_MESSAGE_HISTORY | PERMISSION_ADD_REACTIONS | PERMISSION_USE_EXTERNAL_EMOJIS |    \
		PERMISSION_CONNECT | PERMISSION_SPEAK | PERMISSION_CHANGE_NICKNAME | PERMISSION_USE_COMMANDS |   \
		PERMISSION_CREATE_THREADS | PERMISSION_SEND_IN_THREADS)

/* In the whole guild; 0 for strangers. */
uint64_t permissions_of(const struct state *state, uint64_t user);
/* In one channel, direct ones included. */
uint64_t permissions_in(const struct state *state, uint64_t user, const struct channel *channel);
static inline bool permitted(uint64_t permissions, uint64_t wanted)
{
	return (permissions & wanted) == wanted;
}
/* The position of the highest role; INT_MAX for the owner, -1 for strangers. */
int permissions_rank(const struct state *state, uint64_t user);
/* Ranks above this member, as kicking, banning and changing the nickname need it. */
bool permissions_above_member(const struct state *state, uint64_t actor, uint64_t target);
bool permissions_above_role(const struct state *state, uint64_t actor, const struct role *role);

#endif
