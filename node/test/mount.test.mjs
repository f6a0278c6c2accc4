// Requests go past the program's Express, and only where Express would ask nobody else about them.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { Program, freshDatabase, install, send, sleep } from './support.mjs';

const program = `
const express = require('express');
const { ParseServer } = require('parse-server');
const port = Number(process.env.PORT);
const server = new ParseServer({
  appId: 'app', masterKey: 'master', databaseURI: process.env.DB, allowClientClassCreation: true, logLevel: 'error',
  fileUpload: { enableForPublic: true }, serverURL: 'http://127.0.0.1:' + port + '/parse', cloud: Parse => Parse.Cloud.define('ip', request => request.ip),
});
const app = express();
app.get('/own', (req, res) => res.send('own'));
app.get('/:first/classes/Taken', (req, res) => res.send('taken below ' + req.params.first));
app.get('/parse/mine/:name', (req, res) => res.send('mine'));
app.use('/parse', server.app);
app.use('/both', (req, res, next) => { res.setHeader('X-Mine', 'yes'); next(); }, server.app);
app.use(['/one', '/two'], server.app);
app.get('/trust', (req, res) => res.send(String(app.enable('trust proxy').enabled('trust proxy'))));
app.get('/silent', (req, res) => res.send(String(app.disable('x-powered-by').enabled('x-powered-by'))));
const inner = express();
inner.use('/parse', server.app);
app.use('/inner', inner);
let asked = 0;
const router = app._router ?? app.router;
const { handle } = router;
router.handle = function (...given) { asked += 1; return handle.apply(this, given); };
app.get('/asked', (req, res) => res.json(asked - 1));
server.start().then(() => app.listen(port, '127.0.0.1', () => console.log('READY')));
`;

/** A body that comes in pieces, and a second request behind it before the first is answered. */
async function pieces({ port }) {
  const socket = net.connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  const ended = new Promise(resolve => socket.on('data', piece => (text += piece)).on('close', resolve));
  const head = 'Host: x\r\nX-Parse-Application-Id: app\r\n';
  socket.write(`POST /parse/classes/Thing HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 16\r\n\r\n{"pie`);
  await sleep(50);
  socket.write('ces":"');
  await sleep(50);
  socket.write(`two"}GET /parse/health HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
  await ended;
  assert.match(text, /^HTTP\/1\.1 201 .*\{"objectId":[^]*HTTP\/1\.1 200 [^]*\{"status":"ok"\}$/s);
}

for (const major of [4, 5]) {
  test(`Express ${major}`, async () => {
    const running = await Program.start(install({ 'index.js': program }, 'reparse', major), { env: { DB: freshDatabase('embedded') } });
    assert.ok(running.ready, running.output);
    let before = 0;
    /** How often Express was asked meanwhile. */
    const asked = async () => {
      const all = Number((await send(`${running.url}/asked`)).text);
      const since = all - before;
      before = all + 1;
      return since;
    };
    const get = (where, headers) => running.request('GET', where, { headers });

    const health = await get('/parse/health');
    assert.deepEqual([health.status, health.body.status, health.headers['x-powered-by']], [200, 'ok', 'Express']);
    const made = await running.request('POST', '/parse/classes/Thing', { body: { a: 1 } });
    assert.equal(made.headers.location, `${running.url}/parse/classes/Thing/${made.body.objectId}`);
    assert.equal((await get('/parse/classes/Thing?limit=1&order=a')).body.results.length, 1);
    const bytes = Buffer.alloc(900_000, 'abcdefghij');
    const stored = await running.request('POST', '/parse/files/big.txt', { body: bytes, headers: { 'Content-Type': 'text/plain' } });
    assert.deepEqual((await send(stored.body.url)).raw, bytes);
    const head = await running.request('HEAD', '/parse/health');
    assert.deepEqual([head.status, head.text, head.headers['x-powered-by']], [200, '', 'Express']);
    const chunked = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    assert.equal((await running.request('POST', '/parse/classes/Thing', { body: '{"a":2}', headers: chunked })).status, 201);
    await pieces(running);
    assert.equal((await get('/parse?x=1')).status, (await get('/parse')).status);
    assert.equal(await asked(), 0);

    // Somebody comes first, or something else is meant.
    assert.equal((await get('/parse/classes/Taken')).text, 'taken below parse');
    assert.equal((await get('/PARSE/health')).body.status, 'ok');
    assert.equal((await get('/parse/mine/%zz')).status, 400);
    assert.equal((await get('/parser/health')).status, 404);
    const both = await get('/both/health');
    assert.deepEqual([both.body.status, both.headers['x-mine']], ['ok', 'yes']);
    for (const path of ['/one', '/two', '/inner/parse']) assert.equal((await get(`${path}/health`)).body.status, 'ok');
    assert.equal((await get('/own')).text, 'own');
    assert.equal(await asked(), 9);

    // What is set later counts from then on.
    await get('/silent');
    assert.equal((await get('/parse/health')).headers['x-powered-by'], undefined);
    assert.equal(await asked(), 1);
    await get('/trust');
    const { body } = await running.request('POST', '/parse/functions/ip', { body: {}, headers: { 'X-Forwarded-For': '203.0.113.9' } });
    assert.equal(body.result, '203.0.113.9');
    assert.equal(await asked(), 2);
    await running.stop();
  });
}

test('server.app listens by itself', async () => {
  const running = await Program.start(install({ 'index.js': `
    const { ParseServer } = require('parse-server');
    const server = new ParseServer({ appId: 'app', masterKey: 'master', databaseURI: process.env.DB, serverURL: 'http://127.0.0.1:' + process.env.PORT, logLevel: 'error' });
    server.app.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('READY'));
    try {
      server.app.set('trust proxy', true);
    } catch (error) {
      console.log(error.message);
    }
  ` }), { env: { DB: freshDatabase('embedded') } });
  assert.ok(running.ready, running.output);
  assert.equal((await running.request('GET', '/health')).body.status, 'ok');
  assert.match(running.output, /server\.app has no settings/);
  await running.stop();
});
