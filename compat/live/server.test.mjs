// The live query server as its operator sees it: alone in a process, its health and metrics, and clients that mean no good.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import WebSocket from 'ws';
import { store } from '../lib/env.mjs';
import { send } from '../lib/http.mjs';
import { startMongod } from '../lib/mongod.mjs';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { LiveClient } from './socket.mjs';

const options = { allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, startLiveQueryServer: true };

async function make(server, json) {
  const answer = await server.request('POST', '/classes/LiveAlone', { json });
  assert.equal(answer.status, 201, answer.text);
  return answer.body;
}

/** The value of a metric. */
async function metric(server, name) {
  const { text } = await send(`${server.root}/metrics`);
  return Number(new RegExp(`^reparse_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

async function alone(t) {
  const database = freshDatabase('mongo');
  const writer = await startServer({ ...options, startLiveQueryServer: false }, { database });
  t.after(() => writer.stop());
  const live = await startServer(options, { database, args: ['live-query'] });
  t.after(() => live.stop());
  await make(writer, { n: 0 });
  const client = await LiveClient.connect(live);
  t.after(() => client.close());
  await client.follow(1, 'LiveAlone', { n: { $gt: 0 } });
  for (let n = 1; n <= 3; n += 1) await make(writer, { n });
  assert.deepEqual((await client.have(1, 3)).map(event => event.object.n), [1, 2, 3]);
  const other = await live.request('GET', '/classes/LiveAlone');
  assert.equal(other.status, 404, other.text);
}

async function unhealthy(t) {
  const mongod = await startMongod();
  t.after(() => mongod.stop());
  const server = await startServer({ ...options, databaseOptions: { serverSelectionTimeoutMS: 1000 } }, { database: mongod.uri.replace('/?', '/health?') });
  t.after(() => server.stop());
  await make(server, { n: 0 });
  const client = await LiveClient.connect(server);
  t.after(() => client.close());
  await client.follow(1, 'LiveAlone');
  const health = async () => (await server.request('GET', '/health')).body ?? {};
  await mongod.kill();
  await until(async () => (await health()).status === 'error', { what: 'a server without its database', limit: 60_000 });
  await mongod.start();
  await until(async () => {
    const said = await health();
    // It may say for a moment that the database does not tell of changes yet.
    return said.status === 'ok' && said.liveQueries === undefined;
  }, { what: 'a healthy server', limit: 120_000 });
  await make(server, { n: 1 });
  assert.equal((await client.have(1, 1))[0].object.n, 1);
}

test('sockets and events are counted, and half-open sockets end', async t => {
  const server = await startServer({ ...options, metrics: { enabled: true }, liveQueryServerOptions: { websocketTimeout: 1000 } });
  t.after(() => server.stop());
  const client = await LiveClient.connect(server);
  t.after(() => client.close());
  await client.follow(1, 'LiveAlone');
  await make(server, { n: 1 });
  await client.have(1, 1);
  assert.deepEqual([await metric(server, 'live_clients'), await metric(server, 'live_subscriptions')], [1, 1]);
  assert.ok(await metric(server, 'live_events_total') >= 1);
  assert.ok(await metric(server, 'live_lag_seconds') >= 0);
  // One that connects, and one that says nothing at all, both without answers to pings.
  const connected = new WebSocket(server.url.replace('http', 'ws'), { autoPong: false });
  const silent = new WebSocket(server.url.replace('http', 'ws'), { autoPong: false });
  const ended = [connected, silent].map(socket => once(socket, 'close'));
  await once(connected, 'open');
  connected.send(JSON.stringify({ op: 'connect', applicationId: 'app' }));
  assert.deepEqual((await Promise.all(ended)).map(([code]) => code), [1006, 1006]);
  await until(async () => await metric(server, 'live_clients') === 1, { what: 'one client' });
  await make(server, { n: 2 });
  assert.equal((await client.have(1, 2)).length, 2, 'who answers stays');
});

test('a flood of connects and of what is no message makes one client', async t => {
  const server = await startServer({ ...options, metrics: { enabled: true } });
  t.after(() => server.stop());
  const client = await LiveClient.connect(server);
  t.after(() => client.close());
  const socket = new WebSocket(server.url.replace('http', 'ws'));
  t.after(() => socket.terminate());
  await once(socket, 'open');
  let answers = 0;
  socket.on('message', () => { answers += 1; });
  const pieces = ['{', '[]', '{"op":"connect"}', '{"op":"subscribe","requestId":1}', '{"op":"unsubscribe","requestId":9}'];
  for (let count = 0; count < 2000; count += 1) {
    socket.send(JSON.stringify({ op: 'connect', applicationId: 'app' }));
    socket.send(pieces[count % pieces.length]);
  }
  // What is no JSON is not answered.
  await until(() => answers === 3600, { what: 'all answers', limit: 60_000 });
  assert.equal(await metric(server, 'live_clients'), 2);
  await client.follow(1, 'LiveAlone');
  await make(server, { n: 1 });
  assert.equal((await client.have(1, 1)).length, 1);
});

if (store === 'mongo') {
  test('live queries are served by a process of their own', alone);
  test('health says what the database does not tell, and clients hear again afterwards', unhealthy);
}
