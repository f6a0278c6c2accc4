// The server lives as long as its program, and the other way round.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Program, binary, freshDatabase, install, isAlive, sleep, tempFolder, until } from './support.mjs';

const program = (more = '') => `
const express = require('express');
const { ParseServer } = require('parse-server');
async function main() {
  const port = Number(process.env.PORT);
  const server = new ParseServer({
    appId: 'app', masterKey: 'master', databaseURI: process.env.DB, allowClientClassCreation: true,
    serverURL: 'http://127.0.0.1:' + port + '/parse', logLevel: 'error',
  });
  await server.start();
  const app = express();
  app.use('/parse', server.app);
  const listening = app.listen(port, '127.0.0.1', () => console.log('READY'));
  ${more}
}
main();
`;

async function start(more, options) {
  const temp = tempFolder();
  const running = await Program.start(install({ 'index.js': program(more) }), { ...options, env: { DB: freshDatabase('embedded'), TMPDIR: temp, ...options?.env } });
  assert.ok(running.ready, running.output);
  const [server] = running.servers();
  assert.ok(isAlive(server));
  return { running, server, temp };
}

const nothingLeft = (server, temp) =>
  until(() => !isAlive(server) && fs.readdirSync(temp).length === 0, `the server ${server} ends and removes its sockets from ${temp}: ${fs.readdirSync(temp)}`);

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT']) {
  test(`a program that ends by ${signal} leaves nothing behind`, async () => {
    const { running, server, temp } = await start();
    await running.stop(signal);
    await nothingLeft(server, temp);
  });
}

test('process.exit and an uncaught exception end the server', async () => {
  for (const [more, code] of [["process.on('SIGUSR2', () => process.exit(3));", 3], ["process.on('SIGUSR2', () => { throw new Error('mine'); });", 1]]) {
    const { running, server, temp } = await start(more);
    const end = await running.stop('SIGUSR2');
    assert.equal(end.code, code);
    await nothingLeft(server, temp);
  }
});

test('the program is told when its server has ended', async () => {
  const { running, server } = await start();
  process.kill(server, 'SIGKILL');
  const end = await running.ended;
  assert.equal(end.code, 1);
  assert.match(running.output, /reparse has ended: SIGKILL/);
  const lives = await start("process.on('uncaughtException', error => console.log('SEEN ' + error.message));");
  process.kill(lives.server, 'SIGKILL');
  await until(() => lives.running.output.includes('SEEN reparse has ended: SIGKILL'), 'the program sees it');
  await lives.running.stop('SIGKILL');
});

test('handleShutdown finishes requests in flight; the program then ends by itself', async () => {
  const { running, server, temp } = await start("process.on('SIGTERM', () => { listening.close(); server.handleShutdown().then(() => console.log('DOWN')); });");
  const signUp = running.request('POST', '/parse/users', { body: { username: 'ann', password: 'correct horse' } });
  await sleep(40);
  const end = await running.stop('SIGTERM');
  const { status } = await signUp;
  assert.equal(status, 201);
  assert.deepEqual(end, { code: 0, signal: null });
  assert.match(running.output, /DOWN/);
  await nothingLeft(server, temp);
});

test('a server that only its program reaches leaves a core to it, unless the environment says how many threads it has', async () => {
  for (const [env, threads] of [[{}, Math.max(1, os.availableParallelism() - 1)], [{ TOKIO_WORKER_THREADS: '3' }, 3]]) {
    const { running, server } = await start('', { env });
    const environment = fs.readFileSync(`/proc/${server}/environ`, 'utf8').split('\0');
    assert.deepEqual(environment.filter(line => line.startsWith('TOKIO_WORKER_THREADS=')), [`TOKIO_WORKER_THREADS=${threads}`]);
    await running.stop('SIGKILL');
  }
});

test('signals to the whole group, as from a terminal, are the program’s to handle', async () => {
  const { running, server } = await start("process.on('SIGINT', () => setTimeout(() => process.exit(0), 300));");
  process.kill(server, 'SIGINT');
  process.kill(server, 'SIGTERM');
  await sleep(100);
  assert.ok(isAlive(server));
  assert.equal((await running.request('GET', '/parse/health')).status, 200);
  await running.stop('SIGINT');
});

test('a program that is started again at once finds its data', async () => {
  const DB = freshDatabase('embedded');
  const folder = install({ 'index.js': program() });
  for (let round = 1; round <= 3; round++) {
    const running = await Program.start(folder, { env: { DB } });
    assert.ok(running.ready, running.output);
    await running.request('POST', '/parse/classes/Round', { body: { round } });
    const { body } = await running.request('GET', '/parse/classes/Round?count=1&limit=0');
    assert.equal(body.count, round);
    await running.stop(['SIGTERM', 'SIGKILL', 'SIGINT'][round - 1]);
  }
});

test('a server that was stopped refuses requests, and can be started again', async () => {
  const { running } = await start(`
    app.get('/stop', (req, res) => server.handleShutdown().then(() => res.send(server.config.state)));
    app.get('/start', (req, res) => server.start().then(() => res.send(server.config.state)));
  `);
  const made = await running.request('POST', '/parse/classes/Thing', { body: { a: 1 } });
  assert.equal((await running.request('GET', '/stop')).text, 'stopped');
  assert.deepEqual((await running.request('GET', '/parse/classes/Thing')).body, { code: 1, error: 'Invalid server state: stopped' });
  assert.equal((await running.request('GET', '/start')).text, 'ok');
  assert.equal((await running.request('GET', `/parse/classes/Thing/${made.body.objectId}`)).body.a, 1);
  await running.stop();
});

test('a primary of a cluster that is killed takes the servers of its workers with it', async () => {
  // A worker that requires something after the start finds it behind a link: Node must not have looked at a socket before.
  const running = await Program.start(install({ 'index.js': `
    const cluster = require('cluster');
    const { ParseServer } = require('parse-server');
    if (cluster.isPrimary) {
      let ready = 0;
      for (const name of ['a', 'b']) cluster.fork({ NAME: name }).on('message', pid => console.log('SERVER ' + pid + (++ready === 2 ? ' READY' : '')));
    } else {
      const server = new ParseServer({ appId: 'app', masterKey: 'master', databaseURI: process.env.DB + process.env.NAME, serverURL: 'http://127.0.0.1:1/parse', logLevel: 'error' });
      server.start().then(() => {
        require('express')().use('/parse', server.app).listen(Number(process.env.PORT), () => process.send(server.process.process.pid));
      });
    }
  ` }), { env: { DB: freshDatabase('embedded') } });
  assert.ok(running.ready, running.output);
  const servers = [...running.output.matchAll(/SERVER (\d+)/g)].map(([, pid]) => Number(pid));
  assert.deepEqual(servers.map(isAlive), [true, true]);
  await running.stop('SIGKILL');
  await until(() => !servers.some(isAlive), 'the servers end');
});

test('a folder for temporary files with a path too long for sockets', async () => {
  const long = path.join(tempFolder(), 'x'.repeat(100));
  fs.mkdirSync(long);
  const running = await Program.start(install({ 'index.js': program() }), { env: { DB: freshDatabase('embedded'), TMPDIR: long } });
  assert.ok(running.ready, running.output);
  assert.equal((await running.request('GET', '/parse/health')).status, 200);
  await running.stop();
});

test('a program that blocks for a while goes on afterwards', async () => {
  const { running } = await start("app.get('/block', (req, res) => { const end = Date.now() + 1500; while (Date.now() < end); res.send('over'); });");
  const [blocked, other] = await Promise.all([running.request('GET', '/block'), running.request('GET', '/parse/health')]);
  assert.deepEqual([blocked.text, other.status], ['over', 200]);
  await running.stop();
});

test('parse-server in the scripts of a package runs the server', () => {
  const folder = install({});
  const script = path.join(folder, 'node_modules/parse-server/bin/parse-server.js');
  const run = (...args) => spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8', env: { ...process.env, REPARSE_BIN: binary } });
  assert.match(run('--version').stdout, /^reparse \d/);
  const refused = run('--appId');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /flag --appId needs a value/);
});

test('cloud code that throws fails the start with its own error', async () => {
  const failing = how => `
    const { ParseServer } = require('parse-server');
    class Mine extends Error {}
    const server = new ParseServer({
      appId: 'app', masterKey: 'master', databaseURI: process.env.DB, serverURL: 'http://127.0.0.1:1/parse', logLevel: 'error', cloud: ${how},
    });
    server.start().then(() => console.log('STARTED'), error => console.log('FAILED', error instanceof Mine, error?.message ?? error)).then(() => console.log('READY'));
  `;
  for (const [how, message] of [
    ["() => { throw new Mine('thrown'); }", /FAILED true thrown/],
    ["async () => { await null; throw new Mine('rejected'); }", /FAILED true rejected/],
    ["'./nowhere.js'", /FAILED false Cannot find module/],
    ["'./broken.js'", /FAILED false .*Unexpected/],
    ['5', /FAILED false argument 'cloud' must either be a string or a function/],
  ]) {
    const folder = install({ 'index.js': failing(how), 'broken.js': 'if (' });
    const running = await Program.start(folder, { env: { DB: freshDatabase('embedded') } });
    const { code } = await running.ended;
    assert.equal(code, 0, running.output);
    assert.match(running.output, message);
    assert.deepEqual(running.servers(), []);
  }
});

test('code of the program that never answers, and a program that does not react', async () => {
  const running = await Program.start(install({ 'index.js': `
    const { ParseServer } = require('parse-server');
    const express = require('express');
    const server = new ParseServer({
      appId: 'app', masterKey: 'master', databaseURI: process.env.DB, serverURL: 'http://127.0.0.1:' + process.env.PORT + '/parse', logLevel: 'error',
      reparse: { cloudTimeoutMs: 700 },
      cloud: Parse => {
        Parse.Cloud.define('never', () => new Promise(() => {}));
        Parse.Cloud.define('hello', () => 'hello');
        Parse.Cloud.define('blocks', () => { const end = Date.now() + 3000; while (Date.now() < end); });
        Parse.Cloud.define('later', () => setTimeout(() => { throw new Error('in a timer'); }, 10) && null);
      },
    });
    process.on('uncaughtException', error => console.log('SEEN ' + error.message));
    server.start().then(() => express().use('/parse', server.app).listen(Number(process.env.PORT), () => console.log('READY')));
  ` }), { env: { DB: freshDatabase('embedded') } });
  assert.ok(running.ready, running.output);
  const call = name => running.request('POST', `/parse/functions/${name}`, { body: {} });
  const never = await call('never');
  assert.deepEqual([never.status, never.body.code], [400, 141]);
  assert.equal((await call('hello')).body.result, 'hello');
  // The call fails; the program is thrown out, and joins again with what it has registered.
  assert.equal((await call('blocks')).body.code, 141);
  await until(async () => (await call('hello')).body.result === 'hello', 'the program has joined again');
  await call('later');
  await until(() => running.output.includes('SEEN in a timer'), 'an error in a timer is the program’s');
  assert.equal((await call('hello')).body.result, 'hello');
  await running.stop('SIGKILL');
});

test('node --watch starts the program again, and its server', async () => {
  const temp = tempFolder();
  const folder = install({ 'index.js': program() });
  const running = await Program.start(folder, { args: ['--watch'], env: { DB: freshDatabase('embedded'), TMPDIR: temp } });
  assert.ok(running.ready, running.output);
  await running.request('POST', '/parse/classes/Thing', { body: { a: 1 } });
  fs.appendFileSync(path.join(folder, 'index.js'), '// changed\n');
  await until(() => running.output.split('READY').length === 3, 'the program is ready again');
  const { body } = await running.request('GET', '/parse/classes/Thing');
  assert.equal(body.results.length, 1);
  await until(() => fs.readdirSync(temp).length === 1, `one server is left, not ${fs.readdirSync(temp)}`);
  await running.stop();
  await until(() => fs.readdirSync(temp).length === 0, 'no server is left');
});
