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
const MEMBERS = 400;

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
	importMembers(Array.from({ length: MEMBERS }, (_, i) => ({ id: i + 1, points: 200000 - 400 * i,
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
const ranks = (page) => page.$$eval('.member', (rows) => rows.map((row) => Number(row.id.slice(5))));
const users = (page) => page.$$eval('.member', (rows) => rows.map((row) => row.dataset.user));

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

test('endless scroll has no gaps and no repeats', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-50');
	for (let i = 0; i < 60 && !(await page.isVisible('#end')); i++) {
		await page.mouse.wheel(0, 4000);
		await page.waitForTimeout(60);
	}
	await page.waitForSelector('#end', { state: 'visible' });
	const all = await ranks(page);
	assert.deepEqual(all, Array.from({ length: MEMBERS }, (_, i) => i + 1));
	assert.equal(new Set(await users(page)).size, MEMBERS);
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
	for (let i = 0; i < 80 && !(await page.$('#rank-1')); i++) {
		await page.mouse.wheel(0, -3000);
		await page.waitForTimeout(60);
	}
	const all = await ranks(page);
	assert.equal(all[0], 1);
	all.forEach((rank, i) => assert.equal(rank, i + 1));
	assert.equal(new Set(await users(page)).size, all.length);
	await page.fill('#rank', '99999');
	await page.press('#rank', 'Enter');
	await page.waitForSelector(`#rank-${MEMBERS}.marked`);
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
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
	await end(page);
});

test('news appear without a reload, errors say what to do', async () => {
	const page = await open('/leaderboard/');
	await page.waitForSelector('#rank-50');
	assert.equal(await page.textContent('#summary'), `${MEMBERS} members`);
	importMembers([{ id: 9999, name: 'newcomer', points: 900000 }], '--merge');
	await page.waitForFunction(() => document.querySelector('#rank-1 .name').textContent === 'newcomer', null, { timeout: 10000 });
	assert.equal(await page.textContent('#summary'), `${MEMBERS + 1} members`);
	const port = new URL(base).port;
	await stopServer();
	await page.waitForSelector('#problem:not([hidden])', { timeout: 15000 });
	assert.match(await page.textContent('#reason'), /cannot be reached/);
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
	await page.reload();
	await page.waitForSelector('#problem:not([hidden])');
	assert.equal(await page.textContent('#reason'), 'The database is being brought up to date.');
	assert.ok(await page.isHidden('#empty'));
	await page.close();
});

test('the documentation page', async () => {
	for (const [name, width] of [['docs-wide', 1200], ['docs-phone', 360]]) {
		const page = await open('/docs/', { viewport: { width, height: 800 } });
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
		await shoot(page, name);
		await end(page);
	}
	const page = await open('/user_points/?page_size=3');
	assert.match(await page.textContent('pre'), /"total_number_of_pages"/);
	assert.equal(await page.evaluate(() => window.hacked), undefined);
	await shoot(page, 'json-as-page');
	await end(page);
});
