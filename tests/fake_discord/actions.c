/* Acting as a member: messages, reactions, names, roles, channels, bans. A person may do what Discord's own client would let him do; what it would
 * not, is refused with a reason (fake_refusal()). */
#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "channels.h"
#include "dispatch.h"
#include "fake.h"
#include "message_form.h"
#include "messages.h"
#include "permissions.h"
#include "threads.h"

static void begin(struct fake *fake)
{
	str_clear(&fake->refusal);
	fake->mark = fake->state.changes;
}

/* The channel, where the person has these permissions; NULL: refused. */
static struct channel *enter(struct fake *fake, uint64_t user, uint64_t id, uint64_t wanted)
{
	struct channel *channel = state_channel(&fake->state, id);
	const struct user *person = state_user(&fake->state, user);

	begin(fake);
	if (!channel || !person) {
		fake_refuse(fake, "there is no such %s", channel ? "person" : "channel");
		return NULL;
	}
	if (channel->type == CHANNEL_CATEGORY) {
		fake_refuse(fake, "a category has no messages");
		return NULL;
	}
	if (!permitted(permissions_in(&fake->state, user, channel), PERMISSION_VIEW_CHANNEL | wanted)) {
		fake_refuse(fake, "%s may not do this in this channel", person->name);
		return NULL;
	}
	return channel;
}

static struct message *find(struct fake *fake, struct channel *channel, uint64_t id)
{
	struct message *message = channel ? channel_message(channel, id) : NULL;

	if (channel && !message)
		fake_refuse(fake, "there is no such message in this channel");
	return message;
}

/* ---- messages ---- */

static int check_content(struct fake *fake, const char *content, bool empty_is_fine)
{
	if (!content || !content[strspn(content, " \t\r\n")])
		return empty_is_fine ? 0 : fake_refuse(fake, "an empty message cannot be sent");
	if (!utf8_valid(content, strlen(content)))
		return fake_refuse(fake, "the text is not UTF-8");
	if (utf8_count(content, strlen(content)) > CONTENT_MAX)
		return fake_refuse(fake, "a message may have %d characters", CONTENT_MAX);
	return 0;
}

uint64_t fake_post(struct fake *fake, uint64_t user, uint64_t id, const struct fake_message_options *options)
{
	struct channel *channel = enter(fake, user, id, PERMISSION_SEND_MESSAGES);
	struct draft draft = { .author = user,
		.channel = id,
		.content = options->content,
		.reference = options->reply_to,
		.type = options->reply_to ? MESSAGE_REPLY : MESSAGE_DEFAULT,
		.at = options->at };
	cJSON *embeds cleanup(json_freep) = NULL;

	if (!channel || check_content(fake, options->content, options->file || options->embeds) < 0)
		return 0;
	if (options->reply_to && !find(fake, channel, options->reply_to))
		return 0;
	if (options->embeds &&
		(json_parse(options->embeds, strlen(options->embeds), &embeds) < 0 || !cJSON_IsArray(embeds))) {
		fake_refuse(fake, "the embeds are no JSON array");
		return 0;
	}
	draft.embeds = embeds;
	if (options->file) {
		draft.attachments = cJSON_CreateArray();
		cJSON_AddItemToArray(
			draft.attachments, attachment_create(fake, id, options->file_name ? options->file_name : "file",
						   options->file_type, NULL, options->file, options->file_len));
	}
	if (options->webhook) { /* an author of its own that is no user */
		draft.webhook = draft.author = state_id(&fake->state, fake_time(fake));
		draft.webhook_name = state_user(&fake->state, user)->name;
	}
	return message_post(fake, &draft)->id;
}

uint64_t fake_say(struct fake *fake, uint64_t user, uint64_t channel, const char *content)
{
	return fake_post(fake, user, channel, &(struct fake_message_options){ .content = content });
}

int fake_edit(struct fake *fake, uint64_t user, uint64_t id, uint64_t message_id, const char *content)
{
	struct channel *channel = enter(fake, user, id, 0);
	struct message *message = find(fake, channel, message_id);

	if (!message || check_content(fake, content, false) < 0)
		return -EPERM;
	if (message->author != user)
		return fake_refuse(fake, "one can edit one's own messages only");
	message_edit(fake, message, content, NULL, NULL, NULL, NULL);
	return 0;
}

int fake_delete(struct fake *fake, uint64_t user, uint64_t id, uint64_t message_id)
{
	struct channel *channel = enter(fake, user, id, 0);
	struct message *message = find(fake, channel, message_id);
	bool dismiss = message && message->ephemeral_for == user; /* "Only you can see this: dismiss" */

	if (!message)
		return -EPERM;
	if (message->author != user && !dismiss &&
		!permitted(permissions_in(&fake->state, user, channel), PERMISSION_MANAGE_MESSAGES))
		return fake_refuse(fake, "this message is somebody else's");
	message_delete(fake, channel, message_id);
	return 0;
}

int fake_delete_bulk(struct fake *fake, uint64_t id, const uint64_t *messages, size_t count)
{
	struct channel *channel = state_channel(&fake->state, id);

	begin(fake);
	if (!channel)
		return fake_refuse(fake, "there is no such channel");
	message_delete_bulk(fake, channel, messages, count);
	return 0;
}

static int react(struct fake *fake, uint64_t user, uint64_t id, uint64_t message_id, const char *emoji, bool add)
{
	struct channel *channel = enter(fake, user, id, 0);
	struct message *message = find(fake, channel, message_id);
	char *name cleanup(freep) = NULL;
	uint64_t emoji_id;

	if (!message)
		return -EPERM;
	if (emoji_parse(emoji, &name, &emoji_id) < 0)
		return fake_refuse(fake, "that is no emoji");
	if (!add)
		return message_unreact(fake, message, user, name, emoji_id) < 0
			       ? fake_refuse(fake, "there is no such reaction")
			       : 0;
	if (!message_reaction(message, name, emoji_id) &&
		!permitted(permissions_in(&fake->state, user, channel), PERMISSION_ADD_REACTIONS))
		return fake_refuse(fake, "reactions are not allowed here");
	if (message_react(fake, message, user, name, emoji_id) < 0)
		return fake_refuse(fake, "the message has %d different reactions already", REACTIONS_MAX);
	return 0;
}

int fake_react(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji)
{
	return react(fake, user, channel, message, emoji, true);
}

int fake_unreact(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji)
{
	return react(fake, user, channel, message, emoji, false);
}

int fake_clear_reactions(struct fake *fake, uint64_t id, uint64_t message_id)
{
	struct channel *channel = state_channel(&fake->state, id);
	struct message *message;

	begin(fake);
	if (!channel)
		return fake_refuse(fake, "there is no such channel");
	message = find(fake, channel, message_id);
	if (!message)
		return -EPERM;
	message_clear_reactions(fake, message, NULL, 0);
	return 0;
}

int fake_typing(struct fake *fake, uint64_t user, uint64_t id)
{
	struct channel *channel = enter(fake, user, id, PERMISSION_SEND_MESSAGES);

	if (!channel)
		return -EPERM;
	dispatch_typing(fake, state_user(&fake->state, user), channel);
	return 0;
}

/* ---- people ---- */

static struct user *person(struct fake *fake, uint64_t id, bool member)
{
	struct user *user = state_user(&fake->state, id);

	begin(fake);
	if (!user || (member && !user->member)) {
		fake_refuse(fake, user ? "%s is not in the server" : "there is no such person", user ? user->name : "");
		return NULL;
	}
	return user;
}

/* Discord's rule of thumb for user names, loosened so that tests can have strange ones. */
static bool name_is_fine(const char *name)
{
	size_t count = utf8_valid(name, strlen(name)) ? utf8_count(name, strlen(name)) : 0;

	return count >= 1 && count <= 32;
}

uint64_t fake_join(struct fake *fake, const char *username, const char *global_name, bool bot)
{
	struct state *state = &fake->state;
	struct user *user = state_user_by_name(state, username);

	begin(fake);
	if (!name_is_fine(username) || (global_name && !name_is_fine(global_name))) {
		fake_refuse(fake, "a name has 1 to 32 characters");
		return 0;
	}
	if (user && user->member) {
		fake_refuse(fake, "%s is in the server already", username);
		return 0;
	}
	if (user && state_ban(state, user->id)) {
		fake_refuse(fake, "%s is banned from the server", username);
		return 0;
	}
	if (!user)
		user = state_add_user(state, state_id(state, fake_time(fake)), username, global_name, bot);
	if (!user) {
		fake_refuse(fake, "there are too many people");
		return 0;
	}
	state_join(state, user, fake_time(fake));
	dispatch_member(fake, "GUILD_MEMBER_ADD", user);
	return user->id;
}

static void leave(struct fake *fake, struct user *user)
{
	state_leave(&fake->state, user);
	dispatch_member_remove(fake, user);
}

int fake_leave(struct fake *fake, uint64_t id)
{
	struct user *user = person(fake, id, true);

	if (!user)
		return -EPERM;
	if (id == fake->state.owner)
		return fake_refuse(fake, "the owner cannot leave the server");
	leave(fake, user);
	return 0;
}

/* Whoever is in the guild is told by GUILD_MEMBER_UPDATE, as Discord does for changes of the account too. */
static int changed(struct fake *fake, const struct user *user)
{
	if (user->id == fake->state.bot)
		dispatch_user_update(fake);
	if (user->member)
		dispatch_member(fake, "GUILD_MEMBER_UPDATE", user);
	return 0;
}

int fake_rename(struct fake *fake, uint64_t id, const char *username, const char *global_name)
{
	struct user *user = person(fake, id, false), *other;

	if (!user)
		return -EPERM;
	if (!name_is_fine(username) || (global_name && !name_is_fine(global_name)))
		return fake_refuse(fake, "a name has 1 to 32 characters");
	other = state_user_by_name(&fake->state, username);
	if (other && other != user)
		return fake_refuse(fake, "the name %s is taken", username);
	replace_text(&user->name, username);
	replace_text(&user->global_name, global_name);
	return changed(fake, user);
}

int fake_nick(struct fake *fake, uint64_t id, const char *nick)
{
	struct user *user = person(fake, id, true);

	if (!user)
		return -EPERM;
	if (nick && *nick && !name_is_fine(nick))
		return fake_refuse(fake, "a nickname has 1 to 32 characters");
	replace_text(&user->member->nick, nick && *nick ? nick : NULL);
	return changed(fake, user);
}

int fake_avatar(struct fake *fake, uint64_t id, const char *hash, bool guild)
{
	struct user *user = person(fake, id, guild);

	if (!user)
		return -EPERM;
	if (hash && (strlen(hash) > 40 || strspn(hash, "0123456789abcdef_") != strlen(hash)))
		return fake_refuse(fake, "that is no avatar's hash");
	replace_text(guild ? &user->member->avatar : &user->avatar, hash);
	return changed(fake, user);
}

int fake_close_dms(struct fake *fake, uint64_t id, bool closed)
{
	struct user *user = person(fake, id, false);

	if (!user)
		return -EPERM;
	user->dms_closed = closed;
	return 0;
}

/* ---- roles ---- */

static int set_role(struct fake *fake, uint64_t id, uint64_t role_id, bool add)
{
	struct user *user = person(fake, id, true);
	const struct role *role = state_role(&fake->state, role_id);

	if (!user)
		return -EPERM;
	if (!role || role_id == fake->state.guild)
		return fake_refuse(fake, "there is no such role");
	if (id_list_has(&user->member->roles, role_id) == add)
		return 0;
	if (add)
		id_list_add(&user->member->roles, role_id);
	else
		id_list_remove(&user->member->roles, role_id);
	dispatch_audit(fake, fake->state.owner, AUDIT_MEMBER_ROLES, id, NULL, dispatch_role_change(role, add), NULL);
	return changed(fake, user);
}

int fake_role_add(struct fake *fake, uint64_t user, uint64_t role)
{
	return set_role(fake, user, role, true);
}

int fake_role_remove(struct fake *fake, uint64_t user, uint64_t role)
{
	return set_role(fake, user, role, false);
}

uint64_t fake_role_create(struct fake *fake, const char *name, uint64_t permissions, int position)
{
	struct state *state = &fake->state;
	struct role *role;
	uint64_t id;

	begin(fake);
	if (!*name || !utf8_valid(name, strlen(name)) || utf8_count(name, strlen(name)) > 100) {
		fake_refuse(fake, "a role's name has 1 to 100 characters");
		return 0;
	}
	id = state_id(state, fake_time(fake));
	role = state_add_role(state, id, name, MAX(1, MIN(position, (int)state->role_count)));
	if (!role) {
		fake_refuse(fake, "a server has at most %d roles", ROLES_MAX);
		return 0;
	}
	role->permissions = permissions;
	dispatch_role(fake, "GUILD_ROLE_CREATE", role);
	dispatch_audit(fake, state->owner, AUDIT_ROLE_CREATE, id, NULL, NULL, NULL);
	return id;
}

int fake_role_delete(struct fake *fake, uint64_t id)
{
	begin(fake);
	if (!state_role(&fake->state, id) || id == fake->state.guild)
		return fake_refuse(fake, "there is no such role");
	state_remove_role(&fake->state, id);
	dispatch_role_delete(fake, id);
	dispatch_audit(fake, fake->state.owner, AUDIT_ROLE_DELETE, id, NULL, NULL, NULL);
	return 0;
}

int fake_role_rename(struct fake *fake, uint64_t id, const char *name)
{
	struct role *role = state_role(&fake->state, id);

	begin(fake);
	if (!role)
		return fake_refuse(fake, "there is no such role");
	if (!*name || utf8_count(name, strlen(name)) > 100)
		return fake_refuse(fake, "a role's name has 1 to 100 characters");
	replace_text(&role->name, name);
	dispatch_role(fake, "GUILD_ROLE_UPDATE", role);
	dispatch_audit(fake, fake->state.owner, AUDIT_ROLE_UPDATE, id, NULL, NULL, NULL);
	return 0;
}

/* ---- channels ---- */

uint64_t fake_channel_create(struct fake *fake, const char *name, int type, uint64_t parent)
{
	struct state *state = &fake->state;
	struct channel *above = parent ? state_channel(state, parent) : NULL, *channel = NULL;
	bool thread = type == CHANNEL_THREAD || type == CHANNEL_PRIVATE_THREAD;

	begin(fake);
	if (!*name || utf8_count(name, strlen(name)) > 100)
		fake_refuse(fake, "a channel's name has 1 to 100 characters");
	else if (type != CHANNEL_TEXT && type != CHANNEL_VOICE && type != CHANNEL_CATEGORY &&
		 type != CHANNEL_ANNOUNCEMENT && !thread)
		fake_refuse(fake, "there is no such type of channel here");
	else if ((parent || thread) && (!above || above->type != (thread ? CHANNEL_TEXT : CHANNEL_CATEGORY)))
		fake_refuse(fake, "the parent is no %s", thread ? "text channel" : "category");
	else
		channel = state_add_channel(state, state_id(state, fake_time(fake)), type, name);
	if (!channel) {
		if (!fake->refusal.len)
			fake_refuse(fake, "a server has at most %d channels", CHANNELS_MAX);
		return 0;
	}
	channel->parent = parent;
	channel->owner = state->owner;
	if (thread)
		id_list_add(&channel->thread_members, channel->owner);
	dispatch_channel(fake, thread ? "THREAD_CREATE" : "CHANNEL_CREATE", channel);
	dispatch_audit(fake, state->owner, AUDIT_CHANNEL_CREATE, channel->id, NULL, NULL, NULL);
	return channel->id;
}

int fake_channel_delete(struct fake *fake, uint64_t id)
{
	struct channel *channel = state_channel(&fake->state, id);

	begin(fake);
	if (!channel || channel_is_direct(channel))
		return fake_refuse(fake, "there is no such channel");
	channel_delete(fake, fake->state.owner, channel, NULL);
	return 0;
}

int fake_thread_add(struct fake *fake, uint64_t id, uint64_t user)
{
	struct channel *thread = state_channel(&fake->state, id);

	begin(fake);
	if (!thread || !channel_is_thread(thread))
		return fake_refuse(fake, "there is no such thread");
	if (!state_member(&fake->state, user))
		return fake_refuse(fake, "there is no such member");
	thread_join(fake, thread, user);
	return 0;
}

int fake_channel_permit(struct fake *fake, uint64_t id, uint64_t target, uint64_t allow, uint64_t deny)
{
	struct channel *channel = state_channel(&fake->state, id);
	bool is_member = !state_role(&fake->state, target);

	begin(fake);
	if (!channel || channel_is_direct(channel))
		return fake_refuse(fake, "there is no such channel");
	if (is_member && !state_user(&fake->state, target))
		return fake_refuse(fake, "there is no such role or person");
	if (!allow && !deny)
		channel_remove_overwrite(channel, target);
	else if (!channel_set_overwrite(channel, target, is_member, allow, deny))
		return fake_refuse(fake, "a channel has at most %d overwrites", OVERWRITES_MAX);
	dispatch_channel(fake, "CHANNEL_UPDATE", channel);
	dispatch_audit(fake, fake->state.owner, AUDIT_OVERWRITE_UPDATE, id, NULL, NULL, NULL);
	return 0;
}

/* ---- moderation ---- */

static int may_moderate(struct fake *fake, uint64_t moderator, uint64_t user, uint64_t permission)
{
	const struct state *state = &fake->state;

	begin(fake);
	if (!state_user(state, moderator) || !state_user(state, user))
		return fake_refuse(fake, "there is no such person");
	if (!permitted(permissions_of(state, moderator), permission))
		return fake_refuse(fake, "%s lacks the permission", state_user(state, moderator)->name);
	if (!permissions_above_member(state, moderator, user))
		return fake_refuse(fake, "%s stands too high", state_user(state, user)->name);
	return 0;
}

int fake_ban(struct fake *fake, uint64_t moderator, uint64_t id, const char *reason)
{
	struct user *user = state_user(&fake->state, id);

	if (may_moderate(fake, moderator, id, PERMISSION_BAN_MEMBERS) < 0)
		return -EPERM;
	state_add_ban(&fake->state, id, reason);
	if (user->member)
		leave(fake, user);
	dispatch_ban(fake, true, user);
	dispatch_audit(fake, moderator, AUDIT_BAN_ADD, id, reason, NULL, NULL);
	return 0;
}

int fake_unban(struct fake *fake, uint64_t moderator, uint64_t id)
{
	if (may_moderate(fake, moderator, id, PERMISSION_BAN_MEMBERS) < 0)
		return -EPERM;
	if (!state_ban(&fake->state, id))
		return fake_refuse(fake, "this person is not banned");
	state_remove_ban(&fake->state, id);
	dispatch_ban(fake, false, state_user(&fake->state, id));
	dispatch_audit(fake, moderator, AUDIT_BAN_REMOVE, id, NULL, NULL, NULL);
	return 0;
}

int fake_kick(struct fake *fake, uint64_t moderator, uint64_t id, const char *reason)
{
	struct user *user = state_user(&fake->state, id);

	if (may_moderate(fake, moderator, id, PERMISSION_KICK_MEMBERS) < 0)
		return -EPERM;
	if (!user->member)
		return fake_refuse(fake, "%s is not in the server", user->name);
	leave(fake, user);
	dispatch_audit(fake, moderator, AUDIT_KICK, id, reason, NULL, NULL);
	return 0;
}
