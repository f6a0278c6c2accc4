// Helpers for tests of the binary itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnReparse, writeConfig } from '../lib/server.mjs';

/** Runs the binary with a configuration that it must refuse; returns its output. */
export async function refused(options, { args = [], env, limit = 20_000, database } = {}) {
  const { file, dir } = await writeConfig(options, { database });
  return refusedWith([...args, file], { env, cwd: dir, limit });
}

/** Runs the binary with these arguments; it must exit by itself with a status other than 0. */
export async function refusedWith(args, { env, cwd, limit = 20_000 } = {}) {
  const child = spawnReparse(args, { env, cwd });
  const timer = setTimeout(() => child.signal('SIGKILL'), limit);
  const { code, signal } = await child.ended;
  clearTimeout(timer);
  assert.equal(signal, null, `still running after ${limit} ms:\n${child.output}`);
  assert.notEqual(code, 0, child.output);
  assert.notEqual(code, 101, `a panic:\n${child.output}`);
  return child.output;
}

/** Every file below a directory. */
export function filesBelow(dir) {
  return fs.readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath ?? entry.path, entry.name));
}

/** The directory of an embedded store. */
export const directoryOf = database => database.replace(/^file:/, '');

/** The SQLite database files in a data directory. */
export const sqliteFiles = dir => filesBelow(dir).filter(file => fs.readFileSync(file).subarray(0, 15).toString('latin1') === 'SQLite format 3');
