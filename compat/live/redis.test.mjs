// Servers that tell each other of writes by a real Redis, one of them parse-server: every subscriber hears of every write once.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { freePort, sleep, until } from '../lib/net.mjs';
import { Child } from '../lib/process.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';
import { LiveClient } from './socket.mjs';

const ROUNDS = 30;
let redis;
let url;
let options;

before(async () => {
  const port = await freePort();
  redis = new Child(process.env.REPARSE_TEST_REDIS ?? 'redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { cwd: tempDir() });
  await until(async () => {
    const socket = net.connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      assert.ok(redis.alive, redis.output);
      return false;
    } finally {
      socket.destroy();
    }
  }, { what: 'Redis' });
  url = `redis://127.0.0.1:${port}`;
  options = {
    allowClientClassCreation: true, startLiveQueryServer: true,
    liveQuery: { classNames: ['Live.*'], redisURL: url }, liveQueryServerOptions: { redisURL: url },
  };
});
after(() => redis?.stop());

/** Makes, changes and deletes objects on the servers in turn; what a subscriber to `n >= 0` is told, in order. */
async function write(servers) {
  const send = async (turn, method, where, json) => {
    const answer = await servers[turn % servers.length].request(method, where, { json });
    assert.ok(answer.status < 300, answer.text);
    return answer.body;
  };
  const expected = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const { objectId } = await send(round, 'POST', '/classes/LiveRedis', { n: round });
    if (servers.length > 1) await sleep(20);
    await send(round + 1, 'PUT', `/classes/LiveRedis/${objectId}`, { n: round + 1000 });
    if (servers.length > 1) await sleep(20);
    await send(round + 2, 'DELETE', `/classes/LiveRedis/${objectId}`);
    if (servers.length > 1) await sleep(20);
    expected.push(['create', objectId, round], ['update', objectId, round + 1000], ['delete', objectId, round + 1000]);
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
  const expected = await write(writers);
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

if (store === 'mongo') test('two servers and parse-server on one database', oneDatabase);
else test('subscribers of other servers hear of what is written to an embedded store', ownDatabases);
