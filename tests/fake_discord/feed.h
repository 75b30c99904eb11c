/* The chat page's view of what happens: a bounded ring of recent events with numbers, and requests that wait for the next. */
#ifndef FAKE_FEED_H
#define FAKE_FEED_H

#include "fake.h"

struct httpd_request;
struct feed;

struct feed *feed_create(struct fake *fake);
void feed_destroy(struct feed *feed);
void feed_add(struct feed *feed, const char *event, const char *data, size_t len);
uint64_t feed_last(const struct feed *feed);
/* Answers now or later; `after` as in CONTROL.md. */
void feed_poll(struct feed *feed, struct httpd_request *request, uint64_t after, usec wait);

#endif
