// `kill -9` at random moments during sign ups: every acknowledged user exists afterwards, and nothing is half written.
// REPARSE_TEST_KILLS is the number of kills.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { store } from '../lib/env.mjs';
import { sleep, until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const KILLS = Number(process.env.REPARSE_TEST_KILLS ?? 20);
const WRITERS = 8;

/** Signs up users until the server is gone; records every attempt, with its answer if there was one. */
async function write(server, attempts, label) {
  for (let index = 0; server.child.alive; index += 1) {
    const attempt = { username: `user ${label} ${index}`, password: `password ${label} ${index}` };
    attempts.push(attempt);
    try {
      const json = { username: attempt.username, password: attempt.password, email: `${label}-${index}@example.com` };
      const answer = await server.request('POST', '/users', { json, timeout: 10_000 });
      assert.equal(answer.status, 201, answer.text);
      attempt.acknowledged = answer.body;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return; // the connection broke: nobody was told anything
    }
  }
}

async function killDuringSignUps(server, round) {
  const attempts = [];
  const writers = Array.from({ length: WRITERS }, (_, writer) => write(server, attempts, `${round}-${writer}`));
  await until(() => attempts.some(attempt => attempt.acknowledged), { every: 5, what: 'a first sign up' });
  await sleep(Math.random() * 400);
  await server.kill();
  await Promise.all(writers);
  return attempts;
}

async function all(server, path) {
  const answer = await server.request('GET', path, { master: true, query: { limit: 100_000 } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.results;
}

/** Every acknowledged user can log in, with its session alive; the others are there altogether or not at all. */
async function check(server, attempts) {
  const users = new Map((await all(server, '/users')).map(user => [user.username, user]));
  const owners = new Set((await all(server, '/sessions')).map(session => session.user.objectId));
  for (const { username, objectId } of users.values()) {
    assert.ok(owners.has(objectId), `${username} is there without a session, so that its client cannot sign up again`);
  }
  if (store === 'embedded') {
    // There both are one write. On MongoDB the session comes first, and one without a user is of no use to anybody.
    const known = new Set([...users.values()].map(user => user.objectId));
    for (const owner of owners) assert.ok(known.has(owner), `there is a session of ${owner}, who is not there`);
  }
  for (const { username, password, acknowledged } of attempts) {
    const user = users.get(username);
    if (acknowledged) assert.equal(user?.objectId, acknowledged.objectId, `${username} was acknowledged and is gone`);
    if (!user) continue;
    assert.deepEqual(user.ACL, { [user.objectId]: { read: true, write: true } }, username);
    const answer = await server.request('POST', '/login', { json: { username, password } });
    assert.equal(answer.status, 200, `${username} cannot log in: ${answer.text}`);
    if (acknowledged) {
      const me = await server.request('GET', '/users/me', { session: acknowledged.sessionToken });
      assert.equal(me.body.objectId, user.objectId, `the session of ${username} is gone`);
    }
  }
}

test(`${KILLS} kills, ${store}`, { timeout: 60_000 + KILLS * 30_000 }, async t => {
  const database = freshDatabase();
  let server = await startServer({}, { database });
  let acknowledged = 0;
  for (let round = 1; round <= KILLS; round += 1) {
    const attempts = await killDuringSignUps(server, round);
    acknowledged += attempts.filter(attempt => attempt.acknowledged).length;
    server = await startServer({}, { database });
    await check(server, attempts);
  }
  // an update of a user, too, is on disk when it is acknowledged
  const { body: user } = await server.request('POST', '/users', { json: { username: 'last', password: 'first' } });
  const change = await server.request('PUT', `/users/${user.objectId}`, { session: user.sessionToken, json: { score: 7 } });
  assert.equal(change.status, 200, change.text);
  await server.kill();
  server = await startServer({}, { database });
  const back = await server.request('GET', `/users/${user.objectId}`, { master: true });
  assert.equal(back.body.score, 7);
  await server.stop();
  t.diagnostic(`${acknowledged} sign ups were acknowledged in ${KILLS} rounds`);
});
