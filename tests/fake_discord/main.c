/* walle-fake-discord: the local Discord as a program, for the playground of './walle up', for benchmarks and for trying things out. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/settings.h"
#include "fake_discord/fake_discord.h"

#define NAME "walle-fake-discord"
/* The program is for people and scripts, who want to know where it is. */
#define DEFAULT_PORT         8090
#define DEFAULT_GATEWAY_PORT 8091
#define MEMBERS_MAX          100000

enum option_id {
	OPTION_CONFIG = 1,
	OPTION_CHECK_CONFIG,
	OPTION_VERSION,
	OPTION_HELP,
	OPTION_BIND,
	OPTION_PORT,
	OPTION_GATEWAY_PORT,
	OPTION_TOKEN,
	OPTION_MEMBERS,
	OPTION_JOURNAL,
	OPTION_NO_JOURNAL,
	OPTION_NO_RATE_LIMITS,
	OPTION_IDENTIFY_INTERVAL,
	OPTION_MEMBER_INTERVAL,
	OPTION_HEARTBEAT,
};

static const struct option options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "check-config", no_argument, NULL, OPTION_CHECK_CONFIG },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "bind", required_argument, NULL, OPTION_BIND },
	{ "port", required_argument, NULL, OPTION_PORT },
	{ "gateway-port", required_argument, NULL, OPTION_GATEWAY_PORT },
	{ "token", required_argument, NULL, OPTION_TOKEN },
	{ "members", required_argument, NULL, OPTION_MEMBERS },
	{ "journal", required_argument, NULL, OPTION_JOURNAL },
	{ "no-journal", no_argument, NULL, OPTION_NO_JOURNAL },
	{ "no-rate-limits", no_argument, NULL, OPTION_NO_RATE_LIMITS },
	{ "identify-interval", required_argument, NULL, OPTION_IDENTIFY_INTERVAL },
	{ "member-interval", required_argument, NULL, OPTION_MEMBER_INTERVAL },
	{ "heartbeat", required_argument, NULL, OPTION_HEARTBEAT },
	{ 0 },
};

static void print_help(void)
{
	printf("Usage: %s [OPTIONS]\n"
	       "A local Discord: REST, gateway, pictures, a chat page and a control interface for tests.\n"
	       "\n"
	       "  --bind ADDRESS           listen on this address (127.0.0.1; there is no login: think before you change it)\n"
	       "  --port PORT              of REST, pictures, page and control (%d; 0: any free one)\n"
	       "  --gateway-port PORT      of the gateway (%d; 0: any free one)\n"
	       "  --token TOKEN            of the bot (the configured one, else the demo token)\n"
	       "  --members N              so many members besides the named ones (0)\n"
	       "  --journal FILE           append a line of JSON for every REST call\n"
	       "  --no-journal             remember no calls, for benchmarks\n"
	       "  --no-rate-limits         never answer 429 unless asked to\n"
	       "  --identify-interval MS   time between two identifies (5000)\n"
	       "  --member-interval MS     time between two requests for all members (30000)\n"
	       "  --heartbeat MS           the gateway's heartbeat interval (41250)\n"
	       "  --config FILE            read this configuration (only the token of the bot is used)\n"
	       "  --check-config           check the configuration and leave\n"
	       "  --version                print the version and leave\n"
	       "  --help                   print this and leave\n"
	       "\n"
	       "Prints its addresses in one line when it is ready.\n",
		NAME, DEFAULT_PORT, DEFAULT_GATEWAY_PORT);
}

struct command_line {
	struct fake_options fake;
	const char *config;
	bool check_config;
};

static int complain(const char *problem, const char *what)
{
	fprintf(stderr, "%s: %s '%s' (see %s --help)\n", NAME, problem, what, NAME);
	return EXIT_USAGE;
}

/* -1 to go on. */
static int parse_number(const char *option, int64_t max, int64_t *ret_value)
{
	int64_t value;

	if (parse_i64(optarg, &value) < 0 || value < 0 || value > max) {
		fprintf(stderr, NAME ": %s must be a number from 0 to %lld\n", option, (long long)max);
		return EXIT_USAGE;
	}
	*ret_value = value;
	return -1;
}

/* -1 to go on, else an exit status. */
static int take_option(int id, struct command_line *line)
{
	struct fake_options *fake = &line->fake;
	int64_t number = 0;
	int status = -1;

	switch (id) {
	case OPTION_CONFIG: line->config = optarg; break;
	case OPTION_CHECK_CONFIG: line->check_config = true; break;
	case OPTION_VERSION: printf("%s %s\n", NAME, WALLE_VERSION); return EXIT_CLEAN;
	case OPTION_HELP: print_help(); return EXIT_CLEAN;
	case OPTION_BIND: fake->bind = optarg; break;
	case OPTION_PORT:
		status = parse_number("--port", UINT16_MAX, &number);
		fake->port = (int)number;
		break;
	case OPTION_GATEWAY_PORT:
		status = parse_number("--gateway-port", UINT16_MAX, &number);
		fake->gateway_port = (int)number;
		break;
	case OPTION_TOKEN: fake->token = optarg; break;
	case OPTION_MEMBERS:
		status = parse_number("--members", MEMBERS_MAX, &number);
		fake->members = (unsigned)number;
		break;
	case OPTION_JOURNAL: fake->journal_file = optarg; break;
	case OPTION_NO_JOURNAL: fake->no_journal = true; break;
	case OPTION_NO_RATE_LIMITS: fake->no_rate_limits = true; break;
	case OPTION_IDENTIFY_INTERVAL:
		status = parse_number("--identify-interval", 600000, &number);
		fake->identify_interval = number ? number * MILLISECOND : -1;
		break;
	case OPTION_MEMBER_INTERVAL:
		status = parse_number("--member-interval", 600000, &number);
		fake->member_request_interval = MAX(number * MILLISECOND, (usec)1);
		break;
	case OPTION_HEARTBEAT:
		status = parse_number("--heartbeat", 600000, &number);
		fake->heartbeat = number * MILLISECOND;
		break;
	}
	return status;
}

static int parse_command_line(int argc, char **argv, struct command_line *line)
{
	int id, status;

	opterr = 0;
	while ((id = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (id == ':')
			return complain("a value is missing after", argv[optind - 1]);
		if (id == '?')
			return complain("unknown option", argv[optind - 1]);
		status = take_option(id, line);
		if (status >= 0)
			return status;
	}
	return optind < argc ? complain("unexpected argument", argv[optind]) : -1;
}

struct server {
	struct loop loop;
	struct fake *fake;
};

static void on_stop(void *arg)
{
	struct server *server = arg;

	loop_stop(&server->loop);
}

static void on_dump(void *arg)
{
	struct server *server = arg;
	struct fake_gateway_stats stats;

	fake_gateway(server->fake, &stats);
	fprintf(stderr, "%s: sessions=%zu dispatched=%llu queued=%llu calls=%zu\n", NAME, stats.sessions,
		(unsigned long long)stats.dispatched, (unsigned long long)stats.queued, fake_calls(server->fake));
}

static int serve(const struct fake_options *options_for_fake)
{
	struct server server = { .fake = NULL };
	struct fake *fake;
	int r = loop_init(&server.loop);

	if (r < 0) {
		fprintf(stderr, NAME ": cannot start: %s\n", error_text(r));
		return EXIT_UNEXPECTED;
	}
	r = fake_create(&server.loop, options_for_fake, &server.fake);
	if (r < 0) {
		fprintf(stderr, NAME ": cannot listen on %s, ports %d and %d, or open the journal: %s\n",
			options_for_fake->bind ? options_for_fake->bind : "127.0.0.1", options_for_fake->port,
			options_for_fake->gateway_port, error_text(r));
		loop_finish(&server.loop);
		return EXIT_USAGE;
	}
	fake = server.fake;
	r = loop_handle_signals(&server.loop, on_stop, on_dump, &server);
	printf("page=%s api=%s cdn=%s gateway=%s\n", fake_page_url(fake), fake_api_url(fake), fake_cdn_url(fake),
		fake_gateway_url(fake));
	fflush(stdout);
	if (r == 0)
		loop_run(&server.loop);
	fake_destroy(fake);
	loop_finish(&server.loop);
	return r == 0 ? EXIT_CLEAN : EXIT_UNEXPECTED;
}

int main(int argc, char **argv)
{
	struct command_line line = { .fake = { .port = DEFAULT_PORT, .gateway_port = DEFAULT_GATEWAY_PORT } };
	struct settings settings;
	struct str problem cleanup(str_finish) = STR_INIT;
	int status = parse_command_line(argc, argv, &line);

	if (status >= 0)
		return status;
	signal(SIGPIPE, SIG_IGN);
	if (settings_load(&settings, line.config, &problem) < 0) {
		fprintf(stderr, NAME ": %s\n", problem.buf);
		settings_finish(&settings);
		return EXIT_USAGE;
	}
	if (!line.fake.token && settings.token[0])
		line.fake.token = settings.token;
	status = line.check_config ? EXIT_CLEAN : serve(&line.fake);
	settings_finish(&settings);
	return status;
}
