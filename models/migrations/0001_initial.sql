-- Ids of users, messages, channels, roles and guilds are Discord's snowflakes. Times are microseconds since 1970 UTC; a
-- column whose name ends in _at may be NULL: not known, or not yet.

CREATE TABLE schema_migration (
	version INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	applied_at INTEGER NOT NULL
) STRICT;

-- Written by the bot.
CREATE TABLE level (
	id INTEGER PRIMARY KEY,
	number INTEGER NOT NULL UNIQUE CHECK (number >= 0),
	total_points INTEGER NOT NULL CHECK (total_points >= 0),
	points_to_next INTEGER NOT NULL CHECK (points_to_next >= 0),
	role_id INTEGER UNIQUE,
	role_name TEXT UNIQUE
) STRICT;

-- Written by the bot. The user's id is the key of the hot path; `id` breaks ties in the ranking and is kept by the
-- import. There is no index by points: the ranking lives in memory (leaderboard.c) and is fed by the revision, and the
-- index made an award a third dearer.
CREATE TABLE member_xp (
	user_id INTEGER PRIMARY KEY CHECK (user_id > 0),
	id INTEGER NOT NULL UNIQUE,
	points INTEGER NOT NULL CHECK (points >= 0),
	level_points INTEGER NOT NULL CHECK (level_points >= 0),
	level_number INTEGER NOT NULL CHECK (level_number >= 0),
	message_count INTEGER NOT NULL CHECK (message_count >= 0),
	last_award_at INTEGER,
	hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
	announce INTEGER NOT NULL DEFAULT 1 CHECK (announce IN (0, 1)),
	revision INTEGER NOT NULL
) STRICT;
CREATE INDEX member_xp_revision ON member_xp (revision);

-- Messages whose effects are committed: an event that Discord sends again changes nothing.
CREATE TABLE seen_message (
	message_id INTEGER PRIMARY KEY
) STRICT;

-- Committed, but its role and announcement are still to be carried out.
CREATE TABLE level_up (
	message_id INTEGER PRIMARY KEY,
	user_id INTEGER NOT NULL,
	channel_id INTEGER NOT NULL,
	level_number INTEGER NOT NULL
) STRICT;

-- Written by member_listener. The empty text and NULL differ: the old system's data hold both, its readers see both.
CREATE TABLE profile (
	user_id INTEGER PRIMARY KEY CHECK (user_id > 0),
	name TEXT,
	nick TEXT,
	avatar_url TEXT,
	present INTEGER NOT NULL CHECK (present IN (0, 1)),
	deleted_at INTEGER,
	updated_at INTEGER,
	revision INTEGER NOT NULL
) STRICT;
CREATE INDEX profile_revision ON profile (revision);
CREATE INDEX profile_present ON profile (user_id) WHERE present = 1;

-- One row per service, written by itself.
CREATE TABLE gateway_session (
	service TEXT PRIMARY KEY,
	session_id TEXT,
	resume_url TEXT,
	sequence INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Identifies of the past day, of all services that share an application.
CREATE TABLE identify (
	id INTEGER PRIMARY KEY,
	identity TEXT NOT NULL,
	service TEXT NOT NULL,
	claimed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX identify_claimed ON identify (identity, claimed_at);

-- state as enum reminder_state. claimed_at is the first claim since the reminder was pending last, lease_at the end of
-- the newest one.
CREATE TABLE reminder (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	author_id INTEGER NOT NULL,
	guild_id INTEGER,
	channel_id INTEGER,
	text TEXT NOT NULL,
	due_at INTEGER NOT NULL,
	created_at INTEGER,
	state INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
	claimed_at INTEGER,
	lease_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	sent_message_id INTEGER
) STRICT;
CREATE INDEX reminder_due ON reminder (due_at) WHERE state < 2;
CREATE INDEX reminder_author ON reminder (author_id, due_at) WHERE state < 2;
CREATE INDEX reminder_ended ON reminder (due_at) WHERE state >= 2;

-- The history of bans; active while unbanned_at is NULL.
CREATE TABLE ban_record (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	user_id INTEGER NOT NULL,
	user_name TEXT NOT NULL,
	moderator_id INTEGER,
	moderator_name TEXT,
	reason TEXT NOT NULL,
	banned_at INTEGER,
	unbanned_at INTEGER,
	unbanned_by INTEGER
) STRICT;
CREATE UNIQUE INDEX ban_record_active ON ban_record (user_id) WHERE unbanned_at IS NULL;
CREATE INDEX ban_record_newest ON ban_record (coalesce(banned_at, 0) DESC, id DESC) WHERE unbanned_at IS NULL;
CREATE INDEX ban_record_user ON ban_record (user_id);

CREATE TABLE reaction_role_message (
	message_id INTEGER PRIMARY KEY,
	channel_id INTEGER NOT NULL,
	title TEXT
) STRICT;

-- The emoji is a custom emoji's id in digits, or the Unicode characters.
CREATE TABLE reaction_role (
	message_id INTEGER NOT NULL REFERENCES reaction_role_message (message_id) ON DELETE CASCADE,
	emoji TEXT NOT NULL,
	role_id INTEGER NOT NULL,
	position INTEGER NOT NULL,
	PRIMARY KEY (message_id, emoji)
) STRICT, WITHOUT ROWID;

CREATE TABLE command_usage (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	used_at INTEGER NOT NULL,
	channel_name TEXT NOT NULL,
	command TEXT NOT NULL,
	invoked_as TEXT NOT NULL,
	subcommand TEXT
) STRICT;
CREATE INDEX command_usage_used ON command_usage (used_at);

-- Messages of ours that delete themselves, with the message that asked for them.
CREATE TABLE expiring_message (
	message_id INTEGER PRIMARY KEY,
	channel_id INTEGER NOT NULL,
	request_message_id INTEGER,
	expires_at INTEGER NOT NULL,
	created_at INTEGER
) STRICT;
CREATE INDEX expiring_message_expires ON expiring_message (expires_at);

-- Avatars that were posted to a channel of ours, so that old embeds outlive a change of picture.
CREATE TABLE embed_avatar (
	source_url TEXT PRIMARY KEY,
	permanent_url TEXT NOT NULL
) STRICT, WITHOUT ROWID;
