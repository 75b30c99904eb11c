/* The leaderboard page. It shows a run of consecutive ranks, grown at both ends by cursors while the reader scrolls, and asks the server
 * every few seconds whether anything has changed; then all rows on the page are brought up to date in place, where the reader is. Texts of
 * members only ever become text nodes. */
'use strict';

const PAGE = 50; // rows fetched at once
const KEEP = 500; // rows on the page; those far from the reader are dropped and fetched again when he returns
const LIVE = 3000; // milliseconds between looks for news
const PATIENCE = 10000; // of one request

const byId = (id) => document.getElementById(id);
const board = byId('board');
const numbers = new Intl.NumberFormat(undefined);

/* The rows on the page: ranks first .. first + rows.length - 1, and the cursors beyond both ends (null: the end of the ranking). */
const state = { first: 1, rows: [], before: null, after: null, count: 0, tag: null, loading: false, marked: 0 };

class Refusal extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

async function ask(path) {
	const stop = new AbortController();
	const timer = setTimeout(() => stop.abort(), PATIENCE);
	try {
		const response = await fetch(path, { signal: stop.signal, cache: 'no-cache', headers: { Accept: 'application/json' } });
		let body = null;
		try {
			body = await response.json();
		} catch (error) {
			if (response.ok)
				throw new Refusal(response.status, 'The server sent something that cannot be read.');
		}
		if (!response.ok)
			throw new Refusal(response.status, body && body.detail ? body.detail : `The server answered ${response.status}.`);
		body.tag = response.headers.get('ETag');
		return body;
	} catch (error) {
		if (error instanceof Refusal)
			throw error;
		throw new Refusal(0, error.name === 'AbortError' ? 'The server does not answer.' : 'The server cannot be reached. Are you online?');
	} finally {
		clearTimeout(timer);
	}
}

/* ---- rows ---- */

function initialsOf(name) {
	const letters = typeof Intl.Segmenter === 'function'
		? [...new Intl.Segmenter().segment(name.trim())].map((part) => part.segment)
		: [...name.trim()];
	return letters.length > 0 ? letters[0].slice(0, 8).toLocaleUpperCase() : '?';
}

function setText(node, text) {
	if (node.textContent !== text)
		node.textContent = text;
}

function showFace(row, avatar) {
	const face = row.querySelector('.face');
	const old = face.querySelector('img');
	let address = typeof avatar === 'string' && /^https?:\/\//.test(avatar) ? avatar : null;
	if (address && /\/avatars\/[^?]*$/.test(address))
		address += '?size=64';
	if (row.dataset.avatar === (address || ''))
		return;
	row.dataset.avatar = address || '';
	if (old)
		old.remove();
	if (!address)
		return;
	const image = document.createElement('img');
	image.alt = '';
	image.loading = 'lazy';
	image.decoding = 'async';
	image.referrerPolicy = 'no-referrer';
	image.addEventListener('error', () => image.remove());
	image.src = address;
	face.append(image);
}

function fill(row, member) {
	const name = member.name || 'Name not known';
	const rank = row.querySelector('.rank');
	const bar = row.querySelector('.bar');
	const needed = Math.max(1, member.progress.needed);
	row.id = `rank-${member.rank}`;
	row.dataset.user = member.user_id;
	rank.href = `#rank-${member.rank}`;
	setText(rank, `#${numbers.format(member.rank)}`);
	rank.setAttribute('aria-label', `Rank ${member.rank}, ${name}`);
	setText(row.querySelector('.name'), name);
	row.querySelector('.name').classList.toggle('missing', !member.name);
	row.querySelector('.who').title = name;
	setText(row.querySelector('.initials'), initialsOf(member.name || ''));
	showFace(row, member.avatar);
	setText(row.querySelector('.level'), `Level ${numbers.format(member.level)}`);
	bar.max = needed;
	bar.value = Math.min(needed, member.progress.points);
	bar.setAttribute('aria-label', `${numbers.format(member.progress.points)} of ${numbers.format(needed)} points in this level`);
	bar.title = bar.getAttribute('aria-label');
	setText(row.querySelector('.messages'), `${numbers.format(member.messages)} ${member.messages === 1 ? 'message' : 'messages'}`);
	setText(row.querySelector('.points'), `${numbers.format(member.points)} XP`);
	row.classList.toggle('marked', member.rank === state.marked);
}

function createRow(member) {
	const row = byId('row').content.firstElementChild.cloneNode(true);
	fill(row, member);
	return row;
}

const lastRank = () => state.first + state.rows.length - 1;

/* Runs a change of the rows above the reader without moving what he reads. */
function holdStill(change) {
	const anchor = state.rows.find((row) => row.getBoundingClientRect().bottom > 0);
	const top = anchor ? anchor.getBoundingClientRect().top : 0;
	change();
	if (anchor && anchor.isConnected)
		window.scrollBy(0, anchor.getBoundingClientRect().top - top);
}

function showEnds() {
	const some = state.rows.length > 0;
	byId('earlier').hidden = !(some && state.before);
	byId('later').hidden = !(some && state.after);
	byId('end').hidden = !(some && !state.after && state.first === 1);
	byId('empty').hidden = state.count > 0 || !byId('problem').hidden;
	setText(byId('summary'), state.count > 0 ? `${numbers.format(state.count)} ${state.count === 1 ? 'member' : 'members'}` : '\u00a0');
}

/* All rows anew from one answer (or several, one after the other). Rows are reused place by place, so that focus and scroll stay. */
function replaceRows(first, members, before, after) {
	const surplus = state.rows.splice(members.length);
	surplus.forEach((row) => row.remove());
	members.forEach((member, i) => {
		if (state.rows[i]) {
			fill(state.rows[i], member);
		} else {
			state.rows[i] = createRow(member);
			board.append(state.rows[i]);
		}
	});
	state.first = first;
	state.before = before;
	state.after = after;
	showEnds();
}

/* ---- loading ---- */

function complain(error) {
	setText(byId('reason'), error.message);
	byId('problem').hidden = false;
	showEnds();
}

function isWell() {
	byId('problem').hidden = true;
	showEnds();
}

/* One thing at a time; what is asked for meanwhile is dropped, the scroll events ask again. */
async function exclusively(work) {
	if (state.loading)
		return false;
	state.loading = true;
	board.setAttribute('aria-busy', 'true');
	try {
		await work();
		isWell();
		return true;
	} catch (error) {
		if (!(error instanceof Refusal))
			throw error;
		complain(error);
		return false;
	} finally {
		state.loading = false;
		board.removeAttribute('aria-busy');
	}
}

/* The ranks from `first` on, `want` of them at most, as they stand at one moment. */
async function fetchRun(first, want) {
	let page = await ask(`/v1/leaderboard?rank=${first}&limit=${Math.min(100, want)}`);
	const run = { members: page.results, before: page.previous, after: page.next, count: page.count, tag: page.tag };
	while (run.after && run.members.length < want) {
		page = await ask(`/v1/leaderboard?limit=${Math.min(100, want - run.members.length)}&after=${encodeURIComponent(run.after)}`);
		run.members.push(...page.results);
		run.after = page.next;
		run.count = page.count;
	}
	return run;
}

async function loadFrom(first, want) {
	const run = await fetchRun(first, want);
	state.count = run.count;
	state.tag = run.tag;
	replaceRows(first, run.members, run.before, run.after);
}

/* A cursor that is too old to go on with: the rows are brought up to date, which brings new cursors. */
async function follow(cursor, direction) {
	try {
		return await ask(`/v1/leaderboard?limit=${PAGE}&${direction}=${encodeURIComponent(cursor)}`);
	} catch (error) {
		if (error.status !== 410)
			throw error;
		await loadFrom(state.first, Math.max(PAGE, state.rows.length));
		return null;
	}
}

async function loadLater() {
	await exclusively(async () => {
		const page = state.after && (await follow(state.after, 'after'));
		if (!page)
			return;
		page.results.forEach((member, i) => {
			member.rank = lastRank() + 1;
			state.rows.push(createRow(member));
			board.append(state.rows[state.rows.length - 1]);
		});
		state.after = page.next;
		state.count = page.count;
		if (state.rows.length > KEEP) {
			holdStill(() => {
				const gone = state.rows.splice(0, state.rows.length - KEEP);
				gone.forEach((row) => row.remove());
				state.first += gone.length;
			});
			await refreshCursors();
		}
	});
}

async function loadEarlier() {
	await exclusively(async () => {
		const page = state.before && (await follow(state.before, 'before'));
		if (!page)
			return;
		holdStill(() => {
			const rows = page.results.slice(-(state.first - 1)).map((member, i, all) => {
				member.rank = state.first - all.length + i;
				return createRow(member);
			});
			state.rows.unshift(...rows);
			board.prepend(...rows);
			state.first -= rows.length;
			state.before = state.first > 1 ? page.previous : null;
		});
		if (state.rows.length > KEEP) {
			state.rows.splice(KEEP).forEach((row) => row.remove());
			await refreshCursors();
		}
	});
}

/* After rows were dropped at one end, the cursors no longer fit. */
async function refreshCursors() {
	await loadFrom(state.first, state.rows.length);
}

/* ---- news ---- */

async function lookForNews() {
	if (document.hidden || state.loading)
		return;
	await exclusively(async () => {
		const want = Math.max(PAGE, state.rows.length);
		const head = await ask(`/v1/leaderboard?rank=${state.first}&limit=${Math.min(100, want)}`);
		if (head.tag && head.tag === state.tag && byId('problem').hidden)
			return;
		await loadFrom(state.first, want);
	});
}

/* ---- where the reader wants to go ---- */

async function goTo(rank) {
	const wanted = Math.max(1, Math.min(rank, state.count || rank));
	state.marked = wanted;
	if (wanted < state.first || wanted > lastRank()) {
		const done = await exclusively(() => loadFrom(Math.max(1, wanted - Math.floor(PAGE / 2)), PAGE * 2));
		if (!done)
			return;
	}
	const row = state.rows[Math.min(wanted, lastRank()) - state.first];
	state.rows.forEach((other) => other.classList.toggle('marked', other === row));
	if (!row)
		return;
	row.scrollIntoView({ block: 'center' });
	row.querySelector('.rank').focus({ preventScroll: true });
	setText(byId('status'), `Rank ${wanted}: ${row.querySelector('.name').textContent}`);
}

function rankInAddress() {
	const match = /^#rank-([1-9][0-9]{0,8})$/.exec(location.hash);
	return match ? Number(match[1]) : 0;
}

window.addEventListener('hashchange', () => {
	if (rankInAddress())
		goTo(rankInAddress());
});

byId('jump').addEventListener('submit', (event) => {
	event.preventDefault();
	const rank = Number(byId('rank').value.trim());
	if (!Number.isInteger(rank) || rank < 1) {
		setText(byId('status'), 'A rank is a whole number from 1 on.');
		byId('rank').select();
		return;
	}
	const address = `#rank-${Math.min(rank, state.count || rank)}`;
	if (location.hash === address)
		goTo(rank);
	else
		location.hash = address;
});

/* ---- search ---- */

let searchTimer = 0;
let searchNumber = 0;

function hideFound() {
	byId('found').hidden = true;
	byId('found').replaceChildren();
}

function showFound(members, query) {
	const found = byId('found');
	found.replaceChildren();
	for (const member of members) {
		const link = document.createElement('a');
		const place = document.createElement('span');
		const name = document.createElement('bdi');
		link.href = `#rank-${member.rank}`;
		place.className = 'place';
		place.textContent = `#${numbers.format(member.rank)}`;
		name.textContent = member.name || 'Name not known';
		link.append(place, name);
		link.addEventListener('click', () => {
			hideFound();
			if (location.hash === link.hash)
				goTo(member.rank);
		});
		found.append(link);
	}
	if (members.length === 0) {
		const nobody = document.createElement('p');
		nobody.className = 'muted';
		nobody.textContent = `Nobody's name holds “${query}”.`;
		found.append(nobody);
	}
	found.hidden = false;
	setText(byId('status'), members.length === 1 ? '1 member found' : `${members.length} members found`);
}

async function search() {
	const query = byId('query').value.trim();
	const number = ++searchNumber;
	if (!query) {
		hideFound();
		return;
	}
	try {
		const answer = await ask(`/v1/search?limit=20&q=${encodeURIComponent(query)}`);
		if (number === searchNumber)
			showFound(answer.results, query);
	} catch (error) {
		if (number === searchNumber)
			setText(byId('status'), error.message);
	}
}

byId('query').addEventListener('input', () => {
	clearTimeout(searchTimer);
	searchTimer = setTimeout(search, 200);
});
byId('search').addEventListener('submit', (event) => {
	event.preventDefault();
	const first = byId('found').querySelector('a');
	if (first && !byId('found').hidden)
		first.click();
	else
		search();
});
byId('search').addEventListener('keydown', (event) => {
	const links = [byId('query'), ...byId('found').querySelectorAll('a')];
	const at = links.indexOf(document.activeElement);
	if (event.key === 'Escape') {
		hideFound();
		byId('query').focus();
	} else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && links.length > 1 && at >= 0) {
		event.preventDefault();
		links[(at + (event.key === 'ArrowDown' ? 1 : links.length - 1)) % links.length].focus();
	}
});
document.addEventListener('click', (event) => {
	if (!byId('search').contains(event.target))
		hideFound();
});

/* ---- start ---- */

byId('earlier').addEventListener('click', loadEarlier);
byId('later').addEventListener('click', loadLater);
byId('retry').addEventListener('click', () => exclusively(() => loadFrom(state.first, Math.max(PAGE, state.rows.length))));
document.addEventListener('visibilitychange', lookForNews);

/* Near an end of the rows more are fetched, before the reader gets there. */
const near = new IntersectionObserver((entries) => {
	for (const entry of entries) {
		if (entry.isIntersecting && byId('problem').hidden)
			(entry.target.id === 'later' ? loadLater : loadEarlier)().then(() => watchAgain(entry.target));
	}
}, { rootMargin: '600px' });

/* An observer tells only of changes: a button that is still near after loading has to be looked at anew. */
function watchAgain(button) {
	near.unobserve(button);
	near.observe(button);
}

async function start() {
	const rank = rankInAddress();
	if (rank) {
		await exclusively(() => loadFrom(Math.max(1, rank - Math.floor(PAGE / 2)), PAGE * 2));
		/* Beyond the last rank: its neighbourhood. */
		if (state.rows.length === 0 && state.count > 0)
			await exclusively(() => loadFrom(Math.max(1, state.count - PAGE), PAGE + 1));
		await goTo(rank);
	} else {
		await exclusively(() => loadFrom(1, PAGE));
	}
	near.observe(byId('earlier'));
	near.observe(byId('later'));
	setInterval(lookForNews, LIVE);
}

start();
