// Two servers on one MongoDB: a change by one is effective on the other within a second on a replica set (change streams),
// and within `cacheTTL` on a standalone.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { startMongod } from '../lib/mongod.mjs';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const skip = store !== 'mongo' && 'the embedded store belongs to one process';

describe('two servers on one replica set', { skip }, () => {
  sideBySide({ database: () => freshDatabase(), limit: 1000 });
});

describe('two servers on one standalone', { skip }, () => {
  let mongod;
  before(async () => {
    mongod = await startMongod(undefined, { standalone: true });
  });
  after(() => mongod?.stop());

  // What an answer takes comes on top of the time.
  sideBySide({ database: () => mongod.uri.replace('/?', '/short?'), options: { cacheTTL: 700 }, limit: 1200 });
  test('everything at once, with the default cacheTTL of 5 s', () => allAtOnce(mongod.uri.replace('/?', '/default?')));
});

/** One server has everything cached; then the other changes it, and five seconds later no old value is left. */
async function allAtOnce(database) {
  const options = { allowClientClassCreation: true, enforcePrivateUsers: false };
  const one = await startServer(options, { database });
  const other = await startServer(options, { database });
  try {
    const change = async (method, path, json) => {
      const answer = await one.request(method, path, { master: true, json });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      return answer.body;
    };
    const users = [];
    for (const username of ['ended', 'renewed', 'promoted']) users.push(await change('POST', '/users', { username, password: 'secret' }));
    const tokens = [];
    for (const username of ['ended', 'renewed', 'promoted']) {
      tokens.push((await one.request('POST', '/login', { json: { username, password: 'secret' } })).body.sessionToken);
    }
    const role = await change('POST', '/roles', { name: 'Crew', ACL: {} });
    const log = await change('POST', '/classes/Log', { ACL: { 'role:Crew': { read: true } } });
    await change('POST', '/classes/Open', { a: 1 });
    const me = token => other.request('GET', '/users/me', { session: token });
    const seen = async () => [
      (await me(tokens[0])).status,
      (await me(tokens[1])).status,
      (await other.request('GET', `/classes/Log/${log.objectId}`, { session: tokens[2] })).status,
      (await other.request('GET', '/classes/Open')).status,
    ];
    await until(async () => `${await seen()}` === '200,200,404,200', { limit: 5500, what: 'the state before' });

    const session = (await me(tokens[0]), await other.request('GET', '/sessions/me', { session: tokens[0] })).body.objectId;
    await change('DELETE', `/sessions/${session}`);
    await change('PUT', `/users/${users[1].objectId}`, { password: 'another' });
    const member = { __type: 'Pointer', className: '_User', objectId: users[2].objectId };
    await change('PUT', `/roles/${role.objectId}`, { users: { __op: 'AddRelation', objects: [member] } });
    await change('PUT', '/schemas/Open', { classLevelPermissions: { find: {} } });
    await until(async () => `${await seen()}` === '400,400,200,400', { limit: 5500, what: 'the state after' }).catch(async error => {
      throw new Error(`${error.message}: ${await seen()}`);
    });
  } finally {
    await one.stop();
    await other.stop();
  }
}

/** The cases, on a database of their own. `limit`: milliseconds after which a change must hold for the other server. */
function sideBySide({ database, options: more, limit }) {
  let one;
  let other;
  let session;
  let user;

  before(async () => {
    const uri = database();
    const options = { allowClientClassCreation: true, enforcePrivateUsers: false, ...more };
    one = await startServer(options, { database: uri });
    other = await startServer(options, { database: uri });
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
  const within = (what, holds) => until(holds, { limit, every: 20, what });
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
}
