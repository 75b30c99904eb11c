/* A test of the harness (harness.h): its directory, configuration, journal, clock and database. The programs are in
 * harness_process.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "harness_private.h"

/* Below the range from which the kernel takes ports for connections. Tests that run at the same time begin at
 * different places. */
#define PORT_LOW  20000
#define PORT_HIGH 32000
#define PORT_STEP 12
/* 5 messages in 250 ms instead of 5 s */
#define RATE_SCALE 0.05

/* Handed through from the test's own environment: what sanitizers and coverage need. */
static const char *const inherited[] = { "PATH", "HOME", "TMPDIR", "TZDIR", "SSL_CERT_FILE", "ASAN_OPTIONS",
	"LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "GCOV_PREFIX", "LLVM_PROFILE_FILE" };

/* ---- the journal ---- */

static const char *test_name = "unnamed";

static void journal_path(struct str *path)
{
	str_printf(path, "%s/%s.jsonl", HARNESS_JOURNALS, test_name);
}

static void write_journal(const struct harness *h)
{
	struct str path cleanup(str_finish) = STR_INIT;
	struct str text cleanup(str_finish) = STR_INIT;
	FILE *file;

	journal_path(&path);
	fake_write_calls(h->fake, &text);
	file = fopen(path.buf, "a");
	if (!file) {
		print_error("%s: %s\n", path.buf, strerror(errno));
		return;
	}
	fwrite(text.buf, 1, text.len, file);
	fclose(file);
}

int harness_run(const char *name, const struct CMUnitTest *tests, size_t count)
{
	struct str path cleanup(str_finish) = STR_INIT;

	test_name = name;
	mkdir(HARNESS_JOURNALS, 0777);
	journal_path(&path);
	unlink(path.buf);
	return _cmocka_run_group_tests(name, tests, count, NULL, NULL);
}

/* ---- environment ---- */

static struct variable *find_variable(struct harness *h, const char *name)
{
	struct harness_private *p = h->private;

	for (size_t i = 0; i < p->variable_count; i++)
		if (streq(p->variables[i].name, name))
			return &p->variables[i];
	return NULL;
}

const char *harness_variable(struct harness *h, const char *name)
{
	const struct variable *variable = find_variable(h, name);

	return variable ? variable->value : NULL;
}

void harness_set(struct harness *h, const char *name, const char *value)
{
	struct harness_private *p = h->private;
	struct variable *variable = find_variable(h, name);

	if (!variable) {
		if (!value)
			return;
		assert_true(p->variable_count < HARNESS_VARIABLES);
		variable = &p->variables[p->variable_count++];
		variable->name = xstrdup(name);
	}
	free(variable->value);
	variable->value = value ? xstrdup(value) : NULL;
}

static bool is_free(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd cleanup(closep) = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

int harness_free_port(struct harness *h)
{
	static unsigned taken;
	unsigned range = PORT_HIGH - PORT_LOW, first = (unsigned)getpid() * PORT_STEP;

	(void)h;
	for (unsigned i = 0; i < range; i++) {
		int port = PORT_LOW + (int)((first + taken++) % range);

		if (is_free(port))
			return port;
	}
	fail_msg("no free port");
	return 0;
}

static void set_environment(struct harness *h)
{
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++)
		harness_set(h, inherited[i], getenv(inherited[i]));
	harness_set(h, "basic_config__TOKEN", fake_token(h->fake));
	harness_set(h, "discord__API_URL", fake_api_url(h->fake));
	harness_set(h, "discord__CDN_URL", fake_cdn_url(h->fake));
	harness_set(h, "database_config__PATH", h->database);
	harness_set(h, "log__LEVEL", "debug");
	for (enum harness_program program = PROGRAM_BOT; program <= PROGRAM_API; program++) {
		char port[16];

		snprintf(port, sizeof(port), "%d", harness_free_port(h));
		harness_set(h, process_port_variable(program), port);
	}
}

/* ---- set up, take down ---- */

int harness_set_up(void **state)
{
	const struct harness_test *test = *state;
	struct harness *h = xcalloc(1, sizeof(*h));
	const char *base = getenv("TMPDIR");
	struct fake_options options = test->options ? *test->options : (struct fake_options){ 0 };

	if (options.rate_scale <= 0)
		options.rate_scale = RATE_SCALE;
	h->private = xcalloc(1, sizeof(*h->private));
	h->private->test = test;
	snprintf(h->directory, sizeof(h->directory), "%s/walle-test-XXXXXX", base && strlen(base) < 32 ? base : "/tmp");
	if (!mkdtemp(h->directory))
		return -1;
	snprintf(h->database, sizeof(h->database), "%s/walle.sqlite3", h->directory);
	if (loop_init(&h->loop) < 0 || fake_create(&h->loop, &options, &h->fake) < 0 ||
		http_create(&h->loop, "walle-test", 8, &h->private->http) < 0)
		return -1;
	set_environment(h);
	*state = h;
	return 0;
}

void harness_call(void **state)
{
	struct harness *h = *state;

	h->private->test->run(h);
	h->private->passed = true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

int harness_tear_down(void **state)
{
	struct harness *h = *state;
	struct harness_private *p = h->private;
	const char *problem = NULL;
	int r;

	/* Whoever still runs was left by a test that failed, or by one that does not care how it ends. */
	for (size_t i = 0; i < p->process_count; i++) {
		const char *found = process_end(p->processes[i]);

		if (!problem)
			problem = found;
	}
	for (size_t i = 0; i < p->process_count; i++) {
		if (problem || !p->passed)
			process_print(p->processes[i]);
		process_free(p->processes[i]);
	}
	if (problem)
		print_error("%s\n", problem);
	write_journal(h);
	db_close(p->db);
	http_destroy(p->http);
	fake_destroy(h->fake);
	arena_finish(&h->arena);
	r = loop_finish(&h->loop);
	if (r < 0)
		print_error("the test's loop did not close: %s\n", error_text(r));
	for (size_t i = 0; i < p->variable_count; i++) {
		free(p->variables[i].name);
		free(p->variables[i].value);
	}
	nftw(h->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(p);
	free(h);
	*state = NULL;
	return problem || r < 0 ? -1 : 0;
}

/* ---- waiting ---- */

void harness_wait(struct harness *h, bool (*done)(void *arg), void *arg, usec patience)
{
	usec deadline = loop_now(&h->loop) + patience;

	/* What is waited for may be in the database, whose changes wake nobody. */
	while (!done(arg)) {
		if (loop_now(&h->loop) >= deadline)
			fail_msg("has not happened within %lld ms", (long long)(patience / MILLISECOND));
		harness_idle(h, HARNESS_POLL);
	}
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void harness_idle(struct harness *h, usec duration)
{
	if (loop_run_until(&h->loop, never, NULL, duration) != -ETIMEDOUT)
		fail_msg("the loop has stopped");
}

/* ---- the database ---- */

static bool database_opens(void *arg)
{
	struct harness *h = arg;

	return access(h->database, F_OK) == 0 && db_open(h->database, DB_READ_ONLY, &h->private->db, NULL) == 0;
}

struct db *harness_db(struct harness *h)
{
	if (!h->private->db)
		harness_wait(h, database_opens, h, SOON);
	return h->private->db;
}

/* ---- profiles ---- */

bool harness_profile(struct harness *h, uint64_t user_id, struct profile *ret_profile)
{
	int r = profile_get(harness_db(h), user_id, &h->arena, ret_profile);

	/* A reader may come between two writers of a busy database. */
	if (r < 0 && r != -ENOENT && r != -EAGAIN)
		fail_msg("the profile cannot be read: %s", error_text(r));
	return r == 0;
}

struct profile_wait {
	struct harness *h;
	uint64_t user_id;
	const char *name, *nick;
	bool compare, present;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

static bool profile_fits(void *arg)
{
	const struct profile_wait *wait = arg;
	struct profile profile;

	if (!harness_profile(wait->h, wait->user_id, &profile) || profile.present != wait->present)
		return false;
	return !wait->compare || (same_text(profile.name, wait->name) && same_text(profile.nick, wait->nick));
}

void harness_wait_profile(struct harness *h, uint64_t user_id, const char *name, const char *nick, usec patience)
{
	struct profile_wait wait = {
		.h = h, .user_id = user_id, .name = name, .nick = nick, .compare = true, .present = true
	};

	harness_wait(h, profile_fits, &wait, patience);
}

void harness_wait_present(struct harness *h, uint64_t user_id, bool present, usec patience)
{
	struct profile_wait wait = { .h = h, .user_id = user_id, .present = present };

	harness_wait(h, profile_fits, &wait, patience);
}

struct fake_gateway_stats harness_gateway(struct harness *h)
{
	struct fake_gateway_stats stats;

	fake_gateway(h->fake, &stats);
	return stats;
}
