// Web Push in a real browser: Chromium subscribes with the server's key, the server sends, and a service worker reads the message.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { makeCertificates } from '../accounts/certificates.mjs';
import { startBrowser } from '../lib/browser.mjs';
import { serve } from '../lib/outside.mjs';
import { startBrowserService } from './browser-service.mjs';
import { startEndpoints } from './endpoints.mjs';
import { makeKeys } from './services.mjs';
import { push, startWith } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));

const WORKER = `self.addEventListener('push', event => new BroadcastChannel('push').postMessage(event.data.json()));`;

/** Runs in the page: the subscription, and a promise of the first message. */
async function subscribe(applicationServerKey) {
  globalThis.message = new Promise(resolve => {
    new BroadcastChannel('push').onmessage = event => resolve(event.data);
  });
  await navigator.serviceWorker.register('/worker.js');
  const registration = await navigator.serviceWorker.ready;
  return JSON.stringify(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
}

test('a browser reads what the server sends', { timeout: 120_000 }, async () => {
  const certificates = makeCertificates();
  const keys = makeKeys();
  const service = keep(await startBrowserService(certificates.tls));
  const endpoints = keep(await startEndpoints(certificates));
  const site = keep(
    await serve(({ path }) => (path === '/worker.js' ? { text: WORKER, headers: { 'content-type': 'text/javascript' } } : { text: '<p>page', headers: { 'content-type': 'text/html' } })),
  );
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--ignore-certificate-errors', ...service.flags];
  // the browser keeps its connection for messages in the background
  const browser = await startBrowser({ args, ignoreDefaultArgs: ['--disable-background-networking'] });
  keep({ stop: () => browser.close() });
  const origin = `http://localhost:${site.port}`;
  await browser.grantPermissions(['notifications'], { origin });
  const page = await browser.newPage();
  await page.goto(origin);
  const subscription = JSON.parse(await page.evaluate(subscribe, keys.vapid.point));
  assert.match(subscription.endpoint, /^https:\/\/[a-z0-9]+\.google(apis)?\.com\/fcm\/send\//);
  assert.equal(service.registration.get('sender'), keys.vapid.point);

  // the address is Google's; the test stands in its place
  const deviceToken = JSON.stringify({ ...subscription, endpoint: `https://localhost:${endpoints.port}/web/browser` });
  endpoints.answers.web = ({ raw }) => {
    service.deliver(raw);
    return { status: 201 };
  };
  const vapidDetails = { subject: 'mailto:push@example.com', publicKey: keys.vapid.point, privateKey: keys.vapid.secret };
  const web = { vapidDetails, allowLocalEndpoints: true, ca: certificates.ca };
  const server = keep(await startWith({ web }, [{ deviceType: 'web', deviceToken }]));
  const data = { alert: 'Grüße 🌍', title: 'Title', custom: { a: [1, null, 2.5] } };
  assert.equal((await push(server, { data })).numSent, 1);
  assert.deepEqual(await page.evaluate(() => globalThis.message), data);
});
