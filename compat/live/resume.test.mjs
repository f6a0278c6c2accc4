// Clients that were away go on where they were: what they missed comes once, in order, before what happens now.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { LiveClient } from './socket.mjs';

const options = { allowClientClassCreation: true, liveQuery: { classNames: ['Live.*'] }, startLiveQueryServer: true };

async function write(server, method, where, json) {
  const answer = await server.request(method, where, { json });
  assert.ok(answer.status < 300, answer.text);
  return answer.body;
}
const make = (server, n, more = {}) => write(server, 'POST', '/classes/LiveBack', { n, ...more });

/** Follows from the token, or from now on, and gives the answer of the server. */
async function follow(client, resume, where = {}) {
  return client.ask({ op: 'subscribe', requestId: 1, resume, query: { className: 'LiveBack', where } });
}
const numbers = events => events.map(event => event.object.n);

describe('one server', () => {
  const database = freshDatabase();
  let server;
  before(async () => {
    server = await startServer(options, { database });
    await make(server, -1);
  });
  after(() => server?.stop());

  test('what happened while a client was away comes once and in order', async () => {
    const first = await LiveClient.connect(server);
    assert.match((await follow(first, true)).resumeToken, /^\w+\.\w+\.\w*$/);
    const { objectId } = await make(server, 0);
    await make(server, 1);
    const heard = await first.have(1, 2);
    assert.deepEqual(numbers(heard), [0, 1]);
    first.close();

    await write(server, 'PUT', `/classes/LiveBack/${objectId}`, { n: 2 });
    await write(server, 'DELETE', `/classes/LiveBack/${objectId}`);
    await make(server, 3);
    await write(server, 'POST', '/classes/LiveOther', { n: 99 });

    const again = await LiveClient.connect(server);
    // From the first event on, and again from the last one.
    assert.equal((await follow(again, heard[0].resumeToken)).op, 'subscribed');
    await make(server, 4);
    const missed = await again.have(1, 5);
    assert.deepEqual(missed.map(event => [event.op, event.object.n, event.original?.n]), [
      ['create', 1, undefined], ['update', 2, 0], ['delete', 2, undefined], ['create', 3, undefined], ['create', 4, undefined],
    ]);
    assert.equal((await again.ask({ op: 'subscribe', requestId: 2, resume: missed[3].resumeToken, query: { className: 'LiveBack', where: { n: { $gt: 3 } } } })).op, 'subscribed');
    assert.deepEqual(numbers(await again.have(2, 1)), [4]);
    again.close();
  });

  test('a client that did not hear of anything goes on where it subscribed', async () => {
    const first = await LiveClient.connect(server);
    const { resumeToken } = await follow(first, true);
    first.close();
    await make(server, 10);
    const again = await LiveClient.connect(server);
    assert.equal((await follow(again, resumeToken)).op, 'subscribed');
    await make(server, 11);
    assert.deepEqual(numbers(await again.have(1, 2)), [10, 11]);
    again.close();
  });

  test('the objects of one transaction are told apart', async () => {
    const first = await LiveClient.connect(server);
    await follow(first, true);
    const requests = [20, 21, 22, 23].map(n => ({ method: 'POST', path: '/parse/classes/LiveBack', body: { n } }));
    await write(server, 'POST', '/batch', { transaction: true, requests });
    const heard = await first.have(1, 4);
    first.close();
    for (const [index, event] of heard.entries()) {
      const again = await LiveClient.connect(server);
      assert.equal((await follow(again, event.resumeToken)).op, 'subscribed');
      const mark = 1000 + index;
      await make(server, mark);
      const expected = [...numbers(heard.slice(index + 1)), ...Array.from({ length: index + 1 }, (_, n) => 1000 + n)];
      assert.deepEqual(numbers(await again.have(1, expected.length)), expected);
      again.close();
    }
  });

  test('writes that go on meanwhile are told once', async () => {
    let client = await LiveClient.connect(server);
    let token = (await follow(client, true)).resumeToken;
    const COUNT = 300;
    const writing = (async () => {
      for (let n = 0; n < COUNT; n += 1) await make(server, n, { round: true });
    })();
    const heard = [];
    while (heard.length < COUNT) {
      const events = await client.have(1, Math.min(25, COUNT - heard.length));
      // What the socket had got when it was cut off counts.
      const got = [...events];
      client.close();
      heard.push(...numbers(got));
      token = got.at(-1).resumeToken;
      client = await LiveClient.connect(server);
      assert.equal((await follow(client, token)).op, 'subscribed');
    }
    await writing;
    assert.deepEqual(heard, Array.from({ length: COUNT }, (_, n) => n));
    client.close();
  });

  test('rights are those of now', async () => {
    const first = await LiveClient.connect(server);
    const { resumeToken } = await follow(first, true);
    first.close();
    await make(server, 30, { ACL: {} });
    await make(server, 31);
    const again = await LiveClient.connect(server);
    await follow(again, resumeToken);
    assert.deepEqual(numbers(await again.have(1, 1)), [31]);
    again.close();
  });

  test('clients that do not ask get no tokens', async () => {
    const client = await LiveClient.connect(server);
    assert.equal((await follow(client, undefined)).resumeToken, undefined);
    await make(server, 40);
    assert.equal((await client.have(1, 1))[0].resumeToken, undefined);
    client.close();
  });

  test('what is no token is refused', async () => {
    const client = await LiveClient.connect(server);
    const { resumeToken } = await follow(client, true);
    const [from, position] = resumeToken.split('.');
    for (const [token, code] of [
      ['', 102], ['x', 102], ['s.zz.', 102], [`${from}.${position}.xyz`, 102], ['none.1.', 162], [`${from}.ffffffffffffffff.`, 162],
      // A process knows its writes from the first on.
      ...(store === 'mongo' ? [[`${from}.0.`, 162]] : []),
    ]) {
      const answer = await follow(client, token);
      assert.deepEqual([answer.op, answer.code, answer.requestId], ['error', code, 1], `${token}: ${JSON.stringify(answer)}`);
    }
    assert.equal((await client.ask({ op: 'subscribe', requestId: 1, resume: 1, query: { className: 'LiveBack', where: {} } })).op, 'error');
    client.close();
  });
});

test('a client that missed too much is told so', async t => {
  const server = await startServer({ ...options, limits: { liveResumeEvents: 3 } });
  t.after(() => server.stop());
  await make(server, -1);
  const first = await LiveClient.connect(server);
  const { resumeToken } = await follow(first, true);
  first.close();
  for (let n = 0; n < 4; n += 1) await make(server, n);
  const again = await LiveClient.connect(server);
  const answer = await follow(again, resumeToken);
  assert.deepEqual([answer.op, answer.code, answer.reconnect], ['error', 162, false]);
  assert.equal((await follow(again, true)).op, 'subscribed');
  again.close();
});

/** Kills the server while a client is away; gives the client's token, and a server to go on with. */
async function killed(t, database, { others = [], more = {} } = {}) {
  let server = await startServer({ ...options, ...more }, { database });
  t.after(() => server.stop());
  await make(server, -1);
  const first = await LiveClient.connect(server);
  await follow(first, true);
  await make(server, 0);
  const [{ resumeToken }] = await first.have(1, 1);
  await make(server, 1);
  await server.kill();
  for (const other of others) await make(other, 2);
  server = await startServer({ ...options, ...more, port: server.port }, { database });
  return { server, resumeToken };
}

async function overTheEnd(t) {
  const database = freshDatabase('mongo');
  const other = await startServer(options, { database });
  const reference = await startServer(options, { database, which: 'reference' });
  t.after(() => Promise.all([other.stop(), reference.stop()]));
  const { server, resumeToken } = await killed(t, database, { others: [other, reference] });
  for (const one of [server, other]) {
    const again = await LiveClient.connect(one);
    t.after(() => again.close());
    assert.equal((await follow(again, resumeToken)).op, 'subscribed');
    assert.deepEqual(numbers(await again.have(1, 3)).slice(0, 3), [1, 2, 2]);
    await make(other, 3);
    assert.equal(numbers(await again.have(1, 4)).at(-1), 3);
  }
}

async function notOverTheEnd(t) {
  const { server, resumeToken } = await killed(t, freshDatabase('embedded'));
  const again = await LiveClient.connect(server);
  t.after(() => again.close());
  const answer = await follow(again, resumeToken);
  assert.deepEqual([answer.op, answer.code], ['error', 162]);
}

/** With `liveQueryHistory` the embedded store remembers, however its process ended. */
async function overTheEndWithHistory(t) {
  const database = freshDatabase('embedded');
  const more = { liveQueryHistory: true };
  const { server, resumeToken } = await killed(t, database, { more });
  const { objectId } = await make(server, 2);
  await write(server, 'PUT', `/classes/LiveBack/${objectId}`, { n: 3 });
  await write(server, 'POST', '/classes/LiveOther', { n: 99 });
  const first = await LiveClient.connect(server);
  assert.equal((await follow(first, resumeToken)).op, 'subscribed');
  await write(server, 'DELETE', `/classes/LiveBack/${objectId}`);
  const heard = await first.have(1, 4);
  assert.deepEqual(heard.map(event => [event.op, event.object.n, event.original?.n]), [
    ['create', 1, undefined], ['create', 2, undefined], ['update', 3, 2], ['delete', 3, undefined],
  ]);
  first.close();

  // Once more, after a clean end, from an event that was itself missed before.
  await server.stop();
  const again = await startServer({ ...options, ...more, port: server.port }, { database });
  t.after(() => again.stop());
  await make(again, 4);
  const second = await LiveClient.connect(again);
  assert.equal((await follow(second, heard[1].resumeToken)).op, 'subscribed');
  await make(again, 5);
  assert.deepEqual(numbers(await second.have(1, 4)), [3, 3, 4, 5]);
  second.close();

  // Who goes on without a history forgets it, and a later one knows nothing of the time between.
  await again.stop();
  for (const own of [{}, more]) {
    const other = await startServer({ ...options, ...own, port: server.port }, { database });
    const third = await LiveClient.connect(other);
    const answer = await follow(third, heard[1].resumeToken);
    assert.deepEqual([answer.op, answer.code], ['error', 162], JSON.stringify(own));
    third.close();
    await other.stop();
  }
}

async function tooMuchHistory(t) {
  const more = { liveQueryHistory: true, limits: { liveResumeEvents: 3 } };
  const { server, resumeToken } = await killed(t, freshDatabase('embedded'), { more });
  for (let n = 2; n < 4; n += 1) await make(server, n);
  const client = await LiveClient.connect(server);
  t.after(() => client.close());
  assert.equal((await follow(client, resumeToken)).op, 'subscribed');
  assert.deepEqual(numbers(await client.have(1, 3)), [1, 2, 3]);
  await make(server, 4);
  await client.have(1, 4);
  const answer = await client.ask({ op: 'subscribe', requestId: 2, resume: resumeToken, query: { className: 'LiveBack', where: {} } });
  assert.deepEqual([answer.op, answer.code], ['error', 162]);
}

async function emptiedQuietly(t) {
  const server = await startServer({ ...options, liveQueryHistory: true });
  t.after(() => server.stop());
  for (let n = 0; n < 3; n += 1) await make(server, n);
  const client = await LiveClient.connect(server);
  t.after(() => client.close());
  await follow(client, true);
  const emptied = await server.request('DELETE', '/purge/LiveBack', { master: true });
  assert.equal(emptied.status, 200, emptied.text);
  await make(server, 3);
  assert.deepEqual((await client.have(1, 1)).map(event => [event.op, event.object.n]), [['create', 3]]);
}

if (store === 'mongo') {
  test('a client goes on after the end of its server, on it or on another', overTheEnd);
} else {
  test('the embedded store forgets what happened before its process ended, and says so', notOverTheEnd);
  test('with a history a client goes on after the end of its server', overTheEndWithHistory);
  test('the history of the embedded store has a bound', tooMuchHistory);
  test('the emptying of a class is not told with a history either', emptiedQuietly);
}
