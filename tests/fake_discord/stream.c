/* A flood of messages: see stream.h. The JSON of a member's message is written once; id and time, which have a fixed width, are overwritten in it
 * for every message. Sequence numbers and the list for a resume are the gateway's own, so a client may drop and resume in the middle. */
#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "dispatch.h"
#include "gateway.h"
#include "messages.h"
#include "write.h"

#define BATCH       256
#define BACKLOG_MAX ((size_t)1 << 20) /* above this the clients come first */
#define TICK        (5 * MILLISECOND) /* with a rate */
#define MEMBERS_MAX 100000
#define ID_DIGITS   19

struct template
{
	struct str whole, bare;
	/* Where id and timestamp stand: the same in both, the content comes later. */
	size_t id_at, time_at;
	struct user *user;
};

struct stream {
	struct fake *fake;
	struct fake_stream plan;
	char *content;
	bool running;
	uint64_t sent;
	usec started;
	struct template *templates;
	size_t template_count;
	struct timer timer;
	struct loop_task task;
};

static void stream_go(struct stream *stream);

static void on_timer(void *arg)
{
	stream_go(arg);
}

static void on_task(struct loop_task *task)
{
	stream_go(CONTAINER_OF(task, struct stream, task));
}

static void on_drained(void *arg)
{
	struct stream *stream = arg;

	if (stream->running && !stream->plan.rate)
		loop_post(stream->fake->loop, &stream->task);
}

static void forget_templates(struct stream *stream)
{
	for (size_t i = 0; i < stream->template_count; i++) {
		str_finish(&stream->templates[i].whole);
		str_finish(&stream->templates[i].bare);
	}
	free(stream->templates);
	stream->templates = NULL;
	stream->template_count = 0;
}

struct stream *stream_create(struct fake *fake)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	stream->fake = fake;
	stream->task.run = on_task;
	timer_init(&stream->timer, fake->loop, on_timer, stream);
	return stream;
}

void stream_destroy(struct stream *stream)
{
	if (!stream)
		return;
	loop_cancel(stream->fake->loop, &stream->task);
	timer_finish(&stream->timer);
	forget_templates(stream);
	free(stream->content);
	free(stream);
}

/* 1111111111111111111: a number that nothing else in the message has. */
#define MARK_ID 1111111111111111111ULL

static void make_template(struct stream *stream, struct template *template, struct user *user)
{
	struct message message = { .id = MARK_ID,
		.channel = stream->plan.channel,
		.author = user->id,
		.content = stream->content,
		.at = stream->plan.start };
	const struct state *state = &stream->fake->state;
	struct json_writer w = JSON_WRITER(&template->whole), b = JSON_WRITER(&template->bare);

	template->user = user;
	str_init(&template->whole);
	str_init(&template->bare);
	write_message(&w, state, &message, (struct message_form){ .gateway = true });
	write_message(&b, state, &message, (struct message_form){ .gateway = true, .bare = true });
	template->id_at = (size_t)(strstr(template->whole.buf, "\"1111111111111111111\"") + 1 - template->whole.buf);
	template->time_at = (size_t)(strstr(template->whole.buf, "\"timestamp\":\"") + 13 - template->whole.buf);
}

/* The same place in the text without content: it is shorter only by the content, which stands before the time. */
static void patch(struct str *text, size_t id_at, size_t time_at, const char *id, const char *time)
{
	memcpy(text->buf + id_at, id, ID_DIGITS);
	memcpy(text->buf + time_at, time, 26);
}

static void send_one(struct stream *stream)
{
	struct template *template = &stream->templates[stream->sent % stream->template_count];
	usec at = stream->plan.start + (usec)stream->sent * stream->plan.step;
	uint64_t id = state_id_at(&stream->fake->state, at);
	size_t shorter = template->whole.len - template->bare.len;
	struct civil civil;
	char digits[24], time[40];

	if (stream->plan.keep) {
		message_post(stream->fake, &(struct draft){ .author = template->user->id,
						   .channel = stream->plan.channel,
						   .content = stream->content,
						   .at = at });
		stream->sent++;
		return;
	}
	civil_from_seconds(at / SECOND, &civil);
	snprintf(digits, sizeof(digits), "%019llu", (unsigned long long)id);
	snprintf(time, sizeof(time), "%04d-%02d-%02dT%02d:%02d:%02d.%06d", civil.year, civil.month, civil.day,
		civil.hour, civil.minute, civil.second, (int)(at % SECOND));
	patch(&template->whole, template->id_at, template->time_at, digits, time);
	patch(&template->bare, template->id_at, template->time_at - shorter, digits, time);
	gateway_dispatch(stream->fake->gateway, "MESSAGE_CREATE", INTENT_MESSAGES, &template->whole, &template->bare);
	stream->sent++;
}

/* How many may go now. */
static uint64_t due(const struct stream *stream)
{
	uint64_t left = stream->plan.count - stream->sent, so_far;

	if (!stream->plan.rate)
		return MIN(left, (uint64_t)BATCH);
	so_far = (uint64_t)((double)(loop_now(stream->fake->loop) - stream->started) / SECOND *
			    (double)stream->plan.rate);
	return so_far > stream->sent ? MIN(left, so_far - stream->sent) : 0;
}

static void stream_go(struct stream *stream)
{
	uint64_t n;

	if (!stream->running)
		return;
	n = gateway_backlog(stream->fake->gateway) < BACKLOG_MAX ? due(stream) : 0;
	for (uint64_t i = 0; i < n; i++)
		send_one(stream);
	if (stream->sent == stream->plan.count) {
		stream->running = false;
		gateway_keep_events(stream->fake->gateway, true);
		return;
	}
	if (stream->plan.rate)
		timer_start(&stream->timer, TICK);
	else if (gateway_backlog(stream->fake->gateway) < BACKLOG_MAX)
		loop_post(stream->fake->loop, &stream->task);
}

/* The synthetic members write first, then the named ones; never the bot. */
static void make_templates(struct stream *stream, unsigned members)
{
	struct state *state = &stream->fake->state;

	stream->templates = xcalloc(members, sizeof(*stream->templates));
	for (int named = 0; named < 2; named++) {
		for (struct user *user = state->users; user && stream->template_count < members; user = user->hh.next) {
			if (!user->member || user->bot || (strncmp(user->name, "user_", 5) != 0) != named)
				continue;
			make_template(stream, &stream->templates[stream->template_count++], user);
		}
	}
}

int fake_stream_start(struct fake *fake, const struct fake_stream *plan)
{
	struct stream *stream = fake->stream;
	const struct channel *channel = state_channel(&fake->state, plan->channel);

	if (stream->running)
		return -EBUSY;
	if (!channel || channel->type == CHANNEL_CATEGORY || channel_is_direct(channel) || !plan->count)
		return -EINVAL;
	forget_templates(stream);
	stream->plan = *plan;
	replace_text(&stream->content, plan->content ? plan->content : "message");
	stream->plan.content = stream->content;
	if (!stream->plan.start)
		stream->plan.start = fake_time(fake);
	if (!stream->plan.step)
		stream->plan.step = MILLISECOND;
	make_templates(stream,
		plan->members ? MIN(plan->members, MEMBERS_MAX) : (unsigned)MIN(fake->state.member_count, MEMBERS_MAX));
	if (!stream->template_count)
		return -EINVAL;
	stream->sent = 0;
	stream->running = true;
	stream->started = loop_now(fake->loop);
	gateway_on_drained(fake->gateway, on_drained, stream);
	gateway_keep_events(fake->gateway, !plan->no_replay);
	loop_post(fake->loop, &stream->task);
	return 0;
}

uint64_t fake_stream_progress(const struct fake *fake, bool *ret_done)
{
	if (ret_done)
		*ret_done = !fake->stream->running && gateway_backlog(fake->gateway) == 0;
	return fake->stream->sent;
}
