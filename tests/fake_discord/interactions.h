/* Interactions: slash commands, autocomplete, components and modals, from the person's act to the bot's answers, with Discord's time rules: 3 s for
 * the first answer, 15 min for the rest (interactions/receiving-and-responding). */
#ifndef FAKE_INTERACTIONS_H
#define FAKE_INTERACTIONS_H

#include <uthash.h>

#include "fake.h"

#define INTERACTION_ANSWER_TIME (3 * SECOND)
#define INTERACTION_TOKEN_TIME  (15 * MINUTE)

enum interaction_type {
	INTERACTION_COMMAND = 2,
	INTERACTION_COMPONENT = 3,
	INTERACTION_AUTOCOMPLETE = 4,
	INTERACTION_MODAL = 5,
};

enum callback_type {
	CALLBACK_MESSAGE = 4,
	CALLBACK_DEFER = 5,
	CALLBACK_DEFER_UPDATE = 6,
	CALLBACK_UPDATE = 7,
	CALLBACK_CHOICES = 8,
	CALLBACK_MODAL = 9,
};

struct interaction {
	uint64_t id;
	char token[96];
	enum interaction_type type;
	uint64_t user, channel;
	uint64_t message; /* that a component belongs to */
	char *command;    /* "rr make"; NULL for components */
	usec created;     /* fake_now() */
	enum fake_interaction_state state;
	int callback;
	bool ephemeral;
	uint64_t original; /* the message of the first answer */
	size_t followups;
	cJSON *answer; /* the first answer's data */
	UT_hash_handle hh;
};

struct interactions *interactions_create(struct fake *fake);
void interactions_destroy(struct interactions *interactions);
/* Marks those as failed whose 3 s are over. */
void interactions_expire(struct interactions *interactions);
struct interaction *interactions_find(struct interactions *interactions, uint64_t id);
struct interaction *interactions_by_token(struct interactions *interactions, const char *token);
/* Makes one and tells the bot. `data` is taken. The id. */
uint64_t interactions_start(struct fake *fake, enum interaction_type type, uint64_t user, uint64_t channel,
	uint64_t message, const char *command, cJSON *data);
/* Whether this person may run this command in this channel (interaction_input.c). */
bool interaction_may_use(
	const struct fake *fake, uint64_t user, const struct channel *channel, const struct command *command);
/* Changes its state and tells the page; `data` may be NULL. */
void interaction_answered(struct fake *fake, struct interaction *interaction, enum fake_interaction_state state);

#endif
