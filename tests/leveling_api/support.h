/* For the tests of leveling_api: a database in a directory of its own, and requests that are answered without a network. Include after
 * nothing; it brings cmocka along. */
#ifndef TESTS_LEVELING_API_SUPPORT_H
#define TESTS_LEVELING_API_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api.h"
#include "base/settings.h"
#include "models/member_xp.h"

struct fixture {
	char *directory, *path;
	struct db *db; /* a writer's connection */
	struct settings settings;
	struct api api;
	struct arena arena;
	struct answer answer; /* of the last fetch() */
	const char *route;
};

/* A database with the 101 levels; the source is opened by the first fetch(). */
int fixture_setup(void **state);
/* The same without a database. */
int fixture_setup_empty(void **state);
int fixture_teardown(void **state);
void fixture_create_database(struct fixture *fixture);

/* Writes a member; points of an existing one are replaced. name NULL: no profile is written. */
void put_member(struct fixture *fixture, uint64_t user_id, int64_t points, const char *name, const char *avatar);
void put_profile(struct fixture *fixture, uint64_t user_id, const char *name, const char *nick, const char *avatar,
	bool present, usec now);
void hide_member(struct fixture *fixture, uint64_t user_id, bool hidden);

/* Answers a GET with "Host: test" and "Accept: application/json"; the body, which lives until the next call. Fails the test unless the status
 * is `status`. */
const char *fetch(struct fixture *fixture, const char *target, int status);
const char *fetch_with(struct fixture *fixture, const char *method, const char *target, const char *accept, int status);

/* Waits (at most 10 s) until the source has opened the database or failed to. */
void wait_for_source(struct source *source);

#define assert_contains(text, part) assert_non_null(strstr(text, part))
#define assert_lacks(text, part)    assert_null(strstr(text, part))

#endif
