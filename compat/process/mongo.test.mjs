// MongoDB is unavailable, goes down and comes back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { send } from '../lib/http.mjs';
import { startMongod } from '../lib/mongod.mjs';
import { freePort, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { refused } from './support.mjs';

const patience = { REPARSE_DATABASE_TIMEOUT_MS: '2000' };

test('a MongoDB that cannot be reached ends the start in bounded time', async () => {
  const started = Date.now();
  const database = `mongodb://somebody:hunter2hunter2@127.0.0.1:${await freePort()}/parse`;
  const output = await refused({}, { database, env: patience, limit: 60_000 });
  assert.match(output, /MongoDB|mongodb/);
  assert.doesNotMatch(output, /hunter2/, 'the password of the URI is in the log');
  // A start waits half a minute: an election must not keep a server from starting.
  assert.ok(Date.now() - started < 45_000, `${Date.now() - started} ms`);
});

test('an address that is no URI', async () => {
  assert.match(await refused({}, { database: 'mongodb://', env: patience }), /databaseURI|mongodb/i);
});

describe('MongoDB goes away', () => {
  let mongod;
  let server;
  before(async () => {
    mongod = await startMongod();
    server = await startServer({}, { database: mongod.uri.replace('/?', '/away?'), env: patience });
    const made = await server.request('POST', '/users', { json: { username: 'alice', password: 'secret' } });
    assert.equal(made.status, 201, made.text);
  });
  after(async () => {
    await server?.stop();
    await mongod?.stop();
  });

  const logIn = () => server.request('POST', '/login', { json: { username: 'alice', password: 'secret' }, timeout: 40_000 });
  const health = (part = '') => send(`${server.url}/health${part}`, { timeout: 40_000 });

  /** Requests fail with a Parse error, soon; `/health` says so; nothing hangs. */
  async function isAway() {
    const started = Date.now();
    const answers = await Promise.all(Array.from({ length: 10 }, logIn));
    for (const answer of answers) {
      assert.ok(answer.status >= 500, `${answer.status} ${answer.text}`);
      assert.equal(typeof answer.body?.code, 'number', answer.text);
      assert.equal(typeof answer.body?.error, 'string', answer.text);
    }
    // A primary is looked for as long as an election takes, then a command has its own bound.
    assert.ok(Date.now() - started < 30_000, `${Date.now() - started} ms`);
    const sick = await until(async () => {
      const answer = await health();
      return answer.body?.status !== 'ok' && answer;
    }, { limit: 60_000, what: '/health to notice' });
    assert.equal(sick.status, 503, sick.text);
    assert.equal((await health('/ready')).status, 503, 'it wants requests');
    assert.equal((await health('/live')).status, 200, 'a supervisor would restart it for the fault of another');
  }

  async function isBack() {
    await until(async () => (await logIn()).status === 200, { limit: 30_000, every: 250, what: 'service to resume' });
    await until(async () => (await health()).status === 200, { limit: 10_000, what: '/health to be ok again' });
    assert.equal((await health('/ready')).status, 200);
    assert.ok(server.child.alive);
  }

  test('frozen and thawed', async () => {
    mongod.child.signal('SIGSTOP');
    try {
      await isAway();
    } finally {
      mongod.child.signal('SIGCONT');
    }
    await isBack();
  });

  test('killed and started again', async () => {
    await mongod.kill();
    await isAway();
    await mongod.start();
    await isBack();
  });

  test('a stop while it is away ends in time', async () => {
    mongod.child.signal('SIGSTOP');
    const started = Date.now();
    const { code } = await server.child.stop(60_000);
    mongod.child.signal('SIGCONT');
    assert.equal(code, 0, server.child.output);
    assert.ok(Date.now() - started < 40_000);
  });
});
