/* What the files of this library share and programs do not see. */
#ifndef SERVICE_PRIVATE_H
#define SERVICE_PRIVATE_H

#include "base/arena.h"
#include "base/str.h"
#include "checkpoint.h"
#include "models/gateway_session.h"
#include "net/health.h"
#include "service/service.h"

enum service_phase {
	SERVICE_STARTING, /* the start flow asks Discord who we are; no gateway connection yet */
	SERVICE_RUNNING,  /* the gateway client exists (it may be up or down) */
	SERVICE_STOPPING, /* no more events; live flows may finish for a while */
};

struct service_private {
	struct service *service;
	enum service_phase phase;
	enum exit_status status;
	struct arena arena; /* texts that live as long as the program */
	struct health *health;
	struct checkpointer *checkpointer;

	/* gateway.c */
	struct gateway_session stored; /* as the database had it at the start */
	const char *gateway_url;
	char identity[24];        /* keeps applications apart in identify_claim() */
	uint32_t missing_intents; /* wanted, but not switched on for the application */
	bool gateway_up, gateway_stopped;
	usec checked_at;           /* when the database was last found sound after a hook's -EBADMSG; 0: never */
	int last_batch_error;      /* the last that was logged; 0 after a success */
	bool in_gateway;           /* the gateway client is calling us and hears of errors by the result */
	struct str gateway_reason; /* why it is not up; also what the start flow waits for */
	struct loop_task reconnect;

	/* service.c */
	struct timer tick, stop_timer;
	usec tick_due, gap_max;
	unsigned ticks;
	usec stop_deadline, cancel_deadline;
	bool cancelled;
};

/* The start flow's tag: it is cancelled at once when the program is to end. */
#define SERVICE_START_TAG "start"

/* start.c: a flow that asks Discord for what the program must know, then runs definition->start and connects the
 * gateway. */
int start_begin(struct service *service) warn_unused;

/* gateway.c */
void gateway_init(struct service *service);
int gateway_begin(struct service *service) warn_unused;
/* The batch lost a transaction. */
void gateway_batch_failed(void *arg, int error);
/* A line for people: which intents, and where they are switched on. */
void gateway_describe_intents(struct str *out, uint32_t intents);
uint32_t gateway_privileged(uint32_t intents);
/* Of the privileged `intents`, those that an application with these flags may not use. */
uint32_t gateway_denied_by_flags(uint32_t intents, int64_t application_flags);

/* service.c: lines for people that more than one place needs. */
extern const char service_token_hint[], service_damage_hint[];

/* service.c: sets the text that health shows while the gateway is not up. */
void service_set_reason(struct service *service, const char *reason);

#endif
