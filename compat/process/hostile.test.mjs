// Hostile input: the server refuses it quickly with a Parse error and keeps running.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';

let server;
before(async () => {
  server = await startServer({ allowClientClassCreation: true, maxUploadSize: '1mb' }, { database: freshDatabase('embedded') });
  await server.request('POST', '/users', { json: { username: 'alice', password: 'secret' } });
});
after(() => server?.stop());

const nested = (open, close, depth) => open.repeat(depth) + '1' + close.repeat(depth);
const json = { 'Content-Type': 'application/json' };

const BODIES = [
  ['broken JSON', '{"a":'],
  ['trailing rubbish', '{"a":1}x'],
  ['two values', '{"a":1}{"a":2}'],
  ['a text', '"x"'],
  ['a number', '1'],
  ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ['objects 100 000 deep', nested('{"a":', '}', 100_000)],
  ['lists 100 000 deep', `{"a":${nested('[', ']', 100_000)}}`],
  ['a number out of range', '{"a":1e999}'],
  ['NUL in a key', '{"a\\u0000b":1}'],
  ['a dollar key', '{"$set":{"a":1}}'],
  ['an internal key', '{"_hashed_password":"x"}'],
  ['a forbidden key', '{"a":{"__proto__":1}}'],
  ['a type that is none', '{"a":{"__type":"Nonsense"}}'],
  ['a date that is none', '{"a":{"__type":"Date"}}'],
  ['a pointer without class', '{"a":{"__type":"Pointer","objectId":"x"}}'],
  ['an ACL that is none', '{"ACL":"x"}'],
  ['an operator that is none', '{"a":{"__op":1}}'],
  ['a body above the limit', JSON.stringify({ a: 'x'.repeat(2_000_000) })],
];
const isRefusal = (answer, what) => {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
  assert.equal(typeof answer.body?.error, 'string', `${what}: ${answer.text.slice(0, 300)}`);
};
for (const [what, data] of BODIES) {
  test(`body: ${what}`, async () => {
    for (const [method, path] of [['POST', '/classes/Thing'], ['POST', '/users'], ['PUT', '/users/abcdefghij']]) {
      isRefusal(await server.request(method, path, { data, headers: json, timeout: 5000 }), `${method} ${path}`);
    }
  });
}

const WHERES = [
  ['no JSON', 'where=%7B'],
  ['invalid UTF-8', 'where=%FF'],
  ['$where', `where=${encodeURIComponent('{"$where":"while(1){}"}')}`],
  ['$function', `where=${encodeURIComponent('{"$expr":{"$function":{}}}')}`],
  ['an unknown operator', `where=${encodeURIComponent('{"a":{"$nonsense":1}}')}`],
  ['$or without a list', `where=${encodeURIComponent('{"$or":1}')}`],
  ['$in without a list', `where=${encodeURIComponent('{"a":{"$in":1}}')}`],
  ['a bad pattern', `where=${encodeURIComponent('{"a":{"$regex":"(("}}')}`],
  ['a pattern that is no text', `where=${encodeURIComponent('{"a":{"$regex":1}}')}`],
  ['a password', `where=${encodeURIComponent('{"_hashed_password":{"$regex":"^"}}')}`],
];
for (const [what, query] of WHERES) {
  test(`where: ${what}`, async () => {
    for (const path of ['/users', '/classes/Thing']) isRefusal(await server.request('GET', `${path}?${query}`, { timeout: 5000 }), path);
  });
}

test('conditions 1000 deep, and a list of 10 000, are refused or answered soon', async () => {
  const deep = nested('{"$or":[', ']}', 1000).replace('1]', '{}]');
  const wide = JSON.stringify({ username: { $in: Array.from({ length: 10_000 }, (_, index) => `user ${index}`) } });
  for (const where of [deep, wide]) {
    const data = `{"_method":"GET","where":${where}}`;
    const answer = await server.request('POST', '/users', { data, headers: json, timeout: 5000 });
    assert.ok(answer.status < 500, `${answer.status} ${answer.text.slice(0, 300)}`);
  }
});

test('a pattern that backtracks for ever is bounded, and others are served meanwhile', async () => {
  await server.request('POST', '/classes/Slow', { json: { text: `${'a'.repeat(40)}!` } });
  const where = { text: { $regex: '^(a+)+$' } };
  const slow = server.request('GET', '/classes/Slow', { query: { where }, timeout: 10_000 });
  const started = Date.now();
  assert.equal((await server.request('GET', '/health')).status, 200);
  assert.equal((await server.request('POST', '/login', { json: { username: 'alice', password: 'secret' } })).status, 200);
  assert.ok(Date.now() - started < 2000);
  assert.ok((await slow).status < 500);
});

test('paths and methods that are none', async () => {
  for (const [method, path] of [
    ['GET', '/nonsense'], ['PATCH', '/users'], ['DELETE', '/users'], ['TRACE', '/users'], ['GET', '/users/../../etc/passwd'], ['GET', '/classes/%00'],
    ['GET', `/classes/${'x'.repeat(5000)}/y`], ['POST', '/classes/..%2f..'], ['GET', '/%ff'],
  ]) {
    const answer = await server.request(method, path, { timeout: 5000 });
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /<html/i);
  }
});

test('headers with tricks in them', async () => {
  for (const headers of [
    { 'X-Parse-Session-Token': 'r:{"$ne":null}' }, { 'X-Parse-Session-Token': 'x'.repeat(5000) }, { 'X-Parse-Installation-Id': 'x'.repeat(5000) },
    { Authorization: 'Basic !!!' }, { Authorization: `Basic ${Buffer.from('no colon').toString('base64')}` }, { 'X-Parse-Cloud-Context': '{' },
    { 'X-Parse-Application-Id': 'app\tapp' }, { Host: 'evil.example.com:99999' },
  ]) {
    const answer = await server.request('GET', '/users', { headers, timeout: 5000 });
    assert.ok(answer.status < 500, `${JSON.stringify(headers).slice(0, 100)}: ${answer.status} ${answer.text}`);
  }
});

/** Writes raw bytes and returns what comes back until the server closes or `limit` passes. */
const raw = (bytes, limit = 3000) =>
  new Promise(resolve => {
    let text = '';
    const socket = net.connect(server.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', chunk => (text += chunk)).on('error', () => {}).on('close', () => resolve(text));
    setTimeout(() => socket.destroy(), limit).unref();
  });

test('HTTP that is none', async () => {
  for (const bytes of ['nonsense\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(20_000)}\r\n`, '\0\0\0\0', 'POST /parse/users HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n']) {
    assert.doesNotMatch(await raw(bytes, 1000), /^HTTP\/1\.1 5/);
  }
});

test('a hundred clients that send nothing do not keep others out', async () => {
  const sockets = Array.from({ length: 100 }, () => net.connect(server.port, '127.0.0.1').on('error', () => {}));
  for (const socket of sockets) socket.write('POST /parse/users HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"user');
  assert.equal((await server.request('POST', '/login', { json: { username: 'alice', password: 'secret' }, timeout: 5000 })).status, 200);
  for (const socket of sockets) socket.destroy();
});

test('after all that the server is well', async () => {
  assert.equal((await server.request('POST', '/login', { json: { username: 'alice', password: 'secret' } })).status, 200);
  assert.doesNotMatch(server.child.output, /panicked/);
});
