// The built-in push senders: the services get from them what they get from @parse/push-adapter, and what they answer has its effect.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeCertificates } from '../accounts/certificates.mjs';
import { sleep } from '../lib/net.mjs';
import { startEndpoints } from './endpoints.mjs';
import { startNpmAdapter } from './npm-adapter.mjs';
import { payloads } from './payloads.mjs';
import { seen } from './seen.mjs';
import { HOSTS, kindOf, makeDevices, makeKeys, pushSettings, withEndpoints } from './services.mjs';
import { push, startWith } from './support.mjs';

const opened = [];
const keep = one => {
  opened.push(one);
  return one;
};
after(() => Promise.all(opened.map(one => one.stop())));
const serverWith = async (...args) => keep(await startWith(...args));

const certificates = makeCertificates(HOSTS);
const keys = makeKeys();
let endpoints;
let there;
before(async () => {
  endpoints = keep(await startEndpoints(certificates));
  there = { port: endpoints.port, ca: certificates.ca };
});

describe('requests equal those of @parse/push-adapter', () => {
  /** The device that a request is for. */
  const isFor = (request, { deviceToken, deviceType }) => {
    if (request.service === 'web') return deviceType === 'web';
    return request.path.endsWith(`/${deviceToken}`) || request.body.includes(JSON.stringify(deviceToken));
  };
  /** Seconds in one of Google's durations. */
  const seconds = duration => Number(/^([\d.]+)s$/.exec(duration)[1]);

  /** What is known to differ, made equal after it was checked. */
  function alike(kind, ours, theirs, body) {
    const [own, other] = [ours.body.message?.android, theirs.body.message?.android];
    if (own?.ttl && body.expiration_time) {
      // theirs is a thousandth of what was asked for: the library takes milliseconds
      assert.ok(Math.abs(seconds(own.ttl) - seconds(other.ttl) * 1000) < 5, `${own.ttl} ${other.ttl}`);
      other.ttl = own.ttl;
    }
    if (kind === 'web') theirs.proof.claims.aud = ours.proof.claims.aud;
  }

  test(`for ${payloads.length} payloads and 8 kinds of devices`, { timeout: 300_000 }, async () => {
    const settings = pushSettings(keys);
    const devices = makeDevices(`https://localhost:${endpoints.port}`);
    const server = await serverWith(withEndpoints(settings, there), devices.rows);
    const adapter = keep(startNpmAdapter(settings, there));
    const tokens = { ours: [], theirs: [] };
    const see = (requests, whose) => {
      tokens[whose].push(...requests.filter(it => it.service === 'google').map(it => seen(it, keys)));
      return requests.filter(it => it.service !== 'google');
    };
    const different = [];
    let compared = 0;
    for (const { npmFails = {}, ...body } of payloads) {
      const row = await push(server, body);
      const title = JSON.stringify(body);
      assert.equal(row.numSent, devices.rows.length, `${title}: ${JSON.stringify(row)}`);
      const ours = see(endpoints.take(), 'ours');
      assert.equal(ours.length, devices.rows.length, title);
      for (const device of devices.rows) {
        const kind = kindOf(device);
        // the adapter takes keys out of what it gets, so every sender gets a copy
        const copy = structuredClone(body);
        if (copy.expiration_time) copy.expiration_time *= 1000;
        const results = await adapter.send(copy, [device]);
        const theirs = see(endpoints.take(), 'theirs');
        const found = ours.filter(request => isFor(request, device));
        assert.equal(found.length, 1, `${kind} ${title}`);
        const own = seen(found[0], keys, devices.browser);
        if (npmFails[kind]) {
          assert.equal(results[0].response.error.message, npmFails[kind], `${kind} ${title}`);
          assert.ok(Object.values(own.body.message.apns.headers).every(value => typeof value === 'string'));
          continue;
        }
        const other = theirs.length === 1 ? seen(theirs[0], keys, devices.browser) : results;
        if (theirs.length === 1) alike(kind, own, other, body);
        try {
          assert.deepEqual(own, other);
          compared++;
        } catch {
          different.push({ kind, body, own, other });
        }
      }
    }
    assert.deepEqual(different, [], JSON.stringify(different, null, 1));
    assert.deepEqual(tokens.ours[0], tokens.theirs[0]);
    assert.ok(compared > 480, `${compared} requests compared`);
    // one account in three senders, each with its own access token
    assert.equal(tokens.ours.length, 3);
  });
});

describe('answers of Apple', () => {
  const token = { key: keys.apple.private, teamId: 'TEAM000001' };
  const app = more => ({ token: { ...token, keyId: 'PRODUCTION' }, topic: 'com.example.app', production: true, address: 'localhost', port: endpoints.port, ca: certificates.ca, ...more });
  const phones = (...tokens) => tokens.map(deviceToken => ({ deviceType: 'ios', deviceToken, appIdentifier: 'com.example.app' }));
  const answering = answer => (endpoints.answers.apns = answer);
  const kid = request => JSON.parse(Buffer.from(request.headers.authorization.slice('bearer '.length).split('.')[0], 'base64url')).kid;
  const refused = (status, reason, headers) => ({ status, headers, json: { reason } });
  after(() => answering(undefined));

  test('many devices share one connection and one token', async () => {
    answering(undefined);
    endpoints.take();
    const many = phones(...Array.from({ length: 120 }, (_, index) => `phone-${index}`));
    const server = await serverWith({ ios: app() }, many);
    const row = await push(server, { data: { alert: 'Hello' } });
    assert.deepEqual([row.numSent, row.sentPerType], [120, { ios: 120 }]);
    const requests = endpoints.take();
    assert.equal(new Set(requests.map(request => request.headers.authorization)).size, 1);
    assert.equal(new Set(requests.map(request => request.path)).size, 120);
    assert.equal(new Set(requests.map(request => request.session)).size, 1);
    assert.ok(requests.every(request => request.version === '2.0'));
  });

  test('an expired token is renewed once, whatever it holds up', async () => {
    const server = await serverWith({ ios: app() }, phones('one', 'two', 'three'));
    let expired;
    answering(({ headers }) => {
      expired ??= headers.authorization;
      return headers.authorization === expired ? refused(403, 'ExpiredProviderToken') : { status: 200 };
    });
    endpoints.take();
    const row = await push(server, { data: { alert: 'Hello' } });
    assert.equal(row.numSent, 3, JSON.stringify(row));
    assert.equal(new Set(endpoints.take().map(request => request.headers.authorization)).size, 2);
    answering(() => refused(403, 'ExpiredProviderToken'));
    assert.equal((await push(server, { data: { alert: 'Hello' } })).numFailed, 3);
    assert.equal(endpoints.take().length, 6);
  });

  test('a device that the production servers refuse is tried with the next settings', async () => {
    const sandbox = app({ token: { ...token, keyId: 'SANDBOX' }, production: false });
    const server = await serverWith({ ios: [sandbox, app()] }, phones('released', 'developed', 'nowhere'));
    answering(request => {
      const right = { released: 'PRODUCTION', developed: 'SANDBOX' }[request.path.split('/').at(-1)];
      return kid(request) === right ? { status: 200 } : refused(400, 'BadDeviceToken');
    });
    endpoints.take();
    const row = await push(server, { data: { alert: 'Hello' } });
    assert.deepEqual([row.numSent, row.numFailed, row.failedPerType], [2, 1, { ios: 1 }]);
    const requests = endpoints.take();
    const tried = device => requests.filter(request => request.path.endsWith(`/${device}`)).map(kid);
    assert.deepEqual(tried('released'), ['PRODUCTION']);
    assert.deepEqual(tried('developed'), ['PRODUCTION', 'SANDBOX']);
    assert.deepEqual(tried('nowhere'), ['PRODUCTION', 'SANDBOX']);
  });

  test('what is worth it is repeated, so often and no more; silence is not', async () => {
    const server = await serverWith({ ios: app({ connectionRetryLimit: 2, requestTimeout: 400 }) }, phones('one'));
    for (const status of [408, 429, 500, 502, 503, 504]) {
      answering(() => refused(status, 'Busy', { 'retry-after': '0' }));
      endpoints.take();
      assert.equal((await push(server, { data: { alert: 'Hello' } })).numFailed, 1);
      assert.equal(endpoints.take().length, 3, String(status));
    }
    for (const status of [400, 403, 410, 413]) {
      answering(() => refused(status, 'No'));
      assert.equal((await push(server, { data: { alert: 'Hello' } })).numFailed, 1);
      assert.equal(endpoints.take().length, 1, String(status));
    }
    answering(() => ({ silent: true }));
    assert.equal((await push(server, { data: { alert: 'Hello' } })).numFailed, 1);
    assert.equal(endpoints.take().length, 1, 'silent');
  });

  test('a connection that was closed, or broke, is opened again', async () => {
    answering(undefined);
    const server = await serverWith({ ios: app() }, phones('one', 'two'));
    endpoints.take();
    for (const how of ['close', 'destroy', 'close']) {
      assert.equal((await push(server, { data: { alert: 'Hello' } })).numSent, 2);
      endpoints.hangUp(how);
    }
    assert.equal((await push(server, { data: { alert: 'Hello' } })).numSent, 2);
    assert.equal(new Set(endpoints.take().map(request => request.session)).size, 4);
  });

  test('certificates: as PEM and in a file with a passphrase', async () => {
    answering(undefined);
    const certificate = { topic: 'com.example.mac', production: true, address: 'localhost', port: endpoints.port, ca: certificates.ca };
    const mac = [{ deviceType: 'osx', deviceToken: 'mac', appIdentifier: 'com.example.mac' }];
    for (const proof of [{ cert: keys.macFile, key: keys.mac.key }, { pfx: keys.pfxFile, passphrase: 'secret' }]) {
      const server = await serverWith({ osx: { ...certificate, ...proof } }, mac);
      endpoints.take();
      const row = await push(server, { data: { alert: 'Hello' } });
      assert.deepEqual(row.sentPerType, { osx: 1 });
      const [request] = endpoints.take();
      assert.deepEqual([request.client, request.headers.authorization], ['mac', undefined]);
    }
  });

  test('a certificate that nobody trusts ends the connection', async () => {
    const server = await serverWith({ ios: app({ ca: undefined, connectionRetryLimit: 0 }) }, phones('one'));
    endpoints.take();
    assert.equal((await push(server, { data: { alert: 'Hello' } })).numFailed, 1);
    assert.equal(endpoints.take().length, 0);
    const trusting = await serverWith({ ios: app({ ca: undefined, rejectUnauthorized: false }) }, phones('one'));
    assert.equal((await push(trusting, { data: { alert: 'Hello' } })).numSent, 1);
  });
});

describe('tokens that a service calls dead', () => {
  after(() => Object.keys(endpoints.answers).forEach(service => delete endpoints.answers[service]));

  test('are removed from their installations, and no others', async () => {
    const isDead = text => /dead/.test(text);
    const detail = { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'UNREGISTERED' };
    Object.assign(endpoints.answers, {
      apns: ({ path }) => (isDead(path) ? { status: 410, json: { reason: 'Unregistered', timestamp: 1 } } : undefined),
      fcm: ({ body }) => (isDead(body) ? { status: 404, json: { error: { status: 'NOT_FOUND', message: 'gone', details: [detail] } } } : undefined),
      web: ({ path }) => (isDead(path) ? { status: 410, text: 'gone' } : undefined),
      expo: ({ body }) => ({
        status: 200,
        json: { data: JSON.parse(body).map(({ to }) => (isDead(to) ? { status: 'error', message: `"${to}" is not registered`, details: { error: 'DeviceNotRegistered' } } : { status: 'ok', id: to })) },
      }),
    });
    const subscription = name => JSON.stringify({ ...JSON.parse(makeDevices(`https://localhost:${endpoints.port}`).rows.find(row => row.deviceType === 'web').deviceToken), endpoint: `https://localhost:${endpoints.port}/web/${name}` });
    const rows = ['alive', 'dead'].flatMap(name => [
      { deviceType: 'ios', deviceToken: `ios-${name}`, appIdentifier: 'com.example.app' },
      { deviceType: 'tvos', deviceToken: `tv-${name}`, appIdentifier: 'com.example.tv' },
      { deviceType: 'osx', deviceToken: `mac-${name}`, appIdentifier: 'com.example.mac' },
      { deviceType: 'watchos', deviceToken: `watch-${name}` },
      { deviceType: 'android', deviceToken: `android-${name}` },
      { deviceType: 'android', pushType: 'fcm', deviceToken: `fcm-${name}` },
      { deviceType: 'android', pushType: 'expo', deviceToken: `ExponentPushToken[${name}]` },
      { deviceType: 'web', deviceToken: subscription(name) },
    ]);
    rows.push({ deviceType: 'web', deviceToken: 'not a subscription: dead' });
    const server = await serverWith(withEndpoints(pushSettings(keys), there), rows, { reparse: { cleanupInvalidInstallations: true } });
    const row = await push(server, { data: { alert: 'Hello' } });
    const types = { ios: 1, tvos: 1, osx: 1, watchos: 1, android: 3, web: 1 };
    assert.deepEqual([row.numSent, row.sentPerType], [8, types]);
    assert.deepEqual([row.numFailed, row.failedPerType], [9, { ...types, web: 2 }]);
    const left = async () => {
      const { body } = await server.request('GET', '/installations?limit=100', { master: true });
      assert.equal(body.results.length, rows.length);
      return body.results.filter(found => found.deviceToken).map(found => found.deviceToken);
    };
    for (let tries = 0; tries < 200 && (await left()).some(isDead); tries++) await sleep(25);
    assert.deepEqual((await left()).sort(), rows.map(found => found.deviceToken).filter(token => !isDead(token)).sort());
  });
});
