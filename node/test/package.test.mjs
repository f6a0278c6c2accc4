// What the package holds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { install, libraries, packageFolder } from './support.mjs';

const require = createRequire(import.meta.url);

test('the version is that of the server', () => {
  const cargo = fs.readFileSync(path.join(packageFolder, '../Cargo.toml'), 'utf8');
  assert.equal(require('../package.json').version, /^version = "(.+)"/m.exec(cargo)[1]);
});

test('the SDK is that of parse-server 9.10', () => {
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(libraries['parse-server'], 'package.json')));
  assert.equal(require('../package.json').dependencies.parse, dependencies.parse);
});

test('everything that parse-server exports is there, by require and by import', () => {
  const names = library => {
    const folder = install({ 'list.mjs': `
      import * as all from 'parse-server';
      import { ParseServer } from 'parse-server';
      const own = Object.getOwnPropertyNames((await import('node:module')).createRequire(import.meta.url)('parse-server').default);
      console.log(JSON.stringify({ names: Object.keys(all).sort(), statics: Object.getOwnPropertyNames(ParseServer), own, parse: typeof globalThis.Parse?.Cloud?.define }));
      process.exit();
    ` }, library);
    const { stdout, stderr } = spawnSync(process.execPath, ['list.mjs'], { cwd: folder, encoding: 'utf8', env: { ...process.env, PARSE_SERVER_LOGS_FOLDER: 'null' } });
    assert.ok(stdout, stderr);
    return JSON.parse(stdout.split('\n')[0]);
  };
  const [theirs, ours] = [names('parse-server'), names('reparse')];
  assert.equal(ours.parse, 'function');
  assert.equal(theirs.parse, ours.parse);
  for (const name of theirs.names) assert.ok(ours.names.includes(name), `${name} is missing`);
  for (const name of ['createLiveQueryServer', 'startApp']) assert.ok(ours.statics.includes(name) && theirs.statics.includes(name));
  for (const name of ['app', 'createLiveQueryServer', 'promiseRouter', 'startApp', 'verifyServerUrl']) assert.ok(ours.own.includes(name) && theirs.own.includes(name), name);
});

test('the packed package has the JavaScript of the server, and all that it needs', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts=false'], { cwd: packageFolder, encoding: 'utf8' });
  const files = JSON.parse(stdout.slice(stdout.indexOf('[')))[0].files.map(file => file.path);
  for (const name of fs.readdirSync(path.join(packageFolder, '../src/adapters/cloud/node/bootstrap'))) {
    assert.ok(files.some(file => file === `bootstrap/${name}` || file.startsWith(`bootstrap/${name}/`)), name);
  }
  for (const name of ['lib/index.js', 'types/index.d.ts', 'bin/parse-server.js', 'README.md', 'LICENSE']) assert.ok(files.includes(name), name);
  assert.ok(!files.some(file => file.startsWith('test/')));
  fs.rmSync(path.join(packageFolder, 'bootstrap'), { recursive: true, force: true });
});

for (const library of ['parse-server', 'reparse']) {
  test(`a program in TypeScript compiles with the declarations of ${library}`, () => {
    const folder = install(path.join(packageFolder, 'test/types'), library);
    const tsc = path.join(packageFolder, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });
}

test('the declarations are right by themselves, and name every option', () => {
  const tsc = path.join(packageFolder, 'node_modules/typescript/bin/tsc');
  const checked = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--moduleResolution', 'node', '--types', 'node', 'types/index.d.ts'], { cwd: packageFolder, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout);
  const written = spawnSync(process.execPath, ['scripts/options-types.js', '--print'], { cwd: packageFolder, encoding: 'utf8' }).stdout;
  assert.equal(fs.readFileSync(path.join(packageFolder, 'types/Options/index.d.ts'), 'utf8'), written, 'node scripts/options-types.js writes it');
});
