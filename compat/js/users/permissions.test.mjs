import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, as, asMaster, rejects, request, signUp, unique, useServer } from '../support.mjs';

useServer();

test('a user may be changed by itself and the master key', async () => {
  const user = await signUp();
  const stranger = await signUp();
  const put = (fields, options) => request('PUT', `users/${user.id}`, fields, options);
  assert.ok((await put({ nickname: 'one' }, as(user))).updatedAt);
  assert.ok((await put({ nickname: 'two' }, asMaster)).updatedAt);
  await rejects(put({ nickname: 'x' }, as(stranger)), 206, 'Permission denied');
  await rejects(put({ nickname: 'x' }, {}), 206, 'Permission denied');
  await rejects(request('PUT', 'users/nobody1234', { nickname: 'x' }, as(user)), 206, 'Permission denied');
  await rejects(request('PUT', 'users/nobody1234', { nickname: 'x' }, asMaster), 101, 'Object not found.');
  assert.equal((await new Parse.Query(Parse.User).get(user.id, asMaster)).get('nickname'), 'two');
});

test('a user may be deleted by itself and the master key', async () => {
  const [first, second, stranger] = [await signUp(), await signUp(), await signUp()];
  await rejects(request('DELETE', `users/${first.id}`, {}), 206, 'Insufficient auth to delete user');
  await rejects(request('DELETE', `users/${first.id}`, {}, as(stranger)), 206, 'Permission denied');
  await first.destroy(as(first));
  await second.destroy(asMaster);
  const query = new Parse.Query(Parse.User);
  for (const gone of [first, second]) await rejects(query.get(gone.id, asMaster), 101, 'Object not found.');
  await rejects(request('DELETE', `users/${first.id}`, {}, asMaster), 101, 'Object not found.');
  await rejects(Parse.User.logIn(first.getUsername(), 'secret'), 101, 'Invalid username/password.');
});

test('renaming', async () => {
  const user = await signUp({ email: `${unique()}@example.com` });
  const other = await signUp({ email: `${unique()}@example.com` });
  const put = fields => request('PUT', `users/${user.id}`, fields, as(user));
  await rejects(put({ username: other.getUsername() }), 202, 'Account already exists for this username.');
  await rejects(put({ username: other.getUsername().toUpperCase() }), 202, 'Account already exists for this username.');
  await rejects(put({ email: other.getEmail() }), 203, 'Account already exists for this email address.');
  await rejects(put({ email: other.getEmail().toUpperCase() }), 203, 'Account already exists for this email address.');
  await rejects(put({ email: 'nonsense' }), 125, 'Email address format is invalid.');
  const loud = user.getUsername().toUpperCase();
  await put({ email: { __op: 'Delete' } });
  await put({ username: loud });
  assert.equal((await Parse.User.logIn(loud, 'secret')).id, user.id);
  assert.equal((await new Parse.Query(Parse.User).get(user.id, asMaster)).has('email'), false);
});

test('a user can open itself to others, and cannot lock itself out', async () => {
  const user = await signUp({ nickname: 'Al' });
  const stranger = await signUp();
  const acl = new Parse.ACL();
  acl.setReadAccess(stranger.id, true);
  await user.save({ ACL: acl }, as(user));
  const seen = await new Parse.Query(Parse.User).get(user.id, as(stranger));
  assert.equal(seen.get('nickname'), 'Al');
  assert.deepEqual(seen.getACL().toJSON(), { [stranger.id]: { read: true }, [user.id]: { read: true, write: true } });
  await rejects(new Parse.Query(Parse.User).get(user.id), 101);
});

test('a dead session is refused everywhere', async () => {
  const user = await signUp();
  const dead = { sessionToken: 'r:ffffffffffffffffffffffffffffffff' };
  await rejects(request('GET', `users/${user.id}`, {}, dead), 209, 'Invalid session token');
  await rejects(request('POST', 'users', { username: unique(), password: 'x' }, dead), 209, 'Invalid session token');
  await rejects(request('PUT', `users/${user.id}`, {}, dead), 209, 'Invalid session token');
  await rejects(request('POST', 'logout', {}, dead), 209, 'Invalid session token');
  await rejects(request('GET', 'users/me', {}), 209, 'Permission denied');
});

test('the master key sees internal fields of nobody', async () => {
  const user = await signUp();
  const raw = await request('GET', `users/${user.id}`, {}, asMaster);
  assert.deepEqual(Object.keys(raw).filter(key => key.startsWith('_')), []);
  assert.equal(raw.password, undefined);
  assert.equal(raw.sessionToken, undefined);
});

test('a wrong application id', async () => {
  const { appId } = { appId: Parse.applicationId };
  Parse.CoreManager.set('APPLICATION_ID', 'somebody-else');
  try {
    await assert.rejects(request('GET', 'users', {}), /unauthorized/);
  } finally {
    Parse.CoreManager.set('APPLICATION_ID', appId);
  }
});
