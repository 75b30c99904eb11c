/* The leaderboard page. It shows a run of consecutive ranks, grown at both ends by cursors while the reader scrolls, and asks the server
 * every few seconds whether anything has changed; then all rows on the page are brought up to date in place, where the reader is. All rows
 * stand in the order of one moment, which the cursors remember: that is why there are no gaps and no repeats. Texts of members only ever
 * become text nodes. */
'use strict';

const PAGE = 50; // rows fetched at once
const KEEP = 500; // rows on the page; pages far from the reader are dropped and fetched again when he returns
const LIVE = 3000; // milliseconds between looks for news
const PATIENCE = 10000; // of one request

const byId = (id) => document.getElementById(id);
const board = byId('board');
const numbers = new Intl.NumberFormat(undefined);

/* The rows on the page are the ranks first .. first + rows.length - 1. They came as `pages`, each with its length and the cursors beyond
 * both of its ends (null: the end of the ranking). `seen` is the last answer that was looked at for news: its path and its tag. */
const state = { first: 1, rows: [], pages: [], count: 0, seen: null, loading: null, marked: 0 };

const before = () => (state.first > 1 && state.pages.length > 0 ? state.pages[0].previous : null);
const after = () => (state.pages.length > 0 ? state.pages[state.pages.length - 1].next : null);

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

/* The picture, over the initial that shows until it is there, or when it cannot be had. */
function showFace(face, member) {
	const old = face.querySelector('img');
	let address = typeof member.avatar === 'string' && /^https?:\/\//.test(member.avatar) ? member.avatar : '';
	setText(face.querySelector('.initials'), initialsOf(member.name || ''));
	face.className = `face hue-${Number(member.user_id.slice(-6)) % 8}`;
	if (/\/avatars\/[^?]*$/.test(address))
		address += '?size=64';
	if ((face.dataset.avatar || '') === address)
		return;
	face.dataset.avatar = address;
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
	const left = member.progress.needed - member.progress.points;
	const points = `${numbers.format(member.points)} XP`;
	/* The same member, with more points than a moment ago. */
	if (row.dataset.user === member.user_id && row.querySelector('.points').textContent !== points)
		row.classList.add('changed');
	row.id = `rank-${member.rank}`;
	row.dataset.user = member.user_id;
	row.setAttribute('aria-posinset', member.rank);
	row.setAttribute('aria-setsize', state.count);
	rank.href = `#rank-${member.rank}`;
	setText(rank, `#${numbers.format(member.rank)}`);
	rank.setAttribute('aria-label', `Rank ${member.rank}, ${name}`);
	setText(row.querySelector('.name'), name);
	row.querySelector('.name').classList.toggle('missing', !member.name);
	row.querySelector('.who').title = name;
	showFace(row.querySelector('.face'), member);
	setText(row.querySelector('.level'), `Level ${numbers.format(member.level)}`);
	setText(row.querySelector('.next'), left > 0 ? `${numbers.format(left)} XP to ${numbers.format(member.level + 1)}` : '');
	bar.max = needed;
	bar.value = Math.min(needed, member.progress.points);
	bar.setAttribute('aria-label', `${numbers.format(member.progress.points)} of ${numbers.format(needed)} points in this level`);
	bar.title = bar.getAttribute('aria-label');
	setText(row.querySelector('.messages'), `${numbers.format(member.messages)} ${member.messages === 1 ? 'message' : 'messages'}`);
	setText(row.querySelector('.points'), points);
	row.classList.toggle('marked', member.rank === state.marked);
	for (const place of [1, 2, 3])
		row.classList.toggle(`place-${place}`, member.rank === place);
}

function createRow(member) {
	const row = byId('row').content.firstElementChild.cloneNode(true);
	row.addEventListener('animationend', () => row.classList.remove('changed'));
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
	byId('earlier').hidden = !(some && before());
	byId('later').hidden = !(some && after());
	byId('end').hidden = !(some && !after());
	byId('empty').hidden = state.count > 0 || !byId('problem').hidden;
	byId('loading').hidden = true;
	byId('problem').classList.toggle('over', some);
	byId('live').hidden = false;
	byId('live').classList.toggle('late', !byId('problem').hidden);
	setText(byId('live'), byId('problem').hidden ? 'Live' : 'Not up to date');
	setText(byId('summary'), state.count > 0 ? `${numbers.format(state.count)} ${state.count === 1 ? 'member' : 'members'}` : '');
}

/* All rows anew from pages that follow each other. Rows are reused place by place, so that focus and scroll stay. */
function replaceRows(first, members, pages) {
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
	state.pages = pages;
	showEnds();
}

/* ---- loading ---- */

function complain(error) {
	setText(byId('failure'), state.rows.length > 0 ? 'What you see may be out of date' : 'The leaderboard cannot be loaded');
	setText(byId('reason'), error.message);
	byId('problem').hidden = false;
	showEnds();
}

function isWell() {
	byId('problem').hidden = true;
	showEnds();
}

/* One thing at a time; what scrolling and the clock ask for meanwhile is dropped, they ask again. `state.loading` resolves at its end. */
async function exclusively(work) {
	let ended;
	if (state.loading)
		return false;
	state.loading = new Promise((resolve) => {
		ended = resolve;
	});
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
		state.loading = null;
		board.removeAttribute('aria-busy');
		ended();
	}
}

/* What the reader asks for waits for its turn; every request has a deadline. */
async function inTurn(work) {
	while (state.loading)
		await state.loading;
	return exclusively(work);
}

const pageOf = (answer) => ({ length: answer.results.length, previous: answer.previous, next: answer.next });

/* The ranks from `first` on, `want` of them at most, as they stand at one moment. */
async function loadFrom(first, want) {
	let answer = await ask(`/v1/leaderboard?rank=${first}&limit=${Math.min(100, want)}`);
	const members = answer.results;
	const pages = [pageOf(answer)];
	while (answer.next && members.length < want) {
		answer = await ask(`/v1/leaderboard?limit=${Math.min(100, want - members.length)}&after=${encodeURIComponent(answer.next)}`);
		members.push(...answer.results);
		pages.push(pageOf(answer));
	}
	state.count = answer.count;
	replaceRows(first, members, pages);
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
		const page = after() && (await follow(after(), 'after'));
		if (!page)
			return;
		state.count = page.count;
		for (const member of page.results) {
			member.rank = lastRank() + 1;
			state.rows.push(createRow(member));
			board.append(state.rows[state.rows.length - 1]);
		}
		state.pages.push(pageOf(page));
		holdStill(() => {
			while (state.rows.length - state.pages[0].length >= KEEP) {
				const gone = state.pages.shift().length;
				state.rows.splice(0, gone).forEach((row) => row.remove());
				state.first += gone;
			}
		});
	});
}

async function loadEarlier() {
	await exclusively(async () => {
		const page = before() && (await follow(before(), 'before'));
		if (!page)
			return;
		state.count = page.count;
		holdStill(() => {
			const rows = page.results.slice(-(state.first - 1)).map((member, i, all) => {
				member.rank = state.first - all.length + i;
				return createRow(member);
			});
			state.rows.unshift(...rows);
			board.prepend(...rows);
			state.first -= rows.length;
			state.pages.unshift({ ...pageOf(page), length: rows.length });
		});
		while (state.rows.length - state.pages[state.pages.length - 1].length >= KEEP)
			state.rows.splice(state.rows.length - state.pages.pop().length).forEach((row) => row.remove());
	});
}

/* ---- news ---- */

/* One request about what the reader sees. Points that change anywhere change its cursors, hence its tag. */
async function lookForNews() {
	if (document.hidden || state.loading)
		return;
	if (state.rows.length === 0) {
		await openView();
		return;
	}
	await exclusively(async () => {
		const top = state.rows.findIndex((row) => row.getBoundingClientRect().bottom > 0);
		const path = `/v1/leaderboard?rank=${state.first + Math.max(0, Math.floor(top / PAGE) * PAGE)}&limit=100`;
		const { tag } = await ask(path);
		if (tag && state.seen && state.seen.path === path && state.seen.tag === tag && byId('problem').hidden)
			return;
		await loadFrom(state.first, Math.max(PAGE, state.rows.length));
		state.seen = { path, tag };
	});
}

/* ---- where the reader wants to go ---- */

async function goTo(rank) {
	const wanted = Math.max(1, Math.min(rank, state.count || rank));
	state.marked = wanted;
	if (wanted < state.first || wanted > lastRank()) {
		const done = await inTurn(() => loadFrom(Math.max(1, wanted - Math.floor(PAGE / 2)), PAGE * 2));
		if (!done || state.marked !== wanted)
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
		byId('rank').setCustomValidity('A rank is a whole number from 1 on.');
		byId('rank').reportValidity();
		return;
	}
	const address = `#rank-${Math.min(rank, state.count || rank)}`;
	if (location.hash === address)
		goTo(rank);
	else
		location.hash = address;
});

byId('rank').addEventListener('input', () => byId('rank').setCustomValidity(''));

/* ---- search ---- */

let searchTimer = 0;
let searchNumber = 0;

function hideFound() {
	byId('found').hidden = true;
	byId('found').replaceChildren();
}

function createFound(member) {
	const link = document.createElement('a');
	const face = byId('row').content.querySelector('.face').cloneNode(true);
	const name = document.createElement('bdi');
	const place = document.createElement('span');
	link.href = `#rank-${member.rank}`;
	showFace(face, member);
	name.textContent = member.name || 'Name not known';
	place.className = 'place';
	place.textContent = `#${numbers.format(member.rank)} · Level ${numbers.format(member.level)}`;
	link.append(face, name, place);
	link.addEventListener('click', () => {
		hideFound();
		if (location.hash === link.hash)
			goTo(member.rank);
	});
	return link;
}

/* What is found, or a sentence instead; the status says it to those who do not see it. */
function showFound(links, sentence) {
	const found = byId('found');
	found.replaceChildren(...links);
	if (links.length === 0) {
		const paragraph = document.createElement('p');
		paragraph.className = 'muted';
		paragraph.textContent = sentence;
		found.append(paragraph);
	}
	found.hidden = false;
	setText(byId('status'), sentence);
}

async function search() {
	const query = byId('query').value.trim();
	const number = ++searchNumber;
	if (!query) {
		hideFound();
		return;
	}
	try {
		const { results } = await ask(`/v1/search?limit=20&q=${encodeURIComponent(query)}`);
		if (number === searchNumber)
			showFound(results.map(createFound), results.length === 0 ? `Nobody's name holds “${query}”.`
				: results.length === 1 ? '1 member found' : `${results.length} members found`);
	} catch (error) {
		if (!(error instanceof Refusal))
			throw error;
		if (number === searchNumber)
			showFound([], error.message);
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
byId('retry').addEventListener('click', lookForNews);
document.addEventListener('visibilitychange', lookForNews);
window.addEventListener('online', lookForNews);

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

/* At the start, and again while there is nothing to keep up to date. */
async function openView() {
	const rank = rankInAddress();
	if (!rank) {
		await exclusively(() => loadFrom(1, PAGE));
		return;
	}
	await exclusively(() => loadFrom(Math.max(1, rank - Math.floor(PAGE / 2)), PAGE * 2));
	/* Beyond the last rank: its neighbourhood. */
	if (state.rows.length === 0 && state.count > 0)
		await exclusively(() => loadFrom(Math.max(1, state.count - PAGE), PAGE + 1));
	if (state.rows.length > 0)
		await goTo(rank);
}

async function start() {
	byId('loading').hidden = false;
	await openView();
	near.observe(byId('earlier'));
	near.observe(byId('later'));
	setInterval(lookForNews, LIVE);
}

start();
