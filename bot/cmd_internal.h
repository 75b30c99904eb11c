/* A running command as dispatch.c makes it and cmd.c answers for it. */
#ifndef BOT_CMD_INTERNAL_H
#define BOT_CMD_INTERNAL_H

#include "bot.h"
#include "cmd.h"

/* A person who does something wrong sees it, and then it vanishes. */
#define CMD_ERROR_LIFE    (20 * SECOND)
#define CMD_INCIDENT_LIFE (10 * SECOND)

struct cmd_answer {
	/* How far the answer to an interaction is; text goes from NONE to SENT. */
	enum answer_state {
		ANSWER_NONE,      /* nothing was said yet: 3 s to go */
		ANSWER_DEFERRING, /* the deferral is on its way, in a flow of its own */
		ANSWER_DEFERRED,  /* "is thinking": 15 minutes to go */
		ANSWER_SENT,
	} state;
	bool deferred_private, last_private;
	snowflake last_id;    /* of the last answer; 0: the interaction's original response */
	unsigned count;       /* of answers, for their nonces */
	struct flow *waiting; /* the command's flow, while it waits for the deferral */
	struct timer defer;   /* slash: fires when the command takes long */
};

struct running {
	struct cmd cmd;
	struct cmd_answer answer;
	struct arena arena;
	struct interaction interaction;
	cJSON *json;         /* what `interaction` borrows from */
	const char *line;    /* text: what follows the command's name */
	const char *feature; /* name, for flows and log */
	int references;      /* the command's flow, and a deferral that is under way */
};

/* Says a sentence in an error embed, without the vanishing. For dispatch.c. */
int cmd_answer_error(struct cmd *cmd, const char *title, const char *text) warn_unused;
/* The timer of struct cmd_answer has fired. */
void cmd_defer_later(void *running);
void running_release(void *running);

struct choice_list {
	const char *typed;
	struct arena *arena;
	struct choice choices[25];
	size_t count;
	bool more;
	const char *empty;
};
/* What is sent: with the remark when nothing fits, or when there is more than fits. */
void choice_list_conclude(struct choice_list *list);

#endif
