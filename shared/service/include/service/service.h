/* What both gateway programs do around their features: command line and settings, log, database, REST, gateway with
 * its session stored beside the effects, group commit, checkpoints, health and metrics, signals and exit statuses. A
 * program says what is its own in a struct service_definition.
 */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "base/error.h"
#include "base/program.h"
#include "base/random.h"
#include "discord/gateway_client.h"
#include "discord/rest.h"
#include "discord/wait.h"
#include "models/db.h"
#include "net/flow.h"
#include "net/loop.h"
#include "service/batch.h"

struct service {
	struct settings settings;
	struct loop loop;
	struct random random;
	struct db *db;
	struct batch *batch;
	struct http *http;
	struct rest *rest;
	struct websockets *websockets;
	struct gateway_client *gateway;
	struct flows *flows;
	struct waits *waits;
	snowflake application_id, user_id; /* who we are; known when definition->start runs */
	snowflake guild_id;                /* [basic_config] GUILD_ID, else the only one */
	const struct service_definition *definition;
	void *state; /* the program's own */
	struct service_private *private;
};

struct service_definition {
	struct program program;
	uint32_t intents;
	int requests_per_second; /* share of Discord's global limit: bot 35, listener 5 */
	struct flow_limits flows;
	bool checkpoints; /* owns the checkpoints (the bot); the other one only does it above 32 MB */

	/* In a flow, with database and REST ready, before the gateway connects; `resuming` says whether a stored
	 * session will be resumed (then Discord sends no GUILD_CREATE, so fetch what is needed). -errno ends the
	 * program after this function has logged why. */
	int (*start)(struct service *service, bool resuming);
	/* Each dispatch, inside the batch's transaction and a savepoint. -errno undoes this event's effects. Must
	 * not suspend. */
	int (*dispatch)(struct service *service, const char *event, const cJSON *d, bool replayed);
	/* SIGTERM: begin to end; flows are cancelled after 3 s. May be NULL. */
	void (*stop)(struct service *service);
	/* After everything has ended: free `state`. */
	void (*finish)(struct service *service);
	/* Appends why the program is not healthy, beyond database and gateway. May be NULL. */
	void (*check)(struct service *service, struct str *reason);
	/* SIGUSR1: appends the program's own state. May be NULL. */
	void (*dump)(struct service *service, struct str *out);
};

/* All of main(): returns the exit status. */
int service_main(const struct service_definition *definition, int argc, char **argv);

/* Ends the program from inside, with this exit status. */
void service_end(struct service *service, enum exit_status status);

#endif
