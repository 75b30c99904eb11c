/* The parts of the fake Discord and how they hang together. Each part has a header of its own; this is what they share. */
#ifndef FAKE_FAKE_H
#define FAKE_FAKE_H

#include "fake_discord/fake_discord.h"
#include "state.h"

struct fake {
	struct loop *loop;
	struct fake_options options; /* strings are the fake's own, defaults filled in */
	char *bind, *token, *journal_file;
	char *api_url, *cdn_url, *gateway_url, *page_url;
	struct state state;
	struct gateway *gateway;
	struct httpd *httpd;
	struct rest *rest;
	struct journal *journal;
	struct rate_limits *limits;
	struct rest_faults *faults;
	struct interactions *interactions;
	struct feed *feed;
	struct control *control;
	struct stream *stream;
	struct str refusal;
	uint64_t mark; /* of state.changes: see fake_wait_message() */
	bool token_revoked;
	bool outage;   /* the guild is unavailable */
	bool bot_gone; /* the bot was thrown out */
};

/* Monotonic and Unix time with what fake_advance() added. */
usec fake_now(const struct fake *fake);
usec fake_time(const struct fake *fake);
/* Remembers why something was refused; returns -EPERM for whoever wants it. */
int fake_refuse(struct fake *fake, const char *format, ...) printf_like(2, 3);

/* demo.c */
void demo_fill(struct fake *fake);

#endif
