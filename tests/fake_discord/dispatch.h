/* What happened, told to the gateway's sessions and to the chat page: a function per kind of event. */
#ifndef FAKE_DISPATCH_H
#define FAKE_DISPATCH_H

#include "fake.h"

/* Audit log numbers (resources/audit-log, "Audit Log Events"). */
enum {
	AUDIT_GUILD_UPDATE = 1,
	AUDIT_CHANNEL_CREATE = 10,
	AUDIT_CHANNEL_UPDATE = 11,
	AUDIT_CHANNEL_DELETE = 12,
	AUDIT_OVERWRITE_CREATE = 13,
	AUDIT_OVERWRITE_UPDATE = 14,
	AUDIT_OVERWRITE_DELETE = 15,
	AUDIT_KICK = 20,
	AUDIT_BAN_ADD = 22,
	AUDIT_BAN_REMOVE = 23,
	AUDIT_MEMBER_UPDATE = 24,
	AUDIT_MEMBER_ROLES = 25,
	AUDIT_ROLE_CREATE = 30,
	AUDIT_ROLE_UPDATE = 31,
	AUDIT_ROLE_DELETE = 32,
	AUDIT_MESSAGE_DELETE = 72,
	AUDIT_MESSAGE_BULK_DELETE = 73,
	AUDIT_THREAD_DELETE = 112,
};

/* event: MESSAGE_CREATE or MESSAGE_UPDATE; an ephemeral message is told to the page only. */
void dispatch_message(struct fake *fake, const char *event, const struct message *message);
void dispatch_message_delete(
	struct fake *fake, const struct channel *channel, uint64_t message, uint64_t ephemeral_for);
void dispatch_message_delete_bulk(
	struct fake *fake, const struct channel *channel, const uint64_t *messages, size_t count);
void dispatch_reaction(
	struct fake *fake, bool added, const struct message *message, uint64_t user, const char *name, uint64_t id);
/* name NULL: all of them were removed. */
void dispatch_reactions_cleared(struct fake *fake, const struct message *message, const char *name, uint64_t id);
/* event: GUILD_MEMBER_ADD or GUILD_MEMBER_UPDATE */
void dispatch_member(struct fake *fake, const char *event, const struct user *user);
void dispatch_member_remove(struct fake *fake, const struct user *user);
void dispatch_role(struct fake *fake, const char *event, const struct role *role);
void dispatch_role_delete(struct fake *fake, uint64_t role);
/* event: CHANNEL_CREATE, CHANNEL_UPDATE, CHANNEL_DELETE, or THREAD_CREATE and THREAD_DELETE, which only who sees the thread is told */
void dispatch_channel(struct fake *fake, const char *event, const struct channel *channel);
/* Something that only who sees the channel is told. */
void dispatch_in_channel(
	struct fake *fake, const char *event, const struct channel *channel, uint32_t intents, const struct str *data);
void dispatch_pins(struct fake *fake, const struct channel *channel);
void dispatch_ban(struct fake *fake, bool added, const struct user *user);
void dispatch_typing(struct fake *fake, const struct user *user, const struct channel *channel);
void dispatch_user_update(struct fake *fake);
void dispatch_guild(struct fake *fake, const char *event);
/* Adds an entry to the audit log and tells it. `changes` (array) and `options` (object) become the log's; both may be NULL. */
void dispatch_audit(struct fake *fake, uint64_t user, int action, uint64_t target, const char *reason, cJSON *changes,
	cJSON *options);
/* The changes of an audit entry about a member's roles: [{"key": "$add", "new_value": [{"id", "name"}]}]. */
cJSON *dispatch_role_change(const struct role *role, bool add);

#endif
