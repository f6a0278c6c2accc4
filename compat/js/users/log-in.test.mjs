import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, forgetUser, logInElsewhere, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

test('logs in with name and password', async () => {
  const user = await signUp({ nickname: 'Al', score: 12 });
  const name = user.getUsername();
  const back = await Parse.User.logIn(name, 'secret');
  assert.equal(back.id, user.id);
  assert.equal(back.get('nickname'), 'Al');
  assert.equal(back.get('score'), 12);
  assert.equal(back.get('password'), undefined);
  assert.notEqual(back.getSessionToken(), user.getSessionToken());
  assert.equal(Parse.User.current().id, user.id);
  assert.deepEqual(back.getACL().toJSON(), { [user.id]: { read: true, write: true } });
});

test('logs in with GET and with POST alike', async () => {
  const user = await signUp();
  for (const usePost of [true, false]) {
    const back = await Parse.User.logIn(user.getUsername(), 'secret', { usePost });
    assert.equal(back.id, user.id);
  }
});

test('the e-mail address may stand for the name', async () => {
  const email = `${unique()}@example.com`;
  const user = await signUp({ email });
  assert.equal((await Parse.User.logIn(email, 'secret')).id, user.id);
  const answer = await request('POST', 'login', { email, password: 'secret' });
  assert.equal(answer.objectId, user.id);
});

test('wrong credentials', async () => {
  const user = await signUp();
  const name = user.getUsername();
  const wrong = [101, 'Invalid username/password.'];
  await rejects(Parse.User.logIn(name, 'wrong'), ...wrong);
  await rejects(Parse.User.logIn(unique(), 'secret'), ...wrong);
  await rejects(Parse.User.logIn(name.toUpperCase(), 'secret'), ...wrong);
  const post = body => request('POST', 'login', body);
  await rejects(post({ password: 'x' }), 200, 'username/email is required.');
  await rejects(post({ username: name }), 201, 'password is required.');
  await rejects(post({ username: { $ne: null }, password: 'secret' }), ...wrong);
  await rejects(post({ username: name, password: { $ne: null } }), ...wrong);
  await rejects(post({ username: name, email: 'somebody@example.com', password: 'secret' }), ...wrong);
});

for (const password of ['ünïcödé 🔑', ' ', 'a'.repeat(73), 'nul\u0000inside', '"; DROP TABLE users; --']) {
  test(`the password ${JSON.stringify(password.slice(0, 24))} of ${password.length} characters`, async () => {
    const user = await signUp({ password });
    assert.equal((await Parse.User.logIn(user.getUsername(), password)).id, user.id);
    await rejects(Parse.User.logIn(user.getUsername(), `x${password}`), 101);
  });
}

test('become', async () => {
  const user = await signUp({ nickname: 'Al' });
  const token = user.getSessionToken();
  const become = await Parse.User.become(token);
  assert.equal(become.id, user.id);
  assert.equal(become.get('nickname'), 'Al');
  assert.equal(become.getSessionToken(), token);
  assert.equal((await Parse.User.currentAsync()).id, user.id);
  await forgetUser();
  await rejects(Parse.User.become('r:00000000000000000000000000000000'), 209, 'Invalid session token');
});

test('logging out ends the session and no other', async () => {
  const user = await signUp();
  const elsewhere = await logInElsewhere(user);
  const token = user.getSessionToken();
  await Parse.User.become(token);
  await Parse.User.logOut();
  assert.equal(Parse.User.current(), null);
  await rejects(Parse.User.become(token), 209, 'Invalid session token');
  assert.equal((await Parse.User.become(elsewhere)).id, user.id);
});

test('verifyPassword', async () => {
  const user = await signUp();
  const seen = await Parse.User.verifyPassword(user.getUsername(), 'secret');
  assert.equal(seen.id ?? seen.objectId, user.id);
  await rejects(Parse.User.verifyPassword(user.getUsername(), 'wrong'), 101, 'Invalid username/password.');
});

test('loginAs needs the master key', async () => {
  const user = await signUp();
  const answer = await request('POST', 'loginAs', { userId: user.id }, asMaster);
  assert.equal(answer.objectId, user.id);
  assert.match(answer.sessionToken, /^r:/);
  await rejects(request('POST', 'loginAs', { userId: user.id }), 119, 'Permission denied');
  await rejects(request('POST', 'loginAs', { userId: 'nobody' }, asMaster), 101, 'user not found');
});

test('hydrate gives the SDK a user without a request', async () => {
  const user = await signUp();
  const same = await Parse.User.hydrate({ objectId: user.id, sessionToken: user.getSessionToken() });
  await same.fetch(as(same));
  assert.equal(same.get('username'), user.getUsername());
});

test('a changed password', async () => {
  const user = await signUp();
  const elsewhere = await logInElsewhere(user);
  const oldToken = user.getSessionToken();
  await forgetUser();
  user.setPassword('changed');
  await user.save(null, as(user));
  assert.notEqual(user.getSessionToken(), oldToken);
  await rejects(Parse.User.become(oldToken), 209);
  await rejects(Parse.User.become(elsewhere), 209);
  await rejects(Parse.User.logIn(user.getUsername(), 'secret'), 101);
  assert.equal((await Parse.User.become(user.getSessionToken())).id, user.id);
  assert.equal((await Parse.User.logIn(user.getUsername(), 'changed')).id, user.id);
});

test('password reset needs a mail adapter', async () => {
  await rejects(
    Parse.User.requestPasswordReset('somebody@example.com'),
    1,
    'An appName, publicServerURL, and emailAdapter are required for password reset and email verification functionality.',
  );
});
