/* shared/service/gateway.c: what a person is told about intents. */
#include "support.h"

#include "service_private.h"

#define WANTED (INTENT_GUILDS | INTENT_GUILD_MEMBERS | INTENT_MESSAGE_CONTENT)
/* Discord's documentation, resources/application, "Application Flags" */
#define FLAG_MEMBERS         (1 << 14)
#define FLAG_MEMBERS_LIMITED (1 << 15)
#define FLAG_CONTENT         (1 << 18)
#define FLAG_CONTENT_LIMITED (1 << 19)

static void flags_name_what_is_missing(void **state)
{
	(void)state;
	assert_int_equal(gateway_denied_by_flags(WANTED, 0), INTENT_GUILD_MEMBERS | INTENT_MESSAGE_CONTENT);
	assert_int_equal(gateway_denied_by_flags(WANTED, FLAG_MEMBERS), INTENT_MESSAGE_CONTENT);
	assert_int_equal(gateway_denied_by_flags(WANTED, FLAG_MEMBERS_LIMITED | FLAG_CONTENT_LIMITED), 0);
	assert_int_equal(gateway_denied_by_flags(WANTED, FLAG_MEMBERS | FLAG_CONTENT), 0);
	assert_int_equal(gateway_denied_by_flags(INTENT_GUILDS, 0), 0);
}

static void the_hint_uses_the_portals_words(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;

	(void)state;
	gateway_describe_intents(&text, gateway_privileged(WANTED));
	assert_string_equal(
		text.buf, "GUILD_MEMBERS (\"Server Members Intent\") and MESSAGE_CONTENT (\"Message Content Intent\")");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_name_what_is_missing),
		cmocka_unit_test(the_hint_uses_the_portals_words),
	};

	return cmocka_run_group_tests_name("intents", tests, NULL, NULL);
}
