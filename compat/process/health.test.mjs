// /health/live and /health/ready: while the server starts, while its cloud code starts, and from the signal to stop on.
// The MongoDB that goes away is in mongo.test.mjs.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { send } from '../lib/http.mjs';
import { sleep, until } from '../lib/net.mjs';
import { Server, spawnReparse, startServer, writeConfig } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { tempDir } from '../lib/temp.mjs';

const probe = (server, name) => send(`${server.url}/health/${name}`, { timeout: 5000 });
const status = async (server, name) => {
  try {
    return (await probe(server, name)).status;
  } catch {
    return 'no connection';
  }
};

for (const store of ['mongo', 'embedded']) {
  test(`${store}: a server that starts says so, and requests wait`, async () => {
    const dir = tempDir('reparse-gate');
    const gate = path.join(dir, 'open');
    // A file whose loading takes until the gate is open.
    fs.writeFileSync(
      path.join(dir, 'main.js'),
      `const fs = require('fs');
       const still = new Int32Array(new SharedArrayBuffer(4));
       for (let i = 0; i < 6000 && !fs.existsSync(${JSON.stringify(gate)}); i++) Atomics.wait(still, 0, 0, 10);
       Parse.Cloud.define('hello', () => 'hi');`,
    );
    const { file, config } = await writeConfig({ cloud: path.join(dir, 'main.js') }, { database: freshDatabase(store) });
    const server = new Server(spawnReparse([file], { cwd: dir }), config.port, config);
    await until(async () => (await status(server, 'live')) === 200, { what: '/health/live' });
    const early = await probe(server, 'ready');
    assert.equal(early.status, 503);
    assert.equal(early.body.status, 'starting');
    assert.equal(early.headers['retry-after'], '1');
    assert.equal((await send(`${server.url}/health`)).status, 503);
    const call = server.request('POST', '/functions/hello', { json: {} });
    assert.equal(await Promise.race([call, sleep(300)]), undefined, 'a request was answered before the start had ended');
    fs.writeFileSync(gate, '');
    assert.deepEqual((await call).body, { result: 'hi' });
    assert.deepEqual((await probe(server, 'ready')).body, { status: 'ok' });
    await server.stop();
  });

  test(`${store}: from the signal on it is not ready, yet answers`, async () => {
    const server = await startServer({ shutdownDelayMs: 4000 }, { database: freshDatabase(store) });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const before = await send(`${server.url}/health/ready`, { agent });
    assert.equal(before.status, 200);
    assert.notEqual(before.headers.connection, 'close');
    server.child.signal('SIGTERM');
    const leaving = await until(async () => {
      const answer = await send(`${server.url}/health/ready`, { agent });
      return answer.status === 503 && answer;
    }, { limit: 3000, what: 'a 503' });
    assert.equal(leaving.body.status, 'stopping');
    assert.equal(leaving.headers.connection, 'close', 'its clients keep the connection');
    assert.equal(await status(server, 'live'), 200, 'a process that stops was called dead');
    const made = await server.request('POST', '/classes/Late', { master: true, json: { a: 1 } });
    assert.equal(made.status, 201, made.text);
    const { code } = await server.child.ended;
    assert.equal(code, 0, server.child.output);
    agent.destroy();
  });
}

test('cloud code that ends is not ready until it runs again', async () => {
  const dir = tempDir('reparse-code');
  const broken = path.join(dir, 'broken');
  const main = path.join(dir, 'main.js');
  fs.writeFileSync(
    main,
    `if (require('fs').existsSync(${JSON.stringify(broken)})) throw new Error('on purpose');
     Parse.Cloud.define('pid', () => process.pid);`,
  );
  const server = await startServer({ cloud: main }, { database: freshDatabase('embedded') });
  const pid = (await server.request('POST', '/functions/pid', { json: {} })).body.result;
  assert.equal(await status(server, 'ready'), 200);
  fs.writeFileSync(broken, '');
  execFileSync('kill', ['-9', String(pid)]);
  const refused = await until(async () => {
    const answer = await probe(server, 'ready');
    return answer.status === 503 && answer.body.error.includes('does not run') && answer;
  }, { what: 'a 503' });
  assert.equal(refused.body.status, 'error');
  assert.ok(!refused.text.includes('on purpose'), 'the error of the code is shown to everybody');
  assert.equal(await status(server, 'live'), 200);
  fs.rmSync(broken);
  await until(async () => (await status(server, 'ready')) === 200, { what: 'cloud code to run again' });
  await server.stop();
});

test('the id of a request is taken over, or made, given back, and logged', async () => {
  const server = await startServer({}, { database: freshDatabase('embedded') });
  const idOf = async headers => (await server.request('GET', '/config', { headers })).headers['x-request-id'];
  const chosen = 'proxy-7.a:b/c=1';
  assert.equal(await idOf({ 'X-Request-Id': chosen }), chosen);
  const made = await idOf({});
  assert.match(made, /^[0-9a-f]+-[0-9a-f]+$/);
  assert.notEqual(await idOf({}), made);
  for (const bad of ['a b', '"x"', 'x'.repeat(129), '\u00e9']) assert.match(await idOf({ 'X-Request-Id': bad }), /^[0-9a-f]+-[0-9a-f]+$/, bad);
  // an error has one too
  const unknown = await send(`${server.root}/nowhere`, { headers: { 'X-Request-Id': 'lost' } });
  assert.equal(unknown.headers['x-request-id'], 'lost');
  const log = await until(() => server.child.output.includes('id=lost') && server.child.output, { what: 'the log line' });
  assert.ok(log.includes(`id=${chosen}`));
  await server.stop();
});
