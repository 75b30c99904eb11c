/* Gateway v10: connections, sessions, what clients send (identify, resume, heartbeat, member requests) and what they are told. */
#ifndef FAKE_GATEWAY_H
#define FAKE_GATEWAY_H

#include "fake.h"

#define INTENT_GUILDS           (1u << 0)
#define INTENT_GUILD_MEMBERS    (1u << 1)
#define INTENT_MODERATION       (1u << 2)
#define INTENT_EXPRESSIONS      (1u << 3)
#define INTENT_PRESENCES        (1u << 8)
#define INTENT_MESSAGES         (1u << 9)
#define INTENT_REACTIONS        (1u << 10)
#define INTENT_TYPING           (1u << 11)
#define INTENT_DIRECT_MESSAGES  (1u << 12)
#define INTENT_DIRECT_REACTIONS (1u << 13)
#define INTENT_DIRECT_TYPING    (1u << 14)
#define INTENT_CONTENT          (1u << 15)
#define INTENTS_KNOWN           (0x1ffffu | 1u << 20 | 1u << 21 | 1u << 24 | 1u << 25)

struct gateway;
struct session;

int gateway_open(struct fake *fake, struct gateway **ret_gateway) warn_unused;
void gateway_end(struct gateway *gateway);
int gateway_port(const struct gateway *gateway);
/* To every session that has one of these intents (0: to every one). `bare` goes to those without INTENT_CONTENT, NULL: no difference. */
void gateway_dispatch(
	struct gateway *gateway, const char *event, uint32_t intents, const struct str *data, const struct str *bare);
/* To one session, however its intents are. */
void session_dispatch(struct session *session, const char *event, const char *data, size_t len);
uint32_t session_intents(const struct session *session);
/* Whether events are kept for a resume; when not, what was kept is forgotten with the next event. */
void gateway_keep_events(struct gateway *gateway, bool keep);
/* Bytes that the slowest connection has not taken. */
size_t gateway_backlog(const struct gateway *gateway);
/* Called whenever a connection has taken all that waited. */
void gateway_on_drained(struct gateway *gateway, void (*drained)(void *arg), void *arg);
/* Identifies that are left today, and the time until there are all again, for GET /gateway/bot. */
int gateway_identifies_left(const struct gateway *gateway, usec *ret_reset_after);
/* {"id":...} of the guild as GUILD_CREATE tells it to this session. */
void gateway_write_guild(struct fake *fake, uint32_t intents, struct str *out);

/* gateway_members.c: op 8, Request Guild Members. */
void members_request(struct fake *fake, struct session *session, const cJSON *data);

#endif
