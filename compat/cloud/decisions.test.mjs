// Functions that options name and that write by themselves: a transaction that asks them does not hold them up, nor they it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';

/** A function that notes who asks, takes its time, and says `answer`. */
const writes = (name, answer, who = 'object') => `module.exports = async ({ ${who}: user, createdWith }) => {
  const note = { asked: '${name}', name: user.get('username'), user: user.id, with: createdWith?.action ?? null };
  await new Parse.Object('Asked').save(note, { useMasterKey: true });
  await new Promise(go => setTimeout(go, 100));
  return ${answer};
};`;

const modules = {
  'verify.js': writes('verify', "user.get('email')?.startsWith('new')"),
  'prevent.js': writes('prevent', "!user.get('username').startsWith('trusted')"),
  'send.js': writes('send', 'true', 'user'),
  'auth.js': 'module.exports = { validateAppId: async () => {}, validateAuthData: async () => {} };',
  'mail.js': `
    const fs = require('fs');
    module.exports = { sendVerificationEmail: ({ user }) => fs.appendFileSync('mails', user.get('username') + '\\n'), sendMail() {} };`,
  'main.js': `Parse.Cloud.beforeSave('_User', ({ object }) => {
    if (object.get('rename')) object.set('username', object.get('rename'));
    if (object.get('username') === 'never') throw 'no such user';
  });`,
};

let dir;
let server;
before(async () => {
  dir = tempDir();
  for (const [name, text] of Object.entries(modules)) fs.writeFileSync(path.join(dir, name), text);
  const names = name => ({ module: `./${name}.js` });
  const options = {
    appName: 'Demo',
    cloud: './main.js',
    emailAdapter: names('mail'),
    verifyUserEmails: names('verify'),
    preventLoginWithUnverifiedEmail: names('prevent'),
    sendUserEmailVerification: names('send'),
    auth: { own: names('auth') },
  };
  server = await startServer({ ...options, publicServerURL: 'https://example.com/parse' }, { cwd: dir });
});
after(() => server?.stop());
beforeEach(async () => {
  const { body } = await server.request('GET', '/classes/Asked?limit=1000', { master: true });
  const requests = body.results.map(({ objectId }) => ({ method: 'DELETE', path: `/parse/classes/Asked/${objectId}` }));
  if (requests.length > 0) await server.request('POST', '/batch', { master: true, json: { requests } });
});

const asked = async () => (await server.request('GET', '/classes/Asked?order=createdAt', { master: true })).body.results;
const signUp = (username, more = {}) => ({ method: 'POST', path: '/parse/users', body: { username, password: 'secret', email: `new-${username}@example.com`, ...more } });
const run = (requests, more = {}) => server.request('POST', '/batch', { json: { transaction: true, requests }, ...more });

test('sign ups in a transaction', async () => {
  const done = await run([signUp('ann'), signUp('trusted'), signUp('bea', { rename: 'cleo' })]);
  assert.equal(done.status, 200, done.text);
  const [ann, trusted, cleo] = done.body.map(({ success }) => success);
  // Who must verify an address has no session yet.
  assert.deepEqual([typeof ann.sessionToken, typeof trusted.sessionToken, typeof cleo.sessionToken], ['undefined', 'string', 'undefined']);
  await until(async () => (await asked()).length === 12, { limit: 30_000, what: 'all questions' });
  const notes = await asked();
  const of = which => notes.filter(({ name }) => name === which).map(note => `${note.asked} ${note.with}`);
  for (const name of ['ann', 'trusted', 'cleo']) {
    assert.deepEqual(of(name), ['verify signup', 'verify signup', 'prevent signup', 'send null'], name);
  }
  // They are told the ids that the users then have.
  assert.deepEqual(new Set(notes.map(({ user }) => user)), new Set([ann, trusted, cleo].map(({ objectId }) => objectId)));
  const mails = () => (fs.existsSync(path.join(dir, 'mails')) ? fs.readFileSync(path.join(dir, 'mails'), 'utf8').trim().split('\n') : []);
  await until(() => mails().length === 3, { limit: 30_000, what: 'the mails' });
  assert.deepEqual(mails().sort(), ['ann', 'cleo', 'trusted']);
});

test('a new address, and an identity, in a transaction', async () => {
  const made = await server.request('POST', '/users', { json: { username: 'dora', password: 'secret' } });
  const update = { method: 'PUT', path: `/parse/users/${made.body.objectId}`, body: { email: 'new-dora@example.com' } };
  const done = await run([update], { master: true });
  assert.equal(done.status, 200, done.text);
  const user = await server.request('GET', `/users/${made.body.objectId}`, { master: true });
  assert.equal(user.body.emailVerified, false);
  const linked = await run([{ method: 'POST', path: '/parse/users', body: { authData: { own: { id: 'e' } }, email: 'old@example.com' } }]);
  assert.equal(linked.status, 200, linked.text);
  assert.equal(typeof linked.body[0].success.sessionToken, 'string');
  const found = await server.request('GET', `/users/${linked.body[0].success.objectId}`, { master: true });
  const note = (await asked()).filter(({ user }) => user === linked.body[0].success.objectId);
  assert.ok(note.length > 0);
  assert.deepEqual(new Set(note.map(({ name }) => name)), new Set([found.body.username]));
});

test('what is refused in a transaction sends no mail', async () => {
  const refused = await run([signUp('eve'), signUp('never')]);
  assert.equal(refused.status, 400, refused.text);
  assert.equal(refused.body.error, 'no such user');
  const sent = await server.request('POST', '/users', { json: signUp('last').body });
  assert.equal(sent.status, 201, sent.text);
  await until(() => fs.readFileSync(path.join(dir, 'mails'), 'utf8').includes('last'), { limit: 30_000, what: 'the mail' });
  assert.ok(!fs.readFileSync(path.join(dir, 'mails'), 'utf8').includes('eve'));
  assert.deepEqual((await asked()).filter(({ asked, name }) => asked === 'send' && name === 'eve'), []);
});
