// Servers that tell each other of writes by a real Redis, one of them parse-server: every subscriber hears of every write once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { sleep } from '../lib/net.mjs';
import { startMongod } from '../lib/mongod.mjs';
import { startRedis } from '../lib/redis.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { LiveClient } from './socket.mjs';

const ROUNDS = 30;
let redis;
let options;

before(async () => {
  redis = await startRedis();
  options = {
    allowClientClassCreation: true, startLiveQueryServer: true,
    liveQuery: { classNames: ['Live.*'], redisURL: redis.url }, liveQueryServerOptions: { redisURL: redis.url },
  };
});
after(() => redis?.child.stop());

/**
 * Makes, changes and deletes objects on the servers in turn; what a subscriber to `n >= 0` is told, in order. Servers publish by themselves, so
 * a write on another one waits until everybody has heard of the last.
 */
async function write(servers, clients) {
  const expected = [];
  const send = async (turn, op, method, where, json, n) => {
    const answer = await servers[turn % servers.length].request(method, where, { json });
    assert.ok(answer.status < 300, answer.text);
    const objectId = answer.body.objectId ?? where.split('/').at(-1);
    expected.push([op, objectId, n]);
    if (servers.length > 1) await Promise.all(clients.map(client => client.have(1, expected.length)));
    return objectId;
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const objectId = await send(round, 'create', 'POST', '/classes/LiveRedis', { n: round }, round);
    await send(round + 1, 'update', 'PUT', `/classes/LiveRedis/${objectId}`, { n: round + 1000 }, round + 1000);
    await send(round + 2, 'delete', 'DELETE', `/classes/LiveRedis/${objectId}`, undefined, round + 1000);
  }
  return expected;
}

async function hear(t, listeners, writers) {
  await writers[0].request('POST', '/classes/LiveRedis', { json: { n: -1 } });
  const clients = [];
  for (const server of listeners) {
    const client = await LiveClient.connect(server);
    t.after(() => client.close());
    await client.follow(1, 'LiveRedis', { n: { $gte: 0 } });
    clients.push(client);
  }
  const expected = await write(writers, clients);
  for (const client of clients) {
    const events = await client.have(1, expected.length);
    // A second telling would come late.
    await sleep(500);
    assert.deepEqual(events.map(({ op, object }) => [op, object.objectId, object.n]), expected);
  }
}

async function oneDatabase(t) {
  const database = freshDatabase('mongo');
  const servers = [];
  for (const which of ['reparse', 'reparse', 'reference']) servers.push(await startServer(options, { database, which }));
  t.after(() => Promise.all(servers.map(server => server.stop())));
  await hear(t, servers, servers);
}

async function ownDatabases(t) {
  const servers = [];
  for (const which of ['reparse', 'reparse', 'reference']) servers.push(await startServer(options, { which }));
  t.after(() => Promise.all(servers.map(server => server.stop())));
  await hear(t, servers, [servers[0]]);
}

/** Without change streams, and with caches that forget nothing by themselves, servers hear of roles by `clearCache` alone. */
async function rolesOfOthers(t) {
  const mongod = await startMongod(undefined, { standalone: true });
  t.after(() => mongod.stop());
  const database = mongod.uri.replace('/?', '/roles?');
  const slow = { ...options, cacheTTL: 3_600_000 };
  const server = await startServer(slow, { database });
  t.after(() => server.stop());
  const reference = await startServer(options, { database, which: 'reference' });
  t.after(() => reference.stop());
  const send = async (to, method, where, json, more = { master: true }) => {
    const answer = await to.request(method, where, { json, ...more });
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  const ann = await send(reference, 'POST', '/users', { username: 'ann', password: 'p' }, {});
  assert.ok(ann.sessionToken);
  const role = await send(reference, 'POST', '/roles', { name: 'staff', ACL: { [ann.objectId]: { read: true, write: true } } });
  const client = await LiveClient.connect(server, { sessionToken: ann.sessionToken });
  t.after(() => client.close());
  await send(reference, 'POST', '/classes/LiveStaff', { n: -1 });
  await client.follow(1, 'LiveStaff');
  const secret = n => send(reference, 'POST', '/classes/LiveStaff', { n, ACL: { 'role:staff': { read: true } } });
  const open = n => send(reference, 'POST', '/classes/LiveStaff', { n });
  await secret(1);
  await open(2);
  assert.deepEqual((await client.have(1, 1)).map(event => event.object.n), [2], 'ann has no role yet, and the server knows that by heart');

  const users = { __op: 'AddRelation', objects: [{ __type: 'Pointer', className: '_User', objectId: ann.objectId }] };
  await send(reference, 'PUT', `/roles/${role.objectId}`, { users }, { session: ann.sessionToken });
  await secret(3);
  await open(4);
  assert.deepEqual((await client.have(1, 3)).map(event => event.object.n), [2, 3, 4]);
}

if (store === 'mongo') {
  test('two servers and parse-server on one database', oneDatabase);
  test('a role that a user changes at parse-server counts at once', rolesOfOthers);
} else test('subscribers of other servers hear of what is written to an embedded store', ownDatabases);
