/* base/settings.h: a configuration file. A refusal is one line; whatever happens, the settings can be finished. */
#include <string.h>

#include "base/log.h"
#include "base/settings.h"
#include "base/str.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str message cleanup(str_finish) = STR_INIT;
	struct settings settings = { 0 };
	int r = settings_parse(&settings, (const char *)data, size, &message);

	REQUIRE((r < 0) == (message.len > 0));
	REQUIRE(!strchr(message.buf, '\n'));
	REQUIRE(strlen(message.buf) == message.len);
	if (r == 0) {
		REQUIRE(settings.token && settings.database_path && settings.role_execs);
		REQUIRE(settings.xp_min <= settings.xp_max);
		REQUIRE(settings.api_port >= 0 && settings.api_port <= 65535);
	}
	settings_finish(&settings);
	/* Also forgets the secrets that the file told. */
	log_finish();
	return 0;
}
