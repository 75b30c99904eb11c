/* The playground's chat page: one person's view of the demo guild, kept current by the fake Discord's events.
 *
 * `view` is all that the page knows; load() makes it anew, the handlers in `on` change it with each event, and paint*() shows it. */
import { act, look } from "./api.js";
import { element, message as renderMessage } from "./render.js";
import { createComposer } from "./slash.js";

const $ = (id) => document.getElementById(id);

const view = {
	me: sessionStorage.getItem("me") || "",
	channel: sessionStorage.getItem("channel") || "",
	guild: null, bot: null, users: new Map(), roles: new Map(), channels: [],
	messages: new Map(), /* of the open channel, by id, oldest first */
	unread: new Set(), interactions: new Map(), replyTo: "",
};

const names = {
	user: (id) => {
		const user = view.users.get(id);
		return user ? user.nick || user.global_name || user.username : id === view.bot?.id ? view.bot.username : `unknown ${id}`;
	},
	role: (id) => view.roles.get(id)?.name ?? `unknown ${id}`,
	channel: (id) => view.channels.find((channel) => channel.id === id)?.name ?? `unknown ${id}`,
};

const color = (id) => {
	const roles = (view.users.get(id)?.roles || []).map((role) => view.roles.get(role)).filter((role) => role?.color);
	roles.sort((a, b) => b.position - a.position);
	return roles.length ? `#${roles[0].color.toString(16).padStart(6, "0")}` : "";
};

const context = () => ({ names, me: view.me, color, find: (id) => view.messages.get(id) });

/* ---- showing ---- */

let noticeTimer;
export function notice(text) {
	$("notice").textContent = text;
	$("notice").hidden = false;
	clearTimeout(noticeTimer);
	noticeTimer = setTimeout(() => { $("notice").hidden = true; }, 8000);
}

/* Runs an action; a refusal is shown to the person. Returns its answer or null. */
async function attempt(action) {
	try {
		return await action();
	} catch (error) {
		notice(error.message);
		return null;
	}
}

function paintPeople() {
	const people = [...view.users.values()].filter((user) => !user.bot);
	$("who").replaceChildren(...people.map((user) => element("option", { value: user.id, selected: user.id === view.me },
		names.user(user.id) === user.username ? user.username : `${names.user(user.id)} (${user.username})`,
		user.here === false ? " – has left" : "")));
	const me = view.users.get(view.me);
	$("nick-form").elements.nick.value = me?.nick ?? "";
	$("rename-form").elements.username.value = me?.username ?? "";
	$("leave").textContent = me?.here === false ? "Join again" : "Leave the server";
}

function paintChannels() {
	const categories = new Map(view.channels.filter((channel) => channel.type === 4).map((channel) => [channel.id, channel]));
	let category = "";
	const list = [];
	for (const channel of view.channels) {
		if (channel.type !== 0 && channel.type !== 5 && channel.type !== 1)
			continue;
		const parent = channel.type === 1 ? "Direct messages" : categories.get(channel.parent_id)?.name || "";
		if (parent !== category)
			list.push(element("h3", {}, parent));
		category = parent;
		const button = element("button", { type: "button", "data-channel": channel.id, "aria-current": channel.id === view.channel ? "true" : "false",
			class: view.unread.has(channel.id) ? "unread" : "" }, channel.type === 1 ? `@ ${view.bot.username}` : `# ${channel.name}`);
		list.push(button);
	}
	$("channels").replaceChildren(...list);
	const open = view.channels.find((channel) => channel.id === view.channel);
	$("channel-name").textContent = open ? (open.type === 1 ? `@ ${view.bot.username}` : `# ${open.name}`) : "";
	document.title = open ? `${$("channel-name").textContent} – Wall-E playground` : "Wall-E playground";
	const mayWrite = open && open.can_send !== false;
	$("input").disabled = !mayWrite;
	$("input").placeholder = mayWrite ? "Message, .command or /command" : "You may not write here";
}

const atBottom = () => $("messages").scrollHeight - $("messages").scrollTop - $("messages").clientHeight < 80;

function paintMessages() {
	$("messages").replaceChildren(...[...view.messages.values()].map((one) => renderMessage(one, context())));
	$("messages").scrollTop = $("messages").scrollHeight;
}

function paintMessage(one) {
	const stay = atBottom();
	const node = renderMessage(one, context());
	const old = $(`message-${one.id}`);
	if (old)
		old.replaceWith(node);
	else
		$("messages").append(node);
	if (stay)
		$("messages").scrollTop = $("messages").scrollHeight;
}

function paintGateway(sessions) {
	$("gateway").textContent = sessions === 0 ? "no service is connected" : `${sessions} service${sessions === 1 ? "" : "s"} connected`;
}

/* ---- loading ---- */

async function loadChannel() {
	view.unread.delete(view.channel);
	sessionStorage.setItem("channel", view.channel);
	view.messages.clear();
	const answer = await attempt(() => look("messages", { channel: view.channel, user: view.me, limit: 50 }));
	for (const one of (answer?.messages || []).reverse())
		view.messages.set(one.id, one);
	paintChannels();
	paintMessages();
	composer.reset();
	$("sidebar").classList.remove("open");
}

async function loadView() {
	const seen = await look("view", { user: view.me });
	view.channels = seen.channels;
	composer.commands(seen.commands);
	if (!view.channels.some((channel) => channel.id === view.channel)) {
		const first = view.channels.find((channel) => channel.type === 0 && channel.name === "general") || view.channels.find((channel) => channel.type === 0);
		view.channel = first?.id || "";
	}
}

async function load() {
	const state = await look("state");
	view.guild = state.guild;
	view.bot = state.bot;
	view.users = new Map(state.users.map((user) => [user.id, user]));
	view.roles = new Map(state.roles.map((role) => [role.id, role]));
	$("guild-name").textContent = state.guild.name;
	paintGateway(state.gateway.sessions);
	if (!view.users.has(view.me))
		view.me = state.users.find((user) => !user.bot && user.here !== false)?.id || "";
	await loadView();
	paintPeople();
	await loadChannel();
	document.body.dataset.me = view.me;
	return state.event;
}

/* ---- events ---- */

const inOpenChannel = (d) => d.channel_id === view.channel;

function put(one) {
	view.messages.set(one.id, one);
	paintMessage(one);
}

/* A message changed. An event tells it as the bot sees it, and may be older than what is shown: look. */
async function refresh(id) {
	if (!view.messages.has(id))
		return;
	const answer = await look("message", { channel: view.channel, message: id, user: view.me }).catch(() => null);
	if (answer && view.messages.has(id)) /* it may be gone again, or another channel open */
		put(answer.message);
}

function drop(id) {
	view.messages.delete(id);
	$(`message-${id}`)?.remove();
}

async function reload() {
	await loadView();
	paintChannels();
}

const on = {
	MESSAGE_CREATE(d) {
		if (inOpenChannel(d)) {
			put(d);
		} else if (view.channels.some((channel) => channel.id === d.channel_id)) {
			view.unread.add(d.channel_id);
			paintChannels();
		}
	},
	MESSAGE_UPDATE: (d) => refresh(d.id),
	MESSAGE_DELETE(d) { drop(d.id); },
	MESSAGE_DELETE_BULK(d) { d.ids.forEach(drop); },
	MESSAGE_REACTION_ADD: (d) => refresh(d.message_id),
	MESSAGE_REACTION_REMOVE: (d) => refresh(d.message_id),
	MESSAGE_REACTION_REMOVE_EMOJI: (d) => refresh(d.message_id),
	MESSAGE_REACTION_REMOVE_ALL: (d) => refresh(d.message_id),
	EPHEMERAL_CREATE(d) { if (d.user_id === view.me && inOpenChannel(d)) put(d.message); },
	EPHEMERAL_UPDATE(d) { if (d.user_id === view.me && inOpenChannel(d)) put(d.message); },
	EPHEMERAL_DELETE(d) { drop(d.id); },
	INTERACTION_STATE(d) {
		if (d.user_id === view.me && d.state === "failed" && inOpenChannel(d))
			notice(`${view.bot.username} did not respond in time`);
	},
	COMMANDS_UPDATE: reload,
	GATEWAY(d) { paintGateway(d.sessions); },
	GUILD_MEMBER_ADD: people, GUILD_MEMBER_UPDATE: people, GUILD_MEMBER_REMOVE: people, USER_UPDATE: people,
	GUILD_ROLE_CREATE: people, GUILD_ROLE_UPDATE: people, GUILD_ROLE_DELETE: people,
	CHANNEL_CREATE: reload, CHANNEL_UPDATE: reload, CHANNEL_DELETE: reload,
};

/* Who is there changed; many such events at once lead to one look. */
let peopleTimer;
function people() {
	clearTimeout(peopleTimer);
	peopleTimer = setTimeout(async () => {
		const state = await look("state");
		view.users = new Map(state.users.map((user) => [user.id, user]));
		view.roles = new Map(state.roles.map((role) => [role.id, role]));
		await reload();
		paintPeople();
		for (const one of view.messages.values())
			paintMessage(one);
	}, 100);
}

async function follow(after) {
	for (;;) {
		try {
			const answer = await look("events", { after, wait: 25 });
			if (answer.missed) {
				after = await load();
				continue;
			}
			for (const event of answer.events)
				await on[event.t]?.(event.d);
			after = answer.next;
		} catch {
			$("gateway").textContent = "the playground does not answer; is ./walle up running?";
			await new Promise((resolve) => setTimeout(resolve, 1500));
			try {
				after = await load();
			} catch {
				/* still away: the next turn tries again */
			}
		}
	}
}

/* ---- acting ---- */

const composer = createComposer({
	people: () => [...view.users.values()].filter((user) => user.here !== false).map((user) => ({ value: user.id, name: names.user(user.id), hint: user.username })),
	roles: () => [...view.roles.values()].map((role) => ({ value: role.id, name: role.name })),
	channels: () => view.channels.filter((channel) => channel.type === 0).map((channel) => ({ value: channel.id, name: channel.name })),
	say: (content) => attempt(async () => {
		const answer = await act("say", { user: view.me, channel: view.channel, content, ...(view.replyTo ? { reply_to: view.replyTo } : {}) });
		reply("");
		return answer;
	}),
	slash: (command, options) => attempt(() => act("slash", { user: view.me, channel: view.channel, command, options })),
	autocomplete: async (command, options, focused) => {
		try {
			return (await act("autocomplete", { user: view.me, channel: view.channel, command, options, focused })).choices;
		} catch {
			return []; /* Discord shows an empty list too */
		}
	},
});

function reply(id) {
	view.replyTo = id;
	$("reply-to").hidden = !id;
	$("reply-to").firstElementChild.textContent = id ? `Replying to ${names.user(view.messages.get(id).author.id)}` : "";
	if (id)
		$("input").focus();
}

$("messages").addEventListener("click", (event) => {
	const button = event.target.closest("[data-tool]");
	if (!button)
		return;
	const message = button.closest(".message").dataset.message;
	const where = { user: view.me, channel: view.channel, message };
	const tools = {
		react: () => attempt(() => act(button.dataset.mine === "yes" ? "unreact" : "react", { ...where, emoji: button.dataset.emoji })),
		click: () => attempt(() => act("click", { ...where, custom_id: button.dataset.customId })),
		delete: () => attempt(() => act("delete", where)),
		reply: () => reply(message),
	};
	tools[button.dataset.tool]();
});

$("messages").addEventListener("error", (event) => {
	if (event.target.matches?.("img.avatar"))
		event.target.removeAttribute("src");
}, true);

$("channels").addEventListener("click", (event) => {
	const button = event.target.closest("[data-channel]");
	if (!button)
		return;
	view.channel = button.dataset.channel;
	reply("");
	loadChannel();
});

$("reply-to").querySelector("button").addEventListener("click", () => reply(""));
$("menu").addEventListener("click", () => $("sidebar").classList.toggle("open"));

$("who").addEventListener("change", () => attempt(async () => {
	view.me = $("who").value;
	sessionStorage.setItem("me", view.me);
	reply("");
	await loadView();
	paintPeople();
	await loadChannel();
	document.body.dataset.me = view.me; /* shown in full: what a test waits for */
}));

const onSubmit = (id, action) => $(id).addEventListener("submit", (event) => {
	event.preventDefault();
	attempt(() => action(event.target.elements));
});
onSubmit("nick-form", (fields) => act("nick", { user: view.me, nick: fields.nick.value.trim() || null }));
onSubmit("rename-form", (fields) => act("rename", { user: view.me, username: fields.username.value.trim(),
	global_name: view.users.get(view.me).global_name }));
onSubmit("join-form", async (fields) => {
	await act("join", { username: fields.username.value.trim() });
	fields.username.value = "";
});
$("avatar").addEventListener("click", () => attempt(() => act("avatar", { user: view.me,
	hash: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("") })));
$("leave").addEventListener("click", () => attempt(() => {
	const me = view.users.get(view.me);
	return me.here === false ? act("join", { username: me.username }) : act("leave", { user: view.me });
}));

load().then(follow, () => follow(0));
