// Several servers on one MongoDB, one of them parse-server: subscribers of ours hear of every write once and in order, whoever wrote.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { store } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { LiveClient } from './socket.mjs';

const options = { allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, startLiveQueryServer: true };
const ROUNDS = 40;

async function everyServerHears(t) {
  const database = freshDatabase('mongo');
  const servers = [];
  for (const which of ['reparse', 'reparse', 'reference']) servers.push(await startServer(options, { database, which }));
  t.after(() => Promise.all(servers.map(server => server.stop())));
  const clients = [];
  for (const server of servers.slice(0, 2)) {
    const client = await LiveClient.connect(server);
    t.after(() => client.close());
    await client.follow(1, 'LiveFleet', { n: { $gte: 0 } });
    clients.push(client);
  }
  const made = await servers[0].request('POST', '/classes/LiveFleet', { json: { n: 0 } });
  assert.equal(made.status, 201, made.text);
  const id = made.body.objectId;
  for (let n = 1; n <= ROUNDS; n += 1) {
    const answer = await servers[n % 3].request('PUT', `/classes/LiveFleet/${id}`, { json: { n } });
    assert.equal(answer.status, 200, answer.text);
  }
  // Past all servers, as a script of the operator does.
  const direct = await MongoClient.connect(database);
  t.after(() => direct.close());
  await direct.db().collection('LiveFleet').updateOne({ _id: id }, { $set: { n: -1 } });
  await servers[2].request('DELETE', `/classes/LiveFleet/${id}`);
  const last = await servers[2].request('POST', '/classes/LiveFleet', { json: { n: 99 } });
  const expected = [['create', undefined, 0]];
  for (let n = 1; n <= ROUNDS; n += 1) expected.push(['update', n - 1, n]);
  expected.push(['leave', ROUNDS, -1], ['create', undefined, 99]);
  for (const client of clients) {
    const events = await client.have(1, expected.length);
    assert.deepEqual(events.map(event => [event.op, event.original?.n, event.object.n]), expected);
    assert.equal(events.at(-1).object.objectId, last.body.objectId);
  }
}

// One process alone uses an embedded store.
if (store === 'mongo') test('every server hears of every write', everyServerHears);
