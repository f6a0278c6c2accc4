// A server with classes that have fields of every type, its document, and the tools that read documents.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { compatDir, repoDir } from '../lib/env.mjs';
import { startServer } from '../lib/server.mjs';

export const here = path.join(compatDir, 'openapi');
/** Where builds go: kept between runs, next to those of the server. */
export const targetDir = path.resolve(process.env.CARGO_TARGET_DIR ?? path.join(repoDir, 'target'));

export const schemas = [
  { className: 'Team', fields: { name: { type: 'String' } } },
  {
    className: 'GameScore',
    fields: {
      score: { type: 'Number' },
      player: { type: 'String', required: true },
      level: { type: 'Number', defaultValue: 1 },
      cheated: { type: 'Boolean' },
      playedAt: { type: 'Date' },
      place: { type: 'GeoPoint' },
      area: { type: 'Polygon' },
      tags: { type: 'Array' },
      details: { type: 'Object' },
      blob: { type: 'Bytes' },
      replay: { type: 'File' },
      team: { type: 'Pointer', targetClass: 'Team' },
      owner: { type: 'Pointer', targetClass: '_User' },
      fans: { type: 'Relation', targetClass: '_User' },
    },
  },
];

/** A server that shows its classes, with the classes `Team` and `GameScore`. */
export async function startTyped(options = {}) {
  const server = await startServer({ openapi: { publicSchema: true }, ...options });
  for (const schema of schemas) {
    const answer = await server.request('POST', '/schemas', { master: true, json: schema });
    assert.equal(answer.status, 200, answer.text);
  }
  return server;
}

/** Writes the document the server serves into a folder; returns the file. */
export async function saveDocument(server, dir) {
  const answer = await server.request('GET', '/openapi.json');
  assert.equal(answer.status, 200, answer.text);
  const file = path.join(dir, 'openapi.json');
  fs.writeFileSync(file, answer.text);
  return file;
}

/** Runs a program to its end; returns what it wrote to its standard output, fails with all of it if the status is not 0. */
export async function run(command, args, options = {}) {
  const { code, output, said } = await ended(command, args, options);
  assert.equal(code, 0, `${path.basename(command)} ${args.join(' ')}\n${plain(output)}`);
  return said.trim();
}

/** The end of a program's output, in ASCII: node's test runner loses its way in long texts of anything else. */
export const plain = output => output.replace(/[^\n\x20-\x7e]/g, '').slice(-20_000);

/** Runs a program for `limit` milliseconds at most; returns its exit status, its standard output and all it wrote. */
export function ended(command, args, { cwd = here, env = {}, limit = 300_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(kill, limit);
    process.once('exit', kill);
    let output = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      said += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      output += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ code: code ?? signal, said, output });
    });
  });
}

/** A program of an npm package of `compat/`. */
export const npmTool = name => path.join(compatDir, 'node_modules/.bin', name);
