// The access log: what a line says of its request, as numbers and names, also when the client breaks off.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { until } from '../lib/net.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

const LIMIT = 60_000;
const FILE = Buffer.alloc(3_000_000, 'x');

for (const store of ['embedded', 'mongo']) {
  let server;
  before(async () => {
    server = await startServer(
      { jsonLogs: true, allowClientClassCreation: true, mountGraphQL: true, trustProxy: 1, fileUpload: { enableForPublic: true } },
      { database: freshDatabase(store), env: { REPARSE_BCRYPT_COST: '4' } },
    );
  });
  after(() => server?.stop());

  const lines = () => server.child.output.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line));
  /** The line of the request with this id. */
  const line = async id => {
    const find = () => lines().find(({ target, span }) => target === 'reparse::request' && span?.id === id);
    await until(find, { limit: LIMIT, what: `the line of ${id}` });
    return find();
  };
  const ask = async (id, method, path, options = {}) => {
    const answer = await server.request(method, path, { ...options, headers: { 'X-Request-Id': id, ...options.headers } });
    return { answer, line: await line(id) };
  };
  /** Begins a request, which the test breaks off. */
  const begin = (id, method, path, headers = {}) => {
    const request = http.request(server.url + path, { method, headers: { 'X-Parse-Application-Id': 'app', 'X-Request-Id': id, ...headers }, agent: false });
    request.on('error', () => {});
    return request;
  };

  test(`${store}: who asked for what, and how much`, async () => {
    const body = { username: 'ann', password: 'secret' };
    const signUp = await ask('sign-up', 'POST', '/users', { json: body });
    const { objectId, sessionToken } = signUp.answer.body;
    assert.deepEqual(
      { ...signUp.line, timestamp: 0, ms: 0 },
      {
        timestamp: 0, level: 'INFO', method: 'POST', route: '/users', status: 201, ms: 0, address: '127.0.0.1', key: 'none', class: '_User',
        bytesIn: JSON.stringify(body).length, bytesOut: Buffer.byteLength(signUp.answer.text), target: 'reparse::request', span: { id: 'sign-up', name: 'request' },
      },
    );
    for (const name of ['status', 'ms', 'bytesIn', 'bytesOut']) assert.equal(typeof signUp.line[name], 'number', name);

    const mine = await ask('mine', 'GET', '/classes/Note', { session: sessionToken, headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } });
    assert.deepEqual([mine.line.key, mine.line.user, mine.line.class, mine.line.bytesIn, mine.line.span.trace], ['session', objectId, 'Note', 0, '4bf92f3577b34da6a3ce929d0e0e4736']);
    const master = await ask('master', 'GET', '/classes/Note', { master: true, headers: { 'X-Forwarded-For': '203.0.113.9' } });
    assert.deepEqual([master.line.address, master.line.status], ['203.0.113.9', 403]);
    const job = await ask('job', 'POST', '/jobs/clean', { master: true, json: {} });
    assert.deepEqual([job.line.key, job.line.job], ['master', 'clean']);
    const call = await ask('function', 'POST', '/functions/pay', { json: {} });
    assert.deepEqual([call.line.function, call.line.status], ['pay', call.answer.status]);
    const head = await ask('head', 'HEAD', '/classes/Note');
    assert.deepEqual([head.line.method, head.line.bytesOut], ['HEAD', 0]);
    const query = { query: 'query AllUsers { users { count } }' };
    await server.request('POST', '/../graphql', { json: query, headers: { 'X-Request-Id': 'graphql' } });
    assert.deepEqual([(await line('graphql')).route, (await line('graphql')).span.operation], ['/graphql', 'AllUsers']);
    assert.ok(lines().every(({ aborted }) => aborted === undefined));
  });

  test(`${store}: a client that leaves is told from one that stays`, async () => {
    const headers = { 'Content-Type': 'text/plain' };
    const up = await ask('up', 'POST', '/files/large.txt', { data: FILE, headers });
    assert.deepEqual([up.line.status, up.line.bytesIn, up.line.aborted], [201, FILE.length, undefined]);
    const path = new URL(up.answer.body.url).pathname.slice('/parse'.length);
    const down = await ask('down', 'GET', path);
    assert.deepEqual([down.line.bytesOut, down.line.aborted], [FILE.length, undefined]);
    const part = await ask('part', 'GET', path, { headers: { Range: 'bytes=0-199999' } });
    assert.deepEqual([part.line.status, part.line.bytesOut, part.line.aborted], [206, 200_000, undefined]);

    // it reads no more: what the system takes for it is less than the rest
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => {});
    const large = await ask('larger', 'POST', '/files/larger.txt', { data: Buffer.alloc(15_000_000, 'y'), headers });
    const larger = new URL(large.answer.body.url).pathname;
    socket.pause();
    socket.write(`GET ${larger} HTTP/1.1\r\nHost: x\r\nX-Request-Id: left-download\r\n\r\n`);
    await new Promise(resolve => socket.once('readable', resolve));
    socket.destroy();
    const download = await line('left-download');
    assert.deepEqual([download.status, download.aborted], [200, true]);
    assert.ok(download.bytesOut < 15_000_000, `${download.bytesOut}`);

    const upload = begin('left-upload', 'POST', '/files/half.txt', { ...headers, 'Content-Length': FILE.length });
    await new Promise(resolve => upload.write(FILE.subarray(0, 1_000_000), resolve));
    upload.destroy();
    const half = await line('left-upload');
    assert.equal(half.aborted, true);
    assert.ok(half.bytesIn <= 1_000_000, `${half.bytesIn}`);
  });

  test(`${store}: a request that is not HTTP has a line with its address`, async () => {
    const socket = net.connect(server.port, '127.0.0.1').on('error', () => {});
    socket.end('GET / HTTP/1.1\r\nHost : x\r\n\r\n');
    const find = () => lines().find(({ error }) => error === 'malformed HTTP request');
    await until(find, { limit: LIMIT, what: 'the line of a malformed request' });
    assert.deepEqual([find().status, find().address], [400, '127.0.0.1']);
  });
}

test('a client that leaves before the answer', async () => {
  // a hash that takes long
  const server = await startServer({ jsonLogs: true }, { database: freshDatabase('embedded'), env: { REPARSE_BCRYPT_COST: '15' } });
  const data = JSON.stringify({ username: 'ann', password: 'secret' });
  const request = http.request(`${server.url}/users`, { method: 'POST', agent: false, headers: { 'X-Parse-Application-Id': 'app', 'X-Request-Id': 'left', 'Content-Length': data.length } });
  request.on('error', () => {});
  await new Promise(resolve => request.end(data, resolve));
  setTimeout(() => request.destroy(), 200);
  const find = () => server.child.output.split('\n').filter(line => line.startsWith('{')).map(line => JSON.parse(line)).find(({ span }) => span?.id === 'left');
  await until(find, { limit: LIMIT, what: 'the line' });
  assert.deepEqual([find().status, find().aborted, find().bytesOut], [499, true, 0]);
  await server.kill();
});
