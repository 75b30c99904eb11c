/* A local Discord for tests: REST v10, gateway v10, pictures, a chat page and a control interface, with one coherent state
 * behind them. It lives on the caller's loop, so a test drives client and server in one thread:
 *
 *	fake_create(&loop, &(struct fake_options){ .heartbeat = 200 * MILLISECOND }, &fake);
 *	... start a client on fake_api_url(fake), run the loop until it is there: fake_wait_sessions(fake, 1, SECOND) ...
 *	id = fake_say(fake, fake_member(fake, "alice"), fake_channel(fake, "general"), ".rank");
 *	r = fake_wait_message(fake, fake_channel(fake, "general"), "XP", 2 * SECOND, &message);
 *
 * All ids are snowflakes; functions that make something return its id, 0 when Discord would refuse it (the reason is in
 * fake_refusal()). Strings handed out are the fake's and valid until the loop runs again or the fake is changed, unless
 * said otherwise. Waiting functions run the loop.
 *
 * The demo guild ("SFU Test Server") has the members heidi (the owner), alice, bob (Minions), carol (Moderator), dave (Bot_manager), erin (Execs),
 * mallory (Muted), and frank, grace, ivan, judy and niaj, who have no role; the roles Execs, Bot_manager, Minions, Moderator, Muted, then the
 * bot's own ("Wall-E"), then the default level roles and a few that people give themselves, from the top down; the channels of
 * behaviour.md section 2 under their default names (those of the staff hidden from others), and general, random and bot-testing. All its
 * ids are the same at every start.
 */
#ifndef FAKE_DISCORD_FAKE_DISCORD_H
#define FAKE_DISCORD_FAKE_DISCORD_H

#include <cjson/cJSON.h>

#include "base/str.h"
#include "net/loop.h"

struct fake;

#define FAKE_TOKEN "MTAwMDAwMDAwMDAwMDAwMDAwMQ.fake.not-a-secret-token-of-the-fake"
/* Privileged intents of the gateway (GUILD_PRESENCES is the third). */
#define FAKE_INTENT_GUILD_MEMBERS   (1u << 1)
#define FAKE_INTENT_GUILD_PRESENCES (1u << 8)
#define FAKE_INTENT_MESSAGE_CONTENT (1u << 15)

/* A zeroed field means the default in brackets. */
struct fake_options {
	const char *bind;             /* (127.0.0.1) */
	int port, gateway_port;       /* (any free ones) */
	const char *token;            /* (FAKE_TOKEN) */
	unsigned members;             /* synthetic members besides the named ones, user_1 ... (0) */
	uint32_t denied_intents;      /* privileged intents that the application may not ask for: 4014 (none) */
	usec heartbeat;               /* heartbeat_interval (41.25 s) */
	usec identify_interval;       /* one identify in this time, max_concurrency is 1 (5 s; -1: no limit) */
	int identify_limit;           /* identifies per day (1000) */
	usec member_request_interval; /* between full op 8 requests of a guild (30 s) */
	usec session_timeout;         /* how long a dropped session may be resumed (3 min) */
	size_t replay;                /* events kept for a resume, of a session (16384) */
	bool no_rate_limits;          /* REST never answers 429 by itself; headers are there all the same */
	double rate_scale;            /* multiplies the windows of the rate limits (1.0) */
	bool no_journal;              /* calls are not remembered */
	const char *journal_file;     /* appended to, a line per call as rest_lint.py reads it (none) */
	bool no_demo_avatars;         /* nobody has an avatar */
};
int fake_create(struct loop *loop, const struct fake_options *options_or_null, struct fake **ret_fake) warn_unused;
void fake_destroy(struct fake *fake);

const char *fake_token(const struct fake *fake);
const char *fake_api_url(const struct fake *fake);     /* "http://127.0.0.1:PORT/api/v10" */
const char *fake_cdn_url(const struct fake *fake);     /* "http://127.0.0.1:PORT/cdn" */
const char *fake_gateway_url(const struct fake *fake); /* "ws://127.0.0.1:PORT" */
const char *fake_page_url(const struct fake *fake);    /* "http://127.0.0.1:PORT/" */
/* Why the last call of this header's functions was refused; "" when it was not. */
const char *fake_refusal(const struct fake *fake);

/* The fake's clock runs with the loop's; this moves it forward, so that time rules (3 s and 15 min of interactions, rate
 * limits, session timeouts, op 8) can be tested without waiting. */
void fake_advance(struct fake *fake, usec by);

/* ---- looking things up by name; 0 when there is none ---- */
uint64_t fake_guild(const struct fake *fake);
uint64_t fake_bot(const struct fake *fake); /* the bot's user, and the application, which share the id */
uint64_t fake_owner(const struct fake *fake);
uint64_t fake_member(const struct fake *fake, const char *username);
uint64_t fake_channel(const struct fake *fake, const char *name);
uint64_t fake_role(const struct fake *fake, const char *name);
uint64_t fake_dm(struct fake *fake,
	uint64_t user); /* the direct channel between this person and the bot, opened when there is none */
bool fake_has_role(const struct fake *fake, uint64_t user, uint64_t role);
bool fake_is_member(const struct fake *fake, uint64_t user);
bool fake_is_banned(const struct fake *fake, uint64_t user);

/* ---- acting as a member ---- */
struct fake_message_options {
	const char *content;
	uint64_t reply_to;  /* a message of the same channel */
	const char *embeds; /* JSON array, for messages of webhooks and bots */
	const char *file_name, *file_type;
	const void *file;
	size_t file_len;
	bool webhook; /* comes from a webhook of this name instead of a person */
	usec at;      /* Unix time in the id and the timestamp (0: now) */
};
uint64_t fake_say(struct fake *fake, uint64_t user, uint64_t channel, const char *content);
uint64_t fake_post(struct fake *fake, uint64_t user, uint64_t channel, const struct fake_message_options *options);
int fake_edit(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *content);
int fake_delete(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message);
int fake_delete_bulk(struct fake *fake, uint64_t channel, const uint64_t *messages, size_t count);
/* emoji: a character, or name:id */
int fake_react(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji);
int fake_unreact(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji);
int fake_clear_reactions(struct fake *fake, uint64_t channel, uint64_t message);
uint64_t fake_join(struct fake *fake, const char *username, const char *global_name,
	bool bot); /* a new person, or one of old who left */
int fake_leave(struct fake *fake, uint64_t user);
int fake_rename(struct fake *fake, uint64_t user, const char *username, const char *global_name_or_null);
int fake_nick(struct fake *fake, uint64_t user, const char *nick_or_null);
/* A hash as in the CDN's addresses (32 hexadecimal digits), or NULL. `guild`: the avatar of the member in the guild. */
int fake_avatar(struct fake *fake, uint64_t user, const char *hash_or_null, bool guild);
int fake_role_add(struct fake *fake, uint64_t user, uint64_t role);
int fake_role_remove(struct fake *fake, uint64_t user, uint64_t role);
uint64_t fake_role_create(struct fake *fake, const char *name, uint64_t permissions, int position);
int fake_role_delete(struct fake *fake, uint64_t role);
int fake_role_rename(struct fake *fake, uint64_t role, const char *name);
/* type as Discord numbers them; threads (11 public, 12 private) are the owner's and have a text channel as parent. */
uint64_t fake_channel_create(struct fake *fake, const char *name, int type, uint64_t parent);
/* As if somebody had mentioned him there. Who writes in a thread joins it by himself. */
int fake_thread_add(struct fake *fake, uint64_t thread, uint64_t user);
int fake_channel_delete(struct fake *fake, uint64_t channel);
/* Sets the overwrite of a role or member in a channel; both 0 removes it. */
int fake_channel_permit(struct fake *fake, uint64_t channel, uint64_t role_or_user, uint64_t allow, uint64_t deny);
/* As a moderator would by hand, with audit log entry. */
int fake_ban(struct fake *fake, uint64_t moderator, uint64_t user, const char *reason_or_null);
int fake_unban(struct fake *fake, uint64_t moderator, uint64_t user);
int fake_kick(struct fake *fake, uint64_t moderator, uint64_t user, const char *reason_or_null);
/* Direct messages from the bot to this person are refused with 50007. */
int fake_close_dms(struct fake *fake, uint64_t user, bool closed);
int fake_typing(struct fake *fake, uint64_t user, uint64_t channel);

/* ---- interactions ---- */
struct fake_option {
	const char *name, *value; /* ids and numbers as decimal text; ends with name NULL */
};
/* Runs a slash command as the command's registration says; "rr make" names a subcommand. The interaction's id; 0 when there is no such
 * command, an option is missing, of the wrong type or out of range, or the member may not use it. */
uint64_t fake_slash(struct fake *fake, uint64_t user, uint64_t channel, const char *command,
	const struct fake_option *options_or_null);
uint64_t fake_autocomplete(struct fake *fake, uint64_t user, uint64_t channel, const char *command,
	const struct fake_option *options_or_null, const char *focused);
/* Presses a button, or chooses in a select menu (`values` ends with NULL). */
uint64_t fake_click(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *custom_id);
uint64_t fake_select(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *custom_id,
	const char *const *values);
uint64_t fake_modal_submit(struct fake *fake, uint64_t interaction, const struct fake_option *values);

enum fake_interaction_state {
	FAKE_INTERACTION_WAITING,  /* nothing was answered yet */
	FAKE_INTERACTION_DEFERRED, /* "is thinking", or a silently deferred update */
	FAKE_INTERACTION_ANSWERED, /* a message, choices, an update or a modal is there */
	FAKE_INTERACTION_FAILED,   /* 3 s went by: "The application did not respond" */
};
struct fake_interaction_view {
	uint64_t id, user, channel;
	enum fake_interaction_state state;
	int callback; /* the type of the first answer, 0 when there is none */
	bool ephemeral;
	uint64_t message; /* the original answer, 0 when there is none or it was deleted */
	size_t followups;
	const cJSON *data; /* the first answer's `data`: choices, modal; may be NULL */
};
int fake_interaction(struct fake *fake, uint64_t interaction, struct fake_interaction_view *ret_view) warn_unused;

/* ---- seeing ---- */
struct fake_message_view {
	uint64_t id, channel, author, reply_to;
	uint64_t interaction; /* whose answer it is */
	const char *content;
	const cJSON *embeds, *components, *attachments; /* arrays, may be NULL */
	bool ephemeral;
	bool edited;
	unsigned flags;
	size_t reactions; /* of everybody */
};
int fake_message(struct fake *fake, uint64_t channel, uint64_t message, struct fake_message_view *ret_view) warn_unused;
/* The newest visible message of a channel (ephemeral ones included); -ENOENT. */
int fake_last_message(struct fake *fake, uint64_t channel, struct fake_message_view *ret_view) warn_unused;
/* How many messages the channel has. */
size_t fake_message_count(const struct fake *fake, uint64_t channel);
bool fake_reacted(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji);
/* The picture of the guild's state as the control interface tells it, for whatever has no function here. The caller's (cJSON_Delete()). */
cJSON *fake_state(struct fake *fake);

/* ---- waiting: 0, or -ETIMEDOUT; `text` is searched in content and embeds, NULL matches everything ---- */
typedef bool fake_done_fn(void *arg);
int fake_wait(struct fake *fake, fake_done_fn *done, void *arg, usec patience) warn_unused;
/* A message of the bot that was posted or edited after the mark; every successful wait and every act of a member sets the mark, so that what a
 * test waits for is the answer to what it did last. */
int fake_wait_message(struct fake *fake, uint64_t channel, const char *text, usec patience,
	struct fake_message_view *ret_view) warn_unused;
/* The message `id` matches the text (for edits). */
int fake_wait_edit(struct fake *fake, uint64_t channel, uint64_t id, const char *text, usec patience,
	struct fake_message_view *ret_view) warn_unused;
int fake_wait_deleted(struct fake *fake, uint64_t channel, uint64_t id, usec patience) warn_unused;
int fake_wait_reaction(struct fake *fake, uint64_t user, uint64_t channel, uint64_t message, const char *emoji,
	usec patience) warn_unused;
int fake_wait_role(struct fake *fake, uint64_t user, uint64_t role, bool has, usec patience) warn_unused;
/* The interaction was answered (`answered`) or at least acknowledged. */
int fake_wait_interaction(struct fake *fake, uint64_t interaction, bool answered, usec patience,
	struct fake_interaction_view *ret_view) warn_unused;
/* At least so many live, identified or resumed sessions that have got all that was sent. */
int fake_wait_sessions(struct fake *fake, size_t count, usec patience) warn_unused;
int fake_wait_commands(struct fake *fake, size_t at_least, usec patience) warn_unused;
/* At least `count` journalled calls of this method and template ("/channels/{channel_id}/messages"). */
int fake_wait_calls(
	struct fake *fake, const char *method, const char *template, size_t count, usec patience) warn_unused;
/* Nothing is queued for any session and no REST call is under way, for `quiet` long. */
int fake_wait_quiet(struct fake *fake, usec quiet, usec patience) warn_unused;

/* ---- the journal of REST calls ---- */
struct fake_call {
	uint64_t number; /* from 1 */
	usec at;         /* Unix time */
	const char *method, *template,
		*path; /* path without /api/v10; interaction tokens are replaced by a placeholder */
	const char *query, *user_agent, *content_type, *reason;
	const char *body; /* JSON text, of a multipart request its payload_json; NULL when there is none */
	int status;       /* of the answer; 0 when it was dropped */
	int code;         /* Discord's error code; 0 */
};
size_t fake_calls(const struct fake *fake); /* remembered calls (the newest 65536) */
const struct fake_call *fake_call(const struct fake *fake, size_t index);
size_t fake_count_calls(
	const struct fake *fake, const char *method, const char *template, const char *body_part_or_null);
void fake_forget_calls(struct fake *fake);
/* One line of JSON per call, as rest_lint.py reads it. */
void fake_write_calls(const struct fake *fake, struct str *out);

/* ---- gateway: what happened, and faults ---- */
struct fake_gateway_stats {
	size_t connections;                                   /* open now */
	size_t sessions;                                      /* with a connection now */
	uint64_t connected, identified, resumed, invalidated; /* since the start */
	uint64_t closed_by_us;                                /* with a close code */
	uint64_t dispatched, heartbeats, acks;
	int last_client_close; /* the code of the last close frame received; 0: the last connection ended without one */
	int last_close;        /* the last close code that we sent */
	uint32_t last_intents;
	uint64_t queued; /* bytes that wait for a client */
	int64_t last_sequence;
};
void fake_gateway(const struct fake *fake, struct fake_gateway_stats *ret_stats);

/* Which connection: by order of opening, 0 is the oldest, FAKE_ALL is every one. */
#define FAKE_ALL (-1)
void fake_gateway_drop(struct fake *fake, int which);                       /* bare end of the connection */
void fake_gateway_reset(struct fake *fake, int which);                      /* TCP reset */
void fake_gateway_close(struct fake *fake, int which, int code);            /* close frame */
void fake_gateway_reconnect(struct fake *fake, int which);                  /* op 7 */
void fake_gateway_invalidate(struct fake *fake, int which, bool resumable); /* op 9 */
void fake_gateway_ask_heartbeat(struct fake *fake, int which);              /* op 1 */
/* Any text as a frame, for instance what is no JSON. */
void fake_gateway_send(struct fake *fake, int which, const char *text, size_t len);
/* Dispatches any event to the sessions whose intents allow it. */
void fake_dispatch(struct fake *fake, const char *event, const char *data_json);

struct fake_gateway_faults {
	bool no_ack;                 /* heartbeats are not acknowledged */
	bool silent;                 /* connections are accepted and nothing is ever sent */
	bool reconnect_before_hello; /* op 7 is the first thing that a new connection hears */
	int refuse_resumes;          /* so many RESUMEs are answered by op 9 false */
	int drop_resumes;            /* so many RESUMEs end in a bare drop */
	int refuse_identifies;       /* so many IDENTIFYs are answered by op 9 false */
	int refuse_connections;      /* so many connections are dropped before the upgrade */
	int close_identifies;        /* the close code that answers every IDENTIFY; 0: none */
	size_t fragment;     /* frames are cut into fragments of so many bytes, with a ping in between; 0: off */
	size_t dribble;      /* bytes per write, one write per turn of the loop; 0: off */
	int duplicate;       /* so many of the next dispatches are sent twice (with one sequence number) */
	int skip;            /* so many of the next dispatches are not sent at all (the sequence goes on) */
	int missing_chunks;  /* so many of the next member chunks are lost */
	usec chunk_delay;    /* before each member chunk */
	usec dispatch_delay; /* READY and GUILD_CREATE come so much later */
};
/* Replaces the faults in force; a zeroed struct ends all. */
void fake_gateway_set_faults(struct fake *fake, const struct fake_gateway_faults *faults);
void fake_gateway_get_faults(const struct fake *fake, struct fake_gateway_faults *ret_faults);
/* The guild becomes unavailable (GUILD_DELETE) and comes back (GUILD_CREATE). */
void fake_outage(struct fake *fake, bool on);
/* The bot is thrown out of the guild, and invited again. */
void fake_remove_bot(struct fake *fake);
void fake_invite_bot(struct fake *fake);
/* Forgets all sessions, as a restart of Discord's gateway does: resumes get op 9 false. */
void fake_forget_sessions(struct fake *fake);

/* ---- REST faults ---- */
enum fake_rest_fault_kind {
	FAKE_REST_STATUS,       /* answer `status` (500, 502, 503, ...) without the effect */
	FAKE_REST_LOST_ANSWER,  /* do the effect, then drop the connection */
	FAKE_REST_LOST_REQUEST, /* drop the connection without the effect */
	FAKE_REST_SLOW,         /* answer after `delay` */
	FAKE_REST_LIMIT_USER,   /* 429 with `delay` as retry_after, scope user */
	FAKE_REST_LIMIT_GLOBAL,
	FAKE_REST_LIMIT_SHARED,
	FAKE_REST_LIMIT_HTML,      /* 429 as Cloudflare sends it: HTML, no rate-limit headers, no Via */
	FAKE_REST_GARBAGE,         /* 200 with a body that is no JSON; without the effect */
	FAKE_REST_BAD_STATUS_BODY, /* effect, then `status` with an HTML body */
};
struct fake_rest_fault {
	enum fake_rest_fault_kind kind;
	const char *method; /* NULL: any */
	const char *path;   /* shell pattern on the path without /api/v10, or a template; NULL: any */
	int count;          /* calls that it hits; 0: one; -1: until fake_rest_clear_faults() */
	int skip;           /* calls that it lets through first */
	int status;         /* of FAKE_REST_STATUS and _BAD_STATUS_BODY (503) */
	usec delay;         /* (1 s) */
};
int fake_rest_fault(
	struct fake *fake, const struct fake_rest_fault *fault); /* -ENOBUFS: 64 faults are waiting already */
void fake_rest_clear_faults(struct fake *fake);
void fake_reset_rate_limits(struct fake *fake);
void fake_set_rate_limits(struct fake *fake, bool on);
/* The bucket hash of this template alternates with every call (Discord does that now and then). */
void fake_alternate_buckets(struct fake *fake, const char *template_or_null);
/* From now on this token is wrong for REST and the gateway: 401, 4004. */
void fake_revoke_token(struct fake *fake);

/* ---- a flood of messages, for benchmarks ---- */
struct fake_stream {
	uint64_t channel;
	uint64_t count;      /* messages */
	unsigned members;    /* that write in turn, the synthetic ones first (all) */
	usec start;          /* Unix time of the first message (now) */
	usec step;           /* between the times of two messages (1 ms) */
	const char *content; /* ("message") */
	uint64_t rate;       /* per second; 0: as fast as the clients take them */
	bool keep;           /* the messages are kept in the state (not by default) */
	bool no_replay;      /* they are not kept for a resume either */
};
int fake_stream_start(struct fake *fake, const struct fake_stream *stream); /* -EBUSY: one is running */
/* Messages that were handed to every session's connection so far; `ret_done` when all were and nothing is queued. */
uint64_t fake_stream_progress(const struct fake *fake, bool *ret_done);

#endif
