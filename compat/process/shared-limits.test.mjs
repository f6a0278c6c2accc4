// Rate limits that count in a real Redis: servers count together, and each for itself while Redis is away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from '../lib/net.mjs';
import { startRedis } from '../lib/redis.mjs';
import { startServer } from '../lib/server.mjs';

let redis;
before(async () => { redis = await startRedis(); });
after(() => redis.child.stop());

const limit = (requestPath, more = {}) => ({ requestPath, requestTimeWindow: 600_000, requestCount: 3, includeInternalRequests: true, redisUrl: redis.url, ...more });

/** A server that is stopped at the end of the test. */
async function started(t, options) {
  const server = await startServer({ allowClientClassCreation: true, ...options });
  t.after(() => server.stop());
  return server;
}

const get = (server, where) => server.request('GET', where);

/** Calls the servers in turn until one refuses; returns how many calls were admitted. */
async function admitted(servers, where) {
  for (let number = 0; number < 50; number += 1) {
    const answer = await get(servers[number % servers.length], where);
    if (answer.status === 429) {
      assert.equal(answer.body.code, 100);
      assert.ok(Number(answer.headers['retry-after']) > 0 && Number(answer.headers['retry-after']) <= 600, answer.headers['retry-after']);
      return number;
    }
    assert.ok(Number(answer.headers['x-ratelimit-remaining']) >= 0);
  }
  return assert.fail('no call was refused');
}

test('servers count together, each limit and each app for itself', async t => {
  const rateLimit = [limit('/classes/One'), limit('/classes/Two'), limit('/classes/Short', { requestTimeWindow: 1500 }), limit('/classes/Own', { redisUrl: undefined })];
  const [first, second] = [await started(t, { rateLimit }), await started(t, { rateLimit })];
  assert.equal(await admitted([first, second], '/classes/One'), 3);
  assert.equal((await get(first, '/classes/One')).status, 429);
  assert.equal(await admitted([second], '/classes/Two'), 3, 'another limit');
  assert.equal(await admitted([first], '/classes/Own'), 3, 'a limit without Redis');
  assert.equal(await admitted([second], '/classes/Own'), 3);
  const other = await started(t, { appId: 'other', rateLimit });
  assert.equal(await admitted([other], '/classes/One'), 3, 'another app');

  assert.equal(await admitted([first, second], '/classes/Short'), 3);
  await until(async () => (await get(second, '/classes/Short')).status !== 429, { what: 'a new window' });
});

test('while Redis is away, each server counts for itself', async t => {
  const rateLimit = [limit('/classes/Away')];
  const [first, second] = [await started(t, { rateLimit }), await started(t, { rateLimit })];
  assert.equal(await admitted([first, second], '/classes/Away'), 3);
  await redis.child.kill();
  for (const server of [first, second]) {
    assert.equal(await admitted([server], '/classes/Away'), 3);
    assert.match(server.child.output, /Redis cannot be reached/);
  }
  redis = await startRedis(redis.port);
  // It has forgotten; this server counts there again, and knows from there that it admitted three.
  await until(async () => (await get(first, '/classes/Away')).status !== 429, { what: 'Redis again' });
  const both = await until(async () => {
    const answer = await get(second, '/classes/Away');
    return answer.status !== 429 && answer;
  }, { what: 'Redis again' });
  assert.equal(both.headers['x-ratelimit-remaining'], '1');
});

test('an address of Redis that is none is refused at the start', async () => {
  await assert.rejects(startServer({ rateLimit: [limit('/a', { redisUrl: 'nowhere' })] }), /rateLimit.redisUrl/);
});
