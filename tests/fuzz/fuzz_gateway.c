/* What the gateway sends, from the text of a frame to the bot's picture of the guild: JSON, state machine, objects,
 * cache, subscriptions.
 *
 * The input is a play in lines. A line that begins with { is a frame; the others are what happens around it:
 *	o opened · c CODE closed · t the deadline comes · p SECONDS pass · k claimed · w SECONDS claim wait · b broken frame · r our reconnect
 *	· a all is committed · s stop
 */
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "cache.h"
#include "discord/gateway.h"
#include "discord/wait.h"
#include "fuzz.h"

#define GUILD 1000

struct play {
	struct gateway *gateway;
	struct random random;
	struct cache *cache;
	struct waits *waits;
	struct arena arena;
	usec now;
	bool connected, done, up;
};

static void check_payload(struct play *play, const struct str *payload)
{
	cJSON *json cleanup(json_freep) = NULL;

	REQUIRE(play->connected);
	REQUIRE(payload->len <= GATEWAY_PAYLOAD_MAX);
	REQUIRE(json_parse(payload->buf, payload->len, &json) == 0);
	REQUIRE(json_get(json, "op"));
}

/* All that the features read from an event, whatever the event's name: a malformed one must not hurt either. */
static void read_objects(struct play *play, const cJSON *d)
{
	struct user user;
	struct member member;
	struct role role;
	struct channel channel;
	struct message message;
	struct reaction reaction;
	struct interaction interaction;
	struct str url cleanup(str_finish) = STR_INIT;

	if (user_parse(d, &user) == 0) {
		REQUIRE(user.id != 0 && display_name(&user, NULL));
		avatar_url(&url, "https://cdn.example", GUILD, &user, NULL);
	}
	if (member_parse(d, &play->arena, &member) == 0) {
		struct member *copy = member_copy(&play->arena, &member);

		REQUIRE(copy->role_count == member.role_count);
		if (copy->user.id) {
			avatar_url(&url, "https://cdn.example", GUILD, &copy->user, copy);
			cache_learn_member(play->cache, &copy->user, copy);
			REQUIRE(cache_member(play->cache, copy->user.id));
		}
	}
	if (role_parse(d, &role) == 0)
		REQUIRE(role.id && role.name);
	if (channel_parse(d, &play->arena, &channel) == 0)
		REQUIRE(channel.id != 0);
	if (message_parse(d, &play->arena, &message) == 0)
		REQUIRE(message.id && message.author.id && message.content);
	if (reaction_parse(d, &play->arena, &reaction) == 0)
		REQUIRE(reaction.message_id && (reaction.emoji.id || reaction.emoji.name));
	if (interaction_parse(d, &play->arena, &interaction) == 0)
		REQUIRE(interaction.id && interaction.token &&
			(interaction.user.id || interaction.type == INTERACTION_PING));
}

static void read_cache(const struct cache *cache)
{
	struct str url cleanup(str_finish) = STR_INIT;
	const struct cached_member *member = NULL;
	const struct cached_role *role = NULL;
	size_t members = 0;
	bool ambiguous;

	while ((member = cache_next_member(cache, member))) {
		members++;
		REQUIRE(cache_member(cache, member->id) == member);
		REQUIRE(member->username && cached_member_name(member));
		ambiguous = false;
		REQUIRE(cache_find_member(cache, member->username, &ambiguous) || ambiguous || !*member->username ||
			*member->username == '@');
		(void)cache_permissions(cache, member, 0);
		(void)cache_permissions(cache, member, 3000);
		(void)cached_member_has_role(member, GUILD);
		cached_member_avatar(&url, cache, "https://cdn.example", member);
	}
	REQUIRE(members == cache_member_count(cache));
	while ((role = cache_next_role(cache, role)))
		REQUIRE(cache_role(cache, role->id) == role && role->name);
	(void)cache_find_channel(cache, "#general", &ambiguous);
	(void)cache_guild_name(cache);
	(void)cache_owner_id(cache);
}

static void perform(struct play *play, const struct gateway_event *event, const struct gateway_actions *actions)
{
	REQUIRE(actions->count <= GATEWAY_ACTIONS_MAX);
	for (size_t i = 0; i < actions->count; i++) {
		struct str text cleanup(str_finish) = STR_INIT;

		/* The end is the end. */
		REQUIRE(!play->done);
		switch (actions->list[i]) {
		case GATEWAY_DO_CONNECT:
			REQUIRE(!play->connected);
			gateway_address(play->gateway, &text);
			REQUIRE(strncmp(text.buf, "ws", 2) == 0);
			break;
		case GATEWAY_DO_DROP: play->connected = false; break;
		case GATEWAY_DO_HEARTBEAT:
			gateway_write_heartbeat(play->gateway, &text);
			check_payload(play, &text);
			break;
		case GATEWAY_DO_CLAIM: break;
		case GATEWAY_DO_IDENTIFY:
			gateway_write_identify(play->gateway, &text);
			check_payload(play, &text);
			break;
		case GATEWAY_DO_RESUME:
			REQUIRE(gateway_session_id(play->gateway));
			gateway_write_resume(play->gateway, &text);
			check_payload(play, &text);
			break;
		case GATEWAY_DO_SESSION: (void)gateway_resume_url(play->gateway); break;
		case GATEWAY_DO_UP:
			REQUIRE(!play->up);
			play->up = true;
			break;
		case GATEWAY_DO_DOWN: play->up = false; break;
		case GATEWAY_DO_DISPATCH:
		case GATEWAY_DO_DISPATCH_REPLAYED:
			REQUIRE(event->kind == GATEWAY_FRAME && event->name);
			cache_event(play->cache, event->name, event->d);
			(void)waits_offer(play->waits, event->name, event->d);
			read_objects(play, event->d);
			break;
		case GATEWAY_DO_FINISH:
			play->done = true;
			play->connected = false;
			break;
		}
	}
	REQUIRE(gateway_state(play->gateway) < GATEWAY_STATE_COUNT);
	REQUIRE(gateway_state_name(gateway_state(play->gateway)) && gateway_reason(play->gateway));
}

static void step(struct play *play, struct gateway_event event)
{
	struct gateway_actions actions;

	if (event.kind == GATEWAY_OPENED) {
		if (gateway_state(play->gateway) != GATEWAY_CONNECTING)
			return;
		play->connected = true;
	} else if (event.kind == GATEWAY_CLOSED) {
		play->connected = false;
	} else if ((event.kind == GATEWAY_FRAME || event.kind == GATEWAY_BROKEN) && !play->connected) {
		return;
	}
	gateway_step(play->gateway, &event, play->now, &play->random, &actions);
	perform(play, &event, &actions);
}

static void frame(struct play *play, const char *text, size_t len)
{
	cJSON *json cleanup(json_freep) = NULL;

	if (json_parse(text, len, &json) < 0 || !cJSON_IsObject(json)) {
		step(play, (struct gateway_event){ .kind = GATEWAY_BROKEN, .reason = "no JSON" });
		return;
	}
	step(play, (struct gateway_event){ .kind = GATEWAY_FRAME,
			   .op = (int)json_int(json, "op", -1),
			   .sequence = json_int(json, "s", 0),
			   .name = json_string(json, "t"),
			   .d = json_get(json, "d") });
}

static void line(struct play *play, const char *text, size_t len)
{
	/* Close codes and seconds: five digits say all. */
	int number = len > 2 ? (int)(strtol(text + 1, NULL, 10) % 100000) : 0;
	usec deadline;

	switch (text[0]) {
	case '{': frame(play, text, len); break;
	case 'o': step(play, (struct gateway_event){ .kind = GATEWAY_OPENED }); break;
	case 'c': step(play, (struct gateway_event){ .kind = GATEWAY_CLOSED, .code = number }); break;
	case 't':
		deadline = gateway_deadline(play->gateway);
		if (deadline != INT64_MAX) {
			/* It never wants to be called in the past without end, or so late that nobody waits. */
			REQUIRE(deadline <= play->now + 30 * DAY);
			play->now = MAX(play->now, deadline);
			step(play, (struct gateway_event){ .kind = GATEWAY_TIMER });
		}
		break;
	case 'p': play->now += (usec)MAX(number, 0) * SECOND; break;
	case 'k': step(play, (struct gateway_event){ .kind = GATEWAY_CLAIMED }); break;
	case 'w':
		step(play, (struct gateway_event){ .kind = GATEWAY_CLAIM_WAIT, .wait = (usec)number * SECOND });
		break;
	case 'b': step(play, (struct gateway_event){ .kind = GATEWAY_BROKEN }); break;
	case 'r': step(play, (struct gateway_event){ .kind = GATEWAY_RECONNECT }); break;
	case 'a': gateway_committed(play->gateway, gateway_sequence(play->gateway)); break;
	case 's': step(play, (struct gateway_event){ .kind = GATEWAY_STOP }); break;
	default: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gateway_options options = {
		.token = "token", .gateway_url = "wss://gateway.example", .intents = 1
	};
	struct play play = { .now = HOUR };
	char *text = xstrndup((const char *)data, size);
	struct wait *wait;

	random_init(&play.random, 1);
	play.gateway = gateway_create(&options);
	play.cache = cache_create(GUILD);
	play.waits = waits_create();
	REQUIRE(wait_open(play.waits, &(struct wait_filter){ .event = "MESSAGE_CREATE", .user_id = 5 }, &wait) == 0);
	step(&play, (struct gateway_event){ .kind = GATEWAY_START });
	for (char *at = text, *next; *at; at = next) {
		size_t len = strcspn(at, "\n");

		next = at + len + (at[len] == '\n');
		line(&play, at, len);
		arena_reset(&play.arena);
	}
	read_cache(play.cache);
	wait_close(wait);
	waits_destroy(play.waits);
	cache_destroy(play.cache);
	gateway_destroy(play.gateway);
	arena_finish(&play.arena);
	free(text);
	return 0;
}
