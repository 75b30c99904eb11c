/* main() of the gateway programs (service/service.h): brings everything up in an order in which each step has what
 * it needs, runs the loop, and ends cleanly within 5 seconds.
 *
 * The end: no more events are taken (bare close, the session stays resumable), the open batch is committed, live
 * flows get 3 s to finish, then they are cancelled; whatever needs longer than a second is left to the kernel.
 *
 * To add something that both programs need: set it up in set_up(), take it down in tear_down(), in the reverse
 * order.
 */
#include "service/service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/metrics.h"
#include "service_private.h"

#define TICK           (100 * MILLISECOND)
#define TICKS_PER_LOOK 10 /* the checkpointer looks once a second */
/* Together with loop_finish()'s second, and the second of them twice, below the 5 s within which a service leaves. */
#define FLOWS_PATIENCE  (3 * SECOND)
#define CANCEL_PATIENCE (400 * MILLISECOND)
#define STOP_POLL       (10 * MILLISECOND)
#define CONNECTIONS     16
#define USER_AGENT      "DiscordBot (https://github.com/CSSS/wall_e, " WALLE_VERSION ")"

const char service_token_hint[] = "Discord refuses the bot's token: set basic_config__TOKEN to the token shown on the "
				  "application's \"Bot\" page in the developer portal";
const char service_damage_hint[] = "the database is damaged: all its files are kept as they are; run 'walle-db check', "
				   "then 'walle-db restore' with a backup";

static struct metric gap_max =
	METRIC_GAUGE("walle_loop_gap_max_microseconds", "Longest time that the event loop was late so far");
static struct metric flows_live = METRIC_GAUGE("walle_flows", "Live flows");

void service_set_reason(struct service *service, const char *reason)
{
	struct str *text = &service->private->gateway_reason;

	/* The reason may be our own text, handed round. */
	if (reason == text->buf)
		return;
	str_clear(text);
	str_adds(text, reason ? reason : "");
}

/* ---- health, state, regular work ---- */

static void add_reason(struct str *reason, const char *text)
{
	if (reason->len)
		str_adds(reason, "; ");
	str_adds(reason, text);
}

static void check_health(void *arg, struct str *reason)
{
	struct service *service = arg;
	struct service_private *p = service->private;

	switch (p->phase) {
	case SERVICE_STARTING: add_reason(reason, p->gateway_reason.buf); break;
	case SERVICE_STOPPING: add_reason(reason, "stopping"); break;
	case SERVICE_RUNNING:
		if (!p->gateway_up) {
			add_reason(reason, "gateway: ");
			str_adds(reason, p->gateway_reason.len ? p->gateway_reason.buf : "connecting");
		}
		break;
	}
	if (batch_error(service->batch) < 0) {
		add_reason(reason, "database: ");
		str_adds(reason, error_text(batch_error(service->batch)));
	}
	if (service->definition->check && p->phase == SERVICE_RUNNING) {
		struct str own cleanup(str_finish) = STR_INIT;

		service->definition->check(service, &own);
		if (own.len)
			add_reason(reason, own.buf);
	}
}

static void on_dump(void *arg)
{
	static const char *const phases[] = { "starting", "running", "stopping" };
	struct service *service = arg;
	struct service_private *p = service->private;
	struct str text cleanup(str_finish) = STR_INIT;
	char *rest, *line;

	str_printf(&text, "%s, guild %llu, loop late by at most %lld us, %zu waits\n", phases[p->phase],
		(unsigned long long)service->guild_id, (long long)p->gap_max, waits_count(service->waits));
	batch_dump(service->batch, &text);
	checkpointer_dump(p->checkpointer, &text);
	if (service->gateway)
		gateway_client_dump(service->gateway, &text);
	if (service->definition->dump && service->state)
		service->definition->dump(service, &text);
	flows_dump(service->flows, &text);
	for (line = strtok_r(text.buf, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		log_info("state", LOG_STR("line", line));
}

static void on_tick(void *arg)
{
	struct service *service = arg;
	struct service_private *p = service->private;
	usec now = loop_now(&service->loop);

	p->gap_max = MAX(p->gap_max, now - p->tick_due);
	metric_set(&gap_max, p->gap_max);
	metric_set(&flows_live, (int64_t)flows_count(service->flows));
	if (p->last_batch_error && !batch_error(service->batch)) {
		log_info("the database can be written again");
		p->last_batch_error = 0;
	}
	if (++p->ticks % TICKS_PER_LOOK == 0 && p->phase != SERVICE_STOPPING)
		checkpointer_tick(p->checkpointer);
	p->tick_due = now + TICK;
	timer_start(&p->tick, TICK);
}

/* ---- the end ---- */

static bool has_ended(void *arg)
{
	struct service *service = arg;
	struct service_private *p = service->private;

	return flows_count(service->flows) == 0 && (!service->gateway || p->gateway_stopped) &&
	       !checkpointer_busy(p->checkpointer);
}

static void on_stop_timer(void *arg)
{
	struct service *service = arg;
	struct service_private *p = service->private;
	usec now = loop_now(&service->loop);

	if (!p->cancelled && now >= p->stop_deadline) {
		p->cancelled = true;
		flows_cancel(service->flows, NULL);
	}
	if (has_ended(service) || now >= p->cancel_deadline)
		loop_stop(&service->loop);
	else
		timer_start(&p->stop_timer, STOP_POLL);
}

static void stop(struct service *service, usec patience)
{
	struct service_private *p = service->private;
	usec now = loop_now(&service->loop);

	if (p->phase == SERVICE_STOPPING) {
		p->stop_deadline = MIN(p->stop_deadline, now + patience);
		p->cancel_deadline = MIN(p->cancel_deadline, now + patience + CANCEL_PATIENCE);
		return;
	}
	p->phase = SERVICE_STOPPING;
	p->stop_deadline = now + patience;
	p->cancel_deadline = p->stop_deadline + CANCEL_PATIENCE;
	if (service->gateway && !p->gateway_stopped)
		gateway_client_stop(service->gateway);
	flows_cancel(service->flows, SERVICE_START_TAG);
	/* A command may be inside its own transaction: then it commits or tear_down() does. */
	if (batch_flush(service->batch) < 0)
		log_warn("the last events could not be stored: Discord replays them to the next start");
	if (service->definition->stop && service->state)
		service->definition->stop(service);
	timer_start(&p->stop_timer, 0);
}

void service_end(struct service *service, enum exit_status status)
{
	struct service_private *p = service->private;

	if (p->status == EXIT_CLEAN)
		p->status = status;
	stop(service, status == EXIT_CLEAN ? FLOWS_PATIENCE : 0);
}

static void on_stop_signal(void *arg)
{
	struct service *service = arg;

	log_info("stopping: asked to by a signal");
	stop(service, FLOWS_PATIENCE);
}

static void on_unauthorized(void *arg)
{
	struct service *service = arg;

	if (service->private->status != EXIT_CLEAN)
		return;
	log_error(service_token_hint);
	service_end(service, EXIT_REFUSED);
}

/* ---- up and down ---- */

static enum exit_status open_database(struct service *service)
{
	struct service_private *p = service->private;
	const char *path = service->settings.database_path;
	struct str message cleanup(str_finish) = STR_INIT;
	int r;

	r = db_open(path, DB_WRITE, &service->db, &message);
	if (r < 0) {
		log_error(message.len ? message.buf : "the database cannot be opened", LOG_STR("path", path),
			LOG_ERRNO(r));
		return EXIT_DATABASE;
	}
	r = db_check(service->db, true, &message);
	if (r < 0) {
		log_error(service_damage_hint, LOG_STR("path", path), LOG_STR("problem", message.buf));
		return EXIT_DATABASE;
	}
	r = gateway_session_get(service->db, service->definition->program.service, &p->arena, &p->stored);
	if (r < 0 && r != -ENOENT) {
		log_error("the database cannot be read", LOG_STR("path", path), LOG_ERRNO(r));
		return EXIT_DATABASE;
	}
	return EXIT_CLEAN;
}

static enum exit_status open_health(struct service *service)
{
	struct settings *settings = &service->settings;
	bool bot = streq(service->definition->program.service, "bot");
	const char *bind;
	int64_t port = service->definition->program.health_address(settings, &bind);
	const char *key = bot ? "health__BOT_PORT" : "health__LISTENER_PORT";
	int r;

	r = health_create(&service->loop, service->definition->program.service, bind, (int)port, check_health, service,
		&service->private->health);
	if (r == -EADDRINUSE)
		log_error(
			"the health endpoint's port is in use: end the program that has it (perhaps this one, already "
			"running), or set another port",
			LOG_STR("bind", bind), LOG_INT("port", port), LOG_STR("key", key));
	else if (r < 0)
		log_error("the health endpoint cannot listen: correct health__BIND or the port", LOG_STR("bind", bind),
			LOG_INT("port", port), LOG_STR("key", key), LOG_ERRNO(r));
	else
		log_info("health endpoint", LOG_STR("bind", bind),
			LOG_INT("port", health_port(service->private->health)));
	return r < 0 ? EXIT_USAGE : EXIT_CLEAN;
}

static int open_network(struct service *service)
{
	const struct service_definition *definition = service->definition;
	const struct rest_options options = { .api_url = service->settings.api_url,
		.token = service->settings.token,
		.requests_per_second = definition->requests_per_second,
		.on_unauthorized = on_unauthorized,
		.arg = service };
	int r;

	r = http_create(&service->loop, USER_AGENT, CONNECTIONS, &service->http);
	if (r >= 0)
		r = rest_create(&service->loop, service->http, &options, &service->rest);
	if (r >= 0)
		r = websockets_create(&service->loop, &service->websockets);
	return r;
}

static enum exit_status set_up(struct service *service)
{
	struct service_private *p = service->private;
	const struct service_definition *definition = service->definition;
	enum exit_status status;
	int r;

	metrics_register(&gap_max);
	metrics_register(&flows_live);
	gateway_init(service);
	timer_init(&p->tick, &service->loop, on_tick, service);
	timer_init(&p->stop_timer, &service->loop, on_stop_timer, service);
	service->waits = waits_create();
	service->flows = flows_create(&service->loop, definition->flows);
	service_set_reason(service, "starting");

	status = open_database(service);
	if (status != EXIT_CLEAN)
		return status;
	r = batch_create(&service->loop, service->db, definition->program.service, p->stored.sequence,
		gateway_batch_failed, service, &service->batch);
	if (r < 0)
		goto unexpected;
	p->checkpointer = checkpointer_create(
		&service->loop, service->db, service->settings.database_path, definition->checkpoints);
	status = open_health(service);
	if (status != EXIT_CLEAN)
		return status;
	r = open_network(service);
	if (r >= 0)
		r = loop_handle_signals(&service->loop, on_stop_signal, on_dump, service);
	if (r >= 0)
		r = start_begin(service);
	if (r < 0)
		goto unexpected;
	p->tick_due = loop_now(&service->loop) + TICK;
	timer_start(&p->tick, TICK);
	return EXIT_CLEAN;

unexpected:
	log_error("the service cannot be set up", LOG_ERRNO(r));
	return EXIT_UNEXPECTED;
}

/* After the loop. False when flows or the gateway are still alive: then their memory may not be touched. */
static bool tear_down(struct service *service)
{
	struct service_private *p = service->private;

	if (p->checkpointer && !has_ended(service)) {
		flows_cancel(service->flows, NULL);
		if (service->gateway && p->phase != SERVICE_STOPPING)
			gateway_client_stop(service->gateway);
		if (loop_run_until(&service->loop, has_ended, service, CANCEL_PATIENCE) < 0) {
			on_dump(service);
			log_error("something did not end in time: leaving without it");
			return false;
		}
	}
	if (service->definition->finish && service->state)
		service->definition->finish(service);
	gateway_client_destroy(service->gateway);
	websockets_destroy(service->websockets);
	rest_destroy(service->rest);
	http_destroy(service->http);
	health_destroy(p->health);
	batch_destroy(service->batch);
	checkpointer_destroy(p->checkpointer);
	flows_destroy(service->flows);
	waits_destroy(service->waits);
	db_close(service->db);
	timer_finish(&p->tick);
	timer_finish(&p->stop_timer);
	loop_cancel(&service->loop, &p->reconnect);
	return true;
}

/* Without exit(): that would wait for the threads, and one may wait for a name server for half a minute. What it does
 * then still touches the loop, which therefore stays where it is. */
static noreturn_function void leave(struct service *service, enum exit_status status)
{
	log_info("ended", LOG_INT("status", status));
	program_finish(&service->settings);
	_exit(status);
}

static void leave_at_once(int number)
{
	(void)number;
	_exit(EXIT_CLEAN);
}

/* Until the loop runs there is nothing to be finished: what is half done (a migration, say) is undone by the database.
 * The loop's own handlers replace these. */
static void handle_early_signals(void)
{
	const struct sigaction leave = { .sa_handler = leave_at_once }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &leave, NULL);
	sigaction(SIGINT, &leave, NULL);
	sigaction(SIGUSR1, &ignore, NULL);
}

int service_main(const struct service_definition *definition, int argc, char **argv)
{
	struct service service = { .definition = definition };
	struct service_private private = { .service = &service, .gateway_reason = STR_INIT };
	enum exit_status status;
	int r, first;

	handle_early_signals();
	service.private = &private;
	r = program_start(&definition->program, argc, argv, &service.settings, &first);
	if (r >= 0)
		return r;
	random_init_system(&service.random);
	r = loop_init(&service.loop);
	if (r < 0) {
		log_error("the event loop cannot be set up", LOG_ERRNO(r));
		program_finish(&service.settings);
		return EXIT_UNEXPECTED;
	}
	log_info("starting", LOG_STR("version", WALLE_VERSION));
	status = set_up(&service);
	if (status == EXIT_CLEAN) {
		loop_run(&service.loop);
		status = private.status;
	}
	if (!tear_down(&service)) {
		if (service.batch && batch_flush(service.batch) < 0)
			log_warn("the last events could not be stored: Discord replays them to the next start");
		leave(&service, status);
	}
	r = loop_finish(&service.loop);
	if (r < 0) {
		log_warn("the event loop did not close in time", LOG_ERRNO(r));
		leave(&service, status);
	}
	str_finish(&private.gateway_reason);
	arena_finish(&private.arena);
	log_info("ended", LOG_INT("status", status));
	program_finish(&service.settings);
	return status;
}
