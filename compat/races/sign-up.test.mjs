// A username and an email address have one owner, however many sign ups run at the same time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { store } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const RACERS = 200;

/** Lets 200 sign ups race over these servers; returns `{body, answer}` for each. */
function race(servers, bodyOf) {
  const bodies = Array.from({ length: RACERS }, (_, index) => ({ password: `password ${index}`, ...bodyOf(index) }));
  return Promise.all(
    bodies.map(async (body, index) => {
      const server = servers[index % servers.length];
      return { body, answer: await server.request('POST', '/users', { json: body, timeout: 120_000 }) };
    }),
  );
}

/** Asserts that exactly one succeeded and the others got the right error; returns the successful one. */
function oneWinner(results, code) {
  const won = results.filter(({ answer }) => answer.status === 201);
  const lost = results.filter(({ answer }) => answer.status !== 201);
  assert.equal(won.length, 1);
  for (const { answer } of lost) assert.deepEqual([answer.status, answer.body?.code], [400, code], answer.text);
  return won[0];
}

async function stored(server, where) {
  const answer = await server.request('GET', '/users', { master: true, query: { where, limit: 1000 } });
  return answer.body.results;
}

const logIn = (server, { username, password }) => server.request('POST', '/login', { json: { username, password } });

function suite(name, count) {
  describe(name, () => {
    const servers = [];
    before(async () => {
      const database = freshDatabase();
      for (let index = 0; index < count; index += 1) servers.push(await startServer({}, { database }));
    });
    after(() => Promise.all(servers.map(server => server.stop())));

    test('one username', async () => {
      const { body, answer } = oneWinner(await race(servers, () => ({ username: 'racer' })), 202);
      const users = await stored(servers[0], { username: 'racer' });
      assert.deepEqual(users.map(user => user.objectId), [answer.body.objectId]);
      for (const server of servers) assert.equal((await logIn(server, body)).status, 200);
      assert.equal((await logIn(servers[0], { ...body, password: `not ${body.password}` })).status, 404);
    });

    test('one e-mail address', async () => {
      const email = 'racer@example.com';
      const { body, answer } = oneWinner(await race(servers, index => ({ username: `mail ${index}`, email })), 203);
      const users = await stored(servers[0], { email });
      assert.deepEqual(users.map(user => user.objectId), [answer.body.objectId]);
      assert.equal((await logIn(servers[0], body)).status, 200);
      assert.equal((await stored(servers[0], { username: { $regex: '^mail ' } })).length, 1);
    });

    test('one anonymous identity', async () => {
      const authData = { anonymous: { id: 'the same phone' } };
      const results = await race(servers, () => ({ password: undefined, authData }));
      const created = results.filter(({ answer }) => answer.status === 201);
      assert.equal(created.length, 1);
      for (const { answer } of results) {
        const loggedIn = answer.status === 200 && answer.body.objectId === created[0].answer.body.objectId;
        assert.ok(answer.status === 201 || loggedIn || answer.body?.code === 208, answer.text);
      }
    });

    test('as many users as names', async () => {
      const results = await race(servers, index => ({ username: `crowd ${index}` }));
      for (const { answer } of results) assert.equal(answer.status, 201, answer.text);
      assert.equal((await stored(servers[0], { username: { $regex: '^crowd ' } })).length, RACERS);
    });
  });
}

suite(`one server, ${store}`, 1);
if (store === 'mongo') suite('two servers on one database', 2);

if (store === 'embedded') {
  test('names that differ only in case', async () => {
    const server = await startServer();
    try {
      // 200 ways to write it: each letter is upper or lower case as a bit says
      const written = index => Array.from('casefold', (letter, bit) => ((index >> bit) & 1 ? letter.toUpperCase() : letter)).join('');
      oneWinner(await race([server], index => ({ username: written(index) })), 202);
    } finally {
      await server.stop();
    }
  });
}
