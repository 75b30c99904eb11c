/* Between the gateway client and the database: every dispatch runs inside the batch's transaction, the session is
 * stored with the effects, identifies are claimed in the database that both services share.
 *
 * Errors have two ways. What happens inside one of the client's calls is returned, and the client reconnects by
 * itself; a commit that fails at any other time (timer, command) reaches gateway_batch_failed(), which asks the
 * client to reconnect.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "service_private.h"

/* Discord lets an application identify once in 5 s (max_concurrency 1); the margin is for clocks and the way to
 * Discord. */
#define IDENTIFY_SPACING (5 * SECOND + 250 * MILLISECOND)
/* Of 1000 in 24 hours; beyond, Discord resets the token. */
#define IDENTIFY_LIMIT 950

/* Privileged intents, and the application's flags that say whether they are switched on (Discord's documentation,
 * resources/application: the second flag is that of small applications). */
static const struct {
	uint32_t intent;
	int64_t flags;
	const char *name, *switch_name;
} privileged[] = {
	{ INTENT_GUILD_MEMBERS, 1 << 14 | 1 << 15, "GUILD_MEMBERS", "Server Members Intent" },
	{ INTENT_MESSAGE_CONTENT, 1 << 18 | 1 << 19, "MESSAGE_CONTENT", "Message Content Intent" },
};

uint32_t gateway_privileged(uint32_t intents)
{
	uint32_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		found |= intents & privileged[i].intent;
	return found;
}

uint32_t gateway_denied_by_flags(uint32_t intents, int64_t application_flags)
{
	uint32_t denied = 0;

	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++)
		if (intents & privileged[i].intent && !(application_flags & privileged[i].flags))
			denied |= privileged[i].intent;
	return denied;
}

void gateway_describe_intents(struct str *out, uint32_t intents)
{
	const char *separator = "";

	for (size_t i = 0; i < ARRAY_SIZE(privileged); i++) {
		if (!(intents & privileged[i].intent))
			continue;
		str_printf(out, "%s%s (\"%s\")", separator, privileged[i].name, privileged[i].switch_name);
		separator = " and ";
	}
}

/* -EBADMSG from a hook may mean a malformed event or a damaged database; the one is dropped, the other ends the
 * program. The database is asked, at most once a minute. */
static int judge_bad_message(struct service *service)
{
	struct service_private *p = service->private;
	struct str report cleanup(str_finish) = STR_INIT;
	usec now = loop_now(&service->loop);

	if (p->checked_at && now - p->checked_at < MINUTE)
		return -EINVAL;
	if (db_check(service->db, true, &report) == -EBADMSG)
		return -EBADMSG;
	p->checked_at = now;
	return -EINVAL;
}

static int on_dispatch(void *arg, const char *event, const cJSON *d, int64_t sequence, bool replayed)
{
	struct service *service = arg;
	struct service_private *p = service->private;
	int r;

	/* Discord replays what comes after the committed sequence, to us or to the program that runs after us. */
	if (p->phase == SERVICE_STOPPING)
		return -ESHUTDOWN;
	p->in_gateway = true;
	r = batch_event_begin(service->batch);
	if (r >= 0) {
		r = service->definition->dispatch(service, event, d, replayed);
		if (r == -EBADMSG)
			r = judge_bad_message(service);
		if (r < 0)
			log_error("an event's effects could not be stored", LOG_STR("event", event), LOG_ERRNO(r));
		r = batch_event_end(service->batch, sequence, r);
	}
	p->in_gateway = false;
	return r;
}

static int64_t on_committed_sequence(void *arg)
{
	struct service *service = arg;
	int r;

	service->private->in_gateway = true;
	r = batch_flush(service->batch);
	service->private->in_gateway = false;
	return r < 0 ? r : batch_sequence(service->batch);
}

static void on_session(void *arg, const char *session_id, const char *resume_url)
{
	struct service *service = arg;

	/* What was dispatched before belongs to the old session and its sequence. An error reaches
	 * gateway_batch_failed(). */
	service->private->in_gateway = true;
	if (batch_flush(service->batch) < 0)
		log_warn("the last events of the ended gateway session are lost with their transaction");
	service->private->in_gateway = false;
	batch_set_session(service->batch, session_id, resume_url);
}

static int on_claim_identify(void *arg, usec *ret_wait)
{
	struct service *service = arg;
	int r;

	service->private->in_gateway = true;
	r = batch_flush(service->batch);
	service->private->in_gateway = false;
	if (r >= 0)
		r = identify_claim(service->db, service->private->identity, service->definition->program.service,
			clock_realtime(), IDENTIFY_SPACING, IDENTIFY_LIMIT, ret_wait);
	if (r < 0 && r != -EAGAIN) {
		log_error("the right to identify could not be claimed in the database", LOG_ERRNO(r));
		*ret_wait = 5 * SECOND;
		return -EAGAIN;
	}
	if (r == -EAGAIN && *ret_wait <= 0)
		*ret_wait = SECOND; /* the database was locked */
	if (r == -EAGAIN && *ret_wait > MINUTE)
		log_warn("the day's identifies are used up: waiting", LOG_INT("seconds", *ret_wait / SECOND));
	return r;
}

static void on_state(void *arg, bool is_up, const char *reason)
{
	struct service *service = arg;
	struct service_private *p = service->private;

	if (is_up && !p->gateway_up)
		log_info("receiving events");
	else if (!is_up && (p->gateway_up || !streq(p->gateway_reason.buf, reason)))
		log_info("not connected to the gateway", LOG_STR("reason", reason));
	p->gateway_up = is_up;
	service_set_reason(service, reason);
}

/* Discord does not want us: one line that says what to do. */
static void explain_refusal(struct service *service, const char *reason)
{
	struct str text cleanup(str_finish) = STR_INIT;
	uint32_t intents = service->private->missing_intents;

	switch (strtol(reason, NULL, 10)) {
	case 4004: log_error(service_token_hint); return;
	case 4014:
		gateway_describe_intents(&text, intents ? intents : gateway_privileged(service->definition->intents));
		log_error("Discord does not allow this application the intents that it needs: switch them on in the "
			  "developer portal, on the application's \"Bot\" page under \"Privileged Gateway Intents\"",
			LOG_STR("intents", text.buf));
		return;
	default: log_error("Discord refuses the gateway connection", LOG_STR("reason", reason));
	}
}

static void on_stopped(void *arg, enum gateway_stop why, const char *reason)
{
	struct service *service = arg;
	struct service_private *p = service->private;

	p->gateway_up = false;
	p->gateway_stopped = true;
	if (why != GATEWAY_REFUSED)
		return;
	explain_refusal(service, reason);
	service_end(service, EXIT_REFUSED);
}

static void reconnect(struct loop_task *task)
{
	struct service_private *p = CONTAINER_OF(task, struct service_private, reconnect);
	struct service *service = p->service;

	if (service->gateway && p->phase == SERVICE_RUNNING)
		gateway_client_reconnect(service->gateway, error_text(batch_error(service->batch)));
}

void gateway_init(struct service *service)
{
	service->private->reconnect.run = reconnect;
}

void gateway_batch_failed(void *arg, int error)
{
	struct service *service = arg;
	struct service_private *p = service->private;

	if (error == -EBADMSG) {
		log_error(service_damage_hint);
		service_end(service, EXIT_DATABASE);
		return;
	}
	if (p->last_batch_error != error)
		log_error("the database could not be written: events are replayed when it can", LOG_ERRNO(error));
	p->last_batch_error = error;
	/* From the top of the loop, because a command may have been committing in its flow. */
	if (!p->in_gateway)
		loop_post(&service->loop, &p->reconnect);
}

int gateway_begin(struct service *service)
{
	static const struct gateway_callbacks callbacks = {
		.dispatch = on_dispatch,
		.committed_sequence = on_committed_sequence,
		.session = on_session,
		.claim_identify = on_claim_identify,
		.state = on_state,
		.stopped = on_stopped,
	};
	struct service_private *p = service->private;
	struct gateway_client_options options = {
		.token = service->settings.token,
		.intents = service->definition->intents,
		.gateway_url = p->gateway_url,
		.compress = true,
		.session_id = p->stored.session_id,
		.resume_url = p->stored.resume_url,
		.sequence = p->stored.sequence,
	};

	return gateway_client_create(&service->loop, service->websockets, &service->random, &options, &callbacks,
		service, &service->gateway);
}
