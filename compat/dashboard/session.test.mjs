// Who gets into the dashboard, and what a session is worth.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { send } from '../lib/http.mjs';
import { code, newSecret } from '../lib/totp.mjs';
import { MASTER, startWithDashboard, Visitor } from './support.mjs';

const secret = newSecret();
let server;
before(async () => {
  server = await startWithDashboard({
    users: [
      { user: 'ann', pass: bcrypt.hashSync('secret', 4) },
      { user: 'bob', pass: bcrypt.hashSync('secret', 4), readOnly: true },
      { user: 'cid', pass: bcrypt.hashSync('secret', 4), mfa: secret },
      { user: 'dan', pass: bcrypt.hashSync('secret', 4), apps: [{ appId: 'other' }] },
      { user: 'eve', pass: bcrypt.hashSync('secret', 4), apps: [{ appId: 'app', readOnly: true }] },
    ],
    useEncryptedPasswords: true,
  });
});
after(() => server?.stop());

const visitor = async (username, fields = {}) => {
  const one = new Visitor(server);
  const answer = await one.logIn({ username, password: 'secret', ...fields });
  assert.equal(answer.status, 303, answer.text);
  assert.ok(!answer.headers.location.includes('login'), answer.headers.location);
  return one;
};

test('nothing but the files and the log in without a session', async () => {
  const one = new Visitor(server);
  assert.equal((await one.config()).status, 401);
  const page = await one.request('GET', '/dashboard/apps/Test/browser/_User?filters=[]');
  assert.equal(page.status, 303);
  assert.equal(page.headers.location, `/dashboard/login?redirect=${encodeURIComponent('apps/Test/browser/_User?filters=[]')}`);
  assert.equal((await one.request('GET', '/dashboard/bundles/login.bundle.js')).status, 200);
  assert.equal((await one.request('GET', '/dashboard/bundles/..%2f..%2fpackage.json')).status, 303);
  const icon = await one.request('GET', '/dashboard/', { headers: { 'Sec-Fetch-Dest': 'image' } });
  assert.deepEqual([icon.status, icon.text], [204, '']);
  const again = await one.request('GET', '/dashboard/bundles/login.bundle.js');
  const known = await one.request('GET', '/dashboard/bundles/login.bundle.js', { headers: { 'If-None-Match': again.headers.etag } });
  assert.equal(known.status, 304);
  const packed = await fetch(`${server.root}/dashboard/bundles/login.bundle.js`, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.deepEqual([packed.headers.get('content-encoding'), packed.headers.get('vary')], ['gzip', 'Accept-Encoding']);
  assert.ok(Number(packed.headers.get('content-length')) < again.text.length / 2);
  assert.notEqual(packed.headers.get('etag'), again.headers.etag);
  assert.equal(await packed.text(), again.text);
});

test('log in, deep link, log out', async () => {
  const one = new Visitor(server);
  const answer = await one.logIn({ username: 'ann', password: 'secret' }, { redirect: 'apps/Test/config' });
  assert.equal(answer.headers.location, '/dashboard/apps/Test/config');
  const line = answer.headers['set-cookie'].find(cookie => cookie.startsWith('reparse_dashboard='));
  assert.match(line, /HttpOnly/);
  assert.match(line, /SameSite=Lax/);
  const page = await one.request('GET', '/dashboard/apps/Test/config');
  assert.equal(page.status, 200);
  assert.match(page.headers['content-security-policy'], /frame-ancestors 'none'/);
  assert.equal(page.headers.username, 'ann');
  const config = await one.config();
  assert.equal(config.body.apps.length, 1);
  assert.equal(config.body.apps[0].appId, 'app');
  assert.ok(!config.text.includes(MASTER), 'the page gets the master key');
  assert.equal((await one.api('POST', '/classes/Thing', { json: { a: 1 } })).status, 201);
  assert.equal((await one.request('GET', '/dashboard/logout')).headers.location, '/dashboard/login');
  assert.equal((await one.config()).status, 401);
});

test('no address outside of the dashboard follows a log in', async () => {
  for (const redirect of ['//evil.example', 'https://evil.example', '/\\evil.example', '\\\\evil.example', '///evil.example', 'javascript:alert(1)', 'a\r\nSet-Cookie: x=y']) {
    const one = new Visitor(server);
    const { headers } = await one.logIn({ username: 'ann', password: 'secret' }, { redirect });
    assert.match(headers.location, /^\/dashboard\/[^/\\]/, redirect);
    assert.ok(!one.cookies.has('x'));
  }
});

test('a wrong name, password or form', async () => {
  for (const fields of [{ username: 'ann', password: 'wrong' }, { username: 'nobody', password: 'secret' }, { username: '', password: '' }]) {
    const one = new Visitor(server);
    assert.match((await one.logIn(fields)).headers.location, /login/);
    const page = await one.request('GET', '/dashboard/login');
    assert.ok(page.text.includes('Invalid username or password'));
    assert.ok(!(await one.request('GET', '/dashboard/login')).text.includes('Invalid'), 'the message stays');
    assert.equal((await one.config()).status, 401);
  }
  const forged = new Visitor(server);
  assert.equal((await forged.logIn({ username: 'ann', password: 'secret', _csrf: 'x' })).status, 403);
  assert.equal((await forged.logIn({ username: 'ann', password: 'secret' }, { headers: { Origin: 'https://evil.example' } })).status, 403);
  assert.equal((await forged.logIn({ username: 'ann', password: 'secret' }, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status, 403);
  const large = await forged.logIn({ username: 'ann', password: 'x'.repeat(100_000) });
  assert.ok(large.status >= 400 && large.status < 500, String(large.status));
});

test('a one-time code', async () => {
  const one = new Visitor(server);
  assert.match((await one.logIn({ username: 'cid', password: 'secret' })).headers.location, /login/);
  assert.match((await one.request('GET', '/dashboard/login')).text, /"otpLength":6/);
  const wrong = code(secret, { at: Date.now() + 3_600_000 });
  assert.match((await one.logIn({ username: 'cid', password: 'secret', otpCode: wrong })).headers.location, /login/);
  assert.equal((await one.config()).status, 401);
  const otpCode = code(secret);
  const right = await one.logIn({ username: 'cid', password: 'secret', otpCode });
  assert.equal(right.headers.location, '/dashboard/apps');
  // whoever saw it being typed
  const other = new Visitor(server);
  assert.match((await other.logIn({ username: 'cid', password: 'secret', otpCode })).headers.location, /login/);
  assert.equal((await other.config()).status, 401);
});

test('the addresses of the keys hold for sessions', async () => {
  const users = [{ user: 'ann', pass: 'secret' }, { user: 'bob', pass: 'secret', readOnly: true }];
  const strict = await startWithDashboard({ users }, { masterKeyIps: ['203.0.113.1'] });
  for (const [username, status] of [['ann', 403], ['bob', 200]]) {
    const one = new Visitor(strict);
    assert.equal((await one.logIn({ username, password: 'secret' })).headers.location, '/dashboard/apps');
    assert.equal((await one.api('GET', '/schemas')).status, status, username);
  }
  await strict.stop();
});

test('the rights of a session', async () => {
  const ann = await visitor('ann');
  const made = await ann.api('POST', '/classes/Right', { json: { a: 1 } });
  assert.equal(made.status, 201, made.text);
  for (const name of ['bob', 'eve']) {
    const one = await visitor(name);
    assert.equal((await one.api('GET', '/classes/Right')).body.results.length, 1);
    assert.equal((await one.api('GET', '/schemas')).status, 200);
    for (const [method, where] of [['POST', '/classes/Right'], ['DELETE', `/classes/Right/${made.body.objectId}`], ['PUT', '/config'], ['POST', '/schemas/New']]) {
      const refused = await one.api(method, where, { json: { a: 2, params: {} } });
      assert.ok(refused.status >= 400 && refused.status < 500, `${name} ${method} ${where}: ${refused.status}`);
    }
  }
  const dan = await visitor('dan');
  assert.deepEqual((await dan.config()).body.apps, []);
});

test('a key is worth nothing without its cookie, a cookie nothing without its key', async () => {
  const ann = await visitor('ann');
  const bob = await visitor('bob');
  const key = (await ann.config()).body.apps[0].masterKey;
  const asks = (headers, cookie) => send(`${server.url}/schemas`, { headers: { 'X-Parse-Application-Id': 'app', ...(cookie && { Cookie: `reparse_dashboard=${cookie}` }), ...headers } });
  const cookie = ann.cookies.get('reparse_dashboard');
  assert.equal((await asks({ 'X-Parse-Master-Key': key }, cookie)).status, 200);
  assert.equal((await asks({ 'X-Parse-Master-Key': key })).status, 403);
  assert.equal((await asks({}, cookie)).status, 403);
  assert.equal((await asks({ 'X-Parse-Master-Key': key }, bob.cookies.get('reparse_dashboard'))).status, 403);
  // one character is another, whatever the cookie is
  const forged = cookie.replace(/(?<=.{20})./, letter => (letter === 'A' ? 'B' : 'A'));
  assert.notEqual(forged, cookie);
  assert.equal((await asks({ 'X-Parse-Master-Key': key }, forged)).status, 403);
  for (const elsewhere of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }, { 'Sec-Fetch-Site': 'same-site' }, { Origin: 'null' }]) {
    assert.equal((await asks({ 'X-Parse-Master-Key': key, ...elsewhere }, cookie)).status, 403, JSON.stringify(elsewhere));
  }
  const inBody = await ann.request('POST', '/parse/schemas', { json: { _method: 'GET', _ApplicationId: 'app', _MasterKey: key } });
  assert.equal(inBody.status, 200, inBody.text);
  const graphql = await ann.request('POST', '/graphql', { json: { query: '{ classes { name } }' }, headers: { 'X-Parse-Application-Id': 'app', 'X-Parse-Master-Key': key } });
  assert.ok(graphql.body.data.classes.length > 0, graphql.text);
});

test('who guesses has to wait', async () => {
  const guessing = await startWithDashboard({ users: [{ user: 'ann', pass: 'plain' }] });
  const one = new Visitor(guessing);
  let answer;
  for (let guess = 0; guess < 12; guess++) answer = await one.logIn({ username: 'ann', password: `guess ${guess}` });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers['retry-after']) > 0);
  assert.equal((await one.logIn({ username: 'ann', password: 'plain' })).status, 429);
  await guessing.stop();
});

test('many guesses at once are no more guesses', async () => {
  const guessing = await startWithDashboard({ users: [{ user: 'ann', pass: 'plain' }] });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, guess) => new Visitor(guessing).logIn({ username: 'ann', password: `guess ${guess}` })));
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter(status => status === 303).length, 10, String(statuses));
  assert.equal(statuses.filter(status => status === 429).length, 50, String(statuses));
  await guessing.stop();
});

test('without users: this machine only, by its own names', async () => {
  const open = await startWithDashboard();
  const local = new Visitor(open);
  assert.equal((await local.request('GET', '/dashboard/apps')).status, 200);
  assert.equal((await local.config()).status, 200);
  assert.equal((await local.api('GET', '/schemas')).status, 200);
  for (const headers of [{ Host: 'evil.example' }, { 'X-Forwarded-For': '203.0.113.7' }, { Forwarded: 'for=203.0.113.7' }]) {
    const one = new Visitor(open);
    assert.equal((await one.request('GET', '/dashboard/apps', { headers })).status, 403, JSON.stringify(headers));
    assert.equal((await one.config(headers)).status, 403);
  }
  await open.stop();
});
