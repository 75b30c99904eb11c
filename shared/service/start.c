/* The start flow: asks Discord who we are and which guild is ours, where its gateway is, lets the program prepare
 * itself, then connects.
 *
 * While Discord cannot be reached the questions are repeated with growing pauses, for ever: a service that starts
 * before its network is no error. Health says what is waited for; the log gets one line per change. What only a
 * person can put right ends the program with one line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "service_private.h"

#define PAUSE_FIRST SECOND
#define PAUSE_LAST  MINUTE
/* Identifies left today below which we wait for the next day's: something identifies in a loop, and Discord resets
 * the token of who uses them all up. */
#define IDENTIFIES_RESERVE 50
#define IDENTIFIES_RECHECK (5 * MINUTE)

/* A question's function returns 0, -errno (asked again), -EDQUOT (asked again after IDENTIFIES_RECHECK) or -ENXIO
 * (it has said why the program must end, and has ended it). */
struct question {
	const char *about;
	int (*ask)(struct service *service);
};

static int ask_user(struct service *service)
{
	struct service_private *p = service->private;
	struct user user;
	int r;

	r = rest_get_current_user(service->rest, &p->arena, &user);
	if (r < 0)
		return r;
	service->user_id = user.id;
	/* The public part of a token is the bot's id: the same for all programs that share its identifies. */
	snprintf(p->identity, sizeof(p->identity), "%" PRIu64, user.id);
	return 0;
}

static int ask_application(struct service *service)
{
	struct service_private *p = service->private;
	struct str text cleanup(str_finish) = STR_INIT;
	cJSON *json cleanup(json_freep) = NULL;
	int r;

	r = rest_get_current_application(service->rest, &json);
	if (r < 0)
		return r;
	service->application_id = json_snowflake(json, "id");
	if (!service->application_id)
		return -EBADMSG;
	if (!json_get(json, "flags"))
		return 0;
	p->missing_intents = gateway_denied_by_flags(service->definition->intents, json_int(json, "flags", 0));
	if (p->missing_intents) {
		gateway_describe_intents(&text, p->missing_intents);
		log_warn("privileged intents are not switched on in the developer portal; Discord will refuse us",
			LOG_STR("intents", text.buf));
	}
	return 0;
}

static int ask_guild(struct service *service)
{
	cJSON *guilds cleanup(json_freep) = NULL;
	snowflake wanted = service->settings.guild_id, only = 0;
	size_t count = 0;
	bool found = false;
	int r;

	r = rest_get_current_user_guilds(service->rest, &guilds);
	if (r < 0)
		return r;
	json_array_each (guild, guilds) {
		snowflake id = json_snowflake(guild, "id");

		if (!id)
			continue;
		count++;
		only = id;
		found |= id == wanted;
	}
	if (wanted && !found)
		log_error("the bot is not in the guild that basic_config__GUILD_ID names: invite it, or correct the id",
			LOG_ID("guild_id", wanted));
	else if (!wanted && count == 0)
		log_error("the bot is in no guild: invite it to one first (the README says how)");
	else if (!wanted && count > 1)
		log_error("the bot is in several guilds: set basic_config__GUILD_ID to the one that it serves",
			LOG_INT("guilds", (int64_t)count));
	else
		service->guild_id = wanted ? wanted : only;
	if (service->guild_id)
		return 0;
	service_end(service, EXIT_USAGE);
	return -ENXIO;
}

static int ask_gateway(struct service *service)
{
	struct service_private *p = service->private;
	struct gateway_bot gateway;
	int r;

	if (*service->settings.gateway_url) {
		p->gateway_url = service->settings.gateway_url;
		return 0;
	}
	r = rest_get_gateway_bot(service->rest, &p->arena, &gateway);
	/* The limit of this question can last for hours; a stored session is resumed at an address of its own. */
	if (r == -EBUSY && p->stored.session_id && p->stored.resume_url) {
		p->gateway_url = p->stored.resume_url;
		return 0;
	}
	if (r < 0)
		return r;
	p->gateway_url = gateway.url;
	if (gateway.remaining >= IDENTIFIES_RESERVE || p->stored.session_id)
		return 0; /* a stored session is resumed, which costs no identify */
	log_warn("few of today's identifies are left: waiting for the next day's", LOG_INT("left", gateway.remaining),
		LOG_INT("seconds", gateway.reset_after / SECOND));
	service_set_reason(service, "waiting for new identifies: few of today's are left");
	return -EDQUOT;
}

static const struct question questions[] = {
	{ "the bot's user", ask_user },
	{ "the application", ask_application },
	{ "the guild", ask_guild },
	{ "the gateway's address", ask_gateway },
};

static void report_trouble(struct service *service, const struct question *question, int error)
{
	struct str text cleanup(str_finish) = STR_INIT;
	const struct rest_error *details = rest_error(service->rest);

	str_printf(&text, "asking Discord for %s: %s", question->about, error_text(error));
	if (details && details->http_status)
		str_printf(&text, " (HTTP %d)", details->http_status);
	if (!streq(text.buf, service->private->gateway_reason.buf))
		log_warn("Discord does not answer yet: asking again until it does",
			LOG_STR("question", question->about), LOG_ERRNO(error),
			LOG_INT("http_status", details ? details->http_status : 0));
	service_set_reason(service, text.buf);
}

/* Until it is answered. -ECANCELED, -ENXIO. */
static int put_question(struct service *service, const struct question *question)
{
	usec pause = PAUSE_FIRST;
	int r;

	while ((r = question->ask(service)) < 0) {
		if (r == -ECANCELED || r == -ENXIO || service->private->phase == SERVICE_STOPPING)
			return r;
		if (r != -EDQUOT)
			report_trouble(service, question, r);
		r = flow_sleep(r == -EDQUOT ? IDENTIFIES_RECHECK
					    : pause / 2 + (usec)random_below(&service->random, (uint64_t)pause / 2));
		if (r < 0)
			return r;
		pause = MIN(pause * 2, PAUSE_LAST);
	}
	return 0;
}

static void run(void *arg)
{
	struct service *service = arg;
	struct service_private *p = service->private;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++)
		if (put_question(service, &questions[i]) < 0)
			return;
	service_set_reason(service, "starting");
	log_info("serving a guild", LOG_ID("guild_id", service->guild_id), LOG_ID("user_id", service->user_id),
		LOG_STR("session", p->stored.session_id ? "resumed" : "new"));
	r = service->definition->start(service, p->stored.session_id != NULL);
	if (r >= 0 && p->phase == SERVICE_STARTING) {
		r = gateway_begin(service);
		if (r < 0)
			log_error("the gateway client cannot be started", LOG_ERRNO(r));
		else
			p->phase = SERVICE_RUNNING;
	}
	if (r < 0 && p->phase != SERVICE_STOPPING)
		service_end(service, EXIT_UNEXPECTED);
}

int start_begin(struct service *service)
{
	return flow_start(
		service->flows, &(struct flow_options){ .name = "start", .tag = SERVICE_START_TAG }, run, service);
}
