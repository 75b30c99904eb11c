/* What goes over the gateway's wire: addresses, the payloads that we send, and what Discord's close codes mean. */
#include <errno.h>

#include "gateway_private.h"

/* Source: Discord's documentation, topics/opcodes-and-status-codes, "Gateway Close Event Codes". */
static const struct gateway_close_code close_codes[] = {
	{ 4000, GATEWAY_CLOSE_RESUME, "unknown error" },
	{ 4001, GATEWAY_CLOSE_RESUME, "unknown opcode" },
	{ 4002, GATEWAY_CLOSE_RESUME, "decode error" },
	{ 4003, GATEWAY_CLOSE_RESUME, "not authenticated" },
	{ 4004, GATEWAY_CLOSE_FATAL,
		"the token is wrong; set [basic_config] TOKEN to the bot's token of the developer portal" },
	{ 4005, GATEWAY_CLOSE_RESUME, "already authenticated" },
	{ 4007, GATEWAY_CLOSE_NEW_SESSION, "invalid sequence" },
	{ 4008, GATEWAY_CLOSE_RESUME, "too many payloads" },
	{ 4009, GATEWAY_CLOSE_NEW_SESSION, "session timed out" },
	{ 4010, GATEWAY_CLOSE_FATAL, "invalid shard" },
	{ 4011, GATEWAY_CLOSE_FATAL,
		"the bot is in too many servers for one connection; remove it from those that it does not serve" },
	{ 4012, GATEWAY_CLOSE_FATAL, "this version of the gateway is no longer served; update Wall-E" },
	{ 4013, GATEWAY_CLOSE_FATAL, "invalid intents" },
	{ 4014, GATEWAY_CLOSE_FATAL,
		"intents that are not allowed; switch on the privileged intents of the bot in the developer portal" },
};

const struct gateway_close_code *gateway_close_code(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(close_codes); i++)
		if (close_codes[i].code == code)
			return &close_codes[i];
	return NULL;
}

enum gateway_close_class gateway_close_class(int code)
{
	const struct gateway_close_code *row = gateway_close_code(code);

	return row ? row->class : GATEWAY_CLOSE_RESUME;
}

/* The resume address may lead nowhere while the gateway is well: after some failures the general one takes turns. */
static const char *base_address(const struct gateway *g)
{
	bool general = (g->unreachable / GATEWAY_UNREACHABLE) % 2 == 1;

	return g->session_id && !general ? g->resume_url : g->gateway_url;
}

void gateway_address(const struct gateway *g, struct str *out)
{
	const char *url = base_address(g);
	size_t len = strcspn(url, "?#");
	const char *authority = strstr(url, "://");

	str_add(out, url, len);
	if (authority && !memchr(authority + 3, '/', len - (size_t)(authority + 3 - url)))
		str_addc(out, '/');
	str_adds(out, "?v=10&encoding=json");
	if (g->compress)
		str_adds(out, "&compress=zlib-stream");
}

static void payload_begin(struct json_writer *w, enum gateway_opcode op)
{
	json_begin_object(w);
	json_put_int(w, "op", op);
	json_key(w, "d");
}

void gateway_write_heartbeat(const struct gateway *g, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	payload_begin(&w, GATEWAY_OP_HEARTBEAT);
	if (g->committed > 0)
		json_write_int(&w, g->committed);
	else
		json_write_null(&w);
	json_end_object(&w);
}

void gateway_write_identify(const struct gateway *g, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	payload_begin(&w, GATEWAY_OP_IDENTIFY);
	json_begin_object(&w);
	json_put_string(&w, "token", g->token);
	json_put_int(&w, "intents", g->intents);
	json_key(&w, "properties");
	json_begin_object(&w);
	json_put_string(&w, "os", "linux");
	json_put_string(&w, "browser", "wall_e");
	json_put_string(&w, "device", "wall_e");
	json_end_object(&w);
	json_end_object(&w);
	json_end_object(&w);
}

void gateway_write_resume(struct gateway *g, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	g->received = g->committed;
	payload_begin(&w, GATEWAY_OP_RESUME);
	json_begin_object(&w);
	json_put_string(&w, "token", g->token);
	json_put_string(&w, "session_id", g->session_id);
	json_put_int(&w, "seq", g->committed);
	json_end_object(&w);
	json_end_object(&w);
}

int gateway_write_request_members(
	snowflake guild, const char *nonce, const snowflake *user_ids, size_t count, struct str *out)
{
	struct json_writer w = JSON_WRITER(out);

	if (count > 100 || (nonce && strlen(nonce) > 32))
		return -EINVAL;
	payload_begin(&w, GATEWAY_OP_REQUEST_GUILD_MEMBERS);
	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", guild);
	if (user_ids) {
		json_key(&w, "user_ids");
		json_begin_array(&w);
		for (size_t i = 0; i < count; i++)
			json_write_snowflake(&w, user_ids[i]);
		json_end_array(&w);
	} else {
		json_put_string(&w, "query", "");
	}
	json_put_int(&w, "limit", 0);
	if (nonce)
		json_put_string(&w, "nonce", nonce);
	json_end_object(&w);
	json_end_object(&w);
	return 0;
}
