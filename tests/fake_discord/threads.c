/* Joining a thread: see threads.h. Sessions without INTENT_MEMBERS hear of their own membership only (events/gateway,
 * "Thread Members Update"); a private thread begins to exist for the bot when it is added. */
#include "threads.h"

#include "dispatch.h"
#include "gateway.h"
#include "write.h"

static void write_update(struct fake *fake, const struct channel *thread, uint64_t user, struct json_writer *w)
{
	json_begin_object(w);
	json_put_snowflake(w, "id", thread->id);
	json_put_snowflake(w, "guild_id", fake->state.guild);
	json_put_int(w, "member_count", (int64_t)thread->thread_members.count);
	json_key(w, "added_members");
	json_begin_array(w);
	write_thread_member(w, thread, user);
	json_end_array(w);
	json_end_object(w);
}

void thread_join(struct fake *fake, struct channel *thread, uint64_t user)
{
	struct str data cleanup(str_finish) = STR_INIT;
	struct json_writer w = JSON_WRITER(&data);
	bool self = user == fake->state.bot;

	if (id_list_has(&thread->thread_members, user))
		return;
	id_list_add(&thread->thread_members, user);
	if (self && thread->type == CHANNEL_PRIVATE_THREAD)
		dispatch_channel(fake, "THREAD_CREATE", thread);
	write_update(fake, thread, user, &w);
	dispatch_in_channel(fake, "THREAD_MEMBERS_UPDATE", thread, self ? INTENT_GUILDS : INTENT_GUILD_MEMBERS, &data);
}
