/* The state as JSON, in the shapes of Discord's documentation. Functions named write_x write one value. */
#ifndef FAKE_WRITE_H
#define FAKE_WRITE_H

#include "base/json.h"
#include "state.h"

/* "2026-11-22T14:05:01.123000+00:00" as a string value; 0 or less becomes null. */
void write_time(struct json_writer *w, usec at);
void put_time(struct json_writer *w, const char *key, usec at);
/* Permission bits are strings. */
void put_bits(struct json_writer *w, const char *key, uint64_t bits);

void write_user(struct json_writer *w, const struct user *user);
/* The fields of a user inside an open object. */
void write_user_fields(struct json_writer *w, const struct user *user);
/* The fields of a member inside an open object, without `user`. */
void write_member_fields(struct json_writer *w, const struct state *state, const struct user *user);
void write_member(struct json_writer *w, const struct state *state, const struct user *user);
void write_role(struct json_writer *w, const struct role *role);
void write_channel_fields(struct json_writer *w, const struct state *state, const struct channel *channel);
void write_channel(struct json_writer *w, const struct state *state, const struct channel *channel);
void write_thread_member(struct json_writer *w, const struct channel *thread, uint64_t user);
void write_emoji(struct json_writer *w, const char *name, uint64_t id);
void write_audit(struct json_writer *w, const struct audit *audit);
void write_command(struct json_writer *w, const struct state *state, const struct command *command);
void write_guild_fields(struct json_writer *w, const struct state *state);
/* Of an application in few servers that has registered commands: which privileged intents it may ask for. */
uint32_t application_flags(uint32_t denied_intents);

struct message_form {
	bool gateway;    /* with guild_id and the author's member, as dispatches have it */
	bool bare;       /* without content: the session lacks the MESSAGE_CONTENT intent */
	bool with_nonce; /* in the dispatch of its creation and the answer to it */
	uint64_t viewer; /* whose own reactions are marked (0: the bot's, as Discord tells it) */
};
void write_message(
	struct json_writer *w, const struct state *state, const struct message *message, struct message_form form);

#endif
