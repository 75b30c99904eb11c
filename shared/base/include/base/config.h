/* Configuration: an INI file, each key overridable by the environment (section__KEY, for secrets also
 * section__KEY_FILE).
 *
 * What exists is said by a table of struct config_key; the loader knows nothing else. An unknown key, a value that the
 * key's type refuses or a missing required one is an error that names the line or the variable. Values never reach a
 * message.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum config_type {
	CONFIG_STRING, /* char *, never NULL */
	CONFIG_SECRET, /* char *, never NULL; told to log_add_secret(), its variables are removed from the environment */
	CONFIG_INT,    /* int64_t, min..max; empty is the fallback */
	CONFIG_BOOL,   /* bool: 1, true, yes, on; 0, false, no, off; empty */
	CONFIG_SNOWFLAKE, /* uint64_t; empty is 0 */
	CONFIG_CHOICE,    /* int: position in `choices`, whatever the case of letters; empty is the fallback */
};

struct config_key {
	const char *section, *key;
	enum config_type type;
	size_t offset; /* of the field in the settings struct */
	const char *fallback;
	int64_t min, max;
	const char *const *choices; /* ends with NULL */
};

/* Fills `settings` (zeroed by the caller) from the fallbacks, the file and the environment, in this order of rising
 * strength. `file` may be NULL. `environment` is environ, or a test's list. On failure one line for people is appended
 * to `reterr_message` ("walle.ini:7: unknown key 'CHANEL' in section [log]") and -EINVAL (content) or -errno (cannot be
 * read) is returned; the settings must be finished in both cases. Only variables of known sections are looked at; when
 * `environment` is the process's own, those of secrets are wiped and removed. */
int config_load(const struct config_key *keys, size_t count, void *settings, const char *file, char **environment,
	struct str *reterr_message) warn_unused;
/* Frees the strings and sets them to NULL, so that finishing again does nothing. */
void config_finish(const struct config_key *keys, size_t count, void *settings);

/* The three steps of config_load(), for tests and other sources. All return 0 or a negative errno with a line appended.
 * config_parse() reads an INI file from memory (`name` is what messages call it); the settings must have their
 * defaults. */
int config_defaults(
	const struct config_key *keys, size_t count, void *settings, struct str *reterr_message) warn_unused;
int config_parse(const struct config_key *keys, size_t count, void *settings, const char *name, const char *text,
	size_t len, struct str *reterr_message) warn_unused;
int config_environment(const struct config_key *keys, size_t count, void *settings, char **environment,
	struct str *reterr_message) warn_unused;

#endif
