// Every page of the dashboard in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { picture, startBrowser } from '../lib/browser.mjs';
import { MASTER, startWithDashboard } from './support.mjs';

let browser;
let server;
before(async () => {
  server = await startWithDashboard({ users: [{ user: 'ann', pass: 'secret' }] });
  browser = await startBrowser({ viewport: { width: 1280, height: 800 } });
  await server.request('POST', '/schemas/Thing', {
    master: true,
    json: {
      className: 'Thing',
      fields: {
        text: { type: 'String' }, number: { type: 'Number' }, flag: { type: 'Boolean' }, day: { type: 'Date' }, list: { type: 'Array' }, tree: { type: 'Object' },
        place: { type: 'GeoPoint' }, area: { type: 'Polygon' }, bytes: { type: 'Bytes' }, owner: { type: 'Pointer', targetClass: '_User' }, friends: { type: 'Relation', targetClass: '_User' },
      },
    },
  });
  const user = await server.request('POST', '/users', { json: { username: 'walker', password: 'secret' } });
  const made = await server.request('POST', '/classes/Thing', {
    master: true,
    json: {
      text: 'hello', number: 7, flag: true, list: [1, 'a'], tree: { a: 1 }, day: { __type: 'Date', iso: '2026-01-02T03:04:05.000Z' },
      place: { __type: 'GeoPoint', latitude: 1, longitude: 2 }, bytes: { __type: 'Bytes', base64: 'AQID' }, owner: { __type: 'Pointer', className: '_User', objectId: user.body.objectId },
      area: { __type: 'Polygon', coordinates: [[0, 0], [0, 1], [1, 1]] },
      friends: { __op: 'AddRelation', objects: [{ __type: 'Pointer', className: '_User', objectId: user.body.objectId }] },
    },
  });
  assert.equal(made.status, 201, made.text);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const app = 'apps/Test';
/** A page, and what it shows once it has loaded. */
const PAGES = [
  ['browser/Thing', 'hello'],
  ['browser/_User', 'walker'],
  ['browser/_Role', ''],
  ['browser/_Session', ''],
  ['browser/_Installation', ''],
  ['config', 'Config'],
  ['cloud_code', ''],
  ['webhooks', 'Webhooks'],
  ['jobs', 'Jobs'],
  ['logs/info', 'Logs'],
  ['logs/error', 'Logs'],
  ['api_console/rest', 'REST'],
  ['api_console/graphql', ''],
  ['api_console/js_console', ''],
  ['push/new', ''],
  ['push/activity', ''],
  ['push/audiences', ''],
  ['views', ''],
  ['settings/dashboard', ''],
  ['settings/security', ''],
];

test('log in, and every page', async () => {
  const page = await browser.newPage();
  const trouble = [];
  let at = 'log in';
  page.on('pageerror', error => trouble.push(`${at}: threw ${error.message}`));
  page.on('response', response => {
    // Parse's hosting service had it; parse-server answers 404 too.
    if (response.url().endsWith('/releases/latest')) return;
    if (response.status() >= 400) trouble.push(`${at}: ${response.status()} ${response.request().method()} ${response.url()}`);
    if (/json|javascript|html/.test(response.headers()['content-type'] ?? '') && !response.url().includes('/bundles/')) {
      response.text().then(text => text.includes(MASTER) && trouble.push(`${at}: ${response.url()} holds the master key`), () => {});
    }
  });
  // The package's style sheets name fonts of another server; the policy of the page keeps the browser from asking for them.
  page.on('requestfinished', request => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(server.root)) trouble.push(`${at}: asks ${request.url()}`);
  });
  await page.goto(`${server.root}/dashboard/${app}/browser/Thing`);
  await page.waitForSelector('input[type=password]');
  await picture(page, 'dashboard-log-in');
  await page.fill('input[name=username]', 'ann');
  await page.fill('input[name=password]', 'secret');
  await Promise.all([page.waitForURL(/browser\/Thing/), page.keyboard.press('Enter')]);
  for (const [path, shown] of PAGES) {
    at = path;
    await page.goto(`${server.root}/dashboard/${app}/${path}`);
    await page.waitForFunction(text => document.querySelector('#browser_mount')?.textContent.length > 20 && document.body.textContent.includes(text), shown, { timeout: 20_000 });
    await page.waitForLoadState('networkidle', { timeout: 20_000 });
    assert.ok(!page.url().includes('/login'), `${path} leads to the log in`);
    if (['browser/Thing', 'config', 'api_console/graphql', 'webhooks', 'push/audiences'].includes(path)) await picture(page, `dashboard-${path.replace(/[^a-zA-Z]+/g, '-')}`);
  }
  assert.deepEqual(trouble, []);
  await page.close();
});
