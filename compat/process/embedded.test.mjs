// The embedded store as a directory of files.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { repoDir } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { formatOf, look, unpacked } from './old-store.mjs';
import { directoryOf, refused, sqliteFiles } from './support.mjs';

test('one process a directory: the second is told the first one’s pid', async () => {
  const database = freshDatabase('embedded');
  const first = await startServer({}, { database });
  assert.match(await refused({}, { database }), new RegExp(`\\b${first.child.pid}\\b`));
  const { body } = await first.request('POST', '/users', { json: { username: 'a', password: 'b' } });
  assert.ok(body.objectId, 'the first server suffered');
  await first.kill();
  const next = await startServer({}, { database });
  assert.equal((await next.request('POST', '/login', { json: { username: 'a', password: 'b' } })).status, 200);
  await next.stop();
});

test('a directory that is not there is made, for its owner alone', async () => {
  const database = `${freshDatabase('embedded')}/deep/er`;
  const server = await startServer({}, { database });
  assert.equal(fs.statSync(directoryOf(database)).mode & 0o077, 0);
  await server.stop();
});

test('a directory that cannot be made is a clear error', async () => {
  const file = path.join(path.dirname(directoryOf(freshDatabase('embedded'))), 'plain-file');
  fs.writeFileSync(file, 'x');
  assert.match(await refused({}, { database: `file:${file}/data` }), /plain-file/);
});

async function stoppedStore() {
  const database = freshDatabase('embedded');
  const server = await startServer({}, { database });
  for (let index = 0; index < 20; index += 1) {
    await server.request('POST', '/users', { json: { username: `user ${index}`, password: 'x', blob: 'y'.repeat(2000) } });
  }
  await server.stop();
  const [file] = sqliteFiles(directoryOf(database));
  assert.ok(file, 'no SQLite file in the data directory');
  return { database, file };
}

test('a file that is no database is a clear error', async () => {
  const { database, file } = await stoppedStore();
  fs.writeFileSync(file, Buffer.alloc(100_000, 'not a database '));
  assert.match(await refused({}, { database }), /damaged|corrupt|not a database/i);
});

test('a damaged page is an error of the request or of the start, never a crash', async () => {
  const { database, file } = await stoppedStore();
  const bytes = fs.readFileSync(file);
  for (let offset = 4096 * 2; offset < bytes.length; offset += 4096) bytes.fill(0xa5, offset, Math.min(offset + 2048, bytes.length));
  fs.writeFileSync(file, bytes);
  let server;
  try {
    server = await startServer({}, { database });
  } catch (error) {
    assert.match(error.message, /damaged|corrupt|malformed/i);
    assert.doesNotMatch(error.message, /panicked/);
    return;
  }
  const answer = await server.request('GET', '/users', { master: true });
  assert.ok(answer.status === 200 || typeof answer.body?.code === 'number', answer.text);
  assert.ok(server.child.alive, server.child.output);
  await server.stop();
  assert.doesNotMatch(server.child.output, /panicked/);
});

test('a store written by a newer version is left alone', async () => {
  const { database, file } = await stoppedStore();
  const bytes = fs.readFileSync(file);
  const before = formatOf(bytes);
  assert.ok(before > 0, 'the store has no format version');
  bytes.writeUInt32BE(before + 1000, 60);
  fs.writeFileSync(file, bytes);
  const told = await refused({}, { database });
  assert.ok(told.includes(`has format ${before + 1000}, created by a newer version of reparse; this version reads up to format ${before}`), told);
  assert.deepEqual(fs.readFileSync(file).subarray(0, 100), bytes.subarray(0, 100));
});

test('a database of every format so far is upgraded to the newest, and has everything', async () => {
  const { file: fresh } = await stoppedStore();
  const newest = formatOf(fs.readFileSync(fresh));
  for (let format = 1; format <= newest; format += 1) {
    const { database, place } = unpacked(path.join(repoDir, `tests/data/embedded-format-${format}.db.gz`));
    assert.equal(formatOf(fs.readFileSync(place)), format);
    await look(database);
    assert.equal(formatOf(fs.readFileSync(place)), newest);
    await look(database);
  }
});
