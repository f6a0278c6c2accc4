import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, forgetUser, ids, logInElsewhere, rejects, request, signUp, useServer } from '../support.mjs';

useServer();

test('the current session', async () => {
  const user = await signUp();
  await Parse.User.become(user.getSessionToken());
  const session = await Parse.Session.current();
  assert.equal(session.getSessionToken(), user.getSessionToken());
  assert.equal(session.get('user').id, user.id);
  assert.deepEqual(session.get('createdWith'), { action: 'signup', authProvider: 'password' });
  const year = 365 * 24 * 3600 * 1000;
  assert.ok(Math.abs(session.get('expiresAt') - Date.now() - year) < 60_000);
});

test('a user sees the own sessions only', async () => {
  const user = await signUp();
  const stranger = await signUp();
  await logInElsewhere(user);
  const mine = await new Parse.Query(Parse.Session).find(as(user));
  assert.equal(mine.length, 2);
  assert.ok(mine.every(session => session.get('user').id === user.id));
  assert.equal((await new Parse.Query(Parse.Session).find(as(stranger))).length, 1);
  const all = await new Parse.Query(Parse.Session).equalTo('user', user).find(asMaster);
  assert.deepEqual(ids(all), ids(mine));
  await rejects(request('GET', 'sessions', {}), 209, 'Permission denied');
});

test('deleting a session ends it at once', async () => {
  const user = await signUp();
  const elsewhere = await logInElsewhere(user);
  await Parse.User.become(elsewhere);
  const session = await Parse.Session.current();
  await forgetUser();
  await session.destroy(as(user));
  await rejects(Parse.User.become(elsewhere), 209, 'Invalid session token');
  assert.equal((await Parse.User.become(user.getSessionToken())).id, user.id);
});

test('a stranger can neither read nor delete a session', async () => {
  const user = await signUp();
  const stranger = await signUp();
  const [session] = await new Parse.Query(Parse.Session).find(as(user));
  await rejects(new Parse.Query(Parse.Session).get(session.id, as(stranger)), 101, 'Object not found.');
  await rejects(request('DELETE', `sessions/${session.id}`, {}, as(stranger)), 101, 'Object not found for delete.');
});

test('own fields of a session, and fields that are the server’s', async () => {
  const user = await signUp();
  const [session] = await new Parse.Query(Parse.Session).find(as(user));
  session.set('device', 'phone');
  await session.save(null, as(user));
  assert.equal((await new Parse.Query(Parse.Session).get(session.id, as(user))).get('device'), 'phone');
  for (const field of ['createdWith', 'expiresAt', 'installationId', 'sessionToken', 'user']) {
    const value = field === 'user' ? new Parse.User({ id: 'somebody12' }).toPointer() : 'mine';
    await rejects(request('PUT', `sessions/${session.id}`, { [field]: value }, as(user)), 105, `Invalid key name: ${field}`);
  }
});

test('a session made by hand', async () => {
  const user = await signUp();
  const made = await request('POST', 'sessions', { device: 'watch' }, as(user));
  assert.match(made.sessionToken, /^r:[0-9a-f]{32}$/);
  assert.equal((await Parse.User.become(made.sessionToken)).id, user.id);
  await forgetUser();
  await rejects(request('POST', 'sessions', { ACL: {} }, made), 105, 'Cannot set ACL on a Session.');
  await rejects(request('POST', 'sessions', {}), 209, 'Session token required.');
});

test('one session a user and installation', async () => {
  const user = await signUp();
  const logIn = installationId => request('POST', 'login', { username: user.getUsername(), password: 'secret' }, { installationId });
  const first = await logIn('phone');
  const second = await logIn('phone');
  const tablet = await logIn('tablet');
  await rejects(Parse.User.become(first.sessionToken), 209);
  for (const alive of [second, tablet]) assert.equal((await Parse.User.become(alive.sessionToken)).id, user.id);
});

test('upgradeToRevocableSession makes another session', async () => {
  const user = await signUp();
  const made = await request('POST', 'upgradeToRevocableSession', {}, as(user));
  assert.match(made.sessionToken, /^r:[0-9a-f]{32}$/);
  assert.notEqual(made.sessionToken, user.getSessionToken());
});

test('sessions of a deleted user are dead', async () => {
  const user = await signUp();
  const token = user.getSessionToken();
  await user.destroy(as(user));
  await rejects(Parse.User.become(token), 209);
});
