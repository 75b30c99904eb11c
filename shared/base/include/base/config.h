/* Configuration: an INI file, each key overridable by the environment (section__KEY, for secrets also section__KEY_FILE).
 *
 * What exists is said by a table of struct config_key; the loader knows nothing else. An unknown key, a value that the
 * key's type refuses or a missing required one is an error that names the line or the variable. Values never reach a message.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum config_type {
	CONFIG_STRING,	  /* char *, never NULL */
	CONFIG_SECRET,	  /* char *, never NULL; told to log_add_secret(), its variables are removed from the environment */
	CONFIG_INT,	  /* int64_t, min..max */
	CONFIG_BOOL,	  /* bool: 1, true, yes, on; 0, false, no, off; empty */
	CONFIG_SNOWFLAKE, /* uint64_t; empty is 0 */
	CONFIG_CHOICE,	  /* int: position in `choices` */
};

struct config_key {
	const char *section, *key;
	enum config_type type;
	size_t offset; /* of the field in the settings struct */
	const char *fallback;
	int64_t min, max;
	const char *const *choices; /* ends with NULL */
};

/* Fills `settings` (zeroed by the caller) from the fallbacks, the file and the environment, in this order of rising strength.
 * `file` may be NULL. `environment` is environ, or a test's list. On failure one line for people is appended to `reterr_message`
 * ("walle.ini:7: unknown key 'CHANEL' in section [log]") and -EINVAL (content) or -errno (cannot be read) is returned; the settings
 * must be finished in both cases. */
int config_load(const struct config_key *keys, size_t count, void *settings, const char *file, char **environment,
	struct str *reterr_message) warn_unused;
void config_finish(const struct config_key *keys, size_t count, void *settings);

#endif
