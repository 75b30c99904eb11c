// The leaderboard page in Debian's Chromium, served by the real walle-leveling-api over a database made here. Names try what names must not
// be able to do. With WALLE_SCREENSHOTS=DIRECTORY pictures are kept there.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const bin = path.join(process.env.WALLE_BUILD || path.join(here, '../../build/dev'), 'bin');
const shots = process.env.WALLE_SCREENSHOTS;
const MEMBERS = 700; // more than the page keeps

const odd = {
	1: '<script>window.hacked = true</script><img src=x onerror="window.hacked = true">',
	2: 'long'.repeat(120),
	3: 'العربية \u202etxet desrever',
	4: '電腦科學學生會 コンピュータ',
	5: '👩‍👩‍👧‍👦🏳️‍🌈 family',
	6: 'Z\u0335\u0336\u0337a\u0335\u0336l\u0335g\u0335o\u0334'.repeat(6),
	7: 'line\nbreak\ttab',
	8: 'W'.repeat(32),
	9: null,
};
const total = (level) => {
	let sum = 0;
	for (let n = 0; n < level; n++)
		sum += 5 * n * n + 50 * n + 100;
	return sum;
};

// What the old system's dumpdata would hold: the import is how a test fills a database without knowing its tables.
function dump(members) {
	const rows = [];
	for (let n = 0; n <= 100; n++) {
		rows.push({ model: 'wall_e_models.level', pk: n + 1, fields: { number: n, total_points_required: total(n),
			xp_needed_to_level_up_to_next_level: 5 * n * n + 50 * n + 100, role_id: null, role_name: n % 5 ? null : `Role ${n}` } });
	}
	for (const { id, name, points, avatar = null } of members) {
		let level = 0;
		while (level < 100 && total(level + 1) <= points)
			level++;
		rows.push({ model: 'wall_e_models.userpoint', pk: id, fields: { user_id: 1000000 + id, points, level_up_specific_points: points - total(level),
			message_count: Math.floor(points / 20), latest_time_xp_was_earned_epoch: 1700000000, level_number: level, hidden: false,
			leveling_update_attempt: 0, avatar_url: null, avatar_url_message_id: null, leveling_message_avatar_url: avatar, name, nickname: null,
			bucket_number: null, discord_avatar_link_expiry_date: null, deleted_date: null, last_updated_date: null, being_processed: false,
			outsized_profile_pic: false, concurrent_attempts: 0 } });
	}
	return rows;
}

const work = fs.mkdtempSync(path.join(process.env.TMPDIR || os.tmpdir(), 'walle-browser-'));
const env = { ...process.env, database_config__PATH: path.join(work, 'walle.sqlite3'), leveling_api__PORT: '0', leveling_api__BIND: '127.0.0.1' };
delete env.WALLE_CONFIG;
let server;
let browser;
let base;

function importMembers(members, ...options) {
	const file = path.join(work, 'dump.json');
	fs.writeFileSync(file, JSON.stringify(dump(members)));
	execFileSync(path.join(bin, 'walle-db'), ['import', file, ...options], { env, stdio: ['ignore', 'ignore', 'inherit'] });
}

const award = (id, points) => importMembers([{ id, name: `member ${id}`, points }], '--merge');

function startServer(port) {
	return new Promise((resolve, reject) => {
		let log = '';
		server = spawn(path.join(bin, 'walle-leveling-api'), { env: { ...env, leveling_api__PORT: String(port) }, stdio: ['ignore', 'ignore', 'pipe'] });
		server.stderr.on('data', (data) => {
			log += data;
			const listening = / port=(\d+)/.exec(log);
			if (listening && log.includes('database opened'))
				resolve(Number(listening[1]));
		});
		server.on('exit', (code) => reject(new Error(`the API ended with ${code}: ${log}`)));
	});
}

function stopServer() {
	server.removeAllListeners('exit');
	const ended = new Promise((resolve) => server.once('exit', resolve));
	server.kill('SIGTERM');
	return ended;
}

before(async () => {
	importMembers(Array.from({ length: MEMBERS }, (_, i) => ({ id: i + 1, points: 350000 - 400 * i,
		name: i + 1 in odd ? odd[i + 1] : `member ${i + 1}`, avatar: i % 3 ? null : `https://cdn.discordapp.com/avatars/${i}/broken.png` })));
	base = `http://127.0.0.1:${await startServer(0)}`;
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
});

after(async () => {
	await browser?.close();
	if (server && server.exitCode === null)
		await stopServer();
	fs.rmSync(work, { recursive: true, force: true });
});

// A page that fails the test when its script fails or breaks the policy. Nothing leaves this machine.
async function open(address, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
	const page = await context.newPage();
	page.problems = [];
	page.on('pageerror', (error) => page.problems.push(String(error)));
	page.on('console', (message) => {
		if (message.type() === 'error' && !/Failed to load resource|net::ERR/.test(message.text()))
			page.problems.push(message.text());
	});
	await context.route((url) => !url.href.startsWith(base), (route) => route.abort());
	await page.goto(base + address);
	return page;
}

const shoot = (page, name) => (shots ? page.screenshot({ path: path.join(shots, `${name}.png`) }) : undefined);

async function end(page) {
	assert.deepEqual(page.problems, []);
	await page.context().close();
}

for (const [name, width, height, scheme] of [['wide-light', 1440, 900, 'light'], ['wide-dark', 1440, 900, 'dark'], ['phone-light', 390, 800, 'light'],
	['phone-dark', 320, 640, 'dark'], ['tablet', 768, 1000, 'light'], ['large', 2560, 1300, 'light']]) {
	test(`looks right: ${name}`, async () => {
		const page = await open('/leaderboard/', { viewport: { width, height }, colorScheme: scheme });
		await page.waitForSelector('#rank-20');
		// Nothing sticks out to the side, whatever the names.
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
		const heights = await page.$$eval('.member', (rows) => rows.slice(0, 12).map((row) => row.getBoundingClientRect().height));
		assert.ok(Math.max(...heights) < 165, `rows of ${heights}`);
		await shoot(page, name);
		await end(page);
	});
}

test('names do no harm', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-9');
	assert.equal(await page.evaluate(() => window.hacked), undefined);
	assert.equal(await page.textContent('#rank-1 .name'), odd[1]);
	assert.equal(await page.textContent('#rank-3 .name'), odd[3]);
	assert.equal(await page.textContent('#rank-9 .name'), 'Name not known');
	assert.equal(await page.$$eval('#board script, #board .name img', (nodes) => nodes.length), 0);
	// A picture that cannot be had gives way to an initial.
	await page.waitForFunction(() => !document.querySelector('#rank-13 img'));
	assert.equal(await page.textContent('#rank-13 .initials'), 'M');
	assert.equal(await page.textContent('#rank-5 .initials'), '👩‍👩‍👧‍👦'.toUpperCase().slice(0, 8));
	await end(page);
});

// What the page shows at any moment: consecutive ranks, and nobody twice.
async function assertWhole(page) {
	const rows = await page.$$eval('.member', (all) => all.map((row) => [Number(row.id.slice(5)), row.dataset.user]));
	rows.forEach(([rank], i) => assert.equal(rank, rows[0][0] + i));
	assert.equal(new Set(rows.map(([, user]) => user)).size, rows.length);
	return rows;
}

// Scrolls until `done()`; returns who was met, by rank. What is fetched meanwhile must not move what the reader looks at.
async function scroll(page, step, done, between = () => {}) {
	const met = new Map();
	let expected = 0;
	for (let i = 0; i < 500; i++) {
		const rows = await assertWhole(page);
		assert.ok(rows.length < 600, `${rows.length} rows are kept`);
		rows.forEach(([rank, user]) => met.set(rank, user));
		if (await done())
			return met;
		const [from, to] = await page.evaluate(async (by) => {
			const top = () => Number([...document.querySelectorAll('.member')].find((row) => row.getBoundingClientRect().bottom > 450).id.slice(5));
			const rank = top();
			scrollBy(0, by);
			await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
			return [rank, top()];
		}, step);
		assert.ok(!expected || Math.abs(from - expected) <= 1, `was at ${expected}, is at ${from}`);
		expected = to;
		await page.waitForFunction(() => !document.querySelector('#board').hasAttribute('aria-busy'));
		between(i);
	}
	throw new Error('the end was not reached');
}

test('endless scroll has no gaps and no repeats, down and up again', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-50');
	const down = await scroll(page, 3000, () => page.isVisible('#end'));
	assert.equal(down.size, MEMBERS);
	assert.equal(new Set(down.values()).size, MEMBERS);
	const up = await scroll(page, -3000, () => page.$('#rank-1'));
	assert.ok(await page.$eval('#rank-1', (row) => row.classList.contains('place-1')));
	for (const [rank, user] of up)
		assert.equal(user, down.get(rank));
	await end(page);
});

test('nor while points change', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-50');
	await scroll(page, 1500, () => page.isVisible('#end'), (i) => {
		// Somebody from below overtakes all, and is below again next time.
		if (i % 4 === 0)
			award(300 + i, i % 8 === 0 ? 400000 + i : 350000 - 400 * (299 + i));
	});
	assert.equal((await assertWhole(page)).pop()[0], MEMBERS);
	await end(page);
});

test('jump to a rank, up and down from there', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-1');
	await page.fill('#rank', '300');
	await page.press('#rank', 'Enter');
	await page.waitForSelector('#rank-300.marked');
	assert.equal(new URL(page.url()).hash, '#rank-300');
	assert.ok(await page.$eval('#rank-300', (row) => row.getBoundingClientRect().top >= 0 && row.getBoundingClientRect().bottom <= innerHeight));
	await page.waitForFunction(() => document.activeElement.closest('#rank-300'));
	await scroll(page, -3000, () => page.$('#rank-1'));
	// What is no rank is said at the field, where it can be seen.
	for (const nonsense of ['0', 'x', '1.5', '-3', '']) {
		await page.fill('#rank', nonsense);
		await page.press('#rank', 'Enter');
		assert.equal(await page.$eval('#rank', (field) => field.validationMessage), 'A rank is a whole number from 1 on.');
		assert.equal(new URL(page.url()).hash, '#rank-300');
	}
	await page.fill('#rank', '99999');
	await page.press('#rank', 'Enter');
	await page.waitForSelector(`#rank-${MEMBERS}.marked`);
	await end(page);
});

test('a jump waits for what is being loaded', async () => {
	const page = await open('/leaderboard/');
	let release;
	const held = new Promise((resolve) => {
		release = resolve;
	});
	await page.waitForSelector('#rank-50');
	await page.route('**/v1/leaderboard?*after=*', async (route) => {
		await held;
		await route.continue();
	});
	const asked = page.waitForRequest(/after=/);
	await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
	await asked;
	await page.fill('#rank', '200');
	await page.press('#rank', 'Enter');
	await page.waitForFunction(() => location.hash === '#rank-200');
	release();
	await page.waitForSelector('#rank-200.marked');
	await end(page);
});

test('a link to a rank opens there', async () => {
	const page = await open('/leaderboard/#rank-222');
	await page.waitForSelector('#rank-222.marked');
	assert.ok(await page.$eval('#rank-222', (row) => row.getBoundingClientRect().top >= 0 && row.getBoundingClientRect().top < innerHeight));
	await shoot(page, 'rank-222');
	await end(page);
	const beyond = await open('/leaderboard/#rank-5000');
	await beyond.waitForSelector(`#rank-${MEMBERS}.marked`);
	await end(beyond);
});

test('search by name, with the keyboard alone', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-1');
	await page.focus('#query');
	await page.keyboard.type('MEMBER 37');
	await page.waitForSelector('#found a');
	assert.deepEqual(await page.$$eval('#found bdi', (names) => names.map((name) => name.textContent)),
		['member 37', ...Array.from({ length: 10 }, (_, i) => `member 37${i}`)]);
	assert.equal(await page.textContent('#status'), '11 members found');
	await shoot(page, 'search');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await page.waitForSelector('#rank-370.marked');
	assert.ok(await page.isHidden('#found'));
	await page.fill('#query', '<script>');
	await page.waitForFunction(() => document.querySelectorAll('#found a').length === 1);
	await page.fill('#query', 'nobody at all');
	await page.waitForFunction(() => /Nobody/.test(document.querySelector('#found').textContent));
	await page.keyboard.press('Escape');
	assert.ok(await page.isHidden('#found'));
	await end(page);
});

test('for screen readers: names, roles and states', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-20');
	assert.equal(await page.$eval('html', (html) => html.lang), 'en');
	assert.equal(await page.$$eval('input', (inputs) => inputs.filter((input) => !input.labels.length).length), 0);
	assert.equal(await page.getAttribute('#rank-20 .rank', 'aria-label'), 'Rank 20, member 20');
	assert.match(await page.getAttribute('#rank-20 .bar', 'aria-label'), /^[\d,.]+ of [\d,.]+ points in this level$/);
	assert.equal(await page.$$eval('img:not([alt])', (images) => images.length), 0);
	assert.equal(await page.getAttribute('#rank-20', 'aria-posinset'), '20');
	assert.equal(await page.getAttribute('#rank-20', 'aria-setsize'), String(MEMBERS));
	assert.equal(await page.getAttribute('#board', 'role'), 'list');
	// The order in which the keyboard walks, and each stop shows.
	for (const stop of ['skip', 'query', 'rank', 'BUTTON', 'rank-1']) {
		await page.keyboard.press('Tab');
		assert.equal(await page.evaluate(() => {
			const at = document.activeElement;
			return at.closest('.member')?.id || at.id || at.className || at.tagName;
		}), stop);
		assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
	}
	await end(page);
});

// WCAG 2.2, 1.4.3: 4.5 to 1.
test('everything can be read, in light and dark', async () => {
	for (const colorScheme of ['light', 'dark']) {
		const page = await open('/leaderboard/#rank-3', { colorScheme, reducedMotion: 'reduce' });
		await page.waitForSelector('#rank-3.marked');
		const poor = await page.evaluate(() => {
			const parts = (color) => color.match(/[\d.]+/g).map(Number);
			const light = (color) => parts(color).slice(0, 3).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
				.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
			const behind = (node) => {
				const color = getComputedStyle(node).backgroundColor;
				return parts(color)[3] === 0 ? behind(node.parentElement) : color;
			};
			return [...document.querySelectorAll('.member :is(.rank, .initials, .name, .level, .next, .messages, .points), #jump button, footer, footer a')]
				.map((node) => {
					const [a, b] = [light(getComputedStyle(node).color), light(behind(node))].sort((x, y) => y - x);
					return { text: `${node.className} ${node.textContent}`, contrast: (a + 0.05) / (b + 0.05) };
				}).filter(({ contrast }) => contrast < 4.5);
		});
		assert.deepEqual(poor, []);
		assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
		await end(page);
	}
});

test('news appear without a reload, errors say what to do', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-50');
	assert.equal(await page.textContent('#summary'), `${MEMBERS} members`);
	importMembers([{ id: 9999, name: 'newcomer', points: 900000 }], '--merge');
	await page.waitForFunction(() => document.querySelector('#rank-1 .name').textContent === 'newcomer', null, { timeout: 10000 });
	assert.equal(await page.textContent('#summary'), `${MEMBERS + 1} members`);
	assert.equal(await page.textContent('#live'), 'Live');
	await page.evaluate(() => scrollTo(0, 2000));
	const port = new URL(base).port;
	await stopServer();
	await page.waitForSelector('#problem:not([hidden])', { timeout: 15000 });
	assert.match(await page.textContent('#reason'), /cannot be reached/);
	assert.equal(await page.textContent('#live'), 'Not up to date');
	// Where the reader is, and in the search box too.
	assert.ok(await page.$eval('#retry', (button) => button.getBoundingClientRect().bottom <= innerHeight));
	await page.fill('#query', 'ada');
	await page.waitForFunction(() => /cannot be reached/.test(document.querySelector('#found').textContent));
	await shoot(page, 'error');
	await startServer(port);
	await page.click('#retry');
	await page.waitForSelector('#problem[hidden]', { state: 'attached' });
	assert.equal(await page.textContent('#rank-1 .name'), 'newcomer');
	await end(page);
});

test('nobody yet, and no data', async () => {
	const page = await browser.newPage();
	const empty = { count: 0, previous: null, next: null, results: [] };
	await page.route('**/v1/leaderboard*', (route) => route.fulfill({ json: empty }));
	await page.goto(`${base}/leaderboard/`);
	await page.waitForSelector('#empty:not([hidden])');
	assert.match(await page.textContent('#empty'), /first message/);
	await shoot(page, 'empty');
	await page.unroute('**/v1/leaderboard*');
	await page.route('**/v1/leaderboard*', (route) => route.fulfill({ status: 503, json: { detail: 'The database is being brought up to date.' } }));
	await page.goto(`${base}/leaderboard/#rank-77`);
	await page.reload();
	await page.waitForSelector('#problem:not([hidden])');
	assert.equal(await page.textContent('#reason'), 'The database is being brought up to date.');
	assert.ok(await page.isHidden('#empty'));
	await shoot(page, 'no-data');
	// It comes back by itself, and goes where the link said.
	await page.unroute('**/v1/leaderboard*');
	await page.waitForSelector('#rank-77.marked');
	assert.ok(await page.isHidden('#problem'));
	await page.close();
});

test('the documentation page', async () => {
	for (const [name, width] of [['docs-wide', 1200], ['docs-phone', 360]]) {
		const page = await open('/docs/', { viewport: { width, height: 800 } });
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
		await shoot(page, name);
		await end(page);
	}
	// The script that it shows does what it says.
	const docs = await open('/docs/');
	const script = await docs.$$eval('pre', (blocks) => blocks.map((block) => block.textContent).find((text) => text.includes('everybody')));
	const met = await docs.evaluate(`(async () => { ${script}; const met = []; for await (const one of everybody()) met.push(one.user_id); return met; })()`);
	assert.equal(met.length, Number((await (await fetch(`${base}/v1/stats`)).json()).members));
	assert.equal(new Set(met).size, met.length);
	await end(docs);
	const page = await open('/user_points/?page_size=3');
	assert.match(await page.textContent('pre'), /"total_number_of_pages"/);
	assert.equal(await page.evaluate(() => window.hacked), undefined);
	await shoot(page, 'json-as-page');
	await end(page);
});
