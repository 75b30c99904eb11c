/* Op 8, Request Guild Members: chunks of at most 1000, by prefix, by ids or everybody; everybody only once in a while (gateway-events, "Request
 * Guild Members", "Rate Limited"). */
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "gateway_private.h"
#include "write.h"

#define CHUNK_SIZE 1000
#define FOUND_MAX  100 /* by prefix or by ids */
#define NONCE_MAX  32

struct request {
	struct fake *fake;
	struct session *session;
	const char *nonce; /* NULL: none, or one that is too long and ignored */
	struct user **found;
	size_t count;
	cJSON *not_found; /* array of ids */
};

static bool name_begins(const struct user *user, const char *query)
{
	const char *names[] = { user->name, user->global_name, user->member->nick };
	struct str prefix cleanup(str_finish) = STR_INIT;

	if (utf8_fold(&prefix, query) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct str name cleanup(str_finish) = STR_INIT;

		if (names[i] && utf8_fold(&name, names[i]) == 0 && name.len >= prefix.len &&
			memcmp(name.buf, prefix.buf, prefix.len) == 0)
			return true;
	}
	return false;
}

static void find_by_prefix(struct request *request, const char *query, size_t limit)
{
	for (struct user *user = request->fake->state.users; user && request->count < limit; user = user->hh.next)
		if (user->member && (!*query || name_begins(user, query)))
			request->found[request->count++] = user;
}

static void find_by_id(struct request *request, const cJSON *item)
{
	uint64_t id = json_snowflake_value(item);
	struct user *user = state_user(&request->fake->state, id);

	if (user && user->member)
		request->found[request->count++] = user;
	else if (cJSON_IsString(item))
		cJSON_AddItemToArray(request->not_found, cJSON_CreateString(item->valuestring));
}

static void send_chunk(struct request *request, size_t index, size_t chunks)
{
	struct gateway *gateway = request->fake->gateway;
	size_t from = index * CHUNK_SIZE, to = MIN(from + CHUNK_SIZE, request->count);
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	if (gateway->faults.missing_chunks > 0) {
		gateway->faults.missing_chunks--;
		return;
	}
	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", request->fake->state.guild);
	json_key(&w, "members");
	json_begin_array(&w);
	for (size_t i = from; i < to; i++)
		write_member(&w, &request->fake->state, request->found[i]);
	json_end_array(&w);
	json_put_uint(&w, "chunk_index", index);
	json_put_uint(&w, "chunk_count", chunks);
	if (request->nonce)
		json_put_string(&w, "nonce", request->nonce);
	if (request->not_found->child) {
		json_key(&w, "not_found");
		json_write_tree(&w, request->not_found);
	}
	json_end_object(&w);
	session_dispatch_later(gateway, request->session, gateway->faults.chunk_delay * (usec)(index + 1),
		"GUILD_MEMBERS_CHUNK", &data);
}

/* Whether asking for everybody came too soon; then it was answered. */
static bool too_soon(struct request *request)
{
	struct fake *fake = request->fake;
	usec now = fake_now(fake), wait = fake->gateway->full_request_at + fake->options.member_request_interval - now;
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);

	if (!fake->gateway->full_request_at || wait <= 0) {
		fake->gateway->full_request_at = now;
		return false;
	}
	json_begin_object(&w);
	json_put_int(&w, "opcode", GATEWAY_MEMBERS);
	json_key(&w, "retry_after");
	json_write_double(&w, (double)wait / SECOND);
	json_key(&w, "meta");
	json_begin_object(&w);
	json_put_snowflake(&w, "guild_id", fake->state.guild);
	if (request->nonce)
		json_put_string(&w, "nonce", request->nonce);
	json_end_object(&w);
	json_end_object(&w);
	session_dispatch_later(fake->gateway, request->session, 0, "RATE_LIMITED", &data);
	return true;
}

/* The one guild that is asked about: a string, or an array of one. */
static uint64_t requested_guild(const cJSON *data)
{
	const cJSON *guild = json_get(data, "guild_id");

	if (cJSON_IsArray(guild))
		guild = cJSON_GetArraySize(guild) == 1 ? guild->child : NULL;
	return guild ? json_snowflake_value(guild) : 0;
}

static void answer(struct request *request)
{
	size_t chunks = MAX((request->count + CHUNK_SIZE - 1) / CHUNK_SIZE, (size_t)1);

	for (size_t i = 0; i < chunks; i++)
		send_chunk(request, i, chunks);
}

void members_request(struct fake *fake, struct session *session, const cJSON *data)
{
	struct request request = { .fake = fake, .session = session, .nonce = json_string(data, "nonce") };
	const char *query = json_string(data, "query");
	const cJSON *ids = json_get(data, "user_ids"), *id_list = json_array(data, "user_ids");
	int64_t limit = json_int(data, "limit", -1);
	bool everybody = query && !*query && !ids;

	if (requested_guild(data) != fake->state.guild || (!query && !ids) || (query && !ids && limit < 0)) {
		connection_close(session->connection, 4002, "Error while decoding payload.");
		return;
	}
	if ((everybody && !(session->intents & INTENT_GUILD_MEMBERS)) || fake->outage || fake->bot_gone)
		return; /* not answered */
	if (request.nonce && strlen(request.nonce) > NONCE_MAX)
		request.nonce = NULL;
	if (everybody && limit == 0 && too_soon(&request))
		return;
	request.found = xcalloc(fake->state.member_count + FOUND_MAX, sizeof(struct user *));
	request.not_found = cJSON_CreateArray();
	if (ids) {
		size_t left = FOUND_MAX;

		if (cJSON_IsString(ids))
			find_by_id(&request, ids);
		json_array_each (id, id_list) {
			if (left-- == 0)
				break;
			find_by_id(&request, id);
		}
	} else {
		find_by_prefix(&request, query,
			limit == 0 && everybody ? SIZE_MAX : MIN((size_t)MAX(limit, 1), (size_t)FOUND_MAX));
	}
	answer(&request);
	free(request.found);
	cJSON_Delete(request.not_found);
}
