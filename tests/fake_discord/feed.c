/* The chat page's view of what happens: see feed.h. */
#include "feed.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/json.h"
#include "net/httpd.h"

#define EVENTS_MAX       2048
#define EVENTS_MAX_BYTES ((size_t)8 << 20)
#define ANSWER_MAX       256 /* events in one answer; the page asks again at once */
#define POLLS_MAX        128

struct feed_event {
	char *event, *data;
	size_t len;
};

struct poll {
	struct poll *prev, *next;
	struct feed *feed;
	struct httpd_request *request; /* NULL: the page has gone */
	struct timer timer;
	uint64_t after;
};

struct feed {
	struct fake *fake;
	struct feed_event events[EVENTS_MAX]; /* event n is at n % EVENTS_MAX */
	uint64_t last;                        /* number of the newest */
	size_t count, bytes;
	struct poll *polls;
	size_t poll_count;
	struct loop_task wake;
};

static void answer(struct feed *feed, struct httpd_request *request, uint64_t after)
{
	struct str out cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&out);
	uint64_t oldest = feed->last - feed->count + 1;
	bool missed = after > feed->last || after + 1 < oldest;
	uint64_t from = missed ? feed->last + 1 : after + 1;
	uint64_t to = MIN(feed->last, from + ANSWER_MAX - 1);

	json_begin_object(&w);
	json_key(&w, "events");
	json_begin_array(&w);
	for (uint64_t n = from; n <= to; n++) {
		const struct feed_event *event = &feed->events[n % EVENTS_MAX];

		json_begin_object(&w);
		json_put_uint(&w, "n", n);
		json_put_string(&w, "t", event->event);
		json_key(&w, "d");
		json_write_raw(&w, event->data, event->len);
		json_end_object(&w);
	}
	json_end_array(&w);
	json_put_uint(&w, "next", missed ? feed->last : MAX(to, after));
	json_put_bool(&w, "missed", missed);
	json_end_object(&w);
	httpd_respond(request, 200, "application/json", NULL, out.buf, out.len);
}

static void poll_free(struct poll *poll)
{
	timer_finish(&poll->timer);
	if (poll->request)
		httpd_set_user(poll->request, NULL, NULL);
	DL_DELETE(poll->feed->polls, poll);
	poll->feed->poll_count--;
	free(poll);
}

static void poll_answer(struct poll *poll)
{
	struct httpd_request *request = poll->request;
	struct feed *feed = poll->feed;
	uint64_t after = poll->after;

	poll_free(poll);
	if (request)
		answer(feed, request, after);
}

static void poll_timeout(void *arg)
{
	poll_answer(arg);
}

static void poll_gone(void *user)
{
	((struct poll *)user)->request = NULL;
}

/* From the top of the loop, so that several events of one moment go in one answer. */
static void wake_all(struct loop_task *task)
{
	struct feed *feed = CONTAINER_OF(task, struct feed, wake);

	while (feed->polls)
		poll_answer(feed->polls); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
}

static void drop_oldest(struct feed *feed)
{
	struct feed_event *event = &feed->events[(feed->last - feed->count + 1) % EVENTS_MAX];

	feed->bytes -= event->len;
	free(event->event);
	free(event->data);
	*event = (struct feed_event){ 0 };
	feed->count--;
}

void feed_add(struct feed *feed, const char *event, const char *data, size_t len)
{
	while (feed->count == EVENTS_MAX || (feed->count && feed->bytes + len > EVENTS_MAX_BYTES))
		drop_oldest(feed);
	feed->last++;
	feed->count++;
	feed->bytes += len;
	feed->events[feed->last % EVENTS_MAX] =
		(struct feed_event){ .event = xstrdup(event), .data = xstrndup(data, len), .len = len };
	if (feed->polls)
		loop_post(feed->fake->loop, &feed->wake);
}

uint64_t feed_last(const struct feed *feed)
{
	return feed->last;
}

void feed_poll(struct feed *feed, struct httpd_request *request, uint64_t after, usec wait)
{
	struct poll *poll;

	if (after != feed->last || wait <= 0 || feed->poll_count >= POLLS_MAX) {
		answer(feed, request, after);
		return;
	}
	poll = xcalloc(1, sizeof(*poll));
	poll->feed = feed;
	poll->request = request;
	poll->after = after;
	timer_init(&poll->timer, feed->fake->loop, poll_timeout, poll);
	timer_start(&poll->timer, wait);
	DL_APPEND(feed->polls, poll);
	feed->poll_count++;
	httpd_set_user(request, poll, poll_gone);
}

struct feed *feed_create(struct fake *fake)
{
	struct feed *feed = xcalloc(1, sizeof(*feed));

	feed->fake = fake;
	feed->wake.run = wake_all;
	return feed;
}

void feed_destroy(struct feed *feed)
{
	if (!feed)
		return;
	loop_cancel(feed->fake->loop, &feed->wake);
	while (feed->polls)
		poll_free(feed->polls); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
	while (feed->count)
		drop_oldest(feed);
	free(feed);
}
