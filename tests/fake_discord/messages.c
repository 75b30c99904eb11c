/* Posting, editing and deleting: see messages.h. */
#include "messages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "dispatch.h"
#include "permissions.h"
#include "threads.h"

/* ---- mentions ---- */

static bool parses(const cJSON *allowed, const char *kind)
{
	if (!allowed)
		return true;
	json_array_each (item, json_array(allowed, "parse"))
		if (cJSON_IsString(item) && streq(item->valuestring, kind))
			return true;
	return false;
}

static bool lists(const cJSON *allowed, const char *kind, uint64_t id)
{
	json_array_each (item, json_array(allowed, kind))
		if (json_snowflake_value(item) == id)
			return true;
	return false;
}

/* The id in "<@123>", "<@!123>" or "<@&123>" at `text`; 0 when there is none. */
static uint64_t mention_at(const char *text, bool *ret_role)
{
	uint64_t id = 0;

	text += 2;
	*ret_role = *text == '&';
	text += *text == '&' || *text == '!';
	for (; *text >= '0' && *text <= '9'; text++)
		id = id * 10 + (uint64_t)(*text - '0');
	return *text == '>' ? id : 0;
}

static void find_mentions(struct fake *fake, struct message *message, const cJSON *allowed)
{
	struct state *state = &fake->state;
	const struct channel *channel = state_channel(state, message->channel);
	bool everyone = permitted(permissions_in(state, message->author, channel), PERMISSION_MENTION_EVERYONE);
	bool is_role;

	id_list_finish(&message->mentions);
	id_list_finish(&message->mention_roles);
	for (const char *at = strstr(message->content, "<@"); at; at = strstr(at + 2, "<@")) {
		uint64_t id = mention_at(at, &is_role);

		if (is_role) {
			const struct role *role = state_role(state, id);

			if (role && (role->mentionable || everyone) &&
				(parses(allowed, "roles") || lists(allowed, "roles", id)))
				id_list_add(&message->mention_roles, id);
		} else if (state_user(state, id) && (parses(allowed, "users") || lists(allowed, "users", id))) {
			id_list_add(&message->mentions, id);
		}
	}
	message->mention_everyone = everyone && parses(allowed, "everyone") &&
				    (strstr(message->content, "@everyone") || strstr(message->content, "@here"));
	if (message->reference && json_bool(allowed, "replied_user", !allowed)) {
		const struct message *other = channel_message(channel, message->reference);

		if (other && state_user(state, other->author))
			id_list_add(&message->mentions, other->author);
	}
}

/* ---- contents ---- */

/* As Discord keeps them: with a type, without nulls. */
static cJSON *copy_embeds(const cJSON *embeds)
{
	cJSON *copy = cJSON_Duplicate(embeds, 1);

	for (cJSON *embed = copy ? copy->child : NULL; embed; embed = embed->next) {
		for (cJSON *item = embed->child, *next; item; item = next) {
			next = item->next;
			if (cJSON_IsNull(item))
				cJSON_Delete(cJSON_DetachItemViaPointer(embed, item));
		}
		if (!json_get(embed, "type"))
			cJSON_AddStringToObject(embed, "type", "rich");
	}
	return copy;
}

/* Components get numbers of their own and their defaults, as with Discord. */
static void number_components(cJSON *list, int *next)
{
	for (cJSON *component = list ? list->child : NULL; component; component = component->next) {
		if (cJSON_IsObject(component) && !json_get(component, "id"))
			cJSON_AddNumberToObject(component, "id", ++*next);
		if (json_int(component, "type", 0) == 3 && !json_get(component, "min_values"))
			cJSON_AddNumberToObject(component, "min_values", 1);
		if (json_int(component, "type", 0) == 3 && !json_get(component, "max_values"))
			cJSON_AddNumberToObject(component, "max_values", 1);
		number_components(cJSON_GetObjectItemCaseSensitive(component, "components"), next);
	}
}

static cJSON *copy_components(const cJSON *components)
{
	cJSON *copy = cJSON_Duplicate(components, 1);
	int next = 0;

	number_components(copy, &next);
	return copy;
}

static void replace_tree(cJSON **field, cJSON *tree)
{
	cJSON_Delete(*field);
	*field = tree;
}

struct message *message_post(struct fake *fake, const struct draft *draft)
{
	struct state *state = &fake->state;
	struct channel *channel = state_channel(state, draft->channel);
	struct message *message = xcalloc(1, sizeof(*message));

	message->at = draft->at ? draft->at : fake_time(fake);
	message->id = draft->at ? state_id_at(state, message->at) : state_id(state, message->at);
	message->channel = draft->channel;
	message->author = draft->author;
	message->webhook = draft->webhook;
	message->interaction = draft->interaction;
	message->interaction_user = draft->interaction_user;
	message->interaction_type = draft->interaction_type;
	message->ephemeral_for = draft->ephemeral_for;
	message->reference = draft->reference;
	message->flags = draft->flags;
	message->type = draft->type;
	message->content = xstrdup(draft->content ? draft->content : "");
	message->attachments = draft->attachments;
	replace_text(&message->nonce, draft->nonce);
	replace_text(&message->webhook_name, draft->webhook_name);
	replace_text(&message->command, draft->command);
	if (draft->embeds)
		message->embeds = copy_embeds(draft->embeds);
	if (draft->components)
		message->components = copy_components(draft->components);
	find_mentions(fake, message, draft->allowed_mentions);
	message->changed = ++state->changes;
	channel_add_message(channel, message);
	if (channel_is_thread(channel) && state_member(state, message->author))
		thread_join(fake, channel, message->author);
	dispatch_message(fake, "MESSAGE_CREATE", message);
	return message;
}

void message_changed(struct fake *fake, struct message *message)
{
	message->changed = ++fake->state.changes;
	dispatch_message(fake, "MESSAGE_UPDATE", message);
}

void message_edit(struct fake *fake, struct message *message, const char *content, const cJSON *embeds,
	const cJSON *components, cJSON *attachments, const cJSON *allowed_mentions)
{
	if (content)
		replace_text(&message->content, content);
	if (embeds)
		replace_tree(&message->embeds, copy_embeds(embeds));
	if (components)
		replace_tree(&message->components, copy_components(components));
	if (attachments)
		replace_tree(&message->attachments, attachments);
	if (content)
		find_mentions(fake, message, allowed_mentions);
	if (message->flags & MESSAGE_LOADING)
		message->flags &= ~(unsigned)MESSAGE_LOADING; /* the deferred answer itself, not an edit */
	else
		message->edited = fake_time(fake);
	message_changed(fake, message);
}

void message_delete(struct fake *fake, struct channel *channel, uint64_t id)
{
	struct message *message = channel_message(channel, id);
	uint64_t ephemeral_for = message ? message->ephemeral_for : 0;

	if (!message)
		return;
	channel_remove_message(channel, id);
	fake->state.changes++;
	dispatch_message_delete(fake, channel, id, ephemeral_for);
}

void message_delete_bulk(struct fake *fake, struct channel *channel, const uint64_t *ids, size_t count)
{
	uint64_t *gone = xcalloc(count ? count : 1, sizeof(*gone));
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (!channel_message(channel, ids[i]))
			continue;
		channel_remove_message(channel, ids[i]);
		gone[n++] = ids[i];
	}
	fake->state.changes++;
	if (n)
		dispatch_message_delete_bulk(fake, channel, gone, n);
	free(gone);
}

/* Any text in a tree of JSON. */
static bool tree_contains(const cJSON *tree, const char *text)
{
	if (cJSON_IsString(tree) && strstr(tree->valuestring, text))
		return true;
	json_array_each (child, tree)
		if (tree_contains(child, text))
			return true;
	return false;
}

bool message_contains(const struct message *message, const char *text)
{
	return !text || strstr(message->content, text) || tree_contains(message->embeds, text) ||
	       tree_contains(message->components, text);
}

/* ---- reactions ---- */

int emoji_parse(const char *text, char **ret_name, uint64_t *ret_id)
{
	const char *colon;
	uint32_t first = 0;
	size_t len = strlen(text);

	if (text[0] == '<' && len > 2 && text[len - 1] == '>') {
		text += text[1] == 'a' ? 3 : 2;
		len = strlen(text) - 1;
	} else if (strncmp(text, "a:", 2) == 0) {
		text += 2;
		len -= 2;
	}
	colon = memchr(text, ':', len);
	if (colon) {
		char *digits = xstrndup(colon + 1, len - (size_t)(colon + 1 - text));
		int r = parse_u64(digits, ret_id);

		free(digits);
		if (r < 0 || colon == text)
			return -EINVAL;
		*ret_name = xstrndup(text, (size_t)(colon - text));
		return 0;
	}
	/* A character: symbols only, or a digit, # or * with the keycap. */
	if (!utf8_next(text, len, &first) || len > 64 || !utf8_valid(text, len))
		return -EINVAL;
	if (first < 0xa9 && !strstr(text, "\xe2\x83\xa3"))
		return -EINVAL;
	if (first >= 0xaa && first < 0x2000 && first != 0xae)
		return -EINVAL; /* letters */
	*ret_name = xstrndup(text, len);
	*ret_id = 0;
	return 0;
}

int message_react(struct fake *fake, struct message *message, uint64_t user, const char *name, uint64_t id)
{
	struct reaction *reaction = message_add_reaction(message, name, id);

	if (!reaction)
		return -ENOBUFS;
	if (id_list_has(&reaction->users, user))
		return 0;
	id_list_add(&reaction->users, user);
	dispatch_reaction(fake, true, message, user, reaction->name, id);
	return 0;
}

int message_unreact(struct fake *fake, struct message *message, uint64_t user, const char *name, uint64_t id)
{
	struct reaction *reaction = message_reaction(message, name, id);

	if (!reaction || !id_list_remove(&reaction->users, user))
		return -ENOENT;
	dispatch_reaction(fake, false, message, user, reaction->name, id);
	if (reaction->users.count == 0)
		message_remove_reaction(message, reaction);
	return 0;
}

void message_clear_reactions(struct fake *fake, struct message *message, const char *name, uint64_t id)
{
	struct reaction *reaction = name ? message_reaction(message, name, id) : NULL;

	if (name && !reaction)
		return;
	dispatch_reactions_cleared(fake, message, name, id);
	if (reaction)
		message_remove_reaction(message, reaction);
	while (!name && message->reaction_count)
		message_remove_reaction(message, &message->reactions[0]);
}

/* ---- files ---- */

/* Width and height of a PNG from its header; false when it is none. */
static bool png_size(const void *data, size_t len, unsigned *ret_width, unsigned *ret_height)
{
	const unsigned char *p = data;

	if (len < 24 || memcmp(p, "\x89PNG\r\n\x1a\n", 8) != 0)
		return false;
	*ret_width = (unsigned)p[16] << 24 | (unsigned)p[17] << 16 | (unsigned)p[18] << 8 | p[19];
	*ret_height = (unsigned)p[20] << 24 | (unsigned)p[21] << 16 | (unsigned)p[22] << 8 | p[23];
	return true;
}

/* Discord keeps letters, digits, dot, dash and underscore of a file's name. */
static char *clean_name(const char *name)
{
	char *clean = xstrdup(*name ? name : "unknown");

	for (char *p = clean; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
			    strchr("._-", *p)))
			*p = '_';
	return clean;
}

cJSON *attachment_create(struct fake *fake, uint64_t channel, const char *name, const char *type,
	const char *description, const void *data, size_t len)
{
	uint64_t id = state_id(&fake->state, fake_time(fake));
	cJSON *attachment = cJSON_CreateObject();
	char *clean = clean_name(name);
	char text[32];
	char *url = xasprintf("%s/attachments/%llu/%llu/%s", fake->cdn_url, (unsigned long long)channel,
		(unsigned long long)id, clean);
	void *copy = xmalloc(len ? len : 1);
	unsigned width, height;

	memcpy(copy, data, len);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
	cJSON_AddStringToObject(attachment, "id", text);
	cJSON_AddStringToObject(attachment, "filename", clean);
	cJSON_AddNumberToObject(attachment, "size", (double)len);
	cJSON_AddStringToObject(attachment, "url", url);
	cJSON_AddStringToObject(attachment, "proxy_url", url);
	cJSON_AddStringToObject(attachment, "content_type", type && *type ? type : "application/octet-stream");
	if (description)
		cJSON_AddStringToObject(attachment, "description", description);
	if (png_size(data, len, &width, &height)) {
		cJSON_AddNumberToObject(attachment, "width", width);
		cJSON_AddNumberToObject(attachment, "height", height);
	}
	state_add_file(&fake->state, id, clean, type && *type ? type : "application/octet-stream", copy, len);
	free(clean);
	free(url);
	return attachment;
}
