// What the middleware makes of requests: bodies, addresses, paths, streams, connections that break.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { Program, freePort, freshDatabase, install, send, sleep } from './support.mjs';

const program = `
const express = require('express');
const { ParseServer } = require('parse-server');
async function main() {
  const port = Number(process.env.PORT);
  const server = new ParseServer({
    appId: 'app', masterKey: 'master', masterKeyIps: ['10.1.2.3', '127.0.0.1'], databaseURI: process.env.DB, allowClientClassCreation: true,
    serverURL: 'http://127.0.0.1:' + port + '/api/v1', maxUploadSize: '1mb', logLevel: 'error',
    fileUpload: { enableForPublic: true },
  });
  await server.start();
  const app = express();
  app.set('trust proxy', true);
  app.use('/parsed', express.json({ type: '*/*' }), server.app);
  app.use('/form', express.urlencoded({ extended: true }), server.app);
  app.use('/raw', express.raw({ type: '*/*' }), server.app);
  app.use((req, res, next) => {
    res.setHeader('X-Mine', 'yes');
    res.setHeader('Vary', 'X-Mine');
    next();
  });
  app.use('/api/v1', server.app);
  app.use('/second', server.app);
  app.get('/own', (req, res) => res.send('own'));
  app.listen(port, '127.0.0.1', () => console.log('READY'));
}
main();
`;

let running;
before(async () => {
  running = await Program.start(install({ 'index.js': program }), { env: { DB: freshDatabase('embedded') } });
  assert.ok(running.ready, running.output);
});
after(() => running.stop());

test('requests and answers pass with their headers', async () => {
  const made = await running.request('POST', '/api/v1/classes/Thing', { body: { a: 'ü' } });
  assert.equal(made.status, 201);
  assert.equal(made.headers.location, `${running.url}/api/v1/classes/Thing/${made.body.objectId}`);
  assert.equal(made.headers['x-mine'], 'yes');
  const got = await running.request('GET', `/api/v1/classes/Thing?where=${encodeURIComponent('{"a":"ü"}')}`);
  assert.equal(got.body.results[0].objectId, made.body.objectId);
  assert.equal((await running.request('GET', '/api/v1/health')).body.status, 'ok');
  assert.equal((await running.request('GET', '/api/v1/classes/Thing', { app: null })).status, 403);
  assert.equal((await running.request('OPTIONS', '/api/v1/classes/Thing')).status, 200);
  assert.equal((await send(`${running.url}/own`)).text, 'own');
});

test('the second mount path is that of its answers', async () => {
  const made = await running.request('POST', '/second/classes/Thing', { body: { b: 1 } });
  assert.equal(made.headers.location, `${running.url}/second/classes/Thing/${made.body.objectId}`);
});

test('bodies that the program has parsed already', async () => {
  const json = await running.request('POST', '/parsed/classes/Thing', { body: { parsed: 'jä' } });
  assert.equal(json.status, 201);
  const text = await running.request('POST', '/parsed/classes/Thing', { body: '{"parsed":"text"}', headers: { 'Content-Type': 'text/plain' } });
  assert.equal(text.status, 201);
  const method = await running.request('POST', '/parsed/classes/Thing', { body: { _method: 'GET', where: { parsed: 'jä' } } });
  assert.equal(method.body.results.length, 1);
  const raw = await running.request('POST', '/raw/files/a.txt', { body: Buffer.from('raw bytes'), headers: { 'Content-Type': 'text/plain' } });
  assert.equal(raw.status, 201);
  assert.equal((await send(raw.body.url)).text, 'raw bytes');
  const form = await running.request('POST', '/form/classes/Thing', {
    body: 'formed=yes', headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(form.status, 201);
  // Bad JSON is refused by the parser that the program has chosen.
  assert.equal((await running.request('POST', '/parsed/classes/Thing', { body: '{', headers: { 'Content-Type': 'application/json' } })).status, 400);
});

test('bodies without a length, empty ones, and ones that are too large', async () => {
  const headers = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
  assert.equal((await running.request('POST', '/api/v1/classes/Thing', { body: '{"chunked":true}', headers })).status, 201);
  assert.equal((await running.request('POST', '/api/v1/classes/Thing')).status, 201);
  const large = Buffer.alloc(3 << 20, 32);
  const refused = await running.request('POST', '/api/v1/classes/Thing', { body: large, headers: { 'Content-Type': 'application/json' } });
  assert.equal(refused.status, 413);
});

test('a file of many pieces, up and down', async () => {
  const bytes = Buffer.alloc(900_000, 'abcdefghij');
  const stored = await running.request('POST', '/api/v1/files/big.txt', { body: bytes, headers: { 'Content-Type': 'text/plain' } });
  assert.equal(stored.status, 201);
  assert.ok(stored.body.url.startsWith(`${running.url}/api/v1/files/`), stored.body.url);
  const got = await send(stored.body.url);
  assert.equal(got.text, bytes.toString());
  const part = await send(stored.body.url, { headers: { Range: 'bytes=10-19' } });
  assert.deepEqual([part.status, part.text], [206, 'abcdefghij']);
});

test('the address of the client counts, whatever the client says of it', async () => {
  const master = headers => running.request('GET', '/api/v1/schemas', { master: true, headers });
  assert.equal((await master({})).status, 200);
  assert.equal((await master({ 'X-Forwarded-For': '10.1.2.3' })).status, 200);
  assert.equal((await master({ 'X-Forwarded-For': '9.9.9.9' })).status, 403);
  assert.equal((await master({ 'X-Forwarded-For': '9.9.9.9', 'X-Reparse-Origin': '127.0.0.1 http /' })).status, 403);
  const made = await running.request('POST', '/api/v1/classes/Thing', { body: {}, headers: { 'X-Forwarded-Proto': 'https' } });
  assert.ok(made.headers.location.startsWith('https://127.0.0.1'), made.headers.location);
});

test('many at once over few connections', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
  const headers = { 'X-Parse-Application-Id': 'app' };
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, n) => send(`${running.url}/api/v1/classes/Many`, { method: 'POST', body: { n }, headers, agent })),
  );
  assert.ok(answers.every(answer => answer.status === 201));
  const counted = await running.request('GET', '/api/v1/classes/Many?count=1&limit=0');
  assert.equal(counted.body.count, 500);
  agent.destroy();
});

test('clients that leave', async () => {
  const head = length =>
    `POST /api/v1/classes/Thing HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
  for (const text of ['GET /api/v1/classes/Many HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\n\r\n', `${head(1000)}{"a":`]) {
    const socket = net.connect(running.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    await sleep(30);
    socket.destroy();
  }
  await sleep(100);
  assert.equal((await running.request('GET', '/api/v1/health')).status, 200);
  assert.ok(running.alive);
});

test('what is no WebSocket of ours is not upgraded', async () => {
  const answer = await send(`${running.url}/api/v1/health`, { headers: { Connection: 'Upgrade', Upgrade: 'h2c' } });
  assert.equal(answer.status, 200);
});

test('a server that listens itself, beside the program', async () => {
  const port = await freePort();
  const listening = `
    const { ParseServer } = require('parse-server');
    const server = new ParseServer({
      appId: 'app', masterKey: 'master', databaseURI: process.env.DB, allowClientClassCreation: true, logLevel: 'error', host: '127.0.0.1',
      mountPath: '/api', serverURL: 'http://127.0.0.1:${port}/api', reparse: { listen: ${port} },
      cloud: Parse => Parse.Cloud.define('where', () => 'in the program ' + process.pid),
    });
    server.start().then(() => require('http').createServer(server.app).listen(Number(process.env.PORT), () => console.log('READY')));
  `;
  const program = await Program.start(install({ 'index.js': listening }), { env: { DB: freshDatabase('embedded') } });
  assert.ok(program.ready, program.output);
  const headers = { 'X-Parse-Application-Id': 'app' };
  const direct = await send(`http://127.0.0.1:${port}/api/classes/Thing`, { method: 'POST', body: { a: 1 }, headers });
  assert.equal(direct.headers.location, `http://127.0.0.1:${port}/api/classes/Thing/${direct.body.objectId}`);
  const called = await send(`http://127.0.0.1:${port}/api/functions/where`, { method: 'POST', body: {}, headers });
  assert.deepEqual(called.body, { result: `in the program ${program.process.pid}` });
  const handed = await program.request('GET', '/classes/Thing');
  assert.equal(handed.body.results[0].objectId, direct.body.objectId);
  // What only the program may say is nothing to a server that anybody reaches.
  const spoofed = await send(`http://127.0.0.1:${port}/api/classes/Thing`, { method: 'POST', body: {}, headers: { ...headers, 'X-Reparse-Origin': '9.9.9.9 https /evil' } });
  assert.ok(spoofed.headers.location.startsWith(`http://127.0.0.1:${port}/api/`));
  await program.stop();
});
