// The commands for all data of an app: `check`, `compact`.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { Server, spawnReparse, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';
import { directoryOf, refusedWith } from './support.mjs';

const OPTIONS = { allowClientClassCreation: true, fileUpload: { enableForPublic: true } };

/** A configuration on a fresh database of this kind, with a way to start a server on it. */
async function app(kind, options = {}) {
  const { file, config, dir } = await writeConfig({ ...OPTIONS, ...options }, { database: freshDatabase(kind) });
  const start = () => new Server(spawnReparse([file], { cwd: dir }), config.port, config).ready();
  return { file, config, dir, start };
}

/** Runs a command to its end. */
async function run(...args) {
  const child = spawnReparse(args, { cwd: tempDir() });
  const { code } = await child.ended;
  return { code, output: child.output };
}

/** Sends a request that must succeed; returns the body of its answer. */
async function ask(server, method, where, options) {
  const answer = await server.request(method, where, { timeout: 60_000, ...options });
  assert.ok(answer.status < 300, `${method} ${where}: ${answer.status} ${answer.text}`);
  return answer.body;
}

const pointer = (className, objectId) => ({ __type: 'Pointer', className, objectId });

test('check tells what is wrong with a configuration, and starts nothing', async () => {
  const { file, config } = await app('embedded');
  const sound = await run('check', file);
  assert.equal(sound.code, 0, sound.output);
  assert.match(sound.output, /configuration is sound/);
  assert.equal(fs.existsSync(directoryOf(config.databaseURI)), false, 'the store was opened');
  fs.writeFileSync(file, JSON.stringify({ ...config, sessionLenght: 5 }));
  assert.match(await refusedWith(['check', file]), /sessionLenght.*sessionLength/s);
  // What only shows when the parts are built.
  fs.writeFileSync(file, JSON.stringify({ ...config, emailAdapter: { module: 'smtp', options: { nonsense: 1 } } }));
  assert.match(await refusedWith(['check', file]), /emailAdapter|nonsense|smtp/);
});

for (const kind of ['embedded', 'mongo']) {
  test(`check finds what does not fit together (${kind})`, async () => {
    const { file, config, start } = await app(kind);
    const server = await start();
    try {
      const { objectId: a } = await ask(server, 'POST', '/classes/Thing', { json: { name: 'a' } });
      const { objectId: b } = await ask(server, 'POST', '/classes/Thing', { json: { name: 'b' } });
      const others = { __op: 'AddRelation', objects: [pointer('Thing', b)] };
      await ask(server, 'PUT', `/classes/Thing/${a}`, { json: { others } });
      await ask(server, 'POST', '/users', { json: { username: 'ann', password: 'correct horse' } });
      const photo = await ask(server, 'POST', '/files/photo.txt', { data: 'bytes', headers: { 'Content-Type': 'text/plain' } });
      await ask(server, 'POST', '/files/unnamed.txt', { data: 'bytes', headers: { 'Content-Type': 'text/plain' } });
      await ask(server, 'POST', '/classes/Thing', { json: { list: [{ photo: { __type: 'File', name: photo.name } }] } });

      // while the server runs
      const whole = await run('check', '--data', file);
      assert.equal(whole.code, 0, whole.output);
      assert.match(whole.output, /1 pairs in relations, 2 files \(1 that no object names\): nothing wrong/);

      await ask(server, 'DELETE', `/classes/Thing/${b}`);
      await ask(server, 'DELETE', `/files/${photo.name}`, { master: true });
      const expected = [`_Join:others:Thing ${a} → ${b}: there is no Thing ${b}`, `file is missing: ${photo.name}, named by Thing`];
      if (kind === 'mongo') {
        const client = await MongoClient.connect(config.databaseURI);
        const rows = name => client.db().collection(name);
        await rows('_User').insertOne({ _id: 'other', username: 'ANN' });
        await rows('_Session').insertOne({ _id: 'dangling', _p_user: '_User$nobody', _session_token: 'r:1' });
        await rows('_Join:gone:Thing').insertOne({ owningId: a, relatedId: a });
        await client.close();
        expected.push('users with one username: ann: ', 'session without a user: dangling: there is no user nobody', 'relation of no field: _Join:gone:Thing');
      }
      const broken = await run('check', '--data', file);
      assert.equal(broken.code, 1, broken.output);
      for (const line of expected) assert.ok(broken.output.includes(line), `${line}\n${broken.output}`);
      assert.match(broken.output, new RegExp(`: ${expected.length} wrong`));
      if (kind === 'embedded') assert.deepEqual(fs.readdirSync(directoryOf(config.databaseURI)).filter(name => name.startsWith('copy-')), []);
    } finally {
      await server.stop();
    }
  });
}

test('check finds damage in the database file', async () => {
  const { file, config, start } = await app('embedded');
  const server = await start();
  const text = 'x'.repeat(2000);
  await ask(server, 'POST', '/batch', { json: { requests: Array.from({ length: 50 }, () => ({ method: 'POST', path: '/parse/classes/Thing', body: { text } })) } });
  await server.stop();
  const database = path.join(directoryOf(config.databaseURI), 'reparse.db');
  const bytes = fs.readFileSync(database);
  // A row's text is changed without its index of dates: the key of `updatedAt` is another one then.
  const at = bytes.indexOf('"updatedAt":{"$d":');
  assert.ok(at > 0);
  bytes[at + 18] = bytes[at + 18] === 0x31 ? 0x32 : 0x31;
  fs.writeFileSync(database, bytes);
  const { code, output } = await run('check', '--data', file);
  assert.equal(code, 1, output);
  assert.match(output, /damaged/);
});

test('compact gives room back, and waits for no server', async () => {
  const { file, config, start } = await app('embedded');
  const database = path.join(directoryOf(config.databaseURI), 'reparse.db');
  assert.match(await refusedWith(['compact', file]), /reparse\.db/);
  let server = await start();
  const text = 'x'.repeat(10_000);
  const post = () => ({ method: 'POST', path: '/parse/classes/Thing', body: { text } });
  const made = await ask(server, 'POST', '/batch', { json: { requests: Array.from({ length: 50 }, post) } });
  const gone = made.slice(1).map(({ success }) => ({ method: 'DELETE', path: `/parse/classes/Thing/${success.objectId}` }));
  await ask(server, 'POST', '/batch', { json: { requests: gone } });
  assert.match(await refusedWith(['compact', file]), /in use by process/);
  await server.stop();
  const before = fs.statSync(database).size;
  const { code, output } = await run('compact', file);
  assert.equal(code, 0, output);
  assert.ok(fs.statSync(database).size < before - 300_000, `${before} → ${fs.statSync(database).size}: ${output}`);
  server = await start();
  const { results } = await ask(server, 'GET', '/classes/Thing');
  assert.deepEqual(results.map(object => object.text), [text]);
  await server.stop();
});
