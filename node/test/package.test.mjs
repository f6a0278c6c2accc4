// What the package holds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { Program, binary, freshDatabase, install, libraries, packageFolder, tempFolder } from './support.mjs';

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

/** Packs a package into a folder; what went wrong is thrown. */
function pack(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(packageFolder, 'scripts/pack.js'), ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** Puts a packed package where npm would put it. */
function unpack(archive, folder) {
  fs.mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', folder, '--strip-components=1'], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

test('the packed packages run a program in an empty folder, with nothing in PATH', async () => {
  const { here, packageFor } = require('../lib/platforms');
  const out = tempFolder();
  const main = pack(out);
  // Without what only debuggers need, which takes most of the time to pack.
  const stripped = path.join(out, 'reparse');
  const platform = pack(out, spawnSync('strip', ['-o', stripped, binary]).status === 0 ? stripped : binary);
  const folder = tempFolder();
  unpack(main, path.join(folder, 'node_modules/parse-server'));
  unpack(platform, path.join(folder, 'node_modules', packageFor(here)));
  for (const name of ['express', 'parse']) {
    // Where npm has installed them for this package.
    const from = createRequire(path.join(packageFolder, 'package.json')).resolve(name === 'parse' ? 'parse/node' : name);
    fs.symlinkSync(from.slice(0, from.lastIndexOf(`/${name}/`) + name.length + 1), path.join(folder, 'node_modules', name));
  }
  const packed = path.join(folder, 'node_modules/parse-server');
  for (const name of fs.readdirSync(path.join(packageFolder, '../src/adapters/cloud/node/bootstrap'))) {
    assert.ok(fs.existsSync(path.join(packed, 'bootstrap', name)), name);
  }
  for (const name of ['types/index.d.ts', 'bin/parse-server.js', 'README.md', 'LICENSE', 'NOTICE']) assert.ok(fs.existsSync(path.join(packed, name)), name);
  assert.ok(!fs.existsSync(path.join(packed, 'test')));
  const described = JSON.parse(fs.readFileSync(path.join(packed, 'package.json'), 'utf8'));
  // Nothing is installed from the registry, where these names are nobody's or somebody else's.
  assert.equal(described.optionalDependencies, undefined);
  const forMachine = JSON.parse(fs.readFileSync(path.join(folder, 'node_modules', packageFor(here), 'package.json'), 'utf8'));
  assert.deepEqual([forMachine.os, forMachine.cpu, forMachine.version], [[process.platform], [process.arch], described.version]);
  fs.writeFileSync(path.join(folder, 'index.js'), `
    const { ParseServer } = require('parse-server');
    const server = new ParseServer({
      appId: 'app', masterKey: 'master', serverURL: 'http://localhost:1/parse', databaseURI: process.env.DB, logLevel: 'error',
      cloud: Parse => Parse.Cloud.define('hello', () => 'hi'),
    });
    server.start().then(async () => {
      console.log('said ' + await Parse.Cloud.run('hello'));
      await server.handleShutdown();
      console.log('READY');
    });
  `);
  const program = await Program.start(folder, { env: { REPARSE_BIN: '', PATH: path.dirname(process.execPath), DB: freshDatabase('embedded') } });
  const end = await program.ended;
  assert.match(program.output, /said hi/);
  assert.equal(end.code, 0, program.output);
});

test('what is no program for the machine is not packed', () => {
  const { here, PLATFORMS } = require('../lib/platforms');
  const out = tempFolder();
  const other = PLATFORMS.find(platform => platform !== here);
  assert.throws(() => pack(out, binary, other), new RegExp(`is for ${here}, not for ${other}`));
  assert.throws(() => pack(out, binary, 'plan9-mips'), /plan9-mips is none of/);
  const text = path.join(out, 'text');
  fs.writeFileSync(text, '#!/bin/sh\necho reparse 9.9.9 is not a program\n', { mode: 0o755 });
  assert.throws(() => pack(out, text), /is no program/);
  assert.deepEqual(fs.readdirSync(out), ['text']);
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
