/* See support.h. */
#include "support.h"

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int fixture_setup_empty(void **state)
{
	static char *no_environment[] = { NULL };
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct str message cleanup(str_finish) = STR_INIT;
	const char *base = getenv("TMPDIR");

	fixture->directory = xasprintf("%s/walle-api-XXXXXX", base && *base ? base : "/tmp");
	if (!mkdtemp(fixture->directory))
		return -1;
	fixture->path = xasprintf("%s/walle.sqlite3", fixture->directory);
	if (settings_load_from(&fixture->settings, NULL, no_environment, &message) < 0)
		return -1;
	fixture->api.settings = &fixture->settings;
	fixture->api.page_csp = "default-src 'self'";
	if (timezone_load(NULL, "Canada/Pacific", &fixture->api.pacific) < 0)
		return -1;
	str_init(&fixture->answer.body);
	*state = fixture;
	return 0;
}

void fixture_create_database(struct fixture *fixture)
{
	struct str message cleanup(str_finish) = STR_INIT;

	if (db_open(fixture->path, DB_WRITE, &fixture->db, &message) < 0)
		fail_msg("%s", message.buf);
	assert_int_equal(level_seed(fixture->db), 0);
}

int fixture_setup(void **state)
{
	if (fixture_setup_empty(state) < 0)
		return -1;
	fixture_create_database(*state);
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	struct dirent *entry;
	DIR *directory;

	source_destroy(fixture->api.source);
	timezone_destroy(fixture->api.pacific);
	db_close(fixture->db);
	directory = opendir(fixture->directory);
	while (directory && (entry = readdir(directory))) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory)
		closedir(directory);
	rmdir(fixture->directory);
	answer_finish(&fixture->answer);
	arena_finish(&fixture->arena);
	settings_finish(&fixture->settings);
	free(fixture->directory);
	free(fixture->path);
	free(fixture);
	return 0;
}

void put_profile(struct fixture *fixture, uint64_t user_id, const char *name, const char *nick, const char *avatar,
	bool present, usec now)
{
	const struct profile profile = {
		.user_id = user_id, .name = name, .nick = nick, .avatar_url = avatar, .present = present
	};

	assert_int_equal(profile_put(fixture->db, &profile, now, NULL), 0);
}

void put_member(struct fixture *fixture, uint64_t user_id, int64_t points, const char *name, const char *avatar)
{
	struct member_xp xp = { .user_id = user_id, .announce = true }, stored;

	if (member_xp_get(fixture->db, user_id, &stored) == 0)
		xp = stored;
	xp.points = points;
	xp.level_number = level_for_points(points);
	xp.level_points = points - level_total_points(xp.level_number);
	xp.message_count = points / 20;
	assert_int_equal(member_xp_put(fixture->db, &xp), 0);
	if (name)
		put_profile(fixture, user_id, name, NULL, avatar, true, INT64_C(1750000000) * SECOND);
}

void hide_member(struct fixture *fixture, uint64_t user_id, bool hidden)
{
	assert_int_equal(member_xp_set_hidden(fixture->db, user_id, hidden, NULL), 0);
}

void wait_for_source(struct source *source)
{
	usec deadline = clock_monotonic() + 10 * SECOND;
	struct pollfd poll_fd = { .fd = source_fd(source), .events = POLLIN };

	while (source_status(source).state == SOURCE_OPENING && clock_monotonic() < deadline) {
		(void)!poll(&poll_fd, 1, 20);
		source_tick(source, clock_monotonic());
	}
	assert_int_not_equal(source_status(source).state, SOURCE_OPENING);
}

const char *fetch_with(struct fixture *fixture, const char *method, const char *target, const char *accept, int status)
{
	const struct raw_header headers[] = { { "Host", "test" }, { "Accept", accept } };
	const struct raw_request raw = { .method = method,
		.target = target,
		.version = "HTTP/1.1",
		.headers = headers,
		.header_count = accept ? 2 : 1,
		.head_bytes = strlen(target) + 100,
		.clean_lines = true };
	const char *reason = NULL;
	struct request request;
	int refused;

	if (!fixture->api.source) {
		fixture->api.source = source_create(fixture->path);
		wait_for_source(fixture->api.source);
	}
	arena_reset(&fixture->arena);
	answer_finish(&fixture->answer);
	fixture->answer = (struct answer)ANSWER_INIT;
	refused = request_parse(&raw, &fixture->arena, &request, &reason);
	request.base = "http://test";
	request.address = "192.0.2.1";
	if (refused)
		answer_error(&fixture->answer, refused, reason);
	else
		routes_answer(&fixture->api, &request, clock_monotonic(), &fixture->answer, &fixture->route);
	if (fixture->answer.status != status)
		fail_msg("%s %s: %d and not %d: %s", method, target, fixture->answer.status, status,
			fixture->answer.body.buf);
	return fixture->answer.body.buf;
}

const char *fetch(struct fixture *fixture, const char *target, int status)
{
	return fetch_with(fixture, "GET", target, "application/json", status);
}
