/* The line where a person writes: plain messages, and slash commands with their options, suggestions and autocomplete.
 *
 * A command that is being filled in is `draft`: its path ("rr make"), its row and a field per option. */
import { element } from "./render.js";

const $ = (id) => document.getElementById(id);
const OPTION = { SUB_COMMAND: 1, GROUP: 2, STRING: 3, INTEGER: 4, BOOLEAN: 5, USER: 6, CHANNEL: 7, ROLE: 8, MENTIONABLE: 9, NUMBER: 10 };

/* Commands with their subcommands, as the list of what can be run. */
function flatten(commands, path = "") {
	return commands.flatMap((command) => {
		const name = path ? `${path} ${command.name}` : command.name;
		const below = (command.options || []).filter((option) => option.type === OPTION.SUB_COMMAND || option.type === OPTION.GROUP);
		return below.length ? flatten(below, name) : [{ path: name, description: command.description, options: command.options || [] }];
	});
}

/* `host` gives people(), roles(), channels() and does say(), slash(), autocomplete(). */
export function createComposer(host) {
	const input = $("input");
	let all = [];
	let draft = null;
	let suggestions = []; /* each: label, hint, choose() */
	let selected = 0;
	let asked = 0; /* number of the newest autocomplete question */

	function paintSuggestions() {
		$("slash").hidden = suggestions.length === 0;
		$("suggestions").replaceChildren(...suggestions.map((one, index) => {
			const item = element("li", { role: "option", "aria-selected": index === selected ? "true" : "false" }, element("span", {}, one.label),
				...(one.hint ? [element("small", {}, one.hint)] : []));
			item.addEventListener("mousedown", (event) => {
				event.preventDefault();
				one.choose();
			});
			return item;
		}));
		$("suggestions").children[selected]?.scrollIntoView({ block: "nearest" });
	}

	function suggest(list) {
		suggestions = list;
		selected = 0;
		paintSuggestions();
	}

	/* Arrow keys and Enter in the list; true when the key was for it. */
	function navigate(event) {
		if (!suggestions.length)
			return false;
		if (event.key === "ArrowDown" || event.key === "ArrowUp") {
			selected = (selected + (event.key === "ArrowDown" ? 1 : suggestions.length - 1)) % suggestions.length;
			paintSuggestions();
		} else if (event.key === "Enter" || event.key === "Tab") {
			suggestions[selected].choose();
		} else if (event.key === "Escape") {
			suggest([]);
		} else {
			return false;
		}
		event.preventDefault();
		return true;
	}

	function values() {
		const out = {};
		for (const field of draft.fields) {
			const value = field.input.dataset.value ?? field.input.value;
			if (value !== "")
				out[field.option.name] = value;
		}
		return out;
	}

	/* What an option offers while one types into it. */
	async function offer(field) {
		const text = field.input.value.trim().toLowerCase();
		const lists = {
			[OPTION.USER]: host.people, [OPTION.MENTIONABLE]: host.people, [OPTION.ROLE]: host.roles, [OPTION.CHANNEL]: host.channels,
			[OPTION.BOOLEAN]: () => [{ name: "True", value: "true" }, { name: "False", value: "false" }],
		};
		const number = ++asked;
		let choices = [];
		if (field.option.autocomplete) {
			await new Promise((resolve) => setTimeout(resolve, 150));
			if (number !== asked || !draft)
				return;
			choices = await host.autocomplete(draft.command.path, { ...values(), [field.option.name]: field.input.value }, field.option.name);
			if (number !== asked || !draft)
				return;
		} else {
			choices = (lists[field.option.type]?.() || field.option.choices || [])
				.filter((choice) => choice.name.toLowerCase().includes(text) || choice.hint?.toLowerCase().includes(text));
		}
		suggest(choices.slice(0, 25).map((choice) => ({
			label: choice.name, hint: choice.hint || "",
			choose() {
				field.input.value = choice.name;
				field.input.dataset.value = String(choice.value);
				suggest([]);
				const next = draft.fields[draft.fields.indexOf(field) + 1];
				(next ? next.input : draft.run).focus();
			},
		})));
	}

	function begin(command) {
		const fields = command.options.map((option) => ({
			option,
			input: element("input", { name: option.name, required: option.required, autocomplete: "off", title: option.description,
				placeholder: option.required ? option.description : `${option.description} (optional)`,
				inputmode: option.type === OPTION.INTEGER || option.type === OPTION.NUMBER ? "numeric" : undefined, maxlength: option.max_length ?? 6000 }),
		}));
		draft = { command, fields, run: element("button", { type: "submit" }, "Run") };
		for (const field of fields) {
			field.input.addEventListener("input", () => {
				delete field.input.dataset.value;
				offer(field);
			});
			field.input.addEventListener("focus", () => offer(field));
			field.input.addEventListener("blur", () => suggest([]));
			field.input.addEventListener("keydown", (event) => {
				if (!navigate(event) && event.key === "Escape")
					reset();
			});
		}
		$("command").replaceChildren(element("strong", {}, `/${command.path}`), ...fields.map((field) => element("label", {}, field.option.name, field.input)), draft.run);
		$("command").hidden = false;
		input.hidden = true;
		suggest([]);
		(fields[0]?.input || draft.run).focus();
	}

	function reset() {
		draft = null;
		$("command").hidden = true;
		$("command").replaceChildren();
		input.hidden = false;
		input.value = "";
		input.style.height = "";
		suggest([]);
		input.focus();
	}

	async function submit() {
		if (draft) {
			const { command } = draft;
			const options = values();
			if (await host.slash(command.path, options))
				reset();
			return;
		}
		const text = input.value.trim();
		if (text && await host.say(text))
			reset();
	}

	input.addEventListener("input", () => {
		input.style.height = "";
		input.style.height = `${input.scrollHeight}px`;
		const match = /^\/([\w -]*)$/.exec(input.value);
		if (!match)
			return suggest([]);
		const text = match[1].toLowerCase();
		const found = all.filter((command) => command.path.includes(text))
			.sort((a, b) => Number(b.path.startsWith(text)) - Number(a.path.startsWith(text)) || a.path.localeCompare(b.path));
		return suggest(found.slice(0, 25).map((command) => ({ label: `/${command.path}`, hint: command.description, choose: () => begin(command) })));
	});
	input.addEventListener("keydown", (event) => {
		if (navigate(event) || event.key !== "Enter" || event.shiftKey || event.isComposing)
			return;
		event.preventDefault();
		submit();
	});
	$("composer").addEventListener("submit", (event) => {
		event.preventDefault();
		submit();
	});

	return {
		reset,
		commands(list) {
			all = flatten(list);
		},
	};
}
