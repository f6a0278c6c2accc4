// Clients generated from the served document work: sign up, log in, objects of a typed class, an
// error identified by its code, log out.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { compatDir } from '../lib/env.mjs';
import { keys } from '../lib/server.mjs';
import { tempDir } from '../lib/temp.mjs';
import { pythonPrograms } from './python-tools.mjs';
import { here, npmTool, run, saveDocument, startTyped, targetDir } from './support.mjs';

const WALKED = /^walked$/m;

let server;
let document;
before(async () => {
  server = await startTyped();
  document = await saveDocument(server, tempDir());
});
after(() => server?.stop());

test('TypeScript: openapi-typescript and openapi-fetch', async () => {
  const dir = tempDir();
  fs.cpSync(path.join(here, 'typescript'), dir, { recursive: true });
  fs.symlinkSync(path.join(compatDir, 'node_modules'), path.join(dir, 'node_modules'));
  await run(npmTool('openapi-typescript'), [document, '--default-non-nullable=false', '-o', path.join(dir, 'schema.ts')], { cwd: dir });
  await run(npmTool('tsc'), ['--strict', '--project', dir, '--outDir', path.join(dir, 'out')], { cwd: dir });
  assert.match(await run(process.execPath, [path.join(dir, 'out/walk.js'), server.url, keys.appId], { cwd: dir }), WALKED);
});

test('Python: openapi-python-client', async () => {
  const dir = tempDir();
  const programs = await pythonPrograms();
  const env = { PATH: `${programs}:${process.env.PATH}`, PYTHONPATH: dir, PYTHONDONTWRITEBYTECODE: '1' };
  const args = ['generate', '--path', document, '--meta', 'none', '--output-path', path.join(dir, 'reparse_client'), '--fail-on-warning'];
  await run(path.join(programs, 'openapi-python-client'), args, { cwd: dir, env });
  const walk = [path.join(here, 'python/walk.py'), server.url, keys.appId];
  assert.match(await run(path.join(programs, 'python'), walk, { cwd: dir, env }), WALKED);
});

test('Rust: progenitor', async () => {
  const target = path.join(targetDir, 'openapi-client');
  const copy = path.join(target, 'openapi.json');
  const served = fs.readFileSync(document, 'utf8');
  fs.mkdirSync(target, { recursive: true });
  // Written only when it is another one: the client is built again then.
  if (!fs.existsSync(copy) || fs.readFileSync(copy, 'utf8') !== served) fs.writeFileSync(copy, served);
  const env = { REPARSE_OPENAPI_DOCUMENT: copy, CARGO_TARGET_DIR: target };
  const manifest = path.join(here, 'rust/Cargo.toml');
  await run('cargo', ['build', '--locked', '--quiet', '--manifest-path', manifest], { env, limit: 900_000 });
  assert.match(await run(path.join(target, 'debug/reparse-generated-client'), [server.url, keys.appId]), WALKED);
});
