/* Subscriptions to events: a list that the dispatcher offers each event to, and a bounded queue per subscription. */
#include "discord/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "net/flow.h"

#define QUEUE_MAX  32  /* events that wait in one subscription; then the oldest goes */
#define EVENT_MAX  48  /* bytes of an event's name */
#define PREFIX_MAX 101 /* bytes of a custom id, which has at most 100 */

struct waits {
	struct wait *list;
	size_t count;
};

struct wait {
	struct waits *waits;
	struct wait_filter filter;
	char event[EVENT_MAX];
	char prefix[PREFIX_MAX];
	cJSON *queue[QUEUE_MAX];
	size_t head, len;
	cJSON *handed_out;   /* what wait_next() returned last */
	struct flow *waiter; /* suspended in wait_next() */
	struct wait *prev, *next;
};

struct waits *waits_create(void)
{
	return xcalloc(1, sizeof(struct waits));
}

void waits_destroy(struct waits *waits)
{
	free(waits);
}

size_t waits_count(const struct waits *waits)
{
	return waits->count;
}

int wait_open(struct waits *waits, const struct wait_filter *filter, struct wait **ret_wait)
{
	struct wait *wait;

	if (!filter->event || strlen(filter->event) >= EVENT_MAX)
		return -EINVAL;
	if (filter->custom_id_prefix && strlen(filter->custom_id_prefix) >= PREFIX_MAX)
		return -EINVAL;
	wait = xcalloc(1, sizeof(*wait));
	wait->waits = waits;
	wait->filter = *filter;
	memcpy(wait->event, filter->event, strlen(filter->event) + 1);
	wait->filter.event = wait->event;
	if (filter->custom_id_prefix) {
		memcpy(wait->prefix, filter->custom_id_prefix, strlen(filter->custom_id_prefix) + 1);
		wait->filter.custom_id_prefix = wait->prefix;
	}
	DL_APPEND(waits->list, wait);
	waits->count++;
	*ret_wait = wait;
	return 0;
}

static cJSON *queue_pop(struct wait *wait)
{
	cJSON *first = wait->queue[wait->head];

	wait->head = (wait->head + 1) % QUEUE_MAX;
	wait->len--;
	return first;
}

void wait_close(struct wait *wait)
{
	if (!wait)
		return;
	DL_DELETE(wait->waits->list, wait);
	wait->waits->count--;
	while (wait->len > 0)
		cJSON_Delete(queue_pop(wait));
	cJSON_Delete(wait->handed_out);
	free(wait);
}

void wait_closep(struct wait **wait)
{
	wait_close(*wait);
}

int wait_next(struct wait *wait, usec patience, const cJSON **ret_event)
{
	usec deadline = clock_monotonic() + patience;
	int r = 0;

	cJSON_Delete(wait->handed_out);
	wait->handed_out = NULL;
	while (wait->len == 0 && r == 0) {
		wait->waiter = flow_current();
		r = flow_suspend("an event", deadline);
		wait->waiter = NULL;
	}
	/* what is in the queue came before the deadline; only the end of the flow goes first */
	if (r == -ECANCELED || wait->len == 0)
		return r;
	wait->handed_out = queue_pop(wait);
	*ret_event = wait->handed_out;
	return 0;
}

/* ---- matching ---- */

/* What the filters look at, the same for all kinds of events. */
struct facts {
	snowflake message_id, channel_id, user_id;
	bool bot;
	const char *custom_id; /* of a button; NULL: none */
};

static void user_facts(const cJSON *user, struct facts *facts)
{
	facts->user_id = json_snowflake(user, "id");
	facts->bot = json_bool(user, "bot", false);
}

static bool message_facts(const cJSON *d, struct facts *facts)
{
	facts->message_id = json_snowflake(json_object(d, "message_reference"), "message_id");
	user_facts(json_object(d, "author"), facts);
	return true;
}

static bool reaction_facts(const cJSON *d, struct facts *facts)
{
	facts->message_id = json_snowflake(d, "message_id");
	user_facts(json_object(json_object(d, "member"), "user"), facts);
	facts->user_id = json_snowflake(d, "user_id");
	return true;
}

/* Buttons only: commands are the dispatcher's. */
static bool interaction_facts(const cJSON *d, struct facts *facts)
{
	const cJSON *member = json_object(d, "member");

	facts->message_id = json_snowflake(json_object(d, "message"), "id");
	facts->custom_id = json_string(json_object(d, "data"), "custom_id");
	user_facts(json_object(member ? member : d, "user"), facts);
	return json_int(d, "type", 0) == INTERACTION_MESSAGE_COMPONENT;
}

static const struct fact_reader {
	const char *event;
	bool (*read)(const cJSON *d, struct facts *facts);
} fact_readers[] = {
	{ "MESSAGE_CREATE", message_facts },
	{ "MESSAGE_REACTION_ADD", reaction_facts },
	{ "MESSAGE_REACTION_REMOVE", reaction_facts },
	{ "INTERACTION_CREATE", interaction_facts },
};

static bool facts_read(const char *event, const cJSON *d, struct facts *facts)
{
	facts->channel_id = json_snowflake(d, "channel_id");
	for (size_t i = 0; i < ARRAY_SIZE(fact_readers); i++)
		if (streq(fact_readers[i].event, event))
			return fact_readers[i].read(d, facts);
	return true;
}

static bool filter_matches(const struct wait_filter *filter, const char *event, const struct facts *facts)
{
	return streq(filter->event, event) && (!filter->message_id || filter->message_id == facts->message_id) &&
	       (!filter->channel_id || filter->channel_id == facts->channel_id) &&
	       (!filter->user_id || filter->user_id == facts->user_id) && (filter->bots || !facts->bot) &&
	       (!filter->custom_id_prefix || (facts->custom_id && strncmp(facts->custom_id, filter->custom_id_prefix,
									  strlen(filter->custom_id_prefix)) == 0));
}

static void wait_take(struct wait *wait, const cJSON *d)
{
	cJSON *copy = cJSON_Duplicate(d, true);

	if (!copy)
		return;
	if (wait->len == QUEUE_MAX)
		cJSON_Delete(queue_pop(wait));
	wait->queue[(wait->head + wait->len) % QUEUE_MAX] = copy;
	wait->len++;
	if (wait->waiter)
		flow_wake(wait->waiter);
}

bool waits_offer(struct waits *waits, const char *event, const cJSON *d)
{
	struct facts facts = { 0 };
	bool taken = false;

	if (!waits->list || !facts_read(event, d, &facts))
		return false;
	for (struct wait *wait = waits->list; wait; wait = wait->next) {
		if (!filter_matches(&wait->filter, event, &facts))
			continue;
		wait_take(wait, d);
		taken = true;
	}
	return taken;
}
