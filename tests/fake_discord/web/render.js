/* Messages as elements: Discord's markdown, embeds, buttons, reactions. Everything that a person wrote goes in as text, never as HTML. */

const element = (tag, attributes = {}, ...children) => {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value === undefined || value === null || value === false)
			continue;
		if (name === "class")
			node.className = value;
		else
			node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children);
	return node;
};

export const defaultAvatar = (id) =>
	`/cdn/embed/avatars/${Number((BigInt(id) >> 22n) % 6n)}.png`;

export const avatarOf = (user) =>
	user.avatar ? `/cdn/avatars/${user.id}/${user.avatar}.png?size=64` : defaultAvatar(user.id);

/* Mentions first, then code, emphasis and links; each rule is tried at the earliest place where one matches. */
const rules = [
	[/```(?:[a-z]*\n)?([\s\S]+?)```/, (m) => element("pre", {}, element("code", {}, m[1]))],
	[/`([^`\n]+)`/, (m) => element("code", {}, m[1])],
	[/<@!?(\d+)>/, (m, names) => element("span", { class: "mention" }, `@${names.user(m[1])}`)],
	[/<@&(\d+)>/, (m, names) => element("span", { class: "mention" }, `@${names.role(m[1])}`)],
	[/<#(\d+)>/, (m, names) => element("span", { class: "mention" }, `#${names.channel(m[1])}`)],
	[/<a?:(\w+):(\d+)>/, (m) => element("span", { class: "emoji", title: m[1] }, `:${m[1]}:`)],
	[/<t:(-?\d+)(?::[tTdDfFR])?>/, (m) => element("time", {}, new Date(Number(m[1]) * 1000).toLocaleString())],
	[/\*\*([\s\S]+?)\*\*/, (m, names) => element("strong", {}, ...markdown(m[1], names))],
	[/__([\s\S]+?)__/, (m, names) => element("u", {}, ...markdown(m[1], names))],
	[/~~([\s\S]+?)~~/, (m, names) => element("s", {}, ...markdown(m[1], names))],
	[/(?<![\w*])[*_]([^*_\n]+?)[*_](?![\w*])/, (m, names) => element("em", {}, ...markdown(m[1], names))],
	[/\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)/, (m) => element("a", { href: m[2], target: "_blank", rel: "noreferrer" }, m[1])],
	[/https?:\/\/[^\s<>]+[^\s<>.,)]/, (m) => element("a", { href: m[0], target: "_blank", rel: "noreferrer" }, m[0])],
	[/\\([\\*_~`>|[\]()#@:-])/, (m) => m[1]],
];

export function markdown(text, names) {
	const out = [];
	while (text) {
		let best = null;
		for (const [pattern, make] of rules) {
			const match = pattern.exec(text);
			if (match && (!best || match.index < best.match.index))
				best = { match, make };
		}
		if (!best) {
			out.push(text);
			break;
		}
		if (best.match.index)
			out.push(text.slice(0, best.match.index));
		out.push(best.make(best.match, names));
		text = text.slice(best.match.index + best.match[0].length);
	}
	return out;
}

function embed(data, names) {
	const node = element("article", { class: "embed" });
	node.style.setProperty("--color", `#${(data.color ?? 0x4e5058).toString(16).padStart(6, "0")}`);
	if (data.author) {
		node.append(element("p", { class: "embed-author" },
			...(data.author.icon_url ? [element("img", { src: data.author.icon_url, alt: "", width: 24, height: 24 })] : []), data.author.name));
	}
	if (data.title)
		node.append(element("h3", {}, ...markdown(data.title, names)));
	if (data.description)
		node.append(element("div", { class: "embed-text" }, ...markdown(data.description, names)));
	if (data.fields?.length) {
		const fields = element("dl", {});
		for (const field of data.fields) {
			fields.append(element("div", { class: field.inline ? "inline" : "block" },
				element("dt", {}, ...markdown(field.name, names)), element("dd", {}, ...markdown(field.value, names))));
		}
		node.append(fields);
	}
	if (data.thumbnail?.url)
		node.append(element("img", { class: "thumbnail", src: data.thumbnail.url, alt: "" }));
	if (data.image?.url)
		node.append(element("img", { class: "image", src: data.image.url, alt: "" }));
	const footer = [data.footer?.text, data.timestamp && new Date(data.timestamp).toLocaleString()].filter(Boolean);
	if (footer.length)
		node.append(element("footer", {}, footer.join(" • ")));
	return node;
}

const buttonStyles = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary" };

function component(data) {
	if (data.type === 1)
		return element("div", { class: "row" }, ...data.components.map(component));
	if (data.type === 2) {
		const label = [data.emoji?.name, data.label].filter(Boolean).join(" ");
		return element("button", { type: "button", class: `button ${buttonStyles[data.style]}`, disabled: data.disabled,
			"data-tool": "click", "data-custom-id": data.custom_id, "aria-label": data.label || data.custom_id }, label);
	}
	return element("span", {}, `(component of type ${data.type})`);
}

/* Fills a clone of the template. `names` turns ids into names; `people` gives users and their colours; `me` is who looks. */
export function message(data, { names, me, color, find }) {
	const node = document.getElementById("message-template").content.firstElementChild.cloneNode(true);
	const part = (name) => node.querySelector(`.${name}`);
	const loading = (data.flags & 128) !== 0;

	node.id = `message-${data.id}`;
	node.dataset.message = data.id;
	part("avatar").src = avatarOf(data.author);
	part("name").textContent = names.user(data.author.id) || data.author.global_name || data.author.username;
	part("name").style.color = color(data.author.id);
	part("badge").hidden = !data.author.bot;
	const time = node.querySelector("time");
	time.dateTime = data.timestamp;
	time.textContent = new Date(data.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
	part("content").replaceChildren(...(loading && !data.content ? [element("em", {}, "is thinking …")] : markdown(data.content || "", names)));
	if (data.edited_timestamp && data.content)
		part("content").append(element("small", {}, " (edited)"));
	if (data.message_reference?.message_id) {
		const original = find(data.message_reference.message_id) || data.referenced_message;
		part("reference").hidden = false;
		part("reference").textContent = original ? `↱ ${names.user(original.author.id)}: ${(original.content || "…").slice(0, 80)}` : "↱ a message that is gone";
	} else if (data.interaction_metadata || data.interaction) {
		const source = data.interaction_metadata || data.interaction;
		part("reference").hidden = false;
		part("reference").textContent = `↱ ${names.user(source.user?.id) || "somebody"} used ${source.name ? `/${source.name}` : "a command"}`;
	}
	part("embeds").replaceChildren(...(data.embeds || []).map((one) => embed(one, names)));
	part("attachments").replaceChildren(...(data.attachments || []).map((file) =>
		(file.content_type || "").startsWith("image/")
			? element("img", { src: file.url, alt: file.filename })
			: element("a", { href: file.url, target: "_blank", rel: "noreferrer" }, file.filename)));
	part("components").replaceChildren(...(data.components || []).map(component));
	part("reactions").replaceChildren(...(data.reactions || []).map((reaction) => {
		const emoji = reaction.emoji.id ? `${reaction.emoji.name}:${reaction.emoji.id}` : reaction.emoji.name;
		return element("button", { type: "button", class: "reaction", "data-tool": "react", "data-emoji": emoji, "data-mine": reaction.me ? "yes" : "no",
			"aria-pressed": reaction.me ? "true" : "false", "aria-label": `${reaction.emoji.name}, ${reaction.count}` }, `${reaction.emoji.name} ${reaction.count}`);
	}));
	part("private").hidden = !(data.flags & 64);
	node.classList.toggle("mentions-me", (data.mentions || []).some((user) => user.id === me));
	node.querySelector('[data-tool="delete"]').hidden = data.author.id !== me;
	return node;
}

export { element };
