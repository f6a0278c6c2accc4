// What cannot work is refused at the start, in words that name it; nothing hangs, and no server is left running.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Program, freePort, freshDatabase, install, tempFolder } from './support.mjs';

/** Runs a program that starts a server with these options (JavaScript), and prints what it got. */
async function attempt(options, { env, before = '' } = {}) {
  const program = `
    const lib = require('parse-server');
    const { ParseServer } = lib;
    const base = { appId: 'app', masterKey: 'master', serverURL: 'http://127.0.0.1:1/parse', databaseURI: process.env.DB, logLevel: 'error' };
    async function main() {
      ${before}
      const server = new ParseServer({ ...base, ...(${options}) });
      await server.start();
      console.log('STARTED');
      await server.handleShutdown();
    }
    main().catch(error => {
      console.log('FAILED ' + (error?.message ?? error));
      console.log('READY');
    });
  `;
  const temp = tempFolder();
  const running = await Program.start(install({ 'index.js': program }), { env: { DB: freshDatabase('embedded'), TMPDIR: temp, ...env } });
  const end = await running.ended;
  assert.equal(end.code, 0, running.output);
  assert.deepEqual(running.servers(), []);
  assert.deepEqual(fs.readdirSync(temp), []);
  return /FAILED (.*)/s.exec(running.output)?.[1].split('\nREADY')[0] ?? running.output;
}

const cases = [
  ["{ appId: undefined }", 'You must provide an appId!'],
  ["{ masterKey: '' }", 'You must provide a masterKey!'],
  ["{ sessionLength: 'long' }", 'Session length must be a valid number.'],
  ["{ objectIdSize: {} }", 'option objectIdSize must be'],
  ["{ allowClientClassCreation: 'maybe' }", 'Parse Server option allowClientClassCreation must be a boolean.'],
  ["{ databaseURI: 'postgres://localhost/x' }", 'databaseURI: PostgreSQL is not supported'],
  ["{ databaseAdapter: new (class Store {})() }", 'option databaseAdapter: the server has stores of its own'],
  ["{ requestContextMiddleware: 'mine' }", 'requestContextMiddleware must be a function'],
  ["{ cacheAdapter: { get() {}, put() {}, del() {}, clear() {} } }", 'option cacheAdapter: the server has caches of its own'],
  ["{ verifyUserEmails: () => true }", 'An emailAdapter is required for e-mail verification and password resets.'],
  ["{ verifyUserEmails: 'sometimes' }", 'option verifyUserEmails must be a boolean'],
  ["{ passwordPolicy: { validatorCallback: 'x' } }", 'passwordPolicy.validatorCallback must be a function.'],
  ["{ pages: { customRoutes: [{ method: 'FETCH', path: 'x', handler: () => {} }] } }", 'option pages.customRoutes[0]: method "FETCH"'],
  ["{ pages: { customRoutes: [{ method: 'GET', path: 'x', handler: './page.js' }] } }", 'option pages.customRoutes[0].handler must be'],
  ["{ schema: { definitions: [], beforeMigration() { throw new Error('not today'); } } }", 'not today'],
  ["{ loggerAdapter: { write() {} } }", 'option loggerAdapter: it has no method log'],
  ["{ filesAdapter: { createFile() {} } }", 'option filesAdapter: it has no method deleteFile'],
  ["{ emailAdapter: { sendPasswordResetEmail() {} } }", 'option emailAdapter: it has no method sendMail'],
  ["{ analyticsAdapter: new (class Mine { appOpened() {} })() }", 'option analyticsAdapter: it has no method trackEvent'],
  ["{ filesAdapter: new (class { constructor() { throw new Error('no disk'); } })() }", 'no disk'],
  ["{ graphQLSchema: () => {} }", 'option graphQLSchema: it cannot be a function'],
  ["{ sessionLength: 10n }", 'option sessionLength: it cannot be a bigint'],
  ["{ sessionLength: NaN }", 'option sessionLength: it cannot be NaN'],
  ["{ allowHeaders: () => [] }", 'option allowHeaders: it cannot be a function'],
  ["{ security: { checkGroups: [class Mine {}] } }", 'option security.checkGroups: '],
  ["{ masterKey: () => 5 }", 'option masterKey: the function must give a text, not number'],
  ["{ masterKey: async () => { throw new Error('vault is closed'); } }", 'vault is closed'],
  ["{ masterKey: () => new Promise(() => {}), reparse: { cloudTimeoutMs: 700 } }", 'option masterKey: the function did not answer in 700 ms'],
  ["{ schema: { definitions: [], beforeMigration: () => new Promise(() => {}) }, reparse: { cloudTimeoutMs: 700 } }", 'Cloud code did not answer in time.'],
  ["{ filesAdapter: new (class extends lib.FileSystemAdapter { createFile() {} })() }", 'option filesAdapter: the server has this adapter itself'],
  ["{ filesAdapter: Object.assign(new lib.FileSystemAdapter(), { getFileLocation() {} }) }", 'option filesAdapter: the server has this adapter itself'],
  ["(() => { const loop = {}; loop.loop = loop; return { protectedFields: loop }; })()", 'option protectedFields.loop: it contains itself'],
  ["{ publicServerURL: 'ftp://x' }", 'must be a valid URL starting with http'],
  ["{ readOnlyMasterKey: 'master' }", 'masterKey and readOnlyMasterKey should be different'],
  ["{ reparse: 'fast' }", 'option reparse: it must be an object'],
  ["{ reparse: { listen: '1338' } }", 'option reparse.listen: it must be true, false or a port'],
  ["{ reparse: { listen: 70000 } }", 'option port must be an integer from 0 to 65535'],
  ["{ reparse: { bcryptcost: 4 } }", 'unknown option reparse.bcryptcost; did you mean bcryptCost?'],
  ["{ databaseURI: 'mongodb://127.0.0.1:1/x', reparse: { databaseTimeoutMs: 700 } }", 'cannot open MongoDB'],
];
for (const [options, message] of cases) {
  test(options, async () => {
    const told = await attempt(options);
    assert.ok(told.includes(message), `${told}\nshould be\n${message}`);
  });
}

test('unknown options are warned of', async () => {
  const told = await attempt("{ allowClientClassCreatio: true, logLevel: 'warn' }");
  assert.match(told, /unknown option allowClientClassCreatio; did you mean allowClientClassCreation/);
  assert.match(told, /STARTED/);
});

test('a binary that is missing, is another program, or has another version', async () => {
  const folder = tempFolder();
  const script = (name, text) => {
    fs.writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return path.join(folder, name);
  };
  assert.match(await attempt('{}', { env: { REPARSE_BIN: '/nowhere/reparse' } }), /There is no file \/nowhere\/reparse \(REPARSE_BIN\)/);
  assert.match(await attempt('{}', { env: { REPARSE_BIN: script('old', 'echo reparse 0.0.1') } }), /is reparse 0\.0\.1; this package needs \d/);
  assert.match(await attempt('{}', { env: { REPARSE_BIN: script('other', 'echo hello') } }), /is not reparse \d/);
  assert.match(await attempt('{}', { env: { REPARSE_BIN: script('text', 'exit 7') } }), /is not reparse .*: /);
  assert.match(await attempt('{}', { env: { REPARSE_BIN: '', PATH: path.dirname(process.execPath) } }), /The program reparse \S+ is needed and was not found: install the package reparse-/);
});

test('a server that ends while it is started', async () => {
  const version = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url))).version;
  const file = path.join(tempFolder(), 'reparse');
  fs.writeFileSync(file, `#!/bin/sh\n[ "$1" = --version ] && echo reparse ${version} && exit\nexit 9\n`, { mode: 0o755 });
  assert.match(await attempt('{}', { env: { REPARSE_BIN: file } }), /reparse ended while it was started: status 9/);
});

test('a port in use', async () => {
  const port = await freePort();
  const told = await attempt(`{ port: ${port}, host: '127.0.0.1' }`, {
    before: `
      const net = require('node:net').createServer().listen(${port}, '127.0.0.1');
      await new Promise(resolve => net.once('listening', resolve));
      process.once('exit', () => net.close());
      const error = await ParseServer.startApp({ ...base, port: ${port}, host: '127.0.0.1', verifyServerUrl: false }).catch(error => error);
      net.close();
      throw error;
    `,
  });
  assert.match(told, /EADDRINUSE/);
});

test('a port in use at which the server is to listen', async () => {
  const port = await freePort();
  const told = await attempt(`{ host: '127.0.0.1', reparse: { listen: ${port} } }`, {
    before: `
      const net = require('node:net').createServer().listen(${port}, '127.0.0.1').unref();
      await new Promise(resolve => net.once('listening', resolve));
    `,
  });
  assert.match(told, /cannot listen on 127\.0\.0\.1:\d+: Address already in use/);
});

test('startApp that fails behind the start', async () => {
  for (const [options, message] of [
    ["{ middleware: './nowhere.js' }", /Cannot find module/],
    ['{ middleware: 5 }', /option middleware|requires a middleware function|argument handler must be a function/],
    ["{ liveQuery: { classNames: ['A'] }, startLiveQueryServer: true, liveQueryServerOptions: { appId: 'other' } }", /there is no ParseServer of the app other/],
  ]) {
    const told = await attempt('{}', { before: `throw await ParseServer.startApp({ ...base, port: 0, host: '127.0.0.1', verifyServerUrl: false, ...(${options}) }).catch(error => error);` });
    assert.match(told, message);
  }
});

test('the embedded store of a program that runs', async () => {
  const told = await attempt('{}', {
    before: `
      const first = new ParseServer({ ...base });
      await first.start();
      const error = await new ParseServer({ ...base }).start().catch(error => error);
      await first.handleShutdown();
      throw error;
    `,
  });
  assert.match(told, /cannot open the embedded store: .*use/);
});

test('a second start, and one after a failure', async () => {
  const told = await attempt('{}', {
    before: `
      const options = { ...base, sessionLength: 'x' };
      const again = new ParseServer(options);
      const first = await again.start().then(() => 'no error', error => error.message);
      again.config.sessionLength = 100;
      const [one, two] = await Promise.all([again.start(), again.start()]);
      if (one !== again || two !== again) throw new Error('not the same');
      await again.handleShutdown();
      throw new Error('as it should: ' + first);
    `,
  });
  assert.match(told, /as it should: Session length must be a valid number/);
});
