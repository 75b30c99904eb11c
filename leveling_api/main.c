/* walle-leveling-api: serves the leaderboard, reading the database and nothing else. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/program.h"
#include "server.h"

static const struct program program = {
	.name = "walle-leveling-api",
	.service = "leveling_api",
	.health_address = settings_api_health,
	.summary = "Serves Wall-E's leaderboard: JSON for websites and a page for people.",
};

/* The signals go to the loop's descriptor; blocked before the first thread starts, so that no thread takes them. */
static void block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

/* "https://cdn.example:8443/avatars" -> "https://cdn.example:8443" */
static void add_origin(struct str *out, const char *url)
{
	const char *host = strstr(url, "://");

	/* What could end the directive and begin another one is no address. */
	if (host && !strpbrk(url, " ;,'\""))
		str_add(out, url, (size_t)(host + 3 - url) + strcspn(host + 3, "/?#"));
}

/* Pictures come from Discord's network, or from where the configuration has put it. Imported members may have others; those show initials. */
static void build_page_csp(struct str *out, const struct settings *settings)
{
	str_adds(out, "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' ");
	add_origin(out, settings->cdn_url);
	str_adds(out, " https://media.discordapp.net; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
}

static int run(const struct settings *settings)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct str csp cleanup(str_finish) = STR_INIT;
	struct api api = { .settings = settings };
	struct server *server;
	int status, r;

	block_signals();
	build_page_csp(&csp, settings);
	api.page_csp = csp.buf;
	r = timezone_load(NULL, "Canada/Pacific", &api.pacific);
	if (r < 0)
		log_warn("the time zone Canada/Pacific is not known to this system; one error message shows UTC",
			LOG_ERRNO(r));
	api.source = source_create(settings->database_path);
	r = server_create(&api, &server, &message);
	if (r < 0) {
		log_error(message.buf);
		source_destroy(api.source);
		timezone_destroy(api.pacific);
		return EXIT_USAGE;
	}
	status = server_run(server);
	if (status == EXIT_DATABASE)
		log_error(source_status(api.source).reason, LOG_STR("path", settings->database_path));
	server_destroy(server);
	source_destroy(api.source);
	timezone_destroy(api.pacific);
	log_info("ended", LOG_INT("status", status));
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings = { 0 };
	int first, status;

	status = program_start(&program, argc, argv, &settings, &first);
	if (status < 0)
		status = run(&settings);
	program_finish(&settings);
	return status;
}
