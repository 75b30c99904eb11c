/* leveling_api/routes.h: any path and query, answered over a small database. Whatever is asked, the answer is one of the documented
 * statuses, and JSON where it says so. The input is "TARGET" or "TARGET\nACCEPT". */
#include <string.h>
#include <unistd.h>

#include "api.h"
#include "base/json.h"
#include "base/settings.h"
#include "fuzz.h"
#include "models/member_xp.h"

static struct api api = { .page_csp = "default-src 'none'" };

static void fill(const char *path)
{
	struct str message = STR_INIT;
	struct db *db;

	REQUIRE(db_open(path, DB_WRITE, &db, &message) == 0);
	REQUIRE(level_seed(db) == 0);
	for (uint64_t i = 1; i <= 60; i++) {
		struct member_xp xp = {
			.user_id = i, .points = (int64_t)(i * i * 50), .level_number = (int64_t)i, .hidden = i == 7
		};
		struct profile profile = { .user_id = i,
			.name = i % 2 ? "n\"<a>\xc3\xa9" : NULL,
			.present = i != 9,
			.avatar_url = i % 3 ? "https://cdn/avatars/123456/abcdef0123.png" : NULL };

		REQUIRE(member_xp_put(db, &xp) == 0);
		if (i % 5)
			REQUIRE(profile_put(db, &profile, (usec)i * SECOND, NULL) == 0);
	}
	db_close(db);
	str_finish(&message);
}

static void start(void)
{
	char directory[] = "/tmp/walle-fuzz-api-XXXXXX";
	static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
	char *path;

	REQUIRE(mkdtemp(directory));
	path = xasprintf("%s/walle.sqlite3", directory);
	fill(path);
	api.source = source_create(path);
	while (source_status(api.source).state == SOURCE_OPENING) {
		usleep(1000);
		source_tick(api.source, clock_monotonic());
	}
	REQUIRE(source_status(api.source).state == SOURCE_READY);
	/* The open connection keeps the files; nothing stays behind. */
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char *name = xasprintf("%s%s", path, endings[i]);

		unlink(name);
		free(name);
	}
	rmdir(directory);
	free(path);
	/* One look at the database is enough for all inputs. */
	source_begin_round(api.source);
}

static bool is_known(int status)
{
	static const int known[] = { 200, 204, 301, 400, 404, 405, 406, 410, 413, 414 };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i] == status)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size), *accept = strchr(text, '\n');
	struct answer answer = ANSWER_INIT;
	struct arena arena = ARENA_INIT;
	const char *reason, *route = NULL;
	struct raw_header headers[] = { { "Host", "fuzz" }, { "Accept", accept ? accept + 1 : "*/*" } };
	struct raw_request raw = { "GET", text, "HTTP/1.1", headers, ARRAY_SIZE(headers), size, true };
	struct request request;

	if (!api.source)
		start();
	if (accept)
		*accept = '\0';
	if (request_parse(&raw, &arena, &request, &reason) == 0) {
		request.base = "http://fuzz";
		request.address = "192.0.2.1";
		routes_answer(&api, &request, clock_monotonic(), &answer, &route);
		REQUIRE(is_known(answer.status));
		REQUIRE(route);
		if (answer.status != 204 && answer.status != 301 && strcmp(answer.type, "application/json") == 0) {
			cJSON *json = NULL;

			/* A 400 repeats what was sent, and our reader takes no NUL. */
			REQUIRE(json_parse(answer.body.buf, answer.body.len, &json) == 0 ||
				strstr(answer.body.buf, "\\u0000"));
			cJSON_Delete(json);
		}
		REQUIRE(!answer.location || !strpbrk(answer.location, "\r\n"));
	}
	answer_finish(&answer);
	arena_finish(&arena);
	free(text);
	return 0;
}
