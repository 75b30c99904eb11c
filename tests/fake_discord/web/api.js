/* The control interface of the fake Discord (tests/fake_discord/CONTROL.md), as functions. A refusal becomes an Error whose message can be shown. */

async function call(path, options) {
	const response = await fetch(path, options);
	const body = await response.json().catch(() => ({}));
	if (!response.ok)
		throw new Error(body.error || `the playground answered ${response.status}`);
	return body;
}

const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== undefined && value !== ""));

export const look = (what, values = {}, signal) => call(`/_control/${what}?${query(values)}`, { signal });

export const act = (what, values) =>
	call(`/_control/${what}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) });
