/* The demo guild: people, roles and channels as a small student server has them. Its ids are the same after every start, so that a program's
 * database and the fake can be restarted apart from each other. To add somebody or something: a row. */
#include <stdio.h>

#include "fake.h"
#include "permissions.h"

#define BOT_ID    1000000000000000001ULL /* FAKE_TOKEN begins with it */
#define DEMO_BASE 900000000000000000ULL
#define DEMO_STEP 4194304ULL /* a millisecond of a snowflake */

/* Numbers of ids: each kind has its own range. */
enum { DEMO_GUILD = 1, DEMO_USERS = 1000, DEMO_ROLES = 2000, DEMO_CHANNELS = 3000, DEMO_SYNTHETIC = 1000000 };

static uint64_t demo_id(unsigned number)
{
	return DEMO_BASE + number * DEMO_STEP;
}

#define STAFF_PERMISSIONS                                                                                          \
	(PERMISSION_KICK_MEMBERS | PERMISSION_BAN_MEMBERS | PERMISSION_MANAGE_MESSAGES | PERMISSION_MANAGE_ROLES | \
		PERMISSION_MANAGE_NICKNAMES | PERMISSION_MODERATE_MEMBERS | PERMISSION_VIEW_AUDIT_LOG |            \
		PERMISSION_MENTION_EVERYONE)
#define BOT_PERMISSIONS                                                                                    \
	(PERMISSIONS_EVERYONE | STAFF_PERMISSIONS | PERMISSION_MANAGE_CHANNELS | PERMISSION_PIN_MESSAGES | \
		PERMISSION_MANAGE_THREADS)

/* From the lowest to the highest, above @everyone. */
static const struct {
	const char *name;
	unsigned color;
	uint64_t permissions;
	bool hoist, mentionable, managed;
} roles[] = {
	{ "cmpt300", 0, 0, false, true, false },
	{ "gamers", 0, 0, false, true, false },
	{ "froshee", 0, 0, false, true, false },
	{ "Hello World", 0x95a5a6, 0, false, false, false },
	{ "Missing Semicolon", 0x1abc9c, 0, false, false, false },
	{ "Manual Tester", 0x2ecc71, 0, false, false, false },
	{ "Javascript Programmer", 0xf1c40f, 0, false, false, false },
	{ "Syntax Error", 0xe67e22, 0, false, false, false },
	{ "Git Gud", 0xe74c3c, 0, false, false, false },
	{ "Full Stack Developer", 0x9b59b6, 0, false, false, false },
	{ "Assembly Programmer", 0x11806a, 0, false, false, false },
	{ "Segmentation Fault", 0x1f8b4c, 0, false, false, false },
	{ "Vim User", 0x206694, 0, false, false, false },
	{ "Kernel", 0x71368a, 0, false, false, false },
	{ "Stallman Follower", 0xad1457, 0, false, false, false },
	{ "Forkbomb", 0xc27c0e, 0, false, false, false },
	{ "Human Compiler", 0xa84300, 0, false, false, false },
	{ "Gentoo Installer", 0x992d22, 0, false, false, false },
	{ "HolyC", 0x979c9f, 0, false, false, false },
	{ "CD level80", 0x607d8b, 0, false, false, false },
	{ "THE 85", 0x546e7a, 0, false, false, false },
	{ "THE 90", 0x00bfbd, 0, false, false, false },
	{ "THE 95", 0xffc61d, 0, false, false, false },
	{ "Wall-E", 0x00bfbd, BOT_PERMISSIONS, false, false, true },
	{ "Muted", 0x818386, 0, false, false, false },
	{ "Moderator", 0x2ecc71, STAFF_PERMISSIONS, true, true, false },
	{ "Minions", 0xf1c40f, STAFF_PERMISSIONS | PERMISSION_MANAGE_CHANNELS | PERMISSION_MANAGE_GUILD, true, true,
		false },
	{ "Bot_manager", 0xe67e22, 0, true, true, false },
	{ "Execs", 0x3498db, 0, true, true, false },
};

static const struct {
	const char *name, *global_name, *nick, *role;
	bool avatar;
} people[] = {
	{ "heidi", "Heidi Virtanen", NULL, NULL, true },
	{ "alice", "Alice", NULL, NULL, true },
	{ "bob", "Bob the Builder", "Bob", "Minions", true },
	{ "carol", "Carol", NULL, "Moderator", false },
	{ "dave", "Dave", "Dave (bots)", "Bot_manager", true },
	{ "erin", "Erin O'Hara", NULL, "Execs", true },
	{ "frank", NULL, NULL, NULL, false },
	{ "grace", "Gr\xc3\xa4\xc3\x9fliche Gr\xc3\xa1inne \xf0\x9f\x8c\xb1", NULL, NULL, true },
	{ "ivan", "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", NULL, NULL, false },
	{ "judy", "\xe3\x82\xb8\xe3\x83\xa5\xe3\x83\x87\xe3\x82\xa3", "judy \xe2\x9c\xa8", NULL, true },
	{ "mallory", "<script>Mallory</script>", "**mallory** @everyone", "Muted", true },
	{ "niaj", "N.", NULL, NULL, false },
};

static const struct {
	const char *name;
	int type;
	const char *parent, *topic;
	bool staff; /* hidden from everybody but the staff and the bot */
} channels[] = {
	{ "Information", CHANNEL_CATEGORY, NULL, NULL, false },
	{ "announcements", CHANNEL_TEXT, "Information", "News of the society", false },
	{ "Talk", CHANNEL_CATEGORY, NULL, NULL, false },
	{ "general", CHANNEL_TEXT, "Talk", "Everything and nothing", false },
	{ "random", CHANNEL_TEXT, "Talk", NULL, false },
	{ "bot-commands-and-misc", CHANNEL_TEXT, "Talk", "Commands go here", false },
	{ "bot-testing", CHANNEL_TEXT, "Talk", NULL, false },
	{ "Staff", CHANNEL_CATEGORY, NULL, NULL, true },
	{ "council-summary", CHANNEL_TEXT, "Staff", NULL, true },
	{ "council", CHANNEL_TEXT, "Staff", NULL, true },
	{ "incident_reports", CHANNEL_TEXT, "Staff", NULL, true },
	{ "embed_avatars", CHANNEL_TEXT, "Staff", NULL, true },
	{ "leveling_website_avatar_images", CHANNEL_TEXT, "Staff", NULL, true },
	{ "bot-management", CHANNEL_TEXT, "Staff", NULL, true },
};

static const struct {
	uint64_t id;
	const char *name;
	bool animated;
} emojis[] = {
	{ 313248902021120000ULL, "F_Eggplant", false },
	{ 900000000000005000ULL, "walle", false },
	{ 900000000000005001ULL, "party", true },
};

/* An avatar's hash as Discord makes them: 32 hexadecimal digits, the same for the same person at every start. */
static void demo_avatar(struct user *user)
{
	char hash[40];

	snprintf(hash, sizeof(hash), "%016llx%016llx", (unsigned long long)(user->id * 0x9e3779b97f4a7c15ULL),
		(unsigned long long)(user->id * 0xc2b2ae3d27d4eb4fULL));
	replace_text(&user->avatar, hash);
}

static void add_roles(struct state *state)
{
	struct role *everyone = state_add_role(state, state->guild, "@everyone", 0);

	everyone->permissions = PERMISSIONS_EVERYONE;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct role *role = state_add_role(state, demo_id(DEMO_ROLES + (unsigned)i), roles[i].name, (int)i + 1);

		role->color = roles[i].color;
		role->permissions = roles[i].permissions;
		role->hoist = roles[i].hoist;
		role->mentionable = roles[i].mentionable;
		role->managed = roles[i].managed;
	}
}

static void give_role(struct state *state, struct user *user, const char *name)
{
	if (name)
		id_list_add(&user->member->roles, state_role_by_name(state, name)->id);
}

static void add_people(struct fake *fake)
{
	struct state *state = &fake->state;
	usec joined = state_id_time(state->guild);
	struct user *bot = state_add_user(state, BOT_ID, "Wall-E", NULL, true);

	state->bot = bot->id;
	state_join(state, bot, joined);
	give_role(state, bot, "Wall-E");
	for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
		struct user *user = state_add_user(
			state, demo_id(DEMO_USERS + (unsigned)i), people[i].name, people[i].global_name, false);

		state_join(state, user, joined + (usec)i * DAY);
		replace_text(&user->member->nick, people[i].nick);
		give_role(state, user, people[i].role);
		if (people[i].avatar && !fake->options.no_demo_avatars)
			demo_avatar(user);
	}
	state->owner = demo_id(DEMO_USERS);
}

/* Members that only make the guild large. */
static void add_synthetic(struct fake *fake)
{
	for (unsigned i = 1; i <= fake->options.members; i++) {
		char name[32], global_name[32];
		struct user *user;

		snprintf(name, sizeof(name), "user_%u", i);
		snprintf(global_name, sizeof(global_name), "User %u", i);
		user = state_add_user(&fake->state, demo_id(DEMO_SYNTHETIC + i), name, global_name, false);
		if (!user)
			return;
		state_join(&fake->state, user, state_id_time(fake->state.guild) + (usec)i * MINUTE);
		if (i % 2 && !fake->options.no_demo_avatars)
			demo_avatar(user);
	}
}

static void add_channels(struct state *state)
{
	static const char *const staff[] = { "Minions", "Moderator", "Bot_manager", "Execs", "Wall-E" };

	for (size_t i = 0; i < ARRAY_SIZE(channels); i++) {
		struct channel *channel = state_add_channel(
			state, demo_id(DEMO_CHANNELS + (unsigned)i), channels[i].type, channels[i].name);

		replace_text(&channel->topic, channels[i].topic);
		if (channels[i].parent)
			channel->parent = state_channel_by_name(state, channels[i].parent)->id;
		if (!channels[i].staff)
			continue;
		channel_set_overwrite(channel, state->guild, false, 0, PERMISSION_VIEW_CHANNEL);
		for (size_t j = 0; j < ARRAY_SIZE(staff); j++)
			channel_set_overwrite(
				channel, state_role_by_name(state, staff[j])->id, false, PERMISSION_VIEW_CHANNEL, 0);
	}
}

void demo_fill(struct fake *fake)
{
	struct state *state = &fake->state;

	state->guild = demo_id(DEMO_GUILD);
	state->guild_name = xstrdup("SFU Test Server");
	add_roles(state);
	add_people(fake);
	add_synthetic(fake);
	add_channels(state);
	state->emojis = xcalloc(ARRAY_SIZE(emojis), sizeof(*state->emojis));
	for (size_t i = 0; i < ARRAY_SIZE(emojis); i++) {
		state->emojis[i] = (struct emoji){
			.id = emojis[i].id, .name = xstrdup(emojis[i].name), .animated = emojis[i].animated
		};
	}
	state->emoji_count = ARRAY_SIZE(emojis);
}
