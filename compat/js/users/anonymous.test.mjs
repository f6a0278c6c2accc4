import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, forgetUser, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

const anonymous = id => ({ authData: { anonymous: { id } } });
const stored = (user, options = asMaster) => request('GET', `users/${user.id}`, {}, options);

test('an anonymous user comes into being and stays itself', async () => {
  const user = await Parse.AnonymousUtils.logIn();
  assert.equal(Parse.AnonymousUtils.isLinked(user), true);
  assert.match(user.getSessionToken(), /^r:/);
  const again = await request('POST', 'users', { authData: { anonymous: user.get('authData').anonymous } });
  assert.equal(again.objectId, user.id);
  assert.notEqual(again.sessionToken, user.getSessionToken());
  assert.match((await stored(user)).username, /^[A-Za-z0-9]{25}$/);
});

test('an anonymous user becomes a regular one', async () => {
  const user = await Parse.AnonymousUtils.logIn();
  const { id } = user;
  const name = unique();
  user.setUsername(name);
  user.setPassword('secret');
  await user.signUp();
  assert.equal(user.id, id);
  await forgetUser();
  assert.equal((await Parse.User.logIn(name, 'secret')).id, id);
  assert.equal(Parse.AnonymousUtils.isLinked(await Parse.User.currentAsync()), false);
});

test('link and unlink', async () => {
  const user = await signUp();
  const id = unique('anon');
  await user.linkWith('anonymous', { authData: { id } }, as(user));
  assert.deepEqual((await stored(user, as(user))).authData, { anonymous: { id } });
  const back = await Parse.User.logInWith('anonymous', { authData: { id } });
  assert.equal(back.id, user.id);
  await forgetUser();
  await user._unlinkFrom('anonymous', { sessionToken: back.getSessionToken() });
  await forgetUser();
  assert.equal((await stored(user)).authData, undefined);
  const stranger = await request('POST', 'users', anonymous(id));
  assert.notEqual(stranger.objectId, user.id);
});

test('authData belongs to one user', async () => {
  const [first, second] = [await signUp(), await signUp()];
  const id = unique('anon');
  const link = user => request('PUT', `users/${user.id}`, anonymous(id), as(user));
  await link(first);
  await rejects(link(second), 208, 'this auth is already used');
  await link(first);
});

test('authData is nobody else’s business', async () => {
  const acl = new Parse.ACL();
  acl.setPublicReadAccess(true);
  const user = await signUp({ ACL: acl });
  await request('PUT', `users/${user.id}`, anonymous(unique('anon')), as(user));
  assert.equal((await stored(user, {})).authData, undefined);
  assert.ok((await stored(user, as(user))).authData);
  assert.ok((await stored(user, asMaster)).authData);
});

test('providers that the server does not know', async () => {
  const user = await signUp();
  await rejects(request('POST', 'users', { authData: { nonsense: { id: 'x' } } }), 252, 'This authentication method is unsupported.');
  await rejects(
    request('PUT', `users/${user.id}`, { authData: { nonsense: { id: 'x' } } }, as(user)),
    252,
    'This authentication method is unsupported.',
  );
});

test('ids that are no text', async () => {
  for (const id of [1, true, {}, []]) {
    await rejects(request('POST', 'users', { authData: { anonymous: { id } } }), 162, "Invalid authData id for provider 'anonymous'.");
  }
});

test('challenge', async () => {
  await rejects(request('POST', 'challenge', {}), -1, 'Nothing to challenge.');
  await rejects(request('POST', 'challenge', { challengeData: 'x' }), -1, 'challengeData should be an object.');
});
