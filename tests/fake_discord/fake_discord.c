/* Putting the fake Discord together, its clock, and looking things up by name. What its parts are is told in fake.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control.h"
#include "dispatch.h"
#include "fake.h"
#include "feed.h"
#include "gateway.h"
#include "interactions.h"
#include "journal.h"
#include "net/httpd.h"
#include "ratelimits.h"
#include "rest.h"
#include "rest_faults.h"
#include "stream.h"

/* A message of Discord's may be 25 MiB; the multipart around it needs a little more. */
#define BODY_LIMIT  ((size_t)26 << 20)
#define CONNECTIONS 1024

usec fake_now(const struct fake *fake)
{
	return clock_monotonic() + fake->state.skew;
}

usec fake_time(const struct fake *fake)
{
	return state_now(&fake->state);
}

int fake_refuse(struct fake *fake, const char *format, ...)
{
	va_list args;

	str_clear(&fake->refusal);
	va_start(args, format);
	str_vprintf(&fake->refusal, format, args);
	va_end(args);
	return -EPERM;
}

const char *fake_refusal(const struct fake *fake)
{
	return fake->refusal.buf;
}

static void handle_request(void *arg, struct httpd_request *request)
{
	struct fake *fake = arg;

	if (strncmp(httpd_path(request), "/api/", 5) == 0)
		rest_handle(fake->rest, request);
	else
		control_handle(fake->control, request);
}

static void fill_defaults(struct fake_options *options)
{
	if (!options->bind)
		options->bind = "127.0.0.1";
	if (!options->token)
		options->token = FAKE_TOKEN;
	if (!options->heartbeat)
		options->heartbeat = 41250 * MILLISECOND;
	if (!options->identify_interval)
		options->identify_interval = 5 * SECOND;
	if (!options->identify_limit)
		options->identify_limit = 1000;
	if (!options->member_request_interval)
		options->member_request_interval = 30 * SECOND;
	if (!options->session_timeout)
		options->session_timeout = 3 * MINUTE;
	if (!options->replay)
		options->replay = 16384;
	if (options->rate_scale <= 0)
		options->rate_scale = 1;
}

/* The servers; their ports go into the addresses. */
static int start_servers(struct fake *fake)
{
	struct httpd_options options = {
		.bind = fake->bind, .port = fake->options.port, .body_limit = BODY_LIMIT, .connections = CONNECTIONS
	};
	/* Who listens everywhere is reached at home. */
	const char *host = streq(fake->bind, "0.0.0.0") ? "127.0.0.1" : fake->bind;
	int r;

	r = httpd_create(fake->loop, &options, handle_request, fake, &fake->httpd);
	if (r == 0)
		r = gateway_open(fake, &fake->gateway);
	if (r < 0)
		return r;
	fake->page_url = xasprintf("http://%s:%d/", host, httpd_port(fake->httpd));
	fake->api_url = xasprintf("%sapi/v10", fake->page_url);
	fake->cdn_url = xasprintf("%scdn", fake->page_url);
	fake->gateway_url = xasprintf("ws://%s:%d", host, gateway_port(fake->gateway));
	return 0;
}

int fake_create(struct loop *loop, const struct fake_options *options, struct fake **ret_fake)
{
	struct fake *fake = xcalloc(1, sizeof(*fake));
	int r;

	fake->loop = loop;
	if (options)
		fake->options = *options;
	fill_defaults(&fake->options);
	fake->bind = xstrdup(fake->options.bind);
	fake->token = xstrdup(fake->options.token);
	replace_text(&fake->journal_file, fake->options.journal_file);
	fake->options.bind = fake->options.token = fake->options.journal_file = NULL; /* ours from here on */
	str_init(&fake->refusal);
	state_init(&fake->state);
	demo_fill(fake);
	fake->feed = feed_create(fake);
	fake->limits = limits_create(fake);
	fake->faults = rest_faults_create();
	fake->interactions = interactions_create(fake);
	fake->stream = stream_create(fake);
	fake->control = control_create(fake);
	r = journal_create(fake, &fake->journal);
	if (r == 0)
		r = rest_open(fake, &fake->rest);
	if (r == 0)
		r = start_servers(fake);
	if (r < 0) {
		fake_destroy(fake);
		return r;
	}
	*ret_fake = fake;
	return 0;
}

void fake_destroy(struct fake *fake)
{
	if (!fake)
		return;
	stream_destroy(fake->stream);
	rest_end(fake->rest);
	control_destroy(fake->control);
	feed_destroy(fake->feed);
	httpd_destroy(fake->httpd);
	gateway_end(fake->gateway);
	interactions_destroy(fake->interactions);
	journal_destroy(fake->journal);
	limits_destroy(fake->limits);
	rest_faults_destroy(fake->faults);
	state_finish(&fake->state);
	str_finish(&fake->refusal);
	free(fake->bind);
	free(fake->token);
	free(fake->journal_file);
	free(fake->api_url);
	free(fake->cdn_url);
	free(fake->gateway_url);
	free(fake->page_url);
	free(fake);
}

const char *fake_token(const struct fake *fake)
{
	return fake->token;
}

const char *fake_api_url(const struct fake *fake)
{
	return fake->api_url;
}

const char *fake_cdn_url(const struct fake *fake)
{
	return fake->cdn_url;
}

const char *fake_gateway_url(const struct fake *fake)
{
	return fake->gateway_url;
}

const char *fake_page_url(const struct fake *fake)
{
	return fake->page_url;
}

void fake_advance(struct fake *fake, usec by)
{
	fake->state.skew += by;
	interactions_expire(fake->interactions);
}

void fake_revoke_token(struct fake *fake)
{
	fake->token_revoked = true;
	fake_forget_sessions(fake);
	fake_gateway_close(fake, FAKE_ALL, 4004);
}

/* ---- looking up ---- */

uint64_t fake_guild(const struct fake *fake)
{
	return fake->state.guild;
}

uint64_t fake_bot(const struct fake *fake)
{
	return fake->state.bot;
}

uint64_t fake_owner(const struct fake *fake)
{
	return fake->state.owner;
}

uint64_t fake_member(const struct fake *fake, const char *username)
{
	const struct user *user = state_user_by_name(&fake->state, username);

	return user ? user->id : 0;
}

uint64_t fake_channel(const struct fake *fake, const char *name)
{
	const struct channel *channel = state_channel_by_name(&fake->state, name);

	return channel ? channel->id : 0;
}

uint64_t fake_role(const struct fake *fake, const char *name)
{
	const struct role *role = state_role_by_name(&fake->state, name);

	return role ? role->id : 0;
}

uint64_t fake_dm(struct fake *fake, uint64_t id)
{
	struct user *user = state_user(&fake->state, id);
	const struct channel *channel = user ? state_direct(&fake->state, user, fake_time(fake)) : NULL;

	return channel ? channel->id : 0;
}

bool fake_has_role(const struct fake *fake, uint64_t user, uint64_t role)
{
	const struct member *member = state_member(&fake->state, user);

	return member && id_list_has(&member->roles, role);
}

bool fake_is_member(const struct fake *fake, uint64_t user)
{
	return state_member(&fake->state, user);
}

bool fake_is_banned(const struct fake *fake, uint64_t user)
{
	return state_ban(&fake->state, user);
}
