/* Requests of the control interface that are answered when something has come true (CONTROL.md, `wait` and `autocomplete`). What they wait for is
 * looked at every few milliseconds while there are such requests: simple, and it cannot miss a change. */
#include <stdlib.h>
#include <utlist.h>

#include "control_private.h"
#include "interactions.h"
#include "messages.h"
#include "net/httpd.h"
#include "write.h"

#define LOOK_EVERY (10 * MILLISECOND)
#define WAITS_MAX  128

enum wait_kind { WAIT_MESSAGE, WAIT_SESSIONS, WAIT_COMMANDS, WAIT_CALLS, WAIT_INTERACTION, WAIT_ROLE, WAIT_CHOICES };

struct waiter {
	struct waiter *prev, *next;
	struct httpd_request *request; /* NULL: the client has gone */
	enum wait_kind kind;
	usec deadline;
	uint64_t channel, after, id, user, role;
	size_t count;
	char *text, *method, *template;
};

struct waits {
	struct fake *fake;
	struct waiter *list;
	size_t count;
	struct timer timer;
};

static const struct message *find_message(const struct fake *fake, const struct waiter *waiter)
{
	const struct channel *channel = state_channel(&fake->state, waiter->channel);

	for (size_t i = channel ? channel->message_count : 0; i > 0; i--) {
		const struct message *message = channel->messages[i - 1];

		if (message->id <= waiter->after)
			break;
		if (message->flags & MESSAGE_LOADING)
			continue;
		if (message_contains(message, waiter->text))
			return message;
	}
	return NULL;
}

/* Whether it has come true; then the answer's fields were written. */
static bool is_true(struct fake *fake, const struct waiter *waiter, struct json_writer *w)
{
	struct fake_interaction_view view;
	struct fake_gateway_stats stats;
	const struct message *message;

	switch (waiter->kind) {
	case WAIT_MESSAGE:
		message = find_message(fake, waiter);
		if (!message)
			return false;
		json_key(w, "message");
		write_message(w, &fake->state, message, (struct message_form){ .gateway = true });
		return true;
	case WAIT_SESSIONS: fake_gateway(fake, &stats); return stats.sessions >= waiter->count;
	case WAIT_COMMANDS: return fake->state.command_count >= waiter->count;
	case WAIT_CALLS: return fake_count_calls(fake, waiter->method, waiter->template, NULL) >= waiter->count;
	case WAIT_ROLE: return fake_has_role(fake, waiter->user, waiter->role);
	case WAIT_INTERACTION:
	case WAIT_CHOICES:
		if (fake_interaction(fake, waiter->id, &view) < 0 || view.state < FAKE_INTERACTION_ANSWERED)
			return false;
		control_write_interaction(fake, waiter->id, w);
		if (waiter->kind == WAIT_CHOICES) {
			json_key(w, "choices");
			if (json_array(view.data, "choices"))
				json_write_tree(w, json_array(view.data, "choices"));
			else
				json_write_raw(w, "[]", 2);
		}
		return true;
	}
	return false;
}

static void waiter_free(struct waits *waits, struct waiter *waiter)
{
	if (waiter->request)
		httpd_set_user(waiter->request, NULL, NULL);
	DL_DELETE(waits->list, waiter); /* NOLINT(clang-analyzer-core.NullDereference): it is in the list */
	waits->count--;
	free(waiter->text);
	free(waiter->method);
	free(waiter->template);
	free(waiter);
}

static void look_at(struct waits *waits, struct waiter *waiter, usec now)
{
	struct str out cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	struct httpd_request *request = waiter->request;
	bool done;

	if (!request) {
		waiter_free(waits, waiter);
		return;
	}
	json_begin_object(&w);
	json_put_bool(&w, "ok", true);
	done = is_true(waits->fake, waiter, &w);
	json_end_object(&w);
	if (!done && now < waiter->deadline)
		return;
	waiter_free(waits, waiter);
	if (done)
		httpd_respond(request, 200, "application/json", NULL, out.buf, out.len);
	else
		httpd_respond(request, 408, "application/json", NULL, "{\"error\":\"it did not happen in time\"}", 37);
}

static void on_timer(void *arg)
{
	struct waits *waits = arg;
	struct waiter *waiter, *next;

	DL_FOREACH_SAFE (waits->list, waiter, next)
		look_at(waits, waiter, loop_now(waits->fake->loop));
	if (waits->list)
		timer_start(&waits->timer, LOOK_EVERY);
}

struct waits *control_waits_create(struct fake *fake)
{
	struct waits *waits = xcalloc(1, sizeof(*waits));

	waits->fake = fake;
	timer_init(&waits->timer, fake->loop, on_timer, waits);
	return waits;
}

void control_waits_destroy(struct waits *waits)
{
	if (!waits)
		return;
	while (waits->list)
		waiter_free(waits, waits->list);
	timer_finish(&waits->timer);
	free(waits);
}

static void waiter_gone(void *user)
{
	((struct waiter *)user)->request = NULL;
}

/* Takes the waiter's strings. */
static void add_waiter(struct ask *ask, const struct waiter *about, usec patience)
{
	struct waits *waits = control_waits(ask->control);
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));

	*waiter = *about;
	DL_APPEND(waits->list, waiter);
	waits->count++;
	if (!ask_fine(ask) || waits->count > WAITS_MAX) {
		ask_refuse(ask, 503, "too many requests are waiting");
		waiter_free(waits, waiter);
		return;
	}
	waiter->request = ask->request;
	waiter->deadline = loop_now(ask->fake->loop) + patience;
	httpd_set_user(ask->request, waiter, waiter_gone);
	ask->later = true;
	if (!timer_active(&waits->timer))
		timer_start(&waits->timer, 0);
}

void control_wait_choices(struct ask *ask, uint64_t interaction)
{
	add_waiter(ask, &(struct waiter){ .kind = WAIT_CHOICES, .id = interaction }, INTERACTION_ANSWER_TIME + SECOND);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void control_wait(struct ask *ask)
{
	static const struct {
		const char *name;
		enum wait_kind kind;
	} kinds[] = { { "message", WAIT_MESSAGE }, { "sessions", WAIT_SESSIONS }, { "commands", WAIT_COMMANDS },
		{ "calls", WAIT_CALLS }, { "interaction", WAIT_INTERACTION }, { "role", WAIT_ROLE } };
	const char *name = ask_needed(ask, "for");
	int64_t timeout = ask_int(ask, "timeout", 0, 120, 10);
	struct waiter waiter = { .count = (size_t)ask_int(ask, "count", 0, INT32_MAX, 1) };
	size_t i = 0;

	while (i < ARRAY_SIZE(kinds) && !streq(kinds[i].name, name))
		i++;
	if (i == ARRAY_SIZE(kinds)) {
		ask_refuse(ask, 400, "for must be message, sessions, commands, calls, interaction or role");
		return;
	}
	waiter.kind = kinds[i].kind;
	if (waiter.kind == WAIT_MESSAGE) {
		uint64_t user = ask_has(ask, "user") ? ask_user(ask, "user") : 0;

		waiter.channel = ask_channel(ask, user);
		waiter.after = ask_has(ask, "after") ? ask_id(ask, "after") : 0;
		waiter.text = copy(ask_text(ask, "text"));
	} else if (waiter.kind == WAIT_CALLS) {
		waiter.method = copy(ask_text(ask, "method"));
		waiter.template = copy(ask_text(ask, "template"));
	} else if (waiter.kind == WAIT_INTERACTION) {
		waiter.id = ask_id(ask, "id");
	} else if (waiter.kind == WAIT_ROLE) {
		waiter.user = ask_user(ask, "user");
		waiter.role = ask_role(ask);
	}
	add_waiter(ask, &waiter, timeout * SECOND);
}
