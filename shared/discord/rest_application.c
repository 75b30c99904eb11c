/* Endpoints of the application and of the gateway (Discord's documentation, interactions/application-commands,
 * resources/application and events/gateway). */
#include <errno.h>

#include "rest_internal.h"

int rest_overwrite_guild_commands(
	struct rest *rest, snowflake application, snowflake guild, const char *commands, size_t len)
{
	struct rest_call call;

	REST_BEGIN(&call, "PUT /applications/{application.id}/guilds/{guild.id}/commands", REST_ID(application),
		REST_ID(guild));
	str_add(&call.body, commands, len);
	return rest_finish(rest, &call, NULL);
}

int rest_get_guild_commands(struct rest *rest, snowflake application, snowflake guild, cJSON **ret_json)
{
	struct rest_call call;
	cJSON *json;
	int r;

	REST_BEGIN(&call, "GET /applications/{application.id}/guilds/{guild.id}/commands", REST_ID(application),
		REST_ID(guild));
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	if (!cJSON_IsArray(json)) {
		cJSON_Delete(json);
		return -EBADMSG;
	}
	*ret_json = json;
	return 0;
}

int rest_get_current_application(struct rest *rest, cJSON **ret_json)
{
	struct rest_call call;
	cJSON *json;
	int r;

	REST_BEGIN(&call, "GET /applications/@me");
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	if (!json)
		return -EBADMSG;
	*ret_json = json;
	return 0;
}

int rest_get_gateway_bot(struct rest *rest, struct arena *arena, struct gateway_bot *ret_gateway)
{
	cJSON *json cleanup(json_freep) = NULL;
	const cJSON *limit;
	const char *url;
	int64_t reset_after;
	struct rest_call call;
	int r;

	REST_BEGIN(&call, "GET /gateway/bot");
	r = rest_finish(rest, &call, &json);
	if (r < 0)
		return r;
	url = json_string(json, "url");
	limit = json_object(json, "session_start_limit");
	if (!url || !limit)
		return -EBADMSG;
	reset_after = MAX(json_int(limit, "reset_after", 0), 0);
	*ret_gateway = (struct gateway_bot){
		.url = arena_strdup(arena, url),
		.remaining = json_int(limit, "remaining", 0),
		.total = json_int(limit, "total", 0),
		.max_concurrency = json_int(limit, "max_concurrency", 1),
		.reset_after = reset_after * MILLISECOND,
	};
	return 0;
}
