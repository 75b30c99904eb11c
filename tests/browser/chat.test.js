// The playground as './walle up' starts it: a person chats in the local Discord's page, the three real services answer, the leaderboard's JSON
// shows it. With WALLE_SCREENSHOTS=DIRECTORY pictures are kept there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = path.dirname(fileURLToPath(import.meta.url));
const bin = path.join(process.env.WALLE_BUILD || path.join(here, '../../build/dev'), 'bin');
const shots = process.env.WALLE_SCREENSHOTS;
const PATIENCE = 15000;
const TOKEN = 'playground.token.of-the-browser-test';

const work = fs.mkdtempSync(path.join(process.env.TMPDIR || os.tmpdir(), 'walle-chat-'));
const children = [];
const ports = {};
let browser;
let page;

const freePort = () => new Promise((resolve, reject) => {
	const server = net.createServer().on('error', reject).listen(0, '127.0.0.1', () => {
		const { port } = server.address();
		server.close(() => resolve(port));
	});
});

// Starts a program and waits for its health.
async function start(name, args, env, health) {
	const log = fs.openSync(path.join(work, `${name}.log`), 'a');
	const child = spawn(path.join(bin, name), args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', log, log] });
	fs.closeSync(log);
	children.push(child);
	const end = Date.now() + 30000;
	while (Date.now() < end && child.exitCode === null) {
		if (await fetch(health).then((answer) => answer.ok, () => false))
			return child;
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	throw new Error(`${name} is not healthy:\n${fs.readFileSync(path.join(work, `${name}.log`), 'utf8').slice(-3000)}`);
}

const stop = (child) => new Promise((resolve) => {
	if (child.exitCode !== null || child.signalCode !== null)
		return resolve();
	child.once('exit', resolve);
	child.kill('SIGTERM');
	return undefined;
});

async function shot(name) {
	if (shots)
		await page.screenshot({ path: path.join(shots, `chat-${name}.png`) });
}

const say = async (text) => {
	await page.fill('#input', text);
	await page.press('#input', 'Enter');
};
const members = async () => (await (await fetch(`http://127.0.0.1:${ports.api}/user_points/?format=json`)).json()).results;

// Chooses who one is, and waits until the page has taken it over.
async function become(username) {
	const option = page.locator('#who option', { hasText: `(${username})` });
	await page.selectOption('#who', await option.getAttribute('value'));
	await page.locator(`body[data-me="${await option.getAttribute('value')}"]`).waitFor();
}

// Until `look` gives something true; the pages and services are asynchronous, so everything is waited for, with an end.
async function eventually(what, look) {
	const end = Date.now() + PATIENCE;
	while (Date.now() < end) {
		const found = await look();
		if (found)
			return found;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`never happened: ${what}`);
}

before(async () => {
	for (const name of ['chat', 'gateway', 'api', 'bot', 'listener'])
		ports[name] = await freePort();
	const site = `http://127.0.0.1:${ports.chat}`;
	const env = {
		basic_config__TOKEN: TOKEN, discord__API_URL: `${site}/api/v10`, discord__CDN_URL: `${site}/cdn`,
		database_config__PATH: path.join(work, 'walle.sqlite3'), leveling__COOLDOWN_SECONDS: '0', leveling_api__PORT: String(ports.api),
		health__BOT_PORT: String(ports.bot), health__LISTENER_PORT: String(ports.listener),
	};
	await start('walle-fake-discord', ['--port', String(ports.chat), '--gateway-port', String(ports.gateway), '--token', TOKEN], {}, `${site}/healthz`);
	await Promise.all([
		start('walle-bot', [], env, `http://127.0.0.1:${ports.bot}/healthz`),
		start('walle-member-listener', [], env, `http://127.0.0.1:${ports.listener}/healthz`),
		start('walle-leveling-api', [], env, `http://127.0.0.1:${ports.api}/healthz`),
	]);
	browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
	page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
	page.setDefaultTimeout(PATIENCE);
	page.errors = [];
	page.on('pageerror', (error) => page.errors.push(String(error)));
	page.on('console', (line) => line.type() === 'error' && page.errors.push(line.text()));
	await page.goto(`${site}/`);
	await page.locator('#channels button').first().waitFor();
});

after(async () => {
	await browser?.close();
	await Promise.all(children.slice(1).map(stop));
	if (children.length)
		await stop(children[0]);
	fs.rmSync(work, { recursive: true, force: true });
});

test('the page shows the guild, its channels and who is connected', async () => {
	await page.getByRole('button', { name: '# general' }).click();
	await eventually('both services are shown as connected', async () => (await page.textContent('#gateway')).startsWith('2 services'));
	assert.equal(await page.textContent('#channel-name'), '# general');
	await shot('start');
});

test('a message earns XP, which the API shows', async () => {
	await become('alice');
	await page.getByRole('button', { name: '# general' }).click();
	await say('good morning');
	await page.getByText('good morning').waitFor();
	const alice = await eventually('alice is on the leaderboard', async () => (await members()).find((member) => /alice/i.test(member.name || '')));
	assert.equal(alice.message_count, 1);
	assert.ok(alice.points >= 15 && alice.points <= 25, `points ${alice.points}`);
});

test('.rank is answered with a card', async () => {
	await say('.rank');
	const card = page.locator('.embed', { hasText: 'Rank' }).last();
	await card.waitFor();
	assert.match(await card.textContent(), /#?\s*1/);
	await shot('rank');
});

test('/rank: chosen from the list, with a member, answered', async () => {
	await page.fill('#input', '/rank');
	await page.locator('#suggestions li', { hasText: '/rank' }).first().waitFor();
	await shot('suggestions');
	await page.press('#input', 'Enter');
	await page.locator('#command strong', { hasText: '/rank' }).waitFor();
	const field = page.locator('#command input').first();
	await field.fill('alice');
	await page.locator('#suggestions li').first().waitFor();
	await field.press('Enter');
	await page.locator('#command button', { hasText: 'Run' }).click();
	await page.locator('.message', { hasText: 'used /rank' }).last().waitFor();
	await shot('slash-rank');
});

test('/levels as a moderator: the pager turns its pages by buttons', async () => {
	await become('bob');
	await page.fill('#input', '/levels');
	await page.locator('#suggestions li', { hasText: '/levels' }).first().waitFor();
	await page.press('#input', 'Enter');
	await page.locator('#command button', { hasText: 'Run' }).click();
	const answer = page.locator('.message', { hasText: 'used /levels' }).last();
	await answer.locator('.embed').waitFor();
	const first = await answer.locator('.embed').textContent();
	await shot('pager');
	await answer.locator('.components button').nth(1).click();
	await eventually('the page turned', async () => (await answer.locator('.embed').textContent()) !== first);
});

test('.levels: the pager turns its pages by reactions, again and again', async () => {
	await say('.levels');
	const answer = page.locator('.message', { hasText: '⏩' }).last();
	for (let turn = 0; turn < 3; turn++) {
		const next = answer.locator('.reaction', { hasText: '⏩ 1' });
		await next.waitFor();
		assert.equal(await next.getAttribute('aria-pressed'), 'false');
		const before = await answer.locator('.embed').textContent();
		await next.click();
		await eventually('the page turned', async () => (await answer.locator('.embed').textContent()) !== before);
		await page.reload(); // the bot's own reactions do not become the person's
	}
	await shot('pager-reactions');
});

test('autocomplete offers levels', async () => {
	await page.fill('#input', '/remove_level_name');
	await page.locator('#suggestions li', { hasText: 'remove_level_name' }).first().waitFor();
	await page.press('#input', 'Enter');
	const field = page.locator('#command input').first();
	await field.fill('5');
	await eventually('suggestions come from the bot', async () => await page.locator('#suggestions li').count() > 0);
	await shot('autocomplete');
	await field.press('Escape');
	await field.press('Escape');
});

test('a denied slash command is answered to the person alone', async () => {
	await become('alice');
	await page.fill('#input', '/levels');
	await page.locator('#suggestions li', { hasText: '/levels' }).first().waitFor();
	await page.press('#input', 'Enter');
	await page.locator('#command button', { hasText: 'Run' }).click();
	await page.locator('.message .private:visible').last().waitFor();
	await shot('denied');
});

test('reactions and replies', async () => {
	await say('react to me');
	const message = page.locator('.message', { hasText: 'react to me' }).last();
	await message.hover();
	await message.locator('[data-tool="react"]').first().click();
	await message.locator('.reaction[aria-pressed="true"]', { hasText: '👍 1' }).waitFor();
	await become('bob');
	await message.locator('.reaction[aria-pressed="false"]', { hasText: '👍 1' }).click();
	await message.locator('.reaction[aria-pressed="true"]', { hasText: '👍 2' }).click();
	await message.locator('.reaction[aria-pressed="false"]', { hasText: '👍 1' }).waitFor();
	await become('alice');
	await message.locator('.reaction[aria-pressed="true"]', { hasText: '👍 1' }).waitFor();
	await message.hover();
	await message.locator('[data-tool="reply"]').click();
	await say('a reply');
	await page.locator('.message', { hasText: 'a reply' }).locator('.reference', { hasText: 'react to me' }).waitFor();
});

test('a nickname is on the leaderboard within a second', async () => {
	await page.locator('#people summary').click();
	await page.fill('#nick-form input', 'Alice <b>in</b> Wonderland');
	const began = Date.now();
	await page.locator('#nick-form button').click();
	await eventually('the API shows the nickname', async () => (await members()).some((member) => member.name === 'Alice <b>in</b> Wonderland'));
	assert.ok(Date.now() - began < 1000, `took ${Date.now() - began} ms`);
	await eventually('the page shows it as text', async () => (await page.locator('#who').textContent()).includes('Alice <b>in</b> Wonderland'));
});

test('what people write is text, never markup', async () => {
	await say('<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script> **bold** `code` https://example.org/');
	await page.locator('.message strong', { hasText: 'bold' }).last().waitFor();
	assert.equal(await page.evaluate(() => window.hacked), undefined);
	assert.equal(await page.locator('#messages .content img').count(), 0);
	await shot('markdown');
});

test('on a phone the channels are behind a button', async () => {
	await page.setViewportSize({ width: 390, height: 800 });
	await page.locator('#menu').click();
	await page.locator('#sidebar.open').waitFor();
	await shot('phone');
	await page.getByRole('button', { name: '# random' }).click();
	await eventually('the channel is open', async () => (await page.textContent('#channel-name')) === '# random');
});

test('nothing went wrong in the page', () => {
	assert.deepEqual(page.errors, []);
});
