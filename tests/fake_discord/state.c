/* The fake Discord's memory: see state.h. */
#include "state.h"

#include <stdlib.h>

void replace_text(char **field, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*field);
	*field = copy;
}

bool id_list_has(const struct id_list *list, uint64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->ids[i] == id)
			return true;
	return false;
}

void id_list_add(struct id_list *list, uint64_t id)
{
	if (id_list_has(list, id))
		return;
	list->ids = xrealloc(list->ids, (list->count + 1) * sizeof(*list->ids));
	list->ids[list->count++] = id;
}

bool id_list_remove(struct id_list *list, uint64_t id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->ids[i] != id)
			continue;
		memmove(&list->ids[i], &list->ids[i + 1], (list->count - i - 1) * sizeof(*list->ids));
		list->count--;
		return true;
	}
	return false;
}

void id_list_finish(struct id_list *list)
{
	free(list->ids);
	*list = (struct id_list){ 0 };
}

void state_init(struct state *state)
{
	*state = (struct state){ 0 };
	random_init_system(&state->random);
}

usec state_now(const struct state *state)
{
	return clock_realtime() + state->skew;
}

uint64_t state_id(struct state *state, usec at)
{
	int64_t ms = at / MILLISECOND - DISCORD_EPOCH_MS;
	uint64_t id = ms > 0 ? (uint64_t)ms << 22 : 0;

	if (id <= state->last_id)
		id = state->last_id + 1;
	state->last_id = id;
	return id;
}

/* The upper half of a millisecond's ids is kept for these. */
uint64_t state_id_at(struct state *state, usec at)
{
	int64_t ms = MAX(at / MILLISECOND - DISCORD_EPOCH_MS, (int64_t)0);

	return (uint64_t)ms << 22 | 1ULL << 21 | (state->chosen_ids++ & ((1ULL << 21) - 1));
}

usec state_id_time(uint64_t id)
{
	return ((usec)(id >> 22) + DISCORD_EPOCH_MS) * MILLISECOND;
}

/* ---- people ---- */

struct user *state_user(const struct state *state, uint64_t id)
{
	struct user *user;

	HASH_FIND(hh, state->users, &id, sizeof(id), user);
	return user;
}

struct user *state_user_by_name(const struct state *state, const char *name)
{
	for (struct user *user = state->users; user; user = user->hh.next)
		if (streq(user->name, name))
			return user;
	return NULL;
}

struct user *state_add_user(struct state *state, uint64_t id, const char *name, const char *global_name, bool bot)
{
	struct user *user;

	if (HASH_COUNT(state->users) >= USERS_MAX)
		return NULL;
	user = xcalloc(1, sizeof(*user));
	user->id = id;
	user->bot = bot;
	user->name = xstrdup(name);
	replace_text(&user->global_name, global_name);
	HASH_ADD(hh, state->users, id, sizeof(user->id), user);
	return user;
}

struct member *state_member(const struct state *state, uint64_t id)
{
	struct user *user = state_user(state, id);

	return user ? user->member : NULL;
}

struct member *state_join(struct state *state, struct user *user, usec at)
{
	if (!user->member) {
		user->member = xcalloc(1, sizeof(*user->member));
		state->member_count++;
	}
	user->member->joined = at;
	return user->member;
}

void state_leave(struct state *state, struct user *user)
{
	struct member *member = user->member;

	if (!member)
		return;
	free(member->nick);
	free(member->avatar);
	id_list_finish(&member->roles);
	free(member);
	user->member = NULL;
	state->member_count--;
}

/* ---- roles ---- */

struct role *state_role(const struct state *state, uint64_t id)
{
	for (size_t i = 0; i < state->role_count; i++)
		if (state->roles[i].id == id)
			return &state->roles[i];
	return NULL;
}

struct role *state_role_by_name(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->role_count; i++)
		if (streq(state->roles[i].name, name))
			return &state->roles[i];
	return NULL;
}

struct role *state_add_role(struct state *state, uint64_t id, const char *name, int position)
{
	struct role *role;

	if (state->role_count >= ROLES_MAX)
		return NULL;
	for (size_t i = 0; i < state->role_count; i++)
		if (state->roles[i].position >= position)
			state->roles[i].position++;
	state->roles = xrealloc(state->roles, (state->role_count + 1) * sizeof(*state->roles));
	role = &state->roles[state->role_count++];
	*role = (struct role){ .id = id, .name = xstrdup(name), .position = position };
	return role;
}

void state_remove_role(struct state *state, uint64_t id)
{
	struct role *role = state_role(state, id);
	size_t index;

	if (!role)
		return;
	index = (size_t)(role - state->roles);
	for (size_t i = 0; i < state->role_count; i++)
		if (state->roles[i].position > role->position)
			state->roles[i].position--;
	free(role->name);
	memmove(role, role + 1, (state->role_count - index - 1) * sizeof(*role));
	state->role_count--;
	for (struct user *user = state->users; user; user = user->hh.next)
		if (user->member)
			id_list_remove(&user->member->roles, id);
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next)
		channel_remove_overwrite(channel, id);
}

/* ---- channels ---- */

struct channel *state_channel(const struct state *state, uint64_t id)
{
	struct channel *channel;

	HASH_FIND(hh, state->channels, &id, sizeof(id), channel);
	return channel;
}

struct channel *state_channel_by_name(const struct state *state, const char *name)
{
	for (struct channel *channel = state->channels; channel; channel = channel->hh.next)
		if (channel->name && streq(channel->name, name))
			return channel;
	return NULL;
}

struct channel *state_add_channel(struct state *state, uint64_t id, int type, const char *name)
{
	size_t *count = type == CHANNEL_DM ? &state->direct_channels : &state->guild_channels;
	struct channel *channel;

	if (*count >= (size_t)(type == CHANNEL_DM ? DIRECT_CHANNELS_MAX : CHANNELS_MAX))
		return NULL;
	channel = xcalloc(1, sizeof(*channel));
	channel->id = id;
	channel->type = type;
	replace_text(&channel->name, name);
	if (type != CHANNEL_DM)
		channel->position = (int)*count;
	(*count)++;
	HASH_ADD(hh, state->channels, id, sizeof(channel->id), channel);
	return channel;
}

static void channel_destroy(struct channel *channel)
{
	for (size_t i = 0; i < channel->message_count; i++)
		message_destroy(channel->messages[i]);
	for (size_t i = 0; i < SPENT_NONCES; i++)
		free(channel->spent[i].text);
	free(channel->messages);
	free(channel->overwrites);
	free(channel->name);
	free(channel->topic);
	id_list_finish(&channel->thread_members);
	free(channel);
}

void state_remove_channel(struct state *state, struct channel *channel)
{
	(*(channel->type == CHANNEL_DM ? &state->direct_channels : &state->guild_channels))--;
	HASH_DELETE(hh, state->channels, channel);
	channel_destroy(channel);
}

struct channel *state_direct(struct state *state, struct user *user, usec now)
{
	struct channel *channel = user->dm ? state_channel(state, user->dm) : NULL;

	if (channel)
		return channel;
	channel = state_add_channel(state, state_id(state, now), CHANNEL_DM, NULL);
	if (!channel)
		return NULL;
	channel->recipient = user->id;
	user->dm = channel->id;
	return channel;
}

struct overwrite *channel_overwrite(const struct channel *channel, uint64_t id)
{
	for (size_t i = 0; i < channel->overwrite_count; i++)
		if (channel->overwrites[i].id == id)
			return &channel->overwrites[i];
	return NULL;
}

struct overwrite *channel_set_overwrite(
	struct channel *channel, uint64_t id, bool is_member, uint64_t allow, uint64_t deny)
{
	struct overwrite *overwrite = channel_overwrite(channel, id);

	if (!overwrite) {
		if (channel->overwrite_count >= OVERWRITES_MAX)
			return NULL;
		channel->overwrites =
			xrealloc(channel->overwrites, (channel->overwrite_count + 1) * sizeof(*channel->overwrites));
		overwrite = &channel->overwrites[channel->overwrite_count++];
	}
	*overwrite = (struct overwrite){ .id = id, .is_member = is_member, .allow = allow, .deny = deny };
	return overwrite;
}

bool channel_remove_overwrite(struct channel *channel, uint64_t id)
{
	struct overwrite *overwrite = channel_overwrite(channel, id);

	if (!overwrite)
		return false;
	memmove(overwrite, overwrite + 1,
		(channel->overwrite_count - (size_t)(overwrite - channel->overwrites) - 1) * sizeof(*overwrite));
	channel->overwrite_count--;
	return true;
}

/* ---- messages ---- */

void message_destroy(struct message *message)
{
	if (!message)
		return;
	while (message->reaction_count)
		message_remove_reaction(message, &message->reactions[0]);
	free(message->reactions);
	free(message->content);
	free(message->nonce);
	free(message->webhook_name);
	free(message->command);
	cJSON_Delete(message->embeds);
	cJSON_Delete(message->components);
	cJSON_Delete(message->attachments);
	id_list_finish(&message->mentions);
	id_list_finish(&message->mention_roles);
	free(message);
}

size_t channel_message_index(const struct channel *channel, uint64_t id)
{
	size_t low = 0, high = channel->message_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (channel->messages[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void channel_add_message(struct channel *channel, struct message *message)
{
	size_t index;

	if (channel->message_count >= MESSAGES_MAX) {
		for (size_t i = 0; i < MESSAGES_DROPPED; i++)
			message_destroy(channel->messages[i]);
		channel->message_count -= MESSAGES_DROPPED;
		memmove(channel->messages, channel->messages + MESSAGES_DROPPED,
			channel->message_count * sizeof(struct message *));
	}
	if (channel->message_count == channel->message_cap) {
		channel->message_cap = channel->message_cap ? channel->message_cap * 2 : 16;
		channel->messages = xrealloc(channel->messages, channel->message_cap * sizeof(struct message *));
	}
	index = channel_message_index(channel, message->id);
	memmove(&channel->messages[index + 1], &channel->messages[index],
		(channel->message_count - index) * sizeof(struct message *));
	channel->messages[index] = message;
	channel->message_count++;
}

struct message *channel_message(const struct channel *channel, uint64_t id)
{
	size_t index = channel_message_index(channel, id);

	return index < channel->message_count && channel->messages[index]->id == id ? channel->messages[index] : NULL;
}

static void spend_nonce(struct channel *channel, struct message *message)
{
	struct spent_nonce *spent = &channel->spent[channel->spent_next];

	if (!message->nonce)
		return;
	channel->spent_next = (channel->spent_next + 1) % SPENT_NONCES;
	free(spent->text);
	*spent = (struct spent_nonce){ .text = message->nonce, .at = message->at };
	message->nonce = NULL;
}

bool channel_nonce_is_spent(const struct channel *channel, const char *nonce, usec since)
{
	for (size_t i = 0; i < SPENT_NONCES; i++)
		if (channel->spent[i].text && channel->spent[i].at >= since && streq(channel->spent[i].text, nonce))
			return true;
	return false;
}

void channel_remove_message(struct channel *channel, uint64_t id)
{
	size_t index = channel_message_index(channel, id);

	if (index >= channel->message_count || channel->messages[index]->id != id)
		return;
	spend_nonce(channel, channel->messages[index]);
	message_destroy(channel->messages[index]);
	channel->message_count--;
	memmove(&channel->messages[index], &channel->messages[index + 1],
		(channel->message_count - index) * sizeof(struct message *));
}

struct reaction *message_reaction(const struct message *message, const char *name, uint64_t id)
{
	for (size_t i = 0; i < message->reaction_count; i++) {
		struct reaction *reaction = &message->reactions[i];

		if (id ? reaction->id == id : !reaction->id && streq(reaction->name, name))
			return reaction;
	}
	return NULL;
}

struct reaction *message_add_reaction(struct message *message, const char *name, uint64_t id)
{
	struct reaction *reaction = message_reaction(message, name, id);

	if (reaction)
		return reaction;
	if (message->reaction_count >= REACTIONS_MAX)
		return NULL;
	message->reactions = xrealloc(message->reactions, (message->reaction_count + 1) * sizeof(*reaction));
	reaction = &message->reactions[message->reaction_count++];
	*reaction = (struct reaction){ .name = xstrdup(name), .id = id };
	return reaction;
}

void message_remove_reaction(struct message *message, struct reaction *reaction)
{
	size_t index = (size_t)(reaction - message->reactions);

	free(reaction->name);
	id_list_finish(&reaction->users);
	message->reaction_count--;
	memmove(reaction, reaction + 1, (message->reaction_count - index) * sizeof(*reaction));
}

/* ---- the rest ---- */

struct ban *state_ban(const struct state *state, uint64_t user)
{
	for (size_t i = 0; i < state->ban_count; i++)
		if (state->bans[i].user == user)
			return &state->bans[i];
	return NULL;
}

void state_add_ban(struct state *state, uint64_t user, const char *reason)
{
	size_t index = 0;

	if (state_ban(state, user))
		return;
	while (index < state->ban_count && state->bans[index].user < user)
		index++;
	state->bans = xrealloc(state->bans, (state->ban_count + 1) * sizeof(*state->bans));
	memmove(&state->bans[index + 1], &state->bans[index], (state->ban_count - index) * sizeof(*state->bans));
	state->bans[index] = (struct ban){ .user = user, .reason = reason ? xstrdup(reason) : NULL };
	state->ban_count++;
}

void state_remove_ban(struct state *state, uint64_t user)
{
	struct ban *ban = state_ban(state, user);

	if (!ban)
		return;
	free(ban->reason);
	state->ban_count--;
	memmove(ban, ban + 1, (state->ban_count - (size_t)(ban - state->bans)) * sizeof(*ban));
}

struct emoji *state_emoji(const struct state *state, uint64_t id)
{
	for (size_t i = 0; i < state->emoji_count; i++)
		if (state->emojis[i].id == id)
			return &state->emojis[i];
	return NULL;
}

struct command *state_command(const struct state *state, uint64_t id)
{
	for (size_t i = 0; i < state->command_count; i++)
		if (state->commands[i].id == id)
			return &state->commands[i];
	return NULL;
}

void state_remove_commands(struct state *state, bool global)
{
	size_t kept = 0;

	for (size_t i = 0; i < state->command_count; i++) {
		if (state->commands[i].global == global)
			cJSON_Delete(state->commands[i].body);
		else
			state->commands[kept++] = state->commands[i];
	}
	state->command_count = kept;
}

static void file_finish(struct file *file)
{
	free(file->name);
	free(file->type);
	free(file->data);
}

void state_add_file(struct state *state, uint64_t id, const char *name, const char *type, void *data, size_t len)
{
	size_t drop = 0;

	state->file_bytes += len;
	for (; drop < state->file_count && state->file_bytes > FILES_MAX_BYTES; drop++) {
		state->file_bytes -= state->files[drop].len;
		file_finish(&state->files[drop]);
	}
	if (drop) {
		state->file_count -= drop;
		memmove(state->files, state->files + drop, state->file_count * sizeof(*state->files));
	}
	state->files = xrealloc(state->files, (state->file_count + 1) * sizeof(*state->files));
	state->files[state->file_count++] =
		(struct file){ .id = id, .name = xstrdup(name), .type = xstrdup(type), .data = data, .len = len };
}

const struct file *state_file(const struct state *state, uint64_t id)
{
	for (size_t i = 0; i < state->file_count; i++)
		if (state->files[i].id == id)
			return &state->files[i];
	return NULL;
}

void state_finish(struct state *state)
{
	struct channel *channel, *next_channel;
	struct user *user, *next_user;

	HASH_ITER (hh, state->channels, channel, next_channel) {
		HASH_DEL(state->channels, channel); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		channel_destroy(channel);
	}
	HASH_ITER (hh, state->users, user, next_user) {
		HASH_DEL(state->users, user); /* NOLINT(clang-analyzer-unix.Malloc): another one was freed */
		state_leave(state, user);
		free(user->name);
		free(user->global_name);
		free(user->avatar);
		free(user);
	}
	for (size_t i = 0; i < state->role_count; i++)
		free(state->roles[i].name);
	free(state->roles);
	for (size_t i = 0; i < state->emoji_count; i++)
		free(state->emojis[i].name);
	free(state->emojis);
	for (size_t i = 0; i < state->ban_count; i++)
		free(state->bans[i].reason);
	free(state->bans);
	for (size_t i = 0; i < state->audit_count; i++) {
		free(state->audits[i].reason);
		cJSON_Delete(state->audits[i].changes);
		cJSON_Delete(state->audits[i].options);
	}
	free(state->audits);
	for (size_t i = 0; i < state->command_count; i++)
		cJSON_Delete(state->commands[i].body);
	free(state->commands);
	for (size_t i = 0; i < state->file_count; i++)
		file_finish(&state->files[i]);
	free(state->files);
	free(state->guild_name);
	*state = (struct state){ 0 };
}
