// Two servers on one MongoDB: what one changes holds for the other within a second.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

describe('two servers on one database', { skip: store !== 'mongo' && 'the embedded store belongs to one process' }, () => {
  let one;
  let other;
  let session;
  let user;

  before(async () => {
    const database = freshDatabase();
    const options = { allowClientClassCreation: true, enforcePrivateUsers: false };
    one = await startServer(options, { database });
    other = await startServer(options, { database });
    const made = await one.request('POST', '/users', { json: { username: 'alice', password: 'secret' } });
    assert.equal(made.status, 201, made.text);
    session = made.body.sessionToken;
    user = made.body.objectId;
  });
  after(async () => {
    await one?.stop();
    await other?.stop();
  });

  const logIn = async () => {
    const answer = await one.request('POST', '/login', { json: { username: 'alice', password: 'secret' } });
    assert.equal(answer.status, 200, answer.text);
    const token = answer.body.sessionToken;
    assert.equal((await other.request('GET', '/users/me', { session: token })).status, 200);
    return token;
  };
  const within = (what, holds) => until(holds, { limit: 1000, every: 20, what });
  const isRefused = token => async () => (await other.request('GET', '/users/me', { session: token })).status === 400;

  test('a log out', async () => {
    const token = await logIn();
    assert.equal((await one.request('POST', '/logout', { session: token, json: {} })).status, 200);
    await within('the session to end', isRefused(token));
  });

  test('a session deleted', async () => {
    const token = await logIn();
    const own = await other.request('GET', '/sessions/me', { session: token });
    assert.equal((await one.request('DELETE', `/sessions/${own.body.objectId}`, { master: true })).status, 200);
    await within('the session to end', isRefused(token));
  });

  test('members of a role', async () => {
    const role = await one.request('POST', '/roles', { master: true, json: { name: 'Crew', ACL: {} } });
    const secret = await one.request('POST', '/classes/Log', { master: true, json: { ACL: { 'role:Crew': { read: true } } } });
    const reads = status => async () =>
      (await other.request('GET', `/classes/Log/${secret.body.objectId}`, { session })).status === status;
    assert.ok(await reads(404)());
    const member = { __type: 'Pointer', className: '_User', objectId: user };
    const change = operation =>
      one.request('PUT', `/roles/${role.body.objectId}`, { master: true, json: { users: { __op: operation, objects: [member] } } });
    assert.equal((await change('AddRelation')).status, 200);
    await within('the role to be held', reads(200));
    assert.equal((await change('RemoveRelation')).status, 200);
    await within('the role to be lost', reads(404));
  });

  test('class level permissions', async () => {
    assert.equal((await one.request('POST', '/classes/Open', { json: { a: 1 } })).status, 201);
    await within('the class to be seen', async () => (await other.request('GET', '/classes/Open')).body.results?.length === 1);
    const closed = await one.request('PUT', '/schemas/Open', { master: true, json: { classLevelPermissions: { find: {} } } });
    assert.equal(closed.status, 200, closed.text);
    await within('the class to be closed', async () => (await other.request('GET', '/classes/Open')).body.code === 119);
  });

  test('types of fields', async () => {
    assert.equal((await one.request('POST', '/classes/Typed', { json: { a: 'text' } })).status, 201);
    const refused = await other.request('POST', '/classes/Typed', { json: { a: 1 } });
    assert.equal(refused.body.code, 111, refused.text);
  });

  test('a password changed', async () => {
    const token = await logIn();
    const changed = await one.request('PUT', `/users/${user}`, { master: true, json: { password: 'secret' } });
    assert.equal(changed.status, 200, changed.text);
    await within('the session to end', isRefused(token));
  });

  test('a user deleted', async () => {
    const token = await logIn();
    assert.equal((await one.request('DELETE', `/users/${user}`, { master: true })).status, 200);
    await within('the user to be gone', async () => (await other.request('GET', '/users/me', { session: token })).status !== 200);
  });
});
