// npm parse-server and the server under test on one database at the same time, in either order of starting.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { withDatabase } from './database.mjs';

const logIn = (server, username, password) => server.request('POST', '/login', { json: { username, password } });
const signUp = (server, username, password, more) => server.request('POST', '/users', { json: { username, password, ...more } });
const me = (server, session) => server.request('GET', '/users/me', { session });
const ok = (answer, status = 200) => {
  assert.equal(answer.status, status, answer.text);
  return answer.body;
};

/** Passwords on which implementations of bcrypt may differ. */
const PASSWORDS = {
  plain: 'secret',
  blank: ' ',
  accents: 'pässwörd',
  emoji: '🔑🔑🔑',
  '72 bytes': 'a'.repeat(72),
  '73 bytes': 'a'.repeat(73),
  'a character across byte 72': `${'a'.repeat(71)}ü and more`,
  '1000 bytes': 'b'.repeat(1000),
  'a NUL inside': 'before\u0000after',
  'a NUL at the end': 'before\u0000',
};

/** Wrong ones that a truncation or a NUL might let through: the servers must agree about each. */
const variants = password => {
  const letters = Array.from(password);
  return [letters.slice(0, -1).join(''), `${password}x`, password.split('\u0000')[0], letters.slice(0, 72).join(''), password.toUpperCase()];
};

for (const first of ['reference', undefined]) {
  describe(first ? 'parse-server starts first' : 'reparse starts first', () => {
    const servers = [];
    const database = freshDatabase('mongo');
    let directions;
    before(async () => {
      const second = first ? undefined : 'reference';
      for (const which of [first, second]) servers.push(await startServer({ allowClientClassCreation: true }, { which, database }));
      directions = [servers, [...servers].reverse()];
    });
    after(() => Promise.all(servers.map(server => server.stop())));

    test('users and sessions of one are good on the other', async () => {
      for (const [index, [here, there]] of directions.entries()) {
        const name = `user ${index}`;
        const made = ok(await signUp(here, name, 'secret', { email: `${index}@example.com`, score: 3 }), 201);
        const back = ok(await logIn(there, name, 'secret'));
        assert.deepEqual([back.objectId, back.score, back.email], [made.objectId, 3, `${index}@example.com`]);
        assert.equal((await logIn(there, name, 'wrong')).status, 404);
        assert.equal(ok(await me(there, made.sessionToken)).objectId, made.objectId);
        assert.equal(ok(await me(here, back.sessionToken)).objectId, made.objectId);
        ok(await there.request('PUT', `/users/${made.objectId}`, { session: made.sessionToken, json: { score: { __op: 'Increment', amount: 1 } } }));
        assert.equal(ok(await here.request('GET', `/users/${made.objectId}`, { master: true })).score, 4);
      }
    });

    test('a session ended on one dies on the other', async () => {
      for (const [index, [here, there]] of directions.entries()) {
        const { sessionToken } = ok(await signUp(here, `leaver ${index}`, 'secret'), 201);
        ok(await me(there, sessionToken));
        ok(await here.request('POST', '/logout', { session: sessionToken, json: {} }));
        // a resolved session may be remembered for cacheTTL, 5 seconds
        await until(async () => (await me(there, sessionToken)).body.code === 209, { limit: 8000, what: 'the session to die' });
      }
    });

    test('names and addresses are taken on both', async () => {
      for (const [index, [here, there]] of directions.entries()) {
        const email = `taken-${index}@example.com`;
        ok(await signUp(here, `taken ${index}`, 'secret', { email }), 201);
        assert.equal((await signUp(there, `TAKEN ${index}`, 'x')).body.code, 202);
        assert.equal((await signUp(there, `other ${index}`, 'x', { email: email.toUpperCase() })).body.code, 203);
      }
      const racers = Array.from({ length: 60 }, (_, index) => signUp(servers[index % 2], 'racer', `password ${index}`));
      const codes = (await Promise.all(racers)).map(answer => answer.body.code ?? answer.status);
      assert.deepEqual(codes.sort(), [201, ...Array(59).fill(202)]);
    });

    for (const [what, password] of Object.entries(PASSWORDS)) {
      test(`password: ${what}`, async () => {
        for (const [index, [here, there]] of directions.entries()) {
          const name = `password ${what} ${index}`;
          ok(await signUp(here, name, password), 201);
          for (const server of [here, there]) ok(await logIn(server, name, password));
          for (const wrong of variants(password)) {
            const [mine, theirs] = await Promise.all([here, there].map(server => logIn(server, name, wrong)));
            assert.deepEqual([mine.status, mine.body.code], [theirs.status, theirs.body.code], JSON.stringify(wrong));
          }
        }
      });
    }

    test('hashes of every version', async () => {
      for (const [index, [here, there]] of directions.entries()) {
        const name = `versions ${index}`;
        const { objectId } = ok(await signUp(here, name, 'pässwörd'), 201);
        for (const version of ['$2a$', '$2b$', '$2y$']) {
          await withDatabase(database, async db => {
            const users = db.collection('_User');
            const { _hashed_password: hash } = await users.findOne({ _id: objectId });
            await users.updateOne({ _id: objectId }, { $set: { _hashed_password: version + String(hash).slice(4) } });
          });
          for (const server of [here, there]) {
            ok(await logIn(server, name, 'pässwörd'));
            assert.equal((await logIn(server, name, 'passwörd')).status, 404, `${version} accepts a wrong password`);
          }
        }
      }
    });

    test('classes and their types are shared', async () => {
      for (const [index, [here, there]] of directions.entries()) {
        const path = `/classes/Shared${index}`;
        const { objectId } = ok(await here.request('POST', path, { json: { text: 'x', when: { __type: 'Date', iso: '2020-01-01T00:00:00.000Z' } } }), 201);
        const row = ok(await there.request('GET', `${path}/${objectId}`));
        assert.deepEqual([row.text, row.when], ['x', { __type: 'Date', iso: '2020-01-01T00:00:00.000Z' }]);
        assert.equal((await there.request('POST', path, { json: { text: 1 } })).body.code, 111);
        ok(await there.request('PUT', `${path}/${objectId}`, { json: { more: [1] } }));
        assert.deepEqual(ok(await here.request('GET', `${path}/${objectId}`)).more, [1]);
        ok(await there.request('DELETE', `${path}/${objectId}`));
        assert.equal((await here.request('GET', `${path}/${objectId}`)).status, 404);
      }
    });
  });
}
