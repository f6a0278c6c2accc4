// `kill -9` at random moments during uploads: every acknowledged file is whole afterwards, and no other is half there.
// REPARSE_TEST_KILLS is the number of kills.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { binary, store } from '../lib/env.mjs';
import { sleep, until } from '../lib/net.mjs';
import { startServer, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const KILLS = Number(process.env.REPARSE_TEST_KILLS ?? 20);
const WRITERS = 6;
const options = { preserveFileName: true, fileUpload: { enableForPublic: true } };
/** Lengths around the pieces in which stores write: nothing, one chunk of GridFS, several. */
const LENGTHS = [1, 1000, 70_000, 261_120, 261_121, 600_000, 3_000_000];
/** Names that are written again and again: an old file or a new one must be there, never both mixed. */
const SHARED = ['shared 1.bin', 'shared 2.bin'];

const sum = bytes => createHash('sha256').update(bytes).digest('hex');

/** Uploads in pieces, so that a kill finds uploads at every stage. */
function upload(server, name, bytes) {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Parse-Application-Id': 'app', 'Content-Type': 'application/octet-stream', 'Content-Length': bytes.length };
    const request = http.request(`${server.url}/files/${encodeURIComponent(name)}`, { method: 'POST', headers, agent: false }, answer => {
      answer.resume();
      answer.on('error', reject);
      answer.on('end', () => resolve(answer.statusCode));
    });
    request.on('error', reject);
    const piece = Math.ceil(bytes.length / 4);
    for (let at = 0; at < bytes.length; at += piece) request.write(bytes.subarray(at, at + piece));
    request.end();
  });
}

/** The bytes of a file; null if there is none. Anything else, or fewer bytes than announced, is an error. */
function download(server, name) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${server.url}/files/app/${encodeURIComponent(name)}`, { agent: false }, answer => {
      const pieces = [];
      answer.on('data', piece => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 404) return resolve(null);
        const bytes = Buffer.concat(pieces);
        if (answer.statusCode !== 200 || !answer.complete) return reject(new Error(`${name}: ${answer.statusCode} after ${bytes.length} bytes`));
        resolve(bytes);
      });
    });
    request.on('error', reject);
  });
}

async function write(server, attempts, writer, round) {
  for (let index = 0; server.child.alive; index += 1) {
    const shared = index % 4 === 3;
    const bytes = randomBytes(LENGTHS[Math.floor(Math.random() * LENGTHS.length)]);
    const attempt = { name: shared ? SHARED[index % 8 === 3 ? 0 : 1] : `${round} ${writer} ${index}.bin`, shared, sum: sum(bytes), started: performance.now() };
    attempts.push(attempt);
    let status;
    try {
      status = await upload(server, attempt.name, bytes);
    } catch {
      return; // the connection broke: nobody was told anything
    }
    assert.equal(status, 201);
    attempt.acknowledged = performance.now();
  }
}

/** What a name may hold: what was acknowledged last, or anything that was under way since then. */
function allowed(attempts) {
  const acknowledged = attempts.filter(attempt => attempt.acknowledged);
  if (acknowledged.length === 0) return { sums: attempts.map(attempt => attempt.sum), missing: true };
  // One that was acknowledged before another one began has been replaced by it.
  const latest = Math.max(...acknowledged.map(attempt => attempt.started));
  const left = attempts.filter(attempt => !(attempt.acknowledged < latest));
  return { sums: left.map(attempt => attempt.sum), missing: false };
}

async function check(server, attempts) {
  for (const name of new Set(attempts.map(attempt => attempt.name))) {
    const { sums, missing } = allowed(attempts.filter(attempt => attempt.name === name));
    const bytes = await download(server, name);
    if (bytes === null) assert.ok(missing, `${name} was acknowledged and is gone`);
    else assert.ok(sums.includes(sum(bytes)), `${name} has other bytes: ${bytes.length}`);
  }
}

test(`${KILLS} kills, ${store}`, { timeout: 60_000 + KILLS * 30_000 }, async t => {
  const database = freshDatabase();
  let server = await startServer(options, { database });
  const all = [];
  let shared = [];
  for (let round = 1; round <= KILLS; round += 1) {
    const attempts = [];
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(server, attempts, writer, round));
    await until(() => attempts.some(attempt => attempt.acknowledged), { every: 5, what: 'a first upload' });
    await sleep(Math.random() * 400);
    await server.kill();
    await Promise.all(writers);
    server = await startServer(options, { database });
    shared = [...shared, ...attempts.filter(attempt => attempt.shared)];
    await check(server, [...attempts.filter(attempt => !attempt.shared), ...shared]);
    all.push(...attempts);
  }
  await check(server, [...all.filter(attempt => !attempt.shared), ...shared]);
  await server.stop();
  // What the killed uploads left is found and removed, and nothing else is.
  const { file, dir } = await writeConfig(options, { database });
  const files = (...args) => promisify(execFile)(binary, ['files', 'check', '--older-than=0', ...args, file], { cwd: path.dirname(dir) });
  const removed = await files('--remove');
  assert.match(removed.stdout, / 0 failed, \d+ removed\n$/);
  assert.match((await files()).stdout, / 0 failed, 0 left over\n$/);
  server = await startServer(options, { database });
  await check(server, [...all.filter(attempt => !attempt.shared), ...shared]);
  await server.stop();
  const acknowledged = all.filter(attempt => attempt.acknowledged).length;
  t.diagnostic(`${acknowledged} of ${all.length} uploads were acknowledged in ${KILLS} rounds; ${removed.stdout.trim().split('\n').at(-1)}`);
});
