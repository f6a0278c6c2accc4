// A push from the dialog of the dashboard, in a real browser: it arrives at the sender, and the list of pushes shows how many got it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { picture, startBrowser } from '../lib/browser.mjs';
import { until } from '../lib/net.mjs';
import { startWithDashboard } from './support.mjs';

const TEXT = 'Hello from the dashboard';

/** Takes all messages but those for one device, and keeps what it got. */
async function startSender(refused) {
  const got = [];
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { body, installations } = JSON.parse(Buffer.concat(chunks).toString());
    got.push({ body, tokens: installations.map(({ deviceToken }) => deviceToken).sort() });
    response.end(JSON.stringify(installations.map(device => ({ device, transmitted: device.deviceToken !== refused }))));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { got, url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

let browser;
let sender;
let server;
before(async () => {
  sender = await startSender('phone2');
  const push = { adapter: { module: 'webhook', options: { url: sender.url } } };
  server = await startWithDashboard({ users: [{ user: 'ann', pass: 'secret' }] }, { push });
  browser = await startBrowser({ viewport: { width: 1280, height: 1200 } });
  for (const [index, deviceType] of ['ios', 'ios', 'android'].entries()) {
    const json = { deviceType, deviceToken: `phone${index}`, installationId: `i${index}` };
    const made = await server.request('POST', '/installations', { json });
    assert.equal(made.status, 201, made.text);
  }
});
after(async () => {
  await browser?.close();
  await server?.stop();
  sender?.stop();
});

test('a push is written, sent and listed', async () => {
  const page = await browser.newPage();
  const trouble = [];
  // The page of a push asks for statistics of Parse's hosting service, gets the dashboard's own page, and throws it.
  page.on('pageerror', error => error.message.startsWith('<!doctype html>') || trouble.push(error.message));
  await page.goto(`${server.root}/dashboard/apps/Test/push/new`);
  await page.fill('input[name=username]', 'ann');
  await page.fill('input[name=password]', 'secret');
  await Promise.all([page.waitForURL(/push\/new/), page.keyboard.press('Enter')]);

  await page.locator('label').getByText('Everyone').click();
  await page.fill('textarea', TEXT);
  await picture(page, 'dashboard-push');
  await page.getByRole('button', { name: 'Send push' }).click();
  await until(() => sender.got.length > 0, { limit: 60_000, what: 'the push at the sender' });
  assert.deepEqual(sender.got, [{ body: { where: {}, data: { alert: TEXT } }, tokens: ['phone0', 'phone1', 'phone2'] }]);

  let row;
  const isOver = async () => {
    [row] = (await server.request('GET', '/classes/_PushStatus', { master: true })).body.results;
    return row.status === 'succeeded';
  };
  await until(isOver, { limit: 60_000, what: 'the end of the push' });
  const { numSent, numFailed, sentPerType, failedPerType } = row;
  const counted = { numSent: 2, numFailed: 1, sentPerType: { ios: 2 }, failedPerType: { android: 1 } };
  assert.deepEqual({ numSent, numFailed, sentPerType, failedPerType }, counted);

  await page.goto(`${server.root}/dashboard/apps/Test/push/activity`);
  const listed = page.locator('tr', { hasText: TEXT });
  await listed.waitFor({ timeout: 60_000 });
  const shown = await listed.locator('td').allInnerTexts();
  assert.deepEqual(shown.slice(1, 4).map(text => text.trim()), ['Everyone', '2', TEXT]);
  assert.match(shown.at(-1), /SENT/i);
  await listed.click();
  await page.waitForURL(new RegExp(`push/${row.objectId}$`));
  await page.getByText('Push Sends').waitFor({ timeout: 60_000 });
  const report = await page.locator('#browser_mount').innerText();
  assert.match(report, /MESSAGE SENT\s+Hello from the dashboard/i);
  assert.match(report, /2\s+Push Sends/);
  await page.close();
  assert.deepEqual(trouble, []);
  assert.equal(sender.got.length, 1);
});
